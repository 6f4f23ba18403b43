//! The second look at `[[fault]]`: names looked up, and combinations that could never come about told.
//!
//! | file | its job |
//! |---|---|
//! | `selector` | `match`: what a fault is about |
//! | `occasion` | `when`: when it fires |
//! | `action` | `do`: what it does |
//! | `delay` | the distributions of `delay`, read and written |
//! | `writing` | a fault back as keys of the file |

mod action;
mod delay;
mod occasion;
mod selector;
mod writing;

use std::collections::BTreeMap;

use crate::facts::pattern::Sought;
use crate::faults::rule::{Rule, Site};
use crate::scenario::entry::Entry;
use crate::scenario::parties::{check_name, once};
use crate::scenario::problem::Problem;
use crate::scenario::world::World;

pub use writing::write;

/// The names of the faults, in their order: a fault may speak of one that comes later.
pub fn names<'d>(entries: &[Entry<'d>]) -> Vec<&'d str> {
    entries.iter().map(|entry| entry.text("name").map_or("", |name| name.text)).collect()
}

/// All faults of a scenario.
pub fn read(entries: &[Entry<'_>], world: &World<'_>, found: &mut Vec<Problem>) -> Vec<Rule> {
    let mut taken = BTreeMap::new();
    let rules: Vec<Rule> = entries
        .iter()
        .map(|entry| {
            if let Some(name) = entry.text("name") {
                check_name(&name, found);
                once(&mut taken, name.text.to_owned(), &name.span, "fault", found);
            }
            rule(entry, world, found)
        })
        .collect();
    for (index, entry) in entries.iter().enumerate() {
        if waits_for_itself(index, &rules) {
            let problem =
                Problem::new(entry.table("when").span("while"), "this fault waits for itself, and never fires");
            found.push(problem.hint("a fault named by `while` has to fire first by other means"));
        }
        if rules[index].when.after.as_ref().is_some_and(|after| after.what == Sought::Fault(index)) {
            let place = entry.table("when").span("after");
            let problem = Problem::new(place, "this fault waits for itself, and never fires");
            found.push(problem.hint("`after` names what is seen before it fires, such as another fault"));
        }
    }
    rules
}

fn rule(entry: &Entry<'_>, world: &World<'_>, found: &mut Vec<Problem>) -> Rule {
    let site = Site::ALL.into_iter().find(|site| site.key() == entry.word("where"));
    let rule = Rule {
        name: entry.word("name").to_owned(),
        site: site.unwrap_or(Site::Request),
        about: selector::read(&entry.table("match"), world, found),
        when: occasion::read(&entry.table("when"), world.cast, found),
        action: action::read(entry, site, world.cast, found),
    };
    if site.is_some() {
        selector::check(entry, &rule, found);
    }
    rule
}

/// Whether the chain of `while` that begins here comes back.
fn waits_for_itself(start: usize, rules: &[Rule]) -> bool {
    let mut at = start;
    for _ in 0..rules.len() {
        match rules.get(at).and_then(|rule| rule.when.fired) {
            Some(next) if next == start => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}
