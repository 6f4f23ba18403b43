//! The runs of a campaign one after the other, in its order, saved after each.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::campaign::cells::Cells;
use crate::campaign::order::{Job, Rests, missing, shuffled};
use crate::clock::{Clock, Moment, wall_now};
use crate::measure::Verdict;
use crate::results::campaign::{Campaign, CampaignFolder, CutRow, Left, NotRunRow, Place, RunRow, WarmUpRow};
use crate::results::{FolderError, utc};
use crate::run::control::{Command, Controls, Keys};
use crate::run::{self, Finished, Options, RunError, Watch};
use crate::scenario::Scenario;
use crate::seed::Seed;

/// What could not be run so often, one after the other, will not be able to the next time either.
const MOST_IN_VAIN: usize = 3;
/// How long a run that has been interrupted for its budget is waited for, before it is ended at once.
const GRACE: Duration = Duration::from_secs(10);

/// How the runs are made.
pub struct Walk<'c> {
    pub cells: &'c Cells,
    pub folder: &'c CampaignFolder,
    /// Where certificates are and what may be called; the folder of the runs is the campaign's.
    pub options: Options,
    pub warm_up: u32,
    pub rests: Rests,
    /// The longest time of one run.
    pub budget: Option<Duration>,
}

/// What there is to tell while a campaign goes on.
pub enum News<'a> {
    /// A run begins.
    Begins { scenario: &'a Scenario, keys: Keys },
    /// How it goes.
    Meanwhile(&'a run::news::News<'a>),
    /// It takes longer than the budget, and is interrupted.
    OverBudget { job: Job, budget: Duration },
    /// A run that counts for nothing has ended.
    WarmedUp { number: u32, of: u32, row: &'a WarmUpRow, finished: &'a Finished },
    /// A run is done, and saved. `left` is how long the others take, if they take as long as those before.
    Done { row: &'a RunRow, done: usize, of: usize, left: Duration, finished: &'a Finished },
    /// A run was interrupted from outside.
    Cut { job: Job },
    /// A run could not be begun.
    NotRun { job: Job, error: &'a RunError },
}

/// How a campaign ended, for now.
#[derive(Debug)]
pub enum End {
    /// Every run is done.
    Complete,
    /// By the signal of this number.
    Interrupted(i32),
    /// The others would not go better than those that could not be run.
    InVain,
    /// What could not be run is missing; all others are done.
    Missing,
}

/// What became of a campaign.
#[derive(Debug)]
pub struct Walked {
    pub end: End,
    /// Why runs could not be begun.
    pub errors: Vec<RunError>,
}

/// The order in which all runs of a campaign come.
pub fn order(campaign: &Campaign) -> Vec<Job> {
    shuffled(campaign.cells.len() as u32, campaign.repeats, Seed(campaign.seed))
}

/// The runs of a campaign that are missing, in its order.
pub fn to_come(campaign: &Campaign) -> Vec<Job> {
    let done: BTreeSet<Job> = campaign.runs.iter().map(|run| Job { cell: run.cell, repeat: run.repeat }).collect();
    missing(&order(campaign), &done)
}

/// Takes up the folders of runs that a campaign does not know of, because it was killed before it could save that: what has
/// come to its end is done, all else is cut. A folder is of the run that was to come and has its scenario.
pub fn take_up(campaign: &mut Campaign, left: Vec<Left>, cells: &Cells) {
    for Left { folder, scenario, ended } in left {
        let is_its = |job: &Job| {
            let own = cells.scenario(*job).ok().map(|scenario| scenario.to_toml());
            own.is_some() && own == scenario
        };
        let job = scenario.as_ref().and_then(|_| to_come(campaign).into_iter().find(is_its));
        match (job, ended) {
            (Some(Job { cell, repeat }), Some(summary)) => {
                campaign.runs.push(RunRow::of(cell, repeat, folder, &summary));
            }
            (job, _) => campaign.cut.push(cut(job, folder, "killed")),
        }
    }
}

fn cut(job: Option<Job>, folder: PathBuf, why: &str) -> CutRow {
    let (cell, repeat) = job.map(|job| (job.cell, job.repeat)).unzip();
    CutRow { cell, repeat, folder, cut: true, why: why.to_owned() }
}

impl Walk<'_> {
    /// Makes the runs that are missing; `tell` hears how it goes. A signal ends the run under way as it ends any run, and then
    /// the campaign. What cannot be run is told, and the others come; after three in a row none does, nor after one that the
    /// files or the command line have to be mended for.
    ///
    /// # Errors
    /// [`GoError`] when results cannot be kept: the campaign is as it was saved last.
    pub fn go(&self, campaign: &mut Campaign, mut tell: impl FnMut(News<'_>)) -> Result<Walked, GoError> {
        let watch = Watch::begin().map_err(GoError::Signals)?;
        let jobs = to_come(campaign);
        let mut errors = Vec::new();
        let end = match self.warm_up(campaign, &jobs, &watch, &mut errors, &mut tell)? {
            Some(end) => end,
            None => self.each(campaign, &jobs, &watch, &mut errors, &mut tell)?,
        };
        Ok(Walked { end, errors })
    }

    /// The runs that count for nothing, if others come after them; whether that is the end.
    fn warm_up(
        &self,
        campaign: &mut Campaign,
        jobs: &[Job],
        watch: &Watch,
        errors: &mut Vec<RunError>,
        tell: &mut impl FnMut(News<'_>),
    ) -> Result<Option<End>, GoError> {
        let job = Job::OF_WARM_UP;
        for number in 1..=if jobs.is_empty() { 0 } else { self.warm_up } {
            let finished = match self.run(job, Place::WarmUp, tell) {
                Ok((finished, _)) => finished,
                Err(error) => return Ok(Some(self.not_run(job, error, errors, tell).unwrap_or(End::InVain))),
            };
            let folder = self.folder.inside(&finished.folder);
            let row = WarmUpRow { folder, verdict: finished.summary.verdict };
            campaign.warm_up.push(row.clone());
            self.folder.save(campaign)?;
            if let Some(signal) = finished.interrupted_by {
                return Ok(Some(End::Interrupted(signal)));
            }
            kept(&finished)?;
            tell(News::WarmedUp { number, of: self.warm_up, row: &row, finished: &finished });
            let next = if number < self.warm_up { job } else { jobs[0] };
            if let Some(signal) = watch.rest(self.rests.between(job, next)) {
                return Ok(Some(End::Interrupted(signal)));
            }
        }
        Ok(None)
    }

    /// The runs that count.
    fn each(
        &self,
        campaign: &mut Campaign,
        jobs: &[Job],
        watch: &Watch,
        errors: &mut Vec<RunError>,
        tell: &mut impl FnMut(News<'_>),
    ) -> Result<End, GoError> {
        let clock = Clock::start();
        let (mut in_vain, mut made) = (0, 0);
        for (place, job) in jobs.iter().copied().enumerate() {
            if place > 0
                && let Some(signal) = watch.rest(self.rests.between(jobs[place - 1], job))
            {
                return Ok(End::Interrupted(signal));
            }
            campaign.not_run.retain(|known| (known.cell, known.repeat) != (job.cell, job.repeat));
            match self.run(job, Place::Runs, tell) {
                Ok((Finished { interrupted_by: Some(signal), folder, .. }, _)) => {
                    campaign.cut.push(cut(Some(job), self.folder.inside(&folder), "interrupted"));
                    self.folder.save(campaign)?;
                    tell(News::Cut { job });
                    return Ok(End::Interrupted(signal));
                }
                Ok((finished, over_budget)) => {
                    kept(&finished)?;
                    let folder = self.folder.inside(&finished.folder);
                    let over_budget = over_budget && finished.summary.verdict == Verdict::Interrupted;
                    let row = RunRow { over_budget, ..RunRow::of(job.cell, job.repeat, folder, &finished.summary) };
                    campaign.runs.push(row.clone());
                    if campaign.is_complete() {
                        campaign.ended = Some(utc::rfc3339(wall_now()));
                    }
                    self.folder.save(campaign)?;
                    (in_vain, made) = (0, made + 1);
                    let each = (clock.now() - Moment::ZERO) / made;
                    let left = each.saturating_mul((jobs.len() - place - 1) as u32);
                    let (done, of) = (campaign.runs.len(), campaign.planned());
                    tell(News::Done { row: &row, done, of, left, finished: &finished });
                }
                Err(error) => {
                    let why = error.to_string();
                    let is_hopeless = matches!(&error, RunError::Prepare(problem) if problem.is_of_the_scenario());
                    if let Some(end) = self.not_run(job, error, errors, tell) {
                        return Ok(end);
                    }
                    campaign.not_run.push(NotRunRow { cell: job.cell, repeat: job.repeat, why });
                    self.folder.save(campaign)?;
                    in_vain += 1;
                    if is_hopeless || in_vain >= MOST_IN_VAIN {
                        return Ok(End::InVain);
                    }
                }
            }
        }
        Ok(if campaign.is_complete() { End::Complete } else { End::Missing })
    }

    /// Tells why a run was not begun, and whether that is the end.
    fn not_run(
        &self,
        job: Job,
        error: RunError,
        errors: &mut Vec<RunError>,
        tell: &mut impl FnMut(News<'_>),
    ) -> Option<End> {
        if let Some(signal) = error.signal() {
            return Some(End::Interrupted(signal));
        }
        tell(News::NotRun { job, error: &error });
        errors.push(error);
        None
    }

    /// One run; and whether it took too long.
    fn run(&self, job: Job, place: Place, tell: &mut impl FnMut(News<'_>)) -> Result<(Finished, bool), RunError> {
        let scenario = self.cells.scenario(job).expect("the scenario of every cell has been read before");
        let options = Options { out: self.folder.path().join(place.name()), ..self.options.clone() };
        let (keys, controls) = Controls::new();
        tell(News::Begins { scenario: &scenario, keys: keys.clone() });
        let mut limit = Limit { clock: Clock::start(), budget: self.budget, is_over: false, is_ended: false };
        let finished = run::run_controlled(&scenario, &options, controls, |news| {
            if matches!(news, run::news::News::Second(_)) && limit.look(&keys) {
                tell(News::OverBudget { job, budget: limit.budget.unwrap_or_default() });
            }
            tell(News::Meanwhile(&news));
        })?;
        Ok((finished, limit.is_over))
    }
}

/// Why a campaign cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum GoError {
    #[error(transparent)]
    NotWritten(#[from] FolderError),
    /// What of a run could not be written.
    #[error("{0}")]
    RunNotWritten(String),
    #[error("could not listen for signals: {0}")]
    Signals(std::io::Error),
}

/// What cannot be kept of a run makes it worth nothing.
fn kept(finished: &Finished) -> Result<(), GoError> {
    finished.not_written.as_ref().map_or(Ok(()), |error| Err(GoError::RunNotWritten(error.to_string())))
}

/// Ends a run that takes too long.
struct Limit {
    clock: Clock,
    budget: Option<Duration>,
    is_over: bool,
    is_ended: bool,
}

impl Limit {
    /// Whether the time is over now, and was not before.
    fn look(&mut self, keys: &Keys) -> bool {
        let Some(budget) = self.budget else { return false };
        let taken = self.clock.now() - Moment::ZERO;
        if self.is_over && !self.is_ended && taken > budget + GRACE {
            self.is_ended = true;
            keys.want(Command::Quit);
        }
        if self.is_over || taken <= budget {
            return false;
        }
        self.is_over = true;
        keys.want(Command::Quit);
        true
    }
}
