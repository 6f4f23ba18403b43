//! Tests of the folder of certificates.

use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::time::Duration;

use super::*;

const NAME: &str = "dms1.example.test";

/// A folder of its own for one test, deleted afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("dmswarm-certs-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Scratch(path)
    }

    fn open(&self) -> CertificateFolder {
        CertificateFolder::open(&self.0).unwrap()
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn made_on_first_use_and_the_same_afterwards() {
    let scratch = Scratch::new("first-use");
    let folder = scratch.open();
    let made = folder.identity(NAME, &["alias.example.test".to_string()]).unwrap();
    assert_eq!(made.names().iter().collect::<Vec<_>>(), [NAME, "alias.example.test"]);
    assert!(made.names().holds("DMS1.example.test") && !made.names().holds("localhost"));
    let before =
        (scratch.bytes("ca.pem"), scratch.bytes("dms1.example.test.pem"), scratch.bytes("dms1.example.test.key"));
    scratch.open().identity(NAME, &[]).unwrap();
    let after =
        (scratch.bytes("ca.pem"), scratch.bytes("dms1.example.test.pem"), scratch.bytes("dms1.example.test.key"));
    assert!(before == after, "a second use changed the files");
}

#[test]
fn private_keys_are_for_the_owner_alone() {
    let scratch = Scratch::new("modes");
    scratch.open().identity(NAME, &[]).unwrap();
    for key in ["ca.key", "dms1.example.test.key"] {
        assert_eq!(fs::metadata(scratch.0.join(key)).unwrap().permissions().mode() & 0o777, 0o600, "{key}");
    }
    assert!(fs::read_to_string(scratch.0.join(".gitignore")).unwrap().contains("*.key"));
    let leftovers: Vec<_> = fs::read_dir(&scratch.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("tmp"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn all_who_race_for_an_identity_end_with_the_same_one() {
    let scratch = Scratch::new("race");
    let start = Barrier::new(8);
    let fingerprints: Vec<String> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    scratch.open().identity(NAME, &[]).unwrap();
                    scratch.open().list().unwrap().into_iter().map(|one| one.fingerprint.unwrap()).collect::<String>()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert!(fingerprints.iter().all(|other| *other == fingerprints[0]));
}

#[test]
fn a_deleted_certificate_is_made_anew_for_the_same_key() {
    let scratch = Scratch::new("deleted");
    scratch.open().identity(NAME, &[]).unwrap();
    let key = scratch.bytes("dms1.example.test.key");
    fs::remove_file(scratch.0.join("dms1.example.test.pem")).unwrap();
    scratch.open().identity(NAME, &[]).unwrap();
    assert!(scratch.bytes("dms1.example.test.key") == key);
    // The same holds for the CA: what it signed before still verifies, since name and key are the same.
    fs::remove_file(scratch.0.join("ca.pem")).unwrap();
    scratch.open().identity(NAME, &[]).unwrap();
}

/// Spoils a folder that holds a CA and one identity, and expects this error when the identity is used next.
#[track_caller]
fn check(test: &str, spoil: impl FnOnce(&Scratch, &CertificateFolder), named: &[&str]) {
    let scratch = Scratch::new(test);
    let folder = scratch.open();
    folder.identity(NAME, &[]).unwrap();
    spoil(&scratch, &folder);
    let error =
        CertificateFolder::open(&scratch.0).and_then(|folder| folder.identity(NAME, &[])).unwrap_err().to_string();
    for part in named.iter().chain(&["delete", "dmswarm certs --renew"]) {
        assert!(error.contains(part), "{part:?} is missing in: {error}");
    }
}

/// Puts a certificate in place of the identity's, made out at another time, to another name or by another CA.
fn replace(scratch: &Scratch, name: &str, now: SystemTime, authority_key: rcgen::KeyPair) {
    let pair = Pair::of(&scratch.0, NAME);
    let key = making::key().unwrap();
    let until = now + Duration::from_secs(86_400);
    pair.write(&key, &making::identity(&[name], &key, authority_key, now, until).unwrap()).unwrap();
}

fn authority_key(scratch: &Scratch) -> rcgen::KeyPair {
    Pair::of(&scratch.0, CA).signing_key().unwrap()
}

#[test]
fn what_cannot_be_used_is_said_and_never_replaced() {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    check(
        "expired",
        |scratch, _| replace(scratch, NAME, wall_now() - days(10), authority_key(scratch)),
        &["dms1.example.test.pem", "expired at 20"],
    );
    check(
        "too-early",
        |scratch, _| replace(scratch, NAME, wall_now() + days(10), authority_key(scratch)),
        &["dms1.example.test.pem", "valid only from 20", "clock"],
    );
    check(
        "wrong-name",
        |scratch, _| replace(scratch, "dms2.example.test", wall_now(), authority_key(scratch)),
        &["dms1.example.test.pem", "for dms1.example.test", "one for dms2.example.test"],
    );
    check(
        "foreign",
        |scratch, _| replace(scratch, NAME, wall_now(), making::key().unwrap()),
        &["dms1.example.test.pem", "signed by", "ca.pem"],
    );
    check(
        "key-swapped",
        |scratch, _| {
            let key = making::key().unwrap().serialize_pem();
            fs::write(scratch.0.join("dms1.example.test.key"), key).unwrap();
        },
        &["dms1.example.test.key", "private key of", "another"],
    );
    check(
        "key-lost",
        |scratch, _| fs::remove_file(scratch.0.join("dms1.example.test.key")).unwrap(),
        &["dms1.example.test.key", "no such file"],
    );
    check(
        "garbage",
        |scratch, _| fs::write(scratch.0.join("dms1.example.test.pem"), "no PEM").unwrap(),
        &["dms1.example.test.pem", "expected a certificate in PEM"],
    );
    check(
        "garbage-in-pem",
        |scratch, _| {
            let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            fs::write(scratch.0.join("dms1.example.test.pem"), text).unwrap();
        },
        &["dms1.example.test.pem", "expected a certificate in PEM"],
    );
    check(
        "garbage-key",
        |scratch, _| fs::write(scratch.0.join("dms1.example.test.key"), "no PEM").unwrap(),
        &["dms1.example.test.key", "expected a private key in PEM"],
    );
    check(
        "authority-expired",
        |scratch, _| {
            let key = authority_key(scratch);
            let made = making::authority(&key, wall_now() - days(3_651)).unwrap();
            Pair::of(&scratch.0, CA).write(&key, &made).unwrap();
        },
        &["ca.pem", "expired at 20"],
    );
    check(
        "authority-garbage",
        |scratch, _| fs::write(scratch.0.join("ca.pem"), "").unwrap(),
        &["ca.pem", "expected a certificate in PEM"],
    );
}

#[test]
fn an_identity_is_not_made_with_a_key_that_is_not_the_authoritys() {
    let scratch = Scratch::new("authority-key");
    let folder = scratch.open();
    fs::write(scratch.0.join("ca.key"), making::key().unwrap().serialize_pem()).unwrap();
    assert!(matches!(folder.identity(NAME, &[]), Err(CertError::KeyMismatch { .. })));
    fs::remove_file(scratch.0.join("ca.key")).unwrap();
    assert!(matches!(folder.identity(NAME, &[]), Err(CertError::KeyMissing { .. })));
    assert!(!scratch.0.join("dms1.example.test.pem").exists());
}

#[test]
fn only_host_names_are_certified() {
    let scratch = Scratch::new("names");
    let folder = scratch.open();
    for name in ["", "a b", "urn:x:1", "../ca", "127.0.0.1", "-"] {
        assert!(matches!(folder.identity(name, &[]), Err(CertError::NotAName { .. })), "{name:?}");
    }
    // A party called "ca" does not touch the CA.
    let before = scratch.bytes("ca.pem");
    assert!(folder.identity("ca", &[]).unwrap().names().holds("ca"));
    assert!(scratch.bytes("ca.pem") == before);
}

#[test]
fn file_names_are_safe_and_differ() {
    let cases = [
        ("dms1.example.test", "dms1.example.test"),
        ("DMS1.example.test", "dms1.example.test"),
        ("ca", "%63a"),
        ("ca.example", "ca.example"),
        (".hidden", "%2ehidden"),
        ("../up", "%2e.%2fup"),
        ("a%2fb", "a%252fb"),
        ("a/b", "a%2fb"),
    ];
    for (name, expected) in cases {
        assert_eq!(file_stem(name), expected);
    }
}

#[test]
fn the_list_tells_what_is_there_and_what_is_wrong() {
    let scratch = Scratch::new("list");
    let folder = scratch.open();
    folder.identity("dms2.example.test", &[]).unwrap();
    folder.identity(NAME, &["alias.example.test".to_string()]).unwrap();
    replace(&scratch, NAME, wall_now() - Duration::from_secs(20 * 86_400), authority_key(&scratch));
    let listed = folder.list().unwrap();
    let files: Vec<_> = listed.iter().map(|one| one.file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(files, ["ca.pem", "dms1.example.test.pem", "dms2.example.test.pem"]);
    assert!(listed[0].problem.is_none() && listed[2].problem.is_none());
    assert!(matches!(listed[1].problem, Some(CertError::Expired { .. })));
    assert_eq!(listed[2].names, ["dms2.example.test"]);
    assert_eq!(listed[2].fingerprint.as_ref().unwrap().len(), 32 * 3 - 1);
    let days =
        |one: &Listed| one.not_after.unwrap().duration_since(wall_now()).map_or(0, |left| left.as_secs() / 86_400);
    // Made a moment ago, so that the last day is not whole any more.
    assert_eq!((days(&listed[0]), days(&listed[1]), days(&listed[2])), (3_649, 0, 364));
}

#[test]
fn renewing_makes_a_new_authority_and_forgets_its_identities() {
    let scratch = Scratch::new("renew");
    scratch.open().identity(NAME, &[]).unwrap();
    let before = (scratch.bytes("ca.pem"), scratch.bytes("ca.key"), scratch.bytes("dms1.example.test.key"));
    let folder = CertificateFolder::renew(&scratch.0).unwrap();
    assert!(!scratch.0.join("dms1.example.test.pem").exists());
    folder.identity(NAME, &[]).unwrap();
    assert!(scratch.bytes("ca.pem") != before.0 && scratch.bytes("ca.key") != before.1);
    assert!(scratch.bytes("dms1.example.test.key") != before.2);
}

#[test]
fn renewing_spares_a_folder_that_is_not_ours() {
    let scratch = Scratch::new("strange");
    fs::create_dir_all(&scratch.0).unwrap();
    fs::write(scratch.0.join("www.pem"), "theirs").unwrap();
    assert!(matches!(CertificateFolder::renew(&scratch.0), Err(CertError::StrangeFolder { .. })));
    assert_eq!(scratch.bytes("www.pem"), b"theirs");
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let scratch = Scratch::new("no-folder");
    fs::write(&scratch.0, "a file").unwrap();
    let error = CertificateFolder::open(&scratch.0).unwrap_err().to_string();
    assert!(error.contains("cannot be") && error.contains("--certs DIR"), "{error}");
    fs::remove_file(&scratch.0).unwrap();
}

#[test]
fn a_device_has_the_same_key_at_every_run_and_no_other_device_has_it() {
    let (scratch, other) = (Scratch::new("devices"), Scratch::new("devices-of-others"));
    let key = |folder: &CertificateFolder, id: &str| {
        let identity = folder.device_issuer().unwrap().identity(id, 1, Standing::Good).unwrap();
        identity.public_key()
    };
    let ids = ["urn:imei:004999010000013", "urn:imei:004999010000021"];
    let [one, another] = ids.map(|id| key(&scratch.open(), id));
    assert_eq!(one, key(&scratch.open(), ids[0]));
    assert_ne!(one, another);
    assert_ne!(one, key(&other.open(), ids[0]), "another CA has other devices");
    let files: Vec<_> = fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 4, "nothing is written but the CA: {files:?}");
}

#[test]
fn what_cannot_stand_in_a_certificate_is_no_id_of_a_device() {
    let scratch = Scratch::new("no-device");
    let made = scratch.open().device_issuer().unwrap().identity("urn:imei:\u{e9}", 1, Standing::Good);
    assert!(matches!(made, Err(CertError::Making { .. })));
}
