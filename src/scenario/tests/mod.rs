//! Scenarios as a whole: their problems, what is read and printed, the schema, the quickstart.

mod action_problems;
mod credentials;
mod external;
mod fault_problems;
mod faults;
mod journeys;
mod load;
mod load_problems;
mod problems;
mod quickstart;
mod races;
mod retries;
mod round_trip;
mod schema;

use super::file::{Overrides, parse};
use super::*;
use crate::clock::Moment;
use crate::workload::pacer::Pacer;
use crate::workload::plan::Start;

/// Two servers, one bootstrap server, one journey; what a test is about is put in by [`with`].
const BASE: &str = r#"name = "demo"
[population]
devices = 10
[[server]]
name = "home"
id = "dms1.example.test"
[[server]]
name = "partner"
id = "dms2.example.test"
[[bootstrap_server]]
name = "boot"
for = "partner"
[[journey]]
steps = ["delegate home -> partner by dmacc"]
[load]
at_once = 5
"#;

fn with(old: &str, new: &str) -> String {
    assert_eq!(BASE.matches(old).count(), 1, "`{old}` stands once in the base");
    BASE.replace(old, new)
}

fn steps(steps: &str) -> String {
    with(r#"steps = ["delegate home -> partner by dmacc"]"#, &format!("steps = {steps}"))
}

fn read(text: &str) -> Result<Scenario, problem::Problems> {
    parse("demo.toml", text, &Overrides::default())
}

/// The text has exactly this one problem; `at` is the text that the place begins with.
#[track_caller]
fn is_wrong(text: &str, at: &str, message: &str, hint: &str) {
    let problems = read(text).map(|_| ()).expect_err("there is a problem");
    let all: Vec<_> = problems.iter().collect();
    assert_eq!(all.len(), 1, "one problem only:\n{problems}");
    let line = text.lines().nth(all[0].line - 1).unwrap_or_default();
    let rest: String = line.chars().skip(all[0].column - 1).collect();
    assert!(rest.starts_with(at), "points at `{rest}`, not at `{at}`:\n{problems}");
    assert_eq!(all[0].message, message);
    assert!(all[0].hint.unwrap_or_default().contains(hint), "{:?} says `{hint}`", all[0].hint);
    assert!(problems.to_string().contains(&format!("demo.toml:{}:{}", all[0].line, all[0].column)), "{problems}");
}

/// Every start of a scenario, in the order in which they come where journeys end as soon as they have begun.
fn starts(scenario: &Scenario) -> Vec<Start> {
    let mut pacer = Pacer::new(scenario.plan(), &Arc::new(scenario.population()), || Moment::ZERO);
    let mut starts = Vec::new();
    loop {
        let now = pacer.next();
        while let Some(start) = pacer.take(now) {
            starts.push(start);
            pacer.free(start.population, now);
        }
        if pacer.is_done() {
            return starts;
        }
    }
}
