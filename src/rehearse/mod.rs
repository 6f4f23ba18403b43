//! One plan in virtual time and over HTTPS, compared.
//!
//! | file | its job |
//! |---|---|
//! | [`staging`] | a plan as a scenario: its decisions as faults at gates |
//! | [`places`] | where over HTTPS the things of a plan are found: sessions, errands and packages by their numbers |
//! | [`deaths`] | when a server dies over HTTPS, and what goes with it |
//! | [`replay`] | a plan walked in virtual time and run over HTTPS, the two orders of events compared |
//! | [`window`] | one event moved past another through real sockets |

pub mod deaths;
pub mod places;
pub mod replay;
pub mod staging;
pub mod window;
