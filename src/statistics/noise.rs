//! How much runs of the same thing differ.

use crate::statistics::median::median_of;

/// The standard deviation between runs of one set, in the metric's unit, such that a few runs that went astray hardly move
/// it. `None`: a single run does not differ from itself.
///
/// It is the standard deviation of the runs that did not go astray: that is of those within four standard deviations of the
/// median, as Qn measures them first ("reweighted" as in Rousseeuw and Leroy 1987, "Robust Regression and Outlier Detection",
/// chapter 4). Qn alone would err by a fifth to a third more with ten or five runs, and say of too many sets that they are too
/// few. It is a little small, by a twentieth for five runs and by a hundredth for ten. Where so many runs are the same that Qn
/// is 0 although they are not all the same, all of them count: it errs towards more noise.
pub fn run_variation(values: &[f64]) -> Option<f64> {
    let robust = qn(values)?;
    let middle = median_of(values)?;
    let is_kept = |value: &f64| robust == 0.0 || (value - middle).abs() <= ASTRAY * robust;
    let kept: Vec<f64> = values.iter().copied().filter(is_kept).collect();
    Some(if kept.len() < 2 { robust } else { standard_deviation(&kept) })
}

/// How many standard deviations from the median a run has gone astray: were they known, fewer than one in ten thousand would
/// be that far off by chance.
const ASTRAY: f64 = 4.0;

/// Qn of Rousseeuw and Croux 1993, "Alternatives to the Median Absolute Deviation", section 3: the distance that about a
/// quarter of all pairs of runs stay below. It needs no centre, and stands as many runs astray as any estimate can, which is
/// half of them.
fn qn(values: &[f64]) -> Option<f64> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mut distances = Vec::with_capacity(count * (count - 1) / 2);
    for (at, value) in values.iter().enumerate() {
        distances.extend(values[..at].iter().map(|other| (value - other).abs()));
    }
    let half = count / 2 + 1;
    let (_, quarter, _) = distances.select_nth_unstable_by(half * (half - 1) / 2 - 1, f64::total_cmp);
    Some(NORMAL * *quarter * small_set(count))
}

/// Makes Qn the standard deviation of normal values: 1 / (sqrt(2) × the 5/8 quantile of the normal distribution).
const NORMAL: f64 = 2.219_14;

/// What makes it right on average for small sets: Croux and Rousseeuw 1992, "Time-Efficient Algorithms for Two Highly Robust
/// Estimators of Scale".
fn small_set(count: usize) -> f64 {
    const FEW: [f64; 8] = [0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872];
    let runs = count as f64;
    match count {
        ..=9 => FEW[count - 2],
        _ if count % 2 == 1 => runs / (runs + 1.4),
        _ => runs / (runs + 3.8),
    }
}

fn standard_deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value / count).sum::<f64>();
    // Values that are all the same have no deviation, whatever rounding makes of their mean.
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::synthetic::{Dice, Shape, assert_close};

    #[test]
    fn it_is_the_standard_deviation_of_normal_runs_on_average() {
        for (count, tolerance) in [(5, 0.6), (6, 0.4), (9, 0.2), (10, 0.2), (11, 0.2), (20, 0.1), (50, 0.1)] {
            let mut dice = Dice::new(count as u64);
            let each = |_| dice.runs(count, 100.0, 0.04, Shape::Normal);
            let sets: Vec<Vec<f64>> = (0..4_000).map(each).collect();
            let of_sets = |of: &dyn Fn(&[f64]) -> Option<f64>| {
                let square = |set: &Vec<f64>| of(set).expect("two or more runs").powi(2);
                (sets.iter().map(square).sum::<f64>() / 4_000.0).sqrt()
            };
            let (found, plain) = (of_sets(&run_variation), of_sets(&|set| Some(standard_deviation(set))));
            println!("{count} runs that vary by 4: found to vary by {found:.2}, by {plain:.2} if all of them count");
            assert_close(found, 4.0, tolerance);
        }
    }

    #[test]
    fn the_robust_estimate_is_right_on_average() {
        for count in [2, 3, 4, 5, 8, 9, 10, 11, 20, 50] {
            let mut dice = Dice::new(count as u64);
            let each = |_| qn(&dice.runs(count, 100.0, 0.04, Shape::Normal)).expect("two or more runs");
            let mean = (0..4_000).map(each).sum::<f64>() / 4_000.0;
            assert_close(mean, 4.0, 0.12);
        }
    }

    #[test]
    fn a_run_that_went_astray_hardly_moves_it() {
        let calm = [98.0, 103.0, 101.0, 96.0, 100.0, 104.0, 99.0, 97.0, 102.0, 100.0];
        let mut astray = calm;
        astray[3] = 900.0;
        let of = |runs: &[f64]| run_variation(runs).expect("ten runs");
        assert!(of(&astray) < 1.5 * of(&calm), "{} {}", of(&astray), of(&calm));
        assert!(standard_deviation(&astray) > 90.0 * standard_deviation(&calm));
    }

    #[test]
    fn it_is_nothing_only_where_nothing_varies() {
        assert_eq!(run_variation(&[]), None);
        assert_eq!(run_variation(&[3.0]), None);
        assert_eq!(run_variation(&[0.1; 7]), Some(0.0));
        let mostly_none = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 9.0];
        assert_close(run_variation(&mostly_none).expect("ten runs"), standard_deviation(&mostly_none), 0.0);
        assert!(run_variation(&[1e100, -1e100, 1e100]).is_some_and(f64::is_finite));
    }
}
