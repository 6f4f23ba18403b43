//! The same as a terminal shows, for the page of a change: Markdown as GitHub and GitLab read it.

use crate::compare::{Differing, Objection, Run};
use crate::report::comparison::Account;
use crate::report::comparison::words::{both_values, change, conclusion, effect, figure, p, verdict};
use crate::statistics::Verdict;

/// Values of a scenario are cut after so many letters.
const MOST_OF_A_VALUE: usize = 200;

/// The whole of it. What stayed the same is folded away.
pub fn text(account: &Account<'_>) -> String {
    let mut text = format!("### dmswarm compare\n\n**{}**\n", plain(&conclusion(account)));
    for warning in account.warnings {
        text.push_str(&format!("\n> {}\n", plain(warning)));
    }
    for objection in account.objections {
        text.push_str(&format!("\n> Compared all the same: {}\n", plain(&objection.to_string())));
        if let Objection::Scenario(Differing { differences, .. }) = objection {
            let keys = differences.iter().map(|one| format!("> - {}\n", code(&both_values(one, MOST_OF_A_VALUE))));
            text.push_str(&format!(">\n{}", keys.collect::<String>()));
        }
    }
    let is_same = |verdict: Verdict| verdict == Verdict::Same;
    let changed = table(account, &|verdict| !is_same(verdict));
    text.extend(changed.map(|table| format!("\n{table}")));
    if let Some(table) = table(account, &is_same) {
        let count = account.compared.count(Verdict::Same);
        text.push_str(&format!("\n<details><summary>{count} the same</summary>\n\n{table}\n</details>\n"));
    }
    for (name, runs) in [("baseline", account.baseline), ("contender", account.contender)] {
        text.push_str(&format!("\n- {name}: {}", names(runs)));
    }
    text + "\n"
}

fn table(account: &Account<'_>, is_shown: &dyn Fn(Verdict) -> bool) -> Option<String> {
    let rows = account.rows_by_verdict().into_iter().filter(|row| is_shown(row.comparison.verdict)).map(|row| {
        let comparison = &row.comparison;
        let (change, interval) = change(row);
        let of = |value| figure(row.metric.unit, value);
        let mark = if comparison.verdict == Verdict::Worse { "**" } else { "" };
        format!(
            "| {} | {} | {} | {change} | {interval} | {} | {} | {} | {mark}{}{mark} |\n",
            code(&row.metric.name),
            of(comparison.baseline.median),
            of(comparison.contender.median),
            p(comparison.ranks.p),
            p(comparison.adjusted_p),
            effect(comparison),
            verdict(comparison)
        )
    });
    let rows: String = rows.collect();
    let head = format!(
        "| metric | baseline | contender | change | {} % interval | p | p of all | effect | verdict |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---|\n",
        account.options.confidence * 100.0
    );
    (!rows.is_empty()).then(|| head + &rows)
}

fn names(runs: &[Run]) -> String {
    runs.iter().map(|run| code(&run.name)).collect::<Vec<_>>().join(", ")
}

/// As it is, whatever is in it: a fence longer than any in it, and no bar that would end a cell.
fn code(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let padding = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    format!("{fence}{padding}{}{padding}{fence}", text.replace('|', "\\|"))
}

/// Text in which nothing is markup but the code in it.
fn plain(text: &str) -> String {
    let mut is_code = false;
    let each = text.chars().map(|letter| {
        is_code ^= letter == '`';
        match letter {
            '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '|' if !is_code => format!("\\{letter}"),
            letter if letter.is_control() => " ".to_owned(),
            letter => letter.to_string(),
        }
    });
    each.collect()
}
