//! What can happen to a device, what it wants done, and what it notices.

use std::time::Duration;

use super::mishap::Mishap;
use crate::dm::auth::HmacCredentials;
use crate::dm::bootstrap::BootstrapError;
use crate::dm::syncml::Message;
use crate::dm::trigger::TriggerError;
use crate::dm::wire::Envelope;
use crate::ids::ServerId;

/// What devices of one kind do alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `VerProto`: `DM/1.2` or `DM/1.3`.
    pub ver_proto: &'static str,
    /// The value of NoAutoInitialSession that keeps a device from connecting by itself (D6).
    pub quiet_value: bool,
    /// How long a device waits for an answer before it gives a session up.
    pub answer_timeout: Duration,
    /// `MaxMsgSize` in octets, as package 1 announces it.
    pub max_msg_size: u64,
    /// Whether somebody watches: then each command that is answered is told, and each account that comes or goes.
    pub is_watched: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        let answer_timeout = Duration::from_secs(30);
        Settings { ver_proto: "DM/1.3", quiet_value: true, answer_timeout, max_msg_size: 65_536, is_watched: false }
    }
}

/// Names one request of the device until its outcome is known; unique per device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange(pub u64);

/// What can happen to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The octets of package 0 came in.
    Trigger(Vec<u8>),
    /// A `Post` has its outcome.
    Answer { exchange: Exchange, result: Result<Envelope, Failure> },
    /// A `Fetch` has its outcome.
    Bootstrap { exchange: Exchange, result: Result<Message, Failure> },
    /// The device is to open a session by itself.
    Connect { server: ServerId },
    /// Something befalls the device.
    Mishap(Mishap),
    /// The time of [`Client::deadline`](super::Client::deadline) has come.
    Wake,
}

/// Why a request brought no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("HTTP status {0}; only 200 carries OMA DM")]
    Status(u16),
    #[error("not a message of OMA DM: {0}")]
    Unreadable(String),
}

/// What a device wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Sends a message to a server; `seal` holds what to sign it with in the HTTP header (HMAC).
    Post { exchange: Exchange, url: String, message: Box<Message>, seal: Option<HmacCredentials> },
    /// Gets a bootstrap document by HTTPS GET (Bootstrap 1.3).
    Fetch { exchange: Exchange, url: String },
    /// Something worth measuring.
    Note(Note),
}

/// What a device noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Package 1 is on its way.
    SessionOpened {
        server: ServerId,
        by: Initiated,
    },
    /// Exactly one per `SessionOpened`.
    SessionEnded {
        server: ServerId,
        by: Initiated,
        outcome: Outcome,
    },
    /// A document gave the device an account with this server.
    Bootstrapped {
        server: ServerId,
    },
    BootstrapFailed(BootstrapFailure),
    TriggerIgnored(Ignored),
    ConnectIgnored {
        server: ServerId,
        why: Ignored,
    },
    /// Of a watched device: a command was answered with this code, or would have been, had its connection not broken.
    /// One for each item of a command, each command in an Atomic, and the Atomic itself, before those in it.
    /// `target`: the `LocURI`, property included; empty for what has none. `verb`: the SyncML command, `Other` for those
    /// that DM does not have.
    Operated {
        server: ServerId,
        verb: &'static str,
        target: String,
        code: u16,
    },
    /// Of a watched device: a server has an account now.
    AccountAppeared {
        server: ServerId,
    },
    /// Of a watched device: a server has no account any more.
    AccountGone {
        server: ServerId,
    },
}

/// Who wanted a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiated {
    /// By package 0; Alert 1200.
    ByServer,
    /// Alert 1201.
    ByDevice,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server had no more commands.
    Done,
    /// The server sent Alert 1223.
    Aborted,
    /// The server did not accept the device's credentials.
    NotAuthenticated,
    /// The device did not accept the server's.
    ServerNotAuthenticated,
    /// The server answered the header with this status.
    Refused(u16),
    Failed(Failure),
    /// No answer in time.
    TimedOut,
    /// The server broke a rule of the protocol, in words.
    Misbehaved(&'static str),
}

/// Why a document brought no account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootstrapFailure {
    Fetch(Failure),
    TimedOut,
    Document(BootstrapError),
}

/// Why a device does nothing about a trigger or a wish to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    Unreadable(TriggerError),
    /// No account of that server, or one without an address.
    UnknownServer,
    BadDigest,
    /// This very session is under way, waits, or has been had lately: one connection is enough (Notification 1.2).
    SameSession,
    /// The device has no network.
    Offline,
    QueueFull,
}
