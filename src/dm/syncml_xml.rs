//! SyncML packages as XML: [`write()`] in the order of the DTD, [`read()`] in any order.
//!
//! What is written satisfies the pickiest clients in the field: every child of a Meta declares its own namespace, only
//! the five named entities are used, Add and Replace always hold a Data. What is read may lack namespaces, use other
//! prefixes, orders and quotes, and hold elements nobody knows.

mod cursor;
pub(in crate::dm) mod page;
mod size;
#[cfg(test)]
mod tests;

use crate::dm::syncml::{Message, SyncmlError, read as rules, write as order};

use cursor::Cursor;
use page::Text;
pub use size::{fits, size};

/// One message as an XML document: with a declaration, without a byte order mark.
///
/// Characters that XML 1.0 cannot hold (most control characters) are written as U+FFFD.
pub fn write(message: &Message) -> String {
    let mut out = Text(String::with_capacity(768 + 256 * message.body.len()));
    out.0.push_str(r#"<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2">"#);
    order::message(&mut out, message);
    out.0.push_str("</SyncML>");
    out.0
}

/// Reads one message.
///
/// # Errors
/// Not XML, ends too early or has something after its end, has definitions in its DOCTYPE, is nested too deep, is
/// not SyncML, or lacks what a message cannot do without.
pub fn read(text: &str) -> Result<Message, SyncmlError> {
    rules::read(&mut Cursor::new(text.strip_prefix('\u{feff}').unwrap_or(text)))
}
