//! Elements to messages: in any order, by local name; what nobody knows is passed over.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::SyncmlError;
use super::walk::{Content, Walk};
use super::{Chal, Command, Cred, Element, Header, Item, Location, Message, Meta, Results, Status, Verb};

/// Reads one message from the beginning of a walk to its end.
///
/// # Errors
/// Those of the walk, or the document is not SyncML, or lacks what a message cannot do without.
pub(in crate::dm) fn read<'x>(cursor: &mut impl Walk<'x>) -> Result<Message, SyncmlError> {
    cursor.root()?;
    let (mut header, mut body) = (None, None);
    while let Some(name) = cursor.child()? {
        match name {
            "SyncHdr" if header.is_some() => return Err(cursor.doubled("SyncML", "SyncHdr")),
            "SyncBody" if body.is_some() => return Err(cursor.doubled("SyncML", "SyncBody")),
            "SyncHdr" => header = Some(self::header(cursor)?),
            "SyncBody" => body = Some(self::body(cursor)?),
            _ => cursor.skip()?,
        }
    }
    cursor.finish()?;
    let header = header.ok_or_else(|| cursor.missing("SyncML", "SyncHdr"))?;
    let (body, is_final) = body.ok_or_else(|| cursor.missing("SyncML", "SyncBody"))?;
    Ok(Message { header, body, is_final })
}

fn header<'x>(cursor: &mut impl Walk<'x>) -> Result<Header, SyncmlError> {
    let mut header = Header::default();
    let (mut session_id, mut msg_id, mut target, mut source) = (None, None, None, None);
    while let Some(name) = cursor.child()? {
        match name {
            "VerDTD" => header.ver_dtd = cursor.word("VerDTD")?,
            "VerProto" => header.ver_proto = cursor.word("VerProto")?,
            "SessionID" => session_id = Some(cursor.word("SessionID")?),
            "MsgID" => msg_id = Some(cursor.word("MsgID")?),
            "Target" => target = Some(location(cursor, "Target")?),
            "Source" => source = Some(location(cursor, "Source")?),
            "RespURI" => header.resp_uri = Some(cursor.word("RespURI")?),
            "Cred" => header.cred = Some(cred(cursor)?),
            "Meta" => header.meta = meta(cursor)?.meta,
            _ => cursor.skip()?,
        }
    }
    header.session_id = session_id.ok_or_else(|| cursor.missing("SyncHdr", "SessionID"))?;
    header.msg_id = msg_id.ok_or_else(|| cursor.missing("SyncHdr", "MsgID"))?;
    header.target = target.ok_or_else(|| cursor.missing("SyncHdr", "Target"))?;
    header.source = source.ok_or_else(|| cursor.missing("SyncHdr", "Source"))?;
    Ok(header)
}

/// The elements of a SyncBody, and whether it has a Final.
fn body<'x>(cursor: &mut impl Walk<'x>) -> Result<(Vec<Element>, bool), SyncmlError> {
    let (mut elements, mut is_final) = (Vec::new(), false);
    while let Some(name) = cursor.child()? {
        match name {
            "Status" => elements.push(Element::Status(status(cursor)?)),
            "Results" => elements.push(Element::Results(results(cursor)?)),
            "Final" => {
                cursor.skip()?;
                is_final = true;
            }
            _ => elements.extend(any_command(cursor, name)?.map(Element::Command)),
        }
    }
    Ok((elements, is_final))
}

/// The commands that DM uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Add,
    Replace,
    Delete,
    Get,
    Copy,
    Exec,
    Alert,
    Atomic,
    Sequence,
}

impl Name {
    const ALL: [(&str, Name); 9] = [
        ("Add", Name::Add),
        ("Replace", Name::Replace),
        ("Delete", Name::Delete),
        ("Get", Name::Get),
        ("Copy", Name::Copy),
        ("Exec", Name::Exec),
        ("Alert", Name::Alert),
        ("Atomic", Name::Atomic),
        ("Sequence", Name::Sequence),
    ];

    fn of(text: &str) -> Option<Name> {
        Name::ALL.into_iter().find_map(|(known, name)| (known == text).then_some(name))
    }

    fn text(self) -> &'static str {
        Name::ALL.into_iter().find_map(|(text, name)| (name == self).then_some(text)).unwrap_or_default()
    }
}

/// A command, whether DM uses it or not; `None` for an element without a CmdID, which nobody could answer.
fn any_command<'x>(cursor: &mut impl Walk<'x>, name: &str) -> Result<Option<Command>, SyncmlError> {
    if let Some(known) = Name::of(name) {
        return command(cursor, known).map(Some);
    }
    let mut cmd_id = None;
    while let Some(child) = cursor.child()? {
        match child {
            "CmdID" => cmd_id = Some(cursor.word("CmdID")?),
            _ => cursor.skip()?,
        }
    }
    Ok(cmd_id.map(|cmd_id| Command { cmd_id, verb: Verb::Other(name.to_owned()) }))
}

fn command<'x>(cursor: &mut impl Walk<'x>, name: Name) -> Result<Command, SyncmlError> {
    let (mut cmd_id, mut correlator, mut code, mut shared) = (None, None, None, Meta::default());
    let (mut items, mut commands) = (Vec::new(), Vec::new());
    while let Some(child) = cursor.child()? {
        match child {
            "CmdID" => cmd_id = Some(cursor.word("CmdID")?),
            "Meta" => shared = meta(cursor)?.meta,
            "Item" => items.push(item(cursor)?),
            "Correlator" => correlator = Some(cursor.word("Correlator")?),
            "Data" if matches!(name, Name::Alert) => code = Some(cursor.code("an alert code")?),
            _ if matches!(name, Name::Atomic | Name::Sequence) => commands.extend(any_command(cursor, child)?),
            _ => cursor.skip()?,
        }
    }
    // A Meta of the command holds for each of its items that says nothing else.
    for item in &mut items {
        item.meta.format = item.meta.format.take().or_else(|| shared.format.clone());
        item.meta.kind = item.meta.kind.take().or_else(|| shared.kind.clone());
    }
    let verb = match name {
        Name::Add => Verb::Add(items),
        Name::Replace => Verb::Replace(items),
        Name::Delete => Verb::Delete(items),
        Name::Get => Verb::Get(items),
        Name::Copy => Verb::Copy(items),
        // Without an Item it is an incomplete command (412), and no reason to give the whole message up.
        Name::Exec => Verb::Exec { correlator, item: items.into_iter().next().unwrap_or_default() },
        Name::Alert => Verb::Alert { code, correlator, items },
        Name::Atomic => Verb::Atomic(commands),
        Name::Sequence => Verb::Sequence(commands),
    };
    let cmd_id = cmd_id.ok_or_else(|| cursor.missing(name.text(), "CmdID"))?;
    Ok(Command { cmd_id, verb })
}

fn status<'x>(cursor: &mut impl Walk<'x>) -> Result<Status, SyncmlError> {
    let mut status = Status::default();
    let (mut msg_ref, mut code) = (None, None);
    while let Some(name) = cursor.child()? {
        match name {
            "CmdID" => status.cmd_id = cursor.word("CmdID")?,
            "MsgRef" => msg_ref = Some(cursor.word("MsgRef")?),
            "CmdRef" => status.cmd_ref = Some(cursor.word("CmdRef")?),
            "Cmd" => status.cmd = cursor.word("Cmd")?,
            "TargetRef" => status.target_refs.push(cursor.word("TargetRef")?),
            "SourceRef" => status.source_refs.push(cursor.word("SourceRef")?),
            "Chal" => status.chal = Some(chal(cursor)?),
            "Data" => code = Some(cursor.code("a status code")?),
            "Item" => status.items.push(item(cursor)?),
            _ => cursor.skip()?,
        }
    }
    status.msg_ref = msg_ref.ok_or_else(|| cursor.missing("Status", "MsgRef"))?;
    status.code = code.ok_or_else(|| cursor.missing("Status", "Data"))?;
    Ok(status)
}

fn results<'x>(cursor: &mut impl Walk<'x>) -> Result<Results, SyncmlError> {
    let mut results = Results::default();
    let mut cmd_ref = None;
    while let Some(name) = cursor.child()? {
        match name {
            "CmdID" => results.cmd_id = cursor.word("CmdID")?,
            "MsgRef" => results.msg_ref = Some(cursor.word("MsgRef")?),
            "CmdRef" => cmd_ref = Some(cursor.word("CmdRef")?),
            "Meta" => results.meta = meta(cursor)?.meta,
            "TargetRef" => results.target_ref = Some(cursor.word("TargetRef")?),
            "SourceRef" => results.source_ref = Some(cursor.word("SourceRef")?),
            "Item" => results.items.push(item(cursor)?),
            _ => cursor.skip()?,
        }
    }
    // Senders that leave it out mean the first command.
    results.cmd_ref = cmd_ref.unwrap_or_else(|| "1".to_owned());
    Ok(results)
}

fn item<'x>(cursor: &mut impl Walk<'x>) -> Result<Item, SyncmlError> {
    let (mut item, mut data) = (Item::default(), None);
    while let Some(name) = cursor.child()? {
        match name {
            "Target" => item.target = Some(location(cursor, "Target")?.uri),
            "Source" => item.source = Some(location(cursor, "Source")?.uri),
            "Meta" => item.meta = meta(cursor)?.meta,
            "Data" => data = Some(cursor.content()?),
            "MoreData" => {
                cursor.skip()?;
                item.more_data = true;
            }
            _ => cursor.skip()?,
        }
    }
    item.data = data.map(|data| match data {
        Content::Text(text) => text,
        // A management tree, as text.
        Content::Markup(markup) => markup.trim_ascii().to_owned(),
        Content::Octets(octets) => {
            item.meta.format = Some("b64".to_owned());
            STANDARD.encode(octets)
        }
    });
    Ok(item)
}

fn location<'x>(cursor: &mut impl Walk<'x>, element: &'static str) -> Result<Location, SyncmlError> {
    let (mut uri, mut name) = (None, None);
    while let Some(child) = cursor.child()? {
        match child {
            "LocURI" => uri = Some(cursor.word("LocURI")?),
            "LocName" => name = Some(cursor.word("LocName")?),
            _ => cursor.skip()?,
        }
    }
    Ok(Location { uri: uri.ok_or_else(|| cursor.missing(element, "LocURI"))?, name })
}

fn cred<'x>(cursor: &mut impl Walk<'x>) -> Result<Cred, SyncmlError> {
    let mut cred = Cred::default();
    while let Some(name) = cursor.child()? {
        match name {
            "Meta" => {
                let meta = meta(cursor)?.meta;
                cred.scheme = meta.kind.unwrap_or_default();
                cred.format = meta.format.unwrap_or_default();
            }
            "Data" => cred.data = cursor.word("Data")?,
            _ => cursor.skip()?,
        }
    }
    Ok(cred)
}

fn chal<'x>(cursor: &mut impl Walk<'x>) -> Result<Chal, SyncmlError> {
    let mut chal = Chal::default();
    while let Some(name) = cursor.child()? {
        match name {
            "Meta" => {
                let MetaAndNonce { meta, next_nonce } = meta(cursor)?;
                chal.scheme = meta.kind.unwrap_or_default();
                chal.format = meta.format.unwrap_or_default();
                chal.next_nonce = next_nonce;
            }
            _ => cursor.skip()?,
        }
    }
    Ok(chal)
}

/// A Meta as it is read: the nonce has a place of its own in [`Chal`].
struct MetaAndNonce {
    meta: Meta,
    next_nonce: Option<String>,
}

fn meta<'x>(cursor: &mut impl Walk<'x>) -> Result<MetaAndNonce, SyncmlError> {
    let (mut meta, mut next_nonce) = (Meta::default(), None);
    while let Some(name) = cursor.child()? {
        match name {
            "Format" => meta.format = Some(cursor.word("Format")?),
            "Type" => meta.kind = Some(cursor.word("Type")?),
            "Mark" => meta.mark = Some(cursor.word("Mark")?),
            "Size" => meta.size = Some(cursor.size("Size")?),
            "MaxMsgSize" => meta.max_msg_size = Some(cursor.size("MaxMsgSize")?),
            "MaxObjSize" => meta.max_obj_size = Some(cursor.size("MaxObjSize")?),
            "NextNonce" => next_nonce = Some(cursor.word("NextNonce")?),
            _ => cursor.skip()?,
        }
    }
    Ok(MetaAndNonce { meta, next_nonce })
}
