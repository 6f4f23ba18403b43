//! `dmswarm explore` and `dmswarm replay` as a user has them: what they find, what they leave, how they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A folder of this test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dmswarm-search-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder of our own");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn dmswarm(place: &Scratch, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmswarm"));
    command.args(line.split(' ')).arg("--out").arg(place.0.join("results")).arg("--certs").arg(place.0.join("certs"));
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folder of the one search in a place.
fn search_folder(place: &Scratch) -> PathBuf {
    let mut folders =
        fs::read_dir(place.0.join("results")).expect("results").map(|entry| entry.expect("an entry").path());
    let folder = folders.next().expect("a folder");
    assert!(folders.next().is_none(), "one search leaves one folder");
    folder
}

/// The folder of the first finding that breaks a promise with these wishes.
fn finding(found: &Value, folder: &Path, promise: &str, flows: &[&str]) -> PathBuf {
    let is_it = |one: &&Value| {
        let wishes = one["wishes"].as_array().expect("wishes");
        one["promise"] == promise
            && wishes.len() == flows.len()
            && wishes.iter().zip(flows).all(|(wish, flow)| wish.as_str().is_some_and(|wish| wish.contains(flow)))
    };
    let findings = found["findings"].as_array().expect("findings");
    let one = findings.iter().find(is_it).unwrap_or_else(|| panic!("{promise} by {flows:?} in {findings:#?}"));
    folder.join("findings").join(format!("{promise}-{}", one["signature"].as_str().expect("a signature")))
}

#[test]
fn what_breaks_by_the_letter_of_the_text_is_found_and_breaks_again_in_both_worlds() {
    let place = Scratch::new();
    let searched = dmswarm(&place, "explore --exhaustive --operations 2 --policy literal --json --quiet");
    assert_eq!(searched.status.code(), Some(4), "{}", text(&searched.stderr));
    let found: Value = serde_json::from_slice(&searched.stdout).expect("JSON and nothing else");
    assert_eq!(found["schema"], "dmswarm.explore/2");
    assert_eq!(found["levels"][0]["complete"], true);
    let folder = search_folder(&place);
    let kept = fs::read_to_string(folder.join("explore.json")).expect("explore.json");
    assert_eq!(serde_json::from_str::<Value>(&kept).expect("JSON"), found);

    // R37: whoever has left the device is asked to take it back.
    let finding = finding(&found, &folder, "manageable", &["full", "revoke requested"]);
    for file in ["finding.toml", "ladder.txt", "ladder.mmd", "finding.html"] {
        assert!(finding.join(file).is_file(), "{file}");
    }
    let finding = finding.display().to_string();
    let again = dmswarm(&place, &format!("replay {finding}"));
    assert_eq!(again.status.code(), Some(4), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("manageable is broken"), "{}", text(&again.stdout));
    let careful = dmswarm(&place, &format!("replay {finding}/finding.toml --policy hardened --quiet"));
    assert_eq!(careful.status.code(), Some(10), "{}", text(&careful.stderr));
    assert!(text(&careful.stdout).contains("not broken"), "{}", text(&careful.stdout));

    let over_https = dmswarm(&place, &format!("replay {finding} --https --repeat 2 --json"));
    assert_eq!(over_https.status.code(), Some(4), "{}", text(&over_https.stderr));
    let runs: Value = serde_json::from_slice(&over_https.stdout).expect("JSON and nothing else");
    assert_eq!(runs["broken_in"], 2, "{runs:#}");
}

#[test]
fn the_same_seed_finds_the_same_byte_for_byte_on_any_number_of_threads() {
    let search = |threads: u32| {
        let place = Scratch::new();
        let line = format!("explore --runs 12000 --seed 3 --policy literal --quiet --json --threads {threads}");
        let searched = dmswarm(&place, &line);
        assert_eq!(searched.status.code(), Some(4), "{}", text(&searched.stderr));
        let mut files = Vec::new();
        gather(&search_folder(&place), &mut files);
        (searched.stdout, files)
    };
    let (one, three) = (search(1), search(3));
    assert!(one.1.len() > 8, "there are findings: {:?}", one.1.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(one, three);
}

/// Every file below a folder with what is in it, by name.
fn gather(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("it").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, files);
        } else {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            files.push((name, fs::read(&path).expect("a file")));
        }
    }
}

#[test]
fn a_careful_server_breaks_nothing_within_a_little_scope_and_the_certificate_says_so() {
    let place = Scratch::new();
    let searched = dmswarm(&place, "explore --exhaustive --operations 1 --early-timers 1 --drops 1 --verify");
    assert_eq!(searched.status.code(), Some(0), "{}{}", text(&searched.stdout), text(&searched.stderr));
    let said = text(&searched.stdout);
    assert!(said.contains("all scripts of 1 operation, 1 early timer, 1 loss: complete, "), "{said}");
    assert!(said.contains("broken promises: none") && said.contains("No promise was broken"), "{said}");
    assert!(text(&searched.stderr).contains("done twice, with the same"), "{}", text(&searched.stderr));
}

#[test]
fn a_search_without_room_ends_in_order_and_says_what_helps() {
    let place = Scratch::new();
    // Each thread has its share of the memory.
    let line = "explore --exhaustive --operations 2 --early-timers 1 --memory 16MiB --quiet --threads 256";
    let searched = dmswarm(&place, line);
    assert_eq!(searched.status.code(), Some(5), "{}{}", text(&searched.stdout), text(&searched.stderr));
}

#[test]
fn what_is_no_finding_is_told_with_what_was_expected() {
    let place = Scratch::new();
    let empty = place.0.join("empty");
    fs::create_dir_all(&empty).expect("a folder");
    let wrong = place.0.join("wrong.toml");
    fs::write(&wrong, "promise = 3\n").expect("a file");
    for (path, part) in [(&empty, "expected the folder of a finding, or its finding.toml"), (&wrong, "is no finding")] {
        let replayed = dmswarm(&place, &format!("replay {}", path.display()));
        assert_eq!(replayed.status.code(), Some(2), "{}", text(&replayed.stderr));
        assert!(text(&replayed.stderr).contains(part), "{}", text(&replayed.stderr));
    }
}
