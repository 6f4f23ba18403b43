//! One device and its servers in virtual time: the machines that the actors run, with nothing real between them.
//!
//! | file | its job |
//! |---|---|
//! | [`premises`] | who is there, and what their operators may want |
//! | [`under_way`] | what has set out and not arrived |
//! | [`choice`] | what may happen next |
//! | [`lab`] | what machines and devices do, worked out once |
//! | [`world`] | how everything stands, and what comes of a choice |
//! | `interned` | values that are known by a number |
//! | [`undisturbed`] | that a flow which nothing disturbs is done |
//! | [`in_a_turn`] | promises that a single turn of a server breaks |
//! | [`own_way`] | a journey gone by its own steps, and how its flows end |
//! | [`window`] | one event moved past another in steps: how wide is the race? |
//! | [`matrix`] | two timeouts against a delay |

mod at_device;
mod at_server;
pub mod choice;
pub mod event;
pub mod hunt;
pub mod in_a_turn;
mod interned;
pub mod judge;
pub mod lab;
pub mod matrix;
pub mod own_way;
pub mod plan;
pub mod portfolio;
pub mod premises;
pub mod retell;
pub mod search;
pub mod shrink;
pub mod testimony;
pub mod trail;
pub mod under_way;
pub mod undisturbed;
pub mod window;
pub mod wording;
pub mod world;

#[cfg(test)]
mod tests;
