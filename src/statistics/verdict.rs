//! The one place that decides.

use serde::Serialize;

use crate::statistics::bootstrap::Interval;
use crate::statistics::options::Better;

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Better,
    Worse,
    /// No change was found; one as large as asked for would have been, as often as the power says, and is outside of the
    /// interval. Smaller ones may be there.
    Same,
    /// A change as large as asked for might have been missed. What was found may be chance.
    NotEnoughRuns,
}

impl Verdict {
    /// The words for it.
    pub fn key(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Same => "same",
            Verdict::NotEnoughRuns => "not enough runs",
        }
    }
}

/// All that counts for a verdict, differences in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Between the medians, contender minus baseline.
    pub difference: f64,
    /// Where it is, at the chosen confidence.
    pub interval: Interval,
    /// What the difference has to exceed.
    pub noise: f64,
    /// Of the rank test: alone, among all the metrics, and the smallest that so many runs can have among them.
    pub p: f64,
    pub adjusted_p: f64,
    pub smallest_p: f64,
    /// How often the contender has the larger value.
    pub probability_larger: f64,
    /// The smallest difference that would be found as often as asked for, if ranks of so many runs can be rare enough.
    pub detectable: f64,
    /// The difference that one wants to see.
    pub wanted: f64,
    pub risk: f64,
}

impl Evidence {
    /// A difference counts where the interval of the medians' difference excludes 0, the difference exceeds the noise that
    /// repeats of the same thing show, and the ranks are no chance either and point the same way.
    ///
    /// Sets too small for the change that is asked for are not judged like that: of the differences that they happen to
    /// show, those that look significant are mostly exaggerated (Gelman, Carlin 2014, "Beyond Power Calculations: Assessing
    /// Type S (Sign) and Type M (Magnitude) Errors"). From them only a difference is taken that is plain: at least as large
    /// as what even such sets would find as often as asked for, which already counts with the number of metrics. Where ranks
    /// of so few runs cannot be rare among so many metrics, it is enough that they are rare alone.
    ///
    /// That nothing was found does not make sets the same. They are called so where a change as large as asked for would have
    /// been found *and* the interval rules it out (the equivalence test of Schuirmann 1987, "A Comparison of the Two One-Sided
    /// Tests Procedure and the Power Approach for Assessing the Equivalence of Average Bioavailability", which shows why the
    /// power alone is not enough).
    pub fn verdict(&self, better: Better) -> Verdict {
        let can_be_rare = self.smallest_p <= self.risk;
        let is_enough = can_be_rare && self.detectable <= self.wanted;
        let agrees = self.difference * (self.probability_larger - 0.5) > 0.0;
        let stands_out = agrees && self.interval.excludes_zero() && self.difference.abs() > self.noise;
        let is_rare = if can_be_rare { self.adjusted_p } else { self.p } <= self.risk;
        let is_found = stands_out && is_rare && (is_enough || self.difference.abs() >= self.detectable);
        let is_ruled_out = self.interval.low > -self.wanted && self.interval.high < self.wanted;
        if is_found {
            if better.worsens(self.difference) { Verdict::Worse } else { Verdict::Better }
        } else if is_enough && (is_ruled_out || self.interval.is_nothing()) {
            Verdict::Same
        } else {
            Verdict::NotEnoughRuns
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8 % slower, plainly, where 7 % would be seen and 10 % is asked for.
    fn evidence() -> Evidence {
        Evidence {
            difference: 8.0,
            interval: Interval { low: 4.0, high: 12.0 },
            noise: 5.0,
            p: 0.001,
            adjusted_p: 0.01,
            smallest_p: 0.000_1,
            probability_larger: 0.9,
            detectable: 7.0,
            wanted: 10.0,
            risk: 0.05,
        }
    }

    #[test]
    fn a_difference_has_to_take_every_hurdle() {
        let found = evidence();
        assert_eq!(found.verdict(Better::Lower), Verdict::Worse);
        assert_eq!(found.verdict(Better::Higher), Verdict::Better);
        let found = Evidence { interval: Interval { low: 4.0, high: 9.9 }, ..found };
        let stopped = [
            Evidence { interval: Interval { low: -1.0, high: 9.9 }, ..found },
            Evidence { noise: 8.0, ..found },
            Evidence { adjusted_p: 0.06, ..found },
            Evidence { probability_larger: 0.4, ..found },
            Evidence { difference: 0.0, ..found },
        ];
        for evidence in stopped {
            assert_eq!(evidence.verdict(Better::Lower), Verdict::Same, "{evidence:?}");
        }
    }

    #[test]
    fn what_may_be_as_large_as_asked_for_is_not_the_same() {
        let unclear = Evidence { adjusted_p: 0.06, ..evidence() };
        assert_eq!(unclear.verdict(Better::Lower), Verdict::NotEnoughRuns);
        let none = Evidence {
            difference: 0.0,
            interval: Interval { low: 0.0, high: 0.0 },
            wanted: 0.0,
            detectable: 0.0,
            ..unclear
        };
        assert_eq!(none.verdict(Better::Lower), Verdict::Same);
    }

    #[test]
    fn few_runs_are_only_believed_what_is_plain() {
        let few = Evidence { detectable: 11.0, ..evidence() };
        assert_eq!(few.verdict(Better::Lower), Verdict::NotEnoughRuns);
        let plain = Evidence { difference: 11.0, ..few };
        assert_eq!(plain.verdict(Better::Lower), Verdict::Worse);
        assert_eq!(Evidence { adjusted_p: 0.06, ..plain }.verdict(Better::Lower), Verdict::NotEnoughRuns);
        // Ranks of few runs cannot be rare among many metrics, but alone they have to be.
        let five = Evidence { smallest_p: 0.08, adjusted_p: 0.08, ..plain };
        assert_eq!(five.verdict(Better::Lower), Verdict::Worse);
        assert_eq!(Evidence { p: 0.06, ..five }.verdict(Better::Lower), Verdict::NotEnoughRuns);
        let unclear = Evidence { detectable: 9.0, ..five };
        assert_eq!(Evidence { difference: 8.0, ..unclear }.verdict(Better::Lower), Verdict::NotEnoughRuns);
    }
}
