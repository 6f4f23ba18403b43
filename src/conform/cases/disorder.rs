//! Messages for nobody, at the wrong moment, or twice.

use std::time::Duration;

use super::as_delegated::says_no;
use super::documents::{harmless, is_answered, is_granted};
use super::handing::{
    begin, bootstrap, confirmation, confirmed, not_wanted, prepare, prepared, remove_peer, termination,
    told_of_account, until_prepared,
};
use crate::conform::fields::Fields;
use crate::conform::stage::{Stage, Told};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reason::{self, FAILED, OK};

/// Every message of a process, for one that nobody knows: no answer may claim that it was carried out.
pub async fn unknown_session(stage: &Stage) -> Told {
    let reason = Some(OK);
    let fresh = || stage.fresh_session();
    let url_request = Message::BootstrapSrvUrlReq { reason, session: fresh() };
    for message in [
        Message::DelegationPrepared { reason, is_full: false, session: fresh() },
        Message::DelegationConfirmed { reason, session: fresh() },
        Message::BootstrapConfirmed { reason, bootstrapped: Some(true), account: None, session: fresh() },
        Message::DelegationTerminationResp { reason, session: fresh() },
        Message::DelegationFailure { reason: Some(FAILED), session: fresh() },
        Message::RevocationFailure { reason: Some(FAILED), session: fresh() },
        url_request,
    ] {
        let posted = stage.post(&message).await;
        // What has an answer of its own may say no by that.
        let holds = posted.is_refused() || says_no(&posted);
        let found = format!("{}: {}", posted.of, posted.told());
        match posted.is_silent() {
            true => stage.log.unseen("interface/unknown-session", found),
            false => stage.log.check("interface/unknown-session", holds, found, posted.exchange),
        }
    }
    Ok(())
}

/// A device that nobody has: a delegation is refused by its own message, a revocation in any way.
pub async fn unknown_device(stage: &Stage) -> Told {
    let request = harmless(stage);
    let session = request.session().cloned();
    let posted = stage.post(&request).await;
    let fields = Fields::read(posted.body());
    let code = fields.get("reasonCode").and_then(|text| text.parse::<u16>().ok());
    let holds = is_answered(&posted)
        && !is_granted(&posted)
        && fields.get("isAcknowledged") == Some("false")
        && !reason::is_success(code)
        && fields.get("sessionId") == session.as_ref().map(|session| session.as_str());
    let said = |name| fields.get(name).unwrap_or("none");
    let found = match is_answered(&posted) {
        true => format!("isAcknowledged {}, reasonCode {}", said("isAcknowledged"), said("reasonCode")),
        false => posted.told(),
    };
    stage.log.check("interface/refusal", holds, found, posted.exchange);
    let device = stage.unknown_device();
    for message in [
        Message::DelegationTerminationReq { device: device.clone(), subtree: None, session: stage.fresh_session() },
        Message::DelegationRevocationReq { device: device.clone(), subtree: None, session: stage.fresh_session() },
        Message::DelegationRevoked { device: Some(device), subtree: None, reason: Some(OK), session: None },
    ] {
        let posted = stage.post(&message).await;
        let holds = posted.is_refused() || says_no(&posted);
        stage.log.check(
            "interface/unknown-device",
            holds,
            format!("{}: {}", posted.of, posted.told()),
            posted.exchange,
        );
    }
    Ok(())
}

/// D20: three messages are answers, and nothing else.
pub async fn misplaced(stage: &Stage) -> Told {
    let reason = Some(OK);
    for message in [
        Message::DelegationResp { reason, is_acknowledged: true, session: stage.fresh_session() },
        Message::BootstrapSrvUrlDelivery {
            reason,
            url: "https://nobody.invalid/".into(),
            session: stage.fresh_session(),
        },
        Message::DelegationTerminationAck { reason, session: stage.fresh_session() },
    ] {
        let posted = stage.post(&message).await;
        stage.refused("interface/misplaced", &posted);
    }
    Ok(())
}

/// To DMS-2, before DELEGATION_PREPARED: what is not due, and what only DMS-1 is told.
pub async fn delegated_phase(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    let account = told_of_account(stage, &session, false).await?;
    let (id, reason) = (|| session.clone(), Some(OK));
    for message in [
        Message::DelegationConfirmed { reason, session: id() },
        Message::BootstrapConfirmed { reason, bootstrapped: Some(true), account: None, session: id() },
        Message::DelegationRevoked { device: None, subtree: None, reason, session: Some(id()) },
        termination(stage, &stage.fresh_session())?,
    ] {
        let posted = stage.post(&message).await;
        stage.log.check("dms2/phase", posted.is_refused() || says_no(&posted), told(&posted), posted.exchange);
    }
    prepare(stage, account, false).await?;
    let posted = stage.post(&prepared(&session, false)).await;
    let within = stage.timing().reaction + stage.timing().session;
    let came = match posted.is_success() {
        true => stage.mailbox.next(Kind::DelegationConfirmed, within).await,
        false => None,
    };
    let found = if came.is_some() { "the delegation goes on" } else { "the delegation does not go on" };
    stage.log.check("dms2/phase", came.is_some(), found, posted.exchange);
    Ok(())
}

fn told(posted: &crate::conform::call::Posted) -> String {
    format!("{}: {}", posted.of, posted.told())
}

/// To DMS-1, before BOOTSTRAP_CONFIRMED.
pub async fn delegating_phase(stage: &Stage) -> Told {
    let session = begin(stage, "dms1", false).await?;
    let (id, reason) = (|| session.clone(), Some(OK));
    for message in [
        confirmation(&session),
        Message::DelegationTerminationResp { reason, session: id() },
        Message::DelegationPrepared { reason, is_full: false, session: id() },
        Message::DelegationRevocationReq {
            device: stage.device()?.id.clone(),
            subtree: None,
            session: stage.fresh_session(),
        },
    ] {
        let posted = stage.post(&message).await;
        stage.refused("dms1/phase", &posted);
    }
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    let within = stage.timing().reaction + stage.timing().session;
    let came = match posted.is_success() {
        true => stage.mailbox.next(Kind::DelegationPrepared, within).await,
        false => None,
    };
    let found = if came.is_some() { "the delegation goes on" } else { "the delegation does not go on" };
    stage.log.check("dms1/phase", came.is_some(), found, posted.exchange);
    Ok(())
}

/// A message a second time: answered as before, with no more to come of it than of one.
async fn again(stage: &Stage, item: &str, message: &Message, first: (Option<u16>, String)) -> bool {
    let posted = stage.post(message).await;
    let second = (posted.status(), Fields::read(posted.body()).root);
    let holds = second == first;
    let found = match holds {
        true => format!("{} twice", posted.told()),
        false => format!(
            "{} at first, {} then",
            first.0.map_or("no answer".into(), |status| status.to_string()),
            posted.told()
        ),
    };
    stage.log.check(item, holds, found, posted.exchange);
    holds
}

fn answer_of(posted: &crate::conform::call::Posted) -> (Option<u16>, String) {
    (posted.status(), Fields::read(posted.body()).root)
}

/// A moment in which a second one would come, were there one.
async fn moment(stage: &Stage) {
    tokio::time::sleep(stage.timing().silence).await;
}

/// To DMS-2.
pub async fn delegated_twice(stage: &Stage) -> Told {
    let session = stage.fresh_session();
    let request = stage.request(false, &session)?;
    let posted = stage.post(&request).await;
    if !is_granted(&posted) {
        return Err(not_wanted(stage, &posted));
    }
    let item = "dms2/duplicate/delegation_req";
    let is_alike = again(stage, item, &request, answer_of(&posted)).await;
    let account = told_of_account(stage, &session, false).await?;
    moment(stage).await;
    once(stage, item, Kind::BootstrapConfirmed, is_alike);

    prepare(stage, account, false).await?;
    let message = prepared(&session, false);
    let posted = stage.post(&message).await;
    let item = "dms2/duplicate/delegation_prepared";
    let is_alike = again(stage, item, &message, answer_of(&posted)).await;
    confirmed(stage, &session).await?;
    moment(stage).await;
    once(stage, item, Kind::DelegationConfirmed, is_alike);

    let session = stage.fresh_session();
    let request = termination(stage, &session)?;
    let posted = stage.post(&request).await;
    let item = "dms2/duplicate/delegation_termination_req";
    let is_alike = again(stage, item, &request, answer_of(&posted)).await;
    stage.mailbox.next(Kind::DelegationTerminationResp, stage.timing().reaction).await;
    moment(stage).await;
    once(stage, item, Kind::DelegationTerminationResp, is_alike);

    remove_peer(stage).await?;
    let revoked = Message::DelegationRevoked { device: None, subtree: None, reason: Some(OK), session: Some(session) };
    let posted = stage.post(&revoked).await;
    again(stage, "dms2/duplicate/delegation_revoked", &revoked, answer_of(&posted)).await;
    Ok(())
}

/// What came once must not come again. Where the copy was not answered alike that has been told.
fn once(stage: &Stage, item: &str, kind: Kind, is_alike: bool) {
    let more = stage.mailbox.waiting(kind);
    if is_alike || more > 0 {
        let found = if more == 0 { format!("{kind} came once") } else { format!("{kind} came {} times", more + 1) };
        stage.log.check(item, more == 0, found, None);
    }
}

/// To DMS-1.
pub async fn delegating_twice(stage: &Stage) -> Told {
    let device = stage.device()?;
    let session = stage.fresh_session();
    let request = stage.request(false, &session)?;
    let posted = stage.post(&request).await;
    if !is_granted(&posted) {
        return Err(not_wanted(stage, &posted));
    }
    again(stage, "dms1/duplicate/delegation_req", &request, answer_of(&posted)).await;

    let message = bootstrap(stage, &session, false)?;
    let posted = stage.post(&message).await;
    let item = "dms1/duplicate/bootstrap_confirmed";
    let is_alike = again(stage, item, &message, answer_of(&posted)).await;
    until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    moment(stage).await;
    once(stage, item, Kind::DelegationPrepared, is_alike);
    let accounts = device.look(|tree| tree.accounts().iter().filter(|(_, of)| of == stage.us()).count());
    stage.log.check(item, accounts == 1, format!("{accounts} accounts of ours on the device"), None);

    let message = confirmation(&session);
    let posted = stage.post(&message).await;
    again(stage, "dms1/duplicate/delegation_confirmed", &message, answer_of(&posted)).await;

    tokio::time::sleep(Duration::from_millis(50)).await;
    let session = stage.fresh_session();
    let request = Message::DelegationRevocationReq { device: device.id.clone(), subtree: None, session };
    let posted = stage.post(&request).await;
    let item = "dms1/duplicate/delegation_revocation_req";
    let is_alike = again(stage, item, &request, answer_of(&posted)).await;
    stage.mailbox.next(Kind::DelegationRevoked, stage.timing().reaction + stage.timing().session).await;
    moment(stage).await;
    once(stage, item, Kind::DelegationRevoked, is_alike);
    Ok(())
}
