//! `events.jsonl.zst` read once from front to back: only what was seen of the devices of the worst flows is kept.

use std::io::{self, BufRead, BufReader, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::facts::pattern::Names;
use crate::facts::{Fact, lines};
use crate::measure::summary::WorstRow;

/// More facts than this are not drawn: who looks for the rest has the file.
const MOST_FACTS: usize = 240;
/// So much is looked at before a flow's intended start and behind its end: what its last message brings about.
const BEFORE_NS: u64 = 1_000_000;
const BEHIND_NS: u64 = 20_000_000;

/// A flow that failed or took long, and what was seen of its device meanwhile.
#[derive(Debug, Clone)]
pub struct WorstFlow {
    pub row: WorstRow,
    /// In order; none where the device was not watched, or the flow is not among those that were written.
    pub facts: Vec<Fact>,
    /// Whether there were more than are kept.
    pub is_cut: bool,
}

impl WorstFlow {
    /// Nothing is known of it but its row.
    pub fn new(row: WorstRow) -> WorstFlow {
        WorstFlow { row, facts: Vec::new(), is_cut: false }
    }

    /// From when to when it went on, in nanoseconds since the run began; `began`: when the load did.
    fn span_ns(&self, began: u64) -> (u64, u64) {
        let ended = began + (self.row.ended_s.max(0.0) * 1e9) as u64;
        let lasted = (self.row.response_ms.max(0.0) * 1e6) as u64;
        (ended.saturating_sub(lasted + BEFORE_NS), ended + BEHIND_NS)
    }
}

/// What of a line is looked at first.
#[derive(Deserialize)]
struct Glance {
    at_ns: u64,
    #[serde(default)]
    device: Option<u32>,
    #[serde(default)]
    fact: Option<IgnoredAny>,
    #[serde(default)]
    event: Option<String>,
}

/// Finds the facts of these flows. A last frame that was cut off ends the file. Says whether it holds all from the beginning
/// of the load to the end of a frame.
///
/// # Errors
/// When the file cannot be read, or a line of a flow is no fact; what came before is kept.
pub(super) fn read(file: impl BufRead, worst: &mut [WorstFlow], names: &dyn Names) -> io::Result<bool> {
    let mut events = BufReader::new(zstd::stream::read::Decoder::with_buffer(file)?);
    let (mut line, mut began) = (String::new(), None);
    let mut is_cut_off = false;
    while next_line(&mut events, &mut line, &mut is_cut_off)? {
        let Ok(seen) = serde_json::from_str::<Glance>(&line) else { continue };
        if seen.event.as_deref() == Some("load") {
            began = Some(seen.at_ns);
        }
        let (Some(began), Some(device), Some(_)) = (began, seen.device, &seen.fact) else { continue };
        for flow in worst.iter_mut().filter(|flow| flow.row.device == device) {
            let (from, to) = flow.span_ns(began);
            if !(from..=to).contains(&seen.at_ns) {
                continue;
            }
            if flow.facts.len() == MOST_FACTS {
                flow.is_cut = true;
                continue;
            }
            let facts = lines::read(&line, names)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("a line in it: {error}")))?;
            flow.facts.extend(facts);
        }
    }
    worst.iter_mut().for_each(|flow| flow.facts.sort_by_key(|fact| fact.at));
    Ok(began.is_some() && !is_cut_off)
}

/// The next whole line; `false` when there is none. Notes what ends within a line or a frame.
fn next_line(events: &mut BufReader<impl Read>, line: &mut String, is_cut_off: &mut bool) -> io::Result<bool> {
    line.clear();
    match events.read_line(line) {
        Ok(_) => {
            *is_cut_off = !line.is_empty() && !line.ends_with('\n');
            Ok(line.ends_with('\n'))
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            *is_cut_off = true;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
