//! What a load asks of its machine: as many exchanges as a run then has, and the word of `dmswarm calibrate` about it.

mod program;

use dmswarm::run::{Options, run};
use dmswarm::scenario::file::{Overrides, parse};
use program::Place;

const STARTS: u32 = 4;

/// Four devices on a journey of these steps, all begun and ended in one second.
fn scenario(steps: &str) -> String {
    format!(
        r#"
name = "counted"
seed = 5
heal = "0s"
population = {{ devices = {STARTS} }}
server = [{{ name = "home", id = "dms1.example.test" }}, {{ name = "partner", id = "dms2.example.test" }}]
bootstrap_server = [{{ name = "apart", for = "partner", at = "apart" }}]
journey = [{{ steps = [{steps}] }}]
load = {{ phases = ["hold {STARTS}/s for 1s"] }}
"#
    )
}

#[track_caller]
fn check(place: &Place, steps: &str, each: u32) {
    let scenario =
        parse("counted.toml", &scenario(steps), &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let needed = scenario.demand().clocked.expect("it goes by the clock");
    assert_eq!(needed.exchanges, f64::from(STARTS * each), "{steps}");
    let options = Options { certs: place.0.join("certs"), out: place.0.join("results"), ..Options::default() };
    let finished = run(&scenario, &options, |_| ()).expect("a run");
    assert_eq!(finished.summary.failed_flows(), 0, "{steps}");
    let answered = finished.summary.latency.get("http.wait").map(|row| row.count);
    assert_eq!(answered, Some(u64::from(STARTS * each)), "{steps}");
}

#[test]
fn flows_have_as_many_exchanges_as_is_said_beforehand() {
    let place = Place::new(&[]);
    let lend = r#""delegate home -> partner by dmacc subtree ./SCOMO""#;
    check(&place, lend, 9);
    check(&place, r#""delegate home -> partner by dmacc full, started by partner""#, 12);
    check(&place, r#""delegate home -> partner by url subtree ./SCOMO""#, 13);
    check(&place, r#""delegate home -> partner by url full""#, 16);
    check(&place, &format!(r#"{lend}, "revoke asked""#), 15);
    check(&place, &format!(r#"{lend}, "revoke requested""#), 14);
    check(&place, &format!(r#"{lend}, "revoke forced with notice""#), 13);
    check(&place, &format!(r#"{lend}, "revoke forced without notice""#), 12);
}

#[test]
fn a_load_that_no_machine_can_generate_is_told_by_its_exit_code_and_a_small_one_fits() {
    let place = Place::new(&[("small.toml", &scenario(r#""delegate home -> partner by dmacc full""#))]);
    let said = place.call(&["calibrate", "small.toml", "--for", "200ms"]).ended_with(0);
    assert!(!said.err.contains("error"), "{said:?}");
    for part in ["full TLS handshakes", "starts late by", "counted needs 48.0 exchanges/s", "which is comfortable."] {
        assert!(said.out.contains(part), "`{part}` in {said:?}");
    }
    // 50,000 starts in one second, each with more than nine exchanges on an average.
    let huge = ["--set", "population.devices=50000", "--set", "load={ phases = [\"hold 50000/s until done\"] }"];
    let words: Vec<&str> = ["calibrate", "--for", "200ms", "--json"].into_iter().chain(huge).collect();
    let said = place.call(&words).ended_with(5);
    let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(value["needs"]["fit"], "too much");
    assert!(value["exchanges_per_s"].as_f64() > Some(0.0) && value["needs"]["share"].as_f64() > Some(0.8));
}
