//! The second look at `limits`: each is a string, or a table that says more about it.

use std::time::Duration;

use toml::de::DeValue;

use crate::measure::limit::{self, Limit};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::problem::Problem;
use crate::units;

/// The limits of a scenario, in the order of the file.
pub fn read(root: &Entry<'_>, found: &mut Vec<Problem>) -> Vec<Limit> {
    let mut tables = root.tables("limits").into_iter();
    let mut texts = root.texts("limits").unwrap_or_default().into_iter();
    let limits = root.items("limits").iter().filter_map(|item| match item.get_ref() {
        DeValue::String(_) => texts.next().and_then(|text| expression(&text, found)),
        DeValue::Table(_) => tables.next().and_then(|entry| table(&entry, found)),
        _ => None,
    });
    let limits = limits.collect();
    limit::with_default(limits)
}

fn expression(text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Limit> {
    match limit::parse(text.text) {
        Ok(limit) => Some(limit),
        Err(error) => {
            found.push(Problem::new(text.part(error.at.clone()), error.to_string()).hint(error.hint));
            None
        }
    }
}

fn table(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Limit> {
    let mut limit = expression(&entry.text("expr")?, found)?;
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
