//! Every action at every site where it may stand, with what is to be seen of it.

use dmswarm::facts::What;

use super::{Case, case};
use crate::stage::{FETCHED, HOME, PARTNER, Seen};

const PREPARED: &str = r#"message = "delegation_prepared", from = "home", attempt = 1"#;
const REQUEST: &str = r#"message = "delegation_req", from = "home", attempt = 1"#;
const CONFIRMED: &str = r#"message = "delegation_confirmed", from = "partner", attempt = 1"#;
const BOOTSTRAPPED: &str = r#"message = "bootstrap_confirmed", from = "partner", attempt = 1"#;
const TO_HOME: &str = r#"direction = "device-to-server", to = "home", session = 1"#;
const FETCH: &str = r#"direction = "device-to-bootstrap""#;
/// At `device`.
const OPENS: &str = r#"to = "home", session = 1"#;

const DONE: &str = "settled done at home as delegating x2";
/// The first try of DELEGATION_PREPARED never arrives, the second does.
const LOST: &[&str] = &[
    "fault f then sent delegation_prepared by home then unanswered delegation_prepared at home then taken \
     delegation_prepared at partner then answered delegation_prepared at home",
    DONE,
];
const NOT_TWICE: &[&str] = &["repeated delegation_prepared at partner"];
/// It arrives, its answer does not; the second try is a copy.
const ANSWER_LOST: &[&str] = &[
    "fault f then taken delegation_req at partner then unanswered delegation_req at home then repeated \
     delegation_req at partner then answered delegation_req at home",
    DONE,
];
/// Its first try is turned down unread, its second taken.
const TURNED_DOWN: &[&str] = &[
    "fault f then turned down delegation_prepared at home then taken delegation_prepared at partner then answered \
     delegation_prepared at home",
    DONE,
];
/// It is turned down for good, and what was done is undone.
const UNDONE: &[&str] =
    &["fault f then turned down delegation_prepared at home then settled misbehaved at home as delegating"];
const NEVER_TAKEN: &[&str] = &["taken delegation_prepared at partner"];
/// It only takes longer.
const FINE: &[&str] = &["fault f then answered delegation_prepared at home", DONE];
pub const NO_RETRY: &[&str] =
    &["unanswered any at home", "unanswered any at partner", "sent delegation_prepared by home x2"];

pub const CASES: &[Case] = &[
    // Connections.
    case("tcp.connect", PREPARED, r#""refuse""#, LOST).never(NOT_TWICE),
    case("tcp.connect", PREPARED, r#""black-hole""#, LOST).never(NOT_TWICE).gap(
        "fault f",
        "unanswered delegation_prepared at home",
        490,
    ),
    case("tcp.connect", PREPARED, r#"{ delay = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "fault f",
        "sent delegation_prepared by home",
        200,
    ),
    case("tcp", PREPARED, r#"{ reset = "handshake" }"#, LOST).never(NOT_TWICE),
    case("tcp", PREPARED, r#"{ reset = "request-head" }"#, LOST).never(NOT_TWICE),
    case("tcp", PREPARED, r#"{ reset = "request-body" }"#, LOST).never(NOT_TWICE),
    case("tcp", REQUEST, r#"{ reset = "response-head" }"#, ANSWER_LOST),
    case("tcp", REQUEST, r#"{ reset = "response-body" }"#, ANSWER_LOST),
    case("tcp", PREPARED, r#"{ reset_after = "100B" }"#, LOST).never(NOT_TWICE),
    case("tcp", PREPARED, r#"{ slow_close = "100ms" }"#, FINE).never(NO_RETRY),
    case("tcp", PREPARED, r#"{ bandwidth = "20KiB" }"#, FINE).never(NO_RETRY).gap(
        "sent delegation_prepared by home",
        "answered delegation_prepared at home",
        100,
    ),
    case("tcp", PREPARED, r#"{ slice = 300, gap = "10ms" }"#, FINE).never(NO_RETRY).gap(
        "sent delegation_prepared by home",
        "answered delegation_prepared at home",
        30,
    ),
    case("tcp", PREPARED, r#"{ stall = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "sent delegation_prepared by home",
        "answered delegation_prepared at home",
        200,
    ),
    case("tls", PREPARED, r#"{ stall = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "sent delegation_prepared by home",
        "taken delegation_prepared at partner",
        200,
    ),
    case("tls", PREPARED, r#"{ certificate = "none" }"#, LOST).never(NOT_TWICE),
    case("tls", PREPARED, r#"{ certificate = "wrong-ca" }"#, LOST).never(NOT_TWICE),
    case("tls", PREPARED, r#"{ certificate = "expired" }"#, LOST).never(NOT_TWICE),
    case("tls", PREPARED, r#"{ certificate = "not-yet-valid" }"#, LOST).never(NOT_TWICE),
    case("tls", PREPARED, r#"{ certificate = "wrong-name" }"#, UNDONE).never(NEVER_TAKEN).counted("not_the_peer"),
    case("tls", PREPARED, r#"{ certificate = "other-server" }"#, UNDONE).never(NEVER_TAKEN),
    case("tls", PREPARED, r#""refuse-resumption""#, FINE).never(NO_RETRY),
    // Requests.
    case("http.request", PREPARED, r#""drop""#, LOST).never(NOT_TWICE).gap(
        "sent delegation_prepared by home",
        "unanswered delegation_prepared at home",
        490,
    ),
    case("http.request", PREPARED, r#"{ drop = "reset" }"#, LOST).never(NOT_TWICE),
    case("http.request", PREPARED, r#"{ delay = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "fault f",
        "sent delegation_prepared by home",
        200,
    ),
    case(
        "http.request",
        BOOTSTRAPPED,
        r#"{ hold = "timer bootstrap at home", at_most = "10s" }"#,
        &["fault f then timer bootstrap at home then sent bootstrap_confirmed by partner"],
    )
    .gap("fault f", "sent bootstrap_confirmed by partner", 1000),
    case(
        "http.request",
        PREPARED,
        r#"{ duplicate = "same-connection", gap = "20ms" }"#,
        &["fault f then taken delegation_prepared at partner then repeated delegation_prepared at partner", DONE],
    )
    .never(NO_RETRY),
    case(
        "http.request",
        PREPARED,
        r#"{ duplicate = "new-connection" }"#,
        &["fault f then taken delegation_prepared at partner then repeated delegation_prepared at partner", DONE],
    )
    .never(NO_RETRY),
    case("http.request", PREPARED, r#"{ swap = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "fault f",
        "sent delegation_prepared by home",
        200,
    ),
    // The next POST to the same peer is the one that calls the delegation off: it comes first.
    case(
        "http.request",
        PREPARED,
        r#"{ swap = "10s" }"#,
        &["fault f then timer confirmed at home then answered delegation_failure at home then sent \
           delegation_prepared by home"],
    ),
    case("http.request", PREPARED, r#""empty-body""#, TURNED_DOWN).never(NOT_TWICE).counted("not_xml"),
    case("http.request", PREPARED, r#"{ content_type = "text/plain" }"#, TURNED_DOWN)
        .never(NOT_TWICE)
        .counted("wrong_content_type"),
    case("http.request", PREPARED, r#"{ oversize = "65KiB" }"#, TURNED_DOWN).never(NOT_TWICE).counted("too_large"),
    case("http.request", PREPARED, r#""close""#, FINE).never(NO_RETRY),
    case("http.request", PREPARED, r#"{ xml = "truncated" }"#, TURNED_DOWN).never(NOT_TWICE).counted("truncated"),
    // Answers.
    case("http.response.before_handler", PREPARED, r#""drop""#, LOST).never(NOT_TWICE).gap(
        "sent delegation_prepared by home",
        "unanswered delegation_prepared at home",
        490,
    ),
    case("http.response.before_handler", PREPARED, r#"{ drop = "reset" }"#, LOST).never(NOT_TWICE),
    case("http.response.before_handler", PREPARED, r#"{ delay = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "sent delegation_prepared by home",
        "taken delegation_prepared at partner",
        200,
    ),
    case("http.response.before_handler", PREPARED, r#"{ hold = "killed home", at_most = "200ms" }"#, FINE)
        .never(NO_RETRY)
        .gap("sent delegation_prepared by home", "taken delegation_prepared at partner", 200),
    case("http.response.before_handler", PREPARED, "{ status = 503, retry_after = \"1s\" }", TURNED_DOWN)
        .never(NOT_TWICE),
    case("http.response.before_handler", PREPARED, "{ refuse = 405 }", UNDONE).never(NEVER_TAKEN),
    case(
        "http.response.before_handler",
        REQUEST,
        "{ refuse = 405 }",
        &["fault f then answered delegation_req at home then settled refused at home as delegating"],
    )
    .never(&["taken delegation_req at partner"]),
    case("http.response.after_handler", REQUEST, r#""drop""#, ANSWER_LOST).gap(
        "sent delegation_req by home",
        "unanswered delegation_req at home",
        490,
    ),
    case("http.response.after_handler", REQUEST, r#"{ drop = "reset" }"#, ANSWER_LOST),
    case("http.response.after_handler", PREPARED, r#"{ delay = "200ms" }"#, FINE).never(NO_RETRY).gap(
        "taken delegation_prepared at partner",
        "answered delegation_prepared at home",
        200,
    ),
    case("http.response.after_handler", PREPARED, r#"{ hold = "killed home", at_most = "200ms" }"#, FINE)
        .never(NO_RETRY)
        .gap("taken delegation_prepared at partner", "answered delegation_prepared at home", 200),
    case(
        "http.response.after_handler",
        REQUEST,
        "{ status = 503 }",
        &[
            "fault f then taken delegation_req at partner then turned down delegation_req at home then repeated \
             delegation_req at partner",
            DONE,
        ],
    ),
    case(
        "http.response.after_handler",
        REQUEST,
        r#""empty-body""#,
        &["fault f then taken delegation_req at partner then settled misbehaved at home as delegating"],
    ),
    case(
        "http.response.after_handler",
        TO_HOME,
        r#"{ content_type = "text/plain" }"#,
        &["fault f then session ends with home"],
    )
    .counted("device_session_broken"),
    case(
        "http.response.after_handler",
        REQUEST,
        r#"{ oversize = "65KiB" }"#,
        &["fault f then taken delegation_req at partner then unanswered delegation_req at home then repeated \
           delegation_req at partner", DONE],
    ),
    case("http.response.after_handler", PREPARED, r#""close""#, FINE).never(NO_RETRY),
    case(
        "http.response.after_handler",
        REQUEST,
        r#"{ xml = "truncated" }"#,
        &["fault f then taken delegation_req at partner then answered delegation_req at home then repeated \
           delegation_req at partner", DONE],
    )
    .counted("truncated"),
    // What is said.
    case("protocol", PREPARED, r#"{ xml = "missing-element" }"#, TURNED_DOWN).never(NOT_TWICE).counted("missing_element"),
    case("protocol", PREPARED, r#"{ session = "unknown" }"#, UNDONE).never(NEVER_TAKEN).counted("unknown_session"),
    case(
        "protocol",
        r#"message = "delegation_prepared", session = 3"#,
        r#"{ session = "stale" }"#,
        &["settled done at home as delegating x2 then fault f then turned down delegation_prepared at home"],
    )
    .on(r#""delegate home -> partner by dmacc subtree ./SCOMO expect any", "revoke asked expect any", "delegate home -> partner by dmacc subtree ./SCOMO expect any""#),
    case("protocol", PREPARED, r#"{ session = "foreign" }"#, &["fault f then sent delegation_prepared by home"])
        .also(2)
        .shows(says_a_session_of_device_2),
    case(
        "protocol",
        PREPARED,
        r#""invert-role""#,
        &["fault f then sent bootstrap_confirmed by home then turned down bootstrap_confirmed at home then settled \
           misbehaved at home as delegating"],
    )
    .never(NEVER_TAKEN),
    case(
        "protocol",
        PREPARED,
        r#""wrong-phase""#,
        &["fault f then sent delegation_revoked by home then turned down delegation_revoked at home"],
    )
    .never(NEVER_TAKEN),
    case(
        "protocol",
        CONFIRMED,
        "{ reason = 406 }",
        &["fault f then taken delegation_confirmed at home then settled undone at home as delegating"],
    ),
    case("protocol", PREPARED, "{ full = true }", &["fault f then sent delegation_prepared by home"])
        .shows(partner_holds_a_full_delegation),
    // A server's store.
    case("store", r#"from = "home""#, r#""fail""#, &["fault f", DONE]).gap(
        "fault f",
        "sent delegation_req by home",
        50,
    ),
    case("store", r#"from = "home""#, r#"{ delay = "100ms" }"#, &["fault f", DONE]).gap(
        "fault f",
        "sent delegation_req by home",
        100,
    ),
    // Package 0.
    case("trigger", r#"from = "home", attempt = 1, session = 1"#, r#""drop""#, &["fault f", DONE]).gap(
        "fault f",
        "session begins with home",
        390,
    ),
    case("trigger", r#"from = "home", role = "delegating", session = 1"#, r#"{ delay = "200ms" }"#, &["fault f", DONE])
        .gap("fault f", "session begins with home", 200),
    case(
        "trigger",
        r#"from = "home", session = 1"#,
        r#"{ hold = "killed home", at_most = "200ms" }"#,
        &["fault f", DONE],
    )
    .gap("fault f", "session begins with home", 200),
    case("trigger", r#"from = "home", session = 1"#, r#""twice""#, &["fault f then session begins with home", DONE])
        .counted("trigger_repeated"),
    // The device.
    case(
        "device",
        OPENS,
        "{ refuse = 405 }",
        &["fault f then operation any by home refused then settled undone at home as delegating"],
    ),
    case("device", OPENS, r#"{ offline = "300ms" }"#, &["fault f then session ends with home then session begins with home"])
        .gap("session ends with home", "session begins with home", 299),
    case("device", OPENS, r#"{ busy = "400ms" }"#, &["fault f", DONE]).gap(
        "errand prepare begins at home",
        "session begins with partner",
        400,
    ),
    case(
        "device",
        OPENS,
        "{ drop_after = 1 }",
        &["fault f then operation any by home accepted then session ends with home"],
    )
    .counted("device_session_broken"),
    case(
        "device",
        OPENS,
        r#""lose-status""#,
        &["fault f then operation any by home accepted then session ends with home"],
    )
    .counted("device_session_broken"),
    case("device", OPENS, r#""reboot""#, &["fault f then session ends with home"]).counted("device_session_broken"),
    case("device", OPENS, r#""factory-reset""#, &["fault f then factory reset then session ends with home"]),
    // The bootstrap server.
    case("bootstrap", FETCH, r#""drop""#, &["fault f then document missed"]).on(FETCHED).gap(
        "fault f",
        "document missed",
        490,
    ),
    case("bootstrap", FETCH, r#"{ drop = "reset" }"#, &["fault f then document missed"]).on(FETCHED),
    case("bootstrap", FETCH, r#"{ delay = "200ms" }"#, &["fault f then document fetched", DONE])
        .on(FETCHED)
        .gap("fault f", "document fetched", 200),
    case("bootstrap", FETCH, "{ status = 503 }", &["fault f then document missed"]).on(FETCHED),
    case("bootstrap", FETCH, r#""empty-body""#, &["fault f then document missed"]).on(FETCHED),
    case("bootstrap", FETCH, r#""stale""#, &["fault f then document fetched then account of partner appears"])
        .on(FETCHED)
        .counted("device_turned_away"),
    // The same connections, when devices are the ones who ask.
    case("tcp.connect", TO_HOME, r#""refuse""#, &["fault f then session ends with home then session begins with home"])
        .counted("device_session_broken"),
    case("tls", TO_HOME, r#"{ certificate = "expired" }"#, &["fault f then session ends with home"])
        .counted("device_session_broken"),
    case("http.response.before_handler", TO_HOME, "{ status = 503 }", &["fault f then session ends with home"])
        .counted("device_session_broken"),
    case("tcp.connect", FETCH, r#""refuse""#, &["fault f then document missed"]).on(FETCHED),
];

fn says_a_session_of_device_2(seen: &Seen) -> bool {
    let names_it = |what: &What| matches!(what, What::Sent { session: Some(name), .. } if name.as_str() == "0-2-1");
    seen.facts[1].iter().any(|fact| names_it(&fact.what))
}

fn partner_holds_a_full_delegation(seen: &Seen) -> bool {
    let full_at = |server, what: &What| matches!(what, What::Moved { at, is_full: true, .. } if *at == server);
    let has = |server| seen.facts[1].iter().any(|fact| full_at(server, &fact.what));
    has(PARTNER) && !has(HOME)
}
