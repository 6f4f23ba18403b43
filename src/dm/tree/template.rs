//! What devices of one kind have in common: their tree, stored once.

use std::sync::Arc;

use super::node::{Computed, Content, Format, Node};
use super::text::Text;
use crate::dm::acl::{Acl, Rights};
use crate::dm::dmacc::AccountBook;
use crate::dm::uri::Uri;
use crate::ids::{DeviceNumber, ServerId, device_id};

/// The tree that every device of one kind begins with. Shared; never changes.
#[derive(Debug)]
pub struct Template {
    pub(super) root: Node,
    books: Vec<Arc<AccountBook>>,
    /// The servers that have an account from the start; their names are held in common.
    pub(super) servers: Vec<ServerId>,
    /// Octets of names and values that a device can still take; `None`: no bound.
    pub(super) storage: Option<u32>,
}

impl Template {
    /// The value on one device.
    pub(super) fn compute(&self, computed: Computed, device: DeviceNumber) -> String {
        match computed {
            Computed::DeviceId => device_id(device).as_str().to_owned(),
            Computed::Account { book, what } => self.books[usize::from(book)].derive(&device_id(device), what),
        }
    }
}

/// A template in the making. Nodes on the way to an address are made as needed; what is there already is replaced.
#[derive(Debug)]
pub struct Draft {
    root: Node,
    books: Vec<Arc<AccountBook>>,
}

impl Draft {
    /// A tree of a root alone, with this ACL.
    pub fn new(root_acl: Acl) -> Draft {
        let mut root = Node::interior(".", PERMANENT);
        root.set_acl(root_acl);
        Draft { root, books: Vec::new() }
    }

    /// Adds an account book for [`Draft::computed`], and tells its place.
    pub fn book(&mut self, book: Arc<AccountBook>) -> u16 {
        self.books.push(book);
        u16::try_from(self.books.len() - 1).expect("fewer account books than server numbers")
    }

    /// An interior node; one that is there keeps its children.
    pub fn interior(&mut self, uri: &Uri, kind: &str, access: Rights) {
        let node = self.node(uri, access);
        node.access = access;
        node.set_kind(kind);
    }

    /// A leaf with the same value on every device.
    pub fn leaf(&mut self, uri: &Uri, format: Format, value: &str, access: Rights) {
        self.put_leaf(uri, format, Content::Leaf(Text::new(value)), access);
    }

    /// A leaf with a value of its own on every device.
    pub fn computed(&mut self, uri: &Uri, value: Computed, access: Rights) {
        self.put_leaf(uri, Format::Chr, Content::Computed(value), access);
    }

    /// The ACL of a node.
    pub fn acl(&mut self, uri: &Uri, acl: Acl) {
        self.node(uri, PERMANENT).set_acl(acl);
    }

    /// The template. `storage`: octets that a device can still take.
    pub fn finish(self, storage: Option<u32>) -> Arc<Template> {
        let servers = self.books.iter().map(|book| book.server.clone()).collect();
        Arc::new(Template { root: self.root, books: self.books, servers, storage })
    }

    fn node(&mut self, uri: &Uri, access: Rights) -> &mut Node {
        uri.segments().fold(&mut self.root, |node, name| {
            if node.child(name).is_none() {
                node.put(Node::interior(name, access));
            }
            node.child_mut(name).expect("put there above")
        })
    }

    fn put_leaf(&mut self, uri: &Uri, format: Format, content: Content, access: Rights) {
        let node = self.node(uri, PERMANENT);
        node.content = content;
        node.format = format;
        node.access = access;
    }
}

/// What a permanent node takes: all but Delete and Exec.
pub const PERMANENT: Rights =
    Rights::of(&[crate::dm::acl::Right::Get, crate::dm::acl::Right::Replace, crate::dm::acl::Right::Add]);
