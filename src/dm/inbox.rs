//! What is added to `./Inbox` finds its place: the device knows where the accounts are (StdObj 1.2).

use crate::dm::acl::Right;
use crate::dm::dmacc::{self, DmAcc};
use crate::dm::tnds::{self, Content, Node};
use crate::dm::tree::{Actor, Refusal, Tree};
use crate::dm::uri::Uri;

/// Whether this is `./Inbox`.
pub fn is_inbox(uri: &Uri) -> bool {
    *uri == place()
}

/// Takes a `MgmtTree` document that a server adds to `./Inbox`, and puts each account in it below `./DMAcc`.
///
/// # Errors
/// No right to add to the inbox, no management tree (400), an object this device has no place for (406), no account
/// (415), no storage. Then nothing has changed.
pub fn receive(tree: &mut Tree, by: Actor<'_>, document: &str) -> Result<(), Refusal> {
    if let Actor::Server(server) = by
        && !tree.allows(server, &place(), Right::Add)
    {
        return Err(Refusal::Denied { right: Right::Add });
    }
    let nodes = tnds::read(document)?;
    if nodes.iter().any(|node| !node.is_account()) {
        return Err(Refusal::Unsupported);
    }
    let before = tree.snapshot();
    let done = nodes.iter().try_for_each(|node| place_account(tree, by, node).map(drop));
    if done.is_err() {
        tree.roll_back(before);
    }
    done
}

/// Puts an account below `./DMAcc`, and gives the name of its node: the one it came with, unless that is taken.
/// A server that has an account already gets its members replaced by the new ones.
///
/// An account that brings no ACL falls under that of `./DMAcc`; beyond it, its own server may read, change and delete
/// it, as for accounts of a bootstrap (TND 1.2). So whoever looks after the accounts can take it away again.
pub fn place_account(tree: &mut Tree, by: Actor<'_>, node: &Node) -> Result<String, Refusal> {
    let account = DmAcc::from_tnds(node).map_err(|_| Refusal::Format)?;
    if let Some(name) = tree.account_of(&account.server) {
        let at = dmacc::place().join(&name);
        overlay(tree, by, node, &at)?;
        return Ok(name);
    }
    let stem: String = node.name.chars().take(LONGEST_STEM).collect();
    let names = std::iter::once(node.name.clone()).chain((2..).map(|number| format!("{stem}-{number}")));
    let mut free = names.filter(|name| !tree.has(&dmacc::place().join(name)));
    let name = free.next().expect("numbers do not run out");
    let at = dmacc::place().join(&name);
    let mut acl = tree.effective_acl(&dmacc::place());
    // The inbox is a door of its own: who may add to it need not be allowed to add below ./DMAcc.
    node.graft(tree, Actor::Device, &at)?;
    if node.acl.is_empty() {
        acl.grant(&account.server, &[Right::Get, Right::Replace, Right::Delete]);
        if let Actor::Server(server) = by
            && !acl.allows(server, Right::Replace)
        {
            acl.grant(server, &[Right::Add, Right::Delete, Right::Replace]);
        }
        tree.set_acl(&at, acl);
    }
    Ok(name)
}

/// Writes the leaves of a sub-tree over what is there; what is missing is added.
fn overlay(tree: &mut Tree, by: Actor<'_>, node: &Node, at: &Uri) -> Result<(), Refusal> {
    if !tree.has(at) {
        return node.graft(tree, by, at);
    }
    match &node.content {
        Content::Interior(children) => {
            children.iter().try_for_each(|child| overlay(tree, by, child, &at.join(&child.name)))
        }
        Content::Leaf(value) => tree.replace(by, at, Some(node.format), Some(&node.kind), value),
    }
}

/// Characters of a taken name that its successor keeps: with a number behind them they still are a name.
const LONGEST_STEM: usize = 60;

fn place() -> Uri {
    Uri::root().join(crate::dm::tree::INBOX_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dm::acl::Acl;
    use crate::dm::auth::Scheme;
    use crate::dm::dmacc::AccountBook;
    use crate::dm::standard::{self, Blueprint};
    use crate::ids::{DeviceId, DeviceNumber, ServerId};

    fn book(server: &str) -> AccountBook {
        let (server, address) = (ServerId::new(server), format!("https://{server}/dm"));
        AccountBook { server, address, scheme: Scheme::Md5, key: 7 }
    }

    fn tree() -> Tree {
        let blueprint = Blueprint {
            manufacturer: "Example".into(),
            model: "M1".into(),
            owner: ServerId::new("S1"),
            accounts: vec![book("S1").into()],
            subtrees: vec![],
            storage: None,
            refuses: None,
        };
        Tree::new(&standard::template(&blueprint), DeviceNumber(0))
    }

    fn account(server: &str) -> DmAcc {
        book(server).account(&DeviceId::new("device"))
    }

    #[test]
    fn an_account_in_the_inbox_lands_below_dmacc_under_a_name_that_is_free() {
        let mut tree = tree();
        let long = "é".repeat(127);
        for server in ["S4", "S5"] {
            receive(&mut tree, Actor::Device, &tnds::write(&[account(server).to_tnds(&long, Acl::empty())])).unwrap();
        }
        assert_eq!(tree.account_of(&ServerId::new("S5")), Some(format!("{}-2", "é".repeat(60))), "cut to fit");
        let document = tnds::write(&[account("S2").to_tnds("S1", Acl::empty())]);
        receive(&mut tree, Actor::Server(&ServerId::new("S3")), &document).unwrap();
        assert_eq!(DmAcc::read(&tree, "S1-2"), Ok(account("S2")));
        let acl = tree.acl(&Uri::parse("DMAcc/S1-2").unwrap()).to_string();
        assert_eq!(acl, "Get=*&Replace=S1+S2+S3&Add=*&Delete=S1+S2+S3&Exec=S1");
    }

    #[test]
    fn a_second_account_of_a_server_renews_the_first() {
        let mut tree = tree();
        let renewed = AccountBook { key: 8, ..book("S1") }.account(&DeviceId::new("device"));
        let document = tnds::write(&[renewed.to_tnds("new", Acl::empty())]);
        receive(&mut tree, Actor::Device, &document).unwrap();
        assert_eq!(tree.accounts().len(), 1);
        assert_eq!(DmAcc::read(&tree, "S1"), Ok(renewed));
        let stranger = ServerId::new("S3");
        let denied = receive(&mut tree, Actor::Server(&stranger), &document).map_err(|refusal| refusal.code());
        assert_eq!(denied, Err(425), "a stranger may not renew it");
    }

    #[test]
    fn what_has_no_place_is_refused() {
        let mut foreign = account("S2").to_tnds("x", Acl::empty());
        foreign.kind = "urn:oma:mo:oma-fumo:1.0".into();
        let mut nameless = account("S2").to_tnds("x", Acl::empty());
        nameless.content = Content::Interior(vec![]);
        for (document, code) in [
            ("nonsense".to_owned(), 400),
            (tnds::write(&[foreign]), 406),
            (tnds::write(&[account("S3").to_tnds("y", Acl::empty()), nameless]), 415),
        ] {
            let mut tree = tree();
            let before = tree.nodes(&Uri::root());
            assert_eq!(receive(&mut tree, Actor::Device, &document).map_err(|refusal| refusal.code()), Err(code));
            assert_eq!(tree.nodes(&Uri::root()), before);
        }
    }
}
