//! Where everything that was measured comes together: a thread of its own, so that no sum and no file holds up the load.
//!
//! Each piece of the run is added up, written, judged by the limits, and told on. What is written each second is whole:
//! a run that is killed leaves a folder with all but its last second.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::actors::chronicle::Progress;
use crate::actors::tales::Tale;
use crate::actors::tape::Taken;
use crate::clock::Moment;
use crate::delegation::flow::FlowKind;
use crate::measure::course::{Course, Piece};
use crate::measure::health::HostUse;
use crate::measure::latency::Latency;
use crate::measure::limit::LimitResult;
use crate::measure::promise::steps::windows::LongestWindows;
use crate::measure::summary::{Ending, FaultRow, LatencyRow, Run};
use crate::measure::timeline::{Gauges, TimelineRow};
use crate::measure::{Shard, Summary};
use crate::results::events::{Event, Frame};
use crate::results::{FolderError, RunFolder};
use crate::run::control::State;
use crate::run::host;
use crate::run::news::Pulse;
use crate::scenario::Scenario;

/// What has happened since the last batch.
pub(super) struct Batch {
    pub piece: Piece,
    pub tales: Vec<Tale>,
    /// What was done to the run from outside, and when since the load began.
    pub marks: Vec<(Duration, String)>,
    /// Exchanges with somebody else's servers, where they are kept.
    pub taken: Taken,
    pub stand: Standing,
}

/// How the run stands at the end of a batch.
pub(super) struct Standing {
    pub progress: Progress,
    pub state: State,
    /// Until the last start of the load, as far as anybody knows.
    pub left: Option<Duration>,
    pub faults: Vec<FaultRow>,
    /// How long the load has lasted, and how much processor time it has taken.
    pub lasted: Duration,
    pub cpu: Duration,
}

/// What there is to tell.
pub(super) enum Told {
    Second(Box<Pulse>),
    /// A limit is not kept, and is to end the run.
    Abort(LimitResult),
    /// The first thing that could not be written.
    NotWritten(String),
}

/// What is left when the run is over.
pub(super) struct Kept {
    pub folder: RunFolder,
    pub course: Course,
    pub host: HostUse,
    pub not_written: Option<FolderError>,
}

/// The other end of the thread.
pub(super) struct Recorder {
    batches: mpsc::Sender<Batch>,
    told: UnboundedReceiver<Told>,
    thread: JoinHandle<Kept>,
}

/// When the load began, by both clocks.
#[derive(Clone, Copy)]
pub(super) struct Began {
    pub at: Moment,
    pub wall: SystemTime,
}

impl Recorder {
    /// Begins to record a run into its folder.
    pub fn begin(scenario: Arc<Scenario>, folder: RunFolder, began: Began) -> std::io::Result<Recorder> {
        let (batches, to_record) = mpsc::channel();
        let (tell, told) = unbounded_channel();
        let course = Course::new(&scenario.limits, scenario.population_names(), scenario.waves());
        let host = HostUse {
            cores: host::cores() as f64,
            most_open_files: host::most_open_files(),
            most_ports: host::most_ports(),
            most_mailbox_depth: crate::actors::dm_server::MAILBOX as u64,
            ..HostUse::default()
        };
        let population_devices = scenario.population_devices();
        let desk = Desk { scenario, population_devices, folder, course, host, began, not_written: None, tell };
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || desk.record(to_record))?;
        Ok(Recorder { batches, told, thread })
    }

    /// Takes in what has happened.
    pub fn add(&self, batch: Batch) {
        // A recorder that has died of a panic is found out when it is finished.
        let _ = self.batches.send(batch);
    }

    /// What there is to tell next.
    pub async fn next(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            None => std::future::pending().await,
        }
    }

    /// Everything has been taken in; what is left of it.
    pub fn finish(self) -> Kept {
        drop(self.batches);
        match self.thread.join() {
            Ok(kept) => kept,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// What the thread works with.
struct Desk {
    scenario: Arc<Scenario>,
    population_devices: Vec<u64>,
    folder: RunFolder,
    course: Course,
    host: HostUse,
    began: Began,
    not_written: Option<FolderError>,
    tell: UnboundedSender<Told>,
}

impl Desk {
    fn record(mut self, batches: mpsc::Receiver<Batch>) -> Kept {
        let mut first = Frame::default();
        first.event(self.began.at, Event::Load);
        let written = self.folder.append_events(&first.finish());
        self.keep(written);
        let (mut has_aborted, mut gauges) = (false, Gauges::default());
        while let Ok(batch) = batches.recv() {
            let Batch { mut piece, tales, marks, taken, stand } = batch;
            gauges = piece.gauges;
            piece.gauges.open_files = host::open_files();
            let row = self.course.add(&piece);
            self.look_at_host(&stand);
            self.write_piece(&piece, &tales, &marks);
            self.write_exchanges(&taken);
            marks.into_iter().for_each(|(at, what)| self.course.mark(at, what));
            if let Some(row) = row {
                self.close_second(row, flows_took(&piece.records), piece.to, stand);
            }
            if let Some(limit) = self.course.calls_for_abort().filter(|_| !has_aborted) {
                has_aborted = true;
                let _ = self.tell.send(Told::Abort(limit));
            }
        }
        let row = self.course.last_row(&gauges);
        let written = self.folder.append_timeline(&row);
        self.keep(written);
        let Desk { folder, course, host, not_written, .. } = self;
        Kept { folder, course, host, not_written }
    }

    fn write_piece(&mut self, piece: &Piece, tales: &[Tale], marks: &[(Duration, String)]) {
        let lasted = piece.to.saturating_sub(piece.from);
        let written = self.folder.append_latency(self.began.wall, &piece.records, piece.from, lasted);
        self.keep(written);
        let scenario = Arc::clone(&self.scenario);
        let names = scenario.names();
        let mut frame = Frame::default();
        for tale in tales {
            frame.tale(&tale.ended, &tale.facts, self.began.at, &names);
        }
        for (at, what) in marks {
            frame.event(self.began.at + *at, Event::Mark { what: what.clone() });
        }
        let written = self.folder.append_events(&frame.finish());
        self.keep(written);
    }

    fn write_exchanges(&mut self, taken: &Taken) {
        let lines = taken.exchanges.iter().filter_map(|exchange| serde_json::to_string(exchange).ok());
        let left_out = (taken.left_out > 0).then(|| format!(r#"{{"left_out":{}}}"#, taken.left_out));
        let text: String = lines.chain(left_out).flat_map(|line| [line, "\n".to_owned()]).collect();
        let written = self.folder.append_exchanges(&text);
        self.keep(written);
    }

    /// A second is over: its row is written, and the summary so far, and both are told.
    fn close_second(&mut self, row: TimelineRow, took: LatencyRow, at: Duration, stand: Standing) {
        let written = self.folder.append_timeline(&row);
        self.keep(written);
        let summary = self.summary_so_far(&stand);
        let written = self.folder.write_summary(&summary);
        self.keep(written);
        let Standing { progress, state, left, .. } = stand;
        let limits = self.course.limits_so_far();
        let (took_so_far, summary) = (summary.all_flows, Arc::new(summary));
        let pulse = Pulse { progress, second: row, at, left, state, took, took_so_far, limits, summary };
        let _ = self.tell.send(Told::Second(Box::new(pulse)));
    }

    /// As if the run ended now: promises and goals are looked at when it is over.
    fn summary_so_far(&self, stand: &Standing) -> Summary {
        let scenario = &self.scenario;
        let summary = Summary::build(&Run {
            scenario: &scenario.name,
            seed: scenario.seed.0,
            policy: scenario.policy,
            devices: u64::from(scenario.devices),
            duration: stand.lasted,
            ending: Ending::Interrupted,
            course: &self.course,
            population_devices: &self.population_devices,
            promises: &[],
            goals: &[],
            faults: &stand.faults,
            windows: &LongestWindows::default(),
            cut_short: 0,
            ran_out: &[],
            expected: None,
            host: self.host,
            health: scenario.health,
        });
        Summary { phases: self.course.phases_so_far(), ..summary }
    }

    fn look_at_host(&mut self, stand: &Standing) {
        self.host.cpu_s = stand.cpu.as_secs_f64();
        self.host.peak_rss_bytes = host::peak_rss_bytes();
        self.host.open_files = self.course.peak().open_files;
        self.host.ports = self.host.ports.max(host::ports_in_use());
        self.host.mailbox_depth = self.course.peak().mailbox_depth;
    }

    /// The first thing that could not be written is told, and ends the run.
    fn keep(&mut self, written: Result<(), FolderError>) {
        if let Err(error) = written
            && self.not_written.is_none()
        {
            let _ = self.tell.send(Told::NotWritten(error.to_string()));
            self.not_written = Some(error);
        }
    }
}

/// How long all flows together took that ended `done`.
fn flows_took(records: &Shard) -> LatencyRow {
    let mut all = Latency::default();
    FlowKind::all().filter_map(|kind| records.flows().latency(kind)).for_each(|latency| all.merge(latency));
    LatencyRow::from(&all)
}
