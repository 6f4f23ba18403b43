//! `dmswarm replay --https`: brings about the way of a finding over real HTTPS, and compares.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::races::HowOften;
use crate::cli::replay::{Outcome, Read, read, tell_unmet};
use crate::cli::run::{exit_of, options};
use crate::cli::targets::Outside;
use crate::explore::wording::Worded;
use crate::measure::Verdict;
use crate::rehearse::prepare::{Prepared, Unfit, prepare};
use crate::rehearse::replay::{Difference, Rehearsed, rehearse as run_once};
use crate::report::figures::counted;
use crate::run::{Options, RunError, Watch};

/// Runs a finding over HTTPS as often as asked.
pub fn rehearse(path: &Path, how: HowOften, outside: Outside, flags: &Flags) -> Exit {
    let Some(read) = read(path, flags) else { return Exit::Usage };
    if read.scenario.has_external_parties() && how.repeat > 1 {
        output::remark(
            "error: a server that is somebody else's remembers what became of the device: bring it about once, then start it \
             anew",
        );
        return Exit::Usage;
    }
    let words = Worded { wishes: read.file.wishes.clone(), decisions: read.file.decisions.clone() };
    let looked_at = (read.file.promise.as_str(), read.file.promises.as_slice());
    let prepared = match prepare(&read.scenario, &read.premises, &words, looked_at) {
        Ok(prepared) => prepared,
        Err(error) => {
            output::remark(&format!("error: {error}; without --https it is replayed in virtual time"));
            let is_never = matches!(error, Unfit::OnlyInSearch { .. });
            return if is_never { Exit::Usage } else { Exit::CouldNotRun };
        }
    };
    if flags.verbose {
        output::remark(&prepared.scenario.to_toml());
    }
    match run(&prepared, how, &outside.apply(options(flags))) {
        Ok(runs) => tell(&read, &runs, flags),
        Err(error) => {
            output::remark(&format!("error: could not listen for signals: {error}"));
            Exit::CouldNotRun
        }
    }
}

/// What came of all runs.
#[derive(Default)]
struct Runs {
    asked: u32,
    /// Those that came to their end.
    whole: Vec<Rehearsed>,
    errors: BTreeSet<String>,
    /// How the program would have ended by each of them.
    failed: Vec<Exit>,
    interrupted_by: Option<i32>,
}

/// Runs it side by side, until it has been run often enough or somebody interrupts.
fn run(prepared: &Prepared, how: HowOften, options: &Options) -> std::io::Result<Runs> {
    let (next, watch) = (AtomicU32::new(0), Watch::begin()?);
    let ended: Mutex<Vec<(u32, Result<Rehearsed, RunError>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..how.at_once.min(how.repeat) {
            scope.spawn(|| {
                while watch.first().is_none() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= how.repeat {
                        break;
                    }
                    let ran = run_once(prepared, options);
                    ended.lock().unwrap_or_else(PoisonError::into_inner).push((number, ran));
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(number, _)| *number);
    let mut runs = Runs::of(how.repeat, ended.into_iter().map(|(_, ran)| ran));
    runs.interrupted_by = runs.interrupted_by.or(watch.first());
    Ok(runs)
}

impl Runs {
    fn of(asked: u32, ended: impl Iterator<Item = Result<Rehearsed, RunError>>) -> Runs {
        let mut runs = Runs { asked, ..Runs::default() };
        for ran in ended {
            match ran {
                // What had not happened by then says nothing.
                Ok(one) if one.finished.interrupted_by.is_some() => {
                    runs.interrupted_by = one.finished.interrupted_by;
                }
                Ok(one) => runs.whole.push(one),
                Err(error) if error.signal().is_some() => runs.interrupted_by = error.signal(),
                Err(error) => {
                    runs.errors.insert(error.to_string());
                    runs.failed.push(exit_of(&error));
                }
            }
        }
        runs
    }

    fn breaking<'a>(&'a self, promise: &'a str) -> impl Iterator<Item = &'a Rehearsed> {
        self.whole.iter().filter(move |one| one.broken.contains(&promise))
    }

    fn count(&self, is_it: impl Fn(&Rehearsed) -> bool) -> usize {
        self.whole.iter().filter(|one| is_it(one)).count()
    }

    fn in_same_order(&self) -> usize {
        self.count(|one| one.differs.is_empty())
    }

    fn exit(&self, promise: &str) -> Exit {
        let came_about =
            if self.breaking(promise).next().is_some() { Exit::PromiseBroken } else { Exit::NotReproduced };
        match self.interrupted_by {
            _ if !self.failed.is_empty() => Exit::weightiest(self.failed.iter().copied()),
            Some(signal) => Exit::of_verdict(Verdict::Interrupted, Some(signal)),
            None => came_about,
        }
    }

    fn json(&self, read: &Read) -> Value {
        let promise = read.file.promise.as_str();
        let each = self.whole.iter().map(|one| {
            let differs: Vec<String> = one.differs.iter().map(in_words).collect();
            json!({
                "broken": one.broken, "seen": one.seen, "unjudged": one.unjudged.contains(&promise),
                "same_order": one.differs.is_empty(), "differs": differs, "folder": one.finished.folder,
            })
        });
        let outcome = Outcome {
            over_https: true,
            asked: self.asked,
            runs: self.whole.len(),
            broken_in: self.breaking(promise).count(),
            same_order_in: self.in_same_order(),
            seen: self.breaking(promise).next().map_or(&[], |one| &one.seen),
        };
        let mut json = outcome.json(read);
        json["unjudged_in"] = self.count(|one| one.unjudged.contains(&promise)).into();
        json["interrupted_by"] = self.interrupted_by.into();
        json["each"] = each.collect();
        json
    }

    fn text(&self, promise: &str) -> String {
        let (done, broken) = (self.whole.len(), self.breaking(promise).count());
        if self.interrupted_by.is_some() {
            let asked = counted(u64::from(self.asked), "run");
            return format!("interrupted: {done} of {asked} done, {promise} broken over HTTPS in {broken} of them\n");
        }
        let runs = counted(done as u64, "run");
        let mut text = format!("{promise} broken over HTTPS in {broken} of {runs}\n");
        let unjudged = self.count(|one| one.unjudged.contains(&promise));
        if unjudged > 0 {
            text.push_str(&format!("it could not be judged in {unjudged} of {runs}\n"));
        }
        let alike = self.in_same_order();
        text.push_str(&format!("events at each server in the order of virtual time in {alike} of {runs}\n"));
        if let Some(one) = self.whole.iter().find(|one| !one.differs.is_empty()) {
            one.differs.iter().for_each(|difference| text.push_str(&format!("    {}\n", in_words(difference))));
        }
        if let Some(one) = self.breaking(promise).next().or(self.whole.first()) {
            one.seen.iter().for_each(|seen| text.push_str(&format!("    {seen}\n")));
            text.push_str(&format!("see {}\n", one.finished.folder.display()));
        }
        text
    }
}

fn tell(read: &Read, runs: &Runs, flags: &Flags) -> Exit {
    runs.errors.iter().for_each(|error| output::remark(&format!("error: {error}")));
    let not_written = runs.whole.iter().find_map(|one| one.finished.not_written.as_ref());
    if let Some(error) = not_written {
        output::remark(&format!("error: {error}"));
    }
    let promise = read.file.promise.as_str();
    // Where nothing was run there is nothing to count.
    let shown = match (flags.json, runs.whole.is_empty() && runs.interrupted_by.is_none()) {
        (_, true) => Exit::Passed,
        (true, _) => output::data(&format!("{:#}", runs.json(read))),
        (false, _) => output::data(&format!("{}{}", tell_unmet(read), runs.text(promise))),
    };
    let failed = if not_written.is_some() { Exit::CouldNotRun } else { shown };
    if failed == Exit::Passed { runs.exit(promise) } else { failed }
}

fn in_words(difference: &Difference) -> String {
    let event = |event: &Option<String>| event.clone().unwrap_or_else(|| "nothing more".to_owned());
    format!(
        "at {}, after {} that are the same: `{}` in virtual time, `{}` over HTTPS",
        difference.server,
        counted(difference.after as u64, "event"),
        event(&difference.virtually),
        event(&difference.over_https)
    )
}
