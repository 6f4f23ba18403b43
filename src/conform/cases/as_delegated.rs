//! The peer as DMS-2: it takes devices of ours over, and gives them back.

use std::time::Duration;

use super::handing::{begin, confirmed, done, given, prepare, prepared, remove_peer, termination, told_of_account};
use crate::conform::stage::{Stage, Stopped, Told};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reason::OK;
use crate::dm::script::{Errand, Extent};

/// Figures 6, 8 and 12.
pub async fn asked(stage: &Stage) -> Told {
    given(stage).await?;
    let session = stage.fresh_session();
    let request = termination(stage, &session)?;
    let posted = stage.post(&request).await;
    stage.answer("dms2/delegation_termination_ack", Kind::DelegationTerminationAck, &posted, &session, true)?;
    let within = stage.timing().reaction;
    let id = "dms2/delegation_termination_resp";
    let came = stage.next(id, Kind::DelegationTerminationResp, Some(&session), true, within).await?;
    // D21: what was the answer to the request was another message, so that this one is a request.
    stage.log.check("dms2/delegation_termination_resp/order", true, "after the acknowledgement", came.exchange);
    remove_peer(stage).await?;
    let revoked = Message::DelegationRevoked { device: None, subtree: None, reason: Some(OK), session: Some(session) };
    let posted = stage.post(&revoked).await;
    stage.must_be_taken("dms2/delegation_revoked/asked", &posted)?;
    let posted = stage.post(&termination(stage, &stage.fresh_session())?).await;
    let is_purged = posted.is_refused() || says_no(&posted);
    stage.log.check("dms2/delegation_revoked/purged", is_purged, posted.told(), posted.exchange);
    Ok(())
}

/// Whether an acknowledgement is none (D36).
pub fn says_no(posted: &crate::conform::call::Posted) -> bool {
    let reason = crate::delegation::xml::read(posted.body()).ok().and_then(|message| message.reason());
    reason.is_some() && !crate::delegation::reason::is_success(reason)
}

/// The DMAcc approach with an account that is there, and figure 14.
pub async fn forced(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    told_of_account(stage, &session, true).await?;
    prepare(stage, None, false).await?;
    stage.must_be_taken("dms2/delegation_prepared/taken", &stage.post(&prepared(&session, false)).await)?;
    confirmed(stage, &session).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    remove_peer(stage).await?;
    // Table 18: by the device, without a session.
    let device = Some(stage.device()?.id.clone());
    let notice = Message::DelegationRevoked { device, subtree: None, reason: Some(OK), session: None };
    let posted = stage.post(&notice).await;
    stage.taken("dms2/delegation_revoked/forced", &posted);
    Ok(())
}

/// A full delegation: the peer has confirmed before our own account goes.
pub async fn full(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", true).await?;
    let account = told_of_account(stage, &session, false).await?;
    prepare(stage, account, true).await?;
    let posted = stage.post(&prepared(&session, true)).await;
    let id = "dms2/delegation_prepared/full";
    stage.must_be_taken(id, &posted)?;
    let within = stage.timing().reaction + stage.timing().session;
    let came = stage.mailbox.next(Kind::DelegationConfirmed, within).await;
    let found = if came.is_some() { "it was confirmed" } else { "it was taken, and never confirmed" };
    stage.log.check(id, came.is_some(), found, came.as_ref().and_then(|came| came.exchange));
    if came.is_some() {
        done(stage.device()?.run(Errand::Leave).await)?;
    }
    Ok(())
}

/// Figures 9 and 11.
pub async fn by_url(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    let posted = stage.post(&Message::BootstrapSrvUrlReq { reason: Some(OK), session: session.clone() }).await;
    let id = "dms2/bootstrap_srv_url_delivery";
    if let Some(why) = has_no_bootstrap_server(&posted) {
        stage.log.unsupported(&format!("{id}/bootstrapURL"), &why);
        return Err(Stopped(why));
    }
    let (_, fields) = stage.answer(id, Kind::BootstrapSrvUrlDelivery, &posted, &session, true)?;
    let url = fields.get("bootstrapURL").unwrap_or_default().to_owned();
    let is_url = url.starts_with("https://") || url.starts_with("http://");
    let found = if url.is_empty() { "it is not there" } else { "a URL" };
    stage.log.check(&format!("{id}/bootstrapURL"), is_url, found, posted.exchange);
    if !is_url {
        return Err(Stopped("there is no URL to give to the device".to_owned()));
    }
    let device = stage.device()?;
    done(device.run(Errand::PushBootstrapUrl { url, revocable: true }).await)?;
    let within = stage.timing().reaction + stage.timing().session;
    let visit = device.visited_by(stage.peer(), within).await;
    let has_account = device.look(|tree| tree.has_account(stage.peer()));
    let found = match (has_account, visit.is_some()) {
        (false, _) => "the device has no account",
        (true, false) => "the device has an account, and no session that ended well",
        (true, true) => "an account, and a session",
    };
    stage.log.check("dms2/url/bootstrap", visit.is_some(), found, None);
    let id = "dms2/url/bootstrap_confirmed";
    stage.next(id, Kind::BootstrapConfirmed, Some(&session), true, within).await?;
    let visits = device.visits(stage.peer()).len();
    let errand = Errand::Grant { delegate: stage.peer().clone(), subtree: stage.subtree()?, extent: Extent::Part };
    done(device.run(errand).await)?;
    stage.must_be_taken("dms2/delegation_prepared/taken", &stage.post(&prepared(&session, false)).await)?;
    let came = stage.mailbox.next(Kind::DelegationConfirmed, within).await;
    let exchange = came.as_ref().and_then(|came| came.exchange);
    let found = if came.is_some() { "it came" } else { "it has not come" };
    stage.log.check("dms2/url/delegation_confirmed", came.is_some(), found, exchange);
    if came.is_some() {
        let is_again = device.visits(stage.peer()).len() > visits;
        stage.log.answer("confirm-by-url", if is_again { "after another session" } else { "at once" });
    }
    Ok(())
}

/// Whether the peer says that it has no bootstrap server.
fn has_no_bootstrap_server(posted: &crate::conform::call::Posted) -> Option<String> {
    let read = crate::delegation::xml::read(posted.body());
    match read {
        Ok(Message::BootstrapSrvUrlDelivery { reason: Some(reason @ (406 | 501)), .. }) => {
            Some(format!("the peer says that it has no bootstrap server ({reason})"))
        }
        _ => None,
    }
}

/// REVOCATION_FAILURE after DELEGATION_TERMINATION_RESP.
pub async fn revocation_failed(stage: &Stage) -> Told {
    given(stage).await?;
    let session = stage.fresh_session();
    let posted = stage.post(&termination(stage, &session)?).await;
    if !posted.is_success() {
        return Err(Stopped(format!("the peer does not end its activities: {}", posted.told())));
    }
    let within = stage.timing().reaction;
    stage.mailbox.next(Kind::DelegationTerminationResp, within).await;
    let failure = Message::RevocationFailure { reason: Some(crate::delegation::reason::FAILED), session };
    stage.taken("dms2/revocation_failure/taken", &stage.post(&failure).await);
    Ok(())
}
