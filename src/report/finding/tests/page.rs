//! The page: what it says, and that nothing in a name becomes part of it.

use super::stage::{PLAIN, Playbill, bare, eventful, place_of, real_story};
use crate::clock::Moment;
use crate::delegation::flow::Approach;
use crate::delegation::message::Kind;
use crate::facts::What;
use crate::report::finding::page;

#[test]
fn a_page_says_what_broke_what_was_decided_and_how_to_see_it_again() {
    let facts = eventful();
    let decisions = ["delegation_req is lost".to_owned()];
    let commands = ["dmswarm explore --seed 7 && echo \"<done>\"".to_owned()];
    let beliefs = [("home".to_owned(), vec!["no record".to_owned()]), ("device".to_owned(), Vec::new())];
    let mut scene = bare(&facts, &PLAIN);
    scene.broke_at = Some(place_of(&facts, |what| matches!(what, What::Account { is_there: false, .. })));
    (scene.decisions, scene.commands, scene.beliefs) = (&decisions, &commands, &beliefs);
    let html = page(&scene);
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    for part in [
        "<title>A story</title>",
        "<code>records_agree</code>",
        "Both sides agree.",
        "they do not",
        "<li>delegation_req is lost</li>",
        "dmswarm explore --seed 7 &amp;&amp; echo &quot;&lt;done&gt;&quot;",
        "<h3>home</h3><ul><li>no record</li></ul>",
        "<h3>device</h3><p class=\"none\">nothing</p>",
        "<svg role=\"img\" aria-label=\"What happened between home, partner, device, bootstrap server, downwards in time\"",
        "<mark id=\"broke\">  15.270000 s  device   no longer has an account of home</mark>",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn a_page_needs_nothing_from_anywhere() {
    let facts = eventful();
    let html = page(&bare(&facts, &PLAIN));
    for part in ["<script", "<img", "<link", "src=", "@import", "url(", "href=\"h"] {
        assert!(!html.contains(part), "{part}");
    }
    let real = real_story(Approach::Url, true, Kind::DelegationPrepared);
    assert!(page(&bare(&real, &PLAIN)).len() < 100_000);
}

#[test]
fn the_pin_is_below_the_row_where_the_promise_broke() {
    let facts = eventful();
    let mut scene = bare(&facts, &PLAIN);
    scene.broke_at = Some(place_of(&facts, |what| matches!(what, What::Account { is_there: false, .. })));
    let html = page(&scene);
    let (_, pin) = html.split_once("<g class=\"pin\" id=\"pin\"><line x1=\"8\"").expect("a pin");
    let number = |text: &str| -> i32 { text.split('"').next().unwrap_or_default().parse().expect("a number") };
    let pin = number(pin.split_once(" y1=\"").expect("it has a height").1);
    let heights = |row: &str| {
        let row = html.split_once(row).unwrap_or_else(|| panic!("{row}")).1;
        number(row.split_once(" cy=\"").or_else(|| row.split_once(" y1=\"")).expect("it has a height").1)
    };
    assert!(heights("no longer has an account of home</title>") < pin);
    assert!(heights("is killed</title>") > pin);
}

#[test]
fn a_lost_message_has_a_cross_and_no_head() {
    let facts = eventful();
    let html = page(&bare(&facts, &PLAIN));
    let row = html.split_once("sends delegation_req to partner, session 0-0-1</title>").expect("a row").1;
    let row = row.split_once("</g></g>").expect("it ends").0;
    assert!(
        row.contains("class=\"cross\"") && row.contains(">lost</text>") && !row.contains("class=\"head\""),
        "{row}"
    );
}

#[test]
fn nobody_in_charge_is_a_shade_for_as_long_as_it_lasted() {
    let facts = eventful();
    let mut scene = bare(&facts, &PLAIN);
    assert!(!page(&scene).contains("nobody in charge: "));
    scene.orphan = Some((Moment::from_millis(15_270), Some(Moment::from_millis(21_270))));
    assert!(page(&scene).contains("nobody in charge: 6 s"));
}

#[test]
fn phases_and_timers_are_bars() {
    let facts = real_story(Approach::Url, true, Kind::DelegationPrepared);
    let html = page(&bare(&facts, &PLAIN));
    assert!(html.contains("<title>ExpectConfirmed, Delegating with partner, session 0-5-1</title>"));
    assert!(html.contains("class=\"phase ending\""));
    assert!(html.contains("<rect class=\"wait\"") && html.contains("<title>timer confirmed</title>"));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = Playbill(["<script>alert(1)</script>", "\"onload='x' & \n</svg>", "x"]);
    let facts = eventful();
    let title = "</title><script>x</script>".to_owned();
    let mut scene = bare(&facts, &hostile);
    (scene.title, scene.seen) = (&title, "<b>");
    scene.broke_at = Some(3);
    let html = page(&scene);
    assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("\"onload"), "{html}");
    assert_eq!(html.matches("</svg>").count(), 2);
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn an_empty_story_is_a_page_too() {
    let html = page(&bare(&[], &PLAIN));
    assert!(html.contains("Nothing was seen.") && html.contains("was seen to be broken when all was over"));
}
