//! One device on its journey: which step it is at, and when the flow of that step has ended on all sides.

use crate::clock::Moment;
use crate::delegation::flow::{FlowKind, Outcome};
use crate::delegation::machine::Side;
use crate::ids::ServerNumber;
use crate::workload::journey::Step;

/// Where one device is on its journey.
#[derive(Debug)]
pub struct Travel {
    /// Index of the present step.
    pub step: usize,
    /// Index of the population of the load that it was started for.
    pub population: usize,
    /// Under which number its flows are counted apart, if they are.
    pub wave: Option<usize>,
    /// When the present step was meant to begin.
    pub intended: Moment,
    /// When it was meant to begin, while it waits for a server that is down.
    pub held: Option<Moment>,
    /// When the plan meant the journey to begin, until it has; `None` where it waited for a free place.
    pub due: Option<Moment>,
    pub flow: Option<Running>,
}

/// A flow under way.
#[derive(Debug)]
pub struct Running {
    pub kind: FlowKind,
    /// The key of the outcome that the journey expects.
    pub expected: &'static str,
    pub delegating: ServerNumber,
    pub delegated: ServerNumber,
    pub initiator: Side,
    pub sent: Moment,
    /// The side whose end is the flow's: the initiator, unless that is somebody else's server.
    told_by: Side,
    /// By side: delegating, delegated.
    sides: [Part; 2],
}

/// What one side has said of a flow.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Absent,
    /// How many flows of these two servers are under way at this side: with this one those that an operator wanted
    /// meanwhile.
    Joined(u32),
    Settled {
        at: Moment,
        outcome: Outcome,
    },
}

impl Running {
    /// A flow that its initiator is told to start now.
    pub fn new(
        kind: FlowKind,
        expected: &'static str,
        (delegating, delegated): (ServerNumber, ServerNumber),
        initiator: Side,
        sent: Moment,
    ) -> Running {
        let sides = [Part::Absent, Part::Absent];
        Running { kind, expected, delegating, delegated, initiator, sent, told_by: initiator, sides }
    }

    /// The flow of a step, begun at this moment; `None` for a wait.
    pub fn of(step: &Step, sent: Moment) -> Option<Running> {
        let (kind, servers, _) = step.wish()?;
        let (Step::Delegate { expect, .. } | Step::Revoke { expect, .. }) = step else { return None };
        let initiator = if step.starter() == Some(servers.0) { Side::Delegating } else { Side::Delegated };
        Some(Running::new(kind, expect.0, servers, initiator, sent))
    }

    /// The same flow, of which nothing but the side that does not start it can be seen.
    pub fn told_by_other(self) -> Running {
        Running { told_by: self.initiator.opposite(), ..self }
    }

    /// The server that starts the flow, and the other one.
    pub fn starter_and_other(&self) -> (ServerNumber, ServerNumber) {
        match self.initiator {
            Side::Delegating => (self.delegating, self.delegated),
            Side::Delegated => (self.delegated, self.delegating),
        }
    }

    /// Whether a server has a part in it.
    pub fn involves(&self, server: ServerNumber) -> bool {
        server == self.delegating || server == self.delegated
    }

    /// A server has come back from its death without knowing of this flow: its side has ended, or never begins. Says
    /// whether that side was still to end.
    pub fn forgotten_by(&mut self, server: ServerNumber, at: Moment) -> bool {
        let side = match server {
            server if server == self.delegating => Side::Delegating,
            server if server == self.delegated => Side::Delegated,
            _ => return false,
        };
        let is_open = match self.sides[side as usize] {
            Part::Joined(_) => true,
            Part::Absent => side == self.initiator,
            Part::Settled { .. } => false,
        };
        if is_open {
            self.sides[side as usize] = Part::Settled { at, outcome: Outcome::Lost };
        }
        is_open
    }

    /// Whether it is this flow's two servers, in their roles, that something is said of: `from` says it of itself. On the
    /// same device other servers may have a flow of their own.
    pub fn is_between(&self, from: ServerNumber, peer: ServerNumber, side: Side) -> bool {
        match side {
            Side::Delegating => (from, peer) == (self.delegating, self.delegated),
            Side::Delegated => (from, peer) == (self.delegated, self.delegating),
        }
    }

    /// Whether no side has taken part in it.
    pub fn is_unheard_of(&self) -> bool {
        self.sides == [Part::Absent, Part::Absent]
    }

    /// A side has begun to take part.
    pub fn joined(&mut self, side: Side) {
        let part = &mut self.sides[side as usize];
        *part = match part {
            Part::Joined(flows) => Part::Joined(*flows + 1),
            Part::Absent | Part::Settled { .. } => Part::Joined(1),
        };
    }

    /// A side has come to its end; of several flows under way there the last one counts. A wish that is refused begins and
    /// ends at once, and ends nothing else.
    pub fn settled(&mut self, side: Side, at: Moment, outcome: Outcome) {
        let part = &mut self.sides[side as usize];
        *part = match part {
            Part::Joined(flows) if *flows > 1 => Part::Joined(*flows - 1),
            _ => Part::Settled { at, outcome },
        };
    }

    /// When and how the flow has ended: once its initiator has settled, and the other side too if it took part. The
    /// initiator's outcome is the flow's, unless the other side knows of something worse. Of a flow with somebody else's
    /// server the side that is ours tells alone.
    pub fn ended(&self) -> Option<(Moment, Outcome)> {
        let own = self.told_by as usize;
        let Part::Settled { at, outcome } = &self.sides[own] else { return None };
        match &self.sides[1 - own] {
            Part::Joined(_) => None,
            Part::Settled { outcome: worse @ (Outcome::Stranded { .. } | Outcome::Lost), .. } => {
                Some((*at, worse.clone()))
            }
            Part::Settled { .. } | Part::Absent => Some((*at, outcome.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::flow::Revocation;

    fn running(initiator: Side) -> Running {
        let servers = (ServerNumber(0), ServerNumber(1));
        Running::new(FlowKind::Revoke(Revocation::Asked), "done", servers, initiator, Moment::ZERO)
    }

    const AT: Moment = Moment::from_millis(5);

    #[test]
    fn a_flow_ends_when_its_initiator_has_settled_and_nobody_else_is_under_way() {
        let mut flow = running(Side::Delegating);
        flow.joined(Side::Delegating);
        assert_eq!(flow.ended(), None);
        flow.joined(Side::Delegated);
        flow.settled(Side::Delegating, AT, Outcome::Done);
        assert_eq!(flow.ended(), None, "the other side is still busy");
        flow.settled(Side::Delegated, Moment::from_millis(9), Outcome::Done);
        assert_eq!(flow.ended(), Some((AT, Outcome::Done)), "the initiator's moment counts");
    }

    #[test]
    fn of_a_flow_that_somebody_elses_server_starts_our_side_tells() {
        let mut flow = running(Side::Delegating).told_by_other();
        assert_eq!(flow.starter_and_other(), (ServerNumber(0), ServerNumber(1)));
        flow.joined(Side::Delegated);
        assert_eq!(flow.ended(), None);
        flow.settled(Side::Delegated, AT, Outcome::Done);
        assert_eq!(flow.ended(), Some((AT, Outcome::Done)));
    }

    #[test]
    fn what_other_servers_do_with_the_device_is_no_part_of_it() {
        let flow = running(Side::Delegating);
        let (home, partner, third) = (ServerNumber(0), ServerNumber(1), ServerNumber(2));
        assert!(flow.is_between(home, partner, Side::Delegating));
        assert!(flow.is_between(partner, home, Side::Delegated));
        assert!(!flow.is_between(home, third, Side::Delegating));
        assert!(!flow.is_between(third, home, Side::Delegated));
        assert!(!flow.is_between(partner, home, Side::Delegating), "the other way round");
    }

    #[test]
    fn a_wish_that_is_refused_meanwhile_does_not_end_it() {
        let mut flow = running(Side::Delegating);
        flow.joined(Side::Delegating);
        flow.joined(Side::Delegating);
        flow.settled(Side::Delegating, AT, Outcome::Refused { reason: 409 });
        assert_eq!(flow.ended(), None, "that was the wish");
        flow.settled(Side::Delegating, Moment::from_millis(9), Outcome::Done);
        assert_eq!(flow.ended(), Some((Moment::from_millis(9), Outcome::Done)));
    }

    #[test]
    fn a_side_that_never_took_part_is_not_waited_for() {
        let mut flow = running(Side::Delegating);
        flow.settled(Side::Delegating, AT, Outcome::Refused { reason: 405 });
        assert_eq!(flow.ended(), Some((AT, Outcome::Refused { reason: 405 })));
    }

    #[test]
    fn stranded_on_the_other_side_is_worse_than_what_the_initiator_knows() {
        let mut flow = running(Side::Delegated);
        flow.settled(Side::Delegated, AT, Outcome::Undone { reason: 425 });
        flow.settled(Side::Delegating, AT, Outcome::Stranded { reason: 516 });
        assert_eq!(flow.ended(), Some((AT, Outcome::Stranded { reason: 516 })));
    }
}
