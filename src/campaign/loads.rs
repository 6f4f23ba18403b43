//! A scenario under so much load: what a search turns up, put into it.

use std::time::Duration;

use crate::faults::latency::Distribution;
use crate::faults::rule::Action;
use crate::measure::limit::Limit;
use crate::scenario::Scenario;
use crate::scenario::capacity::{CapacitySettings, LoadAxis, revokes};
use crate::units::Rate;
use crate::workload::arrival::{Phase, Shape, Spread};
use crate::workload::course::Course;
use crate::workload::plan::Load;

/// The phase that counts.
pub const COUNTS: &str = "steady";
/// The same load before, of which nothing counts.
const SETTLES: &str = "settle";

/// More devices than this are not made for one sub-trial.
pub const MOST_DEVICES: f64 = 10_000_000.0;

/// A load that cannot be put on anybody.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{load} for {} s takes {devices:.0} devices, and {MOST_DEVICES:.0} are the most: shorten `each`", lasts.as_secs_f64())]
pub struct TooManyDevices {
    pub load: f64,
    pub lasts: Duration,
    pub devices: f64,
}

/// A stretch of a rate.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// What limits call it.
    pub name: String,
    pub rate: f64,
    pub lasts: Duration,
}

impl Stretch {
    /// As a phase of a load.
    pub fn phase(&self) -> Phase {
        let course = Course::Hold { rate: Rate::per_second(self.rate), over: Some(self.lasts) };
        Phase { name: self.name.clone(), shape: Shape::Rated(course, Spread::Even) }
    }
}

/// The scenario as one sub-trial under this load, with its limits on what counts.
///
/// # Errors
/// [`TooManyDevices`] where each journey needs a device of its own, and there would be too many.
pub fn at(scenario: &Scenario, settings: &CapacitySettings, load: f64) -> Result<Scenario, TooManyDevices> {
    let mut under = scenario.clone();
    match settings.axis {
        LoadAxis::Rate => {
            let stretch = |name: &str, lasts| Stretch { name: name.to_owned(), rate: load, lasts };
            return stretched(scenario, &[stretch(SETTLES, settings.settle), stretch(COUNTS, settings.each)])
                .map(counting);
        }
        LoadAxis::AtOnce => {
            let at_once = devices(load, &under, Duration::ZERO)?;
            let phase =
                |name: &str, over| Phase { name: name.to_owned(), shape: Shape::Closed { at_once, over: Some(over) } };
            under.devices = under.devices.max(at_once);
            let phases = vec![phase(SETTLES, settings.settle), phase(COUNTS, settings.each)];
            under.load = Load::of_all(under.devices, phases);
        }
        LoadAxis::Storm => {
            let starts = devices(load, &under, Duration::ZERO)?;
            under.devices = starts.max(under.journeys.len() as u32);
            under.load = Load::of_all(starts, vec![Phase { name: COUNTS.to_owned(), shape: Shape::Storm(starts) }]);
        }
        LoadAxis::Latency { fault } => {
            under.faults[fault].action = Action::Delay(Distribution::Constant(Duration::from_secs_f64(load / 1e3)));
            return Ok(under);
        }
        LoadAxis::Revocations => {
            share(&mut under, load / 100.0);
            return Ok(under);
        }
    }
    Ok(counting(under))
}

/// The scenario with one stretch after the other, a device for each start.
///
/// # Errors
/// [`TooManyDevices`] where there would be too many.
pub fn stretched(scenario: &Scenario, stretches: &[Stretch]) -> Result<Scenario, TooManyDevices> {
    let mut under = scenario.clone();
    let wanted: f64 = stretches.iter().map(|stretch| stretch.rate * stretch.lasts.as_secs_f64()).sum();
    let lasts = stretches.iter().map(|stretch| stretch.lasts).sum();
    let starts = devices(wanted, scenario, lasts)?;
    under.devices = starts.max(under.journeys.len() as u32);
    under.load = Load::of_all(starts, stretches.iter().map(Stretch::phase).collect());
    Ok(under)
}

/// The limits on the phase that counts.
fn counting(mut under: Scenario) -> Scenario {
    let is_at_once = under.load.phases().all(|(_, phase)| phase.shape.lasts() == Some(Duration::ZERO));
    // Of a storm only flows are known, and a rate is that of the whole run.
    let of_phase = |limit: Limit| if is_at_once && limit.needs_time() { limit } else { limit.of_phase(COUNTS) };
    under.limits = under.limits.into_iter().map(of_phase).collect();
    under
}

/// So many starts, rounded; one at least.
fn devices(wanted: f64, scenario: &Scenario, lasts: Duration) -> Result<u32, TooManyDevices> {
    // A rate gives its last start when it has given a whole one.
    let devices = wanted.floor().max(1.0);
    if devices.max(scenario.journeys.len() as f64) > MOST_DEVICES {
        let load = if lasts.is_zero() { wanted } else { wanted / lasts.as_secs_f64() };
        return Err(TooManyDevices { load, lasts, devices });
    }
    Ok(devices as u32)
}

/// The weights of the journeys, so that this share of the devices revokes. What journeys of one kind are to each other
/// they stay.
fn share(under: &mut Scenario, revoked: f64) {
    /// Shares are whole numbers: this fine.
    const FINE: f64 = 100_000.0;
    let weight = |revoking: bool| -> f64 {
        let of_kind = under.journeys.iter().filter(|cohort| revokes(&cohort.journey) == revoking);
        of_kind.map(|cohort| f64::from(cohort.share)).sum()
    };
    let weights = [weight(false), weight(true)];
    for cohort in &mut under.journeys {
        let is_revoking = revokes(&cohort.journey);
        let part = if is_revoking { revoked } else { 1.0 - revoked };
        let share = f64::from(cohort.share) / weights[usize::from(is_revoking)] * part * FINE;
        cohort.share = share.round().max(1.0) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    fn scenario(capacity: &str) -> (Scenario, CapacitySettings) {
        let text = format!("{QUICKSTART}\n[capacity]\n{capacity}\n");
        let scenario =
            parse("quickstart", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        let settings = scenario.capacity.clone().expect("it says so");
        (scenario, settings)
    }

    #[test]
    fn a_rate_comes_with_a_device_for_each_start_and_limits_on_what_counts() {
        let (scenario, settings) = scenario("least = 1\nmost = 1000\neach = \"4s\"\nsettle = \"1s\"");
        let under = at(&scenario, &settings, 100.0).expect("a scenario");
        assert_eq!((under.devices, under.load.populations[0].starts), (500, 500));
        let phases: Vec<&str> = under.load.phases().map(|(_, phase)| phase.name.as_str()).collect();
        assert_eq!(phases, ["settle", "steady"]);
        assert!(under.limits.iter().all(|limit| limit.phase() == Some("steady")));
        // Each journey needs a device, also where fewer start.
        assert_eq!(at(&scenario, &settings, 1.0).expect("a scenario").devices, scenario.journeys.len() as u32);
        let error = at(&scenario, &settings, 1e8).expect_err("too many");
        assert_eq!(error.devices, 5e8);
    }

    #[test]
    fn what_is_turned_up_is_found_in_the_scenario() {
        let (closed, settings) = scenario("axis = \"at_once\"\nleast = 1\nmost = 64");
        let under = at(&closed, &settings, 7.0).expect("a scenario");
        assert!(under.load.phases().all(|(_, phase)| matches!(phase.shape, Shape::Closed { at_once: 7, .. })));
        let (storm, settings) = scenario("axis = \"storm\"\nleast = 1\nmost = 100000");
        let under = at(&storm, &settings, 30_000.0).expect("a scenario");
        assert_eq!((under.devices, &under.load.populations[0].phases[0].shape), (30_000, &Shape::Storm(30_000)));
        let (mixed, settings) = scenario("axis = \"revocations\"\nleast = 1\nmost = 99");
        let under = at(&mixed, &settings, 25.0).expect("a scenario");
        let weight = |revoking: bool| -> f64 {
            let of_kind = under.journeys.iter().filter(|cohort| revokes(&cohort.journey) == revoking);
            of_kind.map(|cohort| f64::from(cohort.share)).sum()
        };
        assert!((weight(true) / (weight(true) + weight(false)) - 0.25).abs() < 1e-3);
        assert_eq!(under.load, mixed.load);
        let fault = "[[fault]]\nname = \"slow\"\nwhere = \"http.request\"\ndo = { delay = \"1ms\" }";
        let (slow, settings) =
            scenario(&format!("axis = \"latency\"\nfault = \"slow\"\nleast = 1\nmost = 900\n{fault}"));
        let under = at(&slow, &settings, 12.5).expect("a scenario");
        let wanted = Action::Delay(Distribution::Constant(Duration::from_micros(12_500)));
        assert_eq!(under.faults[0].action, wanted);
    }
}
