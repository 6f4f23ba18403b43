//! What every device's tree holds: DevInfo, DevDetail, Inbox, DMAcc, Bootstrap Config, and the sub-trees to delegate.

use std::sync::Arc;

use crate::dm::acl::{Acl, Right, Rights};
use crate::dm::dmacc::{self, AccountBook, Derived};
use crate::dm::tree::{Computed, Draft, Format, PERMANENT, Template};
use crate::dm::uri::{self, Uri};
use crate::ids::{DeviceId, ServerId};

/// Below the root, the node of the Bootstrap Config MO.
pub const BOOTSTRAP_CONFIG_NAME: &str = "BootstrapConfig";
/// The identifier of the Bootstrap Config MO.
pub const BOOTSTRAP_CONFIG: &str = "urn:oma:mo:oma-dm-bootstrapcfg:1.0";
/// The leaves of DevInfo that a device sends in every package 1 (StdObj 1.2).
pub const DEV_INFO_LEAVES: [&str; 5] = ["DevId", "Man", "Mod", "DmV", "Lang"];

/// What one kind of device is made of.
#[derive(Debug, Clone)]
pub struct Blueprint {
    /// `./DevInfo/Man`.
    pub manufacturer: String,
    /// `./DevInfo/Mod`.
    pub model: String,
    /// The server that has the authority at first.
    pub owner: ServerId,
    /// The servers that have an account when the device is made; the owner's among them.
    pub accounts: Vec<Arc<AccountBook>>,
    /// What can be delegated. The root stands for the whole tree.
    pub subtrees: Vec<Uri>,
    /// Octets of names and values that the device still takes. `Some(0)`: full, the next Add is answered with 420.
    pub storage: Option<u32>,
    /// Where the owner lacks the rights it would need (425).
    pub refuses: Option<Refuses>,
}

/// What a device with a stubborn ACL keeps its owner from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuses {
    /// Changing rights on the sub-trees.
    Subtrees,
    /// Adding, changing and removing accounts.
    Accounts,
}

/// Makes the template of one kind of device.
///
/// The root's ACL is `Get=*&Add=*`. The owner may do everything on `./DMAcc`, on the Bootstrap Config MO and on the
/// sub-trees; on the accounts both their server and the owner may do everything, so that the owner can revoke.
pub fn template(blueprint: &Blueprint) -> Arc<Template> {
    let mut draft = Draft::new(anybody_may_read_and_add());
    dev_info(&mut draft, blueprint);
    dev_detail(&mut draft);
    draft.interior(&at("Inbox"), "urn:oma:mo:oma-dm-inbox:1.0", Rights::of(&[Right::Add]));
    bootstrap_config(&mut draft, blueprint);
    accounts(&mut draft, blueprint);
    for subtree in &blueprint.subtrees {
        delegable(&mut draft, blueprint, subtree);
    }
    draft.finish(blueprint.storage)
}

/// The leaves of DevInfo with their values, as package 1 sends them.
pub fn dev_info_uris() -> impl Iterator<Item = Uri> {
    DEV_INFO_LEAVES.into_iter().map(|leaf| at("DevInfo").join(leaf))
}

/// `./BootstrapConfig/BootSrvInfo`, below which each entry is one Bootstrap Server.
pub fn bootstrap_servers() -> Uri {
    at(BOOTSTRAP_CONFIG_NAME).join("BootSrvInfo")
}

fn dev_info(draft: &mut Draft, blueprint: &Blueprint) {
    let top = at("DevInfo");
    draft.interior(&top, "urn:oma:mo:oma-dm-devinfo:1.0", READ_ONLY);
    draft.computed(&top.join("DevId"), Computed::DeviceId, READ_ONLY);
    for (leaf, value) in
        [("Man", &*blueprint.manufacturer), ("Mod", &*blueprint.model), ("DmV", "1.3"), ("Lang", "en-GB")]
    {
        draft.leaf(&top.join(leaf), Format::Chr, value, READ_ONLY);
    }
}

fn dev_detail(draft: &mut Draft) {
    let top = at("DevDetail");
    draft.interior(&top, "urn:oma:mo:oma-dm-devdetail:1.0", READ_ONLY);
    draft.interior(&top.join("URI"), "", READ_ONLY);
    for (leaf, limit) in [("MaxDepth", uri::MAX_DEPTH), ("MaxTotLen", uri::MAX_LENGTH), ("MaxSegLen", uri::MAX_SEGMENT)]
    {
        draft.leaf(&top.join("URI").join(leaf), Format::Chr, &limit.to_string(), READ_ONLY);
    }
    for (leaf, value) in [("DevTyp", "simulated"), ("OEM", "dmswarm"), ("FwV", "1"), ("SwV", "1"), ("HwV", "1")] {
        draft.leaf(&top.join(leaf), Format::Chr, value, READ_ONLY);
    }
    draft.leaf(&top.join("LrgObj"), Format::Bool, "false", READ_ONLY);
}

/// Entries of BootSrvInfo are taken and given up freely, though the MO's own table allows one (Bootstrap 1.3).
fn bootstrap_config(draft: &mut Draft, blueprint: &Blueprint) {
    let top = at(BOOTSTRAP_CONFIG_NAME);
    draft.interior(&top, BOOTSTRAP_CONFIG, PERMANENT);
    draft.leaf(&top.join("BootSrvDiscovery"), Format::Int, "0", PERMANENT);
    draft.interior(&bootstrap_servers(), "", PERMANENT);
    draft.acl(&top, anybody_may_read_and_add().granting(&blueprint.owner, &Right::ALL));
}

fn accounts(draft: &mut Draft, blueprint: &Blueprint) {
    let top = dmacc::place();
    let owner_may = blueprint.refuses != Some(Refuses::Accounts);
    draft.interior(&top, "", PERMANENT);
    let mut acl = Acl::empty();
    acl.grant_everyone(&[Right::Get]);
    if owner_may {
        acl = anybody_may_read_and_add().granting(&blueprint.owner, &Right::ALL);
    }
    draft.acl(&top, acl);
    for book in &blueprint.accounts {
        let node = top.join(&dmacc::node_name(&book.server));
        account(draft, book, &node);
        let mut acl = Acl::empty().granting(&book.server, &Right::ALL);
        acl.grant_everyone(&[Right::Get]);
        if owner_may {
            acl.grant(&blueprint.owner, &Right::ALL);
        }
        draft.acl(&node, acl);
    }
}

/// An account as its book derives it: what differs from device to device is computed when it is read.
fn account(draft: &mut Draft, book: &Arc<AccountBook>, node: &Uri) {
    let place = draft.book(book.clone());
    // Any device will do: the members that depend on it are those in the table below.
    let sample = book.account(&DeviceId::new("sample"));
    for row in sample.rows() {
        let uri = if row.path.is_empty() { node.clone() } else { node.join(&row.path) };
        let is_top = row.path.is_empty();
        match (row.leaf, derived(&row.path)) {
            (None, _) => draft.interior(&uri, if is_top { dmacc::IDENTIFIER } else { "" }, CHANGEABLE),
            (Some(_), Some(what)) => draft.computed(&uri, Computed::Account { book: place, what }, CHANGEABLE),
            (Some((format, value)), None) => draft.leaf(&uri, format, &value, CHANGEABLE),
        }
    }
}

/// The members of an account that its book derives for each device.
fn derived(path: &str) -> Option<Derived> {
    Some(match path {
        "AppAuth/1/AAuthName" => Derived::ClientName,
        "AppAuth/1/AAuthSecret" => Derived::ClientSecret,
        "AppAuth/1/AAuthData" => Derived::ClientNonce,
        "AppAuth/2/AAuthSecret" => Derived::ServerSecret,
        "AppAuth/2/AAuthData" => Derived::ServerNonce,
        _ => return None,
    })
}

/// What there is in a sub-tree that can be delegated, by its address below the top.
pub const SUBTREE_PARTS: [&str; 6] =
    ["Status", "Settings", "Settings/Enabled", "Settings/Interval", "Inventory", "Operate"];

/// Whether the sub-tree below `top` holds this node. Of the whole tree, only itself is one that can be delegated.
pub fn subtree_holds(top: &Uri, node: &Uri) -> bool {
    top == node || !top.is_root() && SUBTREE_PARTS.iter().any(|part| top.join(part) == *node)
}

/// A sub-tree that can be delegated: what there is to read, to set, to do, and room to add.
fn delegable(draft: &mut Draft, blueprint: &Blueprint, top: &Uri) {
    let owner_may = blueprint.refuses != Some(Refuses::Subtrees);
    if top.is_root() {
        if owner_may {
            draft.acl(top, anybody_may_read_and_add().granting(&blueprint.owner, &Right::ALL));
        }
        return;
    }
    draft.interior(top, "", PERMANENT);
    draft.leaf(&top.join("Status"), Format::Chr, "idle", READ_ONLY);
    draft.interior(&top.join("Settings"), "", PERMANENT);
    draft.leaf(&top.join("Settings/Enabled"), Format::Bool, "true", PERMANENT);
    draft.leaf(&top.join("Settings/Interval"), Format::Int, "3600", PERMANENT);
    draft.interior(&top.join("Inventory"), "", PERMANENT);
    draft.leaf(&top.join("Operate"), Format::Null, "", Rights::of(&[Right::Get, Right::Exec]));
    let acl = if owner_may {
        Acl::empty().granting(&blueprint.owner, &Right::ALL)
    } else {
        let mut acl = Acl::empty();
        acl.grant_everyone(&[Right::Get]);
        acl
    };
    draft.acl(top, acl);
}

/// `Get=*&Add=*`: what the root grants unless it says otherwise (TND 1.2).
fn anybody_may_read_and_add() -> Acl {
    let mut acl = Acl::empty();
    acl.grant_everyone(&[Right::Get, Right::Add]);
    acl
}

fn at(name: &str) -> Uri {
    Uri::root().join(name)
}

const READ_ONLY: Rights = Rights::of(&[Right::Get]);
const CHANGEABLE: Rights = Rights::of(&[Right::Get, Right::Replace, Right::Add, Right::Delete]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dm::tree::Tree;
    use crate::ids::DeviceNumber;

    #[test]
    fn a_subtree_holds_the_parts_that_are_told() {
        let top = at("SCOMO");
        let blueprint = Blueprint {
            manufacturer: "M".into(),
            model: "N".into(),
            owner: ServerId::new("dms1"),
            accounts: Vec::new(),
            subtrees: vec![top.clone()],
            storage: None,
            refuses: None,
        };
        let device = Tree::new(&template(&blueprint), DeviceNumber(0));
        let parts: Vec<Uri> = SUBTREE_PARTS.iter().map(|part| top.join(part)).collect();
        let mut open = vec![top.clone()];
        while let Some(node) = open.pop() {
            assert!(subtree_holds(&top, &node), "{node} is not told");
            open.extend(device.children(&node).iter().map(|child| node.join(child)));
        }
        for part in &parts {
            assert!(device.has(part), "{part} is not there");
        }
        assert!(subtree_holds(&Uri::root(), &Uri::root()) && !subtree_holds(&Uri::root(), &top));
    }
}
