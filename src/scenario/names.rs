//! Who and what patterns can name: the servers and the faults of a scenario.

use crate::facts::pattern::{Names, Pattern, PatternError};
use crate::ids::ServerNumber;
use crate::scenario::entry::Text;
use crate::scenario::problem::{Problem, did_you_mean};
use crate::scenario::{Scenario, ServerSettings};

/// The names in the order of their numbers.
pub struct Cast<'s> {
    servers: Vec<&'s str>,
    faults: Vec<&'s str>,
}

impl<'s> Cast<'s> {
    /// The names of these servers and faults.
    pub fn new(servers: &'s [ServerSettings], faults: Vec<&'s str>) -> Cast<'s> {
        Cast { servers: servers.iter().map(|server| server.name.as_str()).collect(), faults }
    }

    /// The names of a scenario.
    pub fn of(scenario: &'s Scenario) -> Cast<'s> {
        Cast::new(&scenario.servers, scenario.faults.iter().map(|rule| rule.name.as_str()).collect())
    }

    /// Reads one pattern.
    pub fn pattern(&self, text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Pattern> {
        Pattern::parse(text.text, self).map_err(|error| found.push(problem(text, 0, &error))).ok()
    }

    /// Reads the part of a text that begins at `start` as one pattern.
    pub fn pattern_in(&self, text: &Text<'_>, part: &str, start: usize, found: &mut Vec<Problem>) -> Option<Pattern> {
        Pattern::parse(part, self).map_err(|error| found.push(problem(text, start, &error))).ok()
    }

    /// Reads patterns joined by `then`.
    pub fn sequence(&self, text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Vec<Pattern>> {
        Pattern::parse_sequence(text.text, self).map_err(|error| found.push(problem(text, 0, &error))).ok()
    }
}

fn problem(text: &Text<'_>, start: usize, error: &PatternError) -> Problem {
    let word = text.text.get(start + error.span.start..start + error.span.end).unwrap_or_default();
    let place = text.part(start + error.span.start..start + error.span.end);
    let hint = did_you_mean(word, error.known.iter().map(String::as_str));
    Problem::new(place, error.message.clone()).maybe_hint(hint)
}

impl Names for Cast<'_> {
    fn server(&self, name: &str) -> Option<ServerNumber> {
        let number = self.servers.iter().position(|server| *server == name)?;
        u16::try_from(number).ok().map(ServerNumber)
    }

    fn rule(&self, name: &str) -> Option<usize> {
        self.faults.iter().position(|fault| *fault == name)
    }

    fn server_name(&self, server: ServerNumber) -> String {
        self.servers.get(usize::from(server.0)).copied().unwrap_or_default().to_owned()
    }

    fn rule_name(&self, rule: usize) -> String {
        self.faults.get(rule).copied().unwrap_or_default().to_owned()
    }

    fn known(&self) -> Vec<String> {
        self.servers.iter().chain(&self.faults).map(|name| (*name).to_owned()).collect()
    }
}
