//! What the load of a scenario asks of the machine that generates it: exchanges and handshakes in its busiest second.
//!
//! An exchange is one HTTPS request with its answer, between servers or of a device. How many a flow takes is counted
//! along the flows of the specification, where nothing goes wrong; `tests/calibrate.rs` holds a run against it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::delegation::flow::{Approach, FlowKind, Revocation};
use crate::ids::ServerNumber;
use crate::measure::capacity::Need;
use crate::scenario::estimate::FLOW_TAKES;
use crate::scenario::{BootstrapAddress, BootstrapServerSettings, Connections, Scenario};
use crate::workload::arrival::Shape;
use crate::workload::journey::{Journey, Step};

/// A load that lasts longer is looked at in longer stretches than seconds, so many at most.
const MOST_STRETCHES: u64 = 4_000;

/// What the load of a scenario asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Demand {
    /// Of what goes by the clock: per second in the busiest one. `None` where nothing does.
    pub clocked: Option<Need>,
    /// Of the largest storm: all that its journeys begin with, or go on with behind a `wait until`, to be done as soon as can
    /// be. `None` without a storm.
    pub storm: Option<Need>,
    /// The most places of closed phases, which ask for no rate. `None` without any.
    pub at_once: Option<u64>,
}

/// What is done, and when: after the start of a journey, or of the load.
type Doings = Vec<(Duration, Need)>;

impl Scenario {
    /// What the load of this scenario asks for. Takes time in proportion to its starts and to the steps of its journeys.
    pub fn demand(&self) -> Demand {
        let per_journey = self.population().devices_per_journey().to_vec();
        let plan = self.plan();
        let mut clocked = Stretches::default();
        let mut demand = Demand::default();
        let mut gatherings: BTreeMap<Duration, Need> = BTreeMap::new();
        for (number, load) in plan.load.populations.iter().enumerate() {
            let doings = self.doings(|journey| load.has(journey), &per_journey);
            let devices = load.devices(&per_journey);
            let (mut left, mut lead, mut starts): (u64, f64, Vec<Duration>) =
                (devices.min(load.starts).into(), 0.0, Vec::new());
            for (phase, (settings, begins)) in load.phases.iter().zip(load.begins()).enumerate() {
                let Some(begins) = begins else { break };
                match settings.shape {
                    Shape::Storm(devices) => {
                        let devices = u64::from(devices).min(left);
                        left -= devices;
                        let first = doings.first().map_or(Need::default(), |(_, need)| times(need, devices as f64));
                        let most = demand.storm.unwrap_or_default();
                        demand.storm = Some(if first.exchanges > most.exchanges { first } else { most });
                    }
                    Shape::Closed { at_once, .. } => demand.at_once = demand.at_once.max(Some(u64::from(at_once))),
                    Shape::Rated(..) | Shape::Recorded(_) | Shape::Pause(_) => {
                        let mut offsets = plan.offsets(number, phase, lead);
                        let before = starts.len();
                        starts.extend(offsets.by_ref().take(left as usize).map(|offset| begins.saturating_add(offset)));
                        left -= (starts.len() - before) as u64;
                        lead = offsets.lead();
                    }
                }
            }
            clocked.add(&starts, &doings);
            let started = f64::from(devices.min(load.starts)) / f64::from(devices.max(1));
            let journeys = self.journeys.iter().zip(&per_journey).enumerate();
            for (_, (cohort, devices)) in journeys.filter(|(number, _)| load.has(*number)) {
                for (at, need) in self.doings_of(&cohort.journey).1 {
                    let all = gatherings.entry(at).or_default();
                    *all = plus(all, &times(&need, f64::from(*devices) * started));
                }
            }
        }
        let storms = demand.storm.into_iter().chain(gatherings.into_values());
        demand.storm = storms.max_by(|one, other| one.exchanges.total_cmp(&other.exchanges));
        demand.clocked = clocked.most();
        demand
    }

    /// What a journey of these comes to on an average, by when.
    fn doings(&self, is_of_them: impl Fn(usize) -> bool, per_journey: &[u32]) -> Doings {
        let all = || (self.journeys.iter().zip(per_journey)).enumerate().filter(|(number, _)| is_of_them(*number));
        let devices: u32 = all().map(|(_, (_, devices))| devices).sum();
        let mut doings: Doings = Vec::new();
        for (_, (cohort, own)) in all().filter(|(_, (_, own))| **own > 0) {
            let share = f64::from(*own) / f64::from(devices);
            doings.extend(self.doings_of(&cohort.journey).0.into_iter().map(|(at, need)| (at, times(&need, share))));
        }
        doings.sort_by_key(|(at, _)| *at);
        doings.dedup_by(|next, first| {
            let is_at_once = next.0 == first.0;
            if is_at_once {
                first.1 = plus(&first.1, &next.1);
            }
            is_at_once
        });
        doings
    }

    /// What a journey does so long after its start, and what it does at a moment of the load, whenever it was started: just
    /// the flow that waits for that, for those behind it come as that one goes.
    fn doings_of(&self, journey: &Journey) -> (Doings, Doings) {
        let (mut doings, mut gathered) = (Vec::new(), Vec::new());
        let (mut at, mut met) = (Duration::ZERO, BTreeSet::new());
        let (mut until, mut has_waited) = (None, false);
        for step in &journey.steps {
            let (flow, from, to) = match (step, step.wish()) {
                (Step::Wait(time), _) => {
                    at = at.saturating_add(*time);
                    continue;
                }
                (Step::WaitUntil(moment), _) => {
                    (until, has_waited) = (Some(*moment), true);
                    continue;
                }
                (_, Some((flow, (from, to), _))) => (flow, from, to),
                (_, None) => continue,
            };
            let before = met.len();
            let called = self.called_on(flow, from, to);
            let handshakes = match self.connections {
                Connections::Pooled => 0,
                // One for each session; at most as many as whoever is called has with the device in this flow.
                Connections::PerSession => called.len(),
                Connections::PerDevice => {
                    met.extend(called);
                    met.len() - before
                }
            };
            let need = Need { exchanges: exchanges(flow), handshakes: handshakes as f64 };
            match until.take() {
                Some(moment) => gathered.push((moment, need)),
                None if has_waited => {}
                None => doings.push((at, need)),
            }
            at = at.saturating_add(FLOW_TAKES);
        }
        (doings, gathered)
    }

    /// Whom a device calls on in a flow: the servers by their numbers, and whether it is one's bootstrap server.
    fn called_on(&self, flow: FlowKind, from: ServerNumber, to: ServerNumber) -> Vec<(ServerNumber, bool)> {
        let has_own_address =
            |site: &&BootstrapServerSettings| site.server == to && site.at != BootstrapAddress::Server;
        match flow {
            FlowKind::Delegate { approach: Approach::DmAcc, .. } => vec![(from, false), (to, false)],
            FlowKind::Delegate { .. } => {
                let apart = self.bootstrap_servers.iter().any(|site| has_own_address(&site));
                let called = [(from, false), (to, false), (to, true)];
                called.into_iter().filter(|(_, is_bootstrap)| apart || !is_bootstrap).collect()
            }
            FlowKind::Revoke(_) => vec![(from, false)],
        }
    }
}

/// How many exchanges a flow takes that ends `done`.
fn exchanges(flow: FlowKind) -> f64 {
    /// A device and a server until both are content: commands, results, and the word that there is no more.
    const SESSION: u32 = 3;
    let exchanges = match flow {
        FlowKind::Delegate { approach, is_full, .. } => {
            let own = match approach {
                // DELEGATION_REQ, DELEGATION_PREPARED, BOOTSTRAP_CONFIRMED or its like, each with its answer; the account
                // is written in one session, and the delegate reaches the device in another.
                Approach::DmAcc => 3 + 2 * SESSION,
                // BOOTSTRAP_SRV_URL_REQ besides; two sessions with the delegating server, the document itself, and a
                // first visit to the delegate, which has nothing to command.
                Approach::Url => 4 + 2 * SESSION + 1 + 2,
            };
            // In one more session the delegating server takes its own account off.
            own + if is_full { SESSION } else { 0 }
        }
        // One session takes the account off; what is said before it depends on who wants it.
        FlowKind::Revoke(how) => {
            SESSION
                + match how {
                    // DELEGATION_TERMINATION_REQ, DELEGATION_TERMINATION_RESP, DELEGATION_REVOKED.
                    Revocation::Asked => 3,
                    // DELEGATION_REVOCATION_REQ, DELEGATION_REVOKED.
                    Revocation::Requested => 2,
                    // DELEGATION_REVOKED, or nothing.
                    Revocation::Forced { notice } => u32::from(notice),
                }
        }
    };
    f64::from(exchanges)
}

/// Needs by when they are.
#[derive(Default)]
struct Stretches(Vec<(Vec<Duration>, Doings)>);

impl Stretches {
    fn add(&mut self, starts: &[Duration], doings: &Doings) {
        if !starts.is_empty() {
            self.0.push((starts.to_vec(), doings.clone()));
        }
    }

    /// The most in one stretch, per second; `None` where nothing is ever done.
    fn most(&self) -> Option<Need> {
        let end = |(starts, doings): &(Vec<Duration>, Doings)| {
            let last = doings.last().map_or(Duration::ZERO, |(at, _)| *at);
            starts.iter().max().copied().unwrap_or_default().saturating_add(last).as_secs()
        };
        let ends = self.0.iter().map(end).max()?;
        let width = ends / MOST_STRETCHES + 1;
        let place = |at: Duration| (at.as_secs() / width) as usize;
        let mut needs = vec![Need::default(); (ends / width) as usize + 2];
        for (starts, doings) in &self.0 {
            // Starts of the same stretch go together, and so do doings.
            let mut started = vec![0.0; needs.len()];
            starts.iter().for_each(|at| started[place(*at)] += 1.0);
            let mut done = vec![Need::default(); needs.len()];
            for (at, need) in doings {
                done[place(*at)] = plus(&done[place(*at)], need);
            }
            for (first, starts) in started.iter().enumerate().filter(|(_, starts)| **starts > 0.0) {
                for (later, need) in done.iter().enumerate().take(needs.len() - first) {
                    needs[first + later] = plus(&needs[first + later], &times(need, *starts));
                }
            }
        }
        let most = |of: fn(&Need) -> f64| needs.iter().map(of).fold(0.0, f64::max) / width as f64;
        Some(Need { exchanges: most(|need| need.exchanges), handshakes: most(|need| need.handshakes) })
    }
}

fn plus(one: &Need, other: &Need) -> Need {
    Need { exchanges: one.exchanges + other.exchanges, handshakes: one.handshakes + other.handshakes }
}

fn times(need: &Need, factor: f64) -> Need {
    Need { exchanges: need.exchanges * factor, handshakes: need.handshakes * factor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    /// What the quickstart asks for with these keys set.
    fn demand(sets: &[&str]) -> Demand {
        let sets = sets.iter().map(|set| (*set).to_owned()).collect();
        let overrides = Overrides { sets, ..Overrides::default() };
        parse("quickstart.toml", QUICKSTART, &overrides).unwrap_or_else(|problems| panic!("{problems}")).demand()
    }

    /// One journey alone, under this load.
    fn of_one(steps: &str, load: &str, connections: &str) -> Demand {
        demand(&[
            &format!("journey=[{{ steps = [{steps}] }}]"),
            &format!("load={load}"),
            &format!("connections={connections}"),
        ])
    }

    const LENT: &str = r#""delegate home -> partner by dmacc subtree ./SCOMO", "wait 10s", "revoke asked""#;

    #[test]
    fn the_busiest_second_is_that_in_which_what_has_been_started_meets_what_goes_on() {
        let hold = |seconds| format!("{{ phases = [\"hold 20/s for {seconds}s\"] }}");
        // For 5 s, 20 delegations a second of 3 + 2 · 3 exchanges; then, from 10 s on, 20 revocations of 3 + 3.
        assert_eq!(of_one(LENT, &hold(5), "\"pooled\"").clocked, Some(Need { exchanges: 180.0, handshakes: 0.0 }));
        // For 20 s: behind the first ten seconds both go on side by side.
        let both = of_one(LENT, &hold(20), "\"pooled\"").clocked.expect("it goes by the clock");
        assert_eq!(both.exchanges, 20.0 * (9.0 + 6.0));
    }

    #[test]
    fn devices_with_connections_of_their_own_open_them_when_they_first_call() {
        let load = "{ phases = [\"hold 20/s for 20s\"] }";
        // Both servers in the delegation, none that is new in the revocation.
        assert_eq!(of_one(LENT, load, "\"per device\"").clocked.map(|need| need.handshakes), Some(40.0));
        // And the bootstrap server, which has an address of its own.
        let by_url = r#""delegate home -> partner by url subtree ./SCOMO""#;
        assert_eq!(of_one(by_url, load, "\"per device\"").clocked.map(|need| need.handshakes), Some(60.0));
    }

    #[test]
    fn storms_and_closed_loads_ask_for_no_rate() {
        let demand = of_one(
            LENT,
            r#"{ phases = ["storm of 30", "pause 1s", "storm of 50", "closed 7 until done"] }"#,
            "\"pooled\"",
        );
        let storm = Some(Need { exchanges: 50.0 * 9.0, handshakes: 0.0 });
        assert_eq!(demand, Demand { clocked: None, storm, at_once: Some(7) });
    }

    #[test]
    fn what_waits_for_a_moment_is_a_storm_then() {
        let steps = r#""delegate home -> partner by dmacc subtree ./SCOMO", "wait until 30s", "revoke asked""#;
        let demand = of_one(steps, "{ phases = [\"hold 20/s for 2s\"] }", "\"pooled\"");
        let clocked = Some(Need { exchanges: 20.0 * 9.0, handshakes: 0.0 });
        let storm = Some(Need { exchanges: 40.0 * 6.0, handshakes: 0.0 });
        assert_eq!(demand, Demand { clocked, storm, at_once: None });
    }

    #[test]
    fn a_load_of_days_is_looked_at_in_longer_stretches() {
        // 1 start in 100 s: 1,000 of them take 99,900 s, that is stretches of 25 s with one start in four of them.
        let demand = of_one(LENT, "{ phases = [\"hold 0.01/s until done\"] }", "\"pooled\"");
        let most = demand.clocked.expect("it goes by the clock").exchanges;
        assert!((most - 15.0 / 25.0).abs() < 1e-9 || (most - 9.0 / 25.0).abs() < 1e-9, "{most}");
    }
}
