//! What stands in a body: no XML, another document, a message with something wrong in it.

use bytes::Bytes;

use crate::conform::call::{Posted, Raw};
use crate::conform::fields::Fields;
use crate::conform::stage::{Stage, Told};
use crate::delegation::message::{Kind, Message};
use crate::delegation::reading::Readings;
use crate::delegation::xml;

/// A request that cannot do any harm: for a device that nobody has, so that it is refused at best.
pub fn harmless(stage: &Stage) -> Message {
    stage.request_of(&stage.unknown_device(), ("Nobody", "none"), "./SCOMO", false, stage.fresh_session())
}

/// The same as its document.
pub fn harmless_text(stage: &Stage) -> String {
    xml::write(&harmless(stage), &Readings::default())
}

/// Whether a request was answered as one, whatever the answer.
pub fn is_answered(posted: &Posted) -> bool {
    posted.status() == Some(200) && Fields::read(posted.body()).root == Kind::DelegationResp.root()
}

/// Whether a request was granted.
pub fn is_granted(posted: &Posted) -> bool {
    is_answered(posted) && Fields::read(posted.body()).get("isAcknowledged") == Some("true")
}

/// A document, and what is to be said of it.
struct Broken {
    item: &'static str,
    name: &'static str,
    body: Bytes,
}

/// Whatever cannot be read is refused; what is only unusual is read.
pub async fn broken(stage: &Stage) -> Told {
    let text = || harmless_text(stage);
    let broken = |item, name, body: Vec<u8>| Broken { item, name, body: body.into() };
    let half = |text: String| text.as_bytes()[..text.len() * 2 / 3].to_vec();
    let without_session = |text: String| {
        let (before, after) = text.split_once("<sessionId>").unwrap_or((&text, ""));
        format!("{}{}", before.trim_end(), after.split_once("</sessionId>").map_or("", |(_, rest)| rest))
    };
    let mut bytes = text().replacen("Nobody", "Nob?dy", 1).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'?').skip(2).take(1).for_each(|byte| *byte = 0xff);
    let latin = text().replacen("encoding=\"UTF-8\"", "encoding=\"UTF-16\"", 1).into_bytes();
    let entity = text().replacen("?>", "?><!DOCTYPE d [<!ENTITY e \"Nobody\">]>", 1).replacen("Nobody<", "&e;<", 1);
    for Broken { item, name, body } in [
        broken("xml/malformed", "text that is no XML", b"this is no XML".to_vec()),
        broken("xml/malformed", "an empty body", Vec::new()),
        broken("xml/malformed", "mismatched tags", text().replacen("</serverId>", "</server>", 1).into_bytes()),
        broken("xml/truncated", "two thirds of a delegation_req", half(text())),
        broken(
            "xml/unknown-root",
            "a document of another kind",
            text().replace("delegation_req", "delegation_hello").into_bytes(),
        ),
        broken("xml/encoding", "delegation_req with a byte that is no UTF-8", bytes),
        broken("xml/encoding", "delegation_req that says it is UTF-16", latin),
        broken("xml/document-type", "delegation_req with an entity of its own", entity.into_bytes()),
    ] {
        let posted = stage.send(Raw::post(body, name)).await;
        stage.refused(item, &posted);
    }
    for (item, name, body) in [
        ("xml/missing-element", "delegation_req without sessionId", without_session(text())),
        ("xml/bad-value", "delegation_req, perhaps full", text().replacen(">false<", ">perhaps<", 1)),
    ] {
        let posted = stage.send(Raw::post(body, name)).await;
        stage.log.check(item, !is_granted(&posted) && !posted.is_silent(), posted.told(), posted.exchange);
    }
    let more = text().replacen("<serverId>", "<vendorExtension><a>1</a></vendorExtension><serverId>", 1);
    let posted = stage.send(Raw::post(more, "delegation_req with an element of nobody's")).await;
    stage.log.check("xml/extension", is_answered(&posted), posted.told(), posted.exchange);
    Ok(())
}
