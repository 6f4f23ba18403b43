//! What is read is what was written, and what is no fact says so.

use super::*;
use crate::delegation::flow::Approach;

struct Cast;

impl Names for Cast {
    fn server(&self, name: &str) -> Option<ServerNumber> {
        ["home", "partner"].iter().position(|known| *known == name).map(|number| ServerNumber(number as u16))
    }

    fn rule(&self, name: &str) -> Option<usize> {
        (name == "call-lost").then_some(0)
    }

    fn server_name(&self, server: ServerNumber) -> String {
        ["home", "partner"][usize::from(server.0)].to_owned()
    }

    fn rule_name(&self, _: usize) -> String {
        "call-lost".to_owned()
    }

    fn known(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One of each kind, and of each way that a part of it can be.
fn every_fact() -> Vec<What> {
    let (at, from) = (ServerNumber(0), ServerNumber(1));
    let (peer, to) = (from, from);
    let session = Some(SessionId::new("0-7-1"));
    let kind = Kind::DelegationPrepared;
    let side = Side::Delegated;
    let mut facts = vec![
        What::Step { number: 3 },
        What::Wished { at, peer, flow: FlowKind::Revoke(Revocation::Forced { notice: false }) },
        What::Sent { from: at, to, kind, session: session.clone(), attempt: 2 },
        What::Sent { from: at, to, kind, session: None, attempt: 1 },
        What::Misdirected { from: at, to, kind, session: session.clone() },
        What::Joined { at, peer, side },
        What::TimerFired { at, timer: Timer::WindDown },
        What::ErrandBegan { at, errand: ErrandKind::Visit },
        What::ErrandEnded { at, errand: ErrandKind::Visit, failure: Some(408) },
        What::ErrandEnded { at, errand: ErrandKind::Visit, failure: None },
        What::SessionOpened { with: at },
        What::SessionEnded { with: at, in_order: false },
        What::Operated { by: at, verb: "Replace", target: "./SCOMO?prop=ACL".to_owned(), code: 200 },
        What::Account { of: at, is_there: true },
        What::Fetched { from: BootstrapServerNumber(0), ok: false },
        What::Fault { rule: 0 },
        What::Killed { at },
        What::Restarted { at },
        What::FactoryReset,
    ];
    let approach = Approach::Url;
    let flow = FlowKind::Delegate { approach, is_full: true, by_delegated: true };
    facts.extend(FlowKind::all().chain([flow]).map(|flow| What::Wished { at, peer, flow }));
    let ways = [Took::New, Took::Copy, Took::Rejected("not_in_this_state")];
    facts.extend(ways.map(|how| What::Taken { at, from, kind, session: session.clone(), how }));
    let answers = [
        Heard::Message(Kind::DelegationConfirmed),
        Heard::NoContent,
        Heard::Rejected(409),
        Heard::Unreadable,
        Heard::TimedOut,
        Heard::Unreachable,
    ];
    facts.extend(answers.map(|answer| {
        let session = session.clone();
        What::Heard { at, from, kind, session, attempt: 1, answer }
    }));
    let subtree = Uri::parse("./SCOMO").expect("a sub-tree");
    let session = SessionId::new("0-7-1");
    facts.push(What::Moved { at, peer, side, session, subtree, is_full: false, state: "AtRest" });
    let outcomes = [
        Outcome::Done,
        Outcome::Refused { reason: 1 },
        Outcome::Misbehaved { rule: "no_such_session" },
        Outcome::Unreachable { phase: "connect" },
        Outcome::TooLate { step: "prepared" },
        Outcome::Undone { reason: 2 },
        Outcome::Stranded { reason: 3 },
        Outcome::Lost,
    ];
    facts.extend(outcomes.map(|outcome| What::Settled { at, peer, side, outcome }));
    facts
}

#[test]
fn what_is_read_is_what_was_written() {
    let facts: Vec<Fact> = (0..)
        .zip(every_fact())
        .map(|(number, what)| Fact { at: Moment::from_nanos(number * 1_000_001), what })
        .collect();
    let text = write(&facts, &Cast);
    assert_eq!(text.lines().count(), facts.len(), "a line for each");
    assert_eq!(read(&text, &Cast), Ok(facts));
}

#[test]
fn a_line_that_is_no_fact_says_where_and_what_was_expected() {
    let good = r#"{"at_ns":5,"fact":"killed","at":"home"}"#;
    for (line, part) in [
        ("0.070 s  home  sends", "expected a fact as JSON, found `0.070 s  home  sends`"),
        (r#"{"at_ns":5,"fact":"murdered","at":"home"}"#, "murdered"),
        (r#"{"at_ns":5,"fact":"killed","at":"nobody"}"#, "expected a server of the scenario beside it, found `nobody`"),
        (r#"{"at_ns":5,"fact":"timer_fired","at":"home","timer":"egg"}"#, "expected a timer (bootstrap, confirmed"),
        (r#"{"at_ns":5,"fact":"fault","rule":"egg"}"#, "expected a fault of the scenario beside it, found `egg`"),
    ] {
        let error = read(&format!("{good}\n{line}\n"), &Cast).expect_err(line);
        assert_eq!(error.line, 2);
        assert!(error.to_string().contains(part), "{error}");
    }
}
