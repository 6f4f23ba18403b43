//! Whether this machine kept up, so that the figures are about the peers and not about us.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::shard::Shard;

/// Starts may come this much late, in milliseconds, at the 99th percentile; a run past it is INVALID.
pub const MOST_LATE_MS: f64 = 1_000.0;

/// What the operating system says this process has used, from the start of the run to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HostUse {
    /// User and system time, in seconds.
    pub cpu_s: f64,
    /// Cores that the process may use.
    pub cores: f64,
    /// Most memory that was resident at any time.
    pub peak_rss_bytes: u64,
}

/// How well this machine kept up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether the figures can be trusted.
    pub valid: bool,
    /// Why not, one sentence each.
    pub reasons: Vec<String>,
    /// How long after their intended moment the first requests of journeys left.
    pub lateness_ms: Lateness,
    /// CPU time used, as a share of what the cores had to give (0 to 1).
    pub cpu_share: f64,
    /// Intended starts that found no free device.
    pub dropped: u64,
    /// Requests that waited for a connection until their time was over, and never left.
    #[serde(default)]
    pub never_sent: u64,
    /// Most resident memory at any time.
    pub peak_rss_bytes: u64,
}

/// `null` where too few starts stand behind it: p50 under 2, p99 under 100, max under 1. A closed load intends no moment,
/// so that none of its starts counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["p50", "p99", "max"]))]
pub struct Lateness {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

impl Health {
    /// Judges a run of so many seconds.
    pub fn judge(run: &Shard, host: &HostUse, duration_s: f64) -> Health {
        let lateness = &run.lateness;
        let lateness_ms =
            Lateness { p50: lateness.percentile_ms(0.5), p99: lateness.percentile_ms(0.99), max: lateness.max_ms() };
        let mut reasons = Vec::new();
        // With fewer than 100 starts the longest delay stands in for the percentile.
        if let Some(late) = lateness_ms.p99.or(lateness_ms.max).filter(|late| *late > MOST_LATE_MS) {
            reasons.push(format!(
                "starts were up to {late:.0} ms late at the 99th percentile, more than {MOST_LATE_MS:.0} ms: \
                 this machine could not keep the pace; lower the rate or use a faster one"
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
        let available = host.cores * duration_s;
        let cpu_share = if available > 0.0 { host.cpu_s / available } else { 0.0 };
        Health {
            valid: reasons.is_empty(),
            reasons,
            lateness_ms,
            cpu_share: (cpu_share * 1e4).round() / 1e4,
            dropped: run.dropped,
            never_sent: run.never_sent,
            peak_rss_bytes: host.peak_rss_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[track_caller]
    fn check(late_ms: &[u64], dropped: u64, reasons: &[&str]) {
        let mut run = Shard::new();
        late_ms.iter().for_each(|late| run.late(Duration::from_millis(*late)));
        (0..dropped).for_each(|_| run.start_dropped());
        let health = Health::judge(&run, &HostUse::default(), 1.0);
        assert_eq!(health.valid, reasons.is_empty());
        assert_eq!(health.reasons.len(), reasons.len(), "{:?}", health.reasons);
        for (found, expected) in health.reasons.iter().zip(reasons) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn a_machine_that_could_not_keep_the_pace_makes_a_run_invalid() {
        check(&[], 0, &[]);
        check(&[3, 2, 900], 0, &[]);
        check(&[3, 2, 1_100], 0, &["late"]);
        check(&[0], 1, &["dropped"]);
        check(&[5_000], 2, &["late", "dropped"]);
    }

    #[test]
    fn requests_that_never_left_are_no_fault_of_the_peer() {
        let mut run = Shard::new();
        run.never_sent();
        let health = Health::judge(&run, &HostUse::default(), 1.0);
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
    fn the_cpu_share_is_of_all_cores() {
        // 3 s of CPU in 10 s on 2 cores: 3 / 20
        let host = HostUse { cpu_s: 3.0, cores: 2.0, peak_rss_bytes: 1 };
        assert_eq!(Health::judge(&Shard::new(), &host, 10.0).cpu_share, 0.15);
        assert_eq!(Health::judge(&Shard::new(), &host, 0.0).cpu_share, 0.0);
    }
}
