//! Whether this machine kept up, so that the figures are about the peers and not about us.
//!
//! Late starts, starts that were dropped and threads that could not keep their own time make a run INVALID; everything
//! else is a warning, since it may have done no harm.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::latency::Distribution;
use crate::measure::shard::{LATE, Shard};

/// The CPU share from which on a run is warned of.
const BUSY: f64 = 0.85;
/// The share of a bound (open files, ports, a mailbox) from which on a run is warned of.
const SCARCE: f64 = 0.8;

/// What a machine may do to a run before the run is INVALID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthLimits {
    /// Starts may come so late at the 99th percentile.
    pub lateness: Duration,
    /// Timers of our own threads may fire so late at the 99th percentile.
    pub event_loop: Duration,
}

impl HealthLimits {
    /// What holds where a scenario says nothing.
    pub const DEFAULT: HealthLimits =
        HealthLimits { lateness: Duration::from_millis(250), event_loop: Duration::from_millis(250) };
}

/// What the operating system says this process has used, from the start of the run on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HostUse {
    /// User and system time, in seconds.
    pub cpu_s: f64,
    /// Cores that the process may use.
    pub cores: f64,
    /// Most memory that was resident at any time.
    pub peak_rss_bytes: u64,
    /// Most files (sockets among them) that were open at the end of a second.
    pub open_files: u64,
    /// How many may be; `None` is "no limit".
    pub most_open_files: Option<u64>,
    /// Most connections that our own side had open at the end of a second: each takes a port.
    pub ports: u64,
    /// How many ports there are for that; `None` where the system does not tell.
    pub most_ports: Option<u64>,
    /// Most messages that waited in the mailbox of one server.
    pub mailbox_depth: u64,
    /// How many may wait there.
    pub most_mailbox_depth: u64,
}

/// How well this machine kept up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether the figures can be trusted.
    pub valid: bool,
    /// Why not, one sentence each.
    pub reasons: Vec<String>,
    /// What may have done harm, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// How long after their intended moment the first requests of journeys were given to the network.
    pub lateness_ms: Lateness,
    /// How late timers of our own threads fired.
    #[serde(default)]
    pub event_loop_ms: Lateness,
    /// CPU time used, as a share of what the cores had to give (0 to 1).
    pub cpu_share: f64,
    /// Intended starts that found no free device.
    pub dropped: u64,
    /// Starts that were more than 10 ms late; they happened all the same.
    #[serde(default)]
    pub late: u64,
    /// Requests that waited for a connection until their time was over, and never left.
    #[serde(default)]
    pub never_sent: u64,
    /// Most resident memory at any time.
    pub peak_rss_bytes: u64,
    /// Most messages that waited in the mailbox of one server.
    #[serde(default)]
    pub mailbox_depth: u64,
    /// Most open files, sockets among them, and how many there may be.
    #[serde(default)]
    pub open_files: u64,
    #[serde(default)]
    pub most_open_files: Option<u64>,
    /// Most ports that connections of our own took, and how many there are.
    #[serde(default)]
    pub ports: u64,
    #[serde(default)]
    pub most_ports: Option<u64>,
}

/// `null` where too few samples stand behind it: p50 under 2, p99 under 100, max under 1. A closed load intends no moment,
/// so that none of its starts counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["p50", "p99", "max"]))]
pub struct Lateness {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

impl Lateness {
    /// What such delays come to.
    pub fn of(delays: &Distribution) -> Lateness {
        Lateness { p50: delays.percentile_ms(0.5), p99: delays.percentile_ms(0.99), max: delays.max_ms() }
    }

    /// The 99th percentile, where it is beyond a bound. With fewer than 100 samples the longest stands in for it.
    fn beyond(&self, bound: Duration) -> Option<f64> {
        self.p99.or(self.max).filter(|late| *late > bound.as_secs_f64() * 1e3)
    }
}

impl Health {
    /// Judges a run of so many seconds.
    pub fn judge(run: &Shard, host: &HostUse, limits: &HealthLimits, duration_s: f64) -> Health {
        let (lateness_ms, event_loop_ms) = (Lateness::of(&run.lateness), Lateness::of(&run.event_loop));
        let available = host.cores * duration_s;
        let cpu_share = if available > 0.0 { host.cpu_s / available } else { 0.0 };
        let reasons = reasons(run, limits, &lateness_ms, &event_loop_ms);
        Health {
            valid: reasons.is_empty(),
            reasons,
            warnings: warnings(host, cpu_share),
            lateness_ms,
            event_loop_ms,
            cpu_share: (cpu_share * 1e4).round() / 1e4,
            dropped: run.dropped,
            late: run.late,
            never_sent: run.never_sent,
            peak_rss_bytes: host.peak_rss_bytes,
            mailbox_depth: host.mailbox_depth,
            open_files: host.open_files,
            most_open_files: host.most_open_files,
            ports: host.ports,
            most_ports: host.most_ports,
        }
    }
}

/// Why the figures cannot be trusted, and what helps.
fn reasons(run: &Shard, limits: &HealthLimits, lateness: &Lateness, event_loop: &Lateness) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(late) = lateness.beyond(limits.lateness) {
        let bound = limits.lateness.as_millis();
        reasons.push(format!(
            "starts were up to {late:.0} ms late at the 99th percentile, more than {bound} ms ({} of them more than {} \
             ms): this machine could not keep the pace; lower the rate, use a faster machine, or allow more with \
             `[health] lateness`",
            run.late,
            LATE.as_millis()
        ));
    }
    if let Some(late) = event_loop.beyond(limits.event_loop) {
        let bound = limits.event_loop.as_millis();
        reasons.push(format!(
            "timers of our own threads fired up to {late:.0} ms late at the 99th percentile, more than {bound} ms: what \
             was measured holds our own delay; lower the rate, stop what else runs here, or allow more with \
             `[health] event_loop`"
        ));
    }
    if run.dropped > 0 {
        let starts = if run.dropped == 1 { "start" } else { "starts" };
        let were = if run.dropped == 1 { "was" } else { "were" };
        reasons.push(format!(
            "{} intended {starts} found no free device and {were} dropped: add devices or lower the rate",
            run.dropped
        ));
    }
    if run.never_sent > 0 {
        let (requests, their) = if run.never_sent == 1 { ("request", "its") } else { ("requests", "their") };
        reasons.push(format!(
            "{} {requests} waited for a free connection until {their} time was over, and never left: more was under \
             way than this machine could carry; lower the load",
            run.never_sent
        ));
    }
    reasons
}

/// What came close to a bound.
fn warnings(host: &HostUse, cpu_share: f64) -> Vec<String> {
    let mut warnings = Vec::new();
    if cpu_share > BUSY {
        warnings.push(format!(
            "all cores together were {:.0} % busy: what is measured may hold waits of our own",
            cpu_share * 100.0
        ));
    }
    let scarce = |used: u64, most: Option<u64>| most.filter(|most| used as f64 > *most as f64 * SCARCE);
    if let Some(most) = scarce(host.open_files, host.most_open_files) {
        warnings.push(format!("{} of {most} files were open: raise the limit with `ulimit -n`", host.open_files));
    }
    if let Some(most) = scarce(host.ports, host.most_ports) {
        warnings.push(format!(
            "connections of our own took {} of {most} ports: let devices share them (`connections = \"pooled\"`), or \
             widen net.ipv4.ip_local_port_range",
            host.ports
        ));
    }
    if let Some(most) = scarce(host.mailbox_depth, Some(host.most_mailbox_depth).filter(|most| *most > 0)) {
        warnings.push(format!(
            "{} messages waited in the mailbox of a server, which takes {most}: it was behind with its work",
            host.mailbox_depth
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn judge(run: &Shard, host: &HostUse, duration_s: f64) -> Health {
        Health::judge(run, host, &HealthLimits::DEFAULT, duration_s)
    }

    #[track_caller]
    fn check(late_ms: &[u64], dropped: u64, reasons: &[&str]) {
        let mut run = Shard::new();
        late_ms.iter().for_each(|late| run.late(Duration::from_millis(*late)));
        (0..dropped).for_each(|_| run.start_dropped());
        let health = judge(&run, &HostUse::default(), 1.0);
        assert_eq!(health.valid, reasons.is_empty());
        assert_eq!(health.reasons.len(), reasons.len(), "{:?}", health.reasons);
        for (found, expected) in health.reasons.iter().zip(reasons) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn a_machine_that_could_not_keep_the_pace_makes_a_run_invalid() {
        check(&[], 0, &[]);
        check(&[3, 2, 240], 0, &[]);
        check(&[3, 2, 260], 0, &["260 ms late at the 99th percentile, more than 250 ms (1 of them more than 10 ms)"]);
        check(&[0], 1, &["dropped"]);
        check(&[5_000], 2, &["late", "dropped"]);
    }

    #[test]
    fn threads_that_cannot_keep_their_own_time_make_a_run_invalid() {
        let mut run = Shard::new();
        run.event_loop_delayed(Duration::from_millis(249));
        assert!(judge(&run, &HostUse::default(), 1.0).valid);
        run.event_loop_delayed(Duration::from_millis(300));
        let health = judge(&run, &HostUse::default(), 1.0);
        assert!(!health.valid && health.reasons[0].contains("[health] event_loop"), "{:?}", health.reasons);
        let patient = HealthLimits { event_loop: Duration::from_secs(1), ..HealthLimits::DEFAULT };
        assert!(Health::judge(&run, &HostUse::default(), &patient, 1.0).valid);
    }

    #[test]
    fn requests_that_never_left_are_no_fault_of_the_peer() {
        let mut run = Shard::new();
        run.never_sent();
        let health = judge(&run, &HostUse::default(), 1.0);
        assert_eq!((health.valid, health.never_sent), (false, 1));
        assert!(health.reasons[0].starts_with("1 request waited"), "{:?}", health.reasons);
    }

    #[test]
    fn one_straggler_among_many_starts_is_borne() {
        let mut late = vec![1; 199];
        late.push(9_000);
        check(&late, 0, &[]);
        late.truncate(97);
        late.extend([9_000; 3]);
        check(&late, 0, &["late"]);
    }

    #[test]
    fn the_cpu_share_is_of_all_cores_and_alone_only_warns() {
        // 3 s of CPU in 10 s on 2 cores: 3 / 20
        let host = HostUse { cpu_s: 3.0, cores: 2.0, peak_rss_bytes: 1, ..HostUse::default() };
        assert_eq!(judge(&Shard::new(), &host, 10.0).cpu_share, 0.15);
        assert_eq!(judge(&Shard::new(), &host, 0.0).cpu_share, 0.0);
        let busy = judge(&Shard::new(), &HostUse { cpu_s: 19.0, ..host }, 10.0);
        assert!(busy.valid, "{:?}", busy.reasons);
        assert_eq!(busy.warnings.len(), 1);
        assert!(busy.warnings[0].contains("95 % busy"), "{:?}", busy.warnings);
    }

    #[test]
    fn what_comes_close_to_a_bound_is_warned_of() {
        let host = HostUse {
            open_files: 81,
            most_open_files: Some(100),
            ports: 801,
            most_ports: Some(1_000),
            mailbox_depth: 9,
            most_mailbox_depth: 10,
            ..HostUse::default()
        };
        let health = judge(&Shard::new(), &host, 1.0);
        assert!(health.valid);
        for (warning, part) in health.warnings.iter().zip(["81 of 100 files", "801 of 1000 ports", "9 messages"]) {
            assert!(warning.contains(part), "{warning}");
        }
        assert_eq!(health.warnings.len(), 3);
        assert!(
            judge(&Shard::new(), &HostUse { open_files: 79, most_open_files: Some(100), ..HostUse::default() }, 1.0)
                .warnings
                .is_empty()
        );
    }
}
