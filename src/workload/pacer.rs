//! Says which starts of a plan are due, and when the next one is. It never waits for an answer, and reads no clock: it is
//! told what time it is, and which journeys have ended.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::workload::itinerary::Itinerary;
use crate::workload::outlook::Outlook;
use crate::workload::plan::{Plan, Start};
use crate::workload::population::Population;
use crate::workload::tempo::{Pace, Tempo};

/// A plan being walked.
pub struct Pacer {
    plan: Arc<Plan>,
    tempo: Tempo,
    /// By population.
    itineraries: Vec<Itinerary>,
    outlooks: Vec<Outlook>,
}

/// A phase as it passes in the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Index of its population.
    pub population: usize,
    /// Index of the phase in it.
    pub phase: usize,
    pub name: String,
    /// [`Moment::NEVER`] while the plan is paused before it.
    pub began: Moment,
    /// As the plan stands now; [`Moment::NEVER`] where that is not known, or the plan is paused.
    pub ends: Moment,
}

/// How a plan stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub is_paused: bool,
    /// The pace while it is not paused, as a factor on the planned rates.
    pub factor: f64,
    /// The present phase of each population that is in one.
    pub phases: Vec<Passage>,
    /// How long it is until the last planned start or the end of the last phase; in a pause, from its end on. `None` where
    /// the plan does not say.
    pub remaining: Option<Duration>,
    /// How many starts there will have been; `None` where a closed phase with a duration leaves it open.
    pub planned: Option<u64>,
    /// How many there have been that found a device.
    pub made: u64,
    /// How many that found none.
    pub dropped: u64,
    /// The first phase of each population that ended early, or did not begin, because all starts were made: the population
    /// and the phase, by name.
    pub ran_out: Vec<(String, String)>,
}

impl Pacer {
    /// The plan begins at the moment that `now` says, which is asked last: starts by chance are drawn once to be counted,
    /// and that takes time in proportion to them.
    pub fn new(plan: Plan, devices: &Arc<Population>, now: impl FnOnce() -> Moment) -> Pacer {
        let plan = Arc::new(plan);
        let numbers = 0..plan.load.populations.len();
        let itineraries =
            numbers.clone().map(|number| Itinerary::of(Arc::clone(&plan), number, Arc::clone(devices))).collect();
        let outlooks = numbers.map(|number| Outlook::of(&plan, number)).collect();
        Pacer { plan, tempo: Tempo::from(now()), itineraries, outlooks }
    }

    /// When to ask for starts again: at the next start, or where a phase turns. [`Moment::NEVER`] while it is paused, where
    /// the next start waits for a journey to end, or where nothing is left.
    pub fn next(&self) -> Moment {
        self.itineraries.iter().map(|one| one.next(&self.tempo)).min().unwrap_or(Moment::NEVER)
    }

    /// Takes out the next start that is due. One that comes late keeps its intended moment; none is left out. What was due
    /// before a pause is due in it as well.
    pub fn take(&mut self, now: Moment) -> Option<Start> {
        loop {
            let next = |one: &Itinerary| one.next(&self.tempo);
            let (number, at) =
                self.itineraries.iter().map(next).enumerate().min_by_key(|(number, at)| (*at, *number))?;
            if at > now {
                return None;
            }
            // What is first may be the turn of a phase, with the next start behind it.
            if let Some(start) = self.itineraries[number].take(now, &self.tempo) {
                return Some(start);
            }
        }
    }

    /// A journey has ended that was started for this population: in a closed phase its place is free.
    pub fn free(&mut self, population: usize, at: Moment) {
        if let Some(itinerary) = self.itineraries.get_mut(population) {
            itinerary.free(at, &self.tempo);
        }
    }

    /// Whether every start has been made: nothing will be due any more.
    pub fn is_done(&self) -> bool {
        self.itineraries.iter().all(Itinerary::is_done)
    }

    /// No planned moment comes until it is resumed; those that remain move by as long as that takes.
    pub fn pause(&mut self, now: Moment) {
        self.tempo.pause(now);
    }

    /// Goes on after a pause.
    pub fn resume(&mut self, now: Moment) {
        self.tempo.resume(now);
    }

    /// The planned moments that remain come faster or slower from now on, and so do the ends of phases.
    pub fn set_pace(&mut self, now: Moment, pace: Pace) {
        self.tempo.set(now, pace);
    }

    /// How it stands.
    pub fn standing(&self, now: Moment) -> Standing {
        Standing {
            is_paused: self.tempo.is_paused(),
            factor: self.tempo.pace().factor(),
            phases: (0..self.itineraries.len()).filter_map(|population| self.present(population, now)).collect(),
            remaining: self.remaining(now),
            planned: self.planned(),
            made: self.made(),
            dropped: self.dropped(),
            ran_out: self.itineraries.iter().filter_map(Itinerary::ran_out).collect(),
        }
    }

    /// How many starts there will have been; `None` where a closed phase with a duration leaves it open.
    pub fn planned(&self) -> Option<u64> {
        self.outlooks.iter().map(|outlook| outlook.starts).sum()
    }

    /// How many starts have found a device.
    pub fn made(&self) -> u64 {
        self.itineraries.iter().map(Itinerary::made).sum()
    }

    /// How many starts have found none.
    pub fn dropped(&self) -> u64 {
        self.itineraries.iter().map(Itinerary::dropped).sum()
    }

    /// Every phase of every population, in their order: where it passed, or will as the plan stands now.
    pub fn passages(&self) -> Vec<Passage> {
        let phases = |population: usize| 0..self.plan.load.populations[population].phases.len();
        let populations = 0..self.itineraries.len();
        populations.flat_map(|one| phases(one).map(move |phase| (one, phase))).map(|at| self.passage(at)).collect()
    }

    /// The phase that a population is in: the latest that has begun and not ended.
    fn present(&self, population: usize, now: Moment) -> Option<Passage> {
        let itinerary = &self.itineraries[population];
        let has_come_to = |at: &Option<Duration>| at.is_some_and(|at| self.tempo.has_come_to(at, now));
        let begun = itinerary.begins().iter().take_while(|at| has_come_to(at)).count();
        let phase = begun.checked_sub(1)?;
        // Beyond the last phase there is none, and the end of a phase without an end is its last start.
        let is_over = phase + 1 == itinerary.begins().len()
            || itinerary.begins()[phase + 1].is_none() && itinerary.is_done() && itinerary.latest() < Some(now);
        (!is_over).then(|| self.passage((population, phase)))
    }

    fn passage(&self, (population, phase): (usize, usize)) -> Passage {
        let itinerary = &self.itineraries[population];
        let moment = |planned: Option<Duration>| planned.map_or(Moment::NEVER, |at| self.tempo.moment_of(at));
        let outlook = &self.outlooks[population].phases[phase];
        let is_without_end = itinerary.begins()[phase + 1].is_none();
        let ends = match itinerary.latest() {
            Some(latest) if is_without_end && itinerary.is_done() => latest,
            _ => moment(outlook.ends),
        };
        let name = self.plan.load.populations[population].phases[phase].name.clone();
        Passage { population, phase, name, began: moment(itinerary.begins()[phase]), ends }
    }

    fn remaining(&self, now: Moment) -> Option<Duration> {
        let ends = self.outlooks.iter().zip(&self.itineraries).map(|(outlook, itinerary)| {
            if itinerary.is_done() { Some(Duration::ZERO) } else { Some(self.tempo.remaining(outlook.ends?, now)) }
        });
        ends.collect::<Option<Vec<Duration>>>().map(|all| all.into_iter().max().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
