//! What the run amounts to, in a word and a sentence, the figures that everybody asks for, and where it took place.

use maud::{Markup, html};

use super::judged::actual;
use super::parts::notes;
use crate::measure::Verdict;
use crate::measure::limit::LimitResult;
use crate::measure::summary::Summary;
use crate::report::figures::{count, counted, rate, share, size, time};
use crate::results::Dossier;

/// More warnings than this would push everything else off the screen.
const MOST_WARNINGS: usize = 3;

/// The top of the page.
pub(super) fn verdict(dossier: &Dossier) -> Markup {
    let summary = &dossier.summary;
    let class = match summary.verdict {
        Verdict::Passed => "good",
        Verdict::Invalid | Verdict::Interrupted => "warn",
        _ => "bad",
    };
    html! {
        div.verdict {
            h1 { (summary.scenario) }
            p class={ "word " (class) } { (summary.verdict.key().to_uppercase()) }
            p.reason { (reason(dossier)) }
            p.meaning { (meaning(summary)) }
            @if summary.warnings.len() > MOST_WARNINGS {
                details.warned {
                    summary { (counted(summary.warnings.len() as u64, "warning")) ": " (summary.warnings[0]) " ..." }
                    (notes("warn", &summary.warnings))
                }
            } @else { (notes("warn", &summary.warnings)) }
            (notes("warn", &dossier.gaps))
        }
        dl.figures { @for (name, figure) in figures(summary) { div { dt { (name) } dd { (figure) } } } }
        dl.facts {
            @for (name, fact) in facts(dossier) { div { dt { (name) } dd { (fact) } } }
            div.wide { dt { "Command" } dd { code { (command(&dossier.manifest.command_line)) } } }
            div.wide { dt { "Folder" } dd { code { (dossier.folder.display()) } } }
        }
    }
}

/// What such a verdict means, whatever the run.
fn meaning(summary: &Summary) -> &'static str {
    match summary.verdict {
        Verdict::Passed if summary.expectation.is_some() => "Passed: the race went as its author expects.",
        Verdict::Passed => "Passed: every limit was kept, no promise was broken, and this machine kept up.",
        Verdict::Failed => "Failed: the peers did what they promise, but not within the limits of the scenario.",
        Verdict::Broken => {
            "Broken: something happened that the protocol promises not to happen. This weighs more than any \
                            limit."
        }
        Verdict::Invalid => {
            "Invalid: this machine or the scenario, not the peer, was the bottleneck. The figures say nothing about the peer."
        }
        Verdict::Aborted => {
            "Aborted: a limit that is to end the run when it is not kept has done so. What follows is of the \
                             time until then."
        }
        Verdict::Unreachable => "Unreachable: the target could not be reached, or refused our identity.",
        Verdict::Interrupted => {
            "Interrupted: the run did not come to its end. What follows is what was measured until then; \
                                 promises are judged only when everybody has come to rest."
        }
    }
}

/// Why, in one sentence.
pub(super) fn reason(dossier: &Dossier) -> String {
    let summary = &dossier.summary;
    let lasted = time(Some(summary.duration_s * 1e3));
    match summary.verdict {
        Verdict::Passed => passed(summary),
        Verdict::Failed if summary.had_internal_error() => {
            format!("{} of dmswarm itself panicked.", counted(summary.actors.panicked, "actor"))
        }
        Verdict::Failed => missed(summary).unwrap_or_else(|| "A limit was not kept.".to_owned()),
        Verdict::Broken => broken(summary),
        Verdict::Invalid => {
            let reason = summary.health.reasons.first();
            reason.map_or_else(|| "This machine did not keep up.".to_owned(), |reason| sentence(reason))
        }
        Verdict::Aborted => {
            let culprit = summary.limits.iter().find(|limit| limit.abort && !limit.passed);
            let said = culprit.map_or_else(|| "a limit was not kept".to_owned(), told);
            format!("Ended after {lasted}: {said}.")
        }
        Verdict::Unreachable => {
            let worst = summary.errors.iter().max_by_key(|error| error.times);
            worst.map_or_else(|| "Nobody answered.".to_owned(), |error| format!("Nobody answered: {}.", error.what))
        }
        Verdict::Interrupted if dossier.is_whole() => format!("Stopped by hand after {lasted}."),
        Verdict::Interrupted => format!("Killed after {lasted}, before it could write its end."),
    }
}

fn passed(summary: &Summary) -> String {
    let kept = summary.limits.len() as u64;
    let promises = summary.promises.iter().filter(|promise| promise.checked > 0).count() as u64;
    let flows = counted(summary.started(), "flow");
    if let Some(race) = &summary.expectation {
        return match race.expected.as_slice() {
            [] => "The race was reproduced, and no promise was broken, as expected.".to_owned(),
            names => format!("The race was reproduced, and broke {}, as expected.", names.join(", ")),
        };
    }
    format!("{flows}, {} kept, {} held.", counted(kept, "limit"), counted(promises, "promise"))
}

fn missed(summary: &Summary) -> Option<String> {
    let missed: Vec<&LimitResult> = summary.limits.iter().filter(|limit| !limit.passed).collect();
    let first = missed.first()?;
    let more = if missed.len() > 1 {
        format!("{} of {} limits were not kept: ", missed.len(), summary.limits.len())
    } else {
        String::new()
    };
    Some(sentence(&format!("{more}{}", told(first))))
}

fn told(limit: &LimitResult) -> String {
    format!("{} was {}", limit.expr, actual(limit))
}

fn broken(summary: &Summary) -> String {
    let broken: Vec<_> = summary.promises.iter().filter(|promise| promise.broken > 0).collect();
    if let Some(race) = summary.expectation.as_ref().filter(|race| !race.met) {
        return match (race.reproduced, race.expected.as_slice(), race.broken.as_slice()) {
            (false, ..) => "The race was not reproduced: a goal was never reached.".to_owned(),
            (true, expected, found) => format!("Expected to break: {}; broken: {}.", or_none(expected), or_none(found)),
        };
    }
    let Some(first) = broken.first() else { return "A promise was broken.".to_owned() };
    let others = broken.len() as u64 - 1;
    let more = if others > 0 { format!(", and {} more", counted(others, "promise")) } else { String::new() };
    format!("{} was broken on {} of {}{more}.", first.name, count(first.broken), counted(first.checked, "device"))
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Begins with a capital where it begins with a word of ours, and ends with a full stop.
fn sentence(text: &str) -> String {
    let is_call = text.split(' ').next().is_some_and(|word| word.contains('('));
    let mut letters = text.chars();
    let first: String = match letters.next() {
        Some(first) if !is_call => first.to_uppercase().collect(),
        first => first.into_iter().collect(),
    };
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

fn figures(summary: &Summary) -> Vec<(String, String)> {
    let started = summary.started();
    let failed = if started > 0 { summary.failed_flows() as f64 / started as f64 } else { 0.0 };
    let mut figures = vec![
        ("flows".to_owned(), count(started)),
        ("failed".to_owned(), share(failed)),
        ("flows/s".to_owned(), rate(summary.rates.flows_per_s)),
        ("exchanges/s".to_owned(), rate(summary.rates.exchanges_per_s)),
    ];
    let flows = summary.latency.iter().filter(|(name, _)| name.starts_with("flow."));
    // Of two that are as frequent, the first.
    let most = flows.reduce(|most, next| if next.1.count > most.1.count { next } else { most });
    if let Some((name, row)) = most {
        let name = name.trim_start_matches("flow.");
        for (percentile, ms) in [("p50", row.response_ms.p50), ("p99", row.response_ms.p99)] {
            figures.extend(ms.map(|ms| (format!("{percentile} of {name}"), time(Some(ms)))));
        }
    }
    figures
}

fn facts(dossier: &Dossier) -> Vec<(&'static str, String)> {
    let (summary, manifest) = (&dossier.summary, &dossier.manifest);
    let host = &manifest.host;
    let memory = host.memory_bytes.map_or_else(String::new, |bytes| format!(", {}", size(bytes)));
    let ended = manifest.ended.as_ref().map_or_else(|| "never: it was killed".to_owned(), |ended| short(ended));
    vec![
        ("Scenario", format!("{}, {}", summary.scenario, counted(summary.devices, "device"))),
        ("Seed", summary.seed.to_string()),
        ("Policy", summary.policy.clone()),
        ("Started", short(&manifest.started)),
        ("Ended", ended),
        ("Lasted", time(Some(summary.duration_s * 1e3))),
        ("Host", format!("{} {}, {}{memory}", host.os, host.architecture, counted(u64::from(host.cores), "core"))),
        ("Version", format!("dmswarm {} ({})", manifest.version, manifest.commit)),
    ]
}

/// `2026-11-22T11:50:03.123Z` as `2026-11-22 11:50:03 UTC`.
fn short(moment: &str) -> String {
    match moment.split_once('T').and_then(|(day, rest)| Some((day, rest.split_once('.')?.0))) {
        Some((day, time)) => format!("{day} {time} UTC"),
        None => moment.to_owned(),
    }
}

/// As it can be typed again.
fn command(words: &[String]) -> String {
    let quoted = |word: &String| shlex::try_quote(word).map_or_else(|_| word.clone(), |quoted| quoted.into_owned());
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
