//! The keys of `[[server]]` and `[[bootstrap_server]]`.

use crate::scenario::keys::{PORT, Section, Shape, external, key, required, with_default};

/// `[[server]]`.
pub static SERVER: Section = Section {
    about: "One DM server.",
    keys: &[
        required("name", Shape::Text, "What steps call it."),
        required("id", Shape::Text, "Its server identifier, as in accounts and access control lists."),
        key(
            "external",
            Shape::Table(&external::SERVER),
            "It is somebody else's, and lives at this address; without this, it is simulated.",
        ),
        key(
            "relayed",
            Shape::Table(&external::RELAYED),
            "It is somebody else's, and others reach it through us: what comes to our `server_port` in its name is passed on.",
        ),
        key("host", Shape::Text, "Its DNS name, the one in its certificate; the id where that is one."),
        with_default("interface", Shape::Text, "/dm_delegation", "Path of the interface for other servers."),
        with_default("dm", Shape::Text, "/dm", "Path for management sessions with devices."),
        with_default("server_port", PORT, "0", "Port for other servers; 0 takes any free one."),
        with_default("device_port", PORT, "0", "Port for devices; 0 takes any free one."),
        with_default(
            "operator_port",
            PORT,
            "0",
            "Port at which `dmswarm serve` lets it be asked to start flows; 0 takes any free one.",
        ),
        with_default(
            "auth",
            Shape::Word(&["md5", "basic", "hmac", "none"]),
            "md5",
            "Credentials between it and devices.",
        ),
        with_default(
            "service_time",
            Shape::DurationOrNone,
            "0s",
            "How long one of its workers is busy with a message of another server; `0s`: no longer than that takes.",
        ),
        with_default(
            "workers",
            Shape::Integer(1, 10_000),
            "1",
            "How many messages it works on at once, with a `service_time`.",
        ),
        with_default("trigger_version", Shape::Integer(11, 12), "11", "Version field of the trigger (package 0)."),
    ],
};

/// `[[bootstrap_server]]`.
pub static BOOTSTRAP_SERVER: Section = Section {
    about: "One bootstrap server: gives devices their account with one DM server.",
    keys: &[
        required("name", Shape::Text, "Its name in reports."),
        required("for", Shape::Text, "The DM server whose accounts it gives out."),
        key(
            "external",
            Shape::Table(&external::BOOTSTRAP_SERVER),
            "It is somebody else's, as its DM server is, and lives at this address.",
        ),
        with_default(
            "at",
            Shape::Word(&["server", "apart"]),
            "server",
            "At the device address of its DM server, or at one of its own.",
        ),
        key("host", Shape::Text, "Its DNS name when apart; `<name>.<host of the server>` where it is left out."),
        key("port", PORT, "Its port when apart; 0, the default, takes any free one."),
        with_default("path", Shape::Text, "/bootstrap", "Path of the bootstrap documents."),
    ],
};
