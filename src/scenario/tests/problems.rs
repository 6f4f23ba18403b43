//! Tables of scenarios with a problem: what it says, where it points, and the way out.

use super::*;

#[test]
fn keys_that_nobody_knows_are_pointed_at() {
    is_wrong(
        &with("devices = 10", "devices = 10\ndevcies = 1"),
        "devcies",
        "unknown key `devcies`",
        "did you mean `devices`?",
    );
    is_wrong(&format!("zzz = 1\n{BASE}"), "zzz", "unknown key `zzz`", "its keys are `name`");
    let late = format!("{BASE}\npolicy = \"literal\"\n");
    is_wrong(&late, "policy", "unknown key `policy`", "it stands before the first table");
    is_wrong(
        &with("at_once = 5", "at_once = 5\n[timeouts]\nconfirm = '1s'"),
        "confirm",
        "unknown key `confirm`",
        "`confirmed`",
    );
}

#[test]
fn keys_that_are_missing_are_named() {
    is_wrong(&with("name = \"demo\"\n", ""), "[population]", "the key `name` is missing", "add `name = ...`");
    is_wrong(&with("[load]\nat_once = 5\n", ""), "name", "the key `load` is missing", "add a table `[load]`");
    is_wrong(&with("id = \"dms2.example.test\"\n", ""), "[[server]]", "the key `id` is missing", "add `id = ...`");
    is_wrong(
        &with("at_once = 5", ""),
        "[load]",
        "the load has neither `phases` nor `at_once`",
        "hold 100/s until done",
    );
}

#[test]
fn values_of_the_wrong_shape_say_what_was_expected_and_found() {
    is_wrong(
        &with("devices = 10", "devices = \"10\""),
        "\"10\"",
        "`devices` is a whole number, found the string `10`",
        "",
    );
    is_wrong(&with("devices = 10", "devices = 0"), "0", "expected a whole number from 1 to 10000000, found `0`", "");
    is_wrong(
        &with("devices = 10", "devices = 99999999999999999999"),
        "9999",
        "expected a whole number from 1 to 10000000, found `99999999999999999999`",
        "",
    );
    is_wrong(&with("name = \"demo\"", "name = 5"), "5", "`name` is a string, found the whole number `5`", "");
    is_wrong(
        &with("name = \"demo\"", "name = \"demo\"\nbody_limit = \"1 box\""),
        "\"1 box\"",
        "expected a size such as `1MiB`, `64KiB` or a number of bytes, found `1 box`",
        "",
    );
    is_wrong(&with("name = \"demo\"", "name = \"demo\"\nbody_limit = 5"), "5", "expected a size from 1KiB to 1GiB", "");
    is_wrong(
        &with("name = \"demo\"", "name = \"demo\"\nconnections = \"poold\""),
        "\"poold\"",
        "`connections` is one of `pooled`, `per device` and `per session`, found `poold`",
        "did you mean `pooled`?",
    );
    is_wrong(
        &with("at_once = 5", "at_once = 5\n[timeouts]\nrequest = \"5\""),
        "\"5\"",
        "expected a duration such as `250ms`, `1.5s` or `1h30m`, found `5`",
        "",
    );
    is_wrong(
        &with("at_once = 5", "at_once = 5\n[timeouts]\nrequest = \"0s\""),
        "\"0s\"",
        "`request` has to be longer than nothing",
        "",
    );
    is_wrong(&steps("\"delegate\""), "\"delegate\"", "`steps` is a list of strings, found the string `delegate`", "");
    is_wrong(
        &steps("[\"delegate home -> partner by dmacc\", 5]"),
        "5",
        "`steps` is a list of strings, found the whole number `5`",
        "",
    );
    is_wrong(
        &with("[population]\ndevices = 10", "[[population]]\ndevices = 10"),
        "[[population]]",
        "`population` is a table `[population]`, found a list",
        "",
    );
}

#[test]
fn names_and_addresses_are_ones_that_work() {
    let file = "use letters, digits, `.`, `_` and `-`";
    is_wrong(&with("name = \"demo\"", "name = \"my demo\""), " demo", "`my demo` cannot be part of a file name", file);
    is_wrong(&with("name = \"demo\"", "name = \"../demo\""), "/demo", "`../demo` cannot be part of a file name", file);
    is_wrong(&with("name = \"demo\"", "name = \".demo\""), "\".demo\"", "`.demo` cannot be part of a file name", file);
    is_wrong(
        &with("id = \"dms1.example.test\"", "id = \"dms1&2\"\nhost = \"a.test\""),
        "&2",
        "a server identifier cannot hold `&`: access control lists could not name it",
        "dms1",
    );
    is_wrong(
        &with("id = \"dms1.example.test\"", "id = \"urn:dms:1\""),
        "\"urn:dms:1\"",
        "the id `urn:dms:1` is no DNS name, so the server needs a `host`",
        "host =",
    );
    is_wrong(
        &with("id = \"dms1.example.test\"", "id = \"x\"\nhost = \"127.0.0.1\""),
        "\"127.0.0.1\"",
        "expected a DNS name such as `dms1.example.test`, found `127.0.0.1`",
        "",
    );
    is_wrong(
        &with("id = \"dms1.example.test\"", "id = \"x\"\ndm = \"dm\""),
        "\"dm\"",
        "expected a path such as `/dm_delegation`, found `dm`",
        "begin with `/`",
    );
    is_wrong(
        &with("for = \"partner\"", "for = \"partner\"\npath = \"/dm\""),
        "\"/dm\"",
        "`/dm` is where the DM server takes management sessions",
        "another `path`",
    );
    is_wrong(
        &with("for = \"partner\"", "for = \"partner\"\nport = 8443"),
        "8443",
        "`port` has no meaning at the address of the DM server",
        "at = \"apart\"",
    );
    is_wrong(
        &with("for = \"partner\"", "for = \"parner\""),
        "\"parner\"",
        "there is no server `parner`",
        "did you mean `partner`?",
    );
    is_wrong(
        &with("devices = 10", "devices = 10\nclass = [{name = \"a\", subtrees = [\".\", \"./DMAcc\"]}]\n"),
        "\"./DMAcc\"",
        "`./DMAcc` is taken by a standard object",
        "./SCOMO",
    );
}

#[test]
fn what_may_be_there_once_is_there_once() {
    is_wrong(&with("name = \"boot\"", "name = \"home\""), "\"home\"", "the name `home` is there twice", "");
    is_wrong(
        &with("id = \"dms2.example.test\"", "id = \"dms1.example.test\""),
        "\"dms1",
        "the id `dms1.example.test` is there twice",
        "",
    );
    let ports =
        with("id = \"dms1.example.test\"", "id = \"dms1.example.test\"\nserver_port = 8443\ndevice_port = 8443");
    is_wrong(&ports, "8443", "the port `8443` is there twice", "");
    let classes = with("devices = 10", "devices = 10\nclass = [{name = \"a\"}, {name = \"a\"}]");
    is_wrong(&classes, "\"a\"}]", "the name `a` is there twice", "");
    let journeys =
        format!("{BASE}[[journey]]\nname = \"journey 1\"\nsteps = [\"delegate home -> partner by dmacc\"]\n");
    is_wrong(&journeys, "\"journey 1\"", "the journey name `journey 1` is there twice", "");
}

#[test]
fn loads_are_ones_that_can_be_kept_up() {
    let phases = |phases: &str| with("at_once = 5", &format!("phases = {phases}"));
    is_wrong(
        &phases(
            r#"["hold 100/s until done"]
at_once = 5"#,
        ),
        "5",
        "a load has `phases` or `at_once`, not both",
        "leave out `at_once`",
    );
    is_wrong(&phases("[]"), "[]", "`phases` needs at least one phase", "");
    is_wrong(
        &phases(r#"["hodl 100/s until done"]"#),
        "hodl",
        "expected `hold`, `ramp`, `stairs`, `spike`, `storm`, `pause`, `replay` or `closed`, found `hodl`",
        "did you mean `hold`?",
    );
    is_wrong(
        &phases(r#"["hold 100 until done"]"#),
        "100 until",
        "expected a rate such as `100/s`, `30/min` or `5/h`, found `100`",
        "",
    );
    is_wrong(&phases(r#"["hold 0/s until done"]"#), "0/s", "at this rate it is never done", "above 0");
    is_wrong(
        &phases(r#"["hold 2000000/s until done"]"#),
        "2000000/s",
        "`2000000/s` is more than any machine starts; at most 1000000/s are taken",
        "",
    );
    is_wrong(&phases(r#"["ramp 0/s to 5/s in 0s"]"#), "0s", "a phase has to be longer than nothing", "");
    is_wrong(
        &phases(r#"["hold 5/s for ever"]"#),
        "ever",
        "expected a duration such as `250ms`, `1.5s` or `1h30m`, found `ever`",
        "",
    );
    is_wrong(&phases(r#"["ramp 5/s"]"#), "\"ramp", "`ramp 5/s` is no phase", "ramp 0/s to 100/s in 5s");
    is_wrong(
        &phases(r#"["hold 5/s until done", "hold 6/s for 1s"]"#),
        "\"hold 5/s",
        "a phase `until done` has to be the last",
        "for 10s",
    );
    is_wrong(
        &phases("[\"hold 5/s for 1s\"]\nstarts = 9"),
        "9",
        "the phases end after 5 starts, `starts` asks for 9",
        "until done",
    );
    is_wrong(&phases(r#"["hold 0/s for 1s"]"#), "[", "the phases start no journey at all", "raise a rate");
    is_wrong(
        &format!(
            "{}[[journey]]\nsteps = [\"delegate home -> partner by dmacc\"]\n",
            with("devices = 10", "devices = 1")
        ),
        "[[journey]]",
        "there are 2 journeys, and devices for 1 of them",
        "raise `population.devices`",
    );
}

#[test]
fn limits_are_read_and_pointed_into() {
    let limits = |limits: &str| with("name = \"demo\"", &format!("name = \"demo\"\nlimits = {limits}"));
    is_wrong(&limits(r#"["q98(bootstrap) < 250ms"]"#), "q98", "unknown statistic `q98`", "p99");
    is_wrong(
        &limits(r#"["share(failed) < 5"]"#),
        "5",
        "expected a share from `0%` to `100%`, such as `5%` or `0.1%`, found `5`",
        "",
    );
    is_wrong(
        &limits(r#"[{ expr = "share(failed) = 0", abort = "soon" }]"#),
        "\"soon\"",
        "expected a duration such as `250ms`, `1.5s` or `1h30m`, found `soon`",
        "",
    );
    is_wrong(&limits(r#"[{ expr = "share(failde) = 0" }]"#), "failde", "unknown metric `failde`", "failed");
    is_wrong(
        &limits(r#"["share(failed) = 0 over stready"]"#),
        "stready",
        "the load has no phase `stready`",
        "did you mean `steady`?",
    );
    is_wrong(
        &limits(r#"["share(failed of phones) = 0"]"#),
        "phones",
        "the load has no population `phones`",
        "its populations are all",
    );
    let stormy = |limit: &str| {
        limits(&format!("[{limit:?}]"))
            .replace("at_once = 5", r#"phases = ["first: storm of 4", "rest: hold 1/s for 2s"]"#)
    };
    is_wrong(
        &stormy("rate(flows) > 1/s over first"),
        "first",
        "the phase `first` takes no time",
        "give the phase behind it the same name",
    );
    for limit in ["p99(session.dms1) < 1s over first", "count(flows) > 1 over first for 1 of 1 windows of 1s"] {
        assert!(read(&stormy(limit)).is_err(), "{limit}");
    }
    for limit in
        ["p50(flow.delegate.dmacc) < 1s over first", "count(flows) = 4 over first", "rate(flows) > 1/s over rest"]
    {
        read(&stormy(limit)).unwrap_or_else(|problems| panic!("{problems}"));
    }
    is_wrong(&limits("[{ abort = true }]"), "{", "the key `expr` is missing", "add `expr = ...`");
    is_wrong(
        &limits("[5]"),
        "5",
        "`limits` is a limit such as `\"share(failed) = 0\"`, or a table `{ expr = \"...\", abort = true }`, found the whole number `5`",
        "",
    );
    let texts = |text: &str| read(&limits(text)).unwrap().limits.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(r#"["share(failed)  <5%"]"#), ["share(failed) <5%"]);
    assert_eq!(texts(r#"["p99(flow.revoke.asked) < 250ms"]"#), ["p99(flow.revoke.asked) < 250ms", "share(failed) = 0"]);
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let text = r#"nmae = "demo"
[population]
devices = "many"
[[server]]
name = "home"
id = "dms1.example.test"
colour = "red"
[[journey]]
steps = ["delegate home -> nowhere by url", "wiat 2s"]
[load]
phases = ["hold 100 until done"]
"#;
    let problems = read(text).unwrap_err();
    let places: Vec<(usize, usize)> = problems.iter().map(|at| (at.line, at.column)).collect();
    assert_eq!(places, [(1, 1), (1, 1), (3, 11), (7, 1), (9, 28), (9, 46), (11, 17)], "{problems}");
}

#[test]
fn broken_toml_is_shown_where_it_breaks() {
    let problems = read("name = \"demo\"\nseed = = 7\n").unwrap_err();
    assert!(problems.iter().all(|at| at.line == 2), "{problems}");
    assert!(problems.to_string().contains("2 | seed = = 7"), "{problems}");
}

#[test]
fn the_text_of_a_problem_is_what_people_see() {
    let problems = read(&steps(r#"["delegate home -> partnr by dmacc"]"#)).unwrap_err();
    let expected = "\
error: there is no server `partnr`
  --> demo.toml:14:28
   |
14 | steps = [\"delegate home -> partnr by dmacc\"]
   |                            ^^^^^^
   |
help: did you mean `partner`?";
    assert_eq!(problems.render(false), expected);
}

#[test]
fn nothing_may_last_for_ever() {
    let timeouts = with("at_once = 5", "at_once = 5\n[timeouts]\nrequest = \"25h\"");
    is_wrong(&timeouts, "\"25h\"", "`request` is longer than 24h, found `25h`", "");
    let phases = with("at_once = 5", "phases = [\"hold 1/s for 9000h\"]");
    is_wrong(&phases, "9000h", "a phase is at most 8760h long", "");
    let rounds = r#"["delegate home -> partner by dmacc", "revoke asked", "wait 1s"]
repeat = 100000"#;
    read(&steps(rounds)).unwrap();
    let waits = vec!["\"wait 1s\""; 20].join(", ");
    let rounds = format!("[\"delegate home -> partner by dmacc expect refused\", {waits}]\nrepeat = 100000");
    let message = "100000 rounds of 21 steps are more than a journey can have";
    is_wrong(&steps(&rounds), "100000", message, "at most 1000000 steps");
}

#[test]
fn one_problem_is_not_told_as_several() {
    is_wrong(
        &steps(r#"["delegate home to partner by dmacc", "revoke asked"]"#),
        "to partner",
        "expected `->`, found `to`",
        "",
    );
    is_wrong(
        &steps(r#"["delegate home -> nobody by dmacc", "revoke asked"]"#),
        "nobody",
        "there is no server `nobody`",
        "",
    );
    is_wrong(
        &with("devices = 10", "devices = 10\n[[population.class]]\nname = \"a\"\nshare = -3"),
        "-3",
        "expected a whole number from 0 to 1000000, found `-3`",
        "",
    );
    is_wrong(&with("name = \"demo\"", "name = \"\""), "\"\"", "a name cannot be empty", "use letters");
}

#[test]
fn problems_do_not_hide_behind_each_other() {
    let text = with("at_once = 5", "at_once = 5\nphases = [\"hold 1/s too done\"]");
    let problems = read(&text).expect_err("two problems");
    let told: Vec<_> = problems.iter().map(|problem| problem.message).collect();
    assert_eq!(told, ["a load has `phases` or `at_once`, not both", "`hold 1/s too done` is no phase"]);
}

#[test]
fn only_a_part_that_is_there_can_be_delegated() {
    read(&steps(r#"["delegate home -> partner by dmacc subtree ./SCOMO/Settings/Enabled"]"#)).unwrap();
    let nowhere = steps(r#"["delegate home -> partner by dmacc subtree ./SCOMO/Packages"]"#);
    let message = "devices of class `device` have no sub-tree `./SCOMO/Packages` to delegate";
    is_wrong(&nowhere, "./SCOMO/Packages", message, "in `./SCOMO` they have `Status`, `Settings`,");
}

#[test]
fn what_is_no_scenario_file_is_not_read_to_its_end() {
    let why = |path: &str| {
        let problems = file::read(std::path::Path::new(path), &Overrides::default()).expect_err("no scenario");
        problems.to_string()
    };
    let endless = why("/dev/zero");
    assert!(endless.starts_with("error: cannot read `/dev/zero`: it is larger than 16MiB"), "{endless}");
    let binary = why("/proc/self/exe");
    assert!(binary.starts_with("error: cannot read `/proc/self/exe`: it is not text in UTF-8"), "{binary}");
}

proptest::proptest! {
    /// A file is a stranger's: whatever is in it, it gives a scenario or problems that can be shown.
    #[test]
    fn no_file_breaks_the_reader(cut in 0usize..60_000, length in 0usize..40, put in "[ -~\né]{0,12}", set in "[ -~]{0,20}") {
        let whole = [QUICKSTART.to_owned(), round_trip::every_key(), round_trip::in_populations()][cut % 3].clone();
        let mut text: Vec<char> = whole.chars().collect();
        let start = cut / 3 % text.len();
        let end = (start + length).min(text.len());
        text.splice(start..end, put.chars());
        let text: String = text.into_iter().collect();
        let overrides = Overrides { sets: vec![set], ..Overrides::default() };
        if let Err(problems) = parse("any.toml", &text, &overrides) {
            proptest::prop_assert!(problems.count() > 0);
            proptest::prop_assert!(problems.render(false).matches("error: ").count() >= problems.count());
            proptest::prop_assert_eq!(problems.iter().count(), problems.count());
        }
    }
}
