//! What is refused, and that nothing has changed then.

use super::forged::{delegated, request};
use super::pair::*;
use crate::delegation::flow::Approach::{DmAcc, Url};
use crate::delegation::flow::{FlowKind, Revocation};

#[test]
fn what_cannot_begin_is_refused_at_once() {
    let refused = |flow, uri: &str, trouble: &str| {
        let mut pair = Pair::new(&Setup::default());
        pair.start(0, flow, uri);
        pair.run().check(trouble, "DMS-1 [] DMS-2 [] device [DMS-1]");
    };
    refused(FlowKind::Revoke(Revocation::Asked), "./SCOMO", "0.000 DMS-1            settled refused (404)");
    refused(FlowKind::Revoke(Revocation::Forced { notice: true }), ".", "0.000 DMS-1            settled refused (404)");
    refused(FlowKind::Revoke(Revocation::Requested), ".", "0.000 DMS-2            settled refused (404)");
}

#[test]
fn a_server_without_authority_does_not_delegate() {
    let mut pair = Pair::new(&Setup::default());
    pair.start_between(0, (DMS2, DMS1), delegate(DmAcc, false, false), "./SCOMO");
    pair.run().check("0.000 DMS-2            settled refused (403)", "DMS-1 [] DMS-2 [] device [DMS-1]");
}

#[test]
fn a_delegate_without_a_bootstrap_server_says_so() {
    let mut pair = Pair::new(&Setup { has_bootstrap_server: false, ..Setup::default() });
    pair.start(0, delegate(Url, false, false), "./SCOMO");
    pair.run().check_trouble(
        "
        0.040 DMS-1 -> DMS-2  delegation_failure 406
        0.050 DMS-2            settled undone (406)
        0.060 DMS-1            settled undone (406)
    ",
        "DMS-1 [] DMS-2 [] device [DMS-1]",
    );
}

#[test]
fn the_same_again_while_one_is_open_or_in_force_is_refused() {
    for (second_at, by_delegated) in [(30, false), (1_000, false), (30, true)] {
        let mut pair = Pair::new(&Setup::default());
        pair.start(0, delegate(DmAcc, false, false), "./SCOMO");
        pair.start(second_at, delegate(DmAcc, false, by_delegated), "./SCOMO/Inner");
        pair.run();
        let refused = pair.settled.iter().filter(|(_, _, outcome)| outcome.to_string() == "refused (409)").count();
        assert_eq!(refused, 1, "{:?}", pair.settled);
        assert_eq!(
            pair.standing(),
            "DMS-1 [./SCOMO to DMS-2 in force] DMS-2 [./SCOMO from DMS-1 in force] device [DMS-1, DMS-2]"
        );
    }
}

/// D12: the request does not say who is to have the device; who is asked goes by what it has itself. DMS-2 holds
/// `./SCOMO` of DMS-1's device.
#[test]
fn whoever_holds_the_sub_tree_gives_it_and_whoever_holds_none_of_it_takes_it() {
    let gives = "200 delegation_resp acknowledged";
    let takes = "200 delegation_resp acknowledged, then bootstrap_confirmed";
    for (from, to, uri, expected) in [
        (DMS3, DMS2, "./SCOMO", gives),
        (DMS3, DMS2, "./SCOMO/Inner", gives),
        (DMS3, DMS2, "./Other", takes),
        // Is DMS-3 to have all of it, or has DMS-3 all of it?
        (DMS3, DMS2, ".", "200 delegation_resp refused 409"),
        // Another delegate beside DMS-2 is the owner's affair; DMS-2 itself has it already.
        (DMS3, DMS1, "./SCOMO", gives),
        (DMS2, DMS1, "./SCOMO/Inner", "200 delegation_resp refused 409"),
        // The owner speaks to its delegate: it has taken back what it gives anew.
        (DMS1, DMS2, "./SCOMO/Inner", takes),
        (DMS1, DMS2, "./Other", takes),
    ] {
        let mut pair = delegated();
        pair.forge(0, from, to, request(from, DEVICE, uri, "new"));
        let lines = pair.run().transcript();
        let found: Vec<&str> = lines.iter().filter_map(|line| line.split_once("  ")).map(|(_, what)| what).collect();
        let then = found.get(1).filter(|what| what.starts_with("bootstrap_confirmed"));
        let found = format!("{}{}", found[0], then.map_or("", |_| ", then bootstrap_confirmed"));
        assert_eq!(found, expected, "{from} asks {to} for {uri}: {lines:#?}");
    }
}

/// What a server has been given it can give on, and take back; each delegation ends with its own account.
#[test]
fn a_delegate_delegates_a_part_to_a_third_server_and_takes_it_back() {
    for by_delegated in [false, true] {
        let mut pair = delegated();
        pair.start_between(0, (DMS2, DMS3), delegate(DmAcc, false, by_delegated), "./SCOMO/Inner");
        pair.run();
        let held = "DMS-1 [./SCOMO to DMS-2 in force]";
        let both = "DMS-2 [./SCOMO from DMS-1 in force, ./SCOMO/Inner to DMS-3 in force]";
        assert_eq!(pair.standing(), format!("{held} {both} device [DMS-1, DMS-2, DMS-3]"));
        pair.start_between(0, (DMS2, DMS3), FlowKind::Revoke(Revocation::Asked), "./SCOMO/Inner");
        pair.run();
        let first = "DMS-2 [./SCOMO from DMS-1 in force]";
        assert_eq!(pair.standing(), format!("{held} {first} device [DMS-1, DMS-2]"));
        // Taken back from DMS-2, nothing is left that it could give.
        pair.start(0, FlowKind::Revoke(Revocation::Forced { notice: true }), "./SCOMO");
        pair.run();
        pair.start_between(0, (DMS2, DMS3), delegate(DmAcc, false, false), "./SCOMO/Inner");
        pair.run();
        assert_eq!(pair.settled.last().unwrap().2.to_string(), "refused (403)");
    }
}
