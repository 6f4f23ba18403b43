//! The runs below one folder: found, listed, tagged, removed. What is no run of ours is left alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::measure::{Summary, Verdict};
use crate::results::folder::{json, write_whole};
use crate::results::manifest::RunManifest;
use crate::results::{FolderError, StoredError, StoredRun};

/// A run without an end in whose folder nothing was written for so long is taken for one that was killed.
const SILENT: Duration = Duration::from_secs(600);
/// The newest run, by its word.
const LATEST: &str = "latest";
/// What stands before a tag where runs are named.
const TAG: &str = "tag:";
/// So many names are told where several would fit.
const MOST_NAMED: usize = 5;

/// The runs below one folder, the newest first.
#[derive(Debug)]
pub struct Catalogue {
    pub runs: Vec<Entry>,
    /// Folders of searches (`dmswarm explore`) beside them.
    pub searches: usize,
    /// Folders of campaigns (`dmswarm campaign`), which have runs of their own.
    pub campaigns: usize,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub folder: PathBuf,
    /// The name of its folder.
    pub name: String,
    pub manifest: RunManifest,
    /// `None` where there is none that can be read, as in a run that was killed within its first second.
    pub summary: Option<Summary>,
    /// When something was last written into its folder, as far as that can be told.
    written: Option<SystemTime>,
}

/// Why there is no such run.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("cannot read `{}`: {source}; expected the folder that runs are kept in, as with --out DIR", out.display())]
    NoFolder { out: PathBuf, source: io::Error },
    #[error(
        "`{}` is no folder of a run: {problem}; expected one, as `dmswarm run` makes it, with run.json in it",
        printable(&path.display().to_string())
    )]
    NotOfARun { path: PathBuf, problem: String },
    #[error("there are no runs in `{}`; `dmswarm run` makes one, and --out DIR looks elsewhere", out.display())]
    NoRuns { out: PathBuf },
    #[error(
        "no run is called `{}`: expected a run's folder, the beginning of a name in `{}`, or `latest`; `dmswarm runs` \
         lists them",
        printable(word),
        out.display()
    )]
    NoSuchRun { word: String, out: PathBuf },
    #[error(
        "{number} runs have names that begin with `{}`: {names}; expected enough of one name to tell it apart",
        printable(word)
    )]
    Several { word: String, number: usize, names: String },
    #[error(
        "no run in `{}` has the tag `{}`; `dmswarm runs` lists tags, and `dmswarm runs tag RUN WORD` gives one",
        out.display(),
        printable(tag)
    )]
    NoSuchTag { tag: String, out: PathBuf },
    #[error("cannot remove `{}`: {source}", folder.display())]
    NotRemoved { folder: PathBuf, source: io::Error },
    #[error("`{}` is no folder of a run by now, and was left alone", folder.display())]
    NoRunByNow { folder: PathBuf },
    #[error(transparent)]
    NotWritten(#[from] FolderError),
}

impl Catalogue {
    /// Reads the runs below `out`; other folders and files, links among them, are passed over.
    ///
    /// # Errors
    /// [`CatalogueError::NoFolder`].
    pub fn read(out: &Path) -> Result<Catalogue, CatalogueError> {
        let no_folder = |source| CatalogueError::NoFolder { out: out.to_owned(), source };
        let mut catalogue = Catalogue { runs: Vec::new(), searches: 0, campaigns: 0 };
        for folder in fs::read_dir(out).map_err(no_folder)?.flatten().map(|entry| entry.path()) {
            if !is_own_folder(&folder) {
                continue;
            }
            match Entry::read(&folder) {
                Some(run) => catalogue.runs.push(run),
                None if folder.join("explore.json").is_file() => catalogue.searches += 1,
                None if folder.join("campaign.json").is_file() => catalogue.campaigns += 1,
                None => {}
            }
        }
        let age = |run: &Entry| (run.manifest.started.clone(), run.name.clone());
        catalogue.runs.sort_by_key(|run| std::cmp::Reverse(age(run)));
        Ok(catalogue)
    }

    /// The run that a word means: the folder itself, a name below `out` or the beginning of just one, or `latest`.
    ///
    /// # Errors
    /// [`CatalogueError`] where there is none, or more than one.
    pub fn find(out: &Path, word: &str) -> Result<Entry, CatalogueError> {
        let path = Path::new(word);
        if let Some(run) = Entry::read(path) {
            return Ok(run);
        }
        Catalogue::find_by_name(out, word).map_err(|error| {
            // Whoever names what is there, from here or from `out`, means that and no name.
            let meant = [path.to_owned(), out.join(word)].into_iter().find(|path| !word.is_empty() && path.exists());
            match meant {
                Some(path) => CatalogueError::NotOfARun { problem: why_no_run(&path), path },
                None => error,
            }
        })
    }

    /// The runs that a word means: all with a tag, the earliest first, for `tag:NAME`; else the one that [`Catalogue::find`]
    /// finds.
    ///
    /// # Errors
    /// [`CatalogueError`] where there is none.
    pub fn find_all(out: &Path, word: &str) -> Result<Vec<Entry>, CatalogueError> {
        let Some(tag) = word.strip_prefix(TAG) else { return Catalogue::find(out, word).map(|run| vec![run]) };
        let mut runs = Catalogue::read(out)?.runs;
        runs.retain(|run| run.manifest.tags.iter().any(|known| known == tag));
        runs.reverse();
        if runs.is_empty() {
            return Err(CatalogueError::NoSuchTag { tag: tag.to_owned(), out: out.to_owned() });
        }
        Ok(runs)
    }

    fn find_by_name(out: &Path, word: &str) -> Result<Entry, CatalogueError> {
        let mut runs = Catalogue::read(out)?.runs;
        if runs.is_empty() {
            return Err(CatalogueError::NoRuns { out: out.to_owned() });
        }
        if word == LATEST {
            return Ok(runs.swap_remove(0));
        }
        if let Some(exact) = runs.iter().position(|run| run.name == word) {
            return Ok(runs.swap_remove(exact));
        }
        runs.retain(|run| !word.is_empty() && run.name.starts_with(word));
        match runs.len() {
            0 => Err(CatalogueError::NoSuchRun { word: word.to_owned(), out: out.to_owned() }),
            1 => Ok(runs.swap_remove(0)),
            number => {
                let mut names: Vec<&str> = runs.iter().take(MOST_NAMED).map(|run| run.name.as_str()).collect();
                if number > MOST_NAMED {
                    names.push("...");
                }
                Err(CatalogueError::Several { word: word.to_owned(), number, names: names.join(", ") })
            }
        }
    }
}

impl Entry {
    /// The run in this folder; `None` where its manifest is none of ours.
    pub fn read(folder: &Path) -> Option<Entry> {
        let stored = StoredRun::at(folder);
        let manifest = stored.manifest().ok().filter(|manifest| manifest.schema == RunManifest::SCHEMA)?;
        let name = folder.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned();
        let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok();
        let written =
            ["run.json", "summary.json", "timeline.csv", "events.jsonl.zst"].iter().filter_map(|name| changed(name));
        let written = written.max();
        Some(Entry { folder: folder.to_owned(), name, manifest, summary: stored.summary().ok(), written })
    }

    /// What it amounts to; a run that was killed has been interrupted.
    pub fn verdict(&self) -> Verdict {
        self.manifest.verdict
    }

    /// Whether it may still go on: it has no end, and something was written not long ago.
    pub fn may_be_running(&self, now: SystemTime) -> bool {
        let silent = |written| now.duration_since(written).is_ok_and(|silence| silence > SILENT);
        self.manifest.ended.is_none() && !self.written.is_some_and(silent)
    }

    /// Every file in its folder and those in it, by its path there, with its size in bytes; sorted.
    pub fn files(&self) -> Vec<(String, u64)> {
        let mut files = Vec::new();
        let mut open = vec![self.folder.clone()];
        while let Some(folder) = open.pop() {
            for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                let Ok(about) = fs::symlink_metadata(&path) else { continue };
                if about.is_dir() {
                    open.push(path);
                } else if let Ok(inside) = path.strip_prefix(&self.folder) {
                    files.push((inside.to_string_lossy().into_owned(), about.len()));
                }
            }
        }
        files.sort();
        files
    }

    /// How much its files take together, in bytes.
    pub fn size(&self) -> u64 {
        self.files().iter().map(|(_, size)| size).sum()
    }

    /// Adds words to its tags, or takes them away; the tags that it then has.
    ///
    /// # Errors
    /// [`CatalogueError`] when its manifest is gone, or cannot be written.
    pub fn tag(&self, words: &[String], take_away: bool) -> Result<Vec<String>, CatalogueError> {
        let file = self.folder.join("run.json");
        // What a newer version may have written beside what is known here is kept.
        let read = fs::read(&file).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        let Some(Value::Object(mut manifest)) = read else {
            return Err(CatalogueError::NoRunByNow { folder: self.folder.clone() });
        };
        let mut tags: Vec<String> = self.manifest.tags.clone();
        tags.retain(|tag| !words.contains(tag));
        if !take_away {
            tags.extend_from_slice(words);
        }
        tags.sort();
        tags.dedup();
        if tags.is_empty() {
            manifest.remove("tags");
        } else {
            manifest.insert("tags".to_owned(), tags.clone().into());
        }
        write_whole(&file, &json(&manifest))?;
        Ok(tags)
    }

    /// Removes its folder with everything in it.
    ///
    /// # Errors
    /// [`CatalogueError`] when it is no folder of a run by now, or cannot be removed.
    pub fn remove(&self) -> Result<(), CatalogueError> {
        if !is_own_folder(&self.folder) || Entry::read(&self.folder).is_none() {
            return Err(CatalogueError::NoRunByNow { folder: self.folder.clone() });
        }
        let folder = self.folder.clone();
        fs::remove_dir_all(&self.folder).map_err(|source| CatalogueError::NotRemoved { folder, source })
    }
}

/// What keeps this from being the folder of a run.
fn why_no_run(path: &Path) -> String {
    if !path.is_dir() {
        return "it is a file".to_owned();
    }
    match StoredRun::at(path).manifest() {
        Err(StoredError::Missing { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            "there is no run.json in it".to_owned()
        }
        Err(StoredError::Missing { source, .. }) => format!("its run.json cannot be read: {source}"),
        Err(StoredError::Unreadable { problem, .. }) => format!("its run.json is no manifest: {problem}"),
        Err(error) => error.to_string(),
        Ok(manifest) => {
            let found = printable(&manifest.schema);
            format!("the schema of its run.json is `{found}`, expected `{}`", RunManifest::SCHEMA)
        }
    }
}

/// A word as it was given, without what a terminal would obey.
fn printable(word: &str) -> String {
    let each = word.chars().map(|letter| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    });
    each.collect()
}

/// Whether it is a folder itself, and no link to one.
fn is_own_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

#[cfg(test)]
mod tests;
