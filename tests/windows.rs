//! Windows and matrices as their user has them: through real sockets, and from the command line.

use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dmswarm::explore::window::Trial;
use dmswarm::rehearse::window::{HowOften, rehearse, shortened};
use dmswarm::run::Options;
use dmswarm::scenario::file::{Overrides, parse};
use serde_json::Value;

/// By the letter of the text the delegating server leaves the device before the delegate has confirmed (5.2.1.5).
const FULL: &str = r#"
name = "full"
seed = 3
policy = "literal"
[population]
devices = 1
[[server]]
name = "home"
id = "dms1.example.test"
[[server]]
name = "partner"
id = "dms2.example.test"
[[journey]]
steps = ["delegate home -> partner by dmacc full expect any"]
[load]
at_once = 1
"#;

/// Longer than any of these may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// A folder of its own for a test, gone when the test has passed.
struct Place(std::path::PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("dmswarm-windows-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        std::fs::write(path.join("full.toml"), FULL).expect("a scenario file");
        Place(path)
    }

    fn explore(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dmswarm"));
        command.arg("explore").arg("full.toml").args(arguments).current_dir(&self.0);
        command.output().expect("the program starts")
    }

    /// The text of a file of the only search in this place.
    fn result(&self, file: &str) -> String {
        let mut searches = std::fs::read_dir(self.0.join("results")).expect("results/").flatten();
        let folder = searches.next().expect("a folder").path();
        std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

#[test]
fn over_https_a_window_shows_the_same_race_by_measured_offsets() {
    let place = Place::new("https");
    let options = Options { certs: place.0.join("certs"), out: place.0.join("results"), ..Options::default() };
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let scenario = parse("full", FULL, &Overrides::default()).expect("a scenario");
        let window = shortened(&scenario, ("confirmed timer", "delegation_confirmed"), (-150, 100)).expect("they meet");
        let how = HowOften { repeat: 2, at_once: 2 };
        let real = rehearse(&window, &[-150, 100], how, &options, &mut |_| ()).expect("it runs");
        let _ = tell.send((window.sweep(&[-150, 100]), real.trials));
    });
    let (exact, real) = told.recv_timeout(DEADLINE).expect("a window within its deadline");
    let summary = |trial: &Trial| (trial.seen.fate.clone(), trial.seen.ending.clone());
    assert_eq!((exact.len(), real.len()), (2, 4));
    // Where a machine is busy an offset is not what was wished; what counts is where it came.
    let early: Vec<&Trial> = real.iter().filter(|trial| trial.measured.is_some_and(|at| at < -20_000)).collect();
    let late: Vec<&Trial> = real.iter().filter(|trial| trial.measured.is_some_and(|at| at > 50_000)).collect();
    assert!(!early.is_empty() && !late.is_empty(), "{real:?}");
    early.iter().for_each(|trial| assert_eq!(summary(trial), summary(&exact[0])));
    late.iter().for_each(|trial| assert_eq!(summary(trial), summary(&exact[1])));
    assert!(!exact[0].seen.ending.is_orphaned() && exact[1].seen.ending.is_orphaned());
}

#[test]
fn a_window_from_the_command_line_leaves_its_rows_and_its_drawing() {
    let place = Place::new("window");
    let output = place.explore(&["--window", "confirmed timer", "delegation_confirmed", "--step", "10ms", "--json"]);
    assert_eq!(output.status.code(), Some(4), "a promise breaks: {}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("stdout is JSON and nothing else");
    assert_eq!(json["schema"], "dmswarm.window/1");
    assert_eq!(json["virtual"]["trials"].as_array().map(Vec::len), Some(11));
    assert_eq!(json["virtual"]["race_ms"][0], -10.0);
    assert_eq!(json["https"], Value::Null);
    assert_eq!(place.result("window.csv").lines().count(), 12);
    assert!(place.result("window.txt").contains("the race is at most"));
}

#[test]
fn a_matrix_from_the_command_line_has_a_cell_for_each_pair_and_delay() {
    let place = Place::new("matrix");
    let sweep =
        ["--matrix", "confirmed=1s..9s", "session=8s..9s", "--delay", "0s..5s", "--cells", "3", "--delays", "2"];
    let output = place.explore(&sweep);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    // A visit takes 5 s: who waits for 1 s, or for 5 s, has given up by then, and the device is lost by the text.
    for part in ["delay 0s: 9 done of 9", "delay 5s: 3 done, 6 orphaned of 9", "X X ."] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(place.result("matrix.csv").lines().count(), 1 + 2 * 9);
}

#[test]
fn what_cannot_be_swept_says_what_was_expected_and_ends_with_2() {
    let place = Place::new("wrong");
    for (arguments, parts) in [
        (&["--window", "egg timer", "delegation_confirmed"][..], ["expected a timer", "found `egg`"]),
        (&["--window", "confirmed timer", "delegation_revoked"], ["never sets out", "Name one of these"]),
        (&["--window", "confirmed timer", "nothing"], ["nothing that can be moved", "by its root element"]),
        (&["--matrix", "confirmed=1s..2s", "confirmed=1s..2s"], ["expected two timeouts", "name another one"]),
        (
            &["--window", "confirmed timer", "delegation_confirmed", "--from", "-1h", "--to", "-30m"],
            ["nothing could be moved: it sets out", "give a later --to"],
        ),
        (
            &["--window", "confirmed timer", "delegation_confirmed", "--from", "-0.5ms"],
            ["a whole number of milliseconds", "found `0.5ms`"],
        ),
        (&["--exhaustive", "--device", "7"], ["--device goes with --from RUN", "--exhaustive"]),
        (
            &["--matrix", "confirmed=1s..2s", "session=1s..2s", "--delay-of", "x"],
            ["`sessions` or a message", "found `x`"],
        ),
        (&["--matrix", "confirmed=1..2s", "session=1s..2s"], ["a duration such as", "found `1`"]),
    ] {
        let output = place.explore(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        parts.iter().for_each(|part| assert!(said.contains(part), "{arguments:?}: {said}"));
        assert!(!place.0.join("results").exists(), "{arguments:?} leaves nothing behind");
    }
}

#[test]
fn one_offset_is_drawn_and_shows_no_race() {
    let place = Place::new("one");
    let one = ["--window", "confirmed timer", "delegation_confirmed", "--from", "-5ms", "--to", "-5ms"];
    let output = place.explore(&one);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("one offset alone shows no race") && text.contains("#: it comes to it here"), "{text}");
}

#[test]
fn a_window_that_is_interrupted_over_https_says_so_in_both_of_its_files() {
    let place = Place::new("interrupted");
    let script = format!(
        "{} explore full.toml -v --json --window 'confirmed timer' delegation_confirmed --step 10ms --https --repeat 20 \
         2>said & run=$!; until grep -q 'results in' said; do sleep 0.05; done; sleep 1; kill -INT $run; wait $run",
        env!("CARGO_BIN_EXE_dmswarm")
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(&place.0).output().expect("a shell");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("stdout is JSON and nothing else");
    assert_eq!((&json["https"]["interrupted"], &json["https"]["asked"]), (&true.into(), &220.into()));
    let text = place.result("window.txt");
    assert!(text.contains("interrupted: ") && text.contains(" of 220 runs over HTTPS came to their end"), "{text}");
}
