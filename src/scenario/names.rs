//! Who and what patterns can name: the servers and the faults of a scenario.

use crate::facts::pattern::{Names, Pattern, PatternError};
use crate::ids::ServerNumber;
use crate::scenario::entry::Text;
use crate::scenario::problem::{Problem, did_you_mean};
use crate::scenario::shape::words;
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

    /// The names of the faults.
    pub fn faults(&self) -> &[&'s str] {
        &self.faults
    }

    /// Reads one pattern.
    pub fn pattern(&self, text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Pattern> {
        self.pattern_before(text, text.text.len(), found)
    }

    /// Reads the first so many bytes of a text as one pattern.
    pub fn pattern_before(&self, text: &Text<'_>, end: usize, found: &mut Vec<Problem>) -> Option<Pattern> {
        let part = text.text.get(..end).unwrap_or(text.text);
        Pattern::parse(part, self).map_err(|error| found.push(problem(text, &error))).ok()
    }

    /// Reads patterns joined by `then`.
    pub fn sequence(&self, text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Vec<Pattern>> {
        Pattern::parse_sequence(text.text, self).map_err(|error| found.push(problem(text, &error))).ok()
    }
}

fn problem(text: &Text<'_>, error: &PatternError) -> Problem {
    let known: Vec<&str> = error.known.iter().map(String::as_str).collect();
    let word = text.text.get(error.span.clone()).unwrap_or_default();
    let hint = did_you_mean(word, known.iter().copied())
        .or_else(|| (known.len() > 1).then(|| format!("what can stand here is {}", words(&known, "or"))));
    Problem::new(text.part(error.span.clone()), error.message.clone()).maybe_hint(hint)
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
