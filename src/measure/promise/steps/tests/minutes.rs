//! What minutes know of a device's journey.

use super::super::minutes::Minutes;
use super::*;

/// Who has been revoked after these turns, a string each, and who was not told.
#[track_caller]
fn check_revoked(case: &str, turns: &[&str], revoked: &[ServerNumber], unannounced: &[ServerNumber]) {
    let at_first = Journeyed::at_first(HOME, vec![PARTNER]);
    let mut minutes = Minutes::new(&at_first);
    for turn in turns {
        let facts = Tape::new(turn).facts();
        minutes.add(&facts.iter().map(|fact| &fact.what).collect::<Vec<_>>(), Policy::Hardened);
    }
    let found = minutes.journeyed(&at_first);
    assert_eq!((&found.revoked[..], &found.unannounced[..]), (revoked, unannounced), "{case}");
}

#[test]
fn a_revocation_counts_until_the_device_is_delegated_anew() {
    let begin = "join home partner >";
    let made = "settle home partner > done\nmove home partner > s1 AtRest";
    let removing = "join home partner >\nmove home partner > s1 ExpectRemoval";
    let telling = "move home partner > s1 ExpectRevokedAnswered";
    let gone = "settle home partner > done\nmove home partner > s1 Over";
    let refused = "join home partner >\nsettle home partner > refused";
    let undone = "join home partner >\nsettle home partner > too_late";
    let p = &[PARTNER][..];
    check_revoked("delegated", &[begin, made], &[], &[]);
    let told = [begin, made, removing, telling, gone];
    check_revoked("and told", &told, p, &[]);
    check_revoked("told, and asked for in vain", &[&told[..], &[refused]].concat(), p, &[]);
    check_revoked("told, and tried again", &[&told[..], &[undone]].concat(), p, &[]);
    check_revoked("told, and delegated again", &[&told[..], &[begin, made]].concat(), &[], &[]);
    let untold = [begin, made, removing, gone];
    check_revoked("and not told", &untold, p, p);
    check_revoked("not told, and asked for in vain", &[&untold[..], &[refused]].concat(), p, p);
    check_revoked("asked for while it goes", &[begin, made, removing, refused, gone], p, p);
    check_revoked("not told, but asked anew", &[&untold[..], &[undone]].concat(), p, &[]);
    check_revoked("not told, and delegated again", &[&untold[..], &[begin, made]].concat(), &[], &[]);
}
