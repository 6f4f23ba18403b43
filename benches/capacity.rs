//! Whether the capacity that is found is the capacity that is there: a DM server of one worker, which is busy for a known
//! time with each message, takes just so many devices a second. `cargo bench --bench capacity`
//!
//! The search is the one that `dmswarm capacity` makes, over real HTTPS, with the scenario that is shipped. The bounds are to
//! contain, or their nearer end to come within 5 % of, what is worked out. The program ends with 1 where they do not.

use std::process::ExitCode;

use dmswarm::campaign::capacity::search;
use dmswarm::run::{Options, Watch};
use dmswarm::scenario::file::{Overrides, parse};

const SCENARIO: &str = include_str!("../scenarios/capacity/rate.toml");
/// A delegation and its revocation bring the delegated server DELEGATION_REQ, DELEGATION_PREPARED, DELEGATION_TERMINATION_REQ
/// and DELEGATION_REVOKED (5.2.1.1, 5.2.3.1).
const MESSAGES: f64 = 4.0;
const ALLOWED: f64 = 0.05;

fn main() -> ExitCode {
    let place = std::env::temp_dir().join(format!("dmswarm-capacity-{}", std::process::id()));
    let scenario = parse("rate", SCENARIO, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let partner = &scenario.servers[1];
    let truth = f64::from(partner.workers) / (partner.service_time.as_secs_f64() * MESSAGES);
    let settings = scenario.capacity.clone().expect("it has one");
    let options = Options { certs: place.join("certs"), out: place.join("results"), ..Options::default() };
    let watch = Watch::begin().expect("somebody listens for signals");
    let found = search(&scenario, &settings, &options, &watch, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    // A folder of our own; what is left of it does no harm.
    let _ = std::fs::remove_dir_all(&place);
    let Some(bounds) = found.result.map(|result| result.bounds) else { return ExitCode::FAILURE };
    let (Some(lower), Some(upper)) = (bounds.lower, bounds.upper) else {
        println!("no bounds were found: {bounds:?}");
        return ExitCode::FAILURE;
    };
    let nearest = truth.clamp(lower, upper);
    let is_near = (nearest / truth - 1.0).abs() <= ALLOWED;
    let word = if is_near { "ok" } else { "OFF" };
    println!(
        "worked out {truth:.2}/s; found between {lower:.2} and {upper:.2}/s, ratios {:.4} and {:.4}, in {} sub-trials  {word}",
        lower / truth,
        upper / truth,
        found.trials.len()
    );
    if is_near { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
