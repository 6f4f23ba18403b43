//! Messages that are not what should be said, and refusals without a look.

use crate::delegation::message::{Kind, Message};
use crate::delegation::reason;
use crate::faults::rule::{Action, BadSession};
use crate::ids::SessionId;

/// The message that is sent instead; `None` where the action has nothing to change. `stale`: a sessionId of an earlier
/// process of the same device; `foreign`: one of another device.
pub fn forge(
    message: &Message,
    action: &Action,
    stale: Option<&SessionId>,
    foreign: Option<&SessionId>,
) -> Option<Message> {
    let forged = match action {
        Action::Session(BadSession::Stale) => with_session(message, stale?.clone())?,
        Action::Session(BadSession::Foreign) => with_session(message, foreign?.clone())?,
        Action::Session(BadSession::Unknown) => {
            with_session(message, SessionId::new(format!("{}-of-nobody", message.session()?)))?
        }
        Action::InvertRole => of_the_other_role(message)?,
        Action::WrongPhase => out_of_turn(message)?,
        Action::Reason(code) => with_reason(message, *code)?,
        Action::Full(is_full) => with_full(message, *is_full)?,
        _ => return None,
    };
    (forged != *message).then_some(forged)
}

/// The negative answer to a request that a message answers; `None` for what is answered with a status alone.
pub fn refusal(message: &Message, reason: u16) -> Option<Message> {
    let reason = Some(reason);
    Some(match message {
        Message::DelegationReq { session, .. } => {
            Message::DelegationResp { reason, is_acknowledged: false, session: session.clone() }
        }
        Message::BootstrapSrvUrlReq { session, .. } => url_of_nowhere(reason, session),
        Message::DelegationTerminationReq { session, .. } => {
            Message::DelegationTerminationAck { reason, session: session.clone() }
        }
        _ => return None,
    })
}

/// The message that answers a request of this kind in the same exchange.
pub(super) fn answer_kind(request: Kind) -> Option<Kind> {
    match request {
        Kind::DelegationReq => Some(Kind::DelegationResp),
        Kind::BootstrapSrvUrlReq => Some(Kind::BootstrapSrvUrlDelivery),
        Kind::DelegationTerminationReq => Some(Kind::DelegationTerminationAck),
        _ => None,
    }
}

fn with_session(message: &Message, other: SessionId) -> Option<Message> {
    let mut forged = message.clone();
    *forged.session_mut()? = other;
    Some(forged)
}

fn with_reason(message: &Message, code: u16) -> Option<Message> {
    let mut forged = message.clone();
    *forged.reason_mut()? = Some(code);
    Some(forged)
}

fn with_full(message: &Message, other: bool) -> Option<Message> {
    let mut forged = message.clone();
    match &mut forged {
        Message::DelegationReq { is_full, .. } | Message::DelegationPrepared { is_full, .. } => *is_full = other,
        _ => return None,
    }
    Some(forged)
}

/// What the peer would say at this place of the same process; `None` for what both roles say, or where the other
/// message names something that this one does not.
fn of_the_other_role(message: &Message) -> Option<Message> {
    let reason = Some(reason::OK);
    Some(match message {
        Message::DelegationReq { session, .. } => {
            Message::DelegationResp { reason, is_acknowledged: true, session: session.clone() }
        }
        Message::DelegationResp { session, .. } | Message::DelegationPrepared { session, .. } => {
            bootstrap_confirmed(session)
        }
        Message::BootstrapConfirmed { session, .. } | Message::DelegationConfirmed { session, .. } => {
            delegation_prepared(session)
        }
        Message::BootstrapSrvUrlReq { session, .. } => url_of_nowhere(reason, session),
        Message::BootstrapSrvUrlDelivery { session, .. } => {
            Message::BootstrapSrvUrlReq { reason, session: session.clone() }
        }
        Message::DelegationTerminationReq { device, subtree, session } => Message::DelegationRevocationReq {
            device: device.clone(),
            subtree: subtree.clone(),
            session: session.clone(),
        },
        Message::DelegationRevocationReq { device, subtree, session } => Message::DelegationTerminationReq {
            device: device.clone(),
            subtree: subtree.clone(),
            session: session.clone(),
        },
        Message::DelegationTerminationAck { session, .. } | Message::DelegationTerminationResp { session, .. } => {
            delegation_revoked(session)
        }
        Message::DelegationRevoked { session, .. } => {
            Message::DelegationTerminationResp { reason, session: session.clone()? }
        }
        Message::DelegationFailure { .. } | Message::RevocationFailure { .. } => return None,
    })
}

/// A message of the same role that is not due; `None` where nothing names the process.
fn out_of_turn(message: &Message) -> Option<Message> {
    let reason = Some(reason::OK);
    Some(match message {
        // Either role asks for a delegation and answers the request: what both may say is that it has failed.
        Message::DelegationReq { session, .. } | Message::DelegationResp { session, .. } => {
            Message::DelegationFailure { reason: Some(reason::FAILED), session: session.clone() }
        }
        // DMS-2 skips a step, or goes back one.
        Message::BootstrapConfirmed { session, .. }
        | Message::DelegationTerminationResp { session, .. }
        | Message::DelegationRevocationReq { session, .. } => {
            Message::DelegationConfirmed { reason, session: session.clone() }
        }
        Message::DelegationConfirmed { session, .. } | Message::BootstrapSrvUrlDelivery { session, .. } => {
            bootstrap_confirmed(session)
        }
        Message::DelegationTerminationAck { session, .. } => {
            Message::DelegationTerminationResp { reason, session: session.clone() }
        }
        // And so does DMS-1.
        Message::BootstrapSrvUrlReq { session, .. } | Message::DelegationTerminationReq { session, .. } => {
            delegation_prepared(session)
        }
        Message::DelegationPrepared { session, .. } => delegation_revoked(session),
        Message::DelegationRevoked { session, .. } => delegation_prepared(session.as_ref()?),
        // Failures of the other process.
        Message::DelegationFailure { reason, session } => {
            Message::RevocationFailure { reason: *reason, session: session.clone() }
        }
        Message::RevocationFailure { reason, session } => {
            Message::DelegationFailure { reason: *reason, session: session.clone() }
        }
    })
}

/// Table 8 has a bootstrapURL in any case, and one that nobody can resolve (RFC 2606) does no harm.
fn url_of_nowhere(reason: Option<u16>, session: &SessionId) -> Message {
    Message::BootstrapSrvUrlDelivery { reason, url: "https://nowhere.invalid/".to_owned(), session: session.clone() }
}

fn bootstrap_confirmed(session: &SessionId) -> Message {
    Message::BootstrapConfirmed {
        reason: Some(reason::OK),
        bootstrapped: Some(true),
        account: None,
        session: session.clone(),
    }
}

fn delegation_prepared(session: &SessionId) -> Message {
    Message::DelegationPrepared { reason: Some(reason::OK), is_full: false, session: session.clone() }
}

fn delegation_revoked(session: &SessionId) -> Message {
    Message::DelegationRevoked { device: None, subtree: None, reason: Some(reason::OK), session: Some(session.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::reading::Readings;
    use crate::delegation::xml;
    use crate::ids::{DeviceId, ServerId};

    fn session() -> SessionId {
        SessionId::new("dms1-7")
    }

    /// One message of every kind.
    fn all() -> [Message; 14] {
        let (reason, session) = (Some(reason::OK), session());
        let device = DeviceId::new("urn:imei:004999010000000");
        let subtree = Some("./SCOMO".to_owned());
        [
            Message::DelegationReq {
                server: ServerId::new("dms1.example.test"),
                device: device.clone(),
                manufacturer: "Maker".to_owned(),
                model: "Model".to_owned(),
                subtree: "./SCOMO".to_owned(),
                is_full: false,
                session: session.clone(),
            },
            Message::DelegationResp { reason, is_acknowledged: true, session: session.clone() },
            Message::BootstrapConfirmed { reason, bootstrapped: None, account: None, session: session.clone() },
            Message::DelegationPrepared { reason, is_full: true, session: session.clone() },
            Message::DelegationConfirmed { reason, session: session.clone() },
            Message::DelegationFailure { reason, session: session.clone() },
            Message::BootstrapSrvUrlReq { reason, session: session.clone() },
            Message::BootstrapSrvUrlDelivery {
                reason,
                url: "https://example.test".to_owned(),
                session: session.clone(),
            },
            Message::DelegationTerminationReq {
                device: device.clone(),
                subtree: subtree.clone(),
                session: session.clone(),
            },
            Message::DelegationTerminationAck { reason, session: session.clone() },
            Message::DelegationTerminationResp { reason, session: session.clone() },
            Message::DelegationRevoked { device: None, subtree: None, reason, session: Some(session.clone()) },
            Message::RevocationFailure { reason, session: session.clone() },
            Message::DelegationRevocationReq { device, subtree, session },
        ]
    }

    fn forced() -> Message {
        let device = Some(DeviceId::new("urn:imei:004999010000000"));
        Message::DelegationRevoked { device, subtree: None, reason: Some(reason::OK), session: None }
    }

    fn forge_alone(message: &Message, action: &Action) -> Option<Message> {
        forge(message, action, None, None)
    }

    #[track_caller]
    fn check_kinds(action: &Action, expected: [Option<Kind>; 14]) {
        for (message, expected) in all().iter().zip(expected) {
            let forged = forge_alone(message, action);
            assert_eq!(forged.as_ref().map(Message::kind), expected, "{action:?} of {}", message.kind());
            let Some(forged) = forged else { continue };
            assert_eq!(forged.session(), Some(&session()), "{action:?} of {}", message.kind());
            let written = xml::write(&forged, &Readings::default());
            assert_eq!(xml::read(written.as_bytes()).as_ref(), Ok(&forged), "{action:?} of {}", message.kind());
        }
        assert_eq!(forge_alone(&forced(), action), None, "nothing names its process");
    }

    #[test]
    fn roles_are_inverted_into_the_message_of_the_other_side() {
        use Kind::*;
        check_kinds(
            &Action::InvertRole,
            [
                Some(DelegationResp),
                Some(BootstrapConfirmed),
                Some(DelegationPrepared),
                Some(BootstrapConfirmed),
                Some(DelegationPrepared),
                None,
                Some(BootstrapSrvUrlDelivery),
                Some(BootstrapSrvUrlReq),
                Some(DelegationRevocationReq),
                Some(DelegationRevoked),
                Some(DelegationRevoked),
                Some(DelegationTerminationResp),
                None,
                Some(DelegationTerminationReq),
            ],
        );
    }

    #[test]
    fn a_wrong_phase_is_another_message_of_the_same_side() {
        use Kind::*;
        check_kinds(
            &Action::WrongPhase,
            [
                Some(DelegationFailure),
                Some(DelegationFailure),
                Some(DelegationConfirmed),
                Some(DelegationRevoked),
                Some(BootstrapConfirmed),
                Some(RevocationFailure),
                Some(DelegationPrepared),
                Some(BootstrapConfirmed),
                Some(DelegationPrepared),
                Some(DelegationTerminationResp),
                Some(DelegationConfirmed),
                Some(DelegationPrepared),
                Some(DelegationFailure),
                Some(DelegationConfirmed),
            ],
        );
    }

    #[test]
    fn sessions_are_exchanged_where_there_is_another_one() {
        let (stale, foreign) = (SessionId::new("dms1-3"), SessionId::new("dms1-9"));
        for message in all() {
            let forged = |bad| forge(&message, &Action::Session(bad), Some(&stale), Some(&foreign));
            let session_of = |bad| forged(bad).and_then(|forged| forged.session().cloned());
            assert_eq!(session_of(BadSession::Stale), Some(stale.clone()));
            assert_eq!(session_of(BadSession::Foreign), Some(foreign.clone()));
            assert_eq!(session_of(BadSession::Unknown), Some(SessionId::new("dms1-7-of-nobody")));
            assert_eq!(forged(BadSession::Stale).map(|forged| forged.kind()), Some(message.kind()));
            assert_eq!(forge_alone(&message, &Action::Session(BadSession::Stale)), None);
            let own = session();
            assert_eq!(forge(&message, &Action::Session(BadSession::Stale), Some(&own), None), None, "it is the same");
        }
        assert_eq!(forge(&forced(), &Action::Session(BadSession::Stale), Some(&stale), None), None);
    }

    #[test]
    fn reasons_and_flags_change_where_a_message_has_them() {
        for message in all() {
            let has_none = [Kind::DelegationReq, Kind::DelegationTerminationReq, Kind::DelegationRevocationReq]
                .contains(&message.kind());
            let reason = forge_alone(&message, &Action::Reason(406)).and_then(|forged| forged.reason());
            assert_eq!(reason, (!has_none).then_some(406), "{}", message.kind());
            assert_eq!(forge_alone(&message, &Action::Reason(reason::OK)), None, "{} says so already", message.kind());
        }
        let [request, _, _, prepared, ..] = all();
        assert!(forge_alone(&request, &Action::Full(true)).is_some());
        assert_eq!(forge_alone(&request, &Action::Full(false)), None);
        assert!(forge_alone(&prepared, &Action::Full(false)).is_some());
        assert_eq!(forge_alone(&forced(), &Action::Full(true)), None);
        assert_eq!(forge_alone(&request, &Action::EmptyBody), None);
    }

    #[test]
    fn a_refusal_is_a_message_where_the_answer_is_one() {
        for message in all() {
            let refused = refusal(&message, 405);
            assert_eq!(refused.as_ref().map(Message::kind), answer_kind(message.kind()));
            let Some(refused) = refused else { continue };
            assert_eq!((refused.reason(), refused.session()), (Some(405), message.session()));
            assert!(!matches!(refused, Message::DelegationResp { is_acknowledged: true, .. }));
            let written = xml::write(&refused, &Readings::default());
            assert_eq!(xml::read(written.as_bytes()), Ok(refused));
        }
    }
}
