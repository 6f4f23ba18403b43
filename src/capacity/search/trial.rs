//! What a search asks for and what it is told: sub-trials and their outcomes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Run a sub-trial and tell its outcome.
    Trial(Trial),
    /// Nothing: the result is there.
    Finished,
}

/// One sub-trial: the peer under one load, for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// In the unit of the axis.
    pub load: f64,
    /// For how long what happens is to count.
    pub lasts: Duration,
    /// Counted from zero within its load; the warm-up is not counted.
    pub number: u32,
    /// Its outcome will not count, unless it is invalid.
    pub is_warm_up: bool,
}

/// What came of a sub-trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Measured(Measured),
    /// Our own generator did not keep up, or was not healthy: it says nothing about the peer.
    Invalid {
        why: String,
    },
}

/// What was measured in a sub-trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// For how long what happened counted; in JSON in seconds.
    #[serde(rename = "lasted_s", serialize_with = "in_seconds", deserialize_with = "of_seconds")]
    #[schemars(with = "f64")]
    pub lasted: Duration,
    /// The part of the load that came through, from 0 to 1: what MLRsearch calls the trial forwarding ratio.
    pub forwarded: f64,
    /// One for each goal, in their order.
    pub answers: Vec<Answer>,
}

fn in_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

fn of_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// How a sub-trial stands to one goal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    pub verdict: Verdict,
    /// The measured value as a part of its limit, the other way round where the limit is a lower one: at most 1 where
    /// it held, at least 1 where it was exceeded, 0 and infinity allowed. `None` where the two are not compared by
    /// size. In JSON, infinity is `null` as well.
    pub margin: Option<f64>,
}

/// Whether a limit held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Held,
    Exceeded,
    /// Nothing was measured that the limit is about, or not enough.
    NoAnswer,
}

impl Answer {
    pub fn held() -> Answer {
        Answer { verdict: Verdict::Held, margin: None }
    }

    pub fn exceeded() -> Answer {
        Answer { verdict: Verdict::Exceeded, margin: None }
    }

    pub fn none() -> Answer {
        Answer { verdict: Verdict::NoAnswer, margin: None }
    }

    /// By the measured value as a part of a limit that is an upper one. What is no number is no answer.
    pub fn by_margin(margin: f64) -> Answer {
        let verdict = match margin {
            margin if margin.is_nan() => Verdict::NoAnswer,
            margin if margin <= 1.0 => Verdict::Held,
            _ => Verdict::Exceeded,
        };
        Answer { verdict, margin: (!margin.is_nan()).then_some(margin) }
    }
}

/// An outcome that does not fit what was asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TellError {
    #[error("no sub-trial is under way")]
    NothingAsked,
    #[error("expected answers for {expected} goals, found {found}")]
    Answers { expected: usize, found: usize },
    #[error("the part that came through is from 0 to 1, found {0}")]
    Forwarded(f64),
    #[error("a sub-trial lasts longer than nothing")]
    Lasted,
    #[error("a margin is a number from 0 on, found {0}")]
    Margin(f64),
    #[error("a margin of {0} does not go with its verdict")]
    Verdict(f64),
}

impl Measured {
    /// Whether it can be an outcome of a search for so many goals.
    pub(super) fn check(&self, goals: usize) -> Result<(), TellError> {
        if self.answers.len() != goals {
            return Err(TellError::Answers { expected: goals, found: self.answers.len() });
        }
        if !(0.0..=1.0).contains(&self.forwarded) {
            return Err(TellError::Forwarded(self.forwarded));
        }
        if self.lasted.is_zero() {
            return Err(TellError::Lasted);
        }
        self.answers.iter().try_for_each(Answer::check)
    }
}

impl Answer {
    fn check(&self) -> Result<(), TellError> {
        let Some(margin) = self.margin else { return Ok(()) };
        let fits = match self.verdict {
            Verdict::Held => margin <= 1.0,
            Verdict::Exceeded => margin >= 1.0,
            Verdict::NoAnswer => true,
        };
        match fits {
            _ if margin.is_nan() || margin < 0.0 => Err(TellError::Margin(margin)),
            true => Ok(()),
            false => Err(TellError::Verdict(margin)),
        }
    }
}
