//! Documents that differ in white space only, as the same text.

use quick_xml::Reader;
use quick_xml::events::Event;

/// One line per tag and per text: attributes sorted, white space around texts and between elements gone.
pub fn canonical(document: &str) -> String {
    let mut lines = Vec::new();
    let mut reader = Reader::from_str(document);
    loop {
        match reader.read_event().expect("the document is well-formed") {
            Event::Start(tag) => {
                let mut attributes: Vec<String> = tag
                    .attributes()
                    .map(|attribute| attribute.expect("the attribute is well-formed"))
                    .map(|attribute| format!(" {}={}", attribute.key.as_ref(), attribute.value))
                    .collect();
                attributes.sort();
                lines.push(format!("<{}{}>", tag.name().as_ref(), attributes.concat()));
            }
            Event::End(tag) => lines.push(format!("</{}>", tag.name().as_ref())),
            Event::Text(text) if text.trim().is_empty() => {}
            Event::Text(text) => lines.push(text.trim().to_owned()),
            Event::Decl(_) => {}
            Event::Eof => return lines.join("\n"),
            other => panic!("no golden document holds {other:?}"),
        }
    }
}
