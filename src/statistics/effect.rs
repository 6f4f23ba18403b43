//! How large a difference is, whatever the unit.

use serde::Serialize;

use crate::statistics::median::median;

/// How far two sets are apart in their order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// How often a run of the contender has a larger value than one of the baseline, ties counting half: 0 to 1, 0.5 for
    /// sets alike. It is A of Vargha and Delaney 2000, "A Critique and Improvement of the CL Common Language Effect Size
    /// Statistics of McGraw and Wong".
    pub probability_larger: f64,
    /// The same from -1 to 1, 0 for sets alike: delta of Cliff 1993, "Dominance Statistics".
    pub delta: f64,
    pub size: Size,
}

/// A word for it; the limits are those of Vargha and Delaney 2000: 0.56, 0.64 and 0.71, and their mirror images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    Negligible,
    Small,
    Medium,
    Large,
}

impl Effect {
    /// Of the `u` of the rank test, between sets that are not empty.
    pub fn of(u: f64, baseline: usize, contender: usize) -> Effect {
        let probability_larger = u / (baseline * contender) as f64;
        // A hair of tolerance, that a limit itself belongs to what it begins.
        let size = match (probability_larger - 0.5).abs() + 1e-12 {
            apart if apart < 0.06 => Size::Negligible,
            apart if apart < 0.14 => Size::Small,
            apart if apart < 0.21 => Size::Medium,
            _ => Size::Large,
        };
        Effect { probability_larger, delta: 2.0 * probability_larger - 1.0, size }
    }
}

/// By how much the contender's values are shifted: the median of the differences of all pairs, which is the shift that the
/// rank test sees (Hodges and Lehmann 1963, "Estimates of Location Based on Rank Tests"). `None`: a set is empty.
pub fn hodges_lehmann(baseline: &[f64], contender: &[f64]) -> Option<f64> {
    let mut differences: Vec<f64> =
        contender.iter().flat_map(|theirs| baseline.iter().map(move |ours| theirs - ours)).collect();
    median(&mut differences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::mann_whitney::mann_whitney;
    use crate::statistics::synthetic::assert_close;

    fn effect(baseline: &[f64], contender: &[f64]) -> Effect {
        Effect::of(mann_whitney(baseline, contender).u, baseline.len(), contender.len())
    }

    #[test]
    fn an_effect_says_how_often_the_contender_is_larger() {
        // of 3 × 2 pairs: 5 > 1, 5 > 2, 5 > 3, 2 > 1, 2 = 2, 2 < 3
        let some = effect(&[1.0, 2.0, 3.0], &[5.0, 2.0]);
        assert_close(some.probability_larger, 4.5 / 6.0, 1e-15);
        assert_close(some.delta, 0.5, 1e-15);
        assert_eq!(some.size, Size::Large);
        assert_eq!(effect(&[1.0, 2.0], &[3.0, 4.0]).delta, 1.0);
        assert_eq!(effect(&[3.0, 4.0], &[1.0, 2.0]).delta, -1.0);
    }

    #[test]
    fn a_size_begins_at_its_limit() {
        for (u, size) in [
            (50.0, Size::Negligible),
            (55.0, Size::Negligible),
            (56.0, Size::Small),
            (64.0, Size::Medium),
            (71.0, Size::Large),
            (44.0, Size::Small),
            (29.0, Size::Large),
        ] {
            assert_eq!(Effect::of(u, 10, 10).size, size, "{u}");
        }
    }

    #[test]
    fn the_shift_is_the_middle_of_all_differences() {
        assert_eq!(hodges_lehmann(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]), Some(10.0));
        // differences 1, 4, 0, 3: by hand
        assert_eq!(hodges_lehmann(&[1.0, 2.0], &[2.0, 5.0]), Some(2.0));
        assert_eq!(hodges_lehmann(&[], &[2.0]), None);
    }
}
