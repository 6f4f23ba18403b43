//! The starts of one population, phase by phase: which is next, and when.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::ids::DeviceNumber;
use crate::workload::arrival::{Offsets, Shape};
use crate::workload::plan::{Plan, Start};
use crate::workload::population::Population;
use crate::workload::tempo::Tempo;

/// Where one population is in its phases.
pub struct Itinerary {
    plan: Arc<Plan>,
    devices: Arc<Population>,
    /// Its index in the plan.
    number: usize,
    /// When each phase begins in the time of the plan, and the last one ends: `None` for "without an end".
    begins: Vec<Option<Duration>>,
    /// The phase that the next start belongs to.
    phase: usize,
    head: Head,
    /// How many starts are still to be made, at most.
    left: u32,
    /// The lowest number that a device can have which has not been given out.
    next_device: u32,
    /// How many journeys are under way.
    under_way: u32,
    /// When the last start so far was intended.
    latest: Option<Moment>,
    made: u64,
    dropped: u64,
    /// The phase that has ended early, or will not begin, because the last start has been made.
    ran_out_in: Option<usize>,
}

/// What the next start waits for.
enum Head {
    /// A time of the plan; then come the others of the phase.
    Time(Duration, Box<Offsets>),
    /// The beginning of a closed phase.
    Opening { at_once: u32, lead: f64 },
    /// A place of a closed phase. `fresh` are those that have been free since it began, `vacated` those that became free
    /// since, each with its moment.
    Place { at_once: u32, lead: f64, fresh: u32, vacated: VecDeque<Moment> },
    /// Nothing: there is no phase any more.
    Nothing,
}

impl Itinerary {
    /// The first start of a population of a plan is next.
    pub fn of(plan: Arc<Plan>, number: usize, devices: Arc<Population>) -> Itinerary {
        let population = &plan.load.populations[number];
        let (begins, left) = (population.begins(), population.starts);
        let mut itinerary = Itinerary {
            plan,
            devices,
            number,
            begins,
            phase: 0,
            head: Head::Nothing,
            left,
            next_device: 0,
            under_way: 0,
            latest: None,
            made: 0,
            dropped: 0,
            ran_out_in: None,
        };
        itinerary.enter(0, 0.0);
        itinerary
    }

    /// Whether every start has been made.
    pub fn is_done(&self) -> bool {
        self.left == 0 || matches!(self.head, Head::Nothing)
    }

    /// How many starts have found a device.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// How many have found none.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The population and its first phase, by name, that ended early, or did not begin, because all starts were made.
    pub fn ran_out(&self) -> Option<(String, String)> {
        let population = &self.plan.load.populations[self.number];
        self.ran_out_in.map(|phase| (population.name.clone(), population.phases[phase].name.clone()))
    }

    /// When the last start so far was intended.
    pub fn latest(&self) -> Option<Moment> {
        self.latest
    }

    /// When each phase begins in the time of the plan, and the last one ends.
    pub fn begins(&self) -> &[Option<Duration>] {
        &self.begins
    }

    /// When there is something to do: a start, or the beginning or end of a closed phase. [`Moment::NEVER`] where that
    /// depends on others, or nothing is left.
    pub fn next(&self, tempo: &Tempo) -> Moment {
        match &self.head {
            _ if self.left == 0 => Moment::NEVER,
            Head::Time(planned, _) => tempo.moment_of(*planned),
            Head::Opening { .. } => self.began(self.phase, tempo),
            Head::Place { .. } => self.place(tempo).unwrap_or_else(|| self.began(self.phase + 1, tempo)),
            Head::Nothing => Moment::NEVER,
        }
    }

    /// Takes out the next start, if it is due. What came late keeps its intended moment.
    pub fn take(&mut self, now: Moment, tempo: &Tempo) -> Option<Start> {
        self.settle(now, tempo);
        let intended = match &self.head {
            _ if self.left == 0 => return None,
            Head::Time(planned, _) => tempo.moment_of(*planned),
            Head::Place { .. } => self.place(tempo)?,
            Head::Opening { .. } | Head::Nothing => return None,
        };
        if intended > now {
            return None;
        }
        let device = self.device();
        let phase = self.phase;
        let is_timed = self.step(device.is_some());
        self.left -= 1;
        // A last phase without an end is over with the last start.
        let is_as_meant = self.phase == phase && self.begins[phase + 1].is_none();
        let is_early = self.left == 0 && !matches!(self.head, Head::Nothing) && !is_as_meant;
        self.ran_out_in = is_early.then_some(self.phase);
        self.latest = Some(intended);
        Some(Start { intended, device, population: self.number, phase, is_timed })
    }

    /// A journey of this population has ended.
    pub fn free(&mut self, at: Moment, tempo: &Tempo) {
        self.settle(at, tempo);
        self.under_way = self.under_way.saturating_sub(1);
        let under_way = self.under_way;
        if let Head::Place { at_once, fresh, vacated, .. } = &mut self.head {
            // More may be under way than there are places: they were started before this phase.
            let free = *fresh as usize + vacated.len();
            if under_way as usize + free < *at_once as usize {
                vacated.push_back(at);
            }
        }
    }

    /// Goes into the closed phases that have begun, and out of those that have ended.
    fn settle(&mut self, now: Moment, tempo: &Tempo) {
        loop {
            match &self.head {
                Head::Opening { at_once, lead } if self.began(self.phase, tempo) <= now => {
                    let fresh = at_once.saturating_sub(self.under_way);
                    self.head = Head::Place { at_once: *at_once, lead: *lead, fresh, vacated: VecDeque::new() };
                }
                Head::Place { lead, .. } if self.place(tempo).is_none() && self.began(self.phase + 1, tempo) <= now => {
                    self.enter(self.phase + 1, *lead);
                }
                _ => return,
            }
        }
    }

    /// When the next free place of a closed phase may be taken; `None` where none is free before the phase ends.
    fn place(&self, tempo: &Tempo) -> Option<Moment> {
        let Head::Place { fresh, vacated, .. } = &self.head else { return None };
        let free_since = if *fresh > 0 { self.began(self.phase, tempo) } else { *vacated.front()? };
        let from = tempo.when_going(free_since);
        (from < self.began(self.phase + 1, tempo)).then_some(from)
    }

    /// When a phase begins in the time of the run, as far as that can be said.
    fn began(&self, phase: usize, tempo: &Tempo) -> Moment {
        let planned = self.begins.get(phase).copied().flatten();
        planned.map_or(Moment::NEVER, |planned| tempo.moment_of(planned))
    }

    /// The device of the next start: the next of the population.
    fn device(&mut self) -> Option<DeviceNumber> {
        let population = &self.plan.load.populations[self.number];
        while self.next_device < self.devices.devices() {
            let device = DeviceNumber(self.next_device);
            self.next_device += 1;
            if self.devices.journey_number(device).is_some_and(|journey| population.has(journey)) {
                return Some(device);
            }
        }
        None
    }

    /// The present start has been made, or dropped; whether it had a moment of its own.
    fn step(&mut self, is_made: bool) -> bool {
        if is_made {
            self.made += 1;
            self.under_way += 1;
        } else {
            self.dropped += 1;
        }
        match &mut self.head {
            Head::Time(planned, offsets) => {
                let began = self.begins[self.phase].unwrap_or_default();
                match offsets.next() {
                    Some(offset) => *planned = began.saturating_add(offset),
                    None => {
                        let lead = offsets.lead();
                        self.enter(self.phase + 1, lead);
                    }
                }
                true
            }
            Head::Place { fresh, vacated, .. } => {
                // Who was dropped has left the place free.
                if is_made && *fresh > 0 {
                    *fresh -= 1;
                } else if is_made {
                    vacated.pop_front();
                }
                false
            }
            Head::Opening { .. } | Head::Nothing => false,
        }
    }

    /// The first start from this phase on is next.
    fn enter(&mut self, phase: usize, mut lead: f64) {
        self.head = Head::Nothing;
        for (number, phase) in self.plan.load.populations[self.number].phases.iter().enumerate().skip(phase) {
            self.phase = number;
            if let Shape::Closed { at_once, .. } = phase.shape {
                self.head = Head::Opening { at_once, lead };
                return;
            }
            let mut offsets = self.plan.offsets(self.number, number, lead);
            if let Some(offset) = offsets.next() {
                let began = self.begins[number].unwrap_or_default();
                self.head = Head::Time(began.saturating_add(offset), Box::new(offsets));
                return;
            }
            lead = offsets.lead();
        }
    }
}
