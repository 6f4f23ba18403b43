//! How a peer does below its capacity, on the way up and on the way down, and how long it takes to recover after more than
//! it can take.

use std::time::Duration;

use crate::campaign::capacity::{Stopped, run_whole};
use crate::campaign::loads::{self, Stretch};
use crate::results::capacity::{Around, Figures, Level, Recovery};
use crate::run::{Options, Watch};
use crate::scenario::Scenario;
use crate::scenario::capacity::{CapacitySettings, LoadAxis};

/// The parts of the capacity at which figures are taken; the first is no load to speak of.
pub const PARTS: [f64; 4] = [0.0, 0.1, 0.5, 0.9];

/// Takes the figures, as far as nothing stops it. `capacity`: the highest load that is known to keep every limit.
///
/// # Errors
/// What has stopped it; what was seen by then is there.
pub fn around(
    scenario: &Scenario,
    settings: &CapacitySettings,
    capacity: f64,
    how: (&Options, &Watch),
    (around, mut tell): (&mut Around, impl FnMut(&str)),
) -> Result<(), Stopped> {
    let up = PARTS.into_iter().enumerate().map(|(at, part)| (at, part, true));
    let down = PARTS.into_iter().enumerate().rev().map(|(at, part)| (at, part, false));
    for (at, part, is_up) in up.chain(down) {
        let load = load_of(part, capacity, settings);
        tell(&format!("{:.0} % of it, on the way {}", 100.0 * part, if is_up { "up" } else { "down" }));
        let Ok(under) = loads::at(scenario, settings, load) else { continue };
        let figures = Figures::of(&run_whole(&under, how)?.summary);
        match (is_up, around.levels.get_mut(at)) {
            (true, _) => around.levels.push(Level { part, load, up: figures, down: None }),
            (false, Some(level)) => level.down = Some(figures),
            (false, None) => {}
        }
        how.1.rest(settings.pause);
    }
    if settings.axis == LoadAxis::Rate {
        tell("after an overload");
        around.recovery = recovery(scenario, settings, capacity, how)?;
    }
    Ok(())
}

/// The load at a part of the capacity. No load at all shows nothing: it is the hundredth part, and as many starts as a median
/// takes.
fn load_of(part: f64, capacity: f64, settings: &CapacitySettings) -> f64 {
    const NEXT_TO_NOTHING: f64 = 0.01;
    let load = part.max(NEXT_TO_NOTHING) * capacity;
    match settings.axis {
        LoadAxis::Rate => load.max(2.0 / settings.each.as_secs_f64()),
        LoadAxis::AtOnce | LoadAxis::Storm => load.round().max(1.0),
        LoadAxis::Latency { .. } | LoadAxis::Revocations => load,
    }
}

/// By how much an overload is more than the capacity.
const OVERLOAD: f64 = 1.5;
/// How many seconds are looked at behind it.
const SECONDS: u32 = 10;

/// An overload, and then half of the capacity, each second of which is judged by itself.
fn recovery(
    scenario: &Scenario,
    settings: &CapacitySettings,
    capacity: f64,
    how: (&Options, &Watch),
) -> Result<Option<Recovery>, Stopped> {
    let (overload, back_at, second) = (OVERLOAD * capacity, capacity / 2.0, Duration::from_secs(1));
    let name = |number: u32| format!("after-{number}");
    let mut stretches = vec![Stretch { name: "overload".to_owned(), rate: overload, lasts: settings.each }];
    stretches.extend((1..=SECONDS).map(|number| Stretch { name: name(number), rate: back_at, lasts: second }));
    let Ok(mut under) = loads::stretched(scenario, &stretches) else { return Ok(None) };
    under.limits = (1..=SECONDS)
        .flat_map(|number| scenario.limits.iter().map(move |limit| (number, limit)))
        .map(|(number, limit)| limit.clone().of_phase(&name(number)))
        .collect();
    let finished = run_whole(&under, how)?;
    let each_second = finished.summary.limits.chunks(scenario.limits.len().max(1));
    // What says nothing, too few samples in a second, does not speak against it.
    let kept: Vec<bool> =
        each_second.map(|limits| limits.iter().all(|limit| limit.passed || limit.actual.is_none())).collect();
    let behind_the_last_bad = kept.iter().rposition(|kept| !kept).map_or(0, |last| last + 1);
    Ok(Some(Recovery {
        overload,
        overload_s: settings.each.as_secs_f64(),
        back_at,
        recovered_s: (behind_the_last_bad < kept.len()).then_some(behind_the_last_bad as f64),
        watched_s: f64::from(SECONDS),
    }))
}
