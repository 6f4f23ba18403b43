//! A walk through the steps of a journey, to see that each makes sense where it stands.

use crate::delegation::flow::{Approach, Revocation};
use crate::ids::ServerNumber;
use crate::scenario::entry::Text;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::reader::ReadStep;
use crate::scenario::steps::DONE;
use crate::scenario::world::World;
use crate::workload::journey::{Expected, Step};

/// How a device stands between two steps, as far as the expectations tell.
pub struct Walk<'w> {
    world: &'w World<'w>,
    authority: ServerNumber,
    /// Servers with an account on the device.
    accounts: Vec<ServerNumber>,
    /// Delegations in force, the latest last.
    in_force: Vec<(ServerNumber, ServerNumber)>,
    /// The latest delegation, in force or not.
    latest: Option<(ServerNumber, ServerNumber)>,
    /// After an outcome that leaves the device in an unknown state, nothing can be said any more.
    is_lost: bool,
}

impl<'w> Walk<'w> {
    /// Before the first step.
    pub fn new(owner: ServerNumber, bootstrapped: &[ServerNumber], world: &'w World<'w>) -> Walk<'w> {
        let accounts = std::iter::once(owner).chain(bootstrapped.iter().copied()).collect();
        Walk { world, authority: owner, accounts, in_force: Vec::new(), latest: None, is_lost: false }
    }

    /// Takes a step, and gives it back with the delegation that it is about.
    pub fn take(&mut self, read: &ReadStep, text: &Text<'_>, found: &mut Vec<Problem>) -> Step {
        let step = &read.step;
        match step {
            Step::Delegate { from, to, approach, is_full, expect, .. } => {
                self.latest = Some((*from, *to));
                if expect.0 == DONE && !self.is_lost {
                    if let Some(problem) = self.why_not_delegated(*from, *to, *approach, &text.span) {
                        found.push(problem);
                    } else {
                        self.delegated(*from, *to, *is_full);
                    }
                }
                self.after(*expect);
                step.clone()
            }
            Step::Revoke { from, to, how, expect } => {
                let latest = self.in_force.last().copied().or(self.latest);
                let target = if read.names_parties { Some((*from, *to)) } else { latest };
                let Some((from, to)) = target else { return step.clone() };
                if expect.0 == DONE && !self.is_lost {
                    match self.why_not_revoked(from, to, *how, &text.span) {
                        Some(problem) => found.push(problem),
                        None => self.revoked(from, to),
                    }
                }
                self.after(*expect);
                Step::Revoke { from, to, how: *how, expect: *expect }
            }
            Step::Wait(_) | Step::WaitUntil(_) => step.clone(),
        }
    }

    fn why_not_delegated(
        &self,
        from: ServerNumber,
        to: ServerNumber,
        approach: Approach,
        place: &Span,
    ) -> Option<Problem> {
        let (giver, taker) = (self.world.name(from), self.world.name(to));
        if from != self.authority {
            let holder = self.world.name(self.authority);
            let problem =
                Problem::new(place.clone(), format!("`{giver}` has no authority over the device at this step"));
            return Some(problem.label(format!("`{holder}` has it")).hint(
                "a delegate has the authority after a full delegation only; write `expect refused` if that is what should happen",
            ));
        }
        if self.in_force.contains(&(from, to)) {
            let problem = Problem::new(place.clone(), format!("`{giver}` has delegated to `{taker}` already"));
            return Some(problem.label("still in force").hint("revoke it before, or write `expect refused`"));
        }
        if approach == Approach::Url
            && let Some(problem) = self.world.why_no_url(to, place)
        {
            return Some(problem);
        }
        if approach == Approach::Url && self.accounts.contains(&to) {
            let problem = Problem::new(
                place.clone(),
                format!("`{taker}` already has an account, so there is nothing to bootstrap"),
            );
            return Some(problem.hint("write `by dmacc`, or leave it out of `bootstrapped`"));
        }
        None
    }

    fn delegated(&mut self, from: ServerNumber, to: ServerNumber, is_full: bool) {
        self.in_force.push((from, to));
        if !self.accounts.contains(&to) {
            self.accounts.push(to);
        }
        if is_full {
            self.accounts.retain(|server| *server != from);
            self.authority = to;
        }
    }

    fn why_not_revoked(&self, from: ServerNumber, to: ServerNumber, how: Revocation, place: &Span) -> Option<Problem> {
        let (giver, taker) = (self.world.name(from), self.world.name(to));
        if !self.in_force.contains(&(from, to)) {
            let problem = Problem::new(
                place.clone(),
                format!("no delegation is in force here: `{giver}` -> `{taker}` has ended, or never came about"),
            );
            return Some(problem.hint("leave the step out, or write `expect refused`"));
        }
        if !self.accounts.contains(&from) {
            let doer = if how == Revocation::Requested { "cannot do what is requested" } else { "cannot revoke" };
            let message = format!("after a full delegation `{giver}` has no account on the device, and {doer}");
            return Some(Problem::new(place.clone(), message).hint("write `expect refused`"));
        }
        None
    }

    fn revoked(&mut self, from: ServerNumber, to: ServerNumber) {
        self.in_force.retain(|delegation| *delegation != (from, to));
        self.accounts.retain(|server| *server != to);
    }

    fn after(&mut self, expect: Expected) {
        // A refusal changes nothing, and what was undone or too late was put back; of the others nobody can tell.
        self.is_lost |= matches!(expect.0, "unreachable" | "misbehaved" | "stranded" | "lost");
    }
}
