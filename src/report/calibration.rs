//! What a machine can generate and what a load needs of it, for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::measure::capacity::{Capacity, Fit, Need};
use crate::report::figures::{counted, rate, share, time};
use crate::report::table::Table;
use crate::scenario::demand::Demand;

/// What holds of every figure here.
const FLOOR: &str = "This is the most that calls alone come to: a run does the servers' and the devices' work besides, on \
                     the same threads.";

/// The figures, as tables.
pub fn tables(capacity: &Capacity) -> String {
    let Capacity { threads, each, exchanges_per_s, exchange_ms, pace, .. } = capacity;
    let mut lines = vec![format!(
        "{} that call and answer, {} for each figure, a peer that answers at once",
        counted(*threads as u64, "thread"),
        time(Some(each.as_secs_f64() * 1e3))
    )];
    let mut most = Table::new(["at most", "per s", "p50", "p99"]);
    most.row(["exchanges".to_owned(), rate(*exchanges_per_s), time(exchange_ms.p50), time(exchange_ms.p99)]);
    for (what, per_s) in [
        ("full TLS handshakes", capacity.full_handshakes_per_s),
        ("resumed TLS handshakes", capacity.resumed_handshakes_per_s),
    ] {
        most.row([what.to_owned(), rate(per_s), String::new(), String::new()]);
    }
    let mut delays = Table::new([format!("at {} starts/s", rate(pace.starts_per_s)).as_str(), "p50", "p99", "max"]);
    for (what, late) in [("starts late by", &pace.late_ms), ("timers late by", &pace.event_loop_ms)] {
        delays.row([what.to_owned(), time(late.p50), time(late.p99), time(late.max)]);
    }
    for table in [most, delays] {
        lines.push(String::new());
        lines.extend(table.lines("resumed TLS handshakes".len()));
    }
    lines.join("\n")
}

/// Whether the machine can generate the load of a scenario: a sentence for each part of it, and what holds of them all.
pub fn verdict(scenario: &str, demand: &Demand, capacity: &Capacity) -> String {
    let mut sentences = Vec::new();
    if let Some(need) = &demand.clocked {
        sentences.push(clocked(scenario, need, capacity));
    }
    if let Some(storm) = &demand.storm {
        let takes = Duration::try_from_secs_f64(capacity.share(storm)).unwrap_or(Duration::MAX);
        sentences.push(format!(
            "A storm of {scenario} is {}: this machine works at it for {} at least.",
            needed(storm, ""),
            time(Some(takes.as_secs_f64() * 1e3))
        ));
    }
    if let Some(places) = demand.at_once {
        sentences.push(format!(
            "Its closed load keeps {} under way and asks for no rate: it takes what there is.",
            counted(places, "journey")
        ));
    }
    sentences.push(FLOOR.to_owned());
    sentences.join("\n")
}

/// Whether a load that goes by the clock fits, with the figures.
fn clocked(scenario: &str, need: &Need, capacity: &Capacity) -> String {
    let part = capacity.share(need);
    let needs = format!("In its busiest second {scenario} needs {}", needed(need, "/s"));
    let of = format!("{} of what this machine can generate", share(part));
    match Fit::of(part) {
        Fit::Comfortable => format!("{needs}: {of}, which is comfortable."),
        Fit::Close => format!("{needs}: {of}, which is close."),
        Fit::TooMuch => {
            format!("{needs}: {of}, which is too much; it would be comfortable at under {} of that rate.", {
                share(Fit::COMFORTABLE_BELOW / part)
            })
        }
    }
}

/// `1,234 exchanges/s and 12 TLS handshakes/s`.
fn needed(need: &Need, per: &str) -> String {
    let exchanges = format!("{} exchanges{per}", rate(need.exchanges));
    if need.handshakes > 0.0 {
        format!("{exchanges} and {} TLS handshakes{per}", rate(need.handshakes))
    } else {
        exchanges
    }
}

/// The same for programs.
pub fn json(scenario: &str, demand: &Demand, capacity: &Capacity) -> Value {
    let need = |need: &Need| json!({ "exchanges": need.exchanges, "handshakes": need.handshakes });
    let clocked = demand.clocked.as_ref().map(|clocked| {
        let part = capacity.share(clocked);
        json!({
            "exchanges_per_s": clocked.exchanges,
            "handshakes_per_s": clocked.handshakes,
            "share": part,
            "fit": Fit::of(part).key(),
        })
    });
    json!({
        "threads": capacity.threads,
        "each_s": capacity.each.as_secs_f64(),
        "exchanges_per_s": capacity.exchanges_per_s,
        "exchange_ms": capacity.exchange_ms,
        "full_handshakes_per_s": capacity.full_handshakes_per_s,
        "resumed_handshakes_per_s": capacity.resumed_handshakes_per_s,
        "schedule": {
            "starts_per_s": capacity.pace.starts_per_s,
            "late_ms": capacity.pace.late_ms,
            "event_loop_ms": capacity.pace.event_loop_ms,
        },
        "scenario": scenario,
        "needs": clocked,
        "storm": demand.storm.as_ref().map(need),
        "at_once": demand.at_once,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::capacity::Pace;
    use crate::measure::health::Lateness;
    use crate::measure::latency::Spread;

    /// 10,000 exchanges/s or 1,000 handshakes/s.
    fn capacity() -> Capacity {
        let late = |max| Lateness { p50: Some(0.5), p99: Some(1.25), max: Some(max) };
        Capacity {
            threads: 2,
            each: Duration::from_secs(1),
            exchanges_per_s: 10_000.0,
            exchange_ms: Spread { p50: Some(6.2), p99: Some(14.0), ..Spread::default() },
            full_handshakes_per_s: 1_000.0,
            resumed_handshakes_per_s: 2_000.0,
            pace: Pace { starts_per_s: 5_000.0, late_ms: late(3.5), event_loop_ms: late(2.0) },
        }
    }

    fn demand(exchanges: f64, handshakes: f64) -> Demand {
        Demand { clocked: Some(Need { exchanges, handshakes }), storm: None, at_once: None }
    }

    #[test]
    fn the_figures_stand_in_two_tables() {
        let expected = "\
2 threads that call and answer, 1000 ms for each figure, a peer that answers at once

at most                  per s      p50      p99
exchanges               10,000  6.20 ms  14.0 ms
full TLS handshakes      1,000
resumed TLS handshakes   2,000

at 5,000 starts/s          p50      p99      max
starts late by          500 us  1.25 ms  3.50 ms
timers late by          500 us  1.25 ms  2.00 ms";
        assert_eq!(tables(&capacity()), expected);
    }

    #[test]
    fn a_sentence_says_whether_a_load_fits_and_by_which_figures() {
        for (exchanges, handshakes, said) in [
            (
                1_600.0,
                0.0,
                "In its busiest second demo needs 1,600 exchanges/s: 16 % of what this machine can generate, \
                            which is comfortable.",
            ),
            // 4,000 of 10,000 and 250 of 1,000: 0.4 + 0.25
            (
                4_000.0,
                250.0,
                "In its busiest second demo needs 4,000 exchanges/s and 250 TLS handshakes/s: 65 % of what \
                              this machine can generate, which is close.",
            ),
            // 20,000 of 10,000; a quarter of that is half of what there is.
            (
                20_000.0,
                0.0,
                "In its busiest second demo needs 20,000 exchanges/s: 200 % of what this machine can \
                             generate, which is too much; it would be comfortable at under 25 % of that rate.",
            ),
        ] {
            let text = verdict("demo", &demand(exchanges, handshakes), &capacity());
            let (first, rest) = text.split_once('\n').expect("two lines");
            assert_eq!((first, rest), (said, FLOOR));
        }
    }

    #[test]
    fn what_does_not_go_by_the_clock_is_told_otherwise() {
        let storm = Some(Need { exchanges: 5_000.0, handshakes: 0.0 });
        let text = verdict("demo", &Demand { clocked: None, storm, at_once: Some(50) }, &capacity());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "A storm of demo is 5,000 exchanges: this machine works at it for 500 ms at least.",
                "Its closed load keeps 50 journeys under way and asks for no rate: it takes what there is.",
                FLOOR
            ]
        );
    }

    #[test]
    fn programs_find_the_same_figures() {
        let value = json("demo", &demand(9_000.0, 0.0), &capacity());
        assert_eq!(value["exchanges_per_s"], 10_000.0);
        assert_eq!(value["schedule"]["late_ms"]["max"], 3.5);
        assert_eq!((&value["needs"]["share"], &value["needs"]["fit"]), (&json!(0.9), &json!("too much")));
        assert!(value["storm"].is_null());
    }
}
