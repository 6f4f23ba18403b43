//! One load run from scenario to result, on this machine.
//!
//! | file | its job |
//! |---|---|
//! | [`prepare`] | from a scenario to settled parties: certificates, sockets, limits; nothing has started yet |
//! | [`outside`] | what is somebody else's: whether it may be called, and how |
//! | [`preflight`] | whether somebody else's servers can be reached, before anything is loaded |
//! | [`sites`] | where the parties live: sockets and URLs |
//! | [`stand`] | all parties standing: threads, actors, doors |
//! | [`news`] | what there is to tell while a run goes on |
//! | [`control`] | what can be done to it meanwhile |
//! | [`metrics`] | a door for Prometheus |
//! | [`push`] | a collector that is told every ten seconds |
//! | `recorder` | where everything that was measured comes together: summed up, written, told on |
//! | `walk` | the plan walked second by second, until everybody has come to rest |
//! | [`calibrate`] | what this machine can generate, measured beforehand |
//! | `judge` | what became of the promises, the goals and the faults |
//! | `signals` | SIGINT, SIGTERM and SIGHUP |
//! | [`host`] | this machine: what it is, what it lets us use |

pub mod calibrate;
pub mod control;
pub mod host;
mod judge;
pub mod metrics;
pub mod news;
pub mod outside;
pub mod preflight;
pub mod prepare;
pub mod push;
mod recorder;
mod signals;
pub mod sites;
pub mod stand;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use crate::actors::board::Board;
use crate::clock::{Clock, wall_now};
use crate::facts::Fact;
use crate::facts::lines;
use crate::facts::telling::story;
use crate::ids::DeviceNumber;
use crate::measure::course::Course;
use crate::measure::health::HostUse;
use crate::measure::promise::PromiseResult;
use crate::measure::summary::{Ending, Run, Summary};
use crate::results::{FolderError, RunFolder, RunManifest, Story};
use crate::run::control::Controls;
use crate::run::judge::{Judged, fault_counts, judge};
use crate::run::metrics::{Scrape, ScrapeError};
use crate::run::news::News;
use crate::run::prepare::{Ground, PrepareError};
use crate::run::push::{Push, PushError};
use crate::run::recorder::{Began, Kept, Recorder};
use crate::run::signals::Signals;
pub use crate::run::signals::Watch;
use crate::run::stand::Stand;
use crate::run::walk::Walk;
use crate::scenario::Scenario;
use crate::transport::failure::CallError;
use crate::transport::guard::Target;
use crate::transport::listener::ListenError;
use crate::workload::plan::Plan;

/// Where a run keeps things, and how it was called.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder of certificates.
    pub certs: PathBuf,
    /// The folder that run folders are made in.
    pub out: PathBuf,
    /// What may be called beyond this machine, if the scenario has it.
    pub targets: Vec<Target>,
    /// Whether nothing is started here, and others are waited for.
    pub serves: bool,
    /// Whether every exchange with somebody else's servers is kept.
    pub records: bool,
    /// The program and its arguments, for the manifest.
    pub command_line: Vec<String>,
    /// Where Prometheus can see how it goes; the same socket serves one run after the other.
    pub metrics: Option<Scrape>,
    /// The collector that is told how it goes.
    pub otlp: Option<Push>,
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    pub summary: Summary,
    pub promises: Vec<PromiseResult>,
    pub folder: PathBuf,
    /// What was seen of devices that are worth a look.
    pub stories: Vec<(DeviceNumber, Vec<Fact>)>,
    /// The signal that interrupted it: 1 (SIGHUP), 2 (SIGINT) or 15 (SIGTERM).
    pub interrupted_by: Option<i32>,
    /// What of the folder could not be written, though the run went on; the first of it.
    pub not_written: Option<FolderError>,
    /// What the collector has not got.
    pub not_pushed: Option<PushError>,
}

/// Why a run could not be run; nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Somebody else's server cannot be reached, or does not let us in.
    #[error("{party} at {url} could not be reached, so nothing was loaded: {problem}")]
    Unreachable { party: String, url: String, problem: CallError },
    /// Somebody else's server does not take us for who we are.
    #[error(
        "{party} at {url} refuses our identity: it answers with {status}, so nothing was loaded; show it what it knows us by: \
         `certificate` and `key` in its `external`"
    )]
    NotLetIn { party: String, url: String, status: u16 },
    #[error(transparent)]
    Metrics(#[from] ScrapeError),
    /// By this signal.
    #[error("interrupted before the load began: nothing was loaded, and no folder is left")]
    Interrupted(i32),
    #[error("could not listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("could not start a thread: {0}; end other programs, or raise the limit with `ulimit -u`")]
    NoThread(std::io::Error),
    #[error("{0} died before the run began; this is a fault of dmswarm itself")]
    Died(&'static str),
}

impl RunError {
    /// The signal that has come before the load began, if that is why.
    pub fn signal(&self) -> Option<i32> {
        match self {
            RunError::Interrupted(number) => Some(*number),
            _ => None,
        }
    }
}

/// Runs a scenario; `tell` hears how it goes.
///
/// # Errors
/// [`RunError`] when nothing could be loaded. What cannot be written once the load has begun does not lose what is
/// measured: it is in [`Finished::not_written`].
pub fn run(scenario: &Scenario, options: &Options, tell: impl FnMut(News<'_>)) -> Result<Finished, RunError> {
    run_controlled(scenario, options, Controls::none(), tell)
}

/// As [`run`]; what is wanted through `controls` is done meanwhile.
pub fn run_controlled(
    scenario: &Scenario,
    options: &Options,
    controls: Controls,
    tell: impl FnMut(News<'_>),
) -> Result<Finished, RunError> {
    run_whole(scenario, options, controls, tell, |_| ()).map(|(finished, ())| finished)
}

/// As [`run`]; before the parties go, `look` sees what was noted of the watched devices step by step.
pub fn run_and_look<T>(
    scenario: &Scenario,
    options: &Options,
    tell: impl FnMut(News<'_>),
    look: impl FnOnce(&Board) -> T,
) -> Result<(Finished, T), RunError> {
    run_whole(scenario, options, Controls::none(), tell, look)
}

fn run_whole<T>(
    scenario: &Scenario,
    options: &Options,
    controls: Controls,
    mut tell: impl FnMut(News<'_>),
    look: impl FnOnce(&Board) -> T,
) -> Result<(Finished, T), RunError> {
    let served = options.serves.then(|| scenario.for_serving());
    let scenario = served.as_ref().unwrap_or(scenario);
    let clock = Clock::start();
    let system = actix::System::new();
    let mut signals = system.block_on(async { Signals::listen() }).map_err(RunError::Signals)?;
    let ground =
        Ground { certs: &options.certs, targets: &options.targets, serves: options.serves, records: options.records };
    let prepared = prepare::prepare(scenario, &ground, clock)?;
    if let Some(number) = system.block_on(signals.come_by_now()) {
        return Err(RunError::Interrupted(number));
    }
    let started_at = wall_now();
    let seed = scenario.seed.0;
    let command_line = options.command_line.clone();
    let mut manifest = RunManifest::starting(&scenario.name, seed, command_line, host::facts(), started_at);
    let folder = RunFolder::create(&options.out, &scenario.name, started_at, seed, &manifest)?;
    folder.write_scenario(&scenario.to_toml())?;
    let (addresses, path) = (prepared.addresses.clone(), folder.path().to_owned());

    let run = folder.path().file_name().unwrap_or_default().to_string_lossy();
    let pushing =
        options.otlp.as_ref().map(|push| push.begin(&run, started_at)).transpose().map_err(RunError::NoThread)?;

    let loaded = system.block_on(async {
        let standing = async {
            if !options.serves {
                preflight::look(&prepared).await?.into_iter().for_each(|reached| tell(News::Reached(reached)));
            }
            Stand::up(prepared).await
        };
        let stand = tokio::select! {
            biased;
            number = signals.next() => return Err(RunError::Interrupted(number)),
            stand = standing => stand?,
        };
        let door = options.metrics.as_ref().map(Scrape::open).transpose()?;
        let mut tell = |news: News<'_>| {
            if let News::Second(pulse) = &news {
                door.iter().for_each(|door| door.show(&pulse.summary));
                pushing.iter().for_each(|pushing| pushing.show(&pulse.summary));
            }
            tell(news);
        };
        tell(News::Ready { addresses: &addresses, folder: folder.path() });
        let plan = (!options.serves).then(|| scenario.plan());
        let measured = measure(&stand, (scenario, plan), folder, (&mut signals, controls), &mut tell).await;
        let looked = look(stand.board());
        stand.close().await;
        if let Some(door) = door {
            door.shut().await;
        }
        measured.map(|measured| (measured, looked))
    });
    // What was never loaded has no results.
    let (measured, looked) = loaded.inspect_err(|_| RunFolder::discard(&path))?;
    let folder = measured.folder;
    manifest.end(measured.summary.verdict, wall_now());
    manifest.tags = folder.tags();
    let names = scenario.names();
    let stories = measured.stories.iter();
    let told: Vec<Story> = stories
        .map(|(device, facts)| Story {
            device: *device,
            text: story(facts, &names),
            lines: lines::write(facts, &names),
        })
        .collect();
    let written = folder
        .write_summary(&measured.summary)
        .and_then(|()| folder.write_junit(&measured.summary, &manifest))
        .and_then(|()| folder.write_percentiles(measured.course.total()))
        .and_then(|()| folder.write_findings(&measured.promises))
        .and_then(|()| folder.write_stories(&told))
        .and_then(|()| folder.write_run(&manifest));
    let not_pushed = pushing.and_then(|pushing| pushing.finish(&measured.summary));
    let finished = Finished {
        summary: measured.summary,
        promises: measured.promises,
        folder: folder.path().to_owned(),
        stories: measured.stories,
        interrupted_by: measured.interrupted_by,
        not_written: measured.not_written.or(written.err()),
        not_pushed,
    };
    Ok((finished, looked))
}

struct Measured {
    folder: RunFolder,
    course: Course,
    summary: Summary,
    promises: Vec<PromiseResult>,
    stories: Vec<(DeviceNumber, Vec<Fact>)>,
    interrupted_by: Option<i32>,
    not_written: Option<FolderError>,
}

/// Walks the plan, lets the parties come to rest, and judges what they then believe.
async fn measure(
    stand: &Stand,
    (scenario, plan): (&Scenario, Option<Plan>),
    folder: RunFolder,
    (signals, mut controls): (&mut Signals, Controls),
    tell: &mut impl FnMut(News<'_>),
) -> Result<Measured, RunError> {
    let cpu_before = host::cpu_time();
    let serves = plan.is_none();
    let (at, finished) = stand.begin(plan).await;
    let began = Began { at, wall: wall_now() };
    let mut recorder = Recorder::begin(Arc::new(scenario.clone()), folder, began).map_err(RunError::NoThread)?;
    let walk = Walk::begin(stand, at, cpu_before).await;
    let mut walked = walk.go(scenario, finished, &mut recorder, (signals, &mut controls), tell).await;
    let mut judged = Judged::default();
    if !walked.at_once {
        tell(News::Judging { devices: scenario.devices });
        tokio::select! {
            biased;
            number = signals.next() => {
                walked.signal.get_or_insert(number);
            }
            looked = judge(stand, scenario, walked.healed_at) => judged = looked,
        }
    }
    let Kept { folder, course, host, not_written } = recorder.finish();
    let summary = Summary::build(&Run {
        scenario: &scenario.name,
        seed: scenario.seed.0,
        policy: scenario.policy,
        devices: u64::from(scenario.devices),
        duration: walked.load.lasted,
        ending: match (walked.signal.is_some() || walked.was_quit || walked.was_cut, walked.was_aborted) {
            // Whoever waits for others goes on until somebody says so.
            (true, _) if serves && !walked.at_once && !walked.was_cut => Ending::Drained,
            (true, _) => Ending::Interrupted,
            (false, true) => Ending::Aborted,
            (false, false) => Ending::Drained,
        },
        course: &course,
        population_devices: &scenario.population_devices(),
        promises: &judged.promises,
        goals: &judged.goals,
        faults: &fault_counts(stand),
        windows: &judged.windows,
        cut_short: judged.cut_short,
        ran_out: &walked.ran_out,
        expected: scenario.expect.as_ref().map(|expect| expect.under(scenario.policy)),
        host: HostUse { cpu_s: walked.load.cpu.as_secs_f64(), peak_rss_bytes: host::peak_rss_bytes(), ..host },
        health: scenario.health,
    });
    let Judged { promises, stories, .. } = judged;
    let interrupted_by = walked.signal.filter(|_| !serves || walked.at_once);
    Ok(Measured { folder, course, summary, promises, stories, interrupted_by, not_written })
}
