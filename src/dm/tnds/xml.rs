//! `MgmtTree` documents: written in the order of the DTD, read in any order.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

use super::{Content, Node};
use crate::dm::acl::{Acl, AclError};
use crate::dm::tree::Format;
use crate::dm::uri::{self, MAX_DEPTH, Shown};

/// Elements in each other, at most: every level of nodes is one, and their properties nest three deep.
const MAX_ELEMENTS: usize = MAX_DEPTH + 6;

/// Why a text is no management tree. `at` is the byte at which it was noticed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TndsError {
    #[error("byte {at}: not well-formed XML: {why}")]
    NotXml { at: u64, why: String },
    #[error("byte {at}: the root element is <{root}>; expected <MgmtTree>")]
    Root { at: u64, root: String },
    #[error("byte {at}: more than {MAX_ELEMENTS} elements in each other")]
    TooDeep { at: u64 },
    #[error("byte {at}: a DOCTYPE is not taken")]
    Doctype { at: u64 },
    #[error("byte {at}: a Node without a NodeName")]
    NoName { at: u64 },
    #[error("byte {at}: `{name}` cannot be the name of a node")]
    Name { at: u64, name: String },
    #[error("byte {at}: `{format}` is no format; expected one of `node`, `chr`, `int`, `bool`, `bin`...")]
    Format { at: u64, format: String },
    #[error("byte {at}: the node `{name}` has both a Value and nodes below it")]
    ValueAndNodes { at: u64, name: String },
    #[error("byte {at}: {why}")]
    Acl { at: u64, why: AclError },
}

/// Writes a document with these nodes below its root element.
pub fn write(nodes: &[Node]) -> String {
    write_shown(nodes, Shown::ALL)
}

/// As [`write()`], with these properties of each node only.
pub fn write_shown(nodes: &[Node], shown: Shown) -> String {
    let mut out = String::with_capacity(512);
    out.push_str("<MgmtTree xmlns=\"syncml:dmddf1.2\"><VerDTD>1.2</VerDTD>");
    nodes.iter().for_each(|node| write_node(node, shown, &mut out));
    out.push_str("</MgmtTree>");
    out
}

fn write_node(node: &Node, shown: Shown, out: &mut String) {
    out.push_str("<Node>");
    element(out, "NodeName", &node.name);
    if let Some(path) = &node.path {
        element(out, "Path", path);
    }
    let acl = shown.acl && !node.acl.is_empty();
    let kind = shown.kind && !node.kind.is_empty();
    if acl || shown.format || kind {
        out.push_str("<RTProperties>");
        if acl {
            element(out, "ACL", &node.acl.to_string());
        }
        if shown.format {
            out.extend(["<Format><", node.format.name(), "/></Format>"]);
        }
        if kind {
            // The Type of an interior node is the identifier of its object, that of a leaf a MIME type (Bootstrap 1.3).
            out.push_str("<Type>");
            element(out, if node.format == Format::Node { "DDFName" } else { "MIME" }, &node.kind);
            out.push_str("</Type>");
        }
        out.push_str("</RTProperties>");
    }
    match &node.content {
        Content::Interior(children) => children.iter().for_each(|child| write_node(child, shown, out)),
        Content::Leaf(value) if shown.value => element(out, "Value", value),
        Content::Leaf(_) => {}
    }
    out.push_str("</Node>");
}

fn element(out: &mut String, name: &str, text: &str) {
    out.extend(["<", name, ">"]);
    out.push_str(&escape(text));
    out.extend(["</", name, ">"]);
}

/// Reads a document: the nodes below its root element. Unknown elements are passed over.
pub fn read(text: &str) -> Result<Vec<Node>, TndsError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut cursor = Cursor { reader, depth: 0 };
    match cursor.child()? {
        Some(root) if root == "MgmtTree" => {}
        root => return Err(TndsError::Root { at: cursor.at(), root: root.unwrap_or_default() }),
    }
    let mut nodes = Vec::new();
    while let Some(name) = cursor.child()? {
        match &*name {
            "Node" => nodes.push(read_node(&mut cursor)?),
            _ => cursor.skip()?,
        }
    }
    match cursor.child()? {
        None => Ok(nodes),
        Some(second) => Err(TndsError::NotXml { at: cursor.at(), why: format!("<{second}> after the root element") }),
    }
}

fn read_node(cursor: &mut Cursor<'_>) -> Result<Node, TndsError> {
    let (mut name, mut path, mut value) = (None, None, None);
    let (mut acl, mut format, mut kind) = (Acl::empty(), None, String::new());
    let mut children = Vec::new();
    while let Some(element) = cursor.child()? {
        match &*element {
            "NodeName" => name = Some(cursor.text()?),
            "Path" => path = Some(cursor.text()?),
            "Value" => value = Some(cursor.text()?),
            "Node" => children.push(read_node(cursor)?),
            "RTProperties" => {
                while let Some(property) = cursor.child()? {
                    match &*property {
                        "ACL" => {
                            let (at, text) = (cursor.at(), cursor.text()?);
                            acl = Acl::parse(&text).map_err(|why| TndsError::Acl { at, why })?;
                        }
                        "Format" => format = cursor.format()?,
                        "Type" => kind = cursor.kind()?,
                        _ => cursor.skip()?,
                    }
                }
            }
            _ => cursor.skip()?,
        }
    }
    let at = cursor.at();
    let name = name.ok_or(TndsError::NoName { at })?;
    if !uri::is_name(&name) {
        return Err(TndsError::Name { at, name });
    }
    let is_leaf = value.is_some() || format.is_some_and(|format| format != Format::Node);
    if is_leaf && !children.is_empty() {
        return Err(TndsError::ValueAndNodes { at, name });
    }
    let format = format.unwrap_or(if is_leaf { Format::Chr } else { Format::Node });
    let content = if is_leaf { Content::Leaf(value.unwrap_or_default()) } else { Content::Interior(children) };
    Ok(Node { name, path, acl, format, kind, content })
}

/// A place in the document, and how deep it is.
struct Cursor<'x> {
    reader: Reader<&'x [u8]>,
    depth: usize,
}

impl<'x> Cursor<'x> {
    fn at(&self) -> u64 {
        self.reader.buffer_position()
    }

    fn event(&mut self) -> Result<Event<'x>, TndsError> {
        let event = self.reader.read_event();
        event.map_err(|why| TndsError::NotXml { at: self.reader.error_position(), why: why.to_string() })
    }

    /// Steps into the next element here, by its local name; `None` at the end of the element (or of the document).
    fn child(&mut self) -> Result<Option<String>, TndsError> {
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_ELEMENTS {
                        return Err(TndsError::TooDeep { at: self.at() });
                    }
                    return Ok(Some(start.local_name().as_ref().to_owned()));
                }
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(None);
                }
                Event::Eof if self.depth == 0 => return Ok(None),
                Event::Eof => return Err(self.cut_off()),
                Event::DocType(_) => return Err(TndsError::Doctype { at: self.at() }),
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(TndsError::NotXml {
                        at: self.at(),
                        why: "text where elements are expected".to_owned(),
                    });
                }
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Empty(_) => {}
            }
        }
    }

    /// The text up to the end of this element.
    fn text(&mut self) -> Result<String, TndsError> {
        let mut text = String::new();
        loop {
            match self.event()? {
                Event::Text(part) => text.push_str(&part),
                Event::CData(part) => text.push_str(&part),
                Event::GeneralRef(name) => match name.resolve_char_ref() {
                    Ok(Some(character)) => text.push(character),
                    _ => match resolve_predefined_entity(&name) {
                        Some(known) => text.push_str(known),
                        None => {
                            let why = format!("`&{};` is no entity of XML", &*name);
                            return Err(TndsError::NotXml { at: self.at(), why });
                        }
                    },
                },
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(text);
                }
                Event::Start(_) => {
                    return Err(TndsError::NotXml {
                        at: self.at(),
                        why: "an element where text is expected".to_owned(),
                    });
                }
                Event::Eof => return Err(self.cut_off()),
                Event::DocType(_) => return Err(TndsError::Doctype { at: self.at() }),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Empty(_) => {}
            }
        }
    }

    /// `Format`: the one element in it.
    fn format(&mut self) -> Result<Option<Format>, TndsError> {
        let mut format = None;
        while let Some(name) = self.child()? {
            let at = self.at();
            format = Some(Format::named(&name).ok_or(TndsError::Format { at, format: name })?);
            self.skip()?;
        }
        Ok(format)
    }

    /// `Type`: the text of `DDFName` or `MIME`.
    fn kind(&mut self) -> Result<String, TndsError> {
        let mut kind = String::new();
        while let Some(name) = self.child()? {
            match &*name {
                "DDFName" | "MIME" => kind = self.text()?,
                _ => self.skip()?,
            }
        }
        Ok(kind)
    }

    /// Passes over the rest of this element.
    fn skip(&mut self) -> Result<(), TndsError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            match self.event()? {
                Event::Start(_) => self.depth += 1,
                Event::End(_) => self.depth -= 1,
                Event::Eof => return Err(self.cut_off()),
                _ => {}
            }
        }
        Ok(())
    }

    fn cut_off(&self) -> TndsError {
        TndsError::NotXml { at: self.at(), why: "the document ends inside an element".to_owned() }
    }
}
