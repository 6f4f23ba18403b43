//! How long a peer takes to recover: after more than it can take, and after many revocations at once.

use std::sync::Arc;
use std::time::Duration;

use crate::campaign::capacity::{Stopped, run_whole};
use crate::campaign::loads::{self, Stretch};
use crate::campaign::recovery::Windows;
use crate::delegation::flow::FlowKind;
use crate::measure::limit::{self, Limit};
use crate::results::capacity::{Effect, Figures, Recovery, RevocationStorm};
use crate::run::{Options, Watch};
use crate::scenario::Scenario;
use crate::scenario::capacity::{CapacitySettings, revokes};
use crate::workload::arrival::{Phase, Shape};
use crate::workload::journey::{Journey, Step};
use crate::workload::plan::{Load, LoadPopulation};
use crate::workload::population::Cohort;

/// By how much an overload is more than the capacity.
const OVERLOAD: f64 = 1.5;

/// An overload, and then half of the capacity. `None` where it would take too many devices.
///
/// # Errors
/// What has stopped it.
pub fn of_overload(
    scenario: &Scenario,
    settings: &CapacitySettings,
    capacity: f64,
    how: (&Options, &Watch),
) -> Result<Option<Recovery>, Stopped> {
    let (overload, back_at) = (OVERLOAD * capacity, capacity / 2.0);
    let mut stretches = vec![Stretch { name: "overload".to_owned(), rate: overload, lasts: settings.each }];
    let windows = Windows::of(scenario, settings, back_at);
    stretches.extend(windows.names().map(|name| Stretch { name, rate: back_at, lasts: windows.each }));
    let Ok(mut under) = loads::stretched(scenario, &stretches) else { return Ok(None) };
    under.limits = windows.limits(scenario);
    let summary = run_whole(&under, how)?.summary;
    Ok(Some(Recovery {
        overload,
        overload_s: settings.each.as_secs_f64(),
        back_at,
        recovered: windows.recovered(scenario, &summary.limits),
        watched_s: windows.lasts().as_secs_f64(),
        figures: Figures::of(&summary),
    }))
}

/// What it calls its devices, and what limits call their only phase.
const STORM: &str = "storm-of-revocations";
const BEFORE: &str = "before";

/// As many revocations as the peer takes devices in a sub-trial, all at one instant, while half of the capacity goes on.
/// `None` where no journey revokes, or it would take too many devices.
///
/// # Errors
/// What has stopped it.
pub fn of_revocations(
    scenario: &Scenario,
    settings: &CapacitySettings,
    capacity: f64,
    how: (&Options, &Watch),
) -> Result<Option<RevocationStorm>, Stopped> {
    let Some(storm) = Storm::of(scenario, settings, capacity) else { return Ok(None) };
    let summary = run_whole(&storm.scenario(scenario, settings), how)?.summary;
    let (own, others) = summary.limits.split_at(storm.own_limits().len());
    let (before, after) = others.split_at(scenario.limits.len());
    let (slowest, failed) = (&own[0], &own[1]);
    let effect = |(at, limit): (usize, &Limit)| {
        let each = after.iter().skip(at).step_by(scenario.limits.len());
        let worse = |one: &f64, other: &f64| {
            limit.margin(*one).unwrap_or(*one).total_cmp(&limit.margin(*other).unwrap_or(*other))
        };
        Effect {
            limit: limit.to_string(),
            unit: before[at].unit,
            before: before[at].actual,
            worst: each.filter_map(|judged| judged.actual).max_by(worse),
        }
    };
    Ok(Some(RevocationStorm {
        devices: storm.devices,
        into: storm.into,
        took_s: slowest.actual.filter(|_| failed.passed).map(|ms| ms / 1e3),
        effects: scenario.limits.iter().enumerate().map(effect).collect(),
        recovered: storm.windows.recovered(scenario, after),
        watched_s: storm.windows.lasts().as_secs_f64(),
        figures: Figures::of(&summary),
    }))
}

/// Devices that are handed over one after the other and wait to be revoked together; then another load begins, and then they
/// are.
struct Storm {
    cohort: Cohort,
    revocation: FlowKind,
    devices: u32,
    /// Handed over in this time.
    given_in: Duration,
    into: f64,
    windows: Windows,
}

impl Storm {
    fn of(scenario: &Scenario, settings: &CapacitySettings, capacity: f64) -> Option<Storm> {
        let revoking = scenario.journeys.iter().filter(|cohort| revokes(&cohort.journey));
        let cohort = revoking.max_by_key(|cohort| cohort.share)?;
        let into = capacity / 2.0;
        let windows = Windows::of(scenario, settings, into);
        let devices = (capacity * settings.each.as_secs_f64()).floor().max(1.0);
        // A little longer, so that the last one comes whatever rounding takes off.
        let given_in = Duration::from_secs_f64(devices / into) + Duration::from_millis(1);
        let at = given_in + settings.settle + settings.each;
        let (mut steps, mut revocation) = (Vec::new(), None);
        for step in &cohort.journey.steps {
            match step {
                Step::Wait(_) | Step::WaitUntil(_) => {}
                Step::Revoke { .. } => {
                    revocation = step.flow();
                    steps.extend([Step::WaitUntil(at), step.clone()]);
                    break;
                }
                Step::Delegate { .. } => steps.push(step.clone()),
            }
        }
        let journey =
            Journey { name: STORM.to_owned(), steps, meanwhile: Vec::new(), ..Journey::clone(&cohort.journey) };
        let cohort = Cohort { journey: Arc::new(journey), share: devices as u32, class: cohort.class, repeat: 1 };
        let fits = devices + into * (at + windows.lasts()).as_secs_f64() <= loads::MOST_DEVICES;
        let storm = Storm { cohort, revocation: revocation?, devices: devices as u32, given_in, into, windows };
        fits.then_some(storm)
    }

    /// How long the slowest takes, and whether one fails.
    fn own_limits(&self) -> [Limit; 2] {
        let parse = |text: String| limit::parse(&text).expect("a limit of our own");
        [
            parse(format!("max(flow.{} of {STORM}) < 1h", self.revocation)),
            parse(format!("share(failed of {STORM}) = 0")),
        ]
    }

    fn scenario(&self, scenario: &Scenario, settings: &CapacitySettings) -> Scenario {
        let mut under = scenario.clone();
        let hold = |name: &str, rate: f64, lasts: Duration| Stretch { name: name.to_owned(), rate, lasts }.phase();
        let mut phases = vec![Phase { name: "given".to_owned(), shape: Shape::Pause(self.given_in) }];
        phases.push(hold("settle", self.into, settings.settle));
        phases.push(hold(BEFORE, self.into, settings.each));
        phases.extend(self.windows.names().map(|name| hold(&name, self.into, self.windows.each)));
        let lasts: Duration = phases.iter().skip(1).filter_map(|phase| phase.shape.lasts()).sum();
        let others = (self.into * lasts.as_secs_f64()).floor().max(1.0);
        let shares: f64 = under.journeys.iter().map(|cohort| f64::from(cohort.share)).sum();
        for cohort in &mut under.journeys {
            cohort.share = (f64::from(cohort.share) / shares * others).round().max(1.0) as u32;
        }
        let journeys = (0..under.journeys.len()).collect();
        let all: u32 = under.journeys.iter().map(|cohort| cohort.share).sum();
        let starts = all.min(others as u32);
        let base = LoadPopulation { name: LoadPopulation::ALL.to_owned(), journeys, starts, phases };
        let storm = LoadPopulation {
            name: STORM.to_owned(),
            journeys: vec![under.journeys.len()],
            starts: self.devices,
            phases: vec![hold("handed-over", self.into, self.given_in)],
        };
        under.journeys.push(self.cohort.clone());
        under.devices = all + self.devices;
        under.load = Load { populations: vec![base, storm] };
        let before = scenario.limits.iter().map(|limit| limit.clone().of_phase(BEFORE).without_abort());
        under.limits = self.own_limits().into_iter().chain(before).chain(self.windows.limits(scenario)).collect();
        under
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn a_storm_gathers_devices_that_were_handed_over_before_and_goes_on_beside_the_load() {
        let text = format!("{QUICKSTART}\n[capacity]\nleast = 1\nmost = 500\neach = \"2s\"\nsettle = \"500ms\"\n");
        let scenario =
            parse("quickstart", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        let settings = scenario.capacity.clone().expect("it says so");
        let storm = Storm::of(&scenario, &settings, 100.0).expect("its journeys revoke");
        let under = storm.scenario(&scenario, &settings);
        // 100 a second for 2 s, handed over at 50 a second: 4 s, half a second, two seconds, and then.
        assert_eq!((storm.devices, storm.given_in), (200, Duration::from_millis(4_001)));
        let cohort = under.journeys.last().expect("its own");
        let waits: Vec<&Step> = cohort.journey.steps.iter().filter(|step| step.flow().is_none()).collect();
        assert_eq!(waits, [&Step::WaitUntil(Duration::from_millis(6_501))]);
        assert!(matches!(cohort.journey.steps.last(), Some(Step::Revoke { .. })));
        let devices = under.population().devices_per_journey().to_vec();
        assert_eq!(devices.last(), Some(&200));
        // Half of the capacity for half a second, two seconds, and ten after the storm.
        assert_eq!(under.load.populations[0].starts, 625);
        assert!((825..830).contains(&under.devices), "{}", under.devices);
        assert_eq!(under.limits.len(), 2 + scenario.limits.len() * 11);
        // What is worked out can be written down and read again.
        let again =
            parse("storm", &under.to_toml(), &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(again.load, under.load);
    }
}
