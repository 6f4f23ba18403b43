//! `dmswarm compare`: sets of runs against sets of runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::compare::{self, Chosen, Distributions, MetricShift, Objection, Run};
use crate::report::comparison::{Account, document, markdown, page, terminal, words};
use crate::report::figures::counted;
use crate::results::{Catalogue, CatalogueError, StoredRun};
use crate::statistics::{Options, Unfit, Verdict};
use crate::units::Share;

/// What `compare` is asked for.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Runs of how it was: folders, names in --out or beginnings of them, `latest`, or `tag:NAME` for all with a tag
    #[arg(value_name = "BASELINE", required = true)]
    pub baseline: Vec<String>,
    /// Runs of how it is, named in the same ways
    #[arg(long = "with", value_name = "CONTENDER", required = true, num_args = 1..)]
    pub contender: Vec<String>,
    /// Only this metric, such as flow.revoke.asked.p99, or all of flow.revoke.asked, or of `flow`; once for each
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// The smallest change that is to be seen: whether there are enough runs depends on it
    #[arg(long, value_name = "SHARE", default_value = "10%", allow_hyphen_values = true, value_parser = least_change)]
    pub least_change: Share,
    /// How seldom runs of the same thing are called different, in any metric: 95% is in 5 of 100 comparisons
    #[arg(long, value_name = "SHARE", default_value = "95%", allow_hyphen_values = true, value_parser = confidence)]
    pub confidence: Share,
    /// Compare runs of different scenarios all the same, and runs that are invalid or were cut off
    #[arg(long)]
    pub force: bool,
    /// In which form
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Write it into this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The forms of a comparison; --json is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For the page of a change
    Markdown,
    /// A page with the intervals drawn, and where in each distribution of times a change is
    Html,
}

pub const EXAMPLES: &str = "\
Examples:
  dmswarm compare tag:before --with tag:after
  dmswarm compare before/quickstart-* --with after/quickstart-* --metric flow --metric flows_per_s
  dmswarm compare tag:before --with tag:after --format html --output compare.html
  dmswarm compare tag:before --with tag:after --json > compare.json

A change counts where the interval excludes 0, the change exceeds what repeats of the same thing differ by, and it is no
chance (p) among all the metrics that are compared: the fewer metrics, the fewer runs it takes. Five runs of each are the
least; ten show a change of 10% in metrics that vary by 4% from run to run. --seed is that of the resampling.
Among them are those of dmswarm itself, cpu_share and peak_rss_bytes: against a real peer, say with --metric what counts.

Ends with 7 when a metric got worse, also where others had not enough runs.";

type Failure = (Exit, String);

/// Compares two sets of runs.
pub fn compare(asked: &Asked, flags: &Flags) -> Exit {
    compared(asked, flags).unwrap_or_else(|(exit, message)| {
        output::remark(&message);
        exit
    })
}

fn compared(asked: &Asked, flags: &Flags) -> Result<Exit, Failure> {
    if flags.json && asked.format != Format::Table {
        return Err(usage("--json and --format are two forms; leave one of them out"));
    }
    let (baseline, contender) = (read(&asked.baseline, flags)?, read(&asked.contender, flags)?);
    let all = || baseline.iter().chain(&contender);
    if let Some(twice) = named_twice(all()) {
        let message = format!("the run `{twice}` is named twice: a run counts once, on one of the two sides");
        return Err(usage(&message));
    }
    let objections = compare::objections(all());
    if !objections.is_empty() && !asked.force {
        return Err((Exit::Usage, refused(&objections)));
    }
    let warnings = compare::warnings(all());
    let chosen = Chosen::among(&asked.metric, &Run::metrics(all())).map_err(|error| usage(&error.to_string()))?;
    let defaults = Options::default();
    let options = Options {
        confidence: asked.confidence.fraction(),
        least_change: asked.least_change.fraction(),
        seed: flags.seed.unwrap_or(defaults.seed),
        ..defaults
    };
    let unfit = |error: Unfit| usage(&error.to_string());
    let result = compare::compare(&baseline, &contender, &chosen, &options).map_err(unfit)?;
    let shifts = if flags.json || asked.format == Format::Html {
        shifts(&baseline, &contender, &result, &options)?
    } else {
        Vec::new()
    };
    let account = Account {
        baseline: &baseline,
        contender: &contender,
        compared: &result,
        shifts: &shifts,
        objections: &objections,
        warnings: &warnings,
        options: &options,
    };
    tell(&account, flags);
    let shown = show(&account, asked, flags)?;
    Ok(match (shown, result.verdict()) {
        (Exit::Passed, Verdict::Worse) => Exit::Regression,
        (shown, _) => shown,
    })
}

fn usage(message: &str) -> Failure {
    (Exit::Usage, format!("error: {message}"))
}

/// The runs that words mean.
fn read(words: &[String], flags: &Flags) -> Result<Vec<Run>, Failure> {
    let mut runs = Vec::new();
    for word in words {
        let entries = Catalogue::find_all(&flags.out, word).map_err(|error| match error {
            CatalogueError::NotWritten(_) | CatalogueError::NotRemoved { .. } => {
                (Exit::CouldNotRun, format!("error: {error}"))
            }
            _ => usage(&error.to_string()),
        })?;
        for entry in entries {
            let run = Run::read(&entry).map_err(|error| {
                (
                    Exit::CouldNotRun,
                    format!("error: the run `{}` cannot be compared: {error}", entry.name.escape_debug()),
                )
            })?;
            runs.push(run);
        }
    }
    Ok(runs)
}

/// Whether a folder stands for two runs; then it is one.
fn named_twice<'r>(runs: impl Iterator<Item = &'r Run>) -> Option<String> {
    let mut known = Vec::new();
    for run in runs {
        let folder = run.folder.canonicalize().unwrap_or_else(|_| run.folder.clone());
        if known.contains(&folder) {
            return Some(run.name.clone());
        }
        known.push(folder);
    }
    None
}

/// All that stands against it, and how to do it all the same.
fn refused(objections: &[Objection]) -> String {
    let mut lines: Vec<String> = objections
        .iter()
        .flat_map(|objection| {
            let mut lines = terminal::objection(objection);
            lines[0].insert_str(0, "error: ");
            lines
        })
        .collect();
    lines.push("nothing was compared; leave these runs out, or compare them all the same with --force".to_owned());
    lines.join("\n")
}

fn shifts(
    baseline: &[Run],
    contender: &[Run],
    compared: &compare::Compared,
    options: &Options,
) -> Result<Vec<MetricShift>, Failure> {
    let mut of: Vec<&str> = compared
        .rows
        .iter()
        .filter(|row| row.metric.unit == compare::Unit::Milliseconds)
        .map(|row| row.metric.of.as_str())
        .collect();
    of.dedup();
    let mut unread = Vec::new();
    let mut distributions = |runs: &[Run]| -> Vec<Distributions> {
        let one = |run: &Run| match StoredRun::at(&run.folder).latency() {
            Ok(latency) => Distributions::of(&latency),
            Err(error) => {
                unread.push(error.to_string());
                Distributions::default()
            }
        };
        runs.iter().map(one).collect()
    };
    let (ours, theirs) = (distributions(baseline), distributions(contender));
    if let Some((first, others)) = unread.split_first() {
        let others = if others.is_empty() { String::new() } else { format!(" (and so in {} more)", others.len()) };
        output::remark(&format!("warning: {first}{others}; where in the distributions a change is, is not told"));
    }
    compare::shifts(&ours, &theirs, of.into_iter(), options).map_err(|error| usage(&error.to_string()))
}

/// What is to be known beside the result.
fn tell(account: &Account<'_>, flags: &Flags) {
    account.warnings.iter().for_each(|warning| output::remark(&format!("warning: {warning}")));
    for objection in account.objections {
        let lines = terminal::objection(objection);
        output::remark(&format!("warning: {}", lines.join("\n")));
    }
    let left_out = terminal::left_out(account);
    if flags.verbose {
        left_out.iter().for_each(|line| output::remark(line));
    } else if !left_out.is_empty() && !flags.quiet {
        let metrics = counted(left_out.len() as u64, "metric");
        output::remark(&format!(
            "left out: {metrics} that not all runs have, or that cannot be compared; -v says which"
        ));
    }
}

fn show(account: &Account<'_>, asked: &Asked, flags: &Flags) -> Result<Exit, Failure> {
    let colour = asked.output.is_none() && output::data_has_colour();
    let text = match asked.format {
        _ if flags.json => document::json(account),
        Format::Markdown => markdown::text(account),
        Format::Html => page::page(account),
        Format::Table if flags.quiet => match terminal::only_worse(account, colour) {
            Some(text) => text,
            None => return Ok(Exit::Passed),
        },
        Format::Table => terminal::text(account, colour),
    };
    let Some(file) = &asked.output else { return Ok(output::data(&text)) };
    let text = if text.ends_with('\n') { text } else { text + "\n" };
    std::fs::write(file, text).map_err(|error| {
        let file = file.display();
        (Exit::CouldNotRun, format!("error: cannot write `{file}`: {error}; choose another place with --output"))
    })?;
    if !flags.quiet {
        output::remark(&format!("written: {}", file.display()));
        output::remark(&words::conclusion(account));
    }
    Ok(Exit::Passed)
}

fn least_change(text: &str) -> Result<Share, String> {
    share(text, 0.001, 1.0, "a share from `0.1%` to `100%`")
}

fn confidence(text: &str) -> Result<Share, String> {
    share(text, 0.5, 0.999_9, "a share from `50%` to `99.99%`")
}

fn share(text: &str, least: f64, most: f64, expected: &str) -> Result<Share, String> {
    let read = text.parse::<Share>().ok();
    // A hair, that an end itself is within.
    let is_within = |share: &Share| (least - 1e-9..=most + 1e-9).contains(&share.fraction());
    read.filter(is_within).ok_or_else(|| format!("expected {expected}, found `{text}`"))
}
