//! `dmswarm explore`: searches virtual time for a way that breaks a promise.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::cli::args::{Explore, Flags};
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::findings::{self, Kept};
use crate::cli::output;
use crate::cli::scenarios::{Asked, read_all};
use crate::cli::{follow, matrix, window};
use crate::clock::{Clock, Moment, wall_now};
use crate::explore::choice::Budget;
use crate::explore::failed_flow;
use crate::explore::hunt::{Done, Hunted, Means, Piece, hunt};
use crate::explore::portfolio::{self, Portfolio};
use crate::explore::premises::Premises;
use crate::measure::Verdict;
use crate::report::figures::{count, counted};
use crate::report::search::{self, Effort};
use crate::results::SearchFolder;
use crate::run::Watch;
use crate::scenario::Scenario;

/// Searches, tells what was gone through, and keeps what was found.
pub fn explore(search: &Explore, flags: &Flags) -> Exit {
    if search.sweeps.window.is_none()
        && let Some(from) = &search.sweeps.from
    {
        return follow::follow(search, from, flags);
    }
    let paths: Vec<PathBuf> = search.scenario.iter().cloned().collect();
    let mut asked = read_all(&paths, &flags.overrides());
    let scenario = match (asked.pop(), asked.is_empty()) {
        (Some(Asked { scenario: Ok(scenario), .. }), true) => scenario,
        (Some(Asked { scenario: Err(problems), .. }), true) => {
            tell_problems(&problems);
            return Exit::Usage;
        }
        _ => {
            output::remark("error: one scenario is searched at a time; name its file");
            return Exit::Usage;
        }
    };
    if let Some(words) = &search.sweeps.window {
        return window::window(search, words, &scenario, flags);
    }
    if let Some(ranges) = &search.sweeps.matrix {
        return matrix::matrix(search, ranges, &scenario, flags);
    }
    let premises = Premises::of(&scenario, usize::from(search.devices));
    if premises.is_empty() {
        output::remark("error: no journey of this scenario hands a device over, so that there is nothing to search");
        return Exit::Usage;
    }
    // What is found in an hour has to have a place.
    let folder = match SearchFolder::create(&flags.out, (&scenario.name, "explore"), wall_now(), scenario.seed.0) {
        Ok(folder) => folder,
        Err(error) => return could_not(&error),
    };
    let signals = match Watch::begin() {
        Ok(signals) => signals,
        Err(error) => return could_not(&format!("could not listen for signals: {error}")),
    };
    if !flags.quiet {
        output::remark(&search::heading(&scenario, &premises, effort(search), means(search)));
    }
    let hunted = go(search, &scenario, &premises, u64::MAX, &signals, flags);
    if search.verify && !is_repeated(search, &scenario, &premises, &hunted, &signals, flags) {
        return Exit::CouldNotRun;
    }
    let signal = signals.first();
    if signal.is_some() {
        output::remark("interrupted: this is what has been gone through until now");
    }
    let ended = finish(search, &scenario, &premises, &hunted, (&folder, signal.is_some()), flags);
    let interrupted = signal.map(|signal| Exit::of_verdict(Verdict::Interrupted, Some(signal)));
    Exit::weightiest(interrupted.into_iter().chain([ended]))
}

fn effort(search: &Explore) -> Effort {
    match search.runs {
        _ if search.exhaustive => Effort::Exhaustive,
        Some(ways) => Effort::Runs(ways),
        None => Effort::For(search.time),
    }
}

fn means(search: &Explore) -> Means {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    Means { threads: search.threads.map_or_else(cores, usize::from), memory: search.memory }
}

/// The scope of an exhaustive search; `None` where nothing is said.
fn scope(search: &Explore) -> Option<Budget> {
    let Explore { operations, early_timers, drops, duplicates, crashes, .. } = *search;
    let is_said = [operations, early_timers, drops, duplicates, crashes].iter().any(Option::is_some);
    is_said.then(|| Budget {
        wishes: operations.unwrap_or(2),
        early: early_timers.unwrap_or(0),
        losses: drops.unwrap_or(0),
        copies: duplicates.unwrap_or(0),
        deaths: crashes.unwrap_or(0),
    })
}

/// One search, of at most so many pieces.
fn go(
    search: &Explore,
    scenario: &Scenario,
    premises: &[Premises],
    most: u64,
    signals: &Watch,
    flags: &Flags,
) -> Hunted {
    let clock = Clock::start();
    let portfolio = Portfolio::new(premises);
    let scope: Vec<Piece> = match (effort(search), scope(search)) {
        (Effort::Exhaustive, Some(budget)) => portfolio::exhaustive(premises, budget),
        (Effort::Exhaustive, None) => portfolio::usual_scope(premises),
        _ => Vec::new(),
    };
    let pieces = |number: u64| match effort(search) {
        _ if number >= most => None,
        Effort::For(_) => portfolio.piece(number),
        Effort::Runs(ways) => portfolio::at_random(premises.len(), ways, number),
        Effort::Exhaustive => scope.get(usize::try_from(number).ok()?).cloned(),
    };
    // A search that is repeated goes as far as the one before, however long that takes.
    let ends_at = match effort(search) {
        Effort::For(time) if most == u64::MAX => Moment::ZERO + time,
        _ => Moment::NEVER,
    };
    let is_over = || clock.now() >= ends_at || signals.first().is_some();
    let progress = Progress::new(&clock, flags);
    hunt(premises, &pieces, scenario.seed, means(search), &is_over, &|_, done| progress.add(done))
}

/// Whether the same search once more comes to the same.
fn is_repeated(
    search: &Explore,
    scenario: &Scenario,
    premises: &[Premises],
    first: &Hunted,
    signals: &Watch,
    flags: &Flags,
) -> bool {
    let again = go(search, scenario, premises, first.pieces.len() as u64, signals, flags);
    if signals.first().is_some() {
        return true;
    }
    let (one, two) = (first.digest(), again.digest());
    if one != two {
        let apart = one.iter().zip(&two).position(|(one, two)| one != two).unwrap_or(one.len().min(two.len()));
        output::remark(&format!("error: done twice, the search came to something else in its piece {apart}"));
        return false;
    }
    let last = one.last().copied().unwrap_or_default();
    output::remark(&format!("done twice, with the same in each of {} pieces: {last:016x}", count(one.len() as u64)));
    true
}

fn finish(
    search: &Explore,
    scenario: &Scenario,
    premises: &[Premises],
    hunted: &Hunted,
    (folder, is_interrupted): (&SearchFolder, bool),
    flags: &Flags,
) -> Exit {
    let kept = match findings::keep(folder, scenario, premises, hunted) {
        Ok(kept) => kept,
        Err(error) => return could_not(&error),
    };
    let findings = kept.iter().map(|kept| (&kept.file, kept.times));
    let mut json = search::json(scenario, premises, effort(search), hunted, findings);
    json["interrupted"] = is_interrupted.into();
    let text = format!("{json:#}\n");
    let is_broken = !(kept.is_empty() && hunted.not_retold.is_empty());
    let mut exits = Vec::new();
    if let Err(error) = folder.write("explore.json", &text) {
        exits.push(could_not(&error));
    }
    if flags.json {
        if !flags.quiet {
            output::remark(&format!("kept in {}", folder.path().display()));
        }
        exits.push(output::data(&text));
    } else if !flags.quiet || is_broken {
        exits.push(output::data(&told(search, premises, hunted, &kept, folder)));
    }
    if is_broken {
        exits.push(Exit::PromiseBroken);
    } else if hunted.ran_out() {
        exits.push(Exit::Invalid);
    }
    Exit::weightiest(exits)
}

fn could_not(why: &impl Display) -> Exit {
    output::remark(&format!("error: {why}"));
    Exit::CouldNotRun
}

fn told(search: &Explore, premises: &[Premises], hunted: &Hunted, kept: &[Kept], folder: &SearchFolder) -> String {
    let text = search::evidence(hunted, premises, effort(search));
    if kept.is_empty() && !hunted.not_retold.is_empty() {
        return text;
    }
    format!("{text}{}", told_of(kept, folder))
}

/// What was found, and where it is kept.
pub(super) fn told_of(kept: &[Kept], folder: &SearchFolder) -> String {
    if kept.is_empty() {
        return "\nNo promise was broken.\n".to_owned();
    }
    let mut text = String::new();
    let failing = kept.iter().filter(|one| one.file.promise == failed_flow::NAME).count();
    text.push_str(&match (kept.len() - failing, failing) {
        (breaking, 0) => format!("\n{} breaking promises:\n", counted(breaking as u64, "plan")),
        (0, failing) => format!("\n{} on which a flow fails:\n", counted(failing as u64, "plan")),
        (_, _) => format!("\n{} breaking promises, or on which a flow fails:\n", counted(kept.len() as u64, "plan")),
    });
    // Of those that break the same with the same wishes one is told.
    let mut told: Vec<(&str, &[String])> = Vec::new();
    for one in kept {
        let alike = |other: &&Kept| other.file.promise == one.file.promise && other.file.wishes == one.file.wishes;
        let this = (one.file.promise.as_str(), one.file.wishes.as_slice());
        if !told.contains(&this) {
            told.push(this);
            text.push_str(&search::finding(&one.file, one.times, kept.iter().filter(alike).count() - 1));
        }
    }
    let first = quoted(&kept[0].folder);
    text.push_str(&format!(
        "\nEach has a folder in {}\nSee one again:  dmswarm replay {first}\n",
        folder.path().join("findings").display()
    ));
    if let Some(staged) = kept.iter().find(|kept| kept.over_https) {
        text.push_str(&format!("over HTTPS:     dmswarm replay {} --https\n", quoted(&staged.folder)));
    }
    text
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    shlex::try_quote(&path).map_or_else(|_| path.clone(), Cow::into_owned)
}

/// Words about how far a search is, one line every few seconds.
struct Progress<'c> {
    clock: &'c Clock,
    is_quiet: bool,
    states: AtomicU64,
    transitions: AtomicU64,
    pieces: AtomicU64,
    next: Mutex<Moment>,
}

/// How often the progress is told.
const EVERY: Duration = Duration::from_secs(5);

impl<'c> Progress<'c> {
    fn new(clock: &'c Clock, flags: &Flags) -> Progress<'c> {
        Progress {
            clock,
            is_quiet: flags.quiet,
            states: AtomicU64::new(0),
            transitions: AtomicU64::new(0),
            pieces: AtomicU64::new(0),
            next: Mutex::new(Moment::ZERO + EVERY),
        }
    }

    fn add(&self, done: &Done) {
        let states = self.states.fetch_add(done.exhausted.states, Ordering::Relaxed) + done.exhausted.states;
        let steps =
            self.transitions.fetch_add(done.exhausted.transitions, Ordering::Relaxed) + done.exhausted.transitions;
        let pieces = self.pieces.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.clock.now();
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.is_quiet || now < *next {
            return;
        }
        *next = now + EVERY;
        output::remark(&format!(
            "{:>6.1} s  {} pieces of work done, {} states, {} steps",
            now.seconds(),
            count(pieces),
            count(states),
            count(steps)
        ));
    }
}
