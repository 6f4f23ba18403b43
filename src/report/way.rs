//! Who sends which message to whom, and in which order: what every ladder goes by.

use crate::delegation::message::Kind;

/// All messages in the order in which a flow sends them: sections 5.2.1 to 5.2.5, and what tells of a failure last.
pub const ORDER: [Kind; 14] = [
    Kind::DelegationReq,
    Kind::DelegationResp,
    Kind::BootstrapSrvUrlReq,
    Kind::BootstrapSrvUrlDelivery,
    Kind::BootstrapConfirmed,
    Kind::DelegationPrepared,
    Kind::DelegationConfirmed,
    Kind::DelegationRevocationReq,
    Kind::DelegationTerminationReq,
    Kind::DelegationTerminationAck,
    Kind::DelegationTerminationResp,
    Kind::DelegationRevoked,
    Kind::DelegationFailure,
    Kind::RevocationFailure,
];

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The delegating server (DMS-1), to the delegated one (DMS-2).
    ToDelegate,
    /// DMS-2, to DMS-1.
    FromDelegate,
    /// Either of them.
    Both,
}

impl Way {
    /// That of a message in a flow, by section 5.3. Who asks for a delegation is asked back in the flows that DMS-2 starts
    /// (figures 7 and 10); `flow` is a key of `flows` in the summary.
    pub fn of(kind: Kind, flow: &str) -> Way {
        let is_by_delegated = flow.ends_with(".by_delegated");
        match kind {
            Kind::DelegationReq if is_by_delegated => Way::FromDelegate,
            Kind::DelegationResp if is_by_delegated => Way::ToDelegate,
            Kind::DelegationReq
            | Kind::DelegationPrepared
            | Kind::BootstrapSrvUrlReq
            | Kind::DelegationTerminationReq
            | Kind::DelegationRevoked => Way::ToDelegate,
            Kind::DelegationResp
            | Kind::BootstrapConfirmed
            | Kind::DelegationConfirmed
            | Kind::BootstrapSrvUrlDelivery
            | Kind::DelegationTerminationAck
            | Kind::DelegationTerminationResp
            | Kind::DelegationRevocationReq => Way::FromDelegate,
            Kind::DelegationFailure | Kind::RevocationFailure => Way::Both,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_place_once() {
        let mut kinds = ORDER.map(|kind| kind as usize);
        kinds.sort_unstable();
        assert_eq!(kinds, Kind::ALL.map(|kind| kind as usize));
    }

    #[test]
    fn what_the_delegated_server_starts_is_asked_the_other_way_round() {
        let ways = |flow| [Kind::DelegationReq, Kind::DelegationResp].map(|kind| Way::of(kind, flow));
        assert_eq!(ways("delegate.dmacc"), [Way::ToDelegate, Way::FromDelegate]);
        assert_eq!(ways("delegate.url.full.by_delegated"), [Way::FromDelegate, Way::ToDelegate]);
        assert_eq!(Way::of(Kind::DelegationPrepared, "delegate.dmacc.by_delegated"), Way::ToDelegate);
    }
}
