//! The second look at `[load]`: phases read, and starts that the phases can give.

use std::time::Duration;

use crate::scenario::entry::{Entry, Text};
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::scenario::shape::LONGEST_STRETCH;
use crate::scenario::steps::split;
use crate::units::{self, Rate};
use crate::workload::arrival::{Arrival, Phase, starts_of};
use crate::workload::plan::Load;

/// No machine starts more journeys in a second than this.
const MOST_STARTS_PER_SECOND: f64 = 1_000_000.0;

/// The load of a scenario on so many devices.
pub fn read(entry: &Entry<'_>, devices: u32, found: &mut Vec<Problem>) -> Load {
    match (entry.has("phases"), entry.has("at_once")) {
        (true, true) => {
            let problem = Problem::new(entry.span("at_once"), "a load has `phases` or `at_once`, not both");
            found.push(problem.label("closed").hint("leave out `at_once` for an open load, `phases` for a closed one"));
        }
        (false, false) => {
            let problem = Problem::new(entry.place(), "the load has neither `phases` nor `at_once`");
            found.push(problem.hint("for example `phases = [\"hold 100/s until done\"]`, or `at_once = 50`"));
        }
        _ => {}
    }
    // Phases are read even where they are one too many: what is wrong with them is told together.
    let phases = phases(entry, found);
    let wanted = entry.integer("starts").and_then(|starts| u32::try_from(starts).ok()).filter(|starts| *starts > 0);
    if entry.has("at_once") {
        return Load {
            starts: wanted.unwrap_or(devices),
            arrival: Arrival::Closed { at_once: entry.number("at_once") },
        };
    }
    let given = starts_of(&phases).map(|starts| u32::try_from(starts).unwrap_or(u32::MAX));
    let starts = match (wanted, given) {
        (None, None) => devices,
        (None, Some(given)) => devices.min(given),
        (Some(wanted), given) => {
            if let Some(given) = given.filter(|given| *given < wanted && !phases.is_empty()) {
                let message = format!("the phases end after {given} starts, `starts` asks for {wanted}");
                let problem = Problem::new(entry.span("starts"), message).label("more than the phases give");
                found.push(problem.hint("end the last phase with `until done`, or leave out `starts`"));
            }
            wanted
        }
    };
    if given == Some(0) && !phases.is_empty() {
        found.push(Problem::new(entry.span("phases"), "the phases start no journey at all").hint("raise a rate"));
    }
    Load { starts, arrival: Arrival::Open(phases) }
}

fn phases(entry: &Entry<'_>, found: &mut Vec<Problem>) -> Vec<Phase> {
    let texts = entry.texts("phases").unwrap_or_default();
    if entry.is_list("phases") && entry.items("phases").is_empty() {
        found.push(Problem::new(entry.span("phases"), "`phases` needs at least one phase"));
    }
    let mut phases = Vec::new();
    for (nth, text) in texts.iter().enumerate() {
        match phase(text) {
            Ok(phase) => {
                if matches!(phase, Phase::Hold { over: None, .. }) && nth + 1 < texts.len() {
                    let problem = Problem::new(text.span.clone(), "a phase `until done` has to be the last");
                    found.push(problem.label("nothing can follow it").hint("write how long it lasts, `for 10s`"));
                }
                phases.push(phase);
            }
            Err(problem) => found.push(problem),
        }
    }
    phases
}

/// `ramp R to R in D`, `hold R for D`, `hold R until done`.
fn phase(text: &Text<'_>) -> Result<Phase, Problem> {
    const HINT: &str = "`ramp 0/s to 100/s in 5s`, `hold 100/s for 10s` or `hold 100/s until done`";
    let words = split(text.text);
    let spelled: Vec<&str> = words.iter().map(|word| word.text).collect();
    let at = |index: usize| text.part(words[index].span.clone());
    match spelled.as_slice() {
        ["ramp", from, "to", to, "in", over] => {
            let from = rate(from, at(1))?;
            let to = rate(to, at(3))?;
            Ok(Phase::Ramp { from, to, over: duration(over, at(5))? })
        }
        ["hold", held, "for", over] => {
            let rate = rate(held, at(1))?;
            Ok(Phase::Hold { rate, over: Some(duration(over, at(3))?) })
        }
        ["hold", held, "until", "done"] => {
            let rate = rate(held, at(1))?;
            if rate.in_seconds() == 0.0 {
                return Err(Problem::new(at(1), "at this rate it is never done").hint("hold a rate above 0"));
            }
            Ok(Phase::Hold { rate, over: None })
        }
        [verb, ..] if !["ramp", "hold"].contains(verb) => {
            let problem = Problem::new(at(0), format!("expected `ramp` or `hold`, found `{verb}`")).hint(HINT);
            Err(problem.maybe_hint(did_you_mean(verb, ["ramp", "hold"])))
        }
        _ => Err(Problem::new(text.span.clone(), format!("`{}` is no phase", text.text)).hint(HINT)),
    }
}

fn rate(word: &str, place: Span) -> Result<Rate, Problem> {
    let rate: Rate = word.parse().map_err(|error: units::UnitError| Problem::new(place.clone(), error.to_string()))?;
    if rate.in_seconds() > MOST_STARTS_PER_SECOND {
        let message = format!("`{word}` is more than any machine starts; at most {MOST_STARTS_PER_SECOND}/s are taken");
        return Err(Problem::new(place, message));
    }
    Ok(rate)
}

fn duration(word: &str, place: Span) -> Result<Duration, Problem> {
    let duration: units::Duration =
        word.parse().map_err(|error: units::UnitError| Problem::new(place.clone(), error.to_string()))?;
    if duration.0.is_zero() {
        return Err(Problem::new(place, "a phase has to be longer than nothing"));
    }
    if duration > LONGEST_STRETCH {
        return Err(Problem::new(place, format!("a phase is at most {LONGEST_STRETCH} long")));
    }
    Ok(duration.0)
}

/// Writes one phase.
pub fn print(phase: &Phase) -> String {
    match phase {
        Phase::Ramp { from, to, over } => format!("ramp {from} to {to} in {}", units::Duration(*over)),
        Phase::Hold { rate, over: Some(over) } => format!("hold {rate} for {}", units::Duration(*over)),
        Phase::Hold { rate, over: None } => format!("hold {rate} until done"),
    }
}

/// The load that stands in for one that is missing.
pub fn none() -> Load {
    Load { starts: 0, arrival: Arrival::Closed { at_once: 1 } }
}
