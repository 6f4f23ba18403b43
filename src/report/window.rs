//! A window as text, as rows and as JSON: the outcome against the offset, and how wide the race is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::delegation::flow::Outcome;
use crate::explore::own_way::Flow;
use crate::explore::window::{Seen, Trial, Window, race};
use crate::explore::wording;
use crate::facts::pattern::Names;
use crate::report::figures::counted;
use crate::report::grid::Grid;
use crate::report::table::Table;
use crate::units::Duration;

/// What is drawn.
pub struct Drawing<'a> {
    pub window: &'a Window,
    /// Between two offsets, in milliseconds.
    pub step: i64,
    /// In virtual time, by offset.
    pub exact: &'a [Trial],
    /// Over HTTPS, by the offset that was wished.
    pub real: &'a [Trial],
    /// How many runs over HTTPS were to be made.
    pub asked: usize,
    /// A signal came before the last of them.
    pub is_interrupted: bool,
}

/// The first lines: what is moved past what, on which journey.
pub fn heading(window: &Window) -> String {
    let premises = &window.way.premises;
    format!(
        "{}: journey `{}`, policy {}\nmoves `{}` past `{}`; it sets out {} before\n",
        window.way.scenario.name,
        premises.kind,
        window.way.scenario.policy.key(),
        wording::event(&window.moved, premises),
        window.past.print(premises),
        Duration(window.reach)
    )
}

impl Drawing<'_> {
    /// The drawings, the table of outcomes, and how wide the race is.
    pub fn text(&self) -> String {
        let outcomes = self.outcomes();
        let mut text = String::new();
        if !self.exact.is_empty() {
            text.push_str(&format!("\nin virtual time, {}\n", counted(self.exact.len() as u64, "offset")));
            text.push_str(&self.picture(self.exact, &outcomes, false));
        }
        if !self.real.is_empty() {
            let tries = counted(self.real.len() as u64, "run");
            text.push_str(&format!("\nover HTTPS, {tries}, each where its offset was measured\n"));
            text.push_str(&self.picture(self.real, &outcomes, true));
            text.push_str(&self.measured(&outcomes));
        }
        if self.is_interrupted {
            let (whole, asked) = (self.real.len(), counted(self.asked as u64, "run"));
            text.push_str(&format!("\ninterrupted: {whole} of {asked} over HTTPS came to their end\n"));
        }
        text.push('\n');
        for (number, seen) in outcomes.iter().enumerate() {
            text.push_str(&format!("  {}  {}\n", letter(number), self.words(seen, &outcomes)));
        }
        text.push('\n');
        for (trials, place) in [(self.exact, "in virtual time"), (self.real, "over HTTPS")] {
            if !trials.is_empty() {
                let is_alone = trials.iter().all(|trial| trial.wished == trials[0].wished);
                text.push_str(&format!("{place}: {}\n", width(&points(trials, &outcomes), is_alone)));
            }
        }
        text
    }

    /// One row for each try.
    pub fn csv(&self) -> String {
        let outcomes = self.outcomes();
        let mut text = "place,wished_ms,measured_ms,outcome,fate,flows,broken_promises,orphaned\n".to_owned();
        for (trials, place) in [(self.exact, "virtual"), (self.real, "https")] {
            for trial in trials {
                let measured = trial.measured.map_or_else(String::new, |micros| format!("{:.3}", ms(micros)));
                let ending = &trial.seen.ending;
                let flows: Vec<String> = ending.flows.iter().map(|flow| self.flow(flow)).collect();
                text.push_str(&format!(
                    "{place},{},{measured},{},{},{},{},{}\n",
                    trial.wished,
                    letter(number(&trial.seen, &outcomes)),
                    quoted(&trial.seen.fate),
                    quoted(&flows.join("; ")),
                    quoted(&ending.broken.join(" ")),
                    ending.is_orphaned()
                ));
            }
        }
        text
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let outcomes = self.outcomes();
        let premises = &self.window.way.premises;
        let outcome = |(number, seen): (usize, &&Seen)| {
            json!({
                "name": letter(number),
                "fate": seen.fate,
                "flows": seen.ending.flows.iter().map(|flow| json!({
                    "flow": flow.kind.to_string(),
                    "started_at": premises.server_name(flow.at),
                    "with": premises.server_name(flow.peer),
                    "here": flow.here.as_ref().map(ToString::to_string),
                    "there": flow.there.as_ref().map(ToString::to_string),
                })).collect::<Vec<_>>(),
                "broken_promises": seen.ending.broken,
                "orphaned": seen.ending.is_orphaned(),
            })
        };
        let place = |trials: &[Trial]| {
            let race = race(&points(trials, &outcomes));
            json!({
                "race_ms": race.map(|(from, to)| [ms(from), ms(to)]),
                "width_ms": race.map(|(from, to)| ms(to - from)),
                "trials": trials.iter().map(|trial| json!({
                    "wished_ms": trial.wished,
                    "measured_ms": trial.measured.map(ms),
                    "outcome": letter(number(&trial.seen, &outcomes)),
                })).collect::<Vec<_>>(),
            })
        };
        json!({
            "schema": "dmswarm.window/1",
            "scenario": self.window.way.scenario.name,
            "policy": self.window.way.scenario.policy.key(),
            "journey": premises.kind,
            "moved": wording::event(&self.window.moved, premises),
            "past": self.window.past.print(premises),
            "reach_ms": self.window.reach.as_secs_f64() * 1e3,
            "step_ms": self.step,
            "outcomes": outcomes.iter().enumerate().map(outcome).collect::<Vec<_>>(),
            "virtual": place(self.exact),
            "https": (self.asked > 0).then(|| {
                let mut https = place(self.real);
                https["asked"] = json!(self.asked);
                https["interrupted"] = json!(self.is_interrupted);
                https
            }),
        })
    }

    /// Each outcome once, in the order in which they come, those of virtual time first.
    fn outcomes(&self) -> Vec<&Seen> {
        let mut outcomes: Vec<&Seen> = Vec::new();
        for trial in self.exact.iter().chain(self.real) {
            if !outcomes.contains(&&trial.seen) {
                outcomes.push(&trial.seen);
            }
        }
        outcomes
    }

    /// A row for each outcome and a column for each step, and what the signs in them mean.
    fn picture(&self, trials: &[Trial], outcomes: &[&Seen], is_counted: bool) -> String {
        let points = points(trials, outcomes);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
        let wished = trials.first().map_or(0, |trial| trial.wished);
        let grid = Grid::new((first.0, last.0), micros(wished), micros(self.step), !is_counted);
        let mut places: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (micros, outcome) in &points {
            *places.entry((*outcome, grid.column(*micros))).or_default() += 1;
        }
        let mut text = String::new();
        for outcome in (0..outcomes.len()).filter(|outcome| places.keys().any(|(known, _)| known == outcome)) {
            let sign = |column: usize| match places.get(&(outcome, column)) {
                None => '.',
                Some(_) if !is_counted => '#',
                Some(many) => char::from_digit(*many as u32, 10).unwrap_or('+'),
            };
            text.push_str(&format!("  {}  {}\n", letter(outcome), (0..grid.columns()).map(sign).collect::<String>()));
        }
        let signs = match is_counted {
            true => "a digit: so many runs come to it here; +: more than 9; .: none",
            false => "#: it comes to it here; .: it does not",
        };
        format!("{text}     {}\n  {signs}; a column is {} ms wide\n", grid.axis(), grid.width())
    }

    /// What was measured where which offset was wished.
    fn measured(&self, outcomes: &[&Seen]) -> String {
        let mut table = Table::new(["wished", "measured", "outcomes"]);
        let mut wished: Vec<i64> = self.real.iter().map(|trial| trial.wished).collect();
        wished.dedup();
        for offset in wished {
            let trials: Vec<&Trial> = self.real.iter().filter(|trial| trial.wished == offset).collect();
            let measured = || trials.iter().filter_map(|trial| trial.measured);
            let range = match (measured().min(), measured().max()) {
                (Some(least), Some(most)) if least == most => format!("{:+.1} ms", ms(least)),
                (Some(least), Some(most)) => format!("{:+.1} to {:+.1} ms", ms(least), ms(most)),
                _ => "it never came".to_owned(),
            };
            let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
            trials.iter().for_each(|trial| *counts.entry(number(&trial.seen, outcomes)).or_default() += 1);
            let several = trials.len() > 1;
            let counts = counts
                .into_iter()
                .map(|(outcome, many)| if several { format!("{} {many}", letter(outcome)) } else { letter(outcome) });
            table.row([format!("{offset:+} ms"), range, counts.collect::<Vec<_>>().join(", ")]);
        }
        format!("\n  {}\n", table.words().join("\n  "))
    }

    /// An outcome in words; flows that were done in all of them say nothing.
    fn words(&self, seen: &Seen, outcomes: &[&Seen]) -> String {
        let is_telling = |(place, flow): &(usize, &Flow)| {
            !flow.is_done() || outcomes.iter().any(|other| other.ending.flows.get(*place) != Some(*flow))
        };
        let mut parts = vec![format!("it is {}", seen.fate)];
        if ["the", "it", "never", "not"].iter().any(|word| seen.fate.starts_with(word)) {
            parts[0] = seen.fate.clone();
        }
        let flows = &seen.ending.flows;
        let telling: Vec<String> =
            flows.iter().enumerate().filter(is_telling).map(|(_, flow)| self.flow(flow)).collect();
        let otherwise = flows.last().map(|flow| self.flow(flow));
        parts.extend(if telling.is_empty() { otherwise.into_iter().collect() } else { telling });
        if seen.ending.broken.is_empty() {
            parts.push("every promise is kept".to_owned());
        } else {
            parts.push(format!("broken: {}", seen.ending.broken.join(", ")));
        }
        if seen.ending.is_orphaned() {
            parts.push("nobody is in charge of the device".to_owned());
        }
        parts.join("; ")
    }

    /// `revoke.asked done at home and partner`.
    fn flow(&self, flow: &Flow) -> String {
        let name = |server| self.window.way.premises.server_name(server);
        let (at, peer) = (name(flow.at), name(flow.peer));
        match (&flow.here, &flow.there) {
            (Some(here), Some(there)) if here == there => format!("{} {here} at {at} and {peer}", flow.kind),
            (Some(here), Some(there)) => format!("{} {here} at {at}, {there} at {peer}", flow.kind),
            (here, there) => {
                let word = |outcome: &Option<Outcome>| {
                    outcome.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
                };
                format!("{} {} at {at}, {} at {peer}", flow.kind, word(here), word(there))
            }
        }
    }
}

/// How wide the race is, in a sentence; `is_alone` where no other offset was tried.
fn width(points: &[(i64, usize)], is_alone: bool) -> String {
    let Some((from, to)) = race(points) else {
        if is_alone {
            return "one offset alone shows no race: try more of them, with --from, --to and --step".to_owned();
        }
        return "it makes no difference: each offset comes to the same".to_owned();
    };
    let (first, last) = (points[0].1, points[points.len() - 1].1);
    let inside: Vec<usize> = points.iter().filter(|(at, _)| from < *at && *at < to).map(|(_, seen)| *seen).collect();
    let between = if inside.is_empty() {
        format!("it turns from {} to {}", letter(first), letter(last))
    } else {
        let mut names: Vec<usize> = inside.clone();
        names.sort_unstable();
        names.dedup();
        let names: Vec<String> = names.into_iter().map(letter).collect();
        format!("{} up to there, {} from there on, {} in between", letter(first), letter(last), names.join(" and "))
    };
    format!(
        "the race is at most {:.1} ms wide, from {:+.1} ms to {:+.1} ms: {between}",
        ms(to - from),
        ms(from),
        ms(to)
    )
}

/// By offset, in microseconds: the number of the outcome. What never came stands where it was wished.
fn points(trials: &[Trial], outcomes: &[&Seen]) -> Vec<(i64, usize)> {
    let at = |trial: &Trial| trial.measured.unwrap_or(micros(trial.wished));
    let mut points: Vec<(i64, usize)> = trials.iter().map(|trial| (at(trial), number(&trial.seen, outcomes))).collect();
    points.sort_unstable();
    points
}

fn number(seen: &Seen, outcomes: &[&Seen]) -> usize {
    outcomes.iter().position(|known| *known == seen).unwrap_or_default()
}

/// A, B, ..., Z, then by number.
fn letter(number: usize) -> String {
    let letter = u8::try_from(number).ok().filter(|number| *number < 26).map(|number| char::from(b'A' + number));
    letter.map_or_else(|| format!("#{number}"), String::from)
}

fn micros(ms: i64) -> i64 {
    ms.saturating_mul(1_000)
}

fn ms(micros: i64) -> f64 {
    micros as f64 / 1e3
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn a_race_is_told_with_its_width_and_with_what_lies_in_between() {
        assert_eq!(width(&[(-5_000, 0), (0, 0)], false), "it makes no difference: each offset comes to the same");
        assert_eq!(
            width(&[(-5_000, 0), (0, 1), (5_000, 1)], false),
            "the race is at most 5.0 ms wide, from -5.0 ms to +0.0 ms: it turns from A to B"
        );
        assert_eq!(
            width(&[(-5_000, 0), (0, 2), (1_500, 1)], false),
            "the race is at most 6.5 ms wide, from -5.0 ms to +1.5 ms: A up to there, B from there on, C in between"
        );
    }

    #[test]
    fn one_offset_shows_no_race() {
        let said = width(&[(5_000, 0), (5_100, 0)], true);
        assert!(said.starts_with("one offset alone shows no race"), "{said}");
    }

    #[test]
    fn a_drawing_says_what_its_signs_mean_and_that_it_was_interrupted() {
        let scenario = parse("quickstart", QUICKSTART, &Overrides::default()).expect("a scenario");
        let window = Window::find(&scenario, "termination timer", "delegation_termination_resp").expect("they meet");
        let exact = window.sweep(&[-5, 0, 5]);
        let drawing = |real, asked, is_interrupted| Drawing {
            window: &window,
            step: 5,
            exact: &exact,
            real,
            asked,
            is_interrupted,
        };
        let whole = drawing(&exact, 3, false);
        let text = whole.text();
        for part in ["#: it comes to it here", "a digit: so many runs", "a column is 5 ms wide"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("interrupted"), "{text}");
        assert_eq!(whole.json()["https"]["interrupted"], false);
        let cut = drawing(&[], 3, true);
        assert!(cut.text().contains("interrupted: 0 of 3 runs over HTTPS came to their end"), "{}", cut.text());
        let https = &cut.json()["https"];
        assert_eq!((&https["interrupted"], &https["asked"]), (&json!(true), &json!(3)));
        assert_eq!(drawing(&[], 0, false).json()["https"], Value::Null, "nobody asked for it");
    }

    #[test]
    fn what_has_a_comma_is_one_field_of_a_row() {
        assert_eq!(
            (quoted("a, b"), quoted("say \"a\""), quoted("a")),
            ("\"a, b\"".into(), "\"say \"\"a\"\"\"".into(), "a".into())
        );
    }
}
