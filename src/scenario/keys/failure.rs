//! The keys of what goes wrong and of what comes of it: retries, faults, goals, expectations.

use crate::delegation::message::Kind;
use crate::faults::latency::Radio;
use crate::faults::mutation::Mutation;
use crate::faults::rule::{BackWith, BadCertificate, BadSession, Direction, ExchangePhase, Role, SameOrNew, Site};
use crate::measure::promise;
use crate::scenario::keys::{Key, Section, Shape, key, required, with_default};

const MANY: i64 = 1_000_000_000;
const PATTERN: Shape = Shape::Text;

/// `[retries]`.
pub static RETRIES: Section = Section {
    about: "How often a server tries a POST that brought no answer: `none`, `4 times, 100ms doubling to 2s, jitter 50%` or `3 times every 1s`; the first time counts.",
    keys: &[
        key("default", Shape::Text, "Every message that is not named; what the policy does where it is left out."),
        retry(Kind::DelegationReq),
        retry(Kind::DelegationResp),
        retry(Kind::BootstrapConfirmed),
        retry(Kind::DelegationPrepared),
        retry(Kind::DelegationConfirmed),
        retry(Kind::DelegationFailure),
        retry(Kind::BootstrapSrvUrlReq),
        retry(Kind::BootstrapSrvUrlDelivery),
        retry(Kind::DelegationTerminationReq),
        retry(Kind::DelegationTerminationAck),
        retry(Kind::DelegationTerminationResp),
        retry(Kind::DelegationRevoked),
        retry(Kind::RevocationFailure),
        retry(Kind::DelegationRevocationReq),
    ],
};

const fn retry(kind: Kind) -> Key {
    key(kind.root(), Shape::Text, "This message; the default where it is left out.")
}

/// `[[goals]]`.
pub static GOAL: Section = Section {
    about: "Facts in a row that the run is to come by.",
    keys: &[
        required("name", Shape::Text, "Its name in the summary."),
        required(
            "sees",
            Shape::Either("a string, or a list of strings", &[Shape::Text, Shape::Texts]),
            "What is to be seen on one device, in this order: `timer confirmed at home then taken delegation_confirmed at home`.",
        ),
    ],
};

/// `[expect]`.
pub static EXPECT: Section = Section {
    about: "What the author expects: the goals are reached, and just these promises are broken.",
    keys: &[
        key("literal", PROMISES, "The promises that are broken with `policy = \"literal\"`."),
        key("hardened", PROMISES, "The promises that are broken with `policy = \"hardened\"`."),
        key("not_over_https", Shape::Text, "Why the case cannot happen over HTTPS; then it is not run."),
    ],
};

const PROMISES: Shape = Shape::List(&Shape::Named(|| promise::names().collect()));

/// `[[fault]]`.
pub static FAULT: Section = Section {
    about: "One thing that goes wrong.",
    keys: &[
        required("name", Shape::Text, "Its name in the summary and in patterns: letters, digits, `.`, `_`, `-`."),
        required("where", Shape::Named(|| Site::ALL.iter().map(|site| site.key()).collect()), "Where it acts."),
        key("match", Shape::Table(&MATCH), "What it is about; what is left out is any."),
        key("when", Shape::Table(&WHEN), "When it fires; always where it is left out."),
        required(
            "do",
            Shape::Either(
                "a word such as `\"drop\"`, or a table such as `{ delay = \"1s\" }`",
                &[Shape::Word(&ACTION_WORDS), Shape::Table(&ACTION)],
            ),
            "What it does.",
        ),
    ],
};

/// `match` of a fault.
static MATCH: Section = Section {
    about: "What a fault is about; what is left out is any.",
    keys: &[
        key("from", ENDS, "The asking server, or several; at `process` and `store` the server itself."),
        key("to", ENDS, "The answering side: servers, bootstrap servers, `device`."),
        key("direction", Shape::Named(|| Direction::ALL.iter().map(|one| one.key()).collect()), "Who asks whom."),
        key(
            "role",
            Shape::Named(|| Role::ALL.iter().map(|role| role.key()).collect()),
            "The part of the asking server in the delegation.",
        ),
        key(
            "devices",
            Shape::Either(
                "a share such as `\"5%\"`, the number of a device, or a list of numbers",
                &[Shape::Integer(0, 9_999_999), Shape::Text, Shape::List(&Shape::Integer(0, 9_999_999))],
            ),
            "A share of the devices, always the same ones for a seed, or devices by number, from 0.",
        ),
        key("class", Shape::Text, "The class of the devices."),
        key(
            "message",
            Shape::Either("the name of a message, or a list of names", &[MESSAGE, Shape::List(&MESSAGE)]),
            "The message that is sent or answered.",
        ),
        key("session", NUMBERS, "The how-manieth process or management session of a device, from 1."),
        key("attempt", NUMBERS, "The how-manieth try of the same request, from 1."),
        key("state", Shape::Text, "What the record of the sender waits for, such as `ExpectConfirmed`."),
        key("step", PATTERN, "At `process` and `store`: the fact at which it happens."),
    ],
};

const ENDS: Shape = Shape::Either("a name, or a list of names", &[Shape::Text, Shape::Texts]);
const MESSAGE: Shape = Shape::Named(|| Kind::ALL.iter().map(|kind| kind.root()).collect());
const NUMBERS: Shape = Shape::Either(
    "a number, or a range such as `\"2..4\"`, `\"2..\"` or `\"..2\"`",
    &[Shape::Integer(1, MANY), Shape::Text],
);

/// `when` of a fault.
static WHEN: Section = Section {
    about: "When a fault fires; what is left out is always.",
    keys: &[
        with_default("probability", Shape::Number(0.0, 1.0), "1", "How likely it is on each occasion, 0 to 1."),
        key("nth", Shape::Integer(1, MANY), "On this occasion only, counted per device and session, from 1."),
        key("every", Shape::Integer(1, MANY), "On each so-manieth occasion, counted per device and session."),
        key("first", Shape::Integer(1, MANY), "On so many occasions only, the first of each device and session."),
        with_default("from", Shape::DurationOrNone, "0s", "Not before so long after the run began."),
        key("until", Shape::Duration, "Not later than so long after the run began."),
        key("after", PATTERN, "Only once this has been seen on the device."),
        key("before", PATTERN, "Only until this has been seen on the device."),
        key("budget", Shape::Integer(0, u32::MAX as i64), "On at most so many devices of the run."),
        key("budget_per_device", Shape::Integer(0, u32::MAX as i64), "At most so often on one device."),
        key("while", Shape::Text, "Only once the fault of this name has fired on the device."),
    ],
};

/// What a fault can do that needs no more than a word.
const ACTION_WORDS: [&str; 14] = [
    "refuse",
    "black-hole",
    "refuse-resumption",
    "drop",
    "empty-body",
    "close",
    "invert-role",
    "wrong-phase",
    "fail",
    "twice",
    "lose-status",
    "reboot",
    "factory-reset",
    "stale",
];

/// The keys of an action that only say more about another one: which.
pub const ACTION_COMPANIONS: [(&str, &[&str]); 4] =
    [("gap", &["slice", "duplicate"]), ("at_most", &["hold"]), ("retry_after", &["status"]), ("state", &["kill"])];

/// `do` of a fault, as a table.
static ACTION: Section = Section {
    about: "What a fault does: one of these, with what belongs to it.",
    keys: &[
        key(
            "reset",
            Shape::Named(|| ExchangePhase::ALL.iter().map(|phase| phase.key()).collect()),
            "The connection is reset while this is under way.",
        ),
        key("reset_after", Shape::Size(0, 1 << 30), "The connection is reset once so many bytes have gone out."),
        key("stall", Shape::Duration, "For so long nothing is read or written."),
        key("slow_close", Shape::Duration, "The connection is not kept, and closed only after so long."),
        key("bandwidth", Shape::Size(1, 1 << 40), "Bytes a second, each way."),
        key("slice", Shape::Integer(1, 1 << 20), "What is written goes out in pieces of so many bytes."),
        with_default("gap", Shape::DurationOrNone, "0s", "The time between two pieces, or before the copy."),
        key(
            "certificate",
            Shape::Named(|| BadCertificate::ALL.iter().map(|certificate| certificate.key()).collect()),
            "The certificate that the asking side shows.",
        ),
        key("drop", Shape::Word(&["reset"]), "It never arrives, and the asking side sees the connection break."),
        key(
            "delay",
            Shape::Either(
                "a duration, a radio network, or a table such as `{ uniform = [\"10ms\", \"50ms\"] }`",
                &[Shape::Text, Shape::Table(&DELAY)],
            ),
            "It comes so much later: `1s`, a radio network such as `nb-iot`, or a distribution.",
        ),
        key(
            "duplicate",
            Shape::Named(|| SameOrNew::ALL.iter().map(|one| one.key()).collect()),
            "It comes twice, on this connection.",
        ),
        key(
            "swap",
            Shape::Duration,
            "It is held until the next one of the sender for the device was answered, at most so long.",
        ),
        key("hold", PATTERN, "A gate: it is held until this has been seen on the device."),
        key("at_most", Shape::Duration, "How long it is held if that is never seen."),
        key("status", Shape::Integer(200, 599), "It is answered with this HTTP status."),
        key("retry_after", Shape::DurationOrNone, "The Retry-After of the answer, in whole seconds."),
        key("content_type", Shape::Text, "Its Content-Type; an empty one is left out."),
        // Each is made up whole in memory, and may be under way for many devices at once.
        key("oversize", Shape::Size(1, 64 << 20), "Blanks are added until it is so long."),
        key(
            "xml",
            Shape::Named(|| Mutation::ALL.iter().map(|mutation| mutation.key()).collect()),
            "How its XML is spoilt.",
        ),
        key(
            "session",
            Shape::Named(|| BadSession::ALL.iter().map(|session| session.key()).collect()),
            "Its sessionId is this one.",
        ),
        key("reason", Shape::Integer(400, 599), "Its reasonCode says no."),
        key("full", Shape::YesNo, "Its isDelegationFull, whatever it should be."),
        key("refuse", Shape::Integer(400, 599), "The peer, or the device, says no with this code."),
        key("kill", Shape::Duration, "The server is gone for so long."),
        with_default(
            "state",
            Shape::Named(|| BackWith::ALL.iter().map(|state| state.key()).collect()),
            "durable",
            "What a killed server comes back with.",
        ),
        key("pause", Shape::Duration, "For so long the server takes nothing."),
        key("offline", Shape::Duration, "For so long the device has no network."),
        key("busy", Shape::Duration, "For so long the device is in a session with somebody else."),
        key("drop_after", Shape::Integer(0, MANY), "The session breaks after so many commands."),
    ],
};

/// `delay`, as a table.
static DELAY: Section = Section {
    about: "Where a delay is drawn from: one of these, and perhaps `most`.",
    keys: &[
        key("uniform", Shape::List(&Shape::DurationOrNone), "The least and the most, all in between alike."),
        key("normal", Shape::Table(&NORMAL), "The bell curve; what would be less than nothing is nothing."),
        key("lognormal", Shape::Table(&LOGNORMAL), "Most are short, and some are long."),
        key("exponential", Shape::Table(&EXPONENTIAL), "As between things that have nothing to do with each other."),
        key("pareto", Shape::Table(&PARETO), "A heavy tail."),
        key("table", Shape::List(&Shape::DurationOrNone), "As measured: each of these is as likely."),
        key(
            "radio",
            Shape::Named(|| Radio::ALL.iter().map(|radio| radio.key()).collect()),
            "One way over this radio network.",
        ),
        key("most", Shape::Duration, "It is never longer than this."),
    ],
};

static NORMAL: Section = Section {
    about: "A normal distribution.",
    keys: &[
        required("mean", Shape::DurationOrNone, "The middle."),
        required("deviation", Shape::DurationOrNone, "The standard deviation."),
    ],
};

static LOGNORMAL: Section = Section {
    about: "A log-normal distribution.",
    keys: &[
        required("median", Shape::Duration, "Half of them are shorter."),
        required("sigma", Shape::Number(0.0, 10.0), "The standard deviation of the logarithm."),
    ],
};

static EXPONENTIAL: Section =
    Section { about: "An exponential distribution.", keys: &[required("mean", Shape::Duration, "The mean.")] };

static PARETO: Section = Section {
    about: "A Pareto distribution.",
    keys: &[
        required("least", Shape::Duration, "None is shorter."),
        required("shape", Shape::Number(0.01, 100.0), "The smaller, the heavier the tail."),
    ],
};
