//! What the reader makes of every mutation of messages that were written well.

use proptest::prelude::*;

use super::*;
use crate::delegation::message::Message;
use crate::delegation::reading::Readings;
use crate::delegation::xml::{read, write};
use crate::dm::dmacc::{Address, DmAcc};
use crate::ids::{DeviceId, ServerId, SessionId};

fn request() -> Message {
    Message::DelegationReq {
        server: ServerId::new("dms1.example.test"),
        device: DeviceId::new("urn:imei:004999010000000"),
        manufacturer: "Maker & Sons".to_owned(),
        model: "Model".to_owned(),
        subtree: "./SCOMO".to_owned(),
        is_full: true,
        session: SessionId::new("dms1&7"),
    }
}

fn confirmed() -> Message {
    let account = DmAcc {
        app_id: None,
        server: ServerId::new("dms2.example.test"),
        name: None,
        pref_con_ref: None,
        con_refs: Vec::new(),
        addresses: vec![Address { addr: "https://dms2.example.test/dm".to_owned(), kind: None, ports: Vec::new() }],
        auth_pref: None,
        auth: Vec::new(),
        no_auto_initial_session: Some(true),
    };
    Message::BootstrapConfirmed {
        reason: Some(200),
        bootstrapped: Some(false),
        account: Some(Box::new(account)),
        session: SessionId::new("dms1-7"),
    }
}

/// What the reader makes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reads {
    Same,
    Another,
    /// By the key of what is wrong.
    Refused(&'static str),
}

#[track_caller]
fn check(mutation: Mutation, message: &Message, expected: Reads) {
    let body = write(message, &Readings::default()).into_bytes();
    let changed = mutation.apply(&body);
    let found = match read(&changed) {
        Ok(found) if found == *message => Reads::Same,
        Ok(_) => Reads::Another,
        Err(why) => Reads::Refused(why.key()),
    };
    assert_eq!(found, expected, "{}\n{}", mutation.key(), String::from_utf8_lossy(&changed));
    assert_ne!(changed, body, "{} changes nothing of {}", mutation.key(), message.kind());
}

#[test]
fn every_mutation_is_read_as_the_table_says() {
    use Reads::*;
    let table = [
        (Mutation::Truncated, request(), Refused("truncated")),
        (Mutation::IllFormed, request(), Refused("not_xml")),
        (Mutation::WrongEncoding, request(), Refused("not_utf8")),
        (Mutation::InvalidUtf8, request(), Refused("not_utf8")),
        (Mutation::Bom, request(), Same),
        (Mutation::Dtd, request(), Refused("has_dtd")),
        (Mutation::EntityExpansion, request(), Refused("has_dtd")),
        (Mutation::Namespace, request(), Same),
        (Mutation::RootRenamed, request(), Refused("unknown_message")),
        (Mutation::UnknownElement, request(), Same),
        (Mutation::MissingElement, request(), Refused("missing_element")),
        (Mutation::DuplicatedElement, request(), Refused("doubled_element")),
        (Mutation::ReorderedElements, request(), Same),
        (Mutation::RightSpelling, confirmed(), Same),
        (Mutation::BooleanCapital, request(), Refused("bad_value")),
        (Mutation::BooleanDigit, request(), Same),
        (Mutation::StatusCase, confirmed(), Same),
        (Mutation::StatusBlanks, confirmed(), Same),
        (Mutation::LongDeviceId, request(), Another),
        (Mutation::EscapedUri, request(), Another),
        (Mutation::CaseOfIds, request(), Another),
        (Mutation::TrailingContent, request(), Refused("trailing_content")),
        (Mutation::ProcessingInstruction, request(), Same),
        (Mutation::Comment, request(), Same),
    ];
    assert_eq!(table.each_ref().map(|(mutation, ..)| *mutation), Mutation::ALL);
    for (mutation, message, expected) in table {
        check(mutation, &message, expected);
    }
}

#[test]
fn the_mandatory_element_that_goes_missing_is_one_in_every_form_of_a_message() {
    let session = SessionId::new("dms1-7");
    let reason = Some(200);
    let missing = Reads::Refused("missing_element");
    check(Mutation::MissingElement, &confirmed(), missing);
    let bootstrapped =
        Message::BootstrapConfirmed { reason, bootstrapped: Some(true), account: None, session: session.clone() };
    check(Mutation::MissingElement, &bootstrapped, missing);
    let by_url = Message::BootstrapConfirmed { reason, bootstrapped: None, account: None, session: session.clone() };
    check(Mutation::MissingElement, &by_url, missing);
    let forced = Message::DelegationRevoked {
        device: Some(DeviceId::new("urn:imei:004999010000000")),
        subtree: None,
        reason,
        session: None,
    };
    check(Mutation::MissingElement, &forced, missing);
    check(Mutation::MissingElement, &Message::DelegationConfirmed { reason, session }, missing);
}

#[test]
fn what_has_nothing_to_change_stays_as_it_is() {
    let message = Message::DelegationConfirmed { reason: Some(200), session: SessionId::new("7") };
    let body = write(&message, &Readings::default()).into_bytes();
    let idle = [Mutation::RightSpelling, Mutation::BooleanDigit, Mutation::EscapedUri, Mutation::LongDeviceId];
    for mutation in idle {
        assert_eq!(mutation.apply(&body), body, "{}", mutation.key());
    }
    assert_eq!(Mutation::Dtd.apply(b"no document"), b"no document");
}

#[test]
fn identifiers_change_their_case_and_references_stay() {
    let body = write(&request(), &Readings::default());
    let changed = String::from_utf8(Mutation::CaseOfIds.apply(body.as_bytes())).expect("it is text");
    assert!(changed.contains("<sessionId>DMS1&amp;7</sessionId>"), "{changed}");
}

#[test]
fn an_expansion_is_short_as_it_travels() {
    let body = write(&request(), &Readings::default()).into_bytes();
    assert!(Mutation::EntityExpansion.apply(&body).len() < body.len() + 1024);
}

proptest! {
    #[test]
    fn any_bytes_can_be_changed(
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..80),
            "(<|>|/|\\?|!|-|\\[|\\]|\"|<a>|</a>|<a/>|<\\?xml|\\?>|<!--|-->|status|deviceId|x|&| ){0,30}"
                .prop_map(String::into_bytes),
        ],
    ) {
        for mutation in Mutation::ALL {
            let changed = mutation.apply(&body);
            // And whatever comes out can be changed once more.
            mutation.apply(&changed);
        }
    }

    #[test]
    fn a_written_message_cut_anywhere_can_be_changed(length in 0..700usize) {
        let body = write(&request(), &Readings::default()).into_bytes();
        for mutation in Mutation::ALL {
            mutation.apply(&body[..length.min(body.len())]);
        }
    }
}
