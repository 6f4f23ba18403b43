//! S4 and S13.

use super::*;

#[test]
fn no_work_without_right() {
    const NAME: &str = "no_work_without_right";
    check_kept("the owner works", &partial(), NAME);
    check_kept("the last thing that a server does is to leave", &careful_handover(), NAME);
    check_kept("its leaving is told first", &Tape::new("account home gone\ndid home Delete ./DMAcc/home 200"), NAME);
    check_kept("delegated work", &partial().then("did partner Replace ./SCOMO/x 200"), NAME);
    let reads = Tape::new("did partner Get ./A 200\ndid partner Replace ./A 425");
    check_idle("reads, and what was refused", &reads, NAME);
    let bootstrapped = Setting { bootstrapped: vec![PARTNER], ..usual() };
    check_in(&bootstrapped, "bootstrapped", &Tape::new("did partner Add ./A 201"), NAME, (1, 0, 0));
    check_broken("it never had one", &Tape::new("did partner Add ./A 201"), NAME, "without an account ever");
    let after = there_and_back().after("account partner gone", "did partner Replace ./SCOMO/x 200");
    check_broken("a session outlived its account", &after, NAME, "Replace of ./SCOMO/x by partner at");
    let twice = Tape::new("account home gone\ndid home Delete ./DMAcc/home 200\ndid home Delete ./DMAcc/x 200");
    check_broken("it leaves once", &twice, NAME, "without an account since");
    let reset = partial().then("reset\ndid partner Replace ./SCOMO/x 200");
    check_broken("a reset device knows its owner alone", &reset, NAME, "by partner");
}

#[test]
fn delegations_form_a_chain() {
    const NAME: &str = "delegations_form_a_chain";
    let on = |tape: &Tape, next: Tape| tape.clone().then(&next.lines().join("\n"));
    check_kept("passed on", &all_well()[5].1, NAME);
    check_kept("given back", &all_well()[6].1, NAME);
    check_kept(
        "a part, and a part of it",
        &on(&partial(), handover("partner", "third", "p1", "./SCOMO/x", false)),
        NAME,
    );
    check_idle("nobody began", &Tape::new("account home gone"), NAME);
    let more = on(&partial(), handover("partner", "third", "p1", "./FUMO", false));
    check_broken("more than one has", &more, NAME, "partner began to delegate ./FUMO to third");
    let twice = on(&all_well()[1].1, handover("home", "third", "s2", ".", true));
    check_broken("what was given away", &twice, NAME, "home began to delegate . to third");
    let kept = on(&partial(), handover("partner", "third", "p1", "./SCOMO", false))
        .then(&asked("r1", "s1").lines().join("\n"));
    check_broken("revoked, and still passed on", &kept, NAME, "partner still delegates ./SCOMO to third");
    let circle = on(
        &on(&partial(), handover("partner", "third", "p1", "./SCOMO", false)),
        handover("third", "home", "t1", "./SCOMO", false),
    );
    check_broken(
        "round and round",
        &circle,
        NAME,
        "delegated in a circle: home to partner, partner to third, third to home",
    );
}
