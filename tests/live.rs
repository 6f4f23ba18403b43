//! The live view as somebody at a terminal meets it: `script` is the terminal.

#[path = "program/place.rs"]
mod place;
#[path = "program/small.rs"]
mod small;

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use place::Place;
use small::SMALL;

/// The small scenario, made to take a minute.
fn long() -> String {
    let long = SMALL.replace("\"small\"", "\"long\"").replace("devices = 6", "devices = 600");
    long.replace("at_once = 6", "phases = [\"hold 10/s until done\"]")
}

/// To the other screen of a terminal, and back (xterm's private mode 1049).
const THERE: &str = "\x1b[?1049h";
const BACK: &str = "\x1b[?1049l";

/// What the terminal is to do, as a command of the shell. Nobody has said how large it is.
fn call(run: &str) -> String {
    format!("stty columns 100 rows 30; {}", run.replace("dmswarm", env!("CARGO_BIN_EXE_dmswarm")))
}

/// Calls this on a terminal; when the view says that it runs, does something to it. What was on the terminal, and the exit
/// code; `None` where there is no `script`.
fn on_a_terminal(
    place: &Place,
    call: &str,
    mut act: impl FnMut(&mut Child, &mut ChildStdin),
) -> Option<(String, Option<i32>)> {
    let script = Command::new("script")
        .args(["--quiet", "--flush", "--return", "--command", call, "/dev/null"])
        .current_dir(&place.0)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut script = script.ok()?;
    let (mut stdin, mut stdout) = (script.stdin.take().expect("piped"), script.stdout.take().expect("piped"));
    let (mut seen, mut piece, mut is_acted) = (Vec::new(), [0; 4096], false);
    loop {
        match stdout.read(&mut piece) {
            Ok(read) if read > 0 => seen.extend_from_slice(&piece[..read]),
            _ => break,
        }
        if !is_acted && String::from_utf8_lossy(&seen).contains("RUNNING") {
            is_acted = true;
            act(&mut script, &mut stdin);
        }
    }
    let code = script.wait().expect("it ends").code();
    Some((String::from_utf8_lossy(&seen).into_owned(), code))
}

/// The run has ended early and in order, and its summary stands on the usual screen.
#[track_caller]
fn check_ended_in_order(test: &str, expected: i32, act: impl FnMut(&Place, &mut ChildStdin)) {
    let (place, mut act) = (Place::new(&[("long.toml", &long())]), act);
    let call = call("echo $$ > pid; exec dmswarm run long.toml");
    let Some((seen, code)) = on_a_terminal(&place, &call, |_, stdin| act(&place, stdin)) else {
        eprintln!("SKIPPED {test}: `script` is not on the PATH (Debian: apt-get install util-linux)");
        return;
    };
    assert_eq!(code, Some(expected), "{seen}");
    let (_, viewed) = seen.split_once(THERE).unwrap_or_else(|| panic!("the view has its own screen: {seen}"));
    let (_, after) = viewed.rsplit_once(BACK).unwrap_or_else(|| panic!("the terminal is given back: {seen}"));
    assert!(after.contains("INTERRUPTED") && after.contains("stopping: nothing more is started"), "{after}");
}

/// Sends SIGHUP to the program.
fn hang_up(place: &Place) {
    let pid = fs::read_to_string(place.0.join("pid")).expect("it is written before the program starts");
    assert!(Command::new("kill").args(["-HUP", pid.trim()]).status().expect("kill").success());
}

/// Presses these keys.
fn keys(keys: &str) -> impl FnMut(&Place, &mut ChildStdin) {
    move |_, stdin| stdin.write_all(keys.as_bytes()).expect("the terminal takes keys")
}

#[test]
fn q_ends_a_run_in_order_and_gives_the_terminal_back() {
    check_ended_in_order("q_ends_a_run_in_order_and_gives_the_terminal_back", 130, keys("q"));
}

#[test]
fn control_c_is_heard_although_the_terminal_is_raw() {
    check_ended_in_order("control_c_is_heard_although_the_terminal_is_raw", 130, keys("\x03"));
}

#[test]
fn sighup_ends_a_run_in_order_and_gives_the_terminal_back() {
    check_ended_in_order("sighup_ends_a_run_in_order_and_gives_the_terminal_back", 129, |place, _| {
        hang_up(place);
    });
}

#[test]
fn a_terminal_that_goes_away_ends_the_run_in_order() {
    let place = Place::new(&[("long.toml", &long())]);
    let pipe = place.0.join("code");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    // The shell outlives its terminal, and says how the program has ended.
    let call = call("trap : HUP; sh -c 'echo $$ > pid; exec dmswarm run long.toml'; echo $? > code");
    let gone = on_a_terminal(&place, &call, |script, _| {
        script.kill().expect("it goes");
        // As a shell does that people type into.
        hang_up(&place);
    });
    if gone.is_none() {
        eprintln!("SKIPPED a_terminal_that_goes_away_ends_the_run_in_order: `script` is not on the PATH");
        return;
    }
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(fs::read_to_string(pipe).expect("a pipe")));
    assert_eq!(told.recv_timeout(Duration::from_secs(60)).as_deref(), Ok("129\n"));
    let entry = fs::read_dir(place.0.join("results")).expect("results").next().expect("a run").expect("an entry");
    let summary = fs::read_to_string(entry.path().join("summary.json")).expect("a summary");
    assert!(summary.contains("\"verdict\": \"interrupted\""), "{summary}");
    assert!(entry.path().join("report.html").exists());
}
