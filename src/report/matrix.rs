//! Heat maps of two timeouts against a delay: what came of each pair, and how many requests it took.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::delegation::flow::Outcome;
use crate::explore::matrix::{Axis, Cell, Delayed, Heat, Matrix, Verdict};
use crate::report::figures::counted;
use crate::scenario::Scenario;
use crate::units;

/// The first lines: what is swept, and what is delayed.
pub fn heading(scenario: &Scenario, matrix: &Matrix, heat: &Heat) -> String {
    let [first, second] = matrix.axes.each_ref().map(range);
    format!(
        "{}: journey `{}`, policy {}; {first} and {second}, against a delay of {}\nundisturbed, the journey takes {}\n",
        scenario.name,
        heat.journey,
        scenario.policy.key(),
        delayed(matrix),
        counted(heat.needed as u64, "request")
    )
}

/// A map for each delay, and what the signs mean.
pub fn maps(matrix: &Matrix, heat: &Heat, has_colour: bool) -> String {
    let mut text = String::new();
    for (delay, cells) in matrix.delays.iter().zip(&heat.cells) {
        text.push_str(&format!("\ndelay {}: {}\n", units::Duration(*delay), shares(cells)));
        text.extend(usual_end(cells).map(|end| format!("  most often {end}\n")));
        text.push_str(&map(matrix, heat, cells, has_colour));
    }
    let signs =
        Verdict::ALL.map(|verdict| format!("{} {}", painted(sign(verdict), verdict, has_colour), verdict.key()));
    text.push_str(&format!("\non the left      {}\n", signs.join("   ")));
    text.push_str(
        "on the right     requests sent per request needed: = as many   - fewer   + up to 1.5   2 to 9 as often\n",
    );
    text
}

/// One row for each cell.
pub fn csv(matrix: &Matrix, heat: &Heat) -> String {
    let mut text = format!(
        "delay_ms,{}_ms,{}_ms,outcome,requests_sent,requests_per_needed,broken_promises\n",
        matrix.axes[0].key, matrix.axes[1].key
    );
    each(matrix, heat, |delay, [first, second], cell| {
        text.push_str(&format!(
            "{},{},{},{},{},{:.3},{}\n",
            delay.as_millis(),
            first.as_millis(),
            second.as_millis(),
            cell.verdict.key(),
            cell.sent,
            per_needed(cell, heat),
            cell.ending.broken.join(" ")
        ));
    });
    text
}

/// Everything, for programs.
pub fn json(scenario: &Scenario, matrix: &Matrix, heat: &Heat) -> Value {
    let mut cells = Vec::new();
    each(matrix, heat, |delay, [first, second], cell| {
        let flow = |flow: &crate::explore::own_way::Flow| {
            let [here, there] = [&flow.here, &flow.there].map(|outcome| outcome.as_ref().map(ToString::to_string));
            json!({ "flow": flow.kind.to_string(), "here": here, "there": there })
        };
        cells.push(json!({
            "delay_ms": ms(delay),
            matrix.axes[0].key: ms(first),
            matrix.axes[1].key: ms(second),
            "outcome": cell.verdict.key(),
            "flows": cell.ending.flows.iter().map(flow).collect::<Vec<_>>(),
            "requests_sent": cell.sent,
            "requests_per_needed": per_needed(cell, heat),
            "broken_promises": cell.ending.broken,
        }));
    });
    json!({
        "schema": "dmswarm.matrix/1",
        "scenario": scenario.name,
        "policy": scenario.policy.key(),
        "journey": heat.journey,
        "delayed": delayed(matrix),
        "requests_needed": heat.needed,
        "cells": cells,
    })
}

fn each(matrix: &Matrix, heat: &Heat, mut tell: impl FnMut(Duration, [Duration; 2], &Cell)) {
    for (delay, lines) in matrix.delays.iter().zip(&heat.cells) {
        for (second, line) in matrix.axes[1].values.iter().zip(lines) {
            for (first, cell) in matrix.axes[0].values.iter().zip(line) {
                tell(*delay, [*first, *second], cell);
            }
        }
    }
}

/// The second timeout upwards, the first to the right; outcomes on the left, requests on the right.
fn map(matrix: &Matrix, heat: &Heat, cells: &[Vec<Cell>], has_colour: bool) -> String {
    let [across, up] = &matrix.axes;
    let look = |cell: &Cell| (cell.verdict, load(per_needed(cell, heat)));
    let mut looks = cells.iter().flatten().map(look);
    if let Some((_, sign)) = looks.next().filter(|first| looks.all(|other| other == *first)) {
        return format!("  the same for each pair; requests per request needed: {sign}\n");
    }
    let label = |value: &Duration| units::Duration(*value).to_string();
    let margin = up.values.iter().map(|value| label(value).len()).max().unwrap_or(0).max(up.key.len()) + 2;
    let columns = across.values.len();
    let mut text = format!("{:>margin$}\n", up.key);
    for (value, line) in up.values.iter().zip(cells).rev() {
        let left: String =
            line.iter().map(|cell| painted(sign(cell.verdict), cell.verdict, has_colour) + " ").collect();
        let right: String = line.iter().map(|cell| format!("{} ", load(per_needed(cell, heat)))).collect();
        text.push_str(format!("{:>margin$}  {left}   {right}", label(value)).trim_end());
        text.push('\n');
    }
    let ends = match (across.values.first(), across.values.last()) {
        (Some(first), Some(last)) => (label(first), label(last)),
        _ => Default::default(),
    };
    let name = format!("{} .. {} {}", ends.0, ends.1, across.key);
    let width = (2 * columns + 3).max(name.len() + 3);
    text.push_str(&format!("{:>margin$}  {name:<width$}{name}\n", ""));
    text
}

fn shares(cells: &[Vec<Cell>]) -> String {
    let all = || cells.iter().flatten();
    let many = |verdict: Verdict| all().filter(|cell| cell.verdict == verdict).count();
    let parts = Verdict::ALL.map(|verdict| (many(verdict), verdict));
    let parts = parts.iter().filter(|(many, _)| *many > 0).map(|(many, verdict)| format!("{many} {}", verdict.key()));
    let breaking = all().filter(|cell| !cell.ending.broken.is_empty()).count();
    let broken = if breaking > 0 { format!("; {breaking} with broken promises") } else { String::new() };
    format!("{} of {}{broken}", parts.collect::<Vec<_>>().join(", "), all().count())
}

/// How the first flow that was not done most often ended: a timer that is not swept may be what decides.
fn usual_end(cells: &[Vec<Cell>]) -> Option<String> {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for cell in cells.iter().flatten() {
        if let Some(flow) = cell.ending.flows.iter().find(|flow| !flow.is_done()) {
            let word = |outcome: &Option<Outcome>| outcome.as_ref().map_or("no end".to_owned(), ToString::to_string);
            let (here, there) = (word(&flow.here), word(&flow.there));
            *ends
                .entry(format!("{} ends with {here} where it was started, {there} at the peer", flow.kind))
                .or_default() += 1;
        }
    }
    ends.into_iter().max_by_key(|(_, many)| *many).map(|(end, _)| end)
}

fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Done => '.',
        Verdict::Undone => 'u',
        Verdict::Failed => 'f',
        Verdict::Orphaned => 'X',
    }
}

fn painted(sign: char, verdict: Verdict, has_colour: bool) -> String {
    let colour = match verdict {
        Verdict::Done => 32,
        Verdict::Undone => 33,
        Verdict::Failed => 31,
        Verdict::Orphaned => 35,
    };
    if has_colour { format!("\x1b[{colour}m{sign}\x1b[0m") } else { sign.to_string() }
}

fn per_needed(cell: &Cell, heat: &Heat) -> f64 {
    cell.sent as f64 / heat.needed.max(1) as f64
}

/// How much more was sent than needed, as one sign.
fn load(per_needed: f64) -> char {
    if per_needed < 1.0 {
        '-'
    } else if per_needed == 1.0 {
        '='
    } else if per_needed <= 1.5 {
        '+'
    } else {
        char::from_digit((per_needed.round() as u32).clamp(2, 9), 10).unwrap_or('9')
    }
}

fn delayed(matrix: &Matrix) -> String {
    match matrix.delayed {
        Delayed::Sessions => "each session with the device".to_owned(),
        Delayed::Message(message) => format!("each {message}"),
    }
}

fn range(axis: &Axis) -> String {
    match (axis.values.first(), axis.values.last()) {
        (Some(first), Some(last)) => format!("{} {} to {}", axis.key, units::Duration(*first), units::Duration(*last)),
        _ => axis.key.to_owned(),
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::own_way::Ending;

    fn cell(verdict: Verdict, sent: usize) -> Cell {
        Cell { verdict, ending: Ending { flows: Vec::new(), broken: Vec::new() }, sent }
    }

    #[test]
    fn a_map_has_the_second_timeout_upwards_and_the_first_to_the_right() {
        let axis = |key| Axis { key, values: [1, 60].map(Duration::from_secs).to_vec() };
        let axes = [axis("confirmed"), axis("session")];
        let matrix = Matrix { axes, delayed: Delayed::Sessions, delays: vec![Duration::from_secs(20)] };
        let low = vec![cell(Verdict::Orphaned, 4), cell(Verdict::Failed, 12)];
        let high = vec![cell(Verdict::Undone, 5), cell(Verdict::Done, 5)];
        let heat = Heat { journey: "given away".into(), needed: 5, cells: vec![vec![low, high]] };
        let text = maps(&matrix, &heat, false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "delay 20s: 1 done, 1 undone, 1 refused or failed, 1 orphaned of 4");
        assert_eq!(lines[3], "       1m  u .    = =");
        assert_eq!(lines[4], "       1s  X f    - 2");
        let csv = csv(&matrix, &heat);
        assert_eq!(csv.lines().nth(2), Some("20000,60000,1000,refused or failed,12,2.400,"));
    }
}
