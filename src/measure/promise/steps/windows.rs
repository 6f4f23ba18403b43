//! How long nobody who could reach the device was in charge of it, and how long more than one was.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::machine::Side;
use crate::facts::{Fact, What};
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::steps::Watched;
use crate::measure::promise::steps::states::gives_authority;
use crate::measure::promise::steps::story::{Record, Story};

/// The longest windows of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Windows {
    /// How long at a stretch no server with an account had the authority over the device.
    pub orphan: Duration,
    /// When that began.
    pub orphan_since: Option<Moment>,
    /// What that began with, in words.
    pub orphan_cause: Option<String>,
    /// How long at a stretch two servers with accounts both held themselves to be in full charge.
    pub double_owner: Duration,
}

/// The longest windows of all devices, and where they were. Where two are equal, the first that was added stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LongestWindows {
    pub orphan: Duration,
    /// `None` while there was none.
    pub orphan_device: Option<DeviceNumber>,
    pub orphan_cause: Option<String>,
    pub double_owner: Duration,
    /// `None` while there was none.
    pub double_owner_device: Option<DeviceNumber>,
}

impl LongestWindows {
    /// Adds those of one device.
    pub fn add(&mut self, device: DeviceNumber, windows: Windows) {
        if windows.orphan > self.orphan {
            self.orphan = windows.orphan;
            self.orphan_device = Some(device);
            self.orphan_cause = windows.orphan_cause;
        }
        if windows.double_owner > self.double_owner {
            self.double_owner = windows.double_owner;
            self.double_owner_device = Some(device);
        }
    }
}

/// The longest windows of a device that was watched: from the first fact, and up to the end where one is still open.
/// The owner has the authority until its full delegation is in force (5.2.1.5), a delegate from then on that its own
/// is. A server that cannot be seen is taken to have the authority where it has an account.
pub(super) fn windows(story: &Story<'_>) -> Windows {
    let watched = story.watched;
    let mut charge = Charge::new(story);
    let (mut orphan, mut double) = (Open::default(), Open::default());
    for (place, fact) in story.facts() {
        if charge.changes_by(&fact.what) {
            orphan.set(charge.nobody(place), place, fact.at);
            double.set(charge.in_full(place) > 1, place, fact.at);
        }
    }
    let (orphan, double) = (orphan.close(watched.ended_at), double.close(watched.ended_at));
    Windows {
        orphan: orphan.longest,
        orphan_since: orphan.begun_by.map(|place| watched.facts[place].at),
        orphan_cause: orphan.begun_by.map(|place| in_words(watched, &watched.facts[place])),
        double_owner: double.longest,
    }
}

/// Who is in charge as the facts go by.
struct Charge<'s, 'a> {
    story: &'s Story<'a>,
    accounts: BTreeSet<ServerNumber>,
}

impl<'s, 'a> Charge<'s, 'a> {
    fn new(story: &'s Story<'a>) -> Charge<'s, 'a> {
        let journeyed = story.watched.journeyed;
        let accounts = journeyed.bootstrapped.iter().copied().chain([journeyed.owner]).collect();
        Charge { story, accounts }
    }

    /// Takes one fact over; whether somebody may have come to be in charge by it, or may be no more.
    fn changes_by(&mut self, what: &What) -> bool {
        match what {
            What::Account { of, is_there: true } => self.accounts.insert(*of),
            What::Account { of, is_there: false } => self.accounts.remove(of),
            What::FactoryReset => {
                self.accounts = BTreeSet::from([self.story.watched.journeyed.owner]);
                true
            }
            What::Moved { .. } | What::Restarted { .. } => true,
            _ => false,
        }
    }

    fn nobody(&self, place: usize) -> bool {
        !self.accounts.iter().any(|server| !self.story.watched.sees(*server) || self.may_manage(*server, place))
    }

    fn in_full(&self, place: usize) -> usize {
        let in_full = |server: &&ServerNumber| {
            let is_owner = **server == self.story.watched.journeyed.owner;
            !self.has_given_all(**server, place) && (is_owner || self.is_delegate(**server, true, place))
        };
        self.accounts.iter().filter(in_full).count()
    }

    fn may_manage(&self, server: ServerNumber, place: usize) -> bool {
        let is_owner = server == self.story.watched.journeyed.owner;
        !self.has_given_all(server, place) && (is_owner || self.is_delegate(server, false, place))
    }

    fn has_given_all(&self, server: ServerNumber, place: usize) -> bool {
        self.holds(server, Side::Delegating, true, place, |state| state == "AtRest")
    }

    fn is_delegate(&self, server: ServerNumber, in_full: bool, place: usize) -> bool {
        self.holds(server, Side::Delegated, in_full, place, gives_authority)
    }

    /// Whether a record of the server is in such a state just after this place; what a killed server had is in force
    /// until it tells again that it has it, or stands without it.
    fn holds(&self, server: ServerNumber, side: Side, in_full: bool, place: usize, is: fn(&str) -> bool) -> bool {
        self.story.records.iter().filter(|record| record.at == server && record.side == side).any(|record| {
            let moves = record.moves.iter().map(|index| &self.story.moves[*index]);
            let last = moves.take_while(|one| one.place <= place).last();
            let is_gone = record.lost.is_some_and(|lost| self.given_up_at(record, lost) <= place);
            !is_gone && last.is_some_and(|one| is(one.to) && (one.is_full || !in_full))
        })
    }

    /// From which place on a record that was lost there is no more: another one has taken its place, or its server has
    /// come back without it.
    fn given_up_at(&self, record: &Record<'_>, lost: usize) -> usize {
        let begun = |other: &Record<'_>| self.story.moves[other.moves[0]].place;
        let is_successor = |other: &&Record<'_>| other.is_same_as(record) && begun(other) > lost;
        let is_back = |(place, fact): &(usize, &Fact)| {
            *place > lost && matches!(fact.what, What::Restarted { at } if at == record.at)
        };
        let successor = self.story.records.iter().find(is_successor).map(begun);
        let back = || self.story.facts().find(is_back).map(|(place, _)| place);
        successor.or_else(back).unwrap_or(usize::MAX)
    }
}

/// A window that may be open, and the longest so far.
#[derive(Default)]
struct Open {
    since: Option<(usize, Moment)>,
    longest: Duration,
    begun_by: Option<usize>,
}

impl Open {
    fn set(&mut self, is_open: bool, place: usize, now: Moment) {
        match (is_open, self.since) {
            (true, None) => self.since = Some((place, now)),
            (false, Some(_)) => self.shut(now),
            _ => {}
        }
    }

    fn shut(&mut self, now: Moment) {
        if let Some((place, begun)) = self.since.take()
            && now - begun > self.longest
        {
            self.longest = now - begun;
            self.begun_by = Some(place);
        }
    }

    fn close(mut self, ended_at: Moment) -> Open {
        self.shut(ended_at);
        self
    }
}

fn in_words(watched: &Watched<'_>, fact: &Fact) -> String {
    let what = match &fact.what {
        What::Account { of, is_there: false } => format!("the account of {} went", watched.name(*of)),
        What::Account { of, is_there: true } => format!("the account of {} came", watched.name(*of)),
        What::Moved { at, peer, state, .. } => {
            format!("{} came to {state} with {}", watched.name(*at), watched.name(*peer))
        }
        What::Restarted { at } => format!("{} came back without its records", watched.name(*at)),
        _ => "the device was reset".to_owned(),
    };
    format!("{what} at {}", fact.at)
}
