//! The facts of a device as a story, a line each: what happened where, and when.

use crate::delegation::evidence;
use crate::facts::pattern::Names;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::{ServerNumber, SessionId};

/// The story of a device: `0.070123 s  home      sends delegation_prepared to partner, session 0-7-1`.
pub fn story(facts: &[Fact], names: &dyn Names) -> String {
    let lines: Vec<(String, String)> = facts.iter().map(|fact| told(&fact.what, names)).collect();
    let width = lines.iter().map(|(place, _)| place.chars().count()).max().unwrap_or_default();
    let mut story = String::new();
    for (fact, (place, line)) in facts.iter().zip(&lines) {
        story.push_str(&format!("{:>11.6} s  {place:<width$}  {line}\n", fact.at.seconds()));
    }
    story
}

/// One fact in words: `home sends delegation_prepared to partner, session 0-7-1`.
pub fn sentence(what: &What, names: &dyn Names) -> String {
    let (place, line) = told(what, names);
    format!("{place} {line}")
}

/// Where a fact is, and what it says.
fn told(what: &What, names: &dyn Names) -> (String, String) {
    let name = |server: &ServerNumber| names.server_name(*server);
    let place = match what {
        What::Operated { .. }
        | What::Account { .. }
        | What::SessionOpened { .. }
        | What::SessionEnded { .. }
        | What::Fetched { .. }
        | What::FactoryReset => "device".to_owned(),
        What::Step { .. } => "journey".to_owned(),
        What::Fault { .. } => "fault".to_owned(),
        other => other.server().map(|server| name(&server)).unwrap_or_default(),
    };
    let said = match what {
        What::Step { number } => format!("step {number}"),
        What::Wished { peer, flow, .. } => format!("its operator wants {flow} with {}", name(peer)),
        What::Sent { to, kind, session, attempt, .. } => {
            let again = if *attempt > 1 { format!(", try {attempt}") } else { String::new() };
            format!("sends {kind} to {}{}{again}", name(to), of(session))
        }
        What::Misdirected { to, kind, session, .. } => {
            format!("sends {kind} to {} in place of another device's{}", name(to), of(session))
        }
        What::Taken { from, kind, session, how, .. } => {
            let how = match how {
                Took::New => "takes",
                Took::Copy => "has had",
                Took::Rejected(why) => {
                    return (place, format!("rejects {kind} of {} ({why}){}", name(from), of(session)));
                }
            };
            format!("{how} {kind} of {}{}", name(from), of(session))
        }
        What::Heard { from, kind, attempt, answer, .. } => {
            let answer = match answer {
                Heard::Message(kind) => format!("is answered with {kind}"),
                Heard::NoContent => "is answered".to_owned(),
                Heard::Rejected(status) => format!("is rejected with {status}"),
                Heard::Unreadable => "is answered with nothing readable".to_owned(),
                Heard::TimedOut => "is not answered in time".to_owned(),
                Heard::Unreachable => "does not get through".to_owned(),
            };
            format!("its {kind} to {} {answer} (try {attempt})", name(from))
        }
        What::TimerFired { timer, .. } => format!("its timer `{}` fires", timer.key()),
        What::Moved { peer, side, subtree, is_full, state, session, .. } => {
            let extent = if *is_full { "full" } else { "partial" };
            format!("now {state} as {side:?} with {} ({subtree}, {extent}, session {session})", name(peer))
        }
        What::Joined { peer, side, .. } => format!("takes part in a flow with {} as {side:?}", name(peer)),
        What::Settled { peer, outcome, .. } => format!("its flow with {} has ended: {outcome}", name(peer)),
        What::ErrandBegan { errand, .. } => format!("wants `{}` done on the device", errand.key()),
        What::ErrandEnded { errand, failure: None, .. } => format!("`{}` has been done", errand.key()),
        What::ErrandEnded { errand, failure: Some(code), .. } => format!("`{}` has failed with {code}", errand.key()),
        What::SessionOpened { with } => format!("opens a session with {}", name(with)),
        What::SessionEnded { with, in_order } => {
            let how = if *in_order { "ends" } else { "breaks off" };
            format!("its session with {} {how}", name(with))
        }
        What::Operated { by, verb, target, code } => format!("{verb} {target} by {}: {code}", name(by)),
        What::Account { of, is_there: true } => format!("now has an account of {}", name(of)),
        What::Account { of, is_there: false } => format!("no longer has an account of {}", name(of)),
        What::Fetched { ok: true, .. } => "has fetched its bootstrap document".to_owned(),
        What::Fetched { ok: false, .. } => "could not fetch its bootstrap document".to_owned(),
        What::Fault { rule } => names.rule_name(*rule),
        What::Killed { .. } => "is killed".to_owned(),
        What::Restarted { .. } => "stands again".to_owned(),
        What::FactoryReset => "is reset to how it left the factory".to_owned(),
    };
    // Sessions have the names that peers have given them.
    (place, evidence::line(&said))
}

fn of(session: &Option<SessionId>) -> String {
    session.as_ref().map_or_else(String::new, |session| format!(", session {session}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::delegation::machine::Timer;
    use crate::delegation::message::Kind;

    struct Cast;

    impl Names for Cast {
        fn server(&self, _: &str) -> Option<ServerNumber> {
            None
        }

        fn rule(&self, _: &str) -> Option<usize> {
            None
        }

        fn server_name(&self, server: ServerNumber) -> String {
            if server.0 == 0 { "home".to_owned() } else { "partner".to_owned() }
        }

        fn rule_name(&self, _: usize) -> String {
            "call-lost".to_owned()
        }

        fn known(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn a_story_says_what_happened_where_and_when() {
        let (at, partner) = (ServerNumber(0), ServerNumber(1));
        let session = Some(SessionId::new("0-7-1"));
        let kind = Kind::DelegationPrepared;
        let sent = What::Sent { from: at, to: partner, kind, session: session.clone(), attempt: 2 };
        let taken = What::Taken { at: partner, from: at, kind, session, how: Took::Copy };
        let facts = [
            (70, sent),
            (71, taken),
            (75, What::Fault { rule: 0 }),
            (2_070, What::TimerFired { at, timer: Timer::Confirmed }),
        ];
        let facts = facts.map(|(ms, what)| Fact { at: Moment::from_millis(ms), what });
        let expected = "   0.070000 s  home     sends delegation_prepared to partner, session 0-7-1, try 2\n   0.071000 s  \
                        partner  has had delegation_prepared of home, session 0-7-1\n   0.075000 s  fault    call-lost\n   \
                        2.070000 s  home     its timer `confirmed` fires\n";
        assert_eq!(story(&facts, &Cast), expected);
    }
}
