//! The messages as XML documents (section 5.3, Appendix C): written strictly, read forgivingly.
//!
//! | file | its job |
//! |---|---|
//! | `write` | a message to its document: the tables' order, nothing but what the tables list |
//! | `read` | a document to its message: any order, unknown elements ignored, every fault by name |
//! | `account` | the DMAcc inside BOOTSTRAP_CONFIRMED, in both directions |
//! | `walk` | one pass over the elements of a document that nobody has to trust |
//! | `characters` | what XML allows, trims and calls a name |
//!
//! The strict form is also a schema, [`schema`]: every document that [`write()`] makes is valid against it.

mod account;
mod characters;
mod read;
mod walk;
mod write;

pub use read::read;
pub use write::write;

use crate::delegation::message::Kind;
use crate::delegation::misbehaved::Misbehaved;
use crate::delegation::reading::RevocationRequestStatus;
use crate::dm::script::planted;

/// The media type of every message (section 5.3).
pub const CONTENT_TYPE: &str = "application/vnd.dm.delegation+xml";

/// Where the schema of the messages is said to be (Appendix C).
pub const SCHEMA_LOCATION: &str = "http://www.openmobilealliance.org/tech/profiles/dm_dm13_delegationprotocol-v1_0.xsd";

/// The XML Schema of the messages, in the strict form that is written.
pub fn schema() -> &'static str {
    include_str!("../delegation.xsd")
}

/// Checks the Content-Type header of a request. Parameters and case do not matter; the header has to be there.
pub fn check_content_type(header: Option<&str>) -> Result<(), Misbehaved> {
    let found = header.unwrap_or_default();
    let media_type = found.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(CONTENT_TYPE) || planted!(ContentTypeNotLookedAt) {
        Ok(())
    } else {
        Err(Misbehaved::WrongContentType { found: read::excerpt(found) })
    }
}

/// The literal that the tables give for `status`; DELEGATION_REQ has none. Nobody tells messages apart by it (D1, D9).
fn status(kind: Kind, revocation_request: RevocationRequestStatus) -> Option<&'static str> {
    Some(match kind {
        Kind::DelegationReq => return None,
        Kind::DelegationResp => "DELEGATION_RESP",
        Kind::BootstrapConfirmed => "BOOTSTRAP_CONFIRMED",
        Kind::DelegationPrepared => "PREPARED",
        Kind::DelegationConfirmed => "CONFIRMED",
        Kind::DelegationFailure | Kind::RevocationFailure => "FAILURE",
        Kind::BootstrapSrvUrlReq => "BOOT_SRV_URL_REQ",
        Kind::BootstrapSrvUrlDelivery => "BOOT_SRV_URL_DEL",
        Kind::DelegationTerminationReq => "DEL_TERM_REQ",
        Kind::DelegationTerminationAck => "DEL_TERM_ACK",
        Kind::DelegationTerminationResp => "DEL_TERM_RESP",
        Kind::DelegationRevoked => "DEL_REVOKED",
        Kind::DelegationRevocationReq => match revocation_request {
            RevocationRequestStatus::Table => "DEL_TERM_REQ",
            RevocationRequestStatus::Message => "DEL_REVOC_REQ",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: Option<&str>, is_accepted: bool) {
        assert_eq!(check_content_type(header).is_ok(), is_accepted, "{header:?}");
    }

    #[test]
    fn the_media_type_counts_and_neither_its_case_nor_its_parameters() {
        check(Some("application/vnd.dm.delegation+xml"), true);
        check(Some("Application/VND.DM.Delegation+XML"), true);
        check(Some("application/vnd.dm.delegation+xml; charset=utf-8"), true);
        check(Some(" application/vnd.dm.delegation+xml ;charset=UTF-8"), true);
        check(Some("application/vnd.dm.delegation+xml2"), false);
        check(Some("application/xml"), false);
        check(Some("application/vnd.syncml.dm+xml"), false);
        check(Some(""), false);
        check(None, false);
    }
}
