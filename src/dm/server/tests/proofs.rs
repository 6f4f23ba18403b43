//! Who the two sides are to each other: every scheme, challenges, and those who fail.

use super::*;
use crate::dm::auth::HmacClaim;

#[test]
fn where_tls_has_to_do_it_a_device_without_a_certificate_is_turned_away() {
    let mut bench = bench(Scheme::None);
    bench.sessions.settings.needs_certificate = true;
    bench.want(7, visit());
    bench.hear(None, bench.package_1(1200));
    bench.check(&[
        "trigger for 7: session 8000, account's nonce",
        "#1, SyncHdr 407, Alert 407, Replace 407, Final",
        "TurnedAway { }",
        "failed 7: NotAuthenticated, 0 to undo",
    ]);
}

#[test]
fn basic_credentials_are_answered_with_212_and_ours_come_at_once() {
    let mut bench = bench(Scheme::Basic);
    let cred = auth::cred(Scheme::Basic, device_id(DEVICE).as_str(), &bench.secret(Derived::ClientSecret), &[]);
    bench.want(7, visit());
    bench.hear(cred, bench.package_1(1200));
    // The device accepts us for the session: from then on neither side sends credentials.
    bench.hear(None, bench.package_3(212, 200, ""));
    bench.check(&[
        "trigger for 7: session 8000, account's nonce",
        &format!("#1, with basic, SyncHdr 212, Alert 200, Replace 200, {VISIT}"),
        OPENED,
        "#2, SyncHdr 200, Final",
        "finished 7, 0 to undo",
        ENDED,
    ]);
}

#[test]
fn md5_by_the_stored_nonce_needs_no_challenge_and_leaves_a_nonce_for_the_next_session() {
    let mut bench = bench(Scheme::Md5);
    let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
    bench.want(7, visit());
    bench.hear(bench.md5(&secret, &nonce), bench.package_1(1200));
    let next = bench.challenged_with();
    let mut body = bench.package_3(200, 200, "");
    let Element::Status(status) = &mut body[0] else { panic!("no status") };
    status.chal = auth::chal(Scheme::Md5, b"device's next");
    // 200: believed for this message only, so our credentials come again, by the nonce just given.
    bench.hear(None, body);
    bench.check(&[
        "trigger for 7: session 8000, account's nonce",
        &format!("#1, with md5, SyncHdr 212+nonce, Alert 200, Replace 200, {VISIT}"),
        OPENED,
        "#2, with md5, SyncHdr 200, Final",
        "finished 7, 0 to undo",
        ENDED,
    ]);
    let cred = bench.said.as_ref().unwrap().header.cred.clone().unwrap();
    let ours = bench.secret(Derived::ServerSecret);
    assert!(auth::proves(&cred, Scheme::Md5, "dms1.example.test", &ours, b"device's next"));

    bench.want(8, visit());
    bench.hear(bench.md5(&secret, &next), bench.package_1(1200));
    let lines = std::mem::take(&mut bench.transcript);
    assert_eq!(lines[0], "trigger for 8: session 8001, another nonce");
    assert!(lines[1].contains("SyncHdr 212+nonce"), "{lines:?}");
}

#[test]
fn a_stale_nonce_and_missing_credentials_are_challenged_on_every_command_and_a_retry_is_accepted() {
    for (stale, code, missing) in [(Some(&b"stale"[..]), 401, false), (None, 407, true)] {
        let mut bench = bench(Scheme::Md5);
        let secret = bench.secret(Derived::ClientSecret);
        bench.want(7, visit());
        bench.hear(stale.and_then(|nonce| bench.md5(&secret, nonce)), bench.package_1(1200));
        bench.check(&[
            "trigger for 7: session 8000, account's nonce",
            &format!("#1, with md5, SyncHdr {code}+nonce, Alert {code}+nonce, Replace {code}+nonce, Final"),
            &format!("Challenged {{ , missing: {missing} }}"),
        ]);
        let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 212))];
        body.extend(bench.package_1(1200));
        bench.hear(bench.md5(&secret, &bench.challenged_with()), body);
        bench.hear(None, bench.package_3(212, 200, ""));
        bench.check(&[
            &format!("#2, SyncHdr 212+nonce, Alert 200, Replace 200, {VISIT}"),
            OPENED,
            "#3, SyncHdr 200, Final",
            "finished 7, 0 to undo",
            ENDED,
        ]);
    }
}

#[test]
fn a_wrong_password_is_turned_away_the_second_time_without_a_challenge() {
    let mut bench = bench(Scheme::Md5);
    let nonce = bench.nonce(Derived::ClientNonce);
    bench.want(7, visit());
    bench.hear(bench.md5("wrong", &nonce), bench.package_1(1200));
    bench.hear(bench.md5("wrong", &bench.challenged_with()), bench.package_1(1200));
    bench.check(&[
        "trigger for 7: session 8000, account's nonce",
        "#1, with md5, SyncHdr 401+nonce, Alert 401+nonce, Replace 401+nonce, Final",
        "Challenged { , missing: false }",
        "#2, with md5, SyncHdr 401, Alert 401, Replace 401, Final",
        "TurnedAway { }",
        "failed 7: NotAuthenticated, 0 to undo",
    ]);
    // It would try for ever: what it says in a session that is over gets a status that ends it.
    for _ in 0..128 {
        let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 401))];
        body.extend(bench.package_1(1200));
        bench.hear(bench.md5("wrong", &nonce), body);
        bench.check(&["HTTP 400"]);
    }
    bench.wait(10);
    assert_eq!((bench.sessions.deadline(), bench.sessions.open()), (Moment::NEVER, 0));
}

#[test]
fn a_device_that_was_turned_away_may_begin_anew_with_the_same_number() {
    let mut bench = bench(Scheme::Md5);
    let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
    bench.session = "1a".into();
    for _ in 0..2 {
        bench.hear(bench.md5("wrong", &nonce), bench.package_1(1201));
    }
    bench.transcript.clear();
    bench.hear(bench.md5(&secret, &nonce), bench.package_1(1201));
    bench.check(&["#1, with md5, SyncHdr 212+nonce, Alert 200, Replace 200, Final", OPENED, "connected", ENDED]);
}

#[test]
fn the_number_of_a_session_is_hexadecimal_in_whatever_letters() {
    for written in ["800a", "800A", "0800A"] {
        let mut bench = bench(Scheme::Md5);
        // Ten calls that nobody heeds: 8000 to 8009.
        for ticket in 0..10 {
            bench.want(ticket, visit());
            bench.wait(10);
        }
        bench.want(10, visit());
        assert_eq!(bench.session, "800A");
        bench.session = written.into();
        bench.transcript.clear();
        bench.hear(None, bench.package_1(1200));
        bench.hear(None, bench.package_1(1200));
        assert_eq!(bench.transcript.last().unwrap(), "failed 10: NotAuthenticated, 0 to undo", "{written}");
        assert_eq!(bench.said.as_ref().unwrap().header.session_id, written, "as the device wrote it");
    }
}

#[test]
fn a_device_that_speaks_another_scheme_is_asked_for_ours() {
    for (wrong, ours, code) in
        [(Scheme::Basic, Scheme::Md5, 401), (Scheme::Md5, Scheme::Basic, 401), (Scheme::Md5, Scheme::Hmac, 407)]
    {
        let mut bench = bench(ours);
        let (name, secret) = (bench.secret(Derived::ClientName), bench.secret(Derived::ClientSecret));
        let nonce = bench.nonce(Derived::ClientNonce);
        bench.session = "1".into();
        bench.hear(auth::cred(wrong, &name, &secret, &nonce), bench.package_1(1201));
        let status = bench.said.as_ref().unwrap().header_status().unwrap().clone();
        let chal = status.chal.unwrap();
        assert_eq!((status.code, Some(chal.scheme.as_str())), (code, ours.syncml_type()));
        let nonce = chal.next_nonce.map(|nonce| auth::nonce_octets(&nonce)).unwrap_or_default();
        let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 212))];
        body.extend(bench.package_1(1201));
        bench.transcript.clear();
        if ours == Scheme::Hmac {
            bench.hear_sealed(&nonce, body);
        } else {
            bench.hear(auth::cred(ours, &name, &secret, &nonce), body);
        }
        assert_eq!(bench.transcript[1], OPENED, "{wrong:?} to {ours:?}");
    }
}

#[test]
fn a_device_may_send_its_credentials_in_every_message_or_in_the_first_alone() {
    for in_each in [true, false] {
        let mut bench = bench(Scheme::Md5);
        let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
        bench.want(7, visit());
        bench.hear(bench.md5(&secret, &nonce), bench.package_1(1200));
        let next = bench.challenged_with();
        // 200 is as good as 212.
        let body = bench.package_3(if in_each { 200 } else { 212 }, 200, "");
        bench.hear(if in_each { bench.md5(&secret, &next) } else { None }, body);
        assert_eq!(bench.transcript.last().unwrap(), ENDED, "{in_each}");
    }
}

#[test]
fn somebody_who_only_claims_to_be_the_device_harms_no_session() {
    let mut bench = bench(Scheme::Md5);
    let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
    bench.want(7, visit());
    bench.hear(bench.md5(&secret, &nonce), bench.package_1(1200));
    let said = bench.said.clone();
    let session = std::mem::replace(&mut bench.session, "66".into());
    bench.transcript.clear();
    for _ in 0..2 {
        bench.hear(bench.md5("wrong", b""), bench.package_1(1201));
    }
    bench.check(&[
        "#1, with md5, SyncHdr 401+nonce, Alert 401+nonce, Replace 401+nonce, Final",
        "Challenged { , missing: false }",
        "#2, with md5, SyncHdr 401, Alert 401, Replace 401, Final",
        "TurnedAway { }",
    ]);
    let next = {
        (bench.session, bench.said) = (session, said);
        bench.challenged_with()
    };
    bench.hear(None, bench.package_3(212, 200, ""));
    bench.check(&["#2, SyncHdr 200, Final", "finished 7, 0 to undo", ENDED]);
    // Nor does it put the two out of step: the nonce given before still counts, and so does the device's own.
    let strange = Status { chal: auth::chal(Scheme::Md5, b"strange"), ..bench.status("0", "SyncHdr", 401) };
    let session = std::mem::replace(&mut bench.session, "67".into());
    bench.hear(bench.md5("wrong", b""), vec![Element::Status(strange)]);
    bench.session = session;
    bench.want(8, visit());
    bench.hear(bench.md5(&secret, &next), bench.package_1(1200));
    let lines = std::mem::take(&mut bench.transcript);
    assert!(lines.contains(&"trigger for 8: session 8001, account's nonce".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), OPENED, "{lines:?}");
}

#[test]
fn hmac_seals_and_checks_every_message_with_a_new_nonce_each() {
    let mut bench = bench(Scheme::Hmac);
    let nonce = bench.nonce(Derived::ClientNonce);
    bench.want(7, visit());
    bench.hear_sealed(&nonce, bench.package_1(1200));
    bench.check(&[
        "trigger for 7: session 8000, account's nonce",
        &format!("#1, SyncHdr 200+nonce, Alert 200, Replace 200, {VISIT}"),
        OPENED,
    ]);
    assert_eq!(bench.sealed_for, Some(bench.nonce(Derived::ServerNonce)));
    assert_eq!(bench.said.as_ref().unwrap().header.source.name.as_deref(), Some("dms1.example.test"));
    // The nonce of the message before does not do any more; a challenge, and the right one.
    bench.hear_sealed(&nonce, bench.package_3(200, 200, ""));
    bench.check(&["#2, SyncHdr 401+nonce, Final", "Challenged { , missing: false }"]);
    let mut body = vec![Element::Status(bench.status("0", "SyncHdr", 200))];
    let Element::Status(status) = &mut body[0] else { panic!("no status") };
    status.chal = auth::chal(Scheme::Hmac, b"device's next");
    body.push(Element::Status(Status { msg_ref: "1".into(), ..bench.status("4", "Get", 200) }));
    bench.hear_sealed(&bench.challenged_with(), body);
    bench.check(&["#3, SyncHdr 200+nonce, Final", "finished 7, 0 to undo", ENDED]);
    assert_eq!(bench.sealed_for.as_deref(), Some(&b"device's next"[..]));
}

#[test]
fn a_claim_is_over_the_body_it_came_with() {
    let mut bench = bench(Scheme::Hmac);
    let message = bench.message(None, bench.package_1(1201));
    let seal = HmacCredentials {
        name: bench.secret(Derived::ClientName),
        secret: bench.secret(Derived::ClientSecret),
        nonce: bench.nonce(Derived::ClientNonce),
    };
    bench.session = "1".into();
    let hmac = HmacClaim::read(&seal.header(b"another body"), b"this body");
    let envelope = Envelope { hmac, ..Envelope::plain(message) };
    bench.tell(Input::Received { exchange: 0, envelope, client_certificate: true });
    bench.check(&[
        "#1, SyncHdr 401+nonce, Alert 401+nonce, Replace 401+nonce, Final",
        "Challenged { , missing: false }",
    ]);
}

#[test]
fn a_device_that_does_not_believe_us_gets_the_same_orders_again_once() {
    let mut bench = bench(Scheme::Md5);
    let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
    bench.want(7, visit());
    bench.hear(bench.md5(&secret, &nonce), bench.package_1(1200));
    bench.transcript.clear();
    let rejection = |bench: &Bench, nonce: &[u8]| {
        let mut body = bench.package_3(401, 401, "");
        let Element::Status(status) = &mut body[0] else { panic!("no status") };
        status.chal = auth::chal(Scheme::Md5, nonce);
        body
    };
    bench.hear(None, rejection(&bench, b"one"));
    bench.check(&[&format!("#2, with md5, SyncHdr 200, {VISIT}")]);
    let cred = bench.said.as_ref().unwrap().header.cred.clone().unwrap();
    let ours = bench.secret(Derived::ServerSecret);
    assert!(auth::proves(&cred, Scheme::Md5, "dms1.example.test", &ours, b"one"));
    bench.hear(None, rejection(&bench, b"two"));
    bench.check(&[
        "#3, with md5, SyncHdr 200, Final",
        "NotBelieved { }",
        "failed 7: NotAuthenticated, 0 to undo",
        BROKEN,
    ]);
}

#[test]
fn an_account_made_anew_begins_with_the_books_nonces() {
    let mut bench = bench(Scheme::Md5);
    let (secret, nonce) = (bench.secret(Derived::ClientSecret), bench.nonce(Derived::ClientNonce));
    for ticket in [7, 8] {
        bench.want(ticket, visit());
        bench.msg_id = 0;
        bench.hear(bench.md5(&secret, &nonce), bench.package_1(1200));
        bench.hear(None, bench.package_3(212, 200, ""));
        let lines = std::mem::take(&mut bench.transcript);
        assert!(lines[0].ends_with("account's nonce"), "{lines:?}");
        assert!(lines[1].contains("SyncHdr 212+nonce"), "{lines:?}");
        bench.tell(Input::AccountGone { device: DEVICE });
    }
}
