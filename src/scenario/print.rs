//! A scenario back as a file, every default filled in: reading it gives the same scenario.

use std::fmt::Write;

use crate::delegation::reading::{
    ConfirmByUrl, Polarity, RevocationRequestStatus, RevocationSession, SessionNames, SubtreeInRevocation, Unconfirmed,
};
use crate::dm::dmacc::AuthScheme;
use crate::facts::goal::Goal;
use crate::faults::rule::Rule;
use crate::ids::ServerNumber;
use crate::scenario::names::Cast;
use crate::scenario::{
    BootstrapAddress, Connections, Expect, Scenario, capacity, credentials, external, faults, limits, load, phases,
    retries, steps,
};
use crate::units::{Duration, Size};
use crate::workload::journey::{Meanwhile, Step};
use crate::workload::plan::LoadPopulation;
use crate::workload::population::{Access, Class, Cohort, Storage};

/// The whole file.
pub fn print(scenario: &Scenario) -> String {
    let mut page = Page { text: String::new() };
    let limits: Vec<String> = scenario.limits.iter().map(limits::print).collect();
    page.string("name", &scenario.name);
    page.bare("seed", scenario.seed.0);
    page.list("limits", &limits);
    page.string(
        "connections",
        match scenario.connections {
            Connections::Pooled => "pooled",
            Connections::PerDevice => "per device",
            Connections::PerSession => "per session",
        },
    );
    page.bare("connections_per_peer", scenario.connections_per_peer);
    page.string("body_limit", &Size(scenario.body_limit).to_string());
    page.string("message_limit", &Size(scenario.message_limit).to_string());
    page.string("policy", scenario.policy.key());
    page.string("heal", &Duration(scenario.heal).to_string());
    page.bare("watch", scenario.watch);
    page.header("[population]");
    page.bare("devices", scenario.devices);
    scenario.external_devices.iter().for_each(|wake| page.bare("external", external::print_devices(wake)));
    page.bare("wake_port", scenario.wake_ports.https);
    page.bare("wap_port", scenario.wake_ports.wap);
    page.string("encoding", scenario.encoding.key());
    page.header("[population.tls]");
    credentials::print(&scenario.credentials).iter().for_each(|(key, value)| page.bare(key, value));
    scenario.classes.iter().for_each(|class| page.class(class));
    page.servers(scenario);
    let cast = Cast::of(scenario);
    scenario.journeys.iter().for_each(|cohort| page.journey(cohort, scenario, &cast));
    page.load(scenario);
    page.timeouts(scenario);
    page.readings(scenario);
    page.header("[retries]");
    retries::print(&scenario.retries).iter().for_each(|(key, retry)| page.string(key, retry));
    scenario.faults.iter().for_each(|rule| page.fault(rule, scenario, &cast));
    scenario.goals.iter().for_each(|goal| page.goal(goal, &cast));
    scenario.expect.iter().for_each(|expect| page.expect(expect));
    if let Some(settings) = &scenario.capacity {
        page.header("[capacity]");
        capacity::print(settings, &scenario.faults).iter().for_each(|(key, value)| page.bare(key, value));
    }
    page.text
}

struct Page {
    text: String,
}

impl Page {
    fn header(&mut self, header: &str) {
        self.line(&format!("\n{header}"));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn bare(&mut self, key: &str, value: impl std::fmt::Display) {
        self.line(&format!("{key} = {value}"));
    }

    fn string(&mut self, key: &str, value: &str) {
        self.bare(key, quoted(value));
    }

    /// One string per line where there are several.
    fn strings(&mut self, key: &str, values: &[String]) {
        let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.list(key, &quoted);
    }

    /// One value per line where there are several.
    fn list(&mut self, key: &str, values: &[String]) {
        match values {
            [] | [_] => self.bare(key, format_args!("[{}]", values.first().map_or("", String::as_str))),
            _ => {
                let mut list = String::from("[\n");
                for value in values {
                    let _ = writeln!(list, "    {value},");
                }
                self.bare(key, format_args!("{list}]"));
            }
        }
    }

    fn class(&mut self, class: &Class) {
        self.header("[[population.class]]");
        self.string("name", &class.name);
        self.bare("share", class.share);
        self.string("manufacturer", &class.manufacturer);
        self.string("model", &class.model);
        let subtrees: Vec<String> = class.subtrees.iter().map(ToString::to_string).collect();
        self.strings("subtrees", &subtrees);
        self.string(
            "storage",
            match class.storage {
                Storage::Ample => "ample",
                Storage::Full => "full",
            },
        );
        self.string(
            "acl",
            match class.acl {
                Access::Open => "open",
                Access::RefusesAccount => "refuses-account",
                Access::RefusesSubtree => "refuses-subtree",
            },
        );
    }

    fn servers(&mut self, scenario: &Scenario) {
        for server in &scenario.servers {
            self.header("[[server]]");
            self.string("name", &server.name);
            self.string("id", server.id.as_str());
            self.string("host", &server.host);
            match &server.external {
                Some(relayed) if relayed.is_relayed => {
                    self.bare("relayed", external::print_server(relayed));
                    self.bare("server_port", server.server_port);
                }
                Some(external) => self.bare("external", external::print_server(external)),
                None => {
                    self.string("interface", &server.interface);
                    self.string("dm", &server.dm);
                    self.bare("server_port", server.server_port);
                    self.bare("device_port", server.device_port);
                    self.bare("operator_port", server.operator_port);
                    self.string("service_time", &Duration(server.service_time).to_string());
                    self.bare("workers", server.workers);
                }
            }
            self.string(
                "auth",
                match server.auth {
                    AuthScheme::None => "none",
                    AuthScheme::Basic => "basic",
                    AuthScheme::Md5 => "md5",
                    AuthScheme::Hmac => "hmac",
                },
            );
            self.bare("trigger_version", server.trigger_version);
        }
        for bootstrap in &scenario.bootstrap_servers {
            self.header("[[bootstrap_server]]");
            self.string("name", &bootstrap.name);
            self.string("for", name_of(scenario, bootstrap.server));
            match &bootstrap.at {
                BootstrapAddress::External(place) => {
                    self.bare("external", external::print_place(place));
                    continue;
                }
                BootstrapAddress::Server => self.string("at", "server"),
                BootstrapAddress::Apart { host, port } => {
                    self.string("at", "apart");
                    self.string("host", host);
                    self.bare("port", port);
                }
            }
            self.string("path", &bootstrap.path);
        }
    }

    fn journey(&mut self, cohort: &Cohort, scenario: &Scenario, cast: &Cast<'_>) {
        let journey = &cohort.journey;
        self.header("[[journey]]");
        self.string("name", &journey.name);
        self.bare("share", cohort.share);
        if let Some(class) = cohort.class.and_then(|class| scenario.classes.get(class)) {
            self.string("class", &class.name);
        }
        let bootstrapped: Vec<String> =
            journey.bootstrapped.iter().map(|server| name_of(scenario, *server).to_owned()).collect();
        self.strings("bootstrapped", &bootstrapped);
        let round = journey.steps.len() / cohort.repeat.max(1) as usize;
        let step = |step: &Step| steps::print(step, |server| name_of(scenario, server));
        let steps: Vec<String> = journey.steps[..round].iter().map(step).collect();
        self.strings("steps", &steps);
        let wish = |wish: &Meanwhile| format!("once {}: {}", wish.once.print(cast), step(&wish.wish));
        let meanwhile: Vec<String> = journey.meanwhile.iter().map(wish).collect();
        self.strings("meanwhile", &meanwhile);
        self.bare("repeat", cohort.repeat);
    }

    fn load(&mut self, scenario: &Scenario) {
        self.header("[load]");
        match &scenario.load.populations[..] {
            [all] if all.journeys.is_empty() => self.starts(all),
            populations => {
                for population in populations {
                    self.header("[[load.population]]");
                    self.string("name", &population.name);
                    let name = |number: &usize| scenario.journeys[*number].journey.name.clone();
                    let journeys: Vec<String> = population.journeys.iter().map(name).collect();
                    self.strings("journeys", &journeys);
                    self.starts(population);
                }
            }
        }
    }

    fn starts(&mut self, population: &LoadPopulation) {
        self.bare("starts", population.starts);
        match load::at_once(population) {
            Some(at_once) => self.bare("at_once", at_once),
            None => {
                let phases: Vec<String> = population.phases.iter().map(phases::print).collect();
                self.strings("phases", &phases);
            }
        }
    }

    fn timeouts(&mut self, scenario: &Scenario) {
        self.header("[timeouts]");
        let timeouts = &scenario.timeouts;
        for (key, time) in [
            ("bootstrap", timeouts.protocol.bootstrap),
            ("confirmed", timeouts.protocol.confirmed),
            ("termination", timeouts.protocol.termination),
            ("prepared", timeouts.protocol.prepared),
            ("revoked", timeouts.protocol.revoked),
            ("device", timeouts.protocol.device),
            ("peer", timeouts.protocol.peer),
            ("request", timeouts.request),
            ("session", timeouts.session),
            ("wind_down", timeouts.wind_down),
        ] {
            self.string(key, &Duration(time).to_string());
        }
    }

    fn readings(&mut self, scenario: &Scenario) {
        self.header("[health]");
        self.string("lateness", &Duration(scenario.health.lateness).to_string());
        self.string("event_loop", &Duration(scenario.health.event_loop).to_string());
        self.header("[readings]");
        let readings = &scenario.readings;
        let polarity = match readings.no_auto_initial_session {
            Polarity::Name => "name",
            Polarity::SpecNote => "spec-note",
        };
        let status = match readings.revocation_request_status {
            RevocationRequestStatus::Table => "table",
            RevocationRequestStatus::Message => "message",
        };
        let subtree = match readings.subtree_in_revocation {
            SubtreeInRevocation::Table => "table",
            SubtreeInRevocation::Prose => "prose",
        };
        let session = match readings.revocation_session {
            RevocationSession::Fresh => "fresh",
            RevocationSession::Delegation => "delegation",
        };
        let confirm = match readings.confirm_by_url {
            ConfirmByUrl::AtOnce => "at-once",
            ConfirmByUrl::AfterVisit => "after-visit",
        };
        let unconfirmed = match readings.unconfirmed {
            Unconfirmed::Undo => "undo",
            Unconfirmed::LetConnect => "let-connect",
        };
        let names = match readings.session_names {
            SessionNames::Own => "own",
            SessionNames::Shared => "shared",
        };
        self.string("no_auto_initial_session", polarity);
        self.string("revocation_request_status", status);
        self.string("subtree_in_revocation", subtree);
        self.string("revocation_session", session);
        self.string("confirm_by_url", confirm);
        self.string("unconfirmed", unconfirmed);
        self.string("session_names", names);
    }

    fn fault(&mut self, rule: &Rule, scenario: &Scenario, cast: &Cast<'_>) {
        self.header("[[fault]]");
        faults::write(rule, scenario, cast).iter().for_each(|(key, value)| self.bare(key, value));
    }

    fn goal(&mut self, goal: &Goal, cast: &Cast<'_>) {
        self.header("[[goals]]");
        self.string("name", &goal.name);
        let sees: Vec<String> = goal.sees.iter().map(|pattern| pattern.print(cast)).collect();
        self.strings("sees", &sees);
    }

    fn expect(&mut self, expect: &Expect) {
        self.header("[expect]");
        self.strings("literal", &expect.literal);
        self.strings("hardened", &expect.hardened);
        expect.not_over_https.iter().for_each(|why| self.string("not_over_https", why));
    }
}

fn name_of(scenario: &Scenario, server: ServerNumber) -> &str {
    scenario.servers.get(usize::from(server.0)).map_or("", |server| server.name.as_str())
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
