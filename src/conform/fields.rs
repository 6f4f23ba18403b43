//! The elements of a message as they stand: what the reading of a message forgives, and a conformance run has to see.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// How many elements are looked at; a message has nine at most.
const MOST: usize = 64;

/// The root and its children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    pub root: String,
    /// The children in their order: name and text. Of a child with children of its own, the names of these.
    pub children: Vec<(String, String)>,
}

impl Fields {
    /// Reads them as far as they can be read.
    pub fn read(body: &[u8]) -> Fields {
        let mut fields = Fields::default();
        let text = String::from_utf8_lossy(body);
        let mut reader = Reader::from_str(&text);
        let mut depth = 0_usize;
        // Each turn consumes some of the body, so that this ends.
        while fields.children.len() < MOST {
            match reader.read_event() {
                Ok(Event::Start(tag)) => {
                    depth += 1;
                    fields.open(depth, tag.name().as_ref());
                }
                Ok(Event::Empty(tag)) => fields.open(depth + 1, tag.name().as_ref()),
                Ok(Event::End(_)) => depth = depth.saturating_sub(1),
                Ok(Event::Text(text)) if depth == 2 => fields.push(&text),
                Ok(Event::GeneralRef(reference)) if depth == 2 => {
                    fields.push(resolved(&reference).as_deref().unwrap_or("?"))
                }
                Ok(Event::CData(text)) if depth == 2 => fields.push(&text),
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => {}
            }
        }
        fields.children.iter_mut().for_each(|(_, value)| *value = value.trim().to_owned());
        fields
    }

    fn push(&mut self, text: &str) {
        if let Some((_, value)) = self.children.last_mut() {
            value.push_str(text);
        }
    }

    fn open(&mut self, depth: usize, name: &str) {
        match depth {
            1 => self.root = name.to_owned(),
            2 => self.children.push((name.to_owned(), String::new())),
            3 => {
                if let Some((_, value)) = self.children.last_mut() {
                    value.push_str(name);
                    value.push(' ');
                }
            }
            _ => {}
        }
    }

    /// The text of a child, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|(child, _)| child == name).map(|(_, text)| text.as_str())
    }

    /// Whether a child is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// What stands for a character: one of the five that XML has names for, or its number.
fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character.to_string()),
        Ok(None) => resolve_predefined_entity(reference).map(str::to_owned),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_children_are_told_as_they_are_spelt() {
        let read = Fields::read(
            b"<?xml version=\"1.0\"?><delegation_revoked><Status> DEL_REVOKED </Status><DMAcc><AppID>w7</AppID></DMAcc>\
              <sessionId/></delegation_revoked>",
        );
        assert_eq!(read.root, "delegation_revoked");
        assert_eq!(read.get("Status"), Some("DEL_REVOKED"));
        assert_eq!(read.get("status"), None);
        assert_eq!(read.get("DMAcc"), Some("AppID"), "no value of an account");
        assert_eq!(read.get("sessionId"), Some(""));
    }

    #[test]
    fn rubbish_has_no_elements_and_does_no_harm() {
        for rubbish in [&b""[..], b"\xff\xfe", b"<<<<", b"<a", b"&&&"] {
            assert_eq!(Fields::read(rubbish).children, Vec::new(), "{rubbish:?}");
        }
        let many = "<a/>".repeat(10_000);
        assert!(Fields::read(format!("<r>{many}</r>").as_bytes()).children.len() <= MOST);
    }
}
