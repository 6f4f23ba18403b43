//! The second look at goals and at what the author of a race expects.

use std::collections::BTreeMap;

use crate::facts::goal::Goal;
use crate::scenario::Expect;
use crate::scenario::entry::Entry;
use crate::scenario::names::Cast;
use crate::scenario::parties::once;
use crate::scenario::problem::{Problem, Span};

/// What the run is to come by.
pub fn goals(root: &Entry<'_>, cast: &Cast<'_>, found: &mut Vec<Problem>) -> Vec<Goal> {
    if root.integer("watch") == Some(0) && !root.items("goals").is_empty() {
        let problem = Problem::new(root.span("watch"), "no device is watched, so no goal is ever seen");
        found.push(problem.hint("watch a few devices at least, or leave out `goals`"));
    }
    let mut names = BTreeMap::new();
    root.tables("goals").iter().map(|entry| goal(entry, cast, &mut names, found)).collect()
}

fn goal(entry: &Entry<'_>, cast: &Cast<'_>, names: &mut BTreeMap<String, Span>, found: &mut Vec<Problem>) -> Goal {
    let name = entry.text("name");
    if let Some(name) = &name {
        if name.text.trim().is_empty() {
            found.push(Problem::new(name.span.clone(), "a name cannot be empty"));
        }
        once(names, name.text.to_owned(), &name.span, "goal", found);
    }
    let texts = entry.one_or_more("sees");
    if entry.is_list("sees") && entry.items("sees").is_empty() {
        let problem = Problem::new(entry.span("sees"), "the goal sees nothing");
        found.push(problem.hint("for example `sees = \"timer confirmed at home\"`"));
    }
    let sees = texts.iter().filter_map(|text| cast.sequence(text, found)).flatten().collect();
    Goal { name: name.map_or("", |name| name.text).to_owned(), sees }
}

/// What the author expects; `None` where the file says nothing.
pub fn expect(root: &Entry<'_>, found: &mut Vec<Problem>) -> Option<Expect> {
    if !root.has("expect") {
        return None;
    }
    let entry = root.table("expect");
    let why_not = entry.text("not_over_https");
    if let Some(why_not) = why_not.as_ref().filter(|why_not| why_not.text.trim().is_empty()) {
        found.push(Problem::new(why_not.span.clone(), "`not_over_https` says why"));
    }
    if why_not.is_none() && root.items("goals").is_empty() {
        let problem = Problem::new(root.span("expect"), "something is expected, and there is no goal");
        found
            .push(problem.hint("add `goals = [{ name = \"...\", sees = \"...\" }]`: what shows that the race was run"));
    }
    Some(Expect {
        literal: promises(&entry, "literal", found),
        hardened: promises(&entry, "hardened", found),
        not_over_https: why_not.map(|why_not| why_not.text.to_owned()),
    })
}

fn promises(entry: &Entry<'_>, key: &str, found: &mut Vec<Problem>) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let texts = entry.texts(key).unwrap_or_default();
    for name in &texts {
        once(&mut seen, name.text.to_owned(), &name.span, "promise", found);
    }
    texts.iter().map(|name| name.text.to_owned()).collect()
}
