//! The text of a scenario as a tree of values, each with its place; overrides are put in before anything is checked.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::problem::{Problem, Sources, Span};

/// A table of the tree.
pub type Table<'s> = DeTable<'s>;
/// A value of the tree with its place.
pub type Value<'s> = Spanned<DeValue<'s>>;

/// Reads the file and applies the overrides; those that lead nowhere are `found` and left out.
///
/// # Errors
/// Every place where the syntax is broken: of such a file nothing else can be told.
pub fn read<'s>(sources: &'s Sources, found: &mut Vec<Problem>) -> Result<Table<'s>, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(sources.file());
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| syntax_problem(error, 0)).collect());
    }
    let mut root = root.into_inner();
    for (start, text) in sources.overrides() {
        if let Err(problem) = apply(&mut root, start, text) {
            found.push(problem);
        }
    }
    Ok(root)
}

fn syntax_problem(error: &toml::de::Error, start: usize) -> Problem {
    let span = error.span().unwrap_or(0..0);
    Problem::new(span.start + start..span.end + start, error.message().to_owned()).label("this is not TOML")
}

/// Puts `path=value` into the tree. Tables on the way are made where they are missing; items of lists are named by
/// their number, from 0.
fn apply<'s>(root: &mut Table<'s>, start: usize, text: &'s str) -> Result<(), Problem> {
    let Some((path, value_text)) = text.split_once('=') else {
        return Err(Problem::new(start..start + text.len(), format!("expected `path=value`, found `{text}`"))
            .hint("for example `population.devices=50` or `journey.0.share=3`"));
    };
    let value = override_value(start + path.len() + 1, value_text)?;
    let mut at = start;
    let mut steps = Vec::new();
    for step in path.split('.') {
        let trimmed = step.trim();
        if trimmed.is_empty() {
            return Err(Problem::new(at..at + step.len(), format!("the path `{path}` has an empty step")));
        }
        steps.push((trimmed, at..at + step.len()));
        at += step.len() + 1;
    }
    let Some((last, way)) = steps.split_last() else { return Ok(()) };
    let mut place = Place::Table(root);
    for (step, span) in way {
        place = place.descend(step, span)?;
    }
    place.put(last.0, &last.1, value)
}

/// The value of an override: TOML where it reads as such, else the bare text as a string (`timeouts.bootstrap=2s`).
fn override_value(start: usize, text: &str) -> Result<Value<'_>, Problem> {
    let lead = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    match DeValue::parse(trimmed) {
        Ok(value) => Ok(shifted(value, start + lead)),
        Err(error) if trimmed.starts_with(['"', '\'', '[', '{']) => Err(syntax_problem(&error, start + lead)),
        Err(_) => {
            let span = start + lead..start + lead + trimmed.len();
            Ok(Spanned::new(span, DeValue::String(Cow::Borrowed(trimmed))))
        }
    }
}

/// The same value, with all places moved on by `start`.
fn shifted(value: Value<'_>, start: usize) -> Value<'_> {
    let span = value.span();
    let moved = match value.into_inner() {
        DeValue::Array(items) => DeValue::Array(items.into_iter().map(|item| shifted(item, start)).collect()),
        DeValue::Table(entries) => {
            let mut table = DeTable::new();
            for (key, item) in entries {
                let key_span = key.span();
                let key = Spanned::new(key_span.start + start..key_span.end + start, key.into_inner());
                table.insert(key, shifted(item, start));
            }
            DeValue::Table(table)
        }
        leaf => leaf,
    };
    Spanned::new(span.start + start..span.end + start, moved)
}

/// Somewhere in the tree that has something below it.
enum Place<'t, 's> {
    Table(&'t mut Table<'s>),
    List(&'t mut toml::de::DeArray<'s>),
}

impl<'t, 's> Place<'t, 's> {
    fn descend(self, step: &'s str, span: &Span) -> Result<Place<'t, 's>, Problem> {
        let value = match self {
            Place::Table(table) => {
                if !table.contains_key(step) {
                    let fresh = Spanned::new(span.clone(), DeValue::Table(DeTable::new()));
                    table.insert(Spanned::new(span.clone(), Cow::Borrowed(step)), fresh);
                }
                table.get_mut(step)
            }
            Place::List(list) => {
                let index = item_number(step, span, list.len())?;
                list.get_mut(index)
            }
        };
        match value.map(Spanned::get_mut) {
            Some(DeValue::Table(table)) => Ok(Place::Table(table)),
            Some(DeValue::Array(list)) => Ok(Place::List(list)),
            _ => Err(Problem::new(span.clone(), format!("`{step}` has nothing below it")).label("not a table or list")),
        }
    }

    fn put(self, step: &'s str, span: &Span, value: Value<'s>) -> Result<(), Problem> {
        match self {
            Place::Table(table) => {
                table.insert(Spanned::new(span.clone(), Cow::Borrowed(step)), value);
            }
            Place::List(list) => {
                let index = item_number(step, span, list.len())?;
                if let Some(item) = list.get_mut(index) {
                    *item = value;
                }
            }
        }
        Ok(())
    }
}

fn item_number(step: &str, span: &Span, items: usize) -> Result<usize, Problem> {
    let wrong = |message: String| {
        let last = items.saturating_sub(1);
        Err(Problem::new(span.clone(), message).hint(format!("items are counted from 0; the last is {last}")))
    };
    match step.parse::<usize>() {
        Ok(number) if number < items => Ok(number),
        Ok(number) => wrong(format!("there is no item {number}: the list has {items}")),
        Err(_) => wrong(format!("expected the number of an item of the list, found `{step}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::problem::Problems;

    fn sources(file: &str, set: &str) -> Sources {
        Sources::new(("demo.toml", file), [("--set".to_owned(), set.to_owned())])
    }

    #[track_caller]
    fn becomes(set: &str, expected: &str) {
        let sources = sources("a = 1\n[t]\nb = 2\n[[j]]\nc = 3\n[[j]]\nc = 4\n", set);
        let expected: toml::Table = expected.parse().unwrap();
        let mut wrong = Vec::new();
        let found = plain(&DeValue::Table(read(&sources, &mut wrong).unwrap()));
        assert_eq!(wrong, []);
        assert_eq!(found, toml::Value::Table(expected), "{set}");
    }

    fn plain(value: &DeValue<'_>) -> toml::Value {
        match value {
            DeValue::Integer(number) => toml::Value::Integer(number.as_str().parse().unwrap()),
            DeValue::String(text) => toml::Value::String(text.to_string()),
            DeValue::Boolean(yes) => toml::Value::Boolean(*yes),
            DeValue::Array(items) => toml::Value::Array(items.iter().map(|item| plain(item.get_ref())).collect()),
            DeValue::Table(table) => toml::Value::Table(
                table.iter().map(|(key, item)| (key.get_ref().to_string(), plain(item.get_ref()))).collect(),
            ),
            other => panic!("not in these tests: {other:?}"),
        }
    }

    #[test]
    fn overrides_replace_and_add() {
        becomes("a=5", "a = 5\nt = {b = 2}\nj = [{c = 3}, {c = 4}]");
        becomes("t.b=2s", "a = 1\nt = {b = '2s'}\nj = [{c = 3}, {c = 4}]");
        becomes("j.1.c=x y", "a = 1\nt = {b = 2}\nj = [{c = 3}, {c = 'x y'}]");
        becomes("n.m.o=true", "a = 1\nt = {b = 2}\nj = [{c = 3}, {c = 4}]\nn = {m = {o = true}}");
        becomes("t = [1, {x = 'y'}]", "a = 1\nt = [1, {x = 'y'}]\nj = [{c = 3}, {c = 4}]");
        becomes("a=p=q", "a = 'p=q'\nt = {b = 2}\nj = [{c = 3}, {c = 4}]");
    }

    #[track_caller]
    fn is_refused(set: &str, column: usize, message: &str) {
        let sources = sources("a = 1\n[[j]]\nc = 3\n", set);
        let mut found = Vec::new();
        read(&sources, &mut found).unwrap();
        let problems = Problems::new(sources.clone(), found);
        let first = problems.iter().next().unwrap();
        assert_eq!((first.source, first.column, first.message), ("--set", column, message));
    }

    #[test]
    fn overrides_that_lead_nowhere_are_problems_of_their_own() {
        is_refused("a", 1, "expected `path=value`, found `a`");
        is_refused("a.b=1", 1, "`a` has nothing below it");
        is_refused("j.1.c=1", 3, "there is no item 1: the list has 1");
        is_refused("j.c=1", 3, "expected the number of an item of the list, found `c`");
        is_refused("j..c=1", 3, "the path `j..c` has an empty step");
    }

    #[test]
    fn every_error_of_syntax_is_told() {
        let sources = Sources::new(("demo.toml", "a = \nb = 'x\nc = 1\nc = 2\n"), []);
        assert!(read(&sources, &mut Vec::new()).unwrap_err().len() >= 3);
    }
}
