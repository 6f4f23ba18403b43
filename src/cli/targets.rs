//! How somebody else's servers are dealt with: what may be called beyond this machine, and whether what is said is kept.

use clap::Args;

use crate::run::Options;
use crate::transport::guard::Target;

/// The flag that repeats what a scenario names.
#[derive(Debug, Clone, Args)]
pub struct Targets {
    /// Call this address of the scenario although it may be beyond this machine; once for each
    #[arg(long = "target", value_name = "HOST:PORT", value_parser = Target::parse)]
    targets: Vec<Target>,
}

/// The flags of runs that may deal with them.
#[derive(Debug, Clone, Args)]
pub struct Outside {
    #[command(flatten)]
    targets: Targets,
    /// Keep every exchange with somebody else's servers in the run folder (exchanges.jsonl), without credentials
    #[arg(long)]
    record: bool,
}

impl Targets {
    /// All of them.
    pub fn all(self) -> Vec<Target> {
        self.targets
    }
}

impl Outside {
    /// The options of a run that deals with them so.
    pub fn apply(self, options: Options) -> Options {
        Options { targets: self.targets.all(), records: self.record, ..options }
    }

    /// The flag of one that is wanted.
    pub fn wanted(&self) -> Option<&'static str> {
        match (self.targets.targets.is_empty(), self.record) {
            (false, _) => Some("--target"),
            (true, true) => Some("--record"),
            (true, false) => None,
        }
    }
}
