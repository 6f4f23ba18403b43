//! Section 5.3: DELEGATION_FAILURE at each step, and what a server does that cannot go on.

use std::time::Duration;

use super::as_delegated::says_no;
use super::as_delegating::{in_force, url_given};
use super::documents::is_granted;
use super::handing::{begin, bootstrap, confirmation, prepare, prepared, termination, told_of_account, until_prepared};
use crate::conform::handset::Traces;
use crate::conform::stage::{Stage, Stopped, Told};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reason::{FAILED, OK};
use crate::ids::SessionId;

fn failure(session: &SessionId) -> Message {
    Message::DelegationFailure { reason: Some(FAILED), session: session.clone() }
}

/// Sends DELEGATION_FAILURE, and sees that nothing more comes of the delegation.
async fn fail(stage: &Stage, role: &str, session: &SessionId) -> Told {
    let posted = stage.post(&failure(session)).await;
    stage.must_be_taken(&format!("{role}/delegation_failure/taken"), &posted)?;
    // What was under way may still come in.
    tokio::time::sleep(stage.timing().silence / 2).await;
    stage.mailbox.clear();
    tokio::time::sleep(stage.timing().silence).await;
    let more: Vec<String> =
        stage.mailbox.waiting_roots().into_iter().filter(|root| root != Kind::DelegationFailure.root()).collect();
    let found = if more.is_empty() { "nothing more has come".to_owned() } else { more.join(", ") };
    stage.log.check(&format!("{role}/delegation_failure/ends"), more.is_empty(), found, None);
    Ok(())
}

/// Starts the same delegation once more, and gives it up.
async fn restart(stage: &Stage, role: &str) -> Told {
    let session = stage.fresh_session();
    let posted = stage.post(&stage.request(false, &session)?).await;
    let item = format!("{role}/delegation_failure/restart");
    stage.log.check(&item, is_granted(&posted), posted.told(), posted.exchange);
    if is_granted(&posted) {
        stage.post(&failure(&session)).await;
    }
    Ok(())
}

/// After DELEGATION_RESP, whatever DMS-2 is about to say.
pub async fn delegated_at_once(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    fail(stage, "dms2", &session).await?;
    let posted = stage.post(&termination(stage, &stage.fresh_session())?).await;
    let is_unknown = posted.is_refused() || says_no(&posted);
    stage.log.check("dms2/delegation_failure/purged", is_unknown, posted.told(), posted.exchange);
    let posted = stage.post(&prepared(&session, false)).await;
    stage.log.check("dms2/delegation_failure/purged", posted.is_refused(), posted.told(), posted.exchange);
    restart(stage, "dms2").await
}

/// After BOOTSTRAP_CONFIRMED.
pub async fn delegated_in_preparation(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    told_of_account(stage, &session, false).await?;
    fail(stage, "dms2", &session).await?;
    restart(stage, "dms2").await
}

/// After DELEGATION_PREPARED: DMS-2 may be in its session with the device, which does not come, so that it has not
/// confirmed yet.
pub async fn delegated_after_prepared(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    let account = told_of_account(stage, &session, false).await?;
    prepare(stage, account, false).await?;
    stage.device()?.deafen(true);
    stage.must_be_taken("dms2/delegation_prepared/taken", &stage.post(&prepared(&session, false)).await)?;
    fail(stage, "dms2", &session).await?;
    restart(stage, "dms2").await
}

/// After the URL has been delivered.
pub async fn delegated_by_url(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    stage.post(&Message::BootstrapSrvUrlReq { reason: Some(OK), session: session.clone() }).await;
    fail(stage, "dms2", &session).await
}

/// After DELEGATION_RESP, before there is anything to be undone.
pub async fn delegating_at_once(stage: &Stage) -> Told {
    let session = begin(stage, "dms1", false).await?;
    fail(stage, "dms1", &session).await?;
    let posted = stage.post(&confirmation(&session)).await;
    stage.log.check("dms1/delegation_failure/purged", posted.is_refused(), posted.told(), posted.exchange);
    restart(stage, "dms1").await
}

/// While DMS-1 is at work on the device, or about to be.
pub async fn delegating_in_preparation(stage: &Stage) -> Told {
    let before = stage.device()?.traces(stage.us());
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    let posted = stage.post(&failure(&session)).await;
    stage.must_be_taken("dms1/delegation_failure/taken", &posted)?;
    // Its session may not have begun, so that the device is as it was and is changed only then.
    tokio::time::sleep(stage.timing().silence).await;
    is_undone(stage, &before).await
}

/// After DELEGATION_PREPARED: the device has been changed.
pub async fn delegating_after_prepared(stage: &Stage) -> Told {
    let before = stage.device()?.traces(stage.us());
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    fail(stage, "dms1", &session).await?;
    is_undone(stage, &before).await?;
    restart(stage, "dms1").await
}

/// Once the device has been given the URL.
pub async fn delegating_by_url(stage: &Stage) -> Told {
    let before = stage.device()?.traces(stage.us());
    let session = url_given(stage).await?;
    stage.device()?.connects_to_us(stage.timing().reaction).await;
    let posted = stage.post(&failure(&session)).await;
    stage.must_be_taken("dms1/delegation_failure/taken", &posted)?;
    is_undone(stage, &before).await
}

/// 5.3: all changes done to the device are undone.
pub async fn is_undone(stage: &Stage, before: &Traces) -> Told {
    let (device, us) = (stage.device()?, stage.us());
    let within = stage.timing().reaction + stage.timing().session * 2;
    let is_back = |now: &Traces| {
        now.has_account == before.has_account && now.urls == before.urls && before.other_acls(now).is_empty()
    };
    let mut now = device.traces(us);
    let end = stage.world.clock.now() + within;
    while !is_back(&now) && stage.world.clock.now() < end {
        let seen = now.clone();
        let left = (end - stage.world.clock.now()).max(Duration::from_millis(1));
        device.tree_comes_to(left.min(Duration::from_millis(200)), |_| false).await;
        now = device.traces(us);
        if seen != now {
            stage.log.exchange("device", "device", "has changed", None);
        }
    }
    let mut left = Vec::new();
    left.extend((now.has_account && !before.has_account).then(|| "our account is still there".to_owned()));
    left.extend((now.urls != before.urls).then(|| "the URL is still there".to_owned()));
    left.extend(before.other_acls(&now).into_iter().take(3));
    let found = if left.is_empty() { "the device is as it was".to_owned() } else { left.join("; ") };
    stage.log.check("dms1/undo", left.is_empty(), found, None);
    Ok(())
}

/// BOOTSTRAP_CONFIRMED with a reasonCode that says no: whatever DMS-1 makes of it, it cannot go on.
pub async fn negative_bootstrap(stage: &Stage) -> Told {
    let session = begin(stage, "dms1", false).await?;
    let no = Message::BootstrapConfirmed {
        reason: Some(FAILED),
        bootstrapped: Some(false),
        account: Some(Box::new(stage.account()?)),
        session: session.clone(),
    };
    let posted = stage.post(&no).await;
    let kinds = [Kind::DelegationFailure, Kind::DelegationPrepared];
    let came = stage.mailbox.next_of(&kinds, stage.timing().reaction).await;
    let is_prepared = came.as_ref().is_some_and(|came| came.kind == Some(Kind::DelegationPrepared));
    let found = match &came {
        Some(came) => came.fields.root.clone(),
        None => format!("{}, and nothing more", posted.told()),
    };
    stage.log.check("dms1/refused/bootstrap_confirmed", !is_prepared, found, posted.exchange);
    Ok(())
}

/// The device answers what DMS-1 wants to change with 425.
pub async fn device_refuses(stage: &Stage) -> Told {
    stage.device()?.refuse_with(425);
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    let within = stage.timing().reaction + stage.timing().session;
    let came = stage.next("dms1/delegation_failure", Kind::DelegationFailure, Some(&session), false, within).await;
    let is_prepared = stage.mailbox.waiting(Kind::DelegationPrepared) > 0;
    let found = if is_prepared { "DELEGATION_PREPARED came" } else { "the delegation does not go on" };
    stage.log.check("dms1/device-refuses", !is_prepared, found, None);
    came.map(drop)
}

/// The device answers the removal with 425.
pub async fn not_cleaned(stage: &Stage) -> Told {
    in_force(stage).await?;
    let device = stage.device()?;
    device.refuse_with(425);
    let session = stage.fresh_session();
    let request =
        Message::DelegationRevocationReq { device: device.id.clone(), subtree: None, session: session.clone() };
    stage.must_be_taken("dms1/revocation_req/taken", &stage.post(&request).await)?;
    let within = stage.timing().reaction + stage.timing().session;
    // What says that it has been removed is about the removal.
    let told = stage.mailbox.next_of(&[Kind::DelegationRevoked], stage.timing().silence).await;
    if let Some(told) = told {
        let found = "DELEGATION_REVOKED came, and the device had refused";
        stage.log.check("dms1/requested/removed", false, found, told.exchange);
        return Err(Stopped(found.to_owned()));
    }
    stage.next("dms1/revocation_failure", Kind::RevocationFailure, Some(&session), false, within).await.map(drop)
}

/// The device does not hear DMS-2.
pub async fn device_does_not_come(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    let account = told_of_account(stage, &session, false).await?;
    prepare(stage, account, false).await?;
    stage.device()?.deafen(true);
    stage.must_be_taken("dms2/delegation_prepared/taken", &stage.post(&prepared(&session, false)).await)?;
    let timing = stage.timing();
    let within = timing.session * 2 + timing.device + timing.reaction;
    let came = stage.next("dms2/delegation_failure", Kind::DelegationFailure, Some(&session), false, within).await;
    let is_confirmed = stage.mailbox.waiting(Kind::DelegationConfirmed) > 0;
    let found = if is_confirmed { "DELEGATION_CONFIRMED came" } else { "the delegation does not come into force" };
    stage.log.check("dms2/timeout/session", !is_confirmed, found, None);
    came.map(drop)
}
