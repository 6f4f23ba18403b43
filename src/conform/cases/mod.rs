//! The cases: short scripts that read as the specification does, each with a device of its own.
//!
//! | file | what it is about |
//! |---|---|
//! | `handing` | the steps of a delegation, for both roles: what the other files are made of |
//! | `identity` | who may come in, and as whom |
//! | `binding` | HTTP: method, media type, size, address |
//! | `documents` | what stands in a body |
//! | `as_delegated` | the peer as DMS-2 |
//! | `as_delegating` | the peer as DMS-1 |
//! | `operator` | what only the peer's operator can start |
//! | `failures` | DELEGATION_FAILURE at each step, and what cannot go on |
//! | `silence` | what comes when nothing comes |
//! | `disorder` | unknown sessions and devices, wrong phases, duplicates |
//! | `readings` | which of two readings the peer goes along with |

mod as_delegated;
mod as_delegating;
mod binding;
mod disorder;
mod documents;
mod failures;
mod handing;
mod identity;
mod operator;
mod readings;
mod silence;

use futures_util::future::LocalBoxFuture;

use crate::conform::pool::Kind;
use crate::conform::stage::{Stage, Told};

pub use documents::harmless_text;

/// One case.
pub struct Case {
    /// Unique, and safe as an anchor.
    pub name: &'static str,
    pub says: &'static str,
    /// The device that it needs.
    pub device: Option<Kind>,
    /// The items that it looks at: their ids, or what these begin with. What every exchange shows is looked at everywhere.
    pub looks_at: &'static [&'static str],
    pub run: for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, Told>,
}

impl Case {
    /// Whether it can tell something of an item.
    pub fn bears_on(&self, item: &str) -> bool {
        self.looks_at.iter().any(|prefix| item == *prefix || item.starts_with(prefix) && prefix.ends_with('/'))
    }
}

macro_rules! cases {
    ($($name:literal, $says:literal, $device:expr, [$($item:literal),+ $(,)?], $run:path;)+) => {
        /// All cases, in the order in which they are shown.
        pub const ALL: &[Case] = &[$(
            Case { name: $name, says: $says, device: $device, looks_at: &[$($item),+], run: |stage| Box::pin($run(stage)) },
        )+];
    };
}

use Kind as K;

cases! {
    "identity", "who shows no certificate, or one that should not do, is refused", None,
        ["tls/no-certificate", "tls/wrong-ca", "tls/expired", "tls/not-yet-valid", "tls/other-server"], identity::bad_certificates;
    "server-id", "a serverId that is not the caller's", None, ["tls/server-id"], identity::somebody_elses_id;
    "address", "the peer's address", None, ["url/form", "url/other-path"], binding::address;
    "method", "other methods than POST", None, ["http/method"], binding::methods;
    "media-type", "other media types, none, and the right one oddly spelt", None,
        ["http/wrong-type", "http/type-parameters", "http/accept"], binding::media_types;
    "oversize", "a body that is far too large", None, ["http/oversize"], binding::oversize;
    "documents", "bodies that are no message, or a broken one", None,
        ["xml/malformed", "xml/truncated", "xml/unknown-root", "xml/missing-element", "xml/bad-value", "xml/document-type",
         "xml/encoding", "xml/extension"], documents::broken;
    "unknown-session", "messages for a session that is unknown", None, ["interface/unknown-session"], disorder::unknown_session;
    "unknown-device", "a device that is unknown", None, ["interface/refusal", "interface/unknown-device"], disorder::unknown_device;
    "misplaced", "answers as requests", None, ["interface/misplaced"], disorder::misplaced;

    "delegated", "the peer takes a device over, and gives it back when asked (5.3.1, 5.3.3)", Some(K::OURS),
        ["dms2/delegation_resp/", "dms2/bootstrap_confirmed/", "dms2/delegation_prepared/taken", "dms2/session",
         "dms2/delegation_confirmed/", "dms2/delegation_termination_ack/", "dms2/delegation_termination_resp/",
         "dms2/delegation_revoked/asked", "dms2/delegation_revoked/purged"], as_delegated::asked;
    "delegated-known", "the same with an account on the device, and a forced revocation (5.3.5)", Some(K::OURS_KNOWN),
        ["dms2/bootstrapped", "dms2/delegation_revoked/forced"], as_delegated::forced;
    "delegated-full", "the peer takes a device over fully (5.2.1.5)", Some(K::OURS),
        ["dms2/delegation_prepared/full"], as_delegated::full;
    "delegated-url", "the peer takes a device over by its bootstrap URL (5.3.2)", Some(K::OURS_BY_URL),
        ["dms2/bootstrap_srv_url_delivery/", "dms2/url/"], as_delegated::by_url;
    "revocation-failed", "the peer hears that a revocation has failed (5.3.3.5)", Some(K::OURS),
        ["dms2/revocation_failure/taken"], as_delegated::revocation_failed;

    "delegating", "the peer hands a device over, and takes it back when requested (5.3.1, 5.3.4)", Some(K::PEERS),
        ["dms1/delegation_resp/", "dms1/bootstrap_confirmed/taken", "dms1/device/account", "dms1/device/acl",
         "dms1/device/others", "dms1/device/quiet", "dms1/device/own", "dms1/delegation_prepared/",
         "dms1/delegation_confirmed/taken", "dms1/revocation_req/taken", "dms1/requested/"], as_delegating::requested;
    "delegating-known", "the same with an account of ours on the device", Some(K::PEERS_KNOWN),
        ["dms1/device/acl"], as_delegating::known;
    "delegating-full", "the peer hands a device over fully (5.2.1.5)", Some(K::PEERS),
        ["dms1/delegation_prepared/isDelegationFull", "dms1/device/full"], as_delegating::full;
    "delegating-url", "the peer hands a device over by our bootstrap URL (5.3.2)", Some(K::PEERS_BY_URL),
        ["dms1/bootstrap_srv_url_req/", "dms1/url/"], as_delegating::by_url;

    "operator-delegates", "the peer's operator gives a device away and wants it back (5.3.3)", Some(K::PEERS),
        ["dms1/delegation_req/", "dms1/delegation_termination_req/", "dms1/asked/"], operator::delegates;
    "operator-forces", "the peer's operator takes a device back by force (5.3.5)", Some(K::PEERS),
        ["dms1/forced/"], operator::forces;
    "operator-is-refused", "the peer's operator offers a device, and is refused", Some(K::PEERS),
        ["dms1/not-acknowledged"], operator::is_refused;
    "operator-waits", "the peer's operator wants a device back, and no DELEGATION_TERMINATION_RESP comes", Some(K::PEERS),
        ["dms1/timeout/termination"], operator::waits;
    "operator-wants", "the peer's operator wants a device, and gives it back (5.3.4)", Some(K::OURS),
        ["dms2/delegation_req/", "dms2/delegation_revocation_req/"], operator::wants;

    "failure-at-once", "DELEGATION_FAILURE after DELEGATION_RESP, to DMS-2", Some(K::OURS),
        ["dms2/delegation_failure/taken", "dms2/delegation_failure/ends", "dms2/delegation_failure/purged",
         "dms2/delegation_failure/restart"], failures::delegated_at_once;
    "failure-in-preparation", "DELEGATION_FAILURE after BOOTSTRAP_CONFIRMED, to DMS-2", Some(K::OURS),
        ["dms2/delegation_failure/taken", "dms2/delegation_failure/restart"], failures::delegated_in_preparation;
    "failure-after-prepared", "DELEGATION_FAILURE after DELEGATION_PREPARED, to DMS-2", Some(K::OURS),
        ["dms2/delegation_failure/taken", "dms2/delegation_failure/restart"], failures::delegated_after_prepared;
    "failure-by-url", "DELEGATION_FAILURE after BOOTSTRAP_SRV_URL_DELIVERY, to DMS-2", Some(K::OURS_BY_URL),
        ["dms2/delegation_failure/taken"], failures::delegated_by_url;
    "failure-to-dms1-at-once", "DELEGATION_FAILURE after DELEGATION_RESP, to DMS-1", Some(K::PEERS),
        ["dms1/delegation_failure/taken", "dms1/delegation_failure/ends", "dms1/delegation_failure/purged",
         "dms1/delegation_failure/restart"], failures::delegating_at_once;
    "failure-to-dms1-in-preparation", "DELEGATION_FAILURE while the device is prepared, to DMS-1", Some(K::PEERS),
        ["dms1/delegation_failure/taken", "dms1/undo"], failures::delegating_in_preparation;
    "failure-to-dms1-after-prepared", "DELEGATION_FAILURE after DELEGATION_PREPARED, to DMS-1", Some(K::PEERS),
        ["dms1/delegation_failure/taken", "dms1/undo", "dms1/delegation_failure/restart"], failures::delegating_after_prepared;
    "failure-to-dms1-by-url", "DELEGATION_FAILURE once the device has the URL, to DMS-1", Some(K::PEERS_BY_URL),
        ["dms1/delegation_failure/taken", "dms1/undo"], failures::delegating_by_url;
    "negative-bootstrap", "BOOTSTRAP_CONFIRMED that says no", Some(K::PEERS),
        ["dms1/refused/bootstrap_confirmed"], failures::negative_bootstrap;
    "device-refuses", "a device that does not let itself be prepared", Some(K::PEERS),
        ["dms1/device-refuses", "dms1/delegation_failure/"], failures::device_refuses;
    "device-cannot-be-cleaned", "a device that does not let itself be cleaned", Some(K::PEERS),
        ["dms1/revocation_failure/"], failures::not_cleaned;
    "device-does-not-come", "a device that does not come to DMS-2", Some(K::OURS),
        ["dms2/timeout/session", "dms2/delegation_failure/"], failures::device_does_not_come;

    "no-prepared", "DELEGATION_PREPARED never comes", Some(K::OURS),
        ["dms2/timeout/prepared", "dms2/delegation_failure/"], silence::no_prepared;
    "no-bootstrap", "BOOTSTRAP_CONFIRMED never comes", Some(K::PEERS),
        ["dms1/timeout/bootstrap", "dms1/delegation_failure/"], silence::no_bootstrap;
    "no-bootstrap-by-url", "BOOTSTRAP_CONFIRMED never comes, though the device has the URL (5.3.2)", Some(K::PEERS_BY_URL),
        ["dms1/timeout/bootstrap", "dms1/undo"], silence::no_bootstrap_by_url;
    "no-confirmed", "DELEGATION_CONFIRMED never comes (5.2.1.4)", Some(K::PEERS),
        ["dms1/timeout/confirmed"], silence::no_confirmed;

    "phase", "messages that are not due, to DMS-2", Some(K::OURS), ["dms2/phase"], disorder::delegated_phase;
    "phase-dms1", "messages that are not due, to DMS-1", Some(K::PEERS), ["dms1/phase"], disorder::delegating_phase;
    "duplicates", "messages that come twice, to DMS-2", Some(K::OURS), ["dms2/duplicate/"], disorder::delegated_twice;
    "duplicates-dms1", "messages that come twice, to DMS-1", Some(K::PEERS), ["dms1/duplicate/"], disorder::delegating_twice;

    "sub-trees", "DMTreeURI in other forms (D31)", Some(K::OURS), ["D31"], readings::subtrees;
    "spellings", "isClientBootstrapped, rightly spelt (D2)", Some(K::PEERS), ["D2"], readings::spelling;
    "session-of-revocation", "a revocation by the delegation's own sessionId (D22)", Some(K::OURS), ["D22"], readings::session;
    "status-of-revocation", "DELEGATION_REVOCATION_REQ with a status of its own (D1)", Some(K::PEERS), ["D1"], readings::status;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::choices;
    use crate::conform::items;

    #[test]
    fn every_item_is_looked_at_by_some_case_or_by_every_exchange() {
        let everywhere = [
            "tls/server-certificate",
            "tls/client-certificate",
            "http/request-method",
            "http/request-type",
            "http/response-type",
            "http/response-body",
            "xml/written",
        ];
        for item in items::all() {
            let is_looked_at = everywhere.contains(&item.id.as_str()) || ALL.iter().any(|case| case.bears_on(&item.id));
            assert!(is_looked_at, "nobody looks at {}", item.id);
        }
    }

    #[test]
    fn what_cases_say_they_look_at_is_there() {
        for case in ALL {
            for looked_at in case.looks_at {
                let is_item = items::all()
                    .iter()
                    .any(|item| item.id == *looked_at || looked_at.ends_with('/') && item.id.starts_with(looked_at));
                assert!(is_item || choices::ALL.iter().any(|one| one.id == *looked_at), "{}: {looked_at}", case.name);
            }
        }
    }
}
