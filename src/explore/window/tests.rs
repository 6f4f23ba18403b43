//! Windows whose outcome follows from the text.

use super::*;
use crate::delegation::flow::Outcome;
use crate::delegation::policy::Policy;
use crate::explore::plan::Plan;
use crate::scenario::QUICKSTART;
use crate::scenario::file::{Overrides, parse};

const FULL: &str = r#"
name = "full"
[population]
devices = 1
[[server]]
name = "home"
id = "dms1.example.test"
[[server]]
name = "partner"
id = "dms2.example.test"
[[journey]]
steps = ["delegate home -> partner by dmacc full expect any"]
[load]
at_once = 1
"#;

fn window(text: &str, policy: Policy, past: &str, moved: &str) -> Result<Window, WindowError> {
    let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
    let scenario = parse("scenario", text, &overrides).expect("a scenario");
    Window::find(&scenario, past, moved)
}

/// What comes 50 ms before, 1 ms before, at the same moment, and 50 ms behind.
fn swept(text: &str, policy: Policy, past: &str, moved: &str) -> Vec<Seen> {
    let window = window(text, policy, past, moved).expect("they meet");
    window.sweep(&[-50, -1, 0, 50]).into_iter().map(|trial| trial.seen).collect()
}

/// How the last flow ended at both ends, and what is broken.
fn last(seen: &Seen) -> (Vec<&'static str>, Vec<&str>) {
    let flow = seen.ending.flows.last().expect("a flow");
    let keys = [&flow.here, &flow.there].map(|outcome| outcome.as_ref().map_or("none", Outcome::key));
    (keys.to_vec(), seen.ending.broken.iter().map(String::as_str).collect())
}

#[test]
fn a_termination_response_is_taken_until_the_timer_has_fired_and_later_changes_nothing() {
    for policy in Policy::ALL {
        let seen = swept(QUICKSTART, policy, "termination timer", "delegation_termination_resp");
        for early in &seen[..2] {
            assert_eq!((early.fate.as_str(), last(early)), ("taken", (vec!["done", "done"], vec![])), "{policy:?}");
        }
        // DMS-1 goes on by itself (D26): right behind its timer the removal is still under way, and 50 ms later it is over.
        assert_eq!((seen[2].fate.as_str(), last(&seen[2])), ("taken", (vec!["done", "done"], vec![])), "{policy:?}");
        assert_eq!((seen[3].fate.starts_with("rejected"), last(&seen[3]).1), (true, vec![]), "{policy:?}");
        assert_eq!(last(&seen[3]).0[0], "done", "{policy:?}");
    }
}

#[test]
fn literally_a_confirmation_behind_the_timer_costs_the_device_and_a_careful_server_undoes() {
    let literal = swept(FULL, Policy::Literal, "timer confirmed at home", "DELEGATION_CONFIRMED");
    for early in &literal[..2] {
        assert_eq!((early.fate.as_str(), last(early)), ("taken", (vec!["done", "done"], vec![])));
    }
    for late in &literal[2..] {
        assert!(late.fate.starts_with("rejected"), "{}", late.fate);
        // It has removed its own account before (5.2.1.5), and cannot go back.
        assert!(late.ending.is_orphaned(), "{late:?}");
    }
    let hardened = swept(FULL, Policy::Hardened, "confirmed timer", "delegation_confirmed");
    assert_eq!(last(&hardened[1]), (vec!["done", "done"], vec![]));
    assert_ne!(last(&hardened[2]).0[0], "done");
    assert_eq!(last(&hardened[2]).1, Vec::<&str>::new());
}

#[test]
fn a_window_comes_to_the_same_each_time() {
    let offsets: Vec<i64> = (-20..=20).step_by(5).collect();
    let sweep = || {
        let window = window(FULL, Policy::Literal, "confirmed timer", "delegation_confirmed").expect("they meet");
        window.sweep(&offsets)
    };
    assert_eq!(sweep(), sweep());
}

#[test]
fn what_is_moved_does_not_come_before_it_has_set_out() {
    let window =
        window(QUICKSTART, Policy::Hardened, "termination timer", "delegation_termination_resp").expect("meet");
    assert_eq!(window.reach, Duration::from_secs(10));
    let wished: Vec<i64> = window.sweep(&[-10_001, -10_000]).iter().map(|trial| trial.wished).collect();
    assert_eq!(wished, [-10_000]);
}

#[test]
fn an_answer_and_a_session_can_be_moved_too() {
    let answer = window(FULL, Policy::Literal, "bootstrap timer", "delegation_resp");
    assert!(matches!(answer, Err(WindowError::NeverMeet { .. })), "home waits for it, and for nothing else");
    // Where the delegate asks, the timer of who has answered runs while the answer is on its way.
    let answer = swept(QUICKSTART, Policy::Literal, "bootstrap timer", "delegation_resp");
    assert_eq!((answer[1].fate.as_str(), last(&answer[1]).0), ("answered with delegation_resp", vec!["done", "done"]));
    assert_eq!(last(&answer[3]).0, ["undone", "too_late"]);
    let session = swept(FULL, Policy::Hardened, "confirmed timer", "session visit of partner");
    assert_eq!((session[0].fate.as_str(), last(&session[0]).0), ("the device comes", vec!["done", "done"]));
    assert_ne!(last(&session[3]).0[0], "done");
}

#[test]
fn what_means_nothing_is_told_with_what_would() {
    let said = |past: &str, moved: &str| {
        let error = window(FULL, Policy::Literal, past, moved).err().expect("no window");
        error.to_string()
    };
    for (past, moved, parts) in [
        ("egg timer", "delegation_confirmed", ["`egg timer` is no event", "expected a timer (bootstrap, confirmed"]),
        ("timer confirmed at hom", "delegation_confirmed", ["found `hom`", "home"]),
        (
            "confirmed timer",
            "delegation_conf",
            ["`delegation_conf` is nothing that can be moved", "by its root element"],
        ),
        ("confirmed timer", "delegation_revoked", ["never sets out", "`request delegation_req of home to partner`"]),
        ("termination timer", "delegation_confirmed", ["`termination timer` is not seen", "`timer confirmed at home`"]),
        ("termination timer", "delegation_req", ["nothing at all happens meanwhile", "move another message"]),
        (
            "termination timer",
            "answer of partner to delegation_prepared of home",
            ["no timer fires meanwhile; what happens meanwhile: `", "Name one of these, or move another message"],
        ),
    ] {
        let said = said(past, moved);
        for part in parts {
            assert!(said.contains(part), "{said}");
        }
    }
}

#[test]
fn a_race_goes_from_the_last_of_the_one_end_to_the_first_of_the_other() {
    assert_eq!(race(&[(-5, 'a'), (0, 'a'), (5, 'a')]), None);
    assert_eq!(race(&[(-5, 'a'), (0, 'b'), (5, 'b')]), Some((-5, 0)));
    assert_eq!(race(&[(-5, 'a'), (0, 'c'), (5, 'a'), (9, 'a')]), Some((-5, 5)));
    assert_eq!(race(&[(-5, 'a'), (-1, 'b'), (1, 'a'), (5, 'b')]), Some((-5, 5)));
    assert_eq!(race::<char>(&[]), None);
}

#[test]
fn what_is_late_is_said_in_words_and_read_again() {
    use crate::explore::wording::Worded;
    let found = window(FULL, Policy::Literal, "timer confirmed at home", "delegation_confirmed").expect("they meet");
    let by = Duration::from_millis(1_500);
    let late = |nth: u32, after: Option<Pattern>, patience: Option<Duration>| Decision {
        what: Event { nth, ..found.moved },
        deed: Deed::Delay(Delay { after, by, patience }),
    };
    let decisions = vec![late(1, None, None), late(2, Some(found.past.clone()), None), late(0, None, Some(by))];
    let plan = Plan { decisions, ..Plan::default() };
    let words = Worded::new(&plan, &found.way.premises);
    let what = "delay request delegation_confirmed of partner to home";
    assert_eq!(
        words.decisions,
        [
            format!("{what} by 1.5s"),
            format!("{what} x2 by 1.5s after timer confirmed at home"),
            format!("{what} each time by 1.5s, given up after 1.5s"),
        ]
    );
    assert_eq!(words.plan(&found.way.premises), Ok(plan));
}
