//! What a search has gone through, in words and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::explore::choice::Budget;
use crate::explore::hunt::{Hunted, Level, Means, NotRetold};
use crate::explore::premises::Premises;
use crate::report::figures::{count, counted, size};
use crate::results::FindingFile;
use crate::scenario::Scenario;
use crate::units;

/// How much is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For so long: little budgets first, then at random.
    For(Duration),
    /// So many ways at random.
    Runs(u64),
    /// Every way within a scope.
    Exhaustive,
}

/// The first line of a search.
pub fn heading(scenario: &Scenario, premises: &[Premises], effort: Effort, means: Means) -> String {
    let how = match effort {
        Effort::For(time) => format!("for {}", units::Duration(time)),
        Effort::Runs(ways) => format!("{} ways at random", count(ways)),
        Effort::Exhaustive => "every way".to_owned(),
    };
    let kinds: Vec<&str> = premises.iter().map(|premises| premises.kind.as_str()).collect();
    format!(
        "{}: {how}, policy {}, seed {}, {}, at most {} of memory\n{} of devices: {}",
        scenario.name,
        scenario.policy.key(),
        scenario.seed.0,
        counted(means.threads as u64, "thread"),
        size(means.memory),
        counted(premises.len() as u64, "kind"),
        kinds.join(", ")
    )
}

/// What has been gone through.
pub fn evidence(hunted: &Hunted, premises: &[Premises], effort: Effort) -> String {
    let mut text = String::new();
    for level in hunted.levels() {
        text.push_str(&certificate(&level));
    }
    let random = hunted.at_random();
    if random.ways > 0 {
        text.push_str(&format!(
            "{} at random, {} steps; {} broke a promise\n",
            counted(random.ways, "way"),
            count(random.steps),
            count(random.broken)
        ));
    }
    let (reached, missed) = goals(hunted, premises);
    text.push_str(&format!("came by {} of {} situations that matter", reached.len(), reached.len() + missed.len()));
    text.push_str(&if missed.is_empty() { "\n".to_owned() } else { format!("; never: {}\n", missed.join(", ")) });
    if let Effort::For(_) = effort {
        text.push_str(&format!("reached piece {} of the search\n", count(hunted.pieces.len() as u64)));
    }
    if hunted.ran_out() {
        text.push_str("not everything fitted into the memory: give more with --memory, or narrow the scope\n");
    }
    text.push_str(&not_retold(hunted, premises));
    text
}

/// What was broken on ways that are not among the findings, each promise once for each kind of device.
fn not_retold(hunted: &Hunted, premises: &[Premises]) -> String {
    if hunted.not_retold.is_empty() {
        return String::new();
    }
    let mut ways: Vec<_> = hunted.not_retold.iter().map(|way| (way.piece, &way.trail)).collect();
    ways.dedup();
    let many = counted(ways.len() as u64, "way");
    let mut text = format!("{many} that broke a promise could not be retold as a plan, a fault of this search:\n");
    let mut told: Vec<(usize, &str)> = hunted.not_retold.iter().map(|way| (way.kind, way.promise)).collect();
    told.sort_unstable();
    told.dedup();
    for (kind, promise) in told {
        text.push_str(&format!("    {promise}, {}\n", premises[kind].kind));
    }
    text
}

/// The goals that were reached, and those that were not. All kinds of devices have the same.
fn goals<'p>(hunted: &Hunted, premises: &'p [Premises]) -> (Vec<&'p str>, Vec<&'p str>) {
    let reached = hunted.goals();
    let all = premises.first().map_or(&[][..], |premises| premises.goals.as_slice());
    let named = all.iter().enumerate().map(|(number, goal)| (reached & (1 << number) != 0, goal.name.as_str()));
    let (reached, missed): (Vec<_>, Vec<_>) = named.partition(|(is_reached, _)| *is_reached);
    let names = |goals: Vec<(bool, &'p str)>| goals.into_iter().map(|(_, name)| name).collect();
    (names(reached), names(missed))
}

/// `all scripts of 2 or fewer operations, 1 early timer: complete, 12 states, ...`.
fn certificate(level: &Level) -> String {
    let done = if level.is_complete { "complete" } else { "not complete" };
    let broken = if level.promises.is_empty() { "none".to_owned() } else { level.promises.join(", ") };
    format!(
        "{}: {done}, {} states, {} transitions, {} ends; broken promises: {broken}\n    new states by distance {}\n",
        scope(level.budget),
        count(level.states),
        count(level.transitions),
        count(level.at_rest),
        curve(&level.curve)
    )
}

fn scope(budget: Budget) -> String {
    let parts = [
        (budget.early, "early timer"),
        (budget.losses, "loss"),
        (budget.copies, "duplicate"),
        (budget.deaths, "death"),
    ];
    let plural = |number: u8, noun: &str| match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "loss") => format!("{number} losses"),
        _ => format!("{number} {noun}s"),
    };
    let mut text = match budget.wishes {
        1 => "all scripts of 1 operation".to_owned(),
        wishes => format!("all scripts of {wishes} or fewer operations"),
    };
    for (number, noun) in parts.into_iter().filter(|(number, _)| *number > 0) {
        text.push_str(&format!(", {}", plural(number, noun)));
    }
    text
}

/// A line of bars, and how far it goes.
fn curve(curve: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const WIDTH: usize = 40;
    let highest = curve.iter().copied().max().unwrap_or(0).max(1);
    let step = curve.len().div_ceil(WIDTH).max(1);
    let bars = curve.chunks(step).map(|chunk| {
        let top = chunk.iter().copied().max().unwrap_or(0);
        BARS[(top * 7 / highest) as usize]
    });
    let last = curve.len().saturating_sub(1);
    format!("{} (0 to {last}, at most {} at one)", bars.collect::<String>(), count(highest))
}

/// A finding in a few lines. `alike`: how many others break the same with the same wishes.
pub fn finding(file: &FindingFile, times: u64, alike: usize) -> String {
    let mut text = format!("\n{}  {}", file.signature, file.promise);
    let others: Vec<&str> = file.promises.iter().map(String::as_str).filter(|name| *name != file.promise).collect();
    if !others.is_empty() {
        text.push_str(&format!(", also {}", others.join(", ")));
    }
    text.push_str(&format!("  ({})\n", counted(times, "way")));
    for wish in &file.wishes {
        text.push_str(&format!("    {wish}\n"));
    }
    for decision in &file.decisions {
        text.push_str(&format!("    {decision}\n"));
    }
    for seen in &file.seen {
        text.push_str(&format!("    => {seen}\n"));
    }
    if alike > 0 {
        text.push_str(&format!("    ... and {} with the same wishes\n", counted(alike as u64, "more plan")));
    }
    text
}

/// `explore.json`.
pub fn json<'a>(
    scenario: &Scenario,
    premises: &[Premises],
    effort: Effort,
    hunted: &Hunted,
    findings: impl Iterator<Item = (&'a FindingFile, u64)>,
) -> Value {
    let level = |level: Level| {
        let Budget { wishes, early, losses, copies, deaths } = level.budget;
        json!({
            "operations": wishes, "early_timers": early, "losses": losses, "duplicates": copies, "deaths": deaths,
            "complete": level.is_complete, "states": level.states, "transitions": level.transitions,
            "ends": level.at_rest, "broken_promises": level.promises, "new_states": level.curve,
        })
    };
    let finding = |(file, times): (&FindingFile, u64)| {
        json!({
            "signature": file.signature, "promise": file.promise, "promises": file.promises, "kind": file.kind,
            "wishes": file.wishes, "decisions": file.decisions, "seen": file.seen, "ways": times,
        })
    };
    let not_retold = |way: &NotRetold| {
        let choices: Vec<String> = way.trail.iter().map(|choice| format!("{choice:?}")).collect();
        let budget = format!("{:?}", way.budget);
        let kind = &premises[way.kind].kind;
        json!({ "promise": way.promise, "kind": kind, "piece": way.piece, "budget": budget, "choices": choices })
    };
    let random = hunted.at_random();
    let (reached, missed) = goals(hunted, premises);
    json!({
        "schema": "dmswarm.explore/2",
        "scenario": scenario.name,
        "policy": scenario.policy.key(),
        "seed": scenario.seed.0,
        "effort": match effort {
            Effort::For(time) => format!("for {}", units::Duration(time)),
            Effort::Runs(ways) => format!("{ways} ways"),
            Effort::Exhaustive => "exhaustive".to_owned(),
        },
        "pieces": hunted.pieces.len(),
        "levels": hunted.levels().into_iter().map(level).collect::<Vec<_>>(),
        "ways_at_random": random.ways,
        "steps_at_random": random.steps,
        "goals_reached": reached,
        "goals_missed": missed,
        "not_retold": hunted.not_retold.iter().map(not_retold).collect::<Vec<_>>(),
        "ran_out_of_memory": hunted.ran_out(),
        "findings": findings.map(finding).collect::<Vec<_>>(),
    })
}
