//! `dmswarm replay`: goes the way of a finding once more.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::findings;
use crate::cli::output;
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::Plan;
use crate::explore::premises::Premises;
use crate::explore::testimony::{Testimony, testify};
use crate::explore::unmet::unmet;
use crate::explore::wording::Worded;
use crate::results::FindingFile;
use crate::scenario::Scenario;
use crate::scenario::file::{Overrides, parse};

/// A finding with everything that is needed to go its way.
pub(super) struct Read {
    pub file: FindingFile,
    pub scenario: Scenario,
    pub premises: Premises,
    pub plan: Plan,
    /// Wishes and decisions of the plan without any effect.
    pub unmet: Vec<String>,
}

/// What came of a finding, in virtual time or over HTTPS.
pub(super) struct Outcome<'a> {
    pub over_https: bool,
    /// How many runs were asked for, and how many came to their end.
    pub asked: u32,
    pub runs: usize,
    pub broken_in: usize,
    /// In how many of them the events stood in the order of virtual time.
    pub same_order_in: usize,
    /// Everything that was broken, with its promise.
    pub seen: &'a [String],
}

/// Goes the way of a finding in virtual time, and tells whether it breaks the same promise.
pub fn replay(path: &Path, flags: &Flags) -> Exit {
    let Some(read) = read(path, flags) else { return Exit::Usage };
    let mut lab = Lab::new(&read.premises);
    let testimony = testify(&mut lab, &read.plan, &read.file.promise);
    let is_broken = testimony.breaches.iter().any(|breach| breach.promise == read.file.promise);
    let told = tell(&read, &testimony, is_broken, flags);
    let verdict = if is_broken { Exit::PromiseBroken } else { Exit::NotReproduced };
    if told == Exit::Passed { verdict } else { told }
}

/// Reads a finding; where there is none, it has been told why.
pub(super) fn read(path: &Path, flags: &Flags) -> Option<Read> {
    let wrong = |message: String| output::remark(&format!("error: {message}"));
    let promises: Vec<&str> = judge::promises().collect();
    let file = FindingFile::read(path, &promises).map_err(|error| wrong(error.to_string())).ok()?;
    let scenario = scenario(path, &file, flags)?;
    let kinds = Premises::of(&scenario, file.devices);
    let Some(premises) = kinds.into_iter().find(|premises| premises.kind == file.kind) else {
        wrong(format!(
            "`{}` names a kind of journeys, `{}`, that its scenario does not have",
            path.display(),
            file.kind
        ));
        return None;
    };
    let words = Worded { wishes: file.wishes.clone(), decisions: file.decisions.clone() };
    let plan = words.plan(&premises).map_err(|error| wrong(format!("{}: {error}", path.display()))).ok()?;
    let unmet = unmet(&plan, &mut Lab::new(&premises));
    Some(Read { file, scenario, premises, plan, unmet })
}

/// The scenario of a finding, as the flags want it.
fn scenario(path: &Path, file: &FindingFile, flags: &Flags) -> Option<Scenario> {
    let source = format!("the scenario in {}", path.display());
    let parsed = |overrides: &Overrides| {
        parse(&source, &file.scenario, overrides).map_err(|problems| tell_problems(&problems)).ok()
    };
    // The policy stands in both: whoever has changed one of them is not to believe that it was heard.
    let within = parsed(&Overrides::default())?.policy.key();
    if file.policy != within {
        output::remark(&format!(
            "error: `{}`: `policy` is `{}`, and its scenario says `{within}`; to replay it under another one, give --policy",
            path.display(),
            file.policy
        ));
        return None;
    }
    parsed(&flags.overrides())
}

impl Outcome<'_> {
    /// The same shape for both.
    pub fn json(&self, read: &Read) -> Value {
        json!({
            "schema": "dmswarm.replay/2",
            "promise": read.file.promise,
            "signature": read.file.signature,
            "policy": read.scenario.policy.key(),
            "over_https": self.over_https,
            "reproduced": self.broken_in > 0,
            "asked": self.asked,
            "runs": self.runs,
            "broken_in": self.broken_in,
            "same_order_in": self.same_order_in,
            "seen": self.seen,
            "never_came_to_pass": read.unmet,
        })
    }
}

/// A line for each wish and decision without effect.
pub(super) fn tell_unmet(read: &Read) -> String {
    read.unmet.iter().map(|words| format!("never came to pass: {words}\n")).collect()
}

fn tell(read: &Read, testimony: &Testimony, is_broken: bool, flags: &Flags) -> Exit {
    let file = &read.file;
    if flags.json {
        let seen: Vec<String> =
            testimony.breaches.iter().map(|breach| format!("{}: {breach}", breach.promise)).collect();
        let broken_in = usize::from(is_broken);
        let outcome = Outcome { over_https: false, asked: 1, runs: 1, broken_in, same_order_in: 1, seen: &seen };
        return output::data(&format!("{:#}", outcome.json(read)));
    }
    let mut text = String::new();
    if !flags.quiet {
        let files = findings::files(file, testimony, &read.premises, true);
        text.extend(files.into_iter().filter(|(name, _)| *name == "ladder.txt").map(|(_, ladder)| ladder));
    }
    text.push_str(&tell_unmet(read));
    let breaches = testimony.breaches.iter().filter(|breach| breach.promise == file.promise);
    match is_broken {
        true => breaches.for_each(|breach| text.push_str(&format!("{} is broken: {breach}\n", file.promise))),
        false => text.push_str(&format!("{} is not broken on this way\n", file.promise)),
    }
    output::data(&text)
}
