//! What of a plan can be waited for where a server is somebody else's: what happens at it is not seen over HTTPS, and what is
//! seen next by our side stands for it.

use crate::explore::premises::Premises;
use crate::facts::pattern::Pattern;
use crate::facts::{Fact, What};
use crate::faults::rule::{Action, Rule};

/// The story of a device in virtual time, and whose servers are ours.
pub struct Sight<'p> {
    pub premises: &'p Premises,
    pub facts: &'p [Fact],
}

impl Sight<'_> {
    /// A rule that waits for nothing but what is seen. `None` where nothing is seen any more behind what it waits for.
    pub fn of_rule(&self, rule: Rule) -> Option<Rule> {
        let mut rule = rule;
        if let Action::Hold { until, .. } = &mut rule.action {
            *until = self.of(until)?;
        }
        if let Some(step) = &mut rule.about.step {
            *step = self.of(step)?;
        }
        Some(rule)
    }

    /// This fact where it is seen, or else the next one that is.
    pub fn of(&self, pattern: &Pattern) -> Option<Pattern> {
        let Some(behind) = pattern.seen_in(self.facts) else { return Some(pattern.clone()) };
        if self.premises.is_seen(&self.facts[behind - 1].what) {
            return Some(pattern.clone());
        }
        let next = (behind..self.facts.len()).find(|at| is_gate(&self.facts[*at].what, self.premises))?;
        Pattern::naming(self.facts, next)
    }
}

/// Whether a gate may wait for it. What happens to the device is told over HTTPS at other moments than in virtual time: a
/// session ends there behind the answer to its last package. That a message leaves another gate may put off.
pub fn is_gate(what: &What, premises: &Premises) -> bool {
    let can_be = matches!(
        what,
        What::Taken { .. }
            | What::Heard { .. }
            | What::TimerFired { .. }
            | What::Moved { .. }
            | What::Settled { .. }
            | What::ErrandEnded { .. }
            // What comes to a server behind its death comes to the one that stands again.
            | What::Restarted { .. }
    );
    can_be && premises.is_seen(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::lab::Lab;
    use crate::explore::wording::Worded;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn what_is_seen_next_stands_for_what_is_not_seen() {
        let scenario = parse("quickstart", QUICKSTART, &Overrides::default()).expect("a scenario");
        let mut premises = Premises::of(&scenario, 1).remove(0);
        let wishes = vec!["delegate home -> partner by dmacc subtree ./SCOMO".to_owned()];
        let plan = Worded { wishes, decisions: Vec::new() }.plan(&premises).expect("a plan");
        let (_, walked) = plan.walk(&mut Lab::new(&premises));
        let pattern = |text: &str, premises: &Premises| Pattern::parse(text, premises).expect("a pattern");
        let of = |text: &str, premises: &Premises| {
            let sight = Sight { premises, facts: &walked.facts[0] };
            Some(sight.of(&pattern(text, premises))?.print(premises))
        };
        let (at_home, at_partner) = ("taken delegation_confirmed at home", "state ExpectPrepared at partner");
        assert_eq!(of(at_partner, &premises).as_deref(), Some(at_partner), "both are ours");
        premises.unseen = premises.names.iter().position(|name| name == "partner").map(number).into_iter().collect();
        assert_eq!(of(at_home, &premises).as_deref(), Some(at_home));
        assert_eq!(
            of(at_partner, &premises).as_deref(),
            Some("answered delegation_req at home"),
            "it has answered by then"
        );
        assert_eq!(of("settled done at partner", &premises), None, "nothing is seen behind the end");
        let never = "timer prepared at partner";
        assert_eq!(of(never, &premises).as_deref(), Some(never), "it is not on this way");
    }

    fn number(at: usize) -> crate::ids::ServerNumber {
        crate::ids::ServerNumber(u16::try_from(at).expect("few servers"))
    }
}
