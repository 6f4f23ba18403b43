//! `dmswarm runs`: the catalogue of what was run: listed, shown, tagged, thinned out, and when its figures changed.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::report::found;
use crate::cli::trend;
use crate::cli::values::{number, time};
use crate::clock::wall_now;
use crate::measure::Verdict;
use crate::report::figures::{counted, size};
use crate::report::table::Table;
use crate::report::{catalogue, terminal};
use crate::results::{Catalogue, CatalogueError, Entry, StoredError, StoredRun, utc};

/// What to do with the catalogue.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    #[command(subcommand)]
    pub what: Option<What>,
    #[command(flatten)]
    pub list: List,
}

#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// List runs, the newest first; this is what `dmswarm runs` alone does
    List(List),
    /// Show the summary of a run again, and its files
    Show {
        /// The folder of a run, its name in --out or the beginning of it, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Give words to a run, to be found by; a tagged run is not pruned
    Tag {
        /// The folder of a run, its name in --out or the beginning of it, or `latest`
        #[arg(value_name = "RUN")]
        run: String,
        #[arg(value_name = "WORD", required = true, value_parser = word)]
        words: Vec<String>,
        /// Take them away instead
        #[arg(long)]
        remove: bool,
    },
    /// Say when the figures of a scenario changed, run by run
    ///
    /// Runs count that have the settings of the latest one, but for the seed, and that are neither invalid nor cut off. A
    /// change is told that chance makes in at most 1 of 100 rows of runs; it takes 10 runs, 5 of them after it.
    Trend(trend::Asked),
    /// Remove old runs: all that every flag chooses; without --yes only say which
    Prune(Prune),
}

/// Which runs are listed.
#[derive(Debug, Clone, Args)]
pub struct List {
    #[command(flatten)]
    pub of: Chosen,
    /// With this tag
    #[arg(long, value_name = "WORD")]
    pub tag: Option<String>,
    /// So many at most
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u32>(1..=u64::from(u32::MAX)))]
    pub limit: Option<u32>,
}

/// Which runs are meant.
#[derive(Debug, Clone, Args)]
pub struct Chosen {
    /// Of the scenario with this name
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// With this verdict
    #[arg(long, value_name = "VERDICT", value_parser = verdicts())]
    pub verdict: Option<Verdict>,
}

/// Which runs are removed.
#[derive(Debug, Clone, Args)]
pub struct Prune {
    #[command(flatten)]
    pub of: Chosen,
    /// Keep the newest N of those that the other flags choose
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::<u32>(0..=u64::from(u32::MAX)))]
    pub keep: Option<u32>,
    /// Begun longer ago than this, such as 30d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = time)]
    pub older_than: Option<Duration>,
    /// Tagged ones too
    #[arg(long)]
    pub tagged: bool,
    /// Remove them
    #[arg(long)]
    pub yes: bool,
}

pub const EXAMPLES: &str = "\
Examples:
  dmswarm runs
  dmswarm runs list --scenario quickstart --limit 5
  dmswarm runs show latest
  dmswarm runs tag latest baseline before-upgrade
  dmswarm runs trend --scenario quickstart --metric flow.revoke.asked
  dmswarm runs prune --older-than 30d                 what would be removed
  dmswarm runs prune --keep 10 --verdict passed --yes";

const VERDICTS: [Verdict; 7] = [
    Verdict::Passed,
    Verdict::Failed,
    Verdict::Broken,
    Verdict::Invalid,
    Verdict::Aborted,
    Verdict::Unreachable,
    Verdict::Interrupted,
];

/// Verdicts, by their words.
fn verdicts() -> impl TypedValueParser<Value = Verdict> {
    PossibleValuesParser::new(VERDICTS.map(Verdict::key)).map(|word| {
        let named = VERDICTS.into_iter().find(|verdict| verdict.key() == word);
        named.expect("only the words of verdicts are possible")
    })
}

/// A tag: they are listed with spaces between them.
fn word(text: &str) -> Result<String, String> {
    let is_word = !text.is_empty() && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    if is_word { Ok(text.to_owned()) } else { Err(format!("expected a word without spaces, found `{text}`")) }
}

type Failure = (Exit, String);

/// Does what was asked for.
pub fn runs(asked: &Asked, flags: &Flags) -> Exit {
    let done = match &asked.what {
        Some(_) if asked.list.is_narrowed() => {
            let message =
                "--scenario, --verdict, --tag and --limit go behind `list`, `trend` or `prune`, not before them";
            Err((Exit::Usage, message.to_owned()))
        }
        None => list(&asked.list, flags),
        Some(What::List(asked)) => list(asked, flags),
        Some(What::Show { run }) => found(run, flags).and_then(|run| show(&run, flags)),
        Some(What::Tag { run, words, remove }) => found(run, flags).and_then(|run| tag(&run, words, *remove, flags)),
        Some(What::Trend(asked)) => read(flags).and_then(|catalogue| trend::trend(&catalogue.runs, asked, flags)),
        Some(What::Prune(asked)) => prune(asked, flags),
    };
    done.unwrap_or_else(|(exit, message)| {
        output::remark(&format!("error: {message}"));
        exit
    })
}

/// The runs below --out; where there is no such folder yet, none.
fn read(flags: &Flags) -> Result<Catalogue, Failure> {
    if !flags.out.exists() {
        return Ok(Catalogue { runs: Vec::new(), searches: 0, campaigns: 0 });
    }
    Catalogue::read(&flags.out).map_err(|error| (Exit::CouldNotRun, error.to_string()))
}

impl Chosen {
    fn takes(&self, run: &Entry) -> bool {
        self.scenario.as_ref().is_none_or(|name| run.manifest.scenario == *name)
            && self.verdict.is_none_or(|verdict| run.verdict() == verdict)
    }
}

impl List {
    fn is_narrowed(&self) -> bool {
        self.of.scenario.is_some() || self.of.verdict.is_some() || self.tag.is_some() || self.limit.is_some()
    }
}

fn list(asked: &List, flags: &Flags) -> Result<Exit, Failure> {
    let Catalogue { mut runs, searches, campaigns } = read(flags)?;
    runs.retain(|run| asked.of.takes(run) && asked.tag.as_ref().is_none_or(|tag| run.manifest.tags.contains(tag)));
    let all = runs.len();
    runs.truncate(asked.limit.map_or(usize::MAX, |limit| limit as usize));
    let now = wall_now();
    if flags.json {
        return Ok(output::data(&format!("{:#}", catalogue::listed(&runs, now))));
    }
    let shown = match runs.as_slice() {
        [] => Exit::Passed,
        runs => output::data(&catalogue::table(runs, now).join("\n")),
    };
    if !flags.quiet {
        let place = flags.out.display();
        match (runs.len(), all) {
            (0, _) => output::remark(&format!("no such runs in {place}")),
            (some, all) if some < all => output::remark(&format!("{} more in {place}", all - some)),
            _ => {}
        }
        if searches > 0 {
            let searches = counted(searches as u64, "folder");
            output::remark(&format!("left out: {searches} of searches (dmswarm explore)"));
        }
        if campaigns > 0 {
            let campaigns = counted(campaigns as u64, "folder");
            let hint = "--out FOLDER/runs lists the runs of one";
            output::remark(&format!("left out: {campaigns} of campaigns (dmswarm campaign); {hint}"));
        }
    }
    Ok(shown)
}

fn show(run: &Entry, flags: &Flags) -> Result<Exit, Failure> {
    let files = run.files();
    // A run that was killed early has none; what is there and cannot be read is told, and so is what is missing.
    let unread = if run.summary.is_some() { None } else { StoredRun::at(&run.folder).summary().err() };
    let exit = match &unread {
        Some(StoredError::NoSummary { ended: None, .. }) | None => Exit::Passed,
        Some(error) => {
            output::remark(&format!("error: {error}"));
            Exit::CouldNotRun
        }
    };
    if flags.json {
        let files: Vec<_> = files.iter().map(|(name, bytes)| json!({ "name": name, "bytes": bytes })).collect();
        let text = json!({ "folder": run.folder, "run": run.manifest, "summary": run.summary, "files": files });
        return Ok(Exit::weightiest([exit, output::data(&format!("{text:#}"))]));
    }
    let mut text = match &run.summary {
        Some(summary) => terminal::summary(
            summary,
            Some(terminal::Files { folder: &run.folder, report: None }),
            output::data_has_colour(),
        ),
        None => {
            let why = unread.map(|error| format!("; {error}")).filter(|_| exit == Exit::Passed).unwrap_or_default();
            format!("{}: {}{why}\n", run.manifest.scenario, catalogue::verdict(run, wall_now()))
        }
    };
    if !run.manifest.tags.is_empty() {
        text.push_str(&format!("tags      {}\n", run.manifest.tags.join(" ")));
    }
    text.push_str(&format!("\n{}", catalogue::files(&files).join("\n")));
    Ok(Exit::weightiest([exit, output::data(&text)]))
}

fn tag(run: &Entry, words: &[String], remove: bool, flags: &Flags) -> Result<Exit, Failure> {
    let tags = run.tag(words, remove).map_err(|error| (Exit::CouldNotRun, error.to_string()))?;
    if !flags.quiet {
        let tags = if tags.is_empty() { "no tags".to_owned() } else { tags.join(" ") };
        output::remark(&format!("{}: {tags}", run.name));
    }
    Ok(Exit::Passed)
}

fn prune(asked: &Prune, flags: &Flags) -> Result<Exit, Failure> {
    if asked.keep.is_none() && asked.older_than.is_none() && asked.of.verdict.is_none() {
        let message = "expected at least one of --keep N, --older-than TIME and --verdict VERDICT: without one all runs \
                       would go";
        return Err((Exit::Usage, message.to_owned()));
    }
    let now = wall_now();
    let mut runs = read(flags)?.runs;
    // Both are UTC in the same form, so that they compare as texts.
    let before = asked.older_than.map(|age| now.checked_sub(age).map(utc::rfc3339).unwrap_or_default());
    runs.retain(|run| {
        asked.of.takes(run)
            && before.as_ref().is_none_or(|before| run.manifest.started < *before)
            && (asked.tagged || run.manifest.tags.is_empty())
            && !run.may_be_running(now)
    });
    runs.drain(..runs.len().min(asked.keep.unwrap_or(0) as usize));
    let mut table = Table::new(["run", "verdict", "size"]);
    let sizes: Vec<u64> = runs.iter().map(Entry::size).collect();
    for (run, bytes) in runs.iter().zip(&sizes) {
        table.row([run.name.clone(), run.verdict().key().to_owned(), size(*bytes)]);
    }
    let shown = if runs.is_empty() || flags.quiet { Exit::Passed } else { output::data(&table.words().join("\n")) };
    let told = format!("{}, {}", counted(runs.len() as u64, "run"), size(sizes.iter().sum()));
    if !asked.yes {
        let hint = if runs.is_empty() { "" } else { "; nothing was removed: repeat it with --yes" };
        output::remark(&format!("to be removed: {told}{hint}"));
        return Ok(shown);
    }
    let failed: Vec<CatalogueError> = runs.iter().filter_map(|run| run.remove().err()).collect();
    failed.iter().for_each(|error| output::remark(&format!("error: {error}")));
    if !failed.is_empty() {
        return Ok(Exit::CouldNotRun);
    }
    if !flags.quiet {
        output::remark(&format!("removed: {told}"));
    }
    Ok(shown)
}
