//! Orders as SyncML commands, and a device's answers as the results of orders.

use crate::dm::script::{Order, OrderResult, is_done};
use crate::dm::syncml::{Command, Element, Item, Message, Meta, Verb};

/// One round of orders as they were sent, filled with the answers as they come.
#[derive(Debug)]
pub struct Round {
    pub orders: Vec<Order>,
    msg_id: String,
    slots: Vec<Slot>,
}

/// The answers to one command.
#[derive(Debug)]
struct Slot {
    cmd_id: String,
    code: Option<u16>,
    data: Option<String>,
    /// Whether more of the data is to come.
    is_partial: bool,
    /// How many octets the data will have, as its first piece said.
    size: Option<u64>,
    inner: Vec<Slot>,
}

/// Numbers the commands and statuses of one message, from 1.
#[derive(Debug, Default)]
pub struct CmdIds(u32);

impl CmdIds {
    pub fn next(&mut self) -> String {
        self.0 += 1;
        self.0.to_string()
    }
}

impl Round {
    /// A round to be sent in the message `msg_id`, and its commands.
    pub fn new(orders: Vec<Order>, msg_id: &str, ids: &mut CmdIds) -> (Round, Vec<Command>) {
        let mut slots = Vec::with_capacity(orders.len());
        let commands = orders.iter().map(|order| command(order, ids, &mut slots)).collect();
        (Round { orders, msg_id: msg_id.to_owned(), slots }, commands)
    }

    /// Takes the answers out of a message.
    pub fn fill(&mut self, message: &mut Message) {
        for element in &mut message.body {
            match element {
                Element::Status(status) if status.msg_ref == self.msg_id => {
                    if let Some(slot) = status.cmd_ref.as_deref().and_then(|id| find(&mut self.slots, id)) {
                        // Of several statuses of one command, a failure counts.
                        if slot.code.is_none_or(is_done) {
                            slot.code = Some(status.code);
                        }
                    }
                }
                Element::Results(results) if results.msg_ref.as_ref().is_none_or(|msg_ref| *msg_ref == self.msg_id) => {
                    let size = results.meta.size;
                    if let Some(slot) = find(&mut self.slots, &results.cmd_ref)
                        && let Some(item) = results.items.first_mut()
                    {
                        slot.take(item, size);
                    }
                }
                _ => {}
            }
        }
    }

    /// One result for each order.
    pub fn results(self) -> Vec<OrderResult> {
        self.slots.into_iter().map(Slot::result).collect()
    }
}

impl Slot {
    /// Takes what a Get has found, or the next piece of it (DM Protocol 1.2).
    fn take(&mut self, item: &mut Item, size: Option<u64>) {
        let was_partial = std::mem::replace(&mut self.is_partial, item.more_data);
        match &mut self.data {
            Some(data) if was_partial => data.push_str(item.data.as_deref().unwrap_or_default()),
            data => {
                *data = item.data.take();
                self.size = item.meta.size.or(size);
            }
        }
        let octets = self.data.as_ref().map_or(0, |data| data.len() as u64);
        if octets > LARGEST_OBJECT {
            (self.code, self.data) = (Some(TOO_LARGE), None);
        } else if was_partial && !item.more_data && self.size.is_some_and(|size| size != octets) {
            (self.code, self.data) = (Some(SIZE_MISMATCH), None);
        }
    }

    /// A client in the field sends no Status for an Atomic itself: then its inner ones say how it went. Where it is
    /// the inner ones that are missing, they went as the Atomic did.
    fn result(self) -> OrderResult {
        let is_atomic = !self.inner.is_empty();
        let unsaid = match self.code {
            Some(code) if is_done(code) => 200,
            Some(_) => NOT_EXECUTED,
            None => FAILED,
        };
        let inner: Vec<OrderResult> =
            self.inner.into_iter().map(|slot| Slot { code: slot.code.or(Some(unsaid)), ..slot }.result()).collect();
        let code = match self.code {
            Some(code) => code,
            None if is_atomic && inner.iter().all(|result| is_done(result.code)) => 200,
            None if is_atomic => ATOMIC_FAILED,
            None => FAILED,
        };
        OrderResult { code, data: self.data, inner }
    }
}

fn find<'a>(slots: &'a mut [Slot], cmd_id: &str) -> Option<&'a mut Slot> {
    slots.iter_mut().find_map(|slot| {
        if slot.cmd_id == cmd_id { Some(slot) } else { slot.inner.iter_mut().find(|inner| inner.cmd_id == cmd_id) }
    })
}

/// An order as a command, to see how long it gets.
pub fn measured(order: &Order) -> Element {
    Element::Command(command(order, &mut CmdIds(FEW_DIGITS), &mut Vec::new()))
}

fn command(order: &Order, ids: &mut CmdIds, slots: &mut Vec<Slot>) -> Command {
    let cmd_id = ids.next();
    let mut inner = Vec::new();
    let target = || Item::target(order.target());
    let verb = match order {
        Order::GetAcl(_) | Order::GetFormat(_) | Order::ListAcls(_) | Order::Get(_) => Verb::Get(vec![target()]),
        Order::AddNode { kind: "", .. } => Verb::Add(vec![target().with(Meta::format("node"), "")]),
        Order::AddNode { kind, .. } => Verb::Add(vec![target().with(Meta::typed("node", *kind), "")]),
        Order::AddLeaf { format, value, .. } => Verb::Add(vec![target().with(text(format), value.as_str())]),
        Order::ReplaceLeaf { format, value, .. } => Verb::Replace(vec![target().with(text(format), value.as_str())]),
        Order::ReplaceAcl { acl, .. } => Verb::Replace(vec![target().with(text("chr"), acl.as_str())]),
        Order::RestoreAcl(change) => Verb::Replace(vec![target().with(text("chr"), change.before())]),
        Order::Delete(_) => Verb::Delete(vec![target()]),
        Order::Atomic(orders) => Verb::Atomic(orders.iter().map(|order| command(order, ids, &mut inner)).collect()),
    };
    slots.push(Slot { cmd_id: cmd_id.clone(), code: None, data: None, is_partial: false, size: None, inner });
    Command { cmd_id, verb }
}

fn text(format: &str) -> Meta {
    Meta::typed(format, "text/plain")
}

/// No CmdID of a message that fits has more digits than this one.
const FEW_DIGITS: u32 = 100_000;
/// Octets of what a Get finds that are put together from pieces, at most.
const LARGEST_OBJECT: u64 = 1 << 20;
/// The status of more than the recipient takes.
const TOO_LARGE: u16 = 413;
/// The status of pieces that do not add up.
const SIZE_MISMATCH: u16 = 424;
/// The status of a command that was skipped.
const NOT_EXECUTED: u16 = 215;
/// The status that stands for an answer that did not come.
const FAILED: u16 = 500;
/// The status of an Atomic that failed.
const ATOMIC_FAILED: u16 = 507;
