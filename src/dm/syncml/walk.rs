//! A walk through the elements of a message, one at a time: what the rules of reading ask of XML and of WBXML alike.

use std::borrow::Cow;
use std::str::FromStr;

use super::error::SyncmlError;

/// A place in a document: always directly inside the element whose start was read last and not yet left.
pub trait Walk<'x> {
    /// Goes into the root element, past whatever stands before it.
    fn root(&mut self) -> Result<(), SyncmlError>;

    /// Makes sure that nothing follows the root element.
    fn finish(&mut self) -> Result<(), SyncmlError>;

    /// Goes into the next child and gives its local name; `None` when the element ends, which leaves it.
    fn child(&mut self) -> Result<Option<&'x str>, SyncmlError>;

    /// Reads to the end of the element and leaves it.
    fn content(&mut self) -> Result<Content<'x>, SyncmlError>;

    /// Passes over the rest of the element, and leaves it.
    fn skip(&mut self) -> Result<(), SyncmlError>;

    /// The byte at which what comes next begins.
    fn at(&self) -> usize;

    /// The element's text without the white space around it.
    fn word(&mut self, element: &'static str) -> Result<String, SyncmlError> {
        let text = self.plain(element)?;
        let trimmed = text.trim_ascii();
        Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
    }

    /// The code in a Data.
    fn code(&mut self, expected: &'static str) -> Result<u16, SyncmlError> {
        self.number("Data", expected)
    }

    /// A number of bytes.
    fn size(&mut self, element: &'static str) -> Result<u64, SyncmlError> {
        self.number(element, "a number of bytes")
    }

    /// A number in decimal digits.
    fn number<N: FromStr>(&mut self, element: &'static str, expected: &'static str) -> Result<N, SyncmlError> {
        let (at, found) = (self.at(), self.word(element)?);
        found.parse().map_err(|_| bad_value(at, element, expected, &found))
    }

    /// The element's text, which must not have elements in it.
    fn plain(&mut self, element: &'static str) -> Result<String, SyncmlError> {
        let at = self.at();
        match self.content()? {
            Content::Text(text) => Ok(text),
            Content::Markup(markup) => Err(bad_value(at, element, "text", &markup)),
            Content::Octets(octets) => Err(bad_value(at, element, "text", &String::from_utf8_lossy(&octets))),
        }
    }

    /// The root, a child of it or a grandchild lacks something.
    fn missing(&self, parent: &'static str, element: &'static str) -> SyncmlError {
        SyncmlError::Missing { at: self.at(), parent, element }
    }

    /// Something is there twice.
    fn doubled(&self, parent: &'static str, element: &'static str) -> SyncmlError {
        SyncmlError::Doubled { at: self.at(), parent, element }
    }
}

/// What stands inside an element.
pub enum Content<'x> {
    Text(String),
    /// Elements, as XML.
    Markup(Cow<'x, str>),
    /// What is no text: only WBXML can hold it.
    Octets(Vec<u8>),
}

fn bad_value(at: usize, element: &'static str, expected: &'static str, found: &str) -> SyncmlError {
    SyncmlError::BadValue { at, element, expected, found: found.chars().take(EXCERPT).collect() }
}

/// Characters of what was found that an error quotes.
const EXCERPT: usize = 40;
