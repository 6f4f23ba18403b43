//! Messages to elements, in the order of the SyncML 1.2 DTD.

use super::{Chal, Command, Cred, Element, Header, Item, Location, Message, Meta, Results, Status, Verb};

/// What elements are written on.
pub(in crate::dm) trait Page {
    /// Begins an element of SyncML itself.
    fn open(&mut self, name: &str);
    /// Ends it.
    fn close(&mut self, name: &str);
    /// An element without content.
    fn empty(&mut self, name: &str);
    /// An element with text in it, which may be empty.
    fn leaf(&mut self, space: Space, name: &str, value: &str);
    /// An element with a number in it.
    fn number(&mut self, space: Space, name: &str, value: u64);
}

/// Whose an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dm) enum Space {
    /// `SYNCML:SYNCML1.2`
    Syncml,
    /// `syncml:metinf`: a child of a Meta.
    Metinf,
}

/// What stands in the root element.
pub(in crate::dm) fn message(out: &mut impl Page, message: &Message) {
    header(out, &message.header);
    out.open("SyncBody");
    message.body.iter().for_each(|element| self::element(out, element));
    if message.is_final {
        out.empty("Final");
    }
    out.close("SyncBody");
}

/// One element of a SyncBody.
pub(in crate::dm) fn element(out: &mut impl Page, element: &Element) {
    match element {
        Element::Command(command) => self::command(out, command),
        Element::Status(status) => self::status(out, status),
        Element::Results(results) => self::results(out, results),
    }
}

fn header(out: &mut impl Page, header: &Header) {
    out.open("SyncHdr");
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
    out.close("SyncHdr");
}

fn location(out: &mut impl Page, name: &str, location: &Location) {
    out.open(name);
    leaf(out, "LocURI", &location.uri);
    optional(out, "LocName", location.name.as_deref());
    out.close(name);
}

fn cred(out: &mut impl Page, cred: &Cred) {
    out.open("Cred");
    out.open("Meta");
    metinf(out, "Format", &cred.format);
    metinf(out, "Type", &cred.scheme);
    out.close("Meta");
    leaf(out, "Data", &cred.data);
    out.close("Cred");
}

fn chal(out: &mut impl Page, chal: &Chal) {
    out.open("Chal");
    out.open("Meta");
    metinf(out, "Format", &chal.format);
    metinf(out, "Type", &chal.scheme);
    if let Some(nonce) = &chal.next_nonce {
        metinf(out, "NextNonce", nonce);
    }
    out.close("Meta");
    out.close("Chal");
}

fn command(out: &mut impl Page, command: &Command) {
    let name = command.verb.name();
    out.open(name);
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
    out.close(name);
}

fn status(out: &mut impl Page, status: &Status) {
    out.open("Status");
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
    out.close("Status");
}

fn results(out: &mut impl Page, results: &Results) {
    out.open("Results");
    leaf(out, "CmdID", &results.cmd_id);
    optional(out, "MsgRef", results.msg_ref.as_deref());
    leaf(out, "CmdRef", &results.cmd_ref);
    meta(out, &results.meta);
    optional(out, "TargetRef", results.target_ref.as_deref());
    optional(out, "SourceRef", results.source_ref.as_deref());
    results.items.iter().for_each(|item| self::item(out, item, false));
    out.close("Results");
}

/// `needs_data`: some clients fall over an Add or Replace without Data, so an empty one is written.
fn item(out: &mut impl Page, item: &Item, needs_data: bool) {
    out.open("Item");
    for (name, uri) in [("Target", &item.target), ("Source", &item.source)] {
        if let Some(uri) = uri {
            out.open(name);
            leaf(out, "LocURI", uri);
            out.close(name);
        }
    }
    meta(out, &item.meta);
    match &item.data {
        Some(data) => leaf(out, "Data", data),
        None if needs_data => leaf(out, "Data", ""),
        None => {}
    }
    if item.more_data {
        out.empty("MoreData");
    }
    out.close("Item");
}

fn meta(out: &mut impl Page, meta: &Meta) {
    if meta == &Meta::default() {
        return;
    }
    out.open("Meta");
    for (name, value) in [("Format", &meta.format), ("Type", &meta.kind), ("Mark", &meta.mark)] {
        if let Some(value) = value {
            metinf(out, name, value);
        }
    }
    for (name, value) in [("Size", meta.size), ("MaxMsgSize", meta.max_msg_size), ("MaxObjSize", meta.max_obj_size)] {
        if let Some(value) = value {
            out.number(Space::Metinf, name, value);
        }
    }
    out.close("Meta");
}

fn metinf(out: &mut impl Page, name: &str, value: &str) {
    out.leaf(Space::Metinf, name, value);
}

fn optional(out: &mut impl Page, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        leaf(out, name, value);
    }
}

fn number(out: &mut impl Page, name: &str, value: u16) {
    out.number(Space::Syncml, name, value.into());
}

fn leaf(out: &mut impl Page, name: &str, value: &str) {
    out.leaf(Space::Syncml, name, value);
}
