//! Flows that are counted apart from others.

/// The flows of all journeys that were started for one population and, where a limit names the phase, in phases of one
/// name. So a flow counts for the phase that meant its journey to start, however late it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Its number.
    pub population: usize,
    /// `None`: all the phases that no limit names.
    pub phase: Option<String>,
}
