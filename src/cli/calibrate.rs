//! `dmswarm calibrate`: what this machine can generate, and whether a scenario's load is within it.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::scenarios::read_all;
use crate::measure::capacity::{Capacity, Fit};
use crate::report::calibration as report;
use crate::run::calibrate;
use crate::scenario::demand::Demand;

/// Measures this machine, and holds the scenario's load against it.
pub fn calibrate(scenario: Option<&PathBuf>, each: Duration, flags: &Flags) -> Exit {
    let asked = read_all(scenario.map(std::slice::from_ref).unwrap_or_default(), &flags.overrides());
    let [asked] = asked.as_slice() else {
        let number = asked.len();
        output::remark(&format!("error: expected one scenario, found a folder of {number}; name one of its files"));
        return Exit::Usage;
    };
    let scenario = match &asked.scenario {
        Ok(scenario) => scenario,
        Err(problems) => {
            tell_problems(problems);
            return Exit::Usage;
        }
    };
    let demand = scenario.demand();
    let capacity = match calibrate::calibrate(scenario, &flags.certs, each) {
        Ok(capacity) => capacity,
        Err(error) => {
            output::remark(&format!("error: {error}"));
            return Exit::CouldNotRun;
        }
    };
    let ending = ending(&demand, &capacity);
    let verdict = report::verdict(&scenario.name, &demand, &capacity);
    let said = match (flags.json, flags.quiet) {
        (true, _) => output::data(&format!("{:#}", report::json(&scenario.name, &demand, &capacity))),
        (false, true) if ending == Exit::Passed => Exit::Passed,
        (false, true) => output::data(&verdict),
        (false, false) => output::data(&format!("{}\n\n{verdict}", report::tables(&capacity))),
    };
    Exit::weightiest([ending, said])
}

/// What goes by the clock has to fit; a storm and a closed load only take longer.
fn ending(demand: &Demand, capacity: &Capacity) -> Exit {
    match demand.clocked.as_ref().map(|need| Fit::of(capacity.share(need))) {
        Some(Fit::TooMuch) => Exit::Invalid,
        Some(Fit::Comfortable | Fit::Close) | None => Exit::Passed,
    }
}
