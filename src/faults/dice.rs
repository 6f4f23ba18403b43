//! The random part of a rule's decisions: each a pure function of the seed, the rule's name and what is decided on.

use crate::ids::DeviceNumber;
use crate::seed::Seed;

/// The dice of one rule. No other rule's are like them, and no index is part of them, so that a rule can be taken out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dice(Seed);

impl Dice {
    pub fn new(seed: Seed, rule: &str) -> Dice {
        Dice(Seed(seed.draw(&format!("fault {rule}"), 0)))
    }

    /// Whether this device is among a share of all.
    pub fn is_in_share(self, device: DeviceNumber, share: f64) -> bool {
        unit(self.0.draw("share", u64::from(device.0))) < share
    }

    /// Where this device stands in the queue for a budget: the lowest come first.
    pub fn place(self, device: DeviceNumber) -> u64 {
        self.0.draw("budget", u64::from(device.0))
    }

    /// Whether something of this probability happens.
    pub fn falls(self, probability: f64, key: &[u64]) -> bool {
        unit(self.0.keyed("falls", key)) < probability
    }

    /// For whatever else has to be drawn.
    pub fn draw(self, key: &[u64]) -> u64 {
        self.0.keyed("draw", key)
    }
}

/// A text as a part of a key.
pub(super) fn part(text: &str) -> u64 {
    Seed(0).keyed(text, &[])
}

/// A number from 0 on and below 1, by the upper 53 bits.
fn unit(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1u64 << 53) as f64
}
