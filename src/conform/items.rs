//! The items: everything that the specification asks of a DM server and a peer can see, one by one.
//!
//! An item is the smallest thing that can be right or wrong by itself: one parameter of one message in one role, one answer to
//! one kind of mistake. Each belongs to a requirement of Appendix B.

use std::sync::LazyLock;

use crate::results::conformance::Level;

use Level::{Informational, Mandatory, Optional};
use Requirement::{S001, S002, S003, S004, S005, S006, S007, S008};
use Role::{Delegated, Delegating, Either};

/// The requirements of Appendix B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    S001,
    S002,
    S003,
    S004,
    S005,
    S006,
    S007,
    S008,
}

impl Requirement {
    pub const ALL: [Requirement; 8] = [S001, S002, S003, S004, S005, S006, S007, S008];

    /// Its name in the table.
    pub fn id(self) -> &'static str {
        match self {
            S001 => "DM-DEL-S-001-M",
            S002 => "DM-DEL-S-002-M",
            S003 => "DM-DEL-S-003-O",
            S004 => "DM-DEL-S-004-O",
            S005 => "DM-DEL-S-005-O",
            S006 => "DM-DEL-S-006-O",
            S007 => "DM-DEL-S-007-M",
            S008 => "DM-DEL-S-008-M",
        }
    }

    /// What it is about.
    pub fn says(self) -> &'static str {
        match self {
            S001 => "mutual authentication on TLS, by X.509 certificates",
            S002 => "the interface and its parameters",
            S003 => "a delegation that fails ends at once",
            S004 => "a delegation that fails is undone on the device and forgotten",
            S005 => "a delegation can be started again after a failure",
            S006 => "the delegated server is told of a revocation",
            S007 => "HTTP POST, the media type, XML in the body",
            S008 => "the form of the target URL",
        }
    }
}

/// What the peer plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Delegating,
    Delegated,
    Either,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Delegating => "DMS-1",
            Delegated => "DMS-2",
            Either => "either",
        }
    }
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Unique; `dms2/delegation_resp/sessionId`.
    pub id: String,
    pub requirement: Requirement,
    pub section: &'static str,
    pub role: Role,
    pub level: Level,
    pub says: String,
}

/// All items, in the order in which they are shown.
pub fn all() -> &'static [Item] {
    static ITEMS: LazyLock<Vec<Item>> = LazyLock::new(|| {
        let single = SINGLE.iter().map(|(id, requirement, section, role, level, says)| Item {
            id: (*id).to_owned(),
            requirement: *requirement,
            section,
            role: *role,
            level: *level,
            says: (*says).to_owned(),
        });
        let mut items: Vec<Item> = single.chain(MESSAGES.iter().flat_map(of_message)).collect();
        items.sort_by_key(|item| item.requirement);
        items
    });
    &ITEMS
}

/// The items of one message: that it comes, and each of its parameters.
fn of_message(message: &Message) -> impl Iterator<Item = Item> + '_ {
    let Message { id, requirement, section, role, level, when, parameters } = message;
    let name = id.split('/').next_back().unwrap_or_default().to_uppercase();
    let coming = Item {
        id: format!("{id}/sent"),
        requirement: *requirement,
        section,
        role: *role,
        level: *level,
        says: format!("{name} comes {when}"),
    };
    let parameters = parameters.iter().map(move |parameter| Item {
        id: format!("{id}/{parameter}"),
        // What an optional message carries is no less binding once it is sent.
        requirement: S002,
        section,
        role: *role,
        level: Mandatory,
        says: format!("{parameter} of {}", id.split('/').next_back().unwrap_or_default().to_uppercase()),
    });
    std::iter::once(coming).chain(parameters)
}

/// A message that the peer sends.
struct Message {
    id: &'static str,
    /// Of its coming; its parameters are always a part of [`S002`].
    requirement: Requirement,
    section: &'static str,
    role: Role,
    level: Level,
    when: &'static str,
    parameters: &'static [&'static str],
}

const REQUEST: &[&str] =
    &["serverId", "deviceId", "deviceMan", "deviceMod", "DMTreeURI", "isDelegationFull", "sessionId"];
const PLAIN: &[&str] = &["reasonCode", "status", "sessionId"];

#[rustfmt::skip]
const MESSAGES: &[Message] = &[
    // The peer as DMS-2.
    Message { id: "dms2/delegation_resp", requirement: S002, section: "5.3.1.2", role: Delegated, level: Mandatory,
        when: "as the answer to DELEGATION_REQ of DMS-1", parameters: &["reasonCode", "status", "isAcknowledged", "sessionId"] },
    Message { id: "dms2/bootstrap_confirmed", requirement: S002, section: "5.3.1.3", role: Delegated, level: Mandatory,
        when: "once the delegation has been accepted (DMAcc)",
        parameters: &["reasonCode", "status", "isClientBootstapped", "DMAcc", "sessionId"] },
    Message { id: "dms2/delegation_confirmed", requirement: S002, section: "5.3.1.5", role: Delegated, level: Mandatory,
        when: "once DMS-2 has had a session with the device", parameters: PLAIN },
    Message { id: "dms2/bootstrap_srv_url_delivery", requirement: S002, section: "5.3.2.4", role: Delegated, level: Mandatory,
        when: "as the answer to BOOTSTRAP_SRV_URL_REQ", parameters: &["reasonCode", "status", "bootstrapURL", "sessionId"] },
    Message { id: "dms2/url/bootstrap_confirmed", requirement: S002, section: "5.3.2.5", role: Delegated, level: Mandatory,
        when: "once the device has been bootstrapped (URL)", parameters: PLAIN },
    Message { id: "dms2/delegation_termination_ack", requirement: S002, section: "5.3.3.2", role: Delegated, level: Mandatory,
        when: "as the answer to DELEGATION_TERMINATION_REQ", parameters: PLAIN },
    Message { id: "dms2/delegation_termination_resp", requirement: S002, section: "5.3.3.3", role: Delegated, level: Mandatory,
        when: "once DMS-2 has ended its activities", parameters: PLAIN },
    Message { id: "dms2/delegation_failure", requirement: S003, section: "5.3.1.6", role: Delegated, level: Optional,
        when: "when DMS-2 cannot go on with a delegation", parameters: PLAIN },
    Message { id: "dms2/delegation_req", requirement: S002, section: "5.3.1.1", role: Delegated, level: Mandatory,
        when: "when its operator wants a device", parameters: REQUEST },
    Message { id: "dms2/delegation_revocation_req", requirement: S002, section: "5.3.4.1", role: Delegated, level: Mandatory,
        when: "when its operator gives a device back", parameters: &["deviceId", "status", "sessionId"] },
    // The peer as DMS-1.
    Message { id: "dms1/delegation_resp", requirement: S002, section: "5.3.1.2", role: Delegating, level: Mandatory,
        when: "as the answer to DELEGATION_REQ of DMS-2", parameters: &["reasonCode", "status", "isAcknowledged", "sessionId"] },
    Message { id: "dms1/delegation_prepared", requirement: S002, section: "5.3.1.4", role: Delegating, level: Mandatory,
        when: "once the device is prepared (DMAcc)", parameters: &["reasonCode", "status", "isDelegationFull", "sessionId"] },
    Message { id: "dms1/bootstrap_srv_url_req", requirement: S002, section: "5.3.2.3", role: Delegating, level: Mandatory,
        when: "once the delegation has been agreed (URL)", parameters: PLAIN },
    Message { id: "dms1/url/delegation_prepared", requirement: S002, section: "5.3.2.6", role: Delegating, level: Mandatory,
        when: "once the device has its rights (URL)", parameters: &["reasonCode", "status", "isDelegationFull", "sessionId"] },
    Message { id: "dms1/delegation_failure", requirement: S003, section: "5.3.1.6", role: Delegating, level: Optional,
        when: "when DMS-1 cannot go on with a delegation", parameters: PLAIN },
    Message { id: "dms1/requested/delegation_revoked", requirement: S002, section: "5.3.4.2", role: Delegating, level: Mandatory,
        when: "after a requested revocation", parameters: PLAIN },
    Message { id: "dms1/revocation_failure", requirement: S006, section: "5.3", role: Delegating, level: Optional,
        when: "when the device cannot be cleaned", parameters: PLAIN },
    Message { id: "dms1/delegation_req", requirement: S002, section: "5.3.1.1", role: Delegating, level: Mandatory,
        when: "when its operator gives a device away", parameters: REQUEST },
    Message { id: "dms1/delegation_termination_req", requirement: S002, section: "5.3.3.1", role: Delegating, level: Mandatory,
        when: "when its operator wants a device back", parameters: &["deviceId", "status", "sessionId"] },
    Message { id: "dms1/asked/delegation_revoked", requirement: S002, section: "5.3.3.4", role: Delegating, level: Mandatory,
        when: "after an asked revocation", parameters: PLAIN },
    Message { id: "dms1/forced/delegation_revoked", requirement: S006, section: "5.3.5.1", role: Delegating, level: Optional,
        when: "after a forced revocation", parameters: &["deviceId", "reasonCode", "status"] },
];

type Single = (&'static str, Requirement, &'static str, Role, Level, &'static str);

#[rustfmt::skip]
const SINGLE: &[Single] = &[
    ("tls/server-certificate", S001, "5.2.1.1", Either, Mandatory, "the peer's door shows a certificate of a CA that is trusted, made out to its name"),
    ("tls/client-certificate", S001, "5.2.1.1", Either, Mandatory, "the peer shows its certificate when it calls"),
    ("tls/no-certificate", S001, "5.2.1.1", Either, Mandatory, "a caller without a certificate is refused"),
    ("tls/wrong-ca", S001, "5.2.1.1", Either, Mandatory, "a certificate of another CA is refused"),
    ("tls/expired", S001, "5.2.1.1", Either, Mandatory, "an expired certificate is refused"),
    ("tls/not-yet-valid", S001, "5.2.1.1", Either, Mandatory, "a certificate that is not valid yet is refused"),
    ("tls/other-server", S001, "5.2.1.1", Either, Mandatory, "a certificate of somebody who is no partner is refused"),
    ("tls/server-id", S001, "D35", Either, Informational, "a serverId that is not that of the certificate is refused"),

    ("interface/refusal", S002, "5.3.1.2", Either, Mandatory, "a delegation that is not wanted is refused by DELEGATION_RESP with isAcknowledged false"),
    ("interface/unknown-session", S002, "5.3", Either, Mandatory, "a message for a session that is unknown is not answered with a success"),
    ("interface/unknown-device", S002, "5.3", Either, Mandatory, "a revocation of a device that is unknown is not answered with a success"),
    ("interface/misplaced", S002, "5.3", Either, Informational, "a message that can only be an answer is refused as a request"),

    ("dms2/delegation_prepared/taken", S002, "5.3.1.4", Delegated, Mandatory, "DELEGATION_PREPARED is answered with a success and no content"),
    ("dms2/delegation_prepared/full", S002, "5.3.1.4", Delegated, Mandatory, "DELEGATION_PREPARED of a full delegation is taken, and confirmed"),
    ("dms2/session", S002, "5.2.1.7", Delegated, Mandatory, "DMS-2 begins a session with the device after DELEGATION_PREPARED, and confirms after it"),
    ("dms2/bootstrapped", S002, "5.3.1.3", Delegated, Mandatory, "BOOTSTRAP_CONFIRMED of a device that has an account says so, and has no DMAcc"),
    ("dms2/url/bootstrap", S002, "5.2.2.5", Delegated, Mandatory, "the URL brings the device an account, by which it connects"),
    ("dms2/url/delegation_confirmed", S002, "5.3.2.7", Delegated, Mandatory, "DELEGATION_CONFIRMED comes in the URL approach as well"),
    ("dms2/delegation_termination_resp/order", S002, "5.3.3.3", Delegated, Mandatory, "DELEGATION_TERMINATION_RESP is a request of its own, after the acknowledgement"),
    ("dms2/delegation_revoked/asked", S002, "5.3.3.4", Delegated, Mandatory, "DELEGATION_REVOKED of an asked revocation is answered with a success and no content"),
    ("dms2/delegation_revoked/forced", S002, "5.3.5.1", Delegated, Mandatory, "DELEGATION_REVOKED of a forced revocation, by deviceId alone, is answered with a success and no content"),
    ("dms2/delegation_revoked/purged", S002, "5.2.3.6", Delegated, Informational, "what has been revoked is forgotten"),
    ("dms2/delegation_failure/taken", S003, "5.3.1.6", Delegated, Mandatory, "DELEGATION_FAILURE is answered with a success and no content, at every step"),
    ("dms2/delegation_failure/ends", S003, "5.3", Delegated, Optional, "after DELEGATION_FAILURE nothing more comes of the delegation"),
    ("dms2/delegation_failure/purged", S004, "5.3", Delegated, Optional, "after DELEGATION_FAILURE the delegation is unknown"),
    ("dms2/delegation_failure/restart", S005, "5.3", Delegated, Optional, "after DELEGATION_FAILURE the delegation can be started again"),
    ("dms2/revocation_failure/taken", S002, "5.3.3.5", Delegated, Mandatory, "REVOCATION_FAILURE is answered with a success and no content"),
    ("dms2/timeout/prepared", S003, "5.3", Delegated, Optional, "DMS-2 does not wait for DELEGATION_PREPARED for ever"),
    ("dms2/timeout/session", S003, "5.3", Delegated, Optional, "a session with the device that does not come about ends the delegation"),
    ("dms2/phase", S002, "5.3", Delegated, Informational, "a message that is not due is refused, and does no harm"),
    ("dms2/duplicate/delegation_req", S002, "D35", Delegated, Informational, "DELEGATION_REQ that comes twice is answered alike, and taken once"),
    ("dms2/duplicate/delegation_prepared", S002, "D35", Delegated, Informational, "DELEGATION_PREPARED that comes twice is answered alike, and taken once"),
    ("dms2/duplicate/delegation_termination_req", S002, "D35", Delegated, Informational, "DELEGATION_TERMINATION_REQ that comes twice is answered alike, and taken once"),
    ("dms2/duplicate/delegation_revoked", S002, "D35", Delegated, Informational, "DELEGATION_REVOKED that comes twice is answered alike"),

    ("dms1/bootstrap_confirmed/taken", S002, "5.3.1.3", Delegating, Mandatory, "BOOTSTRAP_CONFIRMED is answered with a success and no content"),
    ("dms1/url/bootstrap_confirmed/taken", S002, "5.3.2.5", Delegating, Mandatory, "BOOTSTRAP_CONFIRMED of the URL approach is answered with a success and no content"),
    ("dms1/delegation_confirmed/taken", S002, "5.3.1.5", Delegating, Mandatory, "DELEGATION_CONFIRMED is answered with a success and no content"),
    ("dms1/device/account", S002, "5.2.1.4", Delegating, Mandatory, "the device gets the account that BOOTSTRAP_CONFIRMED carries"),
    ("dms1/device/acl", S002, "5.2.1.4", Delegating, Mandatory, "the delegate has rights on the sub-tree, and on nothing beside it"),
    ("dms1/device/others", S002, "5.2.1.4", Delegating, Informational, "whoever had rights on the sub-tree keeps them"),
    ("dms1/device/quiet", S002, "5.2.1.4", Delegating, Mandatory, "the device is told not to connect to the delegate by itself"),
    ("dms1/device/full", S002, "5.2.1.5", Delegating, Mandatory, "in a full delegation the account of DMS-1 goes"),
    ("dms1/device/own", S002, "5.2.1.5", Delegating, Mandatory, "in a partial delegation the account of DMS-1 stays"),
    ("dms1/url/entry", S002, "5.2.2.3", Delegating, Mandatory, "the device is given the URL"),
    ("dms1/url/acl", S002, "5.2.2.7", Delegating, Mandatory, "in the URL approach the delegate gets its rights after BOOTSTRAP_CONFIRMED"),
    ("dms1/revocation_req/taken", S002, "5.3.4.1", Delegating, Mandatory, "DELEGATION_REVOCATION_REQ is answered with a success and no content"),
    ("dms1/requested/removed", S002, "5.2.4.3", Delegating, Mandatory, "after a requested revocation the delegate's account has gone"),
    ("dms1/requested/order", S002, "5.3.4.2", Delegating, Mandatory, "DELEGATION_REVOKED comes after the device has been cleaned"),
    ("dms1/asked/removed", S002, "5.2.3.5", Delegating, Mandatory, "after an asked revocation the delegate's account has gone"),
    ("dms1/forced/removed", S002, "5.2.5.1", Delegating, Mandatory, "after a forced revocation the delegate's account has gone"),
    ("dms1/delegation_failure/taken", S003, "5.3.1.6", Delegating, Mandatory, "DELEGATION_FAILURE is answered with a success and no content, at every step"),
    ("dms1/delegation_failure/ends", S003, "5.3", Delegating, Optional, "after DELEGATION_FAILURE nothing more comes of the delegation"),
    ("dms1/delegation_failure/purged", S004, "5.3", Delegating, Optional, "after DELEGATION_FAILURE the delegation is unknown"),
    ("dms1/delegation_failure/restart", S005, "5.3", Delegating, Optional, "after DELEGATION_FAILURE the delegation can be started again"),
    ("dms1/undo", S004, "5.3", Delegating, Optional, "a failure puts the device back: the account, the ACLs, the URL"),
    ("dms1/refused/bootstrap_confirmed", S003, "5.3.1.3", Delegating, Informational, "BOOTSTRAP_CONFIRMED with a reasonCode that says no ends the delegation"),
    ("dms1/timeout/bootstrap", S003, "5.3.2", Delegating, Optional, "DMS-1 waits a finite time for BOOTSTRAP_CONFIRMED"),
    ("dms1/timeout/confirmed", S003, "5.2.1.4", Delegating, Optional, "DMS-1 does not wait for DELEGATION_CONFIRMED for ever"),
    ("dms1/timeout/termination", S002, "5.3", Delegating, Optional, "DMS-1 goes on without DELEGATION_TERMINATION_RESP"),
    ("dms1/device-refuses", S003, "5.3", Delegating, Optional, "a device that refuses to be prepared ends the delegation"),
    ("dms1/not-acknowledged", S003, "5.3.1.2", Delegating, Mandatory, "a delegation that DMS-2 does not acknowledge ends"),
    ("dms1/phase", S002, "5.3", Delegating, Informational, "a message that is not due is refused, and does no harm"),
    ("dms1/duplicate/delegation_req", S002, "D35", Delegating, Informational, "DELEGATION_REQ that comes twice is answered alike"),
    ("dms1/duplicate/bootstrap_confirmed", S002, "D35", Delegating, Informational, "BOOTSTRAP_CONFIRMED that comes twice is answered alike, and taken once"),
    ("dms1/duplicate/delegation_confirmed", S002, "D35", Delegating, Informational, "DELEGATION_CONFIRMED that comes twice is answered alike"),
    ("dms1/duplicate/delegation_revocation_req", S002, "D35", Delegating, Informational, "DELEGATION_REVOCATION_REQ that comes twice is answered alike, and taken once"),

    ("http/method", S007, "5.3", Either, Informational, "another method than POST is refused"),
    ("http/request-method", S007, "5.3", Either, Mandatory, "the peer sends its messages by POST"),
    ("http/request-type", S007, "5.3", Either, Mandatory, "the peer's requests have the media type application/vnd.dm.delegation+xml"),
    ("http/response-type", S007, "5.3", Either, Optional, "an answer with content has the media type application/vnd.dm.delegation+xml"),
    ("http/response-body", S007, "5.3", Either, Mandatory, "an answer carries a message, or nothing"),
    ("http/wrong-type", S007, "5.3", Either, Informational, "a message with another Content-Type, or none, is refused"),
    ("http/type-parameters", S007, "RFC 2616 3.7", Either, Informational, "parameters and letter case of the Content-Type do not matter"),
    ("http/accept", S007, "D29", Either, Informational, "the Accept header of Appendix C is not held against a request"),
    ("http/oversize", S007, "5.3", Either, Informational, "a body that is far too large is refused, and does no harm"),
    ("xml/malformed", S007, "5.3", Either, Mandatory, "what is no XML is not answered with a success"),
    ("xml/truncated", S007, "5.3", Either, Mandatory, "a message that breaks off is not answered with a success"),
    ("xml/unknown-root", S007, "5.3", Either, Mandatory, "a document that is none of the messages is not answered with a success"),
    ("xml/missing-element", S007, "5.3", Either, Mandatory, "a request without its sessionId is not granted"),
    ("xml/bad-value", S007, "5.3", Either, Informational, "a boolean that is none is not taken for one"),
    ("xml/document-type", S007, "5.3", Either, Informational, "entities of a document's own are not expanded"),
    ("xml/encoding", S007, "Appendix C", Either, Informational, "bytes that are no UTF-8 are not answered with a success"),
    ("xml/extension", S007, "5.3", Either, Informational, "elements that no table lists are passed over"),
    ("xml/written", S007, "Appendix C", Either, Mandatory, "what the peer writes can be read: UTF-8, one root element in lower case, no namespace"),

    ("url/form", S008, "B.1", Either, Mandatory, "the peer's address has the form https://<host>[:<port>]/<interface_name>"),
    ("url/other-path", S008, "5.3", Either, Informational, "another path than the interface's is not answered with a success"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_item_has_a_name_of_its_own_and_every_requirement_has_items() {
        let names: BTreeSet<&str> = all().iter().map(|item| item.id.as_str()).collect();
        assert_eq!(names.len(), all().len());
        for requirement in Requirement::ALL {
            assert!(all().iter().any(|item| item.requirement == requirement), "{}", requirement.id());
        }
    }

    #[test]
    fn every_parameter_of_every_message_that_a_peer_sends_is_an_item() {
        // Tables 1 to 18, less table 7's and 11's doubles in the other role: what follows is counted in the text.
        let of = |id: &str| all().iter().filter(|item| item.id.starts_with(id)).count();
        // Seven parameters of table 1, and that it comes.
        assert_eq!(of("dms1/delegation_req/"), 8);
        // Table 18 has three.
        assert_eq!(of("dms1/forced/delegation_revoked/"), 4);
        // Table 3 has five.
        assert_eq!(of("dms2/bootstrap_confirmed/"), 6);
    }
}
