//! Delays drawn from distributions, and the radio networks that have names.

use std::time::Duration;

/// Where a delay is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    Constant(Duration),
}
