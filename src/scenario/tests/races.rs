//! Policy, goals, expectations and wishes that come meanwhile: what is read, and what makes no sense.

use super::round_trip::reads_back;
use super::*;
use crate::delegation::flow::{Approach, Revocation};
use crate::dm::uri::Uri;
use crate::facts::pattern::{Pattern, Receipt, Sought};
use crate::workload::journey::{Expected, Meanwhile, Step};

fn top(lines: &str) -> String {
    format!("{lines}\n{BASE}")
}

#[test]
fn the_policy_is_the_files_unless_the_command_line_says_otherwise() {
    assert_eq!(read(BASE).unwrap().policy, Policy::Hardened);
    let literal = top("policy = \"literal\"");
    assert_eq!(read(&literal).unwrap().policy, Policy::Literal);
    let asked = |policy| {
        let overrides = Overrides { policy: Some(policy), ..Overrides::default() };
        parse("demo.toml", &literal, &overrides).unwrap()
    };
    assert_eq!(asked(Policy::Hardened).policy, Policy::Hardened);
    assert_eq!(asked(Policy::Hardened).retries, Retries::of(Policy::Hardened));
    assert_eq!(asked(Policy::Literal).retries, Retries::of(Policy::Literal));
    is_wrong(
        &top("policy = \"hardend\""),
        "\"hardend\"",
        "`policy` is one of `hardened` and `literal`, found `hardend`",
        "did you mean `hardened`?",
    );
}

#[test]
fn healing_and_watching_have_defaults_and_bounds() {
    let scenario = read(BASE).unwrap();
    assert_eq!((scenario.heal, scenario.watch), (Duration::from_secs(2), 10_000));
    let scenario = read(&top("heal = \"0s\"\nwatch = 0")).unwrap();
    assert_eq!((scenario.heal, scenario.watch), (Duration::ZERO, 0));
    is_wrong(&top("heal = 2"), "2", "`heal` is a duration such as `\"250ms\"`, found the whole number `2`", "");
    is_wrong(&top("watch = -1"), "-1", "expected a whole number from 0 to 4294967295, found `-1`", "");
}

fn taken(at: u16) -> Pattern {
    let message = crate::delegation::message::Kind::of_root("delegation_confirmed");
    Pattern { what: Sought::Received { how: Some(Receipt::Taken), message, at: Some(ServerNumber(at)) }, nth: 1 }
}

#[test]
fn a_goal_is_facts_in_a_row() {
    let goals = |goals: &str| {
        let text = top(&format!("goals = {goals}"));
        reads_back(&text);
        read(&text).unwrap().goals
    };
    let row = "taken delegation_confirmed at home then step 2";
    let step = Pattern { what: Sought::Step(2), nth: 1 };
    let expected = vec![Goal { name: "both".to_owned(), sees: vec![taken(0), step.clone()] }];
    assert_eq!(goals(&format!("[{{ name = \"both\", sees = \"{row}\" }}]")), expected);
    let apart = "[\"taken delegation_confirmed at home\", \"step 2\"]";
    assert_eq!(goals(&format!("[{{ name = \"both\", sees = {apart} }}]")), expected);
    let joined = format!("[{{ name = \"more\", sees = [\"{row}\", \"step 2\"] }}]");
    assert_eq!(goals(&joined)[0].sees, [taken(0), step.clone(), step]);
}

#[test]
fn goals_are_pointed_into() {
    let goals = |goals: &str| top(&format!("goals = {goals}"));
    is_wrong(
        &goals("[{ name = \"a\", sees = \"step 1 then timer confirmd at home\" }]"),
        "confirmd",
        "expected a timer, found `confirmd`",
        "did you mean `confirmed`?",
    );
    is_wrong(
        &goals("[{ name = \"a\", sees = [\"step 1\", \"killed parter\"] }]"),
        "parter",
        "expected the name of a server, found `parter`",
        "did you mean `partner`?",
    );
    is_wrong(
        &goals("[{ name = \"a\", sees = \"account of zzz goes\" }]"),
        "zzz",
        "expected the name of a server, found `zzz`",
        "what can stand here is `home`, `partner` or `any`",
    );
    is_wrong(&goals("[{ name = \"a\", sees = [] }]"), "[]", "the goal sees nothing", "timer confirmed at home");
    is_wrong(
        &goals("[{ name = \"a\", sees = 3 }]"),
        "3",
        "`sees` is a string, or a list of strings, found the whole number `3`",
        "",
    );
    is_wrong(&goals("[{ name = \"a\" }]"), "{", "the key `sees` is missing", "add `sees = ...`");
    is_wrong(&goals("[{ name = \" \", sees = \"step 1\" }]"), "\" \"", "a name cannot be empty", "");
    is_wrong(
        &goals("[{ name = \"a\", sees = \"step 1\" }, { name = \"a\", sees = \"step 2\" }]"),
        "\"a\", sees = \"step 2\"",
        "the goal `a` is there twice",
        "",
    );
    is_wrong(
        &goals("[{ name = \"a\", sees = \"step 1\" }]\nwatch = 0"),
        "0",
        "no device is watched, so no goal is ever seen",
        "watch a few devices",
    );
    is_wrong(&goals("\"step 1\""), "\"step 1\"", "`goals` is tables `[[goals]]`, found the string `step 1`", "");
}

const GOAL: &str = "goals = [{ name = \"a\", sees = \"step 1\" }]\n";

fn expecting(lines: &str) -> String {
    format!("{GOAL}{BASE}[expect]\n{lines}\n")
}

#[test]
fn expectations_are_names_of_promises() {
    let scenario = read(&expecting("literal = [\"records_agree\", \"manageable\"]")).unwrap();
    let literal = ["records_agree", "manageable"].map(str::to_owned).to_vec();
    assert_eq!(scenario.expect, Some(Expect { literal, hardened: Vec::new(), not_over_https: None }));
    assert_eq!(read(BASE).unwrap().expect, None);
    reads_back(&expecting(""));
    let not_here = format!("{BASE}[expect]\nnot_over_https = \"no\"\n");
    assert_eq!(read(&not_here).unwrap().expect.unwrap().not_over_https.as_deref(), Some("no"));
    reads_back(&not_here);
}

#[test]
fn expectations_that_say_nothing_are_pointed_at() {
    let names: Vec<&str> = crate::measure::promise::names().collect();
    let message = format!("`hardened` is one of {}, found `record_agrees`", shape::words(&names, "and"));
    is_wrong(
        &expecting("hardened = [\"record_agrees\"]"),
        "\"record_agrees\"",
        &message,
        "did you mean `records_agree`?",
    );
    is_wrong(
        &expecting("literal = [\"manageable\", \"manageable\"]"),
        "\"manageable\"]",
        "the promise `manageable` is there twice",
        "",
    );
    is_wrong(&expecting("literal = \"manageable\""), "\"man", "`literal` is a list, found the string `manageable`", "");
    is_wrong(&expecting("not_over_https = \"\""), "\"\"", "`not_over_https` says why", "");
    is_wrong(
        &format!("{BASE}[expect]\nliteral = [\"manageable\"]\n"),
        "[expect]",
        "something is expected, and there is no goal",
        "what shows that the race was run",
    );
}

fn meanwhile(wishes: &str) -> String {
    steps(&format!("[\"delegate home -> partner by dmacc\"]\nmeanwhile = {wishes}"))
}

#[test]
fn a_wish_waits_for_a_fact_and_not_for_a_step() {
    let wishes = r#"[
        "once taken delegation_confirmed at partner: revoke forced without notice",
        "  once  taken delegation_confirmed at home :  revoke asked partner -> home ",
        "once taken delegation_confirmed at home:delegate partner -> home by dmacc subtree ./SCOMO started by home",
    ]"#;
    let journey = read(&meanwhile(wishes)).unwrap().journeys[0].journey.clone();
    let revoke = |from: u16, to: u16, how| Step::Revoke {
        from: ServerNumber(from),
        to: ServerNumber(to),
        how,
        expect: Expected("done"),
    };
    let delegate = Step::Delegate {
        from: ServerNumber(1),
        to: ServerNumber(0),
        approach: Approach::DmAcc,
        subtree: Uri::parse("./SCOMO").unwrap(),
        is_full: false,
        by_delegated: true,
        expect: Expected("done"),
    };
    let expected = [
        Meanwhile { once: taken(1), wish: revoke(0, 1, Revocation::Forced { notice: false }) },
        Meanwhile { once: taken(0), wish: revoke(1, 0, Revocation::Asked) },
        Meanwhile { once: taken(0), wish: delegate },
    ];
    assert_eq!(journey.meanwhile, expected);
    reads_back(&meanwhile(wishes));
}

#[test]
fn a_wish_without_names_is_about_the_last_delegation_of_the_journey() {
    let text = steps(
        r#"["delegate home -> partner by dmacc full", "delegate partner -> home by dmacc"]
meanwhile = ["once step 1: revoke asked"]"#,
    );
    let journey = read(&text).unwrap().journeys[0].journey.clone();
    assert!(matches!(journey.meanwhile[0].wish, Step::Revoke { from: ServerNumber(1), to: ServerNumber(0), .. }));
    reads_back(&text);
}

#[test]
fn wishes_are_pointed_into() {
    let wrong = |wish: &str, at: &str, message: &str, hint: &str| {
        is_wrong(&meanwhile(&format!("[\"{wish}\"]")), at, message, hint);
    };
    let example = "`once sent delegation_prepared by home: revoke forced without notice`";
    wrong("revoke asked", "\"revoke", "expected `once PATTERN: STEP`, found `revoke asked`", example);
    wrong("oncestep 1: wait", "\"once", "expected `once PATTERN: STEP`, found `oncestep 1: wait`", example);
    wrong("once step 1", "\"once", "expected `:` and a step after the pattern, found `once step 1`", example);
    wrong(
        "once sent delegation_prepard by home: revoke asked",
        "delegation_prepard",
        "expected a message by its root element, found `delegation_prepard`",
        "did you mean `delegation_prepared`?",
    );
    wrong(
        "once step 1: revok asked",
        "revok asked",
        "expected a step: `delegate`, `revoke` or `wait`, found `revok`",
        "did you mean `revoke`?",
    );
    wrong("once step 1: wait 2s", "wait 2s", "a wish is no wait", "`once` is what waits");
    wrong(
        "once step 1: revoke asked expect refused",
        "revoke asked",
        "nothing can be expected of a wish that comes meanwhile",
        "`goals`",
    );
    wrong(
        "once step 1: delegate partner -> home by url",
        "delegate partner",
        "`home` has no bootstrap server, which `by url` needs",
        "for = \"home\"",
    );
    wrong(
        "once step 1: revoke asked home -> nobody",
        "nobody",
        "there is no server `nobody`",
        "the servers are `home` and `partner`",
    );
    wrong(
        "once step 1: delegate home -> partner by dmacc subtree ./FUMO",
        "./FUMO",
        "devices of class `device` have no sub-tree `./FUMO` to delegate",
        "they have",
    );
    is_wrong(&meanwhile("\"once\""), "\"once\"", "`meanwhile` is a list of strings, found the string `once`", "");
}

#[test]
fn a_revocation_may_say_whose_delegation_it_ends() {
    let three = |last: &str| {
        let third = "[[server]]\nname = \"third\"\nid = \"dms3.example.test\"\n[[journey]]";
        let all = format!(
            r#"["delegate home -> partner by dmacc", "delegate home -> third by dmacc", "revoke forced home -> partner", "{last}"]"#
        );
        with("[[journey]]", third).replace("[\"delegate home -> partner by dmacc\"]", &all)
    };
    let text = three("revoke asked");
    let journey = read(&text).unwrap().journeys[0].journey.clone();
    let parties = |step: &Step| match step {
        Step::Delegate { from, to, .. } | Step::Revoke { from, to, .. } => (from.0, to.0),
        Step::Wait(_) | Step::WaitUntil(_) => (9, 9),
    };
    assert_eq!(journey.steps.iter().map(parties).collect::<Vec<_>>(), [(0, 1), (0, 2), (0, 1), (0, 2)]);
    reads_back(&text);
    is_wrong(
        &three("revoke asked home -> partner"),
        "\"revoke asked",
        "no delegation is in force here: `home` -> `partner` has ended, or never came about",
        "expect refused",
    );
    is_wrong(&three("revoke asked home -> home"), "home\"", "`home` cannot delegate to itself", "");
    is_wrong(&three("revoke asked home -> thrid"), "thrid", "there is no server `thrid`", "did you mean `third`?");
}
