//! Messages to XML, in the order of the SyncML 1.2 DTD.

use std::fmt::Write;

use crate::dm::syncml::{Chal, Command, Cred, Element, Header, Item, Location, Message, Meta, Results, Status, Verb};

/// One message as an XML document: with a declaration, without a byte order mark.
///
/// Characters that XML 1.0 cannot hold (most control characters) are written as U+FFFD.
pub fn write(message: &Message) -> String {
    let mut out = String::with_capacity(768 + 256 * message.body.len());
    out.push_str(r#"<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2">"#);
    header(&mut out, &message.header);
    out.push_str("<SyncBody>");
    message.body.iter().for_each(|element| self::element(&mut out, element));
    out.push_str(if message.is_final { "<Final/></SyncBody></SyncML>" } else { "</SyncBody></SyncML>" });
    out
}

/// One element of a SyncBody.
pub(super) fn element(out: &mut String, element: &Element) {
    match element {
        Element::Command(command) => self::command(out, command),
        Element::Status(status) => self::status(out, status),
        Element::Results(results) => self::results(out, results),
    }
}

fn header(out: &mut String, header: &Header) {
    out.push_str("<SyncHdr>");
    leaf(out, "VerDTD", &header.ver_dtd);
    leaf(out, "VerProto", &header.ver_proto);
    leaf(out, "SessionID", &header.session_id);
    leaf(out, "MsgID", &header.msg_id);
    location(out, "Target", &header.target);
    location(out, "Source", &header.source);
    optional(out, "RespURI", header.resp_uri.as_deref());
    if let Some(cred) = &header.cred {
        self::cred(out, cred);
    }
    meta(out, &header.meta);
    out.push_str("</SyncHdr>");
}

fn location(out: &mut String, name: &str, location: &Location) {
    open(out, name);
    leaf(out, "LocURI", &location.uri);
    optional(out, "LocName", location.name.as_deref());
    close(out, name);
}

fn cred(out: &mut String, cred: &Cred) {
    out.push_str("<Cred><Meta>");
    metinf(out, "Format", &cred.format);
    metinf(out, "Type", &cred.scheme);
    out.push_str("</Meta>");
    leaf(out, "Data", &cred.data);
    out.push_str("</Cred>");
}

fn chal(out: &mut String, chal: &Chal) {
    out.push_str("<Chal><Meta>");
    metinf(out, "Format", &chal.format);
    metinf(out, "Type", &chal.scheme);
    if let Some(nonce) = &chal.next_nonce {
        metinf(out, "NextNonce", nonce);
    }
    out.push_str("</Meta></Chal>");
}

fn command(out: &mut String, command: &Command) {
    let name = command.verb.name();
    open(out, name);
    leaf(out, "CmdID", &command.cmd_id);
    match &command.verb {
        Verb::Add(items) | Verb::Replace(items) => items.iter().for_each(|item| self::item(out, item, true)),
        Verb::Delete(items) | Verb::Get(items) | Verb::Copy(items) => {
            items.iter().for_each(|item| self::item(out, item, false));
        }
        Verb::Exec { correlator, item } => {
            optional(out, "Correlator", correlator.as_deref());
            self::item(out, item, false);
        }
        Verb::Alert { code, correlator, items } => {
            if let Some(code) = code {
                number(out, "Data", *code);
            }
            optional(out, "Correlator", correlator.as_deref());
            items.iter().for_each(|item| self::item(out, item, false));
        }
        Verb::Atomic(commands) | Verb::Sequence(commands) => {
            commands.iter().for_each(|inner| self::command(out, inner));
        }
        Verb::Other(_) => {}
    }
    close(out, name);
}

fn status(out: &mut String, status: &Status) {
    out.push_str("<Status>");
    leaf(out, "CmdID", &status.cmd_id);
    leaf(out, "MsgRef", &status.msg_ref);
    optional(out, "CmdRef", status.cmd_ref.as_deref());
    leaf(out, "Cmd", &status.cmd);
    status.target_refs.iter().for_each(|target| leaf(out, "TargetRef", target));
    status.source_refs.iter().for_each(|source| leaf(out, "SourceRef", source));
    if let Some(chal) = &status.chal {
        self::chal(out, chal);
    }
    number(out, "Data", status.code);
    status.items.iter().for_each(|item| self::item(out, item, false));
    out.push_str("</Status>");
}

fn results(out: &mut String, results: &Results) {
    out.push_str("<Results>");
    leaf(out, "CmdID", &results.cmd_id);
    optional(out, "MsgRef", results.msg_ref.as_deref());
    leaf(out, "CmdRef", &results.cmd_ref);
    meta(out, &results.meta);
    optional(out, "TargetRef", results.target_ref.as_deref());
    optional(out, "SourceRef", results.source_ref.as_deref());
    results.items.iter().for_each(|item| self::item(out, item, false));
    out.push_str("</Results>");
}

/// `needs_data`: some clients fall over an Add or Replace without Data, so an empty one is written.
fn item(out: &mut String, item: &Item, needs_data: bool) {
    out.push_str("<Item>");
    for (name, uri) in [("Target", &item.target), ("Source", &item.source)] {
        if let Some(uri) = uri {
            open(out, name);
            leaf(out, "LocURI", uri);
            close(out, name);
        }
    }
    meta(out, &item.meta);
    match &item.data {
        Some(data) => leaf(out, "Data", data),
        None if needs_data => out.push_str("<Data></Data>"),
        None => {}
    }
    if item.more_data {
        out.push_str("<MoreData/>");
    }
    out.push_str("</Item>");
}

fn meta(out: &mut String, meta: &Meta) {
    if meta == &Meta::default() {
        return;
    }
    out.push_str("<Meta>");
    for (name, value) in [("Format", &meta.format), ("Type", &meta.kind), ("Mark", &meta.mark)] {
        if let Some(value) = value {
            metinf(out, name, value);
        }
    }
    for (name, value) in [("Size", meta.size), ("MaxMsgSize", meta.max_msg_size), ("MaxObjSize", meta.max_obj_size)] {
        if let Some(value) = value {
            out.push('<');
            out.push_str(name);
            let _ = write!(out, r#" xmlns="syncml:metinf">{value}"#);
            close(out, name);
        }
    }
    out.push_str("</Meta>");
}

/// A child of Meta. The namespace stands on the element itself: on the Meta, or as a prefix, clients reject it.
fn metinf(out: &mut String, name: &str, value: &str) {
    out.push('<');
    out.push_str(name);
    out.push_str(r#" xmlns="syncml:metinf">"#);
    escape(out, value);
    close(out, name);
}

fn optional(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        leaf(out, name, value);
    }
}

fn number(out: &mut String, name: &str, value: u16) {
    open(out, name);
    let _ = write!(out, "{value}");
    close(out, name);
}

fn leaf(out: &mut String, name: &str, value: &str) {
    open(out, name);
    escape(out, value);
    close(out, name);
}

fn open(out: &mut String, name: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Text with the named entities only: a numeric reference makes one client break off and another store it as it is,
/// so tabs and line ends are written as themselves.
fn escape(out: &mut String, text: &str) {
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
