//! Facts written by hand, one a line, and the ways in which well-behaved ones can be spoilt.
//!
//! ```text
//! wish A B [by_delegated|asked]     A's operator wants a flow with B
//! join A B > | settle A B > done    > at the delegating side, < at the delegated
//! sent A B req s1 [#2]              A to B
//! taken A B req s1 [copy|WHY]       A has taken it from B
//! heard A B req s1 resp|ok|timeout|409 [#2]
//! move A B > s1 STATE [full] [./X]
//! errand A prepare begins|done|408
//! session A begins|ends
//! did A Add ./SCOMO 200
//! account A there|gone
//! killed A | restarted A | fault | reset | timer A confirmed
//! @5000                             milliseconds; each other line is one after the last
//! ```

use super::{HOME, PARTNER, THIRD};
use crate::clock::Moment;
use crate::delegation::flow::{Approach, FlowKind, Outcome, Revocation};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::dm::script::ErrandKind;
use crate::dm::uri::Uri;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::{ServerNumber, SessionId};

/// A tape that can be changed by its lines.
#[derive(Clone)]
pub(super) struct Tape(Vec<String>);

impl Tape {
    pub fn new(text: &str) -> Tape {
        Tape(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    pub fn lines(&self) -> &[String] {
        &self.0
    }

    #[track_caller]
    fn place(&self, line: &str) -> usize {
        let found = self.0.iter().position(|one| one == line);
        found.unwrap_or_else(|| panic!("`{line}` is not on the tape"))
    }

    /// Without this line.
    #[track_caller]
    pub fn without(mut self, line: &str) -> Tape {
        self.0.remove(self.place(line));
        self
    }

    /// With these lines in the place of one.
    #[track_caller]
    pub fn with(mut self, line: &str, lines: &str) -> Tape {
        let place = self.place(line);
        self.0.splice(place..=place, Tape::new(lines).0);
        self
    }

    /// With these lines behind one.
    #[track_caller]
    pub fn after(self, line: &str, lines: &str) -> Tape {
        self.with(line, &format!("{line}\n{lines}"))
    }

    /// Up to this line, which is the last.
    #[track_caller]
    pub fn until(mut self, line: &str) -> Tape {
        self.0.truncate(self.place(line) + 1);
        self
    }

    /// With these lines at the end.
    pub fn then(mut self, lines: &str) -> Tape {
        self.0.extend(Tape::new(lines).0);
        self
    }

    pub fn facts(&self) -> Vec<Fact> {
        let mut now = Moment::ZERO;
        let mut facts = Vec::new();
        for line in &self.0 {
            if let Some(ms) = line.strip_prefix('@') {
                now = Moment::from_millis(ms.parse().expect("milliseconds"));
                continue;
            }
            now = now + std::time::Duration::from_millis(1);
            let words: Vec<&str> = line.split(' ').collect();
            facts.push(Fact { at: now, what: read(&words).unwrap_or_else(|| panic!("no fact: `{line}`")) });
        }
        facts
    }
}

fn read(words: &[&str]) -> Option<What> {
    let server = |at: usize| match *words.get(at)? {
        "home" => Some(HOME),
        "partner" => Some(PARTNER),
        "third" => Some(THIRD),
        "stranger" => Some(ServerNumber(9)),
        _ => None,
    };
    let side = |at: usize| match *words.get(at)? {
        ">" => Some(Side::Delegating),
        "<" => Some(Side::Delegated),
        _ => None,
    };
    let attempt = words.last()?.strip_prefix('#').map_or(Some(1), |number| number.parse().ok())?;
    Some(match *words.first()? {
        "wish" => What::Wished { at: server(1)?, peer: server(2)?, flow: flow(words.get(3).copied())? },
        "join" => What::Joined { at: server(1)?, peer: server(2)?, side: side(3)? },
        "settle" => {
            What::Settled { at: server(1)?, peer: server(2)?, side: side(3)?, outcome: outcome(words.get(4)?)? }
        }
        "sent" => {
            let (kind, session) = (kind(words.get(3)?)?, session(words.get(4)?));
            What::Sent { from: server(1)?, to: server(2)?, kind, session, attempt }
        }
        "misdirected" => {
            let (kind, session) = (kind(words.get(3)?)?, session(words.get(4)?));
            What::Misdirected { from: server(1)?, to: server(2)?, kind, session }
        }
        "taken" => {
            let how = match words.get(5).copied() {
                None => Took::New,
                Some("copy") => Took::Copy,
                Some("state") => Took::Rejected("not_in_this_state"),
                Some("overloaded") => Took::Rejected("overloaded"),
                _ => return None,
            };
            let (kind, session) = (kind(words.get(3)?)?, session(words.get(4)?));
            What::Taken { at: server(1)?, from: server(2)?, kind, session, how }
        }
        "heard" => {
            let answer = match *words.get(5)? {
                "ok" => Heard::NoContent,
                "timeout" => Heard::TimedOut,
                "409" => Heard::Rejected(409),
                message => Heard::Message(kind(message)?),
            };
            let (kind, session) = (kind(words.get(3)?)?, session(words.get(4)?));
            What::Heard { at: server(1)?, from: server(2)?, kind, session, attempt, answer }
        }
        "move" => What::Moved {
            at: server(1)?,
            peer: server(2)?,
            side: side(3)?,
            session: session(words.get(4)?)?,
            subtree: Uri::parse(words.iter().find(|word| word.starts_with('.')).unwrap_or(&"./SCOMO")).ok()?,
            is_full: words.contains(&"full"),
            state: words.get(5)?.to_string().leak(),
        },
        "errand" => {
            let errand = ErrandKind::ALL.into_iter().find(|errand| errand.key() == words[2])?;
            let at = server(1)?;
            match *words.get(3)? {
                "begins" => What::ErrandBegan { at, errand },
                "done" => What::ErrandEnded { at, errand, failure: None },
                code => What::ErrandEnded { at, errand, failure: Some(code.parse().ok()?) },
            }
        }
        "session" if words.get(2) == Some(&"begins") => What::SessionOpened { with: server(1)? },
        "session" => What::SessionEnded { with: server(1)?, in_order: true },
        "did" => {
            let (verb, target) = (words.get(2)?.to_string().leak(), (*words.get(3)?).to_owned());
            What::Operated { by: server(1)?, verb, target, code: words.get(4)?.parse().ok()? }
        }
        "account" => What::Account { of: server(1)?, is_there: words.get(2) == Some(&"there") },
        "killed" => What::Killed { at: server(1)? },
        "restarted" => What::Restarted { at: server(1)? },
        "fault" => What::Fault { rule: 0 },
        "reset" => What::FactoryReset,
        "timer" => {
            let timer = Timer::ALL.into_iter().find(|timer| timer.key() == words[2])?;
            What::TimerFired { at: server(1)?, timer }
        }
        _ => return None,
    })
}

/// A session's name; `-` for none.
fn session(word: &str) -> Option<SessionId> {
    (word != "-").then(|| SessionId::new(word))
}

fn flow(word: Option<&str>) -> Option<FlowKind> {
    let delegate = |by_delegated| FlowKind::Delegate { approach: Approach::DmAcc, is_full: false, by_delegated };
    match word {
        None => Some(delegate(false)),
        Some("by_delegated") => Some(delegate(true)),
        Some("asked") => Some(FlowKind::Revoke(Revocation::Asked)),
        _ => None,
    }
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word {
        "done" => Outcome::Done,
        "conflict" => Outcome::Refused { reason: 409 },
        "refused" => Outcome::Refused { reason: 403 },
        "too_late" => Outcome::TooLate { step: "confirmed" },
        _ => return None,
    })
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "req" => Kind::DelegationReq,
        "resp" => Kind::DelegationResp,
        "bc" => Kind::BootstrapConfirmed,
        "prep" => Kind::DelegationPrepared,
        "conf" => Kind::DelegationConfirmed,
        "fail" => Kind::DelegationFailure,
        "burq" => Kind::BootstrapSrvUrlReq,
        "budl" => Kind::BootstrapSrvUrlDelivery,
        "treq" => Kind::DelegationTerminationReq,
        "tack" => Kind::DelegationTerminationAck,
        "tresp" => Kind::DelegationTerminationResp,
        "revd" => Kind::DelegationRevoked,
        "rfail" => Kind::RevocationFailure,
        "rreq" => Kind::DelegationRevocationReq,
        _ => return None,
    })
}

/// A delegation by the DMAcc approach (figure 6), of the sub-tree, by the one to the other: session, and ` full` where
/// DMS-1 removes its own account while it prepares the device, as the text has it.
pub(super) fn handover(a: &str, b: &str, session: &str, subtree: &str, is_full: bool) -> Tape {
    let full = if is_full { " full" } else { "" };
    let leaves = if is_full { format!("did {a} Delete ./DMAcc/{a} 200\naccount {a} gone") } else { String::new() };
    let tail = format!("{full} {subtree}");
    Tape::new(&format!(
        "wish {a} {b}
        join {a} {b} >
        sent {a} {b} req {session}
        move {a} {b} > {session} ExpectResponse{tail}
        taken {b} {a} req {session}
        join {b} {a} <
        move {b} {a} < {session} ExpectPrepared{tail}
        sent {b} {a} bc {session}
        heard {a} {b} req {session} resp
        move {a} {b} > {session} ExpectBootstrapConfirmed{tail}
        taken {a} {b} bc {session}
        move {a} {b} > {session} ExpectDevicePrepared{tail}
        errand {a} prepare begins
        heard {b} {a} bc {session} ok
        session {a} begins
        did {a} Add ./DMAcc/{b} 200
        account {b} there
        did {a} Replace {subtree}?prop=ACL 200
        {leaves}
        errand {a} prepare done
        move {a} {b} > {session} ExpectConfirmed{tail}
        sent {a} {b} prep {session}
        session {a} ends
        taken {b} {a} prep {session}
        move {b} {a} < {session} ExpectVisited{tail}
        errand {b} visit begins
        heard {a} {b} prep {session} ok
        session {b} begins
        did {b} Get {subtree} 200
        session {b} ends
        errand {b} visit done
        move {b} {a} < {session} ExpectConfirmedAnswered{tail}
        sent {b} {a} conf {session}
        taken {a} {b} conf {session}
        move {a} {b} > {session} AtRest{tail}
        settle {a} {b} > done
        heard {b} {a} conf {session} ok
        move {b} {a} < {session} AtRest{tail}
        settle {b} {a} < done"
    ))
}

/// A full delegation whose delegating server removes its own account only after DELEGATION_CONFIRMED.
pub(super) fn careful_handover() -> Tape {
    handover("home", "partner", "s1", ".", true)
        .without("did home Delete ./DMAcc/home 200")
        .without("account home gone")
        .with(
            "move home partner > s1 AtRest full .",
            "move home partner > s1 ExpectLeft full .\nerrand home leave begins",
        )
        .without("settle home partner > done")
        .then(
            "session home begins
            did home Delete ./DMAcc/home 200
            account home gone
            errand home leave done
            move home partner > s1 AtRest full .
            settle home partner > done",
        )
}

/// An asked revocation (figure 11) of `s1` by home, in a session of its own.
pub(super) fn asked(session: &str, of: &str) -> Tape {
    Tape::new(&format!(
        "wish home partner asked
        join home partner >
        sent home partner treq {session}
        move home partner > {of} ExpectTerminationAck
        taken partner home treq {session}
        join partner home <
        move partner home < {of} ExpectRevoked
        sent partner home tresp {session}
        heard home partner treq {session} tack
        move home partner > {of} ExpectTerminationResp
        taken home partner tresp {session}
        move home partner > {of} ExpectRemoval
        errand home remove-account begins
        heard partner home tresp {session} ok
        session home begins
        did home Delete ./DMAcc/partner 200
        account partner gone
        errand home remove-account done
        move home partner > {of} ExpectRevokedAnswered
        sent home partner revd {session}
        session home ends
        taken partner home revd {session}
        move partner home < {of} Over
        settle partner home < done
        heard home partner revd {session} ok
        move home partner > {of} Over
        settle home partner > done"
    ))
}

/// A delegation and its asked revocation.
pub(super) fn there_and_back() -> Tape {
    partial().then(&asked("r1", "s1").lines().join("\n"))
}

/// A delegation of ./SCOMO by home to partner.
pub(super) fn partial() -> Tape {
    handover("home", "partner", "s1", "./SCOMO", false)
}
