//! What a tree answers to whom.

use super::*;
use crate::dm::acl::Rights;
use crate::dm::auth::Scheme;
use crate::dm::dmacc::{AccountBook, DmAcc};
use crate::dm::script::Order;
use crate::dm::standard::{self, Blueprint, Refuses};

const OWNER: &str = "dms1.example.test";
const OTHER: &str = "dms2.example.test";

fn id(name: &str) -> ServerId {
    ServerId::new(name)
}

fn at(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

fn book(server: &str) -> Arc<AccountBook> {
    let address = format!("https://{server}/dm");
    Arc::new(AccountBook { server: id(server), address, scheme: Scheme::Md5, key: 7 })
}

fn blueprint() -> Blueprint {
    Blueprint {
        manufacturer: "Example".into(),
        model: "M1".into(),
        owner: id(OWNER),
        accounts: vec![book(OWNER)],
        subtrees: vec![at("./SCOMO")],
        storage: None,
        refuses: None,
    }
}

fn tree() -> Tree {
    Tree::new(&standard::template(&blueprint()), DeviceNumber(3))
}

const NODE: NewNode<'static> = NewNode::Interior { kind: "" };

fn chr(value: &str) -> NewNode<'_> {
    NewNode::Leaf { format: Format::Chr, kind: "text/plain", value }
}

/// Runs the orders of an account as the server would, and expects each to succeed.
fn add_account(tree: &mut Tree, by: &str, account: &DmAcc, node: &str) {
    for order in account.orders(node) {
        match order {
            Order::AddNode { uri, kind } => tree.add(&id(by), &uri, NewNode::Interior { kind }).unwrap(),
            Order::AddLeaf { uri, format, value } => {
                let format = Format::named(format).unwrap();
                tree.add(&id(by), &uri, NewNode::Leaf { format, kind: "", value: &value }).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A tree of the root's default ACL with `A` (ACL of S1 alone) and its leaf `x` (readable by all).
fn small() -> Tree {
    let mut draft = Draft::new(Acl::parse("Add=*&Get=*").unwrap());
    draft.interior(&at("A"), "", PERMANENT);
    draft.leaf(&at("A/x"), Format::Chr, "old", PERMANENT);
    draft.acl(&at("A"), Acl::parse("Get=S1&Replace=S1").unwrap());
    draft.acl(&at("A/x"), Acl::parse("Get=*").unwrap());
    draft.interior(&at("DMAcc"), "", PERMANENT);
    draft.interior(&at("DMAcc/1"), dmacc::IDENTIFIER, Rights::EVERY);
    draft.leaf(&at("DMAcc/1/ServerID"), Format::Chr, "S1", Rights::EVERY);
    draft.acl(&at("DMAcc/1"), Acl::parse("Delete=S1").unwrap());
    Tree::new(&draft.finish(None), DeviceNumber(0))
}

/// The worked example of TND 1.2: each line from the same start.
#[test]
fn server_may_do_only_what_the_nearest_acl_lists_it_for() {
    let code = |result: Result<(), Refusal>| result.map_or_else(|refusal| refusal.code(), |()| 200);
    let mut tree = small();
    let start = tree.snapshot();
    assert_eq!(code(tree.get(&id("S2"), &at("A/x")).map(drop)), 200);
    assert_eq!(code(tree.get(&id("S2"), &at("A")).map(drop)), 425);
    assert_eq!(code(tree.replace(&id("S1"), &at("A/x"), None, None, "new")), 425);
    assert_eq!(code(tree.replace_property(&id("S1"), &at("A/x"), Property::Acl, "Get=S1")), 200);
    assert_eq!(tree.acl(&at("A/x")).to_string(), "Get=S1");
    tree.roll_back(start);
    assert_eq!(tree.get_property(&id("S2"), &at("A/x"), Property::Acl), Ok("Get=*".into()));
    tree.delete(&id("S1"), &at("DMAcc/1")).unwrap();
    assert!(tree.acl(&at("A")).is_empty());
    assert_eq!(tree.effective_acl(&at("A")).to_string(), "Get=*&Add=*");
}

#[test]
fn changing_an_acl_needs_replace_in_the_right_place() {
    // (own ACL, ACL of the parent, is the node a leaf): whether S may change the ACL.
    for (own, parent, is_leaf, may) in [
        ("Replace=S", "Get=*", false, true),
        ("Get=*", "Replace=S", false, true),
        ("Get=*", "Get=*", false, false),
        ("Replace=S", "Get=*", true, false),
        ("Get=*", "Replace=S", true, true),
        ("", "Replace=S", true, true),
        ("", "Replace=T", false, false),
    ] {
        let mut draft = Draft::new(Acl::parse("Get=*").unwrap());
        draft.acl(&at("P"), Acl::parse(parent).unwrap());
        draft.interior(&at("P/n"), "", PERMANENT);
        if is_leaf {
            draft.leaf(&at("P/n"), Format::Chr, "", PERMANENT);
        }
        draft.acl(&at("P/n"), Acl::parse(own).unwrap());
        let mut tree = Tree::new(&draft.finish(None), DeviceNumber(0));
        let changed = tree.replace_property(&id("S"), &at("P/n"), Property::Acl, "Get=S");
        assert_eq!(changed.is_ok(), may, "own `{own}`, parent `{parent}`, leaf {is_leaf}");
    }
}

#[test]
fn a_new_interior_node_is_in_the_hands_of_a_server_that_could_not_replace_its_parent() {
    let mut tree = tree();
    // Anybody may add below ./DMAcc, but only the owner may replace there.
    tree.add(&id(OTHER), &at("DMAcc/a/b/c"), NODE).unwrap();
    assert_eq!(tree.acl(&at("DMAcc/a")).to_string(), format!("Replace={OTHER}&Add={OTHER}&Delete={OTHER}"));
    assert!(tree.acl(&at("DMAcc/a/b")).is_empty(), "what is implicit below inherits");
    assert_eq!(tree.get(&id(OTHER), &at("DMAcc/a")), Err(Refusal::Denied { right: Right::Get }));
    tree.add(&id(OWNER), &at("DMAcc/z"), NODE).unwrap();
    assert!(tree.acl(&at("DMAcc/z")).is_empty());
    tree.add(&id(OTHER), &at("leaf"), chr("x")).unwrap();
    assert!(tree.acl(&at("leaf")).is_empty(), "leaves inherit");
}

#[test]
fn every_refusal_has_its_status() {
    let (owner, other) = (id(OWNER), id(OTHER));
    let secret = at("DMAcc/dms1.example.test/AppAuth/1/AAuthSecret");
    type Act<'a> = Box<dyn Fn(&mut Tree) -> Result<(), Refusal> + 'a>;
    let cases: Vec<(&str, u16, Act)> = vec![
        ("get nothing", 404, Box::new(|t| t.get(&owner, &at("Nowhere")).map(drop))),
        ("get a secret", 405, Box::new(|t| t.get(&owner, &secret).map(drop))),
        ("get the inbox", 405, Box::new(|t| t.get(&owner, &at("Inbox")).map(drop))),
        ("get without right", 425, Box::new(|t| t.get(&other, &at("SCOMO")).map(drop))),
        ("get the title", 406, Box::new(|t| t.get_property(&owner, &at("SCOMO"), Property::Title).map(drop))),
        ("add what is there", 418, Box::new(|t| t.add(&owner, &at("SCOMO/Settings"), NODE))),
        ("add what is there, unseen", 425, Box::new(|t| t.add(&other, &at("SCOMO/Settings"), NODE))),
        ("add the root", 418, Box::new(|t| t.add(&owner, &Uri::root(), NODE))),
        ("add below a leaf", 405, Box::new(|t| t.add(&owner, &at("SCOMO/Settings/Enabled/x"), NODE))),
        ("add below the inbox", 405, Box::new(|t| t.add(&owner, &at("Inbox/x"), NODE))),
        ("add without right", 425, Box::new(|t| t.add(&other, &at("SCOMO/x"), NODE))),
        (
            "add a wrong value",
            415,
            Box::new(|t| {
                t.add(&owner, &at("SCOMO/x"), NewNode::Leaf { format: Format::Bool, kind: "", value: "maybe" })
            }),
        ),
        ("replace nothing", 404, Box::new(|t| t.replace(&owner, &at("SCOMO/x"), None, None, ""))),
        ("replace an interior node", 405, Box::new(|t| t.replace(&owner, &at("SCOMO"), None, None, ""))),
        ("replace what is read-only", 405, Box::new(|t| t.replace(&owner, &at("SCOMO/Status"), None, None, ""))),
        ("replace without right", 425, Box::new(|t| t.replace(&other, &at("SCOMO/Settings/Enabled"), None, None, ""))),
        (
            "replace by a wrong value",
            415,
            Box::new(|t| t.replace(&owner, &at("SCOMO/Settings/Interval"), None, None, "soon")),
        ),
        (
            "replace by a wrong format",
            415,
            Box::new(|t| t.replace(&owner, &at("SCOMO/Settings/Interval"), Some(Format::Chr), None, "soon")),
        ),
        ("replace the format", 405, Box::new(|t| t.replace_property(&owner, &at("SCOMO"), Property::Format, "chr"))),
        ("replace the version", 406, Box::new(|t| t.replace_property(&owner, &at("SCOMO"), Property::VerNo, "1"))),
        ("an ACL that is none", 400, Box::new(|t| t.replace_property(&owner, &at("SCOMO"), Property::Acl, "Get"))),
        ("an ACL without right", 425, Box::new(|t| t.replace_property(&other, &at("SCOMO"), Property::Acl, ""))),
        ("rename what is permanent", 405, Box::new(|t| t.replace_property(&owner, &at("SCOMO"), Property::Name, "x"))),
        ("delete nothing", 404, Box::new(|t| t.delete(&owner, &at("SCOMO/x")))),
        ("delete the root", 405, Box::new(|t| t.delete(&owner, &Uri::root()))),
        ("delete what is permanent", 405, Box::new(|t| t.delete(&owner, &at("DevInfo/DevId")))),
        ("delete without right", 425, Box::new(|t| t.delete(&other, &at("DMAcc/dms1.example.test")))),
        ("execute a setting", 405, Box::new(|t| t.exec(&owner, &at("SCOMO/Settings")))),
        ("execute without right", 425, Box::new(|t| t.exec(&other, &at("SCOMO/Operate")))),
        ("copy a sub-tree", 406, Box::new(|t| t.copy(&owner, &at("SCOMO"), &at("SCOMO/x")))),
        ("copy a secret", 405, Box::new(|t| t.copy(&owner, &secret, &at("SCOMO/x")))),
    ];
    for (what, code, act) in cases {
        let mut tree = tree();
        let before = tree.nodes(&Uri::root());
        assert_eq!(act(&mut tree).map_err(|refusal| refusal.code()), Err(code), "{what}");
        assert_eq!(tree.nodes(&Uri::root()), before, "{what}: a refused command changes nothing");
    }
}

#[test]
fn what_the_rights_allow_is_done() {
    let owner = id(OWNER);
    let mut tree = tree();
    tree.add(&owner, &at("SCOMO/Inventory/a"), chr("1")).unwrap();
    tree.copy(&owner, &at("SCOMO/Inventory/a"), &at("SCOMO/Inventory/b")).unwrap();
    tree.replace(&owner, &at("SCOMO/Inventory/a"), Some(Format::Int), None, "2").unwrap();
    tree.replace_property(&owner, &at("SCOMO/Inventory/a"), Property::Name, "c").unwrap();
    tree.exec(&owner, &at("SCOMO/Operate")).unwrap();
    let list = tree.get(&owner, &at("SCOMO/Inventory")).unwrap();
    assert_eq!(list, Found { format: Format::Node, kind: String::new(), data: "b/c".into() });
    let leaf = tree.get(&owner, &at("SCOMO/Inventory/c")).unwrap();
    assert_eq!(leaf, Found { format: Format::Int, kind: "text/plain".into(), data: "2".into() });
    for (property, value) in [
        (Property::Format, "int"),
        (Property::Name, "c"),
        (Property::Type, "text/plain"),
        (Property::Size, "1"),
        (Property::Acl, ""),
    ] {
        assert_eq!(tree.get_property(&owner, &at("SCOMO/Inventory/c"), property), Ok(value.into()));
    }
    tree.delete(&owner, &at("SCOMO/Inventory/b")).unwrap();
    tree.delete(&owner, &at("SCOMO/Inventory/c")).unwrap();
    assert_eq!(tree.get(&owner, &at("SCOMO/Inventory")).unwrap().data, "");
}

#[test]
fn a_server_goes_from_every_acl_with_its_last_account() {
    let owner = id(OWNER);
    let mut tree = tree();
    let account = book(OTHER).account(&crate::ids::device_id(DeviceNumber(3)));
    add_account(&mut tree, OWNER, &account, "one");
    add_account(&mut tree, OWNER, &account, "two");
    for node in ["SCOMO", "SCOMO/Settings", "DMAcc/one"] {
        let acl = tree.effective_acl(&at(node)).granting(&id(OTHER), &Right::ALL).to_string();
        tree.replace_property(&owner, &at(node), Property::Acl, &acl).unwrap();
    }
    tree.delete(&owner, &at("DMAcc/one")).unwrap();
    assert!(tree.servers_named_in_acls().contains(&id(OTHER)), "it has another account");
    tree.delete(&owner, &at("DMAcc/two/ServerID")).unwrap();
    assert_eq!(tree.servers_named_in_acls(), BTreeSet::from([owner.clone()]));
    tree.delete(&owner, &at("DMAcc").join(OWNER)).unwrap();
    assert_eq!(tree.acl_mentions(), BTreeSet::new(), "from template nodes too");
    assert!(tree.acl(&at("SCOMO")).is_empty());
    assert_eq!(tree.effective_acl(&at("SCOMO")).to_string(), "Get=*&Add=*");
}

#[test]
fn giving_an_account_to_another_server_takes_it_from_the_first() {
    let mut tree = tree();
    let server = at("DMAcc").join(OWNER).join("ServerID");
    tree.replace(&id(OWNER), &server, None, None, OTHER).unwrap();
    assert!(!tree.servers_named_in_acls().contains(&id(OWNER)));
}

#[test]
fn an_account_whose_server_id_goes_by_another_name_is_none() {
    let mut tree = tree();
    let server = at("DMAcc").join(OWNER).join("ServerID");
    tree.replace_property(&id(OWNER), &server, Property::Name, "Server").unwrap();
    assert_eq!(tree.accounts(), []);
    assert!(!tree.servers_named_in_acls().contains(&id(OWNER)));
}

#[test]
fn the_root_never_loses_its_acl() {
    let whole = Blueprint { subtrees: vec![Uri::root()], ..blueprint() };
    let mut tree = Tree::new(&standard::template(&whole), DeviceNumber(0));
    let acl = |tree: &Tree| tree.acl(&Uri::root()).to_string();
    assert_eq!(acl(&tree), format!("Get=*&Replace={OWNER}&Add=*&Delete={OWNER}&Exec={OWNER}"));
    assert_eq!(tree.replace_property(&id(OWNER), &Uri::root(), Property::Acl, ""), Err(Refusal::NotAllowed));
    tree.delete(&id(OWNER), &at("DMAcc").join(OWNER)).unwrap();
    assert_eq!(acl(&tree), "Get=*&Replace=*&Add=*&Delete=*&Exec=*");
}

#[test]
fn a_full_device_takes_nothing_until_something_goes() {
    let full = Blueprint { storage: Some(0), ..blueprint() };
    let mut tree = Tree::new(&standard::template(&full), DeviceNumber(0));
    assert_eq!(tree.add(&id(OWNER), &at("SCOMO/Inventory/a"), chr("")), Err(Refusal::Full));
    assert_eq!(tree.replace_property(&id(OWNER), &at("SCOMO"), Property::Acl, ""), Ok(()), "ACLs take no room");
    let mut tree = Tree::new(&standard::template(&blueprint()), DeviceNumber(0));
    tree.set_storage(Some(4));
    tree.add(&id(OWNER), &at("SCOMO/Inventory/a"), chr("123")).unwrap();
    assert_eq!(tree.replace(&id(OWNER), &at("SCOMO/Inventory/a"), None, None, "1234"), Err(Refusal::Full));
    tree.replace(&id(OWNER), &at("SCOMO/Inventory/a"), None, None, "").unwrap();
    tree.add(&id(OWNER), &at("SCOMO/Inventory/b"), chr("12")).unwrap();
}

#[test]
fn a_stubborn_device_refuses_its_owner() {
    let made =
        |refuses| Tree::new(&standard::template(&Blueprint { refuses: Some(refuses), ..blueprint() }), DeviceNumber(0));
    let denied = |right| Err(Refusal::Denied { right });
    let mut tree = made(Refuses::Subtrees);
    assert!(tree.get_property(&id(OWNER), &at("SCOMO"), Property::Acl).is_ok());
    assert_eq!(tree.replace_property(&id(OWNER), &at("SCOMO"), Property::Acl, ""), denied(Right::Replace));
    assert!(tree.add(&id(OWNER), &at("DMAcc/x"), NODE).is_ok());
    let mut tree = made(Refuses::Accounts);
    assert_eq!(tree.add(&id(OWNER), &at("DMAcc/x"), NODE), denied(Right::Add));
    assert!(tree.replace_property(&id(OWNER), &at("SCOMO"), Property::Acl, "").is_ok());
}

#[test]
fn a_template_account_reads_as_the_book_derives_it() {
    let tree = tree();
    let expected = book(OWNER).account(&crate::ids::device_id(DeviceNumber(3)));
    assert_eq!(DmAcc::read(&tree, OWNER), Ok(expected));
    assert_eq!(tree.value(&at("DevInfo/DevId")).as_deref(), Some(crate::ids::device_id(DeviceNumber(3)).as_str()));
    assert_eq!(tree.account_of(&id(OWNER)).as_deref(), Some(OWNER));
}

#[test]
fn rolling_back_restores_everything_and_the_template_never_changes() {
    let template = standard::template(&blueprint());
    let mut one = Tree::new(&template, DeviceNumber(3));
    let (two, before) = (Tree::new(&template, DeviceNumber(3)), one.nodes(&Uri::root()));
    let snapshot = one.snapshot();
    one.add(&id(OWNER), &at("SCOMO/Inventory/a/b"), NODE).unwrap();
    one.delete(&id(OWNER), &at("DMAcc").join(OWNER)).unwrap();
    assert_ne!(one.nodes(&Uri::root()), before);
    assert_eq!(two.nodes(&Uri::root()), before);
    one.roll_back(snapshot);
    assert_eq!(one.nodes(&Uri::root()), before);
}

#[test]
fn a_tree_shares_with_its_template_what_it_has_not_changed() {
    let template = standard::template(&blueprint());
    let mut tree = Tree::new(&template, DeviceNumber(3));
    tree.add(&id(OWNER), &at("SCOMO/Inventory/a"), chr("1")).unwrap();
    let shares = |uri: &str| {
        let content = |root: &Node| match &root.descendant(&at(uri)).unwrap().content {
            Content::Interior(children) => Arc::as_ptr(children),
            other => panic!("{other:?}"),
        };
        std::ptr::eq(content(&tree.root), content(&template.root))
    };
    for (uri, shared) in [("DevInfo", true), ("DMAcc", true), ("SCOMO/Settings", true), ("SCOMO/Inventory", false)] {
        assert_eq!(shares(uri), shared, "{uri}");
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let mut tree = tree();
    let account = book(OTHER).account(&crate::ids::device_id(DeviceNumber(3)));
    add_account(&mut tree, OWNER, &account, "two");
    let tnds = crate::dm::tnds::Node::of(tree.nodes(&at("DMAcc")));
    let shown = format!("{tree:?} {:?} {tnds:?}", tree.nodes(&Uri::root()));
    for auth in account.auth.iter().chain(&DmAcc::read(&tree, OWNER).unwrap().auth) {
        let secret = auth.secret.as_deref().unwrap();
        assert!(!shown.contains(secret));
    }
}

#[test]
fn bootstrap_entries_are_seen() {
    let mut tree = tree();
    assert_eq!(tree.bootstrap_entries(), []);
    let entry = standard::bootstrap_servers().join("7");
    tree.add(&id(OWNER), &entry.join("URL"), chr("https://boot.example.test/x")).unwrap();
    assert_eq!(tree.bootstrap_entries(), [("7".to_owned(), "https://boot.example.test/x".to_owned())]);
}
