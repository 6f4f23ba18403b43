//! What is turned up in a search: the range of loads, and how far two loads are apart.

use serde::Serialize;

/// The loads that may be tried. More is harder; what a load is (devices, flows a second, milliseconds of injected
/// latency) is known to the caller alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Axis {
    least: f64,
    most: f64,
    is_whole: bool,
}

/// A range in which nothing can be searched.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AxisError {
    #[error("the least load is above zero and finite, found {0}")]
    Least(f64),
    #[error("the most load is above the least ({least}) and finite, found {most}")]
    Most { least: f64, most: f64 },
    #[error("loads are whole numbers here, found {0}")]
    Fraction(f64),
}

impl Axis {
    /// Loads from `least` to `most`, both in the unit of the axis.
    ///
    /// # Errors
    /// [`AxisError`] where the range is empty or its ends are not above zero.
    pub fn new(least: f64, most: f64) -> Result<Axis, AxisError> {
        if !(least.is_finite() && least > 0.0) {
            return Err(AxisError::Least(least));
        }
        if !(most.is_finite() && most > least) {
            return Err(AxisError::Most { least, most });
        }
        Ok(Axis { least, most, is_whole: false })
    }

    /// As [`new`](Axis::new), where only whole numbers are loads, such as devices at once.
    ///
    /// # Errors
    /// [`AxisError`], also where an end is no whole number.
    pub fn whole(least: f64, most: f64) -> Result<Axis, AxisError> {
        let axis = Axis::new(least, most)?;
        match [least, most].into_iter().find(|end| end.fract() != 0.0) {
            Some(end) => Err(AxisError::Fraction(end)),
            None => Ok(Axis { is_whole: true, ..axis }),
        }
    }

    pub fn least(&self) -> f64 {
        self.least
    }

    pub fn most(&self) -> f64 {
        self.most
    }

    /// The load of the range that is nearest.
    pub fn admit(&self, load: f64) -> f64 {
        let load = if self.is_whole { load.round() } else { load };
        load.clamp(self.least, self.most)
    }

    /// The load that halves the way between two, counted in equal steps of at most `width`; `None` where they are no
    /// more than one step apart, or nothing lies between them.
    ///
    /// Counting in steps makes the last interval one whole step and not a part of one, which would cost a trial more
    /// and say no more than was asked for (the "discrete load" of FD.io CSIT's MLRsearch).
    pub fn halfway(&self, low: f64, high: f64, width: f64) -> Option<f64> {
        let steps = (distance(low, high) / step_of(width) - HAIR).ceil();
        if steps <= 1.0 {
            return None;
        }
        let part = (steps / 2.0).floor() / steps;
        let middle = low * (high / low).powf(part);
        let middle = if self.is_whole { middle.round().max(low + 1.0).min(high - 1.0) } else { middle };
        (middle > low && middle < high).then_some(middle)
    }

    /// The load of the range that is so many times another, or the next in that direction where loads are whole
    /// numbers.
    pub fn times(&self, load: f64, factor: f64) -> f64 {
        let whole = if factor > 1.0 {
            (load * factor).round().max(load + 1.0)
        } else {
            (load * factor).round().min(load - 1.0)
        };
        self.admit(if self.is_whole { whole } else { load * factor })
    }

    /// Whether an interval is as narrow as `width`, or as narrow as it can be.
    pub fn is_narrow(&self, low: f64, high: f64, width: f64) -> bool {
        relative_width(low, high) <= width + HAIR || (self.is_whole && high - low <= 1.0)
    }
}

/// The width of an interval as a part of its upper end, as MLRsearch counts it (draft-ietf-bmwg-mlrsearch-15, "Goal
/// Width").
pub fn relative_width(low: f64, high: f64) -> f64 {
    (high - low) / high
}

/// How far two loads are apart, in natural logarithms of their ratio.
pub fn distance(low: f64, high: f64) -> f64 {
    (high / low).ln()
}

/// The distance of two loads that are a relative width apart.
pub fn step_of(width: f64) -> f64 {
    -(1.0 - width).ln()
}

/// What rounding may take away from an equality.
const HAIR: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    fn axis() -> Axis {
        Axis::new(1.0, 1000.0).expect("a range")
    }

    #[test]
    fn a_range_is_above_zero_and_not_empty() {
        assert_eq!(Axis::new(0.0, 10.0), Err(AxisError::Least(0.0)));
        assert!(matches!(Axis::new(f64::NAN, 10.0), Err(AxisError::Least(_))));
        assert_eq!(Axis::new(10.0, 10.0), Err(AxisError::Most { least: 10.0, most: 10.0 }));
        assert_eq!(Axis::new(1.0, f64::INFINITY), Err(AxisError::Most { least: 1.0, most: f64::INFINITY }));
        assert_eq!(Axis::whole(1.0, 10.5), Err(AxisError::Fraction(10.5)));
    }

    #[test]
    fn halving_ends_with_an_interval_of_just_the_width() {
        let (mut low, mut high, mut halvings) = (100.0, 200.0, 0);
        while let Some(middle) = axis().halfway(low, high, 0.05) {
            // A limit that lies low in the interval.
            if middle > 104.0 {
                high = middle
            } else {
                low = middle
            }
            halvings += 1;
        }
        assert_eq!(halvings, 3, "14 steps of 5 % lie in a factor of two: 14, 7, 3, 1");
        assert!(axis().is_narrow(low, high, 0.05));
        assert!(relative_width(low, high) > 0.04, "{low} to {high} is narrower than was asked for");
    }

    #[test]
    fn between_neighbouring_whole_numbers_lies_nothing() {
        let axis = Axis::whole(1.0, 100.0).expect("a range");
        assert_eq!(axis.halfway(3.0, 5.0, 0.05), Some(4.0));
        assert_eq!(axis.halfway(3.0, 4.0, 0.05), None);
        assert!(axis.is_narrow(3.0, 4.0, 0.05), "as narrow as whole numbers can be");
        assert!(!axis.is_narrow(3.0, 5.0, 0.05));
        assert_eq!([axis.times(3.0, 1.1), axis.times(3.0, 0.9), axis.times(60.0, 2.0)], [4.0, 2.0, 100.0]);
        assert_eq!(axis.admit(3.4), 3.0);
        assert_eq!(axis.admit(1e9), 100.0);
    }
}
