//! Campaigns as people and scripts meet them: what is left on disk, and that each run is made once, whatever ends the program.

mod program;
#[path = "program/small.rs"]
mod small;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use program::{Place, Said};
use serde_json::Value;
use small::SMALL;

/// Two cells, two repeats of each; every run takes about a second.
const TINY: &str = r#"
name = "tiny"
scenario = "small.toml"
seed = 3
repeats = 2

[set]
"journey.0.steps" = ["delegate home -> partner by dmacc subtree ./SCOMO", "wait 700ms", "revoke asked"]

[matrix]
"population.devices" = [6, 9]
"#;

fn place(campaign: &str) -> Place {
    Place::new(&[("tiny.toml", campaign), ("small.toml", SMALL)])
}

/// The folder of the only campaign of a place, once there is one.
fn folder(place: &Place) -> Option<PathBuf> {
    let mut found = fs::read_dir(place.0.join("results")).ok()?.map(|entry| entry.expect("an entry").path());
    let folder = found.next();
    assert!(found.next().is_none(), "there is nothing beside the folder of the campaign");
    folder
}

fn saved(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("campaign.json")).expect("a file")).expect("JSON")
}

/// The cell and the repeat of each run that is done, in the order in which they were.
fn done(campaign: &Value) -> Vec<(u64, u64)> {
    let runs = campaign["runs"].as_array().expect("runs").iter();
    runs.map(|run| (run["cell"].as_u64().expect("a cell"), run["repeat"].as_u64().expect("a repeat"))).collect()
}

/// Checks that a campaign has every run once, each with its own folder, in which its own scenario was run, and that every
/// other folder was cut.
#[track_caller]
fn is_whole(folder: &Path) -> Value {
    let campaign = saved(folder);
    let all: BTreeSet<(u64, u64)> = done(&campaign).into_iter().collect();
    assert_eq!(all, [(1, 1), (1, 2), (2, 1), (2, 2)].into_iter().collect(), "{campaign:#}");
    assert_eq!(done(&campaign).len(), 4, "nothing twice: {campaign:#}");
    assert!(campaign["ended"].is_string(), "{campaign:#}");
    let mut folders = BTreeSet::new();
    for run in campaign["runs"].as_array().expect("runs") {
        let name = run["folder"].as_str().expect("a folder");
        let summary = fs::read(folder.join(name).join("summary.json")).expect("a summary");
        let summary: Value = serde_json::from_slice(&summary).expect("JSON");
        let devices = if run["cell"] == 1 { 6 } else { 9 };
        assert_eq!((&summary["devices"], &summary["verdict"]), (&devices.into(), &"passed".into()), "{name}");
        assert_eq!(
            (&run["verdict"], &run["flows"], &run["failed"]),
            (&"passed".into(), &(2 * devices).into(), &0.into())
        );
        folders.insert(name.to_owned());
    }
    for cut in campaign["cut"].as_array().expect("cut runs") {
        assert_eq!(cut["cut"], true);
        folders.insert(cut["folder"].as_str().expect("a folder").to_owned());
    }
    let there = fs::read_dir(folder.join("runs")).expect("the runs").map(|entry| entry.expect("an entry").file_name());
    let there: BTreeSet<String> = there.map(|name| format!("runs/{}", name.to_string_lossy())).collect();
    assert_eq!(there, folders, "every folder is told of");
    assert!(folder.join("campaign.html").is_file());
    campaign
}

/// Begins a campaign, and waits until it has saved its first run.
fn begun(place: &Place) -> (Child, PathBuf) {
    let mut command = place.dmswarm(&["campaign", "tiny.toml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    loop {
        assert_eq!(child.try_wait().expect("it can be asked"), None, "it ended by itself");
        let found = folder(place).filter(|folder| folder.join("campaign.json").is_file());
        if let Some(folder) = found.filter(|folder| !done(&saved(folder)).is_empty()) {
            return (child, folder);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn every_cell_is_run_in_every_repeat_and_kept() {
    let place = place(&TINY.replace("repeats = 2", "repeats = 2\nwarm_up = 1\npause = \"10ms\""));
    let said = place.call(&["campaign", "tiny.toml"]).ended_with(0);
    let folder = folder(&place).expect("a folder");
    let campaign = is_whole(&folder);
    assert_eq!(campaign["schema"], "dmswarm.campaign/1");
    assert_eq!(campaign["warm_up"].as_array().map(Vec::len), Some(1));
    assert_eq!(campaign["cells"][1]["settings"], serde_json::json!({ "population.devices": 9 }));
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 3, "a head, and a row for each cell: {said:?}");
    assert!(lines[0].starts_with("cell  population.devices  runs  verdict  flows/s"), "{said:?}");
    assert!(lines[2].starts_with("2     9                   2     passed "), "{said:?}");
    assert!(said.err.contains("warm-up 1 of 1: passed, thrown away\n1 of 4: cell "), "{said:?}");
    assert!(said.err.contains("4 of 4: cell ") && !said.err.contains("--resume"), "{said:?}");
    for run in campaign["runs"].as_array().expect("runs") {
        let report = folder.join(run["folder"].as_str().expect("a folder")).join("report.html");
        assert!(report.is_file(), "{}", report.display());
    }
    // Gone on with although nothing is missing: nothing is run, and all is told again.
    let again = place.call(&["campaign", "--resume", "--json"]).ended_with(0);
    assert_eq!(serde_json::from_str::<Value>(&again.out).expect("JSON"), campaign);
    assert!(again.err.contains("none missing"), "{again:?}");
    assert_eq!(place.call(&["campaign", "tiny.toml", "--resume", "-q"]).ended_with(0).out, "");
}

#[test]
fn a_campaign_that_was_killed_goes_on_and_makes_no_run_twice() {
    let place = place(TINY);
    let (mut child, folder) = begun(&place);
    child.kill().expect("SIGKILL");
    child.wait().expect("it is dead");
    let before = saved(&folder);
    assert!((1..4).contains(&done(&before).len()), "{before:#}");
    assert_eq!(before["ended"], Value::Null);

    let said = place.call(&["campaign", "--resume", "latest"]).ended_with(0);
    let after = is_whole(&folder);
    assert!(said.err.contains(" missing; seed 3"), "{said:?}");
    let kept = before["runs"].as_array().expect("runs");
    assert_eq!(&after["runs"].as_array().expect("runs")[..kept.len()], &kept[..], "what was done stays as it was");
    for cut in after["cut"].as_array().expect("cut runs") {
        assert_eq!(cut["why"], "killed");
    }

    // The order is that of a campaign which nothing has ended.
    let other = self::place(TINY);
    other.call(&["campaign", "tiny.toml", "-q"]).ended_with(0);
    assert_eq!(done(&after), done(&saved(&self::folder(&other).expect("a folder"))));
}

#[test]
fn a_run_that_has_ended_when_the_campaign_is_killed_is_done() {
    let place = place(TINY);
    place.call(&["campaign", "tiny.toml", "-q"]).ended_with(0);
    let folder = folder(&place).expect("a folder");
    let mut campaign = is_whole(&folder);
    // As if it had been killed between the end of the third run and the moment at which it is saved, and during the fourth.
    let whole = done(&campaign);
    let runs = campaign["runs"].as_array_mut().expect("runs");
    let (fourth, third) = (runs.pop().expect("a run"), runs.pop().expect("a run"));
    campaign["ended"] = Value::Null;
    fs::write(folder.join("campaign.json"), campaign.to_string()).expect("written");
    let manifest = folder.join(fourth["folder"].as_str().expect("a folder")).join("run.json");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, text.replace("\"passed\"", "\"interrupted\"")).expect("written");

    let said = place.call(&["campaign", "--resume"]).ended_with(0);
    let after = is_whole(&folder);
    assert!(said.err.contains("4 runs, 1 missing"), "{said:?}");
    assert_eq!(done(&after), whole);
    assert_eq!(after["runs"][2], third, "it is taken up as it would have been kept");
    assert_eq!(after["cut"][0]["folder"], fourth["folder"]);
    assert_eq!((&after["cut"][0]["cell"], &after["cut"][0]["why"]), (&fourth["cell"], &"killed".into()));
}

#[test]
fn a_signal_ends_the_run_under_way_and_then_the_campaign() {
    let place = place(TINY);
    let (child, folder) = begun(&place);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    let said = Said::of(child.wait_with_output().expect("it ends")).ended_with(130);
    let before = saved(&folder);
    let missing = 4 - done(&before).len();
    assert!((1..4).contains(&missing), "{before:#}");
    let hint = format!(
        "missing; go on with: dmswarm campaign --resume results/{}\n",
        folder.file_name().expect("a name").display()
    );
    assert!(said.err.ends_with(&hint), "{said:?}");
    assert!(said.out.contains("cell  population.devices"), "what there is so far is told: {said:?}");

    let name = folder.file_name().expect("a name").to_str().expect("UTF-8");
    place.call(&["campaign", "tiny.toml", "--resume", name]).ended_with(0);
    let after = is_whole(&folder);
    let cut = after["cut"].as_array().expect("cut runs");
    assert!(cut.iter().all(|run| run["why"] == "interrupted"), "{after:#}");
}

#[test]
fn a_run_that_takes_longer_than_the_budget_is_interrupted_and_done() {
    let slow = TINY.replace("700ms", "1m").replace("repeats = 2", "budget = \"1s\"").replace("[6, 9]", "[6]");
    let place = place(&slow);
    let said = place.call(&["campaign", "tiny.toml"]);
    assert_eq!(said.code, Some(6), "{said:?}");
    let campaign = saved(&folder(&place).expect("a folder"));
    let run = &campaign["runs"][0];
    assert_eq!((&run["verdict"], &run["over_budget"]), (&"interrupted".into(), &true.into()));
    assert!(said.err.contains("repeat 1: longer than 1s, and interrupted"), "{said:?}");
    assert!(said.out.contains("interrupted (over budget)"), "{said:?}");
    assert!(place.call(&["campaign", "--resume"]).ended_with(6).err.contains("none missing"));
}

#[test]
fn every_problem_of_a_file_is_told_before_anything_is_run() {
    let place = place(&TINY.replace("repeats = 2", "repeat = 2\nwarm_up = -1\npause = \"soon\""));
    let said = place.call(&["campaign", "tiny.toml"]).ended_with(2);
    for part in
        ["unknown key `repeat`", "did you mean `repeats`?", "from 0 to 100", "expected a duration", "3 problems"]
    {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    let place = self::place(&TINY.replace("[6, 9]", "[6, 0]").replace("wait 700ms", "wiat 700ms"));
    let said = place.call(&["campaign", "tiny.toml"]).ended_with(2);
    for part in ["tiny.toml:8:", "wiat", "tiny.toml:11:28", "found `0`", "2 problems"] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    let place = self::place(&TINY.replace("small.toml", "nowhere.toml"));
    let said = place.call(&["campaign", "tiny.toml"]).ended_with(2);
    assert!(said.err.contains("tiny.toml:3:12") && said.err.contains("cannot read `nowhere.toml`"), "{said:?}");
    assert!(!place.0.join("results").exists(), "nothing is left");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let place = place(TINY);
    let said = place.call(&["campaign", "tiny.toml", "--dry-run"]).ended_with(0);
    for part in ["tiny: 4 runs of small.toml", "2     9                   9        18", "2 cells, 2 repeats of each"] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    let said = place.call(&["campaign", "tiny.toml", "--dry-run", "--json"]).ended_with(0);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&told["runs"], &told["cells"][0]["devices"]), (&4.into(), &6.into()));
    let files: Vec<String> = fs::read_dir(&place.0)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(
        files.iter().collect::<BTreeSet<_>>(),
        [&"small.toml".to_owned(), &"tiny.toml".to_owned()].into_iter().collect()
    );
}

#[test]
fn what_cannot_be_gone_on_with_says_why() {
    let place = place(TINY);
    fs::create_dir_all(place.0.join("results/other")).expect("a folder");
    for (asked, part) in [
        (&["campaign", "--resume"][..], "there are no campaigns in `results`"),
        (
            &["campaign", "--resume", "other"],
            "`results/other` is no folder of a campaign: there is no campaign.json in it",
        ),
        (&["campaign", "--resume", "small.toml"], "`small.toml` is no folder of a campaign: it is a file"),
        (&["campaign", "--resume", "nowhere"], "no campaign is called `nowhere`"),
        (&["campaign", "--resume", "--set", "watch=1"], "`--set` has no place beside --resume"),
        (
            &["campaign", "tiny.toml", "--set", "population.devices=5"],
            "`--set` sets `population.devices` for every cell",
        ),
    ] {
        let said = place.call(asked).ended_with(2);
        assert!(said.err.starts_with("error: ") && said.err.contains(part), "{asked:?}: {said:?}");
    }
    let said = place.call(&["check", "tiny.toml"]).ended_with(2);
    assert!(
        said.err.contains("this file is a campaign") && said.err.contains("dmswarm campaign tiny.toml --dry-run"),
        "{said:?}"
    );
    assert!(said.err.contains("1 problem"), "{said:?}");
}

#[test]
fn three_runs_in_a_row_that_cannot_be_begun_end_the_campaign() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port();
    let place = place(&TINY.replace("[set]", &format!("[set]\n\"server.1.device_port\" = {port}")));
    let said = place.call(&["campaign", "tiny.toml"]).ended_with(1);
    assert_eq!(said.err.matches("is in use by another process").count(), 3, "{said:?}");
    let folder = folder(&place).expect("a folder");
    assert_eq!(saved(&folder)["not_run"].as_array().map(Vec::len), Some(3));
    drop(busy);
    place.call(&["campaign", "--resume"]).ended_with(0);
    assert_eq!(is_whole(&folder)["not_run"], serde_json::json!([]));
}
