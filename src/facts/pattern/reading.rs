//! A text to its patterns, or what is wrong with it and where.

use std::borrow::Cow;
use std::ops::Range;

use super::{Hearing, Names, Pattern, PatternError, Progress, Receipt, Sought, VERBS};
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::ids::ServerNumber;

/// The words with which a pattern begins.
const HEADS: [&str; 23] = [
    "step",
    "wish",
    "sent",
    "taken",
    "repeated",
    "rejected",
    "received",
    "answered",
    "unanswered",
    "turned",
    "timer",
    "state",
    "joined",
    "settled",
    "errand",
    "session",
    "operation",
    "account",
    "document",
    "fault",
    "killed",
    "restarted",
    "factory",
];

/// Reads a text that is one pattern.
pub(super) fn one(text: &str, names: &dyn Names) -> Result<Pattern, PatternError> {
    let mut reader = Reader { text, at: 0, names };
    let pattern = reader.pattern()?;
    match reader.word()? {
        None => Ok(pattern),
        found => Err(reader.unexpected("the end, or `xN` for the N-th time", found, Vec::new())),
    }
}

/// Reads patterns joined by `then`; at least one.
pub(super) fn sequence(text: &str, names: &dyn Names) -> Result<Vec<Pattern>, PatternError> {
    let mut reader = Reader { text, at: 0, names };
    let mut patterns = vec![reader.pattern()?];
    loop {
        match reader.word()? {
            None => return Ok(patterns),
            Some(word) if word.is("then") => patterns.push(reader.pattern()?),
            found => return Err(reader.unexpected("`then`, or the end", found, vec!["then".to_owned()])),
        }
    }
}

/// What has been read of a text.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    names: &'t dyn Names,
}

/// A word of the text, without its quotes.
struct Word<'t> {
    span: Range<usize>,
    text: Cow<'t, str>,
    is_quoted: bool,
}

impl Word<'_> {
    /// Whether it is this word of the grammar: what is in quotes never is.
    fn is(&self, word: &str) -> bool {
        !self.is_quoted && self.text == word
    }

    /// N of `xN`.
    fn nth(&self) -> Option<&str> {
        let digits = if self.is_quoted { None } else { self.text.strip_prefix('x') };
        digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

type Read<T> = Result<T, PatternError>;

impl<'t> Reader<'t> {
    fn pattern(&mut self) -> Read<Pattern> {
        let what = self.sought()?;
        Ok(Pattern { what, nth: self.nth()? })
    }

    fn sought(&mut self) -> Read<Sought> {
        Ok(match self.choose("a fact", HEADS.map(|head| (head, head)))? {
            "step" => Sought::Step(self.number()?),
            "wish" => Sought::Wish { flow: self.flow()?, at: self.server_behind("at")? },
            "sent" => Sought::Sent { message: self.message()?, by: self.server_behind("by")? },
            "taken" => self.received(Some(Receipt::Taken))?,
            "repeated" => self.received(Some(Receipt::Repeated))?,
            "rejected" => self.received(Some(Receipt::Rejected))?,
            "received" => self.received(None)?,
            "answered" => self.heard(Hearing::Answered)?,
            "unanswered" => self.heard(Hearing::Unanswered)?,
            "turned" => {
                self.keyword("down")?;
                self.heard(Hearing::TurnedDown)?
            }
            "timer" => {
                let timer = self.choose_or_any("a timer", Timer::ALL.map(|timer| (timer.key(), timer)))?;
                Sought::Timer { timer, at: self.server_behind("at")? }
            }
            "state" => Sought::State { state: self.state()?, at: self.server_behind("at")?, side: self.side()? },
            "joined" => Sought::Joined { at: self.server_behind("at")?, side: self.side()? },
            "settled" => {
                let outcome = self.choose_or_any("an outcome", Outcome::KEYS.map(|key| (key, key)))?;
                Sought::Settled { outcome, at: self.server_behind("at")?, side: self.side()? }
            }
            "errand" => {
                let errand = self.choose_or_any("an errand", ErrandKind::ALL.map(|errand| (errand.key(), errand)))?;
                let progress = [("begins", Progress::Begins), ("ends", Progress::Ends), ("fails", Progress::Fails)];
                let progress = self.choose("`begins`, `ends` or `fails`", progress)?;
                Sought::Errand { errand, progress, at: self.server_behind("at")? }
            }
            "session" => Sought::Session { begins: self.either("begins", "ends")?, with: self.server_behind("with")? },
            "operation" => {
                let verb = self.choose_or_any("a command", VERBS.map(|verb| (verb, verb)))?;
                let by = self.server_behind("by")?;
                Sought::Operation { verb, by, accepted: self.either("accepted", "refused")? }
            }
            "account" => Sought::Account { of: self.server_behind("of")?, appears: self.either("appears", "goes")? },
            "document" => Sought::Document { fetched: self.either("fetched", "missed")? },
            "fault" => Sought::Fault(self.fault()?),
            "killed" => Sought::Killed(self.server()?),
            "restarted" => Sought::Restarted(self.server()?),
            // The last of the heads.
            _ => {
                self.keyword("reset")?;
                Sought::FactoryReset
            }
        })
    }

    fn received(&mut self, how: Option<Receipt>) -> Read<Sought> {
        Ok(Sought::Received { how, message: self.message()?, at: self.server_behind("at")? })
    }

    fn heard(&mut self, how: Hearing) -> Read<Sought> {
        Ok(Sought::Heard { how, message: self.message()?, at: self.server_behind("at")? })
    }

    fn message(&mut self) -> Read<Option<Kind>> {
        self.choose_or_any("a message by its root element", Kind::ALL.map(|kind| (kind.root(), kind)))
    }

    fn flow(&mut self) -> Read<Option<FlowKind>> {
        let flows: Vec<(String, FlowKind)> = FlowKind::all().map(|flow| (flow.to_string(), flow)).collect();
        self.choose_or_any("a flow", flows.iter().map(|(name, flow)| (name.as_str(), *flow)))
    }

    /// Any name will do: which states there are is for the machines to say.
    fn state(&mut self) -> Read<Option<String>> {
        match self.word()? {
            Some(word) if word.is("any") => Ok(None),
            Some(word) if is_identifier(&word.text) => Ok(Some(word.text.into_owned())),
            found => Err(self.unexpected("a state, such as `AtRest`", found, Vec::new())),
        }
    }

    /// `as SIDE`, if it is there.
    fn side(&mut self) -> Read<Option<Side>> {
        if !self.next_is(|word| word.is("as"))? {
            return Ok(None);
        }
        let sides = [("delegating", Side::Delegating), ("delegated", Side::Delegated)];
        self.choose("`delegating` or `delegated`", sides).map(Some)
    }

    fn server_behind(&mut self, preposition: &'static str) -> Read<Option<ServerNumber>> {
        self.keyword(preposition)?;
        self.server()
    }

    fn server(&mut self) -> Read<Option<ServerNumber>> {
        let word = self.word()?;
        match &word {
            Some(word) if word.is("any") => return Ok(None),
            Some(name) => {
                if let Some(server) = self.names.server(&name.text) {
                    return Ok(Some(server));
                }
            }
            None => {}
        }
        let mut known = self.names.known();
        known.retain(|name| self.names.server(name).is_some());
        known.push("any".to_owned());
        Err(self.unexpected("the name of a server", word, known))
    }

    fn fault(&mut self) -> Read<usize> {
        let word = self.word()?;
        if let Some(rule) = word.as_ref().and_then(|name| self.names.rule(&name.text)) {
            return Ok(rule);
        }
        let mut known = self.names.known();
        known.retain(|name| self.names.rule(name).is_some());
        Err(self.unexpected("the name of a fault", word, known))
    }

    fn number(&mut self) -> Read<usize> {
        let word = self.word()?;
        let number = word.as_ref().and_then(|word| word.text.parse().ok()).filter(|number| *number > 0);
        number.ok_or_else(|| self.unexpected("a number from 1", word, Vec::new()))
    }

    /// `xN`, if it is there; else the first time.
    fn nth(&mut self) -> Read<u32> {
        let before = self.at;
        let Some(word) = self.word()? else { return Ok(1) };
        let Some(digits) = word.nth() else {
            self.at = before;
            return Ok(1);
        };
        match digits.parse() {
            Ok(nth) if nth > 0 => Ok(nth),
            _ => Err(self.unexpected("`x1`, `x2`, `x3` or so on", Some(word), Vec::new())),
        }
    }

    /// Whether the first of two words is there; it has to be one of them.
    fn either(&mut self, yes: &'static str, no: &'static str) -> Read<bool> {
        self.choose(&format!("`{yes}` or `{no}`"), [(yes, true), (no, false)])
    }

    fn keyword(&mut self, word: &'static str) -> Read<()> {
        self.choose(&format!("`{word}`"), [(word, ())])
    }

    fn choose_or_any<'n, T>(
        &mut self,
        expected: &str,
        choices: impl IntoIterator<Item = (&'n str, T)>,
    ) -> Read<Option<T>> {
        let choices = choices.into_iter().map(|(name, choice)| (name, Some(choice)));
        self.choose(expected, choices.chain([("any", None)]))
    }

    fn choose<'n, T>(&mut self, expected: &str, choices: impl IntoIterator<Item = (&'n str, T)>) -> Read<T> {
        let word = self.word()?;
        let mut known = Vec::new();
        for (name, choice) in choices {
            if word.as_ref().is_some_and(|word| word.is(name)) {
                return Ok(choice);
            }
            known.push(name.to_owned());
        }
        Err(self.unexpected(expected, word, known))
    }

    /// Passes over the next word if it is like this.
    fn next_is(&mut self, is_meant: impl FnOnce(&Word<'t>) -> bool) -> Read<bool> {
        let before = self.at;
        let is_next = self.word()?.is_some_and(|word| is_meant(&word));
        if !is_next {
            self.at = before;
        }
        Ok(is_next)
    }

    /// The next word, `None` at the end.
    fn word(&mut self) -> Read<Option<Word<'t>>> {
        let rest = &self.text[self.at..];
        let from = self.at + (rest.len() - rest.trim_start().len());
        let rest = rest.trim_start();
        if rest.starts_with('"') {
            return self.quoted(from).map(Some);
        }
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at = from + length;
        if length == 0 {
            return Ok(None);
        }
        Ok(Some(Word { span: from..self.at, text: Cow::Borrowed(&rest[..length]), is_quoted: false }))
    }

    /// The word that begins with the double quote at `from`.
    fn quoted(&mut self, from: usize) -> Read<Word<'t>> {
        let mut name = String::new();
        let mut rest = self.text[from + 1..].char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            if character != '"' {
                name.push(character);
            } else if rest.next_if(|(_, next)| *next == '"').is_some() {
                name.push('"');
            } else {
                self.at = from + 1 + at + 1;
                return Ok(Word { span: from..self.at, text: Cow::Owned(name), is_quoted: true });
            }
        }
        let message = "expected a second double quote behind this one, found the end".to_owned();
        Err(PatternError { span: from..self.text.len(), message, known: Vec::new() })
    }

    fn unexpected(&self, expected: &str, found: Option<Word<'t>>, known: Vec<String>) -> PatternError {
        match found {
            Some(word) => {
                let message = format!("expected {expected}, found `{}`", word.text);
                PatternError { span: word.span, message, known }
            }
            None => {
                let message = format!("expected {expected}, found the end");
                PatternError { span: self.text.len()..self.text.len(), message, known }
            }
        }
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
