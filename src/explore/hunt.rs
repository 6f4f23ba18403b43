//! A search in numbered pieces of work, done side by side and put together in the order of their numbers: what is found
//! does not depend on how many do the work, nor on who is faster.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::explore::choice::{Budget, Choice};
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::Plan;
use crate::explore::premises::Premises;
use crate::explore::search::exhaustive::{self, Exhausted};
use crate::explore::search::random::{self, Strategy};
use crate::explore::search::{Breaking, Likeness};
use crate::explore::wording::Worded;
use crate::explore::{retell, shrink};
use crate::seed::Seed;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Every way within a budget that begins with this choice.
    Exhaustive { kind: usize, budget: Budget, first: Choice },
    /// So many ways drawn at random, from this number on.
    Random { kind: usize, strategy: Strategy, from: u64, many: u64 },
}

/// What has been found: the least plan, and what it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which of the premises.
    pub kind: usize,
    pub plan: Plan,
    pub words: Worded,
    /// The promises that led here, and whatever else the plan breaks; by their names, in their order.
    pub promises: Vec<&'static str>,
    /// How many of the ways that were looked at lead to it.
    pub times: u64,
    /// The number of the piece of work that found it first.
    pub piece: u64,
}

/// What has come of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hunted {
    /// The pieces that were done, in their order.
    pub pieces: Vec<Done>,
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
    /// Ways that break a promise and whose plan does not: a fault of this search.
    pub not_retold: u64,
    /// How many pieces there were to do; `None` where there is always one more.
    pub planned: Option<u64>,
}

/// A piece of work that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub piece: Piece,
    /// For ways at random: each way as a state, each step as a transition.
    pub exhausted: Exhausted,
    findings: Vec<Finding>,
    not_retold: u64,
}

/// What a search may use.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    pub threads: usize,
    /// In octets, for all threads together.
    pub memory: u64,
}

/// Does the pieces in their order until there is none left, or `is_over` says so; what was not done by then, and all
/// behind it, does not count. `tell` hears of each piece that is done, in no order.
pub fn hunt(
    premises: &[Premises],
    pieces: &(dyn Fn(u64) -> Option<Piece> + Sync),
    seed: Seed,
    means: Means,
    is_over: &(dyn Fn() -> bool + Sync),
    tell: &(dyn Fn(u64, &Done) + Sync),
) -> Hunted {
    let next = AtomicU64::new(0);
    let is_stopped = AtomicBool::new(false);
    let done: Mutex<BTreeMap<u64, Done>> = Mutex::default();
    let room = exhaustive::worlds_in(means.memory / means.threads.max(1) as u64);
    std::thread::scope(|scope| {
        for _ in 0..means.threads.max(1) {
            scope.spawn(|| {
                let mut labs: Vec<Lab<'_>> = premises.iter().map(Lab::new).collect();
                while !is_stopped.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(piece) = pieces(number) else { break };
                    let Some(one) = work(&mut labs, piece, number, seed, room, is_over) else {
                        is_stopped.store(true, Ordering::Relaxed);
                        break;
                    };
                    tell(number, &one);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(number, one);
                    for (lab, premises) in labs.iter_mut().zip(premises) {
                        // What was worked out is worth its room only as long as there is room.
                        if lab.size() > LARGEST_LAB {
                            *lab = Lab::new(premises);
                        }
                    }
                }
            });
        }
    });
    put_together(done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// How much one lab may remember from piece to piece.
const LARGEST_LAB: usize = 1_000_000;

/// The pieces up to the first that is missing.
fn put_together(done: BTreeMap<u64, Done>) -> Hunted {
    let mut hunted = Hunted::default();
    for (number, (of, mut one)) in done.into_iter().enumerate() {
        if of != number as u64 {
            break;
        }
        hunted.not_retold += one.not_retold;
        for finding in std::mem::take(&mut one.findings) {
            let known = hunted.findings.iter_mut().find(|known| known.is_same_as(&finding));
            match known {
                Some(known) => known.times += finding.times,
                None => hunted.findings.push(finding),
            }
        }
        hunted.pieces.push(one);
    }
    hunted
}

/// Does one piece; `None` when it was over before that.
fn work(
    labs: &mut [Lab<'_>],
    piece: Piece,
    number: u64,
    seed: Seed,
    room: u64,
    is_over: &dyn Fn() -> bool,
) -> Option<Done> {
    let (kind, found) = match piece {
        Piece::Exhaustive { kind, budget, first } => {
            let mut exhausted = exhaustive::exhaust(&mut labs[kind], budget, Some(first), room, is_over)?;
            let breaking = std::mem::take(&mut exhausted.breaking);
            (kind, (exhausted, breaking.into_iter().map(|one| (budget, one)).collect()))
        }
        Piece::Random { kind, strategy, from, many } => {
            (kind, draw(&mut labs[kind], strategy, seed, from..from + many, is_over)?)
        }
    };
    let (exhausted, breaking): (Exhausted, Vec<(Budget, Breaking)>) = found;
    let mut done = Done { piece, exhausted, findings: Vec::new(), not_retold: 0 };
    for (budget, one) in &breaking {
        understand(labs, kind, *budget, one, number, &mut done);
    }
    Some(done)
}

/// Goes ways at random; of each likeness a few are kept.
fn draw(
    lab: &mut Lab<'_>,
    strategy: Strategy,
    seed: Seed,
    numbers: std::ops::Range<u64>,
    is_over: &dyn Fn() -> bool,
) -> Option<(Exhausted, Vec<(Budget, Breaking)>)> {
    let mut done = Exhausted::default();
    let mut kept: BTreeMap<Likeness, usize> = BTreeMap::new();
    let mut breaking = Vec::new();
    for number in numbers {
        if number % 256 == 0 && is_over() {
            return None;
        }
        let ran = random::run(lab, strategy, seed, number);
        done.states += 1;
        done.transitions += ran.steps;
        done.suspects += u64::from(ran.was_suspect);
        done.cleared += u64::from(ran.was_suspect && ran.breaking.is_none());
        if let Some(one) = ran.breaking {
            done.broken += 1;
            let alike = kept.entry(one.likeness()).or_default();
            if *alike == 0 {
                breaking.push((ran.budget, one));
            }
            *alike += 1;
        }
    }
    Some((done, breaking))
}

/// From a way that breaks promises to the least plans that break them.
fn understand(labs: &mut [Lab<'_>], kind: usize, budget: Budget, breaking: &Breaking, number: u64, done: &mut Done) {
    let plan = retell::plan(&mut labs[kind], budget, &breaking.trail);
    for promise in &breaking.promises {
        let Some(least) = shrink::shrink(&mut labs[kind], &plan, promise) else {
            done.not_retold += 1;
            continue;
        };
        let lab = &mut labs[kind];
        let (_, walked) = least.walk(lab);
        let finding = Finding {
            kind,
            words: Worded::new(&least, lab.premises()),
            promises: judge::names(&judge::in_the_end(&walked, lab)),
            plan: least,
            times: 1,
            piece: number,
        };
        match done.findings.iter_mut().find(|known| known.is_same_as(&finding)) {
            Some(known) => known.times += 1,
            None => done.findings.push(finding),
        }
    }
}

impl Finding {
    /// Whether it is the same bug: the same least plan, in words.
    pub fn is_same_as(&self, other: &Finding) -> bool {
        self.words == other.words
    }

    /// Eight hexadecimal digits that stand for the plan, however its decisions are ordered.
    pub fn signature(&self) -> String {
        let mut decisions = self.words.decisions.clone();
        decisions.sort();
        let text = format!("{:?}{decisions:?}", self.words.wishes);
        format!("{:08x}", Seed(0).keyed(&text, &[]) >> 32)
    }
}
