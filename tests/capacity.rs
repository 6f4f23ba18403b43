//! The search for a capacity as its user sees it: runs over real HTTPS, the verdict, the files, the exit code.

#[path = "program/place.rs"]
mod place;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use place::Place;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dmswarm");

/// One kind of flow, and sub-trials of half a second.
fn scenario(limit: &str, capacity: &str) -> String {
    format!(
        "name = \"little\"\nseed = 7\nlimits = [\"{limit}\"]\n[population]\ndevices = 10\n\
         [[server]]\nname = \"home\"\nid = \"dms1.example.test\"\n\
         [[server]]\nname = \"partner\"\nid = \"dms2.example.test\"\nservice_time = \"2ms\"\n\
         [[journey]]\nname = \"lent\"\nsteps = [\"delegate home -> partner by dmacc subtree ./SCOMO\"]\n\
         [load]\nphases = [\"hold 5/s for 1s\"]\n[health]\nlateness = \"2s\"\nevent_loop = \"2s\"\n\
         [capacity]\nsettle = \"100ms\"\neach = \"400ms\"\n{capacity}\n"
    )
}

fn capacity(folder: &Path, scenario: &str, more: &[&str]) -> Output {
    fs::write(folder.join("little.toml"), scenario).expect("a scenario");
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env("NO_COLOR", "1").args(["capacity", "little.toml"]).args(more);
    command.output().expect("the program")
}

#[track_caller]
fn record(output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}\n{err}"))
}

#[test]
fn what_is_kept_to_the_end_of_the_range_is_at_least_that_and_a_plan_goes_by_it() {
    let place = Place::new(&[]);
    let text = scenario("p50(flow.delegate.dmacc) < 2s", "least = 20\nmost = 30");
    let output = capacity(&place.0, &text, &["--json", "-q", "--plan", "1M devices in 48h, 1 spare"]);
    let found = record(&output);
    assert_eq!((output.status.code(), &found["result"]["ending"]), (Some(0), &Value::from("above_range")), "{found:#}");
    assert_eq!(found["result"]["bounds"]["lower"], 30.0, "{found:#}");
    let trials = found["trials"].as_array().expect("trials");
    assert_eq!(trials.iter().filter(|trial| trial["is_warm_up"] == true).count(), 1, "{found:#}");
    for trial in trials {
        let run = place.0.join(trial["folder"].as_str().expect("a folder"));
        assert!(run.join("summary.json").is_file() && run.join("scenario.toml").is_file(), "{}", run.display());
    }
    let levels = found["around"]["levels"].as_array().expect("levels");
    let parts: Vec<f64> =
        levels.iter().map(|level| (level["part"].as_f64().expect("a part") * 1e3).round() / 1e3).collect();
    // 2.5 starts in four times 400 ms are 1.5625 a second, of 30.
    assert_eq!(parts, [0.052, 0.1, 0.5, 0.9]);
    assert!(levels.iter().all(|level| level["up"]["p50_ms"].is_number() && level["down"]["p50_ms"].is_number()));
    let recovery = &found["around"]["recovery"];
    // 45 a second are 90 messages of 2 ms each: the peer is not even busy.
    assert_eq!((&recovery["overload"], &recovery["recovered"]["after"]), (&45.0.into(), &0.0.into()), "{recovery:#}");
    // 1,000,000 in 172,800 s are 5.8 a second: one peer of 30, and the spare one.
    let sizing = &found["plan"]["sizing"];
    assert_eq!((&sizing["working"], &sizing["spare"]), (&Value::from(1), &Value::from(1)), "{found:#}");
    let searches = fs::read_dir(place.0.join("results")).expect("results").filter_map(Result::ok);
    let search =
        searches.map(|entry| entry.path()).find(|path| path.join("capacity.json").is_file()).expect("a search");
    let told = fs::read_to_string(search.join("capacity.txt")).expect("in words");
    assert!(told.contains("AT LEAST: every limit is kept at 30 starts/s"), "{told}");
    let page = fs::read_to_string(search.join("capacity.html")).expect("a page");
    assert!(page.contains("AT LEAST") && page.contains("Every sub-trial"), "{page}");
    is_valid(&found);

    // What was found is evidence for other plans.
    let by = |plan: &str, searches: &[&Path]| {
        let mut command = Command::new(PROGRAM);
        command.current_dir(&place.0).args(["capacity", "--plan", plan]);
        searches.iter().for_each(|search| _ = command.arg("--with").arg(search));
        command.output().expect("the program")
    };
    let output = by("100M devices in 48h", &[&search]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    // 100,000,000 in 172,800 s are 578.7 a second: 20 of 30.
    assert!(told.contains("needs 579/s: 20 peers of the measured size"), "{told}");
    assert!(told.contains("if peers share nothing, which was not measured"), "{told}");
    // Six numbers of peers, of which each takes as much as the first: as far as the curve may be read, and no further.
    let searches: Vec<PathBuf> = [1, 2, 3, 4, 6, 8].map(|peers| of_so_many(&place, &found, peers)).into();
    let searches: Vec<&Path> = searches.iter().map(PathBuf::as_path).collect();
    let output = by("24M devices in 48h", &searches);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("needs 139/s: 5 peers") && told.contains("it may be read up to 16"), "{told}");
    let output = by("100M devices in 48h", &searches);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("no plan: ") && told.contains("the curve may be read up to 16 peers"), "{told}");
    let output = by("24M devices in 48h", &[&place.0]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("holds no search for a capacity"), "{told}");
}

/// Checks it against the schema that the program prints.
#[track_caller]
fn is_valid(found: &Value) {
    let output = Command::new(PROGRAM).args(["schema", "capacity"]).output().expect("the program");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(found).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The same search as if so many peers had taken so many times as much.
fn of_so_many(place: &Place, found: &Value, peers: u32) -> PathBuf {
    let mut other = found.clone();
    other["peers"] = peers.into();
    let lower = found["result"]["bounds"]["lower"].as_f64().expect("a bound");
    other["result"]["bounds"]["lower"] = (lower * f64::from(peers)).into();
    let folder = place.0.join(format!("peers-{peers}"));
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("capacity.json"), other.to_string()).expect("a file");
    folder
}

#[test]
fn where_journeys_revoke_a_storm_of_revocations_is_part_of_the_answer() {
    let place = Place::new(&[]);
    let text = scenario("p50(flow.delegate.dmacc) < 2s", "least = 20\nmost = 30")
        .replace("subtree ./SCOMO\"]", "subtree ./SCOMO\", \"revoke asked\"]");
    let output = capacity(&place.0, &text, &["--json", "-q", "--plan", "1M devices in 48h, storm 1k"]);
    let found = record(&output);
    assert_eq!(output.status.code(), Some(0), "{found:#}");
    is_valid(&found);
    // As many as come in 400 ms at 30 a second.
    let storm = &found["around"]["revocations"];
    assert_eq!((&storm["devices"], &storm["into"]), (&12.into(), &15.0.into()), "{storm:#}");
    let took = storm["took_s"].as_f64().expect("all are revoked");
    assert!(took > 0.0, "{storm:#}");
    assert_eq!(storm["effects"].as_array().map(Vec::len), Some(2), "one for each limit: {storm:#}");
    let revoked = found["plan"]["sizing"]["storm"]["revoked_s"].as_f64().expect("it was seen");
    assert!((revoked - 1_000.0 / 12.0 * took).abs() < 1e-6 * revoked, "{found:#}");
}

#[test]
fn what_is_not_kept_at_the_least_load_ends_at_once() {
    let place = Place::new(&[]);
    // No answer comes before two messages of 2 ms each have been worked on.
    let text = scenario("p50(flow.delegate.dmacc) < 3ms", "least = 20\nmost = 3000");
    let output = capacity(&place.0, &text, &[]);
    let (told, progress) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{told}\n{progress}");
    assert!(told.contains("BELOW: a limit is not kept at 20 starts/s, the least of the range"), "{told}");
    assert!(progress.contains("warm-up: not kept: p50(flow.delegate.dmacc) < 3ms over steady (was "), "{progress}");
}

#[test]
fn what_this_machine_cannot_put_on_a_peer_is_told_as_our_limit() {
    let place = Place::new(&[]);
    let text = scenario("share(failed) = 0", "least = 1000\nmost = 3000").replace("each = \"400ms\"", "each = \"12h\"");
    let output = capacity(&place.0, &text, &["--json", "-q"]);
    let found = record(&output);
    assert_eq!(output.status.code(), Some(5), "{found:#}");
    let why = found["result"]["ending"]["invalid"]["why"].as_str().expect("why");
    assert!(why.contains("10000000 are the most"), "{why}");
    assert!(found["trials"][0]["folder"].is_null(), "nothing was run");
}

#[test]
fn what_cannot_be_searched_for_is_told_before_anything_runs() {
    let place = Place::new(&[]);
    let fine = "least = 20\nmost = 30";
    let without = scenario("share(failed) = 0", "").replace("[capacity]\nsettle = \"100ms\"\neach = \"400ms\"\n", "");
    for (text, more, expected) in [
        (without, vec![], "nothing says what is to be turned up"),
        (scenario("share(failed) = 0", "least = 30\nmost = 20"), vec![], "the search ends where it begins"),
        (
            scenario("share(failed) = 0", "axis = \"storm\"\nleast = 1.5\nmost = 20"),
            vec![],
            "is a whole number with `storm`",
        ),
        (scenario("share(failed) = 0", "axis = \"latency\"\nleast = 1\nmost = 20"), vec![], "and none is named"),
        (
            scenario("share(failed) = 0", "axis = \"revocations\"\nleast = 1\nmost = 20"),
            vec![],
            "needs journeys that revoke",
        ),
        (
            scenario("share(failed) = 0", &format!("axis = \"at_once\"\n{fine}")),
            vec!["--plan", "5 devices in 1h"],
            "turns up `at_once`, and a plan goes by",
        ),
        (scenario("share(failed) = 0", fine), vec!["--plan", "many devices"], "--plan"),
        (scenario("p99(flow.delegate.dmacc) < 1s", fine), vec![], "and some to spare: raise `least` to 300"),
        (
            scenario("share(failed of phones) = 0", fine)
                .replace("[load]\n", "[[load.population]]\nname = \"phones\"\njourneys = [\"lent\"]\n"),
            vec![],
            "which a search replaces",
        ),
        (
            scenario("share(failed) = 0", &format!("{fine}\nrisk = 0.001\nexceed_ratio = 0.01")),
            vec![],
            "sub-trials at a load cannot show",
        ),
    ] {
        let output = capacity(&place.0, &text, &more);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(2) && told.contains(expected),
            "{expected}: {:?} {told}",
            output.status.code()
        );
    }
    assert!(!place.0.join("results").exists(), "nothing was run");
}
