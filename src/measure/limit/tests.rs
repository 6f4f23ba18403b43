//! Limits read, followed and judged.

use super::*;
use crate::delegation::flow::{FlowKind, Outcome};
use crate::measure::shard::{End, Shard};
use crate::measure::wave::Wave;

const TOOK: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn kind() -> FlowKind {
    FlowKind::all().next().expect("there are flows")
}

const POPULATIONS: [&str; 2] = ["phones", "meters"];
const PHASES: [&str; 3] = ["warm-up", "steady", "cool-down"];

/// The number of the wave of a phase of a population.
fn wave(population: &str, phase: &str) -> Option<usize> {
    let place = |all: &[&str], one| all.iter().position(|known| *known == one);
    Some(place(&POPULATIONS, population)? * PHASES.len() + place(&PHASES, phase)?)
}

fn followed(limit: Limit) -> LimitCourse {
    let phases = |population| PHASES.map(|phase| Wave { population, phase: Some(phase.to_owned()) });
    let waves: Vec<Wave> = (0..POPULATIONS.len()).flat_map(phases).collect();
    LimitCourse::new(limit, &POPULATIONS.map(str::to_owned), &waves)
}

/// A second in which both populations are in this phase.
fn add(course: &mut LimitCourse, phase: &str, records: &Shard) {
    let phases = [(0, phase.to_owned()), (1, phase.to_owned())];
    course.add(&Stretch { records, lasted: SECOND, phases: &phases });
}

/// `done` flows of phones that took 1 ms each from their intended start, half of it from the send, and one more per
/// outcome of `others`, none of them expected. They were to start in `steady`.
fn run(done: u64, others: &[Outcome]) -> Shard {
    run_of("steady", done, others)
}

fn run_of(phase: &str, done: u64, others: &[Outcome]) -> Shard {
    let (mut shard, wave) = (Shard::new(), wave("phones", phase));
    for outcome in std::iter::repeat_n(&Outcome::Done, done as usize).chain(others) {
        shard.flow_started(kind(), "done", wave);
        let as_expected = *outcome == Outcome::Done;
        shard.flow_ended(kind(), &End { outcome, as_expected, response: TOOK, service: TOOK / 2 }, wave);
    }
    shard
}

/// How a run of these seconds, each with its phase, keeps a limit.
fn judged(expr: &str, seconds: &[(&str, &Shard)]) -> LimitResult {
    let mut course = followed(parse(expr).expect("a limit"));
    seconds.iter().for_each(|(phase, records)| add(&mut course, phase, records));
    course.judge()
}

#[track_caller]
fn check(expr: &str, run: &Shard, actual: Option<f64>, passed: bool) {
    let result = judged(expr, &[("steady", run)]);
    assert_eq!((result.actual, result.passed), (actual, passed), "{expr}");
    assert_eq!(result.expr, expr);
}

#[test]
fn limits_hold_or_do_not() {
    let good = run(100, &[]);
    let bad = run(99, &[Outcome::Lost]);
    check("share(failed) = 0", &good, Some(0.0), true);
    check("share(failed) = 0", &bad, Some(0.01), false);
    check("share(failed) < 1%", &bad, Some(0.01), false);
    check("share(failed) <= 1%", &bad, Some(0.01), true);
    check("share(failed) < 1.1%", &bad, Some(0.01), true);
    check("share(lost) = 0", &bad, Some(0.01), false);
    check("share(undone) = 0", &bad, Some(0.0), true);
    check("p99(flow.delegate.dmacc) < 250ms", &good, Some(1.0), true);
    check("p99(flow.delegate.dmacc) < 500us", &good, Some(1.0), false);
    check("p99(flow.delegate.dmacc, service) <= 500us", &good, Some(0.5), true);
    check("p95(flow.delegate.dmacc, response) <= 1ms", &good, Some(1.0), true);
    check("min(flow.delegate.dmacc) >= 1ms", &good, Some(1.0), true);
    check("max(flow.delegate.dmacc) > 1s", &good, Some(1.0), false);
    check("rate(flows) > 99/s", &good, Some(100.0), true);
    check("rate(started) > 5940/min", &bad, Some(100.0), true);
    check("rate(flows) > 99/s", &bad, Some(99.0), false);
    check("count(lost) <= 1", &bad, Some(1.0), true);
    check("count(dropped) = 0", &good, Some(0.0), true);
}

#[test]
fn a_limit_on_what_never_happened_is_not_kept_unless_it_is_optional() {
    check("share(failed) = 0", &Shard::new(), None, false);
    check("p99(session.dms1) < 1h", &run(100, &[]), None, false);
    check("p99(session.dms1) < 1h optional", &run(100, &[]), None, true);
    check("p99(flow.delegate.dmacc) < 1h", &run(99, &[]), None, false);
    check("p99.9(flow.delegate.dmacc) < 1h", &run(999, &[]), None, false);
    check("p999(flow.delegate.dmacc) < 1h", &run(1_000, &[]), Some(1.0), true);
    check("share(failed) = 0 over cool-down", &run(1, &[]), None, false);
    check("rate(flows) < 1/s over cool-down", &run(1, &[]), None, false);
    check("max(flow.delegate.dmacc) < 1us optional", &run(1, &[]), Some(1.0), false);
    let limit = parse("max(session.dms1) < 1us").expect("a limit").made_optional();
    assert_eq!(limit, parse(&limit.to_string()).expect("a limit"));
    assert_eq!(limit, limit.clone().made_optional());
}

#[test]
fn a_flow_that_never_ended_has_failed_when_the_run_is_over() {
    let mut shard = run(3, &[]);
    shard.flow_started(kind(), "done", wave("phones", "steady"));
    check("share(failed) = 0", &shard, Some(0.25), false);
    let limit = parse("share(failed) = 0").expect("a limit").aborting_after(Duration::ZERO);
    let mut course = followed(limit);
    add(&mut course, "steady", &shard);
    assert!(!course.calls_for_abort(), "it may yet end well");
}

#[test]
fn a_limit_over_a_phase_takes_in_that_phase_alone() {
    let good = run(10, &[]);
    let [bad, late] = ["warm-up", "cool-down"].map(|phase| run_of(phase, 9, &[Outcome::Lost]));
    let seconds = [("warm-up", &bad), ("steady", &good), ("steady", &good), ("cool-down", &late)];
    assert_eq!(judged("share(failed) = 0 over steady", &seconds).actual, Some(0.0));
    assert_eq!(judged("share(failed) = 0 over warm-up", &seconds).actual, Some(0.1));
    assert_eq!(judged("rate(flows) > 1/s over steady", &seconds).actual, Some(10.0));
    // 2 of 40.
    assert_eq!(judged("share(failed) = 0", &seconds).actual, Some(0.05));
}

#[test]
fn a_limit_of_a_population_takes_in_its_flows_alone() {
    let mut shard = run(0, &[]);
    for (population, millis) in [("phones", 2), ("meters", 9), ("meters", 9)] {
        let (took, wave) = (Duration::from_millis(millis), wave(population, "steady"));
        shard.flow_started(kind(), "done", wave);
        let end = End { outcome: &Outcome::Done, as_expected: true, response: took, service: took };
        shard.flow_ended(kind(), &end, wave);
    }
    check("max(flow.delegate.dmacc of phones) < 5ms", &shard, Some(2.0), true);
    check("max(flow.delegate.dmacc of meters) < 5ms", &shard, Some(9.0), false);
    check("max(flow.delegate.dmacc) < 5ms", &shard, Some(9.0), false);
    check("count(flows of meters) = 2", &shard, Some(2.0), true);
    check("count(flows of meters) = 2 over steady", &shard, Some(2.0), true);
    check("count(started of meters) = 0 over warm-up", &shard, None, false);
}

#[test]
fn a_flow_is_of_the_phase_that_it_was_to_start_in_however_late_it_ends() {
    let mut started = run(1, &[]);
    let steady = wave("phones", "steady");
    started.flow_started(kind(), "done", steady);
    let mut late = run_of("cool-down", 1, &[]);
    let end = End { outcome: &Outcome::Done, as_expected: true, response: SECOND, service: SECOND };
    late.flow_ended(kind(), &end, steady);
    let seconds = [("steady", &started), ("cool-down", &late)];
    for (expr, actual) in [
        ("max(flow.delegate.dmacc) < 1s over steady", 1_000.0),
        ("max(flow.delegate.dmacc) < 1s over cool-down", 1.0),
        ("count(flows) = 2 over steady", 2.0),
        // Of the one second of `steady`, not of the one in which it ended too.
        ("rate(flows) > 1/s over steady", 2.0),
    ] {
        assert_eq!(judged(expr, &seconds).actual, Some(actual), "{expr}");
    }
}

#[test]
fn a_phase_that_takes_no_time_is_judged_by_its_flows() {
    let mut course = followed(parse("count(flows) = 3 over warm-up").expect("a limit"));
    // What was to start in a storm ends in the phase behind it.
    add(&mut course, "steady", &run_of("warm-up", 3, &[]));
    assert_eq!((course.judge().actual, course.judge().passed), (Some(3.0), true));
}

#[test]
fn a_count_ends_a_run_only_once_it_cannot_come_to_what_it_should() {
    for (expr, ends) in [
        ("count(flows) > 9", [false, false, false]),
        ("count(flows) >= 9", [false, false, false]),
        ("count(flows) = 4", [false, false, true]),
        ("count(flows) < 4", [false, true, true]),
        ("count(flows) <= 4", [false, false, true]),
        // Two flows in a second: not enough at any time.
        ("rate(flows) > 2/s", [true, true, true]),
    ] {
        let mut course = followed(parse(expr).expect("a limit").aborting_after(Duration::ZERO));
        let seen = [(); 3].map(|()| {
            add(&mut course, "steady", &run(2, &[]));
            course.calls_for_abort()
        });
        assert_eq!(seen, ends, "{expr}");
    }
}

#[test]
fn a_limit_says_what_has_to_be_known_beside_its_value() {
    let timed_out = || Outcome::Undone { reason: 408 };
    let with_others = run(100, &[timed_out(), Outcome::Lost]);
    for (expr, run, note) in [
        ("p99(flow.delegate.dmacc) < 1s", &run(99, &[]), Some("99 samples, 100 are needed")),
        ("p99(flow.delegate.dmacc) < 1s", &with_others, Some("without 2 that did not end `done`")),
        ("p99(flow.revoke.asked) < 1s", &with_others, Some("0 samples, 100 are needed")),
        ("p99(flow.delegate.dmacc) < 1s", &run(100, &[]), None),
        ("share(failed) < 5%", &with_others, None),
        (
            "share(failed) < 5% for 2 of 3 windows of 1s",
            &with_others,
            Some("kept by 1 of 1 windows, 2 of any 3 in a row are asked for"),
        ),
        ("share(failed) < 5% for 1 of 1 windows of 1s", &with_others, None),
    ] {
        assert_eq!(judged(expr, &[("steady", run)]).note.as_deref(), note, "{expr}");
    }
}

#[test]
fn a_run_that_was_cut_off_has_not_failed_what_was_under_way() {
    let mut under_way = run(3, &[]);
    under_way.flow_started(kind(), "done", wave("phones", "steady"));
    let mut course = followed(parse(DEFAULT).expect("a limit"));
    add(&mut course, "steady", &under_way);
    assert_eq!((course.judge_cut_off().actual, course.judge_cut_off().passed), (Some(0.0), true));
}

#[test]
fn while_a_run_goes_on_what_is_still_to_come_has_not_failed() {
    let mut under_way = run(3, &[]);
    under_way.flow_started(kind(), "done", wave("phones", "steady"));
    // One of 4 flows has not ended; one window of the two that it takes is over.
    for (expr, at_the_end) in
        [("share(failed) = 0", Some(0.25)), ("share(failed) = 0 for 2 of 2 windows of 1s", Some(0.0))]
    {
        let mut course = followed(parse(expr).expect("a limit"));
        add(&mut course, "steady", &under_way);
        let (so_far, over) = (course.judge_so_far(), course.judge());
        assert_eq!((so_far.actual, so_far.passed), (Some(0.0), true), "{expr}");
        assert_eq!((over.actual, over.passed), (at_the_end, false), "{expr}");
    }
}

#[test]
fn of_any_windows_in_a_row_enough_have_to_keep_a_limit() {
    let (good, bad) = (run(1, &[]), run(0, &[Outcome::Lost]));
    let row = |pattern: &str| {
        let second = |c| ("steady", if c == '+' { &good } else { &bad });
        let seconds: Vec<(&str, &Shard)> = pattern.chars().map(second).collect();
        let result = judged("share(failed) = 0 for 2 of 3 windows of 1s", &seconds);
        (result.passed, result.windows.map(|tally| (tally.kept, tally.seen)))
    };
    assert_eq!(row("+++"), (true, Some((3, 3))));
    assert_eq!(row("+-+-+"), (false, Some((3, 5))), "-+- has one");
    assert_eq!(row("+-++-++"), (true, Some((5, 7))));
    assert_eq!(row("++--++"), (false, Some((4, 6))));
    assert_eq!(row("++"), (false, Some((2, 2))), "there were not three windows");
    // Two seconds make a window: 1 of 2 flows has failed in the first one, none in the second.
    let seconds = [("steady", &good), ("steady", &bad), ("steady", &good), ("steady", &good)];
    let result = judged("share(failed) <= 50% for 2 of 2 windows of 2s", &seconds);
    assert_eq!((result.passed, result.actual), (true, Some(0.5)), "the worst window's");
}

#[test]
fn failed_flows_are_limited_unless_the_scenario_does_so() {
    let texts = |limits: Vec<Limit>| limits.iter().map(Limit::to_string).collect::<Vec<_>>();
    let read = |text: &str| parse(text).expect("a limit");
    assert_eq!(texts(with_default(Vec::new())), [DEFAULT]);
    assert_eq!(texts(with_default(vec![read("share(failed) < 1%")])), ["share(failed) < 1%"]);
    assert_eq!(texts(with_default(vec![read("p50(bootstrap) < 1s")])), ["p50(bootstrap) < 1s", DEFAULT]);
    let of_some = "share(failed of phones) < 1%";
    assert_eq!(texts(with_default(vec![read(of_some)])), [of_some, DEFAULT]);
}

#[test]
fn white_space_is_free() {
    assert_eq!(judged(" share( failed )<0.1 % ", &[("steady", &run(1, &[]))]).limit, 0.001);
    let limit = parse("p99( flow.revoke.asked ,service  of  phones )<1s  over  steady").expect("a limit");
    assert_eq!((limit.population(), limit.phase()), (Some("phones"), Some("steady")));
}

#[test]
fn mistakes_are_shown_where_they_are() {
    // (limit, the part that is meant, what the hint holds)
    for (text, meant, hint) in [
        ("", "", "share(failed) = 0"),
        ("share failed = 0", "share failed = 0", "e.g."),
        ("share(failed)", "share(failed)", "e.g."),
        ("share(failed) <", "share(failed) <", "e.g."),
        ("share(dropped) = 0", "dropped", "failed"),
        ("rate(flow) > 1/s", "flow", "flows, started"),
        ("rate(exchanges of phones) > 1/s", "exchanges", "leave out `of`"),
        ("p99(session.dms1 of phones) > 1s", "session.dms1", "leave out `of`"),
        ("share(failed) ! 0", "!", "one of <"),
        ("share(failed) = none", "none", "e.g."),
        ("share(failed) < 101%", "101%", "e.g."),
        ("rate(flows) > 5", "5", "rate(flows) > 500/s"),
        ("count(flows) > 5.5", "5.5", "count(dropped) = 0"),
        ("q98(bootstrap) < 1s", "q98", "p99.9"),
        ("p0(bootstrap) < 1s", "p0", "p99.9"),
        ("p100(bootstrap) < 1s", "p100", "max"),
        ("p101(bootstrap) < 1s", "p101", "below 100"),
        ("p995(bootstrap) < 1s", "p995", "p99.9"),
        ("p99(flow.delegate.dmac) < 1s", "flow.delegate.dmac", "did you mean `flow.delegate.dmacc`?"),
        ("p99(bootstrap, sent) < 1s", "bootstrap, sent", "`response` or `service`"),
        ("p99(bootstrap) < 250", "250", "e.g."),
        ("p99(bootstrap) < 250ms over", "over", "over steady"),
        ("p99(bootstrap) < 250ms for 3 of 2 windows of 1s", "for 3 of 2 windows of 1s", "at least one of them"),
        ("p99(bootstrap) < 250ms for 1 of 2 windows of 10ms", "for 1 of 2 windows of 10ms", "whole seconds"),
        ("p99(bootstrap) < 250ms optional over steady", "optional over steady", "in this order"),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(&text[error.at.clone()], meant, "{error}");
        assert!(error.hint.contains(hint), "{text}: {}", error.hint);
    }
}

#[test]
fn a_limit_put_on_a_phase_can_be_written_down_and_read_again() {
    for (text, expected) in [
        ("share(failed) = 0", "share(failed) = 0 over steady"),
        ("rate(flows) > 5/s over warm-up", "rate(flows) > 5/s over steady"),
        (
            "p99(session.dms1) < 1s for 3 of 5 windows of 10s",
            "p99(session.dms1) < 1s over steady for 3 of 5 windows of 10s",
        ),
        ("count(rejected) = 0 optional", "count(rejected) = 0 over steady optional"),
    ] {
        let limit = parse(text).expect("a limit").of_phase("steady");
        assert_eq!(limit.to_string(), expected);
        assert_eq!(parse(expected).as_ref(), Ok(&limit));
    }
}
