//! What a plan needs of peers whose capacity was measured: arithmetic, and what it rests on.
//!
//! | file | its job |
//! |---|---|
//! | `plan` | a plan as people write it |
//! | `evidence` | what several searches say, taken together |

mod evidence;
mod plan;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::capacity::scaling::Scaling;

pub use evidence::{Evidence, Finding, Weighed};
pub use plan::{Plan, PlanError};

/// What one peer was measured to take, between bounds: the lower was seen to be kept, the upper was seen not to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// Devices handed over a second, by each of those that were measured together.
    pub per_s: Bounds,
    /// The same of one that is alone, if that is known.
    pub one_per_s: Option<f64>,
    /// Devices that may come at once; `None` where it was not measured.
    pub storm: Option<Bounds>,
    /// Revocations a second when many come at once; `None` where that was not seen.
    pub revoked_per_s: Option<f64>,
}

/// What is known of more peers than one.
#[derive(Debug, Clone, PartialEq)]
pub enum Together {
    /// Nothing that speaks against so many times as much.
    Proportional,
    /// Throughput, in devices a second, by the number of peers at work.
    Curve(Box<Scaling>),
    /// They hold each other up, and there is no curve: just what was measured.
    AsMeasured(Vec<Finding>),
}

/// Between what an answer lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    pub lower: f64,
    /// `None` where none was met.
    pub upper: Option<f64>,
}

/// What a plan needs. All of it counts with lower bounds, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Sizing {
    /// Devices a second, on average, to be done in time.
    pub needed_per_s: f64,
    /// Peers that have to work.
    pub working: u64,
    /// The same if peers take as much as their upper bounds; `None` where none was met.
    pub working_at_best: Option<u64>,
    pub spare: u64,
    /// What the working peers take together, in devices a second.
    pub capacity_per_s: f64,
    /// How much of that the plan leaves, in percent of it.
    pub headroom_percent: f64,
    /// Devices that the working peers hand over in a day of 24 hours, at full load.
    pub devices_a_day: f64,
    /// How long all devices take at one peer of the measured size; `None` where it is not known what one takes.
    pub fleet_at_one_s: Option<f64>,
    /// How long they take at the working peers.
    pub fleet_s: f64,
    pub storm: Option<Storm>,
}

/// What a plan's storm comes to, while the working peers do nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Storm {
    pub devices: u64,
    /// Devices a second meanwhile: all that the working peers take.
    pub per_s: f64,
    /// Until the last is done.
    pub takes_s: f64,
    /// Until the last is revoked, where all of them are to be; `None` where such a storm was not seen.
    pub revoked_s: Option<f64>,
    /// Whether it is known that so many at once are taken; `false` where storms were not measured.
    pub is_measured: bool,
}

/// Why a plan cannot be sized.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SizingError {
    #[error("no search knows a rate that keeps every limit")]
    NothingKnown,
    #[error("{what} is a number above zero, found {found}")]
    NotPositive { what: &'static str, found: f64 },
    #[error("an upper bound is above its lower one, found {lower} and {upper}")]
    Bounds { lower: f64, upper: f64 },
    #[error(
        "{needed_per_s:.1}/s is more than is known to be possible: the curve may be read up to {furthest:.0} peers, which \
         take {most_per_s:.1}/s"
    )]
    BeyondCurve { needed_per_s: f64, most_per_s: f64, furthest: f64 },
    #[error("a storm of {storm} takes {peers} peers, and the curve may be read up to {furthest:.0}")]
    StormBeyondCurve { storm: u64, peers: u64, furthest: f64 },
    #[error(
        "peers were measured to hold each other up, and no curve says how far: at most {most} of them were measured together, \
         which take {most_per_s:.1}/s; {needed_per_s:.1}/s or {for_storm} peers are needed"
    )]
    BeyondMeasured { needed_per_s: f64, for_storm: u64, most_per_s: f64, most: u32 },
    #[error("{0:.0} peers are more than can be meant")]
    TooMany(f64),
}

const DAY: f64 = 86_400.0;
/// More peers than this are a mistake in the plan.
const MOST_PEERS: f64 = 1e6;

impl Plan {
    /// What it needs of peers that were measured one at a time.
    ///
    /// In proportion, so many peers take so many times as much: right where they share nothing, and an upper bound
    /// otherwise. By a curve, what they take together is the low end of its interval, and only as far as it may be read.
    ///
    /// # Errors
    /// [`SizingError`] where what was measured is no capacity, or the plan needs more than is known of peers together.
    pub fn size(&self, measured: &Measured, together: &Together) -> Result<Sizing, SizingError> {
        measured.check()?;
        let needed_per_s = self.devices as f64 / seconds(self.within);
        let for_storm = match (self.storm, measured.storm) {
            (Some(storm), Some(bounds)) => whole(storm as f64 / bounds.lower)?,
            _ => 1,
        };
        let (working, capacity_per_s, working_at_best) = match together {
            Together::Proportional => {
                let working = whole(needed_per_s / measured.per_s.lower)?.max(for_storm);
                let at_best = measured.per_s.upper.map(|upper| whole(needed_per_s / upper)).transpose()?;
                (
                    working,
                    working as f64 * measured.per_s.lower,
                    at_best.map(|peers| peers.max(self.storm_at_best(measured))),
                )
            }
            Together::Curve(curve) => {
                let (working, capacity) = least_peers(curve, needed_per_s, for_storm, self.storm.unwrap_or(0))?;
                (working, capacity, None)
            }
            Together::AsMeasured(findings) => {
                let (working, capacity) = least_measured(findings, needed_per_s, for_storm)?;
                (working, capacity, None)
            }
        };
        let devices = self.devices as f64;
        let storm = self.storm.map(|storm| Storm {
            devices: storm,
            per_s: capacity_per_s,
            takes_s: storm as f64 / capacity_per_s,
            revoked_s: measured.revoked_per_s.map(|per_s| storm as f64 / (per_s * working as f64)),
            is_measured: measured.storm.is_some(),
        });
        Ok(Sizing {
            needed_per_s,
            working,
            working_at_best,
            spare: self.spare,
            capacity_per_s,
            headroom_percent: (1.0 - needed_per_s / capacity_per_s) * 100.0,
            devices_a_day: capacity_per_s * DAY,
            fleet_at_one_s: measured.one_per_s.map(|per_s| devices / per_s),
            fleet_s: devices / capacity_per_s,
            storm,
        })
    }

    /// How many peers its storm takes if each takes as many as its upper bound.
    fn storm_at_best(&self, measured: &Measured) -> u64 {
        let upper = measured.storm.and_then(|bounds| bounds.upper);
        let peers = self.storm.zip(upper).map(|(storm, upper)| (storm as f64 / upper - HAIR).ceil() as u64);
        peers.unwrap_or(1)
    }
}

impl Sizing {
    /// Working and spare.
    pub fn peers(&self) -> u64 {
        self.working + self.spare
    }
}

impl Measured {
    fn check(&self) -> Result<(), SizingError> {
        self.per_s.check("what a peer takes a second")?;
        self.storm.map_or(Ok(()), |storm| storm.check("the storm that a peer takes"))
    }
}

impl Bounds {
    fn check(&self, what: &'static str) -> Result<(), SizingError> {
        let Bounds { lower, upper } = *self;
        match upper {
            _ if !(lower.is_finite() && lower > 0.0) => Err(SizingError::NotPositive { what, found: lower }),
            Some(upper) if upper.is_nan() || upper <= lower => Err(SizingError::Bounds { lower, upper }),
            _ => Ok(()),
        }
    }
}

/// The fewest peers that a curve is sure enough to take so much together, and how much that is.
fn least_peers(curve: &Scaling, needed_per_s: f64, at_least: u64, storm: u64) -> Result<(u64, f64), SizingError> {
    let furthest = curve.furthest;
    if at_least as f64 > furthest {
        return Err(SizingError::StormBeyondCurve { storm, peers: at_least, furthest });
    }
    let mut most_per_s = 0.0;
    for peers in at_least..=furthest.min(MOST_PEERS) as u64 {
        let capacity = curve.predict(peers as f64).map_or(0.0, |estimate| estimate.low);
        if capacity * (1.0 + HAIR) >= needed_per_s {
            return Ok((peers, capacity));
        }
        most_per_s = f64::max(most_per_s, capacity);
    }
    Err(SizingError::BeyondCurve { needed_per_s, most_per_s, furthest })
}

/// The fewest peers that were measured together and take so much, and how much that is.
fn least_measured(findings: &[Finding], needed_per_s: f64, for_storm: u64) -> Result<(u64, f64), SizingError> {
    let enough = |finding: &&Finding| {
        finding.bounds.lower * (1.0 + HAIR) >= needed_per_s && u64::from(finding.peers) >= for_storm
    };
    let fewest = findings.iter().filter(enough).min_by_key(|finding| finding.peers);
    fewest.map(|finding| (u64::from(finding.peers), finding.bounds.lower)).ok_or_else(|| {
        let most = findings.iter().max_by_key(|finding| finding.peers);
        let (most, most_per_s) = most.map_or((0, 0.0), |finding| (finding.peers, finding.bounds.lower));
        SizingError::BeyondMeasured { needed_per_s, for_storm, most_per_s, most }
    })
}

/// What rounding may add to a quotient that is whole.
const HAIR: f64 = 1e-9;

/// So many peers, at least one.
fn whole(peers: f64) -> Result<u64, SizingError> {
    if peers > MOST_PEERS {
        return Err(SizingError::TooMany(peers));
    }
    Ok((peers * (1.0 - HAIR)).ceil().max(1.0) as u64)
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;
    use crate::capacity::scaling::{Curve, Point};

    fn plan(text: &str) -> Plan {
        text.parse().expect("a plan")
    }

    /// 25 to 26 devices a second, and storms of 6,000 to 6,500.
    const MEASURED: Measured = Measured {
        per_s: Bounds { lower: 25.0, upper: Some(26.0) },
        one_per_s: Some(25.0),
        storm: Some(Bounds { lower: 6_000.0, upper: Some(6_500.0) }),
        revoked_per_s: Some(50.0),
    };

    fn curve(coherence: f64) -> Together {
        let curve = Curve { unit: 25.0, contention: 0.05, coherence };
        let points: Vec<Point> =
            [1.0, 2.0, 3.0, 4.0, 6.0, 8.0].map(|load| Point { load, throughput: curve.at(load) }).into();
        Together::Curve(Box::new(Scaling::fit(&points, 1_000, &mut ChaCha8Rng::seed_from_u64(1)).expect("a curve")))
    }

    #[test]
    fn the_arithmetic_of_a_plan_is_what_is_worked_out_by_hand() {
        let sizing =
            plan("10M devices in 48h, storm 20k, 2 spare").size(&MEASURED, &Together::Proportional).expect("a sizing");
        // 10,000,000 / 172,800 s
        assert!((sizing.needed_per_s - 57.870_37).abs() < 1e-5);
        // 57.87 / 25 is 2.3, and 20,000 / 6,000 is 3.3.
        assert_eq!((sizing.working, sizing.spare, sizing.peers()), (4, 2, 6));
        // 57.87 / 26 is 2.2, and 20,000 / 6,500 is 3.1.
        assert_eq!(sizing.working_at_best, Some(4));
        assert_eq!((sizing.capacity_per_s, sizing.devices_a_day), (100.0, 8_640_000.0));
        assert!((sizing.headroom_percent - 42.129_63).abs() < 1e-5);
        assert_eq!((sizing.fleet_at_one_s, sizing.fleet_s), (Some(400_000.0), 100_000.0));
        let storm = sizing.storm.expect("it is planned");
        assert_eq!((storm.per_s, storm.takes_s, storm.is_measured), (100.0, 200.0, true));
        // 20,000 at four times 50 a second
        assert_eq!(storm.revoked_s, Some(100.0));
    }

    #[test]
    fn a_need_that_is_just_met_takes_no_peer_more() {
        // 100 a second are four times 25, though 360,000 / 3,600 / 25 might round up.
        let sizing = plan("360k devices in 1h").size(&MEASURED, &Together::Proportional).expect("a sizing");
        assert_eq!((sizing.working, sizing.headroom_percent, sizing.storm), (4, 0.0, None));
        let more = plan("360001 devices in 1h").size(&MEASURED, &Together::Proportional).expect("a sizing");
        assert_eq!(more.working, 5);
        assert_eq!(
            plan("1 devices in 1d").size(&MEASURED, &Together::Proportional).map(|sizing| sizing.working),
            Ok(1)
        );
    }

    #[test]
    fn storms_that_were_not_measured_are_said_to_be_so() {
        let unknown = Measured { storm: None, revoked_per_s: None, ..MEASURED };
        let sizing = plan("10M devices in 48h, storm 20k").size(&unknown, &Together::Proportional).expect("a sizing");
        assert_eq!(sizing.working, 3);
        assert!(sizing.storm.is_some_and(|storm| !storm.is_measured && storm.revoked_s.is_none()));
    }

    #[test]
    fn peers_that_hold_each_other_up_are_sized_by_their_curve() {
        // Four would take 100 a second if they shared nothing, and take 4 * 25 / (1 + 0.05 * 3) = 87.
        let plan = plan("324k devices in 1h");
        let sizing = plan.size(&MEASURED, &curve(0.0)).expect("a sizing");
        assert_eq!(sizing.working, 5);
        assert!((sizing.capacity_per_s - 104.166_666).abs() < 1e-3, "{}", sizing.capacity_per_s);
        assert_eq!(plan.size(&MEASURED, &Together::Proportional).map(|sizing| sizing.working), Ok(4));
    }

    #[test]
    fn what_a_curve_does_not_support_is_refused() {
        let falling = curve(0.02);
        let error = plan("1M devices in 1h").size(&MEASURED, &falling).expect_err("278/s");
        let SizingError::BeyondCurve { most_per_s, furthest, .. } = error else { panic!("{error}") };
        assert!(furthest <= 16.0 && most_per_s < 100.0, "{most_per_s} at {furthest}");
        let storm = plan("1M devices in 30d, storm 600k").size(&MEASURED, &falling);
        assert_eq!(storm, Err(SizingError::StormBeyondCurve { storm: 600_000, peers: 100, furthest: 16.0 }));
    }

    #[test]
    fn where_peers_hold_each_other_up_without_a_curve_nothing_beyond_what_was_measured_is_said() {
        let finding = |peers, lower| Finding { peers, bounds: Bounds { lower, upper: None } };
        let together = Together::AsMeasured(vec![finding(1, 25.0), finding(8, 40.0)]);
        let sizing = plan("5M devices in 48h").size(&MEASURED, &together).expect("eight do");
        assert_eq!((sizing.working, sizing.capacity_per_s), (8, 40.0));
        let error = plan("10M devices in 48h").size(&MEASURED, &together).expect_err("58/s");
        assert!(matches!(error, SizingError::BeyondMeasured { most: 8, most_per_s: 40.0, .. }), "{error}");
        // A storm of 60,000 takes ten of those that take 6,000.
        assert!(plan("1M devices in 48h, storm 60k").size(&MEASURED, &together).is_err());
    }

    #[test]
    fn what_is_no_capacity_is_refused() {
        let of = |lower: f64, upper: Option<f64>| {
            let measured =
                Measured { per_s: Bounds { lower, upper }, one_per_s: None, storm: None, revoked_per_s: None };
            plan("10M devices in 48h").size(&measured, &Together::Proportional).map(|_| ())
        };
        assert!(matches!(of(0.0, None), Err(SizingError::NotPositive { found: 0.0, .. })));
        assert_eq!(of(5.0, Some(5.0)), Err(SizingError::Bounds { lower: 5.0, upper: 5.0 }));
        assert!(matches!(of(1e-6, None), Err(SizingError::TooMany(_))));
        assert_eq!(of(5.0, None), Ok(()));
    }
}
