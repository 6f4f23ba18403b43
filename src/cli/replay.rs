//! `dmswarm replay`: goes the way of a finding once more.

use std::path::Path;

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::findings;
use crate::cli::output;
use crate::explore::lab::Lab;
use crate::explore::plan::Plan;
use crate::explore::premises::Premises;
use crate::explore::testimony::{Testimony, testify};
use crate::explore::wording::Worded;
use crate::results::FindingFile;
use crate::scenario::Scenario;
use crate::scenario::file::parse;

/// A finding with everything that is needed to go its way.
pub(super) struct Read {
    pub file: FindingFile,
    pub scenario: Scenario,
    pub premises: Premises,
    pub plan: Plan,
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
    let file = FindingFile::read(path).map_err(|error| wrong(error.to_string())).ok()?;
    let source = format!("the scenario in {}", path.display());
    let scenario =
        parse(&source, &file.scenario, &flags.overrides()).map_err(|problems| tell_problems(&problems)).ok()?;
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
    Some(Read { file, scenario, premises, plan })
}

fn tell(read: &Read, testimony: &Testimony, is_broken: bool, flags: &Flags) -> Exit {
    let file = &read.file;
    if flags.json {
        let json = serde_json::json!({
            "schema": "dmswarm.replay/1",
            "promise": file.promise,
            "signature": file.signature,
            "policy": read.scenario.policy.key(),
            "over_https": false,
            "reproduced": is_broken,
            "seen": testimony.breaches.iter().map(|breach| format!("{}: {breach}", breach.promise)).collect::<Vec<_>>(),
        });
        return output::data(&format!("{json:#}"));
    }
    let mut text = String::new();
    if !flags.quiet {
        let files = findings::files(file, testimony, &read.premises);
        text.extend(files.into_iter().filter(|(name, _)| *name == "ladder.txt").map(|(_, ladder)| ladder));
    }
    let breaches = testimony.breaches.iter().filter(|breach| breach.promise == file.promise);
    match is_broken {
        true => breaches.for_each(|breach| text.push_str(&format!("{} is broken: {breach}\n", file.promise))),
        false => text.push_str(&format!("{} is not broken on this way\n", file.promise)),
    }
    output::data(&text)
}
