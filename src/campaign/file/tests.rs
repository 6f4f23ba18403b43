//! Tables of campaign files: what they come to, and what is said of those that are wrong.

use super::*;

const HEAD: &str = "name = \"nightly\"\nscenario = \"quickstart\"\n";

#[track_caller]
fn cells(text: &str) -> Vec<String> {
    let file = parse("demo.toml", &format!("{HEAD}{text}")).unwrap_or_else(|problems| panic!("{problems}"));
    let words = |cell: &Cell| cell.settings.iter().map(Setting::text).collect::<Vec<_>>().join(" ");
    file.cells.iter().map(words).collect()
}

/// Checks that just this is wrong with a file after its head, in these lines and columns.
#[track_caller]
fn is_wrong(text: &str, expected: &[(usize, usize, &str)]) -> Problems {
    let problems = parse("demo.toml", &format!("{HEAD}{text}")).expect_err("it is wrong");
    let found: Vec<(usize, usize, &str)> =
        problems.iter().map(|problem| (problem.line, problem.column, problem.message)).collect();
    assert_eq!(found, expected);
    problems
}

#[test]
fn what_is_left_out_has_a_default() {
    let file = parse("demo.toml", HEAD).expect("a campaign of one cell");
    assert_eq!((file.name.as_str(), file.scenario.as_str(), file.seed), ("nightly", "quickstart", None));
    assert_eq!((file.repeats, file.warm_up, file.rests, file.budget), (1, 0, Rests::default(), None));
    assert_eq!((file.cells.len(), file.runs()), (1, 1), "the scenario as it is");
}

#[test]
fn all_is_read_as_it_stands() {
    let text = "seed = 9\nrepeats = 3\nwarm_up = 2\ncool_down = \"4s\"\npause = \"1.5s\"\nbudget = \"1m\"\n";
    let file = parse("demo.toml", &format!("{HEAD}{text}")).expect("a campaign");
    assert_eq!((file.seed, file.repeats, file.warm_up), (Some(Seed(9)), 3, 2));
    let rests = Rests { cool_down: Duration::from_secs(4), pause: Duration::from_millis(1_500) };
    assert_eq!((file.rests, file.budget), (rests, Some(Duration::from_mins(1))));
}

#[test]
fn a_matrix_with_exclusions_and_single_cells_becomes_cells() {
    let text = r#"
exclude = [{ "population.devices" = 20, policy = "literal" }]

[matrix]
"population.devices" = [10, 20]
policy = ["literal", "hardened"]

[[cell]]
policy = "literal"
"load.phases" = ["storm of 5"]
"#;
    assert_eq!(
        cells(text),
        [
            "population.devices=10 policy=\"literal\"",
            "population.devices=10 policy=\"hardened\"",
            "population.devices=20 policy=\"hardened\"",
            "policy=\"literal\" load.phases=[\"storm of 5\"]",
        ]
    );
    assert_eq!(cells("[[cell]]\npolicy = \"literal\""), ["policy=\"literal\""], "no matrix, and no cell of it");
}

#[test]
fn paths_may_stand_without_quotes_where_the_scenario_has_a_table() {
    assert_eq!(cells("[matrix]\npopulation.devices = [10, 20]"), ["population.devices=10", "population.devices=20"]);
    assert_eq!(cells("[matrix]\nserver.1.external.url = [\"a\"]"), ["server.1.external.url=\"a\""]);
    assert_eq!(cells("[[cell]]\nload.at_once = 5\ntimeouts.peer = \"1s\""), ["load.at_once=5 timeouts.peer=\"1s\""]);
    // A table that is a value stays one.
    let delay = r#"[[cell]]
"fault.0.do" = { delay = "1s" }"#;
    assert_eq!(cells(delay), [r#"fault.0.do={ delay = "1s" }"#]);
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let text = r#"repeats = 0
buget = "1m"
exclude = [{ "population.device" = 10 }, {}]

[set]
policy = "literal"

[matrix]
"population.devices" = [10, 10]
policy = ["literal"]
heal = []
watch = 5
"#;
    let problems = is_wrong(
        text,
        &[
            (3, 11, "expected a whole number from 1 to 1000, found `0`"),
            (4, 1, "unknown key `buget`"),
            (5, 14, "`population.device` is no path of the matrix"),
            (5, 42, "an exclusion without values would exclude every cell"),
            (11, 29, "this value of `population.devices` stands twice"),
            (12, 1, "`policy` is set for every cell already"),
            (13, 8, "`heal` has no values"),
            (14, 9, "`watch` is a list of values here, found the whole number `5`"),
        ],
    );
    let text = problems.render(false);
    for part in ["help: did you mean `budget`?", "help: did you mean `population.devices`?"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_scenario_in_place_of_a_campaign_is_one_problem() {
    let problems = parse("demo.toml", crate::scenario::QUICKSTART).expect_err("it is none");
    let told: Vec<&str> = problems.iter().map(|problem| problem.message).collect();
    assert_eq!(told, ["this file is a scenario, and no campaign of one"]);
}

#[test]
fn keys_of_scenarios_are_sent_where_they_belong() {
    let problems = is_wrong("policy = \"literal\"\n", &[(3, 1, "unknown key `policy`")]);
    assert!(problems.to_string().contains("put it into `[set]`"), "{problems}");
    is_wrong(
        "[set]\n\"a=b\" = 1\n\"a..b\" = 1\nheal = 2026-01-01\n",
        &[
            (4, 1, "`a=b` is no path of a scenario"),
            (5, 1, "`a..b` is no path of a scenario"),
            (6, 8, "nothing in a scenario is a date, found `2026-01-01`"),
        ],
    );
    is_wrong(
        "matrix = 5\n",
        &[(3, 10, "`matrix` is a table such as `{ \"population.devices\" = 100 }`, found the whole number `5`")],
    );
}

#[test]
fn what_cannot_be_run_is_told() {
    is_wrong(
        "exclude = [{ watch = 5 }]\n[matrix]\nwatch = [5]\n",
        &[(3, 11, "every cell is excluded, and nothing is left to run")],
    );
    is_wrong("budget = \"500ms\"\n", &[(3, 10, "`budget` is shorter than 1s")]);
    is_wrong("[matrix]\nwatch = [5]\n[[cell]]\nwatch = 5\n", &[(5, 1, "this cell is there already")]);
    is_wrong("exclude = [{ watch = 6 }]\n[matrix]\nwatch = [5, 7]\n", &[(3, 22, "the matrix has no `watch` of 6")]);
    let text = "name = \"a b\"\nscenario = \" \"\n";
    let problems = parse("demo.toml", text).expect_err("it is wrong");
    assert_eq!(problems.count(), 2);
}

#[test]
fn no_campaign_has_more_runs_than_anybody_would_wait_for() {
    let list = |many: usize| (0..many).map(|value| value.to_string()).collect::<Vec<_>>().join(", ");
    let matrix = |many: usize, axes: usize| {
        let axes: Vec<String> = (0..axes).map(|axis| format!("k{axis} = [{}]", list(many))).collect();
        format!("repeats = 10\n[matrix]\n{}\n", axes.join("\n"))
    };
    assert_eq!(cells(&matrix(1_000, 1)).len(), 1_000, "10,000 runs are not too many");
    is_wrong(&matrix(1_001, 1), &[(4, 1, "the campaign has 10010 runs, and at most 10000 are")]);
    is_wrong(&matrix(10, 64), &[(4, 1, "the campaign has more runs than can be counted, and at most 10000 are")]);
}
