//! What a server does when something happens to it: the machine that the actors run, and its notes as facts.

use crate::clock::Moment;
use crate::delegation::durable::{Durable, Image};
use crate::delegation::exchange::{Answer, Incoming, PostOutcome};
use crate::delegation::machine::{Effect, Input};
use crate::delegation::message::Message;
use crate::delegation::server::Server;
use crate::explore::premises::Premises;
use crate::explore::under_way::UnderWay;
use crate::facts::{What, machines};
use crate::ids::{DeviceNumber, ServerNumber};

/// A turn while it is being made.
#[derive(Default)]
pub(super) struct Making {
    pub facts: Vec<(DeviceNumber, What)>,
    pub sets_out: Vec<UnderWay>,
    /// Written to the server's store, in this order.
    pub writes: Vec<Image>,
}

impl Making {
    /// What a server does when something arrives at it.
    pub fn of_arrival(at: ServerNumber, machine: &mut Server, what: UnderWay, premises: &Premises) -> Making {
        let mut turn = Making::default();
        match what {
            UnderWay::Request { from, about, exchange, attempt, message, .. } => {
                let answer = turn.receive(at, machine, from, message.clone(), premises);
                let outcome = match answer {
                    Answer::Message(message) => PostOutcome::Message(message),
                    Answer::NoContent => PostOutcome::NoContent,
                    Answer::Rejected(misbehaved) => PostOutcome::Rejected { status: misbehaved.http_status() },
                };
                let back = UnderWay::Outcome { at: from, from: at, about, exchange, attempt, message, outcome };
                // An answer leaves before whatever follows from the message.
                turn.sets_out.insert(0, back);
            }
            UnderWay::Copy { from, message, .. } => {
                turn.receive(at, machine, from, message, premises);
            }
            UnderWay::Outcome { from, about, exchange, attempt, message, outcome, .. } => {
                let (kind, session) = (message.kind(), message.session().cloned());
                let answer = machines::heard(&outcome);
                turn.facts.push((about, What::Heard { at, from, kind, session: session.clone(), attempt, answer }));
                let again = premises.retries.get(kind).after(attempt, &outcome, || 0).is_some();
                if again && machine.awaits(exchange) {
                    let attempt = attempt + 1;
                    turn.facts.push((about, What::Sent { from: at, to: from, kind, session, attempt }));
                    turn.sets_out.push(UnderWay::Request { from: at, to: from, about, exchange, attempt, message });
                } else {
                    turn.tell(at, machine, Input::Posted { exchange, outcome }, premises);
                }
            }
            UnderWay::Report { device, job, errand, report, .. } => {
                let failure = report.result.as_ref().err().map(|failure| failure.reason_code());
                turn.facts.push((premises.devices[device], What::ErrandEnded { at, errand, failure }));
                turn.tell(at, machine, Input::ErrandDone { job, report }, premises);
            }
            UnderWay::Connection { device, with } => {
                let device = premises.devices[device];
                turn.facts.push((device, What::SessionOpened { with }));
                turn.tell(with, machine, Input::DeviceConnected { device }, premises);
                turn.facts.push((device, What::SessionEnded { with, in_order: true }));
            }
            UnderWay::Errand { .. } | UnderWay::Fetch { .. } => unreachable!("these arrive at the device"),
        }
        turn
    }

    /// What a server does that has died and stands again with this store.
    pub fn of_death(at: ServerNumber, machine: &mut Server, store: &Durable, premises: &Premises) -> Making {
        let mut turn = Making::default();
        for what in [What::Killed { at }, What::Restarted { at }] {
            turn.facts.extend(premises.devices.iter().map(|device| (*device, what.clone())));
        }
        let mut out = Vec::new();
        *machine = Server::recover(Moment::ZERO, premises.settings(at, true), store, &mut out);
        turn.obey(at, machine, out, premises);
        turn
    }

    /// A server's machine is told something.
    pub fn tell(&mut self, at: ServerNumber, machine: &mut Server, input: Input, premises: &Premises) {
        let mut out = Vec::new();
        machine.handle(Moment::ZERO, input, &mut out);
        self.obey(at, machine, out, premises);
    }

    fn receive(
        &mut self,
        at: ServerNumber,
        machine: &mut Server,
        from: ServerNumber,
        message: Message,
        premises: &Premises,
    ) -> Answer {
        let session = message.session().cloned();
        // It is answered in the same turn, so that one number will do for all.
        let input = Input::Received { exchange: Incoming(0), from, message };
        let mut out = Vec::new();
        machine.handle(Moment::ZERO, input, &mut out);
        self.facts.extend(machines::taken(at, from, session.as_ref(), &out));
        let place = out.iter().position(|effect| matches!(effect, Effect::Answer { .. }));
        let answer = match place.map(|place| out.remove(place)) {
            Some(Effect::Answer { answer, .. }) => answer,
            _ => unreachable!("every message is answered in its own turn"),
        };
        self.obey(at, machine, out, premises);
        answer
    }

    fn obey(&mut self, at: ServerNumber, machine: &Server, effects: Vec<Effect>, premises: &Premises) {
        for effect in effects {
            match effect {
                Effect::Post { exchange, to, message } => {
                    let (kind, session) = (message.kind(), message.session().cloned());
                    // A record that is forgotten in the turn in which it posts has told so before.
                    let noted = self.facts.last().map_or(premises.devices[0], |(device, _)| *device);
                    let about = machine.about(exchange).map_or(noted, |(device, ..)| device);
                    self.facts.push((about, What::Sent { from: at, to, kind, session, attempt: 1 }));
                    self.sets_out.push(UnderWay::Request { from: at, to, about, exchange, attempt: 1, message });
                }
                Effect::Errand { job, device, errand } => {
                    let place = premises.devices.iter().position(|known| *known == device);
                    let Some(device) = place else { continue };
                    self.facts.push((premises.devices[device], What::ErrandBegan { at, errand: errand.kind() }));
                    self.sets_out.push(UnderWay::Errand { at, device, job, errand });
                }
                Effect::Note(note) => {
                    self.facts.extend(machines::of_server(at, note));
                }
                Effect::Persist(image) => self.writes.push(image),
                // No nonces are kept here.
                Effect::RenewAccount { .. } => {}
                Effect::Answer { .. } => unreachable!("only a message is answered, and `receive` sees to that"),
            }
        }
    }
}
