//! Sub-trees as XML (TND 1.2, section 7): `MgmtTree`, to and from a management tree.

mod xml;

use std::iter::Peekable;

use crate::dm::acl::Acl;
use crate::dm::dmacc::{Branch, DmAcc, IDENTIFIER, IDENTIFIER_PREFIX, NotAnAccount};
use crate::dm::tree::{Actor, Format, NewNode, NodeView, Refusal, Tree};
use crate::dm::uri::Uri;

pub use xml::{TndsError, read, write, write_shown};

/// `Meta/Type` of a sub-tree as XML.
pub const MEDIA_TYPE: &str = "application/vnd.syncml.dmtnds+xml";

/// One node and what is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    /// Where the sender would put it; of the uppermost nodes only.
    pub path: Option<String>,
    /// Empty: no value, the node inherits.
    pub acl: Acl,
    pub format: Format,
    /// The identifier of a management object, or the MIME type of a leaf; may be empty.
    pub kind: String,
    pub content: Content,
}

/// What a node holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    Interior(Vec<Node>),
    Leaf(String),
}

/// Never shows values: accounts have secrets among them.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Content::Interior(children) => f.debug_tuple("Interior").field(children).finish(),
            Content::Leaf(_) => f.debug_tuple("Leaf").finish_non_exhaustive(),
        }
    }
}

impl Node {
    /// The sub-trees that these nodes make, parents first. The root itself has no name that could be written: in its
    /// place stand the nodes below it.
    pub fn of(views: Vec<NodeView>) -> Vec<Node> {
        let mut views = views.into_iter().filter(|view| !view.uri.is_root()).peekable();
        let mut nodes = Vec::new();
        while let Some(top) = views.next() {
            nodes.push(Node::of_one(top, &mut views));
        }
        nodes
    }

    fn of_one(view: NodeView, rest: &mut Peekable<impl Iterator<Item = NodeView>>) -> Node {
        let content = match view.value {
            Some(value) => Content::Leaf(value),
            None => {
                let mut children = Vec::new();
                while let Some(child) = rest.next_if(|next| view.uri.covers(&next.uri)) {
                    children.push(Node::of_one(child, rest));
                }
                Content::Interior(children)
            }
        };
        let name = view.uri.name().unwrap_or_default().to_owned();
        Node { name, path: None, acl: view.acl, format: view.format, kind: view.kind, content }
    }

    /// Puts the sub-tree in at an address, all of it or nothing. Who does it needs the right to add its uppermost node;
    /// the rest goes in as it is written, ACLs too.
    pub fn graft(&self, tree: &mut Tree, by: Actor<'_>, at: &Uri) -> Result<(), Refusal> {
        let before = tree.snapshot();
        let done = self.put(tree, by, at);
        if done.is_err() {
            tree.roll_back(before);
        }
        done
    }

    fn put(&self, tree: &mut Tree, by: Actor<'_>, at: &Uri) -> Result<(), Refusal> {
        match &self.content {
            Content::Interior(children) => {
                tree.add(by, at, NewNode::Interior { kind: &self.kind })?;
                for child in children {
                    // Read again for its limits: a tree in a tree can go deeper than either may.
                    let below = Uri::parse(at.join(&child.name).as_str())?;
                    child.put(tree, Actor::Device, &below)?;
                }
            }
            Content::Leaf(value) => {
                tree.add(by, at, NewNode::Leaf { format: self.format, kind: &self.kind, value })?;
            }
        }
        if !self.acl.is_empty() {
            tree.set_acl(at, self.acl.clone());
        }
        Ok(())
    }

    /// Whether this is an account, of any version of the management object.
    pub fn is_account(&self) -> bool {
        self.kind.starts_with(IDENTIFIER_PREFIX)
    }

    fn below(&self, path: &str) -> Option<&Node> {
        path.split('/').try_fold(self, |node, name| match &node.content {
            Content::Interior(children) => children.iter().find(|child| child.name == name),
            Content::Leaf(_) => None,
        })
    }
}

impl DmAcc {
    /// The account as a sub-tree. An empty ACL leaves it to the device who may do what with it.
    pub fn to_tnds(&self, name: &str, acl: Acl) -> Node {
        let interior = |name: &str| Node {
            name: name.to_owned(),
            path: None,
            acl: Acl::empty(),
            format: Format::Node,
            kind: String::new(),
            content: Content::Interior(Vec::new()),
        };
        let mut top = Node { acl, kind: IDENTIFIER.to_owned(), ..interior(name) };
        for row in self.rows().into_iter().filter(|row| !row.path.is_empty()) {
            let (parent, name) = row.path.rsplit_once('/').unwrap_or(("", &row.path));
            let node = match row.leaf {
                None => interior(name),
                Some((format, value)) => {
                    Node { format, kind: "text/plain".to_owned(), content: Content::Leaf(value), ..interior(name) }
                }
            };
            let parents = parent.split('/').filter(|name| !name.is_empty());
            let place = parents.fold(&mut top, |node, name| match &mut node.content {
                Content::Interior(children) => {
                    children.iter_mut().find(|child| child.name == name).expect("rows name parents first")
                }
                Content::Leaf(_) => unreachable!("no row is below a leaf"),
            });
            if let Content::Interior(children) = &mut place.content {
                children.push(node);
            }
        }
        top
    }

    /// Reads an account from a sub-tree.
    pub fn from_tnds(node: &Node) -> Result<DmAcc, NotAnAccount> {
        DmAcc::from_branch(node)
    }
}

impl Branch for Node {
    fn leaf(&self, path: &str) -> Option<String> {
        match &self.below(path)?.content {
            Content::Leaf(value) => Some(value.clone()),
            Content::Interior(_) => None,
        }
    }

    fn names(&self, path: &str) -> Vec<String> {
        match self.below(path).map(|node| &node.content) {
            Some(Content::Interior(children)) => children.iter().map(|child| child.name.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
