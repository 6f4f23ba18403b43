//! A summary as people see it, compared with a stored one, and its parts.

use super::*;
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::ids::DeviceNumber;
use crate::measure::course::{Course, Piece};
use crate::measure::health::{HealthLimits, HostUse};
use crate::measure::limit;
use crate::measure::promise::steps::windows::LongestWindows;
use crate::measure::promise::{Breach, Place, PromiseResult};
use crate::measure::shard::{End, Opening, Split};
use crate::measure::summary::{Ending, FaultRow, Run};
use crate::measure::timeline::Gauges;
use crate::measure::{SessionSide, Shard};
use std::time::Duration;

/// A run in which every kind of flow and message occurs: 120 flows of each kind, of which the last 4 delegations by
/// DMAcc and the last requested revocation do not end `done`.
fn records() -> Shard {
    let mut shard = Shard::new();
    let ms = |ms: u64| Duration::from_millis(ms);
    for (place, kind) in (0_u64..).zip(FlowKind::all()) {
        for number in 0..120 {
            let outcome = match (place, number) {
                (0, 116..118) => Outcome::Undone { reason: 425 },
                (0, 118..120) => Outcome::Undone { reason: 420 },
                (9, 119) => Outcome::Refused { reason: 405 },
                _ => Outcome::Done,
            };
            shard.flow_started(kind, outcome.key(), None);
            let (response, service) = (ms(10 + place + number / 10), ms(9 + place));
            shard.flow_ended(kind, &End { outcome: &outcome, as_expected: true, response, service }, None);
            shard.late(Duration::from_micros(300 + number));
        }
    }
    for (place, kind) in (1_u64..).zip(Kind::ALL) {
        for _ in 0..place * 100 {
            shard.message_sent(kind, None);
            shard.message_answered(kind, None, Duration::from_micros(400 + 10 * place), Duration::from_micros(390));
        }
    }
    for _ in 0..1_700 {
        shard.session_ended(SessionSide::Dms1, true, ms(4), ms(3));
        shard.session_ended(SessionSide::Dms2, true, ms(5), ms(3));
    }
    shard.session_ended(SessionSide::Dms1, false, ms(400), ms(400));
    (0..50).for_each(|_| shard.bootstrap_ended(true, ms(6), ms(6)));
    let took = Duration::from_micros(900);
    (0..8).for_each(|number| {
        let opening = Some(Opening { connect: took, handshake: took, resumed: number > 1 });
        shard.call_answered(&Split { opening, send: took, wait: took, receive: took });
    });
    shard
}

fn kept(name: &'static str, checked: u64, not_observable: u64) -> PromiseResult {
    PromiseResult { name, says: "it holds", checked, broken: 0, not_observable, breaches: Vec::new() }
}

fn summary_of(records: &Shard, promises: &[PromiseResult], ending: Ending) -> Summary {
    summary_with(records, promises, ending, &[], &[], &LongestWindows::default())
}

fn summary_with(
    records: &Shard,
    promises: &[PromiseResult],
    ending: Ending,
    goals: &[(String, u64)],
    faults: &[FaultRow],
    windows: &LongestWindows,
) -> Summary {
    let mut course = Course::new(&limit::with_default(Vec::new()), Vec::new(), Vec::new());
    course.add(&Piece {
        from: Duration::ZERO,
        to: Duration::from_millis(12_345),
        is_load: true,
        records: records.clone(),
        gauges: Gauges::default(),
        phases: Vec::new(),
        injected: Vec::new(),
        ended: Vec::new(),
    });
    Summary::build(&Run {
        scenario: "quickstart",
        seed: 7,
        policy: Policy::Hardened,
        devices: 1_000,
        duration: Duration::from_millis(12_345),
        ending,
        course: &course,
        population_devices: &[1_000],
        promises,
        goals,
        faults,
        windows,
        cut_short: 0,
        ran_out: &[],
        expected: None,
        host: HostUse { cpu_s: 3.9, cores: 2.0, peak_rss_bytes: 84 << 20, ..HostUse::default() },
        health: HealthLimits::DEFAULT,
    })
}

#[test]
fn a_run_fits_a_screen_with_the_verdict_first() {
    let promises = [kept("records_agree", 962, 38), kept("manageable", 1_000, 0), kept("revoked_is_gone", 0, 0)];
    let summary = summary_of(&records(), &promises, Ending::Drained);
    let folder = Path::new("results/quickstart-2026-11-22T11-50-03.123Z-7");
    let report = folder.join("report.html");
    let text = super::summary(&summary, Some(super::Files { folder, report: Some(&report) }), false);
    let stored = include_str!("../../../tests/data/report/quickstart.txt");
    assert_eq!(text, stored, "found:\n{text}");
    assert!(text.lines().count() <= 50, "{} lines", text.lines().count());
    assert!(text.lines().all(|line| line.chars().count() <= 120), "a line is too long");
}

#[test]
fn what_went_wrong_is_named() {
    let mut records = Shard::new();
    let kind = FlowKind::all().next().expect("there are flows");
    records.flow_started(kind, "done", None);
    let outcome = Outcome::TooLate { step: "confirmed" };
    let end = End { outcome: &outcome, as_expected: false, response: Duration::ZERO, service: Duration::ZERO };
    records.flow_ended(kind, &end, None);
    records.rejected("not_xml");
    records.start_dropped();
    records.actor_panicked();
    let at = Place::Device(DeviceNumber(3));
    let breach = Breach { at, promise: "manageable", seen: "no server can manage it".to_owned() };
    let broken = PromiseResult { broken: 2, breaches: vec![breach], ..kept("manageable", 5, 0) };
    let text = super::summary(&summary_of(&records, &[broken], Ending::Drained), None, false);
    for line in [
        "quickstart: BROKEN (a promise was broken)",
        "outcomes  too_late (confirmed) x 1",
        "rejected  not_xml x 1",
        "promise   BROKEN manageable: 2 of 5 checked",
        "          device 3 (urn:imei:004999010000031): no server can manage it",
        "          ... and 1 more",
        "limit     FAILED  share(failed) = 0 (was 100 %)",
        "          1 intended start found no free device and was dropped: add devices or lower the rate",
        "actors    1 panicked, full mailboxes refused 0 messages",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    assert!(!text.contains("results"), "no folder was given");
    assert!(text.contains("too late"), "a column for what occurred");
    assert!(!text.contains("stranded"), "no column for what did not");
}

#[test]
fn what_a_run_was_made_for_is_shown() {
    let fault = |name: &str, eligible, injected| FaultRow {
        name: name.to_owned(),
        eligible,
        injected,
        order_dependent: false,
        first_s: None,
        last_s: None,
    };
    let faults = [fault("prepared-lost", 1_040, 12), fault("slow", 3, 0)];
    let goals = [("timer confirmed at home".to_owned(), 2), ("killed home".to_owned(), 0)];
    let windows = LongestWindows {
        orphan: Duration::from_millis(1_234),
        orphan_device: Some(DeviceNumber(3)),
        orphan_cause: Some("the account of home went at 0.500000s".to_owned()),
        double_owner: Duration::from_millis(20),
        double_owner_device: Some(DeviceNumber(4)),
    };
    let show = |faults: &[FaultRow]| {
        let summary = summary_with(&Shard::new(), &[], Ending::Drained, &goals, faults, &windows);
        super::summary(&summary, None, false)
    };
    let text = show(&faults);
    for line in [
        "faults         eligible  injected",
        "prepared-lost     1,040        12",
        "slow                  3         0",
        "goal      reached 2 times  timer confirmed at home",
        "goal      NEVER REACHED  killed home",
        "windows   in nobody's charge for at most 1234 ms, device 3",
        "          the account of home went at 0.500000s",
        "windows   in two servers' full charge for at most 20.0 ms, device 4",
        "warning   the fault `slow` never fired: 3 occasions",
        "warning   the goal `killed home` was never reached",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    let by_order = FaultRow { order_dependent: true, ..fault("late", 5, 4) };
    let text = show(&[fault("slow", 3, 1), by_order]);
    for line in [
        "faults  eligible  injected  by order",
        "slow           3         1        no",
        "late           5         4       yes",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    let bare = super::summary(&summary_of(&Shard::new(), &[], Ending::Drained), None, false);
    for word in ["faults", "goal", "windows", "warning"] {
        assert!(!bare.contains(word), "{word} where there is none:\n{bare}");
    }
}

#[test]
fn many_promises_with_nothing_to_check_are_broken_into_lines() {
    let promises: Vec<PromiseResult> = crate::measure::promise::names().map(|name| kept(name, 0, 0)).collect();
    let text = super::summary(&summary_of(&Shard::new(), &promises, Ending::Drained), None, false);
    assert!(
        text.contains("          nothing to check for records_agree, accounts_as_recorded, no_phantom,\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

#[test]
fn a_run_that_was_stopped_says_what_had_not_ended_and_what_was_not_checked() {
    let mut records = records();
    let kind = FlowKind::all().next().expect("there are flows");
    records.flow_started(kind, "done", None);
    let text = super::summary(&summary_of(&records, &[], Ending::Interrupted), None, false);
    assert!(text.contains("not ended"), "{text}");
    let unchecked = "promises  not checked: the run was stopped before everybody had come to rest";
    assert!(text.lines().any(|line| line == unchecked), "{text}");
}

#[test]
fn long_lists_are_broken_into_lines() {
    let mut records = Shard::new();
    let reasons = ["device_session_out_of_order", "device_connect_ignored", "not_in_this_state", "unknown_session"];
    reasons.into_iter().for_each(|reason| records.rejected(reason));
    let text = super::summary(&summary_of(&records, &[], Ending::Drained), None, false);
    let expected = "rejected  device_connect_ignored x 1, device_session_out_of_order x 1,\n          \
                    not_in_this_state x 1, unknown_session x 1\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_closed_load_is_never_late() {
    let text = super::summary(&summary_of(&Shard::new(), &[], Ending::Drained), None, false);
    assert!(text.lines().any(|line| line == "health    valid: 0 dropped"), "{text}");
}

#[test]
fn every_verdict_has_its_headline() {
    let all_well = [kept("manageable", 1, 0)];
    for (ending, words) in [
        (Ending::Drained, "quickstart: PASSED"),
        (Ending::Aborted, "quickstart: ABORTED (a limit ended the run early)"),
        (Ending::Unreachable, "quickstart: UNREACHABLE (the target could not be reached, or refused our identity)"),
        (Ending::Interrupted, "quickstart: INTERRUPTED (what was measured until then)"),
    ] {
        let text = super::summary(&summary_of(&records(), &all_well, ending), None, false);
        assert_eq!(text.lines().next(), Some(words));
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let summary = summary_of(&records(), &[kept("manageable", 1, 0)], Ending::Drained);
    let (plain, coloured) = (super::summary(&summary, None, false), super::summary(&summary, None, true));
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[32mPASSED\x1b[0m"));
    let mut stripped = coloured;
    for code in ["\x1b[32m", "\x1b[1;31m", "\x1b[1m", "\x1b[0m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}
