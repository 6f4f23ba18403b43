//! `[population.tls]`: what devices show to those they call, and how they shake hands.

use crate::scenario::Connections;
use crate::scenario::entry::Entry;
use crate::scenario::problem::Problem;
use crate::units::Share;
use crate::workload::credentials::{Certificates, Credentials, Flaws, Versions};

/// The shares of devices whose certificates should not do, by key.
const SHARES: [&str; 3] = ["expired", "revoked", "wrong_ca"];

/// The credentials of devices that connect in this way.
pub fn read(entry: &Entry<'_>, connections: Connections, found: &mut Vec<Problem>) -> Credentials {
    let certificates = match entry.word("certificates") {
        "shared" => Certificates::Shared,
        "per device" => Certificates::PerDevice,
        _ => Certificates::None,
    };
    let versions = match entry.word("versions") {
        "1.2" => Versions::Only12,
        "1.3" => Versions::Only13,
        _ => Versions::Both,
    };
    let resumption = entry.yes("resumption") == Some(true);
    let [expired, revoked, wrong_ca] = SHARES.map(|key| share(entry, key, found));
    let flaws = Flaws { expired, revoked, wrong_ca };
    if connections == Connections::Pooled {
        let own = [("certificates", certificates == Certificates::PerDevice), ("resumption", resumption)];
        for (key, _) in own.into_iter().filter(|(_, is_own)| *is_own) {
            let message = "devices that share connections cannot have certificates or TLS sessions of their own";
            let problem = Problem::new(entry.span(key), message).label("of each device");
            found.push(problem.hint("set `connections = \"per device\"` or `connections = \"per session\"`"));
        }
    }
    let first = SHARES.into_iter().find(|key| entry.has(key));
    if let Some(key) = first.filter(|_| flaws.sum() > 0.0 && certificates != Certificates::PerDevice) {
        let problem =
            Problem::new(entry.span(key), format!("`{key}` is a share of devices with certificates of their own"));
        found.push(problem.hint("set `certificates = \"per device\"`"));
    }
    // What 0.1 three times comes to is not exactly 0.3.
    if let Some(key) = first.filter(|_| flaws.sum() > 1.0 + 1e-9) {
        let problem = Problem::new(entry.span(key), "these shares come to more than all devices");
        found.push(problem.label("with the others").hint("each device has one flaw at most; lower one of them"));
    }
    Credentials { certificates, versions, resumption, flaws }
}

fn share(entry: &Entry<'_>, key: &str, found: &mut Vec<Problem>) -> Share {
    let Some(text) = entry.text(key) else { return Share::NONE };
    text.text.parse().unwrap_or_else(|error: crate::units::UnitError| {
        found.push(Problem::new(text.whole(), error.to_string()));
        Share::NONE
    })
}

/// The keys with their values, as they stand in a file.
pub fn print(credentials: &Credentials) -> [(&'static str, String); 6] {
    let Credentials { certificates, versions, resumption, flaws } = credentials;
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let certificates = match certificates {
        Certificates::None => "none",
        Certificates::Shared => "shared",
        Certificates::PerDevice => "per device",
    };
    let versions = match versions {
        Versions::Both => "1.2 or 1.3",
        Versions::Only12 => "1.2",
        Versions::Only13 => "1.3",
    };
    [
        ("certificates", quoted(certificates)),
        ("versions", quoted(versions)),
        ("resumption", resumption.to_string()),
        ("expired", quoted(&flaws.expired.to_string())),
        ("revoked", quoted(&flaws.revoked.to_string())),
        ("wrong_ca", quoted(&flaws.wrong_ca.to_string())),
    ]
}
