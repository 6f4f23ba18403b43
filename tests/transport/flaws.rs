//! Certificates that should not do, at the doors and shown by a door.

use std::fs;

use dmswarm::transport::certs::{Flaw, WRONG_NAME};
use dmswarm::transport::{CallError, ClientAuth, DialerOptions, Refuser, TlsFault, Trouble};

use crate::world::{DMS1, DMS2, World, address, echo, post, run, troubled};

#[test]
fn a_door_refuses_a_flawed_certificate_and_the_caller_knows_why() {
    run(async {
        let world = World::new("flawed");
        let doors = world.open(vec![world.door(ClientAuth::Required)], echo).await;
        let (dialer, caller) = (world.dialer(DialerOptions::default()), world.caller());
        let target = address(DMS1, doors.addresses()[0].port());
        let show = |flaw| {
            let flawed = world.certs.flawed(DMS2, flaw).unwrap();
            Trouble { identity: Some(world.caller_as(Some(&flawed))), ..Trouble::default() }
        };
        // TLS has one alert for all that is out of its time (RFC 8446, 6.2).
        let refusals = [
            (Flaw::WrongCa, TlsFault::UnknownAuthority),
            (Flaw::Expired, TlsFault::Expired),
            (Flaw::NotYetValid, TlsFault::Expired),
        ];
        for (flaw, fault) in refusals {
            for attempt in 0..5 {
                let error = dialer.call(troubled(post(&target, &caller, "x"), show(flaw))).await.unwrap_err();
                let expected = CallError::Tls { host: DMS1.to_string(), by: Refuser::Peer, fault: fault.clone() };
                assert_eq!(error, expected, "{flaw:?}, attempt {attempt}");
            }
        }
        assert_eq!(doors.counts().requests(), 0);
        // Who it is made out to, the handler has to ask.
        let reply = dialer.call(troubled(post(&target, &caller, "x"), show(Flaw::WrongName))).await.unwrap();
        assert_eq!(reply.header("x-caller"), Some(WRONG_NAME));
        assert_eq!(dialer.call(post(&target, &caller, "x")).await.unwrap().header("x-caller"), Some(DMS2));
    });
}

#[test]
fn a_server_with_a_flawed_certificate_is_refused_by_us() {
    run(async {
        let world = World::new("flawed-server");
        let faults = [
            (Flaw::WrongCa, TlsFault::UnknownAuthority),
            (Flaw::Expired, TlsFault::Expired),
            (Flaw::NotYetValid, TlsFault::NotYetValid),
            (Flaw::WrongName, TlsFault::WrongName),
        ];
        for (flaw, fault) in faults {
            let identity = world.certs.flawed(DMS1, flaw).unwrap();
            let doors = world.open(vec![world.door_of(&identity, ClientAuth::Required)], echo).await;
            let target = address(DMS1, doors.addresses()[0].port());
            let error =
                world.dialer(DialerOptions::default()).call(post(&target, &world.caller(), "x")).await.unwrap_err();
            assert_eq!(error, CallError::Tls { host: DMS1.to_string(), by: Refuser::Us, fault }, "{flaw:?}");
        }
    });
}

#[test]
fn making_a_flawed_identity_touches_no_file() {
    let world = World::new("flawed-files");
    world.certs.identity(DMS2, &[]).unwrap();
    let files = || {
        let files = fs::read_dir(world.certs.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (fs::read(&path).unwrap(), path)).collect();
        files.sort();
        files
    };
    let before = files();
    for flaw in [Flaw::WrongCa, Flaw::Expired, Flaw::NotYetValid, Flaw::WrongName] {
        for name in [DMS1, DMS2] {
            let expected = if flaw == Flaw::WrongName { WRONG_NAME } else { name };
            assert!(world.certs.flawed(name, flaw).unwrap().names().iter().eq([expected]), "{flaw:?}");
        }
        let not_a_name = world.certs.flawed("no name", flaw);
        assert!(flaw == Flaw::WrongName || not_a_name.is_err(), "{flaw:?}");
    }
    assert!(before == files());
}
