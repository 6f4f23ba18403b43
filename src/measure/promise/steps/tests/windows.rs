//! How long nobody, or more than one, was in charge.

use super::super::windows::{LongestWindows, Windows, windows};
use super::*;

fn windows_of(watched: &Watched<'_>) -> Windows {
    windows(&Story::new(watched))
}

fn of_tape(tape: &Tape) -> (u128, Option<String>, u128) {
    let Windows { orphan, orphan_since: _, orphan_cause, double_owner } = watching(tape, &usual(), windows_of);
    (orphan.as_millis(), orphan_cause, double_owner.as_millis())
}

#[test]
fn a_device_is_an_orphan_from_the_leaving_of_its_owner_until_the_delegate_is_in_charge() {
    let tape = handover("home", "partner", "s1", ".", true).after("account home gone", "@500");
    // The account goes at 20 ms, and the delegate is in charge 19 ms after the pause.
    let (orphan, cause, double) = of_tape(&tape);
    assert_eq!((orphan, double), (499, 0));
    assert_eq!(cause.as_deref(), Some("the account of home went at 0.020000s"));
}

#[test]
fn a_careful_owner_leaves_no_orphan_but_two_in_charge() {
    let tape = careful_handover()
        .after("errand home leave begins", "@500")
        .with("settle partner home < done", "settle partner home < done\n@800");
    // From the delegate's coming to rest at 502 ms until the account goes at 803 ms.
    assert_eq!(of_tape(&tape), (0, None, 301));
}

#[test]
fn windows_are_shut_where_all_is_well_and_open_to_the_end_where_not() {
    assert_eq!(of_tape(&there_and_back()), (0, None, 0));
    let lost = handover("home", "partner", "s1", ".", true).until("account home gone");
    assert_eq!(of_tape(&lost).0, 60_000);
    let reset = all_well()[1].1.clone().then("reset");
    let (orphan, cause, _) = of_tape(&reset);
    assert_eq!(orphan, 60_000, "its owner's record says that it has given everything away");
    assert!(cause.is_some_and(|cause| cause.starts_with("the device was reset")));
    let theirs = Setting { unseen: Some(PARTNER), ..usual() };
    assert_eq!(watching(&lost, &theirs, windows_of).orphan, Duration::ZERO, "who knows what they hold");
}

#[test]
fn what_a_killed_server_held_is_in_force_until_it_stands_again_without_it() {
    let given_away = handover("home", "partner", "s1", ".", true);
    let killed = given_away.clone().then("killed partner");
    assert_eq!(of_tape(&killed).0, 19, "the handover: it is down, and will know that it is in charge");
    let recalled = killed.clone().then("restarted partner\n@500\nmove partner home < s1 AtRest . full");
    assert_eq!(of_tape(&recalled).0, 19);
    let forgotten = killed.then("restarted partner");
    let (orphan, cause, _) = of_tape(&forgotten);
    assert_eq!(orphan, 60_000);
    assert!(cause.is_some_and(|cause| cause.starts_with("partner came back without its records")));
    let over = recalled.then("@500\nmove partner home < s1 Over . full");
    assert_eq!(of_tape(&over).0, 60_000, "what it had before does not count for ever");
}

#[test]
fn the_longest_of_all_devices_are_kept_with_their_device() {
    let window = |orphan, double| Windows {
        orphan: Duration::from_millis(orphan),
        orphan_since: None,
        orphan_cause: (orphan > 0).then(|| format!("cause {orphan}")),
        double_owner: Duration::from_millis(double),
    };
    let mut longest = LongestWindows::default();
    for (device, one) in [(1, window(0, 0)), (2, window(30, 5)), (3, window(30, 9)), (4, window(10, 2))] {
        longest.add(DeviceNumber(device), one);
    }
    assert_eq!((longest.orphan_device, longest.double_owner_device), (Some(DeviceNumber(2)), Some(DeviceNumber(3))));
    assert_eq!(longest.orphan_cause.as_deref(), Some("cause 30"));
    let mut judging = Judging::new(&[]);
    assert_eq!(*judging.windows(), LongestWindows::default());
    let lost = handover("home", "partner", "s1", ".", true).until("account home gone");
    watching(&lost, &usual(), |watched| judging.look_at_steps(watched));
    assert_eq!(judging.windows().orphan_device, Some(DEVICE));
}
