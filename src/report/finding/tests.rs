//! What the drawings show, and what they never show.

mod page;
mod stage;

use stage::{HOME, PARTNER, PLAIN, Playbill, Script, bare, eventful, place_of, real_story};

use crate::delegation::flow::Approach;
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::facts::{Fact, Heard, Took, What};
use crate::report::finding::{ladder, mermaid, mermaid_of_flows};

fn ladder_of(facts: &[Fact]) -> String {
    ladder(&bare(facts, &PLAIN))
}

/// The lines in which a word stands.
fn with<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.contains(word)).collect()
}

#[test]
fn a_message_that_arrives_is_one_arrow_and_its_answer_one_back() {
    let mut script = Script::default();
    script.sent(HOME, PARTNER, Kind::DelegationReq, 1).taken(HOME, PARTNER, Kind::DelegationReq, Took::New).heard(
        HOME,
        PARTNER,
        Kind::DelegationReq,
        1,
        Heard::Message(Kind::DelegationResp),
    );
    let text = ladder_of(&script.facts);
    assert_eq!(with(&text, "delegation_req"), ["   0.000000   ├──────────── delegation_req ────────────▶│"]);
    assert_eq!(with(&text, "delegation_resp"), ["              │◀╌╌╌╌╌╌╌╌╌╌╌ delegation_resp ╌╌╌╌╌╌╌╌╌╌╌╌┤"]);
    let text = mermaid(&bare(&script.facts, &PLAIN));
    assert!(text.starts_with("sequenceDiagram\n    participant S0 as home\n    participant S1 as partner\n"), "{text}");
    assert!(text.contains("\n    S0->>S1: delegation_req\n    S1-->>S0: delegation_resp\n"), "{text}");
}

#[test]
fn flows_stand_one_below_the_other_in_one_diagram() {
    let story = |to| {
        let mut script = Script::default();
        script.sent(HOME, to, Kind::DelegationReq, 1).taken(HOME, to, Kind::DelegationReq, Took::New);
        script.facts
    };
    let flows = [("device 7: lost".to_owned(), story(PARTNER)), ("device 9: done".to_owned(), story(PARTNER))];
    let text = mermaid_of_flows(&flows, &PLAIN);
    let head = "sequenceDiagram\n    participant S0 as home\n    participant S1 as partner\n    rect ";
    assert!(text.starts_with(head), "{text}");
    assert_eq!(text.matches("sequenceDiagram").count(), 1, "{text}");
    let titles = ["    Note over S0,S1: device 7#58; lost\n", "    Note over S0,S1: device 9#58; done\n"];
    let places = titles.map(|title| text.find(title).unwrap_or_else(|| panic!("{title} in {text}")));
    assert!(places[0] < places[1]);
    assert_eq!(text.matches("S0->>S1: delegation_req").count(), 2, "{text}");
    assert!(!text.contains("BROKE"), "{text}");
    assert_eq!(mermaid_of_flows(&[], &PLAIN), "sequenceDiagram\n");
}

#[test]
fn a_lost_request_has_its_mark_and_no_arrow_that_arrives() {
    for answer in [Heard::TimedOut, Heard::Unreachable] {
        let mut script = Script::default();
        script.sent(HOME, PARTNER, Kind::DelegationReq, 1).wait(5_000).heard(
            HOME,
            PARTNER,
            Kind::DelegationReq,
            1,
            answer,
        );
        let text = ladder_of(&script.facts);
        let sent = with(&text, "─ delegation_req ─");
        assert_eq!(sent.len(), 1, "{text}");
        assert!(sent[0].contains("─✗ lost"), "{text}");
        assert!(!text.contains('▶') && !text.contains('◀'), "{text}");
        assert_eq!(with(&text, "✗ delegation_req").len(), 1, "{text}");
        let text = mermaid(&bare(&script.facts, &PLAIN));
        assert!(text.contains("S0-xS1: delegation_req (lost)") && !text.contains(">>"), "{text}");
    }
}

#[test]
fn a_lost_answer_is_an_arrow_back_that_does_not_arrive() {
    let mut script = Script::default();
    script
        .sent(HOME, PARTNER, Kind::DelegationReq, 1)
        .taken(HOME, PARTNER, Kind::DelegationReq, Took::New)
        .wait(5_000)
        .heard(HOME, PARTNER, Kind::DelegationReq, 1, Heard::TimedOut);
    let text = ladder_of(&script.facts);
    assert!(with(&text, "─ delegation_req ─")[0].ends_with("▶│"), "{text}");
    assert!(with(&text, "answer to delegation_req")[0].contains("│  lost ✗╌"), "{text}");
    assert!(with(&text, "unanswered")[0].contains("✗ delegation_req unanswered"), "{text}");
    assert!(!text.contains('◀'), "{text}");
    assert!(mermaid(&bare(&script.facts, &PLAIN)).contains("S1--xS0: answer to delegation_req (lost)"));
}

#[test]
fn a_message_that_others_overtake_or_a_timer_is_held_and_has_one_number_at_both_ends() {
    let mut overtaken = Script::default();
    overtaken
        .sent(HOME, PARTNER, Kind::DelegationPrepared, 1)
        .sent(HOME, PARTNER, Kind::DelegationFailure, 1)
        .taken(HOME, PARTNER, Kind::DelegationFailure, Took::New)
        .taken(HOME, PARTNER, Kind::DelegationPrepared, Took::Rejected("too_late"));
    let mut overslept = Script::default();
    overslept
        .sent(HOME, PARTNER, Kind::DelegationPrepared, 1)
        .see(What::TimerFired { at: HOME, timer: Timer::Confirmed })
        .taken(HOME, PARTNER, Kind::DelegationPrepared, Took::Rejected("too_late"));
    for script in [overtaken, overslept] {
        let text = ladder_of(&script.facts);
        let held = with(&text, "delegation_prepared #1");
        assert_eq!(held.len(), 2, "{text}");
        assert!(held[0].contains("» held") && !held[0].contains('▶'), "{text}");
        assert!(held[1].contains("╌▶│ held; rejected: too_late"), "{text}");
    }
}

#[test]
fn an_answer_that_a_timer_overtakes_is_held() {
    let mut script = Script::default();
    script
        .sent(HOME, PARTNER, Kind::DelegationPrepared, 1)
        .taken(HOME, PARTNER, Kind::DelegationPrepared, Took::New)
        .see(What::TimerFired { at: HOME, timer: Timer::Confirmed })
        .heard(HOME, PARTNER, Kind::DelegationPrepared, 1, Heard::NoContent);
    let text = ladder_of(&script.facts);
    let lines: Vec<&str> = text.lines().collect();
    let answer = lines.iter().position(|line| line.contains("╌ ok ╌")).expect("an answer");
    assert!(lines[answer].contains("│◀╌") && lines[answer + 1].contains("│ held"), "{text}");
}

#[test]
fn a_copy_is_told_from_a_second_try() {
    let mut copied = Script::default();
    copied.sent(HOME, PARTNER, Kind::DelegationReq, 1).taken(HOME, PARTNER, Kind::DelegationReq, Took::New).taken(
        HOME,
        PARTNER,
        Kind::DelegationReq,
        Took::Copy,
    );
    let text = ladder_of(&copied.facts);
    assert_eq!(with(&text, "delegation_req").len(), 2, "{text}");
    assert!(with(&text, "═ delegation_req ═")[0].ends_with("▶│ x2, a copy; had it before"), "{text}");
    let mut again = Script::default();
    again
        .sent(HOME, PARTNER, Kind::DelegationReq, 1)
        .taken(HOME, PARTNER, Kind::DelegationReq, Took::New)
        .heard(HOME, PARTNER, Kind::DelegationReq, 1, Heard::TimedOut)
        .sent(HOME, PARTNER, Kind::DelegationReq, 2)
        .taken(HOME, PARTNER, Kind::DelegationReq, Took::Copy);
    let text = ladder_of(&again.facts);
    assert!(with(&text, "─ delegation_req (try 2) ─")[0].ends_with("▶│ had it before"), "{text}");
    assert!(!text.contains('═'), "{text}");
}

#[test]
fn what_is_still_under_way_in_the_end_has_not_arrived() {
    let mut script = Script::default();
    script.sent(PARTNER, HOME, Kind::DelegationRevoked, 1);
    let text = ladder_of(&script.facts);
    assert!(text.contains("│  not arrived »──"), "{text}");
    assert!(!text.contains('◀'), "{text}");
}

#[test]
fn commands_are_one_row_and_those_that_failed_have_their_own() {
    let mut script = Script::default();
    script.see(What::SessionOpened { with: HOME });
    for number in 0..16 {
        script.operated(HOME, "Get", &format!("./A/{number}"), 200);
    }
    script.operated(HOME, "Add", "./B", 425).operated(HOME, "Get", "./C", 200);
    script.see(What::SessionEnded { with: HOME, in_order: true });
    let text = ladder_of(&script.facts);
    assert_eq!(with(&text, "Get").len(), 1, "{text}");
    assert!(text.contains("Get ./A/0 200 ... (17 commands,"), "{text}");
    assert!(text.contains(" Add ./B 425 "), "{text}");
    let mut scene = bare(&script.facts, &PLAIN);
    scene.broke_at = Some(5);
    let text = ladder(&scene);
    let lines: Vec<&str> = text.lines().collect();
    let broke = lines.iter().position(|line| line.contains("HERE records_agree BROKE")).expect("it broke");
    assert!(lines[broke - 1].contains(" Get ./A/4 200 "), "{text}");
}

#[test]
fn the_pin_is_behind_the_fact_or_at_the_end() {
    let facts = eventful();
    let mut scene = bare(&facts, &PLAIN);
    scene.broke_at = Some(place_of(&facts, |what| matches!(what, What::Account { is_there: false, .. })));
    let text = ladder(&scene);
    let lines: Vec<&str> = text.lines().collect();
    let broke = lines.iter().position(|line| line.contains("✗ HERE records_agree BROKE")).expect("it broke");
    assert!(lines[broke - 1].contains("- account of home"), "{text}");
    let diagram = mermaid(&scene);
    assert!(diagram.contains("Note over D: - account of home\n    rect rgb(255, 205, 200)\n    Note over S0,B0: HERE"));
    scene.broke_at = None;
    assert!(ladder(&scene).lines().last().expect("a line").contains("WHEN ALL WAS OVER records_agree WAS BROKEN"));
    scene.broke_at = Some(facts.len());
    assert!(ladder(&scene).contains("WHEN ALL WAS OVER"));
    (scene.is_broken, scene.broke_at) = (false, None);
    let text = ladder(&scene);
    assert!(
        text.contains("not broken: records_agree") && !text.contains("WAS BROKEN") && !text.contains("seen:"),
        "{text}"
    );
}

#[test]
fn a_timer_says_how_long_it_ran_and_time_that_passes_has_its_line() {
    let mut script = Script::default();
    script
        .moved(HOME, Side::Delegating, "ExpectConfirmed")
        .wait(10_000)
        .see(What::TimerFired { at: HOME, timer: Timer::Confirmed });
    let text = ladder_of(&script.facts);
    assert!(text.contains("\n   +10 s      ┊"), "{text}");
    assert!(text.contains("\n  10.000000   ◷ timer confirmed fires after 10 s"), "{text}");
}

#[test]
fn a_real_story_fits_a_terminal_and_shows_every_party() {
    let facts = real_story(Approach::Url, true, Kind::DelegationPrepared);
    let text = ladder_of(&facts);
    let head = with(&text, "time s")[0];
    for name in ["home", "partner", "device", "bootstrap server"] {
        assert!(head.contains(name), "{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    let held = with(&text, "delegation_prepared #1");
    assert_eq!((held.len(), with(&text, "» held").len()), (2, 1), "{text}");
    assert!(held[1].contains("▶│ held"), "{text}");
    // Every message of this world arrives.
    assert!(!text.contains("lost") && !text.contains("not arrived"), "{text}");
}

#[test]
fn names_steer_neither_the_terminal_nor_the_diagram() {
    let hostile = Playbill(["a;b#c\"d\n->>S9: x", "\u{1b}[31mend", "x"]);
    let facts = eventful();
    let scene = bare(&facts, &hostile);
    assert!(!ladder(&scene).contains('\u{1b}'));
    let diagram = mermaid(&scene);
    assert!(diagram.contains("participant S0 as a#59;b#35;c#34;d -#62;#62;S9#58; x\n"), "{diagram}");
    for line in diagram.lines().skip(1).map(str::trim) {
        let begins = ["participant ", "Note ", "rect rgb(", "end", "S0-", "S1-", "D-", "B0-"];
        assert!(begins.iter().any(|word| line.starts_with(word)), "{line}");
        // No statement ends but with its line, and no comment begins: what is left of codes is letters.
        let mut rest = line.to_owned();
        while let Some(at) = rest.find('#') {
            let end = rest[at..].find(';').expect("a code ends") + at;
            assert!(rest[at + 1..end].bytes().all(|letter| letter.is_ascii_digit()), "{line}");
            rest.replace_range(at..=end, "");
        }
        assert!(!rest.contains([';', '"', '<']), "{line}");
    }
}

#[test]
fn an_empty_story_is_told_too() {
    let scene = bare(&[], &PLAIN);
    assert!(ladder(&scene).contains("nothing was seen"));
    let diagram = mermaid(&scene);
    assert!(diagram.starts_with("sequenceDiagram\n    participant D as device\n    Note over D: nothing was seen\n"));
}
