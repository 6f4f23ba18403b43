//! What a server does when what it waits for does not come (5.2.1.4, 5.3.2).

use std::time::Duration;

use super::as_delegating::url_given;
use super::failures::is_undone;
use super::handing::{begin, bootstrap, prepared, quiet, told_of_account, until_prepared};
use crate::conform::stage::{Stage, Told};
use crate::delegation::message::Kind;
use crate::ids::SessionId;

/// DELEGATION_FAILURE, or else the end of a process told by how its next message is answered.
async fn ends(stage: &Stage, role: &str, item: &str, session: &SessionId, within: Duration) -> Told<bool> {
    let id = format!("{role}/delegation_failure");
    let came = stage.next(&id, Kind::DelegationFailure, Some(session), false, within).await;
    if let Ok(came) = &came {
        stage.log.check(item, true, "DELEGATION_FAILURE came", came.exchange);
    }
    Ok(came.is_ok())
}

/// DMS-2 waits for DELEGATION_PREPARED.
pub async fn no_prepared(stage: &Stage) -> Told {
    let session = begin(stage, "dms2", false).await?;
    told_of_account(stage, &session, false).await?;
    let within = stage.timing().prepared + stage.timing().reaction;
    if !ends(stage, "dms2", "dms2/timeout/prepared", &session, within).await? {
        let posted = stage.post(&prepared(&session, false)).await;
        let found = format!("nothing came; DELEGATION_PREPARED after {} s: {}", within.as_secs_f64(), posted.told());
        stage.log.check("dms2/timeout/prepared", posted.is_refused(), found, posted.exchange);
    }
    Ok(())
}

/// DMS-1 waits for BOOTSTRAP_CONFIRMED.
pub async fn no_bootstrap(stage: &Stage) -> Told {
    let session = begin(stage, "dms1", false).await?;
    let within = stage.timing().bootstrap + stage.timing().reaction;
    if !ends(stage, "dms1", "dms1/timeout/bootstrap", &session, within).await? {
        let posted = stage.post(&bootstrap(stage, &session, false)?).await;
        let found = format!("nothing came; BOOTSTRAP_CONFIRMED after {} s: {}", within.as_secs_f64(), posted.told());
        stage.log.check("dms1/timeout/bootstrap", posted.is_refused(), found, posted.exchange);
    }
    Ok(())
}

/// 5.3.2: a finite time, and then step 7 has failed; what was done on the device is undone.
pub async fn no_bootstrap_by_url(stage: &Stage) -> Told {
    let before = stage.device()?.traces(stage.us());
    let session = url_given(stage).await?;
    let within = stage.timing().bootstrap + stage.timing().reaction + stage.timing().session;
    if !ends(stage, "dms1", "dms1/timeout/bootstrap", &session, within).await? {
        let found = format!("nothing came within {} s", within.as_secs_f64());
        stage.log.check("dms1/timeout/bootstrap", false, found, None);
        return Ok(());
    }
    is_undone(stage, &before).await
}

/// 5.2.1.4: DMS-1 may let the device connect, or the delegation has failed.
pub async fn no_confirmed(stage: &Stage) -> Told {
    let device = stage.device()?;
    let session = begin(stage, "dms1", false).await?;
    let posted = stage.post(&bootstrap(stage, &session, false)?).await;
    stage.must_be_taken("dms1/bootstrap_confirmed/taken", &posted)?;
    until_prepared(stage, "dms1/delegation_prepared", &session, false).await?;
    let within = stage.timing().confirmed + stage.timing().reaction;
    let (us, allowed) = (stage.us(), (!quiet(stage)).to_string());
    let lets_connect = device.tree_comes_to(within, |tree| {
        let flag = tree
            .account_of(us)
            .and_then(|node| tree.value(&crate::dm::dmacc::place().join(&node).join("NoAutoInitialSession")));
        flag.as_deref() == Some(&allowed) || !tree.has_account(us)
    });
    let changed = lets_connect.await;
    let still_there = device.look(|tree| tree.has_account(us));
    let item = "dms1/timeout/confirmed";
    match (changed, still_there) {
        (true, true) => {
            stage.log.answer("unconfirmed", "lets the device connect (5.2.1.4)");
            stage.log.check(item, true, "the device may connect by itself", None);
            Ok(())
        }
        (changed, _) => {
            let came = stage.mailbox.next(Kind::DelegationFailure, stage.timing().reaction).await;
            let holds = changed || came.is_some();
            let found = match (&came, changed) {
                (Some(_), _) => "DELEGATION_FAILURE came",
                (None, true) => "the device is put back, and nothing is said of it",
                (None, false) => "nothing came",
            };
            stage.log.check(item, holds, found, came.as_ref().and_then(|came| came.exchange));
            if holds {
                stage.log.answer("unconfirmed", "undoes it (5.3)");
            }
            Ok(())
        }
    }
}
