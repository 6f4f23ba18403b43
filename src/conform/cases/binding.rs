//! How messages travel (5.3, Appendix B): method, media type, size, address.

use crate::conform::call::Raw;
use crate::conform::cases::documents::{harmless_text, is_answered};
use crate::conform::stage::{Stage, Told};
use crate::transport::exchange::Method;

/// Far more than any message needs, in bytes.
const FAR_TOO_LARGE: usize = 8 * 1024 * 1024;

/// SCR-008.
pub async fn address(stage: &Stage) -> Told {
    let url = &stage.world.pair.url;
    let address = &stage.world.address;
    let holds = url.starts_with("https://") && address.path().len() > 1;
    stage.log.check("url/form", holds, url.as_str(), None);
    let path = format!("{}/nobody-is-here", address.path().trim_end_matches('/'));
    let posted = stage.send(Raw { path: Some(path), ..Raw::post(harmless_text(stage), "delegation_req") }).await;
    stage.refused("url/other-path", &posted);
    Ok(())
}

/// 5.3: messages are POSTed.
pub async fn methods(stage: &Stage) -> Told {
    let get = Raw { method: Method::Get, body: Default::default(), content_type: None, ..Raw::post("", "nothing") };
    let put = Raw { method: Method::Other("PUT".into()), ..Raw::post(harmless_text(stage), "delegation_req") };
    for raw in [get, put] {
        let posted = stage.send(raw).await;
        stage.refused("http/method", &posted);
    }
    Ok(())
}

/// SCR-007.
pub async fn media_types(stage: &Stage) -> Told {
    let request = || Raw::post(harmless_text(stage), "delegation_req");
    for kind in ["application/xml", "text/html", "application/vnd.syncml.dm+xml"] {
        let posted = stage.send(request().typed(Some(kind))).await;
        stage.refused("http/wrong-type", &posted);
    }
    let posted = stage.send(request().typed(None)).await;
    stage.refused("http/wrong-type", &posted);
    let oddly = "Application/VND.DM.Delegation+XML; charset=UTF-8";
    let posted = stage.send(request().typed(Some(oddly))).await;
    stage.log.check("http/type-parameters", is_answered(&posted), posted.told(), posted.exchange);
    let accept = ("accept", "application/vnd vnd.dm.delegation+xml".to_owned());
    let posted = stage.send(Raw { headers: vec![accept], ..request() }).await;
    stage.log.check("http/accept", is_answered(&posted), posted.told(), posted.exchange);
    Ok(())
}

/// What no message is as large as. Whether the peer reads it to its end or not, it must not grant it, and goes on.
pub async fn oversize(stage: &Stage) -> Told {
    let text = harmless_text(stage);
    let padded = text.replacen("<serverId>", &format!("<!--{}--><serverId>", " ".repeat(FAR_TOO_LARGE)), 1);
    let posted = stage.send(Raw::post(padded, "delegation_req of 8 MiB")).await;
    let after = stage.send(Raw::post(harmless_text(stage), "delegation_req")).await;
    let lives = is_answered(&after);
    let found = format!("{}; then {}", posted.told(), after.told());
    stage.log.check("http/oversize", !posted.is_success() && lives, found, posted.exchange);
    Ok(())
}
