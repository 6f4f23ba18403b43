//! The phases of a load, and the moments at which the starts of one phase are due.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::workload::course::{A_HAIR, Climb, Course};

/// A stretch of a load, and what limits and reports call it.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    pub shape: Shape,
}

/// How starts come about in a phase.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// So many in a second, whatever has become of the earlier ones.
    Rated(Course, Spread),
    /// A barrier: so many at the same instant. At least 1.
    Storm(u32),
    /// None for a while.
    Pause(Duration),
    /// At moments that were recorded elsewhere, counted from the beginning of the phase, ascending; at least one. The
    /// phase ends with the last.
    Recorded(Arc<[Duration]>),
    /// Whenever fewer than `at_once` journeys of the population are under way (at least 1); `over` is `None` for "until
    /// every start has been made".
    Closed { at_once: u32, over: Option<Duration> },
}

/// How the starts of a phase with a rate are spread over its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Evenly: the next one comes as soon as the rate has given a whole start.
    Even,
    /// As independent callers come: the gaps are exponential, and the number of starts is chance.
    Poisson,
    /// As independent callers come, of whom there are just so many: each one's moment is drawn by the rate, by itself.
    Exactly(u32),
}

impl Phase {
    /// What a phase is called that has no name.
    pub const STEADY: &str = "steady";

    /// A phase without a name of its own.
    pub fn steady(shape: Shape) -> Phase {
        Phase { name: Phase::STEADY.to_owned(), shape }
    }
}

impl Shape {
    /// How long it lasts; `None` for "until every start has been made".
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Shape::Rated(course, _) => course.lasts(),
            Shape::Storm(_) => Some(Duration::ZERO),
            Shape::Pause(over) => Some(*over),
            Shape::Recorded(moments) => Some(moments.last().copied().unwrap_or_default()),
            Shape::Closed { over, .. } => *over,
        }
    }

    /// The most starts in a second; `None` where nothing is due by the clock, or all at one instant.
    pub fn peak(&self) -> Option<f64> {
        match self {
            Shape::Rated(course, _) => Some(course.peak()),
            Shape::Recorded(moments) => Some(most_in_a_second(moments) as f64),
            Shape::Storm(_) | Shape::Pause(_) | Shape::Closed { .. } => None,
        }
    }

    /// Whether chance decides how many starts there are.
    pub fn is_counted_by_chance(&self) -> bool {
        matches!(self, Shape::Rated(course, Spread::Poisson) if course.peak() > 0.0)
    }
}

fn most_in_a_second(moments: &[Duration]) -> usize {
    let since = |last: &Duration| moments.partition_point(|first| *first + Duration::from_secs(1) <= *last);
    moments.iter().enumerate().map(|(nth, last)| nth + 1 - since(last)).max().unwrap_or(0)
}

/// The starts of one phase that have moments of their own, one after the other, as times since its beginning; never
/// descending. None for a closed phase. Takes the same memory however many they are.
#[derive(Debug)]
pub struct Offsets {
    rest: Rest,
    dice: ChaCha8Rng,
    lead: f64,
}

/// What is still to come.
#[derive(Debug)]
enum Rest {
    Even {
        climb: Climb,
        given: u64,
    },
    /// `at` is the place of the latest start on a line on which the rate gives one start for each unit.
    Poisson {
        climb: Climb,
        at: f64,
    },
    /// `above` is the part of that line that lies above the latest start, `left` the starts that lie there.
    Exactly {
        climb: Climb,
        above: f64,
        left: u32,
    },
    Storm(u32),
    Recorded {
        moments: Arc<[Duration]>,
        next: usize,
    },
    Nothing,
}

/// How many starts there are in a phase, and when the last of them is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally {
    pub starts: u64,
    pub last: Option<Duration>,
    /// The lead of the phase that follows.
    pub lead: f64,
}

impl Offsets {
    /// The starts of a phase. `lead` is what the even phases before have left over of a start: how much of one is due
    /// before the first of this one, 0 at the beginning. Chance comes from `dice` alone.
    pub fn of(shape: &Shape, lead: f64, dice: ChaCha8Rng) -> Offsets {
        let rest = match shape {
            Shape::Rated(course, spread) => {
                let climb = Climb::of(course);
                match spread {
                    Spread::Even => Rest::Even { climb, given: 0 },
                    Spread::Poisson => Rest::Poisson { climb, at: 0.0 },
                    Spread::Exactly(starts) => Rest::Exactly { climb, above: 1.0, left: *starts },
                }
            }
            Shape::Storm(starts) => Rest::Storm(*starts),
            Shape::Recorded(moments) => Rest::Recorded { moments: Arc::clone(moments), next: 0 },
            Shape::Pause(_) | Shape::Closed { .. } => Rest::Nothing,
        };
        Offsets { rest, dice, lead }
    }

    /// What this phase leaves over of a start, once all its starts are given out.
    pub fn lead(&self) -> f64 {
        match &self.rest {
            Rest::Even { climb, given } if climb.starts().is_finite() => self.lead + *given as f64 - climb.starts(),
            _ => self.lead,
        }
    }

    /// Counts what is still to come, `most` at most; without looking at each where arithmetic will do.
    pub fn tally(mut self, most: u64) -> Tally {
        if let Rest::Even { climb, given } = &mut self.rest
            && most > 0
        {
            let whole = (climb.starts() - self.lead - A_HAIR).ceil().max(0.0);
            let starts = if whole < most as f64 { whole as u64 } else { most };
            *given = starts;
            let last = (starts > 0).then(|| climb.reach(self.lead + (starts.max(1) - 1) as f64));
            return Tally { starts, last, lead: self.lead() };
        }
        let (mut starts, mut last) = (0, None);
        while starts < most
            && let Some(offset) = self.next()
        {
            (starts, last) = (starts + 1, Some(offset));
        }
        Tally { starts, last, lead: self.lead() }
    }
}

impl Iterator for Offsets {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match &mut self.rest {
            Rest::Even { climb, given } => {
                let due = self.lead + *given as f64;
                (due + A_HAIR < climb.starts()).then(|| {
                    *given += 1;
                    climb.reach(due)
                })
            }
            Rest::Poisson { climb, at } => {
                *at -= above_zero(&mut self.dice).ln();
                (*at < climb.starts()).then(|| climb.reach(*at))
            }
            Rest::Exactly { climb, above, left } => {
                // The lowest of n numbers drawn evenly from the part above leaves the n-th root of an even number of it.
                let root = 1.0 / f64::from(*left);
                *left = left.checked_sub(1)?;
                *above *= above_zero(&mut self.dice).powf(root);
                Some(climb.reach((1.0 - *above) * climb.starts()))
            }
            Rest::Storm(left) => {
                *left = left.checked_sub(1)?;
                Some(Duration::ZERO)
            }
            Rest::Recorded { moments, next } => {
                let moment = moments.get(*next)?;
                *next += 1;
                Some(*moment)
            }
            Rest::Nothing => None,
        }
    }
}

/// A number drawn evenly from above 0 to 1.
fn above_zero(dice: &mut ChaCha8Rng) -> f64 {
    1.0 - dice.random::<f64>()
}

#[cfg(test)]
mod tests;
