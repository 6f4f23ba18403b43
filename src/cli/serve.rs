//! `dmswarm serve`: the simulated parties of a scenario stand, and wait for others.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::run::{ending, options, show, tell_error};
use crate::cli::scenarios::read_all;
use crate::cli::targets::Outside;
use crate::cli::telling::Teller;
use crate::cli::watchers::Watchers;
use crate::run::control::Controls;
use crate::run::news::{Listening, News};
use crate::run::{self, Options};

/// Serves until somebody says that it is enough.
pub fn serve(path: &Path, watchers: Watchers, outside: Outside, flags: &Flags) -> Exit {
    let asked = read_all(&[path.to_owned()], &flags.overrides());
    let [asked] = &asked[..] else {
        output::remark("error: `serve` takes one scenario, and this is a folder of several; name one of its files");
        return Exit::Usage;
    };
    let scenario = match &asked.scenario {
        Ok(scenario) => scenario,
        Err(problems) => {
            tell_problems(problems);
            return Exit::Usage;
        }
    };
    if !scenario.has_external_parties() {
        output::remark("warning: no party of this scenario is somebody else's (`external`), so that nobody can come");
    }
    let options = match watchers.watch(outside.apply(Options { serves: true, ..options(flags) })) {
        Ok(options) => options,
        Err(error) => {
            output::remark(&format!("error: {error}"));
            return Exit::CouldNotRun;
        }
    };
    let (keys, controls) = Controls::new();
    let mut teller = Teller::new(scenario, flags, keys);
    let mut told = Exit::Passed;
    let served = run::run_controlled(scenario, &options, controls, |news| {
        if let News::Ready { addresses, folder } = &news {
            told = output::data(&ready(addresses, folder).to_string());
        }
        teller.hear(&news);
    });
    drop(teller);
    match served {
        Ok(finished) => Exit::weightiest([told, show(&finished, flags), ending(&finished)]),
        Err(error) => tell_error(&error),
    }
}

/// Everything that somebody needs to know to begin, in one line.
fn ready(addresses: &[Listening], folder: &Path) -> Value {
    let addresses: Vec<Value> = addresses
        .iter()
        .map(|at| json!({ "party": at.party, "purpose": at.purpose, "url": at.url, "address": at.socket.to_string() }))
        .collect();
    json!({ "ready": true, "pid": std::process::id(), "folder": folder, "addresses": addresses })
}
