//! `dmswarm replay --https`: brings about the way of a finding over real HTTPS, and compares.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::races::HowOften;
use crate::cli::replay::{Read, read};
use crate::cli::run::options;
use crate::explore::premises::Premises;
use crate::explore::wording::Worded;
use crate::rehearse::replay::{Difference, Rehearsed, rehearse as run_once};
use crate::rehearse::staging::{shortened, stage};
use crate::report::figures::counted;
use crate::run::RunError;

/// Runs a finding over HTTPS as often as asked.
pub fn rehearse(path: &Path, how: HowOften, flags: &Flags) -> Exit {
    let Some(read) = read(path, flags) else { return Exit::Usage };
    let wrong = |message: String| {
        output::remark(&format!("error: {message}"));
        Exit::CouldNotRun
    };
    let shortened = shortened(&read.scenario, &read.premises);
    let Some(premises) = Premises::of(&shortened, read.premises.devices.len()).into_iter().next() else {
        return wrong("the scenario of the finding hands no device over".to_owned());
    };
    // The same words, among the same parties with other timeouts.
    let words = Worded { wishes: read.file.wishes.clone(), decisions: read.file.decisions.clone() };
    let plan = match words.plan(&premises) {
        Ok(plan) => plan,
        Err(error) => return wrong(error.to_string()),
    };
    let staged = match stage(&shortened, &premises, &plan, &read.file.promises) {
        Ok(staged) => staged,
        Err(error) => return wrong(error.to_string()),
    };
    if flags.verbose {
        output::remark(&staged.to_toml());
    }
    let (next, options) = (AtomicU32::new(0), options(flags));
    let ended: Mutex<Vec<(u32, Result<Rehearsed, RunError>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..how.at_once.min(how.repeat) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= how.repeat {
                        break;
                    }
                    let ran = run_once(&staged, &premises, &plan, &options);
                    ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, ran));
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    ended.sort_by_key(|(number, _)| *number);
    tell(&read, ended.into_iter().map(|(_, ran)| ran).collect(), flags)
}

fn tell(read: &Read, ended: Vec<Result<Rehearsed, RunError>>, flags: &Flags) -> Exit {
    let (ran, errors): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_ok);
    let ran: Vec<Rehearsed> = ran.into_iter().filter_map(Result::ok).collect();
    for error in errors.iter().filter_map(|error| error.as_ref().err()) {
        output::remark(&format!("error: {error}"));
    }
    let promise = read.file.promise.as_str();
    let breaks = |one: &&Rehearsed| one.broken.contains(&promise);
    let (broken, alike) = (ran.iter().filter(breaks).count(), ran.iter().filter(|one| one.differs.is_empty()).count());
    let asked = ran.len() + errors.len();
    let shown = if flags.json {
        let runs: Vec<_> = ran
            .iter()
            .map(|one| {
                let differs: Vec<String> = one.differs.iter().map(in_words).collect();
                json!({
                    "broken": one.broken, "seen": one.seen, "same_order": one.differs.is_empty(),
                    "differs": differs, "folder": one.finished.folder,
                })
            })
            .collect();
        let json = json!({
            "schema": "dmswarm.replay/1", "promise": promise, "signature": read.file.signature,
            "policy": read.scenario.policy.key(), "over_https": true, "reproduced": broken, "runs": runs,
        });
        output::data(&format!("{json:#}"))
    } else {
        output::data(&text(promise, &ran, broken, alike, asked))
    };
    let verdict = match broken {
        _ if !errors.is_empty() => Exit::CouldNotRun,
        0 => Exit::NotReproduced,
        _ => Exit::PromiseBroken,
    };
    if shown == Exit::Passed { verdict } else { shown }
}

fn text(promise: &str, ran: &[Rehearsed], broken: usize, alike: usize, asked: usize) -> String {
    let runs = counted(asked as u64, "run");
    let mut text = format!("{promise} broken over HTTPS in {broken} of {runs}\n");
    text.push_str(&format!("events at each server in the order of virtual time in {alike} of {runs}\n"));
    if let Some(one) = ran.iter().find(|one| !one.differs.is_empty()) {
        one.differs.iter().for_each(|difference| text.push_str(&format!("    {}\n", in_words(difference))));
    }
    if let Some(one) = ran.iter().find(|one| one.broken.contains(&promise)).or(ran.first()) {
        one.seen.iter().for_each(|seen| text.push_str(&format!("    {seen}\n")));
        text.push_str(&format!("see {}\n", one.finished.folder.display()));
    }
    text
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
