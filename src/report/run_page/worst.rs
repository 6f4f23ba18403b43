//! The flows that failed, and then those that took longest: each as a drawing of what was seen of its device.

use maud::{Markup, html};

use super::chart::clock;
use super::parts::hint;
use crate::facts::pattern::Names;
use crate::facts::telling;
use crate::report::figures::{counted, time};
use crate::report::finding::{Scene, picture};
use crate::results::Dossier;
use crate::results::dossier::WorstFlow;

/// A drawing for each.
pub(super) fn worst(dossier: &Dossier) -> Markup {
    if dossier.worst.is_empty() {
        return hint("No flow has ended.");
    }
    html! {
        (hint("Those that failed first, then those that took longest. Time goes downwards, not to scale; the seconds count from \
               the beginning of the run."))
        @for (place, flow) in dossier.worst.iter().enumerate() {
            h3 { (flow.row.flow) " on device " (flow.row.device) ": " (flow.row.outcome) ", " (time(Some(flow.row.response_ms)))
                ", ended at " (clock(flow.row.ended_s)) }
            @match &dossier.scenario {
                Some(scenario) if !flow.facts.is_empty() => (drawn(flow, &scenario.names(), place == 0)),
                _ => (hint("Nothing was written of what happened on its device: it was not watched, or more happened in that \
                            second than is written.")),
            }
        }
    }
}

fn drawn(flow: &WorstFlow, names: &dyn Names, is_open: bool) -> Markup {
    let title = format!("{} on device {}", flow.row.flow, flow.row.device);
    let scene = Scene::of_flow(&title, &flow.facts, names);
    let story = telling::story(&flow.facts, names);
    html! {
        @if flow.is_cut { (hint(&format!("More was seen than is drawn here: these are the first {}.",
            counted(flow.facts.len() as u64, "fact")))) }
        details open[is_open] {
            summary { "Drawing" }
            div.scroll.drawing tabindex="0" role="region" aria-label={ "Drawing: " (title) } { (picture(&scene)) }
        }
        details { summary { "The same as text" } pre.scroll tabindex="0" role="region" aria-label={ "Story: " (title) } { (story) } }
    }
}
