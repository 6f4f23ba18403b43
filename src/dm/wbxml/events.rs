//! WBXML, token by token: its header, its string table, and what follows, with every error in its place.

use super::tokens;
use crate::dm::syncml::{MAX_DEPTH, SyncmlError};

/// The tokens of a document in their order.
pub struct Events<'x> {
    bytes: &'x [u8],
    at: usize,
    table: &'x [u8],
    page: u8,
    depth: usize,
    /// Whether the element entered last has no content: it ends at once.
    is_empty: bool,
    /// The element entered last, for errors.
    element: &'x str,
    /// Bytes that references to the string table have come to.
    repeated: usize,
}

/// What a token, or several, come to.
pub enum Event<'x> {
    Start { name: &'x str, page: u8 },
    End,
    Text(&'x str),
    Char(char),
    Octets(&'x [u8]),
    Eof,
}

impl<'x> Events<'x> {
    /// Reads what stands before the root element.
    pub fn new(bytes: &'x [u8]) -> Result<Events<'x>, SyncmlError> {
        let mut events =
            Events { bytes, at: 0, table: &[], page: 0, depth: 0, is_empty: false, element: "SyncML", repeated: 0 };
        let version = events.byte()?;
        if !VERSIONS.contains(&version) {
            return Err(events.malformed(0, format!("version byte {version:#04x}, expected 0x01 to 0x03 (1.1 to 1.3)")));
        }
        let at = events.at;
        let public_id = events.integer()?;
        let place = if public_id == 0 { Some(events.integer()?) } else { None };
        let charset_at = events.at;
        let charset = events.integer()?;
        if !CHARSETS.contains(&charset) {
            let why = format!("character set {charset}, expected 106 (UTF-8)");
            return Err(events.malformed(charset_at, why));
        }
        let length = events.integer()?;
        events.table = events.take(length)?;
        let is_syncml = match place {
            Some(place) => events.entry(at, place)?.starts_with("-//SYNCML//DTD SyncML "),
            None => PUBLIC_IDS.contains(&public_id),
        };
        if is_syncml {
            Ok(events)
        } else {
            Err(events.malformed(at, format!("public identifier {public_id:#x}, expected 0x1201 (SyncML 1.2)")))
        }
    }

    /// The byte at which the next token begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The next event; an element that starts has been entered, one that ends has been left.
    pub fn next(&mut self) -> Result<Event<'x>, SyncmlError> {
        if std::mem::take(&mut self.is_empty) {
            self.depth -= 1;
            return Ok(Event::End);
        }
        loop {
            let at = self.at;
            let Some(&token) = self.bytes.get(at) else { return Ok(Event::Eof) };
            self.at += 1;
            return match token {
                SWITCH_PAGE => {
                    self.page = self.byte()?;
                    continue;
                }
                END if self.depth == 0 => Err(self.malformed(at, "an end without a start")),
                END => {
                    self.depth -= 1;
                    Ok(Event::End)
                }
                ENTITY => {
                    let number = self.integer()?;
                    let character = char::from_u32(number);
                    character.map(Event::Char).ok_or_else(|| self.malformed(at, format!("no character {number:#x}")))
                }
                STR_I => self.inline().map(Event::Text),
                STR_T => {
                    let place = self.integer()?;
                    self.reference(at, place).map(Event::Text)
                }
                OPAQUE => {
                    let length = self.integer()?;
                    self.take(length).map(Event::Octets)
                }
                _ => self.start(at, token),
            };
        }
    }

    fn start(&mut self, at: usize, token: u8) -> Result<Event<'x>, SyncmlError> {
        let page = self.page;
        let name = match token & !(HAS_CONTENT | HAS_ATTRIBUTES) {
            LITERAL => {
                let place = self.integer()?;
                let name = self.reference(at, place)?;
                let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte) || byte >= 0x80);
                if !is_name {
                    return Err(self.malformed(at, "a literal tag without a name"));
                }
                name.rsplit_once(':').map_or(name, |(_, local)| local)
            }
            number => tokens::element(page, number).ok_or_else(|| {
                self.malformed(at, format!("token {number:#04x} of code page {page} is no element of SyncML"))
            })?,
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyncmlError::TooDeep { at, limit: MAX_DEPTH });
        }
        self.element = name;
        if token & HAS_ATTRIBUTES != 0 {
            self.pass_attributes()?;
        }
        self.is_empty = token & HAS_CONTENT == 0;
        Ok(Event::Start { name, page })
    }

    /// SyncML has no attributes in WBXML; whoever sends some is read without them.
    fn pass_attributes(&mut self) -> Result<(), SyncmlError> {
        loop {
            match self.byte()? {
                END => return Ok(()),
                SWITCH_PAGE => drop(self.byte()?),
                STR_I => drop(self.inline()?),
                OPAQUE => {
                    let length = self.integer()?;
                    self.take(length)?;
                }
                ENTITY | LITERAL | STR_T => drop(self.integer()?),
                _ => {}
            }
        }
    }

    fn byte(&mut self) -> Result<u8, SyncmlError> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.truncated())?;
        self.at += 1;
        Ok(byte)
    }

    /// A number in groups of seven bits, at most 32 bits of it.
    fn integer(&mut self) -> Result<u32, SyncmlError> {
        let at = self.at;
        let mut number: u32 = 0;
        loop {
            let byte = self.byte()?;
            if number > u32::MAX >> 7 {
                return Err(self.malformed(at, "a number of more than 32 bits"));
            }
            number = number << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
    }

    fn take(&mut self, length: u32) -> Result<&'x [u8], SyncmlError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let taken = taken.ok_or_else(|| self.truncated())?;
        self.at += taken.len();
        Ok(taken)
    }

    /// A string up to its NUL.
    fn inline(&mut self) -> Result<&'x str, SyncmlError> {
        let at = self.at;
        let rest = self.bytes.get(at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == 0).ok_or_else(|| self.truncated())?;
        self.at += end + 1;
        self.text(at, &rest[..end])
    }

    /// What a reference stands for. A short body could refer to a long string again and again.
    fn reference(&mut self, at: usize, place: u32) -> Result<&'x str, SyncmlError> {
        let text = self.entry(at, place)?;
        self.repeated += text.len();
        if self.repeated > MOST_REPEATED {
            return Err(SyncmlError::TooLong { at, limit: MOST_REPEATED });
        }
        Ok(text)
    }

    /// The string at a place of the table, up to its NUL or to the end of the table.
    fn entry(&self, at: usize, place: u32) -> Result<&'x str, SyncmlError> {
        let rest = usize::try_from(place).ok().and_then(|place| self.table.get(place..));
        let rest = rest.ok_or_else(|| self.malformed(at, format!("no place {place} in the string table")))?;
        self.text(at, rest.split(|byte| *byte == 0).next().unwrap_or_default())
    }

    fn text(&self, at: usize, bytes: &'x [u8]) -> Result<&'x str, SyncmlError> {
        std::str::from_utf8(bytes).map_err(|why| self.malformed(at + why.valid_up_to(), "a string that is not UTF-8"))
    }

    pub fn malformed(&self, at: usize, why: impl Into<String>) -> SyncmlError {
        SyncmlError::NotWbxml { at, element: self.element.to_owned(), why: why.into() }
    }

    pub fn truncated(&self) -> SyncmlError {
        SyncmlError::Truncated { at: self.bytes.len(), element: self.element.to_owned() }
    }
}

/// The versions 1.1 to 1.3.
const VERSIONS: [u8; 3] = [0x01, 0x02, 0x03];
/// SyncML 1.0, 1.1 and 1.2, which have the same tokens, and «unknown».
const PUBLIC_IDS: [u32; 4] = [0x0fd1, 0x0fd3, 0x1201, 0x01];
/// UTF-8, ASCII, and «unknown», which is UTF-8 then.
const CHARSETS: [u32; 3] = [106, 3, 0];

pub const SWITCH_PAGE: u8 = 0x00;
pub const END: u8 = 0x01;
const ENTITY: u8 = 0x02;
pub const STR_I: u8 = 0x03;
pub const LITERAL: u8 = 0x04;
const STR_T: u8 = 0x83;
pub const OPAQUE: u8 = 0xc3;
/// A tag with this bit has content, up to its END.
pub const HAS_CONTENT: u8 = 0x40;
/// A tag with this bit has attributes.
const HAS_ATTRIBUTES: u8 = 0x80;
/// Bytes that all references to the string table may come to.
pub const MOST_REPEATED: usize = 1 << 20;
