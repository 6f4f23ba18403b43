//! The Universal Scalability Law: throughput as a function of load.

use schemars::JsonSchema;
use serde::Serialize;

/// `X(N) = unit N / (1 + contention (N - 1) + coherence N (N - 1))` (Gunther 1993, "A simple capacity model of
/// massively parallel transaction systems"; Gunther 2007, "Guerrilla Capacity Planning", chapter 4, there with C(N) =
/// X(N) / X(1)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Curve {
    /// Throughput of a load of one (λ).
    pub unit: f64,
    /// The part of the work that waits for its turn, from 0 to 1 (σ).
    pub contention: f64,
    /// What each pair costs that has to agree, from 0 (κ).
    pub coherence: f64,
}

impl Curve {
    /// Throughput at a load.
    pub fn at(&self, load: f64) -> f64 {
        self.unit * load / self.drag(load)
    }

    /// The load with the highest throughput: `sqrt((1 - contention) / coherence)`, found where the derivative is zero.
    /// `None` where throughput rises for ever.
    pub fn peak(&self) -> Option<f64> {
        (self.coherence > 0.0 && self.contention < 1.0).then(|| ((1.0 - self.contention) / self.coherence).sqrt())
    }

    /// What throughput is slowed down by.
    pub fn drag(&self, load: f64) -> f64 {
        1.0 + self.contention * (load - 1.0) + self.coherence * load * (load - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throughput_is_highest_at_the_peak() {
        let curve = Curve { unit: 1_000.0, contention: 0.03, coherence: 0.0004 };
        let peak = curve.peak().expect("there is one");
        assert!((peak - 49.244_289_008_980_52).abs() < 1e-9, "{peak}");
        assert!(curve.at(peak) > curve.at(peak - 0.1) && curve.at(peak) > curve.at(peak + 0.1));
        assert_eq!(curve.at(1.0), 1_000.0);
        // 2,000 / (1 + 0.03 + 0.0008)
        assert!((curve.at(2.0) - 1_940.240_589_833_139).abs() < 1e-9);
    }

    #[test]
    fn without_coherence_throughput_rises_for_ever() {
        let curve = Curve { unit: 10.0, contention: 0.1, coherence: 0.0 };
        assert_eq!(curve.peak(), None);
        assert!(curve.at(1e9) < 100.0, "Amdahl's law: at most unit / contention");
    }
}
