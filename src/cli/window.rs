//! `dmswarm explore --window`: moves one event past another, in virtual time and over HTTPS.

use crate::cli::args::{Explore, Flags};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::run::options;
use crate::clock::wall_now;
use crate::explore::window::{Trial, Window};
use crate::rehearse::window::{self as real, HowOften, Rehearsed};
use crate::report::figures::counted;
use crate::report::window::{Drawing, heading};
use crate::results::SearchFolder;
use crate::run::news::News;
use crate::scenario::Scenario;
use crate::units::Duration;

/// Runs side by side: more would disturb each other's offsets.
const AT_ONCE: u32 = 4;

/// Moves a message past an event, draws what comes of it, and tells how wide the race is.
pub fn window(asked: &Explore, words: &[String], scenario: &Scenario, flags: &Flags) -> Exit {
    let [past, moved] = words else { return wrong("--window takes an event and a message") };
    let (ends, (step, offsets)) = match asked.sweeps.ends().and_then(|ends| Ok((ends, asked.sweeps.offsets()?))) {
        Ok(offsets) => offsets,
        Err(message) => return wrong(&message),
    };
    let found = match asked.sweeps.https {
        true => real::shortened(scenario, (past, moved), ends),
        false => Window::find(scenario, past, moved),
    };
    let window = match found {
        Ok(window) => window,
        Err(error) => return wrong(&error.to_string()),
    };
    if asked.sweeps.https
        && let Err(error) = real::check(&window)
    {
        return wrong(&error.to_string());
    }
    let exact = window.sweep(&offsets);
    if exact.is_empty() {
        return wrong(&format!(
            "nothing could be moved: it sets out {} before the other and cannot come earlier than that, and every offset \
             is earlier; give a later --to",
            Duration(window.reach)
        ));
    }
    let folder = match SearchFolder::create(&flags.out, (&scenario.name, "explore"), wall_now(), scenario.seed.0) {
        Ok(folder) => folder,
        Err(error) => return could_not(&error.to_string()),
    };
    if !flags.quiet {
        output::remark(&heading(&window));
    }
    let missing = offsets.len() - exact.len();
    if missing > 0 {
        let which = counted(missing as u64, "offset");
        output::remark(&format!("{which} left out: what is moved has not set out so long before the other"));
    }
    let repeat = if asked.sweeps.https { asked.sweeps.repeat } else { 0 };
    let runs = exact.len() * repeat as usize;
    let mut rehearsed = Rehearsed { trials: Vec::new(), interrupted_by: None };
    if asked.sweeps.https {
        let how = HowOften { repeat, at_once: AT_ONCE };
        if !flags.quiet {
            let runs = counted(runs as u64, "run");
            output::remark(&format!("over HTTPS: {runs}, {AT_ONCE} side by side, with shortened timeouts"));
        }
        let options = real::options(folder.path(), &options(flags));
        match real::rehearse(&window, &offsets, how, &options, &mut |news| tell(&news, flags)) {
            Ok(done) => rehearsed = done,
            Err(error) => return could_not(&error.to_string()),
        }
    }
    let is_interrupted = rehearsed.interrupted_by.is_some();
    let drawing =
        Drawing { window: &window, step, exact: &exact, real: &rehearsed.trials, asked: runs, is_interrupted };
    let ending = ending(&exact, &rehearsed);
    Exit::weightiest([ending, keep(&drawing, &folder, ending, flags)])
}

/// Writes the files and prints what was asked for.
fn keep(drawing: &Drawing<'_>, folder: &SearchFolder, ending: Exit, flags: &Flags) -> Exit {
    let json = format!("{:#}\n", drawing.json());
    let text = drawing.text();
    let files = [("window.csv", &drawing.csv()), ("window.json", &json), ("window.txt", &text)];
    for (name, content) in files {
        if let Err(error) = folder.write(name, content) {
            return could_not(&error.to_string());
        }
    }
    if flags.json {
        return output::data(&json);
    }
    if flags.quiet && ending == Exit::Passed {
        return Exit::Passed;
    }
    output::data(&format!("{text}\nrows and drawing  {}", folder.path().display()))
}

fn ending(exact: &[Trial], rehearsed: &Rehearsed) -> Exit {
    let is_broken = |trial: &Trial| !trial.seen.ending.broken.is_empty();
    let broken = if exact.iter().chain(&rehearsed.trials).any(is_broken) { Exit::PromiseBroken } else { Exit::Passed };
    match rehearsed.interrupted_by {
        Some(signal) => Exit::of_signal(Some(signal)),
        None => broken,
    }
}

fn tell(news: &News<'_>, flags: &Flags) {
    match news {
        News::Ready { folder, .. } if flags.verbose => output::remark(&format!("results in {}", folder.display())),
        News::Stopping { under_way, .. } => {
            output::remark(&format!("stopping, {} under way", counted(*under_way, "flow")));
        }
        _ => {}
    }
}

fn wrong(message: &str) -> Exit {
    output::remark(&format!("error: {message}"));
    Exit::Usage
}

fn could_not(message: &str) -> Exit {
    output::remark(&format!("error: {message}"));
    Exit::CouldNotRun
}
