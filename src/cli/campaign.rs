//! `dmswarm campaign`: many runs of one scenario, saved after each, and what they come to together.

mod dry_run;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::campaign::cells::{Cells, Over, Source, Wrong};
use crate::campaign::file::{self, CampaignFile};
use crate::campaign::order::Job;
use crate::campaign::walk::{self, End, News, Walk, Walked};
use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::report_page;
use crate::cli::run::{exit_of, options};
use crate::cli::targets::Outside;
use crate::cli::telling::Teller;
use crate::clock::wall_now;
use crate::delegation::policy::Policy;
use crate::report::campaign::{json, page, table};
use crate::report::figures::{counted, rate, time};
use crate::results::campaign::{Campaign, CampaignError, CampaignFolder, CellRow, Overriding, RunRow, SCHEMA, Stored};
use crate::results::utc;
use crate::run::control::Controls;
use crate::run::prepare::TooFewFiles;
use crate::run::{Finished, host, news};
use crate::seed::Seed;
use crate::units::Duration;

/// The examples in its help.
pub const EXAMPLES: &str = "\
Examples:
  dmswarm campaign scenarios/campaigns/devices-and-policy.toml --dry-run   the cells, and how long it would take
  dmswarm campaign CAMPAIGN.toml                                           every run, saved after each
  dmswarm campaign --resume latest                                         what is missing of the newest one
  dmswarm campaign --resume results/nightly-campaign-...                   of this one, also after kill -9

CAMPAIGN.toml names a scenario, and under [matrix] keys of it, in the words of --set, each with a list of values. Every
combination is a cell; each is run `repeats` times, all in an order that the campaign's seed shuffles. The folder of the
campaign has campaign.json, campaign.html and the folder of each run. `dmswarm schema campaign` lists the keys.

--seed is the campaign's here, not the scenario's: the scenario's is kept, or set with --set seed=N; where it has none,
each repeat has its own, the same for all cells.

Ends with the weightiest exit code of all runs; one that was ended for the `budget` counts as 6.";

/// What was asked for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// A campaign file; with --resume it need not be named
    #[arg(value_name = "CAMPAIGN.toml", required_unless_present = "resume")]
    campaign: Option<PathBuf>,
    /// Print the cells and how long they would take, and run nothing
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Go on with a campaign: its folder, its name in --out, or `latest`, which is meant without a value
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "latest")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    outside: Outside,
}

type Failure = (Exit, String);

/// A campaign that can be run.
struct Ready {
    file: CampaignFile,
    cells: Cells,
    folder: CampaignFolder,
    campaign: Campaign,
}

/// Runs a campaign, goes on with one, or says what it would do.
pub fn campaign(asked: Asked, flags: &Flags) -> Exit {
    let done = match &asked.resume {
        Some(word) => taken_up(word, asked.campaign.as_deref(), flags),
        None => match begin(asked.campaign.as_deref().unwrap_or(Path::new("")), asked.dry_run, flags) {
            Ok(Begun::DryRun(exit)) => return exit,
            Ok(Begun::Ready(ready)) => Ok(ready),
            Err(failure) => Err(failure),
        },
    };
    match done {
        Ok(ready) => go(*ready, asked.outside, flags),
        Err((exit, message)) => {
            if !message.is_empty() {
                output::remark(&format!("error: {message}"));
            }
            exit
        }
    }
}

enum Begun {
    DryRun(Exit),
    Ready(Box<Ready>),
}

/// What has been told already.
fn told(exit: Exit) -> Failure {
    (exit, String::new())
}

fn begin(path: &Path, is_dry: bool, flags: &Flags) -> Result<Begun, Failure> {
    let (text, file) = file::read(path).map_err(|problems| {
        tell_problems(&problems);
        told(Exit::Usage)
    })?;
    let source = Source::read(&file, path.parent().unwrap_or(Path::new(""))).map_err(|problems| {
        tell_problems(&problems);
        told(Exit::Usage)
    })?;
    let seed = flags.seed.map(Seed).or(file.seed).unwrap_or_else(Seed::fresh);
    let over = Over { sets: flags.set.clone(), policy: flags.policy };
    let cells = Cells::read(&file, source, &over, seed).map_err(|wrong| tell_wrong(wrong, path))?;
    if is_dry {
        return Ok(Begun::DryRun(dry_run::tell(&file, &cells, seed, flags)));
    }
    let mut campaign = Campaign {
        schema: SCHEMA.to_owned(),
        name: file.name.clone(),
        seed: seed.0,
        scenario: file.scenario.clone(),
        repeats: file.repeats,
        command_line: options(flags).command_line,
        overrides: Overriding { sets: over.sets, policy: over.policy.map(|policy| policy.key().to_owned()) },
        started: utc::rfc3339(wall_now()),
        ended: None,
        cells: rows(&cells),
        runs: Vec::new(),
        warm_up: Vec::new(),
        cut: Vec::new(),
        not_run: Vec::new(),
        beside: Default::default(),
    };
    can_be_run(&cells, &campaign)?;
    let texts = (text.as_str(), cells.source().text());
    let folder = CampaignFolder::create(&flags.out, wall_now(), &mut campaign, texts, &cells.source().beside());
    let folder = folder.map_err(|error| (Exit::CouldNotRun, error.to_string()))?;
    Ok(Begun::Ready(Box::new(Ready { file, cells, folder, campaign })))
}

/// The cells as they are kept.
fn rows(cells: &Cells) -> Vec<CellRow> {
    let settings = |cell: &crate::campaign::matrix::Cell| {
        let values = cell.settings.iter().map(|setting| {
            let value = serde_json::to_value(&setting.value).expect("a value without dates has a JSON form");
            (setting.path.clone(), value)
        });
        values.collect()
    };
    (1..).zip(cells.all()).map(|(cell, one)| CellRow { cell, settings: settings(one) }).collect()
}

/// A cell that this machine cannot run is told before the others are run in vain.
fn can_be_run(cells: &Cells, campaign: &Campaign) -> Result<(), Failure> {
    let allowed = host::raise_open_files();
    for row in &campaign.cells {
        let scenario = cells.scenario(Job { cell: row.cell, repeat: 1 });
        if let Some(lack) = scenario.ok().and_then(|scenario| TooFewFiles::of(&scenario, allowed)) {
            return Err((Exit::CouldNotRun, format!("cell {} ({}): {lack}", row.cell, row.words())));
        }
    }
    Ok(())
}

fn taken_up(word: &Path, path: Option<&Path>, flags: &Flags) -> Result<Box<Ready>, Failure> {
    let of_the_beginning =
        [("--set", !flags.set.is_empty()), ("--policy", flags.policy.is_some()), ("--seed", flags.seed.is_some())];
    if let Some((flag, _)) = of_the_beginning.iter().find(|(_, is_given)| *is_given) {
        let message =
            format!("`{flag}` has no place beside --resume: a campaign goes on as it was begun; leave it out");
        return Err((Exit::Usage, message));
    }
    let given = path.map(file::read).transpose().map_err(|problems| {
        tell_problems(&problems);
        told(Exit::Usage)
    })?;
    let failed = |error: CampaignError| {
        let exit = match error {
            CampaignError::NotWritten(_) | CampaignError::InUse { .. } => Exit::CouldNotRun,
            _ => Exit::Usage,
        };
        (exit, error.to_string())
    };
    let named = given.as_ref().map(|(_, file)| file.name.as_str());
    let place = CampaignFolder::find(&flags.out, word, named).map_err(failed)?;
    let Stored { folder, mut campaign, file: text, scenario, beside } = CampaignFolder::open(&place).map_err(failed)?;
    if let Some((path, _)) = path.zip(given).filter(|(_, (given, _))| *given != text) {
        let message = format!(
            "{} is not what the campaign in `{}` was begun with; leave it out to go on with that, or begin a new one without \
             --resume",
            path.display(),
            place.display()
        );
        return Err((Exit::Usage, message));
    }
    let copy = place.join("campaign.toml");
    let file = file::parse(&copy.display().to_string(), &text).map_err(|problems| {
        tell_problems(&problems);
        told(Exit::Usage)
    })?;
    let name = place.join("scenario.toml").display().to_string();
    let over = Over {
        sets: campaign.overrides.sets.clone(),
        policy: campaign.overrides.policy.as_deref().and_then(Policy::of),
    };
    let cells = Cells::read(&file, Source::stored(&name, scenario, beside), &over, Seed(campaign.seed));
    let cells = cells.map_err(|wrong| tell_wrong(wrong, &copy))?;
    if rows(&cells) != campaign.cells || file.repeats != campaign.repeats {
        let message = format!(
            "the copy of the campaign file in `{}` has other cells than its campaign.json: one of the two has been changed",
            place.display()
        );
        return Err((Exit::Usage, message));
    }
    let left_over = folder.left_over(&campaign);
    walk::take_up(&mut campaign, left_over, &cells);
    folder.save(&campaign).map_err(|error| (Exit::CouldNotRun, error.to_string()))?;
    Ok(Box::new(Ready { file, cells, folder, campaign }))
}

/// Tells everything that is wrong with cells.
fn tell_wrong(wrong: Wrong, path: &Path) -> Failure {
    match wrong {
        Wrong::Clash(message) => (Exit::Usage, message),
        Wrong::CannotDrive { cell, why } => (Exit::Usage, format!("{}, {cell}: {why}", path.display())),
        Wrong::Problems { in_file, elsewhere } => {
            in_file.iter().for_each(tell_problems);
            for (whose, problems) in &elsewhere {
                output::remark(&format!("{whose}:"));
                tell_problems(problems);
            }
            told(Exit::Usage)
        }
    }
}

fn go(ready: Ready, outside: Outside, flags: &Flags) -> Exit {
    let Ready { file, cells, folder, mut campaign } = ready;
    let to_come = walk::to_come(&campaign).len();
    if !flags.quiet {
        output::remark(&heading(&campaign, to_come, folder.path()));
    }
    let walk = Walk {
        cells: &cells,
        folder: &folder,
        options: outside.apply(options(flags)),
        warm_up: file.warm_up,
        rests: file.rests,
        budget: file.budget,
    };
    let known = campaign.cells.clone();
    let mut telling = Telling { flags, cells: &known, teller: None };
    let walked = walk.go(&mut campaign, |news| telling.hear(&news));
    drop(telling);
    let shown = show(&campaign, &folder, walked.as_ref().ok(), flags);
    let ended = match &walked {
        Ok(walked) => ending(&campaign, walked),
        Err(error) => {
            output::remark(&format!("error: {error}"));
            Exit::CouldNotRun
        }
    };
    if !campaign.is_complete() {
        let missing = counted((campaign.planned() - campaign.runs.len()) as u64, "run");
        let word = shlex::try_quote(&folder.path().to_string_lossy())
            .map_or_else(|_| "FOLDER".into(), |word| word.into_owned());
        output::remark(&format!("{missing} missing; go on with: dmswarm campaign --resume {word}"));
    }
    Exit::weightiest([shown, ended])
}

fn heading(campaign: &Campaign, to_come: usize, folder: &Path) -> String {
    let (cells, repeats) =
        (counted(campaign.cells.len() as u64, "cell"), counted(u64::from(campaign.repeats), "repeat"));
    let planned = counted(campaign.planned() as u64, "run");
    let left = match to_come {
        0 => ", none missing".to_owned(),
        all if all == campaign.planned() => String::new(),
        some => format!(", {some} missing"),
    };
    format!("{}: {cells}, {repeats}, {planned}{left}; seed {}; in {}", campaign.name, campaign.seed, folder.display())
}

/// How the program ends.
fn ending(campaign: &Campaign, walked: &Walked) -> Exit {
    let runs = campaign.runs.iter().map(exit_of_run);
    let errors = walked.errors.iter().map(exit_of);
    let end = match walked.end {
        End::Interrupted(signal) => Exit::of_signal(Some(signal)),
        End::Complete | End::InVain | End::Missing => Exit::Passed,
    };
    Exit::weightiest(runs.chain(errors).chain([end]))
}

/// A run that was ended for its budget has been ended early by a limit, and nobody has interrupted the program.
fn exit_of_run(run: &RunRow) -> Exit {
    match (run.internal_error, run.over_budget) {
        (true, _) => Exit::CouldNotRun,
        (false, true) => Exit::Aborted,
        (false, false) => Exit::of_verdict(run.verdict, None),
    }
}

/// The page, and the table or the JSON.
fn show(campaign: &Campaign, folder: &CampaignFolder, walked: Option<&Walked>, flags: &Flags) -> Exit {
    let written = folder.write_page(&page(campaign));
    let is_content = walked.is_some_and(|walked| ending(campaign, walked) == Exit::Passed);
    let shown = if flags.json {
        output::data(&json(campaign))
    } else if flags.quiet && is_content {
        Exit::Passed
    } else {
        output::data(&table(campaign).join("\n"))
    };
    match written {
        Ok(file) if !flags.quiet => output::remark(&format!("see {}", file.display())),
        Ok(_) => {}
        // All that it shows is in campaign.json, and --resume makes it again.
        Err(error) => output::remark(&format!("warning: no campaign.html: {error}")),
    }
    shown
}

/// Tells how a campaign goes, a line for each run.
struct Telling<'f> {
    flags: &'f Flags,
    cells: &'f [CellRow],
    /// Of the run under way.
    teller: Option<Teller<'f>>,
}

impl Telling<'_> {
    fn hear(&mut self, news: &News<'_>) {
        if let News::Done { finished, .. } | News::WarmedUp { finished, .. } = news {
            self.teller = None;
            page_of(finished);
        }
        match news {
            News::NotRun { job, error } => {
                self.teller = None;
                let kind = "error: ";
                output::remark(&format!("{kind}{}: {error}", self.words(*job)));
            }
            _ if self.flags.quiet => {}
            // A campaign has no keys and no screen: what is pressed would be of the run under way alone.
            News::Begins { scenario, .. } => self.teller = Some(Teller::new(scenario, self.flags, Controls::new().0)),
            News::Meanwhile(heard) => {
                let is_wanted = self.flags.verbose || matches!(heard, news::News::Stopping { .. });
                self.teller.iter_mut().filter(|_| is_wanted).for_each(|teller| teller.hear_in_lines(heard));
            }
            News::OverBudget { job, budget } => {
                output::remark(&format!("{}: longer than {}, and interrupted", self.words(*job), Duration(*budget)));
            }
            News::WarmedUp { number, of, row, .. } => {
                output::remark(&format!("warm-up {number} of {of}: {}, thrown away", row.verdict.key()));
            }
            News::Done { row, done, of, left, .. } => output::remark(&self.line(row, (*done, *of), *left)),
            News::Cut { job } => output::remark(&format!("{}: interrupted, to be made again", self.words(*job))),
        }
    }

    fn words(&self, Job { cell, repeat }: Job) -> String {
        let settings = self.cells.iter().find(|row| row.cell == cell).map(CellRow::words).unwrap_or_default();
        format!("cell {cell}, {settings}, repeat {repeat}")
    }

    fn line(&self, row: &RunRow, (done, of): (usize, usize), left: std::time::Duration) -> String {
        let words = self.words(Job { cell: row.cell, repeat: row.repeat });
        let width = of.to_string().len();
        let (flows, p99) = (rate(row.flows_per_s), time(row.p99_ms));
        let left = match left.as_secs() {
            0 => String::new(),
            // To the second: nobody knows it better.
            seconds => format!(", about {} left", Duration(std::time::Duration::from_secs(seconds))),
        };
        format!("{done:>width$} of {of}: {words}: {}, {flows} flows/s, p99 {p99}{left}", row.verdict.key())
    }
}

/// The report of a run, beside what it is made from.
fn page_of(finished: &Finished) {
    if let Err(error) = report_page::write(&finished.folder) {
        output::remark(&format!("warning: no report.html: {error}"));
    }
}

#[cfg(test)]
mod tests;
