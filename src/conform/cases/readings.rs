//! Which of two readings the peer goes along with: nothing here is right or wrong.

use super::as_delegated::says_no;
use super::documents::is_granted;
use super::handing::{begin, bootstrap, given, taken_over};
use crate::conform::call::Raw;
use crate::conform::fields::Fields;
use crate::conform::stage::{Stage, Stopped, Told};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reading::{Readings, RevocationRequestStatus};
use crate::delegation::reason::FAILED;
use crate::delegation::xml;

/// D31: `/SCOMO`, as in Appendix C, and `SCOMO`.
pub async fn subtrees(stage: &Stage) -> Told {
    let device = stage.device()?;
    let bare = stage.subtree()?.as_str().trim_start_matches("./").to_owned();
    let (manufacturer, model) = stage.world.make(device.number);
    for form in [format!("/{bare}"), bare.clone()] {
        let session = stage.fresh_session();
        let request = stage.request_of(&device.id, (&manufacturer, &model), &form, false, session.clone());
        let posted = stage.post(&request).await;
        let told = if is_granted(&posted) { "is taken" } else { "is refused" };
        stage.log.answer("D31", format!("{} {told}", form.replace(&bare, "SCOMO")));
        if is_granted(&posted) {
            stage.post(&Message::DelegationFailure { reason: Some(FAILED), session }).await;
            tokio::time::sleep(stage.timing().silence).await;
        }
    }
    Ok(())
}

/// D2: the element as English has it.
pub async fn spelling(stage: &Stage) -> Told {
    let session = begin(stage, "dms1", false).await?;
    let text = xml::write(&bootstrap(stage, &session, false)?, &Readings::default());
    let right = text.replace("isClientBootstapped", "isClientBootstrapped");
    let posted = stage.send(Raw::post(right, "bootstrap_confirmed, rightly spelt")).await;
    let within = stage.timing().reaction + stage.timing().session;
    let is_taken = posted.is_success() && stage.mailbox.next(Kind::DelegationPrepared, within).await.is_some();
    stage
        .log
        .answer("D2", if is_taken { "reads isClientBootstrapped too" } else { "does not read isClientBootstrapped" });
    Ok(())
}

/// D22: the delegation's own name for its revocation.
pub async fn session(stage: &Stage) -> Told {
    let delegation = given(stage).await?;
    let device = stage.device()?.id.clone();
    let request = Message::DelegationTerminationReq { device, subtree: None, session: delegation };
    let posted = stage.post(&request).await;
    let is_taken = posted.is_success()
        && !says_no(&posted)
        && Fields::read(posted.body()).root == Kind::DelegationTerminationAck.root();
    stage.log.answer("D22", if is_taken { "takes the delegation's too" } else { "does not take the delegation's" });
    Ok(())
}

/// D1: the status that the other tables would lead one to expect.
pub async fn status(stage: &Stage) -> Told {
    taken_over(stage).await?;
    let session = stage.fresh_session();
    let request = Message::DelegationRevocationReq { device: stage.device()?.id.clone(), subtree: None, session };
    let readings = Readings { revocation_request_status: RevocationRequestStatus::Message, ..Readings::default() };
    let posted = stage.send(Raw::post(xml::write(&request, &readings), "delegation_revocation_req")).await;
    if posted.is_silent() {
        return Err(Stopped(posted.told()));
    }
    let told = if posted.is_success() { "takes DEL_REVOC_REQ" } else { "does not take DEL_REVOC_REQ" };
    stage.log.answer("D1", told);
    Ok(())
}
