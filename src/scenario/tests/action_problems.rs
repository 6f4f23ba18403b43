//! Tables of actions that cannot be done: what it says, where it points, and the way out.

use super::fault_problems::doing;
use super::*;

#[test]
fn an_action_stands_where_it_can_be_done() {
    is_wrong(
        &doing("http.request", "{ kill = \"1s\" }"),
        "{ kill",
        "`kill` cannot be done at `http.request`",
        "it can at `process`",
    );
    is_wrong(
        &doing("tcp", "\"drop\""),
        "\"drop\"",
        "`drop` cannot be done at `tcp`",
        "it can at `http.request`, `http.response.before_handler`, `http.response.after_handler`, `trigger` and",
    );
    is_wrong(
        &doing("http.request", "\"refuse\""),
        "\"refuse\"",
        "`refuse` cannot be done at `http.request`",
        "`tcp.connect`",
    );
    is_wrong(
        &doing("tcp.connect", "{ refuse = 405 }"),
        "{ refuse",
        "`refuse` cannot be done at `tcp.connect`",
        "`device`",
    );
}

#[test]
fn an_action_is_one_thing_with_what_belongs_to_it() {
    let wrong = |action: &str, at: &str, message: &str, hint: &str| {
        is_wrong(&doing("http.request", action), at, message, hint);
    };
    let words = "`refuse`, `black-hole`, `refuse-resumption`, `drop`, `empty-body`, `close`, `invert-role`, \
                 `wrong-phase`, `fail`, `twice`, `lose-status`, `reboot`, `factory-reset` and `stale`";
    wrong("\"dorp\"", "\"dorp\"", &format!("`do` is one of {words}, found `dorp`"), "did you mean `drop`?");
    let needs_more = "`delay` says more: `do = { delay = ... }`";
    wrong("\"delay\"", "\"delay\"", &format!("`do` is one of {words}, found `delay`"), needs_more);
    let either = "`do` is a word such as `\"drop\"`, or a table such as `{ delay = \"1s\" }`, found";
    wrong("503", "503", &format!("{either} the whole number `503`"), "");
    wrong("{}", "{}", "`do` says nothing that could be done", "for example `do = \"drop\"`");
    wrong("{ gap = \"1s\" }", "{ gap", "`do` says nothing that could be done", "for example");
    wrong("{ stal = \"1s\" }", "stal", "unknown key `stal`", "did you mean `stall`?");
    wrong(
        "{ delay = \"1s\", status = 503 }",
        "status",
        "a fault does one thing: `delay` or `status`",
        "write a `[[fault]]` for each",
    );
    wrong(
        "{ delay = \"1s\", gap = \"1s\" }",
        "gap",
        "`gap` has no meaning with `delay`",
        "it belongs to `slice` and `duplicate`",
    );
    wrong("{ drop = \"rst\" }", "\"rst\"", "`drop` is one of `reset`, found `rst`", "");
    wrong("{ drop = true }", "true", "`drop` is one of `reset`, found `true`", "");
    wrong(
        "{ hold = \"timer confirmed at home\" }",
        "{ hold",
        "`hold` needs `at_most`: what it waits for may never be seen",
        "at_most = \"5s\"",
    );
    wrong("{ hold = \"timer confirmed\", at_most = \"5s\" }", "\", at_most", "expected `at`, found the end", "");
    wrong("{ swap = \"0s\" }", "\"0s\"", "`swap` has to be longer than nothing", "");
    wrong("{ swap = \"25h\" }", "\"25h\"", "`swap` is longer than 24h, found `25h`", "");
    wrong("{ content_type = \"é\" }", "\"é\"", "a content type is written in plain letters, found `é`", "text/plain");
    wrong("{ oversize = 0 }", "0", "expected a size from 1 to 64MiB", "");
    let site = |site: &str, action: &str, at: &str, message: &str, hint: &str| {
        is_wrong(&doing(site, action), at, message, hint);
    };
    let before = "http.response.before_handler";
    site(before, "{ status = 99 }", "99", "expected a whole number from 200 to 599, found `99`", "");
    site(
        before,
        "{ status = 503, retry_after = \"1.5s\" }",
        "\"1.5s\"",
        "HTTP counts `Retry-After` in whole seconds",
        "retry_after = \"1s\"",
    );
    site("protocol", "{ reason = 200 }", "200", "expected a whole number from 400 to 599, found `200`", "");
    site("protocol", "{ full = \"yes\" }", "\"yes\"", "`full` is `true` or `false`, found the string `yes`", "");
    site("tcp", "{ slice = 0 }", "0", "expected a whole number from 1 to 1048576, found `0`", "");
    site(
        "protocol",
        "{ session = \"stael\" }",
        "\"stael\"",
        "`session` is one of `stale`, `foreign` and `unknown`, found `stael`",
        "did you mean `stale`?",
    );
}

#[test]
fn delays_come_from_one_distribution() {
    let wrong = |delay: &str, at: &str, message: &str, hint: &str| {
        is_wrong(&doing("http.request", &format!("{{ delay = {delay} }}")), at, message, hint);
    };
    let radios = "the radio networks are `nb-iot`";
    wrong("\"soon\"", "\"soon\"", "expected a duration or a radio network, found `soon`", radios);
    wrong("\"nbiot\"", "\"nbiot\"", "expected a duration or a radio network, found `nbiot`", "did you mean `nb-iot`?");
    wrong("\"25h\"", "\"25h\"", "`delay` is longer than 24h, found `25h`", "");
    let either = "`delay` is a duration, a radio network, or a table such as `{ uniform = [\"10ms\", \"50ms\"] }`";
    wrong("5", "5", &format!("{either}, found the whole number `5`"), "");
    wrong("{}", "{}", "the delay has no distribution", "uniform = ");
    wrong("{ most = \"1s\" }", "{ most", "the delay has no distribution", "uniform = ");
    wrong(
        "{ table = [\"1s\"], exponential = { mean = \"1s\" } }",
        "exponential",
        "a delay has one distribution: `table` or `exponential`",
        "leave one of them out",
    );
    wrong("{ uniform = [\"1s\"] }", "[\"1s\"]", "`uniform` is the least and the most, found 1 durations", "50ms");
    wrong("{ uniform = [\"2s\", \"1s\"] }", "[\"2s\"", "the least, 2s, is more than the most, 1s", "");
    wrong(
        "{ uniform = [\"1s\", 2] }",
        "2",
        "`uniform` is a duration such as `\"250ms\"`, found the whole number `2`",
        "",
    );
    wrong("{ table = [] }", "[]", "`table` needs at least one duration", "");
    wrong("{ normal = { mean = \"1s\" } }", "{ mean", "the key `deviation` is missing", "add `deviation = ...`");
    wrong("{ lognormal = { median = \"1s\", sigma = 11 } }", "11", "expected a number from 0 to 10", "");
    wrong("{ exponential = { mean = \"0s\" } }", "\"0s\"", "`mean` has to be longer than nothing", "");
    wrong("{ pareto = { least = \"1s\", shape = 0 } }", "0 }", "expected a number from 0.01 to 100", "");
    wrong("{ most = \"1s\", table = [\"2s\"] }", "\"1s\"", "every delay would be longer than this", "delay = \"1s\"");
    wrong("{ gauss = {} }", "gauss", "unknown key `gauss`", "its keys are `uniform`");
}
