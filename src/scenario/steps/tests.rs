//! Steps as they are read and written, and every wrong word.

use super::*;

fn word(text: &str, start: usize) -> Word<'_> {
    Word { text, span: start..start + text.len() }
}

#[test]
fn a_delegation_says_who_how_what_and_by_whom() {
    let text = "delegate home->partner by url, subtree ./SCOMO, full, started by partner expect undone";
    let expected = Delegate {
        from: word("home", 9),
        to: word("partner", 15),
        approach: Approach::Url,
        subtree: Some(word("./SCOMO", 39)),
        is_full: true,
        started_by: Some(word("partner", 65)),
        expect: Some(Expected("undone")),
    };
    assert_eq!(parse(text), Ok(StepText::Delegate(expected)));
}

#[track_caller]
fn reads(text: &str, expected: StepText<'_>) {
    assert_eq!(parse(text), Ok(expected));
}

#[test]
fn revocations_and_waits_are_read() {
    let revoke =
        |how, expect: Option<&'static str>| StepText::Revoke { how, parties: None, expect: expect.map(Expected) };
    reads("revoke asked", revoke(Revocation::Asked, None));
    reads("  revoke  requested  expect refused ", revoke(Revocation::Requested, Some("refused")));
    reads("revoke forced", revoke(Revocation::Forced { notice: true }, None));
    reads("revoke forced without notice", revoke(Revocation::Forced { notice: false }, None));
    reads("revoke forced, with notice, expect done", revoke(Revocation::Forced { notice: true }, Some("done")));
    let parties = Some((word("with", 14), word("home", 20)));
    let named = StepText::Revoke { how: Revocation::Forced { notice: false }, parties, expect: None };
    reads("revoke forced with->home, without notice", named);
    reads("wait 1m 30s", StepText::Wait(Duration::from_secs(90)));
    reads("wait until 1m 30s", StepText::WaitUntil(Duration::from_secs(90)));
}

#[track_caller]
fn is_refused(text: &str, at: &str, message: &str, hint: Option<&str>) {
    let error = parse(text).unwrap_err();
    assert_eq!(error.message, message);
    assert_eq!(&text[error.span.clone()], at, "{message}");
    assert_eq!(error.hint.as_deref(), hint);
    if at.is_empty() {
        assert_eq!(error.span.start, text.trim_end().len());
    }
}

#[test]
fn every_wrong_word_is_pointed_at() {
    let delegation = "more about the delegation: `subtree`, `full`, `started` or `expect`";
    let step = "a step: `delegate`, `revoke` or `wait`";
    is_refused("", "", &format!("expected {step}, and the step ends here"), None);
    is_refused(
        "delgate a -> b",
        "delgate",
        &format!("expected {step}, found `delgate`"),
        Some("did you mean `delegate`?"),
    );
    is_refused("delegate", "", "expected the name of the delegating server, and the step ends here", None);
    is_refused("delegate a to b by url", "to", "expected `->`, found `to`", None);
    is_refused("delegate a -> b", "", "expected `by dmacc` or `by url`, and the step ends here", None);
    is_refused(
        "delegate a -> b by dmac",
        "dmac",
        "expected an approach: `dmacc` or `url`, found `dmac`",
        Some("did you mean `dmacc`?"),
    );
    is_refused(
        "delegate a -> b by url ful",
        "ful",
        &format!("expected {delegation}, found `ful`"),
        Some("did you mean `full`?"),
    );
    is_refused("delegate a -> b by url full full", "full", "`full` is said twice", None);
    is_refused(
        "delegate a -> b by url subtree",
        "",
        "expected the address of a sub-tree, such as `./SCOMO`, and the step ends here",
        None,
    );
    is_refused("delegate a -> b by url started a", "a", "expected `started by` and a server, found `a`", None);
    is_refused(
        "revoke forcd",
        "forcd",
        "expected a kind of revocation: `asked`, `requested` or `forced`, found `forcd`",
        Some("did you mean `forced`?"),
    );
    is_refused(
        "revoke asked with notice",
        "with",
        "only a forced revocation can be with notice",
        Some("the delegate takes part in all others"),
    );
    is_refused(
        "revoke asked home",
        "home",
        "expected more about the revocation: `with`, `without` or `expect`, found `home`",
        Some("the parties are named as in `revoke asked A -> B`"),
    );
    is_refused("revoke asked home ->", "", "expected the name of the delegated server, and the step ends here", None);
    is_refused("wait", "", "expected how long, such as `2s`, and the step ends here", None);
    is_refused(
        "wait until",
        "",
        "expected how long after the beginning of the load, such as `30s`, and the step ends here",
        None,
    );
    is_refused("wait 9000h", "9000h", "a wait is at most 8760h long", None);
    is_refused(
        "wait two seconds",
        "two seconds",
        "expected a duration such as `250ms`, `1.5s` or `1h30m`, found `two seconds`",
        None,
    );
}

#[test]
fn an_unknown_outcome_lists_the_known_ones() {
    let error = parse("revoke asked expect refuse").unwrap_err();
    assert!(error.message.contains("`done`, `refused`, `undone`"), "{}", error.message);
    assert_eq!(error.hint.as_deref(), Some("did you mean `refused`?"));
}

#[test]
fn what_is_written_reads_back_to_the_same() {
    let names = ["home", "partner"];
    for text in [
        "delegate home -> partner by dmacc subtree ./SCOMO",
        "delegate partner -> home by url subtree . full started by home expect too_late",
        "revoke asked home -> partner",
        "revoke forced partner -> home without notice expect refused",
        "revoke forced home -> partner with notice",
        "wait 1.5s",
        "wait until 1m30s",
    ] {
        let number = |word: &Word<'_>| ServerNumber(names.iter().position(|name| *name == word.text).unwrap() as u16);
        let step = match parse(text).unwrap() {
            StepText::Delegate(step) => Step::Delegate {
                from: number(&step.from),
                to: number(&step.to),
                approach: step.approach,
                subtree: crate::dm::uri::Uri::parse(step.subtree.unwrap().text).unwrap(),
                is_full: step.is_full,
                by_delegated: step.started_by.is_some(),
                expect: step.expect.unwrap_or(Expected(DONE)),
            },
            StepText::Revoke { how, parties, expect } => {
                let (from, to) = parties.unwrap();
                let expect = expect.unwrap_or(Expected(DONE));
                Step::Revoke { from: number(&from), to: number(&to), how, expect }
            }
            StepText::Wait(time) => Step::Wait(time),
            StepText::WaitUntil(time) => Step::WaitUntil(time),
        };
        assert_eq!(print(&step, |server| names[usize::from(server.0)]), text);
    }
}
