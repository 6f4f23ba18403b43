//! The grammar of limits: `what(of[, clock] [of POPULATION]) < bound [over PHASE] [for K of N windows of TIME] [optional]`.

use std::ops::Range;

use crate::measure::latency::Metric;
use crate::measure::limit::{
    Clock, Comparison, Counted, DEFAULT, FlowPart, Limit, LimitError, LimitProblem, Statistic, Subject, Windows,
};
use crate::units;

/// More windows than this are not kept in mind.
const MOST_WINDOWS: usize = 1_000;
/// What can stand behind a bound.
const TAILS: &str = "e.g. `over steady`, `for 3 of 5 windows of 10s` or `optional`, in this order";

/// Reads one limit.
///
/// # Errors
/// [`LimitError`], with the place in the text and a hint.
pub fn parse(text: &str) -> Result<Limit, LimitError> {
    let parts = Parts::split(text)?;
    let (subject, population) = parts.subject(text)?;
    let comparison = parts.comparison(text)?;
    let bound = parts.bound(text, subject)?;
    let tail = Tail::read(text, parts.tail)?;
    let expr = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Limit {
        expr,
        subject,
        population,
        comparison,
        bound,
        over: tail.over,
        windows: tail.windows,
        is_optional: tail.is_optional,
        abort_after: None,
    })
}

/// Where the parts of `what(of) comparison bound tail` stand in a text.
struct Parts {
    what: Range<usize>,
    of: Range<usize>,
    comparison: Range<usize>,
    bound: Range<usize>,
    tail: Range<usize>,
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
        let tail = words(text, end..text.len()).find(|(word, _)| ["over", "for", "optional"].contains(word));
        let tail = tail.map_or(text.len(), |(_, at)| at.start);
        let parts = Parts {
            what: trimmed(text, 0..open),
            of: trimmed(text, open + 1..close),
            comparison: signs..end,
            bound: trimmed(text, end..tail),
            tail: trimmed(text, tail..text.len()),
        };
        if [&parts.what, &parts.of, &parts.comparison, &parts.bound].into_iter().any(Range::is_empty) {
            return Err(wrong());
        }
        Ok(parts)
    }

    /// What it is about, and the population.
    fn subject(&self, text: &str) -> Result<(Subject, Option<String>), LimitError> {
        let of = &text[self.of.clone()];
        let (of, population) = match of.split_once(" of ") {
            Some((of, population)) => (of.trim_end(), Some(population.trim())),
            None => (of, None),
        };
        let at = self.of.start..self.of.start + of.len();
        let what = &text[self.what.clone()];
        let subject = self.subject_named(what, of, at.clone())?;
        if population.is_some() && !subject.is_of_flows() {
            let hint = "leave out `of`, or limit a `flow...` metric".to_owned();
            return Err(LimitError { problem: LimitProblem::NotByPopulation(of.to_owned()), at, hint });
        }
        Ok((subject, population.map(str::to_owned)))
    }

    fn subject_named(&self, what: &str, of: &str, at: Range<usize>) -> Result<Subject, LimitError> {
        let unknown = |hint: String| LimitError { problem: LimitProblem::Metric(of.to_owned()), at: at.clone(), hint };
        match what {
            "share" => {
                let part = FlowPart::named(of).ok_or_else(|| {
                    unknown("the share of `failed` flows is known, and of each outcome, e.g. `undone`".to_owned())
                })?;
                Ok(Subject::Share(part))
            }
            "rate" | "count" => {
                let counted = Counted::named(of).ok_or_else(|| {
                    let known: Vec<&str> = Counted::ALL.iter().map(|(name, _)| *name).collect();
                    unknown(format!("one of {}, failed, or an outcome", known.join(", ")))
                })?;
                Ok(if what == "rate" { Subject::Rate(counted) } else { Subject::Count(counted) })
            }
            _ => {
                let statistic = statistic(what).ok_or_else(|| LimitError {
                    problem: LimitProblem::Statistic(what.to_owned()),
                    at: self.what.clone(),
                    hint:
                        "one of min, mean, max, share, rate, count, or a percentile below 100 such as p50, p99 or p99.9"
                            .to_owned(),
                })?;
                let (name, clock) = match of.split_once(',').map(|(name, clock)| (name.trim(), clock.trim())) {
                    None | Some((_, "response")) => (of.split(',').next().unwrap_or(of).trim(), Clock::Response),
                    Some((name, "service")) => (name, Clock::Service),
                    Some(_) => {
                        return Err(unknown("times count from `response` or `service`".to_owned()));
                    }
                };
                let metric = Metric::all().find(|metric| metric.to_string() == name);
                let metric = metric.ok_or_else(|| LimitError {
                    problem: LimitProblem::Metric(name.to_owned()),
                    at: at.start..at.start + name.len(),
                    hint: nearest_metric(name),
                })?;
                Ok(Subject::Time(statistic, metric, clock))
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

    fn bound(&self, text: &str, subject: Subject) -> Result<f64, LimitError> {
        let found = &text[self.bound.clone()];
        let (bound, example) = match subject {
            Subject::Share(_) => (found.parse().map(units::Share::fraction), "share(failed) < 0.1%"),
            Subject::Time(..) => {
                let bound = found.parse().map(|units::Duration(bound)| bound.as_secs_f64() * 1e3);
                (bound, "p99(flow.delegate.dmacc) < 250ms")
            }
            Subject::Rate(_) => (found.parse().map(units::Rate::in_seconds), "rate(flows) > 500/s"),
            Subject::Count(_) => {
                let bound = found.parse::<u64>().map(|count| count as f64);
                (bound.map_err(|_| units::UnitError::new("a whole number", found)), "count(dropped) = 0")
            }
        };
        bound.map_err(|error| LimitError {
            problem: LimitProblem::Bound(error),
            at: self.bound.clone(),
            hint: format!("e.g. `{example}`"),
        })
    }
}

/// What stands behind the bound.
#[derive(Default)]
struct Tail {
    over: Option<String>,
    windows: Option<Windows>,
    is_optional: bool,
}

impl Tail {
    fn read(text: &str, at: Range<usize>) -> Result<Tail, LimitError> {
        let spelled: Vec<(&str, Range<usize>)> = words(text, at.clone()).collect();
        let mut rest: Vec<&str> = spelled.iter().map(|(word, _)| *word).collect();
        let wrong = || LimitError {
            problem: LimitProblem::Tail(text[at.clone()].to_owned()),
            at: at.clone(),
            hint: TAILS.to_owned(),
        };
        let mut tail = Tail::default();
        if let ["over", phase, ..] = rest[..] {
            tail.over = Some(phase.to_owned());
            rest.drain(..2);
        }
        if let ["for", keep, "of", of, "windows", "of", each, ..] = rest[..] {
            let (keep, of) = keep.parse().ok().zip(of.parse().ok()).ok_or_else(wrong)?;
            let units::Duration(each) = each.parse().map_err(|_| wrong())?;
            if keep == 0 || keep > of || of > MOST_WINDOWS || each.as_secs() == 0 || each.subsec_nanos() > 0 {
                return Err(LimitError {
                    hint: format!(
                        "windows last whole seconds, there are at most {MOST_WINDOWS}, and at least one of them keeps it"
                    ),
                    ..wrong()
                });
            }
            tail.windows = Some(Windows { keep, of, each });
            rest.drain(..7);
        }
        if let ["optional", ..] = rest[..] {
            tail.is_optional = true;
            rest.drain(..1);
        }
        if rest.is_empty() { Ok(tail) } else { Err(wrong()) }
    }
}

/// `p99`, `p99.9`, and without a point nines alone: `p999` is `p99.9`.
fn statistic(name: &str) -> Option<Statistic> {
    let digits = match name {
        "min" => return Some(Statistic::Min),
        "mean" => return Some(Statistic::Mean),
        "max" => return Some(Statistic::Max),
        _ => name.strip_prefix('p').filter(|digits| digits.chars().all(|c| c.is_ascii_digit() || c == '.'))?,
    };
    let is_nines = digits.len() > 2 && digits.chars().all(|c| c == '9');
    let percent = if is_nines { format!("99.{}", &digits[2..]) } else { digits.to_owned() };
    let percent: f64 = percent.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(Statistic::Quantile(percent / 100.0))
}

/// The words of a part of a text, with their places.
fn words(text: &str, within: Range<usize>) -> impl Iterator<Item = (&str, Range<usize>)> {
    let part = &text[within.clone()];
    part.split_whitespace().map(move |word| {
        let start = within.start + (word.as_ptr() as usize - part.as_ptr() as usize);
        (word, start..start + word.len())
    })
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
