//! From a plan in words to what is run over HTTPS, or why that cannot be.

use crate::explore::plan::Plan;
use crate::explore::premises::Premises;
use crate::explore::wording::{Worded, WordingError};
use crate::measure::promise;
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
    if !is_seen_over_https(promise) {
        return Err(Unfit::OnlyInSearch { promise: promise.to_owned() });
    }
    let shortened = shortened(scenario, premises);
    let devices = premises.devices.len();
    let premises = Premises::of(&shortened, devices).into_iter().next().ok_or(Unfit::NothingHandedOver)?;
    // The same words, among the same parties with other timeouts.
    let plan = words.plan(&premises)?;
    let scenario = stage(&shortened, &premises, &plan, promises)?;
    Ok(Prepared { scenario, premises, plan })
}

/// Whether a plan can be run over HTTPS, and seen to break this promise there; it is not run.
pub fn can_be_staged(scenario: &Scenario, premises: &Premises, words: &Worded, promise: &str) -> bool {
    prepare(scenario, premises, words, (promise, &[])).is_ok()
}

/// Whether a run can judge a promise. The others are about what only a search knows.
pub fn is_seen_over_https(promise: &str) -> bool {
    promise::names().any(|known| known == promise)
}
