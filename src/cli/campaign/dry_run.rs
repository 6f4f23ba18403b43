//! `dmswarm campaign --dry-run`: the cells, and how long all runs would take. Nothing is written.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::campaign::cells::Cells;
use crate::campaign::file::CampaignFile;
use crate::campaign::order::{Job, shuffled};
use crate::cli::args::Flags;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::report::figures::{count, counted, rate};
use crate::report::table::Table;
use crate::results::campaign::value_words;
use crate::run::host;
use crate::run::prepare::{TooLittleMemory, connections_to_one_target};
use crate::scenario::estimate::Estimate;
use crate::seed::Seed;

/// What a cell would do.
struct Forecast {
    cell: u32,
    settings: Map<String, Value>,
    devices: u32,
    estimate: Estimate,
    /// The whole run.
    lasts: Duration,
    /// In the busiest second; `None` where nothing goes by the clock.
    exchanges: Option<f64>,
    /// Why this machine may not be able to.
    doubt: Option<String>,
}

/// How long all of it takes.
struct Total {
    runs: Duration,
    warm_up: Duration,
    pauses: Duration,
}

/// Says what a campaign would do.
pub fn tell(file: &CampaignFile, cells: &Cells, seed: Seed, flags: &Flags) -> Exit {
    let forecasts: Vec<Forecast> = super::rows(cells)
        .into_iter()
        .filter_map(|row| {
            let scenario = cells.scenario(Job { cell: row.cell, repeat: 1 }).ok()?;
            let estimate = scenario.estimate(connections_to_one_target());
            Some(Forecast {
                cell: row.cell,
                settings: row.settings,
                devices: scenario.devices,
                lasts: estimate.lasts,
                estimate,
                exchanges: scenario.demand().clocked.map(|need| need.exchanges),
                doubt: TooLittleMemory::of(&scenario, host::memory_bytes()).map(|doubt| doubt.to_string()),
            })
        })
        .collect();
    for forecast in &forecasts {
        forecast.doubt.iter().for_each(|doubt| output::remark(&format!("warning: cell {}: {doubt}", forecast.cell)));
    }
    let total = total(file, seed, &forecasts);
    if flags.json {
        return output::data(&format!("{:#}", json(file, seed, &forecasts, &total)));
    }
    if flags.quiet {
        return Exit::Passed;
    }
    output::data(&text(file, seed, &forecasts, &total))
}

/// What each takes, so often as it comes, and the rests between them.
fn total(file: &CampaignFile, seed: Seed, forecasts: &[Forecast]) -> Total {
    // A run that takes longer is interrupted.
    let takes = |forecast: &Forecast| file.budget.map_or(forecast.lasts, |budget| forecast.lasts.min(budget));
    let all: Duration = forecasts.iter().map(takes).sum();
    let warm_up = forecasts.first().map_or(Duration::ZERO, takes).saturating_mul(file.warm_up);
    let mut order = vec![Job::OF_WARM_UP; file.warm_up as usize];
    order.extend(shuffled(forecasts.len() as u32, file.repeats, seed));
    let pauses = file.rests.over(&order);
    Total { runs: all.saturating_mul(file.repeats), warm_up, pauses }
}

fn text(file: &CampaignFile, seed: Seed, forecasts: &[Forecast], total: &Total) -> String {
    let mut keys: Vec<&String> = Vec::new();
    for key in forecasts.iter().flat_map(|forecast| forecast.settings.keys()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let head = ["cell"].into_iter().chain(keys.iter().map(|key| key.as_str()));
    let mut table = Table::new(head.chain(["devices", "flows", "at most", "exchanges/s", "lasts about"]));
    for forecast in forecasts {
        let values = keys.iter().map(|key| forecast.settings.get(*key).map_or("-".to_owned(), value_words));
        let flows: u64 = forecast.estimate.flows.iter().map(|(_, flows)| flows).sum();
        let figures = [
            count(u64::from(forecast.devices)),
            count(flows),
            peak(&forecast.estimate),
            forecast.exchanges.map_or("-".to_owned(), rate),
            seconds(forecast.lasts),
        ];
        table.row([forecast.cell.to_string()].into_iter().chain(values).chain(figures));
    }
    let mut lines = vec![format!("{}: {} of {}", file.name, counted(file.runs(), "run"), file.scenario), String::new()];
    lines.extend(table.words());
    lines.push(String::new());
    let (cells, repeats) = (counted(forecasts.len() as u64, "cell"), counted(u64::from(file.repeats), "repeat"));
    lines.push(format!(
        "runs      {}: {cells}, {repeats} of each, in an order shuffled by seed {}",
        count(file.runs()),
        seed.0
    ));
    if file.warm_up > 0 {
        lines.push(format!("warm-up   {} of cell 1 before them, thrown away", counted(u64::from(file.warm_up), "run")));
    }
    if let Some(budget) = file.budget {
        lines.push(format!("budget    {} for each run, or it is interrupted", seconds(budget)));
    }
    let all = total.runs + total.warm_up + total.pauses;
    let pauses =
        if total.pauses.is_zero() { String::new() } else { format!(", {} of it pauses", seconds(total.pauses)) };
    lines.push(format!("lasts     about {}{pauses}; each run takes a moment more to stand up", seconds(all)));
    lines.join("\n")
}

/// The most that is started: a second, at one instant, or under way.
fn peak(estimate: &Estimate) -> String {
    let parts = [
        estimate.peak_rate.map(|per_s| format!("{}/s", rate(per_s))),
        estimate.storm.map(|devices| format!("storm of {}", count(devices))),
        estimate.at_once.map(|places| format!("{} at once", count(places))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn seconds(lasts: Duration) -> String {
    match lasts.as_secs() {
        0..=99 => format!("{:.1} s", lasts.as_secs_f64()),
        seconds => crate::units::Duration(Duration::from_secs(seconds)).to_string(),
    }
}

fn json(file: &CampaignFile, seed: Seed, forecasts: &[Forecast], total: &Total) -> Value {
    let cell = |forecast: &Forecast| {
        json!({
            "cell": forecast.cell,
            "settings": forecast.settings,
            "devices": forecast.devices,
            "flows": forecast.estimate.flows.iter().map(|(_, flows)| flows).sum::<u64>(),
            "peak_starts_per_s": forecast.estimate.peak_rate,
            "storm": forecast.estimate.storm,
            "at_once": forecast.estimate.at_once,
            "peak_exchanges_per_s": forecast.exchanges,
            "duration_s": forecast.lasts.as_secs_f64(),
        })
    };
    json!({
        "name": file.name,
        "scenario": file.scenario,
        "seed": seed.0,
        "repeats": file.repeats,
        "warm_up": file.warm_up,
        "runs": file.runs(),
        "duration_s": (total.runs + total.warm_up + total.pauses).as_secs_f64(),
        "cells": forecasts.iter().map(cell).collect::<Vec<_>>(),
    })
}
