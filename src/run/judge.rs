//! Looks at every party once all have come to rest: what became of the promises, the goals and the faults.

use std::collections::BTreeSet;
use std::pin::pin;

use futures_util::StreamExt;

use crate::actors::chronicle::Chronicle;
use crate::clock::Moment;
use crate::facts::Fact;
use crate::ids::{DeviceNumber, ServerNumber};
use crate::measure::promise::steps::windows::LongestWindows;
use crate::measure::promise::steps::{Known, Watched};
use crate::measure::promise::{DeviceView, Judging, Place, PromiseResult};
use crate::measure::summary::FaultRow;
use crate::run::stand::Stand;
use crate::scenario::Scenario;

/// How many devices' stories a run keeps.
const MOST_STORIES: usize = 20;

/// What was seen of a run's parties.
#[derive(Default)]
pub(super) struct Judged {
    pub promises: Vec<PromiseResult>,
    /// Each goal with the number of devices that came by it.
    pub goals: Vec<(String, u64)>,
    pub windows: LongestWindows,
    /// Of how many watched devices only the first steps were kept.
    pub cut_short: u64,
    /// What was seen of devices that are worth a look.
    pub stories: Vec<(DeviceNumber, Vec<Fact>)>,
}

/// Looks at every party; they have come to rest.
pub(super) async fn judge(stand: &Stand, scenario: &Scenario, healed_at: Moment) -> Judged {
    let servers = stand.server_views().await;
    let known = known(servers.iter().map(Known::from).collect(), scenario);
    let chronicle = stand.chronicle().await.unwrap_or_default();
    let bounds = scenario.bounds();
    let ended_at = stand.blueprint().clock.now();
    let mut goals: Vec<(String, u64)> = scenario.goals.iter().map(|goal| (goal.name.clone(), 0)).collect();
    let mut cut_short = 0;
    let mut judging = Judging::new(&servers);
    let mut views = pin!(stand.device_views());
    while let Some(view) = views.next().await {
        let Some(view) = with_journey(view, &chronicle) else { continue };
        judging.look_at(&view);
        if !stand.board().watches(view.device) {
            continue;
        }
        let keeps_all = stand.board().keeps_all(view.device);
        cut_short += u64::from(!keeps_all);
        stand.board().with(view.device, |facts| {
            let watched = Watched {
                device: view.device,
                facts,
                journeyed: &view.journeyed,
                servers: &known,
                policy: scenario.policy,
                bounds,
                healed_at,
                ended_at,
                is_over: true,
            };
            if keeps_all {
                judging.look_at_steps(&watched);
            } else {
                // What was still to come of what is kept has come later, unseen.
                judging.look_at_first_steps(&Watched { is_over: false, ..watched });
            }
            for (goal, (_, times)) in scenario.goals.iter().zip(&mut goals) {
                *times += u64::from(goal.is_reached_by(facts));
            }
        });
    }
    let windows = judging.windows().clone();
    let promises = judging.finish();
    let stories = stories(stand, scenario, &promises, &chronicle.failed);
    Judged { promises, goals, windows, cut_short, stories }
}

/// With the servers that could not be asked, because they are dead or paused: they are of this run all the same.
fn known(mut asked: Vec<Known>, scenario: &Scenario) -> Vec<Known> {
    for (number, server) in (0..).map(ServerNumber).zip(&scenario.servers) {
        if !asked.iter().any(|known| known.server == number) {
            asked.push(Known { server: number, name: server.name.clone(), is_seen: false });
        }
    }
    asked
}

/// The stories of a race's devices; else of those that broke a promise, and of those with a flow that `failed`.
fn stories(
    stand: &Stand,
    scenario: &Scenario,
    promises: &[PromiseResult],
    failed: &BTreeSet<DeviceNumber>,
) -> Vec<(DeviceNumber, Vec<Fact>)> {
    let places = promises.iter().flat_map(|promise| &promise.breaches).map(|breach| &breach.at);
    let breakers = places.filter_map(|place| if let Place::Device(device) = place { Some(*device) } else { None });
    let devices: Vec<DeviceNumber> = if scenario.expect.is_some() {
        (0..scenario.devices).map(DeviceNumber).collect()
    } else {
        let breakers: BTreeSet<DeviceNumber> = breakers.collect();
        breakers.iter().chain(failed.difference(&breakers)).copied().collect()
    };
    let told = devices.into_iter().filter(|device| stand.board().watches(*device)).take(MOST_STORIES);
    told.map(|device| (device, stand.board().with(device, <[Fact]>::to_vec))).collect()
}

/// What each fault of the scenario has done.
pub(super) fn fault_counts(stand: &Stand) -> Vec<FaultRow> {
    let faults = &stand.blueprint().faults;
    let counts = faults.rules().iter().zip(faults.counts());
    counts
        .map(|(rule, count)| FaultRow {
            name: rule.name.clone(),
            eligible: count.eligible,
            injected: count.injected,
            order_dependent: rule.is_order_dependent(),
            first_s: None,
            last_s: None,
        })
        .collect()
}

/// Adds what the run knows of the device's journey. A device whose flow was lost with a party promises nothing.
fn with_journey(mut view: DeviceView, chronicle: &Chronicle) -> Option<DeviceView> {
    if chronicle.lost.contains(&view.device) {
        return None;
    }
    for revoked in chronicle.revoked.get(&view.device).into_iter().flatten() {
        view.journeyed.revoked.push(revoked.delegate);
        if !revoked.told {
            view.journeyed.unannounced.push(revoked.delegate);
        }
    }
    Some(view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn a_server_that_is_dead_in_the_end_is_a_server_of_the_run_nevertheless() {
        let scenario = parse("quickstart", QUICKSTART, &Overrides::default()).unwrap();
        let home = Known { server: ServerNumber(0), name: "home".to_owned(), is_seen: true };
        let known: Vec<(u16, String, bool)> =
            known(vec![home], &scenario).into_iter().map(|it| (it.server.0, it.name, it.is_seen)).collect();
        assert_eq!(known, [(0, "home".to_owned(), true), (1, "partner".to_owned(), false)]);
    }
}
