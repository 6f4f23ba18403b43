//! The curve with the least squares of relative deviations.
//!
//! Deviations are taken between logarithms, since throughput is measured with noise that is a part of it; least squares
//! of the differences would let the largest loads decide alone. The minimum is sought by Levenberg-Marquardt (Marquardt
//! 1963, "An algorithm for least-squares estimation of nonlinear parameters"), with steps that are cut at the ends of
//! what contention and coherence can be; a parameter that lies at an end and is drawn outwards is held there for that
//! step.

use crate::capacity::scaling::Point;
use crate::capacity::scaling::curve::Curve;

/// The curve of least squares for points that are all above zero.
pub fn fit(points: &[Point]) -> Curve {
    // From both ends of what is likely: a surface with two valleys is not unheard of, and this costs next to nothing.
    let most = points.iter().map(|point| point.load).fold(0.0, f64::max);
    let starts = [(0.01, 0.01 / (most * most)), (0.2, 1.0 / (most * most))];
    let curves = starts.map(|(contention, coherence)| fit_from(points, &Curve { unit: 1.0, contention, coherence }));
    let [one, other] = curves;
    if squares(points, &one) <= squares(points, &other) { one } else { other }
}

/// The curve of least squares that is reached from another.
pub fn fit_from(points: &[Point], start: &Curve) -> Curve {
    let curve = descend(points, [start.unit.ln(), start.contention, start.coherence]);
    let most = points.iter().map(|point| point.load).fold(0.0, f64::max);
    let hair = HAIR * curve.drag(most);
    let or_nothing = |value: f64, weight: f64| if value * weight < hair { 0.0 } else { value };
    Curve {
        contention: or_nothing(curve.contention, most),
        coherence: or_nothing(curve.coherence, most * most),
        ..curve
    }
}

/// What changes no throughput by so small a part is nothing: a descent comes near the end of a range, not always onto
/// it.
const HAIR: f64 = 1e-6;

/// How far a point lies from a curve: the logarithm of what was measured by what is expected.
pub fn deviation(curve: &Curve, point: &Point) -> f64 {
    (point.throughput / curve.at(point.load)).ln()
}

/// The sum of the squares of all deviations.
pub fn squares(points: &[Point], curve: &Curve) -> f64 {
    points.iter().map(|point| deviation(curve, point).powi(2)).sum()
}

/// The logarithm of the unit, contention, coherence.
type Parameters = [f64; 3];

const MOST_STEPS: usize = 200;
/// A step that gains less than this part of the sum ends the descent.
const GAIN: f64 = 1e-12;

fn descend(points: &[Point], start: Parameters) -> Curve {
    let mut at = centred(points, start);
    let mut sum = squares(points, &curve(&at));
    let mut damping = 1e-3;
    for _ in 0..MOST_STEPS {
        let Some(step) = step(points, &at, damping) else { break };
        let next = centred(points, within([at[0] + step[0], at[1] + step[1], at[2] + step[2]]));
        let next_sum = squares(points, &curve(&next));
        if next_sum < sum {
            let gained = sum - next_sum;
            (at, sum) = (next, next_sum);
            damping = f64::max(damping / 10.0, 1e-12);
            if gained <= GAIN * sum {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    curve(&at)
}

fn curve(at: &Parameters) -> Curve {
    Curve { unit: at[0].exp(), contention: at[1], coherence: at[2] }
}

fn within(at: Parameters) -> Parameters {
    [at[0], at[1].clamp(0.0, 1.0), at[2].max(0.0)]
}

/// The best unit for the other two parameters is known: deviations are zero on average.
fn centred(points: &[Point], at: Parameters) -> Parameters {
    let curve = curve(&at);
    let mean = points.iter().map(|point| deviation(&curve, point)).sum::<f64>() / points.len() as f64;
    [at[0] + mean, at[1], at[2]]
}

/// By how much the expected logarithm at a load changes with each parameter.
fn slopes(curve: &Curve, load: f64) -> Parameters {
    let drag = curve.drag(load);
    [1.0, -(load - 1.0) / drag, -load * (load - 1.0) / drag]
}

/// The sums of products of slopes, in which parameters that are held take no part.
fn normal_matrix(points: &[Point], curve: &Curve, is_held: [bool; 3]) -> [[f64; 3]; 3] {
    let mut normal = [[0.0; 3]; 3];
    for point in points {
        let slopes = slopes(curve, point.load);
        for row in 0..3 {
            for column in 0..3 {
                normal[row][column] += slopes[row] * slopes[column];
            }
        }
    }
    for number in (0..3).filter(|number| is_held[*number]) {
        normal[number] = [0.0; 3];
        normal.iter_mut().for_each(|row| row[number] = 0.0);
        normal[number][number] = 1.0;
    }
    normal
}

/// The damped step of Gauss and Newton; `None` where no parameter is free to move.
fn step(points: &[Point], at: &Parameters, damping: f64) -> Option<Parameters> {
    let curve = curve(at);
    let mut pull = [0.0; 3];
    for point in points {
        let (slopes, deviation) = (slopes(&curve, point.load), deviation(&curve, point));
        (0..3).for_each(|number| pull[number] += slopes[number] * deviation);
    }
    let is_held =
        [false, (at[1] <= 0.0 && pull[1] <= 0.0) || (at[1] >= 1.0 && pull[1] >= 0.0), at[2] <= 0.0 && pull[2] <= 0.0];
    let mut normal = normal_matrix(points, &curve, is_held);
    for number in 0..3 {
        if is_held[number] {
            pull[number] = 0.0;
        } else {
            normal[number][number] *= 1.0 + damping;
        }
    }
    solve(normal, pull)
}

/// How much each point draws a fitted curve to itself, from 0 to 1: the diagonal of the hat matrix.
pub fn leverages(points: &[Point], curve: &Curve) -> Vec<f64> {
    let is_held = [false, curve.contention <= 0.0 || curve.contention >= 1.0, curve.coherence <= 0.0];
    let normal = normal_matrix(points, curve, is_held);
    let leverage = |point: &Point| {
        let mut slopes = slopes(curve, point.load);
        (0..3).filter(|number| is_held[*number]).for_each(|number| slopes[number] = 0.0);
        let solved = solve(normal, slopes)?;
        Some((0..3).map(|number| slopes[number] * solved[number]).sum())
    };
    points.iter().map(|point| leverage(point).unwrap_or(0.0)).collect()
}

/// Gaussian elimination with pivots; `None` where the matrix is singular.
fn solve(mut matrix: [[f64; 3]; 3], mut right: Parameters) -> Option<Parameters> {
    // Columns are of very different size: one by the square of the load stands beside ones. Scale them to a unit
    // diagonal.
    let scale = [0, 1, 2].map(|number| matrix[number][number].sqrt());
    if scale.iter().any(|scale| !(scale.is_finite() && *scale > 0.0)) {
        return None;
    }
    for row in 0..3 {
        right[row] /= scale[row];
        for column in 0..3 {
            matrix[row][column] /= scale[row] * scale[column];
        }
    }
    for pivot in 0..3 {
        let best = (pivot..3).max_by(|one, other| matrix[*one][pivot].abs().total_cmp(&matrix[*other][pivot].abs()))?;
        if matrix[best][pivot].abs() < 1e-14 {
            return None;
        }
        matrix.swap(pivot, best);
        right.swap(pivot, best);
        for row in pivot + 1..3 {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            right[row] -= factor * right[pivot];
            (pivot..3).for_each(|column| matrix[row][column] -= factor * matrix[pivot][column]);
        }
    }
    let mut solution = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    Some([0, 1, 2].map(|number| solution[number] / scale[number]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(curve: &Curve, loads: &[f64]) -> Vec<Point> {
        loads.iter().map(|load| Point { load: *load, throughput: curve.at(*load) }).collect()
    }

    fn assert_close(found: &Curve, truth: &Curve) {
        let is_close = |found: f64, truth: f64, scale: f64| (found - truth).abs() <= 1e-6 * truth.abs().max(scale);
        let contention = is_close(found.contention, truth.contention, 1e-3);
        let coherence = is_close(found.coherence, truth.coherence, 1e-9);
        assert!(is_close(found.unit, truth.unit, 1.0) && contention && coherence, "{found:?} for {truth:?}");
    }

    #[test]
    fn a_curve_is_found_again_from_its_own_points() {
        let loads = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
        for (unit, contention, coherence) in
            [(1_000.0, 0.03, 0.0004), (5.0, 0.0, 0.001), (80.0, 0.2, 0.0), (1.0, 0.0, 0.0), (1e6, 0.6, 0.02)]
        {
            let truth = Curve { unit, contention, coherence };
            assert_close(&fit(&points(&truth, &loads)), &truth);
        }
    }

    #[test]
    fn large_loads_are_fitted_as_well_as_small_ones() {
        let truth = Curve { unit: 0.9, contention: 2e-6, coherence: 1e-9 };
        let found = fit(&points(&truth, &[100.0, 500.0, 1_000.0, 5_000.0, 20_000.0, 60_000.0]));
        let peaks = (found.peak().expect("a peak"), truth.peak().expect("a peak"));
        assert!((peaks.0 / peaks.1 - 1.0).abs() < 1e-3, "{peaks:?}");
    }

    #[test]
    fn leverages_sum_up_to_the_number_of_parameters() {
        let curve = Curve { unit: 10.0, contention: 0.05, coherence: 0.001 };
        let loads = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
        let sum: f64 = leverages(&points(&curve, &loads), &curve).iter().sum();
        assert!((sum - 3.0).abs() < 1e-9, "{sum}");
        let held = Curve { coherence: 0.0, ..curve };
        let sum: f64 = leverages(&points(&held, &loads), &held).iter().sum();
        assert!((sum - 2.0).abs() < 1e-9, "{sum}: one is held");
    }

    #[test]
    fn what_speeds_up_with_load_is_fitted_by_no_contention_at_all() {
        let points: Vec<Point> =
            [1.0f64, 2.0, 4.0, 8.0, 16.0, 32.0].map(|load| Point { load, throughput: load.powf(1.1) }).into();
        let found = fit(&points);
        assert_eq!((found.contention, found.coherence), (0.0, 0.0));
    }
}
