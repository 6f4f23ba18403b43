//! A walk through the elements of an XML text, with every error in its place.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

use crate::dm::syncml::walk::{Content, Walk};
use crate::dm::syncml::{MAX_DEPTH, SyncmlError};

/// A place in the text: always directly inside the element whose start was read last and not yet left.
pub struct Cursor<'x> {
    text: &'x str,
    reader: Reader<&'x [u8]>,
    depth: usize,
    /// Local name of the element started last, for errors.
    element: &'x str,
}

impl<'x> Cursor<'x> {
    pub fn new(text: &'x str) -> Cursor<'x> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Cursor { text, reader, depth: 0, element: "SyncML" }
    }

    /// The rest of an element that has turned out to have elements in it.
    fn markup(&mut self, begin: usize) -> Result<Content<'x>, SyncmlError> {
        let outside = self.depth - 1;
        loop {
            let end = self.at();
            self.step()?;
            if self.depth == outside {
                return Ok(Content::Markup(Cow::Borrowed(&self.text[begin..end])));
            }
        }
    }

    /// One event, of which only the depth matters.
    fn step(&mut self) -> Result<(), SyncmlError> {
        let at = self.at();
        match self.event()? {
            Event::Start(start) => self.enter(at, start.name().as_ref().len()).map(drop),
            Event::End(_) => {
                self.depth -= 1;
                Ok(())
            }
            Event::Eof => Err(self.truncated(at)),
            Event::DocType(_) => Err(SyncmlError::Definitions { at }),
            _ => Ok(()),
        }
    }

    /// Notes that the element starting at byte `at` with a name of `length` bytes has been entered; its local name.
    fn enter(&mut self, at: usize, length: usize) -> Result<&'x str, SyncmlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyncmlError::TooDeep { at, limit: MAX_DEPTH });
        }
        let name = self.text.get(at + 1..at + 1 + length).unwrap_or_default();
        self.element = name.rsplit_once(':').map_or(name, |(_, local)| local);
        Ok(self.element)
    }

    fn event(&mut self) -> Result<Event<'x>, SyncmlError> {
        self.reader.read_event().map_err(|why| SyncmlError::NotXml {
            at: usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX),
            element: self.element.to_owned(),
            why: why.to_string(),
        })
    }

    fn malformed(&self, at: usize, why: impl Into<String>) -> SyncmlError {
        SyncmlError::NotXml { at, element: self.element.to_owned(), why: why.into() }
    }

    fn truncated(&self, at: usize) -> SyncmlError {
        SyncmlError::Truncated { at, element: self.element.to_owned() }
    }
}

impl<'x> Walk<'x> for Cursor<'x> {
    fn root(&mut self) -> Result<(), SyncmlError> {
        if self.text.starts_with('\u{feff}') {
            // Refused here, since the reader would pass over it and count positions without it.
            return Err(self.malformed(0, "expected the root element"));
        }
        loop {
            let at = self.at();
            match self.event()? {
                Event::Start(start) => {
                    let name = self.enter(at, start.name().as_ref().len())?;
                    if name != "SyncML" {
                        return Err(SyncmlError::NotSyncml { at, root: name.to_owned() });
                    }
                    return Ok(());
                }
                Event::DocType(doctype) if doctype.contains('[') => return Err(SyncmlError::Definitions { at }),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
                Event::Text(text) if is_blank(&text) => {}
                Event::Eof => return Err(SyncmlError::Truncated { at, element: "SyncML".to_owned() }),
                _ => return Err(self.malformed(at, "expected the root element")),
            }
        }
    }

    fn finish(&mut self) -> Result<(), SyncmlError> {
        loop {
            let at = self.at();
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if is_blank(&text) => {}
                _ => return Err(SyncmlError::Trailing { at }),
            }
        }
    }

    fn child(&mut self) -> Result<Option<&'x str>, SyncmlError> {
        loop {
            let at = self.at();
            match self.event()? {
                Event::Start(start) => return self.enter(at, start.name().as_ref().len()).map(Some),
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(None);
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if is_blank(&text) => {}
                Event::Eof => return Err(self.truncated(at)),
                Event::DocType(_) => return Err(SyncmlError::Definitions { at }),
                _ => return Err(self.malformed(at, "text where only elements may stand")),
            }
        }
    }

    fn content(&mut self) -> Result<Content<'x>, SyncmlError> {
        let begin = self.at();
        let mut text = String::new();
        loop {
            let at = self.at();
            match self.event()? {
                Event::Text(part) => text.push_str(&part),
                Event::CData(part) => text.push_str(&part),
                Event::GeneralRef(name) => match character(&name) {
                    Some(character) => text.push(character),
                    None => return Err(self.malformed(at, format!("`&{};` is no entity of XML", &*name))),
                },
                Event::Start(start) => {
                    self.enter(at, start.name().as_ref().len())?;
                    self.skip()?;
                    return self.markup(begin);
                }
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(Content::Text(text));
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Err(self.truncated(at)),
                Event::DocType(_) | Event::Decl(_) | Event::Empty(_) => {
                    return Err(self.malformed(at, "a declaration inside an element"));
                }
            }
        }
    }

    fn skip(&mut self) -> Result<(), SyncmlError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.step()?;
        }
        Ok(())
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// The character of a numeric reference or of one of XML's five named entities.
fn character(reference: &BytesRef) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => resolve_predefined_entity(reference).and_then(|text| text.chars().next()),
        Err(_) => None,
    }
}
