//! The distributions of `delay`, read and written.

use std::time::Duration;

use toml::{Table, Value};

use crate::faults::latency::{Distribution, Radio};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::faults::writing::{duration, text};
use crate::scenario::problem::{Problem, did_you_mean};
use crate::scenario::shape::{LONGEST_TIMEOUT, words};
use crate::units;

/// The `delay` of an action: a duration, a radio network, or a table with one distribution and perhaps `most`.
pub fn read(action: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Distribution> {
    if let Some(word) = action.text("delay") {
        return of_word(&word, found);
    }
    let entry = action.table("delay");
    let mut names = entry.keys().filter(|(key, _)| *key != "most");
    let Some((name, _)) = names.next() else {
        if action.is_table("delay") && entry.is_known() {
            let problem = Problem::new(action.span("delay"), "the delay has no distribution");
            found.push(problem.hint("for example `delay = { uniform = [\"10ms\", \"50ms\"] }`, or `delay = \"1s\"`"));
        }
        return None;
    };
    if let Some((second, place)) = names.next() {
        let problem = Problem::new(place, format!("a delay has one distribution: `{name}` or `{second}`"));
        found.push(problem.hint("leave one of them out"));
        return None;
    }
    let inner = entry.table(name);
    let of = match name {
        "uniform" => uniform(&entry, found)?,
        "normal" => Distribution::Normal { mean: inner.duration("mean"), deviation: inner.duration("deviation") },
        "lognormal" => Distribution::LogNormal { median: inner.duration("median"), sigma: inner.real("sigma") },
        "exponential" => Distribution::Exponential { mean: inner.duration("mean") },
        "pareto" => Distribution::Pareto { least: inner.duration("least"), shape: inner.real("shape") },
        "radio" => Distribution::Radio(Radio::ALL.into_iter().find(|radio| radio.key() == entry.word("radio"))?),
        _ => table(&entry, found)?,
    };
    if !entry.has("most") {
        return Some(of);
    }
    let most = entry.duration("most");
    // As good as the least that is ever drawn.
    if !most.is_zero() && of.quantile(1e-6) > most {
        let problem = Problem::new(entry.span("most"), "every delay would be longer than this");
        found.push(
            problem.hint(format!("write `delay = \"{}\"` if they are all to be the same", units::Duration(most))),
        );
    }
    Some(Distribution::Capped { of: Box::new(of), most })
}

fn of_word(word: &Text<'_>, found: &mut Vec<Problem>) -> Option<Distribution> {
    if let Some(radio) = Radio::ALL.into_iter().find(|radio| radio.key() == word.text) {
        return Some(Distribution::Radio(radio));
    }
    match word.text.parse::<units::Duration>() {
        Ok(time) if time <= LONGEST_TIMEOUT => Some(Distribution::Constant(time.0)),
        Ok(_) => {
            let message = format!("`delay` is longer than {LONGEST_TIMEOUT}, found `{}`", word.text);
            found.push(Problem::new(word.whole(), message));
            None
        }
        Err(_) => {
            let known = Radio::ALL.map(Radio::key);
            let message = format!("expected a duration or a radio network, found `{}`", word.text);
            let hint = did_you_mean(word.text, known)
                .unwrap_or_else(|| format!("for example `1s`; the radio networks are {}", words(&known, "and")));
            found.push(Problem::new(word.whole(), message).hint(hint));
            None
        }
    }
}

fn uniform(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Distribution> {
    let times = durations(entry, "uniform");
    let count = entry.items("uniform").len();
    match times.as_slice() {
        [from, to] if count == 2 && from <= to => Some(Distribution::Uniform { from: *from, to: *to }),
        [from, to] if count == 2 => {
            let (from, to) = (units::Duration(*from), units::Duration(*to));
            found.push(Problem::new(entry.span("uniform"), format!("the least, {from}, is more than the most, {to}")));
            None
        }
        _ => {
            if entry.is_list("uniform") && count != 2 {
                let message = format!("`uniform` is the least and the most, found {count} durations");
                let problem = Problem::new(entry.span("uniform"), message);
                found.push(problem.hint("for example `uniform = [\"10ms\", \"50ms\"]`"));
            }
            None
        }
    }
}

fn table(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Distribution> {
    let mut times = durations(entry, "table");
    if entry.is_list("table") && entry.items("table").is_empty() {
        found.push(Problem::new(entry.span("table"), "`table` needs at least one duration"));
        return None;
    }
    times.sort();
    Some(Distribution::Empirical(times))
}

fn durations(entry: &Entry<'_>, key: &str) -> Vec<Duration> {
    let texts = entry.texts(key).unwrap_or_default();
    texts.iter().filter_map(|text| text.text.parse::<units::Duration>().ok()).map(|time| time.0).collect()
}

/// A delay as the file has it.
pub fn write(distribution: &Distribution) -> Value {
    match distribution {
        Distribution::Constant(time) => duration(*time),
        Distribution::Radio(radio) => text(radio.key()),
        Distribution::Capped { of, most } => match keyed(of) {
            Some(entry) => Value::Table(Table::from_iter([entry, ("most".to_owned(), duration(*most))])),
            // What has no table is a constant, or capped twice: of that, the shorter cap counts.
            None => write(&capped(of, *most)),
        },
        of => Value::Table(keyed(of).into_iter().collect()),
    }
}

/// The distribution as the entry of a table; `None` for what is none by itself.
fn keyed(distribution: &Distribution) -> Option<(String, Value)> {
    let list = |times: &[Duration]| Value::Array(times.iter().map(|time| duration(*time)).collect());
    let of = |entries: &[(&str, Value)]| {
        Value::Table(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    let (name, value) = match distribution {
        Distribution::Constant(_) | Distribution::Capped { .. } => return None,
        Distribution::Uniform { from, to } => ("uniform", list(&[*from, *to])),
        Distribution::Normal { mean, deviation } => {
            ("normal", of(&[("mean", duration(*mean)), ("deviation", duration(*deviation))]))
        }
        Distribution::LogNormal { median, sigma } => {
            ("lognormal", of(&[("median", duration(*median)), ("sigma", Value::Float(*sigma))]))
        }
        Distribution::Exponential { mean } => ("exponential", of(&[("mean", duration(*mean))])),
        Distribution::Pareto { least, shape } => {
            ("pareto", of(&[("least", duration(*least)), ("shape", Value::Float(*shape))]))
        }
        Distribution::Empirical(times) => ("table", list(times)),
        Distribution::Radio(radio) => ("radio", text(radio.key())),
    };
    Some((name.to_owned(), value))
}

fn capped(of: &Distribution, most: Duration) -> Distribution {
    match of {
        Distribution::Constant(time) => Distribution::Constant((*time).min(most)),
        Distribution::Capped { of, most: inner } => Distribution::Capped { of: of.clone(), most: (*inner).min(most) },
        of => Distribution::Capped { of: Box::new(of.clone()), most },
    }
}
