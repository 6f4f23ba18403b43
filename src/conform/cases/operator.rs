//! What only the peer's operator can start, asked for where the file says how.

use super::handing::{bootstrap, confirmation, done, prepare, prepared, told_of_account, until_prepared};
use crate::conform::mailbox::Answer;
use crate::conform::stage::{Stage, Stopped, Told};
use crate::delegation::flow::{Approach, Revocation};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reason::{FORBIDDEN, OK};
use crate::dm::script::Errand;
use crate::ids::SessionId;
use crate::scenario::print_step;
use crate::workload::journey::{Expected, Step};

const DONE: Expected = Expected("done");

fn told(stage: &Stage, step: &Step) -> String {
    let names: Vec<String> = stage.world.scenario.servers.iter().map(|server| server.name.clone()).collect();
    print_step(step, &names)
}

/// The peer gives us the device.
fn delegate(stage: &Stage, is_full: bool) -> Told<String> {
    let (us, peer) = (stage.world.pair.us, stage.world.pair.peer);
    Ok(told(
        stage,
        &Step::Delegate {
            from: peer,
            to: us,
            approach: Approach::DmAcc,
            subtree: stage.subtree()?,
            is_full,
            by_delegated: false,
            expect: DONE,
        },
    ))
}

/// The peer takes the device back.
fn revoke(stage: &Stage, how: Revocation) -> String {
    let (us, peer) = (stage.world.pair.us, stage.world.pair.peer);
    told(stage, &Step::Revoke { from: peer, to: us, how, expect: DONE })
}

/// Until a delegation that the peer's operator has started is in force.
async fn in_force(stage: &Stage) -> Told<SessionId> {
    stage.ask_operator(&delegate(stage, false)?).await?;
    let id = "dms1/delegation_req";
    let came = stage.next(id, Kind::DelegationReq, None, true, stage.timing().reaction).await?;
    let session = stage.look_at_request(id, &came, false)?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    done(stage.device()?.run(Errand::Visit { subtree: stage.subtree()? }).await)?;
    stage.must_be_taken("dms1/delegation_confirmed/taken", &stage.post(&confirmation(&session)).await)?;
    Ok(session)
}

/// Figures 6, 8 and 12 with the peer as DMS-1.
pub async fn delegates(stage: &Stage) -> Told {
    let delegation = in_force(stage).await?;
    let session = asked(stage).await?;
    let its = if session == delegation { "uses the delegation's" } else { "makes a new one" };
    stage.log.answer("D22", its);
    let report = Message::DelegationTerminationResp { reason: Some(OK), session: session.clone() };
    stage.post(&report).await;
    let within = stage.timing().reaction + stage.timing().session;
    let id = "dms1/asked/delegation_revoked";
    let came = stage.next(id, Kind::DelegationRevoked, Some(&session), true, within).await;
    removed(stage, "dms1/asked/removed").await?;
    came.map(drop)
}

/// The peer's operator wants the device back by asking; the session of its request.
async fn asked(stage: &Stage) -> Told<SessionId> {
    stage.ask_operator(&revoke(stage, Revocation::Asked)).await?;
    let (id, within) = ("dms1/delegation_termination_req", stage.timing().reaction);
    let came = stage.next(id, Kind::DelegationTerminationReq, None, true, within).await?;
    look_at_device_and_session(stage, id, &came)
}

/// deviceId and sessionId of a message that opens a revocation.
fn look_at_device_and_session(stage: &Stage, id: &str, came: &crate::conform::mailbox::Arrived) -> Told<SessionId> {
    let device = came.fields.get("deviceId").unwrap_or("it is not there");
    let holds = device == stage.device()?.id.as_str();
    stage.log.check(&format!("{id}/deviceId"), holds, device, came.exchange);
    let session = came.fields.get("sessionId").filter(|id| !id.is_empty());
    let found = session.unwrap_or("it is not there");
    stage.log.check(&format!("{id}/sessionId"), session.is_some(), found, came.exchange);
    let session = session.ok_or_else(|| Stopped("the request has no sessionId".to_owned()))?;
    let session = SessionId::new(session);
    stage.mailbox.claim(&session);
    Ok(session)
}

async fn removed(stage: &Stage, item: &str) -> Told {
    let within = stage.timing().reaction + stage.timing().session;
    let us = stage.us().clone();
    let gone = stage.device()?.tree_comes_to(within, |tree| !tree.has_account(&us)).await;
    stage.log.check(item, gone, if gone { "it has gone" } else { "it is still there" }, None);
    Ok(())
}

/// D26: DELEGATION_TERMINATION_REQ is acknowledged, and nothing follows.
pub async fn waits(stage: &Stage) -> Told {
    in_force(stage).await?;
    let session = asked(stage).await?;
    let timing = stage.timing();
    let within = timing.termination + timing.reaction + timing.session;
    let came = stage.mailbox.next(Kind::DelegationRevoked, within).await;
    let gone = !stage.device()?.look(|tree| tree.has_account(stage.us()));
    let found = match (came.is_some(), gone) {
        (true, true) => "the account has gone, and DELEGATION_REVOKED came",
        (false, true) => "the account has gone",
        (_, false) => "it has not gone on",
    };
    stage.log.check("dms1/timeout/termination", gone, found, came.as_ref().and_then(|came| came.exchange));
    // The session is the one that was asked by, and nothing else is looked at here.
    drop(session);
    Ok(())
}

/// Figure 14 with the peer as DMS-1: first the device, then the notice, which is its own choice (D27).
pub async fn forces(stage: &Stage) -> Told {
    in_force(stage).await?;
    stage.ask_operator(&revoke(stage, Revocation::Forced { notice: true })).await?;
    removed(stage, "dms1/forced/removed").await?;
    let id = "dms1/forced/delegation_revoked";
    let Some(came) = stage.mailbox.next(Kind::DelegationRevoked, stage.timing().reaction).await else {
        stage.log.answer("notice", "no notice (5.2.5.3: MAY)");
        stage.log.unsupported(&format!("{id}/sent"), "no notice has come, which 5.2.5.3 leaves to DMS-1");
        return Ok(());
    };
    stage.log.answer("notice", "DELEGATION_REVOKED");
    stage.log.check(&format!("{id}/sent"), true, "it came", came.exchange);
    let text = |name: &str| came.fields.get(name).unwrap_or("it is not there");
    let check = |parameter: &str, holds| {
        stage.log.check(&format!("{id}/{parameter}"), holds, text(parameter), came.exchange);
    };
    check("deviceId", text("deviceId") == stage.device()?.id.as_str());
    let code = text("reasonCode").parse::<u16>().ok();
    check("reasonCode", code.is_some() && crate::delegation::reason::is_success(code));
    check("status", text("status") == "DEL_REVOKED" || text("Status") == "DEL_REVOKED");
    let named = if came.fields.has("sessionId") { "names one" } else { "names none, as in table 18" };
    stage.log.answer("notice-session", named);
    stage.log.answer("D4", if came.fields.has("DMTreeURI") { "carry DMTreeURI" } else { "carry no DMTreeURI" });
    Ok(())
}

/// We do not want the device: the peer goes no further.
pub async fn is_refused(stage: &Stage) -> Told {
    stage.mailbox.answer(Kind::DelegationReq, Answer::No(FORBIDDEN));
    let before = stage.device()?.traces(stage.us());
    stage.ask_operator(&delegate(stage, false)?).await?;
    let id = "dms1/delegation_req";
    stage.next(id, Kind::DelegationReq, None, true, stage.timing().reaction).await?;
    tokio::time::sleep(stage.timing().silence * 2).await;
    let more = stage.mailbox.waiting_roots();
    let is_untouched = stage.device()?.traces(stage.us()) == before;
    let found = match (more.is_empty(), is_untouched) {
        (true, true) => "nothing more has come of it".to_owned(),
        (false, _) => more.join(", "),
        (true, false) => "the device has been changed".to_owned(),
    };
    stage.log.check("dms1/not-acknowledged", more.is_empty() && is_untouched, found, None);
    Ok(())
}

/// Figures 7, 8 and 13 with the peer as DMS-2.
pub async fn wants(stage: &Stage) -> Told {
    let (us, peer) = (stage.world.pair.us, stage.world.pair.peer);
    let step = Step::Delegate {
        from: us,
        to: peer,
        approach: Approach::DmAcc,
        subtree: stage.subtree()?,
        is_full: false,
        by_delegated: true,
        expect: DONE,
    };
    stage.ask_operator(&told(stage, &step)).await?;
    let id = "dms2/delegation_req";
    let came = stage.next(id, Kind::DelegationReq, None, true, stage.timing().reaction).await?;
    let session = stage.look_at_request(id, &came, false)?;
    let account = told_of_account(stage, &session, false).await?;
    prepare(stage, account, false).await?;
    stage.must_be_taken("dms2/delegation_prepared/taken", &stage.post(&prepared(&session, false)).await)?;
    super::handing::confirmed(stage, &session).await?;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;

    let step = Step::Revoke { from: us, to: peer, how: Revocation::Requested, expect: DONE };
    stage.ask_operator(&told(stage, &step)).await?;
    let id = "dms2/delegation_revocation_req";
    let came = stage.next(id, Kind::DelegationRevocationReq, None, true, stage.timing().reaction).await?;
    let revocation = look_at_device_and_session(stage, id, &came)?;
    let status = came.fields.get("status").unwrap_or("none");
    stage.log.answer("D1", format!("sends {status}"));
    stage.log.answer("D4", if came.fields.has("DMTreeURI") { "carry DMTreeURI" } else { "carry no DMTreeURI" });
    stage.log.answer("D22", if revocation == session { "uses the delegation's" } else { "makes a new one" });
    super::handing::remove_peer(stage).await?;
    let revoked =
        Message::DelegationRevoked { device: None, subtree: None, reason: Some(OK), session: Some(revocation) };
    stage.post(&revoked).await;
    Ok(())
}
