//! Runs of a series that went astray.

use crate::statistics::median::{median, median_of};

/// The places of the runs that did not go astray. One did that is far off the median of those around it: of so many on
/// either side and itself. What lasts for more runs than that is no accident, and stays; so do steps, which medians do not
/// blur. Those that did are left out, not mended: values made up of their neighbours' would look like a stretch of its own.
///
/// It is the identifier of Hampel (Davies and Gather 1993, "The Identification of Multiple Outliers") in a moving window
/// (Pearson 2002, "Outliers in Process Modeling and Identification"). How much runs vary is read from the differences of
/// neighbours, of which a step changes one: the median of their sizes over 0.6745, which is that of a standard normal one,
/// and over the root of 2, since both vary. Where most neighbours are the same, nobody knows how far is far.
pub fn not_astray(values: &[f64], on_either_side: usize) -> Vec<usize> {
    let mut steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let variation = median(&mut steps).unwrap_or(0.0) / 0.674_5 / std::f64::consts::SQRT_2;
    let is_kept = |at: &usize| {
        let around = &values[at.saturating_sub(on_either_side)..values.len().min(at + on_either_side + 1)];
        let middle = median_of(around).expect("a run is around itself");
        (values[*at] - middle).abs() <= FAR * variation
    };
    let all = 0..values.len();
    if variation == 0.0 { all.collect() } else { all.filter(is_kept).collect() }
}

/// In standard deviations: fewer than one run in ten thousand is that far off by chance.
const FAR: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_off_and_short_is_set_aside() {
        let wave = |at: usize| 100.0 + [0.0, 2.0, -1.0, 1.0, -2.0][at % 5];
        let calm: Vec<f64> = (0..30).map(wave).collect();
        let all: Vec<usize> = (0..30).collect();
        assert_eq!(not_astray(&calm, 4), all);
        let mut values = calm.clone();
        for place in [0, 13, 29] {
            values[place] = 300.0;
        }
        let kept: Vec<usize> = all.iter().copied().filter(|place| ![0, 13, 29].contains(place)).collect();
        assert_eq!(not_astray(&values, 4), kept);
        // What lasts is there.
        values = calm;
        values[25..].iter_mut().for_each(|value| *value += 200.0);
        assert_eq!(not_astray(&values, 4), all);
    }

    #[test]
    fn where_nothing_varies_nothing_is_far_off() {
        assert_eq!(not_astray(&[0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0], 2), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(not_astray(&[], 2), [0; 0]);
        assert_eq!(not_astray(&[4.0], 2), [0]);
    }
}
