//! The load steered while it runs: paused, resumed, at another pace.

use actix::prelude::*;

use super::Swarm;
use crate::clock::Moment;
use crate::workload::pacer::Pacer;
use crate::workload::tempo::{self, PaceError};

/// Start no journey until [`Resume`] comes; what remains of the plan moves by that time, and nothing is late by it.
/// Journeys under way go on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Pause;

/// Go on with the plan after a [`Pause`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct Resume;

/// Walk what remains of the plan so many times as fast as it was planned; 1 is as planned. Refused where nobody could.
#[derive(Message)]
#[rtype(result = "Result<(), PaceError>")]
pub struct Pace(pub f64);

impl Swarm {
    /// Whatever is due comes first, then the change, then the timer for what is next by it.
    fn steer(&mut self, ctx: &mut Context<Self>, change: impl FnOnce(&mut Pacer, Moment)) {
        self.advance(ctx);
        let now = self.clock.now();
        if let Some(pacer) = &mut self.pacer {
            change(pacer, now);
        }
        self.advance(ctx);
    }
}

impl Handler<Pause> for Swarm {
    type Result = ();

    fn handle(&mut self, _: Pause, ctx: &mut Self::Context) {
        self.steer(ctx, Pacer::pause);
    }
}

impl Handler<Resume> for Swarm {
    type Result = ();

    fn handle(&mut self, _: Resume, ctx: &mut Self::Context) {
        self.steer(ctx, Pacer::resume);
    }
}

impl Handler<Pace> for Swarm {
    type Result = Result<(), PaceError>;

    fn handle(&mut self, Pace(factor): Pace, ctx: &mut Self::Context) -> Self::Result {
        let pace = tempo::Pace::of(factor)?;
        self.steer(ctx, |pacer, now| pacer.set_pace(now, pace));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use crate::actors::board::Board;
    use crate::actors::directory::Directory;
    use crate::actors::present_flows::PresentFlows;
    use crate::actors::sight::Sight;
    use crate::actors::swarm::{AskProgress, Begin};
    use crate::clock::Clock;
    use crate::faults::verdict::Faults;
    use crate::ids::ServerNumber;
    use crate::seed::Seed;
    use crate::workload::arrival::{Phase, Shape};
    use crate::workload::journey::Journey;
    use crate::workload::plan::{Load, Plan};
    use crate::workload::population::{Access, Class, Cohort, Population, Storage};

    /// A swarm of seven devices whose journeys have no steps: they end as soon as they have begun, and need no server.
    fn swarm() -> Addr<Swarm> {
        let journey = Journey {
            name: "nowhere".to_owned(),
            owner: ServerNumber(0),
            bootstrapped: Vec::new(),
            steps: Vec::new(),
            meanwhile: Vec::new(),
        };
        let class = Class {
            name: "device".to_owned(),
            share: 1,
            manufacturer: String::new(),
            model: String::new(),
            subtrees: Vec::new(),
            storage: Storage::Ample,
            acl: Access::Open,
        };
        let cohort = Cohort { journey: Arc::new(journey), share: 1, class: None, repeat: 1 };
        let population = Arc::new(Population::new(Seed(7), 7, vec![class], &[cohort]));
        let (clock, directory) = (Clock::start(), Arc::new(Directory::new(0)));
        let faults = Arc::new(Faults::new(Seed(7), Vec::new(), 7, &|_| Some(0)));
        let sight = Sight::new(faults, 0, Arc::new(Board::new(clock, 0)), Arc::clone(&directory));
        Swarm::begin(clock, population, directory, sight, Arc::new(PresentFlows::new(7))).expect("a thread")
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_mins(minutes)
    }

    #[test]
    fn a_load_is_paused_resumed_and_hurried_while_it_runs() {
        actix::System::new().block_on(async {
            let swarm = swarm();
            let shapes = [Shape::Storm(3), Shape::Pause(minutes(1)), Shape::Storm(4)];
            let load = Load::of_all(7, shapes.map(Phase::steady).into());
            let (finished, mut done) = oneshot::channel();
            swarm.do_send(Begin { plan: Some(Plan::new(load, Seed(7))), finished });
            swarm.do_send(Pause);
            let progress = swarm.send(AskProgress).await.unwrap();
            let standing = progress.load.unwrap();
            assert_eq!((progress.journeys_begun, progress.journeys_planned, standing.made), (3, Some(7), 3));
            assert!(standing.is_paused && standing.remaining.unwrap() <= minutes(1));
            assert_eq!(standing.phases[0].phase, 1, "it stands in the second phase");

            let refused = swarm.send(Pace(0.0)).await.unwrap().unwrap_err();
            assert_eq!(refused.found, 0.0);
            swarm.send(Pace(1_000.0)).await.unwrap().unwrap();
            let standing = swarm.send(AskProgress).await.unwrap().load.unwrap();
            assert_eq!((standing.factor, standing.is_paused, standing.made), (1_000.0, true, 3));
            assert!(standing.remaining.unwrap() <= Duration::from_millis(60));
            assert!(done.try_recv().is_err(), "nothing goes on before it is resumed");

            // A thousand times as fast, the minute takes 60 ms: long before anybody gives up waiting.
            swarm.do_send(Resume);
            actix::clock::timeout(Duration::from_secs(30), done).await.expect("it goes on").unwrap();
            let progress = swarm.send(AskProgress).await.unwrap();
            assert_eq!((progress.journeys_begun, progress.journeys_under_way), (7, 0));
            assert_eq!(progress.load.unwrap().remaining, Some(Duration::ZERO));
        });
    }
}
