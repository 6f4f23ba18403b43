//! Where somebody else's servers wake our devices, and what becomes of package 0 on its way.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::Reception;
use crate::actors::desk::sit_out;
use crate::actors::dm_client::PackageZero;
use crate::actors::ordeal::Ordeal;
use crate::actors::outside::{NOTIFICATION, WAKE_PATH, known_device};
use crate::dm::trigger::Trigger;
use crate::dm::wap_push::{self, Push};
use crate::faults::rule::{Action, Direction, End, Site};
use crate::faults::verdict::Passage;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::transport::exchange::{BodyProblem, Inbound, Method, Outbound};

/// How often somebody else's server has called a device for a session of its own, and for which one last.
pub type Calls = BTreeMap<(DeviceNumber, ServerNumber), (u32, u16)>;

impl Reception {
    /// Package 0 for a device of ours: its id stands behind the path.
    pub(super) fn receive_trigger(&self, request: &Inbound) -> Outbound {
        let devices = self.blueprint.parties.population.devices();
        // A colon in a path may be written in either way (RFC 3986, 3.3).
        let id = request.path_only().strip_prefix(WAKE_PATH).map(|id| id.replace("%3A", ":").replace("%3a", ":"));
        let Some(device) = id.and_then(|id| known_device(&id, devices)) else {
            return self.turn_away("wake_of_nobody", 404);
        };
        if request.method != Method::Post {
            return self.turn_away("not_a_post", 405);
        }
        if request.content_type.as_deref().is_none_or(|found| !is_of_type(found, NOTIFICATION)) {
            return self.turn_away("wrong_content_type", 415);
        }
        let trigger = match &request.body {
            Ok(body) => body.to_vec(),
            Err(BodyProblem::TooLarge { .. }) => return self.turn_away("too_large", 413),
            Err(BodyProblem::Broken(_)) => return self.turn_away("broken_body", 400),
        };
        match self.wake(device, trigger) {
            Ok(()) => Outbound::status(202),
            Err(reason) => self.turn_away(reason, 503),
        }
    }

    /// Package 0 for a device of ours, in a datagram.
    pub fn receive_push(&self, datagram: &[u8]) {
        let devices = self.blueprint.parties.population.devices();
        let delivered = match wap_push::read(datagram) {
            Err(_) => Err("wap_push_unreadable"),
            Ok(Push { device, trigger }) => {
                let device = device.and_then(|id| known_device(id, devices)).ok_or("wake_of_nobody");
                device.and_then(|device| self.wake(device, trigger.to_vec()))
            }
        };
        if let Err(reason) = delivered {
            self.count(reason);
        }
    }

    /// Hands package 0 to a device, unless a fault has it lost on its way. What is late, or comes once more, is not waited for.
    ///
    /// # Errors
    /// What is counted where the device has too much to do.
    fn wake(&self, device: DeviceNumber, trigger: Vec<u8>) -> Result<(), &'static str> {
        let sight = self.sight.as_ref().filter(|_| self.blueprint.faults.acts_at(&[Site::Trigger]));
        let verdicts = match sight.and_then(|sight| Some((sight, self.caller(&trigger)?))) {
            Some((sight, (from, session))) => sight.judge(&[Site::Trigger], || {
                let nth_session = self.number_of_call(device, from, session);
                Passage {
                    direction: Direction::ServerToDevice,
                    from: End::Server(from),
                    to: End::Device,
                    device,
                    class: self.blueprint.parties.population.class_number(device).unwrap_or_default(),
                    role: None,
                    message: None,
                    session: format!("errand {nth_session} of {}", from.0).into(),
                    nth_session,
                    attempt: 1,
                    state: "",
                    now: self.blueprint.clock.now(),
                }
            }),
            None => Vec::new(),
        };
        if verdicts.iter().any(|verdict| matches!(verdict.action, Action::Drop { .. })) {
            return Ok(());
        }
        let copies = verdicts.iter().filter(|verdict| matches!(verdict.action, Action::Twice)).count();
        let waits = Ordeal::of(&verdicts, None, |_| None).waits;
        if waits.is_empty() {
            (0..copies).try_for_each(|_| self.hand_over(device, trigger.clone()))?;
            return self.hand_over(device, trigger);
        }
        let reception = self.clone();
        actix::spawn(async move {
            for wait in &waits {
                sit_out(wait, device, &reception.board).await;
            }
            for _ in 0..=copies {
                if let Err(reason) = reception.hand_over(device, trigger.clone()) {
                    reception.count(reason);
                }
            }
        });
        Ok(())
    }

    fn hand_over(&self, device: DeviceNumber, trigger: Vec<u8>) -> Result<(), &'static str> {
        match self.directory.with_device(device, |actor| PackageZero::deliver(actor, trigger)) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err("overloaded"),
        }
    }

    /// Which of somebody else's servers calls, and for which session.
    fn caller(&self, trigger: &[u8]) -> Option<(ServerNumber, u16)> {
        let (trigger, _) = Trigger::read(trigger).ok()?;
        let from = self.blueprint.parties.server_named(&trigger.server)?;
        self.blueprint.is_external(from).then_some((from, trigger.session_id))
    }

    /// The how-manieth session this is that a server calls a device for; from 1.
    fn number_of_call(&self, device: DeviceNumber, from: ServerNumber, session: u16) -> u32 {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, last) = calls.entry((device, from)).or_insert((0, session));
        if *number == 0 || *last != session {
            (*number, *last) = (number.saturating_add(1), session);
        }
        *number
    }
}

/// Whether a Content-Type is this one; case and parameters do not matter.
fn is_of_type(header: &str, wanted: &str) -> bool {
    header.split(';').next().unwrap_or_default().trim_ascii().eq_ignore_ascii_case(wanted)
}
