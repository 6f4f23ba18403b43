//! `junit.xml`: limits, promises, health and goals as test cases, in the form that build servers read.
//!
//! A case fails or is an error just where the verdict is not `passed`; what was not seen is skipped, with the reason. What a
//! limit came to stands in its case (`system-out`, or the failure) and among the properties of its suite: the form has none
//! for a case.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::measure::limit::{LimitResult, Unit};
use crate::measure::summary::PromiseRow;
use crate::measure::{Summary, Verdict};
use crate::results::RunManifest;

/// The whole document, ending with a line end. The same summary and manifest give the same bytes.
pub fn document(summary: &Summary, manifest: &RunManifest) -> String {
    let suites = [limits(summary), promises(summary), health(summary), goals(summary)];
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut writer, summary, manifest, &suites).expect("it is written to memory");
    let mut text = String::from_utf8(writer.into_inner()).expect("it was written as text");
    text.push('\n');
    text
}

struct Suite {
    name: &'static str,
    properties: Vec<(String, String)>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    outcome: Outcome,
    /// What else there is to tell, where it passed.
    out: Option<String>,
}

enum Outcome {
    Passed,
    /// In one line, and at length.
    Failed(String, String),
    /// The run itself went wrong.
    Error(String),
    Skipped(String),
}

impl Case {
    fn new(name: impl Into<String>, outcome: Outcome) -> Case {
        Case { name: name.into(), outcome, out: None }
    }
}

impl Suite {
    fn count(&self, is_it: impl Fn(&Outcome) -> bool) -> usize {
        self.cases.iter().filter(|case| is_it(&case.outcome)).count()
    }
}

/// A race is judged by its expectation alone, so that there its limits only tell.
fn limits(summary: &Summary) -> Suite {
    let mut properties = Vec::new();
    let mut cases = Vec::new();
    for limit in &summary.limits {
        let (actual, bound) = (limit.actual.map(|actual| figure(actual, limit.unit)), figure(limit.limit, limit.unit));
        properties.push((format!("{}: actual", limit.expr), actual.clone().unwrap_or_default()));
        properties.push((format!("{}: limit", limit.expr), bound.clone()));
        let told = told(limit, actual.as_deref(), &bound);
        let outcome = match (limit.passed, &actual) {
            _ if summary.expectation.is_some() => Outcome::Skipped(format!("a race is judged by its goals; {told}")),
            (true, None) => Outcome::Skipped(format!("it is optional, and {told}")),
            (true, Some(_)) => Outcome::Passed,
            (false, _) => Outcome::Failed(told.clone(), format!("{}: {told}", limit.expr)),
        };
        let out = matches!(outcome, Outcome::Passed).then_some(told);
        cases.push(Case { name: limit.expr.clone(), outcome, out });
    }
    Suite { name: "limits", properties, cases }
}

fn told(limit: &LimitResult, actual: Option<&str>, bound: &str) -> String {
    let windows =
        limit.windows.map_or_else(String::new, |tally| format!("; {} of {} windows kept it", tally.kept, tally.seen));
    let note = limit.note.as_ref().filter(|_| limit.windows.is_none());
    let note = note.map_or_else(String::new, |note| format!("; {note}"));
    match actual {
        Some(actual) => format!("actual {actual}, limit {bound}{windows}{note}"),
        None => format!("nothing was measured, or not enough; limit {bound}{windows}{note}"),
    }
}

fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{} %", (value * 1e6).round() / 1e4),
        Unit::Ms => format!("{value} ms"),
        Unit::PerS => format!("{value}/s"),
        Unit::Count => value.to_string(),
    }
}

fn promises(summary: &Summary) -> Suite {
    let expected = summary.expectation.as_ref().map_or(&[][..], |race| &race.expected);
    let mut cases: Vec<Case> = summary.promises.iter().map(|promise| promise_case(promise, expected)).collect();
    if cases.is_empty() {
        let stopped = Outcome::Skipped("the run ended before they were looked at".to_owned());
        cases.push(Case::new("promises", stopped));
    }
    let properties = summary.promises.iter().flat_map(|promise| {
        let named = |what: &str, number: u64| (format!("{}: {what}", promise.name), number.to_string());
        [
            named("checked", promise.checked),
            named("broken", promise.broken),
            named("not_observable", promise.not_observable),
        ]
    });
    Suite { name: "promises", properties: properties.collect(), cases }
}

fn promise_case(promise: &PromiseRow, expected: &[String]) -> Case {
    let PromiseRow { name, checked, broken, not_observable, seen } = promise;
    let told = format!("broken {broken} times of {checked} checked; not observable {not_observable} times");
    let outcome = match (*broken, *checked, *not_observable) {
        (0, 0, 0) => Outcome::Skipped("never checked: nothing in this run bears on it".to_owned()),
        (0, 0, _) => Outcome::Skipped(format!("never checked: not observable {not_observable} times")),
        (0, ..) => Outcome::Passed,
        _ if expected.contains(name) => Outcome::Skipped(format!("{told}; this race is to break it")),
        _ => Outcome::Failed(told.clone(), std::iter::once(&told).chain(seen).cloned().collect::<Vec<_>>().join("\n")),
    };
    let out = matches!(outcome, Outcome::Passed).then_some(told);
    Case { name: name.clone(), outcome, out }
}

fn health(summary: &Summary) -> Suite {
    let health = &summary.health;
    let kept_up = match health.valid {
        true => Outcome::Passed,
        // With a race that is met, and with a run that was stopped, the figures are not what counts.
        false if summary.verdict != Verdict::Invalid => Outcome::Skipped(health.reasons.join("; ")),
        false => Outcome::Failed(health.reasons.join("; "), health.reasons.join("\n")),
    };
    let warnings = (!health.warnings.is_empty()).then(|| health.warnings.join("\n"));
    let ended = match summary.verdict {
        Verdict::Interrupted => Outcome::Error("the run was interrupted".to_owned()),
        Verdict::Aborted => Outcome::Error("a limit with `abort` ended the run early".to_owned()),
        Verdict::Unreachable => Outcome::Error("the target could not be reached, or refused our identity".to_owned()),
        Verdict::Passed | Verdict::Failed | Verdict::Broken | Verdict::Invalid => Outcome::Passed,
    };
    let panicked = match summary.actors.panicked {
        0 => Outcome::Passed,
        times => Outcome::Error(format!("parts of dmswarm panicked {times} times: a fault of dmswarm itself")),
    };
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let properties = [
        ("lateness_ms: p99", number(health.lateness_ms.p99)),
        ("event_loop_ms: p99", number(health.event_loop_ms.p99)),
        ("cpu_share", health.cpu_share.to_string()),
        ("dropped", health.dropped.to_string()),
        ("never_sent", health.never_sent.to_string()),
        ("peak_rss_bytes", health.peak_rss_bytes.to_string()),
    ];
    let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let cases = vec![
        Case { name: "this machine kept up".to_owned(), outcome: kept_up, out: warnings },
        Case::new("the run went to its end", ended),
        Case::new("nothing of ours panicked", panicked),
    ];
    Suite { name: "health", properties, cases }
}

/// Goals that were not reached, and faults that did not fire, are warnings only; a race that did not go as expected fails.
fn goals(summary: &Summary) -> Suite {
    let happened = |times: u64, told: String| if times > 0 { Outcome::Passed } else { Outcome::Skipped(told) };
    let mut cases = Vec::new();
    for goal in &summary.reached {
        cases.push(Case {
            out: (goal.times > 0).then(|| format!("reached {} times", goal.times)),
            ..Case::new(format!("reached: {}", goal.goal), happened(goal.times, "never reached".to_owned()))
        });
    }
    for fault in &summary.faults {
        let occasions = format!("never fired, on {} occasions", fault.eligible);
        cases.push(Case {
            out: (fault.injected > 0).then(|| format!("fired {} times of {}", fault.injected, fault.eligible)),
            ..Case::new(format!("fired: {}", fault.name), happened(fault.injected, occasions))
        });
    }
    if let Some(race) = &summary.expectation {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let reproduced = if race.reproduced { "every goal was reached" } else { "not every goal was reached" };
        let told =
            format!("{reproduced}; promises to be broken: {}; broken: {}", list(&race.expected), list(&race.broken));
        let outcome = match race.met {
            true => Outcome::Passed,
            // Another suite says why this one could not be judged.
            false if summary.verdict != Verdict::Broken => Outcome::Skipped(told.clone()),
            false => Outcome::Failed(told.clone(), told.clone()),
        };
        let out = race.met.then_some(told);
        cases.push(Case { name: "the race goes as expected".to_owned(), outcome, out });
    }
    Suite { name: "goals", properties: Vec::new(), cases }
}

type Written = io::Result<()>;

fn write(writer: &mut Writer<Vec<u8>>, summary: &Summary, manifest: &RunManifest, suites: &[Suite]) -> Written {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let sum = |is_it: fn(&Outcome) -> bool| suites.iter().map(|suite| suite.count(is_it)).sum::<usize>().to_string();
    let time = format!("{:.3}", summary.duration_s);
    let name = plain(&format!("dmswarm {}", summary.scenario));
    writer
        .create_element("testsuites")
        .with_attribute(("name", name.as_str()))
        .with_attribute(("tests", sum(|_| true).as_str()))
        .with_attribute(("failures", sum(is_failure).as_str()))
        .with_attribute(("errors", sum(is_error).as_str()))
        .with_attribute(("time", time.as_str()))
        .write_inner_content(|writer| {
            suites.iter().try_for_each(|suite| write_suite(writer, summary, manifest, suite))
        })?;
    Ok(())
}

fn write_suite(writer: &mut Writer<Vec<u8>>, summary: &Summary, manifest: &RunManifest, suite: &Suite) -> Written {
    let started = manifest.started.split('.').next().unwrap_or_default();
    let of_run = [
        ("verdict", summary.verdict.key().to_owned()),
        ("seed", summary.seed.to_string()),
        ("policy", summary.policy.clone()),
        ("devices", summary.devices.to_string()),
        ("version", manifest.version.clone()),
    ];
    let of_run = of_run.iter().map(|(name, value)| (*name, value.as_str()));
    let own = suite.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    writer
        .create_element("testsuite")
        .with_attribute(("name", suite.name))
        .with_attribute(("tests", suite.cases.len().to_string().as_str()))
        .with_attribute(("failures", suite.count(is_failure).to_string().as_str()))
        .with_attribute(("errors", suite.count(is_error).to_string().as_str()))
        .with_attribute(("skipped", suite.count(is_skipped).to_string().as_str()))
        .with_attribute(("timestamp", plain(started).as_str()))
        .write_inner_content(|writer| {
            writer.create_element("properties").write_inner_content(|writer| {
                of_run.chain(own).try_for_each(|(name, value)| {
                    let property = writer.create_element("property");
                    let property = property.with_attribute(("name", plain(name).as_str()));
                    property.with_attribute(("value", plain(value).as_str())).write_empty().map(|_| ())
                })
            })?;
            let class = plain(&format!("dmswarm.{}.{}", summary.scenario, suite.name));
            suite.cases.iter().try_for_each(|case| write_case(writer, &class, case))
        })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, class: &str, case: &Case) -> Written {
    let element = writer.create_element("testcase");
    let element = element.with_attribute(("classname", class)).with_attribute(("name", plain(&case.name).as_str()));
    if case.out.is_none() && matches!(case.outcome, Outcome::Passed) {
        return element.write_empty().map(|_| ());
    }
    element.write_inner_content(|writer| {
        match &case.outcome {
            Outcome::Passed => {}
            Outcome::Failed(message, text) => {
                let failure = writer.create_element("failure").with_attribute(("message", plain(message).as_str()));
                failure.with_attribute(("type", "failed")).write_text_content(BytesText::new(&plain(text)))?;
            }
            Outcome::Error(message) => {
                let error = writer.create_element("error").with_attribute(("message", plain(message).as_str()));
                error.with_attribute(("type", "error")).write_empty()?;
            }
            Outcome::Skipped(message) => {
                writer.create_element("skipped").with_attribute(("message", plain(message).as_str())).write_empty()?;
            }
        }
        if let Some(out) = &case.out {
            writer.create_element("system-out").write_text_content(BytesText::new(&plain(out)))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn is_failure(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(..))
}

fn is_error(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Error(_))
}

fn is_skipped(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Skipped(_))
}

/// Without the characters that XML cannot carry at all.
fn plain(text: &str) -> String {
    let can_stand =
        |letter: char| matches!(letter, '\n' | '\t') || (letter >= ' ' && !matches!(letter, '\u{fffe}' | '\u{ffff}'));
    text.chars().map(|letter| if can_stand(letter) { letter } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests;
