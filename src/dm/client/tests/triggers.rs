//! Which triggers call for a session: none does twice, however late it comes.

use super::*;

#[test]
fn triggers_that_call_for_nothing_are_ignored_with_the_reason() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.give(Input::Trigger(vec![1, 2, 3]));
    assert!(matches!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::Unreadable(_)))));
    bench.trigger_with(1, b"wrong");
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::BadDigest)));
    let stranger = Trigger::new(id(OTHER), 1).write(Version::V11, "secret", b"nonce");
    bench.give(Input::Trigger(stranger));
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::UnknownServer)));
    bench.trigger(1);
    bench.trigger(1);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::SameSession)), "it is under way");
    for waiting in 2..2 + QUEUE as u16 {
        bench.trigger(waiting);
    }
    bench.trigger(2);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::SameSession)), "it waits");
    bench.trigger(99);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::QueueFull)));
    for session in 1..2 + QUEUE as u16 {
        assert_eq!(bench.said().header.session_id, format!("{session:X}"));
        bench.answer(212, None, vec![]);
    }
    bench.trigger(1 + QUEUE as u16);
    assert_eq!(bench.notes.pop(), Some(Note::TriggerIgnored(Ignored::SameSession)), "it has just been had");
    assert!(bench.client.is_idle());
}

/// A trigger that comes hours late.
const LATE: Moment = Moment::from_millis(6 * 3_600_000);

impl Bench {
    /// A trigger that comes late, signed with this nonce: why it is ignored.
    fn late(&mut self, session: u16, nonce: &[u8]) -> Option<Ignored> {
        let before = self.notes.len();
        self.trigger_at(LATE, session, nonce);
        match self.notes.drain(before..).next_back() {
            Some(Note::TriggerIgnored(why)) => Some(why),
            _ => None,
        }
    }
}

#[test]
fn a_trigger_for_a_session_that_has_long_ended_is_ignored() {
    for scheme in [Scheme::None, Scheme::Basic, Scheme::Md5, Scheme::Hmac] {
        let mut bench = Bench::new(scheme);
        let first = bench.server_nonce.clone();
        for session in 0x8001..0x8004 {
            bench.trigger(session);
            bench.answer(200, None, vec![get("./DevInfo/Man")]);
            let chal = bench.said().header_status().unwrap().chal.clone();
            if let Some(nonce) = chal.and_then(|chal| chal.next_nonce) {
                bench.server_nonce = auth::nonce_octets(&nonce);
            }
            bench.answer(200, None, vec![]);
            assert!(bench.client.is_idle(), "{scheme:?}");
        }
        // Where triggers are signed with nonces, that of an old one counts no more.
        let expected = if scheme.uses_nonce() { Ignored::BadDigest } else { Ignored::SameSession };
        assert_eq!(bench.late(0x8001, &first), Some(expected), "{scheme:?}");
        let latest = bench.server_nonce.clone();
        for session in 0x8001..0x8004 {
            assert_eq!(bench.late(session, &latest), Some(Ignored::SameSession), "{scheme:?}");
            assert_eq!(bench.late(session, &RESYNC_NONCE), Some(Ignored::SameSession), "{scheme:?}");
        }
        assert_eq!(bench.late(0x8004, &latest), None, "{scheme:?}");
        assert_eq!(bench.said().header.session_id, "8004");
    }
}

#[test]
fn a_trigger_whose_session_broke_is_had_once_the_server_was_heard() {
    for (is_heard, expected) in [(true, Some(Ignored::SameSession)), (false, None)] {
        let mut bench = Bench::new(Scheme::Basic);
        bench.trigger(0x8001);
        if is_heard {
            bench.answer(212, None, vec![add("./SCOMO/a")]);
        }
        let (exchange, ..) = bench.post.take().unwrap();
        bench.give(Input::Answer { exchange, result: Err(Failure::Status(500)) });
        bench.ended(Outcome::Failed(Failure::Status(500)));
        let nonce = bench.server_nonce.clone();
        assert_eq!(bench.late(0x8001, &nonce), expected, "the server was heard: {is_heard}");
    }
}

#[test]
fn a_trigger_of_a_server_whose_account_has_gone_is_ignored() {
    let node = dmacc::place().join(OWNER);
    let mut bench = Bench::new(Scheme::Md5);
    let nonce = bench.server_nonce.clone();
    bench.run(vec![get("./DevInfo/Man")]);
    bench.trigger(0x8002);
    bench.answer(212, None, vec![delete("./DMAcc/dms1.example.test")]);
    assert_eq!(bench.codes(), [200]);
    bench.answer(212, None, vec![]);
    // What waited for it comes to nothing.
    assert_eq!(bench.notes.last(), Some(&Note::TriggerIgnored(Ignored::UnknownServer)));
    assert!(bench.client.is_idle());
    assert_eq!(bench.late(0x8001, &nonce), Some(Ignored::UnknownServer));
    assert_eq!(bench.late(0x8009, &nonce), Some(Ignored::UnknownServer));
    // With a new account that begins with the same nonces, the old trigger does not count either.
    let tnds = bench.book.account(&device_id(DEVICE)).to_tnds(OWNER, Acl::empty());
    tnds.graft(bench.client.tree_mut(), Actor::Device, &node).unwrap();
    assert_eq!(bench.late(0x8001, &nonce), Some(Ignored::SameSession));
    assert_eq!(bench.late(0x8009, &nonce), None);
    assert!(bench.post.is_some());
}
