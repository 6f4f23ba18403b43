//! Whether what is recorded is what happened: a delay whose distribution is known is put into every answer to a
//! DELEGATION_REQ, over real HTTPS, and comes back out of the recorded percentiles. `cargo bench --bench honesty`
//!
//! The floor is measured in the same run: the same load without the delay. Its median is subtracted. A percentile may be off
//! by 1 % or 2 ms, whichever is larger. Then, whether starts come in time: at half the rate that this machine keeps up in a
//! closed load, the 99th percentile of their lateness is to be under 2 ms. The program ends with 1 where something is off.

use std::path::Path;
use std::process::ExitCode;

use dmswarm::measure::Summary;
use dmswarm::run::{Options, run};
use dmswarm::scenario::file::{Overrides, parse};

/// 150 starts a second for 40 s, far below what this machine can do, so that it adds no queue of its own: the median of 6,000
/// draws from 100 ms is right to 0.65 ms (one standard error).
const DEVICES: u32 = 6_000;
/// The bounds of the delay, which is uniform, in milliseconds.
const LEAST_MS: f64 = 100.0;
const MOST_MS: f64 = 200.0;
const OPEN: &str = "phases = [\"hold 150/s for 40s\"]";
/// How late the 99th percentile of starts may be.
const MOST_LATE_MS: f64 = 2.0;

fn main() -> ExitCode {
    let place = std::env::temp_dir().join(format!("dmswarm-honesty-{}", std::process::id()));
    let is_honest = [tells_the_delay(&place), starts_in_time(&place)];
    // A folder of our own; what is left of it does no harm.
    let _ = std::fs::remove_dir_all(&place);
    if is_honest == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tells_the_delay(place: &Path) -> bool {
    let plain = measured(place, OPEN, "");
    let delay = format!("delay = {{ uniform = [\"{LEAST_MS}ms\", \"{MOST_MS}ms\"] }}");
    let rule = format!(
        "[[fault]]\nname = \"delay\"\nwhere = \"http.response.before_handler\"\n\
         match = {{ message = \"delegation_req\" }}\ndo = {{ {delay} }}\n"
    );
    let delayed = measured(place, OPEN, &rule);
    let row =
        |summary: &Summary| summary.latency.get("message.delegation_req").expect("every metric is there").service_ms;
    let (floor, found) = (row(&plain), row(&delayed));
    let floor = floor.p50.expect("enough samples");
    println!(
        "without delay: median {floor:.3} ms (subtracted below); lateness p99 {}",
        told(delayed.health.lateness_ms.p99)
    );
    let mut is_honest = true;
    for (name, quantile, recorded) in [("p50", 0.5, found.p50), ("p90", 0.9, found.p90), ("p99", 0.99, found.p99)] {
        let truth = LEAST_MS + quantile * (MOST_MS - LEAST_MS);
        let recorded = recorded.expect("enough samples") - floor;
        let allowed = (truth * 0.01).max(2.0);
        let is_near = (recorded - truth).abs() <= allowed;
        is_honest &= is_near;
        let word = if is_near { "ok" } else { "OFF" };
        println!("{name}: injected {truth:.1} ms, recorded {recorded:.3} ms, ratio {:.4}  {word}", recorded / truth);
    }
    is_honest
}

fn starts_in_time(place: &Path) -> bool {
    let most = measured(place, "at_once = 100", "").rates.flows_per_s;
    let rate = (most / 2.0).round();
    let half = measured(place, &format!("phases = [\"hold {rate}/s until done\"]"), "");
    let late = half.health.lateness_ms;
    let is_in_time = late.p99.is_some_and(|p99| p99 < MOST_LATE_MS);
    let word = if is_in_time { "ok" } else { "OFF" };
    println!(
        "capacity {most:.0} flows/s; at {rate:.0}/s starts late by p50 {}, p99 {}  {word}",
        told(late.p50),
        told(late.p99)
    );
    is_in_time
}

fn told(ms: Option<f64>) -> String {
    ms.map_or_else(|| "not known".to_owned(), |ms| format!("{ms:.3} ms"))
}

/// One run under this load, with these faults.
fn measured(place: &Path, load: &str, faults: &str) -> Summary {
    let text = format!(
        "name = \"honesty\"\nseed = 7\nconnections_per_peer = 512\nwatch = 0\nheal = \"0s\"\n\
         [population]\ndevices = {DEVICES}\n\
         [[server]]\nname = \"home\"\nid = \"dms1.example.test\"\n\
         [[server]]\nname = \"partner\"\nid = \"dms2.example.test\"\n\
         [[journey]]\nsteps = [\"delegate home -> partner by dmacc\"]\n\
         [load]\n{load}\n{faults}"
    );
    let scenario = parse("honesty.toml", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let options = Options { certs: place.join("certs"), out: place.join("results"), ..Options::default() };
    let finished = run(&scenario, &options, |_| {}).expect("the run runs");
    finished.summary
}
