//! SyncML packages as WBXML, the binary form of XML: [`write()`] as clients in the field take it, [`read()`] as any may.
//!
//! The rules of reading and the order of writing are those of [`syncml`](super::syncml), shared with
//! [`syncml_xml`](super::syncml_xml): the same message goes either way. What is read may name SyncML by number or in
//! the string table, hold strings in line, in the table, as entities or opaque, and literal tags; a management tree in
//! tokens becomes the XML that it stands for, and octets that are no text become base64. What is written never takes
//! more bytes than as XML.

mod cursor;
mod events;
mod page;
#[cfg(test)]
mod tests;
mod tokens;

use crate::dm::syncml::write::{self as order, Page};
use crate::dm::syncml::{Message, SyncmlError, read as rules};

use cursor::Cursor;
use events::Events;
use page::Octets;

/// One message as a WBXML document.
pub fn write(message: &Message) -> Vec<u8> {
    let mut out = Octets::new(512 + 128 * message.body.len());
    out.open("SyncML");
    order::message(&mut out, message);
    out.close("SyncML");
    out.finish()
}

/// Reads one message.
///
/// # Errors
/// Not WBXML of SyncML in UTF-8, ends too early or has something after its end, is nested too deep, repeats its string
/// table too often, or lacks what a message cannot do without.
pub fn read(bytes: &[u8]) -> Result<Message, SyncmlError> {
    rules::read(&mut Cursor(Events::new(bytes)?))
}
