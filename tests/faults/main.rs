//! Faults befall real parties over HTTPS: each does what it says where it may stand, and harms nobody whom it does not name.

#[expect(dead_code, reason = "these tests stand up scenarios of their own")]
#[path = "../standing/mod.rs"]
mod standing;

mod apart;
mod deaths;
mod grid;
mod seeds;
mod stage;
mod undo;
