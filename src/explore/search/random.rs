//! One way at a time, drawn at random: by a walk, by priorities of channels or of messages, or by latencies.
//!
//! Priorities are those of probabilistic concurrency testing: whatever has the highest goes first, and at a few random
//! moments the highest becomes the lowest. A bug that needs an order of d things is found with a probability that does not
//! depend on how many other orders there are.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::explore::choice::{Budget, Choice};
use crate::explore::event::Thing;
use crate::explore::lab::Lab;
use crate::explore::plan::UNBOUNDED;
use crate::explore::search::{Breaking, verdict};
use crate::explore::trail::Trail;
use crate::explore::under_way::UnderWay;
use crate::explore::world::World;
use crate::ids::ServerNumber;
use crate::seed::Seed;

/// How ways are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// Whatever is possible is as likely as anything else; what does not happen by itself is rarer.
    Walk,
    /// Each pair of parties has a priority, which changes so often.
    Channels { changes: u8 },
    /// Each thing that sets out has one.
    Messages { changes: u8 },
    /// Each thing takes its time, and timers fire by the clock.
    Latencies,
}

impl Strategy {
    /// In the order in which they take turns.
    pub const ALL: [Strategy; 7] = [
        Strategy::Channels { changes: 1 },
        Strategy::Messages { changes: 1 },
        Strategy::Walk,
        Strategy::Channels { changes: 3 },
        Strategy::Messages { changes: 3 },
        Strategy::Latencies,
        Strategy::Messages { changes: 5 },
    ];

    /// Its name in reports.
    pub fn name(self) -> String {
        match self {
            Strategy::Walk => "random walk".to_owned(),
            Strategy::Channels { changes } => format!("channels by priority, {changes} changes"),
            Strategy::Messages { changes } => format!("messages by priority, {changes} changes"),
            Strategy::Latencies => "latencies".to_owned(),
        }
    }
}

/// What has come of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub budget: Budget,
    pub steps: u64,
    /// Whether a turn on it was suspect.
    pub was_suspect: bool,
    /// Which goals it reached, where its story was looked at.
    pub goals: u64,
    pub breaking: Option<Breaking>,
}

/// Goes one way, to its end.
pub fn run(lab: &mut Lab<'_>, strategy: Strategy, seed: Seed, number: u64) -> Ran {
    run_within(lab, strategy, seed, number, Budget { deaths: u8::MAX, ..UNBOUNDED }).0
}

/// Goes one way, to its end, on which there is no more of anything than this; and the way.
pub fn run_within(lab: &mut Lab<'_>, strategy: Strategy, seed: Seed, number: u64, most: Budget) -> (Ran, Trail) {
    let mut dice = seed.stream(&strategy.name(), number);
    let budget = budget(&mut dice).at_most(most);
    let mut way = Way {
        world: World::new(lab, budget),
        trail: Trail::new(),
        ranks: Vec::new(),
        mishaps: mishaps(&mut dice, budget.losses + budget.copies),
        deaths: mishaps(&mut dice, budget.deaths),
        is_its_own: false,
        clock: 0,
        next_wish: 0,
        changes: Vec::new(),
        channels: Vec::new(),
        dice,
        strategy,
    };
    way.plan_changes();
    let mut was_suspect = false;
    // No way is so long; one that does not come to rest is cut, and not judged.
    const MOST_STEPS: usize = 2_000;
    while way.trail.len() < MOST_STEPS {
        let Some(choice) = way.next(lab) else { break };
        was_suspect |= way.take(choice, lab);
    }
    let mut goals = 0;
    let is_at_rest = way.world.is_at_rest(lab);
    let is_its_own = was_suspect || way.is_its_own;
    let promises =
        if is_at_rest { verdict::of(lab, &way.world, budget, &way.trail, is_its_own, &mut goals) } else { Vec::new() };
    let breaking = (!promises.is_empty()).then(|| Breaking { trail: way.trail.clone(), promises });
    (Ran { budget, steps: way.trail.len() as u64, was_suspect, goals, breaking }, way.trail)
}

/// One to three wishes, and up to two of everything that goes wrong.
fn budget(dice: &mut ChaCha8Rng) -> Budget {
    Budget {
        wishes: dice.random_range(1..=3),
        early: dice.random_range(0..=2),
        losses: dice.random_range(0..=2),
        copies: dice.random_range(0..=1),
        // Machines with stores are slower: they have their share of the ways, and not half of them.
        deaths: u8::from(dice.random_bool(0.25)),
    }
}

/// At which steps something goes wrong, if something can then.
fn mishaps(dice: &mut ChaCha8Rng, many: u8) -> Vec<usize> {
    (0..many).map(|_| dice.random_range(0..TYPICAL_LENGTH)).collect()
}

/// How long most ways are.
const TYPICAL_LENGTH: usize = 60;

struct Way {
    world: World,
    trail: Trail,
    /// For each thing under way: its priority, or when it arrives (in milliseconds).
    ranks: Vec<u64>,
    mishaps: Vec<usize>,
    /// At which steps somebody dies.
    deaths: Vec<usize>,
    /// Whether more depends on its story than the world tells that it ends in: how long ago a server died, and whether a
    /// device has been back since it could not be reached.
    is_its_own: bool,
    clock: u64,
    next_wish: u64,
    /// The steps at which the highest priority becomes the lowest.
    changes: Vec<usize>,
    channels: Vec<(Channel, u64)>,
    dice: ChaCha8Rng,
    strategy: Strategy,
}

/// What has a priority of its own among channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Between(ServerNumber, ServerNumber),
    Device(ServerNumber),
    Bootstrap,
    Timers,
    Operators,
}

impl Way {
    fn plan_changes(&mut self) {
        let many = match self.strategy {
            Strategy::Channels { changes } | Strategy::Messages { changes } => changes,
            Strategy::Walk | Strategy::Latencies => 0,
        };
        self.changes = (0..many).map(|_| self.dice.random_range(0..TYPICAL_LENGTH)).collect();
    }

    fn take(&mut self, choice: Choice, lab: &mut Lab<'_>) -> bool {
        self.is_its_own |= match choice {
            Choice::Dies { .. } | Choice::Breaks(..) => true,
            Choice::Loses(place) => {
                let what = self.world.under_way().get(usize::from(place));
                what.is_some_and(|what| matches!(lab.under_way(*what), UnderWay::Errand { .. }))
            }
            _ => false,
        };
        for place in self.world.gone(choice, lab) {
            self.ranks.remove(place);
        }
        let is_suspect = self.world.take(choice, lab).is_suspect;
        self.trail.push(choice);
        for _ in self.ranks.len()..self.world.under_way().len() {
            let rank = match self.strategy {
                Strategy::Latencies => self.clock + self.latency(),
                _ => self.dice.random_range(FIRST_RANK..u64::MAX),
            };
            self.ranks.push(rank);
        }
        is_suspect
    }

    fn next(&mut self, lab: &mut Lab<'_>) -> Option<Choice> {
        let death = self.death(lab);
        if death.is_some() {
            return death;
        }
        if self.world.is_at_rest(lab) {
            return self.wish(lab);
        }
        let mishap = self.mishap(lab);
        if mishap.is_some() {
            return mishap;
        }
        match self.strategy {
            Strategy::Walk => self.walk(lab),
            Strategy::Channels { .. } | Strategy::Messages { .. } => self.by_priority(lab),
            Strategy::Latencies => self.by_latency(lab),
        }
    }

    fn wish(&mut self, lab: &Lab<'_>) -> Option<Choice> {
        let wishes = lab.premises().wishes.len();
        (self.world.left().wishes > 0 && wishes > 0).then(|| Choice::Wishes(self.dice.random_range(0..wishes) as u8))
    }

    /// Somebody dies, where it is the moment for it and anybody can.
    fn death(&mut self, lab: &Lab<'_>) -> Option<Choice> {
        let due = self.deaths.iter().position(|at| *at <= self.trail.len())?;
        let servers = (0..).map(ServerNumber).take(lab.premises().parties.servers.len());
        let ways = servers.flat_map(|server| [false, true].map(|before_write| (server, before_write)));
        let open: Vec<(ServerNumber, bool)> =
            ways.filter(|(server, before_write)| self.world.may_die(*server, *before_write, lab)).collect();
        if open.is_empty() {
            return None;
        }
        self.deaths.swap_remove(due);
        let (server, before_write) = open[self.dice.random_range(0..open.len())];
        Some(Choice::Dies { server, before_write })
    }

    /// Something that goes wrong with something under way, where it is the moment for it.
    fn mishap(&mut self, lab: &mut Lab<'_>) -> Option<Choice> {
        let step = self.trail.len();
        let due = self.mishaps.iter().position(|at| *at <= step)?;
        let many = self.world.under_way().len();
        if many == 0 {
            return None;
        }
        self.mishaps.swap_remove(due);
        let place = self.dice.random_range(0..many) as u8;
        if !self.world.may_arrive(place, lab) {
            return None;
        }
        let what = self.world.under_way()[usize::from(place)];
        let left = self.world.left();
        if left.copies > 0 && (left.losses == 0 || self.dice.random_bool(0.5)) && lab.copy(what).is_some() {
            return Some(Choice::Doubles(place));
        }
        if left.losses == 0 {
            return None;
        }
        if let UnderWay::Errand { device, .. } = *lab.under_way(what)
            && self.dice.random_bool(0.5)
        {
            let round = self.dice.random_range(0..3);
            let breaks = lab.attend(self.world.trees()[device], what, Some(round)).is_some();
            return breaks.then_some(Choice::Breaks(place, round));
        }
        lab.lost(what).is_some().then_some(Choice::Loses(place))
    }

    fn walk(&mut self, lab: &mut Lab<'_>) -> Option<Choice> {
        const RARE: f64 = 0.08;
        let many = self.world.under_way().len();
        if many == 0 || (self.world.left().early > 0 && self.dice.random_bool(RARE) && self.world.has_timer(lab)) {
            return Some(Choice::TimePasses);
        }
        if self.dice.random_bool(RARE)
            && let Some(wish) = self.wish(lab)
        {
            return Some(wish);
        }
        let place = self.dice.random_range(0..many) as u8;
        // What cannot come yet makes room for what came to the same party before it.
        let place = (0..=place).rev().find(|place| self.world.may_arrive(*place, lab)).unwrap_or_default();
        Some(Choice::Arrives(place))
    }

    fn by_priority(&mut self, lab: &mut Lab<'_>) -> Option<Choice> {
        let mut best: Option<(u64, Choice, Option<Channel>)> = None;
        let mut offer = |rank: u64, choice: Choice, channel: Option<Channel>| {
            if best.is_none_or(|(highest, ..)| rank > highest) {
                best = Some((rank, choice, channel));
            }
        };
        for place in 0..self.world.under_way().len() {
            let choice = Choice::Arrives(place as u8);
            if !self.world.may_arrive(place as u8, lab) {
                continue;
            }
            if let Strategy::Channels { .. } = self.strategy {
                let channel = Channel::of(lab.under_way(self.world.under_way()[place]));
                offer(self.rank_of(channel), choice, Some(channel));
            } else {
                offer(self.ranks[place], choice, None);
            }
        }
        let may_be_early = self.world.left().early > 0 || self.world.under_way().is_empty();
        if may_be_early && self.world.has_timer(lab) {
            offer(self.rank_of(Channel::Timers), Choice::TimePasses, Some(Channel::Timers));
        }
        if self.world.left().wishes > 0 {
            let rank = self.rank_of(Channel::Operators);
            if let Some(wish) = self.wish(lab) {
                offer(rank, wish, Some(Channel::Operators));
            }
        }
        let (_, choice, channel) = best?;
        let step = self.trail.len();
        if self.changes.contains(&step) {
            // From now on whatever was to come first comes last.
            self.changes.retain(|change| *change != step);
            let lowest = step as u64;
            match (channel, choice) {
                (Some(channel), _) => self.set_rank(channel, lowest),
                (None, Choice::Arrives(place)) => self.ranks[usize::from(place)] = lowest,
                _ => {}
            }
            return self.by_priority(lab);
        }
        if matches!(choice, Choice::Wishes(_)) {
            // The next wish is another one's.
            let rank = self.dice.random_range(FIRST_RANK..u64::MAX);
            self.set_rank(Channel::Operators, rank);
        }
        Some(choice)
    }

    fn rank_of(&mut self, channel: Channel) -> u64 {
        if let Some((_, rank)) = self.channels.iter().find(|(known, _)| *known == channel) {
            return *rank;
        }
        let rank = self.dice.random_range(FIRST_RANK..u64::MAX);
        self.channels.push((channel, rank));
        rank
    }

    fn set_rank(&mut self, channel: Channel, rank: u64) {
        self.channels.retain(|(known, _)| *known != channel);
        self.channels.push((channel, rank));
    }

    fn by_latency(&mut self, lab: &mut Lab<'_>) -> Option<Choice> {
        let may_arrive = |place: usize| self.world.may_arrive(place as u8, lab);
        let ranks = self.ranks.iter().enumerate().filter(|(place, _)| may_arrive(*place));
        let first = ranks.min_by_key(|(place, at)| (**at, *place));
        let (place, arrives_at) = first.map_or((None, u64::MAX), |(place, at)| (Some(place as u8), *at));
        if self.world.left().wishes > 0 && self.next_wish <= arrives_at {
            let wait = self.next_wish.saturating_sub(self.clock);
            if wait == 0 || !self.world.is_quiet_for(wait, lab) {
                self.next_wish = self.clock + 50 * self.dice.random_range(0..400);
                return self.wish(lab);
            }
            self.clock += wait;
            return Some(Choice::Elapses(wait as u32));
        }
        let Some(place) = place else { return Some(Choice::TimePasses) };
        let wait = arrives_at.saturating_sub(self.clock);
        if wait == 0 {
            return Some(Choice::Arrives(place));
        }
        if self.world.is_quiet_for(wait, lab) {
            self.clock += wait;
            return Some(Choice::Elapses(wait as u32));
        }
        if self.world.left().early > 0 {
            self.clock += self.world.next_timer_in_millis(lab);
            return Some(Choice::TimePasses);
        }
        // The timer would be early: what is under way comes in time.
        Some(Choice::Arrives(place))
    }

    /// Most things take little, some take long, in steps that are coarse so that ages repeat.
    fn latency(&mut self) -> u64 {
        const STEPS: [u64; 8] = [50, 50, 50, 100, 100, 500, 2_000, 20_000];
        STEPS[self.dice.random_range(0..STEPS.len())]
    }
}

/// Lower ones are for what has been put back.
const FIRST_RANK: u64 = 1 << 32;

impl Channel {
    fn of(what: &UnderWay) -> Channel {
        match Thing::of(what) {
            Thing::Request { from, to, .. } | Thing::Copy { from, to, .. } => Channel::Between(from, to),
            Thing::Answer { of, from, .. } => Channel::Between(from, of),
            Thing::Session { at, .. } | Thing::Report { at, .. } | Thing::Visit { with: at } => Channel::Device(at),
            Thing::Document { .. } => Channel::Bootstrap,
        }
    }
}
