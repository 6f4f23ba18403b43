//! The steps of a delegation, in both roles: each looks at what comes of it.

use std::time::Duration;

use super::documents::is_granted;
use crate::conform::call::Posted;
use crate::conform::fields::Fields;
use crate::conform::handset::Traces;
use crate::conform::mailbox::Arrived;
use crate::conform::stage::{Stage, Stopped, Told};
use crate::delegation::evidence;
use crate::delegation::message::{Kind, Message};
use crate::delegation::reading::Polarity;
use crate::delegation::reason::OK;
use crate::dm::acl::Right;
use crate::dm::dmacc::DmAcc;
use crate::dm::script::{Errand, Extent, Report};
use crate::ids::SessionId;

/// The value of NoAutoInitialSession that keeps our devices from connecting by themselves.
pub fn quiet(stage: &Stage) -> bool {
    stage.world.scenario.readings.no_auto_initial_session == Polarity::Name
}

/// DELEGATION_REQ of ours, acknowledged; `id`: `dms2` where we give, `dms1` where we want.
pub async fn begin(stage: &Stage, id: &str, is_full: bool) -> Told<SessionId> {
    let session = stage.fresh_session();
    let posted = stage.post(&stage.request(is_full, &session)?).await;
    acknowledged(stage, id, &posted, &session).map(|()| session)
}

/// The DELEGATION_RESP that acknowledges a request. A server may say no (5.3.1.2): then it has to say so by both of its
/// parameters, and there is nothing more to be seen.
pub fn acknowledged(stage: &Stage, id: &str, posted: &Posted, session: &SessionId) -> Told {
    let id = format!("{id}/delegation_resp");
    let is_granted = is_granted(posted);
    let (_, fields) = stage.answer(&id, Kind::DelegationResp, posted, session, is_granted)?;
    let said = fields.get("isAcknowledged").unwrap_or("it is not there");
    stage.log.check(&format!("{id}/isAcknowledged"), matches!(said, "true" | "false"), said, posted.exchange);
    if is_granted { Ok(()) } else { Err(not_wanted(stage, posted)) }
}

/// The peer does not want this delegation.
pub fn not_wanted(stage: &Stage, posted: &Posted) -> Stopped {
    stage.world.note_refusal();
    let reason = Fields::read(posted.body()).get("reasonCode").map_or_else(|| posted.told(), str::to_owned);
    Stopped(format!("the peer refuses to delegate a device that is to be delegated ({})", evidence::short(&reason)))
}

// The peer as DMS-2.

/// BOOTSTRAP_CONFIRMED of the DMAcc approach: the account to make, unless there is one.
pub async fn told_of_account(stage: &Stage, session: &SessionId, is_known: bool) -> Told<Option<Box<DmAcc>>> {
    let id = "dms2/bootstrap_confirmed";
    let within = stage.timing().reaction;
    let came = stage.next(id, Kind::BootstrapConfirmed, Some(session), true, within).await?;
    let (printed, right) = (came.fields.get("isClientBootstapped"), came.fields.get("isClientBootstrapped"));
    match (printed, right) {
        (Some(_), _) => stage.log.answer("D2", "writes isClientBootstapped, as it is printed"),
        (None, Some(_)) => stage.log.answer("D2", "writes isClientBootstrapped"),
        (None, None) => {}
    }
    let said = printed.or(right);
    let is_boolean = matches!(said, Some("true" | "false"));
    let check = |parameter: &str, holds, found: &str| {
        stage.log.check(&format!("{id}/{parameter}"), holds, found, came.exchange);
    };
    check("isClientBootstapped", is_boolean, said.unwrap_or("it is not there"));
    let account = match &came.message {
        Some(Message::BootstrapConfirmed { account, .. }) => account.clone(),
        _ => None,
    };
    let is_told = said == Some("true");
    if is_known {
        let holds = is_told && !came.fields.has("DMAcc");
        let found = format!("isClientBootstapped {}", said.unwrap_or("is not there"));
        stage.log.check("dms2/bootstrapped", holds, found, came.exchange);
    }
    if is_told {
        check("DMAcc", !came.fields.has("DMAcc"), "none, and none is needed");
        return if is_known {
            Ok(None)
        } else {
            check("isClientBootstapped", false, "true, and the device has no account of the peer");
            Err(Stopped("the peer believes that the device has an account".to_owned()))
        };
    }
    let holds = account.as_ref().is_some_and(|account| account.server == *stage.peer());
    let found = match &account {
        Some(account) => format!("an account of {}", account.server),
        None => "there is none that can be read".to_owned(),
    };
    check("DMAcc", holds, &found);
    if let Some(form) = came.fields.get("DMAcc") {
        stage.log.answer("D15", if form.contains("MgmtTree") { "writes a TNDS tree" } else { "writes elements" });
    }
    match account {
        Some(account) => Ok(Some(account)),
        None => Err(Stopped("there is no account to be made on the device".to_owned())),
    }
}

/// Our half of 5.2.1.4: the device gets the account, the rights and the flag.
pub async fn prepare(stage: &Stage, account: Option<Box<DmAcc>>, is_full: bool) -> Told<Report> {
    let extent = if is_full { Extent::Everything { leaves: false } } else { Extent::Part };
    let errand = Errand::Prepare {
        delegate: stage.peer().clone(),
        account,
        subtree: stage.subtree()?,
        quiet: quiet(stage),
        extent,
        takes_over: false,
    };
    done(stage.device()?.run(errand).await)
}

/// What is done on our own device has to come about, or there is nothing to be seen.
pub fn done(report: Report) -> Told<Report> {
    match &report.result {
        Ok(()) => Ok(report),
        Err(failure) => Err(Stopped(format!("our own session with the device failed: {failure:?}"))),
    }
}

/// DELEGATION_PREPARED.
pub fn prepared(session: &SessionId, is_full: bool) -> Message {
    Message::DelegationPrepared { reason: Some(OK), is_full, session: session.clone() }
}

/// DELEGATION_CONFIRMED of the peer, and its session with the device before that.
pub async fn confirmed(stage: &Stage, session: &SessionId) -> Told<Arrived> {
    let within = stage.timing().reaction + stage.timing().session;
    let came = stage.next("dms2/delegation_confirmed", Kind::DelegationConfirmed, Some(session), true, within).await?;
    // The device may not have heard the end of the session yet.
    let visit = stage.device()?.visited_by(stage.peer(), stage.timing().session).await;
    let holds = visit.as_ref().is_some_and(|visit| visit.begun_ms <= came.at_ms);
    let found = match &visit {
        Some(visit) => format!("a session came before it, with commands: {}", visit.commands),
        None => "it came, and the device has had no session that ended well".to_owned(),
    };
    stage.log.check("dms2/session", holds, found, came.exchange);
    Ok(came)
}

/// All of it, until the delegation is in force at the peer.
pub async fn given(stage: &Stage) -> Told<SessionId> {
    let session = begin(stage, "dms2", false).await?;
    let account = told_of_account(stage, &session, false).await?;
    prepare(stage, account, false).await?;
    stage.must_be_taken("dms2/delegation_prepared/taken", &stage.post(&prepared(&session, false)).await)?;
    confirmed(stage, &session).await?;
    // The peer has to read our answer to its message before it takes the delegation to be in force.
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(session)
}

/// DELEGATION_TERMINATION_REQ.
pub fn termination(stage: &Stage, session: &SessionId) -> Told<Message> {
    let device = stage.device()?.id.clone();
    Ok(Message::DelegationTerminationReq { device, subtree: None, session: session.clone() })
}

/// Takes the peer's account from the device.
pub async fn remove_peer(stage: &Stage) -> Told {
    let errand = Errand::RemoveAccount { of: stage.peer().clone(), leftovers: Vec::new() };
    done(stage.device()?.run(errand).await).map(drop)
}

// The peer as DMS-1.

/// BOOTSTRAP_CONFIRMED of ours in the DMAcc approach.
pub fn bootstrap(stage: &Stage, session: &SessionId, is_known: bool) -> Told<Message> {
    let account = if is_known { None } else { Some(Box::new(stage.account()?)) };
    let session = session.clone();
    Ok(Message::BootstrapConfirmed { reason: Some(OK), bootstrapped: Some(is_known), account, session })
}

/// DELEGATION_PREPARED of the peer.
pub async fn until_prepared(stage: &Stage, id: &str, session: &SessionId, is_full: bool) -> Told<Arrived> {
    let within = stage.timing().reaction + stage.timing().session;
    let came = stage.next(id, Kind::DelegationPrepared, Some(session), true, within).await?;
    let said = came.fields.get("isDelegationFull").unwrap_or("it is not there");
    let found = format!("{said}, where {is_full} was asked for");
    stage.log.check(&format!("{id}/isDelegationFull"), said == is_full.to_string(), found, came.exchange);
    Ok(came)
}

/// DELEGATION_CONFIRMED of ours.
pub fn confirmation(session: &SessionId) -> Message {
    Message::DelegationConfirmed { reason: Some(OK), session: session.clone() }
}

/// All of it, until the delegation is in force.
pub async fn taken_over(stage: &Stage) -> Told<SessionId> {
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    stage.must_be_taken("dms1/delegation_confirmed/taken", &stage.post(&confirmation(&session)).await)?;
    Ok(session)
}

/// Whether we have the rights that were delegated, and no others; in words where not.
pub fn rights(stage: &Stage, before: &Traces) -> Told<Result<String, String>> {
    let (subtree, us) = (stage.subtree()?, stage.us());
    let device = stage.device()?;
    let lacks: Vec<&str> = device.look(|tree| {
        let wanted = [Right::Get, Right::Replace];
        wanted.iter().filter(|right| !tree.allows(us, &subtree, **right)).map(|right| right.name()).collect()
    });
    if !lacks.is_empty() {
        return Ok(Err(format!("no {} on {subtree}", lacks.join(", "))));
    }
    // Our own account is ours to change, wherever the device has put it.
    let beside = |uri: &&crate::dm::uri::Uri| !subtree.covers(uri) && !uri.as_str().starts_with("./DMAcc");
    let now = device.traces(us);
    let more: Vec<String> = now
        .mentions
        .iter()
        .filter(beside)
        .filter(|uri| !before.mentions.contains(uri))
        .map(ToString::to_string)
        .collect();
    Ok(if more.is_empty() {
        Ok(format!("Get and Replace on {subtree}"))
    } else {
        Err(format!("rights beside the sub-tree as well: {}", more.join(", ")))
    })
}
