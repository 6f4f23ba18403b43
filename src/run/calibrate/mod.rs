//! What this machine can generate, measured beforehand: against a peer in this process that answers at once.
//!
//! Callers and doors share their threads as they do in a run, so that the figures hold all that a run pays for bytes,
//! TLS and timers, and nothing of what its machines work. They are the most that any run could come to here.
//!
//! | file | its job |
//! |---|---|
//! | `null_peer` | a door that answers everything alike, and callers on its threads |
//! | `saturation` | as many exchanges as there is room for: on kept connections, or each on its own |
//! | `schedule` | exchanges that begin by the clock, and by how much each is late |

mod null_peer;
mod saturation;
mod schedule;

use std::path::Path;
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::measure::capacity::Capacity;
use crate::run::host;
use crate::scenario::Scenario;
use crate::transport::address::AddressError;
use crate::transport::certs::CertError;
use crate::transport::failure::CallError;
use crate::transport::listener::ListenError;
use crate::transport::tls::{Resumption, TlsSetupError};
use null_peer::NullPeer;

/// Of what is measured, so much more goes before it and is not counted.
const WARM_UP: f64 = 0.2;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    #[error(transparent)]
    Certificates(#[from] CertError),
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("a call to our own door failed: {0}; measure for a shorter time, or raise the limit of open files")]
    Call(#[from] CallError),
    #[error("no exchange came to its end in {} ms: this machine is too busy to be measured so shortly", .0.as_millis())]
    Nothing(Duration),
    #[error("a thread that calls died; this is a fault of dmswarm itself")]
    Died,
}

/// Measures each figure for so long, after a fifth of that as warm-up. The peer and its caller go by the names of the
/// scenario's first and last server, with certificates from the folder `certs`.
pub fn calibrate(scenario: &Scenario, certs: &Path, each: Duration) -> Result<Capacity, CalibrateError> {
    host::raise_open_files();
    let clock = Clock::start();
    actix::System::new().block_on(async {
        let peer = NullPeer::up(scenario, certs, host::cores(), clock).await?;
        let measured = measure(&peer, each).await;
        peer.close().await;
        measured
    })
}

async fn measure(peer: &NullPeer, each: Duration) -> Result<Capacity, CalibrateError> {
    let kept = saturation::on_kept_connections(peer, each).await?;
    let exchanges_per_s = per_second(kept.count(), each);
    if exchanges_per_s == 0.0 {
        return Err(CalibrateError::Nothing(each));
    }
    let full = saturation::on_new_connections(peer, each, Resumption::Off).await?;
    let resumed = saturation::on_new_connections(peer, each, Resumption::On { servers: 1 }).await?;
    let pace = schedule::keep(peer, each, exchanges_per_s / 2.0).await?;
    Ok(Capacity {
        threads: peer.lanes(),
        each,
        exchanges_per_s,
        exchange_ms: kept.spread(),
        full_handshakes_per_s: per_second(full, each),
        resumed_handshakes_per_s: per_second(resumed, each),
        pace,
    })
}

fn per_second(times: u64, each: Duration) -> f64 {
    times as f64 / each.as_secs_f64()
}

/// The time in which something counts, behind its warm-up.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Moment,
    until: Moment,
}

impl Span {
    /// One that lasts so long, from the end of a warm-up that begins now.
    fn after_warm_up(clock: Clock, lasts: Duration) -> Span {
        let from = clock.now() + lasts.mul_f64(WARM_UP);
        Span { from, until: from + lasts }
    }

    fn has(&self, moment: Moment) -> bool {
        self.from <= moment && moment < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn even_a_fifth_of_a_second_says_what_a_machine_can_do() {
        let scenario = parse("quickstart.toml", QUICKSTART, &Overrides::default()).expect("the quickstart");
        let certs = std::env::temp_dir().join(format!("dmswarm-calibrate-{}", std::process::id()));
        let measured = calibrate(&scenario, &certs, Duration::from_millis(200));
        std::fs::remove_dir_all(&certs).expect("the folder of certificates goes");
        let capacity = measured.expect("a machine that calls itself");
        assert!(capacity.exchanges_per_s > 0.0 && capacity.exchange_ms.p50 > Some(0.0), "{capacity:?}");
        assert!(capacity.full_handshakes_per_s > 0.0 && capacity.resumed_handshakes_per_s > 0.0, "{capacity:?}");
        // What costs two signatures and their checks is never as cheap as what finds its connection open.
        assert!(capacity.full_handshakes_per_s < capacity.exchanges_per_s, "{capacity:?}");
        assert_eq!(capacity.pace.starts_per_s, capacity.exchanges_per_s / 2.0);
        let late = capacity.pace.late_ms;
        assert!(late.max >= late.p50 && late.max.is_some(), "{capacity:?}");
        assert!(capacity.pace.event_loop_ms.max.is_some(), "{capacity:?}");
    }
}
