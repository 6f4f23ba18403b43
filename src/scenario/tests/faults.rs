//! Faults as they are read and printed.

use super::round_trip::{every_key, reads_back};
use super::*;
use crate::delegation::message::Kind;
use crate::facts::pattern::{Pattern, Sought};
use crate::faults::latency::{Distribution, Radio};
use crate::faults::mutation::Mutation;
use crate::faults::rule::*;
use crate::ids::{BootstrapServerNumber, DeviceNumber};

/// Every key of what may go wrong; goes behind the keys of what should happen.
pub const EVERY_FAILURE_KEY: &str = r#"
[retries]
default = "none"
delegation_req = "2 times every 1s"
delegation_resp = "3 times every 1s"
bootstrap_confirmed = "4 times every 1s"
delegation_prepared = "5 times, 100ms doubling to 2s"
delegation_confirmed = "6 times, 100ms doubling to 2s, jitter 50%"
delegation_failure = "7 times every 1s, jitter 100%"
bootstrap_srv_url_req = "8 times every 1s"
bootstrap_srv_url_delivery = "9 times every 1s"
delegation_termination_req = "10 times every 1s"
delegation_termination_ack = "11 times every 1s"
delegation_termination_resp = "12 times every 1s"
delegation_revoked = "13 times every 1s"
revocation_failure = "14 times every 1s"
delegation_revocation_req = "none"
[expect]
literal = ["records_agree", "manageable"]
hardened = []
not_over_https = "it needs a sessionId that is used twice"
[[goals]]
name = "late confirmed"
sees = ["timer confirmed at home then taken delegation_confirmed at home x2", "fault last"]
[[fault]]
name = "everywhere"
where = "http.request"
match = { from = ["home", "third"], to = "partner", direction = "server-to-server", role = "delegating", devices = "7%", class = "phone", message = "delegation_req", session = 2, attempt = "..3", state = "ExpectConfirmed" }
when = { probability = 0.02, every = 3, first = 9, from = "1s", until = "2.5s", after = "step 1", before = "killed partner", budget = 5, budget_per_device = 2, while = "last" }
do = "drop"
[[fault]]
name = "once"
where = "http.response.after_handler"
match = { to = ["apart", "near"], devices = [17, 3, 17], session = "2..", attempt = "2..4" }
when = { nth = 2, from = "3s" }
do = { drop = "reset" }
[[fault]]
name = "kill"
where = "process"
match = { from = "partner", devices = 7, step = "sent delegation_confirmed by partner" }
when = { until = "1m" }
do = { kill = "1s", state = "older" }
[[fault]]
name = "to-devices"
where = "trigger"
match = { from = "home", to = "devices", attempt = "1.." }
do = "twice"
[[fault]]
name = "several"
where = "protocol"
match = { message = ["delegation_req", "delegation_prepared"] }
do = { full = false }
[[fault]]
name = "reset"
where = "tcp"
do = { reset = "request-body" }
[[fault]]
name = "reset-after"
where = "tcp"
do = { reset_after = "100B" }
[[fault]]
name = "stall"
where = "tls"
do = { stall = "2s" }
[[fault]]
name = "slow-close"
where = "tcp"
do = { slow_close = "2s" }
[[fault]]
name = "bandwidth"
where = "tcp"
do = { bandwidth = "1KiB" }
[[fault]]
name = "slice"
where = "tcp"
do = { slice = 7, gap = "5ms" }
[[fault]]
name = "certificate"
where = "tls"
do = { certificate = "expired" }
[[fault]]
name = "duplicate"
where = "http.request"
do = { duplicate = "new-connection" }
[[fault]]
name = "swap"
where = "http.request"
do = { swap = "1s" }
[[fault]]
name = "hold"
where = "http.request"
do = { hold = "timer confirmed at home", at_most = "5s" }
[[fault]]
name = "status"
where = "http.response.before_handler"
do = { status = 503, retry_after = "1s" }
[[fault]]
name = "content-type"
where = "http.response.after_handler"
do = { content_type = "" }
[[fault]]
name = "oversize"
where = "http.response.after_handler"
do = { oversize = "2MiB" }
[[fault]]
name = "xml"
where = "http.request"
do = { xml = "truncated" }
[[fault]]
name = "session"
where = "protocol"
do = { session = "stale" }
[[fault]]
name = "reason"
where = "protocol"
do = { reason = 406 }
[[fault]]
name = "refuse"
where = "http.response.before_handler"
do = { refuse = 405 }
[[fault]]
name = "pause"
where = "process"
match = { from = ["home", "third"], step = "killed partner" }
do = { pause = "1s" }
[[fault]]
name = "offline"
where = "device"
do = { offline = "5s" }
[[fault]]
name = "busy"
where = "device"
do = { busy = "2s" }
[[fault]]
name = "drop-after"
where = "device"
do = { drop_after = 2 }
[[fault]]
name = "delay"
where = "http.request"
do = { delay = "1s" }
[[fault]]
name = "radio"
where = "http.request"
do = { delay = "nb-iot" }
[[fault]]
name = "radio-capped"
where = "http.request"
do = { delay = { radio = "nb-iot", most = "2s" } }
[[fault]]
name = "uniform"
where = "http.request"
do = { delay = { uniform = ["10ms", "50ms"] } }
[[fault]]
name = "normal"
where = "http.request"
do = { delay = { normal = { mean = "10ms", deviation = "3ms" } } }
[[fault]]
name = "lognormal"
where = "http.request"
do = { delay = { most = "3s", lognormal = { median = "10ms", sigma = 0.5 } } }
[[fault]]
name = "exponential"
where = "http.request"
do = { delay = { exponential = { mean = "10ms" } } }
[[fault]]
name = "pareto"
where = "http.request"
do = { delay = { pareto = { least = "10ms", shape = 2 } } }
[[fault]]
name = "table"
where = "http.request"
do = { delay = { table = ["7ms", "1ms"] } }
[[fault]]
name = "last"
where = "store"
match = { from = "home", class = "a" }
do = "fail"
"#;

fn named(name: &str) -> Rule {
    let scenario = read(&every_key()).unwrap();
    scenario.faults.into_iter().find(|rule| rule.name == name).unwrap()
}

#[test]
fn a_fault_says_where_what_when_and_how() {
    let rule = named("everywhere");
    let last = read(&every_key()).unwrap().faults.len() - 1;
    assert_eq!(rule.site, Site::Request);
    let about = Selector {
        from: Some(vec![ServerNumber(0), ServerNumber(2)]),
        to: Some(vec![End::Server(ServerNumber(1))]),
        direction: Some(Direction::ServerToServer),
        role: Some(Role::Delegating),
        devices: Devices::Share(0.07),
        class: Some(0),
        messages: Some(vec![Kind::DelegationReq]),
        session: Some(2..=2),
        attempt: Some(1..=3),
        state: Some("ExpectConfirmed".to_owned()),
        step: None,
    };
    assert_eq!(rule.about, about);
    let when = When {
        probability: 0.02,
        nth: None,
        every: Some(3),
        first: Some(9),
        window: Some((Duration::from_secs(1), Duration::from_millis(2_500))),
        after: Some(Pattern { what: Sought::Step(1), nth: 1 }),
        before: Some(Pattern { what: Sought::Killed(Some(ServerNumber(1))), nth: 1 }),
        budget: Some(5),
        budget_per_device: Some(2),
        fired: Some(last),
    };
    assert_eq!(rule.when, when);
    assert_eq!(rule.action, Action::Drop { breaks: false });
}

#[test]
fn what_is_left_out_is_any_and_always() {
    let rule = named("swap");
    assert_eq!((rule.about, rule.when), (Selector::default(), When::default()));
}

#[test]
fn selectors_take_names_numbers_and_ranges() {
    let rule = named("once");
    let ends = [0, 1].map(|number| End::Bootstrap(BootstrapServerNumber(number)));
    assert_eq!(rule.about.to, Some(ends.to_vec()));
    assert_eq!(rule.about.devices, Devices::These(vec![DeviceNumber(3), DeviceNumber(17)]));
    assert_eq!((rule.about.session, rule.about.attempt), (Some(2..=u32::MAX), Some(2..=4)));
    assert_eq!(rule.when.window, Some((Duration::from_secs(3), Duration::MAX)));
    let rule = named("kill");
    assert_eq!(rule.about.devices, Devices::These(vec![DeviceNumber(7)]));
    assert_eq!(rule.when.window, Some((Duration::ZERO, Duration::from_secs(60))));
    let rule = named("to-devices");
    assert_eq!((rule.about.to, rule.about.attempt), (Some(vec![End::Device]), Some(1..=u32::MAX)));
    assert_eq!(named("several").about.messages, Some(vec![Kind::DelegationReq, Kind::DelegationPrepared]));
}

#[track_caller]
fn does(name: &str, action: Action) {
    assert_eq!(named(name).action, action);
}

#[test]
fn every_action_is_read_with_what_belongs_to_it() {
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    does("once", Action::Drop { breaks: true });
    does("kill", Action::Kill { downtime: s(1), back_with: BackWith::Older });
    does("to-devices", Action::Twice);
    does("several", Action::Full(false));
    does("reset", Action::ResetAt(ExchangePhase::RequestBody));
    does("reset-after", Action::ResetAfter(100));
    does("stall", Action::Stall(s(2)));
    does("slow-close", Action::SlowClose(s(2)));
    does("bandwidth", Action::Bandwidth(1024));
    does("slice", Action::Slice { bytes: 7, gap: ms(5) });
    does("certificate", Action::Certificate(BadCertificate::Expired));
    does("duplicate", Action::Duplicate { on: SameOrNew::New, gap: ms(0) });
    does("swap", Action::Swap(s(1)));
    does("status", Action::Status { status: 503, retry_after: Some(s(1)) });
    does("content-type", Action::ContentType(String::new()));
    does("oversize", Action::Oversize(2 << 20));
    does("xml", Action::Xml(Mutation::Truncated));
    does("session", Action::Session(BadSession::Stale));
    does("reason", Action::Reason(406));
    does("refuse", Action::RefuseWith(405));
    does("pause", Action::Pause(s(1)));
    does("offline", Action::Offline(s(5)));
    does("busy", Action::Busy(s(2)));
    does("drop-after", Action::DropAfter(2));
    does("last", Action::Fail);
    let Action::Hold { until, at_most } = named("hold").action else { panic!("a gate") };
    let server = Some(ServerNumber(0));
    assert!(matches!(until.what, Sought::Timer { at, .. } if at == server));
    assert_eq!(at_most, s(5));
}

#[test]
fn every_distribution_is_read() {
    let ms = Duration::from_millis;
    let capped = |of, most| Distribution::Capped { of: Box::new(of), most };
    does("delay", Action::Delay(Distribution::Constant(ms(1000))));
    does("radio", Action::Delay(Distribution::Radio(Radio::NbIot)));
    does("radio-capped", Action::Delay(capped(Distribution::Radio(Radio::NbIot), ms(2000))));
    does("uniform", Action::Delay(Distribution::Uniform { from: ms(10), to: ms(50) }));
    does("normal", Action::Delay(Distribution::Normal { mean: ms(10), deviation: ms(3) }));
    does("lognormal", Action::Delay(capped(Distribution::LogNormal { median: ms(10), sigma: 0.5 }, ms(3000))));
    does("exponential", Action::Delay(Distribution::Exponential { mean: ms(10) }));
    does("pareto", Action::Delay(Distribution::Pareto { least: ms(10), shape: 2.0 }));
    does("table", Action::Delay(Distribution::Empirical(vec![ms(1), ms(7)])));
}

/// A place for every word that is an action by itself.
const WORDS: [(&str, &str, Action); 14] = [
    ("tcp.connect", "refuse", Action::Refuse),
    ("tcp.connect", "black-hole", Action::BlackHole),
    ("tls", "refuse-resumption", Action::RefuseResumption),
    ("http.request", "drop", Action::Drop { breaks: false }),
    ("http.response.after_handler", "empty-body", Action::EmptyBody),
    ("http.response.after_handler", "close", Action::Close),
    ("protocol", "invert-role", Action::InvertRole),
    ("protocol", "wrong-phase", Action::WrongPhase),
    ("store", "fail", Action::Fail),
    ("trigger", "twice", Action::Twice),
    ("device", "lose-status", Action::LoseStatus),
    ("device", "reboot", Action::Reboot),
    ("device", "factory-reset", Action::FactoryReset),
    ("bootstrap", "stale", Action::Stale),
];

#[test]
fn every_word_is_an_action() {
    for (site, word, action) in WORDS {
        let text = format!("{BASE}[[fault]]\nname = \"x\"\nwhere = \"{site}\"\ndo = \"{word}\"\n");
        assert_eq!(read(&text).unwrap().faults[0].action, action);
        reads_back(&text);
    }
}

#[test]
fn every_word_of_the_faults_is_known_to_the_schema() {
    let fault = &crate::scenario::schema::scenario()["properties"]["fault"]["items"]["properties"];
    let words = |schema: &serde_json::Value| schema["enum"].as_array().map_or(0, Vec::len);
    assert_eq!(words(&fault["where"]), Site::ALL.len());
    assert_eq!(words(&fault["do"]["anyOf"][0]), WORDS.len());
    assert_eq!(words(&fault["do"]["anyOf"][1]["properties"]["xml"]), Mutation::ALL.len());
}

proptest::proptest! {
    /// A share is kept as a fraction, and is printed in percent.
    #[test]
    fn any_share_reads_back(hundredths in 0u32..=10_000, digits in 0usize..6) {
        let percent = format!("{:.digits$}", f64::from(hundredths) / 100.0);
        reads_back(&format!(
            "{BASE}[[fault]]\nname = \"x\"\nwhere = \"http.request\"\nmatch = {{ devices = \"{percent}%\" }}\ndo = \"drop\"\n",
        ));
    }

    #[test]
    fn any_probability_reads_back(probability in 0.0f64..=1.0) {
        reads_back(&format!(
            "{BASE}[[fault]]\nname = \"x\"\nwhere = \"http.request\"\nwhen = {{ probability = {probability} }}\ndo = \"drop\"\n",
        ));
    }
}
