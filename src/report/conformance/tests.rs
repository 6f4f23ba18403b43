//! What a peer says is text in every report, and steers nothing.

use super::*;
use crate::results::conformance::{CaseResult, Conclusion, ItemVerdict, Level, Requirement, SCHEMA, Seen};

const EVIL: &str = "<script>alert(1)</script>]]>&\"'";

fn sample() -> Conformance {
    let evidence = |holds| Evidence { case: "one".into(), holds, found: EVIL.into(), exchange: Some(1) };
    let item = |id: &str, level, verdict| ItemResult {
        id: id.into(),
        requirement: "DM-DEL-S-001-M".into(),
        section: "5.3".into(),
        role: "DMS-1".into(),
        level,
        says: "something is so".into(),
        verdict,
        reason: (verdict == ItemVerdict::NotObservable).then(|| "nobody could see it".into()),
        checks: 1,
        evidence: if verdict == ItemVerdict::NotObservable {
            Vec::new()
        } else {
            vec![evidence(verdict == ItemVerdict::Pass)]
        },
    };
    let line = |what: &str| Exchanged {
        at_ms: 1_500,
        from: "peer".into(),
        to: "us".into(),
        what: what.into(),
        body: Some(EVIL.into()),
    };
    Conformance {
        schema: SCHEMA.into(),
        scenario: "peer".into(),
        seed: 7,
        peer: "partner".into(),
        peer_id: EVIL.into(),
        url: "https://dms2.example.test/dm".into(),
        started: "2026-11-22T11:50:03Z".into(),
        duration_s: 1.5,
        conclusion: Conclusion::Fails,
        because: "one mandatory item fails".into(),
        requirements: vec![Requirement {
            id: "DM-DEL-S-001-M".into(),
            says: "who may come in".into(),
            verdict: ItemVerdict::Fail,
            passed: 1,
            failed: 2,
            not_observable: 1,
            not_supported: 0,
        }],
        items: vec![
            item("a/right", Level::Mandatory, ItemVerdict::Pass),
            item("a/wrong", Level::Mandatory, ItemVerdict::Fail),
            item("a/unusual", Level::Informational, ItemVerdict::Fail),
            item("a/unseen", Level::Optional, ItemVerdict::NotObservable),
        ],
        readings: vec![Seen {
            id: "D6".into(),
            section: "5.2.1.4".into(),
            question: "which value".into(),
            answers: vec![EVIL.into()],
            cases: vec!["one".into()],
        }],
        choices: Vec::new(),
        cases: vec![CaseResult {
            name: "one".into(),
            says: "a case".into(),
            end: CaseEnd::Stopped(EVIL.into()),
            duration_s: 1.0,
            exchanges: vec![line("the one before"), line(EVIL)],
        }],
        problems: vec![EVIL.into()],
    }
}

#[test]
fn what_a_peer_says_is_never_markup() {
    let page = page::page(&sample());
    assert!(!page.contains("<script>alert"), "it would run");
    // Names, values, evidence, exchanges, problems: all of them have it.
    assert!(page.matches("&lt;script&gt;alert").count() >= 6, "{page}");
    let junit = junit::document(&sample());
    let mut reader = quick_xml::Reader::from_str(&junit);
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) => assert_ne!(tag.name().as_ref(), "script"),
            _ => {}
        }
    }
}

#[test]
fn only_what_is_mandatory_fails_a_build() {
    let junit = junit::document(&sample());
    assert_eq!(junit.matches("<failure").count(), 1, "{junit}");
    // What is only unusual, and what nobody saw.
    assert_eq!(junit.matches("<skipped").count(), 2, "{junit}");
    assert!(junit.contains("tests=\"5\" failures=\"1\" errors=\"0\""), "{junit}");
}

#[test]
fn the_terminal_shows_what_failed_with_its_exchange() {
    let text = terminal::tables(&sample(), false, false);
    assert!(!text.contains("a/right"), "{text}");
    for part in ["a/wrong", "nobody could see it", "expected: something is so (5.3)", "1.500 s  peer -> us", "D6"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(terminal::tables(&sample(), true, false).contains("a/right"));
    assert!(!text.contains('\u{1b}'), "no colour was asked for");
    let last = text.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        "does not conform: one mandatory item fails; 1 passed, 2 failed, 1 not observable, 0 not supported, in 1 case and 1.5 s"
    );
}

#[test]
fn the_data_comes_back_as_it_was() {
    let back: Conformance = serde_json::from_str(&json(&sample())).expect("its own form");
    assert_eq!(back, sample());
}
