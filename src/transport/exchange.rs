//! What comes in through a door and what goes out again: a request and its answer, as bytes with a little about them.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Moment;
use crate::transport::tls::PeerNames;

/// The request headers that handlers may ask for; all others are dropped at the door.
pub(super) const KEPT_HEADERS: [&str; 3] = ["x-syncml-hmac", "accept", "user-agent"];

/// The method of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    /// Any other, as it was written.
    Other(Box<str>),
}

/// One request that came in through a door.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Which door: its index in the list that was opened.
    pub door: usize,
    /// The names in the caller's verified certificate; `None` when it showed none.
    pub caller: Option<PeerNames>,
    pub method: Method,
    /// The path with its query, as it was sent.
    pub path: String,
    /// The Content-Type as it was sent, parameters included.
    pub content_type: Option<String>,
    /// The whole body, or why there is none.
    pub body: Result<Bytes, BodyProblem>,
    /// When the head of the request was there.
    pub received: Moment,
    /// The caller's end of the connection.
    pub from: Option<SocketAddr>,
    /// The number that the caller gave this exchange beside its bytes ([`Trouble::answer`](super::Trouble::answer)).
    pub token: Option<u64>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Inbound {
    /// A header by its lower-case name; kept are `x-syncml-hmac`, `accept` and `user-agent`. Values that are not text are dropped.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(kept, _)| *kept == name).map(|(_, value)| value.as_str())
    }

    /// The path without its query.
    pub fn path_only(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The query, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.path.split_once('?').map(|(_, query)| query)
    }
}

/// Why a request has no body that could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyProblem {
    /// It is larger than the door lets in.
    #[error("the body is larger than the limit of {limit} bytes")]
    TooLarge { limit: usize },
    /// It ended early, came too slowly, or was framed wrongly.
    #[error("the body could not be read: {0}")]
    Broken(String),
}

/// The answer to one request. With a header `connection: close`, the connection ends after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    pub content_type: Option<Cow<'static, str>>,
    /// Further headers; a name or value that HTTP does not allow turns the answer into a 500.
    pub headers: Vec<(&'static str, String)>,
    /// Left out with 204 and 304, which have none.
    pub body: Bytes,
    /// Nothing of this is sent: the connection ends instead.
    pub hangs_up: bool,
}

impl Outbound {
    /// A status alone.
    pub fn status(status: u16) -> Outbound {
        Outbound { status, content_type: None, headers: Vec::new(), body: Bytes::new(), hangs_up: false }
    }

    /// A status alone; where it is said, with when to come again, in whole seconds (section 14.37 of RFC 2616).
    pub fn status_and_when(status: u16, again: Option<Duration>) -> Outbound {
        let answer = Outbound::status(status);
        match again {
            Some(wait) => answer.with_header("retry-after", wait.as_secs().max(1).to_string()),
            None => answer,
        }
    }

    /// No answer at all: the connection ends without a byte of one.
    pub fn hang_up() -> Outbound {
        Outbound { hangs_up: true, ..Outbound::status(500) }
    }

    /// 200 with a body.
    pub fn ok(content_type: impl Into<Cow<'static, str>>, body: impl Into<Bytes>) -> Outbound {
        Outbound { content_type: Some(content_type.into()), body: body.into(), ..Outbound::status(200) }
    }

    /// With one more header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Outbound {
        self.headers.push((name, value.into()));
        self
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Other(name) => name,
        })
    }
}
