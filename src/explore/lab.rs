//! What the machines do, worked out once: every state, tree and message has a number, and what came of it is remembered.
//!
//! A search meets the same machine with the same message in thousands of worlds that differ elsewhere. Here it is asked
//! once. Machines are aged and never told the time, so that what is remembered does not depend on when it happened.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use crate::clock::Moment;
use crate::delegation::durable::{Durable, Image};
use crate::delegation::machine::Input;
use crate::delegation::server::Server;
use crate::dm::tree::Tree;
use crate::explore::at_device;
use crate::explore::at_server::Making;
use crate::explore::in_a_turn;
use crate::explore::interned::Interned;
use crate::explore::premises::Premises;
use crate::explore::under_way::{Destination, UnderWay};
use crate::explore::undisturbed::Ends;
use crate::facts::What;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::Journeyed;
use crate::measure::promise::steps::minutes::Minutes;

/// The number of a server's state, of a device's tree, of something under way, of a turn.
pub type Number = u32;

/// What somebody did when something happened to it: what was seen, and what set out, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Turn {
    pub facts: Box<[(DeviceNumber, What)]>,
    pub sets_out: Box<[Number]>,
    /// How sides of flows have ended in it.
    pub ends: Ends,
    /// The name of a promise that it breaks by itself; see [`in_a_turn`].
    pub breaks: Option<&'static str>,
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
    /// It dies, and stands again; see [`Choice::Dies`](crate::explore::choice::Choice::Dies).
    Death { before_write: bool },
}

/// The state of a server, or the tree of a device, after a turn, and the turn.
type After = (Number, Number);

type Remembered<K, V> = HashMap<K, V, FixedState>;

/// Everything that has been worked out.
pub struct Lab<'p> {
    premises: &'p Premises,
    servers: Vec<Machine>,
    trees: Interned<Tree>,
    under_way: Interned<UnderWay>,
    /// By its number: where it arrives. Asked much more often than what it is.
    destinations: Vec<Destination>,
    stores: Interned<Durable>,
    turns: Interned<Turn>,
    sessions: Remembered<(Number, Number, Option<u8>), Option<After>>,
    accounts: Remembered<(Number, ServerNumber), bool>,
    losses: Remembered<Number, Option<Option<Number>>>,
    copies: Remembered<Number, Option<Number>>,
    verdicts: Remembered<u128, Vec<&'static str>>,
    minutes: Interned<Minutes>,
    /// By minutes: what has been added to them.
    entries: Vec<SmallVec<[Entry; 4]>>,
    entries_made: usize,
}

/// A turn that was added to minutes: what they are then, and whether a promise may have been broken by it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    turn: Number,
    grown: Number,
    is_suspect: bool,
}

/// A server: its memory, and its store where it may die.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    memory: Server,
    store: Option<Stored>,
}

/// A server's store, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stored {
    now: Number,
    /// What it was before the last turn wrote, where servers act first and write then.
    before: Number,
}

/// The states of one server.
struct Machine {
    states: Interned<State>,
    /// That of a mortal server that nothing has happened to.
    newborn: Option<Number>,
    /// By state.
    deadlines: Vec<Moment>,
    turns: Remembered<(Number, Occasion), After>,
    older: Remembered<(Number, Duration), Number>,
}

impl<'p> Lab<'p> {
    pub fn new(premises: &'p Premises) -> Lab<'p> {
        let servers = premises.parties.servers.iter().map(|_| Machine {
            states: Interned::new(),
            newborn: None,
            deadlines: Vec::new(),
            turns: Remembered::default(),
            older: Remembered::default(),
        });
        Lab {
            premises,
            servers: servers.collect(),
            trees: Interned::new(),
            under_way: Interned::new(),
            destinations: Vec::new(),
            stores: Interned::new(),
            turns: Interned::new(),
            sessions: Remembered::default(),
            accounts: Remembered::default(),
            losses: Remembered::default(),
            copies: Remembered::default(),
            verdicts: Remembered::default(),
            minutes: Interned::new(),
            entries: Vec::new(),
            entries_made: 0,
        }
    }

    pub fn premises(&self) -> &'p Premises {
        self.premises
    }

    /// A server that nothing has happened to. `may_die`: one with a store.
    pub fn fresh_server(&mut self, server: ServerNumber, may_die: bool) -> Number {
        let memory = Server::new(self.premises.settings(server, may_die));
        let store = may_die.then(|| {
            let empty = self.stores.number(Durable::default());
            Stored { now: empty, before: empty }
        });
        let machine = self.machine(server);
        let number = machine.number(State { memory, store });
        if may_die {
            machine.newborn = Some(number);
        }
        number
    }

    /// Whether a server can die and anything is different then. `before_write`: because it has not written what it has done.
    pub fn may_die(&self, server: ServerNumber, state: Number, before_write: bool) -> bool {
        let machine = &self.servers[usize::from(server.0)];
        let store = machine.states.value(state).store;
        store.is_some_and(|store| !before_write || store.before != store.now) && machine.newborn != Some(state)
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
        // Asked in each step of a search: found beside one another, and not all over a table.
        let known = self.entries.get(minutes as usize).and_then(|of| of.iter().find(|entry| entry.turn == turn));
        if let Some(Entry { grown, is_suspect, .. }) = known {
            return (*grown, *is_suspect);
        }
        let number = self.premises.devices[device];
        let facts = self.turns.value(turn).facts.iter().filter(|(about, _)| *about == number);
        let seen: Vec<&What> = facts.map(|(_, what)| what).collect();
        let mut grown = self.minutes.value(minutes).clone();
        let is_suspect = grown.add(&seen, self.premises.policy);
        let grown = self.minutes.number(grown);
        if self.entries.len() < self.minutes.len() {
            self.entries.resize_with(self.minutes.len(), SmallVec::new);
        }
        self.entries[minutes as usize].push(Entry { turn, grown, is_suspect });
        self.entries_made += 1;
        (grown, is_suspect)
    }

    pub fn minutes(&self, minutes: Number) -> &Minutes {
        self.minutes.value(minutes)
    }

    pub fn server(&self, server: ServerNumber, state: Number) -> &Server {
        &self.servers[usize::from(server.0)].states.value(state).memory
    }

    pub fn tree(&self, tree: Number) -> &Tree {
        self.trees.value(tree)
    }

    pub fn under_way(&self, number: Number) -> &UnderWay {
        self.under_way.value(number)
    }

    /// Where something under way arrives.
    pub fn destination(&self, number: Number) -> Destination {
        self.destinations[number as usize]
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
        let machine = &self.servers[usize::from(server.0)];
        if let Some(older) = machine.older.get(&(state, by)) {
            return *older;
        }
        let mut aged = machine.states.value(state).clone();
        aged.memory.age(by);
        if let Some(Stored { now, before }) = &mut aged.store {
            for store in [now, before] {
                let mut older = self.stores.value(*store).clone();
                older.age(by);
                *store = self.stores.number(older);
            }
        }
        let machine = self.machine(server);
        let older = machine.number(aged);
        machine.older.insert((state, by), older);
        older
    }

    /// The server after what has happened to it, and the turn.
    pub fn serve(&mut self, server: ServerNumber, state: Number, occasion: Occasion) -> (Number, Number) {
        if let Some(known) = self.machine(server).turns.get(&(state, occasion)) {
            return *known;
        }
        let State { memory: mut machine, mut store } = self.machine(server).states.value(state).clone();
        let mut turn = match occasion {
            Occasion::Arrival(number) => {
                let what = self.under_way.value(number).clone();
                Making::of_arrival(server, &mut machine, what, self.premises)
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
            Occasion::Death { before_write } => match &mut store {
                None => Making::default(),
                Some(store) => {
                    if before_write {
                        store.now = store.before;
                    }
                    Making::of_death(server, &mut machine, self.stores.value(store.now), self.premises)
                }
            },
        };
        let wind_down = self.premises.parties.server(server).wind_down;
        let breaks = in_a_turn::broken(server, &turn.facts, &machine, wind_down);
        if let Some(store) = &mut store {
            *store = self.write(*store, std::mem::take(&mut turn.writes));
        }
        let turn = self.keep(turn, breaks);
        let machines = self.machine(server);
        let result = (machines.number(State { memory: machine, store }), turn);
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
            errand @ UnderWay::Errand { .. } => at_device::hold_session(self.premises, &mut changed, errand, breaks_in),
            UnderWay::Fetch { device, from, of } if breaks_in.is_none() => {
                Some(at_device::bootstrap(self.premises, &mut changed, device, from, of))
            }
            _ => None,
        };
        let result = turn.map(|turn| {
            let turn = self.keep(turn, None);
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
        let lost = lost.map(|left| left.map(|left| self.number(left)));
        self.losses.insert(what, lost);
        lost
    }

    /// Something a second time; see [`UnderWay::copy`].
    pub fn copy(&mut self, what: Number) -> Option<Number> {
        if let Some(known) = self.copies.get(&what) {
            return *known;
        }
        let copy = self.under_way.value(what).copy();
        let copy = copy.map(|copy| self.number(copy));
        self.copies.insert(what, copy);
        copy
    }

    /// What is left of something when this server has died: its messages go on, and nobody waits for what is answered.
    pub fn forsaken(&mut self, what: Number, by: ServerNumber) -> Option<Number> {
        match self.under_way.value(what) {
            gone if gone.goes_with(by) => None,
            UnderWay::Request { from, .. } if *from == by => self.copy(what),
            _ => Some(what),
        }
    }

    /// What is known of a world at rest: the promises that it breaks.
    pub fn verdict(&self, end: u128) -> Option<&[&'static str]> {
        self.verdicts.get(&end).map(Vec::as_slice)
    }

    pub fn forget_verdicts(&mut self) {
        self.verdicts.clear();
    }

    pub fn keep_verdict(&mut self, end: u128, promises: Vec<&'static str>) {
        self.verdicts.insert(end, promises);
    }

    /// How many octets all that has been worked out takes, about.
    pub fn octets(&self) -> u64 {
        // Measured over searches of a million worlds.
        const EACH: u64 = 240;
        self.size() as u64 * EACH
    }

    /// How much has been worked out, in things of all the kinds of which there are many.
    fn size(&self) -> usize {
        let of = |machine: &Machine| machine.states.len() + machine.turns.len() + machine.older.len();
        let of_servers: usize = self.servers.iter().map(of).sum();
        let remembered = self.sessions.len() + self.verdicts.len() + self.entries_made;
        of_servers
            + remembered
            + self.trees.len()
            + self.under_way.len()
            + self.stores.len()
            + self.turns.len()
            + self.minutes.len()
    }

    fn machine(&mut self, server: ServerNumber) -> &mut Machine {
        &mut self.servers[usize::from(server.0)]
    }

    /// A store after the writes of a turn.
    fn write(&mut self, store: Stored, images: Vec<Image>) -> Stored {
        let before = store.now;
        if images.is_empty() {
            return Stored { now: before, before };
        }
        let mut written = self.stores.value(before).clone();
        images.into_iter().for_each(|image| written.overwrite(image));
        let now = self.stores.number(written);
        // Who waits for writes has done nothing before them.
        Stored { now, before: if self.premises.policy.waits_for_writes() { now } else { before } }
    }

    fn number(&mut self, what: UnderWay) -> Number {
        let destination = what.destination();
        let number = self.under_way.number(what);
        if number as usize == self.destinations.len() {
            self.destinations.push(destination);
        }
        number
    }

    fn keep(&mut self, turn: Making, breaks: Option<&'static str>) -> Number {
        let sets_out = turn.sets_out.into_iter().map(|what| self.number(what)).collect();
        let ends = Ends::of(&turn.facts);
        self.turns.number(Turn { facts: turn.facts.into(), sets_out, ends, breaks })
    }
}

impl Machine {
    fn number(&mut self, state: State) -> Number {
        let deadline = state.memory.deadline();
        let number = self.states.number(state);
        if number as usize == self.deadlines.len() {
            self.deadlines.push(deadline);
        }
        number
    }
}
