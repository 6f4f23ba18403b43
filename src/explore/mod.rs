//! One device and its servers in virtual time: the machines that the actors run, with nothing real between them.
//!
//! | file | its job |
//! |---|---|
//! | [`world`] | what is under way, what may happen next, and what comes of it |

pub mod world;

#[cfg(test)]
mod tests;
