//! Items as test cases, in the form that build servers read: a suite for each requirement of Appendix B.
//!
//! An item that failed is a failure where it is mandatory, and skipped with the reason where it is not: a build fails just
//! where the program ends with 9.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{around, told};
use crate::results::conformance::{Conclusion, Conformance, ItemResult, ItemVerdict, Level};

/// The whole document, ending with a line end.
pub fn document(conformance: &Conformance) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut writer, conformance).expect("it is written to memory");
    let mut text = String::from_utf8(writer.into_inner()).expect("it was written as text");
    text.push('\n');
    text
}

fn is_failure(item: &&ItemResult) -> bool {
    item.verdict == ItemVerdict::Fail && item.level == Level::Mandatory
}

fn is_skipped(item: &&ItemResult) -> bool {
    item.verdict != ItemVerdict::Pass && !is_failure(item)
}

fn write(writer: &mut Writer<Vec<u8>>, conformance: &Conformance) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = conformance.items.iter().filter(is_failure).count();
    let errors = usize::from(is_error(conformance));
    writer
        .create_element("testsuites")
        .with_attribute(("name", format!("dmswarm conform {}", conformance.peer).as_str()))
        .with_attribute(("tests", (conformance.items.len() + 1).to_string().as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .with_attribute(("errors", errors.to_string().as_str()))
        .with_attribute(("time", format!("{:.3}", conformance.duration_s).as_str()))
        .write_inner_content(|writer| {
            write_contact(writer, conformance)?;
            conformance.requirements.iter().try_for_each(|one| write_suite(writer, conformance, &one.id))
        })?;
    Ok(())
}

fn is_error(conformance: &Conformance) -> bool {
    matches!(conformance.conclusion, Conclusion::Unreachable | Conclusion::Inconclusive | Conclusion::Interrupted)
}

/// Whether anything could be tried at all.
fn write_contact(writer: &mut Writer<Vec<u8>>, conformance: &Conformance) -> io::Result<()> {
    let errors = if is_error(conformance) { "1" } else { "0" };
    let suite = writer.create_element("testsuite").with_attribute(("name", "contact"));
    let suite =
        suite.with_attribute(("tests", "1")).with_attribute(("failures", "0")).with_attribute(("errors", errors));
    suite.with_attribute(("skipped", "0")).write_inner_content(|writer| {
        let case = writer.create_element("testcase").with_attribute(("classname", "dmswarm.conform"));
        let case = case.with_attribute(("name", "the peer can be tried"));
        if errors == "0" {
            return case.write_empty().map(|_| ());
        }
        case.write_inner_content(|writer| {
            let error =
                writer.create_element("error").with_attribute(("message", plain(&conformance.because).as_str()));
            error.with_attribute(("type", conformance.conclusion.words())).write_empty().map(|_| ())
        })
        .map(|_| ())
    })?;
    Ok(())
}

fn write_suite(writer: &mut Writer<Vec<u8>>, conformance: &Conformance, requirement: &str) -> io::Result<()> {
    let items = || conformance.items.iter().filter(|item| item.requirement == requirement);
    writer
        .create_element("testsuite")
        .with_attribute(("name", requirement))
        .with_attribute(("tests", items().count().to_string().as_str()))
        .with_attribute(("failures", items().filter(is_failure).count().to_string().as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("skipped", items().filter(is_skipped).count().to_string().as_str()))
        .with_attribute(("timestamp", conformance.started.trim_end_matches('Z')))
        .write_inner_content(|writer| items().try_for_each(|item| write_item(writer, conformance, item)))?;
    Ok(())
}

fn write_item(writer: &mut Writer<Vec<u8>>, conformance: &Conformance, item: &ItemResult) -> io::Result<()> {
    let class = format!("dmswarm.conform.{}", item.requirement);
    let element = writer.create_element("testcase").with_attribute(("classname", class.as_str()));
    let element = element.with_attribute(("name", item.id.as_str()));
    let found = plain(&told(item));
    element.write_inner_content(|writer| {
        match item.verdict {
            ItemVerdict::Pass => {}
            ItemVerdict::Fail if is_failure(&item) => {
                let failure = writer.create_element("failure").with_attribute(("message", found.as_str()));
                let text = plain(&at_length(conformance, item));
                failure.with_attribute(("type", "failed")).write_text_content(BytesText::new(&text))?;
                return Ok(());
            }
            verdict => {
                let message = format!("{} ({}): {found}", verdict.words(), item.level.word());
                writer.create_element("skipped").with_attribute(("message", message.as_str())).write_empty()?;
            }
        }
        let out = plain(&at_length(conformance, item));
        writer.create_element("system-out").write_text_content(BytesText::new(&out))?;
        Ok(())
    })?;
    Ok(())
}

fn at_length(conformance: &Conformance, item: &ItemResult) -> String {
    let mut text = format!("{} ({})\n", item.says, item.section);
    for evidence in &item.evidence {
        let holds = if evidence.holds { "holds" } else { "does not hold" };
        text.push_str(&format!("{}: {holds}: {}\n", evidence.case, evidence.found));
        for one in around(conformance, evidence).iter().filter(|_| !evidence.holds) {
            text.push_str(&format!("  {} -> {}  {}\n", one.from, one.to, one.what));
            one.body.iter().for_each(|body| text.push_str(&format!("{body}\n")));
        }
    }
    text
}

/// Without what XML forbids.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}
