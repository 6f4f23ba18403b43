//! The drawing as a Mermaid `sequenceDiagram`.
//!
//! Whatever is written in it by others goes in as character codes wherever Mermaid could read more than a letter in it.

use std::collections::BTreeSet;

use crate::facts::Fact;
use crate::facts::pattern::Names;
use crate::report::finding::Scene;
use crate::report::finding::lanes::Party;
use crate::report::finding::rows::{Arrow, ArrowKind, Drawn, Leg, Rows};

/// The story as Mermaid reads it, ending with a line end.
pub fn mermaid(scene: &Scene<'_>) -> String {
    let rows = Rows::of(scene);
    let mut lines = vec!["sequenceDiagram".to_owned()];
    lines.extend(participants(&rows));
    let all = everybody(&rows).unwrap_or_else(|| {
        lines.push(format!("participant {} as device", id(Party::Device)));
        id(Party::Device)
    });
    lines.extend(told(&rows, &all, scene));
    if rows.rows.is_empty() {
        lines.push(note(&all, "nothing was seen"));
    }
    if rows.broken.is_none() {
        lines.extend(broken(&all, &format!("WHEN ALL WAS OVER {} WAS BROKEN: {}", scene.promise, scene.seen)));
    }
    finished(&lines)
}

/// Flows one below the other in one diagram, each with its title above it; no promise is looked at. Times count from the
/// beginning of the run.
pub fn mermaid_of_flows(flows: &[(String, Vec<Fact>)], names: &dyn Names) -> String {
    let mut lines = vec!["sequenceDiagram".to_owned()];
    let (mut known, mut parts) = (BTreeSet::new(), Vec::new());
    for (title, facts) in flows {
        let scene = Scene::of_flow(title, facts, names);
        let rows = Rows::of(&scene);
        let is_new = |line: &String| known.insert(line.split(' ').nth(1).map(str::to_owned));
        lines.extend(participants(&rows).filter(is_new));
        let Some(all) = everybody(&rows) else { continue };
        parts.push("rect rgb(225, 235, 250)".to_owned());
        parts.push(note(&all, title));
        parts.push("end".to_owned());
        parts.extend(told(&rows, &all, &scene));
    }
    lines.append(&mut parts);
    finished(&lines)
}

/// The declarations of those who occur.
fn participants(rows: &Rows) -> impl Iterator<Item = String> {
    rows.lanes.iter().map(|(party, name)| format!("participant {} as {}", id(party), escaped(name)))
}

/// What stands over everybody's lane; `None` where nobody occurs.
fn everybody(rows: &Rows) -> Option<String> {
    let (first, last) = (rows.lanes.iter().next()?.0, rows.lanes.iter().last()?.0);
    Some(if first == last { id(first) } else { format!("{},{}", id(first), id(last)) })
}

/// The rows, each moment with its time in front.
fn told(rows: &Rows, all: &str, scene: &Scene<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let first = all.split(',').next().unwrap_or_default();
    let mut at = None;
    for (place, row) in rows.rows.iter().enumerate() {
        if at.replace(row.at) != Some(row.at) {
            lines.push(format!("Note left of {first}: {:.6} s", row.at.seconds()));
        }
        match &row.what {
            Drawn::Across(text, _) => lines.push(note(all, text)),
            Drawn::Note(party, text, _) => lines.push(note(&id(*party), text)),
            Drawn::Arrow(arrow) => lines.push(self::arrow(arrow)),
        }
        if rows.broken == Some(place) {
            lines.extend(broken(all, &format!("HERE {} BROKE: {}", scene.promise, scene.seen)));
        }
    }
    lines
}

fn finished(lines: &[String]) -> String {
    let mut text = lines.join("\n    ");
    text.push('\n');
    text
}

fn arrow(arrow: &Arrow) -> String {
    let (from, to) = (id(arrow.from), id(arrow.to));
    let mark = arrow.mark.as_ref().map_or_else(String::new, |mark| format!(" ({mark})"));
    let text = format!("{}{mark}", arrow.title());
    let head = match (arrow.leg, arrow.kind) {
        // Nothing arrives in this row.
        (Leg::Leaves, _) => return note(&from, &format!("sends {text}")),
        (Leg::Lost, ArrowKind::Answer) => "--x",
        (Leg::Lost, _) => "-x",
        (_, ArrowKind::Answer) => "-->>",
        _ => "->>",
    };
    format!("{from}{head}{to}: {}", escaped(&text))
}

fn note(over: &str, text: &str) -> String {
    format!("Note over {over}: {}", escaped(text))
}

fn broken(over: &str, text: &str) -> [String; 3] {
    ["rect rgb(255, 205, 200)".to_owned(), note(over, text), "end".to_owned()]
}

fn id(party: Party) -> String {
    match party {
        Party::Server(server) => format!("S{}", server.0),
        Party::Device => "D".to_owned(),
        Party::Bootstrap(site) => format!("B{}", site.0),
    }
}

/// Letters, digits and the signs of names as they are, everything else as its code; never empty.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.trim().chars() {
        match letter {
            _ if letter.is_alphanumeric() => out.push(letter),
            ' ' | '_' | '.' | '/' | '?' | '=' | '(' | ')' => out.push(letter),
            // A hyphen alone is no arrow.
            '-' if !out.ends_with('-') => out.push(letter),
            _ if letter.is_control() => out.push(' '),
            _ => out.push_str(&format!("#{};", u32::from(letter))),
        }
    }
    if out.is_empty() { "-".to_owned() } else { out }
}
