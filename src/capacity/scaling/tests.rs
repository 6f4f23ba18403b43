//! What is made of points whose curve is known.

use std::f64::consts::TAU;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;

const LOADS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0, 64.0];
const TRUTH: Curve = Curve { unit: 1_000.0, contention: 0.03, coherence: 0.0004 };

fn dice(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Points of a curve with relative noise.
fn points(curve: &Curve, loads: &[f64], noise: f64, dice: &mut ChaCha8Rng) -> Vec<Point> {
    let mut normal = || (-2.0 * (1.0 - dice.random::<f64>()).ln()).sqrt() * (TAU * dice.random::<f64>()).cos();
    loads.iter().map(|load| Point { load: *load, throughput: curve.at(*load) * (noise * normal()).exp() }).collect()
}

fn fit(points: &[Point]) -> Result<Scaling, ScalingError> {
    Scaling::fit(points, 1_000, &mut dice(7))
}

#[test]
fn points_without_noise_give_their_curve_with_intervals_of_nothing() {
    let found = fit(&points(&TRUTH, &LOADS, 0.0, &mut dice(1))).expect("a curve");
    let Peak::Measured(peak) = found.peak else { panic!("{:?}", found.peak) };
    assert!((peak.load.value - 49.244).abs() < 1e-3, "{peak:?}");
    assert!(peak.load.high - peak.load.low < 1e-3);
    assert!(found.goodness.r_squared > 0.999_999 && found.goodness.deviation < 1e-6);
    assert_eq!(found.measured, (1.0, 64.0));
}

#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let rows = 100;
    let (mut contention, mut peak, mut predicted) = (0, 0, 0);
    for seed in 0..rows {
        let found = fit(&points(&TRUTH, &LOADS, 0.03, &mut dice(seed))).expect("a curve");
        let holds = |estimate: Estimate, truth: f64| u32::from(estimate.low <= truth && truth <= estimate.high);
        contention += holds(found.contention, TRUTH.contention);
        peak += match found.peak {
            Peak::Measured(top) | Peak::Forecast(top) => holds(top.load, TRUTH.peak().expect("a peak")),
            Peak::OutOfReach { .. } => 0,
        };
        predicted += holds(found.predict(60.0).expect("among the measured"), TRUTH.at(60.0));
    }
    println!("of {rows} intervals of 95 %: contention {contention}, peak {peak}, throughput {predicted}");
    assert!(contention >= 90 && peak >= 90 && predicted >= 90, "{contention} {peak} {predicted}");
    assert!(contention < rows as u32 || peak < rows as u32, "intervals that always hold are too wide");
}

#[test]
fn the_same_dice_give_the_same_intervals() {
    let points = points(&TRUTH, &LOADS, 0.05, &mut dice(3));
    assert_eq!(fit(&points), fit(&points));
}

#[test]
fn too_few_loads_too_close_or_no_numbers_are_refused() {
    let of = |loads: &[f64]| fit(&points(&TRUTH, loads, 0.0, &mut dice(1))).map(|_| ());
    assert_eq!(of(&LOADS[..5]), Err(ScalingError::TooFew { found: 5, needed: 6 }));
    assert_eq!(of(&[1.0, 1.0, 2.0, 2.0, 4.0, 8.0, 9.0]), Err(ScalingError::TooFew { found: 5, needed: 6 }));
    let close = [10.0, 12.0, 14.0, 16.0, 18.0, 39.0];
    assert_eq!(of(&close), Err(ScalingError::TooNarrow { least: 10.0, most: 39.0, needed: 4.0 }));
    assert_eq!(of(&LOADS[..6]), Ok(()));
    let mut wrong = points(&TRUTH, &LOADS, 0.0, &mut dice(1));
    wrong[3].throughput = 0.0;
    assert_eq!(fit(&wrong), Err(ScalingError::NotPositive { load: 8.0, throughput: 0.0 }));
    let few = Scaling::fit(&points(&TRUTH, &LOADS, 0.0, &mut dice(1)), 50, &mut dice(1));
    assert_eq!(few, Err(ScalingError::Replicates { found: 50, needed: 1_000 }));
}

#[test]
fn a_curve_is_read_to_twice_the_largest_load_at_most() {
    let found = fit(&points(&TRUTH, &LOADS, 0.0, &mut dice(1))).expect("a curve");
    assert_eq!(found.furthest, 128.0);
    let read = found.predict(128.0).expect("twice the largest");
    assert!((read.value / TRUTH.at(128.0) - 1.0).abs() < 1e-6);
    assert_eq!(found.predict(128.1), Err(ScalingError::Beyond { load: 128.1, least: 1.0, furthest: 128.0 }));
    assert!(matches!(found.predict(0.5), Err(ScalingError::Beyond { .. })));
    assert!(matches!(found.predict(f64::NAN), Err(ScalingError::Beyond { .. })));
}

#[test]
fn where_the_points_do_not_say_how_it_goes_on_it_is_read_less_far() {
    let noisy = fit(&points(&TRUTH, &LOADS[..6], 0.15, &mut dice(5))).expect("a curve");
    let furthest = noisy.furthest;
    assert!((32.0..64.0).contains(&furthest), "{furthest}");
    assert!(noisy.predict(32.0).is_ok(), "a measured load may always be read");
    assert!(noisy.predict(64.0).is_err());
}

#[test]
fn a_peak_that_was_not_measured_is_called_a_forecast() {
    let found = fit(&points(&TRUTH, &LOADS[..6], 0.0, &mut dice(1))).expect("a curve");
    let Peak::Forecast(peak) = found.peak else { panic!("{:?}", found.peak) };
    assert!((peak.load.value - 49.244).abs() < 0.01, "{peak:?}");
}

#[test]
fn a_peak_that_no_one_has_come_near_is_not_named() {
    let amdahl = fit(&points(&Curve { coherence: 0.0, ..TRUTH }, &LOADS, 0.0, &mut dice(1))).expect("a curve");
    assert_eq!((amdahl.peak, amdahl.curve.peak()), (Peak::OutOfReach { furthest: 128.0 }, None));
    let far = fit(&points(&Curve { coherence: 1e-6, ..TRUTH }, &LOADS, 0.0, &mut dice(1))).expect("a curve");
    assert_eq!(far.peak, Peak::OutOfReach { furthest: 128.0 });
    assert!(far.curve.peak().is_some_and(|peak| peak > 900.0));
    assert!(serde_json::to_string(&far).is_ok_and(|json| json.contains("\"out_of_reach\"")));
}
