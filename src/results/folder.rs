//! The folder of one run: made before the load starts, filled as it goes, readable at every moment.
//!
//! Files are replaced whole (written beside, then renamed), so that a run that is killed leaves no half file; the
//! timeline grows by whole lines. A file that would be empty is not made.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::measure::latency::Metric;
use crate::measure::promise::PromiseResult;
use crate::measure::timeline::TimelineRow;
use crate::measure::{Shard, Summary};
use crate::results::junit;
use crate::results::latency_log::{self, SERVICE};
use crate::results::manifest::RunManifest;
use crate::results::recorded::Story;
use crate::results::utc;

/// Folders of the same name that are tried before giving up.
const MOST_NAMESAKES: u32 = 1_000;
/// What happened, in order.
const EVENTS: &str = "events.jsonl.zst";
/// Fast, and small enough.
const ZSTD_LEVEL: i32 = 3;

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Files that grow.
    growing: BTreeMap<&'static str, File>,
}

/// Why results cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error(
        "cannot make a folder for the results in `{}`: {source}; choose a place that can be written with --out DIR",
        out.display()
    )]
    NoFolder { out: PathBuf, source: io::Error },
    #[error(
        "cannot write `{}`: {source}; make room or choose another place with --out DIR",
        file.display()
    )]
    NotWritten { file: PathBuf, source: io::Error },
}

impl RunFolder {
    /// Makes `<out>/<scenario>-<UTC time>-<seed>/`, with `-2`, `-3`... after a name that is taken, and writes the first
    /// manifest into it: what follows can be written too. Nothing of a load has to be under way for this.
    ///
    /// # Errors
    /// [`FolderError`] when the place cannot be written.
    pub fn create(
        out: &Path,
        scenario: &str,
        now: SystemTime,
        seed: u64,
        manifest: &RunManifest,
    ) -> Result<RunFolder, FolderError> {
        let no_folder = |source| FolderError::NoFolder { out: out.to_owned(), source };
        fs::create_dir_all(out).map_err(no_folder)?;
        let name = format!("{}-{}-{seed}", file_safe(scenario), utc::file_safe(now));
        let path = create_fresh(out, &name).map_err(no_folder)?;
        let folder = RunFolder { path, growing: BTreeMap::new() };
        folder.write_run(manifest)?;
        Ok(folder)
    }

    /// Removes the folder of a run that was never loaded, as far as that can be done.
    pub fn discard(path: &Path) {
        // Why nothing was loaded is told; that a folder is left over is not worth hiding it.
        let _ = fs::remove_dir_all(path);
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `scenario.toml`: the scenario as run.
    ///
    /// # Errors
    /// [`FolderError::NotWritten`], here and in all that follows.
    pub fn write_scenario(&self, text: &str) -> Result<(), FolderError> {
        self.write("scenario.toml", text.as_bytes())
    }

    /// Writes `run.json`, in place of the one before.
    pub fn write_run(&self, manifest: &RunManifest) -> Result<(), FolderError> {
        self.write("run.json", &json(manifest))
    }

    /// Writes `summary.json`.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), FolderError> {
        self.write("summary.json", &json(summary))
    }

    /// Writes `junit.xml`.
    pub fn write_junit(&self, summary: &Summary, manifest: &RunManifest) -> Result<(), FolderError> {
        self.write("junit.xml", junit::document(summary, manifest).as_bytes())
    }

    /// What `run.json` is tagged with by now: its user may do so while the run goes on.
    pub fn tags(&self) -> Vec<String> {
        let read = fs::read(self.path.join("run.json")).ok();
        let manifest = read.and_then(|text| serde_json::from_slice::<RunManifest>(&text).ok());
        manifest.map(|manifest| manifest.tags).unwrap_or_default()
    }

    /// Adds a line to `timeline.csv`; the file is made with its first line.
    pub fn append_timeline(&mut self, row: &TimelineRow) -> Result<(), FolderError> {
        let head = || format!("{}\n", TimelineRow::CSV_HEADER).into_bytes();
        self.append("timeline.csv", head, format!("{}\n", row.csv()).as_bytes())
    }

    /// Adds an interval to `latency.hlog`; `began` is when the load did.
    pub fn append_latency(
        &mut self,
        began: SystemTime,
        records: &Shard,
        from: Duration,
        lasted: Duration,
    ) -> Result<(), FolderError> {
        self.append("latency.hlog", || latency_log::head(began), &latency_log::interval(records, from, lasted))
    }

    /// Adds lines to `events.jsonl.zst`: a frame of its own, so that what was written is read whatever comes after it.
    pub fn append_events(&mut self, lines: &str) -> Result<(), FolderError> {
        if lines.is_empty() {
            return Ok(());
        }
        let file = self.path.join(EVENTS);
        let frame = zstd::bulk::compress(lines.as_bytes(), ZSTD_LEVEL);
        let frame = frame.map_err(|source| FolderError::NotWritten { file, source })?;
        self.append(EVENTS, Vec::new, &frame)
    }

    /// Adds lines to `exchanges.jsonl`: what was said to somebody else's servers, and by them.
    pub fn append_exchanges(&mut self, lines: &str) -> Result<(), FolderError> {
        match lines.is_empty() {
            true => Ok(()),
            false => self.append("exchanges.jsonl", Vec::new, lines.as_bytes()),
        }
    }

    /// Writes `latency/<metric>.hgrm` for every metric with samples.
    pub fn write_percentiles(&self, records: &Shard) -> Result<(), FolderError> {
        let folder = self.path.join("latency");
        fs::create_dir_all(&folder).map_err(|source| FolderError::NotWritten { file: folder, source })?;
        for metric in Metric::all() {
            let Some(latency) = records.latency(metric) else { continue };
            for (name, times) in
                [(metric.to_string(), &latency.response), (format!("{metric}{SERVICE}"), &latency.service)]
            {
                self.write(&format!("latency/{name}.hgrm"), latency_log::percentiles(times.histogram()).as_bytes())?;
            }
        }
        Ok(())
    }

    /// Adds to a file that grows; it is made with its head.
    fn append(&mut self, name: &'static str, head: impl FnOnce() -> Vec<u8>, more: &[u8]) -> Result<(), FolderError> {
        let file = self.path.join(name);
        let written = match self.growing.get_mut(name) {
            Some(open) => open.write_all(more),
            None => OpenOptions::new().append(true).create_new(true).open(&file).and_then(|mut open| {
                open.write_all(&[head().as_slice(), more].concat())?;
                self.growing.insert(name, open);
                Ok(())
            }),
        };
        written.map_err(|source| FolderError::NotWritten { file, source })
    }

    /// Writes `findings/<promise>/evidence.txt` for every promise that was broken: what it says, how often it was
    /// broken, and what was seen on the first devices.
    pub fn write_findings(&self, promises: &[PromiseResult]) -> Result<(), FolderError> {
        for promise in promises.iter().filter(|promise| promise.broken > 0) {
            let folder = self.path.join("findings").join(promise.name);
            fs::create_dir_all(&folder).map_err(|source| FolderError::NotWritten { file: folder.clone(), source })?;
            self.write(&format!("findings/{}/evidence.txt", promise.name), evidence(promise).as_bytes())?;
        }
        Ok(())
    }

    /// Writes `stories/device-<n>.txt`, what was seen of a device step by step, and the same for programs beside it.
    pub fn write_stories(&self, stories: &[Story]) -> Result<(), FolderError> {
        if stories.is_empty() {
            return Ok(());
        }
        let folder = self.path.join("stories");
        fs::create_dir_all(&folder).map_err(|source| FolderError::NotWritten { file: folder, source })?;
        stories.iter().try_for_each(|story| {
            self.write(&format!("stories/device-{}.txt", story.device.0), story.text.as_bytes())?;
            self.write(&format!("stories/device-{}.jsonl", story.device.0), story.lines.as_bytes())
        })
    }

    /// Replaces a file whole.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        write_whole(&self.path.join(name), content)
    }
}

/// Writes a file whole: beside first, then in its place.
pub(super) fn write_whole(file: &Path, content: &[u8]) -> Result<(), FolderError> {
    let beside = file.with_extension("tmp");
    fs::write(&beside, content)
        .and_then(|()| fs::rename(&beside, file))
        .inspect_err(|_| {
            // What is left of it is of no use; if it cannot be removed either, the first error tells more.
            let _ = fs::remove_file(&beside);
        })
        .map_err(|source| FolderError::NotWritten { file: file.to_owned(), source })
}

/// Makes a folder that did not exist.
pub(super) fn create_fresh(out: &Path, name: &str) -> io::Result<PathBuf> {
    let mut path = out.join(name);
    for namesake in 2..=MOST_NAMESAKES {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = out.join(format!("{name}-{namesake}"));
            }
            made => return made.map(|()| path),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("there are {MOST_NAMESAKES} folders named `{name}`")))
}

/// A name with nothing in it that a file name could not have.
pub(super) fn file_safe(name: &str) -> String {
    let safe: String =
        name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    let safe = safe.trim_start_matches('.');
    if safe.is_empty() { "run".to_owned() } else { safe.to_owned() }
}

pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("our own types have JSON forms");
    text.push(b'\n');
    text
}

fn evidence(promise: &PromiseResult) -> String {
    let mut text = format!(
        "{}: {}.\nBroken {} times of {} checked; not observable {} times.\n\n",
        promise.name, promise.says, promise.broken, promise.checked, promise.not_observable
    );
    for breach in &promise.breaches {
        text.push_str(&format!("{breach}\n"));
    }
    let shown = promise.breaches.len() as u64;
    if promise.broken > shown {
        text.push_str(&format!("... and {} more\n", promise.broken - shown));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DeviceNumber;
    use crate::measure::Verdict;
    use crate::measure::promise::{Breach, Place};
    use crate::results::manifest::HostFacts;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A folder of this test's own, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Scratch {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("dmswarm-folder-{}-{number}", std::process::id()));
            fs::create_dir_all(&path).expect("a scratch folder");
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn moment() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)
    }

    fn manifest() -> RunManifest {
        RunManifest::starting("quickstart", 7, vec!["dmswarm".into(), "run".into()], HostFacts::default(), moment())
    }

    #[track_caller]
    fn create(out: &Path, scenario: &str) -> RunFolder {
        RunFolder::create(out, scenario, moment(), 7, &manifest()).expect("a folder")
    }

    fn name(folder: &RunFolder) -> &str {
        folder.path().file_name().and_then(|name| name.to_str()).expect("a name")
    }

    /// Every file below a folder, by its path in it.
    fn files(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(next).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_dir() {
                    open.push(entry);
                } else {
                    let inside = entry.strip_prefix(folder).expect("inside");
                    found.push(inside.to_str().expect("a name").to_owned());
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_folder_is_named_after_scenario_time_and_seed() {
        let scratch = Scratch::new();
        let out = scratch.0.join("not/there/yet");
        assert_eq!(name(&create(&out, "quickstart")), "quickstart-2023-11-14T22-13-20.123Z-7");
        assert_eq!(name(&create(&out, "../ä b/c:d")), "-ä-b-c-d-2023-11-14T22-13-20.123Z-7");
        assert_eq!(name(&create(&out, "..")), "run-2023-11-14T22-13-20.123Z-7");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let scratch = Scratch::new();
        let names: Vec<String> = (0..3).map(|_| name(&create(&scratch.0, "q")).to_owned()).collect();
        let first = "q-2023-11-14T22-13-20.123Z-7";
        assert_eq!(names, [first.to_owned(), format!("{first}-2"), format!("{first}-3")]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_one_clear_sentence() {
        let scratch = Scratch::new();
        let out = scratch.0.join("file");
        fs::write(&out, "in the way").expect("a file");
        for out in [out.clone(), out.join("below")] {
            let error = RunFolder::create(&out, "q", moment(), 7, &manifest()).expect_err("a file is in the way");
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("cannot make a folder for the results in `{}`", out.display())),
                "{text}"
            );
            assert!(text.ends_with("with --out DIR") && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_run_that_is_killed_reads_as_interrupted() {
        let scratch = Scratch::new();
        let folder = create(&scratch.0, "q");
        let read = || -> RunManifest {
            serde_json::from_slice(&fs::read(folder.path().join("run.json")).expect("a file")).expect("a manifest")
        };
        assert_eq!((read().verdict, read().ended), (Verdict::Interrupted, None));
        assert_eq!(files(folder.path()), ["run.json"], "no empty files");

        let mut ended = manifest();
        ended.end(Verdict::Passed, moment() + Duration::from_secs(2));
        folder.write_run(&ended).expect("written");
        assert_eq!(read().ended.as_deref(), Some("2023-11-14T22:13:22.123Z"));
        assert_eq!(read(), ended);
        assert_eq!(files(folder.path()), ["run.json"], "nothing is left beside it");
    }

    #[test]
    fn the_timeline_grows_by_whole_lines() {
        let scratch = Scratch::new();
        let mut folder = create(&scratch.0, "q");
        for second in 0..2 {
            let row = TimelineRow { second, started: 5, p50_ms: Some(1.5), ..TimelineRow::default() };
            folder.append_timeline(&row).expect("written");
        }
        let text = fs::read_to_string(folder.path().join("timeline.csv")).expect("a file");
        assert_eq!(text, format!("{}\n0,5,0,0,0,1.5,,0,0,0,,,0\n1,5,0,0,0,1.5,,0,0,0,,,0\n", TimelineRow::CSV_HEADER));
    }

    #[test]
    fn a_broken_promise_leaves_its_evidence_and_a_kept_one_nothing() {
        let scratch = Scratch::new();
        let folder = create(&scratch.0, "q");
        let kept = PromiseResult {
            name: "records_agree",
            says: "both servers agree",
            checked: 2,
            broken: 0,
            not_observable: 1,
            breaches: Vec::new(),
        };
        folder.write_findings(std::slice::from_ref(&kept)).expect("written");
        assert_eq!(files(folder.path()), ["run.json"]);

        let seen = "home has an account".to_owned();
        let at = Place::Device(DeviceNumber(3));
        let breaches = vec![Breach { at, promise: "revoked_is_gone", seen }];
        let broken = PromiseResult { name: "revoked_is_gone", broken: 2, breaches, ..kept.clone() };
        folder.write_findings(&[kept, broken]).expect("written");
        assert_eq!(files(folder.path()), ["findings/revoked_is_gone/evidence.txt", "run.json"]);
        let text = fs::read_to_string(folder.path().join("findings/revoked_is_gone/evidence.txt")).expect("a file");
        assert_eq!(
            text,
            "revoked_is_gone: both servers agree.\nBroken 2 times of 2 checked; not observable 1 times.\n\n\
             device 3 (urn:imei:004999010000031): home has an account\n... and 1 more\n"
        );
    }
}
