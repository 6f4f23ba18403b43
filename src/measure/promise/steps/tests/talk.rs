//! P1 to P6.

use super::*;

#[test]
fn phases_in_order() {
    const NAME: &str = "phases_in_order";
    for (case, tape) in all_well() {
        check_kept(case, &tape, NAME);
    }
    check_idle("nothing moved", &Tape::new("session home begins"), NAME);
    let strange =
        partial().with("move home partner > s1 ExpectConfirmed ./SCOMO", "move home partner > s1 ExpectSunrise");
    check_kept("a state that nobody knows", &strange, NAME);
    let skipped = partial().without("move home partner > s1 ExpectConfirmed ./SCOMO");
    check_broken("skipped", &skipped, NAME, "home, delegating, went from ExpectDevicePrepared to AtRest in session s1");
    let back = there_and_back().then("move partner home < s1 ExpectRevoked");
    check_broken("begun in the middle", &back, NAME, "partner, delegated, began with ExpectRevoked");
    let literal = Setting { policy: Policy::Literal, ..usual() };
    check_in(&literal, "by the text", &all_well()[1].1, NAME, (1, 0, 0));
    check_broken_in(&literal, "the text knows no leaving", &careful_handover(), NAME, "to ExpectLeft");
    let restored = Tape::new("killed home\nrestarted home\nmove home partner > s1 ExpectRemoval");
    check_idle("back from its store", &restored, NAME);
}

#[test]
fn one_answer_each() {
    const NAME: &str = "one_answer_each";
    check_kept("each has its own", &there_and_back(), NAME);
    check_idle("nothing was sent", &Tape::new("session home begins"), NAME);
    let retried = partial()
        .with("heard home partner req s1 resp", "sent home partner req s1 #2\nheard home partner req s1 resp #2");
    check_kept("the last try was answered", &retried, NAME);
    let twice = partial().after("heard home partner prep s1 ok", "heard home partner prep s1 ok");
    check_broken("two answers", &twice, NAME, "delegation_prepared of home to partner (session s1) had 2 answers to 1");
    let silent = partial().without("heard home partner prep s1 ok");
    check_broken("never heard of", &silent, NAME, "was never answered, nor given up");
    let soon = Setting { watched_on: Duration::from_secs(1), ..usual() };
    check_in(&soon, "it may still come", &silent, NAME, (0, 0, 1));
    check_kept("its sender died", &silent.then("killed home"), NAME);
    let empty = partial().with("heard home partner req s1 resp", "heard home partner req s1 ok");
    check_broken(
        "no message",
        &empty,
        NAME,
        "delegation_req of home to partner (session s1) was answered with no message",
    );
    check_kept("a fault may have taken it", &empty.after("join partner home <", "fault"), NAME);
    let full = partial().with("heard home partner prep s1 ok", "heard home partner prep s1 tack");
    check_broken("a message too many", &full, NAME, "was answered with delegation_termination_ack");
}

#[test]
fn copies_answered_alike() {
    const NAME: &str = "copies_answered_alike";
    let copied = |how: &str| {
        let again =
            format!("sent home partner prep s1 #2\ntaken partner home prep s1{how}\nheard home partner prep s1 ok #2");
        partial().with("heard home partner prep s1 ok", &format!("heard home partner prep s1 timeout\n{again}"))
    };
    check_kept("a copy", &copied(" copy"), NAME);
    check_kept("no room for it", &copied(" overloaded"), NAME);
    check_idle("none came twice", &there_and_back(), NAME);
    check_broken(
        "applied again",
        &copied(""),
        NAME,
        "delegation_prepared of home to partner (session s1) was applied 2 times",
    );
    let died = copied("").after("heard home partner prep s1 timeout", "killed partner");
    check_kept("its receiver died with it in its hands", &died, NAME);
    check_broken("turned away", &copied(" state"), NAME, "was applied, and then rejected (not_in_this_state)");
    let anew = there_and_back().then("sent home partner treq r1\ntaken partner home treq r1");
    check_idle("asked anew under the same name", &anew, NAME);
    let other = partial()
        .after("heard home partner req s1 resp", "taken partner home req s1 copy\nheard home partner req s1 ok");
    check_broken("two answers", &other, NAME, "had two different answers");
    check_kept("spoilt by a fault", &other.after("join partner home <", "fault"), NAME);
}

#[test]
fn success_means_applied() {
    const NAME: &str = "success_means_applied";
    for (case, tape) in all_well() {
        check_kept(case, &tape, NAME);
    }
    check_idle("no answer", &Tape::new("sent home partner req s1\nheard home partner req s1 timeout"), NAME);
    let lied = partial().without("taken partner home prep s1");
    check_broken("never taken", &lied, NAME, "was answered with success 1 times, and taken 0 times");
    let rejected = partial().with("taken home partner bc s1", "taken home partner bc s1 state");
    check_broken("rejected", &rejected, NAME, "bootstrap_confirmed of partner to home (session s1) was answered with");
    let meddled = rejected.after("move partner home < s1 ExpectPrepared ./SCOMO", "sent partner home bc s1 #2\nfault");
    check_kept("a fault may have answered", &meddled, NAME);
    let told = lied.clone().after("errand home prepare done", "fault");
    check_kept("a fault is told before the request leaves", &told, NAME);
    let early = lied.after("heard home partner req s1 resp", "fault");
    check_broken("a fault of something else", &early, NAME, "delegation_prepared of home to partner (session s1) was");
    let crossed = partial().then("sent home partner fail s1\nmove partner home < s1 Over");
    check_kept("both have failed", &crossed.clone().then("heard home partner fail s1 ok"), NAME);
    let standing = crossed.without("move partner home < s1 Over").then("heard home partner fail s1 ok");
    check_broken(
        "one has not",
        &standing,
        NAME,
        "delegation_failure of home to partner (session s1) was answered with",
    );
    let notice = "sent home partner fail s1\nheard home partner fail s1 ok";
    check_kept("a notice of failure to a session that has ended", &there_and_back().then(notice), NAME);
    check_broken("a notice of failure that was ignored", &partial().then(notice), NAME, "taken 0 times");
    let idle = partial().without("move partner home < s1 ExpectVisited ./SCOMO");
    check_broken(
        "without effect",
        &idle,
        NAME,
        "delegation_prepared of home to partner (session s1) was answered with success and had",
    );
    let ours = Setting { unseen: Some(PARTNER), ..usual() };
    let home_alone = Tape::new("sent home partner req s1\nheard home partner req s1 resp");
    check_in(&ours, "who knows what they did", &home_alone, NAME, (0, 0, 1));
}

#[test]
fn quiet_after_the_end() {
    const NAME: &str = "quiet_after_the_end";
    check_kept("all is said", &there_and_back(), NAME);
    check_idle("nothing has ended", &partial().until("sent home partner prep s1"), NAME);
    check_kept("one more try", &there_and_back().then("sent home partner revd r1 #2"), NAME);
    check_kept("a notice of failure", &partial().then("sent home partner fail s1\ntaken partner home fail s1"), NAME);
    let again = there_and_back().then("sent home partner prep s1");
    check_broken("sent", &again, NAME, "delegation_prepared of home to partner (session s1) was sent in Over");
    check_broken("at rest", &partial().then("sent partner home conf s1"), NAME, "was sent in AtRest");
    check_broken("applied", &there_and_back().then("taken home partner bc s1"), NAME, "was applied in Over");
    let asked = there_and_back().then("taken partner home req s1");
    check_kept("the same name, and a no", &asked, NAME);
    let wish = "taken home partner req s1\nwish home partner\nmove home partner > s2 ExpectResponse";
    check_kept("the same name, a no, and a wish behind it", &there_and_back().then(wish), NAME);
    let granted = asked.then("move partner home < s2 ExpectPrepared");
    check_broken(
        "the same name, and a yes",
        &granted,
        NAME,
        "delegation_req of home to partner (session s1) was applied",
    );
    check_kept(
        "its name is used anew",
        &there_and_back().then("move home partner > s1 ExpectResponse\nsent home partner req s1"),
        NAME,
    );
    let other_way = "taken home partner req s1\nmove home partner < s1 ExpectPrepared ./FUMO";
    check_kept("opened under its name in the other role", &partial().then(other_way), NAME);
    let twin = "move home partner < s1 ExpectPrepared ./FUMO\ntaken home partner prep s1\nsent home partner conf s1";
    check_kept("one of that name in the other role has not", &partial().then(twin), NAME);
    check_broken("it has", &partial().then(&twin.replace("ExpectPrepared", "AtRest")), NAME, "was applied in AtRest");
    let told =
        "sent partner home bc s1\nkilled partner\nmove partner home < s1 AtRest ./SCOMO\nsent partner home bc s1";
    check_kept("its server says it again after its death", &Tape::new(told), NAME);
    check_kept("its server has forgotten", &there_and_back().then("killed home\nsent home partner req s1"), NAME);
}

#[test]
fn nobody_unproven() {
    const NAME: &str = "nobody_unproven";
    check_kept("all are known", &partial(), NAME);
    check_idle("nothing was taken", &Tape::new("sent home partner req s1"), NAME);
    check_broken(
        "nobody sent it",
        &Tape::new("fault\ntaken home partner bc s1"),
        NAME,
        "bootstrap_confirmed of partner to home",
    );
    let tape = Tape::new("misdirected partner home bc s1\ntaken home partner bc s1");
    check_kept("a fault sent it in the place of another", &tape, NAME);
    let theirs = Setting { unseen: Some(PARTNER), ..usual() };
    check_in(&theirs, "nobody sees what they send", &Tape::new("taken home partner bc s1"), NAME, (1, 0, 0));
    check_idle("a stranger was turned away", &Tape::new("taken home stranger req s1 state"), NAME);
    check_broken(
        "a stranger",
        &Tape::new("taken home stranger req s1"),
        NAME,
        "home took delegation_req from server 9",
    );
    check_broken("itself", &Tape::new("taken home home req s1"), NAME, "home took delegation_req from home");
}
