//! The median of repeats, and the least and the most of them.
//!
//! No mean and no confidence interval: of the few repeats that a cell has, the order says all that is known.

use crate::statistics::median;

/// Of one metric of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// Of these; `None` without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let median = median(&mut values)?;
        Some(Spread { median, least, most })
    }

    /// `98.2 (97.0 - 99.1)`; the median alone where they are written alike.
    pub fn words(&self, written: fn(f64) -> String) -> String {
        let [median, least, most] = [self.median, self.least, self.most].map(written);
        if least == most { median } else { format!("{median} ({least} - {most})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::rate;

    #[test]
    fn the_median_is_in_the_middle_and_between_two_half_way() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]).map(|spread| spread.median), Some(2.5));
    }

    #[test]
    fn what_is_written_alike_is_written_once() {
        let words = |values: &[f64]| Spread::of(values.iter().copied()).map(|spread| spread.words(rate));
        assert_eq!(words(&[97.0, 98.2, 99.1]).as_deref(), Some("98.2 (97.0 - 99.1)"));
        assert_eq!(words(&[97.01, 97.02]).as_deref(), Some("97.0"));
    }
}
