//! The explorer against HTTPS: every flow goes the same way at every machine and on the device, whether messages only
//! stand in a list or really travel.
//!
//! An answer and the message that follows it travel on connections of their own, and which of them is there first is not
//! for anybody to say. So it is looked at twice: where every message takes longer than answers do, HTTPS goes the default
//! way, in which what set out first arrives first; where nothing is held up, what was seen is followed through virtual time:
//! something that is under way there has to bring about just what its receiver was seen to do next.

#[expect(dead_code, reason = "these tests stand up scenarios of their own")]
mod standing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use dmswarm::clock::Clock;
use dmswarm::delegation::flow::{Approach, FlowKind, Revocation};
use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::Choice;
use dmswarm::explore::lab::Lab;
use dmswarm::explore::plan::{Plan, Planned, UNBOUNDED};
use dmswarm::explore::premises::Premises;
use dmswarm::explore::world::{Turns, World};
use dmswarm::facts::{Fact, What};
use dmswarm::ids::{DeviceNumber, ServerNumber};
use dmswarm::run::prepare::{Ground, prepare};
use dmswarm::run::stand::Stand;
use dmswarm::scenario::Scenario;
use standing::{Place, scenario};

/// Steps of a journey, with what an operator wants in each.
type Script = Vec<(String, FlowKind)>;

/// Each way to delegate, and each way to revoke what was delegated in part.
fn scripts() -> Vec<Script> {
    let mut scripts = Vec::new();
    for approach in [Approach::DmAcc, Approach::Url] {
        for (is_full, by_delegated) in [(false, false), (false, true), (true, false), (true, true)] {
            let how = if approach == Approach::Url { "url" } else { "dmacc" };
            let extent = if is_full { "full" } else { "subtree ./SCOMO" };
            let starter = if by_delegated { "partner" } else { "home" };
            let delegation = (
                format!("delegate home -> partner by {how} {extent} started by {starter} expect any"),
                FlowKind::Delegate { approach, is_full, by_delegated },
            );
            if !is_full {
                for (how, revocation) in REVOCATIONS {
                    let revocation = (format!("revoke {how} expect any"), FlowKind::Revoke(revocation));
                    scripts.push(vec![delegation.clone(), revocation]);
                }
            }
            scripts.push(vec![delegation]);
        }
    }
    scripts
}

const REVOCATIONS: [(&str, Revocation); 4] = [
    ("asked", Revocation::Asked),
    ("requested", Revocation::Requested),
    ("forced with notice", Revocation::Forced { notice: true }),
    ("forced without notice", Revocation::Forced { notice: false }),
];

/// The scenario of a script, with one device. A step waits until what the last one left to say has been said.
fn scene(script: &Script, policy: Policy, more: &str) -> Scenario {
    let steps: Vec<String> = script.iter().map(|(step, _)| format!("\"{step}\"")).collect();
    scenario(&format!(
        r#"
name = "conformance"
seed = 7
policy = "{}"
[population]
devices = 1
[[server]]
name = "home"
id = "dms1.example.test"
[[server]]
name = "partner"
id = "dms2.example.test"
[[bootstrap_server]]
name = "partner-bootstrap"
for = "partner"
[[journey]]
steps = [{}]
[load]
at_once = 1
{more}
"#,
        policy.key(),
        steps.join(r#", "wait 400ms", "#),
    ))
}

const PATIENCE: Duration = Duration::from_secs(60);

/// What is seen of the device when the script is played over HTTPS.
fn played(place: &Place, scenario: &Scenario) -> Vec<Fact> {
    let prepared = prepare(scenario, &Ground::of(&place.0), Clock::start()).expect("the parties can be settled");
    actix::System::new().block_on(async {
        let stand = Stand::up(prepared).await.expect("the parties stand");
        let walk = actix::clock::timeout(PATIENCE, stand.walk(scenario.plan()));
        walk.await.expect("every flow ends");
        assert!(stand.rest(stand.blueprint().clock.now() + PATIENCE).await, "everybody comes to rest");
        let facts = stand.board().with(DeviceNumber(0), <[Fact]>::to_vec);
        stand.close().await;
        facts
    })
}

/// A server's machine, or the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Server(ServerNumber),
    Device,
}

/// Who notes it of itself; nobody of those what the journey notes.
fn noted_by(what: &What) -> Option<Party> {
    match what {
        What::SessionOpened { .. }
        | What::SessionEnded { .. }
        | What::Operated { .. }
        | What::Account { .. }
        | What::Fetched { .. } => Some(Party::Device),
        What::Wished { .. } | What::Step { .. } => None,
        other => other.server().map(Party::Server),
    }
}

/// What was seen over HTTPS and has not been found in virtual time yet, by whose it is.
#[derive(Debug, Clone, PartialEq)]
struct Ahead(BTreeMap<Party, VecDeque<What>>);

impl Ahead {
    fn new(facts: Vec<Fact>) -> Ahead {
        let mut ahead: BTreeMap<Party, VecDeque<What>> = BTreeMap::new();
        for what in facts.into_iter().map(|fact| fact.what) {
            if let Some(party) = noted_by(&what) {
                ahead.entry(party).or_default().push_back(what);
            }
        }
        Ahead(ahead)
    }

    /// What is left when these turns are just what comes next at everybody they are about.
    fn after(&self, turns: &Turns, lab: &Lab<'_>) -> Option<Ahead> {
        let mut left = self.clone();
        let facts = turns.numbers.iter().flat_map(|turn| &lab.turn(*turn).facts);
        for (party, what) in facts.filter_map(|(_, what)| Some((noted_by(what)?, what))) {
            let next = left.0.get_mut(&party).and_then(VecDeque::pop_front);
            if next.as_ref() != Some(what) {
                return None;
            }
        }
        Some(left)
    }
}

/// What everybody notes on the default way: what set out first arrives first.
fn by_default(premises: &Premises, script: &Script) -> Ahead {
    let mut lab = Lab::new(premises);
    let wishes = script.iter().map(|(_, flow)| Planned { wish: wish(premises, *flow), once: None }).collect();
    let (_, walked) = Plan { wishes, ..Plan::default() }.walk(&mut lab);
    Ahead::new(walked.facts.concat())
}

fn wish(premises: &Premises, flow: FlowKind) -> usize {
    premises.wishes.iter().position(|wish| wish.flow == flow).expect("operators may want every flow")
}

/// Follows what was seen through virtual time, or says where both go different ways.
fn follow(premises: &Premises, script: &Script, facts: Vec<Fact>) -> Result<(), String> {
    let mut lab = Lab::new(premises);
    let mut world = World::new(&mut lab, UNBOUNDED);
    let mut ahead = Ahead::new(facts);
    let mut wishes = script.iter();
    loop {
        let mut choices: Vec<Choice> = (0..world.under_way().len() as u8).map(Choice::Arrives).collect();
        if world.is_at_rest(&lab) {
            let Some((_, flow)) = wishes.next() else { break };
            choices.push(Choice::Wishes(wish(premises, *flow) as u8));
        } else if choices.is_empty() {
            choices.push(Choice::TimePasses);
        }
        let mut refused = Vec::new();
        let next = choices.iter().find_map(|choice| {
            let mut next = world.clone();
            let turns = next.take(*choice, &mut lab);
            let left = ahead.after(&turns, &lab);
            if left.is_none() {
                let facts = turns.numbers.iter().flat_map(|turn| &lab.turn(*turn).facts);
                refused.push(facts.map(|(_, what)| what.clone()).collect::<Vec<_>>());
            }
            left.map(|left| (next, left))
        });
        let Some(next) = next else {
            return Err(format!("in virtual time one of these may follow: {refused:#?}\nover HTTPS: {:#?}", ahead.0));
        };
        (world, ahead) = next;
    }
    ahead.0.retain(|_, facts| !facts.is_empty());
    if ahead.0.is_empty() { Ok(()) } else { Err(format!("only over HTTPS there is more: {:#?}", ahead.0)) }
}

/// Checks every script under both policies, several at a time: most of playing one is waiting. `more` goes behind the
/// scenario; `check` gets what plays it, and has a complaint or none.
#[track_caller]
fn check_all(more: &str, check: impl Fn(&Premises, &Script, &dyn Fn() -> Vec<Fact>) -> Result<(), String> + Sync) {
    let cases = scripts().into_iter().flat_map(|script| Policy::ALL.map(|policy| (script.clone(), policy)));
    let cases: Vec<(Script, Policy)> = cases.collect();
    let place = Place::new();
    let complaints = Mutex::new(Vec::new());
    let check = |(script, policy): &(Script, Policy)| {
        let scenario = scene(script, *policy, more);
        let premises = Premises::of(&scenario, 1).remove(0);
        if let Err(complaint) = check(&premises, script, &|| played(&place, &scenario)) {
            let steps: Vec<&str> = script.iter().map(|(step, _)| step.as_str()).collect();
            let complaint = format!("---- {policy:?} {steps:?}: {complaint}");
            complaints.lock().expect("no check panics under it").push(complaint);
        }
    };
    // The first alone: it makes the certificates that the others find.
    check(&cases[0]);
    let next = Mutex::new(cases[1..].iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().expect("no check panics under it").next() else { return };
                    check(case);
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no check panics under it");
    assert!(complaints.is_empty(), "{} of {} differ:\n{}", complaints.len(), cases.len(), complaints.join("\n"));
}

const AT_A_TIME: usize = 8;

#[test]
fn where_messages_take_their_time_https_goes_the_default_way() {
    let slow = "[[fault]]\nname = \"slow\"\nwhere = \"http.request\"\ndo = { delay = \"60ms\" }";
    check_all(slow, |premises, script, play| {
        let expected = by_default(premises, script);
        // On a busy machine an answer may still come too late.
        let mut tries = (0..3).map(|_| Ahead::new(play()));
        let seen = tries.next().expect("three tries");
        if seen == expected || tries.any(|seen| seen == expected) {
            return Ok(());
        }
        Err(format!("expected {expected:#?}\nfound {seen:#?}"))
    });
}

#[test]
fn every_way_that_https_goes_by_itself_is_one_of_the_ways_of_virtual_time() {
    check_all("", |premises, script, play| follow(premises, script, play()));
}

#[test]
fn another_way_is_told_apart() {
    let scripts = scripts();
    let scenario = scene(&scripts[0], Policy::Hardened, "");
    let premises = Premises::of(&scenario, 1).remove(0);
    let facts = played(&Place::new(), &scenario);
    let agrees = |script: &&Script| follow(&premises, script, facts.clone()).is_ok();
    assert_eq!(scripts.iter().filter(agrees).collect::<Vec<_>>(), [&scripts[0]]);
}
