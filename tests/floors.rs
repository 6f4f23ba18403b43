//! The house rules, held by reading the source as text: who may import whom, and what may be used where.
//!
//! To add a room: its `pub mod` line in `src/lib.rs`, its row in the map there, and its row in [`ROOMS`].

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use source::{Named, code, paths, without_tests};

#[path = "floors/source.rs"]
mod source;

/// Every room, lowest floor first, and the rooms that it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("capacity", &[]),
    ("clock", &[]),
    ("ids", &[]),
    ("seed", &[]),
    ("statistics", &[]),
    ("units", &[]),
    ("dm", &["clock", "ids"]),
    ("delegation", &["clock", "ids", "dm"]),
    ("transport", &["clock", "ids", "units"]),
    ("facts", &["clock", "ids", "dm", "delegation"]),
    ("faults", &["clock", "ids", "seed", "units", "dm", "delegation", "facts"]),
    ("workload", &["clock", "ids", "seed", "units", "dm", "delegation", "facts"]),
    ("measure", &["clock", "ids", "units", "dm", "delegation", "facts", "faults"]),
    ("scenario", &["clock", "ids", "seed", "units", "dm", "delegation", "facts", "faults", "workload", "measure"]),
    ("results", &["capacity", "clock", "ids", "seed", "units", "facts", "measure", "scenario"]),
    (
        "actors",
        &["clock", "ids", "seed", "units", "dm", "delegation", "transport", "facts", "faults", "workload", "measure"],
    ),
    ("compare", &["statistics", "measure", "scenario", "results"]),
    (
        "explore",
        &[
            "clock",
            "ids",
            "seed",
            "units",
            "dm",
            "delegation",
            "facts",
            "faults",
            "workload",
            "measure",
            "scenario",
            "results",
        ],
    ),
    (
        "report",
        &[
            "capacity",
            "clock",
            "ids",
            "statistics",
            "units",
            "dm",
            "delegation",
            "facts",
            "measure",
            "scenario",
            "results",
            "compare",
            "explore",
        ],
    ),
    (
        "run",
        &[
            "clock",
            "ids",
            "seed",
            "units",
            "dm",
            "delegation",
            "transport",
            "facts",
            "faults",
            "workload",
            "measure",
            "scenario",
            "results",
            "actors",
        ],
    ),
    (
        "rehearse",
        &[
            "clock",
            "ids",
            "seed",
            "units",
            "dm",
            "delegation",
            "transport",
            "facts",
            "faults",
            "workload",
            "measure",
            "scenario",
            "results",
            "actors",
            "explore",
            "run",
        ],
    ),
    (
        "conform",
        &[
            "clock",
            "ids",
            "seed",
            "units",
            "dm",
            "delegation",
            "transport",
            "facts",
            "faults",
            "workload",
            "measure",
            "scenario",
            "results",
            "actors",
            "run",
        ],
    ),
    (
        "campaign",
        &[
            "capacity",
            "clock",
            "ids",
            "seed",
            "units",
            "delegation",
            "faults",
            "workload",
            "measure",
            "scenario",
            "results",
            "run",
        ],
    ),
    (
        "cli",
        &[
            "campaign",
            "capacity",
            "clock",
            "ids",
            "seed",
            "statistics",
            "units",
            "dm",
            "delegation",
            "transport",
            "facts",
            "faults",
            "workload",
            "measure",
            "scenario",
            "results",
            "actors",
            "compare",
            "explore",
            "report",
            "run",
            "rehearse",
            "conform",
            "campaign",
        ],
    ),
];

/// Modules of one room that must not know each other: the two halves of the protocol meet in `delegation::machine`.
const STRANGERS: &[(&str, &str)] = &[("delegation::delegating", "delegation::delegated")];

/// What may be used in these places only: a path's first segments, or a macro.
const DOORS: &[(&[&str], &[&str])] = &[
    (&["Instant::now", "SystemTime::now"], &["clock"]),
    (&["rand::rng", "rand::random", "rand::thread_rng", "rand::rngs::OsRng", "rand::rngs::SysRng"], &["seed"]),
    (&["actix", "actix_rt", "actix_web", "tokio"], &["actors", "transport", "run", "conform", "main"]),
    (&["rustls", "tokio_rustls", "rcgen", "webpki", "aws_lc_rs"], &["transport"]),
    (
        &["std::fs", "tokio::fs"],
        &[
            "transport::certs",
            "scenario::file",
            "results::campaign",
            "results::dossier",
            "results::folder",
            "results::finding",
            "results::recorded",
            "results::search",
            "results::stored",
            "results::catalogue",
            "run::host",
            "cli",
        ],
    ),
    (&["print!", "println!", "eprint!", "eprintln!"], &["cli", "report", "main"]),
    (&["todo!", "unimplemented!", "dbg!"], &[]),
];

/// Where the same seed has to give the same order: no collection whose order changes from run to run, unless the line
/// that imports it ends in [`LOOKUP_ONLY`], which promises that nobody iterates over it.
const ORDERED: &[&str] = &["dm", "delegation", "facts", "faults", "workload"];
const UNORDERED: &[&str] = &["HashMap", "HashSet"];
const LOOKUP_ONLY: &str = "// lookup only";

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "common", "types", "helper", "helpers", "manager", "engine", "core", "service"];

const MOST_LINES: usize = 450;

#[test]
fn the_source_keeps_the_house_rules() {
    let mut files = Vec::new();
    gather(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    assert!(files.len() > ROOMS.len(), "only {} files were found", files.len());
    let complaints = complaints(&files);
    assert!(complaints.is_empty(), "{} broken rules:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn the_rooms_of_the_library_are_those_of_the_table_in_its_order() {
    let library = include_str!("../src/lib.rs");
    let declared: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let rooms: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(declared, rooms);
    for (at, (room, imports)) in ROOMS.iter().enumerate() {
        assert!(library.contains(&format!("[`{room}`]")), "{room} is on the map of src/lib.rs");
        for import in *imports {
            assert!(rooms[..at].contains(import), "{room} stands above {import}");
        }
    }
}

/// A source file: its path below `src`, and what is in it.
type File = (String, String);

fn gather(folder: &Path, files: &mut Vec<File>) {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    for entry in fs::read_dir(folder).expect("the source can be read") {
        let path = entry.expect("the source can be read").path();
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("it is below src").to_string_lossy().replace('\\', "/");
            files.push((name, fs::read_to_string(&path).expect("the source can be read")));
        }
    }
    files.sort();
}

/// Every broken rule, as `file:line: what is wrong`.
fn complaints(files: &[File]) -> Vec<String> {
    let tests: BTreeSet<String> = files.iter().flat_map(|(name, source)| test_modules(name, source)).collect();
    let mut complaints = Vec::new();
    for (name, source) in files {
        let module = module(name);
        let code = code(source);
        let mut complain = |line: usize, what: String| complaints.push(format!("src/{name}:{line}: {what}"));
        check_shape(name, source, &mut complain);
        let paths = paths(&code);
        for path in paths.iter().filter(|path| path.is_one_of(&["todo!", "unimplemented!", "dbg!"]).is_some()) {
            complain(path.line, format!("{} is not finished code", path.text()));
        }
        let is_test = tests.iter().any(|test| is_within(&module, test));
        if !is_test {
            let living = self::paths(&without_tests(&code));
            check_imports(&module, &living, &mut complain);
            check_doors(&module, &living, &mut complain);
            check_order(&module, &living, source, &mut complain);
        }
    }
    complaints
}

fn check_shape(name: &str, source: &str, complain: &mut impl FnMut(usize, String)) {
    let opening: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    if opening.is_empty() {
        complain(1, "a file opens with one //! sentence that says its job".into());
    } else if !opening.join(" ").contains('.') {
        complain(1, "the opening //! is a sentence, with a full stop".into());
    }
    let lines = source.lines().count();
    if lines > MOST_LINES {
        complain(lines, format!("{lines} lines; split what has more than {MOST_LINES} by what it does"));
    }
    for part in name.trim_end_matches(".rs").split('/').filter(|part| EMPTY_NAMES.contains(part)) {
        complain(1, format!("the name {part} says nothing about what is inside"));
    }
}

fn check_imports(module: &str, paths: &[Named], complain: &mut impl FnMut(usize, String)) {
    let room = module.split("::").next().unwrap_or_default();
    let Some((_, may_import)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        if !["lib", "main"].contains(&room) {
            complain(1, format!("{room} has no row in the table of rooms"));
        }
        return;
    };
    for path in paths {
        let Some(target) = path.within_the_crate(module) else { continue };
        let target_room = target.first().map(String::as_str).unwrap_or_default();
        let is_room = ROOMS.iter().any(|(name, _)| *name == target_room);
        if is_room && target_room != room && !may_import.contains(&target_room) {
            complain(path.line, format!("{room} must not import {target_room}"));
        }
        let target = target.join("::");
        for (one, other) in STRANGERS {
            for (one, other) in [(one, other), (other, one)] {
                if is_within(module, one) && is_within(&target, other) {
                    complain(path.line, format!("{one} must not know {other}"));
                }
            }
        }
    }
}

fn check_doors(module: &str, paths: &[Named], complain: &mut impl FnMut(usize, String)) {
    for (things, places) in DOORS.iter().filter(|(_, places)| !places.is_empty()) {
        if places.iter().any(|place| is_within(module, place)) {
            continue;
        }
        for path in paths {
            if let Some(thing) = path.is_one_of(things) {
                complain(path.line, format!("{thing} only in {}", places.join(", ")));
            }
        }
    }
}

fn check_order(module: &str, paths: &[Named], source: &str, complain: &mut impl FnMut(usize, String)) {
    if !ORDERED.iter().any(|room| is_within(module, room)) {
        return;
    }
    for path in paths.iter().filter(|path| path.segments.len() > 1) {
        let Some(found) = path.segments[1..].iter().find(|segment| UNORDERED.contains(&segment.as_str())) else {
            continue;
        };
        let line = source.lines().nth(path.line - 1).unwrap_or_default();
        if !line.trim_end().ends_with(LOOKUP_ONLY) {
            complain(path.line, format!("{found} has no order; BTreeMap has, or end the line with {LOOKUP_ONLY}"));
        }
    }
}

/// The module that a file is: `dm/tree.rs` is `dm::tree`, `dm/mod.rs` is `dm`.
fn module(name: &str) -> String {
    let name = name.trim_end_matches(".rs");
    name.strip_suffix("/mod").unwrap_or(name).replace('/', "::")
}

fn is_within(module: &str, outer: &str) -> bool {
    module.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The modules that a file declares for tests only, `#[cfg(test)] mod tests;`: they may do what tests do.
fn test_modules(name: &str, source: &str) -> Vec<String> {
    let code = code(source);
    let declared = code.split("#[cfg(test)]").skip(1).filter_map(|after| {
        let (declaration, _) = after.split_once([';', '{'])?;
        let name = declaration.trim().trim_start_matches("pub(crate) ").strip_prefix("mod ")?;
        after[declaration.len()..].starts_with(';').then(|| name.trim().to_owned())
    });
    declared.map(|inner| format!("{}::{inner}", module(name))).collect()
}

/// Checks that a file with these lines after its opening is complained about in these words, or not at all.
#[track_caller]
fn check(name: &str, lines: &str, complaint: Option<&str>) {
    let source = format!("//! Says its job.\n{lines}\n");
    let found = complaints(&[(name.to_owned(), source)]).join("\n");
    match complaint {
        Some(words) => assert!(found.contains(words), "{name}: {lines}\nexpected {words:?}, found {found:?}"),
        None => assert_eq!(found, "", "{name}: {lines}"),
    }
}

#[test]
fn imports_that_point_upward_are_caught_however_they_are_written() {
    check(
        "dm/tree.rs",
        "use crate::delegation::message::Kind;",
        Some("src/dm/tree.rs:2: dm must not import delegation"),
    );
    check("dm/tree.rs", "use crate::{ids, delegation::flow};", Some("dm must not import delegation"));
    check("dm/tree.rs", "use crate::{\n    ids,\n    run,\n};", Some("src/dm/tree.rs:4: dm must not import run"));
    check("dm/tree.rs", "use super::super::delegation;", Some("dm must not import delegation"));
    check("dm/mod.rs", "use super::{clock, delegation as d};", Some("dm must not import delegation"));
    check("dm/tree.rs", "fn f() -> crate::run::Run { g() }", Some("dm must not import run"));
    check("clock.rs", "use crate::ids::DeviceId;", Some("clock must not import ids"));
    check("scenario/file.rs", "use crate::transport::tls;", Some("scenario must not import transport"));
    check("upstairs/mod.rs", "", Some("upstairs has no row"));
    check("dm/tree.rs", "use super::acl;\nuse crate::ids::{ServerId, DeviceId};\nuse self::run::go;", None);
    check("dm/tree.rs", "/// See [`crate::delegation`].\nconst A: &str = \"crate::run\"; // crate::run", None);
    check("lib.rs", "pub mod cli;", None);
}

#[test]
fn strangers_are_kept_apart() {
    check("delegation/delegating/undo.rs", "use super::super::delegated::revocation;", Some("must not know"));
    check("delegation/delegated/mod.rs", "use crate::delegation::delegating::Record;", Some("must not know"));
    check("delegation/mod.rs", "use crate::transport::dialer;", Some("delegation must not import transport"));
    check("delegation/machine.rs", "use super::{delegated, delegating};", None);
    check("delegation/delegating/undo.rs", "use super::handover;", None);
}

#[test]
fn things_are_used_at_their_doors_only() {
    check("run/mod.rs", "let now = std::time::Instant::now();", Some("Instant::now only in clock"));
    check("dm/tree.rs", "fn f() { SystemTime::now(); }", Some("SystemTime::now only in clock"));
    check("workload/plan.rs", "use rand::{rng, Rng};", Some("rand::rng only in seed"));
    check("workload/plan.rs", "let x: u8 = rand::random();", Some("rand::random only in seed"));
    check("workload/plan.rs", "use rand::rngs::ChaCha8Rng;", None);
    check("measure/mod.rs", "#[actix::main] async fn f() {}", Some("actix only in"));
    check("delegation/mod.rs", "use tokio::time::sleep;", Some("tokio only in"));
    check("actors/mod.rs", "use tokio_rustls::TlsConnector;", Some("tokio_rustls only in transport"));
    check("results/mod.rs", "use std::{fs::File, io};", Some("std::fs only in"));
    check("results/folder.rs", "use std::fs;", None);
    check("transport/tls.rs", "std::fs::read(path)", Some("std::fs only in"));
    check("measure/mod.rs", "println!(\"{x}\");", Some("println! only in"));
    check("cli/run.rs", "println!(\"{x}\");", None);
    check("cli/run.rs", "todo!()", Some("todo! is not finished"));
    check("clock.rs", "Instant::now(); if a != b { print != c }", None);
    check(
        "dm/tree.rs",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse tokio::net;",
        Some("src/dm/tree.rs:6: tokio"),
    );
    check("dm/tree.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}", None);
    check("dm/tree.rs", "#[cfg(test)]\nmod tests {\n    fn f() { dbg!(1); }\n}", Some("dbg! is not finished"));
}

#[test]
fn files_of_tests_may_do_what_tests_do() {
    let file = |name: &str, lines: &str| (name.to_owned(), format!("//! Says its job.\n{lines}\n"));
    let tests = file("dm/tree/tests.rs", "use std::fs;");
    assert_eq!(complaints(&[file("dm/tree.rs", "#[cfg(test)]\nmod tests;"), tests.clone()]), Vec::<String>::new());
    assert_eq!(complaints(&[file("dm/tree.rs", "mod tests;"), tests]).len(), 1);
}

#[test]
fn collections_without_order_need_a_promise() {
    check("dm/tree.rs", "use std::collections::HashMap;", Some("HashMap has no order"));
    check("workload/plan.rs", "use std::collections::{BTreeMap, HashSet};", Some("HashSet has no order"));
    check("delegation/machine.rs", "type Map = std::collections::HashMap<u8, u8>;", Some("HashMap has no order"));
    check("delegation/machine.rs", "use std::collections::HashMap; // lookup only\nfn f(m: HashMap<u8, u8>) {}", None);
    check("measure/mod.rs", "use std::collections::HashMap;", None);
}

#[test]
fn files_have_the_shape_of_the_house() {
    check("dm/tree.rs", &"\n".repeat(MOST_LINES - 1), Some("451 lines"));
    check("dm/util.rs", "", Some("the name util says nothing"));
    check("dm/core/mod.rs", "", Some("the name core says nothing"));
    let found = complaints(&[("dm/tree.rs".into(), "use std::fmt;\n".into())]);
    assert_eq!(found, ["src/dm/tree.rs:1: a file opens with one //! sentence that says its job"]);
    let found = complaints(&[("dm/tree.rs".into(), "//! The tree\n".into())]);
    assert_eq!(found, ["src/dm/tree.rs:1: the opening //! is a sentence, with a full stop"]);
}
