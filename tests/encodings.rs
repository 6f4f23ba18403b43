//! Devices that speak WBXML: over real connections, under every scheme, what comes of a run is what comes of it in XML.

use dmswarm::measure::Verdict;
use dmswarm::measure::summary::Summary;
use dmswarm::run::{Options, run};
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, parse};
use place::Place;
use small::SMALL;

#[path = "program/place.rs"]
mod place;
#[path = "program/small.rs"]
mod small;

/// The small scenario with devices that write so and servers of this scheme; `more` stands at its end.
fn scenario(encoding: &str, auth: &str, more: &str) -> Scenario {
    let text = SMALL.replace("devices = 6", &format!("devices = 6\nencoding = \"{encoding}\""));
    let text = text.replace("[[server]]\n", &format!("[[server]]\nauth = \"{auth}\"\n")) + more;
    parse("small.toml", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

fn ran(scenario: &Scenario) -> Summary {
    let place = Place::new(&[]);
    let options = Options { certs: place.0.join("certs"), out: place.0.join("results"), ..Options::default() };
    run(scenario, &options, |_| {}).unwrap_or_else(|error| panic!("{error}")).summary
}

#[test]
fn a_run_in_wbxml_ends_as_in_xml_under_every_scheme() {
    for auth in ["none", "basic", "md5", "hmac"] {
        let [xml, wbxml] = ["xml", "wbxml"].map(|encoding| ran(&scenario(encoding, auth, "")));
        let told = |summary: &Summary| {
            let flows = serde_json::to_value(&summary.flows).expect("JSON");
            let sessions =
                [summary.sessions.dms1, summary.sessions.dms2].map(|row| serde_json::to_value(row).expect("JSON"));
            (flows, sessions, summary.causes.clone(), summary.rejected.clone())
        };
        assert_eq!(wbxml.verdict, Verdict::Passed, "{auth}: {:?} {:?}", wbxml.limits, wbxml.rejected);
        assert_eq!(told(&wbxml), told(&xml), "{auth}");
        assert_eq!(wbxml.flows.get("delegate.dmacc").map(|row| row.done), Some(6), "{auth}");
    }
}

/// What travels is WBXML indeed: a body that is said to be XML is read as such, or not at all.
#[test]
fn a_body_in_wbxml_that_is_called_xml_is_refused() {
    const CALLED_XML: &str = r#"
[[fault]]
name = "called-xml"
where = "http.request"
match = { direction = "device-to-server" }
do = { content_type = "application/vnd.syncml.dm+xml" }

[timeouts]
bootstrap = "3s"
confirmed = "3s"
prepared = "3s"
device = "3s"
peer = "3s"
"#;
    for (encoding, done) in [("xml", 6), ("wbxml", 0)] {
        let summary = ran(&scenario(encoding, "md5", CALLED_XML));
        assert_eq!(summary.flows.get("delegate.dmacc").map(|row| row.done), Some(done), "{encoding}");
        let refused = ["not_utf8", "not_syncml"].iter().filter_map(|reason| summary.rejected.get(*reason)).sum::<u64>();
        assert_eq!(refused > 0, encoding == "wbxml", "{encoding}: {:?}", summary.rejected);
    }
}
