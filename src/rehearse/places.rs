//! Where over HTTPS the things of a plan are found. Faults there know sessions, errands and packages by their numbers;
//! these are counted here on the way of the plan in virtual time.

use std::collections::BTreeMap;

use crate::delegation::session_name::SessionName;
use crate::explore::choice::Choice;
use crate::explore::event::{Event, Thing};
use crate::explore::lab::Lab;
use crate::explore::plan::{Named, Plan};
use crate::explore::trail::Walked;
use crate::explore::under_way::UnderWay;
use crate::ids::ServerNumber;

/// The numbers of everything that sets out on the way of a plan.
#[derive(Debug, Default)]
pub struct Places {
    messages: BTreeMap<Event, InProcess>,
    errands: BTreeMap<Event, Errand>,
    sessions: BTreeMap<Event, Session>,
    /// How often each server dies.
    deaths: BTreeMap<ServerNumber, u32>,
}

/// An errand: the how-manieth of its server on the device, in the how-manieth life of that server; both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errand {
    pub number: u32,
    pub life: u32,
}

/// A message: which process of its device it belongs to, and the how-manieth of its kind in it; from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InProcess {
    pub process: u32,
    pub nth: u32,
}

/// A management session: the how-manieth of its device, from 1, and how many rounds of commands it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub number: u32,
    pub rounds: u32,
}

impl Places {
    /// Those of a plan.
    pub fn of(plan: &Plan, lab: &mut Lab<'_>) -> Places {
        let (trail, _) = plan.walk(lab);
        let mut places = Places::default();
        let mut walked = Walked::new(lab, plan.budget());
        let mut named = Named::default();
        let mut counts = Counts::default();
        for choice in trail {
            let place = choice.place();
            let arriving = place.map(|place| (named.under_way[place], walked.world.under_way()[place]));
            if let Some((event, number)) = arriving.filter(|_| !matches!(choice, Choice::Loses(_))) {
                places.arrives(event, number, &walked, lab, &mut counts);
            }
            if let (Choice::Loses(_), Some((Event { thing: Thing::Session { at, errand }, .. }, _))) =
                (choice, arriving)
            {
                // What is told of it is the next report all the same.
                *counts.reports.entry((at, errand.key())).or_default() += 1;
            }
            if let (Choice::Loses(_), Some((event @ Event { thing: Thing::Visit { .. }, .. }, number))) =
                (choice, arriving)
            {
                // The device sets out for it all the same, and its first package is lost.
                places.arrives(event, number, &walked, lab, &mut counts);
            }
            if let Choice::Dies { server, .. } = choice {
                *places.deaths.entry(server).or_default() += 1;
                counts.errands.remove(&server);
            }
            named.before(choice, &walked, lab);
            walked.take(choice, lab);
            let known = named.under_way.len();
            named.after(&walked, lab);
            for (event, number) in named.under_way[known..].iter().zip(&walked.world.under_way()[known..]) {
                places.sets_out(*event, lab.under_way(*number), &mut counts);
            }
        }
        places
    }

    /// Where a request or an answer to it is.
    pub fn message(&self, event: &Event) -> Option<InProcess> {
        self.messages.get(event).copied()
    }

    /// The errand that a session is for.
    pub fn errand(&self, event: &Event) -> Option<Errand> {
        self.errands.get(event).copied()
    }

    /// Whether a server dies on the way.
    pub fn dies(&self, server: ServerNumber) -> bool {
        self.deaths.contains_key(&server)
    }

    /// The session of an errand, of a report or of a visit.
    pub fn session(&self, event: &Event) -> Option<Session> {
        self.sessions.get(event).copied()
    }

    fn sets_out(&mut self, event: Event, what: &UnderWay, counts: &mut Counts) {
        match what {
            UnderWay::Request { message, .. } | UnderWay::Outcome { message, .. } => {
                let process = message.session().and_then(SessionName::read).map_or(1, |name| name.number);
                let nth = counts.messages.entry((event.thing, process)).or_default();
                *nth += 1;
                self.messages.insert(event, InProcess { process, nth: *nth });
            }
            UnderWay::Errand { at, .. } => {
                let number = counts.errands.entry(*at).or_default();
                *number += 1;
                let life = self.deaths.get(at).copied().unwrap_or_default() + 1;
                self.errands.insert(event, Errand { number: *number, life });
            }
            _ => {}
        }
    }

    fn arrives(&mut self, event: Event, number: u32, walked: &Walked, lab: &mut Lab<'_>, counts: &mut Counts) {
        let (device, with) = match *lab.under_way(number) {
            UnderWay::Errand { device, at, .. } => (device, at),
            UnderWay::Connection { device, with } => (device, with),
            _ => return,
        };
        let tree = walked.world.trees()[device];
        let comes = lab.has_account(tree, with);
        if comes {
            counts.sessions += 1;
        }
        let rounds = (0..u8::MAX).take_while(|round| lab.attend(tree, number, Some(*round)).is_some()).count() as u32;
        let session = Session { number: counts.sessions, rounds };
        if comes {
            self.sessions.insert(event, session);
        }
        if let Thing::Session { at, errand } = event.thing {
            let nth = counts.reports.entry((at, errand.key())).or_default();
            *nth += 1;
            if comes {
                let report = Event { thing: Thing::Report { at, errand }, nth: *nth, ..event };
                self.sessions.insert(report, session);
            }
        }
    }
}

#[derive(Default)]
struct Counts {
    messages: BTreeMap<(Thing, u32), u32>,
    errands: BTreeMap<ServerNumber, u32>,
    reports: BTreeMap<(ServerNumber, &'static str), u32>,
    sessions: u32,
}
