//! `when` of a fault: when it fires.

use std::time::Duration;

use crate::facts::pattern::Names;
use crate::faults::rule::When;
use crate::scenario::entry::Entry;
use crate::scenario::names::Cast;
use crate::scenario::problem::{Problem, did_you_mean};
use crate::scenario::shape::words;

/// When a fault fires.
pub fn read(entry: &Entry<'_>, cast: &Cast<'_>, found: &mut Vec<Problem>) -> When {
    for other in ["every", "first"].into_iter().filter(|other| entry.has("nth") && entry.has(other)) {
        let message = format!("`nth` is one occasion alone, and `{other}` has no meaning beside it");
        found.push(Problem::new(entry.span(other), message).hint("leave one of them out"));
    }
    let count = |key: &str| entry.integer(key).and_then(|count| u32::try_from(count).ok());
    let mut pattern = |key: &str| entry.text(key).and_then(|text| cast.pattern(&text, found));
    let (after, before) = (pattern("after"), pattern("before"));
    if after.is_some() && after == before {
        let problem = Problem::new(entry.span("before"), "this is what `after` waits for, so the fault never fires");
        found.push(problem.hint("a fault fires from what `after` says up to what `before` says"));
    }
    When {
        probability: if entry.has("probability") { entry.real("probability") } else { 1.0 },
        nth: count("nth"),
        every: count("every"),
        first: count("first"),
        window: window(entry, found),
        after,
        before,
        budget: count("budget"),
        budget_per_device: count("budget_per_device"),
        fired: fired(entry, cast, found),
    }
}

fn window(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Option<(Duration, Duration)> {
    let from = entry.duration("from");
    let until = if entry.has("until") { entry.duration("until") } else { Duration::MAX };
    if entry.has("until") && !until.is_zero() && until <= from {
        let problem = Problem::new(entry.span("until"), "the time ends before it begins, so the fault never fires");
        found.push(problem.hint("`from` and `until` both count from the start of the run"));
    }
    (entry.has("from") || entry.has("until")).then_some((from, until))
}

/// The number of the fault named by `while`.
fn fired(entry: &Entry<'_>, cast: &Cast<'_>, found: &mut Vec<Problem>) -> Option<usize> {
    let name = entry.text("while")?;
    let number = cast.rule(name.text);
    if number.is_none() {
        let faults = cast.faults();
        let hint = did_you_mean(name.text, faults.iter().copied())
            .unwrap_or_else(|| format!("the faults are {}", words(faults, "and")));
        found.push(Problem::new(name.span.clone(), format!("there is no fault `{}`", name.text)).hint(hint));
    }
    number
}
