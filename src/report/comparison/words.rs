//! Figures, changes and verdicts in words.

use crate::compare::{Difference, Row, Unit};
use crate::report::comparison::Account;
use crate::report::figures::{count, counted, rate, size, time};
use crate::statistics::{Comparison, Estimate, Interval, Set, Size, Verdict};

/// A figure in its unit.
pub fn figure(unit: Unit, value: f64) -> String {
    match unit {
        Unit::PerSecond => rate(value),
        Unit::Share => share(value),
        Unit::Milliseconds => time(Some(value)),
        // No size is negative, and none is so large that a float would not hold it.
        Unit::Bytes => size(value.max(0.0) as u64),
    }
}

/// A share of one in percent, so fine that a change can be seen in it.
fn share(value: f64) -> String {
    let percent = value * 100.0;
    match percent {
        _ if percent == 0.0 => "0 %".to_owned(),
        _ if percent >= 10.0 => format!("{percent:.1} %"),
        _ if percent >= 0.1 => format!("{percent:.2} %"),
        _ => format!("{percent:.4} %"),
    }
}

/// A difference in a unit, with its sign.
pub fn difference(unit: Unit, value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    if value == 0.0 { "0".to_owned() } else { format!("{sign}{}", figure(unit, value.abs())) }
}

/// A change in percent, with its sign.
pub fn percent(value: f64) -> String {
    let percent = value * 100.0;
    match percent.abs() {
        size if size < 0.05 => "0 %".to_owned(),
        size if size < 99.95 => format!("{percent:+.1} %"),
        size if size < 1e6 => format!("{percent:+.0} %"),
        _ => format!("{percent:+.1e} %"),
    }
}

/// How much the contender differs, and where that is with the chosen confidence; of a baseline of 0 there are no shares, and
/// the difference itself stands for them.
pub fn change(row: &Row) -> (String, String) {
    let both = |estimate: &Estimate, spelt: &dyn Fn(f64) -> String| {
        let within = |Interval { low, high }: Interval| format!("{} to {}", spelt(low), spelt(high));
        (spelt(estimate.value), estimate.interval.map_or_else(|| "-".to_owned(), within))
    };
    match &row.comparison.change {
        Some(change) => both(change, &percent),
        None => both(&row.comparison.difference, &|value| difference(row.metric.unit, value)),
    }
}

/// How often chance does as much.
pub fn p(p: f64) -> String {
    match p {
        _ if p < 0.000_1 => "< 0.0001".to_owned(),
        _ if p < 0.1 => format!("{p:.4}"),
        _ => format!("{p:.2}"),
    }
}

/// How far the sets are apart in their order.
pub fn effect(comparison: &Comparison) -> String {
    let word = match comparison.effect.size {
        Size::Negligible => "negligible",
        Size::Small => "small",
        Size::Medium => "medium",
        Size::Large => "large",
    };
    format!("{word} {:+.2}", comparison.effect.delta)
}

/// The verdict, and how many runs would be enough for one.
pub fn verdict(comparison: &Comparison) -> String {
    match (comparison.verdict, comparison.runs_needed) {
        (Verdict::NotEnoughRuns, Some(needed)) => format!("not enough runs ({} would be)", count(needed as u64)),
        (verdict, _) => verdict.key().to_owned(),
    }
}

/// What all of it comes to, in a sentence or two.
pub fn conclusion(account: &Account<'_>) -> String {
    let compared = account.compared;
    let all = counted(compared.rows.len() as u64, "metric");
    let of = |verdict| compared.count(verdict);
    let (worse, better, unknown, same) =
        (of(Verdict::Worse), of(Verdict::Better), of(Verdict::NotEnoughRuns), of(Verdict::Same));
    let wanted = format!("a change of {:.0} %", account.options.least_change * 100.0);
    let few = account.options.least_runs;
    let (ours, theirs) = (account.baseline.len(), account.contender.len());
    let sentence = match compared.verdict() {
        Verdict::NotEnoughRuns if compared.rows.is_empty() => {
            return "not enough runs: no metric has a figure in all of them".to_owned();
        }
        Verdict::NotEnoughRuns if ours.min(theirs) < few => {
            return format!(
                "not enough runs: nothing can be said of {} against {} with fewer than {few} of each; repeat them",
                counted(ours as u64, "run"),
                counted(theirs as u64, "run")
            );
        }
        Verdict::Worse => format!("worse: of {all}, {worse} got worse, {better} better, {same} stayed the same"),
        Verdict::Better => format!("better: of {all}, {better} got better, none worse, {same} stayed the same"),
        Verdict::Same => format!("same: {wanted} would have been seen in each of {all}, and there is none"),
        Verdict::NotEnoughRuns => {
            format!("not enough runs: of {all}, none is known to be worse, {better} got better, {same} stayed the same")
        }
    };
    if unknown == 0 {
        return sentence;
    }
    let runs = |needed: usize| format!("{} of each", counted(needed as u64, "run"));
    let enough = match (compared.runs_needed_for_half(), compared.runs_needed()) {
        (Some(half), Some(all)) if half < all => {
            format!("{} would be enough for half of them, {} for all", runs(half), count(all as u64))
        }
        (_, Some(all)) => format!("{} would be enough", runs(all)),
        (Some(half), None) => format!("{} would be enough for half of them, and nobody knows for all", runs(half)),
        (None, None) => "nobody knows how many runs would be enough".to_owned(),
    };
    format!("{sentence}; in {} {wanted} might have been missed: {enough}", count(unknown as u64))
}

/// Which runs there are, by name.
pub fn set(account: &Account<'_>, set: Set) -> String {
    const MOST: usize = 3;
    let runs = match set {
        Set::Baseline => account.baseline,
        Set::Contender => account.contender,
    };
    let named: Vec<&str> = runs.iter().take(MOST).map(|run| run.name.as_str()).collect();
    let others = if runs.len() > MOST { ", ..." } else { "" };
    format!("{}: {}{others}", counted(runs.len() as u64, "run"), named.join(", "))
}

/// A key that differs, with both values, each no longer than so many letters.
pub fn both_values(difference: &Difference, most: usize) -> String {
    let cut = |value: &Option<String>| {
        let Some(value) = value else { return "not there".to_owned() };
        match value.char_indices().nth(most) {
            Some((at, _)) => format!("{}...", &value[..at]),
            None => value.clone(),
        }
    };
    format!("{}: {} / {}", difference.key, cut(&difference.here), cut(&difference.there))
}
