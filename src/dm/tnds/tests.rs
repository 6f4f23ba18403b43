//! Sub-trees as XML, read and written.

use super::*;
use crate::dm::acl::Right;
use crate::dm::auth::Scheme;
use crate::dm::dmacc::AccountBook;
use crate::dm::tree::{Draft, PERMANENT};
use crate::ids::{DeviceId, DeviceNumber, ServerId};

fn account() -> DmAcc {
    let server = ServerId::new("dms2.example.test");
    let address = "https://dms2.example.test/dm?a=1&b=<2>".to_owned();
    AccountBook { server, address, scheme: Scheme::Md5, key: 7 }.account(&DeviceId::new("device"))
}

fn acl() -> Acl {
    Acl::parse("Get=*&Replace=dms2.example.test").unwrap()
}

/// A tree with room for accounts, open to everybody.
fn tree() -> Tree {
    let mut draft = Draft::new(Acl::parse("Get=*&Add=*").unwrap());
    draft.interior(&Uri::parse("DMAcc").unwrap(), "", PERMANENT);
    Tree::new(&draft.finish(None), DeviceNumber(0))
}

#[test]
fn an_account_goes_through_xml_and_through_a_tree_unchanged() {
    let written = account().to_tnds("dms2", acl());
    let read = read(&write(std::slice::from_ref(&written))).unwrap();
    assert_eq!(read, [written]);
    assert_eq!(DmAcc::from_tnds(&read[0]), Ok(account()));
    let (mut tree, at) = (tree(), Uri::parse("DMAcc/renamed").unwrap());
    read[0].graft(&mut tree, Actor::Device, &at).unwrap();
    assert_eq!(DmAcc::read(&tree, "renamed"), Ok(account()));
    assert_eq!(tree.acl(&at), acl());
    assert!(!tree.allows(&ServerId::new("other"), &at, Right::Replace));
    let again = Node::of(tree.nodes(&at));
    assert_eq!(DmAcc::from_tnds(&again[0]), Ok(account()));
    assert_eq!(again.len(), 1);
}

#[test]
fn a_graft_that_fails_leaves_nothing_behind() {
    let mut tree = tree();
    tree.set_storage(Some(40));
    let before = tree.nodes(&Uri::root());
    let at = Uri::parse("DMAcc/x").unwrap();
    assert_eq!(account().to_tnds("x", acl()).graft(&mut tree, Actor::Device, &at), Err(Refusal::Full));
    assert_eq!(tree.nodes(&Uri::root()), before);
}

#[test]
fn what_others_write_is_read() {
    let text = "<?xml version='1.0'?><d:MgmtTree xmlns:d='syncml:dmddf1.2'><!-- any --><VerDTD>1.2</VerDTD><Man>x</Man>
        <Node><RTProperties><Type><DDFName>urn:oma:mo:oma-dm-dmacc:1.0</DDFName></Type><Format><Node/></Format>
        </RTProperties><Path>./DMAcc</Path><NodeName>a</NodeName>
        <Node><Value><![CDATA[<1>]]>&amp;&#50;</Value><NodeName>Name</NodeName></Node>
        <Node><NodeName>Empty</NodeName><RTProperties><Format><chr/></Format></RTProperties></Node>
        <Node><NodeName>Inner</NodeName></Node></Node></d:MgmtTree>";
    let nodes = read(text).unwrap();
    assert_eq!((nodes.len(), nodes[0].name.as_str(), nodes[0].path.as_deref()), (1, "a", Some("./DMAcc")));
    assert!(nodes[0].is_account());
    assert_eq!(nodes[0].leaf("Name").as_deref(), Some("<1>&2"));
    assert_eq!(nodes[0].leaf("Empty").as_deref(), Some(""));
    assert_eq!(nodes[0].below("Inner").map(|node| node.format), Some(Format::Node));
}

#[test]
fn what_is_no_tree_is_refused_and_nothing_panics() {
    let node = |inside: &str| format!("<MgmtTree><Node>{inside}</Node></MgmtTree>");
    let deep = "<MgmtTree>".to_owned() + &"<Node><NodeName>n</NodeName>".repeat(10_000);
    for text in [
        String::new(),
        "text".into(),
        "<Tree/>".into(),
        "<MgmtTree>".into(),
        "<MgmtTree/><MgmtTree/>".into(),
        "<MgmtTree/>x".into(),
        "<!DOCTYPE a [<!ENTITY b 'c'>]><MgmtTree/>".into(),
        node(""),
        node("<NodeName>a/b</NodeName>"),
        node("<NodeName>..</NodeName>"),
        node("<NodeName>a</NodeName><Value>&b;</Value>"),
        node("<NodeName>a</NodeName><Value>1</Value><Node><NodeName>b</NodeName></Node>"),
        node("<NodeName>a</NodeName><RTProperties><Format><text/></Format></RTProperties>"),
        node("<NodeName>a</NodeName><RTProperties><ACL>Get</ACL></RTProperties>"),
        deep,
    ] {
        assert!(read(&text).is_err(), "{text:.60}");
    }
    let whole = write(&[account().to_tnds("dms2", acl())]);
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "cut after byte {end}");
    }
}
