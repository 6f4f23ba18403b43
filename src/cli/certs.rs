//! `dmswarm certs`: makes the certificates of a scenario, and lists what is in the folder.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::args::Flags;
use crate::cli::check::tell_problems;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::scenarios::read_all;
use crate::report::table::Table;
use crate::results::utc;
use crate::run::sites::hosts;
use crate::transport::certs::{CertError, CertificateFolder, Listed};

/// Makes what is missing, or, with `renew`, everything anew; then lists the folder.
pub fn certs(scenario: Option<&PathBuf>, renew: bool, flags: &Flags) -> Exit {
    let asked = read_all(scenario.map(std::slice::from_ref).unwrap_or_default(), &flags.overrides());
    let mut names = Vec::new();
    for asked in asked {
        match asked.scenario {
            Ok(scenario) => names.extend(hosts(&scenario)),
            Err(problems) => {
                tell_problems(&problems);
                return Exit::Usage;
            }
        }
    }
    match make(&names, renew, flags) {
        Ok(made) => show(&made, flags),
        Err(error) => {
            output::remark(&format!("error: {error}"));
            Exit::CouldNotRun
        }
    }
}

/// What is in the folder, and everything that is wrong with it.
struct Made {
    listed: Vec<Listed>,
    problems: Vec<String>,
}

fn make(names: &[String], renew: bool, flags: &Flags) -> Result<Made, CertError> {
    let folder = if renew { CertificateFolder::renew(&flags.certs)? } else { CertificateFolder::open(&flags.certs)? };
    let unusable = names.iter().filter_map(|name| folder.identity(name, &[]).err());
    let mut problems: Vec<String> = unusable.map(|problem| problem.to_string()).collect();
    let listed = folder.list()?;
    for problem in listed.iter().filter_map(|certificate| certificate.problem.as_ref()) {
        let problem = problem.to_string();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    Ok(Made { listed, problems })
}

fn show(made: &Made, flags: &Flags) -> Exit {
    let shown = if flags.json {
        output::data(&format!("{:#}", Value::Array(made.listed.iter().map(described).collect())))
    } else if flags.quiet {
        Exit::Passed
    } else {
        output::data(&table(&made.listed, flags.verbose))
    };
    for problem in &made.problems {
        output::remark(&format!("error: {problem}"));
    }
    if made.problems.is_empty() { shown } else { Exit::CouldNotRun }
}

/// The certificates in lines; their fingerprints are long, and for those who ask.
fn table(listed: &[Listed], with_fingerprints: bool) -> String {
    let head = ["file", "names", "valid until", "SHA-256"];
    let shown = if with_fingerprints { head.len() } else { head.len() - 1 };
    let mut table = Table::new(head.into_iter().take(shown));
    for certificate in listed {
        let names = if certificate.is_authority { "(the CA)".to_owned() } else { certificate.names.join(", ") };
        let until = certificate.not_after.map_or_else(|| "unreadable".to_owned(), utc::rfc3339_seconds);
        let fingerprint = certificate.fingerprint.clone().unwrap_or_default();
        table.row([certificate.file.display().to_string(), names, until, fingerprint].into_iter().take(shown));
    }
    table.words().join("\n")
}

/// One certificate, for programs.
fn described(certificate: &Listed) -> Value {
    json!({
        "file": certificate.file,
        "names": certificate.names,
        "valid_until": certificate.not_after.map(utc::rfc3339_seconds),
        "sha256": certificate.fingerprint,
        "problem": certificate.problem.as_ref().map(ToString::to_string),
    })
}
