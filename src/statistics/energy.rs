//! The best split of a series: where what comes before and what comes after are furthest apart, by the energy distance of
//! Székely and Rizzo 2005, "Hierarchical Clustering via Joint Between-Within Distances", as Matteson and James 2014, "A
//! Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data", section 2, use it.

/// Values whose order may be changed.
#[derive(Debug, Clone)]
pub struct Series {
    /// In rising order, relative to one of them, so that rounding errs by a share of the differences only.
    sorted: Vec<f64>,
    /// For each place in the series, which of them is there.
    ranks: Vec<usize>,
}

/// Where to split, and how far apart the parts are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// The place of the first value after it.
    pub at: usize,
    pub distance: f64,
}

impl Series {
    pub fn of(values: &[f64]) -> Series {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
        let middle = order.get(order.len() / 2).map_or(0.0, |at| values[*at]);
        let mut ranks = vec![0; values.len()];
        for (rank, at) in order.iter().enumerate() {
            ranks[*at] = rank;
        }
        Series { sorted: order.iter().map(|at| values[*at] - middle).collect(), ranks }
    }

    /// Which value is where: to be put into another order, and only that.
    pub fn order(&mut self) -> &mut [usize] {
        &mut self.ranks
    }

    /// The best split that leaves at least so many values on either side, the earliest of equals. `None`: there is none.
    ///
    /// What is compared is Q of Matteson and James 2014 (section 2, with alpha = 1): m n / (m + n) times twice
    /// the mean distance between the parts, less the mean distances within them. Its three sums are kept while the split
    /// moves on by one, each from how many values are smaller than the one that changes sides, and what these sum up to: a
    /// series of n values takes n log n steps, and no table of n × n distances.
    pub fn best_split(&self, least: usize) -> Option<Split> {
        let count = self.ranks.len();
        let least = least.max(2);
        if count < 2 * least {
            return None;
        }
        let before = self.distances_within(self.ranks.iter());
        let after = self.distances_within(self.ranks.iter().rev());
        let all = before[count];
        let pairs = |count: usize| (count * (count - 1) / 2) as f64;
        let split = |at: usize| {
            let (first, second) = (at, count - at);
            let (within_first, within_second) = (before[first], after[second]);
            let across = all - within_first - within_second;
            let (m, n) = (first as f64, second as f64);
            let apart = 2.0 * across / (m * n) - within_first / pairs(first) - within_second / pairs(second);
            Split { at, distance: m * n / (m + n) * apart }
        };
        (least..=count - least).map(split).reduce(|best, next| if next.distance > best.distance { next } else { best })
    }

    /// The sum of the distances of all pairs among the first 0, 1, 2 ... values.
    fn distances_within<'r>(&self, ranks: impl Iterator<Item = &'r usize>) -> Vec<f64> {
        let mut present = Sums::none(self.sorted.len());
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for rank in ranks {
            let value = self.sorted[*rank];
            let (fewer, total_of_fewer) = present.below(*rank);
            let (more, total_of_more) = (present.count - fewer, present.total - total_of_fewer);
            sum += fewer * value - total_of_fewer + total_of_more - more * value;
            present.add(*rank, value);
            sums.push(sum);
        }
        sums
    }
}

/// How many values are present below any rank, and what they sum up to: the tree of Fenwick 1994, "A New Data Structure for
/// Cumulative Frequency Tables".
struct Sums {
    /// Count and sum of the ranks that each node stands for.
    nodes: Vec<(f64, f64)>,
    count: f64,
    total: f64,
}

impl Sums {
    fn none(ranks: usize) -> Sums {
        Sums { nodes: vec![(0.0, 0.0); ranks + 1], count: 0.0, total: 0.0 }
    }

    fn add(&mut self, rank: usize, value: f64) {
        self.count += 1.0;
        self.total += value;
        let mut node = rank + 1;
        while node < self.nodes.len() {
            let (count, sum) = &mut self.nodes[node];
            *count += 1.0;
            *sum += value;
            node += node & node.wrapping_neg();
        }
    }

    fn below(&self, rank: usize) -> (f64, f64) {
        let mut below = (0.0, 0.0);
        let mut node = rank;
        while node > 0 {
            let (count, sum) = self.nodes[node];
            below = (below.0 + count, below.1 + sum);
            node &= node - 1;
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::synthetic::{Dice, Shape, assert_close};

    /// Pair by pair, as the formula reads.
    fn plain_distance(first: &[f64], second: &[f64]) -> f64 {
        let (m, n) = (first.len() as f64, second.len() as f64);
        let sum = |ours: &[f64], theirs: &[f64]| -> f64 {
            ours.iter().map(|one| theirs.iter().map(|other| (one - other).abs()).sum::<f64>()).sum()
        };
        let within = |part: &[f64]| sum(part, part) / 2.0 / (part.len() * (part.len() - 1) / 2) as f64;
        m * n / (m + n) * (2.0 * sum(first, second) / (m * n) - within(first) - within(second))
    }

    #[test]
    fn the_quick_way_finds_what_the_plain_one_finds() {
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let mut values = dice.runs(17, 1e6, 1e-3, Shape::Normal);
            values.extend(dice.runs(9, 1e6 + 500.0, 1e-3, Shape::Normal));
            values[3] = values[20];
            let plain = (3..=values.len() - 3)
                .map(|at| (at, plain_distance(&values[..at], &values[at..])))
                .max_by(|one, other| one.1.total_cmp(&other.1))
                .expect("there are splits");
            let quick = Series::of(&values).best_split(3).expect("there are splits");
            assert_eq!(quick.at, plain.0);
            assert_close(quick.distance, plain.1, 1e-6 * plain.1.abs());
        }
    }

    #[test]
    fn a_series_too_short_has_no_split() {
        assert_eq!(Series::of(&[]).best_split(1), None);
        assert_eq!(Series::of(&[1.0, 2.0, 3.0]).best_split(1), None);
        assert_eq!(Series::of(&[1.0, 1.0, 3.0, 3.0]).best_split(1).map(|split| split.at), Some(2));
        assert_eq!(Series::of(&[7.0; 9]).best_split(2), Some(Split { at: 2, distance: 0.0 }));
    }
}
