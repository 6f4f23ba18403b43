//! What several searches say of peers, taken together: how much one takes, and how that goes with more of them.

use rand::RngExt;

use crate::capacity::scaling::{LEAST_REPLICATES, Point, Scaling, ScalingError};
use crate::capacity::sizing::{Bounds, Measured, SizingError, Together};

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
    pub together: Together,
    /// Why there is no curve, where there is none.
    pub no_curve: Option<ScalingError>,
}

impl Evidence {
    /// What it comes to. One peer is taken to do the least that any search says of one. A curve over the numbers of peers
    /// goes through what is known to be kept; without one, so many peers take so many times as much as long as no two
    /// searches say otherwise.
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
        let (together, no_curve) = match Scaling::fit(&points, LEAST_REPLICATES, dice) {
            Ok(curve) => (Together::Curve(Box::new(curve)), None),
            Err(error) if are_alike(&self.rates) => (Together::Proportional, Some(error)),
            Err(error) => (Together::AsMeasured(self.rates.clone()), Some(error)),
        };
        let of_one = self.rates.iter().filter(|finding| finding.peers == 1).map(|finding| finding.bounds.lower);
        let one_per_s = match (of_one.reduce(f64::min), &together) {
            (None, Together::Curve(curve)) => curve.predict(1.0).ok().map(|estimate| estimate.value),
            (measured, _) => measured,
        };
        let measured =
            Measured { per_s, one_per_s, storm: least_of_one(&self.storms), revoked_per_s: self.revoked_per_s };
        Ok(Weighed { measured, together, no_curve })
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

/// Whether one peer may do the same by all of them: no lower bound is above an upper one.
fn are_alike(findings: &[Finding]) -> bool {
    let of_one = || findings.iter().map(Finding::of_one);
    let highest = of_one().map(|bounds| bounds.lower).fold(0.0, f64::max);
    of_one().all(|bounds| bounds.upper.is_none_or(|upper| highest <= upper))
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
        let evidence = Evidence { rates: vec![finding(1, 25.0), finding(4, 98.0)], storms, revoked_per_s: Some(40.0) };
        let Weighed { measured, together, no_curve } = weigh(&evidence).expect("a rate");
        assert_eq!((measured.per_s.lower, measured.one_per_s), (24.5, Some(25.0)));
        assert_eq!((measured.storm.map(|storm| storm.lower), measured.revoked_per_s), (Some(6_000.0), Some(40.0)));
        assert_eq!(together, Together::Proportional, "24.5 to 25.7 and 25 to 26.25 go together");
        assert!(matches!(no_curve, Some(ScalingError::TooFew { found: 2, .. })), "{no_curve:?}");
    }

    #[test]
    fn peers_that_were_seen_to_share_something_are_not_taken_for_others() {
        let rates = vec![finding(1, 25.0), finding(8, 40.0)];
        let weighed = weigh(&Evidence { rates: rates.clone(), ..Evidence::default() }).expect("rates");
        assert_eq!(weighed.together, Together::AsMeasured(rates));
        // What one of several does alone is not known.
        let weighed = weigh(&Evidence { rates: vec![finding(4, 40.0)], ..Evidence::default() }).expect("a rate");
        assert_eq!((weighed.measured.per_s.lower, weighed.measured.one_per_s), (10.0, None));
    }

    #[test]
    fn six_numbers_of_peers_make_a_curve() {
        let rate = |peers: u32| finding(peers, 25.0 * f64::from(peers) / (1.0 + 0.05 * f64::from(peers - 1)));
        let of = |peers: [u32; 6]| {
            weigh(&Evidence { rates: peers.map(rate).to_vec(), ..Evidence::default() }).expect("rates")
        };
        let weighed = of([1, 2, 3, 4, 6, 8]);
        let Together::Curve(curve) = &weighed.together else { panic!("{weighed:?}") };
        assert!((curve.contention.value - 0.05).abs() < 1e-6, "{:?}", curve.contention);
        assert_eq!(weighed.measured.one_per_s, Some(25.0));
        // By its form, the law is known down to one.
        let one = of([2, 3, 4, 6, 8, 12]).measured.one_per_s.expect("the curve says so");
        assert!((one - 25.0).abs() < 1e-3, "{one}");
    }

    #[test]
    fn without_a_rate_nothing_is_known_and_what_is_none_is_refused() {
        let storms = vec![finding(1, 10.0)];
        assert_eq!(weigh(&Evidence { storms, ..Evidence::default() }), Err(SizingError::NothingKnown));
        let wrong = weigh(&Evidence { rates: vec![finding(1, 0.0)], ..Evidence::default() });
        assert!(matches!(wrong, Err(SizingError::NotPositive { found: 0.0, .. })));
    }
}
