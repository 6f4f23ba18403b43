//! The scenario of each cell: read beforehand with its settings, so that a bad value is told before anything runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::campaign::file::CampaignFile;
use crate::campaign::matrix::{Cell, Setting};
use crate::campaign::order::{Job, seed_of_repeat};
use crate::delegation::policy::Policy;
use crate::scenario::external::CannotDrive;
use crate::scenario::file::{Overrides, parse_beside, read_arrivals, read_text};
use crate::scenario::problem::{Problem, Problems, Span};
use crate::scenario::{QUICKSTART, Scenario};
use crate::seed::Seed;

/// The scenario that is compiled in, by its word.
const BUILT_IN: &str = "quickstart";
const SEED: &str = "seed";
const POLICY: &str = "policy";

/// The text of the scenario that a campaign runs, and of the files that it names.
#[derive(Debug)]
pub struct Source {
    /// What problems call it.
    name: String,
    text: String,
    /// Where files beside it are; `None` where they have all been read before.
    folder: Option<PathBuf>,
    /// By the names that the scenario has for them.
    beside: RefCell<BTreeMap<String, String>>,
}

/// What the command line sets over the files.
#[derive(Debug, Clone, Default)]
pub struct Over {
    /// For all cells.
    pub sets: Vec<String>,
    pub policy: Option<Policy>,
}

/// The cells of a campaign, of which each is a scenario without problems.
#[derive(Debug)]
pub struct Cells {
    source: Source,
    /// In the order of their numbers.
    cells: Vec<Cell>,
    /// What holds for all of them.
    common: Vec<String>,
    policy: Option<Policy>,
    /// Whether the runs have a seed by their settings, whatever the cell.
    has_seed: bool,
    seed: Seed,
}

/// Why a campaign cannot be run as it is.
#[derive(Debug)]
pub enum Wrong {
    /// Settings of the campaign file, and the scenario with them.
    Problems {
        /// At settings of the file.
        in_file: Option<Problems>,
        /// Elsewhere, each with the cells that have it, in words.
        elsewhere: Vec<(String, Problems)>,
    },
    /// What the command line sets is what cells differ in.
    Clash(String),
    /// A scenario that is for serving alone.
    CannotDrive { cell: String, why: CannotDrive },
}

impl Source {
    /// The scenario that a campaign file names.
    ///
    /// # Errors
    /// That it cannot be read, told at its place in the file.
    pub fn read(file: &CampaignFile, folder: &Path) -> Result<Source, Problems> {
        if file.scenario == BUILT_IN {
            let name = format!("{BUILT_IN} (built in)");
            return Ok(Source { name, text: QUICKSTART.to_owned(), folder: None, beside: RefCell::default() });
        }
        let path = folder.join(&file.scenario);
        let name = path.display().to_string();
        let text = read_text(&path, "scenario").map_err(|error| {
            let problem = Problem::new(file.scenario_at.clone(), format!("cannot read `{name}`: {error}"));
            file.problems(vec![problem.hint("name a scenario file as seen from this one, or `quickstart`")])
        })?;
        let folder = Some(path.parent().unwrap_or(Path::new("")).to_owned());
        Ok(Source { name, text, folder, beside: RefCell::default() })
    }

    /// What was kept of one.
    pub fn stored(name: &str, text: String, beside: BTreeMap<String, String>) -> Source {
        Source { name: name.to_owned(), text, folder: None, beside: RefCell::new(beside) }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The files that it names, so far as it was read with the settings of cells.
    pub fn beside(&self) -> BTreeMap<String, String> {
        self.beside.borrow().clone()
    }

    fn scenario(&self, overrides: &Overrides) -> Result<Scenario, Problems> {
        let file = |name: &str| {
            if let Some(known) = self.beside.borrow().get(name) {
                return Ok(known.clone());
            }
            let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no copy of it in the campaign's folder");
            let text = read_arrivals(&self.folder.as_ref().ok_or_else(missing)?.join(name))?;
            self.beside.borrow_mut().insert(name.to_owned(), text.clone());
            Ok(text)
        };
        parse_beside(&self.name, &self.text, overrides, &file)
    }
}

impl Cells {
    /// Reads the scenario of every cell. `seed` is the campaign's.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn read(file: &CampaignFile, source: Source, over: &Over, seed: Seed) -> Result<Cells, Wrong> {
        if let Some(clash) = clash(file, over) {
            return Err(Wrong::Clash(clash));
        }
        let common: Vec<String> = file.set.iter().map(Setting::text).chain(over.sets.iter().cloned()).collect();
        let has_seed = has_seed(&source.text) || common.iter().any(|set| path_of(set) == SEED);
        let cells = Cells { source, cells: file.cells.clone(), common, policy: over.policy, has_seed, seed };
        let (mut in_file, mut elsewhere): (Vec<Problem>, Vec<Elsewhere>) = (Vec::new(), Vec::new());
        for (number, cell) in (1..).zip(&cells.cells) {
            match cells.scenario(Job { cell: number, repeat: 1 }) {
                Ok(scenario) => {
                    if let Some(why) = CannotDrive::of(&scenario) {
                        return Err(Wrong::CannotDrive { cell: cells.words(number), why });
                    }
                }
                Err(problems) => {
                    let (moved, left) = problems.moved(|set, part| place_of(file, cell, over.sets.len(), set, part));
                    moved.into_iter().for_each(|problem| {
                        if !in_file.contains(&problem) {
                            in_file.push(problem);
                        }
                    });
                    left.into_iter().for_each(|left| Elsewhere::add(&mut elsewhere, left, number));
                }
            }
        }
        if in_file.is_empty() && elsewhere.is_empty() {
            return Ok(cells);
        }
        let in_file = (!in_file.is_empty()).then(|| file.problems(in_file));
        let elsewhere = elsewhere.into_iter().map(|one| (one.whose(&cells), one.problems)).collect();
        Err(Wrong::Problems { in_file, elsewhere })
    }

    /// The scenario of a run.
    ///
    /// # Errors
    /// What is wrong with it; there is nothing once [`Cells::read`] has found nothing.
    pub fn scenario(&self, job: Job) -> Result<Scenario, Problems> {
        let cell = &self.cells[job.cell as usize - 1];
        let own_seed = self.has_seed || cell.settings.iter().any(|setting| setting.path == SEED);
        let sets = self.common.iter().cloned().chain(cell.settings.iter().map(Setting::text));
        self.source.scenario(&Overrides {
            seed: (!own_seed).then(|| seed_of_repeat(self.seed, job.repeat).0),
            policy: self.policy,
            sets: sets.collect(),
        })
    }

    /// All cells, in the order of their numbers.
    pub fn all(&self) -> &[Cell] {
        &self.cells
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    fn words(&self, number: u32) -> String {
        let settings = &self.cells[number as usize - 1].settings;
        let told: Vec<String> = settings.iter().map(Setting::text).collect();
        if told.is_empty() { format!("cell {number}") } else { format!("cell {number} ({})", told.join(" ")) }
    }
}

/// Problems that are not at a setting of the campaign file.
struct Elsewhere {
    problems: Problems,
    told: String,
    cells: Vec<u32>,
}

impl Elsewhere {
    /// What several cells have alike is told once.
    fn add(all: &mut Vec<Elsewhere>, problems: Problems, cell: u32) {
        let told = problems.render(false);
        match all.iter_mut().find(|known| known.told == told) {
            Some(known) => known.cells.push(cell),
            None => all.push(Elsewhere { problems, told, cells: vec![cell] }),
        }
    }

    fn whose(&self, cells: &Cells) -> String {
        match &self.cells[..] {
            all if all.len() == cells.cells.len() => "in every cell".to_owned(),
            [] => String::new(),
            [one] => format!("in {}", cells.words(*one)),
            [first, others @ ..] => format!("in {} and {} more", cells.words(*first), others.len()),
        }
    }
}

/// Where in the campaign file an override of a cell's scenario stands; those of the command line stand nowhere.
fn place_of(file: &CampaignFile, cell: &Cell, from_outside: usize, set: usize, part: Span) -> Option<Span> {
    let own = || cell.settings.get(set.checked_sub(file.set.len() + from_outside)?);
    file.set.get(set).or_else(own).map(|setting| setting.place_of(part))
}

/// A setting of the command line that cells differ in.
fn clash(file: &CampaignFile, over: &Over) -> Option<String> {
    let differ = |path: &str| file.cells.iter().any(|cell| cell.settings.iter().any(|setting| setting.path == path));
    let of_policy = over.policy.map(|_| ("--policy", POLICY));
    let of_sets = over.sets.iter().map(|set| ("--set", path_of(set)));
    let (flag, path) = of_sets.chain(of_policy).find(|(_, path)| differ(path))?;
    Some(format!(
        "`{flag}` sets `{path}` for every cell, and the cells of {} differ in it; take one of the two away",
        file.name
    ))
}

fn path_of(set: &str) -> &str {
    set.split('=').next().unwrap_or_default().trim()
}

/// Whether a scenario names a seed itself. One that cannot be read has worse problems.
fn has_seed(text: &str) -> bool {
    text.parse::<toml::Table>().is_ok_and(|table| table.contains_key(SEED))
}

#[cfg(test)]
mod tests;
