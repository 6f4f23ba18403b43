//! The `dmswarm` command.

fn main() {}
