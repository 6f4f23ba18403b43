//! Peers that are not ours: raw TLS clients and servers that say exactly what a test wants, and openssl.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dmswarm::transport::{CertificateFolder, ClientAuth, Identity};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, StreamOwned};

/// A folder of its own for one test, deleted afterwards.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(test: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("transport-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Scratch(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An identity that the CA in the folder signed, and whose time is over.
pub fn expired(scratch: &Scratch, name: &str) -> Identity {
    let authority = KeyPair::from_pem(&std::fs::read_to_string(scratch.path().join("ca.key")).unwrap()).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "dmswarm");
    params.distinguished_name.push(DnType::CommonName, authority_name(&scratch.path().join("ca.pem")));
    let issuer = Issuer::new(params, authority);
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

/// The common name of our CA: a text that begins the same for every CA, then 16 digits of its own.
fn authority_name(certificate: &Path) -> String {
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    let begins = b"dmswarm test CA ";
    let place = certificate.windows(begins.len()).position(|part| part == begins).unwrap();
    String::from_utf8(certificate[place..][..begins.len() + 16].to_vec()).unwrap()
}

/// What `openssl s_client` without a certificate says (both streams) when it asks this door for a page; `None` without openssl.
pub fn openssl_get(port: u16, host: &str, authority: &Path, version: &str) -> Option<String> {
    let mut client = Command::new("openssl")
        .args(["s_client", version, "-quiet", "-servername", host, "-connect", &format!("127.0.0.1:{port}"), "-CAfile"])
        .arg(authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // The door may have closed already; then the answer to that is what counts.
    let _ = client.stdin.take()?.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let output = client.wait_with_output().ok()?;
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Sends these bytes over TLS without a certificate and returns the first answer: its head, and its body by length.
pub fn ask(port: u16, host: &str, roots: Arc<RootCertStore>, request: &[u8]) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_string()).unwrap();
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), tcp);
    tls.write_all(request).unwrap();
    String::from_utf8(read_message(&mut tls)).unwrap()
}

/// A connection that a raw server has accepted.
pub struct Accepted(StreamOwned<ServerConnection, TcpStream>);

impl Accepted {
    /// Reads one request, or what comes before the peer goes.
    pub fn read_request(&mut self) {
        read_message(&mut self.0);
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }

    /// Says goodbye in TLS and closes the socket.
    pub fn close(mut self) {
        self.0.conn.send_close_notify();
        let _ = self.0.flush();
    }
}

/// A TLS server on a thread of its own that gives each connection to `answer`, one after the other; returns its port.
pub fn serve(certs: &Path, name: &str, mut answer: impl FnMut(Accepted) + Send + 'static) -> u16 {
    let folder = CertificateFolder::open(certs).unwrap();
    let identity = folder.identity(name, &[]).unwrap();
    let tls = dmswarm::transport::tls::server_config(&identity, folder.roots(), ClientAuth::Optional).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for tcp in socket.incoming() {
            let tcp = tcp.unwrap();
            tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            tcp.set_nodelay(true).unwrap();
            answer(Accepted(StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), tcp)));
        }
    });
    port
}

/// Reads the head and as much body as its content-length says; less when the stream ends.
fn read_message(stream: &mut impl Read) -> Vec<u8> {
    let mut message = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let head = message.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&message[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if message.len() >= head + length {
                return message;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return message,
            Ok(read) => message.extend_from_slice(&piece[..read]),
        }
    }
}
