//! Patterns are read as they are printed, name the facts that they say, and say what is wrong with a text.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::clock::Moment;
use crate::delegation::flow::{Approach, Outcome};
use crate::dm::uri::Uri;
use crate::ids::{BootstrapServerNumber, SessionId};

/// Names that are as awkward as names may be.
struct Fixture;

const SERVERS: [&str; 6] = ["home", "partner", "any", "then", "x2", "the \"third\" one"];
const RULES: [&str; 3] = ["lost", "any", "two words"];

impl Names for Fixture {
    fn server(&self, name: &str) -> Option<ServerNumber> {
        SERVERS.iter().position(|known| *known == name).map(|at| ServerNumber(at as u16))
    }

    fn rule(&self, name: &str) -> Option<usize> {
        RULES.iter().position(|known| *known == name)
    }

    fn server_name(&self, server: ServerNumber) -> String {
        SERVERS[usize::from(server.0)].to_owned()
    }

    fn rule_name(&self, rule: usize) -> String {
        RULES[rule].to_owned()
    }

    fn known(&self) -> Vec<String> {
        SERVERS.iter().chain(&RULES).map(|name| (*name).to_owned()).collect()
    }
}

const HOME: ServerNumber = ServerNumber(0);
const PARTNER: ServerNumber = ServerNumber(1);

fn facts() -> Vec<What> {
    let (at, from, peer) = (HOME, PARTNER, PARTNER);
    let (kind, session, attempt) = (Kind::DelegationPrepared, None, 1);
    let taken = |how| What::Taken { at, from, kind, session: None, how };
    let heard = |answer| What::Heard { at, from, kind, session: None, attempt, answer };
    let operated = |verb, code| What::Operated { by: at, verb, target: "./SCOMO".to_owned(), code };
    let errand = ErrandKind::Prepare;
    vec![
        What::Step { number: 2 },
        What::Wished { at, peer, flow: FlowKind::Revoke(Revocation::Forced { notice: false }) },
        What::Sent { from: at, to: peer, kind, session, attempt },
        taken(Took::New),
        taken(Took::Copy),
        taken(Took::Rejected("unknown_session")),
        heard(Heard::NoContent),
        heard(Heard::Unreadable),
        heard(Heard::TimedOut),
        heard(Heard::Unreachable),
        heard(Heard::Rejected(409)),
        What::TimerFired { at, timer: Timer::Confirmed },
        What::Moved {
            at,
            peer,
            side: Side::Delegating,
            session: SessionId::new("s"),
            subtree: Uri::parse("./SCOMO").expect("it is a URI"),
            is_full: false,
            state: "AtRest",
        },
        What::Joined { at, peer, side: Side::Delegated },
        What::Settled { at, peer, side: Side::Delegating, outcome: Outcome::TooLate { step: "confirmed" } },
        What::ErrandBegan { at, errand },
        What::ErrandEnded { at, errand, failure: None },
        What::ErrandEnded { at, errand, failure: Some(425) },
        What::SessionOpened { with: at },
        What::SessionEnded { with: at, in_order: false },
        operated("Replace", 200),
        operated("Delete", 425),
        What::Account { of: at, is_there: true },
        What::Account { of: at, is_there: false },
        What::Fetched { from: BootstrapServerNumber(0), ok: true },
        What::Fetched { from: BootstrapServerNumber(0), ok: false },
        What::Fault { rule: 0 },
        What::Killed { at },
        What::Restarted { at },
        What::FactoryReset,
    ]
}

/// Checks which of [`facts`] a text names, by their places.
#[track_caller]
fn check(text: &str, places: &[usize]) {
    let pattern = Pattern::parse(text, &Fixture).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let found: Vec<usize> = facts().iter().enumerate().filter(|(_, f)| pattern.matches(f)).map(|(at, _)| at).collect();
    assert_eq!(found, places, "{text}");
    assert_eq!(Pattern::parse(&pattern.print(&Fixture), &Fixture).as_ref(), Ok(&pattern), "{text}");
}

#[test]
fn every_fact_has_words_and_they_name_no_other() {
    check("step 2", &[0]);
    check("step 1", &[]);
    check("wish revoke.forced at home", &[1]);
    check("wish any at home", &[1]);
    check("wish delegate.dmacc.full at home", &[]);
    check("sent delegation_prepared by home", &[2]);
    check("sent delegation_prepared by partner", &[]);
    check("taken delegation_prepared at home", &[3]);
    check("repeated delegation_prepared at home", &[4]);
    check("rejected any at any", &[5]);
    check("received delegation_prepared at home", &[3, 4, 5]);
    check("received delegation_prepared at partner", &[]);
    check("answered delegation_prepared at home", &[6, 7]);
    check("unanswered any at home", &[8, 9]);
    check("turned down delegation_prepared at home", &[10]);
    check("turned down delegation_req at home", &[]);
    check("timer confirmed at home", &[11]);
    check("timer any at home", &[11]);
    check("timer bootstrap at home", &[]);
    check("state AtRest at home", &[12]);
    check("state any at any as delegating", &[12]);
    check("state AtRest at home as delegated", &[]);
    check("state NeverHeardOf at home", &[]);
    check("joined at home", &[13]);
    check("joined at home as delegating", &[]);
    check("settled too_late at home as delegating", &[14]);
    check("settled any at home", &[14]);
    check("settled done at home", &[]);
    check("errand prepare begins at home", &[15]);
    check("errand any ends at home", &[16]);
    check("errand prepare fails at any", &[17]);
    check("session begins with home", &[18]);
    check("session ends with home", &[19]);
    check("operation Replace by home accepted", &[20]);
    check("operation any by home refused", &[21]);
    check("account of home appears", &[22]);
    check("account of any goes", &[23]);
    check("document fetched", &[24]);
    check("document missed", &[25]);
    check("fault lost", &[26]);
    check("fault \"two words\"", &[]);
    check("killed home", &[27]);
    check("restarted any", &[28]);
    check("  factory \t reset ", &[29]);
}

#[test]
fn names_that_are_no_plain_words_go_in_quotes() {
    check("killed \"home\"", &[27]);
    check("killed \"any\"", &[]);
    check("killed \"the \"\"third\"\" one\"", &[]);
    let quoted = Pattern::parse("killed \"the \"\"third\"\" one\"", &Fixture).expect("it is a pattern");
    assert_eq!(quoted.what, Sought::Killed(Some(ServerNumber(5))));
    // A word of the grammar may be a name where a name is due.
    let sequence = Pattern::parse_sequence("killed then then killed x2 x2", &Fixture).expect("they are patterns");
    let killed = |server, nth| Pattern { what: Sought::Killed(Some(ServerNumber(server))), nth };
    assert_eq!(sequence, [killed(3, 1), killed(4, 2)]);
}

#[test]
fn the_nth_time_is_the_nth() {
    let timer = |at| Fact { at: Moment::ZERO, what: What::TimerFired { at, timer: Timer::Confirmed } };
    let facts = [timer(HOME), timer(PARTNER), timer(HOME), timer(HOME)];
    let place = |text| Pattern::parse(text, &Fixture).expect("it is a pattern").seen_in(&facts);
    assert_eq!(place("timer confirmed at home"), Some(1));
    assert_eq!(place("timer confirmed at home x2"), Some(3));
    assert_eq!(place("timer confirmed at any x2"), Some(2));
    assert_eq!(place("timer confirmed at partner x2"), None);
}

/// Checks what is said of a text: the words in which, the part of it that is meant, and one word that may be meant.
#[track_caller]
fn check_error(text: &str, message: &str, part: &str, known: &str) {
    let error = Pattern::parse_sequence(text, &Fixture).expect_err(text);
    assert_eq!(error.message, message, "{text}");
    assert_eq!(&text[error.span.clone()], part, "{text}");
    assert!(known.is_empty() == error.known.is_empty(), "{text}: {:?}", error.known);
    assert!(known.is_empty() || error.known.iter().any(|word| word == known), "{text}: {:?}", error.known);
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    check_error("", "expected a fact, found the end", "", "timer");
    check_error("  timr confirmed", "expected a fact, found `timr`", "timr", "timer");
    check_error("timer confirmd at home", "expected a timer, found `confirmd`", "confirmd", "confirmed");
    check_error("timer confirmed on home", "expected `at`, found `on`", "on", "at");
    check_error("timer confirmed at hoem", "expected the name of a server, found `hoem`", "hoem", "home");
    check_error("timer confirmed at", "expected the name of a server, found the end", "", "partner");
    check_error("timer confirmed at home x0", "expected `x1`, `x2`, `x3` or so on, found `x0`", "x0", "");
    check_error("killed home than killed home", "expected `then`, or the end, found `than`", "than", "then");
    check_error("killed home then", "expected a fact, found the end", "", "killed");
    check_error("fault lots", "expected the name of a fault, found `lots`", "lots", "lost");
    check_error("step 0", "expected a number from 1, found `0`", "0", "");
    check_error("state 7 at home", "expected a state, such as `AtRest`, found `7`", "7", "");
    check_error("turned up any at home", "expected `down`, found `up`", "up", "down");
    check_error("sent DELEGATION_REQ by home", MESSAGE, "DELEGATION_REQ", "delegation_req");
    check_error("killed \"home", "expected a second double quote behind this one, found the end", "\"home", "");
    check_error("\"killed\" home", "expected a fact, found `killed`", "\"killed\"", "killed");
    let two = Pattern::parse("killed home then killed home", &Fixture).expect_err("it is more than one");
    assert_eq!(two.message, "expected the end, or `xN` for the N-th time, found `then`");
}

const MESSAGE: &str = "expected a message by its root element, found `DELEGATION_REQ`";

#[test]
fn faults_are_not_meant_where_servers_are() {
    let error = Pattern::parse("killed hom", &Fixture).expect_err("there is no such server");
    assert!(!error.known.contains(&"lost".to_owned()), "{:?}", error.known);
}

fn any_server() -> impl Strategy<Value = Option<ServerNumber>> {
    proptest::option::of((0..SERVERS.len() as u16).prop_map(ServerNumber))
}

fn any_side() -> impl Strategy<Value = Option<Side>> {
    select(vec![None, Some(Side::Delegating), Some(Side::Delegated)])
}

fn any_of<T: Clone + std::fmt::Debug + 'static>(all: impl IntoIterator<Item = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(select(all.into_iter().collect::<Vec<_>>()))
}

fn any_sought() -> impl Strategy<Value = Sought> {
    let kinds = || any_of(Kind::ALL);
    let receipts = proptest::option::of(select(vec![Receipt::Taken, Receipt::Repeated, Receipt::Rejected]));
    let hearings = select(vec![Hearing::Answered, Hearing::Unanswered, Hearing::TurnedDown]);
    let progress = select(vec![Progress::Begins, Progress::Ends, Progress::Fails]);
    let states = proptest::option::of("[A-Za-z][A-Za-z0-9_]{0,9}");
    prop_oneof![
        (1..99usize).prop_map(Sought::Step),
        (any_of(FlowKind::all()), any_server()).prop_map(|(flow, at)| Sought::Wish { flow, at }),
        (kinds(), any_server()).prop_map(|(message, by)| Sought::Sent { message, by }),
        (receipts, kinds(), any_server()).prop_map(|(how, message, at)| Sought::Received { how, message, at }),
        (hearings, kinds(), any_server()).prop_map(|(how, message, at)| Sought::Heard { how, message, at }),
        (any_of(Timer::ALL), any_server()).prop_map(|(timer, at)| Sought::Timer { timer, at }),
        (states, any_server(), any_side()).prop_map(|(state, at, side)| Sought::State { state, at, side }),
        (any_server(), any_side()).prop_map(|(at, side)| Sought::Joined { at, side }),
        (any_of(Outcome::KEYS), any_server(), any_side()).prop_map(|(outcome, at, side)| Sought::Settled {
            outcome,
            at,
            side
        }),
        (any_of(ErrandKind::ALL), progress, any_server()).prop_map(|(errand, progress, at)| Sought::Errand {
            errand,
            progress,
            at
        }),
        (any::<bool>(), any_server()).prop_map(|(begins, with)| Sought::Session { begins, with }),
        (any_of(VERBS), any_server(), any::<bool>()).prop_map(|(verb, by, accepted)| Sought::Operation {
            verb,
            by,
            accepted
        }),
        (any_server(), any::<bool>()).prop_map(|(of, appears)| Sought::Account { of, appears }),
        any::<bool>().prop_map(|fetched| Sought::Document { fetched }),
        (0..RULES.len()).prop_map(Sought::Fault),
        any_server().prop_map(Sought::Killed),
        any_server().prop_map(Sought::Restarted),
        Just(Sought::FactoryReset),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(
        patterns in proptest::collection::vec(
            (any_sought(), prop_oneof![Just(1), 1..=u32::MAX]).prop_map(|(what, nth)| Pattern { what, nth }),
            1..4,
        ),
    ) {
        let texts: Vec<String> = patterns.iter().map(|pattern| pattern.print(&Fixture)).collect();
        for (text, pattern) in texts.iter().zip(&patterns) {
            prop_assert_eq!(Pattern::parse(text, &Fixture), Ok(pattern.clone()), "{}", text);
        }
        let sequence = texts.join(" then ");
        prop_assert_eq!(Pattern::parse_sequence(&sequence, &Fixture), Ok(patterns), "{}", sequence);
    }

    #[test]
    fn any_text_is_read_or_refused_within_itself(
        text in prop_oneof![
            "\\PC{0,40}",
            "(timer|state|killed|sent|x2|then|any|at|by|home|\"|\u{2003}|é| ){1,12}",
        ],
    ) {
        if let Err(error) = Pattern::parse_sequence(&text, &Fixture) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}: {:?}", text, error);
        }
    }
}

#[test]
fn a_flow_is_named_as_the_summary_names_it() {
    let pattern = Pattern::parse("wish delegate.url.full.by_delegated at partner", &Fixture).expect("it is a pattern");
    let flow = FlowKind::Delegate { approach: Approach::Url, is_full: true, by_delegated: true };
    assert!(pattern.matches(&What::Wished { at: PARTNER, peer: HOME, flow }));
}
