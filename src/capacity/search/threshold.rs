//! Where a limit is met, most likely: an estimate from all sub-trials, to choose the next loads by. It decides nothing.

/// What was seen at one load.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub load: f64,
    pub held: u32,
    pub exceeded: u32,
}

/// The mean of the threshold given all that was seen, among thresholds between two loads.
///
/// As in adaptive psychophysics (Watson, Pelli 1983, "QUEST: a Bayesian adaptive psychometric method"; the spread as a
/// second unknown after Kontsevich, Tyler 1999, "Bayesian adaptive estimation of psychometric slope and threshold"):
/// the chance that a sub-trial exceeds the limit is a logistic curve over the logarithm of the load, which is `share`
/// at the threshold; every threshold of the range and every spread, by its logarithm, is as likely beforehand.
pub fn likely_threshold(seen: &[Seen], share: f64, low: f64, high: f64) -> f64 {
    let share = share.clamp(0.02, 0.98);
    let odds = (share / (1.0 - share)).ln();
    let (from, to) = (low.ln(), high.ln());
    let logs: Vec<f64> = seen.iter().map(|seen| seen.load.ln()).collect();
    let mut weighed: Vec<(f64, f64)> = Vec::with_capacity(THRESHOLDS * SPREADS.len());
    for number in 0..THRESHOLDS {
        let threshold = from + (to - from) * (number as f64 + 0.5) / THRESHOLDS as f64;
        for spread in SPREADS {
            let mut weight = 0.0;
            for (seen, log) in seen.iter().zip(&logs) {
                let at = (log - threshold) / spread + odds;
                let exceeds = LAPSE + (1.0 - 2.0 * LAPSE) / (1.0 + (-at).exp());
                weight += f64::from(seen.exceeded) * exceeds.ln() + f64::from(seen.held) * (1.0 - exceeds).ln();
            }
            weighed.push((threshold, weight));
        }
    }
    let most = weighed.iter().map(|(_, weight)| *weight).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut of) = (0.0, 0.0);
    for (threshold, weight) in weighed {
        let weight = (weight - most).exp();
        sum += threshold * weight;
        of += weight;
    }
    (sum / of).exp()
}

const THRESHOLDS: usize = 60;
/// The part of all sub-trials that come out the wrong way however far off the load is.
const LAPSE: f64 = 0.02;
/// The scale of the logistic curve in the logarithm of the load: from noise that shows within 1 % of the threshold to
/// noise that shows a quarter of the way to twice of it.
const SPREADS: [f64; 6] = [0.003, 0.006, 0.012, 0.025, 0.05, 0.1];
