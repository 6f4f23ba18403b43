//! What was seen of a device over HTTPS, followed through virtual time: the way on which the machines, given the same,
//! do the same.
//!
//! At each point everybody's next recorded fact says which choices are open: what a choice brings about has to be just
//! that. Where several are, the one that was recorded first is tried first, and when it leads nowhere the others are. Of a
//! server that is somebody else's nothing was recorded: it is taken to do what ours would, as far as that agrees with what
//! everybody else has recorded.

use std::collections::BTreeSet;
use std::vec::IntoIter;

use self::moves::Move;
use crate::clock::Moment;
use crate::explore::as_ours::named_as_ours;
use crate::explore::choice::Choice;
use crate::explore::judge;
use crate::explore::lab::Lab;
use crate::explore::plan::{Named, UNBOUNDED};
use crate::explore::record::{Apart, Place, Record};
use crate::explore::trail::{Trail, Walked};
use crate::explore::wording;
use crate::explore::world::World;
use crate::facts::{Fact, What};
use crate::ids::DeviceNumber;
use crate::measure::promise::Breach;

/// More steps than these are not tried.
pub const MOST_STEPS: u64 = 40_000;

/// What came of following a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Following {
    /// The machines did the same.
    Done(Way),
    /// There is something in the record that they do not do.
    Stuck(Box<Stuck>),
}

/// A way on which everything came about that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    pub trail: Trail,
    /// How many facts are the same.
    pub facts: usize,
    /// How many more would have followed: the run was over before everybody had come to rest.
    pub beyond: usize,
}

/// Where the record and the machines part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// How many facts were the same on the way that led farthest.
    pub followed: usize,
    pub of: usize,
    /// The recorded fact that could not be followed; its index in the record.
    pub fact: usize,
    /// What might have happened instead there, what comes nearest first.
    pub instead: Vec<Instead>,
    /// How many steps were tried.
    pub tried: u64,
    /// Whether not everything was tried that could have been.
    pub ran_out: bool,
}

/// Something that might have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instead {
    /// What was chosen, in words.
    pub choice: String,
    /// What it would have brought about.
    pub facts: Vec<What>,
    /// How many of these agree with the record before the first that does not.
    pub agrees: usize,
}

/// How time goes by on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Only with timers: such a way is the easiest to retell.
    Timers,
    /// As recorded, so that the timer that was started first fires first.
    Recorded,
}

/// Follows what was recorded of the one device of these premises.
pub fn follow(lab: &mut Lab<'_>, facts: &[Fact]) -> Following {
    let facts = named_as_ours(lab.premises(), facts);
    let record = Record::new(lab.premises(), &facts);
    let mut search = |pace| Search { record: &record, pace, tried: 0, farthest: None }.go(lab);
    match search(Pace::Timers) {
        Following::Stuck(first) => match search(Pace::Recorded) {
            Following::Stuck(second) if second.followed > first.followed => Following::Stuck(second),
            Following::Stuck(_) => Following::Stuck(first),
            done => done,
        },
        done => done,
    }
}

/// The end of a way, and what it breaks.
pub fn judged(lab: &mut Lab<'_>, way: &Way) -> (Walked, Vec<Breach>) {
    let walked = Walked::along(lab, UNBOUNDED, &way.trail);
    let breaches = judge::in_the_end(&walked, lab);
    (walked, breaches)
}

struct Search<'r> {
    record: &'r Record<'r>,
    pace: Pace,
    tried: u64,
    farthest: Option<(Trail, World, Place)>,
}

/// A move that agrees with the record.
struct Step {
    choices: Vec<Choice>,
    world: World,
    place: Place,
}

/// A point on the way, and what is still to be tried there.
struct Point {
    steps: IntoIter<Step>,
    behind: usize,
    /// How many facts have been found.
    found: usize,
    /// How many steps led here of which nothing was recorded.
    unseen: usize,
}

/// Nothing is recorded of what somebody else's server does for itself. It does not do more than so much before something is.
const MOST_UNSEEN: usize = 16;

impl Search<'_> {
    fn go(mut self, lab: &mut Lab<'_>) -> Following {
        let world = World::new(lab, UNBOUNDED);
        let place = self.record.beginning();
        let mut seen: BTreeSet<(u128, Place)> = BTreeSet::new();
        let mut trail = Trail::new();
        let mut over_early: Option<Way> = None;
        let most_unseen = if lab.premises().unseen.is_empty() { usize::MAX } else { MOST_UNSEEN };
        self.farthest = Some((trail.clone(), world.clone(), place.clone()));
        let mut points =
            vec![Point { steps: self.steps(&world, &place, lab).into_iter(), behind: 0, found: 0, unseen: 0 }];
        while let Some(point) = points.last_mut() {
            let Some(Step { choices, world, place }) = point.steps.next() else {
                points.pop();
                continue;
            };
            if self.tried >= MOST_STEPS {
                break;
            }
            trail.truncate(point.behind);
            trail.extend(choices);
            let unseen = if place.found() > point.found { 0 } else { point.unseen + 1 };
            if unseen > most_unseen || !seen.insert((world.key(lab), place.clone())) {
                continue;
            }
            self.tried += 1;
            if self.farthest.as_ref().is_none_or(|(_, _, farthest)| place.found() > farthest.found()) {
                self.farthest = Some((trail.clone(), world.clone(), place.clone()));
            }
            if self.record.is_end(&place) {
                let way = self.to_rest(&trail, lab);
                if way.beyond == 0 {
                    return Following::Done(way);
                }
                over_early.get_or_insert(way);
                continue;
            }
            let (steps, found) = (self.steps(&world, &place, lab).into_iter(), place.found());
            points.push(Point { steps, behind: trail.len(), found, unseen });
        }
        match over_early {
            Some(way) => Following::Done(way),
            None => Following::Stuck(Box::new(self.stuck(!points.is_empty(), lab))),
        }
    }

    /// The moves that agree with the record, what was recorded first before the rest.
    fn steps(&self, world: &World, place: &Place, lab: &mut Lab<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        for one in self.moves(world, place, lab) {
            let (noted_at, agrees) = match self.outcome(world, place, &one, lab).1 {
                Ok((_, noted_at)) => (noted_at, true),
                Err(apart) => (apart.first, false),
            };
            // What a machine does may depend on how much time has gone by.
            let wait = self.wait(world, noted_at, &one, lab);
            if !agrees && wait.is_none() {
                continue;
            }
            let mut before = world.clone();
            if let Some(wait) = wait {
                before.take(wait, lab);
            }
            let (after, found) = self.outcome(&before, place, &one, lab);
            if let Ok((place, _)) = found {
                let choices = wait.into_iter().chain(one.choices).collect();
                let order = (noted_at.unwrap_or(Moment::NEVER), one.rank);
                steps.push((order, Step { choices, world: after, place }));
            }
        }
        steps.sort_by_key(|(order, _)| *order);
        steps.into_iter().map(|(_, step)| step).collect()
    }

    /// Where a move leads, and whether it agrees with the record.
    fn outcome(
        &self,
        world: &World,
        place: &Place,
        one: &Move,
        lab: &mut Lab<'_>,
    ) -> (World, Result<(Place, Option<Moment>), Apart>) {
        let (world, facts) = came_of(world, one, lab);
        let found = self.record.find(place, &facts);
        (world, found)
    }

    /// How much time has to go by before a move, so that it comes when it was recorded.
    fn wait(&self, world: &World, noted_at: Option<Moment>, one: &Move, lab: &Lab<'_>) -> Option<Choice> {
        if self.pace == Pace::Timers || one.choices.contains(&Choice::TimePasses) {
            return None;
        }
        let millis = u64::try_from((noted_at? - world.now()).as_millis()).unwrap_or(u64::MAX);
        let most = if world.has_timer(lab) { world.next_timer_in_millis(lab).saturating_sub(1) } else { u64::MAX };
        let millis = u32::try_from(millis.min(most)).unwrap_or(u32::MAX);
        (millis > 0).then_some(Choice::Elapses(millis))
    }

    /// Everything has been found: what is still under way must bring about nothing more.
    fn to_rest(&self, trail: &Trail, lab: &mut Lab<'_>) -> Way {
        let noted = |walked: &Walked| walked.facts[0].iter().filter(|fact| self.record.is_noted(&fact.what)).count();
        let mut ways = [false, true].map(|loses| {
            let mut trail = trail.clone();
            let mut walked = Walked::along(lab, UNBOUNDED, &trail);
            let seen = noted(&walked);
            while !walked.world.is_at_rest(lab) && trail.len() < MOST_CHOICES {
                let first = walked.world.under_way().first().copied();
                let choice = match first {
                    None => Choice::TimePasses,
                    Some(what) if loses && lab.lost(what).is_some() => Choice::Loses(0),
                    Some(_) => Choice::Arrives(0),
                };
                walked.take(choice, lab);
                trail.push(choice);
            }
            Way { trail, facts: self.record.len(), beyond: noted(&walked) - seen }
        });
        ways.sort_by_key(|way| way.beyond);
        let [best, _] = ways;
        best
    }

    fn stuck(&self, ran_out: bool, lab: &mut Lab<'_>) -> Stuck {
        let (trail, world, place) = self.farthest.clone().expect("the beginning at least");
        let named = names(&trail, lab);
        let mut instead = Vec::new();
        let mut nearest: Option<Apart> = None;
        for one in self.moves(&world, &place, lab) {
            let (_, facts) = came_of(&world, &one, lab);
            let Err(apart) = self.record.find(&place, &facts) else { continue };
            let choice = in_words(&one, &named, lab);
            let facts = facts.into_iter().map(|(_, what)| what).collect();
            instead.push(Instead { choice, facts, agrees: apart.agrees });
            if nearest.as_ref().is_none_or(|nearest| apart.agrees > nearest.agrees) {
                nearest = Some(apart);
            }
        }
        instead.sort_by_key(|one| std::cmp::Reverse(one.agrees));
        instead.dedup();
        let next = self.record.all_next(&place);
        // Where a move agreed with the record for a while, it is the fact that stands in the place of the first that did
        // not; where none does, something else that left the same server.
        let in_its_place = nearest.filter(|apart| apart.agrees > 0).and_then(|apart| {
            let is_alike = |index: &&usize| {
                let recorded = &self.record.facts[**index].what;
                matches!(recorded, What::Sent { .. }) && recorded.server() == apart.what.server()
            };
            apart.recorded.or_else(|| next.iter().find(is_alike).copied())
        });
        let fact = in_its_place.or_else(|| next.first().copied());
        Stuck {
            followed: place.found(),
            of: self.record.len(),
            fact: fact.unwrap_or_default(),
            instead,
            tried: self.tried,
            ran_out,
        }
    }
}

/// A way that would go on for ever is not worth going on with.
const MOST_CHOICES: usize = 5_000;

/// Where a move leads, and what it brings about.
fn came_of(world: &World, one: &Move, lab: &mut Lab<'_>) -> (World, Vec<(DeviceNumber, What)>) {
    let mut world = world.clone();
    let device = lab.premises().devices[0];
    let mut facts: Vec<(DeviceNumber, What)> = one.noted.iter().map(|what| (device, what.clone())).collect();
    for choice in &one.choices {
        let turns = world.take(*choice, lab);
        facts.extend(turns.numbers.iter().flat_map(|turn| lab.turn(*turn).facts.to_vec()));
    }
    (world, facts)
}

/// The names of what is under way at the end of a way.
fn names(trail: &Trail, lab: &mut Lab<'_>) -> Named {
    let (mut walked, mut named) = (Walked::new(lab, UNBOUNDED), Named::default());
    for choice in trail {
        named.before(*choice, &walked, lab);
        walked.take(*choice, lab);
        named.after(&walked, lab);
    }
    named
}

fn in_words(one: &Move, named: &Named, lab: &Lab<'_>) -> String {
    let premises = lab.premises();
    let thing = |place: u8| {
        named.under_way.get(usize::from(place)).map_or_else(String::new, |event| wording::event(event, premises))
    };
    let Some(choice) = one.choices.first() else { return "the device is called for nothing".to_owned() };
    match *choice {
        Choice::Arrives(place) => format!("{} arrives", thing(place)),
        Choice::Loses(place) => format!("{} is lost", thing(place)),
        Choice::Breaks(place, round) => format!("{} breaks off in round {round}", thing(place)),
        Choice::Doubles(place) => format!("{} comes twice", thing(place)),
        Choice::Expires(place) => format!("{} is given up and comes late", thing(place)),
        Choice::TimePasses => "the next timer fires".to_owned(),
        Choice::Wishes(wish) => format!("the wish `{}`", wording::step(usize::from(wish), premises)),
        Choice::Elapses(_) => "time goes by".to_owned(),
        Choice::Dies { server, .. } => format!("{} dies", premises.names[usize::from(server.0)]),
    }
}

mod moves;
#[cfg(test)]
mod tests;
