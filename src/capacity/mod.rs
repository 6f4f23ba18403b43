//! How much a peer can take, how that scales, and what a plan needs of it. All of it is arithmetic over what others
//! measure: no clock, no network, no dice but those that are passed in.
//!
//! | room | its job |
//! |---|---|
//! | [`search`] | the highest load at which every goal is kept, found by trying |
//! | [`scaling`] | the Universal Scalability Law, fitted to points |
//! | [`littles_law`] | whether measurements go together |
//! | [`sizing`] | a plan, and the peers that it needs |
//! | `axis` | the range of loads that may be tried |

mod axis;
pub mod littles_law;
pub mod scaling;
pub mod search;
pub mod sizing;

pub use axis::{Axis, AxisError};
