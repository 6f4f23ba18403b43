//! Devices and servers in virtual time: the machines that the actors run, with nothing real between them. A search for ways
//! that break a promise; a way becomes a plan, and the plan is shrunk to the decisions that matter.
//!
//! | file | its job |
//! |---|---|
//! | [`premises`] | who is there, and what their operators may want |
//! | [`under_way`] | what has set out and not arrived |
//! | [`choice`] | what may happen next, and how much of what does not happen by itself is left |
//! | [`world`] | how everything stands, and what comes of a choice |
//! | [`lab`] | what machines and devices do, worked out once |
//! | `at_server`, `at_device` | what a server, or a device, does when something happens to it |
//! | `interned` | values that are known by a number |
//! | [`trail`] | a way, and the story of it |
//! | [`judge`] | which promises a world and its story break |
//! | [`search`] | looking for a way that breaks one: every way, or ways at random |
//! | [`goals`] | what a search should come by at least once |
//! | [`hunt`] | a search in numbered pieces, done side by side |
//! | [`portfolio`] | which pieces, and in which order |
//! | [`event`] | names of what arrives that mean the same in every way |
//! | [`plan`] | what is to be different from the default way, by name |
//! | [`retell`] | from a way to a plan |
//! | [`shrink`] | from a plan to the least one |
//! | [`alone`] | a plan about one device, as one of a search that looks at no other |
//! | [`wording`] | a plan in words, written and read |
//! | [`unmet`] | what of a plan never comes to pass |
//! | [`testimony`] | what there is to tell of a plan |
//! | [`undisturbed`] | that a flow which nothing disturbs is done |
//! | [`in_a_turn`] | promises that a single turn of a server breaks |
//! | [`failed_flow`] | a flow that has not ended as done |
//! | [`own_way`] | a journey gone by its own steps, and how its flows end |
//! | `as_ours` | sessions that somebody else's servers have named, by the names that ours would have given them |
//! | [`record`] | what was seen over HTTPS, by who noted it |
//! | [`follow`] | such a record followed through virtual time |
//! | [`window`] | one event moved past another in steps: how wide is the race? |
//! | [`matrix`] | two timeouts against a delay |

pub mod alone;
mod as_ours;
mod at_device;
mod at_server;
pub mod choice;
pub mod event;
pub mod failed_flow;
pub mod follow;
pub mod goals;
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
pub mod record;
pub mod retell;
pub mod search;
pub mod shrink;
pub mod testimony;
pub mod trail;
pub mod under_way;
pub mod undisturbed;
pub mod unmet;
pub mod window;
pub mod wording;
pub mod world;

#[cfg(test)]
mod tests;
