//! The management tree of one device: a shared template and its own changes, with the rights of TND 1.2 checked.
//!
//! Nodes are shared until they change: a fresh tree is a handful of pointers into its template, a change copies the
//! nodes on the way to it, and a [`Snapshot`] is one more pointer to how things were.

mod look;
mod node;
mod refusal;
mod template;
mod text;

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::dm::acl::{Acl, Right};
use crate::dm::dmacc;
use crate::dm::uri::{Property, Uri, UriError};
use crate::ids::{DeviceNumber, ServerId};

pub use look::NodeView;
pub use node::{Computed, Format};
use node::{Content, Node};
pub use refusal::Refusal;
pub use template::{Draft, PERMANENT, Template};
use text::Text;

/// The management tree of one device.
#[derive(Debug, Clone)]
pub struct Tree {
    template: Arc<Template>,
    root: Node,
    /// Octets of names and values put in since the device was made, less those taken out.
    used: i64,
    storage: Option<u32>,
    device: DeviceNumber,
}

/// Two trees of one device that read alike and will take the same from now on.
impl PartialEq for Tree {
    fn eq(&self, other: &Tree) -> bool {
        Arc::ptr_eq(&self.template, &other.template)
            && (self.device, self.used, self.storage) == (other.device, other.used, other.storage)
            && self.root == other.root
    }
}

impl Eq for Tree {}

impl Hash for Tree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.device, self.used).hash(state);
        self.root.hash(state);
    }
}

/// How a tree was at one moment, for an Atomic that fails.
#[derive(Debug, Clone)]
pub struct Snapshot {
    root: Node,
    used: i64,
}

/// On whose behalf something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// A server, within its rights.
    Server(&'a ServerId),
    /// The device itself, as in a bootstrap: no ACL binds it.
    Device,
}

impl<'a> From<&'a ServerId> for Actor<'a> {
    fn from(server: &'a ServerId) -> Actor<'a> {
        Actor::Server(server)
    }
}

/// What a Get finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub format: Format,
    /// The Type property: a MIME type for a leaf, an MO identifier or nothing for an interior node.
    pub kind: String,
    /// A value, or the names of children joined by `/`.
    pub data: String,
}

/// What an Add puts in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NewNode<'a> {
    Interior { kind: &'a str },
    Leaf { format: Format, kind: &'a str, value: &'a str },
}

impl Tree {
    /// The tree of a device that has just been made.
    pub fn new(template: &Arc<Template>, device: DeviceNumber) -> Tree {
        Tree { template: template.clone(), root: template.root.clone(), used: 0, storage: template.storage, device }
    }

    /// Puts everything back to how it left the factory.
    pub fn reset(&mut self) {
        *self = Tree::new(&self.template, self.device);
    }

    /// Sets how many octets of names and values the device takes over what it was made with; `None`: no bound.
    #[cfg(test)]
    pub fn set_storage(&mut self, octets: Option<u32>) {
        self.storage = octets;
    }

    /// The value of a leaf, or the child list of an interior node.
    pub fn get<'a>(&self, by: impl Into<Actor<'a>>, uri: &Uri) -> Result<Found, Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        if !place.node.access.has(Right::Get) || place.is_in_inbox || dmacc::is_secret(uri) {
            return Err(Refusal::NotAllowed);
        }
        permit(by.into(), place.acl, Right::Get)?;
        let data = match &place.node.content {
            Content::Interior(children) => {
                children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>().join("/")
            }
            Content::Leaf(_) | Content::Computed(_) => self.text_of(place.node),
        };
        Ok(Found { format: place.node.format, kind: place.node.kind().to_owned(), data })
    }

    /// A property, as text. Of an ACL: the node's own value, never an inherited one.
    pub fn get_property<'a>(&self, by: impl Into<Actor<'a>>, uri: &Uri, property: Property) -> Result<String, Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        if place.is_in_inbox {
            return Err(Refusal::NotAllowed);
        }
        permit(by.into(), place.acl, Right::Get)?;
        match property {
            Property::Acl => Ok(place.node.acl.as_ref().map(|acl| acl.to_string()).unwrap_or_default()),
            Property::Format => Ok(place.node.format.name().to_owned()),
            Property::Name => Ok(uri.name().unwrap_or(".").to_owned()),
            Property::Type => Ok(place.node.kind().to_owned()),
            Property::Size if !place.node.is_interior() => Ok(self.text_of(place.node).len().to_string()),
            Property::Size | Property::Title | Property::TStamp | Property::VerNo => Err(Refusal::Unsupported),
        }
    }

    /// Puts in a node that is not there, and interior nodes on the way to it (RepPro 1.2, TND 1.2).
    pub fn add<'a>(&mut self, by: impl Into<Actor<'a>>, uri: &Uri, new: NewNode<'_>) -> Result<(), Refusal> {
        let by = by.into();
        let (anchor, missing) = self.anchor(uri);
        let Some(&name) = missing.last() else {
            // The node is there; whoever may not add beside it need not learn that.
            if let Some(parent) = uri.parent().and_then(|parent| self.reach(&parent)) {
                permit(by, parent.acl, Right::Add)?;
            }
            return Err(Refusal::Exists);
        };
        if !anchor.node.is_interior() || !anchor.node.access.has(Right::Add) || anchor.is_in_inbox {
            return Err(Refusal::NotAllowed);
        }
        permit(by, anchor.acl, Right::Add)?;
        let mut node = match new {
            NewNode::Interior { .. } => Node::interior(name, node::ADDED),
            NewNode::Leaf { format, value, .. } if format.takes(value) => {
                Node::leaf(name, format, Content::Leaf(Text::new(value)), node::ADDED)
            }
            NewNode::Leaf { .. } => return Err(Refusal::Format),
        };
        let (NewNode::Interior { kind } | NewNode::Leaf { kind, .. }) = new;
        node.set_kind(kind);
        for name in missing.iter().rev().skip(1) {
            let mut above = Node::interior(name, node::ADDED);
            above.put(node);
            node = above;
        }
        // Only the topmost new node needs an ACL: those below inherit the Replace it grants.
        if let Actor::Server(server) = by
            && node.is_interior()
            && permit(by, anchor.acl, Right::Replace).is_err()
        {
            node.set_acl(Acl::empty().granting(server, &[Right::Add, Right::Delete, Right::Replace]));
        }
        let depth = uri.segments().count() - missing.len();
        self.charge(node.weight())?;
        let parent = uri.segments().take(depth).try_fold(&mut self.root, |node, name| node.child_mut(name));
        parent.expect("the anchor was reached above").put(node);
        Ok(())
    }

    /// Gives a leaf another value. Format and type change where they are given.
    pub fn replace<'a>(
        &mut self,
        by: impl Into<Actor<'a>>,
        uri: &Uri,
        format: Option<Format>,
        kind: Option<&str>,
        value: &str,
    ) -> Result<(), Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        if place.node.is_interior() || !place.node.access.has(Right::Replace) || place.is_in_inbox {
            return Err(Refusal::NotAllowed);
        }
        permit(by.into(), place.acl, Right::Replace)?;
        let is_permanent = !place.node.access.has(Right::Delete);
        let format = format.unwrap_or(place.node.format);
        if !format.takes(value) || (is_permanent && format != place.node.format) {
            return Err(Refusal::Format);
        }
        self.charge(value.len() as i64 - self.text_of(place.node).len() as i64)?;
        let before = self.accounts_if_at_stake(uri);
        let node = self.root.descendant_mut(uri).expect("the node was reached above");
        node.format = format;
        node.content = Content::Leaf(Text::new(value));
        if let Some(kind) = kind {
            node.set_kind(kind);
        }
        self.purge_the_gone(before);
        Ok(())
    }

    /// Changes a property: the ACL, or the name.
    pub fn replace_property<'a>(
        &mut self,
        by: impl Into<Actor<'a>>,
        uri: &Uri,
        property: Property,
        value: &str,
    ) -> Result<(), Refusal> {
        match property {
            Property::Acl => self.replace_acl(by.into(), uri, value),
            Property::Name => self.rename(by.into(), uri, value),
            Property::Format | Property::Type | Property::Size => {
                self.reach(uri).ok_or(Refusal::NotFound).and(Err(Refusal::NotAllowed))
            }
            Property::Title | Property::TStamp | Property::VerNo => {
                self.reach(uri).ok_or(Refusal::NotFound).and(Err(Refusal::Unsupported))
            }
        }
    }

    /// Takes a node out with all below it. Where the last account of a server goes, the server goes from every ACL
    /// (TND 1.2).
    pub fn delete<'a>(&mut self, by: impl Into<Actor<'a>>, uri: &Uri) -> Result<(), Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        let (Some(parent), Some(name)) = (uri.parent(), uri.name()) else { return Err(Refusal::NotAllowed) };
        if !place.node.access.has(Right::Delete) || place.is_in_inbox {
            return Err(Refusal::NotAllowed);
        }
        permit(by.into(), place.acl, Right::Delete)?;
        let before = self.accounts_if_at_stake(uri);
        let parent = self.root.descendant_mut(&parent).expect("the parent of a node that was reached");
        let gone = parent.remove(name).expect("the node was reached above");
        self.used -= gone.weight();
        self.purge_the_gone(before);
        Ok(())
    }

    /// Whether the server may execute the node; executing changes nothing on a simulated device.
    pub fn exec<'a>(&self, by: impl Into<Actor<'a>>, uri: &Uri) -> Result<(), Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        if !place.node.access.has(Right::Exec) {
            return Err(Refusal::NotAllowed);
        }
        permit(by.into(), place.acl, Right::Exec)
    }

    /// Copies a leaf to a leaf, with the rights of the equal Get and Add or Replace.
    pub fn copy<'a>(&mut self, by: impl Into<Actor<'a>>, from: &Uri, to: &Uri) -> Result<(), Refusal> {
        let by = by.into();
        let found = self.get(by, from)?;
        if found.format == Format::Node {
            return Err(Refusal::Unsupported);
        }
        if self.reach(to).is_some() {
            self.replace(by, to, Some(found.format), Some(&found.kind), &found.data)
        } else {
            self.add(by, to, NewNode::Leaf { format: found.format, kind: &found.kind, value: &found.data })
        }
    }

    /// How things are now. Costs nothing until something changes.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { root: self.root.clone(), used: self.used }
    }

    /// Puts everything back to how it was.
    pub fn roll_back(&mut self, to: Snapshot) {
        self.root = to.root;
        self.used = to.used;
    }

    /// Sets an ACL as the device itself, if the node is there. An empty one is no value.
    pub fn set_acl(&mut self, uri: &Uri, acl: Acl) {
        if self.has(uri)
            && let Some(node) = self.root.descendant_mut(uri)
        {
            node.set_acl(acl);
        }
    }

    /// TND 1.2: of an interior node with Replace on itself or its parent, of a leaf with Replace on its parent.
    fn replace_acl(&mut self, by: Actor<'_>, uri: &Uri, value: &str) -> Result<(), Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        if place.is_in_inbox {
            return Err(Refusal::NotAllowed);
        }
        let on_parent = permit(by, place.parent_acl, Right::Replace);
        if place.node.is_interior() {
            permit(by, place.acl, Right::Replace).or(on_parent)?;
        } else {
            on_parent?;
        }
        let mut acl = Acl::parse(value)?;
        acl.share(&self.template.servers);
        if uri.is_root() && acl.is_empty() {
            // The root always has a value (TND 1.2).
            return Err(Refusal::NotAllowed);
        }
        self.root.descendant_mut(uri).expect("the node was reached above").set_acl(acl);
        Ok(())
    }

    fn rename(&mut self, by: Actor<'_>, uri: &Uri, name: &str) -> Result<(), Refusal> {
        let place = self.reach(uri).ok_or(Refusal::NotFound)?;
        let (Some(parent), Some(old)) = (uri.parent(), uri.name()) else { return Err(Refusal::NotAllowed) };
        if !place.node.access.has(Right::Delete) || place.is_in_inbox {
            return Err(Refusal::NotAllowed);
        }
        permit(by, place.acl, Right::Replace)?;
        let renamed = Uri::parse(&format!("{parent}/{name}"))?;
        if renamed.parent().as_ref() != Some(&parent) {
            return Err(UriError::EmptySegment { uri: name.to_owned() }.into());
        }
        if self.reach(&renamed).is_some() {
            return Err(Refusal::Exists);
        }
        self.charge(name.len() as i64 - old.len() as i64)?;
        let before = self.accounts_if_at_stake(uri);
        let parent = self.root.descendant_mut(&parent).expect("the parent of a node that was reached");
        let mut node = parent.remove(old).expect("the node was reached above");
        node.name = Text::new(name);
        parent.put(node);
        self.purge_the_gone(before);
        Ok(())
    }

    /// The node and what holds for it.
    fn reach(&self, uri: &Uri) -> Option<Place<'_>> {
        let (place, missing) = self.anchor(uri);
        missing.is_empty().then_some(place)
    }

    /// The deepest node on the way to an address, and the names that are missing from there on.
    fn anchor<'u>(&self, uri: &'u Uri) -> (Place<'_>, Vec<&'u str>) {
        let acl = self.root.acl.as_deref();
        let mut place = Place { node: &self.root, acl, parent_acl: None, is_in_inbox: false };
        let mut names = uri.segments();
        while let Some(name) = names.next() {
            let Some(child) = place.node.child(name) else {
                return (place, std::iter::once(name).chain(names).collect());
            };
            place = self.below(place, child);
        }
        (place, Vec::new())
    }

    /// The place of a child. The first ACL from the node upwards counts, and counts whole (TND 1.2).
    fn below<'a>(&self, parent: Place<'a>, child: &'a Node) -> Place<'a> {
        let acl = child.acl.as_deref().or(parent.acl);
        let is_inbox = std::ptr::eq(parent.node, &self.root) && child.name.as_str() == INBOX_NAME;
        Place { node: child, acl, parent_acl: parent.acl, is_in_inbox: parent.is_in_inbox || is_inbox }
    }

    fn text_of(&self, node: &Node) -> String {
        match &node.content {
            Content::Interior(_) => String::new(),
            Content::Leaf(text) => text.as_str().to_owned(),
            Content::Computed(computed) => self.template.compute(*computed, self.device),
        }
    }

    /// Books octets against the storage.
    fn charge(&mut self, octets: i64) -> Result<(), Refusal> {
        let used = self.used + octets;
        if octets > 0 && self.storage.is_some_and(|storage| used > i64::from(storage)) {
            return Err(Refusal::Full);
        }
        self.used = used;
        Ok(())
    }

    /// The servers that have an account, if a change at this address can take one away.
    fn accounts_if_at_stake(&self, uri: &Uri) -> Option<BTreeSet<ServerId>> {
        dmacc::is_account_at_stake(uri).then(|| self.account_servers())
    }

    fn account_servers(&self) -> BTreeSet<ServerId> {
        self.accounts().into_iter().map(|(_, server)| server).collect()
    }

    /// TND 1.2: a server whose last account has gone, goes from every ACL; the root falls back to `*`.
    fn purge_the_gone(&mut self, before: Option<BTreeSet<ServerId>>) {
        let Some(before) = before else { return };
        let after = self.account_servers();
        for server in before.difference(&after) {
            if let Some(acl) = self.root.acl.as_deref().filter(|acl| acl.names(server)) {
                let mut acl = acl.clone();
                acl.purge_root(server);
                self.root.set_acl(acl);
            }
            self.root.purge(server);
        }
    }
}

/// A node, and what holds for it.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a Node,
    /// The effective ACL.
    acl: Option<&'a Acl>,
    /// The effective ACL of the parent; `None` for the root.
    parent_acl: Option<&'a Acl>,
    is_in_inbox: bool,
}

/// `./Inbox` takes sub-trees for the device to place, and nothing else (StdObj 1.2).
pub(in crate::dm) const INBOX_NAME: &str = "Inbox";

fn permit(by: Actor<'_>, acl: Option<&Acl>, right: Right) -> Result<(), Refusal> {
    match by {
        Actor::Device => Ok(()),
        Actor::Server(server) if acl.is_some_and(|acl| acl.allows(server, right)) => Ok(()),
        Actor::Server(_) => Err(Refusal::Denied { right }),
    }
}

#[cfg(test)]
mod tests;
