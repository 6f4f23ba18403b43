//! The commands of one message against the tree: what is done, one Status for each, and what Gets have found.

use crate::dm::inbox;
use crate::dm::syncml::{Command, Element, Item, Meta, Results, Status, Verb};
use crate::dm::syncml_xml;
use crate::dm::tnds;
use crate::dm::tree::{Actor, Format, NewNode, NodeView, Refusal, Tree};
use crate::dm::uri::{List, Query, Uri};
use crate::ids::ServerId;

/// The answer to one message in the making.
pub struct Commands<'a> {
    server: &'a ServerId,
    msg_ref: &'a str,
    /// Bytes that one message of the device may have beside its frame.
    room: usize,
    body: Vec<Element>,
}

impl<'a> Commands<'a> {
    /// An answer that begins with the Status for the header.
    pub fn new(server: &'a ServerId, msg_ref: &'a str, header: Status, room: usize) -> Commands<'a> {
        Commands { server, msg_ref, room, body: vec![Element::Status(header)] }
    }

    /// Carries a command out and answers it.
    pub fn run(&mut self, command: &Command, tree: &mut Tree) {
        let done = perform(command, self.server, tree, Within::Message);
        self.answer(done);
    }

    /// Answers a command, and those in it, with this code, and does nothing.
    pub fn refuse(&mut self, command: &Command, code: u16) {
        self.answer(Done::all(command, code));
    }

    /// The answer; its CmdIDs are still to be given.
    pub fn into_body(self) -> Vec<Element> {
        self.body
    }

    fn answer(&mut self, mut done: Done<'_>) {
        let mut results = Vec::new();
        for item in &mut done.items {
            if let Some(found) = item.found.take() {
                let found = self.results(done.command, found);
                // A value is not sent in pieces, as `./DevDetail/LrgObj` says.
                if syncml_xml::fits(std::iter::once(&found), self.room) {
                    results.push(found);
                } else {
                    item.code = TOO_LARGE;
                }
            }
        }
        done.code = done.items.first().map_or(done.code, |item| item.code);
        match &done.items[..] {
            // Items that fared differently are answered one by one (DM Protocol 1.2).
            items if items.iter().any(|item| item.code != done.code) => {
                items.iter().for_each(|item| self.status(done.command, item.code, item.uri));
            }
            [item] => self.status(done.command, done.code, item.uri),
            _ => self.status(done.command, done.code, None),
        }
        self.body.append(&mut results);
        done.inner.into_iter().for_each(|inner| self.answer(inner));
    }

    fn status(&mut self, command: &Command, code: u16, target: Option<&str>) {
        let status = Status {
            msg_ref: self.msg_ref.to_owned(),
            cmd_ref: Some(command.cmd_id.clone()),
            cmd: command.verb.name().to_owned(),
            target_refs: target.map(str::to_owned).into_iter().collect(),
            code,
            ..Status::default()
        };
        self.body.push(Element::Status(status));
    }

    fn results(&self, command: &Command, items: Vec<Item>) -> Element {
        Element::Results(Results {
            msg_ref: Some(self.msg_ref.to_owned()),
            cmd_ref: command.cmd_id.clone(),
            items,
            ..Results::default()
        })
    }
}

/// A command that has been seen to.
struct Done<'c> {
    command: &'c Command,
    code: u16,
    items: Vec<DoneItem<'c>>,
    /// Of an Atomic or a Sequence.
    inner: Vec<Done<'c>>,
}

/// An item that has been seen to.
struct DoneItem<'c> {
    uri: Option<&'c str>,
    code: u16,
    found: Option<Vec<Item>>,
}

/// Where a command stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Message,
    Atomic,
}

impl<'c> Done<'c> {
    /// A command without items to answer one by one.
    fn plain(command: &'c Command, code: u16) -> Done<'c> {
        Done { command, code, items: Vec::new(), inner: Vec::new() }
    }

    /// A command of which nothing has been done, with this code for it and for all in it.
    fn all(command: &'c Command, code: u16) -> Done<'c> {
        let inner = inner_of(command).iter().map(|inner| Done::all(inner, code)).collect();
        Done { inner, ..Done::plain(command, code) }
    }

    fn is_good(&self) -> bool {
        is_good(self.code) && self.items.iter().all(|item| is_good(item.code)) && self.inner.iter().all(Done::is_good)
    }

    /// Notes that the command was undone with the Atomic it stands in.
    fn undo(&mut self) {
        self.code = ROLLED_BACK;
        self.items.clear();
        self.inner.iter_mut().for_each(Done::undo);
    }

    /// As [`Done::undo`], for the command that has made the Atomic fail: what failed in it keeps its own code.
    fn undo_what_was_done(&mut self) {
        if self.items.iter().any(|item| !is_good(item.code)) {
            self.items.iter_mut().filter(|item| is_good(item.code)).for_each(|item| item.code = ROLLED_BACK);
            self.code = self.items.first().map_or(self.code, |item| item.code);
        }
        for inner in &mut self.inner {
            if inner.is_good() { inner.undo() } else { inner.undo_what_was_done() }
        }
        if is_good(self.code) && self.items.is_empty() {
            self.code = ROLLED_BACK;
        }
    }
}

/// Carries one command out.
fn perform<'c>(command: &'c Command, server: &ServerId, tree: &mut Tree, within: Within) -> Done<'c> {
    match &command.verb {
        Verb::Atomic(_) | Verb::Get(_) if within == Within::Atomic => Done::all(command, FAILED),
        Verb::Atomic(inner) => atomic(command, inner, server, tree),
        Verb::Sequence(inner) => sequence(command, inner, server, tree, within),
        Verb::Alert { code, .. } => Done::plain(command, alert(*code)),
        Verb::Other(_) => Done::plain(command, command.verb.unsupported().unwrap_or(FAILED)),
        Verb::Exec { item, .. } => each(command, std::slice::from_ref(item), server, tree, exec),
        Verb::Add(items) => each(command, items, server, tree, add),
        Verb::Replace(items) => each(command, items, server, tree, replace),
        Verb::Delete(items) => each(command, items, server, tree, delete),
        Verb::Get(items) => each(command, items, server, tree, get),
        Verb::Copy(items) => each(command, items, server, tree, copy),
    }
}

/// All or nothing (RepPro 1.2): on failure the failed command keeps its own code, those before it are undone, those
/// behind it are not tried.
fn atomic<'c>(command: &'c Command, inner: &'c [Command], server: &ServerId, tree: &mut Tree) -> Done<'c> {
    let before = tree.snapshot();
    let mut done = Done::plain(command, OK);
    let mut has_failed = false;
    for inner in inner {
        if has_failed {
            done.inner.push(Done::all(inner, NOT_EXECUTED));
            continue;
        }
        let mut this = perform(inner, server, tree, Within::Atomic);
        if !this.is_good() {
            has_failed = true;
            done.inner.iter_mut().for_each(Done::undo);
            this.undo_what_was_done();
        }
        done.inner.push(this);
    }
    if has_failed {
        tree.roll_back(before);
        done.code = ATOMIC_FAILED;
    }
    done
}

/// One after the other, each whatever became of those before it; but where the user should have been asked first and
/// could not be, nothing behind the question is done (RepPro 1.2, DM Protocol 1.2).
fn sequence<'c>(
    command: &'c Command,
    inner: &'c [Command],
    server: &ServerId,
    tree: &mut Tree,
    within: Within,
) -> Done<'c> {
    let mut done = Done::plain(command, OK);
    let mut is_cut_short = false;
    for inner in inner {
        let this = if is_cut_short { Done::all(inner, NOT_EXECUTED) } else { perform(inner, server, tree, within) };
        is_cut_short |= matches!(inner.verb, Verb::Alert { .. }) && !is_good(this.code);
        done.inner.push(this);
    }
    done
}

/// What an alert of the server gets: nobody sits before a simulated device, so it shows texts to nobody (1100), and
/// cannot ask anybody anything (1101 to 1104).
fn alert(code: Option<u16>) -> u16 {
    match code {
        None => INCOMPLETE,
        Some(DISPLAY | NEXT_MESSAGE | NO_END_OF_DATA) => OK,
        Some(_) => Refusal::Unsupported.code(),
    }
}

/// Carries one item out; what a Get has found, or the status of what it is refused with.
type Act = fn(&Item, &ServerId, &mut Tree) -> Result<Option<Vec<Item>>, u16>;

fn each<'c>(command: &'c Command, items: &'c [Item], server: &ServerId, tree: &mut Tree, act: Act) -> Done<'c> {
    let one = |item: &'c Item| {
        // No work without right: the server's account may have gone with an earlier command of this very session.
        let result = if tree.has_account(server) { act(item, server, tree) } else { Err(DENIED) };
        let (code, found) = match result {
            Ok(found) => (OK, found),
            Err(code) => (code, None),
        };
        DoneItem { uri: item.target.as_deref(), code, found }
    };
    let items: Vec<DoneItem> = items.iter().map(one).collect();
    let code = items.first().map_or(INCOMPLETE, |item| item.code);
    Done { items, ..Done::plain(command, code) }
}

fn get(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
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

fn add(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
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

fn replace(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
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

fn delete(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    tree.delete(server, &bare_target(item)?).map(|()| None).map_err(code)
}

fn exec(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
    tree.exec(server, &bare_target(item)?).map(|()| None).map_err(code)
}

fn copy(item: &Item, server: &ServerId, tree: &mut Tree) -> Result<Option<Vec<Item>>, u16> {
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

fn inner_of(command: &Command) -> &[Command] {
    match &command.verb {
        Verb::Atomic(inner) | Verb::Sequence(inner) => inner,
        _ => &[],
    }
}

fn code(refusal: Refusal) -> u16 {
    refusal.code()
}

fn is_good(code: u16) -> bool {
    (200..300).contains(&code)
}

const DISPLAY: u16 = 1100;
/// Alert: go on with your package.
pub const NEXT_MESSAGE: u16 = 1222;
const NO_END_OF_DATA: u16 = 1225;

const OK: u16 = 200;
const NOT_EXECUTED: u16 = 215;
const ROLLED_BACK: u16 = 216;
const INCOMPLETE: u16 = 412;
const TOO_LARGE: u16 = 413;
const DENIED: u16 = 425;
const FAILED: u16 = 500;
const ATOMIC_FAILED: u16 = 507;
