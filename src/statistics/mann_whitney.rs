//! Whether one set's values are larger than the other's, by their ranks alone: the test of Mann and Whitney 1947, "On a
//! Test of Whether one of Two Random Variables is Stochastically Larger than the Other". It assumes no shape of the
//! variation between runs, and one run that went astray weighs no more than any other.

use serde::Serialize;
use statrs::function::erf::erfc;

/// What the ranks say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RankTest {
    /// Of how many pairs of a run of each set the contender's is the larger one; ties count half.
    pub u: f64,
    /// How often sets of runs of the same thing differ in their ranks at least as much, in either direction. 0 to 1.
    pub p: f64,
    /// Counted over all orders of the runs; otherwise by the normal distribution, which it is close to.
    pub exact: bool,
}

/// Sets up to this size, without ties, are judged over all orders of their runs; R's `wilcox.test` draws the line there
/// too.
const LARGEST_EXACT: usize = 50;

/// Compares two sets that are not empty.
pub fn mann_whitney(baseline: &[f64], contender: &[f64]) -> RankTest {
    let (m, n) = (baseline.len(), contender.len());
    let mut all: Vec<(f64, bool)> = baseline.iter().map(|value| (*value, false)).collect();
    all.extend(contender.iter().map(|value| (*value, true)));
    // 0 and -0 are the same.
    all.sort_by(|one, other| (one.0 + 0.0).total_cmp(&(other.0 + 0.0)));
    let mut rank_sum = 0.0;
    let mut ties = 0.0;
    let mut before = 0;
    for tied in all.chunk_by(|one, other| one.0 == other.0) {
        let count = tied.len() as f64;
        let ours = tied.iter().filter(|(_, is_contender)| *is_contender).count() as f64;
        rank_sum += ours * (before as f64 + (count + 1.0) / 2.0);
        ties += count.powi(3) - count;
        before += tied.len();
    }
    let u = rank_sum - (n * (n + 1)) as f64 / 2.0;
    let exact = ties == 0.0 && m.max(n) <= LARGEST_EXACT;
    let p = if exact { exact_p(u.min((m * n) as f64 - u) as usize, m, n) } else { normal_p(u, m, n, ties) };
    RankTest { u, p, exact }
}

/// The smallest p that sets of so many runs can have: that of two sets that do not overlap.
pub fn smallest_p(m: usize, n: usize) -> f64 {
    // 2 / binomial(m + n, n), without its overflow
    (1..=n).fold(2.0, |p, at| p * at as f64 / (m + at) as f64)
}

/// Of all orders of the runs, the share with a `u` as small as this one or as large as its counterpart. The orders with
/// each `u` are the coefficients of a Gaussian binomial (Mann and Whitney 1947 give the same numbers by recursion;
/// Andrews 1976, "The Theory of Partitions", chapter 3, as a product), multiplied out in whole numbers.
fn exact_p(smaller: usize, m: usize, n: usize) -> f64 {
    // At most 100 choose 50, some 1e29, and its differences.
    let mut orders = vec![0_i128; m * n + 1];
    orders[0] = 1;
    for at in 1..=n {
        for u in (m + at..orders.len()).rev() {
            orders[u] -= orders[u - m - at];
        }
        for u in at..orders.len() {
            orders[u] += orders[u - at];
        }
    }
    let all: i128 = orders.iter().sum();
    let few: i128 = orders[..=smaller].iter().sum();
    (2.0 * few as f64 / all as f64).min(1.0)
}

/// The normal approximation, corrected for ties and continuity: Lehmann 1975, "Nonparametrics: Statistical Methods Based on
/// Ranks", chapter 1.
fn normal_p(u: f64, m: usize, n: usize, ties: f64) -> f64 {
    let pairs = (m * n) as f64;
    let runs = (m + n) as f64;
    let variance = pairs / 12.0 * (runs + 1.0 - ties / (runs * (runs - 1.0)));
    // All the same (or so much so that only rounding differs).
    if variance <= 1e-9 * pairs {
        return 1.0;
    }
    let z = ((u - pairs / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::synthetic::assert_close;

    /// From `scipy.stats.mannwhitneyu(contender, baseline, method="exact" | "asymptotic")` of SciPy 1.17.1.
    #[test]
    fn p_is_what_scipy_says() {
        let rising = |from: f64, step: f64, count: usize| (0..count).map(|at| from + step * at as f64).collect();
        type Reference = (Vec<f64>, Vec<f64>, f64, f64, bool);
        let references: [Reference; 6] = [
            (vec![20.0, 11.0, 17.0, 12.0], vec![19.0, 22.0, 16.0, 29.0, 24.0], 17.0, 0.111_111_111_111_111_1, true),
            (rising(100.0, 3.0, 10), rising(110.5, 2.0, 10), 70.0, 0.143_140_141_592_154, true),
            (rising(100.0, 3.0, 50), rising(110.5, 2.8, 30), 526.0, 0.025_725_903_868_835_855, true),
            (rising(100.0, 3.0, 50), rising(140.5, 2.8, 50), 1_789.0, 0.000_158_204_809_025_429_26, true),
            (
                vec![1.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0],
                vec![3.0, 3.0, 4.0, 5.0, 5.0, 6.0],
                31.0,
                0.163_923_395_308_995_7,
                false,
            ),
            (rising(100.0, 3.0, 60), rising(150.5, 2.0, 60), 2_220.0, 0.027_679_157_750_556_11, false),
        ];
        for (baseline, contender, u, p, exact) in references {
            let test = mann_whitney(&baseline, &contender);
            assert_eq!((test.u, test.exact), (u, exact));
            // The error function that the normal distribution needs is good to ten digits.
            assert_close(test.p, p, if exact { 1e-14 } else { 1e-10 });
        }
    }

    #[test]
    fn the_counts_of_orders_are_those_of_the_published_table() {
        // Mann and Whitney 1947, table I: n = 5, m = 5: P(U <= 0) = .004, (U <= 2) = .016, (U <= 4) = .048; n = m = 8: P(U
        // <= 13) = .025, each one-sided.
        for (u, m, n, p) in [(0, 5, 5, 0.004), (2, 5, 5, 0.016), (4, 5, 5, 0.048), (13, 8, 8, 0.025)] {
            assert_close(exact_p(u, m, n) / 2.0, p, 5.1e-4);
        }
    }

    #[test]
    fn the_smallest_p_is_that_of_sets_apart() {
        for (m, n) in [(1, 1), (5, 5), (10, 10), (3, 12), (50, 50)] {
            assert_close(smallest_p(m, n), exact_p(0, m, n), 1e-12);
        }
        assert_close(smallest_p(5, 5), 2.0 / 252.0, 1e-15);
        assert!(smallest_p(1_000, 1_000) < 1e-300);
    }

    #[test]
    fn swapped_sets_mirror_each_other() {
        let (few, more) = ([1.0, 4.0, 2.0], [3.0, 5.0, 6.0, 0.5]);
        let (one, other) = (mann_whitney(&few, &more), mann_whitney(&more, &few));
        assert_eq!(one.u + other.u, 12.0);
        assert_eq!(one.p, other.p);
    }

    #[test]
    fn the_normal_distribution_comes_close_to_the_count() {
        let worst = (0..=200).map(|u| (normal_p(u as f64, 20, 20, 0.0) - exact_p(u, 20, 20)).abs()).fold(0.0, f64::max);
        println!("20 against 20 runs: the normal distribution is off by at most {worst:.4}");
        assert!(worst < 0.005);
    }

    #[test]
    fn what_is_all_the_same_differs_in_nothing() {
        for count in [1, 5, 60] {
            let same = vec![7.0; count];
            let test = mann_whitney(&same, &same);
            assert_eq!((test.p, test.u), (1.0, (count * count) as f64 / 2.0));
        }
        assert_eq!(mann_whitney(&[0.0, -0.0], &[-0.0, 0.0]).p, 1.0);
    }
}
