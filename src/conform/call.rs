//! A request to the peer, right or wrong on purpose, and what came of it.

use bytes::Bytes;

use crate::delegation::evidence;
use crate::delegation::xml;
use crate::transport::dialer::Reply;
use crate::transport::exchange::Method;
use crate::transport::failure::{CallError, Phase, Refuser};

/// What we show to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Our certificate.
    Own,
    Nothing,
    WrongCa,
    Expired,
    NotYetValid,
    /// A certificate that is right in all but whose it is.
    Strangers,
}

impl Shown {
    /// All that should not do.
    pub const BAD: [Shown; 5] = [Shown::Nothing, Shown::WrongCa, Shown::Expired, Shown::NotYetValid, Shown::Strangers];
}

/// One request.
#[derive(Debug, Clone)]
pub struct Raw {
    /// What it is, for people; a message's root element.
    pub name: &'static str,
    pub method: Method,
    /// `None`: the peer's interface.
    pub path: Option<String>,
    pub content_type: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    pub shown: Shown,
}

impl Raw {
    /// As any partner would send it.
    pub fn post(body: impl Into<Bytes>, name: &'static str) -> Raw {
        Raw {
            name,
            method: Method::Post,
            path: None,
            content_type: Some(xml::CONTENT_TYPE.to_owned()),
            headers: Vec::new(),
            body: body.into(),
            shown: Shown::Own,
        }
    }

    pub fn typed(self, content_type: Option<&str>) -> Raw {
        Raw { content_type: content_type.map(str::to_owned), ..self }
    }

    pub fn showing(self, shown: Shown) -> Raw {
        Raw { shown, ..self }
    }

    /// In a line.
    pub fn told(&self) -> String {
        let path = self.path.as_ref().map_or_else(String::new, |path| format!(" to {path}"));
        let kind = match &self.content_type {
            Some(kind) if kind == xml::CONTENT_TYPE => String::new(),
            Some(kind) => format!(", as {kind}"),
            None => ", without a Content-Type".to_owned(),
        };
        let shown = match self.shown {
            Shown::Own => "",
            Shown::Nothing => ", without a certificate",
            Shown::WrongCa => ", with a certificate of another CA",
            Shown::Expired => ", with an expired certificate",
            Shown::NotYetValid => ", with a certificate that is not valid yet",
            Shown::Strangers => ", with a stranger's certificate",
        };
        format!("{} {}{path}{kind}{shown}", self.method, self.name)
    }

    /// Its body, as far as it is shown.
    pub fn shown(&self) -> Option<&[u8]> {
        Some(&self.body[..self.body.len().min(8192)]).filter(|body| !body.is_empty())
    }
}

/// A request, and what came of it.
#[derive(Debug, Clone)]
pub struct Posted {
    pub reply: Result<Reply, CallError>,
    /// The place of the answer among the exchanges of the case.
    pub exchange: Option<usize>,
    /// What was sent.
    pub of: &'static str,
}

impl Posted {
    pub fn status(&self) -> Option<u16> {
        self.reply.as_ref().ok().map(|reply| reply.status)
    }

    pub fn body(&self) -> &[u8] {
        self.reply.as_ref().map(|reply| &reply.body[..]).unwrap_or_default()
    }

    pub fn is_success(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the peer has said no: by a status, by an alert of TLS, or by ending the connection.
    pub fn is_refused(&self) -> bool {
        match &self.reply {
            Ok(reply) => reply.status >= 400,
            Err(CallError::Tls { by: Refuser::Peer, .. } | CallError::Broken { .. }) => true,
            Err(_) => false,
        }
    }

    /// Whether nothing was said at all.
    pub fn is_silent(&self) -> bool {
        matches!(self.reply, Err(CallError::TimedOut { .. } | CallError::Connect { .. } | CallError::Guarded(_)))
    }

    /// Whether it may have reached the peer.
    pub fn may_have_arrived(&self) -> bool {
        self.reply.as_ref().map_or_else(|error| error.reached() >= Phase::Answer, |_| true)
    }

    /// In a line.
    pub fn told(&self) -> String {
        match &self.reply {
            Ok(reply) if (300..400).contains(&reply.status) => {
                let to = reply.header("location").map_or("nowhere".to_owned(), evidence::short);
                format!("{}, redirected to {to}, which was not followed", reply.status)
            }
            Ok(reply) if reply.body.is_empty() => reply.status.to_string(),
            Ok(reply) => {
                let kind = reply.content_type().map_or("of no type".to_owned(), evidence::short);
                format!("{} with {} bytes ({kind})", reply.status, reply.body.len())
            }
            Err(error) => error.to_string(),
        }
    }
}
