//! The scenarios of cells: their settings, their seeds, and where a bad one is told.

use super::*;
use crate::campaign::file;

const HEAD: &str = "name = \"nightly\"\nscenario = \"demo.toml\"\n";

/// A scenario without a seed.
const DEMO: &str = r#"
name = "demo"
[population]
devices = 6
[[server]]
name = "home"
id = "dms1.example.test"
[[server]]
name = "partner"
id = "dms2.example.test"
[[journey]]
steps = ["delegate home -> partner by dmacc subtree ./SCOMO"]
[load]
at_once = 6
"#;

fn read(campaign: &str, scenario: &str, over: &Over) -> Result<Cells, Wrong> {
    let file =
        file::parse("nightly.toml", &format!("{HEAD}{campaign}")).unwrap_or_else(|problems| panic!("{problems}"));
    Cells::read(&file, Source::stored("demo.toml", scenario.to_owned(), BTreeMap::new()), over, Seed(7))
}

#[track_caller]
fn cells(campaign: &str, scenario: &str, over: &Over) -> Cells {
    read(campaign, scenario, over).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn scenario(cells: &Cells, cell: u32, repeat: u32) -> Scenario {
    cells.scenario(Job { cell, repeat }).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_cell_is_the_scenario_with_what_holds_for_all_and_with_its_own() {
    let campaign =
        "[set]\ntimeouts.peer = \"7s\"\npopulation.devices = 8\n[matrix]\npolicy = [\"literal\", \"hardened\"]\n";
    let over = Over { sets: vec!["population.devices=9".to_owned()], policy: None };
    let cells = cells(campaign, DEMO, &over);
    let [one, other] = [1, 2].map(|cell| scenario(&cells, cell, 1));
    assert_eq!((one.policy, other.policy), (Policy::Literal, Policy::Hardened));
    assert_eq!(one.devices, 9, "the command line comes after the file");
    assert_eq!(other.timeouts.protocol.peer.as_secs(), 7);
}

#[test]
fn repeats_have_seeds_of_their_own_unless_the_scenario_has_one() {
    let matrix = "[matrix]\npopulation.devices = [5, 6]\n";
    let free = cells(matrix, DEMO, &Over::default());
    let seeds = |cells: &Cells| [(1, 1), (2, 1), (1, 2)].map(|(cell, repeat)| scenario(cells, cell, repeat).seed.0);
    let [first, of_other_cell, of_other_repeat] = seeds(&free);
    assert_eq!(first, of_other_cell, "cells differ by their settings alone");
    assert_ne!(first, of_other_repeat);
    let kept = cells(matrix, &format!("seed = 5\n{DEMO}"), &Over::default());
    assert_eq!(seeds(&kept), [5, 5, 5]);
    let set = cells(&format!("[set]\nseed = 4\n{matrix}"), DEMO, &Over::default());
    assert_eq!(seeds(&set), [4, 4, 4]);
    let swept = cells("[matrix]\nseed = [1, 2]\n", DEMO, &Over::default());
    assert_eq!(seeds(&swept), [1, 2, 1]);
}

#[test]
fn a_bad_setting_is_told_where_it_stands_in_the_campaign_file_and_once() {
    let campaign = "[matrix]\n\"population.devcies\" = [5, 6]\npolicy = [\"literal\", \"hardned\"]\n";
    let Err(Wrong::Problems { in_file: Some(problems), elsewhere }) = read(campaign, DEMO, &Over::default()) else {
        panic!("it is wrong")
    };
    let found: Vec<_> = problems.iter().map(|at| (at.source, at.line, at.column, at.message, at.hint)).collect();
    assert_eq!(
        found,
        [
            ("nightly.toml", 4, 13, "unknown key `devcies`", Some("did you mean `devices`?")),
            (
                "nightly.toml",
                5,
                22,
                "`policy` is one of `hardened` and `literal`, found `hardned`",
                Some("did you mean `hardened`?")
            ),
        ]
    );
    assert!(elsewhere.is_empty());
}

#[test]
fn what_only_some_cells_have_wrong_in_the_scenario_names_them() {
    let two = DEMO.replace("[load]", "[[journey]]\nsteps = [\"delegate home -> partner by dmacc full\"]\n[load]");
    let campaign = "[matrix]\npopulation.devices = [1, 6]\nwatch = [1, 2]\n";
    let Err(Wrong::Problems { elsewhere, .. }) = read(campaign, &two, &Over::default()) else { panic!("it is wrong") };
    let whose: Vec<&str> = elsewhere.iter().map(|(whose, _)| whose.as_str()).collect();
    assert_eq!(whose, ["in cell 1 (population.devices=1 watch=1) and 1 more"]);
    let campaign = "[matrix]\nwatch = [1, 2]\n";
    let Err(Wrong::Problems { elsewhere, .. }) = read(campaign, "name = \"x\"", &Over::default()) else {
        panic!("it is wrong")
    };
    assert_eq!((elsewhere.len(), elsewhere[0].0.as_str()), (1, "in every cell"));
}

#[test]
fn the_command_line_does_not_set_what_cells_differ_in() {
    let campaign = "[matrix]\npolicy = [\"literal\", \"hardened\"]\n";
    for over in [
        Over { sets: Vec::new(), policy: Some(Policy::Literal) },
        Over { sets: vec!["policy = literal".to_owned()], policy: None },
    ] {
        let Err(Wrong::Clash(message)) = read(campaign, DEMO, &over) else { panic!("they clash") };
        assert!(message.contains("sets `policy` for every cell"), "{message}");
    }
}

#[test]
fn files_beside_the_scenario_are_kept_for_later() {
    let folder = std::env::temp_dir().join(format!("dmswarm-cells-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let demo = DEMO.replace("at_once = 6", "phases = [\"replay moments.csv\"]");
    std::fs::write(folder.join("demo.toml"), &demo).expect("written");
    std::fs::write(folder.join("moments.csv"), "0.0\n0.5\n").expect("written");
    let file = file::parse("nightly.toml", HEAD).expect("a campaign");
    let source = Source::read(&file, &folder).unwrap_or_else(|problems| panic!("{problems}"));
    let first = Cells::read(&file, source, &Over::default(), Seed(7)).expect("no problems");
    std::fs::remove_dir_all(&folder).expect("removed");
    let beside = first.source().beside();
    assert_eq!(beside.keys().collect::<Vec<_>>(), ["moments.csv"]);
    let source = Source::stored("demo.toml", demo, beside);
    let again = Cells::read(&file, source, &Over::default(), Seed(7)).expect("no problems");
    assert_eq!(scenario(&first, 1, 1), scenario(&again, 1, 1));
}

#[test]
fn a_scenario_that_is_not_there_is_told_at_its_place() {
    let file = file::parse("nightly.toml", HEAD).expect("a campaign");
    let problems = Source::read(&file, Path::new("nowhere")).expect_err("it is not there");
    let first = problems.iter().next().expect("a problem");
    assert_eq!((first.line, first.column), (2, 12));
    assert!(first.message.starts_with("cannot read `nowhere/demo.toml`: "), "{}", first.message);
}

#[test]
fn the_shipped_campaigns_are_without_problems_and_short() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/campaigns");
    let mut files = 0;
    for path in std::fs::read_dir(&shipped).expect("campaigns").map(|entry| entry.expect("an entry").path()) {
        files += 1;
        let (_, file) = file::read(&path).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(Some(file.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
        let source = Source::read(&file, &shipped).unwrap_or_else(|problems| panic!("{problems}"));
        let cells = Cells::read(&file, source, &Over::default(), Seed(7)).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let all =
            (1..=cells.all().len() as u32).map(|cell| scenario(&cells, cell, 1).estimate(128).lasts.as_secs_f64());
        let lasts = all.sum::<f64>() * f64::from(file.repeats);
        assert!((10.0..120.0).contains(&lasts), "{}: {lasts} s", path.display());
    }
    assert!(files > 0);
}
