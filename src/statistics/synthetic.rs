//! Made-up sets of runs for tests: the truth about them is known.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// How the runs of a set vary around their median.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Normal,
    Lognormal,
    /// Normal, but one run in ten, on average, takes three times as long.
    Astray,
}

/// Runs without end.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Standard normal: Box and Muller 1958, "A Note on the Generation of Random Normal Deviates".
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.share(), self.share());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    /// Evenly between 0 and 1.
    pub fn share(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// So many runs around a median, with a standard deviation of so large a share of it.
    pub fn runs(&mut self, count: usize, median: f64, variation: f64, shape: Shape) -> Vec<f64> {
        let mut run = || match shape {
            Shape::Normal => median * (1.0 + variation * self.normal()),
            // For small variations sigma is the relative standard deviation; sqrt(ln(1 + v²)) is exact.
            Shape::Lognormal => median * (variation.mul_add(variation, 1.0).ln().sqrt() * self.normal()).exp(),
            Shape::Astray if self.share() < 0.1 => 3.0 * median,
            Shape::Astray => median * (1.0 + variation * self.normal()),
        };
        (0..count).map(|_| run()).collect()
    }
}

pub fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not within {tolerance} of {expected}");
}
