//! What the far side of an exchange would have to do, done at our end where the far side is somebody else's: nobody there
//! knows of our faults.

use std::cell::RefCell;

use crate::actors::desk::{Plan, carry_out};
use crate::actors::lane::Lane;
use crate::dm::auth::HMAC_HEADER;
use crate::transport::dialer::{Call, Reply};
use crate::transport::exchange::Outbound;
use crate::transport::failure::{CallError, Phase};
use crate::transport::timing::Timing;

/// What is to be done there.
pub struct Far {
    pub plan: Plan,
    /// The negative answer, if the plan wants one.
    pub refusal: Outbound,
}

/// Makes a call, with what becomes of it on the far side.
///
/// # Errors
/// As of any call; what a plan ends without an answer has broken off, or was not answered in time.
pub async fn call(lane: &Lane, call: Call, far: Option<Far>) -> Result<Reply, CallError> {
    let Some(Far { plan, refusal }) = far else { return lane.dialer.call(call).await };
    let (began, after) = (lane.blueprint.clock.now(), call.timeout);
    let came: RefCell<Option<Result<Timing, CallError>>> = RefCell::new(None);
    let answer = async {
        let answered = lane.dialer.call(call).await;
        let outbound = answered.as_ref().map_or_else(|_| Outbound::hang_up(), as_it_came);
        *came.borrow_mut() = Some(answered.map(|reply| reply.timing));
        outbound
    };
    let outbound = carry_out(&plan, (&lane.board, after), refusal, answer).await;
    let now = lane.blueprint.clock.now();
    match (came.into_inner(), outbound.hangs_up) {
        (Some(Err(error)), _) => Err(error),
        (None, true) if now - began >= after => Err(CallError::TimedOut { phase: Phase::Answer, after }),
        (_, true) => Err(CallError::Broken { phase: Phase::Answer, problem: "a fault has ended it".to_owned() }),
        (Some(Ok(timing)), false) => Ok(Reply::made_of(outbound, Timing { done: now, ..timing })),
        // It never went there.
        (None, false) => Ok(Reply::made_of(outbound, Timing::of_nothing(began, now))),
    }
}

/// An answer with all that a peer goes by. A redirection goes on as it came, and is followed by nobody here.
pub fn as_it_came(reply: &Reply) -> Outbound {
    let kept = ["retry-after", "location", HMAC_HEADER];
    let headers = kept.into_iter().filter_map(|name| Some((name, reply.header(name)?.to_owned()))).collect();
    let content_type = reply.content_type().map(|found| found.to_owned().into());
    let status = if (200..600).contains(&reply.status) { reply.status } else { 502 };
    Outbound { content_type, headers, body: reply.body.clone(), ..Outbound::status(status) }
}
