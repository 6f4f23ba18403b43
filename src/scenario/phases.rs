//! The grammar of a load's phases, read and written.
//!
//! ```text
//! [NAME:] hold R for D [, ARRIVAL]
//! [NAME:] hold R until done [, poisson]
//! [NAME:] ramp R to R in D [, ARRIVAL]
//! [NAME:] stairs R to R in N steps of D [, ARRIVAL]
//! [NAME:] spike R to R for D in D [, ARRIVAL]
//! [NAME:] storm of N
//! [NAME:] pause D
//! [NAME:] replay FILE | replay [0, 0.5, 1.25]
//! [NAME:] closed N for D | closed N until done
//! ```
//!
//! `R` is a rate, `D` a duration, `N` a whole number. `ARRIVAL` is `poisson` or `poisson exactly N`; where nothing is
//! said, starts come evenly. A spike has its base for the whole second duration and its peak for the first one, in the
//! middle. A phase without a name is called `steady`.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use crate::scenario::entry::Text;
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::scenario::recording::{self, MOST_MOMENTS};
use crate::scenario::shape::{LONGEST_STRETCH, words};
use crate::scenario::steps::{Word, split};
use crate::units::{self, Rate};
use crate::workload::arrival::{Phase, Shape, Spread};
use crate::workload::course::Course;

/// Reads the text of an arrival file, by the name that the scenario gives it.
pub type ReadFile<'f> = &'f dyn Fn(&str) -> io::Result<String>;

/// No machine starts more journeys in a second than this.
const MOST_STARTS_PER_SECOND: f64 = 1_000_000.0;
/// No scenario has more devices.
const MOST_DEVICES: u32 = 10_000_000;
const MOST_PLACES: u32 = 1_000_000;
const MOST_STEPS: u32 = 1_000;
const LONGEST_NAME: usize = 64;

/// What a phase can begin with, each with an example.
const VERBS: [(&str, &str); 8] = [
    ("hold", "`hold 100/s for 10s` or `hold 100/s until done`"),
    ("ramp", "`ramp 0/s to 100/s in 5s`"),
    ("stairs", "`stairs 20/s to 100/s in 5 steps of 2s`"),
    ("spike", "`spike 10/s to 200/s for 1s in 10s`"),
    ("storm", "`storm of 200`"),
    ("pause", "`pause 2s`"),
    ("replay", "`replay arrivals.csv`"),
    ("closed", "`closed 50 for 10s` or `closed 50 until done`"),
];

/// Reads one phase; what is wrong with it is `found`, all of it where it replays a file.
pub fn read(text: &Text<'_>, file: ReadFile<'_>, found: &mut Vec<Problem>) -> Option<Phase> {
    let (name, body) = match named(text) {
        Ok(parts) => parts,
        Err(problem) => {
            found.push(problem);
            return None;
        }
    };
    let replayed = body.text.trim_start().strip_prefix("replay").filter(|rest| rest.starts_with([' ', '\t', '[']));
    let shape = match replayed.filter(|rest| !rest.trim().is_empty()) {
        Some(rest) => replay(&body.tail(body.text.len() - rest.len()), file, found),
        None => Reader { text: &body, words: split(body.text) }.shape().map_err(|problem| found.push(problem)).ok(),
    };
    shape.map(|shape| Phase { name, shape })
}

/// Writes one phase.
pub fn print(phase: &Phase) -> String {
    let body = match &phase.shape {
        Shape::Recorded(moments) => {
            let moments: Vec<String> = moments.iter().copied().map(recording::print).collect();
            format!("replay [{}]", moments.join(", "))
        }
        shape => describe(shape),
    };
    if phase.name == Phase::STEADY { body } else { format!("{}: {body}", phase.name) }
}

/// What a phase does, as it is written, without its name; of recorded moments only their number.
pub fn describe(shape: &Shape) -> String {
    let time = |time: &Duration| units::Duration(*time);
    match shape {
        Shape::Rated(course, spread) => {
            let course = match course {
                Course::Hold { rate, over: Some(over) } => format!("hold {rate} for {}", time(over)),
                Course::Hold { rate, over: None } => format!("hold {rate} until done"),
                Course::Ramp { from, to, over } => format!("ramp {from} to {to} in {}", time(over)),
                Course::Stairs { from, to, steps, each } => {
                    format!("stairs {from} to {to} in {steps} steps of {}", time(each))
                }
                Course::Spike { base, peak, top, over } => {
                    format!("spike {base} to {peak} for {} in {}", time(top), time(over))
                }
            };
            match spread {
                Spread::Even => course,
                Spread::Poisson => format!("{course}, poisson"),
                Spread::Exactly(starts) => format!("{course}, poisson exactly {starts}"),
            }
        }
        Shape::Storm(devices) => format!("storm of {devices}"),
        Shape::Pause(over) => format!("pause {}", time(over)),
        Shape::Recorded(moments) => format!("replay {} moments", moments.len()),
        Shape::Closed { at_once, over: Some(over) } => format!("closed {at_once} for {}", time(over)),
        Shape::Closed { at_once, over: None } => format!("closed {at_once} until done"),
    }
}

/// The name of a phase, and the rest of it. A file to replay may have a colon in its name.
fn named<'t>(text: &Text<'t>) -> Result<(String, Text<'t>), Problem> {
    let unnamed = || Ok((Phase::STEADY.to_owned(), text.clone()));
    let Some(colon) = text.text.find(':') else { return unnamed() };
    let before = &text.text[..colon];
    let mut words = before.split_whitespace();
    if words.next().is_some_and(is_verb) && words.next().is_some() {
        return unnamed();
    }
    let name = before.trim();
    let place = text.part(colon - before.trim_start().len()..colon);
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_safe) {
        let message = format!("`{name}` is no name of a phase");
        let hint =
            format!("names are letters, digits, `-` and `_`, at most {LONGEST_NAME}: `warm-up: ramp 0/s to 9/s in 5s`");
        return Err(Problem::new(place, message).hint(hint));
    }
    let rest = text.text[colon + 1..].trim_start();
    Ok((name.to_owned(), text.tail(text.text.len() - rest.len())))
}

fn is_verb(word: &str) -> bool {
    VERBS.iter().any(|(verb, _)| *verb == word)
}

/// The words of one phase, read to its shape.
struct Reader<'t, 'd> {
    text: &'t Text<'d>,
    words: Vec<Word<'d>>,
}

impl Reader<'_, '_> {
    fn shape(&self) -> Result<Shape, Problem> {
        let spelled: Vec<&str> = self.words.iter().map(|word| word.text).collect();
        // How starts are spread comes last; before it stands how the rate runs.
        let split = spelled.iter().position(|word| *word == "poisson").unwrap_or(spelled.len());
        let (words, tail) = spelled.split_at(split);
        let shape = match words {
            ["hold", held, "for", over] => {
                let rate = self.rate(1, held)?;
                Shape::Rated(Course::Hold { rate, over: Some(self.duration(3, over)?) }, Spread::Even)
            }
            ["hold", held, "until", "done"] => {
                let rate = self.rate(1, held)?;
                if rate.in_seconds() == 0.0 {
                    return Err(Problem::new(self.at(1), "at this rate it is never done").hint("hold a rate above 0"));
                }
                Shape::Rated(Course::Hold { rate, over: None }, Spread::Even)
            }
            ["ramp", from, "to", to, "in", over] => {
                let (from, to) = (self.rate(1, from)?, self.rate(3, to)?);
                Shape::Rated(Course::Ramp { from, to, over: self.duration(5, over)? }, Spread::Even)
            }
            ["stairs", from, "to", to, "in", steps, "steps", "of", each] => {
                let (from, to) = (self.rate(1, from)?, self.rate(3, to)?);
                let steps = self.number(5, steps, 2, MOST_STEPS)?;
                let each = self.duration(8, each)?;
                if each.saturating_mul(steps) > LONGEST_STRETCH.0 {
                    return Err(Problem::new(self.at(8), format!("a phase is at most {LONGEST_STRETCH} long")));
                }
                Shape::Rated(Course::Stairs { from, to, steps, each }, Spread::Even)
            }
            ["spike", base, "to", peak, "for", top, "in", over] => {
                let (base, peak) = (self.rate(1, base)?, self.rate(3, peak)?);
                let (top, over) = (self.duration(5, top)?, self.duration(7, over)?);
                if top > over {
                    let message = "the peak is longer than the phase that it is in";
                    let problem = Problem::new(self.at(5), message).label("the peak");
                    return Err(problem.hint("first how long the peak lasts, then how long all of it does"));
                }
                Shape::Rated(Course::Spike { base, peak, top, over }, Spread::Even)
            }
            ["storm", "of", devices] => Shape::Storm(self.number(2, devices, 1, MOST_DEVICES)?),
            ["pause", over] => Shape::Pause(self.duration(1, over)?),
            ["closed", at_once, "for", over] => {
                let at_once = self.number(1, at_once, 1, MOST_PLACES)?;
                Shape::Closed { at_once, over: Some(self.duration(3, over)?) }
            }
            ["closed", at_once, "until", "done"] => {
                Shape::Closed { at_once: self.number(1, at_once, 1, MOST_PLACES)?, over: None }
            }
            _ => return Err(self.no_phase(words.first().copied().unwrap_or_default())),
        };
        match shape {
            Shape::Rated(course, _) => Ok(Shape::Rated(course, self.spread(&course, split, tail)?)),
            _ if !tail.is_empty() => {
                let problem = Problem::new(self.at(split), "nothing is spread over this phase");
                Err(problem.label("says how starts come by a rate").hint("leave out `poisson`"))
            }
            shape => Ok(shape),
        }
    }

    fn spread(&self, course: &Course, start: usize, tail: &[&str]) -> Result<Spread, Problem> {
        match tail {
            [] => Ok(Spread::Even),
            ["poisson"] => Ok(Spread::Poisson),
            ["poisson", "exactly", starts] => {
                if course.lasts().is_none() {
                    let problem =
                        Problem::new(self.at(start + 1), "a phase `until done` has no exact number of starts");
                    return Err(problem.hint("write how long it lasts, `for 10s`, or leave out `exactly`"));
                }
                if course.peak() == 0.0 {
                    let problem = Problem::new(self.at(start + 1), "where the rate is 0 there are no starts");
                    return Err(problem.hint("raise a rate: it says when the starts come"));
                }
                Ok(Spread::Exactly(self.number(start + 2, starts, 1, MOST_DEVICES)?))
            }
            _ => {
                let place = self.at(start).start..self.at(self.words.len() - 1).end;
                let message = format!("expected `poisson` or `poisson exactly 500`, found `{}`", tail.join(" "));
                Err(Problem::new(place, message))
            }
        }
    }

    /// What cannot be read as a whole: with an example of what it may have been meant to be.
    fn no_phase(&self, first: &str) -> Problem {
        let verbs = VERBS.map(|(verb, _)| verb);
        let example = VERBS.iter().find(|(verb, _)| *verb == first).map(|(_, example)| *example);
        match example {
            Some(example) => {
                let message = format!("`{}` is no phase", self.text.text.trim());
                Problem::new(self.text.whole(), message).hint(format!("for example {example}"))
            }
            None if first.is_empty() => {
                let problem = Problem::new(self.text.whole(), "a phase cannot be empty");
                problem.hint(format!("for example {}", VERBS[0].1))
            }
            None => {
                let message = format!("expected {}, found `{first}`", words(&verbs, "or"));
                let hint = did_you_mean(first, verbs).unwrap_or_else(|| format!("for example {}", VERBS[0].1));
                Problem::new(self.at(0), message).hint(hint)
            }
        }
    }

    fn at(&self, word: usize) -> Span {
        self.words.get(word).map_or_else(|| self.text.whole(), |word| self.text.part(word.span.clone()))
    }

    fn rate(&self, word: usize, text: &str) -> Result<Rate, Problem> {
        let rate: Rate = self.unit(word, text)?;
        if rate.in_seconds() > MOST_STARTS_PER_SECOND {
            let message =
                format!("`{text}` is more than any machine starts; at most {MOST_STARTS_PER_SECOND}/s are taken");
            return Err(Problem::new(self.at(word), message));
        }
        Ok(rate)
    }

    fn duration(&self, word: usize, text: &str) -> Result<Duration, Problem> {
        let duration: units::Duration = self.unit(word, text)?;
        if duration.0.is_zero() {
            return Err(Problem::new(self.at(word), "a phase has to be longer than nothing"));
        }
        if duration > LONGEST_STRETCH {
            return Err(Problem::new(self.at(word), format!("a phase is at most {LONGEST_STRETCH} long")));
        }
        Ok(duration.0)
    }

    fn unit<T: FromStr<Err = units::UnitError>>(&self, word: usize, text: &str) -> Result<T, Problem> {
        text.parse().map_err(|error: units::UnitError| Problem::new(self.at(word), error.to_string()))
    }

    fn number(&self, word: usize, text: &str, least: u32, most: u32) -> Result<u32, Problem> {
        text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            Problem::new(self.at(word), format!("expected a whole number from {least} to {most}, found `{text}`"))
        })
    }
}

/// The moments of an arrival file, or those that stand there themselves.
fn replay(what: &Text<'_>, file: ReadFile<'_>, found: &mut Vec<Problem>) -> Option<Shape> {
    let before = found.len();
    let name = what.text.trim();
    let place = what.part(what.text.len() - what.text.trim_start().len()..what.text.trim_end().len());
    let moments = match name.strip_prefix('[') {
        Some(list) => listed(what, list, &place, found),
        None => recorded(name, &place, file, found),
    };
    (found.len() == before).then(|| Shape::Recorded(moments.into()))
}

/// `[0, 0.5, 1.25]`, of which the bracket has been read.
fn listed(what: &Text<'_>, list: &str, place: &Span, found: &mut Vec<Problem>) -> Vec<Duration> {
    const HINT: &str = "moments in seconds, as in `replay [0, 0.5, 1.25]`";
    let mut moments: Vec<Duration> = Vec::new();
    let Some(items) = list.strip_suffix(']') else {
        found.push(Problem::new(place.clone(), "the list of moments has no `]`").hint(HINT));
        return moments;
    };
    let mut start = what.text.find('[').map_or(0, |bracket| bracket + 1);
    for item in items.split(',') {
        match recording::moment(item.trim(), moments.last().copied()) {
            Ok(moment) => moments.push(moment),
            Err(mistake) => {
                let lead = item.len() - item.trim_start().len();
                let place = what.part(start + lead..start + lead + item.trim().len().max(1));
                found.push(Problem::new(place, mistake).hint(HINT));
            }
        }
        start += item.len() + 1;
    }
    if moments.len() > MOST_MOMENTS {
        found.push(Problem::new(place.clone(), format!("there are more than {MOST_MOMENTS} moments")));
    }
    moments
}

fn recorded(name: &str, place: &Span, file: ReadFile<'_>, found: &mut Vec<Problem>) -> Vec<Duration> {
    let text = match file(name) {
        Ok(text) => text,
        Err(error) => {
            let hint = "its path goes from the folder of the scenario file; or write the moments: `replay [0, 0.5]`";
            found.push(Problem::new(place.clone(), format!("cannot read `{name}`: {error}")).hint(hint));
            return Vec::new();
        }
    };
    let mistakes = match recording::read(&text) {
        Ok(moments) => return moments,
        Err(mistakes) => mistakes,
    };
    let hint = "one moment a line, in seconds since the beginning of the phase, ascending; a comma ends it where \
                a line has more columns";
    let problem = |mistake: String| Problem::new(place.clone(), format!("`{name}` {mistake}")).hint(hint);
    found.extend(mistakes.into_iter().map(problem));
    Vec::new()
}
