//! The keys of what is somebody else's: servers, bootstrap servers, devices.

use crate::scenario::keys::{Key, Section, Shape, key, required};

const ADDRESS: Key = key(
    "address",
    Shape::Text,
    "The IP address that the host of the URL stands for; without one, a name service is asked, once.",
);
const CA: Key =
    key("ca", Shape::Text, "A PEM file of certificates to be trusted besides those of our own CA; for all parties.");
const RATE: Key =
    key("rate", Shape::Text, "The most requests that go to each of its addresses, such as `100/s`; more of them wait.");
const BUDGET: Key = key(
    "budget",
    Shape::Integer(1, i64::MAX),
    "How many requests go to each of its addresses at most; no more than that are sent.",
);

/// `external` of `[[server]]`.
pub static SERVER: Section = Section {
    about: "A DM server that is somebody else's.",
    keys: &[
        required("url", Shape::Text, "Where it takes the messages of other servers: `https://HOST[:PORT]/PATH`."),
        key("device_url", Shape::Text, "Where its devices connect; needed where it has an account on them at first."),
        key("operator", Shape::Text, "Where it can be asked to start a flow, as `dmswarm serve` can."),
        key("certificate", Shape::Text, "A PEM file: what our servers show to it; one of our own CA without this."),
        key("key", Shape::Text, "A PEM file: the private key of `certificate`."),
        ADDRESS,
        CA,
        RATE,
        BUDGET,
    ],
};

/// `relayed` of `[[server]]`.
pub static RELAYED: Section = Section {
    about: "A DM server that is somebody else's, and that others reach through us.",
    keys: &[
        required("url", Shape::Text, "Where it takes the messages of other servers: `https://HOST[:PORT]/PATH`."),
        key("certificate", Shape::Text, "A PEM file: what we show to it for others; one of our own CA without this."),
        key("key", Shape::Text, "A PEM file: the private key of `certificate`."),
        ADDRESS,
        CA,
        RATE,
        BUDGET,
    ],
};

/// `external` of `[[bootstrap_server]]`.
pub static BOOTSTRAP_SERVER: Section = Section {
    about: "A bootstrap server that is somebody else's.",
    keys: &[
        required("url", Shape::Text, "What its documents' URLs begin with: `https://HOST[:PORT]/PATH`."),
        ADDRESS,
        CA,
        RATE,
        BUDGET,
    ],
};

/// `external` of `[population]`.
pub static DEVICES: Section = Section {
    about: "Devices that are somebody else's.",
    keys: &[
        required(
            "wake",
            Shape::Text,
            "Where package 0 goes: `https://HOST[:PORT]/PATH`, to which the device id is added, or `udp://IP:PORT` as WAP push.",
        ),
        ADDRESS,
        CA,
        RATE,
        BUDGET,
    ],
};
