//! The promises that are judged step by step, on the facts of one device in the order in which they were seen.
//!
//! Everywhere in here the facts of one server are taken to stand in its own order, and what it was given (a message, an
//! answer, a timer, the end of an errand) before what followed from that. Facts of different servers and of the device
//! may stand in any order that their causes allow. Where a breach and an unlucky order look alike, there is no breach.
//!
//! | file | its job |
//! |---|---|
//! | `story` | the facts as records that move, each move with its cause |
//! | `states` | what is known of the names of states: which follows which, who waits for whom |
//! | `rights` | S4, S13: who may do what on the device |
//! | `sessions` | S6, S7, S8, S10: what a session may touch, and how often |
//! | `talk` | P1 to P6: what is said between servers |
//! | `ends` | L1 to L6: what has to come to an end once nothing goes wrong any more |
//! | [`beginning`] | what can be judged where only the first facts are kept |
//! | `few` | small maps that are copied often |
//! | [`minutes`] | what has to be remembered to tell at once when one of them may have been broken |
//! | [`windows`] | how long nobody, or more than one, was in charge |

pub mod beginning;
mod ends;
mod few;
pub mod minutes;
mod rights;
mod sessions;
mod states;
mod story;
mod talk;
pub mod windows;

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::policy::Policy;
use crate::facts::Fact;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::Judgement;
use crate::measure::promise::view::{Journeyed, ServerView};

use story::Story;
use windows::Windows;

/// How many findings of one promise on one device are told; the rest are only counted.
const TOLD: usize = 3;

/// One device that was watched step by step.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    pub device: DeviceNumber,
    /// All that was seen of it, in order.
    pub facts: &'a [Fact],
    /// Its owner and the servers bootstrapped beforehand; what became of its journey is not looked at.
    pub journeyed: &'a Journeyed,
    /// Every DM server of the run.
    pub servers: &'a [Known],
    pub policy: Policy,
    pub bounds: Bounds,
    /// From when on nothing that was made to go wrong could be felt any more, [`Moment::ZERO`] where nothing ever was.
    pub healed_at: Moment,
    /// When the watching ended.
    pub ended_at: Moment,
    /// Whether nothing comes after it: else what is so only for now is no breach.
    pub is_over: bool,
}

/// A DM server, as far as the watching of a device has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub server: ServerNumber,
    /// Its name in the scenario.
    pub name: String,
    /// Whether what happens at it can be seen; not so with somebody else's server.
    pub is_seen: bool,
}

impl From<&ServerView> for Known {
    fn from(view: &ServerView) -> Known {
        Known { server: view.server, name: view.name.clone(), is_seen: view.records.is_some() }
    }
}

/// How long things may take once nothing goes wrong any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// One flow, at one server: the timers on its longest path, all its retries, and the device.
    pub flow: Duration,
    /// How often in a row servers that ask at the same time may all be refused because of each other; at least 1.
    pub rounds: u32,
}

/// One promise.
pub(super) struct Rule {
    pub name: &'static str,
    pub says: &'static str,
    judge: fn(&Story<'_>) -> Judgement,
}

const fn rule(name: &'static str, says: &'static str, judge: fn(&Story<'_>) -> Judgement) -> Rule {
    Rule { name, says, judge }
}

/// Every promise, in the order of the summary. The names are stable.
pub(super) const ALL: [Rule; 18] = [
    rule(
        "no_work_without_right",
        "a device obeys only servers that have an account on it",
        rights::no_work_without_right,
    ),
    rule(
        "one_session_per_delegation",
        "two servers have one delegation of the same sub-tree under way or in force",
        sessions::one_session_per_delegation,
    ),
    rule(
        "no_effect_across_sessions",
        "a message changes only the delegation that it is about",
        sessions::no_effect_across_sessions,
    ),
    rule("done_exactly_once", "what a session does, it does once", sessions::done_exactly_once),
    rule(
        "role_and_session_fit",
        "a message is applied only by the peer's counterpart in that session",
        sessions::role_and_session_fit,
    ),
    rule(
        "delegations_form_a_chain",
        "whoever delegates has the authority itself, and nobody gets it back from a delegate",
        rights::delegations_form_a_chain,
    ),
    rule("phases_in_order", "a delegation goes from state to state as the figures show", talk::phases_in_order),
    rule(
        "one_answer_each",
        "each POST has one answer, with a message in it just where one is due",
        talk::one_answer_each,
    ),
    rule("copies_answered_alike", "a message that comes again gets the same answer", talk::copies_answered_alike),
    rule("success_means_applied", "who is told of success can rely on it", talk::success_means_applied),
    rule("quiet_after_the_end", "of a session that has ended nothing more is said", talk::quiet_after_the_end),
    rule("nobody_unproven", "only servers that have shown who they are are listened to", talk::nobody_unproven),
    rule("every_flow_ends", "every flow comes to its end in time", ends::every_flow_ends),
    rule("both_sides_end", "when one side has come to its end, the other follows in time", ends::both_sides_end),
    rule("recovers_after_healing", "once all is well again, flows are in time again", ends::recovers_after_healing),
    rule(
        "somebody_gets_through",
        "servers that ask at the same time do not refuse each other for ever",
        ends::somebody_gets_through,
    ),
    rule(
        "pending_cleanup_is_done",
        "what is left to do on a device is done when it comes back",
        ends::pending_cleanup_is_done,
    ),
    rule("no_circular_wait", "servers do not wait for each other in a circle", ends::no_circular_wait),
];

/// What each of [`ALL`] says of a device, in the same order, and its longest windows.
pub(super) fn judge(watched: &Watched<'_>) -> ([Judgement; ALL.len()], Windows) {
    let story = Story::new(watched);
    (ALL.each_ref().map(|rule| (rule.judge)(&story)), windows::windows(&story))
}

/// The longest windows of a device that was watched.
pub fn longest_windows(watched: &Watched<'_>) -> Windows {
    windows::windows(&Story::new(watched))
}

impl Watched<'_> {
    /// The server's name in the scenario.
    fn name(&self, server: ServerNumber) -> String {
        let known = self.servers.iter().find(|known| known.server == server);
        known.map_or_else(|| server.to_string(), |known| known.name.clone())
    }

    /// Whether what happens at the server can be seen.
    fn sees(&self, server: ServerNumber) -> bool {
        self.servers.iter().any(|known| known.server == server && known.is_seen)
    }

    /// When what began then has to be over, counted from the healing on.
    fn due(&self, begun: Moment) -> Moment {
        begun.max(self.healed_at) + self.bounds.flow
    }
}

/// What was found while looking at one promise.
#[derive(Default)]
struct Findings {
    breaches: Vec<String>,
    /// Whether there was anything to look at.
    looked: bool,
    /// Whether something could not be seen, or not yet.
    is_blind: bool,
}

impl Findings {
    fn broken(&mut self, seen: String) {
        self.breaches.push(seen);
    }

    fn judgement(self) -> Judgement {
        let Findings { mut breaches, looked, is_blind } = self;
        if breaches.is_empty() {
            return match (is_blind, looked) {
                (true, _) => Judgement::NotObservable,
                (false, true) => Judgement::Kept,
                (false, false) => Judgement::DoesNotApply,
            };
        }
        let more = breaches.len().saturating_sub(TOLD);
        breaches.truncate(TOLD);
        if more > 0 {
            breaches.push(format!("and {more} more"));
        }
        Judgement::Broken(breaches.join("; "))
    }
}

#[cfg(test)]
mod tests;
