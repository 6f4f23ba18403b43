//! One document of every form, byte for byte, in both directions.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dmswarm::delegation::message::{Kind, Message};
use dmswarm::delegation::reading::{Readings, RevocationRequestStatus};
use dmswarm::delegation::xml::{read, write};

use crate::specimens::forms;

#[test]
fn every_form_is_written_and_read_as_its_golden_document() {
    for (name, message) in forms() {
        check(name, &message, &Readings::default());
    }
}

#[test]
fn the_status_of_a_revocation_request_follows_the_reading() {
    let (_, message) = forms().pop().expect("there are forms");
    assert_eq!(message.kind(), Kind::DelegationRevocationReq);
    let readings = Readings { revocation_request_status: RevocationRequestStatus::Message, ..Readings::default() };
    check("delegation_revocation_req-subtree-status", &message, &readings);
}

#[test]
fn all_fourteen_messages_have_a_golden_document() {
    let kinds: BTreeSet<Kind> = forms().iter().map(|(_, message)| message.kind()).collect();
    assert_eq!(kinds, BTreeSet::from(Kind::ALL));
}

/// Compares with `tests/data/messages/<name>.xml`. With `UPDATE_GOLDENS` set, writes it instead: look at the diff.
#[track_caller]
fn check(name: &str, message: &Message, readings: &Readings) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/messages/{name}.xml"));
    let written = write(message, readings);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, &written).expect("the golden document can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(written, golden, "{name} as written");
    assert_eq!(read(golden.as_bytes()).as_ref(), Ok(message), "{name} as read");
}
