//! A conformance run for people: Appendix B, every item, what failed with its exchange, and what the peer chooses.

use super::{around, ended, told};
use crate::report::figures::counted;
use crate::report::table::Table;
use crate::results::conformance::{CaseEnd, Conclusion, Conformance, ItemResult, ItemVerdict, Level, Seen};

/// Longer texts are cut in tables; they stand whole in the other reports.
const MOST: usize = 72;

/// The tables. `is_whole`: with the items that passed, too.
pub fn tables(conformance: &Conformance, is_whole: bool, colour: bool) -> String {
    let mut text = format!("conformance of {} ({})\n{}\n\n", conformance.peer, conformance.peer_id, conformance.url);
    text.push_str(&requirements(conformance, colour));
    text.push_str(&items(conformance, is_whole, colour));
    text.push_str(&failures(conformance));
    text.push_str(&choices("readings of the text", &conformance.readings));
    text.push_str(&choices("choices of its operator", &conformance.choices));
    text.push_str(&untried(conformance));
    for problem in &conformance.problems {
        text.push_str(&format!("problem: {problem}\n"));
    }
    text.push_str(&last_line(conformance, colour));
    text
}

/// Every item that there is, with what it says, for `--list`.
pub fn list(items: &[(String, String, &'static str, String)]) -> String {
    let mut table = Table::new(["item", "section", "weight", "what"]);
    for (id, section, level, says) in items {
        table.row([id.clone(), section.clone(), (*level).to_owned(), says.clone()]);
    }
    table.words().join("\n") + "\n"
}

fn requirements(conformance: &Conformance, colour: bool) -> String {
    let mut table = Table::new(["requirement", "verdict", "pass", "fail", "not observable", "not supported", ""]);
    for one in &conformance.requirements {
        let counts = [one.passed, one.failed, one.not_observable, one.not_supported];
        let counts = counts.into_iter().map(|count| if count == 0 { "-".to_owned() } else { count.to_string() });
        let cells = [one.id.clone(), one.verdict.words().to_owned()].into_iter().chain(counts);
        table.row(cells.chain([one.says.clone()]));
    }
    let verdicts = std::iter::once(None).chain(conformance.requirements.iter().map(|one| Some(one.verdict)));
    painted(&table, verdicts, colour)
}

fn items(conformance: &Conformance, is_whole: bool, colour: bool) -> String {
    let mut table = Table::new(["item", "verdict", "weight", "role", "section", "evidence"]);
    let shown: Vec<&ItemResult> =
        conformance.items.iter().filter(|item| is_whole || item.verdict != ItemVerdict::Pass).collect();
    for item in &shown {
        table.row([
            item.id.clone(),
            item.verdict.words().to_owned(),
            item.level.word().to_owned(),
            item.role.clone(),
            item.section.clone(),
            cut(&told(item)),
        ]);
    }
    if shown.is_empty() {
        return String::new();
    }
    let verdicts = std::iter::once(None).chain(shown.iter().map(|item| Some(item.verdict)));
    painted(&table, verdicts, colour)
}

/// What failed, with what was expected and the exchange that shows it.
fn failures(conformance: &Conformance) -> String {
    let mut text = String::new();
    for item in conformance.failed() {
        let weight = if item.level == Level::Mandatory { "" } else { " (not mandatory)" };
        text.push_str(&format!("failed: {}{weight}\n", item.id));
        text.push_str(&format!("  expected: {} ({})\n", item.says, item.section));
        for evidence in item.evidence.iter().filter(|evidence| !evidence.holds).take(3) {
            text.push_str(&format!("  found, in {}: {}\n", evidence.case, evidence.found));
            for one in around(conformance, evidence) {
                let at = one.at_ms as f64 / 1000.0;
                text.push_str(&format!("    {at:>8.3} s  {} -> {}  {}\n", one.from, one.to, one.what));
                let body = one.body.as_deref().unwrap_or_default();
                body.lines().take(30).for_each(|line| text.push_str(&format!("               {line}\n")));
            }
        }
        text.push('\n');
    }
    text
}

fn choices(title: &str, seen: &[Seen]) -> String {
    let mut table = Table::new([title, "section", "what there is to choose", "this peer"]);
    for one in seen {
        let answers = if one.answers.is_empty() { "not seen".to_owned() } else { one.answers.join("; ") };
        table.row([one.id.clone(), one.section.clone(), one.question.clone(), answers]);
    }
    if table.is_empty() { String::new() } else { table.words().join("\n") + "\n\n" }
}

/// Cases that did not go to their end.
fn untried(conformance: &Conformance) -> String {
    let mut text = String::new();
    for case in conformance.cases.iter().filter(|case| case.end != CaseEnd::Whole) {
        text.push_str(&format!("case {} {}\n", case.name, ended(&case.end)));
    }
    if text.is_empty() { text } else { text + "\n" }
}

fn last_line(conformance: &Conformance, colour: bool) -> String {
    let count = |verdict| conformance.count(verdict) as u64;
    let word = conformance.conclusion.words();
    let word = match conformance.conclusion {
        Conclusion::Conforms => paint(word, "32", colour),
        Conclusion::Fails | Conclusion::Unreachable => paint(word, "31;1", colour),
        Conclusion::Inconclusive | Conclusion::Interrupted => paint(word, "33", colour),
    };
    format!(
        "{word}: {}; {} passed, {} failed, {} not observable, {} not supported, in {} and {:.1} s\n",
        conformance.because,
        count(ItemVerdict::Pass),
        count(ItemVerdict::Fail),
        count(ItemVerdict::NotObservable),
        count(ItemVerdict::NotSupported),
        counted(conformance.cases.len() as u64, "case"),
        conformance.duration_s,
    )
}

/// The lines of a table, each in the colour of its verdict.
fn painted(table: &Table, verdicts: impl Iterator<Item = Option<ItemVerdict>>, colour: bool) -> String {
    let lines = table.words().into_iter().zip(verdicts).map(|(line, verdict)| match verdict {
        Some(ItemVerdict::Fail) => paint(&line, "31", colour),
        Some(ItemVerdict::NotObservable | ItemVerdict::NotSupported) => paint(&line, "33", colour),
        Some(ItemVerdict::Pass) | None => line,
    });
    lines.collect::<Vec<_>>().join("\n") + "\n\n"
}

fn paint(text: &str, code: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn cut(text: &str) -> String {
    let line = text.replace(['\n', '\t'], " ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}
