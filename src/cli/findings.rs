//! From what a search has found to folders on disk: each is gone through once more before it is reported.

use std::path::PathBuf;

use crate::explore::alone::alone;
use crate::explore::hunt::{Finding, Hunted};
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::premises::Premises;
use crate::explore::testimony::{Testimony, testify};
use crate::explore::wording::Worded;
use crate::rehearse::prepare::can_be_staged;
use crate::report::finding::{Scene, ladder, mermaid, page};
use crate::results::{FindingFile, FolderError, SearchFolder};
use crate::scenario::Scenario;

/// A finding that has its folder.
pub struct Kept {
    pub file: FindingFile,
    pub folder: PathBuf,
    /// How many ways led to it.
    pub times: u64,
    /// Whether it can be brought about over HTTPS, and seen there.
    pub over_https: bool,
}

/// Goes the way of each finding once more, and writes the folders of those that break their promise again, the weightiest
/// promise first, then the shortest plan.
///
/// # Errors
/// [`FolderError`] when they cannot be written.
pub fn keep(
    folder: &SearchFolder,
    scenario: &Scenario,
    premises: &[Premises],
    hunted: &Hunted,
) -> Result<Vec<Kept>, FolderError> {
    let single =
        if premises.iter().any(|kind| kind.devices.len() > 1) { Premises::of(scenario, 1) } else { Vec::new() };
    let mut told: Vec<Told<'_>> = Vec::new();
    for finding in &hunted.findings {
        // What one device shows is told of that device.
        let of_one = single.get(finding.kind).and_then(|single| of_one(finding, &premises[finding.kind], single));
        let one = of_one.or_else(|| once_more(finding.clone(), &premises[finding.kind]));
        let Some(one) = one else { continue };
        match told.iter_mut().find(|known| known.finding.is_same_as(&one.finding)) {
            Some(known) => known.finding.times += one.finding.times,
            None => told.push(one),
        }
    }
    told.sort_by_key(|one| (weight(one.promise), one.finding.plan.size(), one.finding.piece));
    let mut kept = Vec::new();
    for Told { finding, promise, testimony, premises } in told {
        let file = file_of(&finding, promise, &testimony, scenario, premises);
        let over_https = can_be_staged(scenario, premises, &finding.words, promise);
        let files = files(&file, &testimony, premises, over_https);
        let folder = folder.write_finding(&format!("{}-{}", file.promise, file.signature), &files)?;
        kept.push(Kept { file, folder, times: finding.times, over_https });
    }
    Ok(kept)
}

/// A finding that was gone through once more.
struct Told<'p> {
    finding: Finding,
    promise: &'static str,
    testimony: Testimony,
    premises: &'p Premises,
}

/// Nothing that the search has worked out is taken on trust.
fn once_more(finding: Finding, premises: &Premises) -> Option<Told<'_>> {
    let promise = weightiest(&finding.promises)?;
    let testimony = testify(&mut Lab::new(premises), &finding.plan, promise);
    let is_broken = testimony.breaches.iter().any(|breach| breach.promise == promise);
    is_broken.then_some(Told { finding, promise, testimony, premises })
}

/// The same as a finding about the only device of these premises, where it breaks there as well.
fn of_one<'p>(finding: &Finding, premises: &Premises, single: &'p Premises) -> Option<Told<'p>> {
    let plan = alone(&finding.plan, premises, single)?;
    let words = Worded::new(&plan, single);
    once_more(Finding { plan, words, ..finding.clone() }, single)
}

/// The files of a finding, by their names. `over_https`: whether it can be seen again there.
pub fn files(
    file: &FindingFile,
    testimony: &Testimony,
    premises: &Premises,
    over_https: bool,
) -> Vec<(&'static str, String)> {
    let decisions: Vec<String> =
        file.wishes.iter().map(|wish| format!("wish: {wish}")).chain(file.decisions.clone()).collect();
    let commands = ["dmswarm replay finding.toml", "dmswarm replay finding.toml --https"].map(str::to_owned);
    let commands = if over_https { &commands[..] } else { &commands[..1] };
    let title = format!("{} ({})", file.promise, file.signature);
    let breaches = testimony.breaches.iter().filter(|breach| breach.promise == file.promise);
    let seen: Vec<String> = breaches.map(ToString::to_string).collect();
    let (is_broken, seen) = (!seen.is_empty(), seen.join("; "));
    let scene = Scene {
        title: &title,
        promise: &file.promise,
        says: &file.says,
        is_broken,
        seen: &seen,
        decisions: &decisions,
        commands,
        beliefs: &testimony.beliefs,
        names: premises,
        facts: &testimony.facts,
        broke_at: testimony.broke_at,
        orphan: testimony.orphan,
    };
    vec![
        ("finding.toml", file.text()),
        ("ladder.txt", ladder(&scene)),
        ("ladder.mmd", mermaid(&scene)),
        ("finding.html", page(&scene)),
    ]
}

fn file_of(
    finding: &Finding,
    promise: &'static str,
    testimony: &Testimony,
    scenario: &Scenario,
    premises: &Premises,
) -> FindingFile {
    let breaches = &testimony.breaches;
    let of_promise = breaches.iter().filter(|breach| breach.promise == promise);
    let mut promises: Vec<String> = breaches.iter().map(|breach| breach.promise.to_owned()).collect();
    promises.dedup();
    FindingFile {
        schema: FindingFile::SCHEMA.to_owned(),
        promise: promise.to_owned(),
        says: judge::says(promise).to_owned(),
        promises,
        seen: of_promise.map(ToString::to_string).collect(),
        signature: finding.signature(),
        kind: premises.kind.clone(),
        devices: premises.devices.len(),
        policy: scenario.policy.key().to_owned(),
        wishes: finding.words.wishes.clone(),
        decisions: finding.words.decisions.clone(),
        scenario: scenario.to_toml(),
    }
}

/// The promises that say most first: a device that nobody can reach any more is worse than a record too many.
const WEIGHT: [&str; 6] =
    ["manageable", "records_agree", "no_phantom", "accounts_as_recorded", "acls_as_recorded", "nothing_left_over"];

fn weight(promise: &str) -> usize {
    WEIGHT.iter().position(|known| *known == promise).unwrap_or(WEIGHT.len())
}

fn weightiest(promises: &[&'static str]) -> Option<&'static str> {
    promises.iter().copied().min_by_key(|promise| weight(promise))
}
