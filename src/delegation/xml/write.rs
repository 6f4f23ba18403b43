//! A message as its document: the children in the tables' order, the names as the tables print them.

use std::fmt::Write;

use super::{SCHEMA_LOCATION, account, characters, status};
use crate::delegation::message::Message;
use crate::delegation::reading::Readings;

/// The document of a message. Of the readings only that of the status of DELEGATION_REVOCATION_REQ (D1) shows in it;
/// whatever else is a choice is in the message already.
///
/// Every text comes back from [`super::read()`] as it was given, white space included; only characters that XML cannot
/// carry at all are replaced by U+FFFD.
pub fn write(message: &Message, readings: &Readings) -> String {
    let mut document = Document::begin(message);
    let status = status(message.kind(), readings.revocation_request_status);
    match message {
        Message::DelegationReq { server, device, manufacturer, model, subtree, is_full, session } => {
            document.text("serverId", server.as_str());
            document.text("deviceId", device.as_str());
            document.text("deviceMan", manufacturer);
            document.text("deviceMod", model);
            document.text("DMTreeURI", subtree);
            document.boolean("isDelegationFull", *is_full);
            document.text("sessionId", session.as_str());
        }
        Message::DelegationResp { reason, is_acknowledged, session } => {
            document.outcome(*reason, status);
            document.boolean("isAcknowledged", *is_acknowledged);
            document.text("sessionId", session.as_str());
        }
        Message::BootstrapConfirmed { reason, bootstrapped, account, session } => {
            document.outcome(*reason, status);
            if let Some(bootstrapped) = bootstrapped {
                document.boolean("isClientBootstapped", *bootstrapped);
            }
            // Table 3: only together with isClientBootstapped being false.
            if let (Some(false), Some(account)) = (bootstrapped, account) {
                account::write(&mut document, account);
            }
            document.text("sessionId", session.as_str());
        }
        Message::DelegationPrepared { reason, is_full, session } => {
            document.outcome(*reason, status);
            document.boolean("isDelegationFull", *is_full);
            document.text("sessionId", session.as_str());
        }
        Message::BootstrapSrvUrlDelivery { reason, url, session } => {
            document.outcome(*reason, status);
            document.text("bootstrapURL", url);
            document.text("sessionId", session.as_str());
        }
        Message::DelegationTerminationReq { device, subtree, session }
        | Message::DelegationRevocationReq { device, subtree, session } => {
            document.text("deviceId", device.as_str());
            document.optional("DMTreeURI", subtree.as_deref());
            document.outcome(None, status);
            document.text("sessionId", session.as_str());
        }
        Message::DelegationRevoked { device, subtree, reason, session } => {
            document.optional("deviceId", device.as_ref().map(|device| device.as_str()));
            document.optional("DMTreeURI", subtree.as_deref());
            document.outcome(*reason, status);
            document.optional("sessionId", session.as_ref().map(|session| session.as_str()));
        }
        Message::DelegationConfirmed { reason, session }
        | Message::DelegationFailure { reason, session }
        | Message::BootstrapSrvUrlReq { reason, session }
        | Message::DelegationTerminationAck { reason, session }
        | Message::DelegationTerminationResp { reason, session }
        | Message::RevocationFailure { reason, session } => {
            document.outcome(*reason, status);
            document.text("sessionId", session.as_str());
        }
    }
    document.end(message)
}

/// A document in the making: lines of elements, indented by how deep they stand.
pub(super) struct Document {
    xml: String,
    depth: usize,
}

impl Document {
    fn begin(message: &Message) -> Document {
        // The longest message without a DMAcc takes about 650 bytes, a DMAcc about as much again.
        let capacity = if matches!(message, Message::BootstrapConfirmed { account: Some(_), .. }) { 2048 } else { 768 };
        let mut xml = String::with_capacity(capacity);
        xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
        xml.push_str(message.kind().root());
        xml.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:noNamespaceSchemaLocation=\"");
        xml.push_str(SCHEMA_LOCATION);
        xml.push_str("\">\n");
        Document { xml, depth: 1 }
    }

    fn end(mut self, message: &Message) -> String {
        self.xml.push_str("</");
        self.xml.push_str(message.kind().root());
        self.xml.push_str(">\n");
        self.xml
    }

    /// An element with elements in it.
    pub(super) fn group(&mut self, name: &str, content: impl FnOnce(&mut Document)) {
        self.indent();
        self.start_tag(name);
        self.xml.push('\n');
        self.depth += 1;
        content(self);
        self.depth -= 1;
        self.indent();
        self.end_tag(name);
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.indent();
        self.start_tag(name);
        push_escaped(&mut self.xml, text);
        self.end_tag(name);
    }

    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    pub(super) fn number(&mut self, name: &str, value: u16) {
        self.indent();
        self.start_tag(name);
        // Writing to a String cannot fail.
        let _ = write!(self.xml, "{value}");
        self.end_tag(name);
    }

    /// reasonCode and status, which nearly all tables have side by side.
    fn outcome(&mut self, reason: Option<u16>, status: Option<&str>) {
        if let Some(reason) = reason {
            self.number("reasonCode", reason);
        }
        self.optional("status", status);
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.xml.push_str("    ");
        }
    }

    fn start_tag(&mut self, name: &str) {
        self.xml.push('<');
        self.xml.push_str(name);
        self.xml.push('>');
    }

    fn end_tag(&mut self, name: &str) {
        self.xml.push_str("</");
        self.xml.push_str(name);
        self.xml.push_str(">\n");
    }
}

/// Text so that every reader sees it as it is. White space at its ends goes as references, since readers trim it; so
/// does a carriage return, which they would turn into a line feed.
fn push_escaped(xml: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= 0x20 && !matches!(byte, b'&' | b'<' | b'>' | 0xef);
    let ends_in_white_space = |bytes: &[u8]| {
        bytes.first().copied().is_some_and(characters::is_white_space)
            || bytes.last().copied().is_some_and(characters::is_white_space)
    };
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) && !ends_in_white_space(text.as_bytes()) {
        xml.push_str(text);
        return;
    }
    let is_white_space = |character: char| character.is_ascii() && characters::is_white_space(character as u8);
    let begins = text.len() - text.trim_start_matches(is_white_space).len();
    let ends = text.trim_end_matches(is_white_space).len();
    for (at, character) in text.char_indices() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => xml.push_str("&#13;"),
            _ if !characters::is_allowed(character) => xml.push('\u{fffd}'),
            _ if at < begins || at >= ends => {
                let _ = write!(xml, "&#{};", character as u32);
            }
            _ => xml.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, escaped: &str) {
        let mut xml = String::new();
        push_escaped(&mut xml, text);
        assert_eq!(xml, escaped);
    }

    #[test]
    fn text_is_escaped_so_that_readers_see_it_as_it_is() {
        check("plain", "plain");
        check("", "");
        check("a & b <c> \"d\" 'e'", "a &amp; b &lt;c&gt; \"d\" 'e'");
        check("]]>", "]]&gt;");
        check(" in the middle ", "&#32;in the middle&#32;");
        check("\ttab\n", "&#9;tab&#10;");
        check("\r", "&#13;");
        check(" ", "&#32;");
        check("line\r\nline", "line&#13;\nline");
        check("größe ✓", "größe ✓");
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_replaced() {
        check("a\u{0}b\u{1f}c\u{ffff}", "a\u{fffd}b\u{fffd}c\u{fffd}");
    }
}
