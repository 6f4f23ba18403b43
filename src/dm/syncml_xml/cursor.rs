//! A walk through the elements of an XML text, one at a time, with every error in its place.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

use super::{MAX_DEPTH, SyncmlError};

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

    /// Goes into the root element, past the prologue.
    pub fn root(&mut self) -> Result<(), SyncmlError> {
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

    /// Makes sure that nothing follows the root element.
    pub fn finish(&mut self) -> Result<(), SyncmlError> {
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

    /// Goes into the next child and gives its local name; `None` when the element ends, which leaves it.
    pub fn child(&mut self) -> Result<Option<&'x str>, SyncmlError> {
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

    /// The element's text without the white space around it.
    pub fn word(&mut self, element: &'static str) -> Result<String, SyncmlError> {
        let text = self.plain(element)?;
        let trimmed = text.trim_ascii();
        Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
    }

    pub fn code(&mut self, expected: &'static str) -> Result<u16, SyncmlError> {
        self.number("Data", expected)
    }

    pub fn size(&mut self, element: &'static str) -> Result<u64, SyncmlError> {
        self.number(element, "a number of bytes")
    }

    fn number<N: std::str::FromStr>(
        &mut self,
        element: &'static str,
        expected: &'static str,
    ) -> Result<N, SyncmlError> {
        let (at, found) = (self.at(), self.word(element)?);
        found.parse().map_err(|_| {
            let found = found.chars().take(EXCERPT).collect();
            SyncmlError::BadValue { at, element, expected, found }
        })
    }

    /// The element's text, which must not have elements in it.
    fn plain(&mut self, element: &'static str) -> Result<String, SyncmlError> {
        let at = self.at();
        match self.content()? {
            Content::Text(text) => Ok(text),
            Content::Markup(markup) => {
                let found = markup.chars().take(EXCERPT).collect();
                Err(SyncmlError::BadValue { at, element, expected: "text", found })
            }
        }
    }

    /// The content of a Data: its text, or, when it has elements in it (a management tree), their markup as text.
    pub fn data(&mut self) -> Result<String, SyncmlError> {
        Ok(match self.content()? {
            Content::Text(text) => text,
            Content::Markup(markup) => markup.trim_ascii().to_owned(),
        })
    }

    /// Reads to the end of the element and leaves it.
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

    /// The rest of an element that has turned out to have elements in it.
    fn markup(&mut self, begin: usize) -> Result<Content<'x>, SyncmlError> {
        let outside = self.depth - 1;
        loop {
            let end = self.at();
            self.step()?;
            if self.depth == outside {
                return Ok(Content::Markup(&self.text[begin..end]));
            }
        }
    }

    /// Passes over the rest of the element, and leaves it.
    pub fn skip(&mut self) -> Result<(), SyncmlError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.step()?;
        }
        Ok(())
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

    /// The byte at which the next event begins.
    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn malformed(&self, at: usize, why: impl Into<String>) -> SyncmlError {
        SyncmlError::NotXml { at, element: self.element.to_owned(), why: why.into() }
    }

    fn truncated(&self, at: usize) -> SyncmlError {
        SyncmlError::Truncated { at, element: self.element.to_owned() }
    }

    pub fn missing(&self, parent: &'static str, element: &'static str) -> SyncmlError {
        SyncmlError::Missing { at: self.at(), parent, element }
    }

    pub fn doubled(&self, parent: &'static str, element: &'static str) -> SyncmlError {
        SyncmlError::Doubled { at: self.at(), parent, element }
    }
}

/// Characters of what was found that an error quotes.
const EXCERPT: usize = 40;

/// What stands inside an element.
enum Content<'x> {
    Text(String),
    Markup(&'x str),
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
