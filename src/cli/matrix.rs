//! `dmswarm explore --matrix`: two timeouts against a delay, as heat maps.

use crate::cli::args::{Explore, Flags};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::sweeps::Range;
use crate::clock::wall_now;
use crate::delegation::message::Kind;
use crate::explore::matrix::{Delayed, Heat, Matrix};
use crate::report::matrix as report;
use crate::results::{FolderError, SearchFolder};
use crate::scenario::Scenario;

/// Goes through every pair of values with each delay, and maps what came of it.
pub fn matrix(asked: &Explore, ranges: &[Range], scenario: &Scenario, flags: &Flags) -> Exit {
    let [first, second] = ranges else { return wrong("--matrix takes two timeouts") };
    let axes = [first, second].map(|range| range.axis(asked.sweeps.cells));
    if axes[0].key == axes[1].key {
        return wrong(&format!("expected two timeouts, found `{}` twice; name another one", axes[0].key));
    }
    let word = asked.sweeps.delay_of.to_ascii_lowercase();
    let delayed = match (word.as_str(), Kind::of_root(&word)) {
        ("sessions", _) => Delayed::Sessions,
        (_, Some(kind)) => Delayed::Message(kind),
        _ => {
            let known = Kind::ALL.map(Kind::root).join(", ");
            return wrong(&format!("expected --delay-of to be `sessions` or a message ({known}), found `{word}`"));
        }
    };
    let matrix = Matrix { axes, delayed, delays: asked.sweeps.delay.values(asked.sweeps.delays) };
    let heat = match matrix.walk(scenario) {
        Ok(heat) => heat,
        Err(error) => return wrong(&error.to_string()),
    };
    let folder = match keep(scenario, &matrix, &heat, flags) {
        Ok(folder) => folder,
        Err(error) => {
            output::remark(&format!("error: {error}"));
            return Exit::CouldNotRun;
        }
    };
    let is_broken = heat.cells.iter().flatten().flatten().any(|cell| !cell.ending.broken.is_empty());
    let ending = if is_broken { Exit::PromiseBroken } else { Exit::Passed };
    if flags.json {
        return Exit::weightiest([ending, output::data(&format!("{:#}", report::json(scenario, &matrix, &heat)))]);
    }
    if flags.quiet && ending == Exit::Passed {
        return Exit::Passed;
    }
    if !flags.quiet {
        output::remark(&report::heading(scenario, &matrix, &heat));
    }
    let maps = report::maps(&matrix, &heat, output::data_has_colour());
    Exit::weightiest([ending, output::data(&format!("{maps}\nrows  {}", folder.path().display()))])
}

fn keep(scenario: &Scenario, matrix: &Matrix, heat: &Heat, flags: &Flags) -> Result<SearchFolder, FolderError> {
    let folder = SearchFolder::create(&flags.out, (&scenario.name, "explore"), wall_now(), scenario.seed.0)?;
    folder.write("matrix.csv", &report::csv(matrix, heat))?;
    folder.write("matrix.json", &format!("{:#}\n", report::json(scenario, matrix, heat)))?;
    Ok(folder)
}

fn wrong(message: &str) -> Exit {
    output::remark(&format!("error: {message}"));
    Exit::Usage
}
