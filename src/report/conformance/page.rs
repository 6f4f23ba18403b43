//! The report of a conformance run: one HTML file that needs nothing from anywhere and has no script.
//!
//! Whatever a peer has said is text here, and never markup.

use maud::{Markup, html};

use super::{ended, told};
use crate::report::frame::{self, Section};
use crate::report::run_page::style;
use crate::results::conformance::{
    CaseEnd, CaseResult, Conclusion, Conformance, Evidence, ItemResult, ItemVerdict, Level, Requirement, Seen,
};

const STYLE: &str = include_str!("page.css");

/// The page. It ends as a text does, with the end of a line.
pub fn page(conformance: &Conformance) -> String {
    let section = |id, title, body| Section { id, title, body };
    let sections = [
        section("requirements", "Appendix B", requirements(conformance)),
        section("failed", "What failed", failed(conformance)),
        section("items", "Every item", items(conformance)),
        section("readings", "Readings of the text", seen(&conformance.readings)),
        section("choices", "Choices of its operator", seen(&conformance.choices)),
        section("cases", "Cases and their exchanges", cases(conformance)),
    ];
    let title = format!("{}: {}", conformance.peer, conformance.conclusion.words());
    let body = html! {
        a.skip href="#main" { "Skip to the items" }
        header { (head(conformance)) }
        (frame::contents(&sections))
        footer { p { "Made by dmswarm " (env!("CARGO_PKG_VERSION")) "." } }
    };
    frame::page(&title, &format!("{}{STYLE}", style()), &body)
}

fn head(conformance: &Conformance) -> Markup {
    let (class, word) = match conformance.conclusion {
        Conclusion::Conforms => ("good", "conforms"),
        Conclusion::Fails => ("bad", "does not conform"),
        Conclusion::Unreachable => ("warn", "unreachable"),
        Conclusion::Inconclusive => ("warn", "inconclusive"),
        Conclusion::Interrupted => ("warn", "interrupted"),
    };
    let figures = ItemVerdict::ALL.map(|verdict| (verdict.words(), conformance.count(verdict)));
    html! {
        div.verdict {
            h1 { "Conformance of " (conformance.peer) " (" (conformance.peer_id) ")" }
            p.word.(class) { (word) }
            p.reason { (conformance.because) }
        }
        dl.figures { @for (name, count) in figures { div { dt { (name) } dd { (count) } } } }
        dl.facts {
            div.wide { dt { "where" } dd { (conformance.url) } }
            div { dt { "scenario" } dd { (conformance.scenario) ", seed " (conformance.seed) } }
            div { dt { "when" } dd { (conformance.started) } }
            div { dt { "it took" } dd { (format!("{:.1} s, {} cases", conformance.duration_s, conformance.cases.len())) } }
        }
        @if !conformance.problems.is_empty() {
            ul.notes.warn { @for problem in &conformance.problems { li { (problem) } } }
        }
    }
}

fn tag(verdict: ItemVerdict) -> Markup {
    let class = match verdict {
        ItemVerdict::Pass => "good",
        ItemVerdict::Fail => "bad",
        ItemVerdict::NotObservable => "plain",
        ItemVerdict::NotSupported => "warn",
    };
    html! { span class={ "tag " (class) } { (verdict.words()) } }
}

fn requirements(conformance: &Conformance) -> Markup {
    let row = |one: &Requirement| {
        html! {
            tr {
                th scope="row" { a href={ "#of-" (one.id) } { (one.id) } }
                td.m { (tag(one.verdict)) }
                td.l { (one.says) }
                @for count in [one.passed, one.failed, one.not_observable, one.not_supported] {
                    td class=[(count == 0).then_some("zero")] { (count) }
                }
            }
        }
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Appendix B" { table {
            thead { tr {
                th scope="col" { "requirement" } th.m scope="col" { "" } th.l scope="col" { "what" }
                @for verdict in ["pass", "fail", "not observable", "not supported"] { th scope="col" { (verdict) } }
            } }
            tbody { @for one in &conformance.requirements { (row(one)) } }
        } }
    }
}

fn failed(conformance: &Conformance) -> Markup {
    let failed = conformance.failed();
    html! {
        @if failed.is_empty() { p.hint { "Nothing." } }
        @for item in failed {
            h3 { code { (item.id) } " " (weight(item)) }
            p { "Expected: " (item.says) " (" (item.section) ")." }
            ul.notes.bad {
                @for evidence in item.evidence.iter().filter(|evidence| !evidence.holds) { li { (look(evidence)) } }
            }
            @if let Some(evidence) = item.evidence.iter().find(|evidence| !evidence.holds) {
                (exchange(conformance, evidence))
            }
        }
    }
}

fn weight(item: &ItemResult) -> Markup {
    let class = if item.level == Level::Mandatory { "bad" } else { "plain" };
    html! { span class={ "tag " (class) } { (item.level.word()) } }
}

/// What a look has found, with a link to the case and the line of it.
fn look(evidence: &Evidence) -> Markup {
    let anchor = match evidence.exchange {
        Some(at) => format!("#{}-{at}", evidence.case),
        None => format!("#case-{}", evidence.case),
    };
    html! { a href=(anchor) { (evidence.case) } ": " (evidence.found) }
}

fn exchange(conformance: &Conformance, evidence: &Evidence) -> Markup {
    let around = super::around(conformance, evidence);
    html! { @for one in around {
        div.exchange {
            p { span.at { (format!("{:.3} s", one.at_ms as f64 / 1000.0)) } " " (one.from) " → " (one.to) ": " (one.what) }
            @if let Some(body) = &one.body { pre.scroll { (body) } }
        }
    } }
}

fn items(conformance: &Conformance) -> Markup {
    let of = |id: &str| conformance.items.iter().filter(|item| item.requirement == id).collect::<Vec<_>>();
    html! { @for requirement in &conformance.requirements {
        h3 id={ "of-" (requirement.id) } { (requirement.id) " " (tag(requirement.verdict)) " " (requirement.says) }
        div.scroll tabindex="0" role="region" aria-label=(requirement.id) { table.items {
            thead { tr {
                th scope="col" { "item" } th.m scope="col" { "" } th.l.narrow scope="col" { "weight" }
                th.l.narrow scope="col" { "role" } th.l.narrow scope="col" { "section" }
                th.l scope="col" { "what, and what was found" }
            } }
            tbody { @for item in of(&requirement.id) { (row(item)) } }
        } }
    } }
}

fn row(item: &ItemResult) -> Markup {
    html! { tr {
        th scope="row" { code { (item.id) } }
        td.m { (tag(item.verdict)) }
        td.l.narrow { (item.level.word()) }
        td.l.narrow { (item.role) }
        td.l.narrow { (item.section) }
        td.l {
            (item.says)
            @if item.evidence.is_empty() {
                p.hint { (told(item)) }
            } @else {
                details {
                    summary { (told(item)) }
                    ul.notes { @for evidence in &item.evidence { li { (look(evidence)) } } }
                }
            }
        }
    } }
}

fn seen(seen: &[Seen]) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label="What was seen" { table {
        thead { tr {
            th scope="col" { "" } th.l scope="col" { "section" } th.l scope="col" { "what there is to choose" }
            th.l scope="col" { "this peer" }
        } }
        tbody { @for one in seen { tr {
            th scope="row" { (one.id) }
            td.l.narrow { (one.section) }
            td.l { (one.question) }
            td.l {
                @if one.answers.is_empty() { span.zero { "not seen" } }
                @for answer in &one.answers { div { (answer) } }
            }
        } } }
    } } }
}

fn cases(conformance: &Conformance) -> Markup {
    html! { @for case in &conformance.cases { (of_case(case)) } }
}

fn of_case(case: &CaseResult) -> Markup {
    let is_whole = case.end == CaseEnd::Whole;
    html! {
        details.metric id={ "case-" (case.name) } {
            summary {
                span.name { (case.name) }
                span.much { (case.says) @if !is_whole { " — " (ended(&case.end)) } }
            }
            @for (at, one) in case.exchanges.iter().enumerate() {
                div.exchange id={ (case.name) "-" (at) } {
                    p {
                        span.at { (format!("{:.3} s", one.at_ms as f64 / 1000.0)) } " "
                        (one.from) " → " (one.to) ": " (one.what)
                    }
                    @if let Some(body) = &one.body { pre.scroll { (body) } }
                }
            }
        }
    }
}
