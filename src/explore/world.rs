//! Devices and servers in virtual time: what is under way, what may happen next, and what comes of it. No IO, no dice:
//! whoever chooses decides everything.
//!
//! Time goes by only when somebody chooses that it does.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use crate::clock::Moment;
use crate::explore::choice::{Budget, Choice};
use crate::explore::lab::{Lab, Number, Occasion, Turn};
use crate::explore::under_way::Destination;
use crate::explore::undisturbed::{self, Ends, Undisturbed};
use crate::ids::ServerNumber;

/// How everything stands, by the numbers that a [`Lab`] gave out. A clone is another future.
#[derive(Debug, Clone)]
pub struct World {
    servers: SmallVec<[Number; 4]>,
    trees: SmallVec<[Number; 2]>,
    minutes: SmallVec<[Number; 2]>,
    /// In the order in which it set out.
    under_way: SmallVec<[Number; 8]>,
    left: Budget,
    /// What has come of the latest wish, while nothing has disturbed it. Worlds that differ in this alone count as one, so
    /// that there are no more of them for it: a way to one of them on which a wish is undisturbed may be left out.
    undisturbed: Option<Undisturbed>,
    /// How much time has gone by. Nothing that happens depends on it.
    now: Moment,
}

/// What a choice was followed by.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    /// Turns of a lab, in order.
    pub numbers: SmallVec<[Number; 4]>,
    /// Whether a promise about steps may have been broken by them.
    pub is_suspect: bool,
}

impl World {
    /// The world at its beginning, with nothing under way.
    pub fn new(lab: &mut Lab<'_>, budget: Budget) -> World {
        let premises = lab.premises();
        let servers = (0..).map(ServerNumber).take(premises.parties.servers.len());
        World {
            servers: servers.map(|server| lab.fresh_server(server, budget.deaths > 0)).collect(),
            trees: (0..premises.devices.len()).map(|device| lab.fresh_tree(device)).collect(),
            minutes: (0..premises.devices.len()).map(|device| lab.fresh_minutes(device)).collect(),
            under_way: SmallVec::new(),
            left: budget,
            undisturbed: None,
            now: Moment::ZERO,
        }
    }

    /// What may happen next, in an order that depends on what has happened alone: what set out first arrives first, then
    /// the time, then whatever the budget is still good for.
    pub fn choices(&self, lab: &mut Lab<'_>, choices: &mut Vec<Choice>) {
        choices.clear();
        let places = 0..self.under_way.len() as u8;
        let at_device = self.at_device(lab);
        let may_arrive = |place: &u8| at_device[usize::from(*place)] == 0;
        choices.extend(places.clone().filter(may_arrive).map(Choice::Arrives));
        if (self.under_way.is_empty() || self.left.early > 0) && self.next_timer(lab).is_some() {
            choices.push(Choice::TimePasses);
        }
        if self.left.wishes > 0 {
            choices.extend((0..lab.premises().wishes.len() as u8).map(Choice::Wishes));
        }
        if self.left.losses > 0 {
            for place in places.clone() {
                let what = self.under_way[usize::from(place)];
                if lab.lost(what).is_some() {
                    choices.push(Choice::Loses(place));
                }
                if let Destination::Session(device) = lab.destination(what)
                    && may_arrive(&place)
                {
                    let tree = self.trees[device];
                    let rounds = (0..).take_while(|round| lab.attend(tree, what, Some(*round)).is_some());
                    choices.extend(rounds.map(|round| Choice::Breaks(place, round)));
                }
            }
        }
        if self.left.copies > 0 {
            let doubles = places.filter(|place| lab.copy(self.under_way[usize::from(*place)]).is_some());
            choices.extend(doubles.map(Choice::Doubles));
        }
        if self.left.deaths > 0 {
            for server in (0..).map(ServerNumber).take(self.servers.len()) {
                let ways = [false, true].into_iter().filter(|before_write| self.may_die(server, *before_write, lab));
                choices.extend(ways.map(|before_write| Choice::Dies { server, before_write }));
            }
        }
    }

    /// Lets one thing happen, and tells what came of it. What cannot be lost, broken off or doubled arrives.
    pub fn take(&mut self, choice: Choice, lab: &mut Lab<'_>) -> Turns {
        let mut turns = Turns::default();
        match choice {
            Choice::TimePasses => self.pass_time(lab, &mut turns),
            Choice::Elapses(millis) => {
                if self.is_quiet_for(u64::from(millis), lab) {
                    self.elapse(Duration::from_millis(u64::from(millis)), lab);
                }
            }
            Choice::Wishes(number) => self.wish(usize::from(number), lab, &mut turns),
            Choice::Dies { server, before_write } => self.die(server, before_write, lab, &mut turns),
            Choice::Arrives(place)
            | Choice::Loses(place)
            | Choice::Breaks(place, _)
            | Choice::Doubles(place)
            | Choice::Expires(place) => {
                let may_be = matches!(choice, Choice::Loses(_) | Choice::Expires(_)) || self.may_arrive(place, lab);
                if usize::from(place) < self.under_way.len() && may_be {
                    let what = self.under_way.remove(usize::from(place));
                    self.befall(choice, what, lab, &mut turns);
                }
            }
        }
        turns.is_suspect |=
            self.undisturbed_at_rest(lab).is_some_and(|one| undisturbed::missed(one, self, lab).is_some());
        turns
    }

    /// Whether what has this place among what is under way can be the next to arrive.
    pub fn may_arrive(&self, place: u8, lab: &Lab<'_>) -> bool {
        self.at_device(lab).get(usize::from(place)) == Some(&0)
    }

    /// Whether this server may die and that makes a difference.
    pub fn may_die(&self, server: ServerNumber, before_write: bool, lab: &Lab<'_>) -> bool {
        let state = self.servers.get(usize::from(server.0));
        self.left.deaths > 0 && state.is_some_and(|state| lab.may_die(server, *state, before_write))
    }

    /// The places of what is not under way any more once this has been chosen, the last first.
    pub fn gone(&self, choice: Choice, lab: &Lab<'_>) -> SmallVec<[usize; 2]> {
        if let Choice::Dies { server, before_write } = choice
            && self.may_die(server, before_write, lab)
        {
            let goes = |place: &usize| lab.under_way(self.under_way[*place]).goes_with(server);
            return (0..self.under_way.len()).rev().filter(goes).collect();
        }
        choice.place().into_iter().collect()
    }

    /// Whether nothing happens any more by itself.
    pub fn is_at_rest(&self, lab: &Lab<'_>) -> bool {
        self.under_way.is_empty() && self.next_timer(lab).is_none()
    }

    /// The latest wish, where nothing has disturbed it and all has come to rest.
    pub fn undisturbed_at_rest(&self, lab: &Lab<'_>) -> Option<Undisturbed> {
        self.undisturbed.filter(|_| self.is_at_rest(lab))
    }

    /// Whether a timer will fire.
    pub fn has_timer(&self, lab: &Lab<'_>) -> bool {
        self.next_timer(lab).is_some()
    }

    /// Whether no timer fires within so many milliseconds.
    pub fn is_quiet_for(&self, millis: u64, lab: &Lab<'_>) -> bool {
        self.next_timer(lab).is_none_or(|timer| timer > Duration::from_millis(millis))
    }

    /// How many milliseconds it is until the next timer, rounded up; 0 without one.
    pub fn next_timer_in_millis(&self, lab: &Lab<'_>) -> u64 {
        self.next_timer(lab).map_or(0, |timer| timer.as_nanos().div_ceil(1_000_000) as u64)
    }

    /// As [`World::key`], whatever may still be chosen: what a world at rest has come to.
    pub fn end(&self, lab: &Lab<'_>) -> u128 {
        World { left: Budget::default(), ..self.clone() }.key(lab)
    }

    /// A number by which worlds that will go on alike are known: two that differ have the same one about never.
    pub fn key(&self, lab: &Lab<'_>) -> u128 {
        let mut under_way: SmallVec<[(Number, u8); 8]> =
            self.under_way.iter().copied().zip(self.at_device(lab)).collect();
        under_way.sort_unstable();
        let half = |seed: u64| {
            let mut hasher = FixedState::with_seed(seed).build_hasher();
            for number in self.servers.iter().chain(&self.trees).chain(&self.minutes) {
                hasher.write_u32(*number);
            }
            for (number, behind) in &under_way {
                hasher.write_u64(u64::from(*number) << 8 | u64::from(*behind));
            }
            let Budget { wishes, early, losses, copies, deaths } = self.left;
            hasher.write_u64(u64::from_le_bytes([wishes, early, losses, copies, deaths, 0, 0, 0]));
            hasher.finish()
        };
        u128::from(half(1)) << 64 | u128::from(half(2))
    }

    /// The state of a server.
    pub fn server(&self, server: ServerNumber) -> Number {
        self.servers[usize::from(server.0)]
    }

    /// The tree of each device.
    pub fn trees(&self) -> &[Number] {
        &self.trees
    }

    /// The minutes of each device.
    pub fn minutes(&self) -> &[Number] {
        &self.minutes
    }

    /// What is under way, in the order in which it set out.
    pub fn under_way(&self) -> &[Number] {
        &self.under_way
    }

    pub fn left(&self) -> Budget {
        self.left
    }

    /// How much time has gone by.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// For each thing under way, behind how much of what its device has set its mind on it stands. A device does one thing
    /// after the other: what it wants by itself when a session has ended, a document or a session of its own, comes before
    /// any call that reaches it later. A call that had set out by then may have been there before.
    pub fn at_device(&self, lab: &Lab<'_>) -> SmallVec<[u8; 8]> {
        let mut own: SmallVec<[u8; 2]> = SmallVec::from_elem(0, self.trees.len());
        let behind = |what: &Number| match lab.destination(*what) {
            Destination::Session(device) => own[device],
            Destination::Document(device) | Destination::Visit { device, .. } => {
                own[device] += 1;
                own[device] - 1
            }
            Destination::Server(_) => 0,
        };
        self.under_way.iter().map(behind).collect()
    }

    fn next_timer(&self, lab: &Lab<'_>) -> Option<Duration> {
        let servers = (0..).map(ServerNumber).zip(&self.servers);
        let deadline = servers.map(|(server, state)| lab.deadline(server, *state)).min()?;
        deadline.is_set().then(|| deadline - Moment::ZERO)
    }

    fn pass_time(&mut self, lab: &mut Lab<'_>, turns: &mut Turns) {
        let Some(until) = self.next_timer(lab) else { return };
        if !self.under_way.is_empty() {
            let Some(left) = self.left.early.checked_sub(1) else { return };
            self.left.early = left;
            self.undisturbed = None;
        }
        self.elapse(until, lab);
        for server in (0..).map(ServerNumber).take(self.servers.len()) {
            if lab.deadline(server, self.server(server)) <= Moment::ZERO {
                self.serve(server, Occasion::Wake, lab, turns);
            }
        }
    }

    fn elapse(&mut self, time: Duration, lab: &mut Lab<'_>) {
        self.now = self.now + time;
        for (server, state) in (0..).map(ServerNumber).zip(&mut self.servers) {
            *state = lab.older(server, *state, time);
        }
    }

    fn wish(&mut self, number: usize, lab: &mut Lab<'_>, turns: &mut Turns) {
        let Some(left) = self.left.wishes.checked_sub(1) else { return };
        let Some(wish) = lab.premises().wishes.get(number) else { return };
        self.left.wishes = left;
        let aim = self.is_at_rest(lab).then(|| undisturbed::aim(number, self, lab)).flatten();
        self.undisturbed = aim.map(|aim| Undisturbed { wish: number as u8, aim, ends: Ends::default() });
        if wish.has_agreement() {
            self.serve(wish.peer, Occasion::Wish(number), lab, turns);
        }
        self.serve(wish.at, Occasion::Wish(number), lab, turns);
    }

    /// A server is back as soon as it has died: that nobody was there for a while is as if what came then had been lost.
    fn die(&mut self, server: ServerNumber, before_write: bool, lab: &mut Lab<'_>, turns: &mut Turns) {
        if !self.may_die(server, before_write, lab) {
            return;
        }
        self.left.deaths -= 1;
        self.undisturbed = None;
        self.under_way = self.under_way.iter().filter_map(|what| lab.forsaken(*what, server)).collect();
        self.serve(server, Occasion::Death { before_write }, lab, turns);
    }

    fn befall(&mut self, choice: Choice, what: Number, lab: &mut Lab<'_>, turns: &mut Turns) {
        if !matches!(choice, Choice::Arrives(_)) {
            self.undisturbed = None;
        }
        match choice {
            Choice::Loses(_) if self.left.losses > 0 => match lab.lost(what) {
                Some(left) => {
                    self.left.losses -= 1;
                    self.under_way.extend(left);
                }
                None => self.arrive(what, None, lab, turns),
            },
            Choice::Breaks(_, round) if self.left.losses > 0 => {
                self.left.losses -= 1;
                self.arrive(what, Some(round), lab, turns);
            }
            Choice::Doubles(_) if self.left.copies > 0 => {
                self.left.copies -= 1;
                self.under_way.extend(lab.copy(what));
                self.arrive(what, None, lab, turns);
            }
            Choice::Expires(_) => {
                let given_up = lab.lost(what).flatten();
                self.under_way.extend(given_up);
                self.under_way.extend(lab.copy(what));
            }
            _ => self.arrive(what, None, lab, turns),
        }
    }

    fn arrive(&mut self, what: Number, breaks_in: Option<u8>, lab: &mut Lab<'_>, turns: &mut Turns) {
        match lab.destination(what) {
            Destination::Session(device) | Destination::Document(device) => {
                // A session that has no such round is not broken off.
                let broken_off = lab.attend(self.trees[device], what, breaks_in);
                if let Some((tree, turn)) = broken_off.or_else(|| lab.attend(self.trees[device], what, None)) {
                    self.trees[device] = tree;
                    self.follow(turn, lab, turns);
                }
            }
            Destination::Visit { device, with } => {
                if lab.has_account(self.trees[device], with) {
                    self.serve(with, Occasion::Arrival(what), lab, turns);
                }
            }
            Destination::Server(at) => self.serve(at, Occasion::Arrival(what), lab, turns),
        }
    }

    fn serve(&mut self, server: ServerNumber, occasion: Occasion, lab: &mut Lab<'_>, turns: &mut Turns) {
        let state = &mut self.servers[usize::from(server.0)];
        let (next, turn) = lab.serve(server, *state, occasion);
        *state = next;
        self.follow(turn, lab, turns);
    }

    /// What sets out in a turn is under way, and what was seen is put down.
    fn follow(&mut self, turn: Number, lab: &mut Lab<'_>, turns: &mut Turns) {
        self.under_way.extend_from_slice(&lab.turn(turn).sets_out);
        for (device, minutes) in self.minutes.iter_mut().enumerate() {
            let (grown, is_suspect) = lab.minute(*minutes, device, turn);
            *minutes = grown;
            turns.is_suspect |= is_suspect;
        }
        let Turn { ends, breaks, .. } = lab.turn(turn);
        turns.is_suspect |= breaks.is_some();
        if let Some(undisturbed) = &mut self.undisturbed {
            undisturbed.ends.add(*ends);
        }
        turns.numbers.push(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::premises::Premises;
    use crate::explore::under_way::UnderWay;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    /// The client does one thing after the other: a call that reaches it while it waits for its document waits as well.
    #[test]
    fn a_device_does_what_it_has_set_its_mind_on_before_it_takes_later_calls() {
        let scenario = parse("quickstart", QUICKSTART, &Overrides::default()).expect("a scenario");
        let premises = &Premises::of(&scenario, 1)[0];
        let by_url = premises.wishes.iter().position(|wish| wish.flow.to_string() == "delegate.url").expect("a wish");
        let mut lab = Lab::new(premises);
        let mut world = World::new(&mut lab, Budget { wishes: 1, early: 1, losses: 1, ..Budget::default() });
        world.take(Choice::Wishes(by_url as u8), &mut lab);
        let is_fetch = |world: &World, lab: &Lab<'_>, place: usize| {
            world.under_way().get(place).is_some_and(|what| matches!(lab.under_way(*what), UnderWay::Fetch { .. }))
        };
        // Whatever sets out arrives at once, but the document.
        while !(is_fetch(&world, &lab, 0) && world.under_way().len() == 1) {
            world.take(Choice::Arrives(u8::from(is_fetch(&world, &lab, 0))), &mut lab);
        }
        world.take(Choice::TimePasses, &mut lab);
        let is_call = |what: &Number| matches!(lab.under_way(*what), UnderWay::Errand { .. });
        let call = world.under_way().iter().position(is_call).expect("the undoing of the URL") as u8;
        let mut choices = Vec::new();
        world.choices(&mut lab, &mut choices);
        assert!(choices.contains(&Choice::Arrives(0)) && choices.contains(&Choice::Loses(call)), "{choices:?}");
        assert!(
            !choices.contains(&Choice::Arrives(call)) && !choices.contains(&Choice::Breaks(call, 0)),
            "{choices:?}"
        );
        let before = world.key(&lab);
        world.take(Choice::Arrives(call), &mut lab);
        assert_eq!(world.key(&lab), before, "a choice that is not open changes nothing");
        world.take(Choice::Arrives(0), &mut lab);
        assert!(world.may_arrive(call - 1, &lab), "{:?}", world.under_way());
    }
}
