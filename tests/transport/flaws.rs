//! Certificates that should not do, at the doors and shown by a door.

use std::fs;

use dmswarm::transport::certs::{Flaw, Standing, WRONG_NAME};
use dmswarm::transport::tls::{Handshakes, Versions, client_config, server_config_with_revocations};
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
fn a_door_for_devices_lets_in_those_whose_certificates_are_good_and_not_taken_back() {
    const ID: &str = "urn:imei:004999010000013";
    run(async {
        let world = World::new("devices");
        let issuer = world.certs.device_issuer().unwrap();
        let revoked = issuer.revoke([7, 9].into_iter()).unwrap();
        let mut door = world.door(ClientAuth::Optional);
        let (own, roots) = (world.certs.identity(DMS1, &[]).unwrap(), world.certs.roots());
        door.tls = server_config_with_revocations(&own, roots, ClientAuth::Optional, Some(&revoked)).unwrap();
        let doors = world.open(vec![door], echo).await;
        let target = address(DMS1, doors.addresses()[0].port());
        let refused = |fault| Err(CallError::Tls { host: DMS1.to_string(), by: Refuser::Peer, fault });
        for (serial, standing, expected) in [
            (8, Standing::Good, Ok(200)),
            (7, Standing::Good, refused(TlsFault::Revoked)),
            (9, Standing::Good, refused(TlsFault::Revoked)),
            (1, Standing::Expired, refused(TlsFault::Expired)),
            (1, Standing::WrongCa, refused(TlsFault::UnknownAuthority)),
        ] {
            for versions in [Versions::Only12, Versions::Only13] {
                let identity = issuer.identity(ID, serial, standing).unwrap();
                let handshakes = Handshakes { versions, ..Handshakes::default() };
                let caller = client_config(world.certs.roots(), Some(&identity), handshakes).unwrap();
                // In a connection of its own, which waits for the door's word on the certificate before it asks.
                let call =
                    troubled(post(&target, &caller, "x"), Trouble { full_handshake: true, ..Trouble::default() });
                let answered = world.dialer(DialerOptions::default()).call(call).await.map(|reply| reply.status);
                assert_eq!(answered, expected, "{serial}, {standing:?}, {versions:?}");
            }
        }
        // A server, whose certificate is of the same CA, is on no list.
        let server = world.caller();
        assert_eq!(world.dialer(DialerOptions::default()).call(post(&target, &server, "x")).await.unwrap().status, 200);
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
