//! The grammar of a journey's steps, read and written.
//!
//! ```text
//! delegate A -> B by dmacc|url [subtree URI] [full] [started by X] [expect OUTCOME]
//! revoke asked|requested|forced [A -> B] [with notice|without notice] [expect OUTCOME]
//! wait 2s
//! wait until 30s
//! ```
//!
//! What follows `by dmacc|url` may stand in any order; a comma may follow any word. A revocation that names nobody is
//! about the latest delegation.

use std::time::Duration;

use crate::delegation::flow::{Approach, Revocation};
use crate::ids::ServerNumber;
use crate::scenario::problem::{Span, did_you_mean};
use crate::scenario::shape::{LONGEST_STRETCH, words};
use crate::units;
use crate::workload::journey::{Expected, Step};

/// A word of a step, with its place in the step's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'t> {
    pub text: &'t str,
    pub span: Span,
}

/// A step as it stands, names not yet looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepText<'t> {
    Delegate(Delegate<'t>),
    Revoke {
        how: Revocation,
        /// Who had delegated, and to whom, where it is said.
        parties: Option<(Word<'t>, Word<'t>)>,
        expect: Option<Expected>,
    },
    Wait(Duration),
    WaitUntil(Duration),
}

impl StepText<'_> {
    /// The outcome that the step says to expect.
    pub fn expects(&self) -> Option<Expected> {
        match self {
            StepText::Delegate(step) => step.expect,
            StepText::Revoke { expect, .. } => *expect,
            StepText::Wait(_) | StepText::WaitUntil(_) => None,
        }
    }
}

/// `delegate A -> B ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate<'t> {
    pub from: Word<'t>,
    pub to: Word<'t>,
    pub approach: Approach,
    pub subtree: Option<Word<'t>>,
    pub is_full: bool,
    pub started_by: Option<Word<'t>>,
    pub expect: Option<Expected>,
}

/// Why a text is no step: what, where in the text, and perhaps what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError {
    pub span: Span,
    pub message: String,
    pub hint: Option<String>,
}

/// Reads one step.
pub fn parse(text: &str) -> Result<StepText<'_>, StepError> {
    let mut reader = Reader { text, words: split(text), next: 0 };
    let verb = reader.one_of("a step", &["delegate", "revoke", "wait"])?;
    match verb {
        "delegate" => reader.delegate().map(StepText::Delegate),
        "revoke" => reader.revoke(),
        _ => reader.wait(),
    }
}

/// Writes one step; `name` gives the name of a server. An expectation is written where it is not `done`.
pub fn print<'n>(step: &Step, name: impl Fn(ServerNumber) -> &'n str) -> String {
    let expecting = |expect: &Expected| if expect.0 == DONE { String::new() } else { format!(" expect {}", expect.0) };
    match step {
        Step::Delegate { from, to, approach, subtree, is_full, by_delegated, expect } => {
            let approach = match approach {
                Approach::DmAcc => "dmacc",
                Approach::Url => "url",
            };
            let full = if *is_full { " full" } else { "" };
            let starter = if *by_delegated { format!(" started by {}", name(*to)) } else { String::new() };
            let expect = expecting(expect);
            format!("delegate {} -> {} by {approach} subtree {subtree}{full}{starter}{expect}", name(*from), name(*to))
        }
        Step::Revoke { from, to, how, expect } => {
            let parties = format!("{} -> {}", name(*from), name(*to));
            let (how, notice) = match how {
                Revocation::Asked => ("asked", ""),
                Revocation::Requested => ("requested", ""),
                Revocation::Forced { notice: true } => ("forced", " with notice"),
                Revocation::Forced { notice: false } => ("forced", " without notice"),
            };
            format!("revoke {how} {parties}{notice}{}", expecting(expect))
        }
        Step::Wait(time) => format!("wait {}", units::Duration(*time)),
        Step::WaitUntil(time) => format!("wait until {}", units::Duration(*time)),
    }
}

/// The outcome that is expected where nothing else is said.
pub const DONE: &str = "done";

/// The words of a text: parted by spaces and by `->`, which is a word of its own; commas after words count for nothing.
pub fn split(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut rest = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let start = rest;
        rest += piece.len();
        let mut at = start;
        let mut piece = piece.trim_end().trim_end_matches(',');
        while let Some(arrow) = piece.find("->") {
            found.push(Word { text: &piece[..arrow], span: at..at + arrow });
            found.push(Word { text: "->", span: at + arrow..at + arrow + 2 });
            piece = &piece[arrow + 2..];
            at += arrow + 2;
        }
        found.push(Word { text: piece, span: at..at + piece.len() });
    }
    found.retain(|word| !word.text.is_empty());
    found
}

struct Reader<'t> {
    text: &'t str,
    words: Vec<Word<'t>>,
    next: usize,
}

impl<'t> Reader<'t> {
    fn delegate(&mut self) -> Result<Delegate<'t>, StepError> {
        let (from, to) = self.parties()?;
        self.one_of("`by dmacc` or `by url`", &["by"])?;
        let approach = match self.one_of("an approach", &["dmacc", "url"])? {
            "url" => Approach::Url,
            _ => Approach::DmAcc,
        };
        let mut step = Delegate { from, to, approach, subtree: None, is_full: false, started_by: None, expect: None };
        const OPTIONS: [&str; 4] = ["subtree", "full", "started", "expect"];
        while let Some(word) = self.words.get(self.next).cloned() {
            let is_doubled = match self.one_of("more about the delegation", &OPTIONS)? {
                "subtree" => step.subtree.replace(self.any("the address of a sub-tree, such as `./SCOMO`")?).is_some(),
                "full" => std::mem::replace(&mut step.is_full, true),
                "started" => {
                    self.one_of("`started by` and a server", &["by"])?;
                    step.started_by.replace(self.any("the name of the server that starts")?).is_some()
                }
                _ => step.expect.replace(self.expected()?).is_some(),
            };
            if is_doubled {
                return Err(error(word.span, format!("`{}` is said twice", word.text), None));
            }
        }
        Ok(step)
    }

    /// `A -> B`.
    fn parties(&mut self) -> Result<(Word<'t>, Word<'t>), StepError> {
        let from = self.any("the name of the delegating server")?;
        self.one_of("`->`", &["->"])?;
        Ok((from, self.any("the name of the delegated server")?))
    }

    fn revoke(&mut self) -> Result<StepText<'t>, StepError> {
        let mut how = match self.one_of("a kind of revocation", &["asked", "requested", "forced"])? {
            "asked" => Revocation::Asked,
            "requested" => Revocation::Requested,
            _ => Revocation::Forced { notice: true },
        };
        let names_parties = self.words.get(self.next + 1).is_some_and(|word| word.text == "->");
        let parties = if names_parties { Some(self.parties()?) } else { None };
        let mut expect = None;
        let mut has_notice = false;
        while let Some(word) = self.words.get(self.next).cloned() {
            let option = self.one_of("more about the revocation", &["with", "without", "expect"]).map_err(|error| {
                let hint = error.hint.or_else(|| Some("the parties are named as in `revoke asked A -> B`".to_owned()));
                StepError { hint, ..error }
            })?;
            let is_doubled = if option == "expect" {
                expect.replace(self.expected()?).is_some()
            } else {
                let notice = self.one_of("`notice`", &["notice"])?;
                let Revocation::Forced { notice: told } = &mut how else {
                    let message = format!("only a forced revocation can be {option} {notice}");
                    return Err(error(word.span, message, Some("the delegate takes part in all others".to_owned())));
                };
                *told = option == "with";
                std::mem::replace(&mut has_notice, true)
            };
            if is_doubled {
                return Err(error(word.span, format!("`{}` is said twice", word.text), None));
            }
        }
        Ok(StepText::Revoke { how, parties, expect })
    }

    fn wait(&mut self) -> Result<StepText<'t>, StepError> {
        let mut first = self.any("how long, such as `2s`")?;
        let is_until = first.text == "until";
        if is_until {
            first = self.any("how long after the beginning of the load, such as `30s`")?;
        }
        self.next = self.words.len();
        let span = first.span.start..self.text.trim_end().len();
        match self.text[span.clone()].parse::<units::Duration>() {
            Ok(time) if time > LONGEST_STRETCH => {
                Err(error(span, format!("a wait is at most {LONGEST_STRETCH} long"), None))
            }
            Ok(time) if is_until => Ok(StepText::WaitUntil(time.0)),
            Ok(time) => Ok(StepText::Wait(time.0)),
            Err(wrong) => Err(error(span, wrong.to_string(), None)),
        }
    }

    fn expected(&mut self) -> Result<Expected, StepError> {
        self.one_of("an outcome", &Expected::WORDS).map(Expected)
    }

    /// The next word, whatever it is.
    fn any(&mut self, what: &str) -> Result<Word<'t>, StepError> {
        let word = self.words.get(self.next).cloned().ok_or_else(|| self.ended(what))?;
        self.next += 1;
        Ok(word)
    }

    /// The next word, which has to be one of these.
    fn one_of(&mut self, what: &str, known: &[&'static str]) -> Result<&'static str, StepError> {
        let expected = if known.len() == 1 { what.to_owned() } else { format!("{what}: {}", words(known, "or")) };
        let word = self.any(&expected)?;
        known.iter().find(|known| **known == word.text).copied().ok_or_else(|| {
            let hint = did_you_mean(word.text, known.iter().copied());
            error(word.span, format!("expected {expected}, found `{}`", word.text), hint)
        })
    }

    fn ended(&self, expected: &str) -> StepError {
        let end = self.text.trim_end().len();
        error(end..end, format!("expected {expected}, and the step ends here"), None)
    }
}

fn error(span: Span, message: String, hint: Option<String>) -> StepError {
    StepError { span, message, hint }
}

#[cfg(test)]
mod tests;
