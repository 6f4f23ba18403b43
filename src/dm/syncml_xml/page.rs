//! What elements look like in XML.

use std::fmt::Write;

use crate::dm::syncml::write::{Page, Space};

/// A text in the making.
pub struct Text(pub String);

impl Page for Text {
    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    fn empty(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push_str("/>");
    }

    fn leaf(&mut self, space: Space, name: &str, value: &str) {
        self.start(space, name);
        escape(&mut self.0, value);
        self.close(name);
    }

    fn number(&mut self, space: Space, name: &str, value: u64) {
        self.start(space, name);
        let _ = write!(self.0, "{value}");
        self.close(name);
    }
}

impl Text {
    /// A child of a Meta has its namespace on itself: on the Meta, or as a prefix, clients reject it.
    fn start(&mut self, space: Space, name: &str) {
        match space {
            Space::Syncml => self.open(name),
            Space::Metinf => {
                self.0.push('<');
                self.0.push_str(name);
                self.0.push_str(r#" xmlns="syncml:metinf">"#);
            }
        }
    }
}

/// Text with the named entities only: a numeric reference makes one client break off and another store it as it is,
/// so tabs and line ends are written as themselves.
pub fn escape(out: &mut String, text: &str) {
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            0..0x20 if !matches!(byte, b'\t' | b'\n' | b'\r') => "\u{fffd}",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        out.push_str(entity);
        done = at + 1;
    }
    out.push_str(&text[done..]);
}
