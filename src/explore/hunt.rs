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
use crate::explore::trail::Trail;
use crate::explore::wording::Worded;
use crate::explore::{retell, shrink};
use crate::seed::Seed;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Every way within a budget that begins with this choice.
    /// `of`: how many such pieces there are with this budget.
    Exhaustive { kind: usize, budget: Budget, first: Choice, of: usize },
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
    pub not_retold: Vec<NotRetold>,
}

/// A way that breaks a promise and whose plan does not: a fault of this search. What it breaks is broken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRetold {
    /// Which of the premises.
    pub kind: usize,
    pub promise: &'static str,
    /// The number of the piece of work that found it.
    pub piece: u64,
    pub budget: Budget,
    pub trail: Trail,
}

/// Everything that was gone through within one budget, all kinds of devices together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub budget: Budget,
    /// Whether no way of it was left out.
    pub is_complete: bool,
    pub states: u64,
    pub transitions: u64,
    pub at_rest: u64,
    pub curve: Vec<u64>,
    /// The names of the promises that are broken somewhere.
    pub promises: Vec<&'static str>,
}

/// What was gone through at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtRandom {
    pub ways: u64,
    pub steps: u64,
    pub broken: u64,
}

impl Hunted {
    /// The budgets that were gone through, in the order in which they were begun. `wanted`: how many pieces each has.
    pub fn levels(&self) -> Vec<Level> {
        let mut levels: Vec<Level> = Vec::new();
        for done in &self.pieces {
            let Piece::Exhaustive { budget, of, .. } = done.piece else { continue };
            let known = levels.iter().position(|level| level.budget == budget).unwrap_or_else(|| {
                let (states, transitions, at_rest) = (0, 0, 0);
                levels.push(Level {
                    budget,
                    is_complete: true,
                    states,
                    transitions,
                    at_rest,
                    curve: Vec::new(),
                    promises: Vec::new(),
                });
                levels.len() - 1
            });
            let begun = self.pieces.iter().filter(|one| one.piece.budget() == Some(budget)).count();
            let level = &mut levels[known];
            level.is_complete &= !done.exhausted.ran_out && begun == of;
            level.states += done.exhausted.states;
            level.transitions += done.exhausted.transitions;
            level.at_rest += done.exhausted.at_rest;
            level.curve.resize(level.curve.len().max(done.exhausted.curve.len()), 0);
            level.curve.iter_mut().zip(&done.exhausted.curve).for_each(|(sum, new)| *sum += new);
            for promise in &done.promises {
                if !level.promises.contains(promise) {
                    level.promises.push(promise);
                }
            }
        }
        levels
    }

    /// What was gone through at random.
    pub fn at_random(&self) -> AtRandom {
        let mut sum = AtRandom::default();
        for done in self.pieces.iter().filter(|done| matches!(done.piece, Piece::Random { .. })) {
            sum.ways += done.exhausted.states;
            sum.steps += done.exhausted.transitions;
            sum.broken += done.exhausted.broken;
        }
        sum
    }

    /// Which goals of its premises were reached by whatever was gone through.
    pub fn goals(&self) -> u64 {
        self.pieces.iter().fold(0, |reached, done| reached | done.exhausted.goals)
    }

    /// Whether a piece ended for want of room.
    pub fn ran_out(&self) -> bool {
        self.pieces.iter().any(|done| done.exhausted.ran_out)
    }

    /// For each piece a number that stands for it and all before it.
    pub fn digest(&self) -> Vec<u64> {
        let mut rolling = 0;
        let roll = |done: &Done| {
            let text = format!("{:?}{:?}{:?}", done.piece, done.exhausted, done.words);
            rolling = Seed(rolling).keyed(&text, &[]);
            rolling
        };
        self.pieces.iter().map(roll).collect()
    }
}

impl Piece {
    /// `None` for ways at random.
    fn budget(&self) -> Option<Budget> {
        match self {
            Piece::Exhaustive { budget, .. } => Some(*budget),
            Piece::Random { .. } => None,
        }
    }
}

/// A piece of work that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub piece: Piece,
    /// For ways at random: each way as a state, each step as a transition.
    pub exhausted: Exhausted,
    /// The names of the promises that some way broke.
    pub promises: Vec<&'static str>,
    /// The least plans.
    pub words: Vec<Worded>,
    findings: Vec<Finding>,
    not_retold: Vec<NotRetold>,
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
    let memory = means.memory / means.threads.max(1) as u64;
    // What has been worked out in the pieces before takes the rest.
    let room = memory - memory / 4;
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
                    // What was worked out is worth its room only as long as there is room.
                    if labs.iter().map(Lab::octets).sum::<u64>() > memory / 4 {
                        labs = premises.iter().map(Lab::new).collect();
                    }
                }
            });
        }
    });
    put_together(done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// The pieces up to the first that is missing.
fn put_together(done: BTreeMap<u64, Done>) -> Hunted {
    let mut hunted = Hunted::default();
    for (number, (of, mut one)) in done.into_iter().enumerate() {
        if of != number as u64 {
            break;
        }
        hunted.not_retold.append(&mut one.not_retold);
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
        Piece::Exhaustive { kind, budget, first, .. } => {
            let mut exhausted = exhaustive::exhaust(&mut labs[kind], budget, Some(first), room, is_over)?;
            let breaking = std::mem::take(&mut exhausted.breaking);
            (kind, (exhausted, breaking.into_iter().map(|one| (budget, one)).collect()))
        }
        Piece::Random { kind, strategy, from, many } => {
            (kind, draw(&mut labs[kind], strategy, seed, from..from + many, is_over)?)
        }
    };
    let (exhausted, breaking): (Exhausted, Vec<(Budget, Breaking)>) = found;
    let mut promises: Vec<&'static str> = breaking.iter().flat_map(|(_, one)| one.promises.iter().copied()).collect();
    promises.sort_unstable();
    promises.dedup();
    let mut done = Done { piece, exhausted, promises, words: Vec::new(), findings: Vec::new(), not_retold: Vec::new() };
    for (budget, one) in breaking.iter().take(MOST_UNDERSTOOD) {
        understand(labs, kind, *budget, one, number, &mut done);
    }
    done.words = done.findings.iter().map(|finding| finding.words.clone()).collect();
    Some(done)
}

/// How many ways of one piece are shrunk: where more break something, most are alike.
const MOST_UNDERSTOOD: usize = 200;

/// Goes ways at random; of each likeness a few are kept.
fn draw(
    lab: &mut Lab<'_>,
    strategy: Strategy,
    seed: Seed,
    numbers: std::ops::Range<u64>,
    is_over: &dyn Fn() -> bool,
) -> Option<(Exhausted, Vec<(Budget, Breaking)>)> {
    // What was judged in other pieces must make no difference to this one.
    lab.forget_verdicts();
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
        done.goals |= ran.goals;
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
    let premises = labs[kind].premises();
    let plan = retell::plan(&mut labs[kind], budget, &breaking.trail);
    for promise in &breaking.promises {
        let Some(least) = shrink::shrink(&mut labs[kind], &plan, promise) else {
            let (piece, trail) = (number, breaking.trail.clone());
            done.not_retold.push(NotRetold { kind, promise, piece, budget, trail });
            continue;
        };
        // What breaks with devices of a kind that stands before it as well is the same bug.
        let before = labs[..kind].iter_mut().enumerate().filter(|(_, lab)| lab.premises().has_same_wishes(premises));
        let simpler = before
            .into_iter()
            .find_map(|(simpler, lab)| shrink::shrink(lab, &least, promise).map(|least| (simpler, least)));
        let (kind, least) = simpler.unwrap_or((kind, least));
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
    /// Whether it is the same bug: the same least plan, for the same kind of devices.
    pub fn is_same_as(&self, other: &Finding) -> bool {
        self.kind == other.kind && self.words == other.words
    }

    /// Eight hexadecimal digits that stand for the plan, however its decisions are ordered.
    pub fn signature(&self) -> String {
        let mut decisions = self.words.decisions.clone();
        decisions.sort();
        let text = format!("{:?}{decisions:?}", self.words.wishes);
        format!("{:08x}", Seed(0).keyed(&text, &[]) >> 32)
    }
}
