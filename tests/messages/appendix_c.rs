//! The three documents of Appendix C: as they are printed, and with the slips of the print mended.

use dmswarm::delegation::message::Message;
use dmswarm::delegation::misbehaved::Misbehaved;
use dmswarm::delegation::reading::Readings;
use dmswarm::delegation::xml::{check_content_type, read, write};
use dmswarm::ids::{DeviceId, ServerId, SessionId};

use crate::canonical::canonical;

const DELEGATION_REQ: &str = include_str!("../data/appendix_c/delegation_req.xml");
const DELEGATION_RESP: &str = include_str!("../data/appendix_c/delegation_resp.xml");
const BOOTSTRAP_CONFIRMED: &str = include_str!("../data/appendix_c/bootstrap_confirmed.xml");

/// The slips (D29, D30): the schema's address broken over a line, `>>` for `>`, letters too many in the third sessionId.
fn mended(printed: &str) -> String {
    printed.replace("dm_dm\n13_", "dm_dm13_").replace(">>", ">").replace("ABCDEFERFGHCHDJKD", "ABCDERFGHCHDJKD")
}

#[track_caller]
fn check_mended(printed: &str, expected: Message) {
    let document = mended(printed);
    assert_eq!(read(document.as_bytes()), Ok(expected.clone()));
    assert_eq!(canonical(&write(&expected, &Readings::default())), canonical(&document));
}

#[test]
fn mended_they_read_to_the_values_and_are_written_back_the_same() {
    let session = SessionId::new("ABCDERFGHCHDJKD");
    check_mended(
        DELEGATION_REQ,
        Message::DelegationReq {
            server: ServerId::new("DM_Server_ABC"),
            device: DeviceId::new("IMEI:AAAAAABBCCCCCD"),
            manufacturer: "VendorXYZ".into(),
            model: "Mod5462".into(),
            subtree: "/SCOMO".into(),
            is_full: false,
            session: session.clone(),
        },
    );
    check_mended(
        DELEGATION_RESP,
        Message::DelegationResp { reason: Some(200), is_acknowledged: true, session: session.clone() },
    );
    check_mended(
        BOOTSTRAP_CONFIRMED,
        Message::BootstrapConfirmed { reason: Some(200), bootstrapped: Some(true), account: None, session },
    );
}

#[track_caller]
fn check_printed(printed: &str, message: &'static str, element: &'static str, found: &str) {
    assert_eq!(read(printed.as_bytes()), Err(Misbehaved::BadValue { message, element, found: found.into() }));
}

#[test]
fn as_printed_the_doubled_bracket_is_a_bad_value() {
    // D29: `>>false` is the well-formed text `>false`, which is no boolean.
    check_printed(DELEGATION_REQ, "delegation_req", "isDelegationFull", ">false");
    check_printed(DELEGATION_RESP, "delegation_resp", "isAcknowledged", ">true");
}

#[test]
fn as_printed_the_broken_schema_address_does_not_matter() {
    // D29: nobody looks the schema up, so that the third document reads. Its sessionId stays as it is printed (D30):
    // sessions are compared exactly, and this is not that of the other two.
    let expected = Message::BootstrapConfirmed {
        reason: Some(200),
        bootstrapped: Some(true),
        account: None,
        session: SessionId::new("ABCDEFERFGHCHDJKD"),
    };
    assert_eq!(read(BOOTSTRAP_CONFIRMED.as_bytes()), Ok(expected));
    let only_the_brackets_mended = DELEGATION_REQ.replace(">>", ">");
    assert_eq!(read(only_the_brackets_mended.as_bytes()), read(mended(DELEGATION_REQ).as_bytes()));
}

#[test]
fn the_content_type_of_the_samples_is_accepted() {
    assert_eq!(check_content_type(Some("application/vnd.dm.delegation+xml")), Ok(()));
    // D29: the Accept header of the samples, were it taken for a Content-Type.
    let found = "application/vnd vnd.dm.delegation+xml";
    assert_eq!(check_content_type(Some(found)), Err(Misbehaved::WrongContentType { found: found.into() }));
}
