//! What a server may ask of one node, carried out on the tree within its rights: one function for each command.

use crate::dm::inbox;
use crate::dm::syncml::{Item, Meta};
use crate::dm::tnds;
use crate::dm::tree::{Actor, Format, NewNode, NodeView, Refusal, Tree};
use crate::dm::uri::{List, Query, Uri};
use crate::ids::ServerId;

/// Carries one item out; what a Get has found, or the status of what it is refused with.
pub type Act = fn(&Item, &ServerId, &mut Tree) -> Result<Option<Vec<Item>>, u16>;

pub fn get(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    let (uri, query) = target(item)?;
    let asked = || Item { source: item.target.clone(), ..Item::default() };
    let found = match query {
        None => {
            let found = tree.get(server, &uri).map_err(code)?;
            vec![asked().with(meta(found.format, found.kind), found.data)]
        }
        Some(Query::Property(property)) => {
            let data = tree.get_property(server, &uri, property).map_err(code)?;
            vec![asked().with(Meta::typed("chr", "text/plain"), data)]
        }
        Some(Query::List(List::Tnds(shown))) => {
            let nodes = tnds::Node::of(tree.list(server, &uri, shown.value).map_err(code)?);
            vec![asked().with(Meta::typed("xml", tnds::MEDIA_TYPE), tnds::write_shown(&nodes, shown))]
        }
        Some(Query::List(list @ (List::Struct | List::StructData))) => {
            let with_values = list == List::StructData;
            let nodes = tree.list(server, &uri, with_values).map_err(code)?.into_iter();
            nodes.map(|node| listed(node, with_values)).collect()
        }
        Some(Query::Unsupported(_)) => return Err(Refusal::Unsupported.code()),
    };
    Ok(Some(found))
}

/// One node of a listing: its format and type, and of a leaf the value where that is wanted.
fn listed(node: NodeView, with_value: bool) -> Item {
    let item = Item { meta: meta(node.format, node.kind), ..Item::source(node.uri.as_str()) };
    Item { data: node.value.filter(|_| with_value), ..item }
}

fn meta(format: Format, kind: String) -> Meta {
    Meta { kind: (!kind.is_empty()).then_some(kind), ..Meta::format(format.name()) }
}

pub fn add(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    let uri = bare_target(item)?;
    let value = whole_value(item)?;
    if item.meta.kind.as_deref() == Some(tnds::MEDIA_TYPE) {
        return add_subtree(&uri, value, server, tree).map(|()| None).map_err(code);
    }
    let kind = item.meta.kind.as_deref().unwrap_or_default();
    let new = match format(item)?.unwrap_or(Format::Chr) {
        Format::Node => NewNode::Interior { kind },
        format => NewNode::Leaf { format, kind, value },
    };
    tree.add(server, &uri, new).map(|()| None).map_err(code)
}

fn add_subtree(uri: &Uri, document: &str, server: &ServerId, tree: &mut Tree) -> Result<(), Refusal> {
    if inbox::is_inbox(uri) {
        return inbox::receive(tree, Actor::Server(server), document);
    }
    match &tnds::read(document)?[..] {
        [node] => node.graft(tree, Actor::Server(server), uri),
        _ => Err(Refusal::Format),
    }
}

pub fn replace(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    let (uri, query) = target(item)?;
    let value = whole_value(item)?;
    let done = match query {
        None if item.meta.kind.as_deref() == Some(tnds::MEDIA_TYPE) => Err(Refusal::Unsupported),
        None => tree.replace(server, &uri, format(item)?, item.meta.kind.as_deref(), value),
        Some(Query::Property(property)) => tree.replace_property(server, &uri, property, value.trim_ascii()),
        Some(Query::List(_) | Query::Unsupported(_)) => Err(Refusal::Unsupported),
    };
    done.map(|()| None).map_err(code)
}

pub fn delete(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    tree.delete(server, &bare_target(item)?).map(|()| None).map_err(code)
}

pub fn exec(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    tree.exec(server, &bare_target(item)?).map(|()| None).map_err(code)
}

pub fn copy(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    let source = item.source.as_deref().ok_or(INCOMPLETE)?;
    let from = Uri::parse(source).map_err(|error| error.code())?;
    tree.copy(server, &from, &bare_target(item)?).map(|()| None).map_err(code)
}

fn target(item: &Item) -> Result<(Uri, Option<Query>), u16> {
    let target = item.target.as_deref().ok_or(INCOMPLETE)?;
    Uri::parse_with_query(target).map_err(|error| error.code())
}

/// A target without a query: a property is never added, deleted, executed or copied (TND 1.2).
fn bare_target(item: &Item) -> Result<Uri, u16> {
    match target(item)? {
        (uri, None) => Ok(uri),
        (_, Some(_)) => Err(Refusal::NotAllowed.code()),
    }
}

fn format(item: &Item) -> Result<Option<Format>, u16> {
    let named = |name: &String| Format::named(name).ok_or(Refusal::Format.code());
    item.meta.format.as_ref().map(named).transpose()
}

/// The value; values in pieces are not taken, as `./DevDetail/LrgObj` says.
fn whole_value(item: &Item) -> Result<&str, u16> {
    if item.more_data { Err(Refusal::Unsupported.code()) } else { Ok(item.data.as_deref().unwrap_or_default()) }
}

fn code(refusal: Refusal) -> u16 {
    refusal.code()
}

/// The status of a command that lacks what it needs.
pub const INCOMPLETE: u16 = 412;
