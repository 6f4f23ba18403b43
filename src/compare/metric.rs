//! The figures of a run that can be compared, each with its unit and in which direction it improves.
//!
//! They are named as the summary names them: `flows_per_s`, `failed_share`, `flow.delegate.dmacc.p99`,
//! `flow.delegate.dmacc.service.p99`, `message.delegation_req.p50`, `cpu_share`.

use std::fmt;

use crate::measure::Summary;
use crate::measure::latency::{Metric as Timed, Spread};
use crate::statistics::Better;

/// A figure of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: String,
    pub unit: Unit,
    pub better: Better,
    /// What has times, such as `flow.delegate.dmacc` or `flow.delegate.dmacc.service`; for others the name itself.
    pub of: String,
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    PerSecond,
    /// 0 to 1.
    Share,
    Milliseconds,
    Bytes,
}

impl Unit {
    /// As programs are told.
    pub fn key(self) -> &'static str {
        match self {
            Unit::PerSecond => "per_s",
            Unit::Share => "share",
            Unit::Milliseconds => "ms",
            Unit::Bytes => "bytes",
        }
    }
}

/// The metrics that somebody asked for by name; without a name, all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen(Vec<String>);

/// No run has such a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchMetric {
    pub name: String,
    /// The one that is spelt most like it, if one is.
    pub nearest: Option<String>,
    /// What there is, without percentiles.
    pub known: Vec<String>,
}

/// How much alike two names are of which one may be meant by the other, 0 to 1.
const ALIKE: f64 = 0.85;

impl Metric {
    /// Every figure that a run has, in the order of its summary. What has too few samples behind it is not there.
    ///
    /// Rates are those of what was carried, and more of it is better. Of a scenario that fixes when journeys start they say
    /// little unless the peer could not keep up.
    pub fn all_of(summary: &Summary) -> Vec<(Metric, f64)> {
        let plain = |name: &str, unit, better, value| {
            (Metric { name: name.to_owned(), unit, better, of: name.to_owned() }, value)
        };
        let rates = &summary.rates;
        let started = summary.started();
        let mut all = vec![
            plain("flows_per_s", Unit::PerSecond, Better::Higher, rates.flows_per_s),
            plain("exchanges_per_s", Unit::PerSecond, Better::Higher, rates.exchanges_per_s),
            plain("handshakes_per_s", Unit::PerSecond, Better::Higher, rates.handshakes_per_s),
        ];
        if started > 0 {
            let failed = summary.failed_flows() as f64 / started as f64;
            all.push(plain(FAILED, Unit::Share, Better::Lower, failed));
        }
        for timed in Timed::all() {
            let name = timed.to_string();
            let Some(row) = summary.latency.get(&name) else { continue };
            match timed {
                Timed::Flow(_) => {
                    all.extend(times(&name, &row.response_ms, true));
                    all.extend(times(&format!("{name}.service"), &row.service_ms, true));
                }
                Timed::Message(_) => all.extend(times(&name, &row.response_ms, false)),
                _ => {}
            }
        }
        all.push(plain("cpu_share", Unit::Share, Better::Lower, summary.health.cpu_share));
        all.push(plain("peak_rss_bytes", Unit::Bytes, Better::Lower, summary.health.peak_rss_bytes as f64));
        all
    }

    /// Differences below this are nobody's business, in its unit: one failed flow in a thousand more or less, of which there
    /// may have been none.
    pub fn least_difference(&self) -> f64 {
        if self.name == FAILED { 0.001 } else { 0.0 }
    }
}

/// Flows that ended otherwise than expected, as a share of those that were started.
const FAILED: &str = "failed_share";

/// The percentiles of something that takes time; of messages, of which there are many kinds, the 95th is left out: the more
/// metrics there are, the more runs it takes to see a change in one of them.
fn times(of: &str, spread: &Spread, has_p95: bool) -> impl Iterator<Item = (Metric, f64)> {
    let p95 = spread.p95.filter(|_| has_p95);
    let all = [("p50", spread.p50), ("p95", p95), ("p99", spread.p99)];
    let metric = |quantile: &str| Metric {
        name: format!("{of}.{quantile}"),
        unit: Unit::Milliseconds,
        better: Better::Lower,
        of: of.to_owned(),
    };
    all.map(|(quantile, ms)| ms.map(|ms| (metric(quantile), ms))).into_iter().flatten()
}

impl Chosen {
    /// By names: of a metric, of what it is about (`flow.revoke.asked`, with its service times), or of many (`flow`).
    ///
    /// # Errors
    /// [`NoSuchMetric`] for a name that none of these goes by.
    pub fn among(names: &[String], known: &[Metric]) -> Result<Chosen, NoSuchMetric> {
        for name in names {
            if !known.iter().any(|metric| is_called(metric, name)) {
                let alike = |metric: &Metric| strsim::jaro_winkler(&metric.name, name);
                let nearest = known.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)));
                let nearest = nearest.filter(|metric| alike(metric) >= ALIKE).map(|metric| metric.name.clone());
                let mut known: Vec<String> = known.iter().map(|metric| without_clock(metric).to_owned()).collect();
                known.dedup();
                return Err(NoSuchMetric { name: name.clone(), nearest, known });
            }
        }
        Ok(Chosen(names.to_vec()))
    }

    /// Whether this one was asked for.
    pub fn takes(&self, metric: &Metric) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| is_called(metric, name))
    }

    /// Whether nobody has asked for any.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_called(metric: &Metric, name: &str) -> bool {
    let of = without_clock(metric);
    let is_family = ["flow", "message"].contains(&name) && of.split('.').next() == Some(name);
    metric.name == name || metric.of == name || of == name || is_family
}

/// What it is of, whichever clock it was taken by.
fn without_clock(metric: &Metric) -> &str {
    metric.of.strip_suffix(".service").unwrap_or(&metric.of)
}

impl fmt::Display for NoSuchMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no run has a metric called `{}`", self.name.escape_debug())?;
        match &self.nearest {
            Some(nearest) => write!(f, "; is `{nearest}` meant?"),
            None => write!(f, "; there are {}, and `flow` and `message` for all of these", self.known.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Summary {
        serde_json::from_str(include_str!("../../results/sample/summary.json")).expect("a summary")
    }

    #[test]
    fn a_run_has_figures_of_every_kind() {
        let mut summary = sample();
        let all = Metric::all_of(&summary);
        let value = |name: &str| all.iter().find(|(metric, _)| metric.name == name).map(|(_, value)| *value);
        assert_eq!(value("flows_per_s"), Some(summary.rates.flows_per_s));
        assert_eq!(value("failed_share"), Some(0.0));
        let row = summary.latency.get("flow.revoke.asked").expect("it was measured");
        assert_eq!(value("flow.revoke.asked.p99"), row.response_ms.p99);
        assert_eq!(value("flow.revoke.asked.service.p50"), row.service_ms.p50);
        assert!(value("message.delegation_req.p99").is_some() && value("message.delegation_req.p95").is_none());
        assert_eq!(value("peak_rss_bytes"), Some(summary.health.peak_rss_bytes as f64));
        // 30 flows do not bear a 99th percentile out.
        assert_eq!(value("flow.delegate.url.full.p99"), None);
        let mut names: Vec<&str> = all.iter().map(|(metric, _)| metric.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len(), "no name is there twice");
        summary.flows = [("revoke.asked".to_owned(), Default::default())].into_iter().collect();
        assert!(Metric::all_of(&summary).iter().all(|(metric, _)| metric.name != "failed_share"), "0 of 0 is no share");
    }

    #[test]
    fn metrics_are_chosen_by_name_by_what_they_are_of_and_by_family() {
        let known: Vec<Metric> = Metric::all_of(&sample()).into_iter().map(|(metric, _)| metric).collect();
        let taken = |name: &str| {
            let chosen = Chosen::among(&[name.to_owned()], &known).expect("it is known");
            known.iter().filter(|metric| chosen.takes(metric)).map(|metric| metric.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(taken("cpu_share"), ["cpu_share"]);
        let of_one = taken("flow.delegate.dmacc");
        assert!(of_one.contains(&"flow.delegate.dmacc.p50") && of_one.contains(&"flow.delegate.dmacc.service.p99"));
        assert!(!of_one.iter().any(|name| name.contains("full")), "{of_one:?}");
        assert!(taken("flow.delegate.dmacc.service").iter().all(|name| name.contains(".service.")));
        assert!(taken("message").iter().all(|name| name.starts_with("message.")) && taken("flow").len() > 20);
        let wrong = Chosen::among(&["flow.delegate.dmac.p99".to_owned()], &known).expect_err("it is misspelt");
        let told = "no run has a metric called `flow.delegate.dmac.p99`; is `flow.delegate.dmacc.p99` meant?";
        assert_eq!(wrong.to_string(), told);
        let told = Chosen::among(&["foo".to_owned()], &known).expect_err("it is none").to_string();
        assert!(told.contains("`foo`; there are flows_per_s, ") && told.contains(", flow.revoke.asked, "), "{told}");
        assert!(Chosen::default().is_everything() && known.iter().all(|metric| Chosen::default().takes(metric)));
    }
}
