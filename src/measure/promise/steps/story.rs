//! The facts of one device as records that move, each move with what it follows from.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::delegation::machine::Side;
use crate::dm::uri::Uri;
use crate::facts::{Fact, What};
use crate::ids::{ServerNumber, SessionId};
use crate::measure::promise::steps::Watched;

/// What happened on one device, put in order for judging.
pub(super) struct Story<'a> {
    pub watched: &'a Watched<'a>,
    /// Every change of a record's state, in order.
    pub moves: Vec<Move<'a>>,
    /// Every record that was seen to move, in the order of its first move.
    pub records: Vec<Record<'a>>,
    /// For each fact the last thing that its server was given before it, itself included.
    causes: Vec<Option<usize>>,
}

/// A record has come to another state.
#[derive(Clone, Copy)]
pub(super) struct Move<'a> {
    /// Index of its fact.
    pub place: usize,
    pub moment: Moment,
    /// Index of the record.
    pub record: usize,
    pub at: ServerNumber,
    pub peer: ServerNumber,
    pub side: Side,
    pub session: &'a SessionId,
    pub subtree: &'a Uri,
    pub is_full: bool,
    /// The state before; `None` for the first that was seen.
    pub from: Option<&'static str>,
    pub to: &'static str,
}

/// One delegation as one server has it on record.
pub(super) struct Record<'a> {
    pub at: ServerNumber,
    pub peer: ServerNumber,
    pub side: Side,
    pub session: &'a SessionId,
    pub subtree: &'a Uri,
    /// Indices of its moves; never empty.
    pub moves: Vec<usize>,
    /// Index of the fact by which its server was killed while it was on record.
    pub lost: Option<usize>,
    /// Whether its server has found it in its store when it came back: it may have begun unseen.
    pub is_restored: bool,
}

impl<'a> Story<'a> {
    pub fn new(watched: &'a Watched<'a>) -> Story<'a> {
        let causes = causes(watched.facts);
        let mut story = Story { watched, moves: Vec::new(), records: Vec::new(), causes };
        let mut open: BTreeMap<(ServerNumber, ServerNumber, Side, &SessionId), usize> = BTreeMap::new();
        for (place, fact) in watched.facts.iter().enumerate() {
            match &fact.what {
                What::Killed { at } => {
                    for (_, record) in open.extract_if(.., |key, _| key.0 == *at) {
                        story.records[record].lost = Some(place);
                    }
                }
                What::Moved { at, peer, side, session, subtree, is_full, state } => {
                    let (at, peer, side) = (*at, *peer, *side);
                    let key = (at, peer, side, session);
                    let known = open.get(&key).copied();
                    let record = known.unwrap_or_else(|| {
                        let cause = story.causes[place].map(|cause| &watched.facts[cause].what);
                        let is_restored = matches!(cause, Some(What::Restarted { .. }));
                        let moves = Vec::new();
                        story.records.push(Record { at, peer, side, session, subtree, moves, lost: None, is_restored });
                        story.records.len() - 1
                    });
                    let from = story.records[record].moves.last().map(|last| story.moves[*last].to);
                    if *state == "Over" {
                        open.remove(&key);
                    } else {
                        open.insert(key, record);
                    }
                    story.records[record].moves.push(story.moves.len());
                    let (moment, is_full, to) = (fact.at, *is_full, *state);
                    story.moves.push(Move {
                        place,
                        moment,
                        record,
                        at,
                        peer,
                        side,
                        session,
                        subtree,
                        is_full,
                        from,
                        to,
                    });
                }
                _ => {}
            }
        }
        story
    }

    pub fn facts(&self) -> impl Iterator<Item = (usize, &'a Fact)> {
        self.watched.facts.iter().enumerate()
    }

    /// Index of what the server of this fact had been given last.
    pub fn cause(&self, place: usize) -> Option<usize> {
        self.causes[place]
    }

    /// What follows, at its server, from what is at this place.
    pub fn moves_from(&self, place: usize) -> impl Iterator<Item = &Move<'a>> {
        // Moves are in the order of their places.
        let first = self.moves.partition_point(|one| one.place <= place);
        let at = self.watched.facts[place].what.server();
        let ours = move |fact: &Fact| fact.what.server() == at && is_own_input(&fact.what);
        let end = self.watched.facts[place + 1..].iter().position(ours).map_or(usize::MAX, |far| place + 1 + far);
        self.moves[first..].iter().take_while(move |one| one.place < end).filter(move |one| Some(one.at) == at)
    }

    /// As [`Story::moves_from`], without what follows from a wish that came since.
    pub fn moves_caused_by(&self, place: usize) -> impl Iterator<Item = &Move<'a>> {
        self.moves_from(place).filter(move |one| self.cause(one.place) == Some(place))
    }

    /// The state of a record just before this place; `None` when it was not on record.
    pub fn state_at(&self, record: &Record<'a>, place: usize) -> Option<&'static str> {
        if record.lost.is_some_and(|lost| lost < place) {
            return None;
        }
        let moves = record.moves.iter().map(|index| &self.moves[*index]);
        let state = moves.take_while(|one| one.place < place).last()?.to;
        (state != "Over").then_some(state)
    }

    /// The last state of a record; `None` when it is not on record any more.
    pub fn last_state(&self, record: &Record<'a>) -> Option<&Move<'a>> {
        let last = &self.moves[*record.moves.last()?];
        (last.to != "Over" && record.lost.is_none()).then_some(last)
    }

    /// Whether anything of a server's records was seen.
    pub fn shows_moves_of(&self, server: ServerNumber) -> bool {
        self.records.iter().any(|record| record.at == server)
    }

    pub fn was_killed(&self, server: ServerNumber) -> bool {
        self.watched.facts.iter().any(|fact| fact.what == What::Killed { at: server })
    }

    /// Whether something was made to go wrong between two places.
    pub fn has_fault_within(&self, from: usize, to: usize) -> bool {
        self.watched.facts[from..=to].iter().any(|fact| matches!(fact.what, What::Fault { .. }))
    }

    pub fn name(&self, server: ServerNumber) -> String {
        self.watched.name(server)
    }
}

impl Record<'_> {
    /// Whether it is the same delegation at the same server.
    pub fn is_same_as(&self, other: &Record<'_>) -> bool {
        let key = |record: &Record<'_>| (record.at, record.peer, record.side);
        key(self) == key(other) && self.session == other.session
    }

    /// Whether it is the same delegation, on the other side.
    pub fn is_counterpart_of(&self, other: &Record<'_>) -> bool {
        self.at == other.peer && self.peer == other.at && self.side != other.side && self.session == other.session
    }
}

/// Whether it is given to a server from outside, so that what the server does next follows from it.
fn is_input(what: &What) -> bool {
    is_own_input(what) || matches!(what, What::Wished { .. } | What::SessionOpened { .. } | What::SessionEnded { .. })
}

/// An input that the server itself sees first: nobody else's fact, noted by somebody else, comes between it and what
/// follows from it.
pub(super) fn is_own_input(what: &What) -> bool {
    matches!(
        what,
        What::Taken { .. }
            | What::Heard { .. }
            | What::TimerFired { .. }
            | What::ErrandEnded { .. }
            | What::Killed { .. }
            | What::Restarted { .. }
    )
}

fn causes(facts: &[Fact]) -> Vec<Option<usize>> {
    let mut last: BTreeMap<ServerNumber, usize> = BTreeMap::new();
    let cause = |(place, fact): (usize, &Fact)| {
        let server = fact.what.server()?;
        if is_input(&fact.what) {
            last.insert(server, place);
        }
        last.get(&server).copied()
    };
    facts.iter().enumerate().map(cause).collect()
}
