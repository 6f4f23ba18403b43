//! S6, S7, S8 and S10.

use super::*;

fn lines(tape: &Tape) -> String {
    tape.lines().join("\n")
}

#[test]
fn one_session_per_delegation() {
    const NAME: &str = "one_session_per_delegation";
    check_kept("one after the other", &all_well()[4].1, NAME);
    let apart = partial().then(&lines(&handover("home", "partner", "s2", "./FUMO", false)));
    check_kept("next to each other", &apart, NAME);
    check_kept("both ask, one gives way", &partial().then("move partner home < p1 ExpectResponse"), NAME);
    let replaced = partial().then(
        "taken partner home req s2
        move partner home < s2 ExpectPrepared
        move partner home < s1 Over",
    );
    check_kept("replaced in the same turn", &replaced, NAME);
    check_idle("nothing moved", &Tape::new("session home begins"), NAME);
    let both = partial().then(&lines(&handover("home", "partner", "s2", "./SCOMO/x", false)));
    check_broken(
        "both",
        &both,
        NAME,
        "home has ./SCOMO and ./SCOMO/x with partner at the same time, sessions s1 and s2",
    );
    let kept = partial().then("taken partner home req s2\nmove partner home < s2 ExpectPrepared");
    check_broken("the old one stayed", &kept, NAME, "sessions s1 and s2");
    check_kept("what died is not there", &partial().then("killed home\nmove home partner > s2 ExpectConfirmed"), NAME);
}

#[test]
fn no_effect_across_sessions() {
    const NAME: &str = "no_effect_across_sessions";
    check_kept("a revocation with a session of its own", &there_and_back(), NAME);
    check_kept("a full one back ends the one it came by", &all_well()[6].1, NAME);
    check_idle(
        "nothing was moved by a message",
        &Tape::new("wish home partner\nmove home partner > s1 ExpectResponse"),
        NAME,
    );
    let two = partial().then(&lines(&handover("home", "partner", "s2", "./FUMO", false)));
    let account_for_all = two
        .clone()
        .then(&lines(&asked("r1", "s1")))
        .after("move partner home < s1 Over", "move partner home < s2 Over");
    check_kept("an account goes for all", &account_for_all, NAME);
    let for_what_is_confirmed =
        account_for_all.without("heard partner home conf s2 ok").without("move partner home < s2 AtRest ./FUMO");
    check_kept("also for what the delegate has just confirmed", &for_what_is_confirmed, NAME);
    let late = two.clone().then("taken home partner fail s1\nmove home partner > s2 ExpectUndone ./FUMO");
    check_broken("a late failure", &late, NAME, "delegation_failure of partner (session s1) brought session s2");
    let next = there_and_back()
        .then(&lines(&handover("home", "partner", "s2", "./SCOMO", false)))
        .then("taken home partner tresp r1\nmove home partner > s2 ExpectRemoval");
    check_broken("a late end of the revocation before", &next, NAME, "(session r1) brought session s2");
    let ended = there_and_back()
        .then(&lines(&handover("home", "partner", "s2", "./SCOMO", false)))
        .then("taken partner home revd r1\nmove partner home < s2 Over");
    check_broken("a late notice with a session", &ended, NAME, "brought session s2 with home to Over at partner");
    let anew = partial().then(
        "move partner home < p1 ExpectResponse
        errand home remove-account done
        move home partner > s1 Over
        taken home partner req p1
        move home partner > p1 ExpectBootstrapConfirmed
        timer home bootstrap
        move home partner > p1 ExpectUndone
        sent home partner fail p1
        taken partner home fail p1",
    );
    let replaced = "move partner home < p1 ExpectEnded\nmove partner home < s1 Over";
    check_kept("the failure of what was asked for anew", &anew.clone().then(replaced), NAME);
    let stands = anew.clone().without("move home partner > s1 Over").then(replaced);
    check_broken("what it would replace stands", &stands, NAME, "(session p1) brought session s1 with home to Over");
    let alone = anew.then("move partner home < s1 Over");
    check_broken("nothing was asked for", &alone, NAME, "(session p1) brought session s1 with home to Over");
    let foreign = partial().then("taken home third fail s1\nmove home partner > s1 ExpectUndone");
    check_broken("somebody else's message", &foreign, NAME, "of third (session s1)");
    let unknown = partial().then("taken home partner tresp r9\nmove home partner > s1 ExpectRemoval");
    check_kept("nobody saw what it is about", &unknown, NAME);
}

#[test]
fn a_failure_ends_the_delegation_that_has_failed_at_its_sender() {
    const NAME: &str = "no_effect_across_sessions";
    let failed = Tape::new(
        "move home partner > s1 ExpectConfirmed ./SCOMO
        move partner home < s1 ExpectPrepared ./SCOMO
        move partner home > s1 ExpectBootstrapConfirmed ./FUMO
        move home partner < s1 ExpectPrepared ./FUMO
        move partner home > s1 ExpectUndone ./FUMO
        sent partner home fail s1
        taken home partner fail s1",
    );
    check_kept("its own", &failed.clone().then("move home partner < s1 ExpectEnded ./FUMO"), NAME);
    let twin = failed.then("move home partner > s1 ExpectUndone ./SCOMO");
    check_broken("the other of its name", &twin, NAME, "(session s1) brought session s1 with partner to ExpectUndone");
}

#[test]
fn a_notice_without_a_session_ends_nothing_that_began_after_it() {
    const NAME: &str = "no_effect_across_sessions";
    let again = partial()
        .then("sent home partner revd -\nmove home partner > s1 Over\nmove partner home < s1 Over")
        .then(&lines(&handover("home", "partner", "s2", "./SCOMO", false)));
    let late = again.clone().then("taken partner home revd -\nmove partner home < s2 Over");
    check_broken("a late one", &late, NAME, "(no session) brought session s2 with home to Over");
    let its_own = again.then("sent home partner revd -\ntaken partner home revd -\nmove partner home < s2 Over");
    check_kept("its own", &its_own, NAME);
}

#[test]
fn done_exactly_once() {
    const NAME: &str = "done_exactly_once";
    for (case, tape) in all_well() {
        check_kept(case, &tape, NAME);
    }
    check_idle("nothing moved", &Tape::new("errand home visit done"), NAME);
    let prepared = partial().after("errand home prepare done", "errand home prepare done");
    check_broken("prepared twice", &prepared, NAME, "home prepared the device 2 times for 1 reasons");
    let removed = there_and_back().after("errand home remove-account done", "errand home remove-account done");
    check_broken("removed twice", &removed, NAME, "home removed an account 2 times for 1 reasons");
    let left = careful_handover().after("errand home leave done", "errand home leave done");
    check_broken("left twice", &left, NAME, "home removed its own account 2 times");
    let failed = partial().with("errand home prepare done", "errand home prepare 408\nerrand home prepare done");
    check_kept("failed, and tried again", &failed, NAME);
    let died = partial().with(
        "errand home prepare done",
        "errand home prepare done\nkilled home\nrestarted home\nerrand home prepare done",
    );
    check_kept("done again after a death", &died, NAME);
    let again =
        "killed home\nrestarted home\nmove home partner > s1 ExpectDevicePrepared ./SCOMO\nerrand home prepare done";
    let once = partial().after("errand home prepare done", again);
    check_kept("as its store says", &once, NAME);
    let twice = partial().after("errand home prepare done", &format!("{again}\nerrand home prepare done"));
    check_broken("too often after a death", &twice, NAME, "home prepared the device 3 times for 2 reasons");
    let twice = partial().then("move home partner > s1 ExpectConfirmed\nmove home partner > s1 AtRest");
    let settled = partial().then("settle home partner > done");
    check_broken("ended twice", &settled, NAME, "a flow of home with partner ended at");
    check_broken("in force twice", &twice, NAME, "session s1 with partner came into force 2 times at home");
}

#[test]
fn role_and_session_fit() {
    const NAME: &str = "role_and_session_fit";
    for (case, tape) in all_well() {
        check_kept(case, &tape, NAME);
    }
    check_idle("a request opens its session", &partial().until("join partner home <"), NAME);
    check_kept("notices of failure may cross the end", &there_and_back().then("taken home partner fail s1"), NAME);
    let inverted = partial().with("taken partner home prep s1", "taken home partner prep s1");
    check_broken("the wrong role", &inverted, NAME, "home took delegation_prepared of session s1 from partner without");
    let other = partial().with("taken home partner conf s1", "taken home partner conf s9");
    check_broken("no such session", &other, NAME, "delegation_confirmed of session s9");
    let third = partial().with("taken home partner conf s1", "taken home third conf s1");
    check_broken("not the peer", &third, NAME, "from third without such a record");
    let both = partial().then("taken home partner tresp r1\nmove home partner < s2 ExpectWoundDown");
    check_broken("a record of the other side", &both, NAME, "brought home to ExpectWoundDown in the other role");
    let gone = there_and_back().then("taken partner home revd r1");
    check_broken("nothing left to revoke", &gone, NAME, "partner took delegation_revoked of session r1 from home");
}
