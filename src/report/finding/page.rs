//! Everything on one page: the verdict, how to see it again, the drawing, and the story as text.
//!
//! The page needs nothing from anywhere: its style and its drawing are in it, and it has no script.

use maud::{Markup, html};

use crate::facts::telling;
use crate::report::finding::Scene;
use crate::report::finding::drawing::drawing;
use crate::report::frame;

const STYLE: &str = include_str!("page.css");
/// The style of the drawing alone, for any page that has one.
pub const DRAWING_STYLE: &str = include_str!("drawing.css");

/// The page of a scene, as HTML.
pub fn page(scene: &Scene<'_>) -> String {
    let story = telling::story(scene.facts, scene.names);
    let told: Vec<String> = story.lines().map(str::to_owned).collect();
    // A name may have a line end in it, and then nobody knows which line is which fact.
    let told = if told.len() == scene.facts.len() { told } else { vec![story.clone()] };
    let is_told_by_fact = told.len() == scene.facts.len();
    let broke_at = scene.broke_at.filter(|place| *place < scene.facts.len() && is_told_by_fact);
    let body = html! {
        header {
            h1 { (scene.title) }
            (verdict(scene, broke_at))
        }
        main {
            div.columns {
                section {
                    h2 { "What was decided" }
                    (decisions(scene.decisions))
                }
                section {
                    h2 { "To see it again" }
                    (commands(scene.commands))
                }
            }
            section {
                h2 { "What each holds to be the case in the end" }
                (beliefs(scene.beliefs))
            }
            section {
                h2 id="drawing" { "What happened" }
                p.hint { "Time goes downwards, not to scale: every row is something that happened." }
                p.hint { (legend()) }
                div.scroll tabindex="0" role="region" aria-labelledby="drawing" {
                    @if is_told_by_fact { (drawing(scene, &told)) } @else { (drawing(scene, &[])) }
                }
            }
            section {
                h2 id="story" { "The story" }
                pre.scroll tabindex="0" role="region" aria-labelledby="story" {
                    @for (place, line) in told.iter().enumerate() {
                        @if broke_at == Some(place) { mark id="broke" { (line) } } @else { (line) }
                        "\n"
                    }
                    @if scene.facts.is_empty() { "Nothing was seen." }
                }
            }
        }
    };
    frame::page(scene.title, &format!("{STYLE}{DRAWING_STYLE}"), &body)
}

fn verdict(scene: &Scene<'_>, broke_at: Option<usize>) -> Markup {
    html! {
        div.verdict {
            p.badge { "Broken promise" }
            p.promise { code { (scene.promise) } }
            p { (scene.says) }
            p.seen { strong { "Seen: " } (scene.seen) }
            p {
                "Where it broke: "
                a href="#pin" { "in the drawing" }
                @if broke_at.is_some() { ", " a href="#broke" { "in the story" } }
                "."
            }
        }
    }
}

fn decisions(decisions: &[String]) -> Markup {
    html! {
        @if decisions.is_empty() { p { "Nothing: all went as it goes where all is well." } }
        @else { ol { @for decision in decisions { li { (decision) } } } }
    }
}

fn commands(commands: &[String]) -> Markup {
    html! {
        @if commands.is_empty() { p { "There is no command for it." } }
        @for command in commands { pre.command { code { (command) } } }
    }
}

fn beliefs(beliefs: &[(String, Vec<String>)]) -> Markup {
    html! {
        @if beliefs.is_empty() { p { "It was not looked at." } }
        div.cards {
            @for (party, lines) in beliefs {
                div.card {
                    h3 { (party) }
                    @if lines.is_empty() { p.none { "nothing" } }
                    @else { ul { @for line in lines { li { (line) } } } }
                }
            }
        }
    }
}

/// What the signs of the drawing mean.
fn legend() -> Markup {
    html! {
        span.key { span.swatch.handover {} " delegation under way" }
        " " span.key { span.swatch.rest {} " in force" }
        " " span.key { span.swatch.ending {} " ending or being undone" }
        " " span.key { span.swatch.wait {} " a timer, from armed to fired" }
        " " span.key { span.swatch.nobody {} " nobody in charge of the device" }
        " " span.key { span.sign.lost { "\u{2715}" } " lost on its way" }
        " " span.key { (sign_of_held()) " held up" }
        " " span.key { span.sign { "x2" } " a copy made on the way" }
    }
}

/// The sign itself: few fonts have a letter for it.
fn sign_of_held() -> Markup {
    html! {
        svg.inline viewBox="0 0 12 16" width="10" height="14" aria-hidden="true" {
            path.hourglass d="M1 1h10l-10 14h10z" {}
        }
    }
}
