//! What a run was made for, and whether it came by it: faults, goals, windows, and warnings where it did not.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::promise::steps::windows::LongestWindows;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GoalRow {
    pub goal: String,
    pub times: u64,
}

/// How often one fault could have fired, and did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultRow {
    /// Its name in the scenario.
    pub name: String,
    pub eligible: u64,
    pub injected: u64,
    /// Whether it depends on the order of things, so that the same seed may decide otherwise.
    #[serde(default)]
    pub order_dependent: bool,
    /// In which seconds since the load began it fired first and last.
    #[serde(default)]
    pub first_s: Option<f64>,
    #[serde(default)]
    pub last_s: Option<f64>,
}

/// The longest times that a device was in nobody's charge, and in that of two, and the numbers of those devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowRow {
    pub orphan_ms: f64,
    pub orphan_device: Option<u32>,
    /// What it began with.
    pub orphan_cause: Option<String>,
    pub double_owner_ms: f64,
    pub double_owner_device: Option<u32>,
}

impl From<&(String, u64)> for GoalRow {
    fn from((goal, times): &(String, u64)) -> GoalRow {
        GoalRow { goal: goal.clone(), times: *times }
    }
}

impl From<&LongestWindows> for WindowRow {
    fn from(longest: &LongestWindows) -> WindowRow {
        WindowRow {
            orphan_ms: ms(longest.orphan),
            orphan_device: longest.orphan_device.map(|device| device.0),
            orphan_cause: longest.orphan_cause.clone(),
            double_owner_ms: ms(longest.double_owner),
            double_owner_device: longest.double_owner_device.map(|device| device.0),
        }
    }
}

/// What a run did not come by, in sentences. Of `cut_short` watched devices only the first steps were kept; `ran_out` are
/// the phases, with their populations, that ran out of starts.
pub(super) fn warnings(
    goals: &[(String, u64)],
    faults: &[FaultRow],
    cut_short: u64,
    ran_out: &[(String, String)],
) -> Vec<String> {
    let idle = faults.iter().filter(|fault| fault.injected == 0).map(|fault| {
        let occasions = if fault.eligible == 1 { "occasion" } else { "occasions" };
        format!("the fault `{}` never fired: {} {occasions}", fault.name, fault.eligible)
    });
    let missed = goals.iter().filter(|(_, times)| *times == 0);
    let cut = (cut_short > 0).then(|| {
        let devices = if cut_short == 1 { "1 watched device" } else { &format!("{cut_short} watched devices") };
        format!(
            "so much happened on {devices} that only the first steps are kept: what they do not break counts as not \
             observable, and no fault or goal sees what came later; set `watch` lower, or give journeys fewer rounds"
        )
    });
    let early = ran_out.iter().map(|(population, phase)| {
        format!(
            "the phase `{phase}` of the population `{population}` ended early, or never began: all journeys had been started \
             before"
        )
    });
    idle.chain(early).chain(missed.map(|(goal, _)| format!("the goal `{goal}` was never reached"))).chain(cut).collect()
}

/// In milliseconds, to the microsecond.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
