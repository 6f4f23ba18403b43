//! The reasonCode of messages: the OMA DM response status codes (DMREPRO section 11), and which goes for which failure.
//!
//! A reasonCode is not an HTTP status, even where the numbers are equal.

/// Everything went well: the reasonCode of every message of the error-free case (Appendix C, D18, D19).
pub const OK: u16 = 200;
/// Refused, and asking again will not help: a DELEGATION_REQ of a server we do not work with.
pub const FORBIDDEN: u16 = 403;
/// The session, the device or the delegation is unknown here.
pub const NOT_FOUND: u16 = 404;
/// Not allowed on this target, in this state.
pub const NOT_ALLOWED: u16 = 405;
/// This kind of delegation is not supported.
pub const NOT_SUPPORTED: u16 = 406;
/// The device or the peer did not act in time.
pub const TIMED_OUT: u16 = 408;
/// Something is under way that this would cross.
pub const CONFLICT: u16 = 409;
/// Failed, for a reason no other code names.
pub const FAILED: u16 = 500;
/// Failed for good: something is broken on this side.
pub const SERVER_FAILURE: u16 = 511;

/// One status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusCode {
    pub code: u16,
    /// Its name in the list of codes.
    pub name: &'static str,
    /// What it means, in short.
    pub meaning: &'static str,
    /// Whether what was asked has been done, or been taken on to be done.
    pub is_success: bool,
}

/// What is known of a code; `None` for one that is not in the list.
pub fn lookup(code: u16) -> Option<&'static StatusCode> {
    TABLE.binary_search_by_key(&code, |row| row.code).ok().map(|at| &TABLE[at])
}

/// Whether a message's reasonCode says yes. An absent one does (D19), one from 400 on never does (D36); a code that
/// the list does not have is judged by its hundreds.
pub fn is_success(reason: Option<u16>) -> bool {
    match reason {
        None => true,
        Some(code) => lookup(code).map_or((200..300).contains(&code), |known| known.is_success),
    }
}

const fn done(code: u16, name: &'static str, meaning: &'static str) -> StatusCode {
    StatusCode { code, name, meaning, is_success: true }
}

const fn not_done(code: u16, name: &'static str, meaning: &'static str) -> StatusCode {
    StatusCode { code, name, meaning, is_success: false }
}

/// All codes of the list, ascending. There is no 515.
pub const TABLE: [StatusCode; 70] = [
    done(101, "In progress", "being carried out, not finished"),
    done(200, "OK", "done"),
    done(201, "Item added", "a new item was made"),
    done(202, "Accepted for processing", "taken on; the result comes later"),
    done(203, "Non-authoritative response", "answered by somebody other than the target"),
    done(204, "No content", "done, nothing to return"),
    done(205, "Reset content", "the asker should refresh its copy"),
    done(206, "Partial content", "only a part was done"),
    done(207, "Conflict resolved with merge", "synchronisation only"),
    done(208, "Conflict resolved, client wins", "synchronisation only"),
    done(209, "Conflict resolved with duplicate", "synchronisation only"),
    done(210, "Delete without archive", "synchronisation only"),
    not_done(211, "Item not deleted", "it was not there"),
    done(212, "Authentication accepted", "good for the rest of the session"),
    done(213, "Chunked item accepted", "buffered; more chunks are expected"),
    not_done(214, "Operation cancelled", "the user cancelled; nothing more is carried out"),
    not_done(215, "Not executed", "the user declined, or it was skipped"),
    not_done(216, "Atomic roll back OK", "undone, since another command of the Atomic failed"),
    not_done(300, "Multiple choices", "there are several alternatives"),
    not_done(301, "Moved permanently", "the target has a new address"),
    not_done(302, "Found", "the target has another address for now"),
    not_done(303, "See other", "the answer is at another address"),
    not_done(304, "Not modified", "not executed; the user said no"),
    not_done(305, "Use proxy", "to be asked through a proxy"),
    not_done(400, "Bad request", "malformed"),
    not_done(401, "Invalid credentials", "authentication is missing or wrong"),
    not_done(402, "Payment needed", "somebody has to pay first"),
    not_done(403, "Forbidden", "understood and refused; do not repeat"),
    not_done(404, "Not found", "the target does not exist"),
    not_done(405, "Command not allowed", "not on this target"),
    not_done(406, "Optional feature not supported", "the recipient does not have it"),
    not_done(407, "Missing credentials", "none were given"),
    not_done(408, "Request timeout", "an answer did not come in time"),
    not_done(409, "Conflict", "something else is being done to the target"),
    not_done(410, "Gone", "the target is gone for good"),
    not_done(411, "Size required", "the size is missing"),
    not_done(412, "Incomplete command", "parts are missing"),
    not_done(413, "Request entity too large", "more than the recipient takes"),
    not_done(414, "URI too long", "the address, or a part of it, is too long"),
    not_done(415, "Unsupported media type or format", "the recipient cannot read it"),
    not_done(416, "Requested size too big", "more than the recipient can return"),
    not_done(417, "Retry later", "not now"),
    not_done(418, "Already exists", "there is one of that name"),
    not_done(419, "Conflict resolved with server data", "synchronisation only"),
    not_done(420, "Device full", "no storage is left"),
    not_done(421, "Unknown search grammar", "synchronisation only"),
    not_done(422, "Bad CGI script", "the query in the address is malformed"),
    not_done(423, "Soft-delete conflict", "synchronisation only"),
    not_done(424, "Size mismatch", "the chunks do not add up"),
    not_done(425, "Permission denied", "an ACL refuses"),
    not_done(426, "Partial item not accepted", "send the whole item"),
    not_done(427, "Item not empty", "the target has children"),
    not_done(428, "Move failed", "synchronisation only"),
    not_done(500, "Command failed", "for no reason that another code names"),
    not_done(501, "Command not implemented", "the recipient does not know the command"),
    not_done(502, "Bad gateway", "the next server answered badly"),
    not_done(503, "Service unavailable", "overloaded or under maintenance"),
    not_done(504, "Gateway timeout", "the next server was silent"),
    not_done(505, "DTD version not supported", "the versions that are stand in the item"),
    not_done(506, "Processing error", "the application failed; try again"),
    not_done(507, "Atomic failed", "the Atomic as a whole"),
    not_done(508, "Refresh required", "synchronisation only"),
    not_done(509, "Reserved", "has no meaning yet"),
    not_done(510, "Data store failure", "storage failed"),
    not_done(511, "Server failure", "severe; do not try again"),
    not_done(512, "Synchronization failed", "synchronisation only"),
    not_done(513, "Protocol version not supported", "the versions that are stand in the item"),
    not_done(514, "Operation cancelled before it ran", "nothing was done"),
    not_done(516, "Atomic roll back failed", "could not be undone; the server has to repair it"),
    not_done(517, "Atomic response too large", "the answer did not fit into one message"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ascends_so_that_every_code_is_found() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for row in &TABLE {
            assert_eq!(lookup(row.code), Some(row));
        }
        assert_eq!(lookup(515), None);
    }

    #[track_caller]
    fn check(reason: Option<u16>, success: bool) {
        assert_eq!(is_success(reason), success, "{reason:?}");
    }

    #[test]
    fn only_what_is_done_or_taken_on_is_a_success() {
        check(None, true);
        check(Some(200), true);
        check(Some(202), true);
        // Below 300, and yet nothing was done.
        check(Some(215), false);
        check(Some(216), false);
        check(Some(304), false);
        check(Some(425), false);
        check(Some(516), false);
        // Codes that are in no list.
        check(Some(299), true);
        check(Some(0), false);
        check(Some(515), false);
        check(Some(65_535), false);
    }
}
