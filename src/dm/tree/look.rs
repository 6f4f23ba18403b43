//! Looking at a whole tree: as far as a server may read it, or without asking for rights, for the device itself and for
//! checks after a run.

use std::collections::BTreeSet;

use super::{Actor, Content, Format, Node, Refusal, Tree, permit};
use crate::dm::acl::{Acl, Right};
use crate::dm::dmacc;
use crate::dm::standard;
use crate::dm::uri::{Property, Uri};
use crate::ids::{DeviceNumber, ServerId};

/// One node as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeView {
    pub uri: Uri,
    pub format: Format,
    /// The Type property.
    pub kind: String,
    /// The own ACL; empty where the node inherits.
    pub acl: Acl,
    /// `None` for an interior node.
    pub value: Option<String>,
}

/// Never shows the secrets of accounts.
impl std::fmt::Debug for NodeView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.value.as_deref().map(|value| if dmacc::is_secret(&self.uri) { "(secret)" } else { value });
        write!(f, "{} [{}] {:?}", self.uri, self.acl, value)
    }
}

impl Tree {
    /// Which device this is.
    pub fn device(&self) -> DeviceNumber {
        self.device
    }

    /// Whether there is such a node.
    pub fn has(&self, uri: &Uri) -> bool {
        self.root.descendant(uri).is_some()
    }

    /// The value of a leaf; secrets too. `None` where there is none, or an interior node.
    pub fn value(&self, uri: &Uri) -> Option<String> {
        self.root.descendant(uri).filter(|node| !node.is_interior()).map(|node| self.text_of(node))
    }

    /// The names below a node, sorted; none for a leaf or where there is nothing.
    pub fn children(&self, uri: &Uri) -> Vec<String> {
        let children = self.root.descendant(uri).map(Node::children).unwrap_or_default();
        children.iter().map(|child| child.name.as_str().to_owned()).collect()
    }

    /// The node's own ACL; empty where it inherits or is not there.
    pub fn acl(&self, uri: &Uri) -> Acl {
        self.root.descendant(uri).and_then(|node| node.acl.as_deref()).cloned().unwrap_or_default()
    }

    /// The ACL that counts on a node: the first one from there upwards. Empty where the node is not there.
    pub fn effective_acl(&self, uri: &Uri) -> Acl {
        self.reach(uri).and_then(|place| place.acl).cloned().unwrap_or_default()
    }

    /// Whether the server has a right on a node that is there.
    pub fn allows(&self, server: &ServerId, uri: &Uri, right: Right) -> bool {
        self.reach(uri).is_some_and(|place| permit(Actor::Server(server), place.acl, right).is_ok())
    }

    /// The accounts on the device: the node's name below `./DMAcc`, and the ServerID.
    pub fn accounts(&self) -> Vec<(String, ServerId)> {
        let Some(place) = self.root.child(dmacc::PLACE_NAME) else { return Vec::new() };
        let server = |node: &Node| node.child("ServerID").map(|leaf| ServerId::new(self.text_of(leaf)));
        let accounts = place.children().iter();
        accounts.filter_map(|node| Some((node.name.as_str().to_owned(), server(node)?))).collect()
    }

    /// The same identifier, held in common with the template where that has it.
    pub fn shared(&self, server: &ServerId) -> ServerId {
        self.template.servers.iter().find(|known| *known == server).unwrap_or(server).clone()
    }

    /// The account of a server: the node's name below `./DMAcc`.
    pub fn account_of(&self, server: &ServerId) -> Option<String> {
        self.accounts().into_iter().find_map(|(node, owner)| (owner == *server).then_some(node))
    }

    /// Whether a server has an account on the device.
    pub fn has_account(&self, server: &ServerId) -> bool {
        let accounts = self.root.child(dmacc::PLACE_NAME).map(Node::children).unwrap_or_default();
        let is_its = |leaf: &Node| match &leaf.content {
            Content::Leaf(id) => id.as_str() == server.as_str(),
            Content::Interior(_) | Content::Computed(_) => false,
        };
        accounts.iter().filter_map(|node| node.child("ServerID")).any(is_its)
    }

    /// Every server that some ACL names.
    #[cfg(test)]
    pub fn servers_named_in_acls(&self) -> BTreeSet<ServerId> {
        self.acl_mentions().into_iter().map(|(server, _)| server).collect()
    }

    /// Every server that some ACL names, with the node whose ACL it is.
    pub fn acl_mentions(&self) -> BTreeSet<(ServerId, Uri)> {
        let mut mentions = BTreeSet::new();
        self.root.visit(&Uri::root(), &mut |uri, node| {
            let ids = node.acl.iter().flat_map(|acl| acl.ids());
            mentions.extend(ids.map(|server| (server.clone(), uri.clone())));
        });
        mentions
    }

    /// The entries of the Bootstrap Config MO: the node's name below `BootSrvInfo`, and the URL.
    pub fn bootstrap_entries(&self) -> Vec<(String, String)> {
        let place = self.root.child(standard::BOOTSTRAP_CONFIG_NAME).and_then(|node| node.child("BootSrvInfo"));
        let url = |node: &Node| node.child("URL").map(|leaf| self.text_of(leaf));
        let entries = place.map(Node::children).unwrap_or_default().iter();
        entries.filter_map(|node| Some((node.name.as_str().to_owned(), url(node)?))).collect()
    }

    /// Every node from `uri` downwards, parents first; none where there is nothing.
    pub fn nodes(&self, uri: &Uri) -> Vec<NodeView> {
        let mut views = Vec::new();
        let Some(top) = self.root.descendant(uri) else { return views };
        top.visit(uri, &mut |uri, node| {
            let value = (!node.is_interior()).then(|| self.text_of(node));
            views.push(NodeView::new(uri, node, value));
        });
        views
    }

    /// As [`Tree::nodes`], but only what the server may read; below what it may not, nothing is looked at. The values
    /// of leaves are there where they are wanted, else they are empty.
    ///
    /// # Errors
    /// As [`Tree::get`] for the uppermost node.
    pub fn list(&self, by: &ServerId, uri: &Uri, with_values: bool) -> Result<Vec<NodeView>, Refusal> {
        self.get_property(by, uri, Property::Format)?;
        let mut views = Vec::new();
        let mut next = vec![(uri.clone(), self.reach(uri).ok_or(Refusal::NotFound)?)];
        while let Some((uri, place)) = next.pop() {
            let is_readable = place.node.access.has(Right::Get) && !place.is_in_inbox && !dmacc::is_secret(&uri);
            if !is_readable || permit(Actor::Server(by), place.acl, Right::Get).is_err() {
                continue;
            }
            let value = match place.node.content {
                Content::Interior(_) => None,
                _ if with_values => Some(self.text_of(place.node)),
                _ => Some(String::new()),
            };
            views.push(NodeView::new(&uri, place.node, value));
            let below = place.node.children().iter().rev();
            next.extend(below.map(|child| (uri.join(child.name.as_str()), self.below(place, child))));
        }
        Ok(views)
    }
}

impl NodeView {
    fn new(uri: &Uri, node: &Node, value: Option<String>) -> NodeView {
        let acl = node.acl.as_deref().cloned().unwrap_or_default();
        NodeView { uri: uri.clone(), format: node.format, kind: node.kind().to_owned(), acl, value }
    }
}
