//! Small bugs planted into well-behaved facts, and how many of them some promise finds.

use std::collections::BTreeSet;

use super::*;
use crate::delegation::machine::Side;

/// The tapes that bugs are planted into.
fn hosts() -> [Tape; 3] {
    [there_and_back(), handover("home", "partner", "s1", ".", true), careful_handover()]
}

/// Copies of a tape, each with one bug, by what was done.
fn mutants(host: &Tape, spoil: impl Fn(&mut Vec<String>, usize) -> bool) -> Vec<(String, Tape)> {
    let spoilt = (0..host.lines().len()).filter_map(|at| {
        let mut lines = host.lines().to_vec();
        spoil(&mut lines, at).then(|| (host.lines()[at].clone(), Tape::new(&lines.join("\n"))))
    });
    spoilt.collect()
}

fn missed(mutants: &[(String, Tape)]) -> Vec<&str> {
    let missed = mutants.iter().filter(|(_, tape)| broken_in(tape, &usual()).is_empty());
    missed.map(|(name, _)| name.as_str()).collect()
}

fn begins(line: &str, words: &[&str]) -> bool {
    words.iter().any(|word| line.starts_with(word))
}

#[test]
fn what_was_said_or_ended_cannot_go_missing_unnoticed() {
    for host in hosts() {
        let dropped = mutants(&host, |lines, at| {
            let is_heard_of = begins(&lines[at], &["join", "settle", "sent", "taken", "heard"]);
            lines.remove(at);
            is_heard_of
        });
        assert!(dropped.len() > 10);
        assert_eq!(missed(&dropped), Vec::<&str>::new());
    }
}

#[test]
fn what_was_done_cannot_be_done_twice_unnoticed() {
    let once = [
        "settle",
        "taken",
        "heard",
        "errand home prepare done",
        "errand home leave done",
        "errand home remove-account done",
    ];
    for host in hosts() {
        let doubled = mutants(&host, |lines, at| {
            let line = lines[at].clone();
            let is_done_once = begins(&line, &once);
            lines.insert(at, line);
            is_done_once
        });
        assert!(doubled.len() > 10);
        assert_eq!(missed(&doubled), Vec::<&str>::new());
    }
}

#[test]
fn hardly_any_wrong_state_goes_unnoticed() {
    for host in hosts() {
        let (mut planted, mut unnoticed) = (0, Vec::new());
        for state in [Side::Delegating, Side::Delegated].into_iter().flat_map(states::names) {
            let wrong = mutants(&host, |lines, at| {
                let mut words: Vec<&str> = lines[at].split(' ').collect();
                if words[0] != "move" || words[5] == state {
                    return false;
                }
                words[5] = state;
                lines[at] = words.join(" ");
                true
            });
            planted += wrong.len();
            unnoticed.extend(missed(&wrong).into_iter().map(|line| format!("{line} -> {state}")));
        }
        // The rest are states that may be gone through, and others that show only when all has come to rest.
        assert!(unnoticed.len() * 100 < planted * 7, "{} of {planted}: {unnoticed:#?}", unnoticed.len());
    }
}

#[test]
fn the_names_of_all_states_are_known() {
    let machines = [
        (Side::Delegating, include_str!("../../../../delegation/delegating/mod.rs")),
        (Side::Delegated, include_str!("../../../../delegation/delegated/mod.rs")),
    ];
    for (side, source) in machines {
        let quoted = source.split('"').skip(1).step_by(2);
        let is_state = |word: &&str| word.starts_with("Expect") || ["AtRest", "Over"].contains(word);
        let named: BTreeSet<&str> = quoted.filter(is_state).collect();
        assert_eq!(named, states::names(side).collect(), "{side:?}");
    }
}
