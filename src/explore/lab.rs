//! What the machines do, worked out once: every state, tree and message has a number, and what came of it is remembered.
//!
//! A search meets the same machine with the same message in thousands of worlds that differ elsewhere. Here it is asked
//! once. Machines are aged and never told the time, so that what is remembered does not depend on when it happened.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::clock::Moment;
use crate::delegation::exchange::{Answer, Incoming, PostOutcome};
use crate::delegation::machine::{Effect, Input};
use crate::delegation::message::Message;
use crate::delegation::server::Server;
use crate::dm::acl::Acl;
use crate::dm::bootstrap;
use crate::dm::client::Initiative;
use crate::dm::direct;
use crate::dm::tree::Tree;
use crate::explore::interned::Interned;
use crate::explore::premises::Premises;
use crate::explore::under_way::UnderWay;
use crate::facts::{What, machines};
use crate::ids::{BootstrapServerNumber, DeviceNumber, ServerNumber, device_id};
use crate::measure::promise::Journeyed;
use crate::measure::promise::steps::minutes::Minutes;

/// The number of a server's state, of a device's tree, of something under way, of a turn.
pub type Number = u32;

/// What somebody did when something happened to it: what was seen, and what set out, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Turn {
    pub facts: Box<[(DeviceNumber, What)]>,
    pub sets_out: Box<[Number]>,
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// Something that was under way arrives.
    Arrival(Number),
    /// A timer is due.
    Wake,
    /// The operators' wish with this place among the premises: the server's part in it.
    Wish(usize),
}

type Remembered<K, V> = HashMap<K, V, FixedState>;

/// Everything that has been worked out.
pub struct Lab<'p> {
    premises: &'p Premises,
    servers: Vec<Machine>,
    trees: Interned<Tree>,
    under_way: Interned<UnderWay>,
    turns: Interned<Turn>,
    sessions: Remembered<(Number, Number, Option<u8>), Option<(Number, Number)>>,
    accounts: Remembered<(Number, ServerNumber), bool>,
    losses: Remembered<Number, Option<Option<Number>>>,
    copies: Remembered<Number, Option<Number>>,
    verdicts: Remembered<u128, Vec<&'static str>>,
    minutes: Interned<Minutes>,
    entries: Remembered<(Number, Number), (Number, bool)>,
}

/// The states of one server.
struct Machine {
    states: Interned<Server>,
    /// By state.
    deadlines: Vec<Moment>,
    turns: Remembered<(Number, Occasion), (Number, Number)>,
    older: Remembered<(Number, Duration), Number>,
}

impl<'p> Lab<'p> {
    pub fn new(premises: &'p Premises) -> Lab<'p> {
        let servers = premises.parties.servers.iter().map(|_| Machine {
            states: Interned::new(),
            deadlines: Vec::new(),
            turns: Remembered::default(),
            older: Remembered::default(),
        });
        Lab {
            premises,
            servers: servers.collect(),
            trees: Interned::new(),
            under_way: Interned::new(),
            turns: Interned::new(),
            sessions: Remembered::default(),
            accounts: Remembered::default(),
            losses: Remembered::default(),
            copies: Remembered::default(),
            verdicts: Remembered::default(),
            minutes: Interned::new(),
            entries: Remembered::default(),
        }
    }

    pub fn premises(&self) -> &'p Premises {
        self.premises
    }

    /// A server that nothing has happened to.
    pub fn fresh_server(&mut self, server: ServerNumber) -> Number {
        let settings = self.premises.parties.delegation_settings(server);
        self.machine(server).number(Server::new(settings))
    }

    /// A device as it leaves its owner's hands.
    pub fn fresh_tree(&mut self, device: usize) -> Number {
        let number = self.premises.devices[device];
        self.trees.number(Tree::new(self.premises.parties.template(number), number))
    }

    /// The minutes of a device that nothing has happened to.
    pub fn fresh_minutes(&mut self, device: usize) -> Number {
        let (owner, bootstrapped) = self.premises.parties.at_first(self.premises.devices[device]);
        self.minutes.number(Minutes::new(&Journeyed::at_first(owner, bootstrapped)))
    }

    /// A device's minutes with a turn added, and whether a promise may have been broken by it.
    pub fn minute(&mut self, minutes: Number, device: usize, turn: Number) -> (Number, bool) {
        if let Some(known) = self.entries.get(&(minutes, turn)) {
            return *known;
        }
        let number = self.premises.devices[device];
        let facts = self.turns.value(turn).facts.iter().filter(|(about, _)| *about == number);
        let seen: Vec<&What> = facts.map(|(_, what)| what).collect();
        let mut grown = self.minutes.value(minutes).clone();
        let is_suspect = grown.add(&seen, self.premises.policy);
        let entry = (self.minutes.number(grown), is_suspect);
        self.entries.insert((minutes, turn), entry);
        entry
    }

    pub fn minutes(&self, minutes: Number) -> &Minutes {
        self.minutes.value(minutes)
    }

    pub fn server(&self, server: ServerNumber, state: Number) -> &Server {
        self.servers[usize::from(server.0)].states.value(state)
    }

    pub fn tree(&self, tree: Number) -> &Tree {
        self.trees.value(tree)
    }

    pub fn under_way(&self, number: Number) -> &UnderWay {
        self.under_way.value(number)
    }

    pub fn turn(&self, number: Number) -> &Turn {
        self.turns.value(number)
    }

    /// How long until the server's next timer is due; [`Moment::NEVER`] without one.
    pub fn deadline(&self, server: ServerNumber, state: Number) -> Moment {
        self.servers[usize::from(server.0)].deadlines[state as usize]
    }

    /// The server some time later.
    pub fn older(&mut self, server: ServerNumber, state: Number, by: Duration) -> Number {
        let machine = self.machine(server);
        if !machine.deadlines[state as usize].is_set() {
            return state;
        }
        if let Some(older) = machine.older.get(&(state, by)) {
            return *older;
        }
        let mut aged = machine.states.value(state).clone();
        aged.age(by);
        let older = machine.number(aged);
        machine.older.insert((state, by), older);
        older
    }

    /// The server after what has happened to it, and the turn.
    pub fn serve(&mut self, server: ServerNumber, state: Number, occasion: Occasion) -> (Number, Number) {
        if let Some(known) = self.machine(server).turns.get(&(state, occasion)) {
            return *known;
        }
        let mut machine = self.server(server, state).clone();
        let turn = match occasion {
            Occasion::Arrival(number) => {
                let what = self.under_way.value(number).clone();
                self.arrive(server, &mut machine, what)
            }
            Occasion::Wake => {
                let mut turn = Making::default();
                turn.tell(server, &mut machine, Input::Wake, self.premises);
                turn
            }
            Occasion::Wish(number) => {
                let wish = &self.premises.wishes[number];
                let mut turn = Making::default();
                let device = self.premises.devices[wish.device];
                for (at, input) in wish.inputs(device) {
                    if at == server {
                        if let Input::Start { flow, peer, .. } = &input {
                            turn.facts.push((device, What::Wished { at, peer: *peer, flow: *flow }));
                        }
                        turn.tell(server, &mut machine, input, self.premises);
                    }
                }
                turn
            }
        };
        let turn = self.keep(turn);
        let machines = self.machine(server);
        let result = (machines.number(machine), turn);
        machines.turns.insert((state, occasion), result);
        result
    }

    /// The device's tree after something has arrived at it, and the turn. `breaks_in`: the round of a session whose answers
    /// are lost. `None` where the session has no such round.
    pub fn attend(&mut self, tree: Number, what: Number, breaks_in: Option<u8>) -> Option<(Number, Number)> {
        if let Some(known) = self.sessions.get(&(tree, what, breaks_in)) {
            return *known;
        }
        let mut changed = self.trees.value(tree).clone();
        let turn = match self.under_way.value(what).clone() {
            errand @ UnderWay::Errand { .. } => self.hold_session(&mut changed, errand, breaks_in),
            UnderWay::Fetch { device, from, of } if breaks_in.is_none() => {
                Some(self.bootstrap(&mut changed, device, from, of))
            }
            _ => None,
        };
        let result = turn.map(|turn| {
            let turn = self.keep(turn);
            (self.trees.number(changed), turn)
        });
        self.sessions.insert((tree, what, breaks_in), result);
        result
    }

    /// Whether the device knows a server.
    pub fn has_account(&mut self, tree: Number, of: ServerNumber) -> bool {
        let (trees, parties) = (&self.trees, &self.premises.parties);
        *self.accounts.entry((tree, of)).or_insert_with(|| trees.value(tree).has_account(&parties.server(of).id))
    }

    /// What comes of something when it is lost; see [`UnderWay::lost`].
    pub fn lost(&mut self, what: Number) -> Option<Option<Number>> {
        if let Some(known) = self.losses.get(&what) {
            return *known;
        }
        let lost = self.under_way.value(what).lost();
        let lost = lost.map(|left| left.map(|left| self.under_way.number(left)));
        self.losses.insert(what, lost);
        lost
    }

    /// Something a second time; see [`UnderWay::copy`].
    pub fn copy(&mut self, what: Number) -> Option<Number> {
        if let Some(known) = self.copies.get(&what) {
            return *known;
        }
        let copy = self.under_way.value(what).copy().map(|copy| self.under_way.number(copy));
        self.copies.insert(what, copy);
        copy
    }

    /// What is known of a world at rest: the promises that it breaks.
    pub fn verdict(&self, end: u128) -> Option<&[&'static str]> {
        self.verdicts.get(&end).map(Vec::as_slice)
    }

    pub fn keep_verdict(&mut self, end: u128, promises: Vec<&'static str>) {
        self.verdicts.insert(end, promises);
    }

    /// How many states of machines, trees and things under way have been met.
    pub fn size(&self) -> usize {
        let states: usize = self.servers.iter().map(|machine| machine.states.len()).sum();
        states + self.trees.len() + self.under_way.len() + self.turns.len()
    }

    fn machine(&mut self, server: ServerNumber) -> &mut Machine {
        &mut self.servers[usize::from(server.0)]
    }

    fn keep(&mut self, turn: Making) -> Number {
        let sets_out = turn.sets_out.into_iter().map(|what| self.under_way.number(what)).collect();
        self.turns.number(Turn { facts: turn.facts.into(), sets_out })
    }

    fn arrive(&self, at: ServerNumber, machine: &mut Server, what: UnderWay) -> Making {
        let premises = self.premises;
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

    /// A session of a server with the device; what the device does by itself because of it sets out behind it.
    fn hold_session(&self, tree: &mut Tree, errand: UnderWay, breaks_in: Option<u8>) -> Option<Making> {
        let UnderWay::Errand { at, device, job, errand } = errand else { unreachable!("asked for an errand only") };
        let parties = &self.premises.parties;
        let mut turn = Making::default();
        let number = self.premises.devices[device];
        let kind = errand.kind();
        let before = Initiative::before(tree, self.premises.quiet);
        let id = &parties.server(at).id;
        let comes = tree.has_account(id);
        if comes {
            turn.facts.push((number, What::SessionOpened { with: at }));
        }
        let ran = direct::run(id, errand, tree, breaks_in.map(usize::from));
        if breaks_in.is_some() && !ran.is_broken_off {
            return None;
        }
        let seen = ran.notes.into_iter().filter_map(|note| machines::of_device(note, |id| parties.server_named(id)));
        turn.facts.extend(seen.map(|what| (number, what)));
        if comes {
            turn.facts.push((number, What::SessionEnded { with: at, in_order: !ran.is_broken_off }));
        }
        turn.sets_out.push(UnderWay::Report { at, device, job, errand: kind, report: ran.report });
        let fetches = before.new_urls(tree).into_iter().filter_map(|url| self.bootstraps_to(device, &url));
        turn.sets_out.extend(fetches);
        turn.sets_out.extend(self.connections(device, &before, tree, Some(at)));
        Some(turn)
    }

    fn bootstrap(&self, tree: &mut Tree, device: usize, from: BootstrapServerNumber, of: ServerNumber) -> Making {
        let mut turn = Making::default();
        let number = self.premises.devices[device];
        let id = device_id(number);
        let account = self.premises.parties.server(of).accounts.account(&id);
        let document = bootstrap::document(&account, &id, Acl::empty());
        turn.facts.push((number, What::Fetched { from, ok: true }));
        let had_account = tree.has_account(&account.server);
        let before = Initiative::before(tree, self.premises.quiet);
        if bootstrap::apply(&document, tree).is_ok() {
            if !had_account {
                turn.facts.push((number, What::Account { of, is_there: true }));
            }
            turn.sets_out.extend(self.connections(device, &before, tree, None));
        }
        turn
    }

    fn connections(&self, device: usize, before: &Initiative, tree: &Tree, but: Option<ServerNumber>) -> Vec<UnderWay> {
        let parties = &self.premises.parties;
        let open = before.newly_open(tree).into_iter().filter_map(|id| parties.server_named(&id));
        open.filter(|with| but != Some(*with)).map(|with| UnderWay::Connection { device, with }).collect()
    }

    /// To which bootstrap server a URL leads, and to an account of whom.
    fn bootstraps_to(&self, device: usize, url: &str) -> Option<UnderWay> {
        let id = device_id(self.premises.devices[device]);
        let mut servers = (0..).map(ServerNumber).zip(&self.premises.parties.servers);
        servers.find_map(|(of, server)| {
            let (from, links) = server.bootstrap.as_ref()?;
            (links.device_of(url)? == id).then_some(UnderWay::Fetch { device, from: *from, of })
        })
    }
}

impl Machine {
    fn number(&mut self, state: Server) -> Number {
        let deadline = state.deadline();
        let number = self.states.number(state);
        if number as usize == self.deadlines.len() {
            self.deadlines.push(deadline);
        }
        number
    }
}

/// A turn while it is being made.
#[derive(Default)]
struct Making {
    facts: Vec<(DeviceNumber, What)>,
    sets_out: Vec<UnderWay>,
}

impl Making {
    fn tell(&mut self, at: ServerNumber, machine: &mut Server, input: Input, premises: &Premises) {
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
                // No nonces are kept here, and nobody dies.
                Effect::RenewAccount { .. } | Effect::Persist(_) => {}
                Effect::Answer { .. } => unreachable!("only a message is answered, and `receive` sees to that"),
            }
        }
    }
}
