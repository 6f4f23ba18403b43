//! The folder of a campaign: made before the first run, saved whole after each, found and read back to go on with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use crate::measure::{Summary, Verdict};
use crate::results::campaign::{Campaign, RunRow, SCHEMA};
use crate::results::folder::{create_fresh, file_safe, json, write_whole};
use crate::results::{FolderError, StoredRun, utc};

/// The campaign itself; without it a folder is none of a campaign.
const RECORD: &str = "campaign.json";
/// The copies that a campaign goes on with, whatever becomes of the files.
const FILE: &str = "campaign.toml";
const SCENARIO: &str = "scenario.toml";
const BESIDE: &str = "beside";
/// Held by whoever runs the campaign; the system takes it back from whoever dies.
const LOCK: &str = "campaign.lock";
/// The newest campaign, by its word.
const LATEST: &str = "latest";

/// The folder of a campaign that nobody else runs meanwhile.
#[derive(Debug)]
pub struct CampaignFolder {
    path: PathBuf,
    /// Locked as long as this is there.
    _lock: File,
}

/// Which runs a folder in it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Runs,
    WarmUp,
}

/// A campaign read back.
#[derive(Debug)]
pub struct Stored {
    pub folder: CampaignFolder,
    pub campaign: Campaign,
    /// The text of its file, and of its scenario.
    pub file: String,
    pub scenario: String,
    /// The files that the scenario names.
    pub beside: BTreeMap<String, String>,
}

/// The folder of a run that the campaign does not know of: it was killed before it could save that.
#[derive(Debug)]
pub struct Left {
    /// As seen from the campaign's.
    pub folder: PathBuf,
    /// The scenario as run, where it was written.
    pub scenario: Option<String>,
    /// Of a run that came to its end by itself.
    pub ended: Option<Summary>,
}

/// Why there is no campaign to go on with, or none that can be kept.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    #[error(
        "`{}` is no folder of a campaign: {problem}; expected one that `dmswarm campaign` has made, with campaign.json in it",
        path.display()
    )]
    NotOfACampaign { path: PathBuf, problem: String },
    #[error("there are no campaigns in `{}`{}; `dmswarm campaign FILE` begins one, and --out DIR looks elsewhere", out.display(), of(named.as_deref()))]
    None { out: PathBuf, named: Option<String> },
    #[error(
        "no campaign is called `{word}`: expected the folder of one, its name in `{}`, or `latest`",
        out.display()
    )]
    NoSuch { word: String, out: PathBuf },
    #[error("cannot read `{}`: {problem}; the campaign cannot go on without it: begin a new one", file.display())]
    Unreadable { file: PathBuf, problem: String },
    #[error(
        "`{}` is being run by another dmswarm just now; wait for it, or end it first",
        folder.display()
    )]
    InUse { folder: PathBuf },
    #[error(transparent)]
    NotWritten(#[from] FolderError),
}

fn of(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" that are called `{name}`"))
}

impl Place {
    /// Its name below the campaign's folder.
    pub fn name(self) -> &'static str {
        match self {
            Place::Runs => "runs",
            Place::WarmUp => "warm-up",
        }
    }
}

impl CampaignFolder {
    /// Makes `<out>/<name>-campaign-<UTC time>-<seed>/` with copies of the campaign file, of the scenario, and of what that
    /// names, and saves the campaign for the first time.
    ///
    /// # Errors
    /// [`CampaignError`] when the place cannot be written.
    pub fn create(
        out: &Path,
        now: SystemTime,
        campaign: &mut Campaign,
        (file, scenario): (&str, &str),
        beside: &BTreeMap<String, String>,
    ) -> Result<CampaignFolder, CampaignError> {
        let no_folder = |source| FolderError::NoFolder { out: out.to_owned(), source };
        fs::create_dir_all(out).map_err(no_folder)?;
        let name = format!("{}-campaign-{}-{}", file_safe(&campaign.name), utc::file_safe(now), campaign.seed);
        let path = create_fresh(out, &name).map_err(no_folder)?;
        let folder = CampaignFolder { _lock: lock(&path)?, path };
        write_whole(&folder.path.join(FILE), file.as_bytes())?;
        write_whole(&folder.path.join(SCENARIO), scenario.as_bytes())?;
        if !beside.is_empty() {
            let place = folder.path.join(BESIDE);
            fs::create_dir(&place).map_err(|source| FolderError::NotWritten { file: place, source })?;
        }
        for (number, (name, text)) in (1..).zip(beside) {
            let copy = format!("{BESIDE}/{number}.csv");
            write_whole(&folder.path.join(&copy), text.as_bytes())?;
            campaign.beside.insert(name.clone(), copy);
        }
        folder.save(campaign)?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves the campaign whole, in place of what was saved before: whatever happens, one of the two is there.
    ///
    /// # Errors
    /// [`FolderError::NotWritten`].
    pub fn save(&self, campaign: &Campaign) -> Result<(), FolderError> {
        let file = self.path.join(RECORD);
        let beside = self.path.join("campaign.tmp");
        let written = File::create(&beside).and_then(|mut open| {
            open.write_all(&json(campaign))?;
            // What the new name stands for is on the disk before the name is.
            open.sync_all()?;
            fs::rename(&beside, &file)?;
            File::open(&self.path)?.sync_all()
        });
        written
            .inspect_err(|_| {
                // What is left of it is of no use; if it cannot be removed either, the first error tells more.
                let _ = fs::remove_file(&beside);
            })
            .map_err(|source| FolderError::NotWritten { file, source })
    }

    /// Writes `campaign.html`, and says where it is.
    ///
    /// # Errors
    /// [`FolderError::NotWritten`].
    pub fn write_page(&self, page: &str) -> Result<PathBuf, FolderError> {
        let file = self.path.join("campaign.html");
        write_whole(&file, page.as_bytes())?;
        Ok(file)
    }

    /// Where a run's folder is, as seen from here.
    pub fn inside(&self, folder: &Path) -> PathBuf {
        folder.strip_prefix(&self.path).unwrap_or(folder).to_owned()
    }

    /// The campaign that a word means: the folder itself, a name in `out`, or `latest` for the newest there, of this name
    /// where one is given.
    ///
    /// # Errors
    /// [`CampaignError`] where there is none.
    pub fn find(out: &Path, word: &Path, named: Option<&str>) -> Result<PathBuf, CampaignError> {
        if word == Path::new(LATEST) && !word.join(RECORD).is_file() {
            return newest(out, named);
        }
        let candidates = [word.to_owned(), out.join(word)];
        if let Some(found) = candidates.iter().find(|path| path.join(RECORD).is_file()) {
            return Ok(found.clone());
        }
        match candidates.into_iter().find(|path| path.exists()) {
            Some(path) if path.is_dir() => {
                Err(CampaignError::NotOfACampaign { path, problem: format!("there is no {RECORD} in it") })
            }
            Some(path) => Err(CampaignError::NotOfACampaign {
                path,
                problem: "it is a file (a campaign file stands before --resume)".to_owned(),
            }),
            None => Err(CampaignError::NoSuch { word: printable(word), out: out.to_owned() }),
        }
    }

    /// Reads a campaign back, to go on with it.
    ///
    /// # Errors
    /// [`CampaignError`] where it is none, something of it is missing, or somebody else runs it.
    pub fn open(path: &Path) -> Result<Stored, CampaignError> {
        let no_campaign = |problem| CampaignError::NotOfACampaign { path: path.to_owned(), problem };
        let text = fs::read(path.join(RECORD)).map_err(|error| no_campaign(format!("its {RECORD}: {error}")))?;
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| no_campaign(format!("its {RECORD} is no JSON: {error}")))?;
        let schema = value["schema"].as_str().unwrap_or("nothing");
        if schema != SCHEMA {
            return Err(no_campaign(format!(
                "the schema of its {RECORD} is `{}`, expected `{SCHEMA}`",
                schema.escape_debug()
            )));
        }
        let campaign: Campaign = serde_json::from_value(value)
            .map_err(|error| no_campaign(format!("its {RECORD} is none of this version: {error}")))?;
        if let Some(problem) = inconsistency(&campaign) {
            return Err(no_campaign(format!("its {RECORD} is not as dmswarm writes it: {problem}")));
        }
        let folder = CampaignFolder { _lock: lock(path)?, path: path.to_owned() };
        let read = |name: &str| {
            let file = path.join(name);
            fs::read_to_string(&file).map_err(|error| CampaignError::Unreadable { file, problem: error.to_string() })
        };
        let beside = campaign.beside.iter().map(|(name, copy)| Ok((name.clone(), read(copy)?)));
        let beside = beside.collect::<Result<BTreeMap<_, _>, CampaignError>>()?;
        Ok(Stored { file: read(FILE)?, scenario: read(SCENARIO)?, beside, folder, campaign })
    }

    /// The folders of runs that the campaign does not know of, by name.
    pub fn left_over(&self, campaign: &Campaign) -> Vec<Left> {
        let runs = campaign.runs.iter().map(|run| &run.folder);
        let known: BTreeSet<&PathBuf> = runs.chain(campaign.cut.iter().map(|run| &run.folder)).collect();
        let entries = fs::read_dir(self.path.join(Place::Runs.name())).into_iter().flatten().flatten();
        let mut unknown: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .map(|path| self.inside(&path))
            .filter(|path| !known.contains(path))
            .collect();
        unknown.sort();
        unknown.into_iter().map(|folder| self.left(folder)).collect()
    }

    fn left(&self, folder: PathBuf) -> Left {
        let place = self.path.join(&folder);
        let stored = StoredRun::at(&place);
        let has_ended = stored.manifest().is_ok_and(|run| run.ended.is_some() && run.verdict != Verdict::Interrupted);
        let ended = stored.summary().ok().filter(|_| has_ended);
        Left { scenario: fs::read_to_string(place.join("scenario.toml")).ok(), ended, folder }
    }
}

/// What cannot be in a record that nobody has changed: runs that are none of the campaign, and places outside its folder.
fn inconsistency(campaign: &Campaign) -> Option<String> {
    let mut seen = BTreeSet::new();
    for RunRow { cell, repeat, .. } in &campaign.runs {
        let is_planned = campaign.cells.iter().any(|row| row.cell == *cell) && (1..=campaign.repeats).contains(repeat);
        if !is_planned {
            return Some(format!("it has no cell {cell} with a repeat {repeat}, of which there is a run"));
        }
        if !seen.insert((cell, repeat)) {
            return Some(format!("cell {cell} has repeat {repeat} twice"));
        }
    }
    let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    let below = |path: &Path, place: Place| path.starts_with(place.name()) && plain(path);
    let runs = campaign.runs.iter().map(|run| &run.folder).chain(campaign.cut.iter().map(|run| &run.folder));
    let wild = runs
        .chain(campaign.warm_up.iter().map(|run| &run.folder))
        .find(|folder| !below(folder, Place::Runs) && !below(folder, Place::WarmUp));
    let copies = campaign.beside.values().map(Path::new).find(|copy| !plain(copy));
    wild.map(PathBuf::as_path).or(copies).map(|path| format!("`{}` is no place in its folder", printable(path)))
}

/// The newest campaign below `out`, by when it was begun.
fn newest(out: &Path, named: Option<&str>) -> Result<PathBuf, CampaignError> {
    let begun = |path: &Path| {
        let text = fs::read(path.join(RECORD)).ok()?;
        let value: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let is_wanted = value["schema"] == SCHEMA && named.is_none_or(|name| value["name"] == name);
        is_wanted.then(|| value["started"].as_str().map(str::to_owned)).flatten()
    };
    let folders = fs::read_dir(out).into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = folders.filter_map(|path| Some((begun(&path)?, path))).max();
    newest
        .map(|(_, path)| path)
        .ok_or_else(|| CampaignError::None { out: out.to_owned(), named: named.map(str::to_owned) })
}

/// Keeps everybody else from running the campaign in this folder.
fn lock(path: &Path) -> Result<File, CampaignError> {
    let file = path.join(LOCK);
    let not_written = |source| FolderError::NotWritten { file: file.clone(), source };
    let open = File::create(&file).map_err(not_written)?;
    match open.try_lock() {
        Ok(()) => Ok(open),
        Err(TryLockError::WouldBlock) => Err(CampaignError::InUse { folder: path.to_owned() }),
        // A file system without locks keeps nobody out.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(open),
        Err(TryLockError::Error(source)) => Err(not_written(source).into()),
    }
}

fn printable(word: &Path) -> String {
    word.display().to_string().escape_debug().to_string()
}
