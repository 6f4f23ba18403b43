//! A served peer without any fault passes every item; one that is not there, or is no server, ends the run all the same.

#[path = "conform/pair.rs"]
mod pair;

#[path = "conform/odd.rs"]
mod odd;

use dmswarm::dm::dmacc::Derived;
use dmswarm::ids::{DeviceNumber, device_id};
use dmswarm::results::conformance::{Conclusion, Conformance, ItemVerdict};
use odd::{Odd, OddPeer};

/// What nobody can see of a healthy peer in one run, and why. Nothing: its operator can be asked, and everything is tried.
const NOT_OBSERVABLE: &[&str] = &[];

#[test]
fn a_healthy_peer_passes_every_item() {
    let (place, ports) = (pair::Place::new(&[]), pair::Ports::free());
    let _peer = pair::Peer::serve(pair::read(&pair::file(pair::View::Peers, &ports)), &place);
    passes_every_item(&pair::try_at(&place, &ports, 1).conformance);
    // It can be tried again with other devices.
    passes_every_item(&pair::try_at(&place, &ports, 2).conformance);
}

#[track_caller]
fn passes_every_item(conformance: &Conformance) {
    let failed = pair::with(conformance, ItemVerdict::Fail);
    assert!(failed.is_empty(), "{failed:#?}");
    let unseen = pair::with(conformance, ItemVerdict::NotObservable);
    assert!(unseen.iter().map(|(id, _)| *id).eq(NOT_OBSERVABLE.iter().copied()), "{unseen:#?}");
    assert_eq!(conformance.conclusion, Conclusion::Conforms);
    assert!(conformance.problems.is_empty(), "{:?}", conformance.problems);
    assert!(conformance.duration_s < 60.0, "{} s", conformance.duration_s);
    // Where there is a choice, what was seen is told.
    let seen = conformance.readings.iter().chain(&conformance.choices);
    let silent: Vec<&str> = seen.filter(|one| one.answers.is_empty()).map(|one| one.id.as_str()).collect();
    assert!(silent.is_empty(), "{silent:?}");
    // Accounts have gone to and fro, and their secrets are in no report.
    let text = dmswarm::report::conformance::json(conformance);
    assert!(text.contains("(an account, which holds secrets)"));
    let secrets = secrets(&text);
    // Most cases have a device of their own, with two accounts that are derived, and four members each.
    assert!(secrets.len() >= 8 * 30, "{} secrets of the devices that took part", secrets.len());
    for secret in secrets {
        assert!(!text.contains(&secret), "a secret is in the report");
    }
}

/// Whatever makes the accounts of both servers theirs, on all devices that a report tells of.
fn secrets(text: &str) -> Vec<String> {
    let scenario = pair::read(&pair::file(pair::View::Ours, &pair::Ports([1, 2, 3, 4, 5, 6])));
    let books = [0, 1].map(|server| scenario.account_book(server, String::new()));
    let of = |device: u32| {
        let id = device_id(DeviceNumber(device));
        let secrets = [Derived::ClientSecret, Derived::ServerSecret, Derived::ClientNonce, Derived::ServerNonce];
        books.iter().flat_map(|book| secrets.map(|secret| book.derive(&id, secret))).collect::<Vec<_>>()
    };
    (0..scenario.devices)
        .filter(|device| text.contains(device_id(DeviceNumber(*device)).as_str()))
        .flat_map(of)
        .collect()
}

/// Tries a peer that is none: it has to come to an end, with nothing said that was not seen.
fn try_odd(odd: Odd) -> Conformance {
    let (place, ports) = (pair::Place::new(&[]), pair::Ports::free());
    let _peer = OddPeer::at(ports.0[3], odd, &place);
    let began = std::time::Instant::now();
    // With little patience.
    let file = pair::file(pair::View::Ours, &ports).replace("request = \"3s\"", "request = \"400ms\"");
    let conformance = pair::try_with(&file, &place, 1).conformance;
    println!("{odd:?}: {:?}, {}, in {:?}", conformance.conclusion, conformance.because, began.elapsed());
    assert!(began.elapsed().as_secs() < 60, "{odd:?} took {:?}", began.elapsed());
    let text = dmswarm::report::conformance::terminal::tables(&conformance, true, false);
    assert!(!text.contains('\u{1b}'), "{odd:?} steers the terminal");
    conformance
}

#[test]
fn who_is_not_there_or_does_not_let_us_in_is_unreachable() {
    for odd in [Odd::Dead, Odd::HalfOpen, Odd::Resets, Odd::Rubbish, Odd::Forbids] {
        let conformance = try_odd(odd);
        assert_eq!(conformance.conclusion, Conclusion::Unreachable, "{odd:?}: {}", conformance.because);
        assert_eq!(conformance.count(ItemVerdict::Fail), 0, "{odd:?}");
    }
}

#[test]
fn who_is_somebody_else_fails_by_its_certificate_alone() {
    let conformance = try_odd(Odd::SomebodyElse);
    assert_eq!(conformance.conclusion, Conclusion::Fails);
    let failed = pair::with(&conformance, ItemVerdict::Fail);
    assert!(failed.iter().map(|(id, _)| *id).eq(["tls/server-certificate"]), "{failed:?}");
}

#[test]
fn who_talks_nonsense_fails_and_the_run_ends() {
    for odd in [Odd::ForbidsStrangers, Odd::Redirects, Odd::SaysYes, Odd::Babbles, Odd::FallsSilent] {
        let conformance = try_odd(odd);
        assert_eq!(conformance.conclusion, Conclusion::Fails, "{odd:?}: {}", conformance.because);
        let size = dmswarm::report::conformance::json(&conformance).len();
        assert!(size < 4 << 20, "{odd:?}: {size} bytes of report");
    }
}
