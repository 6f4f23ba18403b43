//! How often a message is tried: what is read, what is printed, and what is no way to try again.

use super::*;
use crate::delegation::message::Kind;
use crate::delegation::retry::Retry;

fn retries(lines: &str) -> String {
    format!("{BASE}[retries]\n{lines}\n")
}

#[track_caller]
fn is_read(text: &str, tries: u32, wait_ms: u64, longest_ms: u64, jitter: u8) {
    let scenario = read(&retries(&format!("delegation_req = \"{text}\""))).unwrap();
    let (wait, longest) = (Duration::from_millis(wait_ms), Duration::from_millis(longest_ms));
    assert_eq!(scenario.retries.get(Kind::DelegationReq), Retry { tries, wait, longest, jitter });
    super::round_trip::reads_back(&retries(&format!("delegation_req = \"{text}\"")));
}

#[test]
fn a_retry_says_how_often_and_when() {
    is_read("none", 1, 0, 0, 0);
    is_read("4 times, 100ms doubling to 2s, jitter 50%", 4, 100, 2_000, 50);
    is_read("4 times 100ms doubling to 2s", 4, 100, 2_000, 0);
    is_read("3 times every 1s", 3, 1_000, 1_000, 0);
    is_read("3 times every 1s, jitter 100%", 3, 1_000, 1_000, 100);
    is_read("2 times, every 0s", 2, 0, 0, 0);
}

#[test]
fn what_is_left_out_is_what_the_policy_does() {
    let read = |text: &str| read(text).unwrap().retries;
    assert_eq!(read(BASE), Retries::of(Policy::Hardened));
    let literal = format!("policy = \"literal\"\n{BASE}");
    assert_eq!(read(&literal), Retries::of(Policy::Literal));
    let mut expected = Retries::of(Policy::Literal);
    let twice = Retry { tries: 2, wait: Duration::from_secs(1), longest: Duration::from_secs(1), jitter: 0 };
    expected.set(Kind::DelegationRevoked, twice);
    assert_eq!(read(&format!("{literal}[retries]\ndelegation_revoked = \"2 times every 1s\"\n")), expected);
    let by_default = read(&retries("default = \"none\"\ndelegation_revoked = \"2 times every 1s\""));
    assert_eq!(by_default, expected);
}

#[test]
fn the_default_is_printed_and_every_message_that_does_otherwise() {
    let scenario = read(&retries("default = \"none\"\ndelegation_revoked = \"2 times every 1s\"")).unwrap();
    let printed = scenario.to_toml();
    assert!(
        printed.contains("[retries]\ndefault = \"none\"\ndelegation_revoked = \"2 times every 1s\"\n"),
        "{printed}"
    );
}

#[test]
fn what_is_no_way_to_try_again_is_pointed_at() {
    let wrong = |text: &str, at: &str, message: &str, hint: &str| {
        is_wrong(&retries(&format!("default = \"{text}\"")), at, message, hint);
    };
    let way = "`none`, `4 times, 100ms doubling to 2s, jitter 50%` or `3 times every 1s`";
    wrong("twice", "\"twice\"", "`twice` does not say how to try again", way);
    wrong("none, jitter 5%", "\"none", "`none, jitter 5%` does not say how to try again", way);
    wrong("3 times", "\"3 times\"", "`3 times` does not say how to try again", way);
    let count = "the first time counts; what is sent once is `none`";
    wrong("1 times every 1s", "1 times", "expected a whole number from 2 to 1000, found `1`", count);
    wrong("+3 times every 1s", "+3", "expected a whole number from 2 to 1000, found `+3`", count);
    let duration = "expected a duration such as `250ms`, `1.5s` or `1h30m`, found `1`";
    wrong("3 times every 1", "1\"", duration, "");
    wrong("3 times every 25h", "25h", "a wait is at most 24h long", "");
    wrong("3 times, 3s doubling to 2s", "2s", "the waits grow from 3s to 2s", "");
    let percent = "expected whole percent from `0%` to `100%`, found `5`";
    wrong("3 times every 1s, jitter 5", "5\"", percent, "jitter 50%");
    is_wrong(
        &retries("delegation_rq = \"none\""),
        "delegation_rq",
        "unknown key `delegation_rq`",
        "did you mean `delegation_req`?",
    );
    is_wrong(&retries("default = 3"), "3", "`default` is a string, found the whole number `3`", "");
}
