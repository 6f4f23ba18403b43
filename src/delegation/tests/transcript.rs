//! What passes between the parties, as lines that a person can read.

use crate::delegation::exchange::Answer;
use crate::delegation::machine::{RecordView, Side, Standing};
use crate::delegation::message::Message;
use crate::dm::script::{Errand, Extent, Order};
use crate::ids::ServerNumber;

/// Asserts lines against a text whose lines are trimmed.
#[track_caller]
pub fn check_lines(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(found, expected, "found:\n{}\n", found.join("\n"));
}

pub fn name(server: ServerNumber) -> &'static str {
    ["DMS-1", "DMS-2", "DMS-3"].get(usize::from(server.0)).copied().unwrap_or("nobody")
}

pub fn record_text(record: &RecordView) -> String {
    let standing = match record.standing {
        Standing::InForce => "in force".to_owned(),
        Standing::Compromised => "compromised".to_owned(),
        Standing::Moving(state) => state.to_owned(),
    };
    let side = match record.side {
        Side::Delegating => "to",
        Side::Delegated => "from",
    };
    let full = if record.is_full { " full" } else { "" };
    format!("{} {side} {}{full} {standing}", record.subtree, name(record.peer))
}

pub fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Message(message) => format!("200 {}", message_text(message)),
        Answer::NoContent => "204".to_owned(),
        Answer::Rejected(why) => why.http_status().to_string(),
    }
}

pub fn message_text(message: &Message) -> String {
    let extent = |is_full: &bool| if *is_full { "full" } else { "partial" };
    let detail = match message {
        Message::DelegationReq { subtree, is_full, .. } => format!("{subtree} {}", extent(is_full)),
        Message::DelegationResp { is_acknowledged: true, .. } => "acknowledged".to_owned(),
        Message::DelegationResp { reason, .. } => format!("refused {}", reason.unwrap_or_default()),
        Message::BootstrapConfirmed { bootstrapped: Some(true), .. } => "already bootstrapped".to_owned(),
        Message::BootstrapConfirmed { account: Some(_), .. } => "account enclosed".to_owned(),
        Message::DelegationPrepared { is_full, .. } => extent(is_full).to_owned(),
        Message::DelegationFailure { reason, .. }
        | Message::RevocationFailure { reason, .. }
        | Message::BootstrapSrvUrlDelivery { reason, .. }
        | Message::DelegationTerminationAck { reason, .. }
            if *reason != Some(200) =>
        {
            reason.unwrap_or_default().to_string()
        }
        Message::DelegationRevoked { device: Some(_), subtree, .. } => {
            format!("of the device {}", subtree.as_deref().unwrap_or_default())
        }
        Message::DelegationRevocationReq { subtree: Some(subtree), .. } => subtree.clone(),
        _ => String::new(),
    };
    format!("{} {detail}", message.kind().root()).trim_end().to_owned()
}

pub fn errand_name(errand: &Errand) -> &'static str {
    match errand {
        Errand::Prepare { .. } => "prepare",
        Errand::PushBootstrapUrl { .. } => "push",
        Errand::Grant { .. } => "grant",
        Errand::Visit { .. } => "visit",
        Errand::RemoveAccount { .. } => "remove",
        Errand::Leave => "leave",
        Errand::LetConnect { .. } => "let connect",
        Errand::TakeBackUrl { .. } => "take back",
        Errand::TakeBackRights { .. } => "take back rights",
        Errand::Undo(_) => "undo",
    }
}

pub fn errand_text(errand: &Errand) -> String {
    let own = |extent: &Extent| if extent.leaves() { ", then remove own account" } else { "" };
    let detail = match errand {
        Errand::Prepare { account, extent, .. } => {
            format!("{}{}", if account.is_some() { "with account" } else { "without account" }, own(extent))
        }
        Errand::Grant { extent, subtree, .. } => format!("{subtree}{}", own(extent)),
        Errand::RemoveAccount { of, .. } => format!("account of {of}"),
        Errand::LetConnect { delegate, value } => format!("to {delegate} by {value}"),
        Errand::Visit { subtree } => subtree.to_string(),
        Errand::Undo(orders) => {
            let orders: Vec<String> = orders
                .iter()
                .map(|order| match order {
                    Order::Delete(uri) => format!("delete {uri}"),
                    Order::ReplaceAcl { uri, .. } => format!("acl {uri}"),
                    other => format!("{other:?}"),
                })
                .collect();
            orders.join(", ")
        }
        Errand::TakeBackRights { delegate, subtree } => format!("of {delegate} on {subtree}"),
        Errand::PushBootstrapUrl { .. } | Errand::TakeBackUrl { .. } | Errand::Leave => String::new(),
    };
    format!("{} {detail}", errand_name(errand)).trim_end().to_owned()
}
