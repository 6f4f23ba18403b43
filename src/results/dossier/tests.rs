//! What is read back of a run, whole or killed.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::clock::Moment;
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::policy::Policy;
use crate::facts::{Fact, What};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::course::{Course, Ended, Piece};
use crate::measure::health::{HealthLimits, HostUse};
use crate::measure::latency::Metric;
use crate::measure::promise::steps::windows::LongestWindows;
use crate::measure::shard::{End, SessionSide, Shard};
use crate::measure::summary::{Ending, Run};
use crate::measure::timeline::{Gauges, TimelineRow};
use crate::results::events::{Event, Frame};
use crate::results::latency_log;
use crate::results::{HostFacts, RunFolder};

const SCENARIO: &str = r#"
name = "small"
[population]
devices = 1
[[server]]
name = "home"
id = "dms1.example.test"
[[server]]
name = "partner"
id = "dms2.example.test"
[[journey]]
steps = ["delegate home -> partner by dmacc subtree ./SCOMO"]
[load]
at_once = 1
"#;

/// A folder of this test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dmswarm-dossier-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a scratch folder");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn kind() -> FlowKind {
    FlowKind::all().next().expect("there are flows")
}

fn began() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Three seconds of a run whose load began at 10 s, with two flows of 100 ms in each; killed then.
fn killed(out: &Path) -> PathBuf {
    let manifest = RunManifest::starting("small", 7, vec!["dmswarm".into()], HostFacts::default(), began());
    let mut folder = RunFolder::create(out, "small", began(), 7, &manifest).expect("a folder");
    folder.write_scenario(SCENARIO).expect("it can be written");
    let scenario = parse("small", SCENARIO, &Overrides::default()).expect("a scenario");
    let names = scenario.names();
    let load = Moment::from_nanos(10_000_000_000);
    let mut course = Course::new(&[], vec!["all".to_owned()], Vec::new());
    let mut first = Frame::default();
    first.event(load, Event::Load);
    folder.append_events(&first.finish()).expect("it can be written");
    for second in 0..3u64 {
        let took = Duration::from_millis(100);
        let mut records = Shard::new();
        for _ in 0..2 {
            records.flow_started(kind(), "done", None);
            let end = End { outcome: &Outcome::Done, as_expected: true, response: took, service: took };
            records.flow_ended(kind(), &end, None);
        }
        let ended = Ended {
            device: DeviceNumber(second as u32),
            kind: kind(),
            outcome: Outcome::Done,
            as_expected: true,
            response: took,
            service: took,
            at: Duration::from_millis(second * 1_000 + 500),
        };
        // Of the flow itself, and of long after it.
        let facts = [450, 900].map(|ms| Fact {
            at: load + Duration::from_millis(second * 1_000 + ms),
            what: What::Killed { at: ServerNumber(1) },
        });
        let mut frame = Frame::default();
        frame.tale(&ended, &facts, load, &names);
        let (from, to) = (Duration::from_secs(second), Duration::from_secs(second + 1));
        folder.append_latency(began(), &records, from, to - from).expect("it can be written");
        folder.append_events(&frame.finish()).expect("it can be written");
        let piece = Piece {
            from,
            to,
            is_load: true,
            records,
            gauges: Gauges { cpu_share: 0.5, ..Gauges::default() },
            phases: vec![(0, "steady".to_owned())],
            injected: Vec::new(),
            ended: vec![ended],
        };
        folder.append_timeline(&course.add(&piece).expect("a second is over")).expect("it can be written");
    }
    let summary = Summary::build(&Run {
        cut_short: 0,
        ran_out: &[],
        scenario: "small",
        seed: 7,
        policy: Policy::Hardened,
        devices: 1,
        duration: Duration::from_secs(3),
        ending: Ending::Interrupted,
        course: &course,
        population_devices: &[1],
        promises: &[],
        goals: &[],
        faults: &[],
        windows: &LongestWindows::default(),
        expected: None,
        host: HostUse::default(),
        health: HealthLimits::DEFAULT,
    });
    folder.write_summary(&summary).expect("it can be written");
    folder.path().to_owned()
}

fn append(file: &Path, bytes: &[u8]) {
    let mut open = fs::OpenOptions::new().append(true).open(file).expect("it is there");
    open.write_all(bytes).expect("it can be written");
}

#[test]
fn a_run_that_was_killed_reads_as_far_as_it_came() {
    let scratch = Scratch::new();
    let dossier = Dossier::read(&killed(&scratch.0)).expect("a run");
    assert!(!dossier.is_whole());
    assert_eq!(dossier.summary.verdict, crate::measure::Verdict::Interrupted);
    assert_eq!(dossier.gaps, Vec::<String>::new());
    let done: Vec<u64> = dossier.seconds.columns().iter().map(|column| column.done).collect();
    assert_eq!(done, [2, 2, 2]);
    let course = dossier.latency.metric(&format!("flow.{}", kind())).expect("flows have ended");
    assert_eq!((course.response.len(), course.service.len(), course.columns.len()), (6, 6, 3));
    // Two samples bear out a median and no 99th percentile.
    assert!(
        course.columns.iter().all(|column| column.count == 2 && column.p50_ms.is_some() && column.p99_ms.is_none())
    );
    // 100 ms is 10^5 us, where the 51st cell begins.
    assert!(course.columns.iter().all(|column| column.cells == [(Cell(50), 2)].into()));
}

#[test]
fn of_a_worst_flow_only_what_was_seen_while_it_went_on_is_kept() {
    let scratch = Scratch::new();
    let dossier = Dossier::read(&killed(&scratch.0)).expect("a run");
    let moments: Vec<Vec<u64>> =
        dossier.worst.iter().map(|flow| flow.facts.iter().map(|fact| fact.at.nanos() / 1_000_000).collect()).collect();
    assert_eq!(moments, [[10_450], [11_450], [12_450]]);
}

#[test]
fn half_lines_and_half_a_frame_at_the_end_are_passed_over() {
    let scratch = Scratch::new();
    let folder = killed(&scratch.0);
    append(&folder.join("timeline.csv"), b"3,2,2");
    append(&folder.join("latency.hlog"), b"Tag=flow.delegate.dmacc,3.000,1.000,100.0,HISTFAAAA");
    let whole = fs::read(folder.join("events.jsonl.zst")).expect("it is there");
    append(&folder.join("events.jsonl.zst"), &whole[..whole.len() / 3]);
    let dossier = Dossier::read(&folder).expect("a run");
    assert_eq!(dossier.gaps, Vec::<String>::new());
    assert_eq!(dossier.seconds.columns().len(), 3);
    assert!(dossier.worst.iter().all(|flow| !flow.facts.is_empty()));
}

/// The same run, come to its end.
fn ended(out: &Path) -> PathBuf {
    let folder = killed(out);
    let file = folder.join("run.json");
    let mut manifest: RunManifest =
        serde_json::from_str(&fs::read_to_string(&file).expect("it is there")).expect("a manifest");
    manifest.end(crate::measure::Verdict::Passed, began());
    fs::write(file, serde_json::to_string(&manifest).expect("JSON")).expect("it can be written");
    folder
}

/// Leaves so much of a file, in hundredths.
fn cut(file: &Path, hundredths: usize) {
    let bytes = fs::read(file).expect("it is there");
    fs::write(file, &bytes[..bytes.len() * hundredths / 100]).expect("it can be written");
}

#[test]
fn of_a_run_that_came_to_its_end_what_is_cut_off_is_told_once_for_each_file() {
    let scratch = Scratch::new();
    let folder = ended(&scratch.0);
    assert_eq!(Dossier::read(&folder).expect("a run").gaps, Vec::<String>::new(), "nothing is missing");
    let files = ["timeline.csv", "latency.hlog", "events.jsonl.zst"];
    files.iter().for_each(|file| cut(&folder.join(file), 60));
    let gaps = Dossier::read(&folder).expect("a run").gaps;
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    // Six flows, two in each second; six tenths of a file hold one second or two.
    assert!(
        gaps[0].starts_with("timeline.csv: expected 6 flows started, as summary.json has them, found "),
        "{gaps:?}"
    );
    let samples = format!("latency.hlog: expected 6 samples of flow.{}, as summary.json has them, found ", kind());
    assert!(gaps[1].starts_with(&samples), "{gaps:?}");
    assert!(gaps[2].starts_with("events.jsonl.zst: expected every event"), "{gaps:?}");
    for file in files {
        cut(&folder.join(file), 0);
    }
    let gaps = Dossier::read(&folder).expect("a run").gaps;
    let found: Vec<bool> = gaps.iter().map(|gap| gap.contains("found 0") || gap.contains("are cut off")).collect();
    assert_eq!(found, [true; 3], "{gaps:?}");
    fs::write(folder.join("timeline.csv"), "rubbish\n".repeat(9)).expect("it can be written");
    assert!(Dossier::read(&folder).expect("a run").gaps[0].starts_with("timeline.csv: expected 6 flows started"));
}

#[test]
fn a_summary_that_was_removed_from_a_run_with_an_end_is_not_blamed_on_its_death() {
    let scratch = Scratch::new();
    let folder = ended(&scratch.0);
    fs::remove_file(folder.join("summary.json")).expect("it is there");
    let said = Dossier::read(&folder).expect_err("no summary").to_string();
    assert!(said.contains("by run.json the run ended at 2023-11-14T") && !said.contains("killed"), "{said}");
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_read() {
    let scratch = Scratch::new();
    let folder = killed(&scratch.0);
    for file in ["timeline.csv", "latency.hlog", "events.jsonl.zst"] {
        fs::remove_file(folder.join(file)).expect("it is there");
    }
    fs::write(folder.join("scenario.toml"), "name = 3\n").expect("it can be written");
    let dossier = Dossier::read(&folder).expect("a run");
    let told = dossier.gaps.join("\n");
    for part in ["timeline.csv is missing", "latency.hlog is missing", "scenario.toml is no scenario"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(dossier.worst.len(), 3);
}

#[test]
fn a_damaged_line_within_a_log_is_told_with_its_number() {
    let scratch = Scratch::new();
    let folder = killed(&scratch.0);
    append(&folder.join("latency.hlog"), b"Tag=flow.delegate.dmacc,3.000,1.000,100.0,HISTFAAAA\n");
    let gaps = Dossier::read(&folder).expect("a run").gaps;
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].starts_with("latency.hlog could not be read to its end: line "), "{gaps:?}");
}

#[test]
fn a_folder_that_is_none_of_a_run_is_one_clear_sentence() {
    let scratch = Scratch::new();
    let said = |folder: &Path| Dossier::read(folder).expect_err("it is none").to_string();
    let text = said(&scratch.0);
    assert!(text.contains("run.json") && text.contains("expected the folder of a run"), "{text}");
    let folder = killed(&scratch.0);
    fs::remove_file(folder.join("summary.json")).expect("it is there");
    let text = said(&folder);
    assert!(
        text.contains("run.json names no end of the run: it was killed, or its results")
            && text.contains("dmswarm run "),
        "{text}"
    );
    fs::write(folder.join("summary.json"), "{\"schema\": \"dmswarm.summary/9\"}").expect("it can be written");
    let text = said(&folder);
    assert!(text.contains("expected `dmswarm.summary/1`") && text.contains("`dmswarm.summary/9`"), "{text}");
}

#[test]
fn a_long_run_has_no_more_columns_than_fit_and_loses_no_flow() {
    let mut seconds = Seconds::default();
    for second in 0..3_600 {
        let late_ms = (second == 1_000).then_some(7.0);
        seconds.add(&TimelineRow {
            second,
            done: 3,
            under_way: second,
            late_ms,
            cpu_share: 0.25,
            ..TimelineRow::default()
        });
    }
    // 3,600 s in columns of 32 s: 112.5 of them.
    assert_eq!(seconds.columns().len(), 113);
    assert_eq!(seconds.span_s(0), (0.0, 32.0));
    assert_eq!(seconds.span_s(112), (3_584.0, 3_600.0));
    assert_eq!(seconds.columns().iter().map(|column| column.done).sum::<u64>(), 3 * 3_600);
    assert_eq!(seconds.columns()[1].under_way, 63);
    assert_eq!(seconds.columns()[1_000 / 32].late_ms, Some(7.0));
    assert!(seconds.columns().iter().all(|column| (column.cpu_share() - 0.25).abs() < 1e-9));
    assert_eq!(seconds.columns()[112].per_s(seconds.columns()[112].done), 3.0);
}

#[test]
fn the_intervals_of_a_metric_taken_together_are_the_whole_run() {
    let (mut log, mut all) = (latency_log::head(UNIX_EPOCH), Shard::new());
    for second in 0..3 {
        let mut records = Shard::new();
        for nth in 0..100 {
            let took = Duration::from_millis(1 + nth * (second + 1));
            for shard in [&mut records, &mut all] {
                shard.session_ended(SessionSide::Dms2, true, took * 2, took);
            }
        }
        log.extend(latency_log::interval(&records, Duration::from_secs(second), Duration::from_secs(1)));
    }
    log.extend(b"Tag=session.dms2,3.000,1.000,5.295,HISTFAAAAD54");
    let mut course = LatencyCourse::new(1);
    course.read(log.as_slice()).expect("a log, and half a line");
    let (found, right) =
        (course.metric("session.dms2").expect("it has samples"), all.latency(Metric::Session(SessionSide::Dms2)));
    let right = right.expect("samples");
    let text = latency_log::percentiles;
    assert_eq!(text(&found.response), text(right.response.histogram()));
    assert_eq!(text(&found.service), text(right.service.histogram()));
    assert_eq!(course.metrics().count(), 1);
}
