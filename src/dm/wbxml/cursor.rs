//! A walk through the elements of a WBXML document.

use std::borrow::Cow;

use super::events::{Event, Events};
use super::tokens;
use crate::dm::syncml::SyncmlError;
use crate::dm::syncml::walk::{Content, Walk};
use crate::dm::syncml_xml::page::escape;

/// A place in the document.
pub struct Cursor<'x>(pub Events<'x>);

impl<'x> Walk<'x> for Cursor<'x> {
    fn root(&mut self) -> Result<(), SyncmlError> {
        let at = self.0.at();
        match self.0.next()? {
            Event::Start { name: "SyncML", .. } => Ok(()),
            Event::Start { name, .. } => Err(SyncmlError::NotSyncml { at, root: name.to_owned() }),
            Event::Eof => Err(self.0.truncated()),
            _ => Err(self.0.malformed(at, "expected the root element")),
        }
    }

    fn finish(&mut self) -> Result<(), SyncmlError> {
        let at = self.0.at();
        match self.0.next()? {
            Event::Eof => Ok(()),
            _ => Err(SyncmlError::Trailing { at }),
        }
    }

    fn child(&mut self) -> Result<Option<&'x str>, SyncmlError> {
        loop {
            let at = self.0.at();
            match self.0.next()? {
                Event::Start { name, .. } => return Ok(Some(name)),
                Event::End => return Ok(None),
                Event::Eof => return Err(self.0.truncated()),
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Char(c) if c.is_ascii_whitespace() => {}
                Event::Octets(octets) if octets.trim_ascii().is_empty() => {}
                _ => return Err(self.0.malformed(at, "text where only elements may stand")),
            }
        }
    }

    fn content(&mut self) -> Result<Content<'x>, SyncmlError> {
        let mut octets = Vec::new();
        loop {
            match self.0.next()? {
                Event::Text(text) => octets.extend_from_slice(text.as_bytes()),
                Event::Char(c) => octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Event::Octets(part) => octets.extend_from_slice(part),
                Event::Start { name, page } => return self.markup(name, page),
                Event::End => return Ok(String::from_utf8(octets).map_or_else(is_octets, Content::Text)),
                Event::Eof => return Err(self.0.truncated()),
            }
        }
    }

    fn skip(&mut self) -> Result<(), SyncmlError> {
        let outside = self.0.depth() - 1;
        while self.0.depth() > outside {
            if let Event::Eof = self.0.next()? {
                return Err(self.0.truncated());
            }
        }
        Ok(())
    }

    fn at(&self) -> usize {
        self.0.at()
    }
}

impl<'x> Cursor<'x> {
    /// The rest of an element that has turned out to have elements in it, of which the first has been entered. They are
    /// told as XML, in which a management tree is read.
    fn markup(&mut self, first: &'x str, page: u8) -> Result<Content<'x>, SyncmlError> {
        let mut out = String::new();
        let mut open = Vec::new();
        let mut next = Event::Start { name: first, page };
        loop {
            let at = self.0.at();
            match next {
                Event::Start { name, page } => {
                    let around = open.last().map_or(tokens::SYNCML, |(_, page)| *page);
                    out.push('<');
                    out.push_str(name);
                    if page != around {
                        out.push_str(" xmlns=\"");
                        out.push_str(tokens::namespace(page));
                        out.push('"');
                    }
                    out.push('>');
                    open.push((name, page));
                }
                Event::End => match open.pop() {
                    Some((name, _)) => {
                        out.push_str("</");
                        out.push_str(name);
                        out.push('>');
                    }
                    None => return Ok(Content::Markup(Cow::Owned(out))),
                },
                Event::Text(text) => escape(&mut out, text),
                Event::Char(c) => escape(&mut out, c.encode_utf8(&mut [0; 4])),
                Event::Octets(octets) => match std::str::from_utf8(octets) {
                    Ok(text) => escape(&mut out, text),
                    Err(_) => return Err(self.0.malformed(at, "octets that are no text beside elements")),
                },
                Event::Eof => return Err(self.0.truncated()),
            }
            next = self.0.next()?;
        }
    }
}

fn is_octets<'x>(why: std::string::FromUtf8Error) -> Content<'x> {
    Content::Octets(why.into_bytes())
}
