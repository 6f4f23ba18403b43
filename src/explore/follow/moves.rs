//! What may be tried at a point on the way.

use super::Search;
use crate::explore::choice::Choice;
use crate::explore::lab::Lab;
use crate::explore::premises::{Premises, Wish};
use crate::explore::record::{Letter, Party, Place};
use crate::explore::under_way::UnderWay;
use crate::explore::world::World;
use crate::facts::What;
use crate::ids::ServerNumber;

/// Something that may be tried: choices that belong together, and what the device is known to have noted of a loss.
pub struct Move {
    pub choices: Vec<Choice>,
    /// What is only over HTTPS to be seen of it.
    pub noted: Vec<What>,
    /// What is likelier comes first.
    pub rank: u8,
}

impl Move {
    fn of(choices: Vec<Choice>, rank: u8) -> Move {
        Move { choices, noted: Vec::new(), rank }
    }
}

impl Search<'_> {
    /// Everything that may be tried, whether it agrees with the record or not.
    pub fn moves(&self, world: &World, place: &Place, lab: &mut Lab<'_>) -> Vec<Move> {
        let mut moves = Vec::new();
        let last = (world.under_way().len().max(1) - 1) as u8;
        for (at, number) in (0..).zip(world.under_way().to_vec()) {
            let may_arrive = world.may_arrive(at, lab);
            if may_arrive {
                moves.push(Move::of(vec![Choice::Arrives(at)], 1));
            }
            let what = lab.under_way(number).clone();
            match &what {
                UnderWay::Request { from, to, attempt, message, .. } => {
                    let letter =
                        Letter { from: *from, to: *to, kind: message.kind(), session: message.session().cloned() };
                    let (received, sent) = self.record.traffic_ahead(place, &letter);
                    let on_its_way = world.under_way().iter().filter(|one| is_letter(lab.under_way(**one), &letter));
                    let spare = (sent + on_its_way.count()).checked_sub(received);
                    if spare.is_none() {
                        moves.push(Move::of(vec![Choice::Doubles(at)], 0));
                    }
                    if self.record.is_given_up(place, &letter, *attempt) || self.record.is_unseen(*from) {
                        let is_lost = spare.is_some_and(|spare| spare > 0);
                        moves.push(Move::of(
                            vec![Choice::Loses(at), Choice::Arrives(last)],
                            if is_lost { 2 } else { 4 },
                        ));
                        moves.push(Move::of(vec![Choice::Expires(at), Choice::Arrives(last)], 3));
                    }
                }
                UnderWay::Outcome { at: sender, from, attempt, message, .. } => {
                    let (kind, session) = (message.kind(), message.session().cloned());
                    let letter = Letter { from: *sender, to: *from, kind, session };
                    let is_unseen = self.record.is_unseen(*sender);
                    if is_unseen || self.record.is_given_up(place, &letter, *attempt) {
                        let rank = if is_unseen { 4 } else { 2 };
                        moves.push(Move::of(vec![Choice::Loses(at), Choice::Arrives(last)], rank));
                    }
                }
                UnderWay::Errand { at: server, .. } => {
                    let is_unseen = self.record.is_unseen(*server);
                    if is_unseen || self.fails_next(place, *server) {
                        let rank = if is_unseen { 4 } else { 2 };
                        moves.push(Move::of(vec![Choice::Loses(at), Choice::Arrives(last)], rank));
                    }
                    if may_arrive && self.breaks_off(place, *server) {
                        moves.push(Move { noted: session(*server, false), ..Move::of(vec![Choice::Loses(at)], 2) });
                        let tree = world.trees()[0];
                        let rounds = (0..).take_while(|round| lab.attend(tree, number, Some(*round)).is_some());
                        moves.extend(rounds.map(|round| Move::of(vec![Choice::Breaks(at, round)], 3)));
                    }
                }
                UnderWay::Fetch { from, .. } => {
                    let noted = vec![What::Fetched { from: *from, ok: false }];
                    moves.push(Move { noted, ..Move::of(vec![Choice::Loses(at)], 2) });
                    moves.push(Move::of(vec![Choice::Loses(at)], 6));
                }
                UnderWay::Connection { with, .. } => {
                    moves.push(Move { noted: session(*with, false), ..Move::of(vec![Choice::Loses(at)], 2) });
                    moves.push(Move::of(vec![Choice::Loses(at)], 6));
                }
                UnderWay::Copy { .. } | UnderWay::Report { .. } => {}
            }
        }
        let wishes = (0..).zip(&lab.premises().wishes).filter(|(_, wish)| {
            if self.record.is_unseen(wish.at) {
                return is_on_journey(wish, lab.premises()) && self.hears_of(place, wish.at, wish.peer);
            }
            let next = self.record.next(place, &Party::Server(wish.at)).map(|next| &self.record.facts[next].what);
            matches!(next, Some(What::Wished { at, peer, flow }) if (*at, *peer, *flow) == (wish.at, wish.peer, wish.flow))
        });
        moves.extend(wishes.map(|(number, _)| Move::of(vec![Choice::Wishes(number)], 1)));
        // A device that was called once too often finds that nothing is wanted of it.
        let idle = (0..lab.premises().names.len() as u16).map(ServerNumber).filter(|with| self.is_idle(place, *with));
        moves.extend(idle.map(|with| Move { noted: session(with, true), ..Move::of(Vec::new(), 5) }));
        if world.has_timer(lab) {
            moves.push(Move::of(vec![Choice::TimePasses], 5));
        }
        moves
    }

    /// Whether a server that nobody sees is still to be heard of, by its peer or by the device.
    fn hears_of(&self, place: &Place, unseen: ServerNumber, peer: ServerNumber) -> bool {
        let (peer, device) = (Party::Server(peer), Party::Device);
        self.record.ahead(place, &peer).any(|what| matches!(what, What::Taken { from, .. } if *from == unseen))
            || self.record.ahead(place, &device).any(|what| what.server() == Some(unseen))
    }

    /// Whether the next thing at a server is that an errand has failed.
    fn fails_next(&self, place: &Place, server: ServerNumber) -> bool {
        let next = self.record.next(place, &Party::Server(server)).map(|next| &self.record.facts[next].what);
        matches!(next, Some(What::ErrandEnded { failure: Some(_), .. }))
    }

    /// Whether some session of the device with a server breaks off.
    fn breaks_off(&self, place: &Place, server: ServerNumber) -> bool {
        let mut ahead = self.record.ahead(place, &Party::Device);
        ahead.any(|what| *what == What::SessionEnded { with: server, in_order: false })
    }

    /// Whether the device's next session is one with this server in which nothing is done.
    fn is_idle(&self, place: &Place, with: ServerNumber) -> bool {
        self.record.ahead(place, &Party::Device).take(2).eq(&session(with, true))
    }
}

/// Whether the device's journey has this wish as one of its steps.
fn is_on_journey(wish: &Wish, premises: &Premises) -> bool {
    let journey = premises.parties.population.journey(premises.devices[wish.device]);
    journey.is_some_and(|journey| {
        let steps = journey.steps.iter().chain(journey.meanwhile.iter().map(|one| &one.wish));
        steps.filter(|step| step.flow() == Some(wish.flow)).any(|step| step.starter() == Some(wish.at))
    })
}

/// A session of the device in which nothing is done.
fn session(with: ServerNumber, in_order: bool) -> Vec<What> {
    vec![What::SessionOpened { with }, What::SessionEnded { with, in_order }]
}

fn is_letter(what: &UnderWay, letter: &Letter) -> bool {
    match what {
        UnderWay::Request { from, to, message, .. } | UnderWay::Copy { from, to, message, .. } => {
            (*from, *to, message.kind(), message.session())
                == (letter.from, letter.to, letter.kind, letter.session.as_ref())
        }
        _ => false,
    }
}
