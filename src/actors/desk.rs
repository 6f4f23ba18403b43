//! What the answering side is to do with single exchanges, left there for it by the side that asks.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::actors::board::Board;
use crate::actors::ordeal::{Spoil, Wait};
use crate::delegation::message::Message;
use crate::delegation::reading::Readings;
use crate::delegation::xml;
use crate::facts::pattern::Pattern;
use crate::faults::forgery;
use crate::ids::DeviceNumber;
use crate::transport::exchange::Outbound;

/// What is to be done with one exchange at the answering side, in this order.
#[derive(Debug, Clone)]
pub struct Plan {
    pub device: DeviceNumber,
    /// Before its party gets it.
    pub before: Vec<Before>,
    /// Once its party has answered.
    pub after: Vec<After>,
    /// Whether a bootstrap server gives out the document of an account that is not valid.
    pub is_stale: bool,
}

/// Something before the party gets a request. All but a wait keep the request from it.
#[derive(Debug, Clone)]
pub enum Before {
    Wait(Wait),
    Status {
        status: u16,
        retry_after: Option<Duration>,
    },
    HangUp,
    /// Nothing comes back for as long as anybody may wait for it; then it hangs up.
    Silence,
    /// The negative answer to the message, where it has one, else 409.
    Refuse {
        reason: u16,
    },
}

/// Something that becomes of an answer.
#[derive(Debug, Clone)]
pub enum After {
    Wait(Wait),
    Status { status: u16, retry_after: Option<Duration> },
    Spoil(Spoil),
}

/// Where plans lie, each under its number.
#[derive(Default)]
pub struct Desk {
    plans: Mutex<BTreeMap<u64, Arc<Plan>>>,
    next: AtomicU64,
}

impl Desk {
    /// Leaves a plan; its number travels beside the exchange. Gone when the result is dropped.
    pub fn leave(self: &Arc<Desk>, plan: Plan) -> Left {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::new(plan));
        Left { desk: Arc::clone(self), number }
    }

    /// The plan of this number.
    pub fn plan(&self, number: u64) -> Option<Arc<Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }
}

/// A plan on the desk.
pub struct Left {
    desk: Arc<Desk>,
    pub number: u64,
}

impl Drop for Left {
    fn drop(&mut self) {
        self.desk.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Plan {
    /// The reason of the negative answer that is wanted, if one is.
    pub fn refuses_with(&self) -> Option<u16> {
        self.before.iter().find_map(|before| match before {
            Before::Refuse { reason } => Some(*reason),
            Before::Wait(_) | Before::Status { .. } | Before::HangUp | Before::Silence => None,
        })
    }

    /// The negative answer to a message, where one is wanted and the message has one; else 409. Its party has not seen it.
    pub fn refusal(&self, message: Option<&Message>, readings: &Readings) -> Outbound {
        match self.refuses_with().zip(message).and_then(|(reason, message)| forgery::refusal(message, reason)) {
            Some(refusal) => Outbound::ok(xml::CONTENT_TYPE, xml::write(&refusal, readings)),
            None => Outbound::status(409),
        }
    }
}

/// Answers one request as its plan has it. `refusal`: the negative answer, if the plan wants one; `patience`: how long anybody
/// may wait for an answer; `answer`: that of the party.
pub async fn carry_out(
    plan: &Plan,
    (board, patience): (&Board, Duration),
    refusal: Outbound,
    answer: impl Future<Output = Outbound>,
) -> Outbound {
    for before in &plan.before {
        match before {
            Before::Wait(wait) => sit_out(wait, plan.device, board).await,
            Before::Status { status, retry_after } => return Outbound::status_and_when(*status, *retry_after),
            Before::HangUp => return Outbound::hang_up(),
            Before::Silence => {
                tokio::time::sleep(patience).await;
                return Outbound::hang_up();
            }
            Before::Refuse { .. } => return refusal,
        }
    }
    let mut outbound = answer.await;
    for after in &plan.after {
        match after {
            After::Wait(wait) => sit_out(wait, plan.device, board).await,
            After::Status { status, retry_after } => outbound = Outbound::status_and_when(*status, *retry_after),
            After::Spoil(Spoil::Close) => outbound = outbound.with_header("connection", "close"),
            After::Spoil(spoil) => spoil.apply(&mut outbound.content_type, &mut outbound.body),
        }
    }
    outbound
}

/// Waits as an exchange has to.
pub async fn sit_out(wait: &Wait, device: DeviceNumber, board: &Board) {
    match wait {
        Wait::For(time) => tokio::time::sleep(*time).await,
        Wait::Until { until, at_most } => {
            board.gate(device, until, *at_most).await;
        }
        Wait::Next { what, at_most } => {
            let mut until = Pattern { what: what.clone(), nth: 1 };
            let so_far = board.with(device, |facts| facts.iter().filter(|fact| until.matches(&fact.what)).count());
            until.nth += so_far as u32;
            board.gate(device, &until, *at_most).await;
        }
    }
}
