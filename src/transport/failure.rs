//! Why a call was not answered: by phase, and for TLS by whose doing, in our own words.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::transport::guard::NotAllowed;

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It was decided whether the call is allowed.
    Guard,
    /// All connections that the target may have were busy.
    Queue,
    /// The TCP connection was being made.
    Connect,
    /// TLS was being agreed on.
    Handshake,
    /// The request was on its way, or the answer was awaited. From here on the peer may have acted on the request.
    Answer,
    /// The body of the answer was being read.
    Body,
}

impl Phase {
    /// Its name in results: `guard`, `queue`, `connect`, `tls`, `answer` or `body`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Guard => "guard",
            Phase::Queue => "queue",
            Phase::Connect => "connect",
            Phase::Handshake => "tls",
            Phase::Answer => "answer",
            Phase::Body => "body",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It must not be made; nothing was contacted.
    #[error(transparent)]
    Guarded(#[from] NotAllowed),
    /// Its header cannot be written; nothing was contacted.
    #[error("the request cannot be written: {problem}")]
    Unwritable { problem: String },
    /// No TCP connection.
    #[error("no connection to {address}: {problem}")]
    Connect { address: SocketAddr, kind: io::ErrorKind, problem: String },
    /// No TLS, or the peer refused our certificate (with TLS 1.3 that comes with the first read).
    #[error("TLS with {host}: {by} {fault}")]
    Tls { host: String, by: Refuser, fault: TlsFault },
    /// The time for the call was over.
    #[error("no answer within {} s (in phase {phase})", after.as_secs_f64())]
    TimedOut { phase: Phase, after: Duration },
    /// The connection broke off.
    #[error("the connection broke off in phase {phase}: {problem}")]
    Broken { phase: Phase, problem: String },
    /// The body of the answer is larger than the caller takes.
    #[error("the body of the answer is larger than the limit of {limit} bytes")]
    TooLarge { limit: usize },
    /// What came back is not HTTP/1.1.
    #[error("the answer is not HTTP/1.1: {problem}")]
    BadResponse { problem: String },
}

impl CallError {
    /// How far the call came, as a name for results; see [`Phase::as_str`].
    pub fn phase(&self) -> &'static str {
        self.reached().as_str()
    }

    /// How far the call came.
    pub fn reached(&self) -> Phase {
        match self {
            CallError::Guarded(_) | CallError::Unwritable { .. } => Phase::Guard,
            CallError::Connect { .. } => Phase::Connect,
            CallError::Tls { .. } => Phase::Handshake,
            CallError::TimedOut { phase, .. } | CallError::Broken { phase, .. } => *phase,
            CallError::TooLarge { .. } => Phase::Body,
            CallError::BadResponse { .. } => Phase::Answer,
        }
    }

    /// Whether the peer may have seen the request, so that repeating it could make it act twice.
    pub fn may_have_arrived(&self) -> bool {
        self.reached() >= Phase::Answer
    }

    /// What went wrong while TCP was connecting.
    pub(super) fn connecting(address: SocketAddr, problem: &io::Error) -> CallError {
        let text = match problem.kind() {
            io::ErrorKind::ConnectionRefused => "refused, nothing listens there".to_string(),
            _ => match rustix::io::Errno::from_io_error(problem) {
                Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
                    "this process may not open more files; raise the limit with `ulimit -n`".to_string()
                }
                Some(rustix::io::Errno::ADDRNOTAVAIL) => {
                    "this machine has no free port left to call from; keep fewer connections open".to_string()
                }
                _ => problem.to_string(),
            },
        };
        CallError::Connect { address, kind: problem.kind(), problem: text }
    }

    /// What went wrong while TLS was agreed on.
    pub(super) fn shaking_hands(host: &str, problem: &io::Error) -> CallError {
        match tls_error_in(problem) {
            Some(refusal) => CallError::tls(host, refusal),
            None => CallError::Broken { phase: Phase::Handshake, problem: problem.to_string() },
        }
    }

    /// What went wrong once the connection was in HTTP's hands.
    pub(super) fn exchanging(host: &str, phase: Phase, problem: &hyper::Error) -> CallError {
        if let Some(refusal) = tls_error_in(problem) {
            return CallError::tls(host, refusal);
        }
        if problem.is_parse() {
            return CallError::BadResponse { problem: with_causes(problem) };
        }
        let problem = match problem.is_incomplete_message() {
            true => "the peer closed it before the answer was complete".to_string(),
            false => with_causes(problem),
        };
        CallError::Broken { phase, problem }
    }

    fn tls(host: &str, refusal: &rustls::Error) -> CallError {
        let (by, fault) = read_refusal(refusal);
        CallError::Tls { host: host.to_string(), by, fault }
    }
}

/// Which side would not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refuser {
    /// We, for what the peer showed.
    Us,
    /// The peer, for what we showed; it said so with an alert.
    Peer,
}

impl fmt::Display for Refuser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refuser::Us => "we refused the peer:",
            Refuser::Peer => "the peer refused us:",
        })
    }
}

/// What was wrong with the other side's certificate, or with TLS itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TlsFault {
    #[error("no certificate was shown, and one is required")]
    CertificateRequired,
    #[error("the certificate is of an unknown CA")]
    UnknownAuthority,
    #[error("the certificate has expired")]
    Expired,
    #[error("the certificate is not valid yet")]
    NotYetValid,
    #[error("the certificate is made out to another name")]
    WrongName,
    #[error("the certificate has been revoked")]
    Revoked,
    #[error("the certificate is not acceptable")]
    BadCertificate,
    /// In the words of the TLS library.
    #[error("{0}")]
    Other(String),
}

fn read_refusal(refusal: &rustls::Error) -> (Refuser, TlsFault) {
    match refusal {
        rustls::Error::AlertReceived(alert) => (Refuser::Peer, read_alert(*alert)),
        rustls::Error::InvalidCertificate(fault) => (Refuser::Us, read_certificate_error(fault)),
        rustls::Error::NoCertificatesPresented => (Refuser::Us, TlsFault::CertificateRequired),
        other => (Refuser::Us, TlsFault::Other(other.to_string())),
    }
}

fn read_alert(alert: AlertDescription) -> TlsFault {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => TlsFault::CertificateRequired,
        AlertDescription::UnknownCA => TlsFault::UnknownAuthority,
        AlertDescription::CertificateExpired => TlsFault::Expired,
        AlertDescription::CertificateRevoked => TlsFault::Revoked,
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => TlsFault::BadCertificate,
        other => TlsFault::Other(format!("alert {other:?}")),
    }
}

fn read_certificate_error(fault: &CertificateError) -> TlsFault {
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::WrongName,
        // A CA of the same name with another key shows as a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UnknownAuthority,
        CertificateError::Revoked => TlsFault::Revoked,
        _ => TlsFault::BadCertificate,
    }
}

/// The TLS error at the bottom of an error, if there is one. An `io::Error` hides what it wraps from `source`.
fn tls_error_in<'a>(problem: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(problem);
    while let Some(problem) = next {
        if let Some(found) = problem.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        next = match problem.downcast_ref::<io::Error>() {
            Some(wrapping) => wrapping.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => problem.source(),
        };
    }
    None
}

/// Whether an IO error is TLS speaking.
pub(super) fn is_tls(problem: &io::Error) -> bool {
    tls_error_in(problem).is_some()
}

fn with_causes(problem: &dyn Error) -> String {
    let mut text = problem.to_string();
    let mut next = problem.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
