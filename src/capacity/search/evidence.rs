//! What the sub-trials at one load say about one goal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::capacity::search::confidence::{stake_against_exceeding, stake_against_holding, stake_against_zero};
use crate::capacity::search::goal::Goal;
use crate::capacity::search::trial::{Measured, Verdict};

/// What a load is for a goal (MLRsearch's load classification).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It keeps the goal.
    Lower,
    /// It does not.
    Upper,
    Undecided,
}

/// Which way a load goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Holds,
    Fails,
}

/// The sub-trials at one load as one goal sees them.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub held: u32,
    pub exceeded: u32,
    pub silent: u32,
    held_seconds: f64,
    exceeded_seconds: f64,
    /// Logarithms of the margins; given up for good once one is missing.
    margins: Option<Vec<f64>>,
    /// What was shown first at the goal's risk. A test that has ended is not continued.
    shown: Option<Side>,
}

impl Evidence {
    /// Nothing as yet.
    pub fn new() -> Evidence {
        Evidence { margins: Some(Vec::new()), ..Evidence::default() }
    }

    /// Takes in how the goal with a number fared in a sub-trial.
    pub fn add(&mut self, goal: &Goal, number: usize, measured: &Measured) {
        let answer = measured.answers[number];
        let seconds = measured.lasted.as_secs_f64();
        match answer.verdict {
            Verdict::Held => (self.held, self.held_seconds) = (self.held + 1, self.held_seconds + seconds),
            Verdict::Exceeded => {
                (self.exceeded, self.exceeded_seconds) = (self.exceeded + 1, self.exceeded_seconds + seconds);
            }
            Verdict::NoAnswer => {
                self.silent += 1;
                return;
            }
        }
        self.margins = match (self.margins.take(), answer.margin) {
            (Some(mut margins), Some(margin)) => {
                margins.push(margin.ln().clamp(-FARTHEST, FARTHEST));
                Some(margins)
            }
            _ => None,
        };
        if let (None, Some(risk)) = (self.shown, goal.risk) {
            self.shown = self.show(goal.exceed_ratio, risk);
        }
    }

    /// What the load is, as sure as the goal asks for.
    pub fn standing(&self, goal: &Goal) -> Standing {
        match (self.by_time(goal), goal.risk) {
            (Standing::Lower, Some(_)) if self.shown != Some(Side::Holds) => Standing::Undecided,
            (Standing::Upper, Some(_)) if self.shown != Some(Side::Fails) => Standing::Undecided,
            (standing, _) => standing,
        }
    }

    /// What the load seems to be, as sure as is needed to look for bounds elsewhere.
    pub fn leaning(&self, goal: &Goal) -> Option<Side> {
        match self.standing(goal) {
            Standing::Lower => return Some(Side::Holds),
            Standing::Upper => return Some(Side::Fails),
            Standing::Undecided => {}
        }
        let (held, exceeded) = (f64::from(self.held), f64::from(self.exceeded));
        // Zero where just the part that may exceed the limit does so.
        let balance = held * goal.exceed_ratio - exceeded * (1.0 - goal.exceed_ratio);
        match (self.held, self.exceeded) {
            (2.., 0) => Some(Side::Holds),
            (0, 2..) => Some(Side::Fails),
            _ if balance >= 1.0 => Some(Side::Holds),
            _ if balance <= -1.0 => Some(Side::Fails),
            _ => None,
        }
    }

    /// Whether sub-trials came out differently.
    pub fn is_contested(&self) -> bool {
        self.held > 0 && self.exceeded > 0
    }

    /// MLRsearch's load classification (draft-ietf-bmwg-mlrsearch-15, "Load Classification Code"), in which all
    /// sub-trials are full-length: whether the load is a lower bound if all that is missing in trial time were to hold,
    /// and if all of it were to exceed the limit. Where both come to the same, no further sub-trial within that time
    /// can change it.
    fn by_time(&self, goal: &Goal) -> Standing {
        let seen = self.held_seconds + self.exceeded_seconds;
        if seen == 0.0 {
            return Standing::Undecided;
        }
        let whole = seen.max(goal.trial_time.as_secs_f64());
        let may_exceed = whole * goal.exceed_ratio + HAIR;
        let is_lower_at_best = self.exceeded_seconds <= may_exceed;
        let is_lower_at_worst = whole - self.held_seconds <= may_exceed;
        match (is_lower_at_best, is_lower_at_worst) {
            (true, true) => Standing::Lower,
            (false, false) => Standing::Upper,
            _ => Standing::Undecided,
        }
    }

    fn show(&self, share: f64, risk: f64) -> Option<Side> {
        // Where half may exceed the limit, the middle of the margins says the same as the verdicts, and more.
        if let (Some(margins), 0.5) = (&self.margins, share) {
            let is_shown = margins.len() >= 2 && stake_against_zero(margins) * 2.0 * risk >= 1.0;
            let side = if margins.iter().sum::<f64>() <= 0.0 { Side::Holds } else { Side::Fails };
            return is_shown.then_some(side);
        }
        if stake_against_exceeding(share, self.held, self.exceeded) * risk >= 1.0 {
            Some(Side::Holds)
        } else if stake_against_holding(share, self.held, self.exceeded) * risk >= 1.0 {
            Some(Side::Fails)
        } else {
            None
        }
    }
}

/// A thousandfold: what is farther from its limit is not told apart from it.
const FARTHEST: f64 = 6.907_755_278_982_137;
/// What rounding may take away from an equality of sums of seconds.
const HAIR: f64 = 1e-9;
