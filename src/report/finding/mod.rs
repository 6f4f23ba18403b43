//! A story in which a promise broke, as pictures: plain data in, text out. No IO.
//!
//! | file | its job |
//! |---|---|
//! | `lanes` | who occurs in a story, and in which order they stand |
//! | `courses` | what became of each message |
//! | `rows` | the facts as rows of a drawing: what was seen, and between whom |
//! | `words` | what is written beside a row |
//! | `wrap` | text in lines that fit |
//! | `ladder` | the drawing as text, for a terminal |
//! | `mermaid` | the drawing as a Mermaid diagram |
//! | `layout` | where everything is in the SVG |
//! | `strips` | the phases of records and the waits of timers, as bars |
//! | `drawing` | the drawing as SVG |
//! | `page` | everything on one page |
//!
//! All three drawings have the same rows in the same order. They are not to scale: a row is something that happened, and
//! how much time went by is written beside it, for in virtual time nothing happens for long, and then much at once.

mod courses;
mod drawing;
mod ladder;
mod lanes;
mod layout;
mod mermaid;
mod page;
mod rows;
mod strips;
mod words;
mod wrap;

#[cfg(test)]
mod tests;

pub use ladder::ladder;
pub use mermaid::{mermaid, mermaid_of_flows};
pub use page::{DRAWING_STYLE, page};

use maud::Markup;

use crate::clock::Moment;
use crate::facts::pattern::Names;
use crate::facts::{Fact, telling};

/// The drawing alone, as SVG; without the pin where the scene names no promise.
pub fn picture(scene: &Scene<'_>) -> Markup {
    let told: Vec<String> = telling::story(scene.facts, scene.names).lines().map(str::to_owned).collect();
    // A name may have a line end in it, and then nobody knows which line is which fact.
    drawing::drawing(scene, if told.len() == scene.facts.len() { &told } else { &[] })
}

/// A story and how it ended: what is drawn.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What it is about, in one line.
    pub title: &'a str,
    /// The stable name of the promise that is looked at; empty where none is.
    pub promise: &'a str,
    /// What that promise says, in a sentence.
    pub says: &'a str,
    /// Whether it broke on this way.
    pub is_broken: bool,
    /// What was seen instead.
    pub seen: &'a str,
    /// What was decided otherwise than in a world where all goes well, in order.
    pub decisions: &'a [String],
    /// How to see it again.
    pub commands: &'a [String],
    /// Each party, and what it holds to be the case in the end, a line each.
    pub beliefs: &'a [(String, Vec<String>)],
    pub names: &'a dyn Names,
    /// The story.
    pub facts: &'a [Fact],
    /// The index of the fact by which the promise broke; `None` when it was seen to be broken only when all was over.
    pub broke_at: Option<usize>,
    /// From when to when nobody was in charge of the device; without an end where nobody is in the end.
    pub orphan: Option<(Moment, Option<Moment>)>,
}

impl<'a> Scene<'a> {
    /// What was seen of one flow; no promise is looked at.
    pub fn of_flow(title: &'a str, facts: &'a [Fact], names: &'a dyn Names) -> Scene<'a> {
        Scene {
            title,
            promise: "",
            says: "",
            is_broken: false,
            seen: "",
            decisions: &[],
            commands: &[],
            beliefs: &[],
            names,
            facts,
            broke_at: None,
            orphan: None,
        }
    }
}
