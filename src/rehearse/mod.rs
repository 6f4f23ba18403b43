//! One plan in virtual time and over HTTPS, compared.
//!
//! | file | its job |
//! |---|---|
//! | [`prepare`] | from a plan in words to what is run, or why that cannot be |
//! | [`staging`] | a plan as a scenario: its decisions as faults at gates |
//! | [`places`] | where over HTTPS the things of a plan are found: sessions, errands and packages by their numbers |
//! | [`sight`] | what of a plan can be waited for where a server is somebody else's |
//! | [`deaths`] | when a server dies over HTTPS, and what goes with it |
//! | [`replay`] | a plan walked in virtual time and run over HTTPS, the two orders of events compared |
//! | [`judge`] | the promises about every step, judged by the measure of virtual time |
//! | [`window`] | one event moved past another through real sockets |

pub mod deaths;
pub mod judge;
pub mod places;
pub mod prepare;
pub mod replay;
pub mod sight;
pub mod staging;
pub mod window;
