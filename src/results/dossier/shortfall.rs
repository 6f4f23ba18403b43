//! What the files of a run that came to its end should hold by its summary, where they hold something else.
//!
//! Of a run that was killed nobody knows what its last second held, and nothing is told.

use crate::measure::Summary;
use crate::results::dossier::{LatencyCourse, Seconds};

/// What `timeline.csv` should hold.
pub fn of_timeline(seconds: &Seconds, summary: &Summary) -> Option<String> {
    let sum = |of: fn(&super::Second) -> u64| seconds.columns().iter().map(of).sum::<u64>();
    let done = summary.flows.iter().map(|(_, row)| row.done).sum();
    let counts = [("flows started", summary.started(), sum(|it| it.started)), ("flows done", done, sum(|it| it.done))];
    said("timeline.csv", counts.into_iter().map(|(what, expected, found)| (what.to_owned(), expected, found)))
}

/// What `latency.hlog` should hold.
pub fn of_latency(latency: &LatencyCourse, summary: &Summary) -> Option<String> {
    let counts = summary.latency.iter().map(|(metric, row)| {
        let found = latency.metric(metric).map_or(0, |course| course.response.len().min(course.service.len()));
        (format!("samples of {metric}"), row.count, found)
    });
    said("latency.hlog", counts)
}

/// What `events.jsonl.zst` should hold; `is_whole`: it begins with the load, and its last frame ends.
pub(super) fn of_events(is_whole: bool) -> Option<String> {
    let told = "events.jsonl.zst: expected every event from the beginning of the load to the end of its last frame, found \
                that some are cut off, although run.json says that the run came to its end; what the worst flows are drawn \
                from is not all there was";
    (!is_whole).then(|| told.to_owned())
}

/// The first that differs, and how many more do.
fn said(file: &str, counts: impl Iterator<Item = (String, u64, u64)>) -> Option<String> {
    let mut wrong = counts.filter(|(_, expected, found)| expected != found);
    let (what, expected, found) = wrong.next()?;
    let others = match wrong.count() {
        0 => String::new(),
        more => format!(" ({more} more differ)"),
    };
    Some(format!(
        "{file}: expected {expected} {what}, as summary.json has them, found {found}{others}; it was cut off or changed \
         after the run, and what is told from it is not all there was"
    ))
}
