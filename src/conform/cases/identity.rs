//! Section 5.2.1.1: who may come in, and as whom.

use crate::conform::call::{Raw, Shown};
use crate::conform::cases::documents::{harmless, harmless_text, is_granted};
use crate::conform::stage::{Stage, Told};
use crate::delegation::message::Message;
use crate::delegation::reading::Readings;
use crate::delegation::xml;
use crate::ids::ServerId;

/// Whoever shows no certificate, or one that should not do, gets nothing but a refusal, at the latest by HTTP.
pub async fn bad_certificates(stage: &Stage) -> Told {
    for (shown, item) in Shown::BAD.into_iter().zip([
        "tls/no-certificate",
        "tls/wrong-ca",
        "tls/expired",
        "tls/not-yet-valid",
        "tls/other-server",
    ]) {
        if let Err(why) = stage.world.shown(shown) {
            stage.log.unseen(item, format!("no such certificate could be made: {why}"));
            continue;
        }
        let raw = Raw::post(harmless_text(stage), "delegation_req").showing(shown);
        let posted = stage.send(raw).await;
        stage.refused(item, &posted);
    }
    Ok(())
}

/// D10, D35: the serverId is the sender's, and whose the certificate is has been settled between the operators.
pub async fn somebody_elses_id(stage: &Stage) -> Told {
    let Message::DelegationReq { device, manufacturer, model, subtree, is_full, session, .. } = harmless(stage) else {
        return Ok(());
    };
    let server = ServerId::new("somebody-else.invalid");
    let request = Message::DelegationReq { server, device, manufacturer, model, subtree, is_full, session };
    let posted = stage.send(Raw::post(xml::write(&request, &Readings::default()), "delegation_req")).await;
    stage.log.check("tls/server-id", !is_granted(&posted), posted.told(), posted.exchange);
    Ok(())
}
