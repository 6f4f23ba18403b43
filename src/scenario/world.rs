//! Whom and what journeys and faults can speak of.

use crate::ids::ServerNumber;
use crate::scenario::names::Cast;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::{BootstrapServerSettings, ServerSettings};
use crate::workload::population::Class;

/// The parties and the devices of a scenario.
pub struct World<'w> {
    pub servers: &'w [ServerSettings],
    pub bootstrap_servers: &'w [BootstrapServerSettings],
    pub classes: &'w [Class],
    pub devices: u32,
    /// Whether the devices are somebody else's.
    pub are_devices_external: bool,
    /// What patterns can name.
    pub cast: &'w Cast<'w>,
}

impl<'w> World<'w> {
    /// The name of a server.
    pub fn name(&self, server: ServerNumber) -> &'w str {
        self.servers.get(usize::from(server.0)).map_or("", |server| server.name.as_str())
    }

    /// Why nothing can be delegated to this server by URL; `None` where it can.
    pub fn why_no_url(&self, to: ServerNumber, place: &Span) -> Option<Problem> {
        if self.bootstrap_servers.iter().any(|server| server.server == to) {
            return None;
        }
        let taker = self.name(to);
        let problem = Problem::new(place.clone(), format!("`{taker}` has no bootstrap server, which `by url` needs"));
        Some(problem.hint(format!("add a `[[bootstrap_server]]` with `for = \"{taker}\"`, or write `by dmacc`")))
    }
}
