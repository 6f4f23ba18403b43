//! The commands of one message against the tree: what is done, one Status for each, and what Gets have found.

use super::mishap::Troubles;
use super::operations::{Act, INCOMPLETE, add, copy, delete, exec, get, replace};
use super::watch::Watch;
use crate::dm::syncml::{Command, Element, Item, Results, Status, Verb};
use crate::dm::syncml_xml;
use crate::dm::tree::{Refusal, Tree};
use crate::ids::ServerId;

/// The answer to one message in the making.
pub struct Commands<'a> {
    server: &'a ServerId,
    msg_ref: &'a str,
    /// Bytes that one message of the device may have beside its frame.
    room: usize,
    body: Vec<Element>,
    watch: Option<&'a mut Watch>,
}

impl<'a> Commands<'a> {
    /// An answer that begins with the Status for the header.
    pub fn new(
        server: &'a ServerId,
        msg_ref: &'a str,
        header: Status,
        room: usize,
        watch: Option<&'a mut Watch>,
    ) -> Commands<'a> {
        Commands { server, msg_ref, room, body: vec![Element::Status(header)], watch }
    }

    /// Carries a command out and answers it.
    pub fn run(&mut self, command: &Command, tree: &mut Tree, troubles: &mut Troubles) {
        let done = Work { server: self.server, tree, troubles }.perform(command, Within::Message);
        self.answer(done);
        troubles.count(command);
        if let Some(watch) = &mut self.watch {
            watch.look_at(tree);
        }
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
        if let Some(watch) = &mut self.watch {
            let codes: Vec<u16> = done.items.iter().map(|item| item.code).collect();
            watch.answered(self.server, done.command, done.code, &codes);
        }
        match &done.items[..] {
            [] => self.status(done.command, done.code, None),
            // Each item by itself, however alike they fared: clients in the field do so.
            items => items.iter().for_each(|item| self.status(done.command, item.code, item.uri)),
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

/// What commands are carried out on, and what stands in their way.
struct Work<'a> {
    server: &'a ServerId,
    tree: &'a mut Tree,
    troubles: &'a mut Troubles,
}

impl Work<'_> {
    /// Carries one command out.
    fn perform<'c>(&mut self, command: &'c Command, within: Within) -> Done<'c> {
        match &command.verb {
            Verb::Atomic(_) | Verb::Get(_) if within == Within::Atomic => Done::all(command, FAILED),
            Verb::Atomic(inner) => self.atomic(command, inner),
            Verb::Sequence(inner) => self.sequence(command, inner, within),
            Verb::Alert { code, .. } => Done::plain(command, alert(*code)),
            Verb::Other(_) => Done::plain(command, command.verb.unsupported().unwrap_or(FAILED)),
            Verb::Get(items) => self.each(command, items, get),
            Verb::Exec { item, .. } => self.change(command, std::slice::from_ref(item), exec),
            Verb::Add(items) => self.change(command, items, add),
            Verb::Replace(items) => self.change(command, items, replace),
            Verb::Delete(items) => self.change(command, items, delete),
            Verb::Copy(items) => self.change(command, items, copy),
        }
    }

    /// All or nothing (RepPro 1.2): on failure the failed command keeps its own code, those before it are undone, those
    /// behind it are not tried.
    fn atomic<'c>(&mut self, command: &'c Command, inner: &'c [Command]) -> Done<'c> {
        let before = self.tree.snapshot();
        let mut done = Done::plain(command, OK);
        let mut has_failed = false;
        for inner in inner {
            if has_failed {
                done.inner.push(Done::all(inner, NOT_EXECUTED));
                continue;
            }
            let mut this = self.perform(inner, Within::Atomic);
            if !this.is_good() {
                has_failed = true;
                done.inner.iter_mut().for_each(Done::undo);
                this.undo_what_was_done();
            }
            done.inner.push(this);
        }
        if has_failed {
            self.tree.roll_back(before);
            done.code = ATOMIC_FAILED;
        }
        done
    }

    /// One after the other, each whatever became of those before it; but where the user should have been asked first
    /// and could not be, nothing behind the question is done (RepPro 1.2, DM Protocol 1.2).
    fn sequence<'c>(&mut self, command: &'c Command, inner: &'c [Command], within: Within) -> Done<'c> {
        let mut done = Done::plain(command, OK);
        let mut is_cut_short = false;
        for inner in inner {
            let this = if is_cut_short { Done::all(inner, NOT_EXECUTED) } else { self.perform(inner, within) };
            is_cut_short |= matches!(inner.verb, Verb::Alert { .. }) && !is_good(this.code);
            done.inner.push(this);
        }
        done
    }

    /// A command that is more than a question: a mishap may have it refused.
    fn change<'c>(&mut self, command: &'c Command, items: &'c [Item], act: Act) -> Done<'c> {
        match self.troubles.next_refusal() {
            Some(code) => Done::plain(command, code),
            None => self.each(command, items, act),
        }
    }

    fn each<'c>(&mut self, command: &'c Command, items: &'c [Item], act: Act) -> Done<'c> {
        let one = |item: &'c Item| {
            // No work without right: the server's account may have gone with an earlier command of this very session.
            let result =
                if self.tree.has_account(self.server) { act(item, self.server, self.tree) } else { Err(DENIED) };
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

fn inner_of(command: &Command) -> &[Command] {
    match &command.verb {
        Verb::Atomic(inner) | Verb::Sequence(inner) => inner,
        _ => &[],
    }
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
const TOO_LARGE: u16 = 413;
const DENIED: u16 = 425;
const FAILED: u16 = 500;
const ATOMIC_FAILED: u16 = 507;
