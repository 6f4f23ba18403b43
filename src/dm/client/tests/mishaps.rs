//! What befalls a device, and what becomes of its sessions, its queue and its tree.

use super::*;

const LATER: Moment = Moment::from_millis(60_000);

impl Bench {
    fn befall(&mut self, mishap: Mishap) {
        self.give(Input::Mishap(mishap));
    }

    #[track_caller]
    fn is_unreachable(&self) {
        let Some(Note::SessionEnded { outcome: Outcome::Failed(Failure::Unreachable(_)), .. }) = self.notes.last()
        else {
            panic!("{:?}", self.notes);
        };
    }

    /// Whether the device has kept nothing of what befell it.
    #[track_caller]
    fn is_over_it(&self) {
        assert!(self.client.troubles.is_none(), "{:?}", self.client.troubles);
        assert_eq!(self.client.deadline(), self.client.patience());
    }
}

#[test]
fn a_device_without_network_loses_triggers_and_keeps_its_own_wishes() {
    let mut bench = Bench::new(Scheme::Basic);
    bench.trigger(0x8001);
    bench.befall(Mishap::Offline { until: LATER });
    bench.is_unreachable();
    let (exchange, ..) = bench.post.take().unwrap();
    bench.trigger(0x8002);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::Offline)));
    bench.give(Input::Connect { server: id(OWNER) });
    assert!(bench.post.is_none() && !bench.client.is_idle());
    // An earlier end changes nothing, and neither does an answer that was on its way.
    bench.befall(Mishap::Offline { until: NOW });
    bench.give(Input::Answer { exchange, result: Err(Failure::Status(500)) });
    assert_eq!(bench.client.deadline(), LATER);
    bench.give(Input::Wake);
    assert!(bench.post.is_none());
    bench.give_at(LATER, Input::Wake);
    assert_eq!(bench.said().commands().next().unwrap().verb, alert(1201));
    bench.is_over_it();
    bench.answer(212, None, vec![]);
    let nonce = bench.server_nonce.clone();
    bench.trigger_at(LATER, 0x8002, &nonce);
    assert!(bench.post.is_some(), "it is heard again");
}

#[test]
fn a_fetch_without_network_has_failed() {
    let mut bench = Bench::new(Scheme::None);
    bench.run(vec![add("./BootstrapConfig/BootSrvInfo/2/URL")]);
    bench.answer(200, None, vec![]);
    assert!(bench.fetch.is_some());
    bench.befall(Mishap::Offline { until: LATER });
    let Some(Note::BootstrapFailed(BootstrapFailure::Fetch(Failure::Unreachable(_)))) = bench.notes.last() else {
        panic!("{:?}", bench.notes);
    };
    assert!(bench.client.is_idle());
}

#[test]
fn a_busy_device_lets_everybody_wait() {
    let mut bench = Bench::new(Scheme::Basic);
    bench.befall(Mishap::Busy { until: LATER });
    for session in 1..QUEUE as u16 {
        bench.trigger(session);
    }
    bench.give(Input::Connect { server: id(OWNER) });
    assert!(bench.notes.is_empty() && bench.post.is_none());
    bench.trigger(99);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::QueueFull)));
    bench.trigger(1);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::SameSession)));
    assert_eq!(bench.client.deadline(), LATER);
    bench.give_at(LATER, Input::Wake);
    for session in 1..QUEUE as u16 {
        assert_eq!(bench.said().header.session_id, format!("{session:X}"));
        bench.answer(212, None, vec![]);
    }
    assert_eq!(bench.said().commands().next().unwrap().verb, alert(1201));
    bench.is_over_it();
}

#[test]
fn a_connection_breaks_behind_a_command_and_never_before() {
    let verbs =
        || vec![add("./SCOMO/a"), Verb::Atomic(inner(vec![add("./SCOMO/b"), add("./SCOMO/c")])), add("./SCOMO/d")];
    let done = |bench: &Bench| {
        let is_there = |name: &&str| bench.client.tree().has(&at("./SCOMO").join(name));
        ["a", "b", "c", "d"].into_iter().filter(is_there).collect::<String>()
    };
    for (commands, expected) in [(0, ""), (1, "a"), (2, "abc"), (3, "abcd")] {
        for is_under_way in [false, true] {
            let mut bench = Bench::new(Scheme::Basic);
            if is_under_way {
                bench.trigger(0x8001);
            }
            bench.befall(Mishap::DropAfter { commands });
            if !is_under_way {
                bench.trigger(0x8001);
            }
            bench.answer(212, None, verbs());
            bench.is_unreachable();
            assert!(bench.post.is_none(), "no status is sent");
            assert_eq!(done(&bench), expected, "{commands}");
            bench.is_over_it();
        }
    }
    // It counts through the messages of a session, passes alerts over, and goes with the session.
    let mut bench = Bench::new(Scheme::Basic);
    bench.befall(Mishap::DropAfter { commands: 4 });
    bench.trigger(0x8001);
    bench.answer(212, None, vec![add("./SCOMO/a"), alert(1100), get("./SCOMO")]);
    assert_eq!(bench.codes(), [200, 200, 200]);
    bench.answer(200, None, vec![get("./SCOMO")]);
    assert_eq!(bench.codes(), [200]);
    bench.answer(200, None, vec![]);
    bench.ended(Outcome::Done);
    bench.is_over_it();
    bench.befall(Mishap::DropAfter { commands: 2 });
    bench.trigger(0x8002);
    bench.answer(212, None, vec![get("./SCOMO")]);
    bench.answer(200, None, vec![add("./SCOMO/b"), add("./SCOMO/c")]);
    bench.is_unreachable();
    assert_eq!(done(&bench), "ab");
}

#[test]
fn what_a_server_may_not_ask_does_not_count_before_the_connection_breaks() {
    let mut bench = Bench::new(Scheme::Basic);
    bench.befall(Mishap::DropAfter { commands: 0 });
    bench.befall(Mishap::LoseStatus);
    bench.befall(Mishap::Refuse { code: 510 });
    bench.trigger(0x8001);
    bench.answer_as(212, None, None, vec![add("./SCOMO/a")], |_| {});
    assert_eq!(bench.codes(), [407]);
    bench.answer(212, None, vec![add("./SCOMO/a")]);
    bench.is_unreachable();
    assert!(!bench.client.tree().has(&at("./SCOMO/a")));
}

#[test]
fn statuses_are_lost_with_everything_done() {
    let mut bench = Bench::new(Scheme::Basic);
    bench.trigger(0x8001);
    bench.answer(212, None, vec![get("./SCOMO")]);
    bench.befall(Mishap::LoseStatus);
    bench.answer_as(200, None, None, vec![alert(1222)], |message| message.is_final = false);
    assert_eq!(bench.codes(), [200], "there is no status worth losing");
    bench.answer(200, None, vec![add("./SCOMO/a"), add("./SCOMO/b")]);
    bench.is_unreachable();
    assert!(bench.post.is_none());
    assert!(bench.client.tree().has(&at("./SCOMO/a")) && bench.client.tree().has(&at("./SCOMO/b")));
    bench.is_over_it();
}

#[test]
fn the_next_change_is_refused_and_nothing_else() {
    let exec = Verb::Exec { correlator: None, item: Item::target("./SCOMO/Operate") };
    let copy = Verb::Copy(vec![Item { source: Some("./SCOMO/Status".into()), ..Item::target("./SCOMO/x") }]);
    for verb in [add("./SCOMO/a"), replace("./SCOMO?prop=ACL", "Get=*"), delete("./DMAcc"), exec, copy] {
        let mut bench = Bench::new(Scheme::Basic);
        let before = bench.client.tree().nodes(&Uri::root());
        bench.befall(Mishap::Refuse { code: 420 });
        assert_eq!(bench.run(vec![get("./SCOMO"), verb]), [200, 420]);
        assert_eq!(bench.client.tree().nodes(&Uri::root()), before);
        bench.is_over_it();
        bench.answer(200, None, vec![add("./SCOMO/b")]);
        assert_eq!(bench.codes(), [200]);
    }
    let mut bench = Bench::new(Scheme::Basic);
    bench.befall(Mishap::Refuse { code: 425 });
    bench.befall(Mishap::Refuse { code: 510 });
    let atomic = Verb::Atomic(inner(vec![add("./SCOMO/a"), add("./SCOMO/b"), add("./SCOMO/c")]));
    assert_eq!(bench.run(vec![atomic.clone()]), [507, 425, 215, 215]);
    bench.answer(200, None, vec![add("./SCOMO/d"), atomic]);
    assert_eq!(bench.codes(), [510, 200, 200, 200, 200]);
    bench.is_over_it();
}

#[test]
fn a_reboot_keeps_the_tree_and_the_nonces_and_nothing_else() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.trigger(0x8001);
    bench.answer(212, None, vec![add("./SCOMO/a"), add("./BootstrapConfig/BootSrvInfo/2/URL")]);
    let chal = bench.said().header_status().unwrap().chal.clone().unwrap();
    bench.give(Input::Connect { server: id(OWNER) });
    bench.befall(Mishap::Busy { until: LATER });
    bench.befall(Mishap::Reboot);
    bench.is_unreachable();
    assert!(bench.client.is_idle() && bench.fetch.is_none());
    bench.is_over_it();
    assert!(bench.client.tree().has(&at("./SCOMO/a")));
    bench.post = None;
    bench.trigger(0x8002);
    bench.answer(212, None, vec![]);
    bench.trigger_with(0x8003, &auth::nonce_octets(&chal.next_nonce.unwrap()));
    assert!(bench.post.is_some(), "the nonce that it gave before still counts");
    // One at rest does not even notice.
    bench.answer(212, None, vec![]);
    let notes = bench.notes.len();
    bench.befall(Mishap::Reboot);
    assert_eq!(bench.notes.len(), notes);
}

#[test]
fn a_factory_reset_makes_a_device_as_good_as_new() {
    let mut bench = Bench::new(Scheme::Md5);
    let fresh = bench.client.tree().nodes(&Uri::root());
    let first = bench.server_nonce.clone();
    bench.give(Input::Connect { server: id(OWNER) });
    bench.answer(212, auth::chal(Scheme::Md5, b"second"), vec![add("./SCOMO/a"), delete("./DMAcc/dms1.example.test")]);
    bench.befall(Mishap::FactoryReset);
    bench.is_unreachable();
    assert_eq!(bench.client.tree().nodes(&Uri::root()), fresh);
    let (exchange, ..) = bench.post.take().unwrap();
    bench.give(Input::Connect { server: id(OWNER) });
    assert_eq!(bench.said().header.session_id, "1", "it counts its sessions from the start");
    let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
    let proof = bench.said().header.cred.clone().unwrap();
    assert!(auth::proves(&proof, Scheme::Md5, &name, &secret, &bench.client_nonce), "it knows of no second nonce");
    bench.give(Input::Answer { exchange, result: Err(Failure::Status(500)) });
    assert!(!bench.client.is_idle(), "an answer from before the reset is nobody's");
    bench.answer(212, None, vec![get("./DevInfo/Man")]);
    assert_eq!(bench.codes(), [200]);
    bench.answer(212, None, vec![]);
    bench.trigger_with(0x8001, &first);
    assert!(bench.post.is_some());
}
