//! A comparison as one HTML file that needs nothing from anywhere and has no script: intervals as drawings, and where in each
//! distribution of times a change is.
//!
//! Names of runs and what stands in scenarios are text here, and never markup.

use maud::{Markup, html};

use crate::compare::{Differing, MetricShift, Objection, Row, Run, Unit};
use crate::report::comparison::Account;
use crate::report::comparison::drawing::{self, Reach};
use crate::report::comparison::words::{change, conclusion, difference, effect, figure, p};
use crate::report::figures::{count, time};
use crate::report::frame::{self, Section};
use crate::report::run_page::style;
use crate::statistics::{Comparison, Interval, Verdict};

const STYLE: &str = include_str!("page.css");

/// The page. It ends as a text does, with the end of a line.
pub fn page(account: &Account<'_>) -> String {
    let section = |id, title, body| Section { id, title, body };
    let mut sections = vec![
        section("metrics", "Metrics", metrics(account)),
        section("shifts", "Where times have changed", shifts(account)),
        section("runs", "Runs", runs(account)),
    ];
    if !account.objections.is_empty() {
        sections.push(section("objections", "Compared all the same", objections(account.objections)));
    }
    if !account.compared.left_out.is_empty() {
        sections.push(section("left-out", "Left out", left_out(account)));
    }
    sections.push(section("how", "How it was judged", how(account)));
    let word = account.compared.verdict().key();
    let body = html! {
        a.skip href="#main" { "Skip to the metrics" }
        header { (head(account)) }
        (frame::contents(&sections))
        footer { p { "Made by dmswarm " (env!("CARGO_PKG_VERSION")) " from the stored data of the runs." } }
    };
    frame::page(&format!("compare: {word}"), &format!("{}{STYLE}", style()), &body)
}

fn head(account: &Account<'_>) -> Markup {
    let overall = account.compared.verdict();
    let word = match drawing::class(overall) {
        "plain" => "good",
        class => class,
    };
    let sentence = conclusion(account);
    let reason = sentence.split_once(": ").map_or(sentence.as_str(), |(_, reason)| reason);
    let figures = [Verdict::Worse, Verdict::Better, Verdict::Same, Verdict::NotEnoughRuns];
    html! {
        div.verdict {
            h1 { (names(account.baseline)) " against " (names(account.contender)) }
            p.word.(word) { (overall.key()) }
            p.reason { (reason) }
        }
        dl.figures { @for verdict in figures { div { dt { (verdict.key()) } dd { (account.compared.count(verdict)) } } } }
        @if !account.warnings.is_empty() {
            ul.notes.warn { @for warning in account.warnings { li { (warning) } } }
        }
    }
}

/// `quickstart (12 runs)`.
fn names(runs: &[Run]) -> String {
    let name = runs.first().map_or("", |run| run.manifest.scenario.as_str());
    format!("{name} ({} run{})", runs.len(), if runs.len() == 1 { "" } else { "s" })
}

fn metrics(account: &Account<'_>) -> Markup {
    let least_change = account.options.least_change;
    let changes = account.compared.rows.iter().filter_map(|row| row.comparison.change.as_ref());
    let reach = Reach::of(changes, least_change);
    let row = |row: &Row| {
        let comparison = &row.comparison;
        let (change, interval) = change(row);
        html! { tr {
            th scope="row" { (row.metric.name) }
            td.m { span class={ "tag " (drawing::class(comparison.verdict)) } { (comparison.verdict.key()) } }
            td { (figure(row.metric.unit, comparison.baseline.median)) }
            td { (figure(row.metric.unit, comparison.contender.median)) }
            td { (change) }
            td.m {
                @if let Some(change) = &comparison.change {
                    (drawing::interval(change, comparison.verdict, least_change, reach))
                }
            }
            td { (interval) }
            td { (p(comparison.ranks.p)) }
            td { (p(comparison.adjusted_p)) }
            td { (effect(comparison)) }
            td { (needed(comparison)) }
        } }
    };
    html! {
        p.hint {
            "A dot is the change of the median, the line its " (account.options.confidence * 100.0) " % interval; grey is what \
             is smaller than the change that is looked for. All are drawn on one scale."
        }
        div.scroll tabindex="0" role="region" aria-label="Metrics" { table {
            thead { tr {
                th scope="col" { "metric" } th.m scope="col" { "verdict" } th scope="col" { "baseline" }
                th scope="col" { "contender" } th scope="col" { "change" } th.m scope="col" { "" }
                th scope="col" { "interval" } th scope="col" { "p" } th scope="col" { "p of all" }
                th scope="col" { "effect" } th scope="col" { "runs needed" }
            } }
            tbody { @for one in account.rows_by_verdict() { (row(one)) } }
        } }
    }
}

/// How many runs of each would be enough, where there are not enough.
fn needed(comparison: &Comparison) -> String {
    match (comparison.verdict, comparison.runs_needed) {
        (Verdict::NotEnoughRuns, Some(needed)) => count(needed as u64),
        (Verdict::NotEnoughRuns, None) => "unknown".to_owned(),
        _ => String::new(),
    }
}

fn shifts(account: &Account<'_>) -> Markup {
    let is_shifted = |one: &&MetricShift| one.shift.quantiles.iter().any(|quantile| quantile.is_shifted);
    let (shifted, others): (Vec<_>, Vec<_>) = account.shifts.iter().partition(is_shifted);
    html! {
        @if account.shifts.is_empty() {
            p.hint { "Not all of the runs have kept the distributions of what was compared (latency.hlog)." }
        } @else {
            p.hint {
                "By how much each quantile of a distribution is shifted: the median over the runs, contender minus baseline. A \
                 filled dot is shifted for sure, counted among all of its distribution."
            }
        }
        @for (place, one) in shifted.into_iter().chain(others).enumerate() {
            details.metric open[place == 0] {
                summary { span.name { (one.of) } span.much { (in_short(one)) } }
                (drawing::shifted(&one.of, &one.shift))
                details { summary { "Figures" } (quantiles(one)) }
            }
        }
    }
}

fn in_short(shift: &MetricShift) -> String {
    let shifted: Vec<String> = shift
        .shift
        .quantiles
        .iter()
        .filter(|one| one.is_shifted)
        .map(|one| format!("p{} {}", drawing::share(one.share), difference(Unit::Milliseconds, one.difference)))
        .collect();
    match shifted.as_slice() {
        [] => "no quantile is shifted for sure".to_owned(),
        [one] => format!("shifted at {one}"),
        [first, .., last] => format!("{} quantiles are shifted, from {first} to {last}", shifted.len()),
    }
}

fn quantiles(shift: &MetricShift) -> Markup {
    let ms = |value: f64| difference(Unit::Milliseconds, value);
    html! { div.scroll tabindex="0" role="region" aria-label=(shift.of) { table {
        thead { tr {
            @for head in ["quantile", "baseline", "contender", "difference", "interval", "shifted"] {
                th scope="col" { (head) }
            }
        } }
        tbody { @for one in &shift.shift.quantiles { tr {
            th scope="row" { "p" (drawing::share(one.share)) }
            td { (time(Some(one.baseline))) }
            td { (time(Some(one.contender))) }
            td { (ms(one.difference)) }
            td {
                @match one.interval {
                    Some(Interval { low, high }) => { (ms(low)) " to " (ms(high)) }
                    None => { "-" }
                }
            }
            td { @if one.is_shifted { "yes" } @else { "no" } }
        } } }
    } } }
}

fn runs(account: &Account<'_>) -> Markup {
    html! {
        @for (name, runs) in [("baseline", account.baseline), ("contender", account.contender)] {
            h3 { (name) }
            div.scroll tabindex="0" role="region" aria-label=(name) { table {
                thead { tr {
                    th scope="col" { "run" } th.l scope="col" { "started" } th.l scope="col" { "verdict" }
                    th.l scope="col" { "version" }
                } }
                tbody { @for run in runs { tr {
                    th scope="row" { (run.name) }
                    td.l { (run.manifest.started) }
                    td.l { (run.manifest.verdict.key()) }
                    td.l { (run.manifest.version) ", commit " (run.manifest.commit) }
                } } }
            } }
        }
    }
}

fn objections(objections: &[Objection]) -> Markup {
    html! { @for objection in objections {
        p.hint { (objection.to_string()) }
        @if let Objection::Scenario(Differing { from, runs, differences }) = objection {
            div.scroll tabindex="0" role="region" aria-label="Keys that differ" { table.keys {
                thead { tr {
                    th scope="col" { "key" } th scope="col" { (from) }
                    th scope="col" { (runs.first().map_or("", String::as_str)) }
                } }
                tbody { @for one in differences { tr {
                    th scope="row" { (one.key) }
                    @for value in [&one.here, &one.there] {
                        td { @match value { Some(value) => { code { (value) } } None => { "not there" } } }
                    }
                } } }
            } }
        }
    } }
}

fn left_out(account: &Account<'_>) -> Markup {
    html! { ul.notes { @for one in &account.compared.left_out { li { (one.metric) ": " (one.why) } } } }
}

fn how(account: &Account<'_>) -> Markup {
    let options = account.options;
    html! {
        ul.notes {
            li { "One value stands for one run: what is measured within a run depends on each other." }
            li {
                "A metric is worse or better only where the " (options.confidence * 100.0) " % interval of the change of medians \
                 excludes 0 (from " (count(options.resamples as u64)) " resamples of the runs, seed " (options.seed) "), the \
                 change exceeds the noise that repeats of the same thing show, and the ranks (Mann-Whitney) are no chance among \
                 all the metrics (Holm). Where ranks of so few runs cannot be rare among so many metrics, they have to be rare \
                 alone (p), and the change at least as large as such runs would show."
            }
            li {
                "It is the same only where a change of " (options.least_change * 100.0) " % would have been found in "
                (options.power * 100.0) " of 100 comparisons and the interval rules it out. Else there are not enough runs."
            }
        }
    }
}
