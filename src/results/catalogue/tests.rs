//! Which folders are runs, which one is meant, and what may be done to them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

use super::*;
use crate::results::HostFacts;

/// A folder of this test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dmswarm-catalogue-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a scratch folder");
        Scratch(path)
    }

    /// A run that began so many seconds after the beginning of the epoch.
    fn run(&self, name: &str, started_s: u64, ended: bool) -> PathBuf {
        let at = UNIX_EPOCH + Duration::from_secs(started_s);
        let mut manifest = RunManifest::starting("q", 7, Vec::new(), HostFacts::default(), at);
        if ended {
            manifest.end(Verdict::Passed, at);
        }
        let folder = self.0.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("run.json"), json(&manifest)).expect("written");
        folder
    }

    fn file(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().expect("a folder above")).expect("a folder");
        fs::write(file, text).expect("written");
    }

    fn names(&self) -> Vec<String> {
        Catalogue::read(&self.0).expect("a catalogue").runs.into_iter().map(|run| run.name).collect()
    }

    #[track_caller]
    fn finds(&self, word: &str) -> String {
        Catalogue::find(&self.0, word).map_or_else(|error| error.to_string(), |run| run.name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn runs_are_listed_newest_first_and_what_is_none_is_passed_over() {
    let scratch = Scratch::new();
    scratch.run("b", 10, true);
    scratch.run("a", 30, true);
    scratch.run("c", 20, false);
    scratch.file("search/explore.json", "{}");
    scratch.file("campaign/campaign.json", "{}");
    scratch.file("campaign/runs/one/run.json", "{}");
    scratch.file("foreign/run.json", "{\"schema\":\"other/1\"}");
    scratch.file("empty/notes.txt", "");
    scratch.file("README.md", "");
    let newer =
        fs::read_to_string(scratch.0.join("a/run.json")).expect("a file").replace(RunManifest::SCHEMA, "dmswarm.run/2");
    scratch.file("newer/run.json", &newer);
    std::os::unix::fs::symlink(scratch.0.join("a"), scratch.0.join("link")).expect("a link");
    assert_eq!(scratch.names(), ["a", "c", "b"]);
    let catalogue = Catalogue::read(&scratch.0).expect("a catalogue");
    assert_eq!((catalogue.searches, catalogue.campaigns), (1, 1));
    let nowhere = Catalogue::read(&scratch.0.join("nowhere")).expect_err("no folder").to_string();
    assert!(nowhere.starts_with("cannot read `") && nowhere.contains("--out DIR"), "{nowhere}");
}

#[test]
fn a_run_is_found_by_its_folder_its_name_or_enough_of_it() {
    let scratch = Scratch::new();
    let said = scratch.finds("latest");
    assert!(said.starts_with("there are no runs in `"), "{said}");
    let folder = scratch.run("quickstart-1", 10, true);
    scratch.run("quickstart-1-2", 20, true);
    scratch.run("races-1", 15, true);
    for (word, found) in [
        ("latest", "quickstart-1-2"),
        ("quickstart-1", "quickstart-1"),
        ("quickstart-1-", "quickstart-1-2"),
        ("r", "races-1"),
        (folder.to_str().expect("UTF-8"), "quickstart-1"),
    ] {
        assert_eq!(scratch.finds(word), found, "{word}");
    }
    let said = scratch.finds("quick");
    assert!(said.starts_with("2 runs have names that begin with `quick`: quickstart-1-2, quickstart-1;"), "{said}");
    for word in ["nobody", ""] {
        let said = scratch.finds(word);
        assert!(said.starts_with(&format!("no run is called `{word}`")), "{said}");
    }
}

#[test]
fn a_run_without_an_end_may_be_running_until_it_has_been_silent() {
    let scratch = Scratch::new();
    let (killed, ended) = (scratch.run("killed", 10, false), scratch.run("ended", 10, true));
    let killed = Entry::read(&killed).expect("a run");
    let written = killed.written.expect("it was written just now");
    assert_eq!((killed.verdict(), killed.summary.clone()), (Verdict::Interrupted, None));
    assert!(killed.may_be_running(written + SILENT));
    assert!(!killed.may_be_running(written + SILENT + Duration::from_secs(1)));
    assert!(!Entry::read(&ended).expect("a run").may_be_running(written));
}

#[test]
fn tags_are_kept_sorted_and_what_is_beside_them_stays() {
    let scratch = Scratch::new();
    let folder = scratch.run("a", 10, true);
    let text = fs::read_to_string(folder.join("run.json")).expect("a file").replacen('{', "{\"later\": 1,", 1);
    scratch.file("a/run.json", &text);
    let tag = |words: &[&str], take_away: bool| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Entry::read(&folder).expect("a run").tag(&words, take_away).expect("written")
    };
    assert_eq!(tag(&["nightly", "base"], false), ["base", "nightly"]);
    assert_eq!(tag(&["base", "new"], false), ["base", "new", "nightly"]);
    assert_eq!(tag(&["base", "none"], true), ["new", "nightly"]);
    let manifest = |key: &str| {
        let text = fs::read(folder.join("run.json")).expect("a file");
        serde_json::from_slice::<Value>(&text).expect("JSON")[key].clone()
    };
    assert_eq!((manifest("tags"), manifest("later")), (serde_json::json!(["new", "nightly"]), 1.into()));
    assert_eq!(tag(&["new", "nightly"], true), Vec::<String>::new());
    assert_eq!(manifest("tags"), Value::Null);
}

#[test]
fn only_a_run_is_removed_and_with_all_of_its_files() {
    let scratch = Scratch::new();
    let folder = scratch.run("a", 10, true);
    scratch.file("a/latency/bootstrap.hgrm", "12345");
    scratch.run("b", 20, true);
    let run = Entry::read(&folder).expect("a run");
    let manifest = fs::metadata(folder.join("run.json")).expect("a file").len();
    assert_eq!(run.files(), [("latency/bootstrap.hgrm".to_owned(), 5), ("run.json".to_owned(), manifest)]);
    assert_eq!(run.size(), manifest + 5);
    run.remove().expect("removed");
    assert_eq!(scratch.names(), ["b"]);

    let gone = Entry::read(&scratch.0.join("b")).expect("a run");
    fs::remove_file(scratch.0.join("b/run.json")).expect("removed");
    scratch.file("b/precious.txt", "");
    assert!(matches!(gone.remove(), Err(CatalogueError::NoRunByNow { .. })));
    assert!(scratch.0.join("b/precious.txt").exists());
}

#[test]
fn a_tag_means_all_runs_that_have_it_the_earliest_first() {
    let scratch = Scratch::new();
    for (name, started_s) in [("b", 30), ("a", 20), ("c", 10)] {
        scratch.run(name, started_s, true);
    }
    let all = |word: &str| {
        let runs = Catalogue::find_all(&scratch.0, word).map_err(|error| error.to_string())?;
        Ok::<_, String>(runs.into_iter().map(|run| run.name).collect::<Vec<_>>())
    };
    for name in ["a", "b"] {
        let run = Catalogue::find(&scratch.0, name).expect("a run");
        run.tag(&["before".to_owned()], false).expect("it can be tagged");
    }
    assert_eq!(all("tag:before"), Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(all("c"), Ok(vec!["c".to_owned()]));
    assert!(all("tag:befor").is_err_and(|said| said.contains("has the tag `befor`")));
}
