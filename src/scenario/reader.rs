//! Steps with their names looked up, each by itself.

use crate::dm::standard;
use crate::dm::uri::Uri;
use crate::ids::ServerNumber;
use crate::scenario::entry::Text;
use crate::scenario::parties::server_named;
use crate::scenario::problem::{Problem, Span, did_you_mean};
use crate::scenario::shape::words;
use crate::scenario::steps::{self, DONE, Delegate, StepText, Word};
use crate::scenario::world::World;
use crate::workload::journey::{Expected, Step};
use crate::workload::population::Class;

/// The latest delegation before a step.
#[derive(Clone, Copy)]
pub enum Latest {
    Nothing,
    /// A step could not be read, and may have been one: its problem has been told.
    Unreadable,
    /// Who delegated, and to whom.
    Between(ServerNumber, ServerNumber),
}

/// Reads the steps of one journey.
pub struct StepReader<'w> {
    pub world: &'w World<'w>,
    /// The class of the journey's devices, where it names one.
    pub class: Option<usize>,
    /// The outcome that is expected where a step does not say.
    pub expect: Expected,
}

/// A step as it was read.
pub struct ReadStep {
    pub step: Step,
    /// A revocation that says whose delegation it ends: it need not be the latest.
    pub names_parties: bool,
}

impl StepReader<'_> {
    /// The step, and the latest delegation after it.
    pub fn step(&self, text: &Text<'_>, latest: &mut Latest, found: &mut Vec<Problem>) -> Option<ReadStep> {
        match steps::parse(text.text) {
            Ok(StepText::Delegate(delegate)) => {
                let step = self.delegate(delegate, text, found);
                *latest = match &step {
                    Some(Step::Delegate { from, to, .. }) => Latest::Between(*from, *to),
                    _ => Latest::Unreadable,
                };
                step.map(|step| ReadStep { step, names_parties: false })
            }
            Ok(StepText::Revoke { how, parties, expect }) => {
                let (from, to) = match &parties {
                    Some((from, to)) => self.parties(from, to, text, found)?,
                    None => self.latest(*latest, text, found)?,
                };
                let step = Step::Revoke { from, to, how, expect: expect.unwrap_or(self.expect) };
                Some(ReadStep { step, names_parties: parties.is_some() })
            }
            Ok(StepText::Wait(time)) => Some(ReadStep { step: Step::Wait(time), names_parties: false }),
            Ok(StepText::WaitUntil(time)) => Some(ReadStep { step: Step::WaitUntil(time), names_parties: false }),
            Err(error) => {
                *latest = Latest::Unreadable;
                found.push(Problem::new(text.part(error.span), error.message).maybe_hint(error.hint));
                None
            }
        }
    }

    /// The parties that a step does not name.
    fn latest(
        &self,
        latest: Latest,
        text: &Text<'_>,
        found: &mut Vec<Problem>,
    ) -> Option<(ServerNumber, ServerNumber)> {
        match latest {
            Latest::Between(from, to) => Some((from, to)),
            Latest::Unreadable => None,
            Latest::Nothing => {
                let problem = Problem::new(text.whole(), "nothing has been delegated that could be revoked");
                found.push(problem.hint("put a `delegate` step before it"));
                None
            }
        }
    }

    /// The parties that a step names.
    fn parties(
        &self,
        from: &Word<'_>,
        to: &Word<'_>,
        text: &Text<'_>,
        found: &mut Vec<Problem>,
    ) -> Option<(ServerNumber, ServerNumber)> {
        let [giver, taker] =
            [from, to].map(|word| server_named(word.text, text.part(word.span.clone()), self.world.servers, found));
        let (giver, taker) = (giver?, taker?);
        if giver == taker {
            let message = format!("`{}` cannot delegate to itself", to.text);
            found.push(Problem::new(text.part(to.span.clone()), message).label("the same server"));
            return None;
        }
        Some((giver, taker))
    }

    fn delegate(&self, step: Delegate<'_>, text: &Text<'_>, found: &mut Vec<Problem>) -> Option<Step> {
        let servers = self.world.servers;
        let parties = self.parties(&step.from, &step.to, text, found);
        let starter = step.started_by.map(|starter| {
            let place = text.part(starter.span);
            (server_named(starter.text, place.clone(), servers, found), place)
        });
        let expect = step.expect.unwrap_or(self.expect);
        let (subtree, place) = match &step.subtree {
            Some(word) => {
                let place = text.part(word.span.clone());
                let uri =
                    Uri::parse(word.text).map_err(|error| found.push(Problem::new(place.clone(), error.to_string())));
                (uri.ok()?, place)
            }
            None => (Uri::root(), text.whole()),
        };
        let (from, to) = parties?;
        let by_delegated = match starter {
            Some((starter, place)) => {
                let starter = starter?;
                if starter != from && starter != to {
                    let between = format!("`{}` or `{}`", step.from.text, step.to.text);
                    found.push(
                        Problem::new(place, format!("only {between} can start this delegation"))
                            .label("a stranger to it"),
                    );
                    return None;
                }
                starter == to
            }
            None => false,
        };
        self.check_subtree(&subtree, place, expect, found);
        let (approach, is_full) = (step.approach, step.is_full);
        Some(Step::Delegate { from, to, approach, subtree, is_full, by_delegated, expect })
    }

    /// A delegation that should succeed needs a sub-tree that is there, and that the owner has rights on, on every
    /// device of the journey.
    fn check_subtree(&self, subtree: &Uri, place: Span, expect: Expected, found: &mut Vec<Problem>) {
        let has = |class: &Class| class.subtrees.iter().any(|top| standard::subtree_holds(top, subtree));
        let is_of_journey = |index: usize, class: &Class| match self.class {
            Some(named) => named == index,
            None => class.share > 0,
        };
        let mut classes = self.world.classes.iter().enumerate().filter(|(index, class)| is_of_journey(*index, class));
        if let Some((_, class)) = classes.find(|(_, class)| expect.0 == DONE && !has(class)) {
            let known: Vec<&str> = class.subtrees.iter().map(Uri::as_str).collect();
            let message = format!("devices of class `{}` have no sub-tree `{subtree}` to delegate", class.name);
            let top = class.subtrees.iter().find(|top| !top.is_root() && top.covers(subtree));
            let hint = match (known.as_slice(), top) {
                ([], _) => "the class has no `subtrees`".to_owned(),
                (_, Some(top)) => format!("in `{top}` they have {}", words(&standard::SUBTREE_PARTS, "and")),
                (known, None) => did_you_mean(subtree.as_str(), known.iter().copied())
                    .unwrap_or_else(|| format!("they have {}; say so with `subtree`", words(known, "and"))),
            };
            found.push(Problem::new(place, message).hint(hint));
        }
    }
}
