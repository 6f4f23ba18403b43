//! The second look at `[load]`: which journeys start by which phases, and starts that the phases can give.

use std::collections::BTreeMap;

use crate::scenario::entry::{Entry, Text};
use crate::scenario::parties::{check_name, once};
use crate::scenario::phases::{self, ReadFile};
use crate::scenario::problem::{Problem, did_you_mean};
use crate::scenario::recording::MOST_MOMENTS;
use crate::scenario::shape::words;
use crate::seed::Seed;
use crate::workload::arrival::{Phase, Shape};
use crate::workload::outlook::Outlook;
use crate::workload::plan::{Load, LoadPopulation, Plan};
use crate::workload::population::{Cohort, apportion};

/// Starts beyond those that there are devices for are counted up to here: they may be far too many.
const MORE_THAN_ENOUGH: u32 = 100_000;
/// What a load or a population of it says of its phases.
const OF_ITS_OWN: [&str; 3] = ["phases", "at_once", "starts"];

/// The load of a scenario with so many devices on these journeys.
pub fn read(
    entry: &Entry<'_>,
    seed: Seed,
    devices: u32,
    journeys: &[Cohort],
    file: ReadFile<'_>,
    found: &mut Vec<Problem>,
) -> Load {
    let shares: Vec<u32> = journeys.iter().map(|cohort| cohort.share).collect();
    let reader = LoadReader { seed, per_journey: apportion(devices, &shares), journeys, file };
    if !entry.has("population") {
        let population = reader.population(entry, ("load", 0), LoadPopulation::ALL.to_owned(), Vec::new(), found);
        return Load { populations: vec![population] };
    }
    for key in OF_ITS_OWN.into_iter().filter(|key| entry.has(key)) {
        let problem = Problem::new(entry.span(key), format!("`{key}` stands beside the populations of the load"));
        found.push(problem.label("of no population").hint("move it into a `[[load.population]]`, each has its own"));
    }
    Load { populations: reader.populations(entry, found) }
}

/// The load that stands in for one that is missing.
pub fn none() -> Load {
    Load::closed(0, 1)
}

/// The places of a population whose phases `at_once` says in short.
pub fn at_once(population: &LoadPopulation) -> Option<u32> {
    match &population.phases[..] {
        [Phase { name, shape: Shape::Closed { at_once, over: None } }] if name == Phase::STEADY => Some(*at_once),
        _ => None,
    }
}

struct LoadReader<'r> {
    seed: Seed,
    journeys: &'r [Cohort],
    /// How many devices go on each.
    per_journey: Vec<u32>,
    file: ReadFile<'r>,
}

impl LoadReader<'_> {
    /// `[[load.population]]`.
    fn populations(&self, entry: &Entry<'_>, found: &mut Vec<Problem>) -> Vec<LoadPopulation> {
        let entries = entry.tables("population");
        if entries.is_empty() && entry.is_list("population") {
            found.push(Problem::new(entry.span("population"), "`population` needs at least one entry"));
        }
        if let Some(one) = entries.get(Load::MOST_POPULATIONS) {
            let message = format!("a load has at most {} populations", Load::MOST_POPULATIONS);
            found.push(Problem::new(one.place(), message).hint("put journeys together that start in the same way"));
        }
        let mut names = BTreeMap::new();
        // The population that each journey has been found in.
        let mut places: BTreeMap<usize, String> = BTreeMap::new();
        let mut is_whole = !entries.is_empty();
        let mut populations = Vec::new();
        for entry in &entries {
            let name = entry.text("name");
            if let Some(name) = &name {
                check_name(name, found);
                once(&mut names, name.text.to_owned(), &name.span, "population name", found);
            }
            let name = name.map_or_else(String::new, |name| name.text.to_owned());
            let before = found.len();
            let journeys = self.journeys_of(entry, &name, &mut places, found);
            is_whole &= found.len() == before && entry.is_list("journeys");
            populations.push(self.population(entry, ("population", populations.len()), name, journeys, found));
        }
        // Where a name is wrong, the journey that it was to be is missing in consequence.
        for number in (0..self.journeys.len()).filter(|number| is_whole && !places.contains_key(number)) {
            let message = format!("journey `{}` is in no population of the load", self.name(number));
            let problem = Problem::new(entry.span("population"), message);
            found.push(problem.hint("add it to the `journeys` of one: every journey is in exactly one"));
        }
        populations
    }

    fn journeys_of(
        &self,
        entry: &Entry<'_>,
        population: &str,
        places: &mut BTreeMap<usize, String>,
        found: &mut Vec<Problem>,
    ) -> Vec<usize> {
        if entry.is_list("journeys") && entry.items("journeys").is_empty() {
            let problem = Problem::new(entry.span("journeys"), "a population needs at least one journey");
            found.push(problem.hint("its devices are those of its journeys"));
        }
        let mut journeys = Vec::new();
        for name in entry.texts("journeys").unwrap_or_default() {
            let Some(number) = self.journey_named(&name, found) else { continue };
            match places.insert(number, population.to_owned()) {
                None => journeys.push(number),
                Some(other) => {
                    let message = format!("journey `{}` is in the population `{other}` already", name.text);
                    let problem = Problem::new(name.whole(), message);
                    found.push(problem.hint("every journey is in exactly one population"));
                }
            }
        }
        journeys.sort_unstable();
        journeys
    }

    fn journey_named(&self, name: &Text<'_>, found: &mut Vec<Problem>) -> Option<usize> {
        let number = (0..self.journeys.len()).find(|number| self.name(*number) == name.text);
        if number.is_none() {
            let known: Vec<&str> = (0..self.journeys.len()).map(|number| self.name(number)).collect();
            let hint = did_you_mean(name.text, known.iter().copied())
                .unwrap_or_else(|| format!("the journeys are {}", words(&known, "and")));
            found.push(Problem::new(name.whole(), format!("there is no journey `{}`", name.text)).hint(hint));
        }
        number
    }

    fn name(&self, journey: usize) -> &str {
        &self.journeys[journey].journey.name
    }

    /// Phases and starts of the load itself, or of one of its populations; `number` is its place among them.
    fn population(
        &self,
        entry: &Entry<'_>,
        (what, number): (&str, usize),
        name: String,
        journeys: Vec<usize>,
        found: &mut Vec<Problem>,
    ) -> LoadPopulation {
        match (entry.has("phases"), entry.has("at_once")) {
            (true, true) => {
                let message = format!("a {what} has `phases` or `at_once`, not both");
                let hint = "leave out `at_once` for an open load, `phases` for a closed one";
                found.push(Problem::new(entry.span("at_once"), message).label("closed").hint(hint));
            }
            (false, false) => {
                let problem = Problem::new(entry.place(), format!("the {what} has neither `phases` nor `at_once`"));
                found.push(problem.hint("for example `phases = [\"hold 100/s until done\"]`, or `at_once = 50`"));
            }
            _ => {}
        }
        let before = found.len();
        // Phases are read even where they are one too many: what is wrong with them is told together.
        let mut phases = self.phases(entry, found);
        let is_whole = found.len() == before && !phases.is_empty();
        if entry.has("at_once") {
            phases = vec![Phase::steady(Shape::Closed { at_once: entry.number("at_once"), over: None })];
        }
        let wanted = entry.integer("starts").and_then(|starts| u32::try_from(starts).ok()).filter(|starts| *starts > 0);
        let mut population = LoadPopulation { name, journeys, starts: 0, phases };
        population.starts = wanted.unwrap_or_else(|| population.devices(&self.per_journey));
        if is_whole && !entry.has("at_once") {
            self.check_starts(entry, (&mut population, number), wanted, found);
        }
        population
    }

    /// Whether the phases give the starts that are asked for, and no more than there are devices for where nothing is asked
    /// for: what was planned and does not happen would be missed by nobody. Without chance the population says how many
    /// they give.
    fn check_starts(
        &self,
        entry: &Entry<'_>,
        (population, number): (&mut LoadPopulation, usize),
        wanted: Option<u32>,
        found: &mut Vec<Problem>,
    ) {
        if population.phases.last().is_some_and(|phase| phase.shape.lasts().is_none()) {
            return;
        }
        let is_by_chance = |phase: &Phase| phase.shape.is_counted_by_chance();
        let chance = if population.phases.iter().any(is_by_chance) { " with this seed" } else { "" };
        let enough = wanted.unwrap_or(population.starts);
        let most = enough.saturating_add(MORE_THAN_ENOUGH);
        let Some(given) = self.starts(LoadPopulation { starts: most, ..population.clone() }, number) else { return };
        if given == 0 && enough > 0 {
            found.push(Problem::new(entry.span("phases"), "the phases start no journey at all").hint("raise a rate"));
        } else if let Some(wanted) = wanted {
            // With chance nobody can say beforehand how many they will be.
            if given < u64::from(wanted) && chance.is_empty() {
                let message = format!("the phases end after {given} starts, `starts` asks for {wanted}");
                let problem = Problem::new(entry.span("starts"), message).label("more than the phases give");
                found.push(problem.hint("end the last phase with `until done`, or leave out `starts`"));
            }
        } else if given > u64::from(enough) {
            let given = if given < u64::from(most) { given.to_string() } else { format!("more than {}", most - 1) };
            let message = format!("the phases start {given} journeys{chance}, and there are {enough} devices for them");
            let problem = Problem::new(entry.span("phases"), message).label("each device has one journey");
            found.push(problem.hint(format!(
                "raise `population.devices`, or say `starts = {enough}` to end the load when that many have started"
            )));
        } else if chance.is_empty() {
            population.starts = u32::try_from(given).unwrap_or(population.starts);
        }
    }

    /// How many starts a population gives; `None` where it depends on how long journeys take.
    fn starts(&self, population: LoadPopulation, number: usize) -> Option<u64> {
        // Chance has streams of its own for each of the populations.
        let load = Load { populations: vec![population; number + 1] };
        Outlook::of(&Plan::new(load, self.seed), number).starts
    }

    fn phases(&self, entry: &Entry<'_>, found: &mut Vec<Problem>) -> Vec<Phase> {
        let texts = entry.texts("phases").unwrap_or_default();
        if entry.is_list("phases") && entry.items("phases").is_empty() {
            found.push(Problem::new(entry.span("phases"), "`phases` needs at least one phase"));
        }
        let mut phases = Vec::new();
        let mut moments = 0;
        for (nth, text) in texts.iter().enumerate() {
            let Some(phase) = phases::read(text, self.file, found) else { continue };
            if phase.shape.lasts().is_none() && nth + 1 < texts.len() {
                let problem = Problem::new(text.span.clone(), "a phase `until done` has to be the last");
                found.push(problem.label("nothing can follow it").hint("write how long it lasts, `for 10s`"));
            }
            if let Shape::Recorded(recorded) = &phase.shape {
                moments += recorded.len();
                if moments > MOST_MOMENTS {
                    let message = format!("there are more than {MOST_MOMENTS} moments in all");
                    found.push(Problem::new(text.span.clone(), message).label("with those before"));
                }
            }
            phases.push(phase);
        }
        phases
    }
}
