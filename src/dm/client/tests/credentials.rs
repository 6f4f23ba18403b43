//! Challenges, nonces and seals: who the two sides are to each other.

use super::*;

#[test]
fn a_challenge_is_answered_with_another_scheme_and_nonce_and_given_up_at_the_third() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.trigger(0x8001);
    bench.answer(401, auth::chal(Scheme::Md5, b"fresh"), vec![]);
    let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
    let header = bench.said().header.clone();
    assert_eq!((header.msg_id.as_str(), header.session_id.as_str()), ("2", "8001"));
    assert!(auth::proves(&header.cred.unwrap(), Scheme::Md5, &name, &secret, b"fresh"));
    assert_eq!(bench.said().header_status().map(|status| status.code), Some(212), "the server has proved itself");
    assert_eq!(bench.said().commands().count(), 2, "alert and DevInfo come again");
    bench.answer(407, auth::chal(Scheme::Basic, b""), vec![]);
    assert!(auth::proves(&bench.said().header.cred.clone().unwrap(), Scheme::Basic, &name, &secret, b""));
    bench.answer(401, auth::chal(Scheme::Basic, b""), vec![]);
    bench.ended(Outcome::NotAuthenticated);
    bench.trigger(0x8002);
    bench.answer(401, None, vec![]);
    bench.ended(Outcome::NotAuthenticated);
}

#[test]
fn a_server_that_proves_nothing_gets_nothing_done() {
    let mut bench = Bench::new(Scheme::Md5);
    let before = bench.client.tree().nodes(&Uri::root());
    bench.trigger(0x8001);
    let verbs = || vec![add("./SCOMO/a"), Verb::Atomic(inner(vec![add("./SCOMO/b")]))];
    bench.answer_as(212, None, None, verbs(), |_| {});
    let status = bench.said().header_status().unwrap().clone();
    assert_eq!((status.code, bench.codes()), (407, vec![407, 407, 407]));
    assert_eq!(bench.client.tree().nodes(&Uri::root()), before);
    bench.server_nonce = b"stale".to_vec();
    bench.answer(212, None, verbs());
    let status = bench.said().header_status().unwrap().clone();
    assert_eq!((status.code, bench.codes()), (401, vec![401, 401, 401]));
    assert_eq!(bench.client.tree().nodes(&Uri::root()), before);
    let nonce = status.chal.unwrap().next_nonce.unwrap();
    let mut good = Bench { server_nonce: auth::nonce_octets(&nonce), ..bench };
    good.answer(212, None, verbs());
    assert_eq!(good.codes(), [200, 200, 200]);
    let mut never = Bench::new(Scheme::Basic);
    never.trigger(0x8001);
    for _ in 0..3 {
        never.answer_as(212, None, None, verbs(), |_| {});
    }
    never.ended(Outcome::ServerNotAuthenticated);
}

#[test]
fn with_hmac_every_message_is_sealed_with_the_nonce_given_last() {
    let mut bench = Bench::new(Scheme::Hmac);
    bench.trigger(0x8001);
    let seal = bench.post.as_ref().unwrap().3.clone().unwrap();
    assert_eq!((seal.nonce, bench.said().header.cred.clone()), (bench.client_nonce.clone(), None));
    assert_eq!(bench.said().header.source.name.as_deref(), Some(seal.name.as_str()));
    for round in 1..4_u8 {
        bench.answer(200, auth::chal(Scheme::Hmac, &[round]), vec![get("./DevInfo/Man")]);
        assert_eq!(bench.post.as_ref().unwrap().3.as_ref().unwrap().nonce, [round]);
        let status = bench.said().header_status().unwrap().clone();
        assert_eq!((status.code, bench.codes()), (200, vec![200]), "never 212");
        bench.server_nonce = auth::nonce_octets(&status.chal.unwrap().next_nonce.unwrap());
    }
    bench.server_nonce = b"stale".to_vec();
    bench.answer(200, None, vec![get("./DevInfo/Man")]);
    assert_eq!(bench.codes(), [401]);
}

#[test]
fn nonces_of_one_session_count_in_the_next_and_for_triggers() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.trigger(0x8001);
    bench.answer(212, auth::chal(Scheme::Md5, b"second"), vec![get("./DevInfo/Man")]);
    let chal = bench.said().header_status().unwrap().chal.clone().unwrap();
    let first = std::mem::replace(&mut bench.server_nonce, auth::nonce_octets(&chal.next_nonce.unwrap()));
    bench.answer(200, None, vec![]);
    bench.ended(Outcome::Done);
    bench.trigger(0x8002);
    let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
    let proof = bench.said().header.cred.clone().unwrap();
    assert!(auth::proves(&proof, Scheme::Md5, &name, &secret, b"second"));
    bench.answer(212, None, vec![]);
    bench.ended(Outcome::Done);
    bench.trigger_with(0x8003, &first);
    assert!(bench.post.is_some(), "a server that missed the last nonce is heard");
    bench.answer(212, None, vec![]);
    bench.trigger_with(0x8004, &RESYNC_NONCE);
    let proof = bench.said().header.cred.clone().unwrap();
    assert!(auth::proves(&proof, Scheme::Md5, &name, &secret, &RESYNC_NONCE));
}

#[test]
fn nonces_begin_anew_with_a_new_account() {
    let mut bench = Bench::new(Scheme::Md5);
    bench.trigger(0x8001);
    bench.answer(212, auth::chal(Scheme::Md5, b"second"), vec![]);
    let account = bench.book.account(&device_id(DEVICE));
    let node = dmacc::place().join(OWNER);
    let tnds = tnds::Node::of(bench.client.tree().nodes(&node)).remove(0);
    bench.client.tree_mut().delete(Actor::Device, &node).unwrap();
    assert_eq!(DmAcc::from_tnds(&tnds), Ok(account));
    bench.give(Input::Connect { server: id(OWNER) });
    assert!(matches!(bench.notes.last(), Some(Note::ConnectIgnored { .. })));
    let renewed = AccountBook { key: 8, ..bench.book.clone() };
    let tnds = renewed.account(&device_id(DEVICE)).to_tnds(OWNER, Acl::empty());
    tnds.graft(bench.client.tree_mut(), Actor::Device, &node).unwrap();
    let mut bench = Bench::with(bench.client, renewed);
    bench.trigger(0x8002);
    let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
    let proof = bench.said().header.cred.clone().unwrap();
    assert!(auth::proves(&proof, Scheme::Md5, &name, &secret, &bench.client_nonce));
}
