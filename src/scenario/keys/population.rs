//! The keys of `[population]`: the devices.

use crate::scenario::keys::{PORT, Section, Shape, WEIGHT, external, key, required, with_default};

/// `[population]`.
pub static POPULATION: Section = Section {
    about: "The devices of the run.",
    keys: &[
        required("devices", Shape::Integer(1, 10_000_000), "How many there are; each goes on one journey."),
        with_default(
            "encoding",
            Shape::Word(&["xml", "wbxml"]),
            "xml",
            "How devices write the packages of their sessions; servers answer in kind.",
        ),
        key("class", Shape::Tables(&CLASS), "Kinds of devices; without any, all are of one ordinary kind."),
        key(
            "external",
            Shape::Table(&external::DEVICES),
            "They are somebody else's, and are woken there; without this, they are simulated.",
        ),
        with_default(
            "wake_port",
            PORT,
            "0",
            "Where a server is somebody else's: the port at which it can wake our devices over HTTPS; 0 takes any free one.",
        ),
        with_default("wap_port", PORT, "0", "The same by WAP push over UDP."),
        key("tls", Shape::Table(&TLS), "What devices show to those they call, and how they shake hands."),
    ],
};

/// `[population.tls]`.
pub static TLS: Section = Section {
    about: "What devices show to those they call, and how they shake hands.",
    keys: &[
        with_default(
            "certificates",
            Shape::Word(&["none", "shared", "per device"]),
            "none",
            "Whether devices show a certificate: none, all the same one, or each one that is made out to its id.",
        ),
        with_default(
            "versions",
            Shape::Word(&["1.2 or 1.3", "1.2", "1.3"]),
            "1.2 or 1.3",
            "The versions of TLS that they speak.",
        ),
        with_default("resumption", Shape::YesNo, "false", "Whether a device resumes the TLS sessions that it has had."),
        with_default("expired", Shape::Text, "0%", "How many devices have a certificate whose time is over."),
        with_default(
            "revoked",
            Shape::Text,
            "0%",
            "How many devices have a certificate that the CA has taken back (CRL).",
        ),
        with_default("wrong_ca", Shape::Text, "0%", "How many devices have a certificate of a CA that nobody trusts."),
    ],
};

/// `[[population.class]]`.
pub static CLASS: Section = Section {
    about: "One kind of device.",
    keys: &[
        required("name", Shape::Text, "What journeys call it."),
        with_default(
            "share",
            Shape::Integer(0, WEIGHT),
            "1",
            "Weight among the classes, for journeys that name none; 0 keeps it for those that do.",
        ),
        with_default("manufacturer", Shape::Text, "Example Devices", "`./DevInfo/Man`."),
        key("model", Shape::Text, "`./DevInfo/Mod`; the name of the class where it is left out."),
        key(
            "subtrees",
            Shape::Texts,
            "What can be delegated, beside the standard objects; `./SCOMO` where it is left out.",
        ),
        with_default(
            "storage",
            Shape::Word(&["ample", "full"]),
            "ample",
            "`full`: no account can be added (status 420).",
        ),
        with_default(
            "acl",
            Shape::Word(&["open", "refuses-account", "refuses-subtree"]),
            "open",
            "What its owner may not do there (status 425).",
        ),
    ],
};
