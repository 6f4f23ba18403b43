//! Tables of loads with a problem: what it says, where it points, and the way out.

use super::*;

fn phase(text: &str) -> String {
    with("at_once = 5", &format!("phases = [\"{text}\"]"))
}

#[test]
fn phases_that_are_none_say_what_they_could_be() {
    for (text, at, message, hint) in [
        ("storm of many", "many", "expected a whole number from 1 to 10000000, found `many`", ""),
        ("storm of 0", "0", "expected a whole number from 1 to 10000000, found `0`", ""),
        ("storm 5", "\"storm", "`storm 5` is no phase", "for example `storm of 200`"),
        (
            "strom of 5",
            "strom",
            "expected `hold`, `ramp`, `stairs`, `spike`, `storm`, `pause`, `replay` or `closed`, found `strom`",
            "did you mean `storm`?",
        ),
        ("closed 0 until done", "0 until", "expected a whole number from 1 to 1000000, found `0`", ""),
        ("closed 5", "\"closed", "`closed 5` is no phase", "`closed 50 until done`"),
        ("pause 0s", "0s", "a phase has to be longer than nothing", ""),
        ("stairs 1/s to 5/s in 1 steps of 2s", "1 steps", "expected a whole number from 2 to 1000, found `1`", ""),
        ("stairs 1/s to 5/s in 9 steps of 8000h", "8000h", "a phase is at most 8760h long", ""),
        ("stairs 1/s to 5/s in 5 steps", "\"stairs", "`stairs 1/s to 5/s in 5 steps` is no phase", "steps of 2s"),
        ("spike 1/s to 5 for 1s in 9s", "5 for", "expected a rate such as `100/s`, `30/min` or `5/h`, found `5`", ""),
        ("spike 1/s to 5/s for 9s in 1s", "9s in", "the peak is longer than the phase that it is in", "first how long"),
        ("", "\"\"", "a phase cannot be empty", "hold 100/s for 10s"),
        ("x:", "\"]", "a phase cannot be empty", "hold 100/s for 10s"),
        ("replay", "\"replay", "`replay` is no phase", "replay arrivals.csv"),
        ("x: replay  ", "replay  ", "`replay` is no phase", "replay arrivals.csv"),
    ] {
        is_wrong(&phase(text), at, message, hint);
    }
}

#[test]
fn how_starts_are_spread_is_said_at_the_end_of_a_rate() {
    for (text, at, message, hint) in [
        (
            "hold 5/s for 2s, poisson exactly",
            "poisson exactly\"",
            "expected `poisson` or `poisson exactly 500`, found `poisson exactly`",
            "",
        ),
        (
            "hold 5/s for 2s poisson about 9",
            "poisson about",
            "expected `poisson` or `poisson exactly 500`, found `poisson about 9`",
            "",
        ),
        (
            "hold 5/s for 2s, poisson exactly none",
            "none",
            "expected a whole number from 1 to 10000000, found `none`",
            "",
        ),
        (
            "hold 5/s until done, poisson exactly 9",
            "exactly",
            "a phase `until done` has no exact number of starts",
            "for 10s",
        ),
        ("hold 0/s for 2s, poisson", "[", "the phases start no journey at all", "raise a rate"),
        ("hold 0/s for 2s, poisson exactly 9", "exactly", "where the rate is 0 there are no starts", "raise a rate"),
        ("storm of 5, poisson", "poisson", "nothing is spread over this phase", "leave out `poisson`"),
        ("hold 5/s for 2s, evenly", "\"hold", "`hold 5/s for 2s, evenly` is no phase", "hold 100/s for 10s"),
    ] {
        is_wrong(&phase(text), at, message, hint);
    }
}

#[test]
fn names_of_phases_are_plain() {
    let hint = "`warm-up: ramp";
    is_wrong(&phase("warm up: hold 5/s for 1s"), "warm up:", "`warm up` is no name of a phase", hint);
    is_wrong(&phase("é: hold 5/s for 1s"), "é:", "`é` is no name of a phase", hint);
    is_wrong(&phase(": hold 5/s for 1s"), ": hold", "`` is no name of a phase", hint);
    // The place within a phase is right behind a name as well.
    is_wrong(
        &phase("warm-up: hold 5 for 1s"),
        "5 for",
        "expected a rate such as `100/s`, `30/min` or `5/h`, found `5`",
        "",
    );
}

#[test]
fn recorded_moments_ascend_and_are_there() {
    let hint = "replay [0, 0.5, 1.25]";
    is_wrong(&phase("replay [0, 2, 1]"), "1]", "expected a moment from `2` on, for they ascend, found `1`", hint);
    is_wrong(
        &phase("replay [0, soon]"),
        "soon]",
        "expected a moment in seconds, in plain digits such as `1.25`, found `soon`",
        hint,
    );
    is_wrong(
        &phase("replay [0, , 1]"),
        ", 1]",
        "expected a moment in seconds, in plain digits such as `1.25`, found ``",
        hint,
    );
    is_wrong(&phase("replay [0, 1"), "[0", "the list of moments has no `]`", hint);
    is_wrong(
        &phase("replay a: b.csv"),
        "a: b.csv",
        "cannot read `a: b.csv`: this scenario lies in no folder",
        "write the moments",
    );
}

#[test]
fn every_mistake_of_an_arrival_file_is_told_with_its_line() {
    let folder = std::env::temp_dir().join(format!("dmswarm-arrivals-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (scenario, arrivals) = (folder.join("demo.toml"), folder.join("a b.csv"));
    std::fs::write(&scenario, phase("evening: replay a b.csv")).unwrap();
    let told = || {
        let problems = file::read(&scenario, &Overrides::default()).map(|_| ()).expect_err("nothing to replay");
        problems.iter().map(|at| (at.line, at.column, at.message.to_owned())).collect::<Vec<_>>()
    };
    let [(.., missing)] = &told()[..] else { panic!("one problem") };
    assert!(missing.starts_with("cannot read `a b.csv`: "), "{missing}");
    std::fs::write(&arrivals, "at,device\n0.5,1\n0.25,2\nsoon,3\n").unwrap();
    let line = phase("").lines().position(|line| line.starts_with("phases")).unwrap() + 1;
    // The file's name stands after `phases = ["evening: replay `.
    let expected = [
        (line, 28, "`a b.csv` line 3: expected a moment from `0.5` on, for they ascend, found `0.25`".to_owned()),
        (
            line,
            28,
            "`a b.csv` line 4: expected a moment in seconds, in plain digits such as `1.25`, found `soon`".to_owned(),
        ),
    ];
    assert_eq!(told(), expected);
    std::fs::write(&arrivals, "at,device\n0.5,1\n0.5,2\n").unwrap();
    let read = file::read(&scenario, &Overrides::default()).unwrap();
    assert_eq!(read.load.populations[0].starts, 2);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What is said of a scenario that replays this path.
fn said_of(arrivals: &std::path::Path) -> String {
    let scenario = arrivals.with_extension("toml");
    std::fs::write(&scenario, phase(&format!("replay {}", arrivals.display()))).unwrap();
    let problems = file::read(&scenario, &Overrides::default()).map(|_| ()).expect_err("nothing to replay");
    std::fs::remove_file(&scenario).unwrap();
    problems.to_string()
}

#[test]
fn an_arrival_file_that_is_too_large_is_given_up() {
    let arrivals = std::env::temp_dir().join(format!("dmswarm-huge-{}.csv", std::process::id()));
    std::fs::File::create(&arrivals).and_then(|file| file.set_len((16 << 20) + 1)).unwrap();
    let said = said_of(&arrivals);
    std::fs::remove_file(&arrivals).unwrap();
    assert!(said.contains(".csv`: it is larger than 16MiB, as no arrival file is"), "{said}");
}

#[test]
fn a_pipe_as_arrival_file_is_refused_and_not_waited_for() {
    let pipe = std::env::temp_dir().join(format!("dmswarm-pipe-{}", std::process::id()));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (tell, told) = std::sync::mpsc::channel();
    let path = pipe.clone();
    std::thread::spawn(move || tell.send(said_of(&path)));
    let said = told.recv_timeout(std::time::Duration::from_secs(20));
    std::fs::remove_file(&pipe).unwrap();
    let said = said.expect("nobody waits for its other end");
    assert!(said.contains("`: it is no regular file, as an arrival file is"), "{said}");
}

/// Two journeys, and these populations.
fn populations(text: &str) -> String {
    let second = "[[journey]]\nname = \"second\"\nsteps = [\"delegate home -> partner by url\"]\n";
    with("[load]\nat_once = 5\n", &format!("{second}[load]\n{text}"))
}

const BOTH: &str = "[[load.population]]\nname = \"a\"\njourneys = [\"journey 1\", \"second\"]\nat_once = 2\n";

#[test]
fn beside_populations_the_load_has_no_phases_of_its_own() {
    for key in ["phases = [\"hold 1/s for 5s\"]", "at_once = 5", "starts = 4"] {
        let name = key.split(' ').next().unwrap();
        let value = &key[name.len() + 3..];
        let message = format!("`{name}` stands beside the populations of the load");
        is_wrong(&populations(&format!("{key}\n{BOTH}")), value, &message, "move it into a `[[load.population]]`");
    }
    is_wrong(&populations("population = []\n"), "[]", "`population` needs at least one entry", "");
}

#[test]
fn every_journey_is_in_exactly_one_population() {
    read(&populations(BOTH)).unwrap();
    is_wrong(
        &populations(&BOTH.replace(", \"second\"", "")),
        "[[load.population]]",
        "journey `second` is in no population of the load",
        "add it to the `journeys` of one",
    );
    is_wrong(
        &populations(&BOTH.replace("\"second\"", "\"secnod\"")),
        "\"secnod\"",
        "there is no journey `secnod`",
        "did you mean `second`?",
    );
    let other = "[[load.population]]\nname = \"b\"\nat_once = 2\njourneys = [\"second\"]\n";
    let message = "journey `second` is in the population `a` already";
    is_wrong(&populations(&format!("{BOTH}{other}")), "\"second\"", message, "in exactly one population");
    let none = other.replace("[\"second\"]", "[]");
    let message = "a population needs at least one journey";
    is_wrong(&populations(&format!("{BOTH}{none}")), "[]", message, "those of its journeys");
}

#[test]
fn populations_have_names_and_phases_of_their_own() {
    let twice = "[[load.population]]\nname = \"a\"\njourneys = [\"second\"]\nat_once = 1\n";
    let first = BOTH.replace(", \"second\"", "");
    is_wrong(&populations(&format!("{first}{twice}")), "\"a\"", "the population name `a` is there twice", "");
    is_wrong(&populations(&BOTH.replace("\"a\"", "\"a/b\"")), "/b\"", "`a/b` cannot be part of a file name", "");
    is_wrong(
        &populations(&BOTH.replace("at_once = 2\n", "")),
        "[[load.population]]",
        "the population has neither `phases` nor `at_once`",
        "hold 100/s until done",
    );
    is_wrong(
        &populations(&format!("{BOTH}phases = [\"hold 1/s until done\"]\n")),
        "2",
        "a population has `phases` or `at_once`, not both",
        "leave out `at_once`",
    );
    is_wrong(
        &populations(&BOTH.replace("at_once = 2", "phases = [\"hold 1/s for 3s\"]\nstarts = 5")),
        "5",
        "the phases end after 3 starts, `starts` asks for 5",
        "until done",
    );
    is_wrong(&populations(&BOTH.replace("name = \"a\"\n", "")), "[[load", "the key `name` is missing", "");
    is_wrong(&populations(&format!("{BOTH}strats = 3\n")), "strats", "unknown key `strats`", "`starts`");
}

proptest::proptest! {
    /// Whatever stands there is a phase that reads back, or a problem that can be shown.
    #[test]
    fn words_in_any_order_are_a_phase_or_a_problem(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..10)) {
        let text = phase(&words.join(" "));
        match read(&text) {
            Ok(scenario) => round_trip::reads_back(&scenario.to_toml()),
            Err(problems) => proptest::prop_assert!(problems.to_string().contains("demo.toml:16:"), "{}", problems),
        }
    }
}

const WORDS: &[&str] = &[
    "hold", "ramp", "stairs", "spike", "storm", "pause", "replay", "closed", "poisson", "exactly", "until", "done",
    "for", "in", "to", "of", "steps", "5/s", "0/s", "9/min", "3", "0", "2s", "0s", "9000h", "[0, 1.5]", "[", "]", ",",
    "a:", ":", "é", "x.csv",
];
