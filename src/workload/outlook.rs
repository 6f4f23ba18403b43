//! What a plan comes to, before anything is started: how many starts each phase gives, and when the last of them is due.

use std::time::Duration;

use crate::workload::arrival::Shape;
use crate::workload::plan::Plan;

/// What one population of a plan comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// In their order.
    pub phases: Vec<PhaseOutlook>,
    /// How many starts there are in all; `None` where a closed phase with a duration leaves it open.
    pub starts: Option<u64>,
    /// When the last start is due, where the plan says so: after what a closed phase leaves open, the end of the last
    /// phase, and `None` where that is without an end.
    pub ends: Option<Duration>,
}

/// What one phase comes to. Times are those of the plan, from its beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseOutlook {
    pub begins: Duration,
    /// Its end; of a phase `until done` its last start, where that is known.
    pub ends: Option<Duration>,
    /// How many starts it gives; after a closed phase with a duration, if there are enough left. `None` where it depends
    /// on how long journeys take.
    pub starts: Option<u64>,
}

impl Outlook {
    /// What a population of a plan comes to. Starts by chance are drawn to be counted: takes time in proportion to them.
    pub fn of(plan: &Plan, population: usize) -> Outlook {
        let settings = &plan.load.populations[population];
        let most = u64::from(settings.starts);
        // How many starts are left for the phases to come, as long as that is known.
        let (mut left, mut lead, mut last) = (Some(most), 0.0, None);
        let mut is_open_ended = false;
        let mut phases = Vec::with_capacity(settings.phases.len());
        for (number, (phase, begins)) in settings.phases.iter().zip(settings.begins()).enumerate() {
            let begins = begins.unwrap_or(Duration::MAX);
            let ends = phase.shape.lasts().map(|lasts| begins.saturating_add(lasts));
            let (starts, latest) = match (&phase.shape, left) {
                (_, Some(0)) => (Some(0), None),
                (Shape::Closed { over: Some(_), .. }, _) => (None, None),
                (Shape::Closed { over: None, .. }, left) => {
                    is_open_ended = true;
                    (left, None)
                }
                (_, None) if ends.is_none() => {
                    is_open_ended = true;
                    (None, None)
                }
                (_, left) => {
                    let tally = plan.offsets(population, number, lead).tally(left.unwrap_or(most));
                    lead = tally.lead;
                    (Some(tally.starts), tally.last.map(|last| begins.saturating_add(last)))
                }
            };
            left = left.zip(starts).map(|(left, starts)| left - starts);
            last = latest.or(last);
            phases.push(PhaseOutlook { begins, ends: ends.or(latest), starts });
        }
        let is_until_done = settings.phases.last().is_some_and(|phase| phase.shape.lasts().is_none());
        let starts = if is_until_done { Some(most) } else { left.map(|left| most - left) };
        let ends = match left {
            _ if is_open_ended => None,
            Some(_) => last,
            None => phases.last().and_then(|phase| phase.ends),
        };
        Outlook { phases, starts, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::units::Rate;
    use crate::workload::arrival::{Phase, Spread};
    use crate::workload::course::Course;
    use crate::workload::plan::Load;

    fn hold(rate: f64, seconds: Option<u64>, spread: Spread) -> Shape {
        Shape::Rated(Course::Hold { rate: Rate::per_second(rate), over: seconds.map(Duration::from_secs) }, spread)
    }

    fn closed(seconds: Option<u64>) -> Shape {
        Shape::Closed { at_once: 3, over: seconds.map(Duration::from_secs) }
    }

    /// Starts of each phase, starts in all, and the end in milliseconds.
    #[track_caller]
    fn check(most: u32, shapes: &[Shape], phases: &[Option<u64>], starts: Option<u64>, ends: Option<u64>) {
        let phases_of = shapes.iter().cloned().map(Phase::steady).collect();
        let outlook = Outlook::of(&Plan::new(Load::of_all(most, phases_of), Seed(7)), 0);
        let found: Vec<Option<u64>> = outlook.phases.iter().map(|phase| phase.starts).collect();
        assert_eq!(found, phases, "{shapes:?}");
        assert_eq!(outlook.starts, starts, "{shapes:?}");
        assert_eq!(outlook.ends, ends.map(Duration::from_millis), "{shapes:?}");
    }

    #[test]
    fn phases_give_what_their_rates_come_to_until_nothing_is_left() {
        let even = |rate, seconds| hold(rate, seconds, Spread::Even);
        let pause = Shape::Pause(Duration::from_secs(5));
        check(1_000, &[even(100.0, Some(10))], &[Some(1_000)], Some(1_000), Some(9_990));
        check(300, &[even(100.0, Some(10)), pause.clone()], &[Some(300), Some(0)], Some(300), Some(2_990));
        // 10 in the first second, then the 11th is due at 1 s + 5 s, and the last of the 30 at 6 s + 19 · 50 ms.
        let phases = [even(10.0, Some(1)), pause.clone(), even(20.0, None)];
        check(30, &phases, &[Some(10), Some(0), Some(20)], Some(30), Some(6_950));
        check(30, &[Shape::Storm(12), pause, Shape::Storm(9)], &[Some(12), Some(0), Some(9)], Some(21), Some(5_000));
    }

    #[test]
    fn starts_by_chance_are_counted_as_they_will_come() {
        for spread in [Spread::Exactly(200), Spread::Poisson] {
            let phases = vec![Phase::steady(hold(50.0, Some(4), spread))];
            let plan = Plan::new(Load::of_all(500, phases), Seed(7));
            let moments: Vec<Duration> = plan.offsets(0, 0, 0.0).collect();
            // 200 are expected, with a deviation of 14 where chance decides.
            assert!(moments.len().abs_diff(200) < 5 * 14);
            let outlook = Outlook::of(&plan, 0);
            assert_eq!((outlook.starts, outlook.ends), (Some(moments.len() as u64), moments.last().copied()));
        }
    }

    #[test]
    fn a_closed_phase_with_a_duration_leaves_open_what_comes_of_it() {
        let even = |rate, seconds| hold(rate, seconds, Spread::Even);
        check(50, &[closed(None)], &[Some(50)], Some(50), None);
        check(50, &[closed(Some(4))], &[None], None, Some(4_000));
        check(50, &[closed(Some(4)), even(5.0, Some(2))], &[None, Some(10)], None, Some(6_000));
        check(50, &[closed(Some(4)), even(5.0, None)], &[None, None], Some(50), None);
        check(50, &[even(5.0, Some(2)), closed(None)], &[Some(10), Some(40)], Some(50), None);
        check(10, &[even(5.0, Some(2)), closed(None)], &[Some(10), Some(0)], Some(10), Some(1_800));
    }
}
