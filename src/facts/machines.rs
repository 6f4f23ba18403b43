//! What the machines note and are told, as facts: the same whoever drives them.

use crate::delegation::exchange::PostOutcome;
use crate::delegation::machine::{Effect, Note};
use crate::dm::client;
use crate::facts::{Heard, Took, What};
use crate::ids::{DeviceNumber, ServerId, ServerNumber, SessionId};

/// What a server's machine has noted. How it took a message is told by [`taken`] alone.
pub fn of_server(at: ServerNumber, note: Note) -> Option<(DeviceNumber, What)> {
    Some(match note {
        Note::TimerFired { device, timer } => (device, What::TimerFired { at, timer }),
        Note::Moved { device, peer, side, session, subtree, is_full, state } => {
            (device, What::Moved { at, peer, side, session, subtree, is_full, state })
        }
        Note::Joined { device, peer, side } => (device, What::Joined { at, peer, side }),
        Note::Settled { device, peer, side, outcome } => (device, What::Settled { at, peer, side, outcome }),
        Note::Applied { .. } | Note::Duplicate { .. } | Note::Unexpected { .. } => return None,
    })
}

/// How a server has taken the message of a peer that these effects came of; nothing where it was about no device.
pub fn taken(
    at: ServerNumber,
    from: ServerNumber,
    session: Option<&SessionId>,
    effects: &[Effect],
) -> Option<(DeviceNumber, What)> {
    let how = effects.iter().find_map(|effect| match effect {
        Effect::Note(Note::Applied { kind, device }) => Some((*kind, *device, Took::New)),
        Effect::Note(Note::Duplicate { kind, device: Some(device) }) => Some((*kind, *device, Took::Copy)),
        Effect::Note(Note::Unexpected { kind, device: Some(device), why }) => {
            Some((*kind, *device, Took::Rejected(why)))
        }
        _ => None,
    });
    how.map(|(kind, device, how)| (device, What::Taken { at, from, kind, session: session.cloned(), how }))
}

/// What a device has noted, where that is about a DM server of this run. `number`: which one goes by an identifier.
pub fn of_device(note: client::Note, number: impl Fn(&ServerId) -> Option<ServerNumber>) -> Option<What> {
    Some(match note {
        client::Note::SessionOpened { server, .. } => What::SessionOpened { with: number(&server)? },
        client::Note::SessionEnded { server, outcome, .. } => {
            What::SessionEnded { with: number(&server)?, in_order: outcome == client::Outcome::Done }
        }
        client::Note::Operated { server, verb, target, code } => {
            What::Operated { by: number(&server)?, verb, target, code }
        }
        client::Note::AccountAppeared { server } => What::Account { of: number(&server)?, is_there: true },
        client::Note::AccountGone { server } => What::Account { of: number(&server)?, is_there: false },
        _ => return None,
    })
}

/// What became of a POST.
pub fn heard(outcome: &PostOutcome) -> Heard {
    match outcome {
        PostOutcome::Message(message) => Heard::Message(message.kind()),
        PostOutcome::NoContent => Heard::NoContent,
        PostOutcome::Rejected { status } => Heard::Rejected(*status),
        PostOutcome::Unreadable(_) => Heard::Unreadable,
        PostOutcome::TimedOut => Heard::TimedOut,
        PostOutcome::Unreachable { .. } => Heard::Unreachable,
    }
}
