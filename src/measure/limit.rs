//! What a run must reach to pass: `share(failed) = 0` and its like, read and judged.
//!
//! ```text
//! share(failed) < 0.1%                    failed flows among the started ones
//! p99(flow.delegate.dmacc) < 250ms        response time over the whole run: min, mean, p50, p90, p99, p999, max
//! ```
//! A limit on something that never happened is not kept: nobody has seen that it holds.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::latency::{Metric, Spread};
use crate::measure::shard::Shard;
use crate::units;

/// The limit of a run that names none on failed flows.
pub const DEFAULT: &str = "share(failed) = 0";

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// As it was written, with single spaces.
    expr: String,
    subject: Subject,
    comparison: Comparison,
    /// A share from 0 to 1, or milliseconds.
    bound: f64,
}

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Subject {
    FailedShare,
    Response(Statistic, Metric),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistic {
    Min,
    Mean,
    P50,
    P90,
    P99,
    P999,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// How a limit was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["expr", "actual", "limit", "unit", "passed"]))]
pub struct LimitResult {
    pub expr: String,
    /// In the unit of `limit`; `null` when nothing was measured, or not enough: then it is not kept.
    pub actual: Option<f64>,
    pub limit: f64,
    pub unit: Unit,
    pub passed: bool,
}

/// The unit of a limit's two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// From 0 to 1.
    Share,
    Ms,
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
    #[error("unknown comparison `{0}`")]
    Comparison(String),
    #[error(transparent)]
    Bound(#[from] units::UnitError),
}

/// Reads one limit.
///
/// # Errors
/// [`LimitError`], with the place in the text and a hint.
pub fn parse(text: &str) -> Result<Limit, LimitError> {
    let parts = Parts::split(text)?;
    let subject = parts.subject(text)?;
    let comparison = parts.comparison(text)?;
    let found = &text[parts.bound.clone()];
    let bound = match subject {
        Subject::FailedShare => found.parse().map(units::Share::fraction),
        Subject::Response(..) => found.parse().map(|units::Duration(bound)| bound.as_secs_f64() * 1e3),
    };
    let bound = bound.map_err(|error| LimitError {
        problem: LimitProblem::Bound(error),
        at: parts.bound,
        hint: match found.contains(" over ") {
            true => "a limit ends with its bound; it is over the whole run",
            false => "e.g. `share(failed) < 0.1%` or `p99(flow.delegate.dmacc) < 250ms`",
        }
        .to_owned(),
    })?;
    let expr = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Limit { expr, subject, comparison, bound })
}

/// The limits to judge a run by: the given ones, and [`DEFAULT`] unless one of them is about failed flows.
pub fn with_default(mut limits: Vec<Limit>) -> Vec<Limit> {
    if !limits.iter().any(|limit| limit.subject == Subject::FailedShare) {
        limits.push(parse(DEFAULT).expect("a limit of our own"));
    }
    limits
}

impl Limit {
    /// How the run that a shard has recorded keeps it.
    pub fn judge(&self, run: &Shard) -> LimitResult {
        let actual = match self.subject {
            Subject::FailedShare => (run.started() > 0).then(|| run.failed() as f64 / run.started() as f64),
            Subject::Response(statistic, metric) => {
                run.latency(metric).and_then(|latency| statistic.of(&latency.response.spread()))
            }
        };
        LimitResult {
            expr: self.expr.clone(),
            actual,
            limit: self.bound,
            unit: match self.subject {
                Subject::FailedShare => Unit::Share,
                Subject::Response(..) => Unit::Ms,
            },
            passed: actual.is_some_and(|actual| self.comparison.holds(actual, self.bound)),
        }
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

impl Statistic {
    const ALL: [(&'static str, Statistic); 7] = [
        ("min", Statistic::Min),
        ("mean", Statistic::Mean),
        ("p50", Statistic::P50),
        ("p90", Statistic::P90),
        ("p99", Statistic::P99),
        ("p999", Statistic::P999),
        ("max", Statistic::Max),
    ];

    fn of(self, spread: &Spread) -> Option<f64> {
        match self {
            Statistic::Min => spread.min,
            Statistic::Mean => spread.mean,
            Statistic::P50 => spread.p50,
            Statistic::P90 => spread.p90,
            Statistic::P99 => spread.p99,
            Statistic::P999 => spread.p999,
            Statistic::Max => spread.max,
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
}

/// Where the parts of `what(of) comparison bound` stand in a text.
struct Parts {
    what: Range<usize>,
    of: Range<usize>,
    comparison: Range<usize>,
    bound: Range<usize>,
}

impl Parts {
    fn split(text: &str) -> Result<Parts, LimitError> {
        let wrong = || LimitError {
            problem: LimitProblem::Form(text.to_owned()),
            at: 0..text.len(),
            hint: format!("e.g. `{DEFAULT}` or `p99(flow.delegate.dmacc) < 250ms`"),
        };
        let open = text.find('(').ok_or_else(wrong)?;
        let close = open + text[open..].find(')').ok_or_else(wrong)?;
        let is_sign = |c: char| "<>=!".contains(c);
        let after = close + 1;
        let signs = after + text[after..].find(|c: char| !c.is_whitespace()).ok_or_else(wrong)?;
        let end = text[signs..].find(|c| !is_sign(c)).map_or(text.len(), |length| signs + length);
        let parts = Parts {
            what: trimmed(text, 0..open),
            of: trimmed(text, open + 1..close),
            comparison: signs..end,
            bound: trimmed(text, end..text.len()),
        };
        if [&parts.what, &parts.of, &parts.comparison, &parts.bound].into_iter().any(Range::is_empty) {
            return Err(wrong());
        }
        Ok(parts)
    }

    fn subject(&self, text: &str) -> Result<Subject, LimitError> {
        let (what, of) = (&text[self.what.clone()], &text[self.of.clone()]);
        if what == "share" {
            return if of == "failed" {
                Ok(Subject::FailedShare)
            } else {
                let hint = "the share of `failed` flows is known".to_owned();
                Err(LimitError { problem: LimitProblem::Metric(of.to_owned()), at: self.of.clone(), hint })
            };
        }
        let Some((_, statistic)) = Statistic::ALL.into_iter().find(|(name, _)| *name == what) else {
            let known = Statistic::ALL.iter().map(|(name, _)| *name).chain(["share"]).collect::<Vec<_>>().join(", ");
            let problem = LimitProblem::Statistic(what.to_owned());
            return Err(LimitError { problem, at: self.what.clone(), hint: format!("one of {known}") });
        };
        match Metric::all().find(|metric| metric.to_string() == of) {
            Some(metric) => Ok(Subject::Response(statistic, metric)),
            None => {
                let problem = LimitProblem::Metric(of.to_owned());
                Err(LimitError { problem, at: self.of.clone(), hint: nearest_metric(of) })
            }
        }
    }

    fn comparison(&self, text: &str) -> Result<Comparison, LimitError> {
        match &text[self.comparison.clone()] {
            "<" => Ok(Comparison::Less),
            "<=" => Ok(Comparison::LessOrEqual),
            "=" | "==" => Ok(Comparison::Equal),
            ">=" => Ok(Comparison::GreaterOrEqual),
            ">" => Ok(Comparison::Greater),
            other => Err(LimitError {
                problem: LimitProblem::Comparison(other.to_owned()),
                at: self.comparison.clone(),
                hint: "one of <, <=, =, >=, >".to_owned(),
            }),
        }
    }
}

/// A range without the white space at its ends.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

fn nearest_metric(found: &str) -> String {
    let near = Metric::all()
        .map(|metric| metric.to_string())
        .map(|name| (strsim::jaro_winkler(found, &name), name))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match near {
        Some((likeness, name)) if likeness > 0.8 => format!("did you mean `{name}`?"),
        _ => "a key of `latency` in the summary, e.g. `flow.delegate.dmacc` or `session.dms1`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::flow::{FlowKind, Outcome};
    use std::time::Duration;

    /// A run of `done` flows that took 1 ms each, and one more per outcome of `others`, none of them expected.
    fn run(done: u64, others: &[Outcome]) -> Shard {
        let mut shard = Shard::new();
        let kind = FlowKind::all().next().expect("there are flows");
        let took = Duration::from_millis(1);
        for _ in 0..done {
            shard.flow_started(kind, "done");
            shard.flow_ended(kind, &Outcome::Done, true, took, took);
        }
        for outcome in others {
            shard.flow_started(kind, "done");
            shard.flow_ended(kind, outcome, false, took, took);
        }
        shard
    }

    #[track_caller]
    fn check(expr: &str, run: &Shard, actual: Option<f64>, passed: bool) {
        let result = parse(expr).expect("a limit").judge(run);
        assert_eq!((result.actual, result.passed), (actual, passed), "{expr}");
        assert_eq!(result.expr, expr);
    }

    #[test]
    fn limits_hold_or_do_not() {
        let good = run(100, &[]);
        let bad = run(99, &[Outcome::Lost]);
        check("share(failed) = 0", &good, Some(0.0), true);
        check("share(failed) = 0", &bad, Some(0.01), false);
        check("share(failed) < 1%", &bad, Some(0.01), false);
        check("share(failed) <= 1%", &bad, Some(0.01), true);
        check("share(failed) < 1.1%", &bad, Some(0.01), true);
        check("p99(flow.delegate.dmacc) < 250ms", &good, Some(1.0), true);
        check("p99(flow.delegate.dmacc) < 500us", &good, Some(1.0), false);
        check("min(flow.delegate.dmacc) >= 1ms", &good, Some(1.0), true);
        check("max(flow.delegate.dmacc) > 1s", &good, Some(1.0), false);
    }

    #[test]
    fn a_limit_on_what_never_happened_is_not_kept() {
        check("share(failed) = 0", &Shard::new(), None, false);
        check("p99(session.dms1) < 1h", &run(100, &[]), None, false);
        check("p99(flow.delegate.dmacc) < 1h", &run(99, &[]), None, false);
    }

    #[test]
    fn a_flow_that_never_ended_has_failed() {
        let mut shard = run(3, &[]);
        shard.flow_started(FlowKind::all().next().expect("there are flows"), "done");
        check("share(failed) = 0", &shard, Some(0.25), false);
    }

    #[test]
    fn failed_flows_are_limited_unless_the_scenario_does_so() {
        let texts = |limits: Vec<Limit>| limits.iter().map(Limit::to_string).collect::<Vec<_>>();
        assert_eq!(texts(with_default(Vec::new())), [DEFAULT]);
        let own = vec![parse("share(failed) < 1%").expect("a limit")];
        assert_eq!(texts(with_default(own)), ["share(failed) < 1%"]);
        let other = vec![parse("p50(bootstrap) < 1s").expect("a limit")];
        assert_eq!(texts(with_default(other)), ["p50(bootstrap) < 1s", DEFAULT]);
    }

    #[test]
    fn white_space_is_free() {
        assert_eq!(parse(" share( failed )<0.1 % ").expect("a limit").judge(&run(1, &[])).limit, 0.001);
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        // (limit, the part that is meant, what the hint holds)
        for (text, meant, hint) in [
            ("", "", "share(failed) = 0"),
            ("share failed = 0", "share failed = 0", "e.g."),
            ("share(failed)", "share(failed)", "e.g."),
            ("share(failed) <", "share(failed) <", "e.g."),
            ("share(lost) = 0", "lost", "failed"),
            ("share(failed) ! 0", "!", "one of <"),
            ("share(failed) = none", "none", "e.g."),
            ("share(failed) < 101%", "101%", "e.g."),
            ("p98(bootstrap) < 1s", "p98", "p99"),
            ("p99(flow.delegate.dmac) < 1s", "flow.delegate.dmac", "did you mean `flow.delegate.dmacc`?"),
            ("p99(bootstrap) < 250", "250", "e.g."),
            ("p99(bootstrap) < 250ms over steady", "250ms over steady", "whole run"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(&text[error.at.clone()], meant, "{error}");
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        }
    }
}
