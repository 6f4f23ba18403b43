//! The processes between servers of which one or both are somebody else's: which device each is about, and how often each of
//! its messages was said. Whoever only hears them has to remember.

use std::collections::{BTreeMap, VecDeque};

use crate::actors::blueprint::Blueprint;
use crate::clock::Moment;
use crate::delegation::message::{Kind, Message};
use crate::delegation::session_name::SessionName;
use crate::faults::rule::{Direction, End};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber, SessionId, device_number};

/// How many processes are remembered; of older ones nobody knows any more whom they are about.
const REMEMBERED: usize = 100_000;
/// What stands for a device of which nobody has said which one it is.
pub const UNKNOWN: DeviceNumber = DeviceNumber(u32::MAX);

/// The processes that were seen to begin.
#[derive(Default)]
pub struct Processes {
    known: BTreeMap<SessionId, Process>,
    /// In the order in which they began.
    order: VecDeque<SessionId>,
}

/// A message of somebody else's server, with whom it is about, as faults see it.
pub struct Heard<'m> {
    pub from: ServerNumber,
    pub to: ServerNumber,
    pub device: DeviceNumber,
    /// The how-manieth time it is said, from 1.
    pub attempt: u32,
    /// `None` for what is no message.
    pub said: Option<&'m Message>,
}

impl<'m> Heard<'m> {
    /// As it passes at this moment.
    pub fn at(&self, now: Moment, blueprint: &Blueprint) -> Passage<'m> {
        let session = self.said.and_then(Message::session);
        Passage {
            direction: Direction::ServerToServer,
            from: End::Server(self.from),
            to: End::Server(self.to),
            device: self.device,
            class: blueprint.parties.population.class_number(self.device).unwrap_or_default(),
            role: None,
            message: self.said.map(Message::kind),
            session: session.map_or("", SessionId::as_str).into(),
            nth_session: session.and_then(SessionName::read).map_or(1, |name| name.number),
            attempt: self.attempt,
            state: "",
            now,
        }
    }
}

struct Process {
    device: DeviceNumber,
    /// How often each server has said each of its messages.
    said: BTreeMap<(ServerNumber, Kind), u32>,
}

impl Processes {
    /// Which device a message is about, and how often it has been said. A process that began here has the device in its name.
    pub fn see(&mut self, from: ServerNumber, said: &Message) -> (DeviceNumber, u32) {
        let named = said.device().map(|id| device_number(id.as_str()).unwrap_or(UNKNOWN));
        let Some(session) = said.session() else { return (named.unwrap_or(UNKNOWN), 1) };
        if !self.known.contains_key(session) {
            if self.order.len() == REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(session.clone());
        }
        let process = self.known.entry(session.clone()).or_insert_with(|| Process {
            device: named.or_else(|| Some(SessionName::read(session)?.device)).unwrap_or(UNKNOWN),
            said: BTreeMap::new(),
        });
        let times = process.said.entry((from, said.kind())).or_default();
        *times = times.saturating_add(1);
        (process.device, *times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceId, ServerId, device_id};

    #[test]
    fn a_process_is_about_the_device_that_it_began_with_and_what_is_said_again_counts() {
        let (home, partner) = (ServerNumber(0), ServerNumber(1));
        let mut processes = Processes::default();
        let request = |session: &str, device: DeviceId| Message::DelegationReq {
            server: ServerId::new("dms1.example.test"),
            device,
            manufacturer: String::new(),
            model: String::new(),
            subtree: ".".to_owned(),
            is_full: false,
            session: SessionId::new(session),
        };
        let prepared = |session: &str| Message::DelegationPrepared {
            reason: None,
            is_full: false,
            session: SessionId::new(session),
        };
        let third = device_id(DeviceNumber(3));
        assert_eq!(processes.see(home, &request("a", third.clone())), (DeviceNumber(3), 1));
        assert_eq!(processes.see(home, &prepared("a")), (DeviceNumber(3), 1));
        assert_eq!(processes.see(home, &prepared("a")), (DeviceNumber(3), 2));
        assert_eq!(processes.see(partner, &prepared("a")), (DeviceNumber(3), 1), "another server says it");
        assert_eq!(processes.see(home, &request("b", DeviceId::new("IMEI:1"))), (UNKNOWN, 1));
        assert_eq!(processes.see(home, &prepared("c")), (UNKNOWN, 1), "it began before we stood there");
        assert_eq!(processes.see(partner, &prepared("0-1f-2")), (DeviceNumber(0x1f), 1), "a server of ours began it");
        let by_force = Message::DelegationRevoked { device: Some(third), subtree: None, reason: None, session: None };
        assert_eq!(processes.see(home, &by_force), (DeviceNumber(3), 1));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut processes = Processes::default();
        for number in 0..REMEMBERED + 10 {
            let session = SessionId::new(number.to_string());
            processes.see(ServerNumber(0), &Message::DelegationConfirmed { reason: None, session });
        }
        assert_eq!((processes.known.len(), processes.order.len()), (REMEMBERED, REMEMBERED));
        assert!(!processes.known.contains_key(&SessionId::new("9")));
    }
}
