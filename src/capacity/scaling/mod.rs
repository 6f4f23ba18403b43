//! How throughput scales with load: the Universal Scalability Law fitted to measured points, with what is known of how
//! sure that is, and how far it may be believed.
//!
//! | file | its job |
//! |---|---|
//! | `curve` | the law |
//! | `least_squares` | the curve that is nearest to points |

mod curve;
mod least_squares;

use std::f64::consts::TAU;

use rand::RngExt;
use schemars::JsonSchema;
use serde::Serialize;

pub use curve::Curve;

/// Throughput that was measured at a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Whatever is put on the peer: flows at once, devices, flows a second.
    pub load: f64,
    /// What came of it, a second.
    pub throughput: f64,
}

/// A fitted curve.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Scaling {
    pub curve: Curve,
    pub unit: Estimate,
    pub contention: Estimate,
    pub coherence: Estimate,
    pub peak: Peak,
    pub goodness: Goodness,
    /// The smallest and the largest load that was measured.
    pub measured: (f64, f64),
    /// The largest load at which the curve may be read.
    pub furthest: f64,
    /// The part of the replicates that lies beyond either end of an interval.
    #[serde(skip)]
    tail: f64,
    /// Curves fitted to points drawn anew.
    #[serde(skip)]
    replicates: Vec<Curve>,
}

/// A value with the interval that holds 95 % of what points drawn anew would make of it. Infinity (in JSON, `null`)
/// where there is no end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    pub value: f64,
    #[schemars(with = "Option<f64>")]
    pub low: f64,
    #[schemars(with = "Option<f64>")]
    pub high: f64,
}

/// Where throughput is highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Peak {
    /// Among the measured loads.
    Measured(Top),
    /// Beyond them, yet where the curve may be read.
    Forecast(Top),
    /// Nowhere that the curve may be read: throughput rises as far as that.
    OutOfReach { furthest: f64 },
}

/// A load and its throughput.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Top {
    pub load: Estimate,
    pub throughput: Estimate,
}

/// How near a curve comes to its points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Goodness {
    /// The part of the variance of throughput that the curve explains, at most 1; below 0 where the mean explains more.
    pub r_squared: f64,
    /// How far points lie from the curve, as a part of it: the root of the mean square, with three points less in the
    /// mean for the three parameters.
    pub deviation: f64,
}

/// Why there is no curve, or no value of it.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ScalingError {
    #[error("a curve takes points at {needed} loads at least, found {found}")]
    TooFew { found: usize, needed: usize },
    #[error("the largest load is at least {needed} times the smallest, found {least} to {most}")]
    TooNarrow { least: f64, most: f64, needed: f64 },
    #[error("loads are from 1 on and throughputs above 0, both finite, found {throughput} at {load}")]
    NotPositive { load: f64, throughput: f64 },
    #[error("intervals take {needed} replicates at least, found {found}")]
    Replicates { found: usize, needed: usize },
    #[error("a load of {load} is not among what may be read off the curve, {least} to {furthest}")]
    Beyond { load: f64, least: f64, furthest: f64 },
}

/// At so many loads: three parameters, and as many points more to see how far off they are.
pub const LEAST_LOADS: usize = 6;
/// Over so wide a range: contention bends a curve in proportion to the load and coherence to its square, which look
/// alike over less.
pub const LEAST_RANGE: f64 = 4.0;
/// So many times the largest measured load is as far as a curve is ever read.
pub const FURTHEST: f64 = 2.0;
/// Beyond the measured loads, a curve is read only while its interval is narrower than this part of its value.
pub const NARROW: f64 = 0.25;
/// With fewer, the percentiles that are taken are no more than the outermost replicates.
pub const LEAST_REPLICATES: usize = 1_000;

impl Scaling {
    /// The curve nearest to some points, with intervals from so many replicates, [`LEAST_REPLICATES`] or more.
    ///
    /// Replicates are fitted to the curve with the points' own relative deviations dealt out anew, each as likely at
    /// each point (Efron, Tibshirani 1993, "An Introduction to the Bootstrap", chapter 9, "bootstrapping residuals"),
    /// which keeps the measured loads as they are; drawing whole points would leave out the largest in a third of all
    /// cases, and with it what shows coherence. Intervals are percentiles, set farther out where there are few points
    /// (Hesterberg 2015, "What teachers should know about the bootstrap", expanded percentile intervals).
    ///
    /// # Errors
    /// [`ScalingError`] where there are too few points for a curve, too close to each other, or not above zero.
    pub fn fit(points: &[Point], replicates: usize, dice: &mut impl RngExt) -> Result<Scaling, ScalingError> {
        let (least, most) = check(points)?;
        if replicates < LEAST_REPLICATES {
            return Err(ScalingError::Replicates { found: replicates, needed: LEAST_REPLICATES });
        }
        let curve = least_squares::fit(points);
        let mut scaling = Scaling {
            curve,
            unit: Estimate::NOTHING,
            contention: Estimate::NOTHING,
            coherence: Estimate::NOTHING,
            peak: Peak::OutOfReach { furthest: most },
            goodness: goodness(points, &curve),
            measured: (least, most),
            furthest: most,
            tail: tail(points.len() - PARAMETERS),
            replicates: replicate(points, &curve, replicates, dice),
        };
        scaling.unit = scaling.estimate(|curve| curve.unit);
        scaling.contention = scaling.estimate(|curve| curve.contention);
        scaling.coherence = scaling.estimate(|curve| curve.coherence);
        scaling.furthest = scaling.find_furthest();
        scaling.peak = scaling.find_peak();
        Ok(scaling)
    }

    /// Throughput at a load, with the interval of the curve there (not of a single measurement).
    ///
    /// Between measured loads, always. Beyond the largest, up to [`FURTHEST`] times of it, and only as far as the
    /// interval is narrower than [`NARROW`]: an interval covers chance, and not that the peer is another beyond what
    /// was seen, say out of memory; that grows with the distance, and no number tells it (Hahn 1977, "The hazards of
    /// extrapolation in regression analysis"). Below the smallest load it may be read down to 1, where the law is exact
    /// by its form.
    ///
    /// # Errors
    /// [`ScalingError::Beyond`], with how far it may be read.
    pub fn predict(&self, load: f64) -> Result<Estimate, ScalingError> {
        let furthest = self.furthest;
        if (1.0..=furthest).contains(&load) {
            return Ok(self.read(load));
        }
        Err(ScalingError::Beyond { load, least: 1.0, furthest })
    }

    fn find_furthest(&self) -> f64 {
        let most = self.measured.1;
        let is_sure = |load: &f64| {
            let Estimate { value, low, high } = self.read(*load);
            high - low < NARROW * value
        };
        let beyond = (1..=STEPS).map(|step| most * (1.0 + (FURTHEST - 1.0) * f64::from(step) / f64::from(STEPS)));
        beyond.take_while(is_sure).last().unwrap_or(most)
    }

    fn read(&self, load: f64) -> Estimate {
        self.estimate(|curve| curve.at(load))
    }

    fn find_peak(&self) -> Peak {
        let top = || Top {
            load: self.estimate(|curve| curve.peak().unwrap_or(f64::INFINITY)),
            throughput: self.estimate(|curve| curve.peak().map_or(f64::INFINITY, |peak| curve.at(peak))),
        };
        let furthest = self.furthest;
        match self.curve.peak() {
            Some(peak) if peak <= self.measured.1 => Peak::Measured(top()),
            Some(peak) if peak <= furthest => Peak::Forecast(top()),
            _ => Peak::OutOfReach { furthest },
        }
    }

    /// What the curve says of something, with the percentiles of what the replicates say.
    fn estimate(&self, of: impl Fn(&Curve) -> f64) -> Estimate {
        let mut drawn: Vec<f64> = self.replicates.iter().map(&of).collect();
        drawn.sort_by(f64::total_cmp);
        let last = drawn.len() - 1;
        let percentile = |part: f64| drawn[(part * last as f64).round() as usize];
        Estimate { value: of(&self.curve), low: percentile(self.tail), high: percentile(1.0 - self.tail) }
    }
}

/// How finely the way beyond the measured loads is walked.
const STEPS: u32 = 50;

impl Estimate {
    const NOTHING: Estimate = Estimate { value: 0.0, low: 0.0, high: 0.0 };
}

/// The part of all replicates to leave out at either end, by the number of points less that of parameters: the chance
/// that a normal deviate is beyond the 97.5 % point of Student's t, which is farther out than that of the normal
/// distribution.
fn tail(freedom: usize) -> f64 {
    const TAILS: [(usize, f64); 10] = [
        (3, 0.000_73),
        (4, 0.002_75),
        (5, 0.005_07),
        (6, 0.007_20),
        (8, 0.010_56),
        (10, 0.012_94),
        (15, 0.016_55),
        (20, 0.018_49),
        (30, 0.020_58),
        (100, 0.023_63),
    ];
    let known = TAILS.iter().rfind(|(known, _)| *known <= freedom);
    known.expect("a curve takes three points more than it has parameters").1
}

/// Whether points will do; the smallest and the largest load.
fn check(points: &[Point]) -> Result<(f64, f64), ScalingError> {
    let is_fit = |point: &&Point| {
        point.load >= 1.0 && point.load.is_finite() && point.throughput > 0.0 && point.throughput.is_finite()
    };
    if let Some(Point { load, throughput }) = points.iter().find(|point| !is_fit(point)).copied() {
        return Err(ScalingError::NotPositive { load, throughput });
    }
    let mut loads: Vec<f64> = points.iter().map(|point| point.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    if loads.len() < LEAST_LOADS {
        return Err(ScalingError::TooFew { found: loads.len(), needed: LEAST_LOADS });
    }
    let (least, most) = (loads[0], loads[loads.len() - 1]);
    if most < LEAST_RANGE * least {
        return Err(ScalingError::TooNarrow { least, most, needed: LEAST_RANGE });
    }
    Ok((least, most))
}

fn replicate(points: &[Point], curve: &Curve, replicates: usize, dice: &mut impl RngExt) -> Vec<Curve> {
    // A curve comes nearer to a point than the truth does, the more the point draws it to itself (Davison, Hinkley
    // 1997, "Bootstrap Methods and their Application", modified residuals).
    let leverages = least_squares::leverages(points, curve);
    let modified = |(point, leverage): (&Point, &f64)| {
        least_squares::deviation(curve, point) / (1.0 - leverage.min(MOST_LEVERAGE)).sqrt()
    };
    let deviations: Vec<f64> = points.iter().zip(&leverages).map(modified).collect();
    let count = deviations.len() as f64;
    let mean = deviations.iter().sum::<f64>() / count;
    let spread = (deviations.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    // Of so few values the largest is no tail: they are drawn with a little noise of their own, and as spread as before
    // (Silverman, Young 1987, "The bootstrap: to smooth or not to smooth?").
    let smoothing = count.powf(-0.2);
    let mut draw = || {
        let drawn = deviations[dice.random_range(0..deviations.len())] - mean;
        let (one, other) = (1.0 - dice.random::<f64>(), dice.random::<f64>());
        // Box, Muller 1958.
        let normal = (-2.0 * one.ln()).sqrt() * (TAU * other).cos();
        (drawn * (count / (count - 1.0)).sqrt() + smoothing * spread * normal) / (1.0 + smoothing * smoothing).sqrt()
    };
    (0..replicates)
        .map(|_| {
            let redrawn =
                points.iter().map(|point| Point { throughput: curve.at(point.load) * draw().exp(), ..*point });
            least_squares::fit_from(&redrawn.collect::<Vec<_>>(), curve)
        })
        .collect()
}

const PARAMETERS: usize = 3;
/// What is nearly all a curve's own says nothing about noise.
const MOST_LEVERAGE: f64 = 0.95;

fn goodness(points: &[Point], curve: &Curve) -> Goodness {
    let mean = points.iter().map(|point| point.throughput).sum::<f64>() / points.len() as f64;
    let total: f64 = points.iter().map(|point| (point.throughput - mean).powi(2)).sum();
    let left: f64 = points.iter().map(|point| (point.throughput - curve.at(point.load)).powi(2)).sum();
    let squares = least_squares::squares(points, curve);
    Goodness {
        r_squared: if total > 0.0 { 1.0 - left / total } else { 0.0 },
        deviation: (squares / (points.len() - PARAMETERS) as f64).sqrt(),
    }
}

#[cfg(test)]
mod tests;
