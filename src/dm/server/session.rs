//! One session: its numbers, its statuses, and the messages of the server in it.

use std::collections::VecDeque;

use super::commands::{self, CmdIds, Round};
use super::credentials::Nonces;
use super::{Effect, Turn};
use crate::clock::Moment;
use crate::dm::auth::Scheme;
use crate::dm::script::{Order, OrderResult, Script, Step};
use crate::dm::syncml::{Chal, Command, Element, Header, Location, Message, Meta, Status, Verb};
use crate::dm::syncml_xml;

/// A session that a device has opened, authenticated or not yet.
#[derive(Debug)]
pub struct Session {
    /// As the device wrote it.
    pub id: String,
    /// When the device has been silent for too long.
    pub until: Moment,
    pub is_authenticated: bool,
    /// The nonce of the latest challenge, by its number: it counts for this session alone until the device has proved
    /// itself with it, so that nobody else can put the device out of step.
    pub offered: Option<u32>,
    /// How often the device's proof was missing or wrong.
    pub failures: u8,
    /// Whether the device has been turned away: until the session is forgotten, nothing more is heard in it.
    pub is_over: bool,
    /// What the device takes at once.
    pub limits: Limits,
    /// Whether the device has said that it believes us for the rest of the session.
    pub is_believed: bool,
    /// How often the device has not believed us.
    pub rejections: u8,
    pub running: Option<Running>,
    /// MsgID of the device's latest message.
    pub heard: String,
    /// MsgID of our latest message.
    said: u32,
}

/// The errand under way in a session.
#[derive(Debug)]
pub struct Running {
    pub ticket: u64,
    pub script: Script,
    /// What is awaited of the script's round: the answers to all of it, or to as much as the device takes at once.
    pub round: Option<Round>,
    /// What has not been sent of the script's round.
    left: VecDeque<Order>,
    /// The results of what has been answered of it.
    done: Vec<OrderResult>,
}

impl Running {
    pub fn new(ticket: u64, script: Script) -> Running {
        Running { ticket, script, round: None, left: VecDeque::new(), done: Vec::new() }
    }

    /// The next orders, as many as a message can carry, once these results have come; or how the errand has ended.
    /// An order that no message can carry counts as refused, for its size (413), without being sent.
    pub fn next(&mut self, results: Vec<OrderResult>, limits: Limits) -> Step {
        self.done.extend(results);
        loop {
            while let Some(part) = self.part(limits) {
                if !part.is_empty() {
                    return Step::Orders(part);
                }
                self.left.pop_front();
                self.done.push(OrderResult { code: TOO_LARGE, data: None, inner: Vec::new() });
            }
            match self.script.next(Some(&std::mem::take(&mut self.done))) {
                Step::Orders(orders) => self.left = orders.into(),
                ended @ Step::Finished(_) => return ended,
            }
        }
    }

    /// What of the round goes into the next message; empty where its next order goes into none. `None`: all is sent.
    fn part(&mut self, limits: Limits) -> Option<Vec<Order>> {
        self.left.front()?;
        let fitting = limits.fitting(&self.left);
        Some(self.left.drain(..fitting).collect())
    }
}

/// What the device takes, in bytes, as far as it has said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// `MaxMsgSize`.
    message: Option<u64>,
    /// `MaxObjSize`.
    object: Option<u64>,
}

impl Limits {
    /// Keeps what a message of the device says, the first word of the session counting: one client in the field repeats
    /// the server's own limit later.
    pub fn hear(&mut self, meta: &Meta) {
        self.message = self.message.or(meta.max_msg_size);
        self.object = self.object.or(meta.max_obj_size);
    }

    /// How many of these orders one message can carry.
    fn fitting(self, orders: &VecDeque<Order>) -> usize {
        let objects =
            orders.iter().take_while(|order| self.object.is_none_or(|most| largest_value(order) <= most)).count();
        let Some(most) = self.message else { return objects };
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(FRAME);
        if orders.iter().map(roughly).sum::<usize>() <= room {
            return objects;
        }
        let ends = orders.iter().take(objects).scan(0, |end, order| {
            *end += syncml_xml::size(&commands::measured(order));
            Some(*end)
        });
        ends.take_while(|end| *end <= room).count()
    }
}

/// No order takes more bytes than this: quickly told, since it is asked of every round.
fn roughly(order: &Order) -> usize {
    let texts = match order {
        Order::Atomic(orders) => return TAGS + orders.iter().map(roughly).sum::<usize>(),
        Order::AddLeaf { uri, value, .. } | Order::ReplaceLeaf { uri, value, .. } => uri.as_str().len() + value.len(),
        Order::ReplaceAcl { uri, acl } => uri.as_str().len() + acl.len(),
        Order::RestoreAcl(change) => change.uri().as_str().len() + change.before().len(),
        Order::AddNode { uri, .. }
        | Order::GetAcl(uri)
        | Order::GetFormat(uri)
        | Order::ListAcls(uri)
        | Order::Get(uri)
        | Order::Delete(uri) => uri.as_str().len(),
    };
    // Nothing is written with more than five bytes for one.
    TAGS + 5 * texts
}

/// The octets of the longest value in an order.
fn largest_value(order: &Order) -> u64 {
    match order {
        Order::AddLeaf { value, .. } | Order::ReplaceLeaf { value, .. } => value.len() as u64,
        Order::Atomic(orders) => orders.iter().map(largest_value).max().unwrap_or_default(),
        _ => 0,
    }
}

/// What a message of ours is made of.
pub struct Reply<'a> {
    /// The message it answers.
    pub to: &'a Message,
    pub header_code: u16,
    /// For each of the device's commands; `None`: what each of them deserves.
    pub code: Option<u16>,
    pub chal: Option<Chal>,
    pub commands: Commands,
}

/// What our message asks for.
pub enum Commands {
    /// Nothing: the device has to be authenticated first, or the session ends.
    None,
    /// These orders, as the next round.
    Orders(Vec<Order>),
    /// The rest of the device's package.
    NextMessage,
}

impl Session {
    pub fn new(id: &str) -> Session {
        Session {
            id: id.to_owned(),
            until: Moment::NEVER,
            is_authenticated: false,
            offered: None,
            failures: 0,
            is_over: false,
            limits: Limits::default(),
            is_believed: false,
            rejections: 0,
            running: None,
            heard: String::new(),
            said: 0,
        }
    }

    /// Answers the device's message.
    pub fn reply(&mut self, exchange: u64, reply: Reply<'_>, nonces: &Nonces, turn: &mut Turn<'_>) {
        self.said += 1;
        let msg_id = self.said.to_string();
        let mut ids = CmdIds::default();
        let mut body = statuses(&reply, &mut ids);
        let mut is_final = true;
        match reply.commands {
            Commands::None => {}
            Commands::Orders(orders) => {
                let (round, commands) = Round::new(orders, &msg_id, &mut ids);
                body.extend(commands.into_iter().map(Element::Command));
                if let Some(running) = &mut self.running {
                    running.round = Some(round);
                }
            }
            Commands::NextMessage => {
                let verb = Verb::Alert { code: Some(NEXT_MESSAGE), correlator: None, items: Vec::new() };
                body.push(Element::Command(Command { cmd_id: ids.next(), verb }));
                is_final = false;
            }
        }
        let header = self.header(msg_id, reply.to, nonces, turn);
        let seal = nonces.seal(turn.device, &turn.settings.accounts);
        turn.out.push(Effect::Answer { exchange, message: Message { header, body, is_final }, seal });
    }

    fn header(&self, msg_id: String, to: &Message, nonces: &Nonces, turn: &Turn<'_>) -> Header {
        let book = &*turn.settings.accounts;
        // The name is that of our credentials, where the proof does not carry it itself.
        let name = book.scheme.uses_nonce().then(|| book.server.to_string());
        Header {
            ver_dtd: "1.2".to_owned(),
            ver_proto: turn.settings.ver_proto.clone(),
            session_id: self.id.clone(),
            msg_id,
            target: Location::new(to.header.source.uri.clone()),
            source: Location { uri: book.address.clone(), name },
            resp_uri: None,
            cred: if self.is_believed { None } else { nonces.cred(turn.device, book) },
            meta: Meta { max_msg_size: Some(turn.settings.max_msg_size), ..Meta::default() },
        }
    }
}

/// The status of the header for a message that was accepted: 212 answers credentials in the message, and never a MAC.
pub fn accepted(scheme: Scheme, has_cred: bool) -> u16 {
    if has_cred && matches!(scheme, Scheme::Basic | Scheme::Md5) { AUTHENTICATED } else { OK }
}

/// The code of the alert that opens a session: 1200 after a trigger, 1201 by the device itself.
pub fn opening_alert(message: &Message) -> Option<u16> {
    alerts(message).find(|code| matches!(*code, 1200 | CLIENT_INITIATED))
}

/// Whether this is a package 1 that answers nothing: a device that begins anew, perhaps with the same SessionID.
pub fn is_restart(message: &Message) -> bool {
    opening_alert(message).is_some() && message.header_status().is_none()
}

/// Whether the device breaks the session off (Alert 1223).
pub fn is_abort(message: &Message) -> bool {
    alerts(message).any(|code| code == SESSION_ABORT)
}

fn alerts(message: &Message) -> impl Iterator<Item = u16> {
    message.commands().filter_map(|command| match command.verb {
        Verb::Alert { code, .. } => code,
        _ => None,
    })
}

/// One Status for the header, first, and one for each of the device's commands.
fn statuses(reply: &Reply<'_>, ids: &mut CmdIds) -> Vec<Element> {
    let to = reply.to;
    let status = |ids: &mut CmdIds, cmd_ref: &str, cmd: &str, code: u16| Status {
        cmd_id: ids.next(),
        msg_ref: to.header.msg_id.clone(),
        cmd_ref: Some(cmd_ref.to_owned()),
        cmd: cmd.to_owned(),
        code,
        ..Status::default()
    };
    let mut header = status(ids, "0", "SyncHdr", reply.header_code);
    header.target_refs.push(to.header.target.uri.clone());
    header.source_refs.push(to.header.source.uri.clone());
    header.chal.clone_from(&reply.chal);
    let mut body = vec![Element::Status(header)];
    for command in to.commands() {
        let code = reply.code.unwrap_or_else(|| match &command.verb {
            Verb::Alert { items, .. } | Verb::Replace(items) if items.iter().any(|item| item.more_data) => BUFFERED,
            Verb::Alert { .. } | Verb::Replace(_) => OK,
            verb => verb.unsupported().unwrap_or(NOT_ALLOWED),
        });
        let mut status = status(ids, &command.cmd_id, command.verb.name(), code);
        // Clients send again only what was challenged itself.
        status.chal = reply.code.and(reply.chal.clone());
        body.push(Element::Status(status));
    }
    // Results are answered only where more of the same is to come (DM Protocol 1.2).
    for results in to.results().filter(|results| results.items.iter().any(|item| item.more_data)) {
        body.push(Element::Status(status(ids, &results.cmd_id, "Results", reply.code.unwrap_or(BUFFERED))));
    }
    body
}

/// What a message of ours takes beside its commands, at most: the header with credentials, and the statuses of what
/// devices send.
const FRAME: usize = 2_048;

/// What the tags and types of one order take, at most.
const TAGS: usize = 512;

const OK: u16 = 200;
/// One piece of an object has been taken.
const BUFFERED: u16 = 213;
/// More than the device takes.
const TOO_LARGE: u16 = 413;
/// Authentication accepted, for the rest of the session.
const AUTHENTICATED: u16 = 212;
/// A command that devices do not send to servers.
const NOT_ALLOWED: u16 = 405;
/// Alert: the device opened the session by itself.
pub const CLIENT_INITIATED: u16 = 1201;
/// Alert: go on with your package.
const NEXT_MESSAGE: u16 = 1222;
/// Alert: the session is broken off.
const SESSION_ABORT: u16 = 1223;
