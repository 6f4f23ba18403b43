//! The second look at `limits`: each is a string, or a table that says more about it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use toml::de::DeValue;

use crate::measure::limit::{self, Limit};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::problem::{Problem, did_you_mean};
use crate::units;
use crate::workload::arrival::Phase;
use crate::workload::plan::{Load, LoadPopulation};

/// The limits of a scenario with this load, in the order of the file.
pub fn read(root: &Entry<'_>, load: &Load, found: &mut Vec<Problem>) -> Vec<Limit> {
    let mut tables = root.tables("limits").into_iter();
    let mut texts = root.texts("limits").unwrap_or_default().into_iter();
    let limits = root.items("limits").iter().filter_map(|item| match item.get_ref() {
        DeValue::String(_) => texts.next().and_then(|text| expression(&text, load, found)),
        DeValue::Table(_) => tables.next().and_then(|entry| table(&entry, load, found)),
        _ => None,
    });
    let limits = limits.collect();
    limit::with_default(limits)
}

fn expression(text: &Text<'_>, load: &Load, found: &mut Vec<Problem>) -> Option<Limit> {
    match limit::parse(text.text) {
        Ok(limit) => {
            check(text, &limit, load, found);
            Some(limit)
        }
        Err(error) => {
            found.push(Problem::new(text.part(error.at.clone()), error.to_string()).hint(error.hint));
            None
        }
    }
}

/// Whether the load has what the limit is about.
fn check(text: &Text<'_>, limit: &Limit, load: &Load, found: &mut Vec<Problem>) {
    // A load that could not be read has been told of.
    let populations: Vec<&str> = load.populations.iter().map(|one| one.name.as_str()).collect();
    if populations.is_empty() {
        return;
    }
    if let Some(name) = limit.population().filter(|name| !populations.contains(name)) {
        found.push(unknown(text, ("the load", "population"), name, &populations));
        return;
    }
    let Some(name) = limit.phase() else { return };
    let is_ours = |one: &LoadPopulation| limit.population().is_none_or(|name| one.name == name);
    let phases: Vec<&Phase> = load.populations.iter().filter(|one| is_ours(one)).flat_map(|one| &one.phases).collect();
    let known: BTreeSet<&str> = phases.iter().map(|phase| phase.name.as_str()).collect();
    if !known.is_empty() && !known.contains(name) {
        let whose = limit.population().map_or("the load".to_owned(), |name| format!("the population `{name}`"));
        found.push(unknown(text, (&whose, "phase"), name, &Vec::from_iter(known)));
        return;
    }
    let takes_time = |phase: &&Phase| phase.shape.lasts() != Some(Duration::ZERO);
    let is_at_once = !phases.iter().filter(|phase| phase.name == name).any(takes_time);
    if is_at_once && !known.is_empty() && limit.needs_time() {
        let problem = Problem::new(place_of(text, name), format!("the phase `{name}` takes no time"));
        found.push(problem.label("a storm").hint(
            "of a storm only its flows are known: limit their times, shares and counts, and not by windows; or give the \
             phase behind it the same name",
        ));
    }
}

/// Of two equal words a name is the last one: what could follow it is another word.
fn place_of(text: &Text<'_>, name: &str) -> Range<usize> {
    let start = text.text.rfind(name).unwrap_or(0);
    text.part(start..start + name.len())
}

/// A name that no part of the load has.
fn unknown(text: &Text<'_>, (whose, what): (&str, &str), name: &str, known: &[&str]) -> Problem {
    let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match what {
        "phase" => format!("its phases are called {}; one without a name is `steady`", known.join(", ")),
        _ => format!("its populations are {}", known.join(", ")),
    });
    Problem::new(place_of(text, name), format!("{whose} has no {what} `{name}`")).hint(hint)
}

fn table(entry: &Entry<'_>, load: &Load, found: &mut Vec<Problem>) -> Option<Limit> {
    let mut limit = expression(&entry.text("expr")?, load, found)?;
    if entry.yes("optional") == Some(true) {
        limit = limit.made_optional();
    }
    match entry.text("abort") {
        // What is no duration has been told before.
        Some(_) => limit = limit.aborting_after(entry.duration("abort")),
        None if entry.yes("abort") == Some(true) => limit = limit.aborting_after(Duration::ZERO),
        None => {}
    }
    Some(limit)
}

/// Writes one limit as it stands in the list.
pub fn print(limit: &Limit) -> String {
    let expr = toml::Value::String(limit.to_string());
    match limit.abort_after() {
        None => expr.to_string(),
        Some(after) if after.is_zero() => format!("{{ expr = {expr}, abort = true }}"),
        Some(after) => format!("{{ expr = {expr}, abort = \"{}\" }}", units::Duration(after)),
    }
}
