//! A summary for people: the verdict first, then tables that fit a screen.

use std::path::Path;

use crate::ids::DeviceNumber;
use crate::measure::limit::{LimitResult, Unit};
use crate::measure::summary::{FlowRow, GoalRow, LatencyRow, MessageRow, Summary, TallyRow, WindowRow};
use crate::measure::{Verdict, health::Health};
use crate::report::figures::{count, counted, rate, share, size, time};
use crate::report::table::Table;

/// How many causes and reasons are listed before the rest is summed up.
const MOST_LISTED: usize = 6;
/// Width of the labels in front of single lines.
const LABEL: usize = 10;
/// Lists are broken into lines before this column; sentences are not.
const WIDTH: usize = 80;

/// Where a run is kept.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    pub folder: &'a Path,
    /// The report for people, where there is one.
    pub report: Option<&'a Path>,
}

/// The summary as text, ending with a line end. Colours are for a terminal that wants them: nothing depends on them.
pub fn summary(summary: &Summary, files: Option<Files<'_>>, colour: bool) -> String {
    let paint = Paint { colour };
    let mut lines = vec![headline(summary, paint), facts(summary), String::new()];
    let flows = flow_table(summary);
    let messages = message_table(summary);
    let sessions = session_table(summary);
    // The tables start their figures in the same column.
    let least = names(summary).map(|name| name.chars().count()).max().unwrap_or(0);
    let faults = fault_table(summary);
    for table in [flows, messages, sessions, faults] {
        if !table.is_empty() {
            let mut rows = table.lines(least).into_iter();
            lines.extend(rows.next().map(|head| paint.bold(&head)));
            lines.extend(rows);
            lines.push(String::new());
        }
    }
    lines.extend(listed("outcomes", summary.causes.iter().map(|(cause, times)| (cause.as_str(), *times))));
    lines.extend(listed("rejected", summary.rejected.iter().map(|(reason, times)| (reason.as_str(), *times))));
    lines.extend(goal_lines(summary, paint));
    lines.extend(window_lines(&summary.windows));
    lines.extend(promise_lines(summary, paint));
    lines.extend(summary.warnings.iter().map(|warning| labelled("warning", warning)));
    lines.extend(summary.limits.iter().map(|limit| limit_line(limit, paint)));
    lines.extend(health_lines(&summary.health, paint));
    lines.extend(actor_line(summary, paint));
    if let Some(Files { folder, report }) = files {
        lines.push(labelled("results", &folder.display().to_string()));
        lines.extend(report.map(|file| labelled("report", &file.display().to_string())));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// With the codes of ECMA-48, section 8.3.117.
    fn with(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// `quickstart: PASSED`, and in words what a verdict other than that means.
fn headline(summary: &Summary, paint: Paint) -> String {
    let verdict = summary.verdict.key().to_uppercase();
    let meaning = match summary.verdict {
        Verdict::Passed => return format!("{}: {}", summary.scenario, paint.good(&verdict)),
        Verdict::Failed if summary.had_internal_error() => "an actor panicked",
        Verdict::Failed => "a limit was not kept",
        Verdict::Broken => "a promise was broken",
        Verdict::Invalid => "this machine or the scenario, not the peer, was the bottleneck",
        Verdict::Aborted => "a limit ended the run early",
        Verdict::Unreachable => "the target could not be reached, or refused our identity",
        Verdict::Interrupted => "what was measured until then",
    };
    format!("{}: {} ({meaning})", summary.scenario, paint.bad(&verdict))
}

fn facts(summary: &Summary) -> String {
    format!(
        "{}, seed {}, {:.1} s: {} flows/s, {} exchanges/s, {} TLS handshakes/s",
        counted(summary.devices, "device"),
        summary.seed,
        summary.duration_s,
        rate(summary.rates.flows_per_s),
        rate(summary.rates.exchanges_per_s),
        rate(summary.rates.handshakes_per_s)
    )
}

/// The names in the first columns.
fn names(summary: &Summary) -> impl Iterator<Item = &str> {
    let flows = summary.flows.iter().filter(|(_, row)| row.started > 0).map(|(name, _)| name);
    let messages = summary.exchanges.iter().filter(|(_, row)| **row != MessageRow::default()).map(|(name, _)| name);
    flows.chain(messages).chain(summary.faults.iter().map(|fault| fault.name.as_str()))
}

/// A column that is shown when a row has something in it.
struct Column<T> {
    head: &'static str,
    of: fn(&T) -> u64,
    always: bool,
}

const FLOW_COLUMNS: [Column<FlowRow>; 10] = [
    Column { head: "started", of: |row| row.started, always: true },
    Column { head: "done", of: |row| row.done, always: true },
    Column { head: "refused", of: |row| row.refused, always: false },
    Column { head: "undone", of: |row| row.undone, always: false },
    Column { head: "too late", of: |row| row.too_late, always: false },
    Column { head: "unreachable", of: |row| row.unreachable, always: false },
    Column { head: "misbehaved", of: |row| row.misbehaved, always: false },
    Column { head: "stranded", of: |row| row.stranded, always: false },
    Column { head: "lost", of: |row| row.lost, always: false },
    Column { head: "not ended", of: FlowRow::not_ended, always: false },
];

const MESSAGE_COLUMNS: [Column<MessageRow>; 5] = [
    Column { head: "sent", of: |row| row.sent, always: true },
    Column { head: "answered", of: |row| row.answered, always: true },
    Column { head: "duplicated", of: |row| row.duplicated, always: false },
    Column { head: "unexpected", of: |row| row.unexpected, always: false },
    Column { head: "timed out", of: |row| row.timed_out, always: false },
];

/// Flows by kind, the unexpected ones in a column of their own, and a total.
fn flow_table(summary: &Summary) -> Table {
    let rows: Vec<_> = summary.flows.iter().filter(|(_, row)| row.started > 0).collect();
    let shown: Vec<_> = FLOW_COLUMNS
        .iter()
        .filter(|column| column.always || rows.iter().any(|(_, row)| (column.of)(row) > 0))
        .collect();
    let heads = shown.iter().map(|column| column.head);
    let mut table = Table::new(["flows"].into_iter().chain(heads).chain(["failed", "p50", "p99"]));
    for (name, row) in &rows {
        let failed = summary.failed.get(name).copied().unwrap_or(0);
        let latency = summary.latency.get(&format!("flow.{name}"));
        let mut cells = vec![(*name).to_owned()];
        cells.extend(shown.iter().map(|column| count((column.of)(row))));
        cells.push(count(failed));
        cells.extend(percentiles(latency));
        table.row(cells);
    }
    if rows.len() > 1 {
        let mut cells = vec!["all".to_owned()];
        cells.extend(shown.iter().map(|column| count(rows.iter().map(|(_, row)| (column.of)(row)).sum())));
        cells.extend([count(summary.failed_flows()), String::new(), String::new()]);
        table.row(cells);
    }
    table
}

/// Messages that occurred, by kind.
fn message_table(summary: &Summary) -> Table {
    let rows: Vec<_> = summary.exchanges.iter().filter(|(_, row)| **row != MessageRow::default()).collect();
    let shown: Vec<_> = MESSAGE_COLUMNS
        .iter()
        .filter(|column| column.always || rows.iter().any(|(_, row)| (column.of)(row) > 0))
        .collect();
    let heads = shown.iter().map(|column| column.head);
    let mut table = Table::new(["messages"].into_iter().chain(heads).chain(["p50", "p99"]));
    for (name, row) in &rows {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(shown.iter().map(|column| count((column.of)(row))));
        cells.extend(percentiles(summary.latency.get(&format!("message.{name}"))));
        table.row(cells);
    }
    table
}

/// What devices did with servers, and the handshakes.
fn session_table(summary: &Summary) -> Table {
    let sessions = &summary.sessions;
    let handshakes = TallyRow { ok: sessions.handshakes_full + sessions.handshakes_resumed, failed: 0 };
    let mut table = Table::new(["devices and TLS", "ok", "failed", "p50", "p99"]);
    for (name, metric, row) in [
        ("sessions with DMS-1", "session.dms1", sessions.dms1),
        ("sessions with DMS-2", "session.dms2", sessions.dms2),
        ("bootstraps", "bootstrap", sessions.bootstrap),
        ("TLS handshakes", "tls.handshake", handshakes),
    ] {
        if row != TallyRow::default() {
            let [p50, p99] = percentiles(summary.latency.get(metric));
            table.row([name.to_owned(), count(row.ok), count(row.failed), p50, p99]);
        }
    }
    table
}

/// The faults of the scenario in its order: how often each could have fired, and did. The same seed may count otherwise
/// where order decides.
fn fault_table(summary: &Summary) -> Table {
    let by_order = summary.faults.iter().any(|fault| fault.order_dependent);
    let mut table = Table::new(["faults", "eligible", "injected"].into_iter().chain(by_order.then_some("by order")));
    for fault in &summary.faults {
        let mut cells = vec![fault.name.clone(), count(fault.eligible), count(fault.injected)];
        cells.extend(by_order.then(|| if fault.order_dependent { "yes" } else { "no" }.to_owned()));
        table.row(cells);
    }
    table
}

/// Response time, p50 and p99.
fn percentiles(latency: Option<&LatencyRow>) -> [String; 2] {
    let spread = latency.map(|row| row.response_ms).unwrap_or_default();
    [time(spread.p50), time(spread.p99)]
}

/// One line for each goal.
fn goal_lines(summary: &Summary, paint: Paint) -> Vec<String> {
    let goal = |row: &GoalRow| {
        let reached = format!("reached {}", counted(row.times, "time"));
        let word = if row.times > 0 { paint.good(&reached) } else { paint.bad("NEVER REACHED") };
        labelled("goal", &format!("{word}  {}", row.goal))
    };
    summary.reached.iter().map(goal).collect()
}

/// The longest windows; none where there were none.
fn window_lines(windows: &WindowRow) -> Vec<String> {
    let line = |words: &str, ms: f64, device: Option<u32>| {
        let device = device.map_or_else(String::new, |device| format!(", {}", DeviceNumber(device)));
        (ms > 0.0).then(|| labelled("windows", &format!("{words} for at most {}{device}", time(Some(ms)))))
    };
    let orphan = line("in nobody's charge", windows.orphan_ms, windows.orphan_device);
    let cause = windows.orphan_cause.as_ref().filter(|_| orphan.is_some()).map(|cause| labelled("", cause));
    let double = line("in two servers' full charge", windows.double_owner_ms, windows.double_owner_device);
    orphan.into_iter().chain(cause).chain(double).collect()
}

/// The promises in a line when they were kept, else one line per broken promise, with what was seen below.
fn promise_lines(summary: &Summary, paint: Paint) -> Vec<String> {
    let promises = &summary.promises;
    if promises.is_empty() {
        return vec![labelled("promises", "not checked: the run was stopped before everybody had come to rest")];
    }
    let broken: Vec<_> = promises.iter().filter(|promise| promise.broken > 0).collect();
    let mut lines = Vec::new();
    for promise in &broken {
        let times = format!("{} of {} checked", count(promise.broken), count(promise.checked));
        lines.push(labelled("promise", &format!("{} {}: {times}", paint.bad("BROKEN"), promise.name)));
        lines.extend(promise.seen.iter().map(|seen| labelled("", seen)));
        let more = promise.broken.saturating_sub(promise.seen.len() as u64);
        lines.extend((more > 0).then(|| labelled("", &format!("... and {} more", count(more)))));
    }
    let kept = promises.iter().filter(|promise| promise.broken == 0 && promise.checked > 0).count() as u64;
    if kept > 0 {
        let most = promises.iter().map(|promise| promise.checked).max().unwrap_or(0);
        let text = format!("{} kept, checked up to {} each", counted(kept, "promise"), counted(most, "time"));
        lines.push(labelled("promises", &paint.good(&text)));
    }
    let unchecked = promises.iter().filter(|promise| promise.checked == 0 && promise.not_observable == 0);
    lines.extend(wrapped("", "nothing to check for ", unchecked.map(|promise| promise.name.clone())));
    for promise in promises.iter().filter(|promise| promise.not_observable > 0) {
        let devices = counted(promise.not_observable, "device");
        lines.push(labelled("", &format!("{} not observable on {devices}", promise.name)));
    }
    lines
}

fn limit_line(limit: &LimitResult, paint: Paint) -> String {
    let actual = match (limit.actual, limit.unit) {
        (None, _) => "not measured".to_owned(),
        (Some(actual), Unit::Share) => share(actual),
        (Some(actual), Unit::Ms) => time(Some(actual)),
        (Some(actual), Unit::PerS) => format!("{}/s", rate(actual)),
        (Some(actual), Unit::Count) => count(actual as u64),
    };
    let word = if limit.passed { paint.good("ok") } else { paint.bad("FAILED") };
    let note = limit.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
    labelled("limit", &format!("{word}  {} (was {actual}{note})", limit.expr))
}

fn health_lines(health: &Health, paint: Paint) -> Vec<String> {
    let word = if health.valid { paint.good("valid") } else { paint.bad("INVALID") };
    let late = &health.lateness_ms;
    // A closed load means no moments, and nothing in it can be late.
    let lateness = late.max.map_or(String::new(), |max| {
        format!("starts late by p50 {}, p99 {}, at most {}; ", time(late.p50), time(late.p99), time(Some(max)))
    });
    let starts = format!("{word}: {lateness}{} dropped", count(health.dropped));
    let machine = format!("CPU {} of all cores, peak memory {}", share(health.cpu_share), size(health.peak_rss_bytes));
    let mut lines = vec![labelled("health", &starts), labelled("", &machine)];
    lines.extend(health.reasons.iter().map(|reason| labelled("", reason)));
    lines
}

fn actor_line(summary: &Summary, paint: Paint) -> Option<String> {
    let actors = &summary.actors;
    (actors.panicked > 0 || actors.mailbox_refused > 0).then(|| {
        let panicked = format!("{} panicked", count(actors.panicked));
        let panicked = if actors.panicked > 0 { paint.bad(&panicked) } else { panicked };
        labelled(
            "actors",
            &format!("{panicked}, full mailboxes refused {}", counted(actors.mailbox_refused, "message")),
        )
    })
}

/// The most frequent of several causes, as many in a line as fit; none without any.
fn listed<'a>(label: &str, causes: impl Iterator<Item = (&'a str, u64)>) -> Vec<String> {
    let mut causes: Vec<_> = causes.collect();
    // A stable sort: equally frequent ones stay in the order of their names.
    causes.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let mut parts: Vec<String> =
        causes.iter().take(MOST_LISTED).map(|(cause, times)| format!("{cause} x {}", count(*times))).collect();
    if causes.len() > MOST_LISTED {
        parts.push(format!("{} more", causes.len() - MOST_LISTED));
    }
    wrapped(label, "", parts.into_iter())
}

/// Parts with commas between them, as many in a line as fit, behind some words; none without any.
fn wrapped(label: &str, words: &str, parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.len() + part.len() + 2 < WIDTH => line.push_str(&format!(", {part}")),
            Some(line) => {
                line.push(',');
                lines.push(labelled("", &part));
            }
            None => lines.push(labelled(label, &format!("{words}{part}"))),
        }
    }
    lines
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:<LABEL$}{text}")
}

#[cfg(test)]
mod tests;
