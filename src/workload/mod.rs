//! Which device starts which flow at which moment. No IO, no dice but named streams.
//!
//! | file | its job |
//! |---|---|
//! | [`journey`] | what a device goes through, step by step |
//! | [`population`] | which device goes on which journey, and of which class it is |
//! | [`parties`] | the parties as their machines need to know them |
//! | [`arrival`] | when journeys start: phases of an open load, or so many at once |
//! | [`plan`] | the starts of one run, all fixed before it begins |

pub mod arrival;
pub mod journey;
pub mod parties;
pub mod plan;
pub mod population;
