//! The stage of these tests: parties whose timers are short, a fault among them, and everything that was seen of it.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use dmswarm::actors::dm_client::InspectTree;
use dmswarm::clock::Clock;
use dmswarm::dm::tree::NodeView;
use dmswarm::facts::goal::Goal;
use dmswarm::facts::pattern::{Names, Pattern};
use dmswarm::facts::{Fact, What};
use dmswarm::faults::verdict::Count;
use dmswarm::ids::{DeviceNumber, ServerNumber};
use dmswarm::measure::promise::ServerView;
use dmswarm::measure::shard::Shard;
use dmswarm::run::prepare::{Ground, prepare};
use dmswarm::run::stand::Stand;
use dmswarm::scenario::Scenario;

use crate::standing::{Place, scenario};

/// A delegation by account, and its end; each may end as it likes.
pub const LENT: &str = r#""delegate home -> partner by dmacc subtree ./SCOMO expect any", "revoke asked expect any""#;
/// As [`LENT`], but the device fetches the account.
pub const FETCHED: &str = r#""delegate home -> partner by url subtree ./SCOMO expect any", "revoke asked expect any""#;

/// Where home and partner are in every scenario of these tests.
pub const HOME: ServerNumber = ServerNumber(0);
pub const PARTNER: ServerNumber = ServerNumber(1);

/// A scenario of two servers and so many devices, which all go on this journey; `more` goes behind it.
pub fn scene(devices: u32, journey: &str, more: &str) -> Scenario {
    scene_with(devices, journey, "", more)
}

/// As [`scene`]; `top` goes before the first table.
pub fn scene_with(devices: u32, journey: &str, top: &str, more: &str) -> Scenario {
    let journey = if journey.starts_with('"') { format!("steps = [{journey}]") } else { journey.to_owned() };
    scenario(&format!(
        r#"
name = "troubled"
seed = 7
body_limit = "64KiB"
{top}
[population]
devices = {devices}
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
{journey}
[load]
at_once = {devices}
[timeouts]
bootstrap = "1500ms"
confirmed = "1500ms"
termination = "1500ms"
prepared = "2500ms"
revoked = "2500ms"
request = "500ms"
session = "800ms"
peer = "1s"
device = "1s"
[retries]
default = "3 times every 50ms"
{more}
"#
    ))
}

/// A fault as the file has it; empty parts are left out.
pub fn fault(name: &str, site: &str, about: &str, when: &str, does: &str) -> String {
    let part = |key: &str, text: &str| if text.is_empty() { String::new() } else { format!("{key} = {{ {text} }}\n") };
    let (about, when) = (part("match", about), part("when", when));
    format!("[[fault]]\nname = \"{name}\"\nwhere = \"{site}\"\n{about}{when}do = {does}\n")
}

/// Everything that was seen of a run.
pub struct Seen {
    pub scenario: Scenario,
    /// By device.
    pub facts: Vec<Vec<Fact>>,
    /// By rule.
    pub counts: Vec<Count>,
    pub shard: Shard,
    /// By device, before the first start and when everything had come to rest.
    pub trees: Vec<[Vec<NodeView>; 2]>,
    pub servers: Vec<ServerView>,
    pub came_to_rest: bool,
}

/// How long a run of these tests may take until every flow has ended, and then until everybody has come to rest.
const PATIENCE: Duration = Duration::from_secs(25);

/// Runs a scenario to its end; faults are over when all flows have ended.
pub fn play(place: &Place, scenario: &Scenario, lanes: usize) -> Seen {
    on_stage(place, scenario, lanes, async |stand| {
        let trees_before = trees(stand).await;
        walk(stand, scenario).await;
        see(stand, scenario, trees_before).await
    })
}

/// Stands up the parties on so many threads, runs `test` on them, and takes them down again.
pub fn on_stage<T>(place: &Place, scenario: &Scenario, lanes: usize, test: impl AsyncFnOnce(&Stand) -> T) -> T {
    let mut prepared = prepare(scenario, &Ground::of(&place.0), Clock::start()).expect("the parties can be settled");
    prepared.lanes = lanes;
    actix::System::new().block_on(async {
        let stand = Stand::up(prepared).await.expect("the parties stand");
        let result = test(&stand).await;
        stand.close().await;
        result
    })
}

/// Walks the plan until every flow has ended.
pub async fn walk(stand: &Stand, scenario: &Scenario) {
    if actix::clock::timeout(PATIENCE, stand.walk(scenario.plan())).await.is_err() {
        let facts: String = (0..scenario.devices).map(|device| told(&facts_of(stand, device))).collect();
        panic!("flows are still under way after {PATIENCE:?}:\n{facts}");
    }
}

/// Ends the faults, waits until everybody has come to rest, and looks.
pub async fn see(stand: &Stand, scenario: &Scenario, trees_before: Vec<Vec<NodeView>>) -> Seen {
    stand.blueprint().faults.heal();
    let came_to_rest = stand.rest(stand.blueprint().clock.now() + PATIENCE).await;
    Seen {
        scenario: scenario.clone(),
        facts: (0..scenario.devices).map(|device| facts_of(stand, device)).collect(),
        counts: stand.blueprint().faults.counts(),
        shard: stand.take_second().await.shard,
        trees: trees_before.into_iter().zip(trees(stand).await).map(|(before, after)| [before, after]).collect(),
        servers: stand.server_views().await,
        came_to_rest,
    }
}

/// Waits until something holds; a test that would wait for ever fails instead.
pub async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    actix::clock::timeout(Duration::from_secs(10), waiting).await.expect("it comes to hold");
}

/// The tree of every device.
pub async fn trees(stand: &Stand) -> Vec<Vec<NodeView>> {
    let mut trees = Vec::new();
    for device in 0..stand.blueprint().parties.population.devices() {
        let device = stand.directory().device(DeviceNumber(device));
        trees.push(device.send(InspectTree).await.expect("the device lives"));
    }
    trees
}

pub fn facts_of(stand: &Stand, device: u32) -> Vec<Fact> {
    stand.board().with(DeviceNumber(device), <[Fact]>::to_vec)
}

/// Facts, one a line, with their moments in milliseconds.
pub fn told(facts: &[Fact]) -> String {
    facts.iter().fold(String::new(), |mut text, fact| {
        writeln!(text, "{:>6} {:?}", fact.at.nanos() / 1_000_000, fact.what).expect("a text can be written to");
        text
    })
}

impl Seen {
    /// Where the last fact of these in a row is, in the facts of a device; `None` where they were not all seen.
    pub fn find(&self, device: usize, sees: &str) -> bool {
        let sees = Pattern::parse_sequence(sees, &Cast(&self.scenario));
        let sees = sees.unwrap_or_else(|error| panic!("{sees:?}: {}", error.message, sees = error.span));
        Goal { name: String::new(), sees }.is_reached_by(&self.facts[device])
    }

    /// The first fact of this pattern at or behind a place, on a device.
    pub fn first(&self, device: usize, from: usize, pattern: &str) -> Option<(usize, &Fact)> {
        let pattern = Pattern::parse(pattern, &Cast(&self.scenario)).expect("a pattern");
        self.facts[device].iter().enumerate().skip(from).find(|(_, fact)| pattern.matches(&fact.what))
    }

    /// How many facts of this pattern there are on a device.
    pub fn count(&self, device: usize, pattern: &str) -> usize {
        let pattern = Pattern::parse(pattern, &Cast(&self.scenario)).expect("a pattern");
        self.facts[device].iter().filter(|fact| pattern.matches(&fact.what)).count()
    }

    /// How many faults have fired on a device.
    pub fn faults(&self, device: usize) -> usize {
        self.facts[device].iter().filter(|fact| matches!(fact.what, What::Fault { .. })).count()
    }

    /// What holds for every run, whatever goes wrong in it: each complaint in words.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                complaints.push(what.to_owned());
            }
        };
        check(self.came_to_rest, "not everybody came to rest");
        check(self.shard.panicked() == 0, "somebody panicked");
        check(self.shard.started() == self.shard.ended(), "a flow has not ended just once");
        check(self.shard.rejections("server_died") == 0, "a server died of something else than a fault");
        for (number, (rule, count)) in self.scenario.faults.iter().zip(&self.counts).enumerate() {
            let fired = |fact: &&Fact| fact.what == What::Fault { rule: number };
            let seen = self.facts.iter().flatten().filter(fired).count() as u64;
            check(
                seen == count.injected,
                &format!("{}: counted {} times, and seen {seen} times", rule.name, count.injected),
            );
        }
        check(self.counts.iter().all(|count| count.injected <= count.eligible), "more were injected than could be");
        for (device, facts) in self.facts.iter().enumerate() {
            for complaint in posts_without_end(facts).into_iter().chain(taken_before_sent(facts)) {
                check(false, &format!("device {device}: {complaint}"));
            }
        }
        complaints
    }
}

/// Every POST that was sent is heard of once, unless its sender was killed.
fn posts_without_end(facts: &[Fact]) -> Vec<String> {
    let killed = |server| facts.iter().any(|fact| fact.what == What::Killed { at: server });
    let mut open: Vec<(ServerNumber, &What)> = Vec::new();
    let mut complaints = Vec::new();
    for fact in facts {
        match &fact.what {
            What::Sent { from, .. } => open.push((*from, &fact.what)),
            What::Heard { at, from, kind, session, attempt, .. } => {
                let sent =
                    What::Sent { from: *at, to: *from, kind: *kind, session: session.clone(), attempt: *attempt };
                match open.iter().position(|(_, one)| **one == sent) {
                    Some(place) => drop(open.remove(place)),
                    None => complaints.push(format!("heard of what was not sent: {:?}", fact.what)),
                }
            }
            _ => {}
        }
    }
    let unheard = open.iter().filter(|(from, _)| !killed(*from));
    complaints.extend(unheard.map(|(_, sent)| format!("nothing was heard of {sent:?}")));
    complaints
}

/// Nobody takes what has not been sent: by its own sender, and for the device that it was taken for. A fault may send it
/// there from another device, or put something else in the place of a message.
fn taken_before_sent(facts: &[Fact]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (place, fact) in facts.iter().enumerate() {
        let What::Taken { at, from, kind, .. } = &fact.what else { continue };
        let is_it = |what: &What| match what {
            What::Sent { from: sender, to, kind: sent, .. }
            | What::Misdirected { from: sender, to, kind: sent, .. } => (sender, to, sent) == (from, at, kind),
            _ => false,
        };
        let is_forged = facts.iter().any(|fact| matches!(fact.what, What::Fault { .. }));
        if !is_forged && !facts[..place].iter().any(|fact| is_it(&fact.what)) {
            complaints.push(format!("taken and never sent: {:?}", fact.what));
        }
    }
    complaints
}

/// The names of a scenario.
pub struct Cast<'s>(pub &'s Scenario);

impl Names for Cast<'_> {
    fn server(&self, name: &str) -> Option<ServerNumber> {
        let place = self.0.servers.iter().position(|server| server.name == name)?;
        u16::try_from(place).ok().map(ServerNumber)
    }

    fn rule(&self, name: &str) -> Option<usize> {
        self.0.faults.iter().position(|rule| rule.name == name)
    }

    fn server_name(&self, server: ServerNumber) -> String {
        self.0.servers[usize::from(server.0)].name.clone()
    }

    fn rule_name(&self, rule: usize) -> String {
        self.0.faults[rule].name.clone()
    }

    fn known(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Does the same with every case, several at a time: most of a run is waiting. Tells all complaints at once.
pub fn side_by_side<C: Sync>(cases: &[C], check: impl Fn(&Place, &C) -> Vec<String> + Sync) {
    let place = Place::new();
    let Some((first, rest)) = cases.split_first() else { return };
    // The first alone: it makes the certificates that the others find.
    let complaints = Mutex::new(check(&place, first));
    let next = Mutex::new(rest.iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().expect("no check panics under it").next() else { return };
                    let found = check(&place, case);
                    complaints.lock().expect("no check panics under it").extend(found);
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no check panics under it");
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

const AT_A_TIME: usize = 8;
