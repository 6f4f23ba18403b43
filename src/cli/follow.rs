//! `dmswarm explore --from RUN`: the devices of a run that went wrong, followed through virtual time and shrunk.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::{Explore, Flags};
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::explore::told_of;
use crate::cli::findings::{self, Kept};
use crate::cli::output;
use crate::cli::sweeps::From;
use crate::clock::wall_now;
use crate::explore::failed_flow::{self, FailedFlow};
use crate::explore::follow::{Following, follow as follow_record, judged};
use crate::explore::hunt::{Finding, Hunted};
use crate::explore::lab::Lab;
use crate::explore::plan::{Plan, UNBOUNDED};
use crate::explore::premises::Premises;
use crate::explore::trail::Walked;
use crate::explore::wording::Worded;
use crate::explore::{judge, retell, shrink};
use crate::facts::{Fact, lines};
use crate::ids::DeviceNumber;
use crate::report::figures::counted;
use crate::report::following::{self, End};
use crate::results::{RecordedRun, SearchFolder};
use crate::scenario::Scenario;
use crate::scenario::file::{Overrides, parse};

/// One device of the run.
struct Gone {
    device: DeviceNumber,
    facts: Vec<Fact>,
    following: Following,
    /// The promises that are broken at the end of the way.
    broken: Vec<&'static str>,
    /// The first flow on the way that failed and was not meant to, in words.
    failed: Option<String>,
    findings: Vec<Finding>,
    /// Those of them that no plan breaks.
    not_retold: Vec<&'static str>,
}

impl Gone {
    fn end(&self) -> End<'_> {
        End { broken: &self.broken, failed: self.failed.clone(), not_retold: &self.not_retold }
    }
}

/// Follows every device of a run that has a story, or the one that was asked for.
pub fn follow(asked: &Explore, from: &From, flags: &Flags) -> Exit {
    match gone_through(asked, from, flags) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            if !message.is_empty() {
                output::remark(&format!("error: {message}"));
            }
            exit
        }
    }
}

type Failure = (Exit, String);

fn gone_through(asked: &Explore, from: &From, flags: &Flags) -> Result<Exit, Failure> {
    let usage = |message: String| (Exit::Usage, message);
    let From::Run(run) = from else {
        return Err(usage(
            "expected the folder of a run behind --from, found an offset, which goes with --window".to_owned(),
        ));
    };
    if let Some(scenario) = &asked.scenario {
        return Err(usage(format!(
            "expected --from alone: a run's folder has its scenario beside it; leave `{}` out",
            scenario.display()
        )));
    }
    if flags.overrides() != Overrides::default() {
        return Err(usage(
            "what was run cannot be changed afterwards: leave --seed, --policy and --set out".to_owned(),
        ));
    }
    let recorded = RecordedRun::read(run).map_err(|error| usage(error.to_string()))?;
    let source = run.join("scenario.toml").display().to_string();
    let scenario = parse(&source, &recorded.scenario, &Overrides::default()).map_err(|problems| {
        tell_problems(&problems);
        usage(String::new())
    })?;
    let stories = chosen(&recorded, asked.device, run).map_err(usage)?;
    let kinds = Premises::of(&scenario, 1);
    if !flags.quiet && !flags.json {
        output::remark(&format!(
            "{}: policy {}, seed {}, {} of {} over HTTPS",
            scenario.name,
            scenario.policy.key(),
            scenario.seed.0,
            if stories.len() == 1 { "the story" } else { "the stories" },
            counted(stories.len() as u64, "device")
        ));
    }
    let mut all = Vec::new();
    for (device, file, text) in stories {
        let facts =
            lines::read(text, &scenario.names()).map_err(|error| usage(format!("`{}`, {error}", file.display())))?;
        let Some(gone) = go(&scenario, &kinds, *device, facts) else {
            output::remark(&format!("{device}: its journey hands nothing over, so that there is nothing to follow"));
            continue;
        };
        let is_stuck = matches!(gone.following, Following::Stuck(_));
        if !flags.json && (!flags.quiet || is_stuck) {
            output::remark(told(&gone, &scenario).trim_end());
        }
        all.push(gone);
    }
    finish(run, &scenario, &kinds, &all, flags)
}

/// The stories to go after.
fn chosen<'r>(
    recorded: &'r RecordedRun,
    device: Option<u32>,
    run: &Path,
) -> Result<Vec<&'r (DeviceNumber, std::path::PathBuf, String)>, String> {
    let is_asked_for = |number: DeviceNumber| device.is_none_or(|device| device == number.0);
    let stories: Vec<_> = recorded.stories.iter().filter(|(number, ..)| is_asked_for(*number)).collect();
    if stories.is_empty() {
        let known: Vec<String> = recorded.stories.iter().map(|(device, ..)| device.0.to_string()).collect();
        return Err(format!(
            "`{}` has no story of device {}; it has those of {}",
            run.display(),
            device.unwrap_or_default(),
            known.join(", ")
        ));
    }
    Ok(stories)
}

/// Follows one device, and shrinks what it breaks. `None` where it is handed to nobody.
fn go(scenario: &Scenario, kinds: &[Premises], device: DeviceNumber, facts: Vec<Fact>) -> Option<Gone> {
    let premises = Premises::of_device(scenario, device)?;
    let kind = kinds.iter().position(|kind| kind.kind == premises.kind)?;
    let mut lab = Lab::new(&premises);
    let following = follow_record(&mut lab, &facts);
    let mut gone = Gone {
        device,
        facts,
        following,
        broken: Vec::new(),
        failed: None,
        findings: Vec::new(),
        not_retold: Vec::new(),
    };
    let Following::Done(way) = &gone.following else { return Some(gone) };
    let (walked, breaches) = judged(&mut lab, way);
    gone.broken = judge::names(&breaches);
    let journey = premises.parties.population.journey(device);
    let failed = FailedFlow::all(&walked.facts[0], &premises)
        .find(|failed| journey.is_none_or(|journey| !failed.is_meant(journey)));
    gone.failed = failed.as_ref().map(|failed| failed.breach(&premises).seen);
    let plan = retell::plan(&mut lab, UNBOUNDED, &way.trail);
    // A device of its kind is as good as this one, and is the one that is looked at when the plan is replayed.
    let mut lab = Lab::new(&kinds[kind]);
    let is_known = plan.wishes.iter().all(|planned| planned.wish < kinds[kind].wishes.len());
    let found = |plan: Plan, promises| {
        let words = Worded::new(&plan, &kinds[kind]);
        Finding { kind, words, promises, plan, times: 1, piece: u64::from(device.0) }
    };
    for promise in &gone.broken {
        let least = is_known.then(|| shrink::shrink(&mut lab, &plan, promise)).flatten();
        let Some(least) = least else {
            gone.not_retold.push(promise);
            continue;
        };
        let (_, walked) = least.walk(&mut lab);
        let finding = found(least, judge::names(&judge::in_the_end(&walked, &lab)));
        if !gone.findings.iter().any(|known| known.is_same_as(&finding)) {
            gone.findings.push(finding);
        }
    }
    // What is broken says more than that a flow failed over it.
    if let (Some(failed), true) = (failed, gone.broken.is_empty() && is_known) {
        let fails_so = |walked: &Walked, lab: &Lab<'_>| {
            FailedFlow::all(&walked.facts[0], lab.premises()).any(|known| known == failed)
        };
        match shrink::shrink_while(&mut lab, &plan, fails_so) {
            Some(least) => gone.findings.push(found(least, vec![failed_flow::NAME])),
            None => gone.not_retold.push(failed_flow::NAME),
        }
    }
    Some(gone)
}

fn told(gone: &Gone, scenario: &Scenario) -> String {
    following::told(gone.device, &gone.facts, &gone.following, &gone.end(), scenario)
}

fn finish(run: &Path, scenario: &Scenario, kinds: &[Premises], all: &[Gone], flags: &Flags) -> Result<Exit, Failure> {
    let mut hunted = Hunted::default();
    for finding in all.iter().flat_map(|gone| &gone.findings) {
        match hunted.findings.iter_mut().find(|known| known.is_same_as(finding)) {
            Some(known) => known.times += 1,
            None => hunted.findings.push(finding.clone()),
        }
    }
    let could_not = |error: crate::results::FolderError| (Exit::CouldNotRun, error.to_string());
    let mut found = None;
    if !hunted.findings.is_empty() {
        let folder = SearchFolder::create(&flags.out, (&scenario.name, "explore"), wall_now(), scenario.seed.0)
            .map_err(could_not)?;
        let kept = findings::keep(&folder, scenario, kinds, &hunted).map_err(could_not)?;
        found = Some((folder, kept));
    }
    let kept = found.as_ref().map_or(&[][..], |(_, kept)| kept.as_slice());
    let text = format!("{:#}\n", as_json(run, scenario, all, kept));
    if let Some((folder, _)) = &found {
        folder.write("follow.json", &text).map_err(could_not)?;
    }
    let said = match &found {
        _ if flags.json => output::data(&text),
        Some((folder, kept)) => output::data(told_of(kept, folder).trim_start()),
        None => Exit::Passed,
    };
    let is_stuck = all.iter().any(|gone| matches!(gone.following, Following::Stuck(_)));
    let is_broken = all.iter().any(|gone| !gone.broken.is_empty());
    Ok(match said {
        Exit::Passed if is_broken => Exit::PromiseBroken,
        Exit::Passed if is_stuck => Exit::NotReproduced,
        said => said,
    })
}

fn as_json(run: &Path, scenario: &Scenario, all: &[Gone], kept: &[Kept]) -> Value {
    let devices =
        all.iter().map(|gone| following::json(gone.device, &gone.facts, &gone.following, &gone.end(), scenario));
    let findings = kept.iter().map(|kept| {
        json!({
            "signature": kept.file.signature,
            "promise": kept.file.promise,
            "promises": kept.file.promises,
            "wishes": kept.file.wishes,
            "decisions": kept.file.decisions,
            "folder": kept.folder.display().to_string(),
        })
    });
    json!({
        "schema": "dmswarm.follow/1",
        "run": run.display().to_string(),
        "scenario": scenario.name,
        "policy": scenario.policy.key(),
        "devices": devices.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    })
}
