//! From a plan in words to what is run over HTTPS, or why that cannot be.

use crate::explore::failed_flow;
use crate::explore::judge::is_only_in_search;
use crate::explore::plan::Plan;
use crate::explore::premises::Premises;
use crate::explore::wording::{Worded, WordingError};
use crate::rehearse::staging::{StagingError, shortened, stage};
use crate::scenario::Scenario;

/// A plan that can be run over HTTPS.
#[derive(Clone)]
pub struct Prepared {
    /// One device, and faults that bring the plan about.
    pub scenario: Scenario,
    /// With the timeouts of that scenario.
    pub premises: Premises,
    /// Among those premises.
    pub plan: Plan,
    /// Whether it is about a flow that failed, and not about a promise.
    pub is_about_a_flow: bool,
}

/// Why there is nothing to be run over HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("only a search can judge `{promise}`: over HTTPS it cannot be seen")]
    OnlyInSearch { promise: String },
    #[error("the scenario of the finding hands no device over")]
    NothingHandedOver,
    #[error(transparent)]
    Wording(#[from] WordingError),
    #[error(transparent)]
    Staging(#[from] StagingError),
}

/// Makes a plan ready. `promise`: the one that is looked at; `promises`: all that it is to break, this one included.
///
/// # Errors
/// [`Unfit`] where it cannot be brought about over HTTPS, or nobody could see there whether it breaks its promise.
pub fn prepare(
    scenario: &Scenario,
    premises: &Premises,
    words: &Worded,
    (promise, promises): (&str, &[String]),
) -> Result<Prepared, Unfit> {
    if is_only_in_search(promise) {
        return Err(Unfit::OnlyInSearch { promise: promise.to_owned() });
    }
    let shortened = shortened(scenario, premises);
    let devices = premises.devices.len();
    let premises = Premises::of(&shortened, devices).into_iter().next().ok_or(Unfit::NothingHandedOver)?;
    // The same words, among the same parties with other timeouts.
    let plan = words.plan(&premises)?;
    let scenario = stage(&shortened, &premises, &plan, promises)?;
    Ok(Prepared { scenario, premises, plan, is_about_a_flow: promise == failed_flow::NAME })
}

/// Whether a plan can be run over HTTPS, and seen to break this promise there; it is not run.
pub fn can_be_staged(scenario: &Scenario, premises: &Premises, words: &Worded, promise: &str) -> bool {
    prepare(scenario, premises, words, (promise, &[])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::policy::Policy;
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    #[test]
    fn it_is_known_beforehand_what_can_be_run_over_https_and_seen_there() {
        let overrides = Overrides { policy: Some(Policy::Literal), ..Overrides::default() };
        let scenario = parse("quickstart", QUICKSTART, &overrides).expect("a scenario");
        let premises = &Premises::of(&scenario, 1)[0];
        let wish = "delegate home -> partner by url subtree ./SCOMO";
        for (promise, decision, can_be) in [
            ("manageable", "lose visit to partner", true),
            ("manageable", "kill home once state Over at partner as delegated", true),
            ("manageable", "delay request delegation_req of home to partner by 1s, given up after 1ms", false),
            ("manageable", "double session push-url of home", false),
            ("undisturbed_flows_are_done", "lose visit to partner", false),
        ] {
            let words = Worded { wishes: vec![wish.to_owned()], decisions: vec![decision.to_owned()] };
            assert!(words.plan(premises).is_ok(), "{decision}");
            assert_eq!(can_be_staged(&scenario, premises, &words, promise), can_be, "{promise}: {decision}");
        }
    }
}
