//! Every key of a scenario file, and of a campaign file, once: its name, the shape of its value, its default, and a sentence about it.
//!
//! The reader, the checks and the JSON Schema all go by these tables, so that they cannot disagree.

mod campaign;
mod capacity;
mod external;
mod failure;
mod load;
mod parties;
mod population;

pub use crate::scenario::keys::campaign::CAMPAIGN;
pub use crate::scenario::keys::failure::ACTION_COMPANIONS;
use crate::workload::journey::Expected;

/// One table of the file.
#[derive(Debug)]
pub struct Section {
    pub about: &'static str,
    pub keys: &'static [Key],
}

impl Section {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub about: &'static str,
    /// As it would stand in the file (strings without quotes); `None` where the value depends on others, or must be
    /// there.
    pub default: Option<&'static str>,
    pub is_required: bool,
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// Any string.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, which another room knows.
    Named(fn() -> Vec<&'static str>),
    /// A whole number within these bounds.
    Integer(i64, i64),
    /// A number within these bounds, whole or not.
    Number(f64, f64),
    /// `true` or `false`.
    YesNo,
    /// A string such as `250ms`; longer than nothing.
    Duration,
    /// A string such as `250ms`, or `0s`.
    DurationOrNone,
    /// A string such as `64KiB`, or a number of bytes, within these bounds.
    Size(u64, u64),
    /// A list of strings.
    Texts,
    /// `true`, `false`, or a list of strings.
    YesOrTexts,
    Table(&'static Section),
    Tables(&'static Section),
    /// A table whose keys are paths of a scenario, as `--set` takes them.
    Paths,
    /// A list of values of one shape.
    List(&'static Shape),
    /// A value of any of these shapes, which differ in their types; and what that comes to in words.
    Either(&'static str, &'static [Shape]),
}

impl Shape {
    /// The keys of its tables, if it has any.
    pub fn section(&self) -> Option<&'static Section> {
        match self {
            Shape::Table(section) | Shape::Tables(section) => Some(section),
            Shape::Either(_, shapes) => shapes.iter().find_map(Shape::section),
            Shape::List(inner) => inner.section(),
            _ => None,
        }
    }

    /// The bounds of its whole numbers, if it can be one.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Shape::Integer(least, most) => Some((*least, *most)),
            Shape::Either(_, shapes) => shapes.iter().find_map(Shape::bounds),
            _ => None,
        }
    }
}

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, default: None, is_required: false }
}

const fn required(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, default: None, is_required: true }
}

const fn with_default(name: &'static str, shape: Shape, default: &'static str, about: &'static str) -> Key {
    Key { name, shape, about, default: Some(default), is_required: false }
}

const PORT: Shape = Shape::Integer(0, 65_535);
const WEIGHT: i64 = 1_000_000;

/// The whole file.
pub static SCENARIO: Section = Section {
    about: "One run of dmswarm: who takes part, what they do, and how fast.",
    keys: &[
        required("name", Shape::Text, "Name of the scenario and of its run folders: letters, digits, `.`, `_`, `-`."),
        key(
            "seed",
            Shape::Integer(0, i64::MAX),
            "All chance in the run comes from it; without one, each run draws its own.",
        ),
        key(
            "limits",
            Shape::List(&LIMIT),
            "What the run has to keep, such as `share(failed) = 0`, which holds without being written.",
        ),
        with_default(
            "connections",
            Shape::Word(&["pooled", "per device", "per session"]),
            "pooled",
            "Whether devices share HTTPS connections, or each keeps its own, or opens its own for each session.",
        ),
        with_default(
            "connections_per_peer",
            Shape::Integer(1, 100_000),
            "64",
            "How many connections each thread opens to one address at most; further requests wait for a free one.",
        ),
        with_default(
            "body_limit",
            Shape::Size(1 << 10, 1 << 30),
            "1MiB",
            "The largest HTTP body a server takes; a larger one is answered with 413.",
        ),
        with_default(
            "message_limit",
            Shape::Size(1 << 10, 1 << 24),
            "64KiB",
            "The largest package a server sends or takes in a management session (MaxMsgSize).",
        ),
        with_default(
            "policy",
            Shape::Word(&["hardened", "literal"]),
            "hardened",
            "How our servers behave where the specification leaves a hazard open: as a careful operator would have it, or as the text says.",
        ),
        with_default(
            "heal",
            Shape::DurationOrNone,
            "2s",
            "How long all is well again before promises are judged, where there are faults or somebody else's parties; faults end with their windows or the last flow.",
        ),
        with_default(
            "watch",
            Shape::Integer(0, u32::MAX as i64),
            "10000",
            "How many devices, the first ones, are watched step by step; of all others only the end is looked at.",
        ),
        key(
            "goals",
            Shape::Tables(&failure::GOAL),
            "What the run is to come by on some device, or it says nothing about what it was made for.",
        ),
        required("population", Shape::Table(&population::POPULATION), "The devices."),
        required("server", Shape::Tables(&parties::SERVER), "The DM servers; any may delegate and be delegated to."),
        key("bootstrap_server", Shape::Tables(&parties::BOOTSTRAP_SERVER), "The bootstrap servers."),
        required("journey", Shape::Tables(&JOURNEY), "What devices go through."),
        required(
            "load",
            Shape::Table(&load::LOAD),
            "When journeys start: `phases`, `at_once`, or several populations.",
        ),
        key("timeouts", Shape::Table(&TIMEOUTS), "How long parties wait."),
        key("health", Shape::Table(&HEALTH), "What this machine may do to a run before the run is INVALID."),
        key("readings", Shape::Table(&READINGS), "Where the specification can be read in two ways: the choices."),
        key(
            "retries",
            Shape::Table(&failure::RETRIES),
            "How often a server tries a POST that brought no answer; where it is left out, the policy decides.",
        ),
        key("fault", Shape::Tables(&failure::FAULT), "What goes wrong, where and when."),
        key("expect", Shape::Table(&failure::EXPECT), "What the author of a race expects of it."),
        key(
            "capacity",
            Shape::Table(&capacity::CAPACITY),
            "How the highest load is searched for that keeps every limit.",
        ),
    ],
};

/// `[[journey]]`.
pub static JOURNEY: Section = Section {
    about: "What a part of the devices goes through, step by step.",
    keys: &[
        key("name", Shape::Text, "For messages; `journey 3` for the third where it is left out."),
        with_default("share", Shape::Integer(1, WEIGHT), "1", "Weight among the journeys."),
        required(
            "steps",
            Shape::Texts,
            "`delegate A -> B by dmacc|url [subtree URI] [full] [started by X] [expect OUTCOME]`, `revoke asked|requested|forced [A -> B] [with notice|without notice] [expect OUTCOME]`, `wait 2s`, `wait until 30s` (after the load began).",
        ),
        key(
            "meanwhile",
            Shape::Texts,
            "What operators do while the steps go on, once something has been seen on the device: `once sent delegation_prepared by home: revoke forced`.",
        ),
        with_default("repeat", Shape::Integer(1, 100_000), "1", "How many times a device goes through the steps."),
        key(
            "bootstrapped",
            Shape::YesOrTexts,
            "Servers that already have an account on the devices; `true`: every delegate.",
        ),
        key("class", Shape::Text, "The class of its devices; every class where it is left out."),
        with_default(
            "expect",
            Shape::Word(&Expected::WORDS),
            "done",
            "How its flows should end where a step does not say otherwise.",
        ),
    ],
};

/// `[timeouts]`.
pub static TIMEOUTS: Section = Section {
    about: "How long parties wait.",
    keys: &[
        with_default("bootstrap", Shape::Duration, "10s", "Delegating server: for BOOTSTRAP_CONFIRMED."),
        with_default("confirmed", Shape::Duration, "10s", "Delegating server: for DELEGATION_CONFIRMED."),
        with_default("termination", Shape::Duration, "10s", "Delegating server: for DELEGATION_TERMINATION_RESP."),
        with_default(
            "prepared",
            Shape::Duration,
            "20s",
            "Delegated server: for the next message of the delegating one.",
        ),
        with_default("revoked", Shape::Duration, "20s", "Delegated server: for DELEGATION_REVOKED."),
        with_default(
            "device",
            Shape::Duration,
            "30s",
            "Delegating server: how long it tries to reach a device that has to be put back or cleaned.",
        ),
        with_default(
            "peer",
            Shape::Duration,
            "30s",
            "Anybody: how long a server tries to tell a peer that a process has ended.",
        ),
        with_default("request", Shape::Duration, "5s", "Anybody: for the answer to one HTTPS request."),
        with_default("session", Shape::Duration, "10s", "A server: for a whole management session with a device."),
        with_default(
            "wind_down",
            Shape::DurationOrNone,
            "0s",
            "Delegated server: how long it takes to end its activities before DELEGATION_TERMINATION_RESP.",
        ),
    ],
};

/// `[readings]`.
pub static LIMIT: Shape = Shape::Either(
    "a limit such as `\"share(failed) = 0\"`, or a table `{ expr = \"...\", abort = true }`",
    &[Shape::Text, Shape::Table(&LIMIT_TABLE)],
);

static LIMIT_TABLE: Section = Section {
    about: "A limit, and what follows when it is not kept.",
    keys: &[
        required(
            "expr",
            Shape::Text,
            "The limit, as it would stand alone: `p99(flow.revoke.asked) < 250ms over steady`.",
        ),
        key(
            "abort",
            Shape::Either("`true`, `false` or a duration", &[Shape::YesNo, Shape::DurationOrNone]),
            "Whether a run that does not keep it ends early: at once, or when so much of what counts is over.",
        ),
        with_default("optional", Shape::YesNo, "false", "Whether it is kept where nothing was measured."),
    ],
};

static HEALTH: Section = Section {
    about: "What this machine may do to a run before the run is INVALID: its figures would be about us.",
    keys: &[
        with_default(
            "lateness",
            Shape::Duration,
            "250ms",
            "How late starts may come after their moments, at the 99th percentile.",
        ),
        with_default(
            "event_loop",
            Shape::Duration,
            "250ms",
            "How late timers of our own threads may fire, at the 99th percentile.",
        ),
    ],
};

static READINGS: Section = Section {
    about: "Where the specification can be read in two ways: the choices.",
    keys: &[
        with_default(
            "no_auto_initial_session",
            Shape::Word(&["name", "spec-note"]),
            "name",
            "The value that keeps a client from connecting: `true`, as the node's name says, or `false`, as the note in 5.2.1.4 says.",
        ),
        with_default(
            "revocation_request_status",
            Shape::Word(&["table", "message"]),
            "table",
            "The status of DELEGATION_REVOCATION_REQ: as table 16 prints it, or as the message is called.",
        ),
        with_default(
            "subtree_in_revocation",
            Shape::Word(&["table", "prose"]),
            "table",
            "Whether DELEGATION_REVOCATION_REQ and the forced DELEGATION_REVOKED name the sub-tree.",
        ),
        with_default(
            "revocation_session",
            Shape::Word(&["fresh", "delegation"]),
            "fresh",
            "The sessionId of a revocation: a new one, or that of the delegation.",
        ),
        with_default(
            "confirm_by_url",
            Shape::Word(&["at-once", "after-visit"]),
            "at-once",
            "When the delegate confirms a delegation by URL: at once, or after another session with the device.",
        ),
        with_default(
            "unconfirmed",
            Shape::Word(&["undo", "let-connect"]),
            "undo",
            "A delegation that is not confirmed in time: undone, or the client first told to connect to the delegate by itself (5.2.1.4).",
        ),
        with_default(
            "session_names",
            Shape::Word(&["own", "shared"]),
            "own",
            "The sessionIds that servers make up: such that they tell whose they are, or such that two servers come to the same.",
        ),
    ],
};
