//! Decisions are the same for whoever asks in whatever order, and exact where exactness is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::delegation::machine::Timer;
use crate::facts::What;
use crate::facts::pattern::{Pattern, Sought};
use crate::faults::rule::{BackWith, Selector, When};
use crate::ids::BootstrapServerNumber;

const SEED: Seed = Seed(7);
const DEVICES: u32 = 1000;
const HOME: ServerNumber = ServerNumber(0);
const PARTNER: ServerNumber = ServerNumber(1);

fn rule(name: &str, about: Selector, when: When) -> Rule {
    Rule { name: name.to_owned(), site: Site::Request, about, when, action: Action::Drop { breaks: false } }
}

/// Faults for devices of whose classes nothing is known.
fn faults_of(seed: Seed, rules: Vec<Rule>, devices: u32) -> Faults {
    Faults::new(seed, rules, devices, &|_| None)
}

fn passage(device: u32) -> Passage<'static> {
    Passage {
        direction: Direction::ServerToServer,
        from: End::Server(HOME),
        to: End::Server(PARTNER),
        device: DeviceNumber(device),
        class: 0,
        role: Some(Role::Delegating),
        message: Some(Kind::DelegationPrepared),
        session: "s".into(),
        nth_session: 1,
        attempt: 1,
        state: "ExpectConfirmed",
        now: Moment::ZERO,
    }
}

fn fires(faults: &Faults, passage: &Passage<'_>) -> bool {
    !faults.judge(&[Site::Request], passage, &[]).is_empty()
}

/// Every device's two messages in three attempts.
fn passages() -> Vec<Passage<'static>> {
    let kinds = [Kind::DelegationPrepared, Kind::DelegationRevoked];
    let each = |device| kinds.into_iter().flat_map(move |kind| (1..=3).map(move |attempt| (device, kind, attempt)));
    let passages = (0..DEVICES).flat_map(each);
    passages.map(|(device, kind, attempt)| Passage { message: Some(kind), attempt, ..passage(device) }).collect()
}

fn random_rules() -> Vec<Rule> {
    let share = Selector { devices: Devices::Share(0.5), ..Selector::default() };
    vec![
        rule("often", Selector::default(), When { probability: 0.3, ..When::default() }),
        rule("shared", share, When { probability: 0.8, ..When::default() }),
        rule("funded", Selector::default(), When { budget: Some(100), probability: 0.5, ..When::default() }),
    ]
}

/// What fires on every passage, by the names of the rules, with what they draw.
type Decisions = BTreeMap<usize, Vec<(String, u64)>>;

fn decide(faults: &Faults, places: impl Iterator<Item = usize>, passages: &[Passage<'_>]) -> Decisions {
    let decide = |at: usize| {
        let verdicts = faults.judge(&[Site::Request], &passages[at], &[]);
        (at, verdicts.iter().map(|verdict| (faults.rules()[verdict.rule].name.clone(), verdict.draw)).collect())
    };
    places.map(decide).collect()
}

#[test]
fn the_same_seed_decides_the_same_in_any_order_and_on_any_thread() {
    let passages = passages();
    let forwards = decide(&faults_of(SEED, random_rules(), DEVICES), 0..passages.len(), &passages);
    let backwards = decide(&faults_of(SEED, random_rules(), DEVICES), (0..passages.len()).rev(), &passages);
    assert_eq!(forwards, backwards);

    let shared = faults_of(SEED, random_rules(), DEVICES);
    let decided = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|first| {
                scope.spawn({
                    let (shared, passages) = (&shared, &passages);
                    move || decide(shared, (first..passages.len()).step_by(4), passages)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect::<Decisions>()
    });
    assert_eq!(forwards, decided);
    let injected: u64 = shared.counts().iter().map(|count| count.injected).sum();
    assert_eq!(injected, forwards.values().map(|verdicts| verdicts.len() as u64).sum::<u64>());

    let other_seed = decide(&faults_of(Seed(8), random_rules(), DEVICES), 0..passages.len(), &passages);
    assert_ne!(forwards, other_seed);
}

#[test]
fn a_rule_that_is_taken_out_shifts_nothing() {
    let passages = passages();
    let mut all = decide(&faults_of(SEED, random_rules(), DEVICES), 0..passages.len(), &passages);
    for verdicts in all.values_mut() {
        verdicts.retain(|(name, _)| name != "often");
    }
    let fewer = random_rules().split_off(1);
    assert_eq!(decide(&faults_of(SEED, fewer, DEVICES), 0..passages.len(), &passages), all);
}

#[test]
fn every_part_of_what_passes_counts_and_nothing_else_does() {
    let faults = faults_of(SEED, vec![rule("always", Selector::default(), When::default())], DEVICES);
    let draw = |passage: Passage<'_>| faults.judge(&[Site::Request], &passage, &[])[0].draw;
    let others = [
        draw(passage(1)),
        draw(passage(2)),
        draw(Passage { session: "t".into(), ..passage(1) }),
        draw(Passage { message: Some(Kind::DelegationFailure), ..passage(1) }),
        draw(Passage { direction: Direction::DeviceToServer, ..passage(1) }),
        draw(Passage { from: End::Server(PARTNER), ..passage(1) }),
        draw(Passage { to: End::Server(HOME), ..passage(1) }),
        draw(Passage { to: End::Bootstrap(BootstrapServerNumber(1)), ..passage(1) }),
        draw(Passage { to: End::Device, ..passage(1) }),
        draw(Passage { attempt: 2, ..passage(1) }),
    ];
    for (at, draw) in others.iter().enumerate() {
        assert!(!others[..at].contains(draw), "the change of number {at} counts");
    }
    let later = Passage { now: Moment::from_millis(9), state: "AtRest", role: None, ..passage(1) };
    assert_eq!(draw(later), others[0], "not when, nor in which state");
}

/// Checks how many of so many passages fire: a binomial number deviates by sqrt(n p (1 - p)), and five deviations
/// happen less than once in a million.
#[track_caller]
fn check_share(fired: usize, of: usize, share: f64) {
    let (expected, deviation) = (of as f64 * share, (of as f64 * share * (1.0 - share)).sqrt());
    assert!((fired as f64 - expected).abs() <= 5.0 * deviation, "{fired} of {of} is not {share}, seed {SEED:?}");
}

#[test]
fn probabilities_and_shares_are_kept() {
    let passages = passages();
    let often = faults_of(SEED, vec![random_rules().remove(0)], DEVICES);
    check_share(passages.iter().filter(|passage| fires(&often, passage)).count(), passages.len(), 0.3);

    let share = Selector { devices: Devices::Share(0.05), ..Selector::default() };
    let shared = faults_of(SEED, vec![rule("shared", share, When::default())], DEVICES);
    let hit = |attempt| -> Vec<u32> {
        (0..DEVICES).filter(|device| fires(&shared, &Passage { attempt, ..passage(*device) })).collect()
    };
    check_share(hit(1).len(), DEVICES as usize, 0.05);
    assert_eq!(hit(1), hit(2), "always the same devices");

    let never = When { probability: 0.0, ..When::default() };
    let never = faults_of(SEED, vec![rule("never", Selector::default(), never)], DEVICES);
    assert!(!passages.iter().any(|passage| fires(&never, passage)));
}

/// Checks which of ten occasions on one device in one session fire.
#[track_caller]
fn check_occasions(when: When, expected: &[u32]) {
    let faults = faults_of(SEED, vec![rule("counted", Selector::default(), when.clone())], DEVICES);
    let fired = |session: &'static str, device| -> Vec<u32> {
        (1..=10)
            .filter(|attempt| {
                fires(&faults, &Passage { session: session.into(), attempt: *attempt, ..passage(device) })
            })
            .collect()
    };
    assert_eq!(fired("s", 1), expected, "{when:?}");
    assert_eq!(fired("s", 2), expected, "{when:?} on another device");
    if when.budget_per_device.is_none() {
        assert_eq!(fired("t", 1), expected, "{when:?} in another session");
    } else {
        assert_eq!(fired("t", 1), [] as [u32; 0], "{when:?} is spent");
    }
}

#[test]
fn occasions_are_counted_exactly() {
    let always = When::default;
    check_occasions(When { nth: Some(3), ..always() }, &[3]);
    check_occasions(When { every: Some(4), ..always() }, &[4, 8]);
    check_occasions(When { first: Some(2), ..always() }, &[1, 2]);
    check_occasions(When { every: Some(2), first: Some(5), ..always() }, &[2, 4]);
    check_occasions(When { budget_per_device: Some(2), ..always() }, &[1, 2]);
    check_occasions(When { budget_per_device: Some(2), every: Some(3), ..always() }, &[3, 6]);
    check_occasions(When { nth: Some(0), ..always() }, &[]);
    check_occasions(When { every: Some(0), ..always() }, &[]);
}

#[test]
fn a_budget_goes_to_so_many_devices_whoever_comes_first() {
    let funded_by = |seed, budget, devices: &mut dyn Iterator<Item = u32>| {
        let when = When { budget: Some(budget), ..When::default() };
        let faults = faults_of(seed, vec![rule("funded", Selector::default(), when)], DEVICES);
        let mut hit: Vec<u32> = devices.filter(|device| fires(&faults, &passage(*device))).collect();
        hit.sort_unstable();
        hit
    };
    let funded = |budget, devices: &mut dyn Iterator<Item = u32>| funded_by(SEED, budget, devices);
    let hit = funded(10, &mut (0..DEVICES));
    assert_eq!(hit.len(), 10);
    assert_ne!(hit, funded_by(Seed(8), 10, &mut (0..DEVICES)), "the seed chooses");
    assert_eq!(hit, funded(10, &mut (0..DEVICES).rev()));
    assert!(funded(11, &mut (0..DEVICES)).iter().filter(|device| !hit.contains(device)).count() == 1);
    assert_eq!(funded(0, &mut (0..DEVICES)).len(), 0);
    assert_eq!(funded(2 * DEVICES, &mut (0..DEVICES)).len(), DEVICES as usize);
}

#[test]
fn a_budget_is_spent_on_devices_that_the_selector_can_name() {
    let these = Devices::These(vec![DeviceNumber(900), DeviceNumber(3), DeviceNumber(5)]);
    let about = Selector { devices: these, class: Some(1), ..Selector::default() };
    let when = When { budget: Some(2), ..When::default() };
    // Device 5 is of another class.
    let class_of = |device: DeviceNumber| Some(usize::from(device.0 != 5));
    let faults = Faults::new(SEED, vec![rule("funded", about, when)], DEVICES, &class_of);
    let class = |device| class_of(DeviceNumber(device)).unwrap_or_default();
    let hit: Vec<u32> =
        (0..DEVICES).filter(|device| fires(&faults, &Passage { class: class(*device), ..passage(*device) })).collect();
    assert_eq!(hit, [3, 900]);
}

#[test]
fn budgets_of_a_device_are_not_overspent_by_threads() {
    let when = When { budget_per_device: Some(100), ..When::default() };
    let faults = faults_of(SEED, vec![rule("spent", Selector::default(), when)], DEVICES);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..500).filter(|attempt| fires(&faults, &Passage { attempt: *attempt, ..passage(1) })).count()
            });
        }
    });
    assert_eq!(faults.counts(), [Count { eligible: 100, injected: 100 }]);
}

/// Checks whether a selector lets this passage through.
#[track_caller]
fn check_selector(about: Selector, changed: impl FnOnce(&mut Passage<'static>), is_meant: bool) {
    let mut passage = passage(5);
    changed(&mut passage);
    let faults = faults_of(SEED, vec![rule("selects", about.clone(), When::default())], DEVICES);
    assert_eq!(fires(&faults, &passage), is_meant, "{about:?} of {passage:?}");
}

#[test]
fn selectors_let_through_what_they_name() {
    let any = Selector::default;
    check_selector(any(), |_| {}, true);
    check_selector(any(), |passage| (passage.from, passage.to) = (End::Device, End::Server(HOME)), true);
    let from_home = || Selector { from: Some(vec![HOME]), ..any() };
    check_selector(from_home(), |_| {}, true);
    check_selector(from_home(), |passage| passage.from = End::Server(PARTNER), false);
    check_selector(from_home(), |passage| passage.from = End::Device, false);
    let bootstrap = End::Bootstrap(BootstrapServerNumber(0));
    let to = || Selector { to: Some(vec![End::Server(PARTNER), bootstrap]), ..any() };
    check_selector(to(), |_| {}, true);
    check_selector(to(), |passage| passage.to = bootstrap, true);
    check_selector(to(), |passage| passage.to = End::Server(HOME), false);
    check_selector(Selector { direction: Some(Direction::ServerToServer), ..any() }, |_| {}, true);
    check_selector(Selector { direction: Some(Direction::ServerToDevice), ..any() }, |_| {}, false);
    check_selector(Selector { role: Some(Role::Delegating), ..any() }, |_| {}, true);
    check_selector(Selector { role: Some(Role::Delegated), ..any() }, |_| {}, false);
    check_selector(Selector { role: Some(Role::Delegating), ..any() }, |passage| passage.role = None, false);
    check_selector(Selector { devices: Devices::These(vec![DeviceNumber(5)]), ..any() }, |_| {}, true);
    check_selector(Selector { devices: Devices::These(vec![DeviceNumber(6)]), ..any() }, |_| {}, false);
    check_selector(Selector { devices: Devices::Share(1.0), ..any() }, |_| {}, true);
    check_selector(Selector { devices: Devices::Share(0.0), ..any() }, |_| {}, false);
    check_selector(Selector { class: Some(0), ..any() }, |_| {}, true);
    check_selector(Selector { class: Some(1), ..any() }, |_| {}, false);
    let prepared = || Selector { messages: Some(vec![Kind::DelegationPrepared]), ..any() };
    check_selector(prepared(), |_| {}, true);
    check_selector(prepared(), |passage| passage.message = Some(Kind::DelegationReq), false);
    check_selector(prepared(), |passage| passage.message = None, false);
    check_selector(Selector { session: Some(1..=2), ..any() }, |_| {}, true);
    check_selector(Selector { session: Some(2..=2), ..any() }, |_| {}, false);
    check_selector(Selector { attempt: Some(1..=u32::MAX), ..any() }, |_| {}, true);
    check_selector(Selector { attempt: Some(2..=u32::MAX), ..any() }, |_| {}, false);
    check_selector(Selector { state: Some("ExpectConfirmed".to_owned()), ..any() }, |_| {}, true);
    check_selector(Selector { state: Some("AtRest".to_owned()), ..any() }, |_| {}, false);
}

#[test]
fn on_the_way_back_a_message_is_named_by_what_answers_it_too() {
    let check = |site, named, passing, is_meant: bool| {
        let about = Selector { messages: Some(vec![named]), ..Selector::default() };
        let faults = faults_of(SEED, vec![Rule { site, ..rule("named", about, When::default()) }], DEVICES);
        let found = faults.judge(&[site], &Passage { message: Some(passing), ..passage(1) }, &[]);
        assert_eq!(!found.is_empty(), is_meant, "{site:?} {named} {passing}");
    };
    check(Site::AfterHandler, Kind::DelegationResp, Kind::DelegationReq, true);
    check(Site::AfterHandler, Kind::DelegationReq, Kind::DelegationResp, true);
    check(Site::AfterHandler, Kind::DelegationTerminationAck, Kind::DelegationReq, false);
    check(Site::AfterHandler, Kind::DelegationResp, Kind::DelegationConfirmed, false);
    check(Site::Request, Kind::DelegationResp, Kind::DelegationReq, false);
}

#[test]
fn rules_are_asked_at_their_sites_only_and_answer_in_their_order() {
    let at = |name: &str, site| Rule { site, ..rule(name, Selector::default(), When::default()) };
    let rules = vec![at("third", Site::Tls), at("first", Site::Request), at("second", Site::AfterHandler)];
    let faults = faults_of(SEED, rules, DEVICES);
    let judged = |sites: &[Site]| -> Vec<usize> {
        faults.judge(sites, &passage(1), &[]).iter().map(|verdict| verdict.rule).collect()
    };
    assert_eq!(judged(&[Site::AfterHandler, Site::Request]), [1, 2]);
    assert_eq!(judged(&[Site::Tls]), [0]);
    assert_eq!(judged(&[Site::Tcp, Site::Store]), [] as [usize; 0]);
    assert!(faults.acts_at(&[Site::Tcp, Site::Tls]));
    assert!(!faults.acts_at(&[Site::Tcp, Site::Store]));
}

#[test]
fn packages_of_one_session_are_judged_one_by_one() {
    let half = When { probability: 0.5, ..When::default() };
    let judged = || -> Vec<bool> {
        let faults = faults_of(SEED, vec![rule("half", Selector::default(), half.clone())], DEVICES);
        (0..1000).map(|_| fires(&faults, &Passage { message: None, ..passage(1) })).collect()
    };
    check_share(judged().iter().filter(|fired| **fired).count(), 1000, 0.5);
    assert_eq!(judged(), judged());
}

fn timer_fired() -> Fact {
    Fact { at: Moment::from_millis(5), what: What::TimerFired { at: HOME, timer: Timer::Confirmed } }
}

fn timer(nth: u32) -> Pattern {
    Pattern { what: Sought::Timer { timer: Some(Timer::Confirmed), at: Some(HOME) }, nth }
}

/// Checks whether a rule fires at this moment after these facts.
#[track_caller]
fn check_moment(when: When, millis: u64, seen: &[Fact], is_timely: bool) {
    let faults = faults_of(SEED, vec![rule("timely", Selector::default(), when.clone())], DEVICES);
    let passage = Passage { now: Moment::from_millis(millis), ..passage(1) };
    assert_eq!(!faults.judge(&[Site::Request], &passage, seen).is_empty(), is_timely, "{when:?} at {millis} ms");
    assert_eq!(faults.counts()[0].eligible, u64::from(is_timely), "{when:?} at {millis} ms");
}

#[test]
fn a_rule_waits_for_its_moment() {
    let window = || When { window: Some((Duration::from_millis(10), Duration::from_millis(20))), ..When::default() };
    check_moment(window(), 9, &[], false);
    check_moment(window(), 10, &[], true);
    check_moment(window(), 19, &[], true);
    check_moment(window(), 20, &[], false);
    let after = || When { after: Some(timer(2)), ..When::default() };
    check_moment(after(), 0, &[timer_fired()], false);
    check_moment(after(), 0, &[timer_fired(), timer_fired()], true);
    let before = || When { before: Some(timer(1)), ..When::default() };
    check_moment(before(), 0, &[], true);
    check_moment(before(), 0, &[timer_fired()], false);
    let fired = || When { fired: Some(3), ..When::default() };
    let fault = |rule| Fact { at: Moment::ZERO, what: What::Fault { rule } };
    check_moment(fired(), 0, &[fault(2)], false);
    check_moment(fired(), 0, &[fault(3), timer_fired()], true);
    assert!(rule("window", Selector::default(), window()).is_order_dependent());
    assert!(rule("fired", Selector::default(), fired()).is_order_dependent());
    assert!(!rule("after", Selector::default(), after()).is_order_dependent());
}

#[test]
fn faults_are_over_once_the_last_window_has_closed_and_what_lasts_has_lasted() {
    let until = |ms| When { window: Some((Duration::ZERO, Duration::from_millis(ms))), ..When::default() };
    let lost = |when| rule("lost", Selector::default(), when);
    let pause = |ms, when| Rule { action: Action::Pause(Duration::from_millis(ms)), ..lost(when) };
    let over = |rules: Vec<Rule>| faults_of(SEED, rules, DEVICES).over_at();
    assert_eq!(over(Vec::new()), Moment::ZERO);
    assert_eq!(over(vec![lost(until(20)), lost(until(10))]), Moment::from_millis(20));
    assert_eq!(over(vec![lost(until(20)), pause(15, until(10)), pause(5, until(1))]), Moment::from_millis(40));
    assert_eq!(over(vec![lost(until(20)), lost(When::default())]), Moment::NEVER);
    assert_eq!(faults_of(SEED, vec![pause(15, until(10))], DEVICES).lasting(), Duration::from_millis(15));
}

#[test]
fn nothing_fires_or_counts_once_all_is_healed() {
    let faults = faults_of(SEED, vec![rule("lost", Selector::default(), When::default())], DEVICES);
    assert!(fires(&faults, &passage(1)) && !faults.is_healed());
    faults.heal();
    assert!(!fires(&faults, &passage(1)) && faults.is_healed());
    assert_eq!(faults.counts(), [Count { eligible: 1, injected: 1 }]);
}

#[test]
fn what_could_fire_is_counted_apart_from_what_did() {
    let about = Selector { attempt: Some(1..=1), ..Selector::default() };
    let rules = vec![
        rule("half", about, When { probability: 0.5, ..When::default() }),
        rule("second", Selector::default(), When { nth: Some(2), ..When::default() }),
        rule("elsewhere", Selector { class: Some(9), ..Selector::default() }, When::default()),
    ];
    let faults = faults_of(SEED, rules, DEVICES);
    let passages = passages();
    let fired = passages.iter().filter(|passage| fires(&faults, passage)).count();
    assert!(fired > DEVICES as usize, "two rules fire, and seldom both");
    let counts = faults.counts();
    // Two messages of each device at their first attempt.
    assert_eq!(counts[0].eligible, u64::from(2 * DEVICES));
    check_share(counts[0].injected as usize, 2 * DEVICES as usize, 0.5);
    let each = u64::from(DEVICES);
    assert_eq!(counts[1..], [Count { eligible: each, injected: each }, Count::default()]);
}

#[test]
fn a_server_is_killed_at_its_step_and_at_no_other() {
    let kill = Action::Kill { downtime: Duration::from_secs(1), back_with: BackWith::Durable };
    let about = Selector { step: Some(timer(2)), from: Some(vec![HOME]), ..Selector::default() };
    let at_step = Rule { site: Site::Process, action: kill, ..rule("killed", about.clone(), When::default()) };
    let other = Fact { at: Moment::ZERO, what: What::FactoryReset };
    let faults = faults_of(SEED, vec![at_step], DEVICES);
    let killed = |at, seen: &[Fact]| !faults.judge_step(at, DeviceNumber(1), seen).is_empty();
    assert!(!killed(HOME, &[]));
    assert!(!killed(HOME, &[timer_fired()]));
    assert!(!killed(PARTNER, &[timer_fired(), timer_fired()]));
    assert!(killed(HOME, &[timer_fired(), other.clone(), timer_fired()]));
    assert!(!killed(HOME, &[timer_fired(), timer_fired(), other]));
    assert!(!killed(HOME, &[timer_fired(), timer_fired(), timer_fired()]));
    assert_eq!(faults.counts(), [Count { eligible: 1, injected: 1 }]);
    // A rule that acts at a step is not asked about what passes.
    assert!(faults.judge(&[Site::Process], &passage(1), &[timer_fired(), timer_fired()]).is_empty());
}

#[test]
fn keys_that_mean_nothing_at_a_site_are_named() {
    let about = Selector { class: Some(1), attempt: Some(1..=1), step: Some(timer(1)), ..Selector::default() };
    let at = |site| Rule { site, ..rule("at", about.clone(), When::default()) };
    assert_eq!(at(Site::Process).meaningless(), ["class", "attempt"]);
    assert_eq!(at(Site::Request).meaningless(), ["step"]);
    assert!(at(Site::Store).is_at_step() && !at(Site::Request).is_at_step());
}
