//! A campaign file: what it says, or every problem in it at once.

use std::path::Path;
use std::time::Duration;

use toml::Value;
use toml::de::DeValue;

use crate::campaign::matrix::{self, Axis, Cell, Setting, Spot};
use crate::campaign::order::Rests;
use crate::scenario::document::{self, Table, Value as Found};
use crate::scenario::entry::Entry;
use crate::scenario::file::read_text;
use crate::scenario::keys::{CAMPAIGN, SCENARIO, Section, Shape};
use crate::scenario::parties::check_name;
use crate::scenario::problem::{Problem, Problems, Sources, Span, did_you_mean};
use crate::scenario::shape::{self, check_beside, words};
use crate::seed::Seed;

/// No campaign has more runs.
pub const MOST_RUNS: u64 = 10_000;
/// What is looked at once a second cannot be over sooner.
const LEAST_BUDGET: Duration = Duration::from_secs(1);

/// What a campaign file says.
#[derive(Debug, Clone)]
pub struct CampaignFile {
    /// Safe as a part of a file name.
    pub name: String,
    /// The path of the scenario as it is named, or `quickstart`.
    pub scenario: String,
    /// Where that stands.
    pub scenario_at: Span,
    pub seed: Option<Seed>,
    /// At least one.
    pub repeats: u32,
    pub warm_up: u32,
    pub rests: Rests,
    pub budget: Option<Duration>,
    /// What holds for every cell.
    pub set: Vec<Setting>,
    /// At least one; with the repeats, no more than [`MOST_RUNS`] runs.
    pub cells: Vec<Cell>,
    sources: Sources,
}

/// Reads a campaign file: its text, and what it says.
///
/// # Errors
/// Every problem of the file; also when it cannot be read.
pub fn read(path: &Path) -> Result<(String, CampaignFile), Problems> {
    let name = path.display().to_string();
    let text = read_text(path, "campaign").map_err(|error| {
        let found =
            vec![Problem::new(0..0, format!("cannot read `{name}`: {error}")).hint("give the path of a campaign file")];
        Problems::new(Sources::new(("", ""), []), found)
    })?;
    let file = parse(&name, &text)?;
    Ok((text, file))
}

/// Reads a campaign from a text; `name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn parse(name: &str, text: &str) -> Result<CampaignFile, Problems> {
    let sources = Sources::new((name, text), []);
    let mut found = Vec::new();
    let file = match document::read(&sources, &mut found) {
        Ok(root) if is_scenario(&root) => {
            let problem = Problem::new(0..0, "this file is a scenario, and no campaign of one");
            found = vec![problem.hint(format!(
                "write a campaign with `scenario = \"{name}\"` and a `[matrix]`; scenarios/campaigns has one to copy"
            ))];
            None
        }
        Ok(root) => {
            let place = 0..text.find('\n').unwrap_or(text.len());
            check_beside(&CAMPAIGN, &root, place, of_scenarios, &mut found);
            let file = Reader { sources: &sources }.file(&root, &mut found);
            found.is_empty().then_some(file)
        }
        Err(problems) => {
            found = problems;
            None
        }
    };
    file.ok_or_else(|| Problems::new(sources, found))
}

impl CampaignFile {
    /// What is wrong with the file after all: what cells have found.
    pub fn problems(&self, found: Vec<Problem>) -> Problems {
        Problems::new(self.sources.clone(), found)
    }

    /// How many runs there are in all, without those that warm up.
    pub fn runs(&self) -> u64 {
        self.cells.len() as u64 * u64::from(self.repeats)
    }
}

/// Whether it is a file for `dmswarm run`: it names no scenario, and has what every scenario has.
fn is_scenario(root: &Table<'_>) -> bool {
    !root.contains_key("scenario") && root.contains_key("population") && root.contains_key("load")
}

/// Where a key belongs that a campaign has not.
fn of_scenarios(name: &str) -> Option<String> {
    SCENARIO.key(name).map(|_| {
        format!("`{name}` is a key of scenarios: put it into `[set]` for all cells, or with a list of values into `[matrix]`")
    })
}

struct Reader<'s> {
    sources: &'s Sources,
}

impl Reader<'_> {
    /// The second look: what the values mean together.
    fn file(&self, root: &Table<'_>, found: &mut Vec<Problem>) -> CampaignFile {
        let entry = Entry::root(&CAMPAIGN, root, self.sources);
        let name = entry.text("name");
        if let Some(name) = &name {
            check_name(name, found);
        }
        let scenario = entry.text("scenario");
        if let Some(empty) = scenario.as_ref().filter(|path| path.text.trim().is_empty()) {
            let problem = Problem::new(empty.whole(), "the path of the scenario is empty");
            found.push(problem.hint("name a file, as seen from this one, or `quickstart`"));
        }
        let budget = entry.duration("budget");
        if !budget.is_zero() && budget < LEAST_BUDGET {
            let problem = Problem::new(entry.span("budget"), "`budget` is shorter than 1s");
            found.push(problem.hint("it is looked at once a second"));
        }
        let set = self.table(root.get("set"), found);
        let axes = self.axes(root.get("matrix"), &set, found);
        let exclude = self.exclusions(root.get("exclude"), &axes, found);
        let extra = self.tables(root.get("cell"), found);
        let extra: Vec<(Cell, Span)> = extra.into_iter().map(|(settings, at)| (Cell { settings }, at)).collect();
        let repeats: u32 = entry.number("repeats");
        let combinations = if root.contains_key("matrix") || extra.is_empty() { matrix::count(&axes) } else { Some(0) };
        let runs = combinations
            .and_then(|cells| cells.checked_add(extra.len() as u64))
            .and_then(|cells| cells.checked_mul(u64::from(repeats.max(1))));
        if runs.is_none_or(|runs| runs > MOST_RUNS) {
            let many = runs.map_or_else(|| "more runs than can be counted".to_owned(), |runs| format!("{runs} runs"));
            let problem =
                Problem::new(entry.span("matrix"), format!("the campaign has {many}, and at most {MOST_RUNS} are"));
            found.push(problem.hint("take values out of the matrix, or fewer `repeats`"));
            return self.with(&entry, set, Vec::new());
        }
        let mut cells = if combinations == Some(0) { Vec::new() } else { matrix::product(&axes, &exclude) };
        for (cell, at) in extra {
            if cells.iter().any(|known| known.is_same_as(&cell)) {
                let problem = Problem::new(at, "this cell is there already").label("the same settings");
                found.push(problem.hint("take it away; `repeats` says how often each cell is run"));
            } else {
                cells.push(cell);
            }
        }
        if cells.is_empty() && found.is_empty() {
            let problem = Problem::new(entry.span("exclude"), "every cell is excluded, and nothing is left to run");
            found.push(problem.hint("exclude less"));
        }
        self.with(&entry, set, cells)
    }

    fn with(&self, entry: &Entry<'_>, set: Vec<Setting>, cells: Vec<Cell>) -> CampaignFile {
        CampaignFile {
            name: entry.word("name").to_owned(),
            scenario: entry.word("scenario").to_owned(),
            scenario_at: entry.span("scenario"),
            seed: entry.integer("seed").and_then(|seed| u64::try_from(seed).ok()).map(Seed),
            repeats: entry.number("repeats"),
            warm_up: entry.number("warm_up"),
            rests: Rests { cool_down: entry.duration("cool_down"), pause: entry.duration("pause") },
            budget: entry.has("budget").then(|| entry.duration("budget")),
            set,
            cells,
            sources: self.sources.clone(),
        }
    }

    /// The axes of `[matrix]`.
    fn axes(&self, matrix: Option<&Found<'_>>, set: &[Setting], found: &mut Vec<Problem>) -> Vec<Axis> {
        let mut leaves = Vec::new();
        if let Some(table) = matrix.and_then(|value| value.get_ref().as_table()) {
            self.take_apart("", table, None, &mut leaves);
        }
        let mut axes: Vec<Axis> = Vec::new();
        for (path, key, value) in leaves {
            let Some(items) = value.get_ref().as_array() else {
                let message = format!("`{path}` is a list of values here, found {}", a(value.get_ref()));
                found.push(Problem::new(value.span(), message).hint("what holds for every cell stands in `[set]`"));
                continue;
            };
            if items.is_empty() {
                found.push(Problem::new(value.span(), format!("`{path}` has no values")).hint("name at least one"));
            }
            if set.iter().any(|setting| setting.path == path) {
                let message = format!("`{path}` is set for every cell already");
                found.push(Problem::new(key.clone(), message).hint("take it out of `[set]`, or out of here"));
            }
            if axes.iter().any(|axis| axis.path == path) {
                found.push(Problem::new(key.clone(), format!("`{path}` stands twice in the matrix")));
            }
            let mut values: Vec<Setting> = Vec::new();
            for item in items {
                let Some(setting) = self.setting(&path, &key, item, found) else { continue };
                if values.iter().any(|known| known.value == setting.value) {
                    let problem = Problem::new(item.span(), format!("this value of `{path}` stands twice"));
                    found.push(problem.hint("`repeats` says how often each cell is run"));
                }
                values.push(setting);
            }
            axes.push(Axis { path, values });
        }
        axes
    }

    /// The combinations that are left out; each names values of axes.
    fn exclusions(&self, list: Option<&Found<'_>>, axes: &[Axis], found: &mut Vec<Problem>) -> Vec<Vec<Setting>> {
        let tables = self.tables(list, found);
        for (settings, at) in &tables {
            if settings.is_empty() {
                let problem = Problem::new(at.clone(), "an exclusion without values would exclude every cell");
                found.push(problem.hint("name a value of the matrix, as in `{ \"population.devices\" = 100 }`"));
            }
            for setting in settings {
                let known: Vec<&str> = axes.iter().map(|axis| axis.path.as_str()).collect();
                let Some(axis) = axes.iter().find(|axis| axis.path == setting.path) else {
                    let problem =
                        Problem::new(setting.at.key.clone(), format!("`{}` is no path of the matrix", setting.path));
                    let hint = did_you_mean(&setting.path, known.iter().copied()).unwrap_or_else(|| {
                        if known.is_empty() {
                            "there is no matrix".into()
                        } else {
                            format!("it has {}", words(&known, "and"))
                        }
                    });
                    found.push(problem.hint(hint));
                    continue;
                };
                if !axis.values.iter().any(|value| value.value == setting.value) {
                    let values: Vec<String> = axis.values.iter().map(|value| value.value.to_string()).collect();
                    let message = format!("the matrix has no `{}` of {}", setting.path, setting.value);
                    let problem = Problem::new(setting.at.value.clone(), message);
                    found.push(problem.hint(format!("it has {}", values.join(", "))));
                }
            }
        }
        tables.into_iter().map(|(settings, _)| settings).collect()
    }

    /// Tables of settings, each with its place.
    fn tables(&self, list: Option<&Found<'_>>, found: &mut Vec<Problem>) -> Vec<(Vec<Setting>, Span)> {
        let items = list.and_then(|value| value.get_ref().as_array()).into_iter().flatten();
        items.map(|item| (self.table(Some(item), found), item.span())).collect()
    }

    /// The settings of a table.
    fn table(&self, value: Option<&Found<'_>>, found: &mut Vec<Problem>) -> Vec<Setting> {
        let mut leaves = Vec::new();
        if let Some(table) = value.and_then(|value| value.get_ref().as_table()) {
            self.take_apart("", table, Some(&SCENARIO), &mut leaves);
        }
        leaves.into_iter().filter_map(|(path, key, value)| self.setting(&path, &key, value, found)).collect()
    }

    /// `population.devices` without quotes is a table in a table: where scenarios have a table as well, its keys are meant and
    /// not the whole of it. `None`: whatever is a table is taken apart, because no table is a value.
    fn take_apart<'t, 'd>(
        &self,
        before: &str,
        table: &'t Table<'d>,
        section: Option<&'static Section>,
        into: &mut Vec<(String, Span, &'t Found<'d>)>,
    ) {
        for (key, value) in table {
            let path = format!("{before}{}", key.get_ref());
            let inner = section.and_then(|section| match section.key(key.get_ref()).map(|key| &key.shape) {
                Some(Shape::Table(inner)) => Some(*inner),
                _ => None,
            });
            match value.get_ref() {
                DeValue::Table(deeper) if section.is_none() || inner.is_some() => {
                    self.take_apart(&format!("{path}."), deeper, inner, into);
                }
                _ => into.push((path, key.span(), value)),
            }
        }
    }

    fn setting(&self, path: &str, key: &Span, value: &Found<'_>, found: &mut Vec<Problem>) -> Option<Setting> {
        if path.contains('=') || path.split('.').any(|step| step.trim().is_empty()) {
            let problem = Problem::new(key.clone(), format!("`{path}` is no path of a scenario"));
            found.push(problem.hint("write it as `--set` takes it: `\"population.devices\"`, `\"fault.0.do.delay\"`"));
            return None;
        }
        let plain = match plain(value) {
            Ok(plain) => plain,
            Err(problem) => {
                found.push(problem);
                return None;
            }
        };
        let raw = self.sources.text(key.clone());
        let path_from = raw.find(path).map(|at| key.start + at);
        let is_verbatim = self.sources.text(value.span()) == plain.to_string();
        let at = Spot { key: key.clone(), value: value.span(), path_from, is_verbatim };
        Some(Setting { path: path.to_owned(), value: plain, at })
    }
}

/// A value without its places.
fn plain(value: &Found<'_>) -> Result<Value, Problem> {
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(yes) => Value::Boolean(*yes),
        DeValue::Integer(number) => Value::Integer(shape::integer(value).ok_or_else(|| {
            Problem::new(value.span(), format!("`{}` is larger than any number of a scenario", number.as_str()))
        })?),
        DeValue::Float(_) => match shape::number(value).filter(|number| number.is_finite()) {
            Some(number) => Value::Float(number),
            None => return Err(Problem::new(value.span(), "this is no finite number")),
        },
        DeValue::Datetime(date) => {
            let problem = Problem::new(value.span(), format!("nothing in a scenario is a date, found `{date}`"));
            return Err(problem.hint("durations are strings, such as `\"250ms\"`"));
        }
        DeValue::Array(items) => Value::Array(items.iter().map(plain).collect::<Result<_, _>>()?),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, item)| Ok((key.get_ref().to_string(), plain(item)?)));
            Value::Table(entries.collect::<Result<_, Problem>>()?)
        }
    })
}

/// A value in a sentence.
fn a(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string `{text}`"),
        DeValue::Integer(number) => format!("the whole number `{}`", number.as_str()),
        DeValue::Float(number) => format!("the number `{}`", number.as_str()),
        DeValue::Boolean(yes) => format!("`{yes}`"),
        DeValue::Datetime(date) => format!("the date `{date}`"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests;
