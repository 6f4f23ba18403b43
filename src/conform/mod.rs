//! A peer against the specification, item by item.
//!
//! The scenario has one simulated server, us, and one that is somebody else's, the peer. Cases run side by side, each with
//! a fresh device of ours; what they see becomes a verdict for each item.
//!
//! | file | its job |
//! |---|---|
//! | [`items`], [`choices`] | what is looked at: what can be right or wrong, and what is a choice |
//! | [`cases`] | the cases, as short scripts |
//! | `pair` | who we are, who the peer is, and how we reach each other |
//! | `world`, `pool`, `known` | where the cases take place: our doors, our calls, our devices; what is known of all of them |
//! | `timing` | how long things are waited for |
//! | `stage` | what a case works with |
//! | `call`, `mailbox` | a request to the peer; what the peer posts to us |
//! | `handset` | one device of ours |
//! | `fields` | the elements of a message as they stand |
//! | `log` | what a case has seen, redacted and bounded |
//! | `verdict` | from that to verdicts |

mod call;
pub mod cases;
pub mod choices;
mod fields;
mod handset;
pub mod items;
mod known;
mod log;
mod mailbox;
mod pair;
mod pool;
mod stage;
mod timing;
mod verdict;
mod world;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::clock::{Clock, wall_now};
use crate::conform::call::{Posted, Raw};
use crate::conform::cases::Case;
use crate::conform::log::Log;
use crate::conform::pool::Kind;
use crate::conform::stage::{Stage, Stopped};
use crate::conform::verdict::Played;
use crate::conform::world::World;
use crate::delegation::evidence;
use crate::results::conformance::{CaseEnd, CaseResult, Conclusion, Conformance, SCHEMA};
use crate::results::utc;
use crate::run::Watch;
use crate::scenario::Scenario;
use crate::transport::failure::{CallError, Refuser, TlsFault};
use crate::transport::guard::Target;

pub use pair::PairError;
pub use world::WorldError;

/// How many cases are under way at once.
const AT_ONCE: usize = 12;
/// How often somebody looks for a signal.
const LOOK: Duration = Duration::from_millis(100);
/// How often the peer is tried before it counts as unreachable.
const TRIES: u32 = 3;

/// How a conformance run is done.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder of certificates.
    pub certs: PathBuf,
    /// Only the cases that bear on these items: their ids, or what these begin with. Empty: all.
    pub only: Vec<String>,
    /// Which devices are taken: from the second round on, others than those of the rounds before. `None`: any.
    pub round: Option<u32>,
    /// What may be called beyond this machine.
    pub targets: Vec<Target>,
}

/// What there is to tell while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// Our doors are open: for messages, and for waking devices.
    Ready { interface: &'a str, wake: &'a str },
    /// A case has ended; how many of all have.
    Ended { case: &'a str, done: usize, of: usize },
}

/// Why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum ConformError {
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("`{asked}` is no item, and no item begins with it; `dmswarm conform --list` prints them all")]
    NoSuchItem { asked: String },
    #[error("could not listen for signals: {0}")]
    Signals(std::io::Error),
}

impl ConformError {
    /// Whether the file, or what was asked for, is at fault, and not this machine.
    pub fn is_of_the_file(&self) -> bool {
        matches!(self, ConformError::World(WorldError::Pair(_)) | ConformError::NoSuchItem { .. })
    }
}

/// A conformance run, and the signal that has interrupted it, if one did.
#[derive(Debug)]
pub struct Judged {
    pub conformance: Conformance,
    pub interrupted_by: Option<i32>,
}

/// Tries a peer. Makes an actix system of its own.
///
/// # Errors
/// [`ConformError`] when nothing could be tried; that the peer cannot be reached is a result.
pub fn conform(scenario: &Scenario, options: &Options, tell: impl FnMut(News<'_>)) -> Result<Judged, ConformError> {
    let watch = Watch::begin().map_err(ConformError::Signals)?;
    actix::System::new().block_on(try_peer(scenario, options, &watch, tell))
}

/// As [`conform`], on the actix system that is there.
pub async fn try_peer(
    scenario: &Scenario,
    options: &Options,
    watch: &Watch,
    mut tell: impl FnMut(News<'_>),
) -> Result<Judged, ConformError> {
    let chosen = chosen(&options.only)?;
    let (clock, started) = (Clock::start(), wall_now());
    let (world, doors) = World::open(scenario, options, clock).await?;
    let (interface, wake) = world.own_urls(&doors);
    tell(News::Ready { interface: &interface, wake: &wake });

    let mut interrupted_by = None;
    let mut played = Vec::new();
    let reach = reach(&world, &mut played).await;
    if reach.is_ok() {
        let total = chosen.len();
        let playing = stream::iter(&chosen).map(|case| play(&world, case)).buffer_unordered(AT_ONCE);
        let mut playing = std::pin::pin!(playing);
        // Cases end by themselves; this is for a machine that is too slow for all of them.
        let rounds = u32::try_from(total.div_ceil(AT_ONCE)).unwrap_or(u32::MAX);
        let end = clock.now() + world.timing.case * rounds;
        while clock.now() < end && interrupted_by.is_none() {
            match tokio::time::timeout(LOOK, playing.next()).await {
                Ok(Some(ended)) => {
                    played.push(ended);
                    let done = played.len() - 1;
                    tell(News::Ended { case: &played[done].result.name, done, of: total });
                }
                Ok(None) => break,
                Err(_) => interrupted_by = watch.first(),
            }
        }
    }
    let mut reach = reach;
    if reach.is_ok() {
        world.rest().await;
        // What a peer that has gone did not do says nothing about it.
        if interrupted_by.is_none()
            && let Some(why) = has_gone(&world).await
        {
            reach = Err(Unreached { why, is_its_fault: false });
        }
    }
    played.push(strays(&world));
    let order = |name: &str| cases::ALL.iter().position(|case| case.name == name);
    played.sort_by_key(|played| order(&played.result.name));
    drop(doors);

    let all: Vec<&Case> = cases::ALL.iter().collect();
    let items = verdict::items(&played, &all);
    let problems = world.problems();
    let (conclusion, because) = match (reach, interrupted_by) {
        (_, Some(signal)) => (Conclusion::Interrupted, format!("interrupted by signal {signal}")),
        (Err(Unreached { why, is_its_fault: false }), None) => (Conclusion::Unreachable, why),
        (Err(Unreached { is_its_fault: true, .. }) | Ok(()), None) => verdict::conclude(&items, &problems),
    };
    let peer = &scenario.servers[usize::from(world.pair.peer.0)];
    let conformance = Conformance {
        schema: SCHEMA.to_owned(),
        scenario: scenario.name.clone(),
        seed: scenario.seed.0,
        peer: peer.name.clone(),
        peer_id: peer.id.as_str().to_owned(),
        url: world.pair.url.clone(),
        started: utc::rfc3339_seconds(started),
        duration_s: clock.now().seconds(),
        conclusion,
        because,
        requirements: verdict::requirements(&items),
        readings: verdict::seen(&played, false),
        choices: verdict::seen(&played, true),
        items,
        cases: played.into_iter().map(|played| played.result).collect(),
        problems,
    };
    Ok(Judged { conformance, interrupted_by })
}

/// The cases that bear on what was asked for.
fn chosen(only: &[String]) -> Result<Vec<&'static Case>, ConformError> {
    let is_asked = |asked: &str, item: &str| item == asked || item.starts_with(asked);
    for asked in only {
        if !items::all()
            .iter()
            .any(|item| is_asked(asked, &item.id) || item.requirement.id().starts_with(asked.as_str()))
        {
            return Err(ConformError::NoSuchItem { asked: asked.clone() });
        }
    }
    let wanted = |item: &items::Item| {
        only.iter().any(|asked| is_asked(asked, &item.id) || item.requirement.id().starts_with(asked.as_str()))
    };
    let bears =
        |case: &&Case| only.is_empty() || items::all().iter().any(|item| wanted(item) && case.bears_on(&item.id));
    Ok(cases::ALL.iter().filter(bears).collect())
}

/// The peer cannot be tried.
struct Unreached {
    why: String,
    /// Whether that is an item which fails.
    is_its_fault: bool,
}

/// A first request, that can do no harm: whether the peer is there, and takes us for whom we are.
async fn reach(world: &Rc<World>, played: &mut Vec<Played>) -> Result<(), Unreached> {
    let log = Rc::new(Log::new("first-contact", world.clock));
    let stage = Stage::new(world, &log, None);
    let mut reached = Ok(());
    for _ in 0..TRIES {
        let posted = stage.send(Raw::post(cases::harmless_text(&stage), "delegation_req")).await;
        reached = told_by(&posted);
        if matches!(posted.status(), Some(401 | 403)) && takes_us_for_a_device(world, &log).await {
            // It is the device that it has refused, and not us.
            reached = Ok(());
        }
        let is_settled = reached.as_ref().map_or_else(|unreached| unreached.is_its_fault, |()| true);
        if is_settled || posted.status().is_some() {
            if let Err(Unreached { why, is_its_fault: true }) = &reached {
                log.check("tls/server-certificate", false, why.as_str(), posted.exchange);
            }
            break;
        }
    }
    let end = match &reached {
        Ok(()) => CaseEnd::Whole,
        Err(unreached) => CaseEnd::Stopped(unreached.why.clone()),
    };
    played.push(ended("first-contact", "whether the peer is there, and takes us for whom we are", end, &log, 0.0));
    reached
}

/// Why the peer is not there any more, if it is not: nobody listens where it was.
async fn has_gone(world: &Rc<World>) -> Option<String> {
    let log = Rc::new(Log::new("last-contact", world.clock));
    let stage = Stage::new(world, &log, None);
    let posted = stage.send(Raw::post(cases::harmless_text(&stage), "delegation_req")).await;
    match posted.reply {
        Err(error @ CallError::Connect { .. }) => Some(format!("the peer has gone meanwhile: {error}")),
        _ => None,
    }
}

/// Whether the peer talks to us about a device that it knows.
async fn takes_us_for_a_device(world: &Rc<World>, log: &Rc<Log>) -> bool {
    for kind in [Kind::OURS, Kind::PEERS] {
        let Ok(device) = world.take_device(kind, log) else { continue };
        let stage = Stage::new(world, log, Some(device));
        world.enrol(&stage.mailbox);
        let Ok(request) = stage.request(false, &stage.fresh_session()) else { continue };
        let posted = stage.post(&request).await;
        stage.leave().await;
        stage.mailbox.close();
        return posted.status().is_some_and(|status| !matches!(status, 401 | 403));
    }
    false
}

fn told_by(posted: &Posted) -> Result<(), Unreached> {
    let unreached = |why: String, is_its_fault| Err(Unreached { why, is_its_fault });
    match &posted.reply {
        Ok(reply) if matches!(reply.status, 401 | 403) => unreached(
            format!("the peer refuses our identity: it answers our first request with {}", reply.status),
            false,
        ),
        Ok(_) => Ok(()),
        Err(CallError::Tls { by: Refuser::Us, fault: TlsFault::Other(why), .. }) => {
            unreached(format!("the peer cannot be reached: it does not speak TLS ({why})"), false)
        }
        Err(error @ CallError::Tls { by: Refuser::Us, .. }) => unreached(error.to_string(), true),
        Err(error) => unreached(format!("the peer cannot be reached: {error}"), false),
    }
}

/// Plays one case; it ends, whatever the peer does.
async fn play(world: &Rc<World>, case: &'static Case) -> Played {
    let log = Rc::new(Log::new(case.name, world.clock));
    let began = world.clock.now();
    let device = match case.device.map(|kind| world.take_device(kind, &log)).transpose() {
        Ok(device) => device,
        Err(why) => return ended(case.name, case.says, CaseEnd::NotTried(why), &log, 0.0),
    };
    let stage = Stage::new(world, &log, device);
    world.enrol(&stage.mailbox);
    let end = match tokio::time::timeout(world.timing.case, (case.run)(&stage)).await {
        Ok(Ok(())) => CaseEnd::Whole,
        Ok(Err(Stopped(why))) => CaseEnd::Stopped(evidence::short(&why)),
        Err(_) => CaseEnd::Stopped(format!("it took longer than {} s, and was ended", world.timing.case.as_secs_f64())),
    };
    stage.leave().await;
    stage.mailbox.close();
    ended(case.name, case.says, end, &log, world.clock.now().since(began).as_secs_f64())
}

fn ended(name: &str, says: &str, end: CaseEnd, log: &Log, duration_s: f64) -> Played {
    let mut kept = log.take_kept();
    let exchanges = std::mem::take(&mut kept.exchanges);
    let result = CaseResult { name: name.to_owned(), says: says.to_owned(), end, duration_s, exchanges };
    Played { result, kept }
}

/// What came in for no case.
fn strays(world: &World) -> Played {
    let mut kept = world.strays();
    let exchanges = std::mem::take(&mut kept.exchanges);
    let says = "what came in for no case".to_owned();
    let result = CaseResult { name: "strays".to_owned(), says, end: CaseEnd::Whole, duration_s: 0.0, exchanges };
    Played { result, kept }
}
