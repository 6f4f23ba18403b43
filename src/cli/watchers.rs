//! Who sees how runs go while they go on: Prometheus at a door, a collector of OpenTelemetry that is told.

use std::net::SocketAddr;

use clap::Args;

use crate::cli::values;
use crate::report::{otlp, prometheus};
use crate::run::Options;
use crate::run::metrics::{Scrape, ScrapeError, Text};
use crate::run::push::{self, Form, Push};

/// The flags of `dmswarm run` for them.
#[derive(Debug, Args)]
pub struct Watchers {
    /// Let Prometheus scrape http://ADDR/metrics while runs go on; a port alone is one of this machine alone
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = values::METRICS, value_parser = values::address)]
    metrics: Option<SocketAddr>,
    /// Send metrics to a collector of OpenTelemetry every 10 s and at the end: OTLP in protobuf over plain HTTP
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = COLLECTOR, value_parser = collector)]
    otlp: Option<Push>,
}

/// Where a collector of this machine listens for OTLP over HTTP.
const COLLECTOR: &str = "http://127.0.0.1:4318";

const OPEN_METRICS: Text = Text { write: prometheus::text, content_type: prometheus::CONTENT_TYPE };
const OTLP: Form = Form {
    write: |summary, push::Origin { run, began, now }| otlp::request(summary, otlp::Origin { run, began, now }),
    content_type: otlp::CONTENT_TYPE,
    complaint: otlp::complaint,
};

impl Watchers {
    /// The flag of one that is wanted.
    pub fn wanted(&self) -> Option<&'static str> {
        match self {
            Watchers { metrics: Some(_), .. } => Some("--metrics"),
            Watchers { otlp: Some(_), .. } => Some("--otlp"),
            Watchers { metrics: None, otlp: None } => None,
        }
    }

    /// The options of runs that they see; opens the door for Prometheus.
    ///
    /// # Errors
    /// [`ScrapeError`] when its address cannot be had.
    pub fn watch(self, options: Options) -> Result<Options, ScrapeError> {
        let metrics = self.metrics.map(|address| Scrape::at(address, OPEN_METRICS)).transpose()?;
        Ok(Options { metrics, otlp: self.otlp, ..options })
    }
}

fn collector(url: &str) -> Result<Push, String> {
    Push::to(url, OTLP).map_err(|error| error.to_string())
}
