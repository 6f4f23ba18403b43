//! Tables of faults with a problem: what it says, where it points, and the way out.

use super::*;

/// A fault with these lines behind its name.
fn fault(lines: &str) -> String {
    format!("{BASE}[[fault]]\nname = \"x\"\n{lines}\n")
}

fn matching(about: &str) -> String {
    fault(&format!("where = \"http.request\"\nmatch = {{ {about} }}\ndo = \"drop\""))
}

fn when(when: &str) -> String {
    fault(&format!("where = \"http.request\"\nwhen = {{ {when} }}\ndo = \"drop\""))
}

pub fn doing(site: &str, action: &str) -> String {
    fault(&format!("where = \"{site}\"\ndo = {action}"))
}

#[test]
fn a_fault_has_a_name_a_place_and_something_to_do() {
    is_wrong(&fault("where = \"tcp.connect\""), "[[fault]]", "the key `do` is missing", "What it does.");
    is_wrong(&fault("do = \"drop\""), "[[fault]]", "the key `where` is missing", "Where it acts.");
    let unnamed = format!("{BASE}[[fault]]\nwhere = \"trigger\"\ndo = \"drop\"\n");
    is_wrong(&unnamed, "[[fault]]", "the key `name` is missing", "Its name in the summary");
    let spaced = format!("{BASE}[[fault]]\nname = \"a b\"\nwhere = \"trigger\"\ndo = \"drop\"\n");
    is_wrong(&spaced, " b\"", "`a b` cannot be part of a file name", "use letters");
    let twice =
        format!("{}[[fault]]\nname = \"x\"\nwhere = \"trigger\"\ndo = \"twice\"\n", doing("trigger", "\"drop\""));
    is_wrong(&twice, "\"x\"", "the fault `x` is there twice", "");
    let sites = "`tcp.connect`, `tcp`, `tls`, `http.request`, `http.response.before_handler`, \
                 `http.response.after_handler`, `protocol`, `store`, `process`, `trigger`, `device` and `bootstrap`";
    is_wrong(
        &doing("http.requst", "\"drop\""),
        "\"http.requst\"",
        &format!("`where` is one of {sites}, found `http.requst`"),
        "did you mean `http.request`?",
    );
    is_wrong(&format!("{BASE}[fault]\nname = \"x\"\n"), "[fault]", "`fault` is tables `[[fault]]`, found a table", "");
    let unknown = fault("where = \"trigger\"\ndo = \"drop\"\nmach = {}");
    is_wrong(&unknown, "mach", "unknown key `mach`", "did you mean `match`?");
}

#[test]
fn the_text_of_a_problem_in_a_fault_is_what_people_see() {
    let problems = read(&matching("message = \"delegation_prepard\", to = \"parter\"")).unwrap_err();
    let text = problems.render(false);
    let expected = "\
error: there is no server or bootstrap server `parter`
  --> demo.toml:20:48
   |
20 | match = { message = \"delegation_prepard\", to = \"parter\" }
   |                                                ^^^^^^^^
   |
help: did you mean `partner`?";
    assert!(text.ends_with(expected), "{text}");
    assert!(text.starts_with("error: `message` is one of `delegation_req`, "), "{text}");
    assert_eq!(problems.count(), 2);
}

#[test]
fn what_a_fault_is_about_is_somebody() {
    let wrong = |about: &str, at: &str, message: &str, hint: &str| is_wrong(&matching(about), at, message, hint);
    wrong("from = \"hme\"", "\"hme\"", "there is no server `hme`", "did you mean `home`?");
    wrong("from = \"boot\"", "\"boot\"", "`boot` is a bootstrap server, and asks nobody", "a DM server is meant");
    wrong("from = [\"home\", \"zzzzz\"]", "\"zzzzz\"", "there is no server `zzzzz`", "the servers are `home` and");
    wrong("from = []", "[]", "`from` names nobody, so the fault never fires", "leave it out");
    wrong("to = 5", "5", "`to` is a name, or a list of names, found the whole number `5`", "");
    wrong(
        "to = \"zzzzz\"",
        "\"zzzzz\"",
        "there is no server or bootstrap server `zzzzz`",
        "those who answer are `home`, `partner`, `boot` and `device`",
    );
    wrong("class = \"phone\"", "\"phone\"", "there is no class `phone`", "the classes are `device`");
    wrong("devices = 10", "10", "there is no device 10", "from 0 to 9");
    wrong("devices = [3, 17]", "17", "there is no device 17", "from 0 to 9");
    wrong("devices = -1", "-1", "expected a whole number from 0 to 9999999, found `-1`", "");
    wrong("devices = []", "[]", "`devices` names nobody, so the fault never fires", "leave it out");
    wrong(
        "devices = \"5\"",
        "\"5\"",
        "expected a share from `0%` to `100%`, such as `5%` or `0.1%`, found `5`",
        "without quotes",
    );
    wrong(
        "devices = true",
        "true",
        "`devices` is a share such as `\"5%\"`, the number of a device, or a list of numbers, found `true`",
        "",
    );
    wrong(
        "state = \"Expect Confirmed\"",
        "\"Exp",
        "expected a state such as `ExpectConfirmed`, found `Expect Confirmed`",
        "",
    );
    let directions = "`server-to-server`, `device-to-server`, `server-to-device` and `device-to-bootstrap`";
    wrong(
        "direction = \"server-to-servr\"",
        "\"server-to-servr\"",
        &format!("`direction` is one of {directions}, found `server-to-servr`"),
        "did you mean `server-to-server`?",
    );
}

#[test]
fn ranges_are_ones_that_can_be_counted() {
    let range = "expected a range such as `2..4`, `2..` or `..2`, found";
    let wrong = |attempt: &str, message: &str, hint: &str| {
        is_wrong(&matching(&format!("attempt = {attempt}")), attempt, message, hint);
    };
    wrong("\"2\"", &format!("{range} `2`"), "one alone is a number");
    wrong("\"..\"", &format!("{range} `..`"), "counted from 1");
    wrong("\"0..\"", &format!("{range} `0..`"), "counted from 1");
    wrong("\"a..b\"", &format!("{range} `a..b`"), "counted from 1");
    wrong("\"4..2\"", "the range ends with 2 before it begins with 4", "");
    wrong("0", "expected a whole number from 1 to 1000000000, found `0`", "");
    wrong("[1]", "`attempt` is a number, or a range such as `\"2..4\"`, `\"2..\"` or `\"..2\"`, found a list", "");
}

#[test]
fn something_of_that_kind_passes_there() {
    let at = |site: &str, about: &str, action: &str| {
        fault(&format!("where = \"{site}\"\nmatch = {{ {about} }}\ndo = {action}"))
    };
    is_wrong(
        &at("trigger", "direction = \"server-to-server\"", "\"drop\""),
        "\"server-to-server\"",
        "nothing that passes `trigger` fits this `direction`",
        "what could pass is `server-to-device`",
    );
    is_wrong(
        &at("bootstrap", "from = \"home\"", "\"drop\""),
        "\"home\"",
        "nothing that passes `bootstrap` fits this `from`",
        "what could pass is `device-to-bootstrap`",
    );
    is_wrong(
        &at("http.request", "from = \"home\", to = [\"boot\", \"device\"]", "\"drop\""),
        "[\"boot\"",
        "nothing that passes `http.request` fits this `to`",
        "what could pass is `server-to-server`",
    );
    is_wrong(
        &at("tls", "to = \"boot\", message = \"delegation_req\"", "\"refuse-resumption\""),
        "\"delegation_req\"",
        "nothing that passes `tls` fits this `message`",
        "what could pass is `device-to-bootstrap`",
    );
    is_wrong(
        &at("device", "role = \"delegated\"", "\"reboot\""),
        "\"delegated\"",
        "nothing that passes `device` fits this `role`",
        "what could pass is `device-to-server`",
    );
    is_wrong(
        &at("device", "state = \"AtRest\"", "\"reboot\""),
        "\"AtRest\"",
        "nothing that passes `device` fits this `state`",
        "what could pass is `device-to-server`",
    );
    is_wrong(
        &at("http.request", "step = \"step 1\"", "\"drop\""),
        "\"step 1\"",
        "`step` has no meaning at `http.request`",
        "`after` in `when`",
    );
    for fine in [
        at("http.request", "to = [\"boot\", \"partner\"]", "\"drop\""),
        at("trigger", "from = \"home\", to = \"device\", role = \"delegating\"", "\"drop\""),
        at("protocol", "from = \"home\", to = \"partner\", message = \"delegation_req\"", "{ reason = 406 }"),
        at("bootstrap", "to = \"boot\"", "\"stale\""),
        at("device", "to = \"partner\"", "\"reboot\""),
    ] {
        read(&fine).unwrap();
    }
}

#[test]
fn a_server_by_itself_is_named_with_the_step_at_which_it_happens() {
    let process = |about: &str| fault(&format!("where = \"process\"\nmatch = {{ {about} }}\ndo = {{ kill = \"1s\" }}"));
    is_wrong(
        &process("from = \"home\""),
        "{ from",
        "at `process` a fault needs `step` in its `match`",
        "step = \"sent",
    );
    is_wrong(&process("step = \"step 1\""), "{ step", "at `process` a fault needs `from` in its `match`", "from = ");
    let problems = read(&doing("process", "{ pause = \"1s\" }")).unwrap_err();
    assert_eq!(problems.count(), 2, "{problems}");
    is_wrong(
        &process("from = \"boot\", step = \"step 1\""),
        "\"boot\"",
        "`boot` is a bootstrap server, and asks nobody",
        "a DM server is meant",
    );
    is_wrong(
        &process("from = \"home\", step = \"step 1\", to = \"boot\""),
        "\"boot\"",
        "`to` has no meaning at `process`",
        "what is known of a step is `from`, `devices` and `step`",
    );
    is_wrong(
        &process("from = \"home\", step = \"restarted parter\""),
        "parter",
        "expected the name of a server, found `parter`",
        "did you mean `partner`?",
    );
    let store = |about: &str| fault(&format!("where = \"store\"\nmatch = {{ {about} }}\ndo = \"fail\""));
    let write = "what is known of a write is `from`, `devices` and `class`";
    is_wrong(&store("attempt = 2"), "2", "`attempt` has no meaning at `store`", write);
    let step = "what is known of a step is `from`, `devices` and `step`";
    is_wrong(&store("class = \"device\", step = \"step 1\""), "\"device\"", "`class` has no meaning at `store`", step);
    let unreadable = store("step = \"stp 1\"");
    is_wrong(&unreadable, "stp", "expected a fact, found `stp`", "did you mean `step`?");
    read(&store("class = \"device\"")).unwrap();
    read(&doing("store", "\"fail\"")).unwrap();
}

#[test]
fn occasions_are_ones_that_come() {
    let wrong = |occasion: &str, at: &str, message: &str, hint: &str| is_wrong(&when(occasion), at, message, hint);
    wrong("probability = 1.5", "1.5", "expected a number from 0 to 1", "");
    wrong("probability = -1", "-1", "expected a number from 0 to 1", "");
    wrong("probability = nan", "nan", "expected a number from 0 to 1", "");
    wrong("probability = \"5%\"", "\"5%\"", "`probability` is a number, found the string `5%`", "");
    wrong("nth = 2, every = 3", "3", "`nth` is one occasion alone, and `every` has no meaning beside it", "leave one");
    wrong("first = 3, nth = 2", "3", "`nth` is one occasion alone, and `first` has no meaning beside it", "leave one");
    wrong("nth = 0", "0", "expected a whole number from 1 to 1000000000, found `0`", "");
    let never = "the time ends before it begins, so the fault never fires";
    wrong("from = \"3s\", until = \"2s\"", "\"2s\"", never, "from the start of the run");
    wrong("until = \"0s\"", "\"0s\"", "`until` has to be longer than nothing", "");
    wrong("after = \"step one\"", "one", "expected a number from 1, found `one`", "");
    wrong(
        "after = \"step 1\", before = \"step 1\"",
        "\"step 1\" }",
        "this is what `after` waits for, so the fault never fires",
        "up to what `before` says",
    );
    wrong("while = \"y\"", "\"y\"", "there is no fault `y`", "did you mean `x`?");
    wrong("while = \"x\"", "\"x\"", "this fault waits for itself, and never fires", "by other means");
    wrong(
        "after = \"fault x\"",
        "\"fault x\"",
        "this fault waits for itself, and never fires",
        "such as another fault",
    );
    wrong("budjet = 5", "budjet", "unknown key `budjet`", "did you mean `budget`?");
}

#[test]
fn a_fault_may_wait_for_one_that_comes_later_but_not_in_a_circle() {
    let chain = |last: &str| {
        let mut text = BASE.to_owned();
        for (name, waits) in [("a", "while = \"b\""), ("b", "while = \"c\""), ("c", last)] {
            let fault =
                format!("[[fault]]\nname = \"{name}\"\nwhere = \"trigger\"\nwhen = {{ {waits} }}\ndo = \"drop\"\n");
            text.push_str(&fault);
        }
        text
    };
    assert_eq!(
        read(&chain("")).unwrap().faults.iter().map(|rule| rule.when.fired).collect::<Vec<_>>(),
        [Some(1), Some(2), None]
    );
    let problems = read(&chain("while = \"a\"")).unwrap_err();
    let lines: Vec<_> = problems.iter().map(|at| (at.line, at.message)).collect();
    let waits = "this fault waits for itself, and never fires";
    assert_eq!(lines, [(20, waits), (25, waits), (30, waits)]);
}

#[test]
fn all_problems_of_the_faults_come_at_once() {
    let text = format!(
        "{BASE}[[fault]]\nname = \"a b\"\nwhere = \"nowhere\"\nmatch = {{ to = \"zzz\" }}\nwhen = {{ nth = 0, while = \"q\" }}\ndo = \"jump\"\n\
         [[fault]]\nname = \"y\"\nwhere = \"process\"\ndo = \"drop\"\n"
    );
    let problems = read(&text).unwrap_err();
    let lines: Vec<usize> = problems.iter().map(|at| at.line).collect();
    assert_eq!(lines, [18, 19, 20, 21, 21, 22, 25, 25, 26], "{problems}");
}
