//! What is made of a run for other programs, and the catalogue of runs, as people and scripts meet them.

mod program;
#[path = "program/small.rs"]
mod small;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use program::{Place, Said};
use prost::Message;
use small::SMALL;

/// The small scenario, made to take a few seconds, so that there is something to scrape.
fn few_seconds() -> String {
    SMALL.replace("\"revoke asked\"", "\"wait 3s\", \"revoke asked\"")
}

/// A place in which the scenario has been run once, and the folder of that run.
fn ran() -> (Place, PathBuf) {
    let place = Place::new(&[("small.toml", &few_seconds())]);
    place.call(&["run", "small.toml", "-q"]).ended_with(0);
    let entry = fs::read_dir(place.0.join("results")).expect("results").next().expect("a run").expect("an entry");
    let folder = entry.path();
    (place, folder)
}

fn read(folder: &std::path::Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn reports_made_again_are_those_of_the_folder_and_a_killed_run_has_them_too() {
    let (place, folder) = ran();
    let report = |more: &[&str]| place.call(&[&["report", "latest", "--format"], more].concat());
    for (format, file) in [("json", "summary.json"), ("csv", "timeline.csv"), ("junit", "junit.xml")] {
        assert_eq!(report(&[format]).ended_with(0).out, read(&folder, file), "{format}");
    }
    let metric = "flow.delegate.dmacc";
    let one = report(&["hgrm", "--metric", metric]).ended_with(0).out;
    assert_eq!(one, read(&folder, &format!("latency/{metric}.hgrm")));
    report(&["hgrm", "--output", "all"]).ended_with(0);
    let names = |folder: PathBuf| {
        let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(place.0.join("all")), names(folder.join("latency")));
    for name in names(place.0.join("all")) {
        let name = name.to_str().expect("UTF-8");
        assert_eq!(read(&place.0.join("all"), name), read(&folder.join("latency"), name), "{name}");
    }
    let drawn = report(&["mermaid"]).ended_with(0).out;
    assert!(drawn.starts_with("sequenceDiagram\n    participant S0 as home\n"), "{drawn}");
    // Three flows have a title each.
    assert_eq!(drawn.matches("    rect rgb").count(), 3, "{drawn}");
    assert!(drawn.contains("delegation_req"), "{drawn}");

    // As a run that was killed leaves it: no end, and half of what was written last.
    let cut = |name: &str| {
        let bytes = fs::read(folder.join(name)).expect("a file");
        fs::write(folder.join(name), &bytes[..bytes.len() - 5]).expect("written");
    };
    ["timeline.csv", "latency.hlog", "events.jsonl.zst"].into_iter().for_each(cut);
    fs::remove_dir_all(folder.join("latency")).expect("removed");
    for format in [&["csv"][..], &["mermaid"], &["hgrm", "--metric", metric], &["junit"]] {
        assert!(!report(format).ended_with(0).out.is_empty(), "{format:?}");
    }
    fs::remove_file(folder.join("summary.json")).expect("removed");
    let said = report(&["json"]).ended_with(1);
    assert!(said.err.contains("summary.json`") && said.err.contains("by run.json the run ended at "), "{said:?}");
}

#[test]
fn the_page_and_the_summary_made_again_are_those_of_the_folder_to_the_last_byte() {
    let place = Place::new(&[("small.toml", SMALL)]);
    place.call(&["run", "small.toml", "-q"]).ended_with(0);
    let entry = fs::read_dir(place.0.join("results")).expect("results").next().expect("a run").expect("an entry");
    for (format, file) in [("html", "report.html"), ("json", "summary.json")] {
        let again = place.call(&["report", "latest", "--format", format]).ended_with(0).out;
        assert!(again == read(&entry.path(), file), "{file} differs");
    }
    let summary = read(&entry.path(), "summary.json");
    // The last digit of this one is lost where a number is read only nearly.
    let at = summary.find("\"duration_s\": ").expect("a duration") + "\"duration_s\": ".len();
    let end = at + summary[at..].find(',').expect("its end");
    let exact = format!("{}0.2371134020618557{}", &summary[..at], &summary[end..]);
    fs::write(entry.path().join("summary.json"), &exact).expect("written");
    let again = place.call(&["report", "latest", "--format", "json"]).ended_with(0).out;
    assert!(again == exact, "{again}");
}

#[test]
fn what_is_cut_off_from_a_run_that_ended_is_a_warning_and_the_report_is_made_all_the_same() {
    let (place, folder) = ran();
    let log = fs::read(folder.join("latency.hlog")).expect("a file");
    fs::write(folder.join("latency.hlog"), &log[..log.len() / 2]).expect("written");
    fs::write(folder.join("timeline.csv"), "rubbish\n").expect("written");
    let report = |more: &[&str]| place.call(&[&["report", "latest", "--format"], more].concat()).ended_with(0);
    let page = report(&["html"]);
    assert!(page.out.starts_with("<!DOCTYPE html>"), "{page:?}");
    for file in ["latency.hlog", "timeline.csv"] {
        assert_eq!(page.err.matches(&format!("warning: {file}: expected ")).count(), 1, "{}", page.err);
    }
    let rows = report(&["csv"]);
    assert_eq!(rows.out, "rubbish\n");
    // Six devices have two flows each.
    assert!(rows.err.starts_with("warning: timeline.csv: expected 12 flows started"), "{rows:?}");
    assert_eq!(report(&["json"]).err, "", "the summary has all of it");
}

#[test]
fn a_folder_that_is_broken_is_told_by_its_own_name_and_by_what_is_broken() {
    let (place, folder) = ran();
    let name = folder.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
    fs::create_dir_all(place.0.join("cor/empty")).expect("a folder");
    fs::create_dir_all(place.0.join("cor/rubbish")).expect("a folder");
    fs::write(place.0.join("cor/rubbish/run.json"), "rubbish").expect("written");
    for out in ["results", "nowhere"] {
        for (path, problem) in [
            ("cor/empty", "there is no run.json in it"),
            ("cor/rubbish", "its run.json is no manifest: expected value"),
            ("small.toml", "it is a file"),
        ] {
            let said = place.call(&["report", path, "--format", "json", "--out", out]).ended_with(2);
            let expected = format!("error: `{path}` is no folder of a run: {problem}");
            assert!(said.err.starts_with(&expected), "{said:?}");
        }
    }
    let said = place.call(&["runs", "show", "\u{1b}[31mx"]).ended_with(2);
    assert!(said.err.contains("no run is called `\\u{1b}[31mx`"), "{said:?}");

    fs::write(folder.join("summary.json"), "{\"schema\": ").expect("written");
    let said = place.call(&["runs", "show", &name]).ended_with(1);
    assert!(said.err.contains("summary.json`: EOF while parsing") && !said.out.contains("killed"), "{said:?}");
    fs::remove_file(folder.join("summary.json")).expect("removed");
    let said = place.call(&["runs", "show", &name]).ended_with(1);
    assert!(said.err.contains("by run.json the run ended at ") && !said.err.contains("killed"), "{said:?}");
}

#[test]
fn a_run_without_samples_has_no_percentiles_and_says_so() {
    let (place, folder) = ran();
    fs::write(folder.join("latency.hlog"), "").expect("written");
    let said = place.call(&["report", "latest", "--format", "hgrm"]).ended_with(1);
    assert!(said.err.contains("has no metric with samples: there are no percentiles"), "{said:?}");
}

#[test]
fn what_cannot_be_reported_says_what_could_be() {
    let (place, _) = ran();
    for (asked, expected) in [
        (&["report", "nobody", "--format", "json"][..], "no run is called `nobody`"),
        (&["report", "latest", "--format", "hgrm"], "expected --metric NAME with one of flow.delegate.dmacc, "),
        (&["report", "latest", "--format", "hgrm", "--metric", "x"], "expected a metric that has samples in this run"),
        (&["report", "latest", "--format", "csv", "--metric", "x"], "--metric goes with --format hgrm"),
    ] {
        let said = place.call(asked).ended_with(2);
        assert!(said.err.contains(expected) && said.out.is_empty(), "{said:?}");
    }
}

#[test]
fn the_catalogue_lists_shows_tags_and_removes() {
    let (place, folder) = ran();
    place.call(&["run", "small.toml", "-q", "--set", "name=other"]).ended_with(0);
    fs::create_dir_all(place.0.join("results/mine")).expect("a folder");
    fs::write(place.0.join("results/mine/run.json"), "{}").expect("written");
    let name = folder.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
    let listed = |more: &[&str]| {
        let said = place.call(&[&["runs", "list", "--json"], more].concat()).ended_with(0);
        let listed: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let scenarios = listed.as_array().expect("a list").iter().map(|run| run["scenario"].clone());
        scenarios.map(|name| name.as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), ["other", "small"]);
    assert_eq!(listed(&["--scenario", "small"]), ["small"]);
    assert_eq!(listed(&["--limit", "1"]), ["other"]);
    assert_eq!(listed(&["--verdict", "broken"]), Vec::<String>::new());
    let table = place.call(&["runs"]).ended_with(0).out;
    assert!(table.lines().count() == 3 && table.contains("passed") && !table.contains("mine"), "{table}");

    place.call(&["runs", "tag", &name, "baseline"]).ended_with(0);
    assert_eq!(listed(&["--tag", "baseline"]), ["small"]);
    let shown = place.call(&["runs", "show", &name]).ended_with(0).out;
    for part in ["small: PASSED\n", "tags      baseline\n", "summary.json", "latency/flow.delegate.dmacc.hgrm"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }

    place.call(&["runs", "prune"]).ended_with(2);
    let said = place.call(&["runs", "prune", "--keep", "0"]).ended_with(0);
    assert!(said.err.contains("to be removed: 1 run, ") && said.err.contains("--yes"), "{said:?}");
    assert_eq!(listed(&[]).len(), 2, "nothing has gone");
    place.call(&["runs", "prune", "--keep", "0", "--yes"]).ended_with(0);
    assert_eq!(listed(&[]), ["small"], "what is tagged stays");
    place.call(&["runs", "prune", "--verdict", "passed", "--older-than", "1d", "--tagged", "--yes"]).ended_with(0);
    assert_eq!(listed(&[]), ["small"], "it is younger than a day");
    place.call(&["runs", "tag", "latest", "baseline", "--remove"]).ended_with(0);
    place.call(&["runs", "prune", "--verdict", "passed", "--yes"]).ended_with(0);
    assert_eq!(listed(&[]), Vec::<String>::new());
    assert!(place.0.join("results/mine/run.json").exists(), "what is no run of ours is left alone");
}

/// What is told at an address.
fn scraped(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn a_run_under_way_is_scraped_and_the_door_is_shut_behind_it() {
    let place = Place::new(&[("small.toml", &few_seconds())]);
    let mut command = place.dmswarm(&["run", "small.toml", "--metrics", "0"]);
    let mut run = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
    let mut lines = BufReader::new(run.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let told = lines.find_map(|line| line.strip_prefix("metrics at http://").map(str::to_owned)).expect("an address");
    let address = told.strip_suffix("/metrics").expect("a path");
    // Nobody is answered before the first second of the load is over.
    let answer = scraped(address, "/metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for part in [
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8",
        "dmswarm_run_info{version=\"",
        "dmswarm_flows_started_total{flow=\"delegate.dmacc\"} 6\n",
        "# EOF\n",
    ] {
        assert!(answer.contains(part), "{part} in\n{answer}");
    }
    assert!(scraped(address, "/").starts_with("HTTP/1.1 404"), "nothing else is there");
    lines.for_each(drop);
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    assert!(TcpStream::connect(address).is_err(), "the door is shut");
}

#[test]
fn an_address_that_cannot_be_had_ends_a_run_that_has_not_begun() {
    let place = Place::new(&[("small.toml", &few_seconds())]);
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = busy.local_addr().expect("an address").to_string();
    let output = place.dmswarm(&["run", "small.toml", "--metrics", &address]).output().expect("the program starts");
    let said = Said::of(output).ended_with(1);
    assert!(said.err.starts_with(&format!("error: cannot listen on {address} for --metrics: ")), "{said:?}");
    assert!(!place.0.join("results").exists(), "nothing was loaded");
    place.call(&["run", "--metrics", "small.toml"]).ended_with(2);
}

/// The body of the next request to a listener, which is answered with this status.
fn received(listener: &TcpListener, status: &str) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().expect("a request");
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let head: Vec<String> =
        reader.by_ref().lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    reader.read_exact(&mut body).expect("the body");
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").expect("sent");
    (head.join("\n"), body)
}

#[test]
fn a_collector_is_told_what_the_summary_says_and_one_that_fails_changes_no_verdict() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let run = |status: &str| {
        let run = place.dmswarm(&["run", "small.toml", "-q", "--json", "--otlp", &address]);
        let run = { run }.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let request = received(&listener, status);
        (request, Said::of(run.wait_with_output().expect("it ends")).ended_with(0))
    };
    let ((head, body), said) = run("200 OK");
    assert!(head.starts_with("POST /v1/metrics HTTP/1.1\n") && head.contains("\ncontent-type: application/x-protobuf"));
    assert_eq!(said.err, "");
    let request = ExportMetricsServiceRequest::decode(&body[..]).expect("a request");
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let started = metrics.iter().find(|metric| metric.name == "dmswarm.flows_started").and_then(|it| it.data.as_ref());
    let Some(Data::Sum(started)) = started else { panic!("{started:?}") };
    let summary: serde_json::Value = serde_json::from_str(&said.out).expect("a summary");
    for (flow, row) in summary["flows"].as_object().expect("flows") {
        let is_of = |labels: &[KeyValue]| labels.iter().any(|label| is_string(label, flow));
        let point = started.data_points.iter().find(|point| is_of(&point.attributes)).expect("its point");
        assert_eq!(point.value, Some(Value::AsInt(row["started"].as_i64().expect("a number"))), "{flow}");
    }
    let (_, said) = run("503 Service Unavailable");
    let expected = format!("1 of 1 requests to {address}/v1/metrics failed; the first one: it answered 503");
    assert!(said.err.starts_with(&format!("warning: {expected}")), "{said:?}");
}

fn is_string(label: &KeyValue, expected: &str) -> bool {
    let value = label.value.as_ref().and_then(|value| value.value.as_ref());
    value == Some(&any_value::Value::StringValue(expected.to_owned()))
}
