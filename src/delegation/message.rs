//! The fourteen messages of section 5.3 as types.

use std::fmt;

use crate::dm::dmacc::DmAcc;
use crate::ids::{DeviceId, ServerId, SessionId};

/// One message, by its root element. `reason` is `reasonCode`, an OMA DM status code; absent reads as `None` (D4, D19).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message {
    /// 5.3.1.1, table 1.
    DelegationReq {
        server: ServerId,
        device: DeviceId,
        manufacturer: String,
        model: String,
        /// As it travelled; normalised by `dm::uri` when it is used (D31).
        subtree: String,
        is_full: bool,
        session: SessionId,
    },
    /// 5.3.1.2, table 2.
    DelegationResp { reason: Option<u16>, is_acknowledged: bool, session: SessionId },
    /// 5.3.1.3 and 5.3.2.5, tables 3 and 9. `bootstrapped` is there in the DMAcc approach only (D14).
    BootstrapConfirmed {
        reason: Option<u16>,
        bootstrapped: Option<bool>,
        account: Option<Box<DmAcc>>,
        session: SessionId,
    },
    /// 5.3.1.4, tables 4 and 10.
    DelegationPrepared { reason: Option<u16>, is_full: bool, session: SessionId },
    /// 5.3.1.5, table 5.
    DelegationConfirmed { reason: Option<u16>, session: SessionId },
    /// 5.3.1.6, table 6.
    DelegationFailure { reason: Option<u16>, session: SessionId },
    /// 5.3.2.3, table 7.
    BootstrapSrvUrlReq { reason: Option<u16>, session: SessionId },
    /// 5.3.2.4, table 8.
    BootstrapSrvUrlDelivery { reason: Option<u16>, url: String, session: SessionId },
    /// 5.3.3.1, table 11.
    DelegationTerminationReq { device: DeviceId, subtree: Option<String>, session: SessionId },
    /// 5.3.3.2, table 12.
    DelegationTerminationAck { reason: Option<u16>, session: SessionId },
    /// 5.3.3.3, table 13. Not an HTTP response: a POST of its own (D21).
    DelegationTerminationResp { reason: Option<u16>, session: SessionId },
    /// 5.3.3.4, 5.3.4.2, 5.3.5.1, tables 14, 17 and 18: the forced form has a device and no session (D5).
    DelegationRevoked {
        device: Option<DeviceId>,
        subtree: Option<String>,
        reason: Option<u16>,
        session: Option<SessionId>,
    },
    /// 5.3.3.5, table 15.
    RevocationFailure { reason: Option<u16>, session: SessionId },
    /// 5.3.4.1, table 16.
    DelegationRevocationReq { device: DeviceId, subtree: Option<String>, session: SessionId },
}

/// Which message it is: the key of counters and of `exchanges` in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    DelegationReq,
    DelegationResp,
    BootstrapConfirmed,
    DelegationPrepared,
    DelegationConfirmed,
    DelegationFailure,
    BootstrapSrvUrlReq,
    BootstrapSrvUrlDelivery,
    DelegationTerminationReq,
    DelegationTerminationAck,
    DelegationTerminationResp,
    DelegationRevoked,
    RevocationFailure,
    DelegationRevocationReq,
}

impl Kind {
    /// All fourteen, in the order of section 5.3.
    pub const ALL: [Kind; 14] = [
        Kind::DelegationReq,
        Kind::DelegationResp,
        Kind::BootstrapConfirmed,
        Kind::DelegationPrepared,
        Kind::DelegationConfirmed,
        Kind::DelegationFailure,
        Kind::BootstrapSrvUrlReq,
        Kind::BootstrapSrvUrlDelivery,
        Kind::DelegationTerminationReq,
        Kind::DelegationTerminationAck,
        Kind::DelegationTerminationResp,
        Kind::DelegationRevoked,
        Kind::RevocationFailure,
        Kind::DelegationRevocationReq,
    ];

    /// The root element: the message's name in lower case (Appendix C).
    pub const fn root(self) -> &'static str {
        match self {
            Kind::DelegationReq => "delegation_req",
            Kind::DelegationResp => "delegation_resp",
            Kind::BootstrapConfirmed => "bootstrap_confirmed",
            Kind::DelegationPrepared => "delegation_prepared",
            Kind::DelegationConfirmed => "delegation_confirmed",
            Kind::DelegationFailure => "delegation_failure",
            Kind::BootstrapSrvUrlReq => "bootstrap_srv_url_req",
            Kind::BootstrapSrvUrlDelivery => "bootstrap_srv_url_delivery",
            Kind::DelegationTerminationReq => "delegation_termination_req",
            Kind::DelegationTerminationAck => "delegation_termination_ack",
            Kind::DelegationTerminationResp => "delegation_termination_resp",
            Kind::DelegationRevoked => "delegation_revoked",
            Kind::RevocationFailure => "revocation_failure",
            Kind::DelegationRevocationReq => "delegation_revocation_req",
        }
    }

    /// The message that a root element begins; `None` for anything else.
    pub fn of_root(root: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.root() == root)
    }
}

/// As [`Kind::root`].
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root())
    }
}

/// The session of a message, shared or exclusive as the message is, by the way of looking into an `Option`.
macro_rules! session {
    ($message:expr, $look:ident) => {
        match $message {
            Message::DelegationRevoked { session, .. } => session.$look(),
            Message::DelegationReq { session, .. }
            | Message::DelegationResp { session, .. }
            | Message::BootstrapConfirmed { session, .. }
            | Message::DelegationPrepared { session, .. }
            | Message::DelegationConfirmed { session, .. }
            | Message::DelegationFailure { session, .. }
            | Message::BootstrapSrvUrlReq { session, .. }
            | Message::BootstrapSrvUrlDelivery { session, .. }
            | Message::DelegationTerminationReq { session, .. }
            | Message::DelegationTerminationAck { session, .. }
            | Message::DelegationTerminationResp { session, .. }
            | Message::RevocationFailure { session, .. }
            | Message::DelegationRevocationReq { session, .. } => Some(session),
        }
    };
}

/// The place of a message's reasonCode, shared or exclusive as the message is.
macro_rules! reason {
    ($message:expr) => {
        match $message {
            Message::DelegationReq { .. }
            | Message::DelegationTerminationReq { .. }
            | Message::DelegationRevocationReq { .. } => None,
            Message::DelegationResp { reason, .. }
            | Message::BootstrapConfirmed { reason, .. }
            | Message::DelegationPrepared { reason, .. }
            | Message::DelegationConfirmed { reason, .. }
            | Message::DelegationFailure { reason, .. }
            | Message::BootstrapSrvUrlReq { reason, .. }
            | Message::BootstrapSrvUrlDelivery { reason, .. }
            | Message::DelegationTerminationAck { reason, .. }
            | Message::DelegationTerminationResp { reason, .. }
            | Message::DelegationRevoked { reason, .. }
            | Message::RevocationFailure { reason, .. } => Some(reason),
        }
    };
}

impl Message {
    /// Which message this is.
    pub fn kind(&self) -> Kind {
        match self {
            Message::DelegationReq { .. } => Kind::DelegationReq,
            Message::DelegationResp { .. } => Kind::DelegationResp,
            Message::BootstrapConfirmed { .. } => Kind::BootstrapConfirmed,
            Message::DelegationPrepared { .. } => Kind::DelegationPrepared,
            Message::DelegationConfirmed { .. } => Kind::DelegationConfirmed,
            Message::DelegationFailure { .. } => Kind::DelegationFailure,
            Message::BootstrapSrvUrlReq { .. } => Kind::BootstrapSrvUrlReq,
            Message::BootstrapSrvUrlDelivery { .. } => Kind::BootstrapSrvUrlDelivery,
            Message::DelegationTerminationReq { .. } => Kind::DelegationTerminationReq,
            Message::DelegationTerminationAck { .. } => Kind::DelegationTerminationAck,
            Message::DelegationTerminationResp { .. } => Kind::DelegationTerminationResp,
            Message::DelegationRevoked { .. } => Kind::DelegationRevoked,
            Message::RevocationFailure { .. } => Kind::RevocationFailure,
            Message::DelegationRevocationReq { .. } => Kind::DelegationRevocationReq,
        }
    }

    /// The delegation or revocation process it belongs to; the forced DELEGATION_REVOKED has none (D5).
    pub fn session(&self) -> Option<&SessionId> {
        session!(self, as_ref)
    }

    /// The device it names; most name none, and are about that of their process.
    pub fn device(&self) -> Option<&DeviceId> {
        match self {
            Message::DelegationReq { device, .. }
            | Message::DelegationTerminationReq { device, .. }
            | Message::DelegationRevocationReq { device, .. } => Some(device),
            Message::DelegationRevoked { device, .. } => device.as_ref(),
            _ => None,
        }
    }

    /// As [`Message::session`], to be changed.
    pub fn session_mut(&mut self) -> Option<&mut SessionId> {
        session!(self, as_mut)
    }

    /// The reasonCode it carries; tables 1, 11 and 16 have none.
    pub fn reason(&self) -> Option<u16> {
        reason!(self).copied().flatten()
    }

    /// Where its reasonCode stands, to be changed; `None` in the messages of tables 1, 11 and 16.
    pub fn reason_mut(&mut self) -> Option<&mut Option<u16>> {
        reason!(self)
    }
}
