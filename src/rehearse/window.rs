//! One event moved past another through real sockets: each try is a device of its own, with faults that hold what is moved.
//!
//! Sockets are not exact, so that what counts is the offset that was measured. Behind the other, what is moved is held
//! until that has been seen, and then as long as the offset says; before it, for so long that it comes that much earlier
//! than the timer will fire: counted from when it has set out, which a first batch of tries has measured.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::explore::event::Thing;
use crate::explore::own_way::{Ending, flows};
use crate::explore::window::{Seen, Trial, Window, WindowError};
use crate::explore::wording;
use crate::facts::Fact;
use crate::facts::pattern::{Pattern, Progress, Sought};
use crate::faults::latency::Distribution;
use crate::faults::rule::{Action, Devices, End, Rule, Selector, Site, When};
use crate::ids::DeviceNumber;
use crate::measure::promise::{KEPT_BREACHES, Place, PromiseResult};
use crate::run::news::News;
use crate::run::{Options, RunError, run_and_look};
use crate::scenario::Scenario;
use crate::workload::journey::{Journey, Step};
use crate::workload::plan::Load;
use crate::workload::population::Cohort;

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct HowOften {
    /// Each offset.
    pub repeat: u32,
    /// Tries under way at the same time.
    pub at_once: u32,
}

/// What came of it.
pub struct Rehearsed {
    /// By the offset that was wished.
    pub trials: Vec<Trial>,
    /// The signal that interrupted it.
    pub interrupted_by: Option<i32>,
}

/// Why a window cannot be tried over HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    #[error(
        "over HTTPS only a request, an answer or a session can be held, and `{0}` is none of them: leave out --https, or \
         name one of them"
    )]
    CannotBeHeld(String),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Before the other comes there is time for the flow to get there, and for the earliest offset.
const LEAST_WAIT: Duration = Duration::from_millis(400);
/// No timer is longer where nothing else says how long it has to be.
const LONGEST_TIMER: Duration = Duration::from_secs(2);
/// Requests and sessions wait that much longer than anything is held.
const MARGIN: Duration = Duration::from_secs(2);
/// Pauses of a journey are no longer.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// Tries of one run: no more than there are breaches kept.
const MOST_DEVICES: usize = KEPT_BREACHES / 2;

/// A scenario whose timeouts are so short that a try takes a second or two, in proportion, and with them the same window.
///
/// # Errors
/// [`WindowError`] as for the window itself.
pub fn shortened(
    scenario: &Scenario,
    (past, moved): (&str, &str),
    (from, to): (i64, i64),
) -> Result<Window, WindowError> {
    let window = Window::find(scenario, past, moved)?;
    let before = Duration::from_millis(from.min(0).unsigned_abs());
    let behind = Duration::from_millis(to.max(0).unsigned_abs());
    let wait = LEAST_WAIT.max(before + LEAST_WAIT / 2);
    let mut scenario = scenario.clone();
    let protocol = &mut scenario.timeouts.protocol;
    let timers = [
        &mut protocol.bootstrap,
        &mut protocol.confirmed,
        &mut protocol.termination,
        &mut protocol.prepared,
        &mut protocol.revoked,
        &mut protocol.device,
        &mut protocol.peer,
        &mut scenario.timeouts.wind_down,
    ];
    let longest = timers.iter().map(|timer| **timer).max().unwrap_or_default();
    let (long, short) = if window.reach.is_zero() { (longest, LONGEST_TIMER) } else { (window.reach, wait) };
    if long > short {
        for timer in timers {
            let millis = timer.as_millis() * short.as_millis() / long.as_millis();
            *timer = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        }
    }
    let mut window = Window::find(&scenario, past, moved)?;
    let held = window.reach + behind + MARGIN;
    let timeouts = &mut window.way.scenario.timeouts;
    timeouts.request = held;
    timeouts.session = held;
    Ok(window)
}

/// Whether what is moved can be held over HTTPS.
///
/// # Errors
/// [`RehearseError::CannotBeHeld`] where it cannot.
pub fn check(window: &Window) -> Result<(), RehearseError> {
    let words = || wording::event(&window.moved, &window.way.premises);
    hold_at(window).map(|_| ()).ok_or_else(|| RehearseError::CannotBeHeld(words()))
}

/// Tries each offset, in milliseconds, as often as asked; those behind the other first.
///
/// # Errors
/// [`RehearseError`] when it cannot be held, or when nothing could be run.
pub fn rehearse(
    window: &Window,
    offsets: &[i64],
    how: HowOften,
    options: &Options,
    tell: &mut dyn FnMut(News<'_>),
) -> Result<Rehearsed, RehearseError> {
    check(window)?;
    let reach = i64::try_from(window.reach.as_millis()).unwrap_or(i64::MAX);
    let repeated = |is_wanted: &dyn Fn(i64) -> bool| -> Vec<i64> {
        let wanted = offsets.iter().copied().filter(|offset| is_wanted(*offset) && *offset >= -reach);
        wanted.flat_map(|offset| (0..how.repeat).map(move |_| offset)).collect()
    };
    let behind = repeated(&|offset| offset >= 0);
    // Where nothing comes behind the other, the way is measured all the same.
    let (first, counts) = if behind.is_empty() { (vec![0; how.repeat as usize], false) } else { (behind, true) };
    let mut rehearsed = Rehearsed { trials: Vec::new(), interrupted_by: None };
    let mut leads = Vec::new();
    for batch in first.chunks(MOST_DEVICES) {
        let facts = run_batch(window, batch, Duration::ZERO, how, options, tell, &mut rehearsed)?;
        leads.extend(facts.iter().filter_map(|facts| window.lead(facts)));
    }
    if !counts {
        rehearsed.trials.clear();
    }
    leads.sort_unstable();
    let lead = leads.get(leads.len() / 2).copied().unwrap_or_default();
    for batch in repeated(&|offset| offset < 0).chunks(MOST_DEVICES) {
        run_batch(window, batch, lead, how, options, tell, &mut rehearsed)?;
    }
    rehearsed.trials.sort_by_key(|trial| trial.wished);
    Ok(rehearsed)
}

/// One run with a device for each offset; adds what came of them, and returns what was seen.
fn run_batch(
    window: &Window,
    offsets: &[i64],
    lead: Duration,
    how: HowOften,
    options: &Options,
    tell: &mut dyn FnMut(News<'_>),
    rehearsed: &mut Rehearsed,
) -> Result<Vec<Vec<Fact>>, RunError> {
    if rehearsed.interrupted_by.is_some() {
        return Ok(Vec::new());
    }
    let scenario = scene(window, offsets, lead, how);
    let devices = || (0..scenario.devices).map(DeviceNumber);
    let looked = run_and_look(&scenario, options, tell, |board| {
        devices().map(|device| board.with(device, <[Fact]>::to_vec)).collect::<Vec<_>>()
    });
    let (finished, seen) = match looked {
        Err(RunError::Interrupted(number)) => {
            rehearsed.interrupted_by = Some(number);
            return Ok(Vec::new());
        }
        looked => looked?,
    };
    rehearsed.interrupted_by = finished.interrupted_by;
    if finished.interrupted_by.is_none() {
        for ((device, facts), wished) in devices().zip(&seen).zip(offsets) {
            let ending = Ending { flows: flows(facts), broken: broken(&finished.promises, device) };
            let seen = Seen { fate: window.fate(facts), ending };
            rehearsed.trials.push(Trial { wished: *wished, measured: window.offset(facts), seen });
        }
    }
    Ok(seen)
}

/// The scenario of one run: the journey alone, and what is moved held for each device as its offset says.
fn scene(window: &Window, offsets: &[i64], lead: Duration, how: HowOften) -> Scenario {
    let alone = &window.way.scenario;
    let devices = u32::try_from(offsets.len()).unwrap_or(u32::MAX);
    let cohort = &alone.journeys[0];
    let mut journey = Journey::clone(&cohort.journey);
    for step in &mut journey.steps {
        if let Step::Wait(pause) | Step::WaitUntil(pause) = step {
            *pause = LONGEST_PAUSE.min(*pause);
        }
    }
    journey.meanwhile.retain(|one| !matches!(one.once.what, Sought::Fault(_)));
    let latest = offsets.iter().copied().max().unwrap_or_default().max(0).unsigned_abs();
    let faults = (0..).map(DeviceNumber).zip(offsets).flat_map(|(device, offset)| hold(window, device, *offset, lead));
    Scenario {
        name: format!("{}-window", alone.name),
        devices,
        journeys: vec![Cohort { journey: Arc::new(journey), ..cohort.clone() }],
        load: Load::closed(devices, how.at_once.max(1)),
        faults: faults.collect(),
        // What is moved arrives before anybody is judged.
        heal: Duration::from_millis(latest + 200),
        watch: devices,
        goals: Vec::new(),
        expect: None,
        ..alone.clone()
    }
}

/// The faults that move it on one device.
fn hold(window: &Window, device: DeviceNumber, offset: i64, lead: Duration) -> Vec<Rule> {
    let Some((site, about, after)) = hold_at(window) else { return Vec::new() };
    let about = Selector { devices: Devices::These(vec![device]), ..about };
    let when = When { after, budget_per_device: Some(1), ..When::default() };
    let rule = |name: &str, action: Action| Rule {
        name: format!("{name}-{}", device.0),
        site,
        about: about.clone(),
        when: when.clone(),
        action,
    };
    let by = Duration::from_millis(offset.unsigned_abs());
    let until = |until: &Pattern| Action::Hold { until: until.clone(), at_most: window.reach + MARGIN };
    let late = |by: Duration| rule("late", Action::Delay(Distribution::Constant(by)));
    match &window.clock {
        Some((from, wait)) if offset < 0 => {
            vec![rule("held", until(from)), late(wait.saturating_sub(by).saturating_sub(lead))]
        }
        _ if offset < 0 => vec![late(window.reach.saturating_sub(by))],
        _ => vec![rule("held", until(&window.past)), late(by)],
    }
}

/// Where what is moved is held, by what it is known, and what has been seen before it; `None` where it cannot be held.
fn hold_at(window: &Window) -> Option<(Site, Selector, Option<Pattern>)> {
    let nth = window.moved.nth;
    let earlier = |what: Sought| (nth > 1).then_some(Pattern { what, nth: nth - 1 });
    Some(match window.moved.thing {
        // Where its receiver has it in its hands already: nothing of the way is left that would take its time.
        Thing::Request { message, from, to, attempt } => {
            let about = Selector {
                from: Some(vec![from]),
                to: Some(vec![End::Server(to)]),
                messages: Some(vec![message]),
                attempt: Some(attempt..=attempt),
                ..Selector::default()
            };
            (Site::BeforeHandler, about, earlier(Sought::Sent { message: Some(message), by: Some(from) }))
        }
        Thing::Answer { message, of, from, attempt } => {
            let about = Selector {
                from: Some(vec![of]),
                to: Some(vec![End::Server(from)]),
                messages: Some(vec![message]),
                attempt: Some(attempt..=attempt),
                ..Selector::default()
            };
            (Site::AfterHandler, about, earlier(Sought::Sent { message: Some(message), by: Some(of) }))
        }
        Thing::Session { at, errand } => {
            let about = Selector { from: Some(vec![at]), ..Selector::default() };
            let begins = Sought::Errand { errand: Some(errand), progress: Progress::Begins, at: Some(at) };
            (Site::Trigger, about, Some(Pattern { what: begins, nth }))
        }
        _ => return None,
    })
}

/// The promises that are broken on a device.
fn broken(promises: &[PromiseResult], device: DeviceNumber) -> Vec<String> {
    let is_there = |promise: &&PromiseResult| promise.breaches.iter().any(|breach| breach.at == Place::Device(device));
    promises.iter().filter(is_there).map(|promise| promise.name.to_owned()).collect()
}

/// Where a run of a window is kept, and how.
pub fn options(folder: &Path, options: &Options) -> Options {
    Options { out: folder.join("https"), ..options.clone() }
}
