//! How a peer does below its capacity, on the way up and on the way down, and what comes after more than it can take.

use std::time::Duration;

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
    let levels: Vec<Below> = PARTS.into_iter().map(|part| Below::of(part, capacity, settings)).collect();
    let up = levels.iter().enumerate().map(|level| (level, true));
    let down = levels.iter().enumerate().rev().map(|level| (level, false));
    for ((at, below), is_up) in up.chain(down) {
        let Below { load, part, each } = *below;
        tell(&format!("{:.0} % of it, on the way {}", 100.0 * part, if is_up { "up" } else { "down" }));
        let Ok(under) = loads::at(scenario, &CapacitySettings { each, ..settings.clone() }, load) else { continue };
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

/// A load below the capacity, and how long it lasts.
struct Below {
    load: f64,
    /// Of the capacity.
    part: f64,
    each: Duration,
}

impl Below {
    /// No load at all shows nothing: it is the hundredth part, and as many starts as a median takes, for which less is started
    /// for longer, up to four times as long.
    fn of(part: f64, capacity: f64, settings: &CapacitySettings) -> Below {
        const NEXT_TO_NOTHING: f64 = 0.01;
        const STARTS: f64 = 2.5;
        const LONGER: f64 = 4.0;
        let wanted = part.max(NEXT_TO_NOTHING) * capacity;
        let each = settings.each.as_secs_f64();
        let (load, each) = match settings.axis {
            LoadAxis::Rate => {
                let lasts = (STARTS / wanted).clamp(each, LONGER * each);
                (wanted.max(STARTS / lasts).min(capacity), lasts)
            }
            LoadAxis::AtOnce | LoadAxis::Storm => (wanted.round().max(1.0), each),
            LoadAxis::Latency { .. } | LoadAxis::Revocations => (wanted, each),
        };
        Below { load, part: load / capacity, each: Duration::from_secs_f64(each) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn what_gives_too_few_starts_lasts_longer_and_is_told_as_what_it_is() {
        let text = format!("{QUICKSTART}\n[capacity]\nleast = 1\nmost = 500\neach = \"2s\"\n");
        let scenario =
            parse("quickstart", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        let settings = scenario.capacity.expect("it says so");
        let of = |part, capacity| {
            let Below { load, part, each } = Below::of(part, capacity, &settings);
            ((load * 1e4).round() / 1e4, (part * 1e4).round() / 1e4, each.as_secs_f64())
        };
        assert_eq!(of(0.5, 100.0), (50.0, 0.5, 2.0));
        assert_eq!(of(0.0, 500.0), (5.0, 0.01, 2.0));
        // 1.25 a second take two seconds, 0.125 would take twenty: as many as fit into eight.
        assert_eq!(of(0.1, 12.5), (1.25, 0.1, 2.0));
        assert_eq!(of(0.0, 12.5), (0.3125, 0.025, 8.0));
        assert_eq!(of(0.0, 0.2), (0.2, 1.0, 8.0), "never more than the capacity");
    }
}
