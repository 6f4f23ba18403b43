//! What elements look like in WBXML.

use std::io::Write;

use super::events::{END, HAS_CONTENT, LITERAL, OPAQUE, STR_I, SWITCH_PAGE};
use super::tokens;
use crate::dm::syncml::write::{Page, Space};

/// A document in the making.
pub struct Octets {
    out: Vec<u8>,
    page: u8,
    /// The names of elements that have no token, each with its NUL.
    table: Vec<u8>,
}

impl Octets {
    /// A document of about this length, up to its root element.
    pub fn new(length: usize) -> Octets {
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&HEADER);
        out.push(PUBLIC_ID.len() as u8);
        out.extend_from_slice(PUBLIC_ID);
        Octets { out, page: tokens::SYNCML, table: Vec::new() }
    }

    /// The whole document.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.table.is_empty() {
            // The table stands before all that refers to it.
            let mut table = Vec::new();
            integer(&mut table, NAMES + self.table.len());
            table.extend_from_slice(PUBLIC_ID);
            table.push(0);
            table.append(&mut self.table);
            self.out.splice(HEADER.len()..HEADER.len() + 1 + PUBLIC_ID.len(), table);
        }
        self.out
    }

    fn start(&mut self, space: Space, name: &str, bits: u8) {
        let page = match space {
            Space::Syncml => tokens::SYNCML,
            Space::Metinf => tokens::METINF,
        };
        match tokens::token(page, name) {
            Some(token) => {
                if page != self.page {
                    self.out.extend_from_slice(&[SWITCH_PAGE, page]);
                    self.page = page;
                }
                self.out.push(token | bits);
            }
            None => {
                let place = self.place(name);
                self.out.push(LITERAL | bits);
                integer(&mut self.out, place);
            }
        }
    }

    /// The place of a name in the table.
    fn place(&mut self, name: &str) -> usize {
        let mut place = NAMES;
        for known in self.table.split(|byte| *byte == 0) {
            if !known.is_empty() && known == name.as_bytes() {
                return place;
            }
            place += known.len() + 1;
        }
        let place = NAMES + self.table.len();
        self.table.extend_from_slice(name.as_bytes());
        self.table.push(0);
        place
    }
}

impl Page for Octets {
    fn open(&mut self, name: &str) {
        self.start(Space::Syncml, name, HAS_CONTENT);
    }

    fn close(&mut self, _: &str) {
        self.out.push(END);
    }

    fn empty(&mut self, name: &str) {
        self.start(Space::Syncml, name, 0);
    }

    /// An empty text is a string without characters: one client in the field falls over a Data without content.
    fn leaf(&mut self, space: Space, name: &str, value: &str) {
        self.start(space, name, HAS_CONTENT);
        if value.as_bytes().contains(&0) {
            self.out.push(OPAQUE);
            integer(&mut self.out, value.len());
            self.out.extend_from_slice(value.as_bytes());
        } else {
            self.out.push(STR_I);
            self.out.extend_from_slice(value.as_bytes());
            self.out.push(0);
        }
        self.out.push(END);
    }

    fn number(&mut self, space: Space, name: &str, value: u64) {
        self.start(space, name, HAS_CONTENT);
        self.out.push(STR_I);
        let _ = write!(self.out, "{value}");
        self.out.extend_from_slice(&[0, END]);
    }
}

/// A number in groups of seven bits, the highest first.
fn integer(out: &mut Vec<u8>, number: usize) {
    let groups = (usize::BITS - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = (number >> (7 * group)) as u8 & 0x7f;
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

/// Version 1.2, the public identifier by place 0 of the string table, UTF-8; the string table comes next. Clients and a
/// server in the field write it so, and those that give the identifier by number read it so.
const HEADER: [u8; 4] = [0x02, 0x00, 0x00, 0x6a];
/// The public identifier of SyncML 1.2.
const PUBLIC_ID: &[u8] = b"-//SYNCML//DTD SyncML 1.2//EN";
/// The place of the first name in the string table: behind the public identifier and its NUL.
const NAMES: usize = PUBLIC_ID.len() + 1;
