//! One pass over the elements of a document that nobody has to trust: borrowed where it can be, bounded where it must.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::characters::{Text, forbidden_character, is_allowed, is_name, is_white_space};
use crate::delegation::misbehaved::Misbehaved;

/// How deep elements may be nested, the root being 1. A message needs 4, its DMAcc as TNDS 12.
pub(super) const MAX_DEPTH: usize = 32;

/// What the walk of one document has come to: always just behind a start tag or an end tag.
pub(super) struct Walk<'a> {
    reader: Reader<&'a [u8]>,
    /// The document without its byte order mark.
    text: &'a str,
    /// Length of the byte order mark, so that positions count from the start of the body.
    mark: usize,
    /// How many elements are open.
    depth: usize,
    /// Whether the element opened last is `<like-this/>`: open for us, closed for the reader.
    is_empty: bool,
    /// Whether anything at all has been read.
    has_begun: bool,
    /// Whether the root element has been opened.
    has_root: bool,
}

impl<'a> Walk<'a> {
    /// Begins a walk. The body has to be UTF-8, with or without its byte order mark.
    pub(super) fn new(body: &'a [u8]) -> Result<Walk<'a>, Misbehaved> {
        let whole = std::str::from_utf8(body).map_err(|error| {
            let at = error.valid_up_to();
            Misbehaved::NotUtf8 { at, why: format!("the byte 0x{:02x}", body.get(at).copied().unwrap_or_default()) }
        })?;
        let text = whole.strip_prefix('\u{feff}').unwrap_or(whole);
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        let walk = Walk {
            reader,
            text,
            mark: whole.len() - text.len(),
            depth: 0,
            is_empty: false,
            has_begun: false,
            has_root: false,
        };
        if text.starts_with('\u{feff}') {
            // Refused here, since the reader would pass over it and count positions without it.
            return Err(walk.beside_the_root(0));
        }
        match forbidden_character(text) {
            Some(at) => Err(walk.not_xml(at, "a character that XML does not allow")),
            None => Ok(walk),
        }
    }

    /// The name of the root element, which is then open.
    pub(super) fn root(&mut self) -> Result<&'a str, Misbehaved> {
        match self.child()? {
            Some(name) => Ok(name),
            None => Err(self.not_xml(self.text.len(), "no element at all")),
        }
    }

    /// The name of the next element inside the open one, which is then the open one; `None` when the open element
    /// ended instead. Text in between means nothing and is passed over.
    pub(super) fn child(&mut self) -> Result<Option<&'a str>, Misbehaved> {
        if self.close_empty() {
            return Ok(None);
        }
        loop {
            match self.event()? {
                (at, Event::Start(tag)) => return self.open(at, &tag, false).map(Some),
                (at, Event::Empty(tag)) => return self.open(at, &tag, true).map(Some),
                (_, Event::End(_)) => {
                    self.depth -= 1;
                    return Ok(None);
                }
                (_, Event::Eof) => return Ok(None),
                _ => {}
            }
        }
    }

    /// Passes over the rest of the open element and all that is in it.
    pub(super) fn skip(&mut self) -> Result<(), Misbehaved> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.child()?;
        }
        Ok(())
    }

    /// The text of the open element, which is then closed; `None` if elements stand in it.
    pub(super) fn text(&mut self) -> Result<Option<Cow<'a, str>>, Misbehaved> {
        match self.inside()? {
            Inside::Text(text) => Ok(Some(text)),
            Inside::Child(_) => {
                self.skip()?;
                self.skip()?;
                Ok(None)
            }
        }
    }

    /// What stands in the open element: text, and then it is closed; or elements, and then the first of them is open.
    ///
    /// White space around a text is trimmed where it was typed as such; what was written as a reference (`&#32;`) or
    /// in a CDATA section was meant.
    pub(super) fn inside(&mut self) -> Result<Inside<'a>, Misbehaved> {
        let mut text = Text::default();
        if self.close_empty() {
            return Ok(Inside::Text(text.finish()));
        }
        loop {
            match self.event()? {
                (_, Event::Text(typed)) => text.push_typed(typed.xml10_content()),
                (_, Event::CData(meant)) => text.push_meant(meant.xml10_content()),
                (at, Event::GeneralRef(reference)) => text.push_character(self.resolve(at, &reference)?),
                (at, Event::Start(tag)) => return self.open(at, &tag, false).map(Inside::Child),
                (at, Event::Empty(tag)) => return self.open(at, &tag, true).map(Inside::Child),
                (_, Event::End(_)) => {
                    self.depth -= 1;
                    return Ok(Inside::Text(text.finish()));
                }
                _ => {}
            }
        }
    }

    /// Checks that nothing but comments and white space follows the root element, which has to be closed by now.
    pub(super) fn finish(mut self) -> Result<(), Misbehaved> {
        loop {
            match self.event()? {
                (_, Event::Eof) => return Ok(()),
                (at, Event::Start(_) | Event::Empty(_)) => {
                    return Err(Misbehaved::TrailingContent { at: at + self.mark });
                }
                _ => {}
            }
        }
    }

    /// The next event of the reader and where it begins, once it has been found to be one that a message may have.
    fn event(&mut self) -> Result<(usize, Event<'a>), Misbehaved> {
        let at = self.position();
        let event = self.reader.read_event().map_err(|error| self.ill_formed(&error))?;
        match &event {
            Event::DocType(_) => return Err(self.has_dtd(at, "a document type")),
            Event::Decl(_) if self.has_begun => {
                return Err(self.not_xml(at, "an XML declaration that is not the very first thing"));
            }
            Event::Decl(declaration) => self.check_declaration(at, declaration)?,
            Event::Text(text) if self.depth == 0 && !text.bytes().all(is_white_space) => {
                return Err(self.beside_the_root(at));
            }
            Event::CData(_) | Event::GeneralRef(_) if self.depth == 0 => return Err(self.beside_the_root(at)),
            // Here, and not only where texts are put together, so that it holds in elements that are passed over.
            Event::GeneralRef(reference) => {
                self.resolve(at, reference)?;
            }
            Event::Eof if self.depth > 0 => return Err(self.truncated()),
            _ => {}
        }
        self.has_begun = true;
        Ok((at, event))
    }

    fn open(&mut self, at: usize, tag: &BytesStart<'a>, is_empty: bool) -> Result<&'a str, Misbehaved> {
        if self.depth == MAX_DEPTH {
            return Err(Misbehaved::NestedTooDeep { at: at + self.mark, limit: MAX_DEPTH });
        }
        // Cut from the document, since the tag lends its name only for as long as it lives itself.
        let name = self.text.get(at + 1..at + 1 + tag.name().as_ref().len()).unwrap_or_default();
        if !is_name(name) {
            return Err(self.not_xml(at, "an element without a proper name"));
        }
        if !tag.attributes_raw().bytes().all(is_white_space) {
            self.check_attributes(at, tag)?;
        }
        self.depth += 1;
        self.is_empty = is_empty;
        self.has_root = true;
        Ok(name)
    }

    /// Closes the open element for us too if it was `<like-this/>`.
    fn close_empty(&mut self) -> bool {
        let was_empty = std::mem::take(&mut self.is_empty);
        if was_empty {
            self.depth -= 1;
        }
        was_empty
    }

    /// The reader leaves attributes alone until they are asked for; all that is in ours is the schema's location.
    fn check_attributes(&self, at: usize, tag: &BytesStart<'a>) -> Result<(), Misbehaved> {
        let mut names = Vec::new();
        // Without the reader's own check for doubled names, which takes quadratic time.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.not_xml(at, "a malformed attribute"))?;
            if !is_name(attribute.key.as_ref()) || attribute.value.contains('<') {
                return Err(self.not_xml(at, "a malformed attribute"));
            }
            if attribute.value.contains('&') && unescape(&attribute.value).is_err() {
                return Err(self.has_dtd(at, UNDEFINED_ENTITY));
            }
            names.push(attribute.key);
        }
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(self.not_xml(at, "a doubled attribute"));
        }
        Ok(())
    }

    fn check_declaration(&self, at: usize, declaration: &BytesDecl<'a>) -> Result<(), Misbehaved> {
        declaration.version().map_err(|_| self.not_xml(at, "an XML declaration without a version"))?;
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("UTF-8") => Ok(()),
            Some(Ok(_)) => {
                Err(Misbehaved::NotUtf8 { at: at + self.mark, why: "another encoding in the XML declaration".into() })
            }
            Some(Err(_)) => Err(self.not_xml(at, "a malformed XML declaration")),
        }
    }

    /// One of XML's five entities, or a character by its number; any other entity would have to be defined in a DTD.
    fn resolve(&self, at: usize, reference: &BytesRef<'a>) -> Result<char, Misbehaved> {
        if reference.is_char_ref() {
            let character = reference.resolve_char_ref().ok().flatten();
            return character
                .filter(|&character| is_allowed(character))
                .ok_or_else(|| self.not_xml(at, "a reference to a character that XML does not allow"));
        }
        resolve_predefined_entity(reference)
            .and_then(|text| text.chars().next())
            .ok_or_else(|| self.has_dtd(at, UNDEFINED_ENTITY))
    }

    /// The reader's own errors, without the text they quote: it may be a piece of a credential (D16).
    fn ill_formed(&self, error: &Error) -> Misbehaved {
        let at = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
        let rest = self.text.get(at..).unwrap_or_default();
        let is_at_end = self.position() >= self.text.len() || "<!--".starts_with(rest) || "<![CDATA[".starts_with(rest);
        match error {
            Error::Syntax(SyntaxError::UnclosedDoctype) => self.has_dtd(at, "a document type"),
            Error::IllFormed(IllFormedError::MissingDoctypeName) => self.has_dtd(at, "a document type"),
            // The reader says of these that they are not closed also when they are something else, like `<![X[`.
            Error::Syntax(
                SyntaxError::InvalidBangMarkup | SyntaxError::UnclosedComment | SyntaxError::UnclosedCData,
            )
            | Error::IllFormed(IllFormedError::UnclosedReference)
                if is_at_end =>
            {
                self.truncated()
            }
            Error::Syntax(
                SyntaxError::InvalidBangMarkup | SyntaxError::UnclosedComment | SyntaxError::UnclosedCData,
            ) => self.not_xml(at, "markup that is none"),
            Error::Syntax(_) => self.truncated(),
            Error::IllFormed(IllFormedError::UnclosedReference) => self.not_xml(at, "a & that begins no reference"),
            Error::IllFormed(IllFormedError::UnmatchedEndTag(_) | IllFormedError::MismatchedEndTag { .. }) => {
                self.not_xml(at, "an end tag of another element than the open one")
            }
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => self.not_xml(at, "-- inside a comment"),
            _ => self.not_xml(at, "something else"),
        }
    }

    fn truncated(&self) -> Misbehaved {
        Misbehaved::Truncated { at: self.text.len() + self.mark }
    }

    fn beside_the_root(&self, at: usize) -> Misbehaved {
        if self.has_root {
            Misbehaved::TrailingContent { at: at + self.mark }
        } else {
            self.not_xml(at, "text before the root element")
        }
    }

    fn not_xml(&self, at: usize, why: &str) -> Misbehaved {
        Misbehaved::NotXml { at: at + self.mark, why: why.to_owned() }
    }

    fn has_dtd(&self, at: usize, what: &'static str) -> Misbehaved {
        Misbehaved::HasDtd { at: at + self.mark, what }
    }

    /// How far the reader has come, in bytes.
    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }
}

/// What stands in an element.
pub(super) enum Inside<'a> {
    Text(Cow<'a, str>),
    /// The name of the first element in it; text before it means nothing.
    Child(&'a str),
}

const UNDEFINED_ENTITY: &str = "an entity that is not one of XML's five";
