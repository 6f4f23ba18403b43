//! Whether a long run takes more memory than a short one, and what a record costs beside a bare histogram.
//!
//! `cargo bench --bench memory [-- FLOWS]`. First the recorder alone, fed a known set of values. Then one run over HTTPS in
//! this process, with so many flows (a million without a number), watched as any run is: the resident memory after a
//! fifth of them and after all, and the ratio of the two. Ends with 1 where one is more than 5 % from the other, where the
//! run does not pass, or where a percentile is more than 0.1 % from the true one.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use dmswarm::measure::Verdict;
use dmswarm::measure::latency::Distribution;
use dmswarm::run::news::News;
use dmswarm::run::{Options, run};
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, parse};
use hdrhistogram::Histogram;

/// All are under way all the time, so that whatever is kept of a device is kept of each from early on.
const DEVICES: u64 = 2_000;
/// A delegation and a revocation.
const FLOWS_PER_ROUND: u64 = 2;
/// How far memory may move between a fifth of the flows and all of them.
const MEMORY_MAY_MOVE: f64 = 0.05;
/// How far a percentile may be from the true one.
const PERCENTILE_MAY_BE_OFF: f64 = 0.001;
const RECORDS: u64 = 5_000_000;

fn main() -> ExitCode {
    let flows: u64 = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000_000);
    let is_exact = recorder();
    let is_flat = long_run(flows);
    if is_exact && is_flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The recorder alone: 100 us, 101 us, ... in an order that jumps about, a whole number of rounds of a million.
fn recorder() -> bool {
    const SET: u64 = 1_000_000;
    let micros = |place: u64| 100 + place * 7_919 % SET;
    let mut bare = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).expect("bounds that fit each other");
    let mut ours = Distribution::default();
    let (mut floors, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        floors.push(nanos_each(|place| bare.saturating_record(black_box(micros(place)))));
        costs.push(nanos_each(|place| ours.record(Duration::from_micros(black_box(micros(place))))));
    }
    black_box(&bare);
    let (floor, cost) = (median(floors), median(costs));
    println!("recorder: {cost:.1} ns a record, bare histogram {floor:.1} ns, ratio {:.2}", cost / floor);
    let mut is_exact = true;
    for per_mille in [500, 900, 990, 999] {
        // The n-th of the set, from 1, is 99 us + n.
        let truth = (99 + SET / 1_000 * per_mille) as f64 / 1e3;
        let found = ours.percentile_ms(per_mille as f64 / 1e3).expect("enough samples");
        let off = (found - truth).abs() / truth;
        is_exact &= off <= PERCENTILE_MAY_BE_OFF;
        println!("  {per_mille} of 1,000: {found:.3} ms, truly {truth:.3} ms: {:.4} % off", off * 100.0);
    }
    is_exact
}

fn nanos_each(mut record: impl FnMut(u64)) -> f64 {
    let began = Instant::now();
    (0..RECORDS).for_each(&mut record);
    began.elapsed().as_secs_f64() * 1e9 / RECORDS as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One run in which so many flows end.
fn long_run(flows: u64) -> bool {
    let rounds = flows.div_ceil(DEVICES * FLOWS_PER_ROUND);
    let scenario = scenario(rounds);
    let folder = std::env::temp_dir().join(format!("dmswarm-bench-{}", std::process::id()));
    let options = Options {
        certs: folder.join("certs"),
        out: folder.join("results"),
        command_line: vec!["bench".to_owned()],
        ..Options::default()
    };
    let (early, all) = (flows / 5, rounds * DEVICES * FLOWS_PER_ROUND);
    let (mut at_early, mut at_end) = (None, None);
    let began = Instant::now();
    let tell = |news: News<'_>| {
        let News::Second(pulse) = news else { return };
        let ended = pulse.progress.flows_ended;
        if ended >= early && at_early.is_none() {
            at_early = resident().map(|bytes| (ended, bytes));
        }
        // The last seconds, in which devices come to rest one after the other, are not like the others.
        if ended <= all - DEVICES {
            at_end = resident().map(|bytes| (ended, bytes));
        }
        if pulse.second.second % 30 == 0 {
            println!("  {ended} flows in {:.0} s: {}", began.elapsed().as_secs_f64(), told(resident()));
        }
    };
    let finished = run(&scenario, &options, tell);
    std::fs::remove_dir_all(&folder).expect("the folder of the run goes");
    let finished = finished.expect("a run");
    println!("run: {:?}, {} flows failed", finished.summary.verdict, finished.summary.failed_flows());
    finished.summary.warnings.iter().for_each(|warning| println!("  {warning}"));
    finished.promises.iter().flat_map(|promise| &promise.breaches).for_each(|breach| println!("  {breach}"));
    let is_whole = finished.summary.verdict == Verdict::Passed;
    let (Some((few, early)), Some((many, late))) = (at_early, at_end) else {
        println!("memory: not measured; the run was too short, or the system does not tell");
        return false;
    };
    let ratio = late as f64 / early as f64;
    println!("memory: {} after {few} flows, {} after {many}, ratio {ratio:.3}", told(Some(early)), told(Some(late)));
    is_whole && (ratio - 1.0).abs() <= MEMORY_MAY_MOVE
}

/// Timeouts are long: with all devices under way at once, a flow waits for its turn.
fn scenario(rounds: u64) -> Scenario {
    let text = format!(
        r#"
name = "memory"
seed = 7
heal = "0s"
population = {{ devices = {DEVICES} }}
server = [{{ name = "home", id = "dms1.example.test" }}, {{ name = "partner", id = "dms2.example.test" }}]
load = {{ at_once = {DEVICES} }}
timeouts = {{ bootstrap = "2m", confirmed = "2m", termination = "2m", prepared = "2m", revoked = "2m", request = "1m", session = "2m", peer = "3m", device = "3m" }}

[[journey]]
repeat = {rounds}
steps = ["delegate home -> partner by dmacc subtree ./SCOMO", "revoke asked"]
"#
    );
    parse("memory.toml", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Resident memory of this process, in bytes; `None` where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn told(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0)))
}
