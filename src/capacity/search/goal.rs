//! What a load must keep up to count as held: goals, and the settings of a search.

use std::time::Duration;

use serde::Serialize;

use crate::capacity::axis::Axis;
use crate::capacity::search::confidence::{stake_against_exceeding, stake_against_holding};

/// One limit, and how sure and how exact its answer is to be. The terms are those of MLRsearch
/// (draft-ietf-bmwg-mlrsearch-15, "Goal Terms").
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goal {
    /// What people call it, e.g. the limit as it was written.
    pub name: String,
    /// The part of the sub-trials at a load that may exceed the limit, from 0 to below 1. At one half, the answer is
    /// the load at which the measured value meets its limit in the middle of its noise.
    pub exceed_ratio: f64,
    /// For how long a load is tried before it is a bound, less what cannot change the answer any more (the "duration
    /// sum").
    pub trial_time: Duration,
    /// How narrow the interval is to be, as a part of its upper end, where sub-trials of a load agree.
    pub width: f64,
    /// How narrow it is to be where sub-trials of one load have come out differently: noise hides what lies closer.
    pub width_in_noise: f64,
    /// The greatest chance that a load is wrongly called a lower bound, and that it is wrongly called an upper one.
    /// With an exceed ratio of one half, 0.05 takes at least 7 sub-trials that agree, or 3 whose margins are close to
    /// each other. `None`: the trial time alone decides, as in MLRsearch; a load where every sub-trial is a coin toss
    /// is then called what it tosses.
    pub risk: Option<f64>,
}

/// Which interval is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// That of the highest load at which every goal is kept. Loads above it are not tried for goals that are laxer, so
    /// that their upper bounds may stay unknown.
    #[default]
    Together,
    /// That of each goal, one after the other, as MLRsearch does.
    Each,
}

/// All that a search is given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    pub axis: Axis,
    pub goals: Vec<Goal>,
    pub aim: Aim,
    /// The load to begin with.
    pub first: f64,
    /// By how much the load is raised while nothing exceeds its limit, and lowered while nothing holds: above 1. It is
    /// also how far a search from below goes beyond the answer, and so how much more than that has to be generated.
    pub growth: f64,
    /// How long a sub-trial lasts.
    pub each: Duration,
    /// Sub-trials at one load; what is still undecided then stays so.
    pub most_per_load: u32,
    /// Sub-trials in all, without the warm-up.
    pub most_in_all: u32,
}

/// Settings with which no search can be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    #[error("a search has at least one goal")]
    NoGoal,
    #[error("two goals are called `{0}`")]
    TwiceNamed(String),
    #[error("goal `{goal}`: the exceed ratio is from 0 to below 1, found {found}")]
    ExceedRatio { goal: String, found: f64 },
    #[error("goal `{goal}`: a width is above 0 and below 1, and no narrower in noise, found {width} and {in_noise}")]
    Width { goal: String, width: f64, in_noise: f64 },
    #[error("goal `{goal}`: a risk is above 0 and below one half, found {found}")]
    Risk { goal: String, found: f64 },
    #[error(
        "goal `{goal}`: {most} sub-trials at a load cannot show that it holds with an exceed ratio of {exceed_ratio} and a \
         risk of {risk}: allow more of them at a load, or raise the ratio or the risk"
    )]
    OutOfReach { goal: String, exceed_ratio: f64, risk: f64, most: u32 },
    #[error("goal `{goal}`: {most} sub-trials of {each:?} do not come to a trial time of {trial_time:?}")]
    TrialTime { goal: String, trial_time: Duration, each: Duration, most: u32 },
    #[error("the first load is one of the range, found {0}")]
    First(f64),
    #[error("the load grows by a factor above 1, found {0}")]
    Growth(f64),
    #[error("a sub-trial lasts longer than nothing")]
    Each,
}

impl Goal {
    /// A goal with what is known to serve noisy peers and quiet ones alike: the middle of the noise, 5 % wide (15 %
    /// where sub-trials of a load disagree), a risk of 5 % at either end, and no trial time beyond what that takes.
    pub fn new(name: impl Into<String>) -> Goal {
        Goal {
            name: name.into(),
            exceed_ratio: 0.5,
            trial_time: Duration::ZERO,
            width: 0.05,
            width_in_noise: 0.15,
            risk: Some(0.05),
        }
    }

    fn check(&self, settings: &Settings) -> Result<(), SettingsError> {
        let goal = || self.name.clone();
        if !(0.0..1.0).contains(&self.exceed_ratio) {
            return Err(SettingsError::ExceedRatio { goal: goal(), found: self.exceed_ratio });
        }
        if !(self.width > 0.0 && self.width <= self.width_in_noise && self.width_in_noise < 1.0) {
            return Err(SettingsError::Width { goal: goal(), width: self.width, in_noise: self.width_in_noise });
        }
        let (most, each) = (settings.most_per_load, settings.each);
        if self.trial_time > each * most {
            return Err(SettingsError::TrialTime { goal: goal(), trial_time: self.trial_time, each, most });
        }
        let Some(risk) = self.risk else { return Ok(()) };
        if !(risk > 0.0 && risk < 0.5) {
            return Err(SettingsError::Risk { goal: goal(), found: risk });
        }
        let (holding, failing) =
            (stake_against_exceeding(self.exceed_ratio, most, 0), stake_against_holding(self.exceed_ratio, 0, most));
        if holding.min(failing) * risk < 1.0 {
            return Err(SettingsError::OutOfReach { goal: goal(), exceed_ratio: self.exceed_ratio, risk, most });
        }
        Ok(())
    }
}

impl Settings {
    /// A search from below: it begins with the least load, which it doubles, with sub-trials of 5 s.
    pub fn new(axis: Axis, goals: Vec<Goal>) -> Settings {
        Settings {
            axis,
            goals,
            aim: Aim::Together,
            first: axis.least(),
            growth: 2.0,
            each: Duration::from_secs(5),
            most_per_load: 40,
            most_in_all: 250,
        }
    }

    /// Whether a search can be made with them.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if self.goals.is_empty() {
            return Err(SettingsError::NoGoal);
        }
        for (at, goal) in self.goals.iter().enumerate() {
            if self.goals[..at].iter().any(|other| other.name == goal.name) {
                return Err(SettingsError::TwiceNamed(goal.name.clone()));
            }
            goal.check(self)?;
        }
        if !self.first.is_finite() || self.axis.admit(self.first) != self.first {
            return Err(SettingsError::First(self.first));
        }
        if !(self.growth.is_finite() && self.growth > 1.0) {
            return Err(SettingsError::Growth(self.growth));
        }
        if self.each.is_zero() {
            return Err(SettingsError::Each);
        }
        Ok(())
    }
}
