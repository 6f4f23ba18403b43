//! Which device starts which flow at which moment. No IO, no dice but named streams.
//!
//! | file | its job |
//! |---|---|
//! | [`journey`] | what a device goes through, step by step |
//! | [`population`] | which device goes on which journey, and of which class it is |
//! | [`credentials`] | what devices show to those they call |
//! | [`parties`] | the parties as their machines need to know them |
//! | [`plan`] | a load: which devices start by which phases; with the seed all is fixed before the run begins |
//! | [`arrival`] | the phases of a load, and the moments of one phase |
//! | [`course`] | how a rate runs over a phase |
//! | [`outlook`] | what a plan comes to, before anything is started |
//! | [`pacer`] | which starts are due now; pauses, and other paces |
//! | `itinerary` | the same for one population |
//! | [`tempo`] | the time of the plan in the time of the run |

pub mod arrival;
pub mod course;
pub mod credentials;
mod itinerary;
pub mod journey;
pub mod outlook;
pub mod pacer;
pub mod parties;
pub mod plan;
pub mod population;
pub mod tempo;
