//! Thirteen faults planted in a served peer, each found as exactly the item that it breaks; none in a healthy one.

#[path = "conform/pair.rs"]
mod pair;

use dmswarm::delegation::planted::{Bug, plant};
use dmswarm::results::conformance::{Conclusion, Conformance, ItemVerdict, Level};

/// Each fault, and the one item that shows it.
const PLANTED: [(Bug, &str); 13] = [
    (Bug::FullFlagDropped, "dms1/delegation_prepared/isDelegationFull"),
    (Bug::UndoForgotten, "dms1/undo"),
    (Bug::RevokedWithoutRemoval, "dms1/requested/removed"),
    (Bug::TerminationTimerIgnored, "dms1/timeout/termination"),
    (Bug::LeaveSkipped, "dms1/device/full"),
    (Bug::RequestTakenInAnyState, "dms1/phase"),
    (Bug::FailureNotSent, "dms2/delegation_failure/sent"),
    (Bug::NoticeRefusedAtRest, "dms2/delegation_revoked/forced"),
    (Bug::AckNotRepeated, "dms2/duplicate/delegation_termination_req"),
    (Bug::UrlSessionNotEchoed, "dms2/bootstrap_srv_url_delivery/sessionId"),
    (Bug::AckReasonWrong, "dms2/delegation_termination_ack/reasonCode"),
    (Bug::ContentTypeNotLookedAt, "http/wrong-type"),
    (Bug::UnknownSessionTaken, "interface/unknown-session"),
];

/// Tries a peer that is served for this alone.
fn try_served() -> Conformance {
    let (place, ports) = (pair::Place::new(&[]), pair::Ports::free());
    let _peer = pair::Peer::serve(pair::read(&pair::file(pair::View::Peers, &ports)), &place);
    pair::try_at(&place, &ports, 1).conformance
}

/// The switch is one for the whole process, so that all of it is one test.
#[test]
fn each_planted_fault_fails_the_item_concerned_and_no_other() {
    let only = std::env::var("DMSWARM_TEST_PLANTED").ok();
    let is_meant = |bug: Bug| only.as_ref().is_none_or(|only| only.split(',').any(|name| name == bug.name()));
    let mut wrong = Vec::new();
    for (bug, item) in PLANTED.into_iter().filter(|(bug, _)| is_meant(*bug)) {
        plant(Some(bug));
        let conformance = try_served();
        plant(None);
        let failed = pair::with(&conformance, ItemVerdict::Fail);
        println!("{:<32} {:>5.1} s  {failed:?}", bug.name(), conformance.duration_s);
        if failed.iter().map(|(id, _)| *id).ne([item]) {
            wrong.push(format!("{} is to fail {item}, and failed {failed:#?}", bug.name()));
        }
        let is_mandatory = conformance.failed().iter().any(|item| item.level == Level::Mandatory);
        let expected = if is_mandatory { Conclusion::Fails } else { Conclusion::Conforms };
        assert_eq!(conformance.conclusion, expected, "{}", bug.name());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
