//! A package as an HTTP body, and back.

use bytes::Bytes;

use crate::dm::auth::{HmacClaim, HmacCredentials};
use crate::dm::syncml::{Message, SyncmlError};
use crate::dm::{syncml_xml, wbxml};

/// The media types of SyncML. Some DM clients use those of data synchronisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentType {
    DmXml,
    DmWbxml,
    SyncXml,
    SyncWbxml,
}

impl ContentType {
    pub const ALL: [ContentType; 4] =
        [ContentType::DmXml, ContentType::DmWbxml, ContentType::SyncXml, ContentType::SyncWbxml];

    /// Reads a `Content-Type`; case and parameters do not matter. `None` for what is not SyncML.
    pub fn read(header: &str) -> Option<ContentType> {
        let essence = header.split(';').next().unwrap_or_default().trim_ascii();
        ContentType::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(essence))
    }

    /// As it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            ContentType::DmXml => "application/vnd.syncml.dm+xml",
            ContentType::DmWbxml => "application/vnd.syncml.dm+wbxml",
            ContentType::SyncXml => "application/vnd.syncml+xml",
            ContentType::SyncWbxml => "application/vnd.syncml+wbxml",
        }
    }

    /// Whether the body is binary.
    pub fn is_wbxml(self) -> bool {
        matches!(self, ContentType::DmWbxml | ContentType::SyncWbxml)
    }
}

/// How a party writes what it sends of its own accord; answers go as the request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    #[default]
    Xml,
    Wbxml,
}

impl Encoding {
    /// Its word.
    pub fn key(self) -> &'static str {
        match self {
            Encoding::Xml => "xml",
            Encoding::Wbxml => "wbxml",
        }
    }

    /// The type of OMA DM that goes with it.
    pub fn content_type(self) -> ContentType {
        match self {
            Encoding::Xml => ContentType::DmXml,
            Encoding::Wbxml => ContentType::DmWbxml,
        }
    }
}

/// A message as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The type it came as: the answer has to be of the same.
    pub content_type: ContentType,
    pub message: Message,
    /// What the sender claims by HMAC, if it does.
    pub hmac: Option<HmacClaim>,
}

impl Envelope {
    /// A message that came without an HMAC, as drivers without HTTP hand it over.
    pub fn plain(message: Message) -> Envelope {
        Envelope { content_type: ContentType::DmXml, message, hmac: None }
    }
}

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub content_type: ContentType,
    /// The value of [`HMAC_HEADER`](crate::dm::auth::HMAC_HEADER).
    pub hmac_header: Option<String>,
    pub body: Bytes,
}

/// Why a body is not a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("Content-Type `{found}` is not one of SyncML; send application/vnd.syncml.dm+xml")]
    NotSyncml { found: String },
    #[error("the body is not UTF-8 from byte {at} on")]
    NotUtf8 { at: usize },
    #[error("the header x-syncml-hmac cannot be read: expected algorithm=MD5, username=\"...\", mac=...")]
    BadHmacHeader,
    #[error(transparent)]
    Unreadable(#[from] SyncmlError),
}

impl WireError {
    /// The HTTP status that answers it.
    pub fn status(&self) -> u16 {
        match self {
            WireError::NotSyncml { .. } => 415,
            WireError::NotUtf8 { .. } | WireError::BadHmacHeader | WireError::Unreadable(_) => 400,
        }
    }

    /// Its name in counters.
    pub fn key(&self) -> &'static str {
        match self {
            WireError::NotSyncml { .. } => "wrong_content_type",
            WireError::NotUtf8 { .. } => "not_utf8",
            WireError::BadHmacHeader => "bad_hmac_header",
            WireError::Unreadable(_) => "not_syncml",
        }
    }
}

/// Opens a body.
///
/// # Errors
/// The type is not SyncML's, the body is not UTF-8 or no SyncML, the HMAC header cannot be read.
pub fn open(content_type: &str, hmac_header: Option<&str>, body: &[u8]) -> Result<Envelope, WireError> {
    let content_type =
        ContentType::read(content_type).ok_or_else(|| WireError::NotSyncml { found: content_type.to_owned() })?;
    let hmac = hmac_header.map(|header| HmacClaim::read(header, body).ok_or(WireError::BadHmacHeader)).transpose()?;
    let message = if content_type.is_wbxml() {
        wbxml::read(body)?
    } else {
        syncml_xml::read(std::str::from_utf8(body).map_err(|why| WireError::NotUtf8 { at: why.valid_up_to() })?)?
    };
    Ok(Envelope { content_type, message, hmac })
}

/// Writes a message as this type has it, and signs what is written when there are credentials for that.
pub fn seal(message: &Message, hmac: Option<&HmacCredentials>, content_type: ContentType) -> Packet {
    let body: Bytes =
        if content_type.is_wbxml() { wbxml::write(message).into() } else { syncml_xml::write(message).into() };
    Packet { content_type, hmac_header: hmac.map(|credentials| credentials.header(&body)), body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dm::syncml::{Header, Location};

    fn message() -> Message {
        let header = Header {
            session_id: "1A2B".into(),
            msg_id: "1".into(),
            target: Location { uri: "https://dms1.example.test/dm".into(), name: None },
            source: Location { uri: "urn:imei:004999010000000".into(), name: Some("dev-17".into()) },
            ..Header::default()
        };
        Message { header, body: Vec::new(), is_final: true }
    }

    #[test]
    fn all_four_types_are_known_whatever_their_case_and_parameters() {
        #[track_caller]
        fn check(header: &str, expected: Option<ContentType>) {
            assert_eq!(ContentType::read(header), expected, "{header}");
        }
        check("application/vnd.syncml.dm+xml", Some(ContentType::DmXml));
        check("application/vnd.syncml.dm+xml; charset=utf-8", Some(ContentType::DmXml));
        check("Application/vnd.SyncML+XML;verproto=DM/1.2", Some(ContentType::SyncXml));
        check("application/vnd.syncml+wbxml", Some(ContentType::SyncWbxml));
        check("application/vnd.syncml.dm+wbxml ; x=y", Some(ContentType::DmWbxml));
        check("text/xml", None);
        check("", None);
    }

    #[test]
    fn what_is_sealed_opens_again_in_each_of_the_four_types() {
        let hmac = HmacCredentials { name: "dev-17".into(), secret: "s3cret".into(), nonce: vec![1, 2, 3] };
        for content_type in ContentType::ALL {
            let packet = seal(&message(), Some(&hmac), content_type);
            let envelope = open(content_type.as_str(), packet.hmac_header.as_deref(), &packet.body).unwrap();
            assert_eq!((envelope.content_type, packet.content_type), (content_type, content_type));
            assert_eq!(envelope.message, message());
            let claim = envelope.hmac.unwrap();
            assert!(claim.holds("dev-17", "s3cret", &[1, 2, 3]));
            assert!(!claim.holds("dev-17", "s3cret", &[1, 2, 4]));
            // The claim is over the body as it travels, not over what the message says.
            let other = if content_type.is_wbxml() { ContentType::DmXml } else { ContentType::DmWbxml };
            let other = seal(&message(), None, other);
            let crossed = open(other.content_type.as_str(), packet.hmac_header.as_deref(), &other.body).unwrap();
            assert_eq!(crossed.message, message());
            assert!(!crossed.hmac.unwrap().holds("dev-17", "s3cret", &[1, 2, 3]));
        }
    }

    #[test]
    fn every_error_has_its_status() {
        #[track_caller]
        fn check(content_type: &str, hmac: Option<&str>, body: &[u8], status: u16) {
            let error = open(content_type, hmac, body).unwrap_err();
            assert_eq!(error.status(), status, "{error}");
        }
        let body = seal(&message(), None, ContentType::DmXml).body;
        check("text/xml", None, &body, 415);
        check("application/vnd.syncml.dm+wbxml", None, b"\x02\xa4\x01\x6a\x00", 400);
        check("application/vnd.syncml.dm+wbxml", None, &body, 400);
        check("application/vnd.syncml.dm+xml", None, b"<SyncML>\xff</SyncML>", 400);
        check("application/vnd.syncml.dm+xml", None, b"<html/>", 400);
        check("application/vnd.syncml.dm+xml", Some("username=dev-17"), &body, 400);
    }
}
