//! The peer as DMS-1: it hands devices over to us, and takes them back.

use super::handing::{begin, bootstrap, confirmation, done, quiet, rights, taken_over, until_prepared};
use crate::conform::handset::Traces;
use crate::conform::mailbox::Arrived;
use crate::conform::stage::{Stage, Told};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reason::OK;
use crate::dm::acl::Right;
use crate::dm::script::Errand;
use crate::ids::SessionId;

/// Figures 7, 8 and 13.
pub async fn requested(stage: &Stage) -> Told {
    let device = stage.device()?;
    let before = device.traces(stage.us());
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    let came = until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    look_at_device(stage, &came, &before)?;
    // 5.2.1.7: our own session with the device.
    done(device.run(Errand::Visit { subtree: stage.subtree()? }).await)?;
    stage.must_be_taken("dms1/delegation_confirmed/taken", &stage.post(&confirmation(&session)).await)?;
    let owns = device.look(|tree| tree.has_account(stage.peer()));
    stage.log.check("dms1/device/own", owns, if owns { "it is there" } else { "it has gone" }, None);
    revoke(stage).await
}

/// What 5.2.1.4 asks for on the device, once DELEGATION_PREPARED says that it has been done.
fn look_at_device(stage: &Stage, came: &Arrived, before: &Traces) -> Told {
    let device = stage.device()?;
    let us = stage.us();
    let check = |item, holds, found: String| stage.log.check(item, holds, found, came.exchange);
    let expected = stage.account()?.address().map(str::to_owned);
    let place = device.look(|tree| tree.account_of(us));
    let found = match &place {
        Some(node) => format!("./DMAcc/{node}"),
        None => "there is none".to_owned(),
    };
    let address = device.look(|tree| {
        let base = crate::dm::dmacc::place().join(place.as_deref().unwrap_or_default()).join("AppAddr");
        let first = tree.children(&base).into_iter().next()?;
        tree.value(&base.join(&first).join("Addr"))
    });
    check("dms1/device/account", place.is_some() && address == expected, found);
    let held = rights(stage, before)?;
    check("dms1/device/acl", held.is_ok(), held.unwrap_or_else(|lacks| lacks));
    let (peer, subtree) = (stage.peer(), stage.subtree()?);
    let keeps =
        device.look(|tree| tree.allows(peer, &subtree, Right::Get) && tree.allows(peer, &subtree, Right::Replace));
    check(
        "dms1/device/others",
        keeps,
        if keeps { "the peer keeps its own".into() } else { "the peer has lost its own".into() },
    );
    look_at_flag(stage, came)
}

fn look_at_flag(stage: &Stage, came: &Arrived) -> Told {
    let flag = stage.device()?.flag(stage.us());
    let found = flag.clone().unwrap_or_else(|| "NoAutoInitialSession is not there".to_owned());
    // Either value may be the one that forbids it (D6): which one is told as a reading.
    let holds = flag.as_deref().is_some_and(|value| matches!(value, "true" | "false"));
    stage.log.check("dms1/device/quiet", holds, found, came.exchange);
    if let Some(value) = flag.filter(|_| holds) {
        let as_agreed = value == quiet(stage).to_string();
        let name = if value == "true" { "`true`, as its name says" } else { "`false`, as the note says" };
        stage.log.answer("D6", if as_agreed { name.to_owned() } else { format!("{name}; the file has it otherwise") });
    }
    Ok(())
}

/// DELEGATION_REVOCATION_REQ, and what the peer does about it.
async fn revoke(stage: &Stage) -> Told {
    let device = stage.device()?;
    let session = stage.fresh_session();
    let request =
        Message::DelegationRevocationReq { device: device.id.clone(), subtree: None, session: session.clone() };
    stage.must_be_taken("dms1/revocation_req/taken", &stage.post(&request).await)?;
    let within = stage.timing().reaction + stage.timing().session;
    let id = "dms1/requested/delegation_revoked";
    let came = stage.next(id, Kind::DelegationRevoked, Some(&session), true, within).await;
    let gone_by_then = !device.look(|tree| tree.has_account(stage.us()));
    let exchange = came.as_ref().ok().and_then(|came| came.exchange);
    let gone = device.tree_comes_to(within, |tree| !tree.has_account(stage.us())).await;
    let found = if gone { "it has gone" } else { "it is still there" };
    stage.log.check("dms1/requested/removed", gone, found, exchange);
    // Where it never goes, there is no order to speak of.
    if came.is_ok() && gone {
        let found = if gone_by_then { "the account had gone" } else { "the account was still there" };
        stage.log.check("dms1/requested/order", gone_by_then, found, exchange);
    }
    if let Ok(came) = &came {
        let told = if came.fields.has("DMTreeURI") { "carry DMTreeURI" } else { "carry no DMTreeURI" };
        stage.log.answer("D4", told);
    }
    came.map(drop)
}

/// The DMAcc approach where we have an account: only rights and the flag are to be changed.
pub async fn known(stage: &Stage) -> Told {
    let device = stage.device()?;
    let before = device.traces(stage.us());
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, true)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    let came = until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    let held = rights(stage, &before)?;
    stage.log.check("dms1/device/acl", held.is_ok(), held.unwrap_or_else(|lacks| lacks), came.exchange);
    stage.must_be_taken("dms1/delegation_confirmed/taken", &stage.post(&confirmation(&session)).await)?;
    revoke(stage).await
}

/// A full delegation, and what comes of a revocation after it (D25).
pub async fn full(stage: &Stage) -> Told {
    let device = stage.device()?;
    let session = begin(stage, "dms1", true).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    let came = until_prepared(stage, "dms1/delegation_prepared", &session, true).await?;
    let is_gone = || device.look(|tree| !tree.has_account(stage.peer()));
    let early = is_gone();
    let said = came.fields.get("isDelegationFull") == Some("true");
    stage.log.answer(
        "D17",
        match (said, early) {
            (true, true) => "the fact",
            (true, false) => "what it commits itself to",
            (false, _) => "false, though a full delegation was asked for",
        },
    );
    done(device.run(Errand::Visit { subtree: stage.subtree()? }).await)?;
    stage.must_be_taken("dms1/delegation_confirmed/taken", &stage.post(&confirmation(&session)).await)?;
    let within = stage.timing().reaction + stage.timing().session;
    let gone = device.tree_comes_to(within, |tree| !tree.has_account(stage.peer())).await;
    let found = if gone { "it has gone" } else { "it is still there" };
    stage.log.check("dms1/device/full", gone, found, None);
    if !gone {
        return Ok(());
    }
    stage.log.answer(
        "own-account",
        if early { "before DELEGATION_PREPARED (5.2.1.5)" } else { "after DELEGATION_CONFIRMED" },
    );
    after_full(stage).await
}

async fn after_full(stage: &Stage) -> Told {
    // The peer has to hear of the end of its own session before it takes the delegation to be in force.
    tokio::time::sleep(stage.timing().silence).await;
    let session = stage.fresh_session();
    let request = Message::DelegationRevocationReq { device: stage.device()?.id.clone(), subtree: None, session };
    let posted = stage.post(&request).await;
    if posted.is_refused() {
        stage.log.answer("D25", format!("it is refused ({})", posted.told()));
        return Ok(());
    }
    let kinds = [Kind::RevocationFailure, Kind::DelegationRevoked];
    let came = stage.mailbox.next_of(&kinds, stage.timing().reaction).await;
    let told = match came.as_ref().and_then(|came| came.kind) {
        Some(Kind::RevocationFailure) => "REVOCATION_FAILURE",
        Some(_) => "DELEGATION_REVOKED, though nobody can remove anything",
        None => "nothing",
    };
    stage.log.answer("D25", told);
    Ok(())
}

/// Figures 10 and 11.
pub async fn by_url(stage: &Stage) -> Told {
    let device = stage.device()?;
    let before = device.traces(stage.us());
    let session = url_given(stage).await?;
    let within = stage.timing().reaction + stage.timing().session;
    device.connects_to_us(within).await;
    let message =
        Message::BootstrapConfirmed { reason: Some(OK), bootstrapped: None, account: None, session: session.clone() };
    stage.must_be_taken("dms1/url/bootstrap_confirmed/taken", &stage.post(&message).await)?;
    let came = until_prepared(stage, "dms1/url/delegation_prepared", &session, false).await?;
    let held = rights(stage, &before)?;
    stage.log.check("dms1/url/acl", held.is_ok(), held.unwrap_or_else(|lacks| lacks), came.exchange);
    stage.must_be_taken("dms1/delegation_confirmed/taken", &stage.post(&confirmation(&session)).await)
}

/// The URL approach until the device has the URL.
pub async fn url_given(stage: &Stage) -> Told<SessionId> {
    let device = stage.device()?;
    if stage.world.bootstrap_url(&device.id).is_none() {
        let why = "the file has no [[bootstrap_server]] of ours, whose URL the peer could give to the device";
        return Err(crate::conform::stage::Stopped(why.to_owned()));
    }
    let session = begin(stage, "dms1", false).await?;
    let (id, within) = ("dms1/bootstrap_srv_url_req", stage.timing().reaction);
    stage.next(id, Kind::BootstrapSrvUrlReq, Some(&session), true, within).await?;
    let url = stage.world.bootstrap_url(&device.id).unwrap_or_default();
    let has_url = |tree: &crate::dm::tree::Tree| tree.bootstrap_entries().iter().any(|(_, entry)| *entry == url);
    // The device may have fetched its bootstrap by then, and keeps the entry.
    let given = device.tree_comes_to(within + stage.timing().session, has_url).await;
    let found = if given { "it has it" } else { "it has it not" };
    stage.log.check("dms1/url/entry", given, found, None);
    Ok(session)
}

/// For other cases: a delegation in force, revoked when requested.
pub async fn in_force(stage: &Stage) -> Told<SessionId> {
    taken_over(stage).await
}
