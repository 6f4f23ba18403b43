//! One node of a management tree, and the way down from it. Clones share what is below them.

use std::sync::Arc;

use super::text::Text;
use crate::dm::acl::{Acl, Right, Rights};
use crate::dm::dmacc::Derived;
use crate::dm::uri::Uri;
use crate::ids::ServerId;

/// The Format property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    B64,
    Bin,
    Bool,
    Chr,
    Date,
    Float,
    Int,
    Node,
    Null,
    Time,
    Xml,
}

impl Format {
    const ALL: [Format; 11] = [
        Format::B64,
        Format::Bin,
        Format::Bool,
        Format::Chr,
        Format::Date,
        Format::Float,
        Format::Int,
        Format::Node,
        Format::Null,
        Format::Time,
        Format::Xml,
    ];

    /// As it travels in `Meta/Format`.
    pub fn name(self) -> &'static str {
        match self {
            Format::B64 => "b64",
            Format::Bin => "bin",
            Format::Bool => "bool",
            Format::Chr => "chr",
            Format::Date => "date",
            Format::Float => "float",
            Format::Int => "int",
            Format::Node => "node",
            Format::Null => "null",
            Format::Time => "time",
            Format::Xml => "xml",
        }
    }

    /// Reads a format in any case of letters: one real client writes `Chr`.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name.trim()))
    }

    /// Whether a leaf of this format can hold the value.
    pub fn takes(self, value: &str) -> bool {
        match self {
            Format::Bool => matches!(value, "true" | "false"),
            Format::Int => value.parse::<i64>().is_ok(),
            Format::Float => value.parse::<f64>().is_ok(),
            Format::Null => value.is_empty(),
            Format::Node => false,
            Format::B64 | Format::Bin | Format::Chr | Format::Date | Format::Time | Format::Xml => true,
        }
    }
}

/// One node. Cloning it costs no walk: what is below is shared until one of the two changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    pub name: Text,
    pub content: Content,
    /// `None`: no value, inherits.
    pub acl: Option<Arc<Acl>>,
    /// `None`: `text/plain` for a leaf, no Type for an interior node.
    pub kind: Option<Arc<Text>>,
    pub format: Format,
    /// The commands this node takes at all; without Delete it is permanent.
    pub access: Rights,
}

/// What a node holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// Sorted by name, without room to grow: nodes change seldom, and there are millions of them.
    Interior(Arc<[Node]>),
    Leaf(Text),
    /// A value that follows from the device's number; templates hold it, so that devices need not.
    Computed(Computed),
}

/// Never shows values: accounts have secrets among them.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Content::Interior(children) => f.debug_tuple("Interior").field(children).finish(),
            Content::Leaf(_) => f.debug_tuple("Leaf").finish_non_exhaustive(),
            Content::Computed(computed) => f.debug_tuple("Computed").field(computed).finish(),
        }
    }
}

/// A value that differs from device to device and is stored on none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Computed {
    DeviceId,
    /// From the account book with this place in the template.
    Account {
        book: u16,
        what: Derived,
    },
}

impl Node {
    /// A node without children.
    pub fn interior(name: &str, access: Rights) -> Node {
        let content = Content::Interior(Arc::default());
        Node { name: Text::new(name), content, acl: None, kind: None, format: Format::Node, access }
    }

    /// A leaf.
    pub fn leaf(name: &str, format: Format, content: Content, access: Rights) -> Node {
        Node { name: Text::new(name), content, acl: None, kind: None, format, access }
    }

    /// Sets the Type property; the default one takes no room.
    pub fn set_kind(&mut self, kind: &str) {
        let default = if self.is_interior() { "" } else { "text/plain" };
        self.kind = (!kind.is_empty() && kind != default).then(|| Arc::new(Text::new(kind)));
    }

    /// The Type property.
    pub fn kind(&self) -> &str {
        match &self.kind {
            Some(kind) => kind.as_str(),
            None if self.is_interior() => "",
            None => "text/plain",
        }
    }

    /// Sets the ACL; an empty one is no value.
    pub fn set_acl(&mut self, acl: Acl) {
        self.acl = (!acl.is_empty()).then(|| Arc::new(acl));
    }

    pub fn is_interior(&self) -> bool {
        matches!(self.content, Content::Interior(_))
    }

    /// None for a leaf.
    pub fn children(&self) -> &[Node] {
        match &self.content {
            Content::Interior(children) => children,
            Content::Leaf(_) | Content::Computed(_) => &[],
        }
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        let children = self.children();
        children.binary_search_by(|child| child.name.as_str().cmp(name)).ok().map(|place| &children[place])
    }

    /// The child, in a copy of its own if it was shared.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Node> {
        let Content::Interior(children) = &mut self.content else { return None };
        let place = children.binary_search_by(|child| child.name.as_str().cmp(name)).ok()?;
        Some(&mut Arc::make_mut(children)[place])
    }

    /// Puts a child in its place and gives it back. Replaces one of the same name. A leaf becomes an interior node.
    pub fn put(&mut self, child: Node) -> &mut Node {
        if !self.is_interior() {
            self.content = Content::Interior(Arc::default());
        }
        let Content::Interior(children) = &mut self.content else { unreachable!("made interior above") };
        let place = match children.binary_search_by(|other| other.name.as_str().cmp(child.name.as_str())) {
            Ok(place) => {
                Arc::make_mut(children)[place] = child;
                place
            }
            Err(place) => {
                let (before, after) = children.split_at(place);
                *children = before.iter().cloned().chain([child]).chain(after.iter().cloned()).collect();
                place
            }
        };
        &mut Arc::make_mut(children)[place]
    }

    /// Takes a child out.
    pub fn remove(&mut self, name: &str) -> Option<Node> {
        let Content::Interior(children) = &mut self.content else { return None };
        let place = children.binary_search_by(|child| child.name.as_str().cmp(name)).ok()?;
        let gone = children[place].clone();
        *children = children[..place].iter().chain(&children[place + 1..]).cloned().collect();
        Some(gone)
    }

    /// The node at this address below, seen from the root.
    pub fn descendant(&self, uri: &Uri) -> Option<&Node> {
        uri.segments().try_fold(self, |node, name| node.child(name))
    }

    /// As [`Node::descendant`], each node on the way in a copy of its own if it was shared.
    pub fn descendant_mut(&mut self, uri: &Uri) -> Option<&mut Node> {
        uri.segments().try_fold(self, |node, name| node.child_mut(name))
    }

    /// Octets of names and values here and below: what counts against the storage of the device.
    pub fn weight(&self) -> i64 {
        let value = match &self.content {
            Content::Interior(children) => children.iter().map(Node::weight).sum(),
            Content::Leaf(text) => text.as_str().len() as i64,
            Content::Computed(_) => 0,
        };
        self.name.as_str().len() as i64 + value
    }

    /// Whether an ACL here or below names the server.
    pub fn mentions(&self, server: &ServerId) -> bool {
        self.acl.as_ref().is_some_and(|acl| acl.names(server))
            || self.children().iter().any(|child| child.mentions(server))
    }

    /// Takes a server out of every ACL here and below (TND 1.2). Only what changes is copied.
    pub fn purge(&mut self, server: &ServerId) {
        if let Some(acl) = self.acl.as_deref().filter(|acl| acl.names(server)) {
            let mut acl = acl.clone();
            acl.purge(server);
            self.set_acl(acl);
        }
        if let Content::Interior(children) = &mut self.content
            && children.iter().any(|child| child.mentions(server))
        {
            let children = Arc::make_mut(children);
            children.iter_mut().filter(|child| child.mentions(server)).for_each(|child| child.purge(server));
        }
    }

    /// Shows every node here and below with its address, in the order of names.
    pub fn visit<'a>(&'a self, uri: &Uri, seen: &mut dyn FnMut(&Uri, &'a Node)) {
        seen(uri, self);
        for child in self.children() {
            child.visit(&uri.join(child.name.as_str()), seen);
        }
    }
}

/// What a node takes that a server has added: all but Exec.
pub const ADDED: Rights = Rights::of(&[Right::Get, Right::Replace, Right::Add, Right::Delete]);
