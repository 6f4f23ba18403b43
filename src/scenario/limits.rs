//! The second look at `limits`: each is a string, or a table that says more about it.

use std::collections::BTreeSet;
use std::time::Duration;

use toml::de::DeValue;

use crate::measure::limit::{self, Limit};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::problem::{Problem, did_you_mean};
use crate::units;
use crate::workload::plan::Load;

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
            // A load that could not be read has been told of.
            let populations: Vec<&str> = load.populations.iter().map(|one| one.name.as_str()).collect();
            let phases = load.populations.iter().flat_map(|one| &one.phases).map(|phase| phase.name.as_str());
            let phases: BTreeSet<&str> = phases.collect();
            for (what, name, known) in [
                ("phase", limit.phase(), phases.into_iter().collect()),
                ("population", limit.population(), populations),
            ] {
                if let Some(name) = name.filter(|name| !known.is_empty() && !known.contains(name)) {
                    found.push(unknown(text, what, name, &known));
                }
            }
            Some(limit)
        }
        Err(error) => {
            found.push(Problem::new(text.part(error.at.clone()), error.to_string()).hint(error.hint));
            None
        }
    }
}

/// A name that no part of the load has.
fn unknown(text: &Text<'_>, what: &str, name: &str, known: &[&str]) -> Problem {
    // Of two equal words the name is the last one: what could follow it is another word.
    let start = text.text.rfind(name).unwrap_or(0);
    let place = text.part(start..start + name.len());
    let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match what {
        "phase" => format!("its phases are called {}; one without a name is `steady`", known.join(", ")),
        _ => format!("its populations are {}", known.join(", ")),
    });
    Problem::new(place, format!("the load has no {what} `{name}`")).hint(hint)
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
