//! A table for people, what changed first.

use crate::compare::{Differing, Objection};
use crate::report::comparison::Account;
use crate::report::comparison::words::{both_values, change, conclusion, effect, figure, p, set, verdict};
use crate::report::table::Table;
use crate::statistics::{Set, Verdict};

/// Values of a scenario are cut after so many letters.
const MOST_OF_A_VALUE: usize = 60;

/// The sets, the table, and what it comes to. Colours are for a terminal that wants them: nothing depends on them.
pub fn text(account: &Account<'_>, colour: bool) -> String {
    let mut lines = vec![
        format!("baseline   {}", set(account, Set::Baseline)),
        format!("contender  {}", set(account, Set::Contender)),
        String::new(),
    ];
    if !account.compared.rows.is_empty() {
        lines.extend(table(account, &|_| true, colour));
        lines.push(String::new());
    }
    lines.push(painted(&conclusion(account), Some(account.compared.verdict()), colour));
    lines.join("\n")
}

/// What got worse, and nothing where nothing did.
pub fn only_worse(account: &Account<'_>, colour: bool) -> Option<String> {
    (account.compared.verdict() == Verdict::Worse)
        .then(|| table(account, &|verdict| verdict == Verdict::Worse, colour).join("\n"))
}

/// What is not compared, a line each.
pub fn left_out(account: &Account<'_>) -> Vec<String> {
    account.compared.left_out.iter().map(|one| format!("left out: {}: {}", one.metric, one.why)).collect()
}

/// What stands against comparing runs: a line each, and the keys in which scenarios differ.
pub fn objection(objection: &Objection) -> Vec<String> {
    let mut lines = vec![objection.to_string()];
    if let Objection::Scenario(Differing { from, runs, differences }) = objection {
        let other = runs.first().map(String::as_str).unwrap_or_default();
        lines.push(format!("  key: in {from} / in {other}"));
        lines.extend(differences.iter().map(|one| format!("  {}", both_values(one, MOST_OF_A_VALUE))));
    }
    lines
}

fn table(account: &Account<'_>, is_shown: &dyn Fn(Verdict) -> bool, colour: bool) -> Vec<String> {
    let interval = format!("{} % interval", account.options.confidence * 100.0);
    let mut table =
        Table::new(["metric", "baseline", "contender", "change", &interval, "p", "of all", "effect", "verdict"]);
    let mut verdicts = vec![None];
    for row in account.rows_by_verdict().into_iter().filter(|row| is_shown(row.comparison.verdict)) {
        let comparison = &row.comparison;
        let (change, interval) = change(row);
        table.row([
            row.metric.name.clone(),
            figure(row.metric.unit, comparison.baseline.median),
            figure(row.metric.unit, comparison.contender.median),
            change,
            interval,
            p(comparison.ranks.p),
            p(comparison.adjusted_p),
            effect(comparison),
            verdict(comparison),
        ]);
        verdicts.push(Some(comparison.verdict));
    }
    let lines = table.figures_and_words(&[8]);
    lines.iter().zip(verdicts).map(|(line, verdict)| painted(line, verdict, colour)).collect()
}

fn painted(line: &str, verdict: Option<Verdict>, colour: bool) -> String {
    let code = match verdict {
        None => "1",
        Some(Verdict::Worse) => "1;31",
        Some(Verdict::Better) => "32",
        Some(Verdict::NotEnoughRuns) => "33",
        Some(Verdict::Same) => return line.to_owned(),
    };
    if colour { format!("\x1b[{code}m{line}\x1b[0m") } else { line.to_owned() }
}
