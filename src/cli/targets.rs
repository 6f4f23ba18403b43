//! What may be called beyond this machine.

use clap::Args;

use crate::transport::guard::Target;

/// The flag that repeats what a scenario names.
#[derive(Debug, Clone, Args)]
pub struct Targets {
    /// Call this address of the scenario although it may be beyond this machine; once for each
    #[arg(long = "target", value_name = "HOST:PORT", value_parser = Target::parse)]
    targets: Vec<Target>,
}

impl Targets {
    /// All of them.
    pub fn all(self) -> Vec<Target> {
        self.targets
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        !self.targets.is_empty()
    }
}
