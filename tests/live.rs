//! The live view as somebody at a terminal meets it: `script` is the terminal.

#[path = "program/place.rs"]
mod place;
#[path = "program/small.rs"]
mod small;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

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

/// Runs the long scenario on a terminal; when the view says that it runs, presses these keys. What was on the terminal,
/// and the exit code; `None` where there is no `script`.
fn on_a_terminal(keys: &str) -> Option<(String, Option<i32>)> {
    let place = Place::new(&[("long.toml", &long())]);
    // Nobody has said how large this terminal is.
    let call = format!("stty columns 100 rows 30; exec {} run long.toml", env!("CARGO_BIN_EXE_dmswarm"));
    let script = Command::new("script")
        .args(["--quiet", "--flush", "--return", "--command", &call, "/dev/null"])
        .current_dir(&place.0)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut script = script.ok()?;
    let (mut stdin, mut stdout) = (script.stdin.take().expect("piped"), script.stdout.take().expect("piped"));
    let (mut seen, mut piece, mut is_pressed) = (Vec::new(), [0; 4096], false);
    loop {
        match stdout.read(&mut piece) {
            Ok(read) if read > 0 => seen.extend_from_slice(&piece[..read]),
            _ => break,
        }
        if !is_pressed && String::from_utf8_lossy(&seen).contains("RUNNING") {
            is_pressed = true;
            stdin.write_all(keys.as_bytes()).expect("the terminal takes keys");
        }
    }
    let code = script.wait().expect("it ends").code();
    Some((String::from_utf8_lossy(&seen).into_owned(), code))
}

/// The run has ended early and in order, and its summary stands on the usual screen.
#[track_caller]
fn check_ended_in_order(test: &str, keys: &str) {
    let Some((seen, code)) = on_a_terminal(keys) else {
        eprintln!("SKIPPED {test}: `script` is not on the PATH (Debian: apt-get install util-linux)");
        return;
    };
    assert_eq!(code, Some(130), "{seen}");
    let (_, viewed) = seen.split_once(THERE).unwrap_or_else(|| panic!("the view has its own screen: {seen}"));
    let (_, after) = viewed.rsplit_once(BACK).unwrap_or_else(|| panic!("the terminal is given back: {seen}"));
    assert!(after.contains("INTERRUPTED") && after.contains("stopping: nothing more is started"), "{after}");
}

#[test]
fn q_ends_a_run_in_order_and_gives_the_terminal_back() {
    check_ended_in_order("q_ends_a_run_in_order_and_gives_the_terminal_back", "q");
}

#[test]
fn control_c_is_heard_although_the_terminal_is_raw() {
    check_ended_in_order("control_c_is_heard_although_the_terminal_is_raw", "\x03");
}
