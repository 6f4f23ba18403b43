//! When a row of sub-trials has said enough: tests that may be looked at after every sub-trial.
//!
//! A test that is repeated after every sub-trial until it says yes is wrong far more often than once in so many times
//! (Armitage, McPherson, Rowe 1969, "Repeated significance tests on accumulating data"). What is used here are
//! *e-values*: a bet against a claim at fair odds, whose stake cannot be expected to grow as long as the claim is true.
//! By Ville's inequality (1939; see Ramdas, Grünwald, Vovk, Shafer 2023, "Game-theoretic statistics and safe
//! anytime-valid inference") it ever reaches `1 / risk` with a probability of at most `risk`, however often one looks
//! and whenever one stops. This is Wald's sequential probability ratio test (1945) in its one-sided form, with a
//! mixture for the alternative (Robbins 1970, "Statistical methods related to the law of the iterated logarithm").

/// The stake won against "at least `share` of all sub-trials exceed the limit" by so many that held and so many that
/// exceeded it. The alternative is a mixture: every share below is as likely.
///
/// The likelihood ratio under a uniform mixture on (0, share) is an incomplete beta function, which for whole numbers
/// is a sum of binomial terms (Abramowitz, Stegun 1964, 26.5.24).
pub fn stake_against_exceeding(share: f64, held: u32, exceeded: u32) -> f64 {
    if share <= 0.0 {
        // Nothing is below it: no claim to win against.
        return 0.0;
    }
    let (held, exceeded) = (f64::from(held), f64::from(exceeded));
    let trials = held + exceeded + 1.0;
    // Of the binomial terms of `trials` those with more than `exceeded`, each divided by share^exceeded (1-share)^held
    // and by the leading binomial coefficient, so that nothing overflows.
    let mut term = 1.0;
    let mut sum = 0.0;
    let mut more = exceeded + 1.0;
    while more <= trials {
        sum += term;
        term *= (trials - more) / (more + 1.0) * share / (1.0 - share);
        more += 1.0;
    }
    // C(trials, exceeded + 1) / (trials * C(trials - 1, exceeded)) = 1 / (exceeded + 1); share^(exceeded + 1) /
    // share^exceeded leaves one share, which the density 1 / share of the mixture takes away again.
    sum / (exceeded + 1.0)
}

/// The stake won against "at most `share` of all sub-trials exceed the limit".
pub fn stake_against_holding(share: f64, held: u32, exceeded: u32) -> f64 {
    if share <= 0.0 {
        return if exceeded > 0 { f64::INFINITY } else { 1.0 };
    }
    stake_against_exceeding(1.0 - share, exceeded, held)
}

/// The stake won against "the mean is zero" by values from a normal distribution of unknown spread.
///
/// The likelihood ratio of the t-test under a normal mixture of effect sizes (mean by spread) with a variance of `1 /
/// EFFECT` (a Bayes factor in Gönen, Johnson, Lu, Westfall 2005, "The Bayesian two-sample t test"; that it may be
/// looked at any time, as a martingale of what does not depend on the scale, is shown in Wang, Ramdas 2023,
/// "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance", arXiv:2310.03722, after
/// Lai 1976, "On confidence sequences"). With t for the statistic of Student's test it is `(1 + n/EFFECT)^(-1/2) ((1 +
/// t^2/(n-1)) / (1 + t^2/((n-1)(1 + n/EFFECT))))^(n/2)`, here written by sums. It is two-sided: taken with the sign of
/// the mean at `1 / (2 risk)`, it errs to either side with a probability of at most `risk`, by symmetry.
pub fn stake_against_zero(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    let squares: f64 = values.iter().map(|value| value * value).sum();
    if values.len() < 2 || squares == 0.0 {
        return 1.0;
    }
    let whole = (count + EFFECT) * squares;
    (EFFECT / (count + EFFECT)).sqrt() * (whole / (whole - sum * sum)).powf(count / 2.0)
}

/// Bets on means of about twice the spread: those that sub-trials some way off the limit show.
const EFFECT: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn agreeing_sub_trials_win_the_stake_that_is_worked_out_by_hand() {
        // Against one half, n that agree win (2^(n+1) - 1) / (n + 1).
        for (agreeing, stake) in [(0, 1.0), (1, 1.5), (2, 7.0 / 3.0), (5, 10.5), (7, 31.875)] {
            assert!((stake_against_exceeding(0.5, agreeing, 0) - stake).abs() < 1e-12, "{agreeing}");
            assert!((stake_against_holding(0.5, 0, agreeing) - stake).abs() < 1e-12, "{agreeing}");
        }
        // 2 held and 1 exceeded: the integral of q (1-q)^2 from 0 to 1/2, twice, over (1/2)^3.
        let integral = 0.125 - 2.0 / 24.0 + 1.0 / 64.0;
        assert!((stake_against_exceeding(0.5, 2, 1) - 16.0 * integral).abs() < 1e-12);
    }

    #[test]
    fn where_nothing_may_exceed_one_is_enough_and_holding_is_never_shown() {
        assert_eq!(stake_against_holding(0.0, 100, 1), f64::INFINITY);
        assert_eq!(stake_against_holding(0.0, 100, 0), 1.0);
        assert_eq!(stake_against_exceeding(0.0, 100, 0), 0.0);
    }

    /// Of 2,000 rows of 60 sub-trials in which the claim is just true, the share in which the stake ever reached ten.
    fn wrong(ever: impl Fn(&mut ChaCha8Rng) -> bool) -> f64 {
        let rows = 2_000;
        let wrong = (0..rows).filter(|row| ever(&mut ChaCha8Rng::seed_from_u64(*row))).count();
        wrong as f64 / rows as f64
    }

    #[test]
    fn a_true_claim_is_rejected_no_more_often_than_the_risk_however_often_one_looks() {
        for share in [0.2, 0.5, 0.8] {
            let wrong = wrong(|dice| {
                let (mut held, mut exceeded) = (0, 0);
                (0..60).any(|_| {
                    let counted = if dice.random_bool(share) { &mut exceeded } else { &mut held };
                    *counted += 1;
                    stake_against_exceeding(share, held, exceeded) >= 10.0
                })
            });
            assert!(wrong > 0.0 && wrong <= 0.1, "{share}: {wrong}");
        }
    }

    #[test]
    fn a_mean_of_zero_is_rejected_no_more_often_than_the_risk() {
        let wrong = wrong(|dice| {
            let mut values = Vec::new();
            (0..60).any(|_| {
                // The sum of twelve uniform draws is nearly normal.
                values.push((0..12).map(|_| dice.random::<f64>()).sum::<f64>() - 6.0);
                stake_against_zero(&values) >= 10.0
            })
        });
        assert!(wrong > 0.0 && wrong <= 0.1, "{wrong}");
        assert!(stake_against_zero(&[-0.7, -0.71, -0.69]) > 10.0, "what is far from zero is seen at once");
        assert_eq!(stake_against_zero(&[0.0, 0.0, 0.0]), 1.0);
    }
}
