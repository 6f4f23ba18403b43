//! How long things are waited for.

use std::time::Duration;

use crate::scenario::Scenario;

/// How long things are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For the answer to one request.
    pub request: Duration,
    /// For a session with a device.
    pub session: Duration,
    /// For what a server does next of its own accord: a few sessions and requests, none of which waits for us.
    pub reaction: Duration,
    /// In which nothing is to come.
    pub silence: Duration,
    /// The scenario's.
    pub bootstrap: Duration,
    pub confirmed: Duration,
    pub termination: Duration,
    pub prepared: Duration,
    pub device: Duration,
    /// What one case may take.
    pub case: Duration,
}

impl Timing {
    /// By the timeouts of a scenario, which are the peer's as well.
    pub fn of(scenario: &Scenario) -> Timing {
        let protocol = &scenario.timeouts.protocol;
        let (request, session) = (scenario.timeouts.request, scenario.timeouts.session);
        let reaction = (request + session).max(Duration::from_secs(3)) + scenario.timeouts.wind_down;
        let silence = Duration::from_millis(400);
        let longest = protocol.bootstrap.max(protocol.confirmed).max(protocol.termination).max(protocol.prepared);
        Timing {
            request,
            session,
            reaction,
            silence,
            bootstrap: protocol.bootstrap,
            confirmed: protocol.confirmed,
            termination: protocol.termination,
            prepared: protocol.prepared,
            device: protocol.device,
            case: longest * 3 + reaction * 8 + protocol.device + session * 4,
        }
    }
}
