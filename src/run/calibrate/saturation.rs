//! As many exchanges as there is room for, each caller beginning the next one when it has its answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::measure::latency::Distribution;
use crate::run::calibrate::null_peer::{NullPeer, Settings};
use crate::run::calibrate::{CalibrateError, Span};
use crate::transport::dialer::{Dialer, DialerOptions, Reply};
use crate::transport::tls::Resumption;

/// New connections that are under way at once on each thread: enough to keep it busy, and few enough that none waits long.
const NEW_AT_ONCE: usize = 16;

/// How long the exchanges took that came to their end in so long a time, over connections that stay open: as many at once
/// as a run would keep connections.
pub(super) async fn on_kept_connections(peer: &NullPeer, each: Duration) -> Result<Distribution, CalibrateError> {
    let options = DialerOptions::default();
    let settings = peer.caller(options, Resumption::Off)?;
    let span = Span::after_warm_up(peer.clock, each);
    let work = move || {
        let settings = settings.clone();
        async move {
            let dialer = settings.dialer();
            let took = Rc::new(RefCell::new(Distribution::default()));
            let callers = (0..options.open_per_target).map(|_| {
                let took = Rc::clone(&took);
                let keep = move |reply: &Reply| took.borrow_mut().record(reply.timing.total());
                spawn_caller(settings.clone(), dialer.clone(), span, keep)
            });
            ended(callers.collect()).await?;
            Ok(took.take())
        }
    };
    let lanes = peer.on_each_lane(work).await?;
    Ok(lanes.into_iter().fold(Distribution::default(), |mut all, lane| {
        all.merge(&lane);
        all
    }))
}

/// How many exchanges came to their end in so long a time, each over a connection of its own. Of callers that resume, those
/// count whose handshake did.
pub(super) async fn on_new_connections(
    peer: &NullPeer,
    each: Duration,
    resumption: Resumption,
) -> Result<u64, CalibrateError> {
    let options = DialerOptions { open_per_target: NEW_AT_ONCE, idle_per_target: 0, ..DialerOptions::default() };
    // Tickets are used once: a caller that shared its own with others would often have none.
    let callers: Vec<Settings> =
        (0..NEW_AT_ONCE).map(|_| peer.caller(options, resumption)).collect::<Result<_, _>>()?;
    let resumes = resumption != Resumption::Off;
    let span = Span::after_warm_up(peer.clock, each);
    let work = move || {
        let callers = callers.clone();
        async move {
            let done = Rc::new(RefCell::new(0));
            let callers = callers.into_iter().map(|settings| {
                let done = Rc::clone(&done);
                let keep = move |reply: &Reply| {
                    let is_such = reply.timing.handshake.is_some() && reply.timing.resumed == resumes;
                    *done.borrow_mut() += u64::from(is_such);
                };
                let dialer = settings.dialer();
                spawn_caller(settings, dialer, span, keep)
            });
            ended(callers.collect()).await?;
            Ok(done.take())
        }
    };
    Ok(peer.on_each_lane(work).await?.into_iter().sum())
}

type Running = tokio::task::JoinHandle<Result<(), CalibrateError>>;

/// Calls again and again until the time is over; what ended within it is to be kept.
fn spawn_caller(settings: Settings, dialer: Dialer, span: Span, mut keep: impl FnMut(&Reply) + 'static) -> Running {
    actix_rt::spawn(async move {
        while settings.clock.now() < span.until {
            let reply = dialer.call(settings.request()).await?;
            if span.has(reply.timing.done) {
                keep(&reply);
            }
        }
        Ok(())
    })
}

/// All have come to their end; the first failure, if there is one.
async fn ended(callers: Vec<Running>) -> Result<(), CalibrateError> {
    try_join_all(callers).await.map_err(|_| CalibrateError::Died)?.into_iter().collect()
}
