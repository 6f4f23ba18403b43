//! What a run's folder holds, read back for reports: also of a run that was killed while it wrote.
//!
//! Each file is read when it is asked for, and up to its last whole line.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use hdrhistogram::Histogram;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::measure::Summary;
use crate::results::RunManifest;
use crate::results::events::{Event, EventLine};
use crate::results::latency_log;

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    folder: PathBuf,
}

/// A flow that has ended, and what was seen of its device meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFlow {
    pub device: u32,
    pub flow: String,
    pub outcome: String,
    pub as_expected: bool,
    pub response_ms: f64,
    /// Facts, a line each.
    pub facts: String,
}

/// Why something cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error(
        "cannot read `{}`: {source}; expected it in the folder of a run. A run that was killed before its first second \
         was over has only its scenario and its manifest",
        file.display()
    )]
    Missing { file: PathBuf, source: io::Error },
    #[error(
        "`{}`: {problem}; expected what `dmswarm run` has written there. A newer version of dmswarm may be able to read \
         it",
        file.display()
    )]
    Unreadable { file: PathBuf, problem: String },
}

impl StoredRun {
    /// The run in this folder.
    pub fn at(folder: &Path) -> StoredRun {
        StoredRun { folder: folder.to_owned() }
    }

    /// `run.json`.
    ///
    /// # Errors
    /// [`StoredError`] where it is not there, or nothing that can be read; here and in what follows.
    pub fn manifest(&self) -> Result<RunManifest, StoredError> {
        self.json("run.json")
    }

    /// `summary.json`; of a run that was killed, the last one that it has written.
    pub fn summary(&self) -> Result<Summary, StoredError> {
        self.json("summary.json")
    }

    /// The text of `scenario.toml`.
    pub fn scenario(&self) -> Result<String, StoredError> {
        let (file, bytes) = self.bytes("scenario.toml")?;
        String::from_utf8(bytes).map_err(|error| StoredError::Unreadable { file, problem: error.to_string() })
    }

    /// The whole lines of `timeline.csv`.
    pub fn timeline(&self) -> Result<String, StoredError> {
        let (file, mut bytes) = self.bytes("timeline.csv")?;
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        String::from_utf8(bytes).map_err(|error| StoredError::Unreadable { file, problem: error.to_string() })
    }

    /// All of `latency.hlog` taken together, by metric in microseconds.
    pub fn latency(&self) -> Result<Vec<(String, Histogram<u64>)>, StoredError> {
        let (file, bytes) = self.bytes("latency.hlog")?;
        latency_log::merged(&bytes).map_err(|line| {
            let problem = format!("line {line} is no interval of HdrHistogram's log");
            StoredError::Unreadable { file, problem }
        })
    }

    /// The worst flows of `events.jsonl.zst`, at most so many: first those that did not end as expected, then those that
    /// took longest.
    pub fn worst_flows(&self, most: usize) -> Result<Vec<StoredFlow>, StoredError> {
        let file = self.folder.join("events.jsonl.zst");
        let missing = |source| StoredError::Missing { file: file.clone(), source };
        let frames = File::open(&file).and_then(zstd::stream::read::Decoder::new).map_err(missing)?;
        let mut lines = BufReader::new(frames);
        let (mut line, mut number) = (Vec::new(), 0);
        let mut seen = Seen { most, worst: Vec::new(), facts: BTreeMap::new() };
        loop {
            line.clear();
            // A frame that was cut off, as by the end of a process, ends what can be read.
            match lines.read_until(b'\n', &mut line) {
                Ok(_) if line.ends_with(b"\n") => {}
                Ok(_) | Err(_) => return Ok(seen.worst),
            }
            number += 1;
            seen.take(&line).map_err(|error| {
                let problem = format!("line {number}: {error}");
                StoredError::Unreadable { file: file.clone(), problem }
            })?;
        }
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoredError> {
        let (file, bytes) = self.bytes(name)?;
        serde_json::from_slice(&bytes).map_err(|error| StoredError::Unreadable { file, problem: error.to_string() })
    }

    fn bytes(&self, name: &str) -> Result<(PathBuf, Vec<u8>), StoredError> {
        let file = self.folder.join(name);
        match fs::read(&file) {
            Ok(bytes) => Ok((file, bytes)),
            Err(source) => Err(StoredError::Missing { file, source }),
        }
    }
}

/// Whom a fact is about.
#[derive(Deserialize)]
struct OfDevice {
    device: u32,
}

/// What was read so far.
struct Seen {
    most: usize,
    /// The worst first.
    worst: Vec<StoredFlow>,
    /// By device: its facts since a flow of it has ended.
    facts: BTreeMap<u32, String>,
}

impl Seen {
    fn take(&mut self, line: &[u8]) -> Result<(), serde_json::Error> {
        let text = String::from_utf8_lossy(line);
        if !text.contains("\"event\":") {
            let OfDevice { device } = serde_json::from_str(&text)?;
            self.facts.entry(device).or_default().push_str(&text);
            return Ok(());
        }
        let EventLine { event, .. } = serde_json::from_str(&text)?;
        if let Event::Ended { device, flow, outcome, as_expected, response_ms, .. } = event {
            // Of a flow that was left out to keep the file small there are none.
            if let Some(facts) = self.facts.remove(&device) {
                self.rank(StoredFlow { device, flow, outcome, as_expected, response_ms, facts });
            }
        }
        Ok(())
    }

    fn rank(&mut self, flow: StoredFlow) {
        let rank = |flow: &StoredFlow| (!flow.as_expected, flow.response_ms);
        let place = self.worst.partition_point(|worse| rank(worse) >= rank(&flow));
        self.worst.insert(place, flow);
        self.worst.truncate(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("dmswarm-stored-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).expect("a scratch folder");
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn fact(device: u32) -> String {
        format!("{{\"at_ns\":5,\"device\":{device},\"fact\":\"factory_reset\"}}\n")
    }

    fn ended(device: u32, as_expected: bool, response_ms: f64) -> String {
        let outcome = if as_expected { "done" } else { "lost" };
        format!(
            "{{\"at_ns\":9,\"event\":\"ended\",\"device\":{device},\"flow\":\"revoke.asked\",\"outcome\":\"{outcome}\",\
             \"as_expected\":{as_expected},\"response_ms\":{response_ms:?},\"service_ms\":1.0}}\n"
        )
    }

    #[test]
    fn the_worst_flows_are_those_that_failed_and_then_the_slowest() {
        let scratch = Scratch::new("worst");
        let mut file = Vec::new();
        let frames = [
            ["{\"at_ns\":1,\"event\":\"load\"}\n".to_owned(), fact(1), fact(2), ended(1, true, 5.0)].concat(),
            [fact(1), fact(1), ended(2, false, 2.0), ended(1, true, 9.0), ended(7, true, 99.0)].concat(),
            [fact(3), ended(3, true, 7.0)].concat(),
        ];
        for frame in &frames {
            file.extend(zstd::bulk::compress(frame.as_bytes(), 3).expect("a frame"));
        }
        let whole = file.len();
        file.extend(zstd::bulk::compress([fact(4), ended(4, false, 100.0)].concat().as_bytes(), 3).expect("a frame"));
        let worst = |bytes: &[u8]| {
            fs::write(scratch.0.join("events.jsonl.zst"), bytes).expect("written");
            let flows = StoredRun::at(&scratch.0).worst_flows(3).expect("flows");
            flows.into_iter().map(|flow| (flow.device, flow.response_ms, flow.facts)).collect::<Vec<_>>()
        };
        // Device 7 has no facts; of device 1 the second flow is slower, and has the two facts since the first.
        let expected = [(2, 2.0, fact(2)), (1, 9.0, fact(1).repeat(2)), (3, 7.0, fact(3))];
        assert_eq!(worst(&file[..whole]), expected);
        assert_eq!(worst(&file[..whole + 9]), expected, "a frame that was cut off is left out");
        assert_eq!(worst(&file)[0], (4, 100.0, fact(4)));
    }

    #[test]
    fn half_a_line_of_a_timeline_is_left_out() {
        let scratch = Scratch::new("timeline");
        fs::write(scratch.0.join("timeline.csv"), "second,started\n0,5\n1,").expect("written");
        assert_eq!(StoredRun::at(&scratch.0).timeline().expect("lines"), "second,started\n0,5\n");
    }

    #[test]
    fn what_is_not_there_or_no_json_is_named() {
        let scratch = Scratch::new("missing");
        let run = StoredRun::at(&scratch.0);
        let said = run.summary().expect_err("none is there").to_string();
        assert!(said.contains("summary.json`") && said.contains("killed before its first second"), "{said}");
        fs::write(scratch.0.join("run.json"), "{\"schema\":1}").expect("written");
        let said = run.manifest().expect_err("no manifest").to_string();
        assert!(said.contains("run.json`: invalid type: integer `1`"), "{said}");
    }
}
