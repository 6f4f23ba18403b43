//! What a peer was found to do, item by item: the result of a conformance run as data.

use serde::{Deserialize, Serialize};

/// The name of this form of the data; a change that breaks its readers changes the number.
pub const SCHEMA: &str = "dmswarm.conformance/1";

/// One conformance run, whole.
///
/// Whatever a peer has said stands in here escaped: no control characters, nothing that turns the direction of writing, and
/// nothing of what a DMAcc keeps secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformance {
    /// [`SCHEMA`].
    pub schema: String,
    pub scenario: String,
    pub seed: u64,
    /// The name and the identifier that the scenario has for the peer, and where it was asked.
    pub peer: String,
    pub peer_id: String,
    pub url: String,
    /// RFC 3339, in UTC.
    pub started: String,
    pub duration_s: f64,
    pub conclusion: Conclusion,
    /// Why, in one sentence.
    pub because: String,
    /// Appendix B, each with what its items come to.
    pub requirements: Vec<Requirement>,
    pub items: Vec<ItemResult>,
    /// Where the text can be read in two ways: which one the peer speaks.
    pub readings: Vec<Seen>,
    /// Where an operator may choose: what this one has chosen.
    pub choices: Vec<Seen>,
    pub cases: Vec<CaseResult>,
    /// What kept cases from being tried, and how to mend it.
    pub problems: Vec<String>,
}

/// What a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// No mandatory item failed.
    Conforms,
    /// A mandatory item failed.
    Fails,
    /// The peer could not be reached, or refused our identity altogether: nothing can be said.
    Unreachable,
    /// No mandatory item failed, but there was a problem, and not all could be tried that was to be.
    Inconclusive,
    /// Somebody interrupted it.
    Interrupted,
}

impl Conclusion {
    /// In one word, or few.
    pub fn words(self) -> &'static str {
        match self {
            Conclusion::Conforms => "conforms",
            Conclusion::Fails => "does not conform",
            Conclusion::Unreachable => "unreachable",
            Conclusion::Inconclusive => "inconclusive",
            Conclusion::Interrupted => "interrupted",
        }
    }
}

/// How much an item weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The text demands it.
    Mandatory,
    /// The text asks for it, or leaves it to the server (SHOULD, and what Appendix B marks with O).
    Optional,
    /// The text is silent: what servers that get on well with others do.
    Informational,
}

impl Level {
    pub fn word(self) -> &'static str {
        match self {
            Level::Mandatory => "mandatory",
            Level::Optional => "optional",
            Level::Informational => "informational",
        }
    }
}

/// What was found of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemVerdict {
    Pass,
    Fail,
    /// Nothing in this run has shown it.
    NotObservable,
    /// The peer says itself, or shows, that it does not have what is optional.
    NotSupported,
}

impl ItemVerdict {
    pub const ALL: [ItemVerdict; 4] =
        [ItemVerdict::Fail, ItemVerdict::NotSupported, ItemVerdict::NotObservable, ItemVerdict::Pass];

    pub fn words(self) -> &'static str {
        match self {
            ItemVerdict::Pass => "pass",
            ItemVerdict::Fail => "fail",
            ItemVerdict::NotObservable => "not observable",
            ItemVerdict::NotSupported => "not supported",
        }
    }
}

/// One requirement of Appendix B.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// `DM-DEL-S-001-M`
    pub id: String,
    pub says: String,
    /// Fails where one of its items does, and passes where none does and one passes.
    pub verdict: ItemVerdict,
    pub passed: usize,
    pub failed: usize,
    pub not_observable: usize,
    pub not_supported: usize,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemResult {
    pub id: String,
    /// The requirement of Appendix B that it is a part of.
    pub requirement: String,
    /// The section of the specification, or the place of it that is silent (D1 to D38).
    pub section: String,
    /// What the peer plays in it: `DMS-1`, `DMS-2` or `either`.
    pub role: String,
    pub level: Level,
    pub says: String,
    pub verdict: ItemVerdict,
    /// Why it could not be seen, or is not supported.
    pub reason: Option<String>,
    /// How often it was looked at.
    pub checks: usize,
    pub evidence: Vec<Evidence>,
}

/// What one look at an item has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub case: String,
    pub holds: bool,
    pub found: String,
    /// Index into the exchanges of the case.
    pub exchange: Option<usize>,
}

/// What was seen where there is a choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// `D6`
    pub id: String,
    pub section: String,
    /// What there is to choose.
    pub question: String,
    /// What the peer does, each once; nothing where it was not seen.
    pub answers: Vec<String>,
    /// The cases that have shown it.
    pub cases: Vec<String>,
}

/// One case, and all that went to and fro in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    pub name: String,
    pub says: String,
    /// How far it came.
    pub end: CaseEnd,
    pub duration_s: f64,
    pub exchanges: Vec<Exchanged>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "why")]
pub enum CaseEnd {
    /// It went to its end.
    Whole,
    /// It could not go on.
    Stopped(String),
    /// It could not begin.
    NotTried(String),
}

/// One line of what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchanged {
    /// Milliseconds from the beginning of the run.
    pub at_ms: u64,
    pub from: String,
    pub to: String,
    pub what: String,
    /// What it carried, redacted and cut.
    pub body: Option<String>,
}

impl Conformance {
    /// How many items have this verdict.
    pub fn count(&self, verdict: ItemVerdict) -> usize {
        self.items.iter().filter(|item| item.verdict == verdict).count()
    }

    /// The items that failed, mandatory ones first.
    pub fn failed(&self) -> Vec<&ItemResult> {
        let mut failed: Vec<&ItemResult> = self.items.iter().filter(|item| item.verdict == ItemVerdict::Fail).collect();
        failed.sort_by_key(|item| item.level);
        failed
    }

    /// A case by its name.
    pub fn case(&self, name: &str) -> Option<&CaseResult> {
        self.cases.iter().find(|case| case.name == name)
    }
}
