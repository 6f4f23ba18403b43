//! L1 to L6.

use super::*;

fn never_healed() -> Setting {
    Setting { healed_at: Moment::NEVER, ..usual() }
}

fn soon() -> Setting {
    Setting { watched_on: Duration::from_secs(1), ..usual() }
}

#[test]
fn every_flow_ends() {
    const NAME: &str = "every_flow_ends";
    check_kept("it did", &there_and_back(), NAME);
    check_in(&never_healed(), "it did, whatever went wrong", &partial(), NAME, (1, 0, 0));
    check_idle("none began", &Tape::new("session home begins"), NAME);
    let open = partial().without("settle home partner > done");
    check_broken("it did not", &open, NAME, "a flow of home with partner, begun at");
    check_in(&never_healed(), "it still may", &open, NAME, (0, 0, 1));
    check_in(&soon(), "it has time left", &open, NAME, (0, 0, 1));
    check_kept("its server died", &open.clone().then("killed home"), NAME);
    let late = open.then("@10100\nsettle home partner > done");
    check_broken("late", &late, NAME, "ended only at 10.101000s");
    let healed = Setting { healed_at: Moment::from_millis(500), ..usual() };
    check_in(&healed, "late, but all has been well only since", &late, NAME, (1, 0, 0));
    let stuck = Tape::new("killed home\nrestarted home\nmove home partner > s1 ExpectRemoval");
    check_broken(
        "a record that was restored",
        &stuck,
        NAME,
        "home is in ExpectRemoval with partner (session s1) for ever",
    );
}

#[test]
fn both_sides_end() {
    const NAME: &str = "both_sides_end";
    check_kept("both", &there_and_back(), NAME);
    check_idle("one side alone is no pair", &Tape::new("move home partner > s1 ExpectResponse"), NAME);
    let confirmed = "move home partner > s1 AtRest ./SCOMO";
    let half = partial().until(confirmed);
    check_broken(
        "the delegate waits",
        &half,
        NAME,
        "partner is in ExpectConfirmedAnswered with home (session s1), although home",
    );
    check_in(&soon(), "it may still come", &half, NAME, (0, 0, 1));
    check_in(&never_healed(), "it may still come", &half, NAME, (0, 0, 1));
    check_broken("late", &partial().after(confirmed, "@10100"), NAME, "although home came to AtRest");
    check_kept("just in time", &partial().after(confirmed, "@9900"), NAME);
    let busy = partial()
        .until("errand home prepare begins")
        .then("move home partner > s1 ExpectUndone\nmove partner home < s1 Over");
    let undone = "move home partner > s1 Over";
    check_kept("busy with the device", &busy.clone().then(&format!("@9500\n{undone}")), NAME);
    check_broken("for too long", &busy.then(&format!("@11500\n{undone}")), NAME, "home is in ExpectUndone");
    check_kept("it began anew", &half.then("move home partner > s1 ExpectRemoval"), NAME);
    let unseen = Setting { unseen: Some(PARTNER), ..usual() };
    check_in(&unseen, "nobody sees the other side", &Tape::new("move home partner > s1 AtRest"), NAME, (0, 0, 1));
}

#[test]
fn recovers_after_healing() {
    const NAME: &str = "recovers_after_healing";
    let then = |outcome: &str| {
        let before = "fault\njoin home partner >\n@30\nsettle home partner > too_late\n@20000\njoin home partner >";
        Tape::new(&format!("{before}\nsettle home partner > {outcome}"))
    };
    let healed = Setting { healed_at: Moment::from_millis(40), ..usual() };
    check_in(&healed, "it did", &then("done"), NAME, (1, 0, 0));
    check_in(&healed, "a refusal is an answer", &then("refused"), NAME, (1, 0, 0));
    check_broken_in(
        &healed,
        "it did not",
        &then("too_late"),
        NAME,
        "ended too_late (confirmed) at 20.002000s, long after",
    );
    let lately = Setting { healed_at: Moment::from_millis(15_000), ..usual() };
    check_in(&lately, "too soon to tell", &then("too_late"), NAME, (0, 0, 0));
    check_in(&never_healed(), "it never healed", &then("done"), NAME, (0, 0, 1));
    check_idle("nothing was made to go wrong", &Tape::new("join home partner >\nsettle home partner > too_late"), NAME);
}

#[test]
fn somebody_gets_through() {
    const NAME: &str = "somebody_gets_through";
    let round = |home: &str, partner: &str| {
        format!(
            "wish home partner\nwish partner home by_delegated\nsettle home partner > {home}\nsettle partner home < {partner}\n"
        )
    };
    let crossed = round("conflict", "conflict");
    check_idle("one at a time", &there_and_back(), NAME);
    check_kept("one of them", &Tape::new(&round("done", "conflict")), NAME);
    check_kept("a definite no", &Tape::new(&round("conflict", "refused")), NAME);
    check_kept("the second time", &Tape::new(&(crossed.clone() + &round("conflict", "done") + &crossed)), NAME);
    let vain = Tape::new(&crossed.repeat(2));
    check_broken("nobody", &vain, NAME, "home and partner refused each other 2 times in a row");
    check_in(&never_healed(), "perhaps for a fault", &vain, NAME, (0, 0, 1));
    let alone = "wish home partner\nsettle home partner > conflict\n".repeat(3);
    check_idle("nobody else asked", &Tape::new(&alone), NAME);
}

#[test]
fn pending_cleanup_is_done() {
    const NAME: &str = "pending_cleanup_is_done";
    check_kept("at once", &there_and_back(), NAME);
    check_idle("nothing to clean", &partial(), NAME);
    let unreached = there_and_back().until("errand home remove-account begins").then("errand home remove-account 408");
    let away = unreached.clone().then("move home partner > s1 ExpectFailureAnswered");
    check_in(&usual(), "it never came back", &away, NAME, (0, 0, 1));
    let back = away.clone().then("@9000\nsession partner begins");
    check_broken("it came back, and nobody cared", &back, NAME, "home could not remove-account at");
    check_in(&soon(), "there is time left", &back, NAME, (0, 0, 1));
    check_kept("done in time", &back.clone().then("@18000\nerrand home remove-account done"), NAME);
    check_kept("gone after all", &back.clone().then("@18000\naccount partner gone"), NAME);
    check_kept("reached and refused", &back.clone().then("@18000\nerrand home remove-account 425"), NAME);
    check_broken(
        "not reached again",
        &back.clone().then("@18000\nerrand home remove-account 408"),
        NAME,
        "and never done",
    );
    check_broken("another's has gone", &back.clone().then("@18000\naccount home gone"), NAME, "and never done");
    check_broken("late", &back.then("@20000\nerrand home remove-account done"), NAME, "done only at 20.001000s");
    let stuck = there_and_back().until("errand home remove-account begins").then("session home begins");
    check_broken("still at it", &stuck, NAME, "home came to ExpectRemoval at");
    let refused = there_and_back().until("errand home remove-account begins").then("errand home remove-account 425");
    check_in(
        &usual(),
        "a refusal is no absence",
        &refused.then("move home partner > s1 Over\nsession home begins"),
        NAME,
        (1, 0, 0),
    );
}

#[test]
fn no_circular_wait() {
    const NAME: &str = "no_circular_wait";
    check_kept("all is over", &there_and_back(), NAME);
    check_idle("nothing moved", &Tape::new("session home begins"), NAME);
    let both =
        partial().until("heard partner home bc s1 ok").without("move home partner > s1 ExpectDevicePrepared ./SCOMO");
    let seen = "home is in ExpectBootstrapConfirmed with partner (session s1), partner is in ExpectPrepared with home";
    check_broken("each for the other", &both, NAME, seen);
    check_in(&soon(), "a message may be on its way", &both, NAME, (0, 0, 1));
    check_in(&never_healed(), "a message may be lost", &both, NAME, (0, 0, 1));
    check_kept("one is busy with the device", &partial().until("errand partner visit begins"), NAME);
    let three = Tape::new(
        "move home partner > s1 ExpectTerminationResp
        move partner third > p1 ExpectTerminationResp
        move third home > t1 ExpectTerminationResp",
    );
    check_broken("a ring of three", &three, NAME, "third is in ExpectTerminationResp with home (session t1)");
    check_kept("one of them died", &three.then("killed third"), NAME);
}
