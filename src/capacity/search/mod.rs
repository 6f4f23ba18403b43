//! The highest load at which every goal is kept, found by trying: a pure state machine.
//!
//! It is asked what to do ([`Search::next`]) and told what came of it ([`Search::tell`]). It has no clock, no dice, no
//! network; the same outcomes lead through the same loads. What a load is, how it is put on a peer, and what a goal is
//! about, is known to the caller alone.
//!
//! # What is taken from MLRsearch, and what is not
//! Goals, load classification, relevant bounds, loss inversion and conditional throughput are those of "Multiple Loss
//! Ratio Search" (Konstantynowicz, Polák 2025, draft-ietf-bmwg-mlrsearch-15), with "exceeds its limit" in place of "has
//! too high a loss ratio". Different are:
//! * *It asks for confidence.* MLRsearch calls a load what it was for most of its trial time. Where outcomes are a coin
//!   toss, that is a coin toss, and the interval misses the answer. Here a load is a bound only if its sub-trials also
//!   reject the opposite at the goal's risk, by a test that may be looked at after each (see `confidence`); else it stays
//!   undecided.
//! * *It comes from below.* MLRsearch begins with the most load, which a peer may not survive.
//! * *It has no short trials.* Far from the answer it makes fewer sub-trials instead: two that agree.
//! * *It ends at an invalid sub-trial*, since the generator's limit says nothing about the peer. Where the answer times the
//!   growth is more than can be generated, choose a smaller growth, or a range that ends where generating does.
//!
//! # What is guaranteed
//! For each load and goal: if, in the long run, a larger part of its sub-trials than the exceed ratio exceeds the
//! limit, it is called a lower bound with a probability of at most the goal's risk, whenever the search stops; the
//! other way round for an upper bound. It is given for sub-trials that are independent of each other, and, where
//! margins are told, whose logarithms are spread normally. It is given load by load: the bounds of a search are two
//! loads, chosen among some. Nothing is guaranteed about loads that were not tried, but by the assumption that more is
//! harder; where that is seen to be wrong, the result names it. How often the interval contains the answer is measured
//! in `must_hold`.
//!
//! | file | its job |
//! |---|---|
//! | `goal` | goals and settings, and what is wrong with them |
//! | `trial` | what is asked and what is told |
//! | `evidence` | what the sub-trials at one load say about one goal |
//! | `confidence` | when they have said enough |
//! | `table` | all that was told, and the bounds that follow |
//! | `quest` | where to look next |
//! | `threshold` | where a limit is met, most likely |
//! | `result` | what was found |

mod confidence;
mod evidence;
mod goal;
mod quest;
mod result;
mod table;
mod threshold;
mod trial;

use crate::capacity::search::quest::{Close, Quest, Want};
use crate::capacity::search::table::{Row, Table};

pub use evidence::Standing;
pub use goal::{Aim, Goal, Settings, SettingsError};
pub use result::{Ending, GoalResult, Interval, Inversion, LoadResult, SearchResult};
pub use trial::{Answer, Measured, Outcome, Step, TellError, Trial, Verdict};

/// A search that is under way.
#[derive(Debug, Clone)]
pub struct Search {
    settings: Settings,
    quests: Vec<Quest>,
    table: Table,
    warm_up: Option<Measured>,
    stage: Stage,
}

#[derive(Debug, Clone)]
enum Stage {
    Asked(Trial),
    Ended(Ending),
}

impl Search {
    /// A search that begins with its warm-up.
    ///
    /// # Errors
    /// [`SettingsError`]: what is wrong with the settings.
    pub fn new(settings: Settings) -> Result<Search, SettingsError> {
        settings.check()?;
        let all = 0..settings.goals.len();
        let quests = match settings.aim {
            Aim::Together => vec![Quest::new(all.collect())],
            Aim::Each => all.map(|goal| Quest::new(vec![goal])).collect(),
        };
        let warm_up = Trial { load: settings.first, lasts: settings.each, number: 0, is_warm_up: true };
        Ok(Search { settings, quests, table: Table::default(), warm_up: None, stage: Stage::Asked(warm_up) })
    }

    /// What to do now. It stays the same until an outcome is told.
    pub fn next(&self) -> Step {
        match &self.stage {
            Stage::Asked(trial) => Step::Trial(*trial),
            Stage::Ended(_) => Step::Finished,
        }
    }

    /// Takes in the outcome of the sub-trial that was asked for.
    ///
    /// # Errors
    /// [`TellError`] where it does not fit what was asked for; the search is as before then.
    pub fn tell(&mut self, outcome: Outcome) -> Result<(), TellError> {
        let Stage::Asked(asked) = self.stage else { return Err(TellError::NothingAsked) };
        match outcome {
            Outcome::Invalid { why } => {
                self.stage = Stage::Ended(Ending::Invalid { load: asked.load, why });
                return Ok(());
            }
            Outcome::Measured(measured) => {
                measured.check(self.settings.goals.len())?;
                if asked.is_warm_up {
                    self.warm_up = Some(measured);
                } else {
                    self.table.add(asked.load, measured, &self.settings.goals);
                }
            }
        }
        self.stage = self.plan();
        Ok(())
    }

    /// What was found, once the search is finished; `None` until then.
    pub fn result(&self) -> Option<SearchResult> {
        match &self.stage {
            Stage::Asked(_) => None,
            Stage::Ended(ending) => Some(SearchResult::of(&self.settings, &self.table, self.warm_up.as_ref(), ending)),
        }
    }

    fn plan(&mut self) -> Stage {
        let mut closes = Vec::with_capacity(self.quests.len());
        for quest in &mut self.quests {
            match quest.pursue(&self.settings, &self.table) {
                Want::Done(close) => closes.push(close),
                Want::Load(_) if self.table.count() >= self.settings.most_in_all => {
                    return Stage::Ended(Ending::Exhausted);
                }
                Want::Load(load) => {
                    let number = self.table.row(load).map_or(0, Row::count);
                    return Stage::Asked(Trial { load, lasts: self.settings.each, number, is_warm_up: false });
                }
            }
        }
        let all: Vec<usize> = (0..self.settings.goals.len()).collect();
        // A goal that is kept farther up than the range goes does not matter where another is not.
        let together = Quest::new(all).pursue(&self.settings, &self.table);
        let close = match together {
            Want::Done(close) => close,
            Want::Load(_) => closes.into_iter().find(|close| *close != Close::Found).unwrap_or(Close::Wide),
        };
        Stage::Ended(match close {
            Close::Found => Ending::Found,
            Close::Wide => Ending::Wide,
            Close::AboveRange => Ending::AboveRange,
            Close::BelowRange => Ending::BelowRange,
        })
    }
}

#[cfg(test)]
mod must_hold;
#[cfg(test)]
mod tests;
