//! How a peer does below its capacity, on the way up and on the way down, and what comes after more than it can take.

use crate::campaign::capacity::{Stopped, run_whole};
use crate::campaign::{aftermath, loads};
use crate::results::capacity::{Around, Figures, Level};
use crate::run::{Options, Watch};
use crate::scenario::Scenario;
use crate::scenario::capacity::{CapacitySettings, LoadAxis, revokes};

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
        around.recovery = aftermath::of_overload(scenario, settings, capacity, how)?;
        how.1.rest(settings.pause);
        if scenario.journeys.iter().any(|cohort| revokes(&cohort.journey)) {
            tell("after a storm of revocations");
            around.revocations = aftermath::of_revocations(scenario, settings, capacity, how)?;
        }
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
