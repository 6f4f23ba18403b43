//! What several searches say of peers, taken together: how much one takes, and how that goes with more of them.

use rand::RngExt;

use crate::capacity::scaling::{LEAST_REPLICATES, Point, Scaling, ScalingError};
use crate::capacity::sizing::{Bounds, Measured, SizingError};

/// What one search has found of peers that took the load together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    pub peers: u32,
    pub bounds: Bounds,
}

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// In devices a second.
    pub rates: Vec<Finding>,
    /// In devices at once.
    pub storms: Vec<Finding>,
    /// Revocations a second that one peer was seen to do when many came at once.
    pub revoked_per_s: Option<f64>,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    pub measured: Measured,
    /// What so many peers take together; or why that is not known.
    pub curve: Result<Scaling, ScalingError>,
}

impl Evidence {
    /// What it comes to. One peer is taken to do the least that any search says of one. A curve over the numbers of peers
    /// goes through what is known to be kept.
    ///
    /// # Errors
    /// [`SizingError`] where no rate is known, or what was found is none.
    pub fn weigh(&self, dice: &mut impl RngExt) -> Result<Weighed, SizingError> {
        for finding in self.rates.iter().chain(&self.storms) {
            finding.bounds.check("what peers were found to take")?;
        }
        let per_s = least_of_one(&self.rates).ok_or(SizingError::NothingKnown)?;
        let points = self.rates.iter();
        let points: Vec<Point> =
            points.map(|finding| Point { load: f64::from(finding.peers), throughput: finding.bounds.lower }).collect();
        let curve = Scaling::fit(&points, LEAST_REPLICATES, dice);
        let storm = least_of_one(&self.storms);
        Ok(Weighed { measured: Measured { per_s, storm, revoked_per_s: self.revoked_per_s }, curve })
    }
}

impl Finding {
    /// What falls to one of them.
    fn of_one(&self) -> Bounds {
        let peers = f64::from(self.peers);
        Bounds { lower: self.bounds.lower / peers, upper: self.bounds.upper.map(|upper| upper / peers) }
    }
}

fn least_of_one(findings: &[Finding]) -> Option<Bounds> {
    findings.iter().map(Finding::of_one).min_by(|one, other| one.lower.total_cmp(&other.lower))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    fn finding(peers: u32, lower: f64) -> Finding {
        Finding { peers, bounds: Bounds { lower, upper: Some(lower * 1.05) } }
    }

    fn weigh(evidence: &Evidence) -> Result<Weighed, SizingError> {
        evidence.weigh(&mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn one_peer_is_taken_to_do_the_least_that_was_seen() {
        let storms = vec![finding(1, 6_000.0)];
        let evidence = Evidence { rates: vec![finding(1, 25.0), finding(4, 88.0)], storms, revoked_per_s: Some(40.0) };
        let Weighed { measured, curve } = weigh(&evidence).expect("a rate");
        assert_eq!((measured.per_s.lower, measured.storm.map(|storm| storm.lower)), (22.0, Some(6_000.0)));
        assert!((measured.per_s.upper.expect("it was met") - 23.1).abs() < 1e-9);
        assert_eq!(measured.revoked_per_s, Some(40.0));
        assert!(matches!(curve, Err(ScalingError::TooFew { found: 2, .. })), "{curve:?}");
    }

    #[test]
    fn six_numbers_of_peers_make_a_curve() {
        let rates = [1, 2, 3, 4, 6, 8]
            .map(|peers| finding(peers, 25.0 * f64::from(peers) / (1.0 + 0.05 * f64::from(peers - 1))));
        let weighed = weigh(&Evidence { rates: rates.to_vec(), ..Evidence::default() }).expect("rates");
        let curve = weighed.curve.expect("a curve");
        assert!((curve.contention.value - 0.05).abs() < 1e-6, "{:?}", curve.contention);
    }

    #[test]
    fn without_a_rate_nothing_is_known_and_what_is_none_is_refused() {
        assert_eq!(
            weigh(&Evidence { storms: vec![finding(1, 10.0)], ..Evidence::default() }),
            Err(SizingError::NothingKnown)
        );
        let wrong = weigh(&Evidence { rates: vec![finding(1, 0.0)], ..Evidence::default() });
        assert!(matches!(wrong, Err(SizingError::NotPositive { found: 0.0, .. })));
    }
}
