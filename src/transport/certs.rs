//! The folder of certificates: an own CA and one identity per party, made on first use, checked at every use.
//!
//! `ca.pem` and `ca.key`, then `<party>.pem` and `<party>.key` for each party. Keys have mode 0600. A file appears whole or
//! not at all, and two processes that need the same identity at once end with the same one. Nothing that is there is
//! ever replaced unasked: what cannot be used is a [`CertError`] that says how to mend it.

mod checking;
mod devices;
mod flawed;
mod foreign;
mod making;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::clock::wall_now;
use crate::transport::tls::Identity;

pub use checking::fingerprint;
pub use devices::{DeviceIssuer, Revocations, Standing};
pub use flawed::{Flaw, WRONG_NAME};
pub use foreign::identity_of;

/// Held while something is made, so that two processes do not both make it. Also marks a folder as ours.
const LOCK: &str = ".lock";
/// File name of the CA, without its ending.
const CA: &str = "ca";
/// Written into a folder that we make ourselves, so that no key is committed by accident.
const GIT_IGNORE: &str = "*.key\n*.pem\n.lock\n";

/// What to do about a certificate that cannot be used; ends most messages of [`CertError`].
const WAY_OUT: &str = "delete it (a new one is made at the next run) or run `dmswarm certs --renew`";

/// An identity or the CA that cannot be used, or a folder that cannot hold them.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// The folder or a file in it cannot be read or written.
    #[error("certificates: {} cannot be {attempted} ({problem}); choose a folder that can, with --certs DIR", path.display())]
    Folder { path: PathBuf, attempted: &'static str, problem: io::Error },
    /// A file that is there, and that this user may not read.
    #[error("{} cannot be read ({problem}); give this user the right to read it, or choose another folder with --certs DIR", path.display())]
    Closed { path: PathBuf, problem: io::Error },
    /// Not a certificate or key in PEM.
    #[error("{}: expected {expected} in PEM, found {found}; {WAY_OUT}", path.display())]
    Unreadable { path: PathBuf, expected: &'static str, found: String },
    /// Its time is over.
    #[error("{}: expected a valid certificate, found one that expired at {}; {WAY_OUT}", path.display(), shown(*.not_after))]
    Expired { path: PathBuf, not_after: SystemTime },
    /// Its time has not come.
    #[error(
        "{}: expected a valid certificate, found one that is valid only from {}; set this machine's clock, or {WAY_OUT}",
        path.display(), shown(*.not_before)
    )]
    NotYetValid { path: PathBuf, not_before: SystemTime },
    /// It is the certificate of somebody else.
    #[error("{}: expected a certificate for {expected}, found one for {}; {WAY_OUT}", path.display(), found.join(", "))]
    WrongName { path: PathBuf, expected: String, found: Vec<String> },
    /// Another CA signed it, or it may not be used for TLS servers and clients.
    #[error("{}: expected a certificate signed by {}, found that it does not verify ({found}); {WAY_OUT}", path.display(), ca.display())]
    NotOurs { path: PathBuf, ca: PathBuf, found: String },
    /// The private key belongs to another certificate.
    #[error("{}: expected the private key of {}, found another one; delete both, or run `dmswarm certs --renew`", key.display(), path.display())]
    KeyMismatch { path: PathBuf, key: PathBuf },
    /// There is a certificate, but not its private key.
    #[error("{}: expected the private key of {}, found no such file; put it there, or delete {1}, or run `dmswarm certs --renew`", key.display(), path.display())]
    KeyMissing { path: PathBuf, key: PathBuf },
    /// No certificate can be made out to this name.
    #[error("no certificate can be made for \"{name}\": expected a host name such as dms1.example.test")]
    NotAName { name: String },
    /// What another CA has issued, and a scenario names.
    #[error("{}, which the scenario names, cannot be used: {problem}; expected a file in PEM that this user may read", path.display())]
    Foreign { path: PathBuf, problem: String },
    /// Renewing would delete files that we did not make.
    #[error("{}: holds certificates that dmswarm did not make, so they are not renewed; choose another folder with --certs DIR", path.display())]
    StrangeFolder { path: PathBuf },
    /// The certificate library refused.
    #[error("a certificate for \"{name}\" could not be made: {problem}")]
    Making { name: String, problem: String },
}

/// One certificate of the folder, for people.
#[derive(Debug)]
pub struct Listed {
    /// Its certificate file.
    pub file: PathBuf,
    /// Whether it is the CA.
    pub is_authority: bool,
    /// The host names it is made out to; empty for the CA.
    pub names: Vec<String>,
    /// When its time is over; `None` when it cannot be read.
    pub not_after: Option<SystemTime>,
    /// SHA-256 of the certificate, in hexadecimal with colons; `None` when it cannot be read.
    pub fingerprint: Option<String>,
    /// Why it cannot be used; `None` when it can.
    pub problem: Option<CertError>,
}

/// An opened folder of certificates, with a CA that is valid now.
#[derive(Debug, Clone)]
pub struct CertificateFolder {
    path: PathBuf,
    ca: CertificateDer<'static>,
    roots: Arc<RootCertStore>,
}

impl CertificateFolder {
    /// Opens the folder, making it and its CA when they are not there yet.
    pub fn open(path: impl Into<PathBuf>) -> Result<CertificateFolder, CertError> {
        let path = path.into();
        let ca = Pair::of(&path, CA);
        if !ca.certificate.exists() {
            make_folder(&path)?;
            let _held = hold(&path)?;
            if !ca.certificate.exists() {
                let key = ca.key_for_making()?;
                ca.write(&key, &making::authority(&key, wall_now())?)?;
            }
        }
        let (certificate, _) = checking::read_certificate(&ca.certificate)?;
        checking::in_time(&ca.certificate, &certificate, wall_now())?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).map_err(|problem| CertError::Unreadable {
            path: ca.certificate.clone(),
            expected: "a CA certificate",
            found: problem.to_string(),
        })?;
        Ok(CertificateFolder { path, ca: certificate, roots: Arc::new(roots) })
    }

    /// Makes a new CA in place of the old one; the identities that the old one signed go, and are made anew at their next use.
    ///
    /// Only a folder in which this program has made certificates is touched.
    pub fn renew(path: impl Into<PathBuf>) -> Result<CertificateFolder, CertError> {
        let path = path.into();
        if path.exists() {
            let pairs = pairs(&path)?;
            if !pairs.is_empty() && !path.join(LOCK).exists() {
                return Err(CertError::StrangeFolder { path });
            }
            let _held = hold(&path)?;
            for pair in pairs {
                remove(&pair.certificate)?;
                remove(&pair.key)?;
            }
        }
        CertificateFolder::open(path)
    }

    /// The identity of a party, made when it is not there yet; valid for its name and for `extra_names`.
    pub fn identity(&self, name: &str, extra_names: &[String]) -> Result<Identity, CertError> {
        let names: Vec<&str> = std::iter::once(name).chain(extra_names.iter().map(String::as_str)).collect();
        let pair = Pair::of(&self.path, &file_stem(name));
        if !pair.certificate.exists() {
            let _held = hold(&self.path)?;
            if !pair.certificate.exists() {
                let ca = Pair::of(&self.path, CA);
                let ca_key = ca.signing_key()?;
                checking::fits(&ca, &self.ca)?;
                let key = pair.key_for_making()?;
                let until = checking::not_after(&ca.certificate, &self.ca)?;
                pair.write(&key, &making::identity(&names, &key, ca_key, wall_now(), until)?)?;
            }
        }
        self.check(&pair, &names)
    }

    /// The CA, as the only root that peers are verified against.
    pub fn roots(&self) -> Arc<RootCertStore> {
        self.roots.clone()
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All certificates of the folder, usable or not: the CA first, then by file name.
    pub fn list(&self) -> Result<Vec<Listed>, CertError> {
        let mut pairs = pairs(&self.path)?;
        pairs.sort_by_key(|pair| (!pair.is_authority(), pair.certificate.clone()));
        Ok(pairs.into_iter().map(|pair| self.describe(&pair)).collect())
    }

    fn describe(&self, pair: &Pair) -> Listed {
        let (file, is_authority) = (pair.certificate.clone(), pair.is_authority());
        let (certificate, names) = match checking::read_certificate(&file) {
            Ok(read) => read,
            Err(problem) => {
                let (names, problem) = (Vec::new(), Some(problem));
                return Listed { file, is_authority, names, not_after: None, fingerprint: None, problem };
            }
        };
        let checked = if pair.is_authority() {
            checking::in_time(&file, &certificate, wall_now()).and_then(|()| checking::fits(pair, &certificate))
        } else {
            self.check(pair, &[]).map(drop)
        };
        Listed {
            names: names.iter().map(str::to_string).collect(),
            not_after: checking::not_after(&file, &certificate).ok(),
            fingerprint: Some(fingerprint(&certificate)),
            problem: checked.err(),
            file,
            is_authority,
        }
    }

    /// Reads a pair and makes sure that it can be used: in time, ours, for these names, with its own key.
    fn check(&self, pair: &Pair, names: &[&str]) -> Result<Identity, CertError> {
        let (certificate, found) = checking::read_certificate(&pair.certificate)?;
        checking::in_time(&pair.certificate, &certificate, wall_now())?;
        checking::signed_by(&pair.certificate, &certificate, &self.path.join("ca.pem"), &self.ca, wall_now())?;
        if let Some(missing) = names.iter().find(|name| !found.holds(name)) {
            return Err(CertError::WrongName {
                path: pair.certificate.clone(),
                expected: missing.to_string(),
                found: found.iter().map(str::to_string).collect(),
            });
        }
        let certified = checking::certified(pair, &certificate)?;
        Ok(Identity::new(certified, found))
    }
}

/// The two files of one party.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn of(folder: &Path, stem: &str) -> Pair {
        Pair { certificate: folder.join(format!("{stem}.pem")), key: folder.join(format!("{stem}.key")) }
    }

    fn is_authority(&self) -> bool {
        self.certificate.file_stem().is_some_and(|stem| stem == CA)
    }

    /// The key to make a certificate for: the one that is there when only the certificate was deleted, else a new one.
    fn key_for_making(&self) -> Result<rcgen::KeyPair, CertError> {
        if self.key.exists() { self.signing_key() } else { making::key() }
    }

    fn signing_key(&self) -> Result<rcgen::KeyPair, CertError> {
        let pem = checking::read_key_text(self)?;
        rcgen::KeyPair::from_pem(&pem).map_err(|problem| CertError::Unreadable {
            path: self.key.clone(),
            expected: "a private key",
            found: problem.to_string(),
        })
    }

    /// The key first: whoever sees the certificate finds its key.
    fn write(&self, key: &rcgen::KeyPair, certificate: &rcgen::Certificate) -> Result<(), CertError> {
        write_whole(&self.key, &key.serialize_pem(), 0o600)?;
        write_whole(&self.certificate, &certificate.pem(), 0o644)
    }
}

/// The name of a party as a file name: another for every name, and never that of the CA, a hidden file or another folder.
fn file_stem(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let mut stem = String::with_capacity(name.len());
    for (place, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || (byte == b'.' && place > 0);
        if plain && !(place == 0 && name == CA) {
            stem.push(char::from(byte));
        } else {
            stem.push_str(&format!("%{byte:02x}"));
        }
    }
    stem
}

/// The pairs whose certificate is there.
fn pairs(folder: &Path) -> Result<Vec<Pair>, CertError> {
    let failed = |problem| CertError::Folder { path: folder.to_path_buf(), attempted: "read", problem };
    let mut pairs = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if let (Some(stem), Some("pem")) = (file.file_stem(), file.extension().and_then(|ending| ending.to_str())) {
            pairs.push(Pair::of(folder, &stem.to_string_lossy()));
        }
    }
    Ok(pairs)
}

fn make_folder(path: &Path) -> Result<(), CertError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)
        .and_then(|()| fs::write(path.join(".gitignore"), GIT_IGNORE))
        .map_err(|problem| CertError::Folder { path: path.to_path_buf(), attempted: "made", problem })
}

/// Waits until no other process makes certificates in this folder; it stays so until the file is dropped.
fn hold(folder: &Path) -> Result<File, CertError> {
    let path = folder.join(LOCK);
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let held = opened.and_then(|file| file.lock().map(|()| file));
    held.map_err(|problem| CertError::Folder { path, attempted: "written", problem })
}

/// Written under another name first, so that nobody ever reads half a file.
fn write_whole(path: &Path, text: &str, mode: u32) -> Result<(), CertError> {
    let unfinished = path.with_extension(format!("tmp{}", std::process::id()));
    let written = (|| {
        remove_if_there(&unfinished)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    })();
    written.map_err(|problem| CertError::Folder { path: path.to_path_buf(), attempted: "written", problem })
}

fn remove(path: &Path) -> Result<(), CertError> {
    let failed = |problem| CertError::Folder { path: path.to_path_buf(), attempted: "deleted", problem };
    remove_if_there(path).map_err(failed)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(problem) if problem.kind() != io::ErrorKind::NotFound => Err(problem),
        _ => Ok(()),
    }
}

fn shown(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests;
