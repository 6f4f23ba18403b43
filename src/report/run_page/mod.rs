//! The report of a run: one HTML file that needs nothing from anywhere, has no script, and is whole on a phone and on paper.
//!
//! | file | its job |
//! |---|---|
//! | `parts` | what every section is made of: headings, tables, figures |
//! | `chart` | charts as inline SVG |
//! | `verdict` | what the run amounts to and why, and where it took place |
//! | `judged` | limits, promises, the health of this machine |
//! | `flows` | how flows ended, by kind and by population |
//! | `times` | how long things took: percentile curves and heat maps |
//! | `course` | the run over time |
//! | `rungs` | what became of each message, flow by flow |
//! | `calls` | where the time of a call goes |
//! | `troubles` | errors, faults, and what was done to the run from outside |
//! | `worst` | the worst flows, each as a drawing |

mod calls;
mod chart;
mod course;
mod flows;
mod judged;
mod parts;
mod rungs;
mod times;
mod troubles;
mod verdict;
mod worst;

#[cfg(test)]
mod tests;

use maud::{Markup, html};

use crate::report::finding::DRAWING_STYLE;
use crate::report::frame::{self, Section};
use crate::results::Dossier;

pub(super) use chart::Scale;
use chart::TimeAxis;

const STYLE: &str = include_str!("page.css");
const LIGHT: &str = include_str!("light.css");
const DARK: &str = include_str!("dark.css");

/// The report of a run, as HTML.
/// It ends as a text does, with the end of a line.
pub fn run_page(dossier: &Dossier) -> String {
    let time = TimeAxis::of(dossier);
    let summary = &dossier.summary;
    let section = |id, title, body| Section { id, title, body };
    let sections = [
        section("limits", "Limits", judged::limits(summary)),
        section("promises", "Promises", judged::promises(summary)),
        section("health", "Health of this machine", judged::health(summary)),
        section("outcomes", "How flows ended", flows::outcomes(summary)),
        section("flows", "Flows", flows::table(summary)),
        section("times", "How long things took", times::times(dossier, &time)),
        section("course", "Over time", course::course(dossier, &time)),
        section("machine", "This machine over time", course::machine(dossier, &time)),
        section("ladder", "Ladder", rungs::ladder(summary)),
        section("calls", "Where the time of a call goes", calls::calls(summary)),
        section("errors", "Errors", troubles::errors(summary)),
        section("faults", "Faults", troubles::faults(summary)),
        section("populations", "Populations", flows::populations(summary)),
        section("worst", "The worst flows", worst::worst(dossier)),
    ];
    let title = format!("{}: {}", summary.scenario, summary.verdict.key());
    let body = html! {
        a.skip href="#main" { "Skip to the figures" }
        (shade())
        header { (verdict::verdict(dossier)) }
        (frame::contents(&sections))
        footer { p { "Made by dmswarm " (dossier.manifest.version) " from the stored data of the run." } }
    };
    frame::page(&title, &style(), &body)
}

/// Light or dark is chosen without a script: the style looks which of these is checked.
fn shade() -> Markup {
    html! {
        fieldset.shade {
            legend { "Colours" }
            @for (id, name) in [("as-system", "system"), ("light", "light"), ("dark", "dark")] {
                label { input type="radio" name="shade" id=(id) checked[id == "as-system"]; " " (name) }
            }
        }
    }
}

/// The style of the page. What is dark is said twice: for systems that are, and for readers who choose it.
pub(super) fn style() -> String {
    let chosen_light = ":root:has(#light:checked), :root[data-theme=light]";
    let chosen_dark = ":root:has(#dark:checked), :root[data-theme=dark]";
    format!(
        ":root {{\n{LIGHT}}}\n@media (prefers-color-scheme: dark) {{ :root {{\n{DARK}}} }}\n\
         {chosen_light} {{\n{LIGHT}}}\n{chosen_dark} {{\n{DARK}}}\n@media print {{ :root:root {{\n{LIGHT}}} }}\n{}{STYLE}{}",
        DRAWING_STYLE,
        chart::style()
    )
}
