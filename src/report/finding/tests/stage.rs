//! Stories to draw: one from the world in virtual time, and one made up that has a bit of everything.

use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::flow::{Approach, FlowKind, Outcome};
use crate::delegation::machine::{Side, Timer};
use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::dm::script::ErrandKind;
use crate::dm::uri::Uri;
use crate::explore::choice::Choice;
use crate::explore::lab::Lab;
use crate::explore::plan::UNBOUNDED;
use crate::explore::premises::Premises;
use crate::explore::trail::Walked;
use crate::facts::pattern::Names;
use crate::facts::{Fact, Heard, Took, What};
use crate::ids::{BootstrapServerNumber, ServerNumber, SessionId};
use crate::report::finding::Scene;
use crate::scenario::QUICKSTART;
use crate::scenario::file::{Overrides, parse};

pub const HOME: ServerNumber = ServerNumber(0);
pub const PARTNER: ServerNumber = ServerNumber(1);

/// Servers by their numbers, and a rule.
pub struct Playbill(pub [&'static str; 3]);

pub const PLAIN: Playbill = Playbill(["home", "partner", "third"]);

impl Names for Playbill {
    fn server(&self, _: &str) -> Option<ServerNumber> {
        None
    }

    fn rule(&self, _: &str) -> Option<usize> {
        None
    }

    fn server_name(&self, server: ServerNumber) -> String {
        self.0[usize::from(server.0)].to_owned()
    }

    fn rule_name(&self, _: usize) -> String {
        "call-lost".to_owned()
    }

    fn known(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A scene about these facts in which nothing else is said.
pub fn bare<'a>(facts: &'a [Fact], names: &'a dyn Names) -> Scene<'a> {
    Scene {
        title: "A story",
        promise: "records_agree",
        says: "Both sides agree.",
        seen: "they do not",
        decisions: &[],
        commands: &[],
        beliefs: &[],
        names,
        facts,
        broke_at: None,
        is_broken: true,
        orphan: None,
    }
}

/// A delegation of the quickstart's first device that goes well but for this: nothing arrives, once the first such message
/// has left, until the next timer fires.
pub fn real_story(approach: Approach, is_full: bool, held: Kind) -> Vec<Fact> {
    let overrides = Overrides { policy: Some(Policy::Hardened), ..Overrides::default() };
    let scenario = parse("quickstart", QUICKSTART, &overrides).expect("a scenario");
    let premises = Premises::of(&scenario, 1).into_iter().next().expect("a journey that hands a device over");
    let flow = FlowKind::Delegate { approach, is_full, by_delegated: false };
    let wish = premises.wishes.iter().position(|wish| wish.flow == flow).expect("every flow can be wished");
    let mut lab = Lab::new(&premises);
    let mut walked = Walked::new(&mut lab, UNBOUNDED);
    walked.take(Choice::Wishes(wish as u8), &mut lab);
    let has_left = |fact: &Fact| matches!(fact.what, What::Sent { kind, .. } if kind == held);
    while !walked.facts[0].iter().any(has_left) {
        walked.take(Choice::Arrives(0), &mut lab);
    }
    walked.take(Choice::TimePasses, &mut lab);
    walked.come_to_rest(&mut lab);
    walked.facts.remove(0)
}

/// Facts at their moments, written down by hand.
pub struct Script {
    pub facts: Vec<Fact>,
    now: Moment,
}

impl Default for Script {
    fn default() -> Script {
        Script { facts: Vec::new(), now: Moment::ZERO }
    }
}

impl Script {
    pub fn wait(&mut self, ms: u64) -> &mut Script {
        self.now = self.now + Duration::from_millis(ms);
        self
    }

    pub fn see(&mut self, what: What) -> &mut Script {
        self.facts.push(Fact { at: self.now, what });
        self
    }

    pub fn sent(&mut self, from: ServerNumber, to: ServerNumber, kind: Kind, attempt: u32) -> &mut Script {
        self.see(What::Sent { from, to, kind, session: session(), attempt })
    }

    pub fn taken(&mut self, from: ServerNumber, at: ServerNumber, kind: Kind, how: Took) -> &mut Script {
        self.see(What::Taken { at, from, kind, session: session(), how })
    }

    pub fn heard(
        &mut self,
        at: ServerNumber,
        from: ServerNumber,
        kind: Kind,
        attempt: u32,
        answer: Heard,
    ) -> &mut Script {
        self.see(What::Heard { at, from, kind, session: session(), attempt, answer })
    }

    pub fn moved(&mut self, at: ServerNumber, side: Side, state: &'static str) -> &mut Script {
        let peer = if at == HOME { PARTNER } else { HOME };
        let subtree = Uri::parse("./SCOMO").expect("an address");
        self.see(What::Moved { at, peer, side, session: SessionId::new("0-0-1"), subtree, is_full: true, state })
    }

    pub fn operated(&mut self, by: ServerNumber, verb: &'static str, target: &str, code: u16) -> &mut Script {
        self.see(What::Operated { by, verb, target: target.to_owned(), code })
    }
}

fn session() -> Option<SessionId> {
    Some(SessionId::new("0-0-1"))
}

/// A bit of everything; the promise breaks where the account of home goes.
pub fn eventful() -> Vec<Fact> {
    let mut script = Script::default();
    let flow = FlowKind::Delegate { approach: Approach::Url, is_full: true, by_delegated: false };
    script
        .see(What::Step { number: 1 })
        .see(What::Wished { at: HOME, peer: PARTNER, flow })
        .see(What::Joined { at: HOME, peer: PARTNER, side: Side::Delegating })
        .moved(HOME, Side::Delegating, "ExpectResponse")
        .sent(HOME, PARTNER, Kind::DelegationReq, 1)
        .see(What::Fault { rule: 0 })
        .wait(5_000)
        .heard(HOME, PARTNER, Kind::DelegationReq, 1, Heard::TimedOut)
        .wait(250)
        .sent(HOME, PARTNER, Kind::DelegationReq, 2)
        .wait(4)
        .taken(HOME, PARTNER, Kind::DelegationReq, Took::New)
        .see(What::Joined { at: PARTNER, peer: HOME, side: Side::Delegated })
        .moved(PARTNER, Side::Delegated, "ExpectDevice")
        .wait(2)
        .taken(HOME, PARTNER, Kind::DelegationReq, Took::Copy)
        .heard(HOME, PARTNER, Kind::DelegationReq, 2, Heard::Message(Kind::DelegationResp))
        .moved(HOME, Side::Delegating, "ExpectDevicePrepared")
        .see(What::ErrandBegan { at: HOME, errand: ErrandKind::Prepare })
        .wait(11)
        .see(What::SessionOpened { with: HOME })
        .operated(HOME, "Get", "./SCOMO?prop=ACL", 200)
        .operated(HOME, "Get", "./DMAcc/dms2.example.test/ServerID", 404)
        .operated(HOME, "Replace", "./SCOMO?prop=ACL", 200)
        .operated(HOME, "Add", "./BootstrapConfig/BootSrvInfo/1", 200)
        .see(What::SessionEnded { with: HOME, in_order: true })
        .see(What::ErrandEnded { at: HOME, errand: ErrandKind::Prepare, failure: None })
        .moved(HOME, Side::Delegating, "ExpectConfirmed")
        .see(What::Fetched { from: BootstrapServerNumber(0), ok: true })
        .see(What::Account { of: PARTNER, is_there: true })
        .sent(HOME, PARTNER, Kind::DelegationPrepared, 1)
        .wait(10_000)
        .see(What::TimerFired { at: HOME, timer: Timer::Confirmed })
        .moved(HOME, Side::Delegating, "ExpectUndone")
        .sent(HOME, PARTNER, Kind::DelegationFailure, 1)
        .taken(HOME, PARTNER, Kind::DelegationFailure, Took::New)
        .taken(HOME, PARTNER, Kind::DelegationPrepared, Took::Rejected("not_in_this_state"))
        .wait(3)
        .heard(HOME, PARTNER, Kind::DelegationPrepared, 1, Heard::Rejected(409))
        .see(What::SessionOpened { with: HOME })
        .operated(HOME, "Delete", "./DMAcc/dms1.example.test", 200)
        .see(What::Account { of: HOME, is_there: false })
        .see(What::SessionEnded { with: HOME, in_order: false })
        .wait(4_000)
        .heard(HOME, PARTNER, Kind::DelegationFailure, 1, Heard::TimedOut)
        .see(What::Killed { at: PARTNER })
        .wait(2_000)
        .see(What::Restarted { at: PARTNER })
        .moved(PARTNER, Side::Delegated, "AtRest")
        .see(What::Fetched { from: BootstrapServerNumber(0), ok: false })
        .see(What::FactoryReset)
        .sent(PARTNER, HOME, Kind::DelegationRevoked, 1)
        .see(What::Settled {
            at: HOME,
            peer: PARTNER,
            side: Side::Delegating,
            outcome: Outcome::TooLate { step: "confirmed" },
        })
        .see(What::Settled { at: PARTNER, peer: HOME, side: Side::Delegated, outcome: Outcome::Done })
        .moved(HOME, Side::Delegating, "Over");
    script.facts
}

/// The first fact that is so.
pub fn place_of(facts: &[Fact], is_it: impl Fn(&What) -> bool) -> usize {
    facts.iter().position(|fact| is_it(&fact.what)).expect("it happens")
}
