//! Exchanges that begin by the clock, as the journeys of an open load do, and by how much each is late.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::actors::pacemaker::Pacemaker;
use crate::clock::{Clock, Moment};
use crate::measure::capacity::Pace;
use crate::measure::health::Lateness;
use crate::measure::latency::Distribution;
use crate::run::calibrate::null_peer::{NullPeer, Settings};
use crate::run::calibrate::{CalibrateError, Span};
use crate::transport::dialer::DialerOptions;
use crate::transport::tls::Resumption;

/// How often a thread is asked how late its timers are, as in a run.
const PERIOD: Duration = Duration::from_millis(10);

/// How well exchanges begin that are planned evenly at this rate, for so long.
///
/// As in a run: the thread of the swarm is woken for the next start that is due; starts go to the other threads in turn, as
/// they go to the servers there.
pub(super) async fn keep(peer: &NullPeer, each: Duration, starts_per_s: f64) -> Result<Pace, CalibrateError> {
    let settings = peer.caller(DialerOptions::default(), Resumption::Off)?;
    let span = Span::after_warm_up(peer.clock, each);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..peer.lanes()).map(|_| unbounded_channel()).unzip();
    let receivers = Arc::new(Mutex::new(receivers));
    let work = move || {
        let receiver = receivers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let settings = settings.clone();
        async move { call_when_told(&settings, receiver.ok_or(CalibrateError::Died)?, span).await }
    };
    let clock = peer.clock;
    let (ring, rings) = unbounded_channel();
    let pacemaker = Pacemaker::begin(clock, move || {
        // Nobody listens any more once all has been measured.
        let _ = ring.send(());
    });
    let pacemaker = pacemaker.map_err(|_| CalibrateError::Died)?;
    let own = async {
        let starts = give_starts(clock, span, starts_per_s, senders, (pacemaker, rings));
        let (own_delays, ()) = watched(clock, span, starts).await;
        Ok(own_delays)
    };
    let (lanes, mut event_loop) = futures_util::future::try_join(peer.on_each_lane(work), own).await?;
    let mut late = Distribution::default();
    for (lane, delays) in &lanes {
        late.merge(lane);
        event_loop.merge(delays);
    }
    Ok(Pace { starts_per_s, late_ms: Lateness::of(&late), event_loop_ms: Lateness::of(&event_loop) })
}

/// Gives the moment of each start to the next thread once it is due.
async fn give_starts(
    clock: Clock,
    span: Span,
    starts_per_s: f64,
    lanes: Vec<UnboundedSender<Moment>>,
    (pacemaker, mut rings): (Pacemaker, UnboundedReceiver<()>),
) {
    let begin = clock.now();
    let due = |number: u64| begin + Duration::from_secs_f64(number as f64 / starts_per_s);
    let mut number = 0;
    while due(number) < span.until {
        while due(number) <= clock.now() && due(number) < span.until {
            // A thread that has failed says so itself.
            let _ = lanes[number as usize % lanes.len()].send(due(number));
            number += 1;
        }
        pacemaker.set(due(number));
        rings.recv().await;
    }
}

/// Calls whenever it is told to; how late each call was, and how late the timers of this thread.
async fn call_when_told(
    settings: &Settings,
    mut told: UnboundedReceiver<Moment>,
    span: Span,
) -> Result<(Distribution, Distribution), CalibrateError> {
    let (clock, dialer) = (settings.clock, settings.dialer());
    let calls = async {
        let (mut late, mut under_way) = (Distribution::default(), JoinSet::new());
        while let Some(due) = told.recv().await {
            if span.has(due) {
                late.record(clock.now() - due);
            }
            let (dialer, request) = (dialer.clone(), settings.request());
            under_way.spawn_local(async move { dialer.call(request).await });
        }
        while let Some(ended) = under_way.join_next().await {
            ended.map_err(|_| CalibrateError::Died)??;
        }
        Ok::<_, CalibrateError>(late)
    };
    let (delays, late) = watched(clock, span, calls).await;
    Ok((late?, delays))
}

/// Does some work, and says meanwhile how late the timers of this thread fire.
async fn watched<T>(clock: Clock, span: Span, work: impl Future<Output = T>) -> (Distribution, T) {
    let delays = Rc::new(RefCell::new(Distribution::default()));
    let kept = Rc::clone(&delays);
    // Apart from the work, so that it is the thread that is watched and not how the work is polled.
    let watch = actix_rt::spawn(async move {
        loop {
            let due = clock.now() + PERIOD;
            tokio::time::sleep(PERIOD).await;
            if span.has(due) {
                kept.borrow_mut().record(clock.now() - due);
            }
        }
    });
    let done = work.await;
    watch.abort();
    (delays.take(), done)
}
