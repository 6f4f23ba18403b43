//! A campaign's folder: made, saved, found again, read back.

use super::*;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// A folder of this test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dmswarm-campaign-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a scratch folder");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn campaign(name: &str, started: &str) -> Campaign {
    Campaign {
        schema: SCHEMA.to_owned(),
        name: name.to_owned(),
        seed: 7,
        scenario: "demo.toml".to_owned(),
        repeats: 2,
        command_line: vec!["dmswarm".to_owned()],
        overrides: Overriding::default(),
        started: started.to_owned(),
        ended: None,
        cells: vec![CellRow { cell: 1, settings: Map::new() }],
        runs: Vec::new(),
        warm_up: Vec::new(),
        cut: Vec::new(),
        not_run: Vec::new(),
        beside: BTreeMap::new(),
    }
}

fn sample() -> Summary {
    serde_json::from_str(include_str!("../../../results/sample/summary.json")).expect("a summary")
}

fn create(out: &Path, name: &str, started: &str) -> (CampaignFolder, Campaign) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let mut campaign = campaign(name, started);
    let beside = [("moments.csv".to_owned(), "0.5\n".to_owned())].into_iter().collect();
    let folder = CampaignFolder::create(out, now, &mut campaign, ("name = 1", "seed = 2"), &beside).expect("a folder");
    (folder, campaign)
}

#[test]
fn what_was_saved_is_read_back_with_copies_of_every_file() {
    let scratch = Scratch::new();
    let (folder, mut campaign) = create(&scratch.0, "nightly", "2026-11-22T11:50:03.123Z");
    assert!(folder.path().ends_with("nightly-campaign-2023-11-14T22-13-20.123Z-7"), "{}", folder.path().display());
    campaign.runs.push(RunRow::of(1, 2, PathBuf::from("runs/a"), &sample()));
    folder.save(&campaign).expect("saved");
    let path = folder.path().to_owned();
    drop(folder);
    let stored = CampaignFolder::open(&path).expect("a campaign");
    assert_eq!(stored.campaign, campaign);
    assert_eq!((stored.file.as_str(), stored.scenario.as_str()), ("name = 1", "seed = 2"));
    assert_eq!(stored.beside.get("moments.csv").map(String::as_str), Some("0.5\n"));
    assert!(!path.join("campaign.tmp").exists());
}

#[test]
fn what_is_kept_of_a_run_says_how_it_went() {
    let summary = sample();
    let row = RunRow::of(3, 1, PathBuf::from("runs/a"), &summary);
    assert_eq!((row.cell, row.repeat, row.verdict), (3, 1, summary.verdict));
    assert_eq!((row.flows, row.share_failed), (summary.started(), Some(0.0)));
    assert!(row.by_flow.contains_key("delegate.dmacc") && !row.over_budget && !row.internal_error);
    let text = serde_json::to_string(&row).expect("JSON");
    assert!(!text.contains("over_budget"), "what is usual is not said: {text}");
}

#[test]
fn a_campaign_is_run_by_one_program_at_a_time() {
    let scratch = Scratch::new();
    let (folder, _) = create(&scratch.0, "nightly", "2026-11-22T11:50:03.123Z");
    let error = CampaignFolder::open(folder.path()).expect_err("it is being run");
    assert!(error.to_string().contains("is being run by another dmswarm"), "{error}");
}

#[test]
fn campaigns_are_found_by_folder_by_name_and_the_newest_by_its_word() {
    let scratch = Scratch::new();
    let (older, _) = create(&scratch.0, "nightly", "2026-11-22T11:50:03.123Z");
    let (newer, _) = create(&scratch.0, "weekly", "2026-11-23T11:50:03.123Z");
    let find =
        |word: &str, named| CampaignFolder::find(&scratch.0, Path::new(word), named).map_err(|error| error.to_string());
    assert_eq!(find("latest", None).as_deref(), Ok(newer.path()));
    assert_eq!(find("latest", Some("nightly")).as_deref(), Ok(older.path()));
    let name = older.path().file_name().expect("a name").to_str().expect("UTF-8");
    assert_eq!(find(name, None).as_deref(), Ok(older.path()));
    assert_eq!(find(older.path().to_str().expect("UTF-8"), None).as_deref(), Ok(older.path()));
    assert!(find("latest", Some("monthly")).unwrap_err().contains("no campaigns in `"));
    assert!(find("nowhere", None).unwrap_err().starts_with("no campaign is called `nowhere`"));
    fs::create_dir(scratch.0.join("run")).expect("a folder");
    fs::write(scratch.0.join("file"), "").expect("a file");
    assert!(find("run", None).unwrap_err().contains("there is no campaign.json in it"));
    assert!(find("file", None).unwrap_err().contains("it is a file"));
}

#[test]
fn what_is_no_campaign_says_why() {
    let scratch = Scratch::new();
    let file = scratch.0.join("campaign.json");
    for (text, why) in [
        ("{", "is no JSON"),
        ("{\"schema\":\"dmswarm.run/1\"}", "is `dmswarm.run/1`, expected `dmswarm.campaign/1`"),
        ("{\"schema\":\"dmswarm.campaign/1\"}", "is none of this version: missing field"),
    ] {
        fs::write(&file, text).expect("written");
        let error = CampaignFolder::open(&scratch.0).expect_err("it is none").to_string();
        assert!(error.contains(why), "{error}");
    }
    let text = serde_json::to_string(&campaign("nightly", "")).expect("JSON");
    fs::write(&file, text).expect("written");
    let error = CampaignFolder::open(&scratch.0).expect_err("the copies are missing").to_string();
    assert!(error.contains("campaign.toml`: ") && error.contains("begin a new one"), "{error}");
}

#[test]
fn folders_of_runs_that_nobody_knows_of_are_found_with_what_they_tell() {
    let scratch = Scratch::new();
    let (folder, mut campaign) = create(&scratch.0, "nightly", "2026-11-22T11:50:03.123Z");
    let run = |name: &str, files: &[(&str, &str)]| {
        let place = folder.path().join("runs").join(name);
        fs::create_dir_all(&place).expect("a folder");
        files.iter().for_each(|(file, text)| fs::write(place.join(file), text).expect("written"));
    };
    let manifest = include_str!("../../../results/sample/run.json");
    let summary = include_str!("../../../results/sample/summary.json");
    run("a-known", &[]);
    run("b-whole", &[("run.json", manifest), ("summary.json", summary), ("scenario.toml", "seed = 1")]);
    let open = manifest.replace("\"passed\"", "\"interrupted\"");
    run("c-killed", &[("run.json", &open), ("summary.json", summary)]);
    run("d-empty", &[]);
    campaign.runs.push(RunRow::of(1, 1, PathBuf::from("runs/a-known"), &sample()));
    let left = folder.left_over(&campaign);
    let told: Vec<(&str, bool, Option<&str>)> = left
        .iter()
        .map(|one| (one.folder.to_str().expect("UTF-8"), one.ended.is_some(), one.scenario.as_deref()))
        .collect();
    assert_eq!(
        told,
        [("runs/b-whole", true, Some("seed = 1")), ("runs/c-killed", false, None), ("runs/d-empty", false, None)]
    );
}

#[test]
fn a_record_that_somebody_has_changed_is_no_campaign_to_go_on_with() {
    let scratch = Scratch::new();
    let (folder, mut campaign) = create(&scratch.0, "nightly", "2026-11-22T11:50:03.123Z");
    let path = folder.path().to_owned();
    let row = |cell, repeat, folder: &str| RunRow::of(cell, repeat, PathBuf::from(folder), &sample());
    let fine = row(1, 1, "runs/a");
    for (wrong, expected) in [
        (row(1, 1, "runs/b"), "cell 1 has repeat 1 twice"),
        (row(77, 1, "runs/b"), "it has no cell 77 with a repeat 1"),
        (row(1, 3, "runs/b"), "it has no cell 1 with a repeat 3"),
        (row(1, 2, "/etc"), "`/etc` is no place in its folder"),
        (row(1, 2, "runs/../../b"), "`runs/../../b` is no place in its folder"),
        (row(1, 2, "javascript:alert(1)"), "`javascript:alert(1)` is no place in its folder"),
    ] {
        campaign.runs = vec![fine.clone(), wrong];
        folder.save(&campaign).expect("saved");
        let error = CampaignFolder::open(&path).expect_err("it is inconsistent").to_string();
        assert!(error.contains(expected), "{error}");
    }
}
