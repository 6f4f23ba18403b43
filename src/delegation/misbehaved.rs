//! What a peer did wrong, by name; each with the HTTP status that answers it.

use thiserror::Error;

/// A rule of section 5.3 that a peer's POST, or its answer to ours, broke.
///
/// No variant ever holds what stands inside a DMAcc, since that carries credentials (D16).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
pub enum Misbehaved {
    /// The body is not well-formed XML.
    #[error("expected well-formed XML, found {why} at byte {at}")]
    NotXml { at: usize, why: String },
    /// The body is in another encoding than UTF-8, or says that it is.
    #[error("expected UTF-8, found {why} at byte {at}; send the body as UTF-8")]
    NotUtf8 { at: usize, why: String },
    /// The body ends before its root element does.
    #[error("expected the end of the root element, found the end of the body at byte {at}; the body is truncated")]
    Truncated { at: usize },
    /// Something stands after the root element.
    #[error("expected nothing after the root element, found more at byte {at}")]
    TrailingContent { at: usize },
    /// Elements stand in elements deeper than any message needs.
    #[error("expected elements nested at most {limit} deep, found a deeper one at byte {at}")]
    NestedTooDeep { at: usize, limit: usize },
    /// The body has a document type, or uses an entity that only one could define.
    #[error("expected no document type and no entities of its own, found {what} at byte {at}; write the text out")]
    HasDtd { at: usize, what: &'static str },
    /// The root element is none of the fourteen messages.
    #[error("expected one of the fourteen messages of section 5.3 as the root element, found {root:?}")]
    UnknownMessage { root: String },
    /// A message where this exchange cannot have it (an answer that was POSTed, a request as an answer).
    #[error("{root} cannot come in this place: requests and notices are POSTed, answers ride in the response")]
    MisplacedMessage { root: &'static str },
    /// An element that must be there is not.
    #[error("expected the element {element} in {message}, found none")]
    MissingElement { message: &'static str, element: &'static str },
    /// An element that may be there once is there twice.
    #[error("expected the element {element} once in {message}, found it again")]
    DoubledElement { message: &'static str, element: &'static str },
    /// An element's text is not of its type. `found` is cut short, and never quotes a DMAcc.
    #[error("expected {expected} in the element {element} of {message}, found {found:?}", expected = expected(element))]
    BadValue { message: &'static str, element: &'static str, found: String },
    /// The certificate is trusted but belongs to nobody we know as a DM server, or not to the peer of this session.
    #[error("the certificate is trusted, but it is not that of the peer of this session")]
    NotThePeer,
    /// No such session.
    #[error("no delegation or revocation process with this sessionId is under way between these two servers")]
    UnknownSession,
    /// No such device, or nothing of it is delegated between these two servers.
    #[error("the device is unknown, or nothing of it is delegated between these two servers")]
    UnknownDevice,
    /// Not a POST.
    #[error("expected the method POST, found {method}")]
    NotAPost { method: String },
    /// The message is not allowed in this state.
    #[error("{message} is not allowed while {state}")]
    NotInThisState { message: &'static str, state: &'static str },
    /// The body is over the limit.
    #[error("expected a body of at most {limit} bytes, found a longer one")]
    TooLarge { limit: usize },
    /// The Content-Type is not `application/vnd.dm.delegation+xml`; empty when there was none.
    #[error("expected the Content-Type application/vnd.dm.delegation+xml, found {found:?}")]
    WrongContentType { found: String },
    /// The server has no room for another request now.
    #[error("no room for another request now; try again later")]
    Overloaded,
}

impl Misbehaved {
    /// The HTTP status that answers it; without a body the status is the answer (section 5.3).
    pub fn http_status(&self) -> u16 {
        match self {
            Misbehaved::NotXml { .. }
            | Misbehaved::NotUtf8 { .. }
            | Misbehaved::Truncated { .. }
            | Misbehaved::TrailingContent { .. }
            | Misbehaved::NestedTooDeep { .. }
            | Misbehaved::HasDtd { .. }
            | Misbehaved::UnknownMessage { .. }
            | Misbehaved::MisplacedMessage { .. }
            | Misbehaved::MissingElement { .. }
            | Misbehaved::DoubledElement { .. }
            | Misbehaved::BadValue { .. } => 400,
            Misbehaved::NotThePeer => 403,
            Misbehaved::UnknownSession | Misbehaved::UnknownDevice => 404,
            Misbehaved::NotAPost { .. } => 405,
            Misbehaved::NotInThisState { .. } => 409,
            Misbehaved::TooLarge { .. } => 413,
            Misbehaved::WrongContentType { .. } => 415,
            Misbehaved::Overloaded => 503,
        }
    }

    /// Its name in counters and reports; stable, one per variant.
    pub fn key(&self) -> &'static str {
        match self {
            Misbehaved::NotXml { .. } => "not_xml",
            Misbehaved::NotUtf8 { .. } => "not_utf8",
            Misbehaved::Truncated { .. } => "truncated",
            Misbehaved::TrailingContent { .. } => "trailing_content",
            Misbehaved::NestedTooDeep { .. } => "nested_too_deep",
            Misbehaved::HasDtd { .. } => "has_dtd",
            Misbehaved::UnknownMessage { .. } => "unknown_message",
            Misbehaved::MisplacedMessage { .. } => "misplaced_message",
            Misbehaved::MissingElement { .. } => "missing_element",
            Misbehaved::DoubledElement { .. } => "doubled_element",
            Misbehaved::BadValue { .. } => "bad_value",
            Misbehaved::NotThePeer => "not_the_peer",
            Misbehaved::UnknownSession => "unknown_session",
            Misbehaved::UnknownDevice => "unknown_device",
            Misbehaved::NotAPost { .. } => "not_a_post",
            Misbehaved::NotInThisState { .. } => "not_in_this_state",
            Misbehaved::TooLarge { .. } => "too_large",
            Misbehaved::WrongContentType { .. } => "wrong_content_type",
            Misbehaved::Overloaded => "overloaded",
        }
    }
}

/// What the text of an element must be, in words, for [`Misbehaved::BadValue`].
fn expected(element: &str) -> &'static str {
    match element {
        "reasonCode" => "a status code, a whole number from 0 to 65535,",
        "isDelegationFull" | "isAcknowledged" | "isClientBootstapped" | "DMAcc/NoAutoInitialSession" => "true or false",
        "DMAcc/AppAddr/PortNbr" => "a port number from 0 to 65535",
        "DMAcc/AppAuth/AAuthData" => "base64",
        "sessionId" => "text of 1 to 1,024 bytes",
        _ => "text that is not empty",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(misbehaved: Misbehaved, status: u16, key: &str, says: &str) {
        assert_eq!((misbehaved.http_status(), misbehaved.key()), (status, key));
        assert!(misbehaved.to_string().contains(says), "{misbehaved}");
    }

    #[test]
    fn every_rule_has_its_status_its_key_and_says_what_it_expected() {
        use Misbehaved::*;
        let message = "delegation_req";
        let element = "sessionId";
        check(NotXml { at: 7, why: "a lone &".into() }, 400, "not_xml", "found a lone & at byte 7");
        check(NotUtf8 { at: 3, why: "the byte 0xff".into() }, 400, "not_utf8", "send the body as UTF-8");
        check(Truncated { at: 9 }, 400, "truncated", "byte 9");
        check(TrailingContent { at: 9 }, 400, "trailing_content", "byte 9");
        check(NestedTooDeep { at: 9, limit: 32 }, 400, "nested_too_deep", "at most 32 deep");
        check(HasDtd { at: 9, what: "a document type" }, 400, "has_dtd", "found a document type at byte 9");
        check(UnknownMessage { root: "html".into() }, 400, "unknown_message", "\"html\"");
        check(MisplacedMessage { root: "delegation_resp" }, 400, "misplaced_message", "delegation_resp");
        check(MissingElement { message, element }, 400, "missing_element", "sessionId in delegation_req");
        check(DoubledElement { message, element }, 400, "doubled_element", "sessionId once in delegation_req");
        let element = "isDelegationFull";
        check(BadValue { message, element, found: ">false".into() }, 400, "bad_value", "true or false");
        check(NotThePeer, 403, "not_the_peer", "certificate");
        check(UnknownSession, 404, "unknown_session", "sessionId");
        check(UnknownDevice, 404, "unknown_device", "device");
        check(NotAPost { method: "GET".into() }, 405, "not_a_post", "POST, found GET");
        check(NotInThisState { message, state: "idle" }, 409, "not_in_this_state", "delegation_req");
        check(TooLarge { limit: 1024 }, 413, "too_large", "at most 1024 bytes");
        check(WrongContentType { found: "text/html".into() }, 415, "wrong_content_type", "text/html");
        check(Overloaded, 503, "overloaded", "later");
    }
}
