//! The XML Schema: every document that is written is valid against it, and it can say no.

use std::path::{Path, PathBuf};
use std::process::Command;

use dmswarm::delegation::reading::{Readings, RevocationRequestStatus};
use dmswarm::delegation::xml::{schema, write};

use crate::specimens::{combinations, forms};

#[test]
fn every_document_that_is_written_is_valid() {
    let Some(folder) = folder_for_xmllint("every_document_that_is_written_is_valid") else { return };
    let by_table = Readings::default();
    let by_message = Readings { revocation_request_status: RevocationRequestStatus::Message, ..by_table };
    let mut files = Vec::new();
    for readings in [by_table, by_message] {
        for message in combinations() {
            let file = folder.join(format!("{:03}-{}.xml", files.len(), message.kind()));
            std::fs::write(&file, write(&message, &readings)).expect("the folder can be written to");
            files.push(file);
        }
    }
    // 20 forms, each once more without its reasonCode, 33 revocations, 14 accounts, all in two readings.
    assert_eq!(files.len(), 2 * (20 + 20 + 33 + 14));
    assert_eq!(invalid(&folder, &files), "");
}

#[test]
fn documents_that_break_a_table_are_not_valid() {
    let Some(folder) = folder_for_xmllint("documents_that_break_a_table_are_not_valid") else { return };
    let golden = |name: &str| {
        let (_, message) = forms().into_iter().find(|(form, _)| *form == name).expect("there is such a form");
        write(&message, &Readings::default())
    };
    let check = |name: &str, from: &str, to: &str| {
        let document = golden(name).replacen(from, to, 1);
        assert_ne!(document, golden(name), "{from} stands in {name}");
        let file = folder.join("broken.xml");
        std::fs::write(&file, document).expect("the folder can be written to");
        let complaint = invalid(&folder, &[file]);
        assert!(complaint.contains("validity error"), "{name} with {to:?} for {from:?}: {complaint:?}");
    };
    check("delegation_req", "<isDelegationFull>false", "<isDelegationFull>no");
    check("delegation_req", "<isDelegationFull>false", "<isDelegationFull>0");
    check("delegation_req", "<DMTreeURI>./SCOMO</DMTreeURI>", "");
    check("delegation_req", "home-7", "");
    check("delegation_req", "</delegation_req>", "<vendor/></delegation_req>");
    check("delegation_resp", "DELEGATION_RESP", "CONFIRMED");
    check("delegation_resp", "<reasonCode>200", "<reasonCode>-1");
    check("delegation_resp", "<status>DELEGATION_RESP</status>", "<Status>DELEGATION_RESP</Status>");
    check("bootstrap_confirmed-already", "isClientBootstapped>true", "isClientBootstapped>TRUE");
    check("bootstrap_confirmed-account", "<isClientBootstapped>false</isClientBootstapped>", "");
    check("bootstrap_confirmed-account", "<ServerID>dms2.example.test</ServerID>", "");
    check("bootstrap_confirmed-account", "<PortNbr>443", "<PortNbr>65536");
    check("bootstrap_confirmed-account", "<AAuthData>bm9uY2U=", "<AAuthData>not base64");
    check("delegation_revoked", "<sessionId>home-8</sessionId>", "");
    check("delegation_revoked-forced", "<deviceId>urn:imei:004999010000006</deviceId>", "");
    check("delegation_revocation_req", "DEL_TERM_REQ", "DEL_REVOKED");
    check("delegation_termination_req", "DEL_TERM_REQ", "DEL_REVOC_REQ");
    check("revocation_failure", "FAILURE", "FAILED");
}

/// What xmllint says about files that are not valid; nothing when all are.
fn invalid(folder: &Path, files: &[PathBuf]) -> String {
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(folder.join("delegation.xsd"))
        .args(files)
        .output()
        .expect("xmllint runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("validates") || said.contains("validity error"), "xmllint could not judge: {said}");
    assert_eq!(output.status.success(), !said.contains("validity error"), "{said}");
    said.lines().filter(|line| !line.ends_with(" validates")).collect::<Vec<_>>().join("\n")
}

/// A folder with the schema in it; `None`, and a word about it, where xmllint is not installed.
fn folder_for_xmllint(test: &str) -> Option<PathBuf> {
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("SKIPPED {test}: xmllint is not on the PATH (Debian: apt-get install libxml2-utils)");
        return None;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join("delegation.xsd"), schema()).expect("the folder can be written to");
    Some(folder)
}
