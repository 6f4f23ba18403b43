//! What a run must reach to pass: `share(failed) = 0` and its like, read, followed as the run goes, and judged.
//!
//! ```text
//! share(failed) < 0.1%                              flows that ended otherwise than expected, among the started ones
//! p99(flow.delegate.dmacc) < 250ms                  response time: min, mean, max, p50, p95, p99.9 ...
//! p99(flow.delegate.dmacc, service) < 250ms         from the send, not from the intended start
//! rate(flows) > 500/s over steady                   in the phases of that name
//! p99(flow.revoke.asked of phones) < 1s             of one population of the load
//! p99(session.dms1) < 1s for 3 of 5 windows of 10s  in any 5 windows in a row at least 3 keep it
//! count(rejected) = 0 optional                      holds as well where nothing was measured
//! ```
//! Without `over` the whole run counts. A flow is of the phase that meant its journey to start, however late it ends; all
//! else is of the phase in which it happens, and so is what ends in a window. A limit on something that never happened is
//! not kept, unless it is `optional`: nobody has seen that it holds.
//!
//! | file | its job |
//! |---|---|
//! | `reading` | the grammar |
//! | `course` | a limit followed through a run |

mod course;
mod reading;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::delegation::flow::Outcome;
use crate::measure::latency::{Distribution, Metric, samples_needed};
use crate::units;

pub use course::{LimitCourse, Stretch};
pub use reading::parse;

/// The limit of a run that names none on failed flows.
pub const DEFAULT: &str = "share(failed) = 0";

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// As it was written, with single spaces.
    expr: String,
    subject: Subject,
    /// The name of a population of the load; `None`: all of them.
    population: Option<String>,
    comparison: Comparison,
    /// In the subject's unit.
    bound: f64,
    /// The name of phases of the load; `None`: the whole run.
    over: Option<String>,
    windows: Option<Windows>,
    is_optional: bool,
    /// A run that does not keep it ends early, once so much of what counts is over.
    abort_after: Option<Duration>,
}

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Subject {
    Share(FlowPart),
    Rate(Counted),
    Count(Counted),
    Time(Statistic, Metric, Clock),
}

/// Which of the flows that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FlowPart {
    /// Those that ended otherwise than their journey expects.
    Failed,
    /// Those with the outcome of this key.
    With(&'static str),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Flows that ended `done`.
    Flows,
    Started,
    Part(FlowPart),
    Exchanges,
    Handshakes,
    Rejected,
    Dropped,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Statistic {
    Min,
    Mean,
    Max,
    /// 0 to 1.
    Quantile(f64),
}

/// From which moment times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Response,
    Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// Of any `of` windows in a row at least `keep` have to keep the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Windows {
    keep: usize,
    of: usize,
    each: Duration,
}

/// How a limit was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["expr", "actual", "limit", "unit", "passed"]))]
pub struct LimitResult {
    pub expr: String,
    /// In the unit of `limit`; `null` when nothing was measured, or not enough: then it is not kept, unless it is
    /// optional. With windows, that of the worst one.
    pub actual: Option<f64>,
    pub limit: f64,
    pub unit: Unit,
    pub passed: bool,
    #[serde(default)]
    pub optional: bool,
    /// Whether the run was to end early when it is not kept.
    #[serde(default)]
    pub abort: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowTally>,
    /// What has to be known beside the value: too few samples, flows that are not in it, too few windows that kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How many windows were looked at, and how many of them kept the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowTally {
    pub kept: u64,
    pub seen: u64,
}

/// The unit of a limit's two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// From 0 to 1.
    Share,
    Ms,
    PerS,
    Count,
}

/// Why a text is no limit, where in it, and what would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct LimitError {
    pub problem: LimitProblem,
    /// The bytes of the text that are meant.
    pub at: Range<usize>,
    /// What was probably meant, or what there is to choose from.
    pub hint: String,
}

/// What is wrong with a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitProblem {
    #[error("a limit has the form `what(of) < bound`, found `{0}`")]
    Form(String),
    #[error("unknown statistic `{0}`")]
    Statistic(String),
    #[error("unknown metric `{0}`")]
    Metric(String),
    #[error("only flows are told apart by population, not `{0}`")]
    NotByPopulation(String),
    #[error("unknown comparison `{0}`")]
    Comparison(String),
    #[error("expected `over PHASE`, `for K of N windows of TIME` or `optional` behind the bound, found `{0}`")]
    Tail(String),
    #[error(transparent)]
    Bound(#[from] units::UnitError),
}

/// Whether it is the limit that holds without being written.
pub fn is_default(limit: &Limit) -> bool {
    limit.to_string() == DEFAULT
}

/// The limits to judge a run by: the given ones, and [`DEFAULT`] unless one of them is about failed flows.
pub fn with_default(mut limits: Vec<Limit>) -> Vec<Limit> {
    let is_about_all = |limit: &Limit| limit.subject == Subject::Share(FlowPart::Failed) && limit.population.is_none();
    if !limits.iter().any(is_about_all) {
        limits.push(parse(DEFAULT).expect("a limit of our own"));
    }
    limits
}

impl Limit {
    /// The name of the phases that count; `None`: the whole run.
    pub fn phase(&self) -> Option<&str> {
        self.over.as_deref()
    }

    /// The name of the population that counts; `None`: all of them.
    pub fn population(&self) -> Option<&str> {
        self.population.as_deref()
    }

    /// Whether it can be judged only over some time: a rate, windows, and what is of a phase because it happens in it.
    pub fn needs_time(&self) -> bool {
        self.windows.is_some() || !self.subject.is_of_flows() || matches!(self.subject, Subject::Rate(_))
    }

    /// After how much of what counts a run that does not keep it ends early; `None`: never.
    pub fn abort_after(&self) -> Option<Duration> {
        self.abort_after
    }

    /// The same limit, which ends a run that does not keep it, once so much of what counts is over.
    pub fn aborting_after(self, time: Duration) -> Limit {
        Limit { abort_after: Some(time), ..self }
    }

    /// The same limit, which ends no run.
    pub fn without_abort(self) -> Limit {
        Limit { abort_after: None, ..self }
    }

    /// The same limit, of the phases of this name.
    pub fn of_phase(self, name: &str) -> Limit {
        let whole = match &self.over {
            Some(before) => self.expr.replacen(&format!(" over {before}"), "", 1),
            None => self.expr,
        };
        let behind = [" for ", " optional"].into_iter().filter_map(|word| whole.find(word)).min();
        let (bound, behind) = whole.split_at(behind.unwrap_or(whole.len()));
        Limit { expr: format!("{bound} over {name}{behind}"), over: Some(name.to_owned()), ..self }
    }

    /// How many samples it takes to be judged at all.
    pub fn least_samples(&self) -> u64 {
        match self.subject {
            Subject::Time(statistic, ..) => statistic.least_samples(),
            Subject::Share(_) | Subject::Rate(_) | Subject::Count(_) => 1,
        }
    }

    /// A measured value as a part of the bound, the other way round where the bound is a lower one: at most 1 where the
    /// limit is kept. `None` where that says nothing.
    pub fn margin(&self, actual: f64) -> Option<f64> {
        let margin = match self.comparison {
            Comparison::Less | Comparison::LessOrEqual if self.bound > 0.0 => actual / self.bound,
            Comparison::Greater | Comparison::GreaterOrEqual if self.bound > 0.0 => self.bound / actual,
            _ => return None,
        };
        // What is at the bound may be kept or not.
        (!margin.is_nan() && self.comparison.holds(actual, self.bound) == (margin <= 1.0)).then_some(margin)
    }

    /// The same limit, which is kept as well where nothing was measured.
    pub fn made_optional(self) -> Limit {
        let expr = if self.is_optional { self.expr } else { format!("{} optional", self.expr) };
        Limit { expr, is_optional: true, ..self }
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Limit, LimitError> {
        parse(text)
    }
}

/// As it was written.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expr)
    }
}

impl Subject {
    fn unit(self) -> Unit {
        match self {
            Subject::Share(_) => Unit::Share,
            Subject::Rate(_) => Unit::PerS,
            Subject::Count(_) => Unit::Count,
            Subject::Time(..) => Unit::Ms,
        }
    }
}

impl Subject {
    /// Whether it is about flows, which are told apart by population and by the phase that they were to start in.
    fn is_of_flows(self) -> bool {
        match self {
            Subject::Share(_) | Subject::Time(_, Metric::Flow(_), _) => true,
            Subject::Rate(counted) | Subject::Count(counted) => counted.is_of_flows(),
            Subject::Time(..) => false,
        }
    }
}

impl FlowPart {
    /// By its name in a limit.
    fn named(name: &str) -> Option<FlowPart> {
        let with = || Outcome::KEYS.into_iter().find(|key| *key == name).map(FlowPart::With);
        if name == "failed" { Some(FlowPart::Failed) } else { with() }
    }
}

impl Counted {
    const ALL: [(&'static str, Counted); 6] = [
        ("flows", Counted::Flows),
        ("started", Counted::Started),
        ("exchanges", Counted::Exchanges),
        ("handshakes", Counted::Handshakes),
        ("rejected", Counted::Rejected),
        ("dropped", Counted::Dropped),
    ];

    /// By its name in a limit.
    fn named(name: &str) -> Option<Counted> {
        let known = Counted::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, counted)| counted);
        known.or_else(|| FlowPart::named(name).map(Counted::Part))
    }

    fn is_of_flows(self) -> bool {
        matches!(self, Counted::Flows | Counted::Started | Counted::Part(_))
    }
}

impl Statistic {
    /// How many samples it takes.
    fn least_samples(self) -> u64 {
        match self {
            Statistic::Quantile(quantile) => samples_needed(quantile),
            Statistic::Min | Statistic::Mean | Statistic::Max => 1,
        }
    }

    fn of(self, times: &Distribution) -> Option<f64> {
        match self {
            Statistic::Min => times.spread().min,
            Statistic::Mean => times.spread().mean,
            Statistic::Max => times.max_ms(),
            Statistic::Quantile(quantile) => times.percentile_ms(quantile),
        }
    }
}

impl Comparison {
    fn holds(self, actual: f64, bound: f64) -> bool {
        match self {
            Comparison::Less => actual < bound,
            Comparison::LessOrEqual => actual <= bound,
            Comparison::Equal => actual == bound,
            Comparison::GreaterOrEqual => actual >= bound,
            Comparison::Greater => actual > bound,
        }
    }

    /// Whether a count has come too far to hold again, however much is added to it.
    fn is_beyond(self, actual: f64, bound: f64) -> bool {
        match self {
            Comparison::Less => actual >= bound,
            Comparison::LessOrEqual | Comparison::Equal => actual > bound,
            Comparison::GreaterOrEqual | Comparison::Greater => false,
        }
    }

    /// Whether `one` keeps a limit less well than `other`.
    fn is_worse(self, one: f64, other: f64, bound: f64) -> bool {
        match self {
            Comparison::Less | Comparison::LessOrEqual => one > other,
            Comparison::Greater | Comparison::GreaterOrEqual => one < other,
            Comparison::Equal => (one - bound).abs() > (other - bound).abs(),
        }
    }
}

#[cfg(test)]
mod tests;
