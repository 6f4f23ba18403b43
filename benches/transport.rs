//! What a keep-alive exchange costs the caller in CPU, beside a bare connection without a pool in the same run.
//!
//! `cargo bench --bench transport [-- EXCHANGES]`. Prints CPU seconds of the calling thread for 100,000 exchanges, three
//! runs each in turn, and the ratio of the medians. The doors are served by one worker thread of the same process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dmswarm::clock::Clock;
use dmswarm::transport::tls::{client_config, server_config};
use dmswarm::transport::{
    Address, Call, CertificateFolder, ClientAuth, ClientIdentity, Dialer, DialerOptions, Door, Doors, Identity, Names,
    Outbound, Resumption, bind, open_doors,
};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

const HOST: &str = "dms1.example.test";
const CALLER: &str = "dms2.example.test";
/// Connections open at once, each with one exchange under way.
const CONNECTIONS: usize = 64;
/// The sizes of a SyncML request and its answer, in bytes.
const REQUEST: usize = 586;
const ANSWER: usize = 335;

fn main() {
    let exchanges: usize = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(100_000);
    let folder = std::env::temp_dir().join(format!("dmswarm-bench-{}", std::process::id()));
    let certs = CertificateFolder::open(&folder).expect("certificates");
    let (server, caller) = (certs.identity(HOST, &[]).expect("server"), certs.identity(CALLER, &[]).expect("caller"));
    let floor_config = bare_config(&folder);
    std::fs::remove_dir_all(&folder).expect("the folder of certificates goes");
    actix_rt::System::new().block_on(async {
        let clock = Clock::start();
        let doors = doors(&certs, &server, clock).await;
        let port = doors.addresses()[0].port();
        let identity = client_config(certs.roots(), Some(&caller), Resumption::Off).expect("client settings");
        let dialer = Dialer::new(
            Names::new([(HOST, IpAddr::V4(Ipv4Addr::LOCALHOST))]),
            DialerOptions { open_per_target: CONNECTIONS, idle_per_target: CONNECTIONS, ..DialerOptions::default() },
            clock,
        );
        let address = Address::parse(&format!("https://{HOST}:{port}/dm")).expect("address");
        dialer.warm(&address, &identity, None, CONNECTIONS, Duration::from_secs(30)).await.expect("connections");
        let mut bare = Vec::new();
        for _ in 0..CONNECTIONS {
            bare.push(bare_connection(port, floor_config.clone()).await);
        }
        pooled(&dialer, &address, &identity, exchanges / 10).await;
        unpooled(&mut bare, exchanges / 10).await;
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            floor.push(measure("bare hyper connection", exchanges, unpooled(&mut bare, exchanges)).await);
            ours.push(measure("dialer", exchanges, pooled(&dialer, &address, &identity, exchanges)).await);
        }
        let (ours, floor) = (median(ours), median(floor));
        println!("dialer {ours:.2} CPU-s/100k, floor {floor:.2} CPU-s/100k, ratio {:.2}", ours / floor);
        println!("connections opened by the dialer: {} (expected {CONNECTIONS})", dialer.counts().opened);
    });
}

async fn doors(certs: &CertificateFolder, server: &Identity, clock: Clock) -> Doors {
    let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let tls = server_config(server, certs.roots(), ClientAuth::Required).expect("server settings");
    let answer = Bytes::from(vec![b'a'; ANSWER]);
    let handler = move |_| {
        let answer = answer.clone();
        async move { Outbound::ok("application/vnd.syncml.dm+xml", answer) }
    };
    let door = Door { name: "bench".to_string(), socket, tls, body_limit: 1024 * 1024 };
    open_doors(vec![door], 1, clock, handler).await.expect("doors")
}

/// As many callers as connections, each making its share of the calls one after the other.
async fn pooled(dialer: &Dialer, address: &Address, identity: &ClientIdentity, exchanges: usize) {
    let body = Bytes::from(vec![b'q'; REQUEST]);
    let callers = (0..CONNECTIONS).map(|_| {
        let (dialer, address, identity, body) = (dialer.clone(), address.clone(), identity.clone(), body.clone());
        actix_rt::spawn(async move {
            for _ in 0..exchanges / CONNECTIONS {
                let call = Call::post(address.clone(), identity.clone(), "application/vnd.syncml.dm+xml", body.clone());
                let reply = dialer.call(call).await.expect("an answer");
                assert_eq!((reply.status, reply.body.len()), (200, ANSWER));
            }
        })
    });
    join_all(callers).await;
}

type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;

/// The floor: each caller owns a connection, with no pool, deadline, guard or timing.
async fn unpooled(senders: &mut Vec<Sender>, exchanges: usize) {
    let body = Bytes::from(vec![b'q'; REQUEST]);
    let callers = senders.drain(..).map(|mut sender| {
        let body = body.clone();
        actix_rt::spawn(async move {
            for _ in 0..exchanges / CONNECTIONS {
                let request = http::Request::post("/dm")
                    .header("host", HOST)
                    .header("content-type", "application/vnd.syncml.dm+xml")
                    .body(Full::new(body.clone()))
                    .expect("a request");
                sender.ready().await.expect("a connection");
                let answer = sender.send_request(request).await.expect("an answer");
                let read = answer.into_body().collect().await.expect("a body").to_bytes();
                assert_eq!(read.len(), ANSWER);
            }
            sender
        })
    });
    for caller in join_all(callers).await {
        senders.push(caller.expect("a caller"));
    }
}

/// TLS settings made with rustls alone, as the dialer's are.
fn bare_config(folder: &std::path::Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).expect("the CA")).expect("a root");
    let chain = vec![CertificateDer::from_pem_file(folder.join(format!("{CALLER}.pem"))).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{CALLER}.key"))).expect("a key");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .expect("client settings");
    Arc::new(config)
}

async fn bare_connection(port: u16, config: Arc<ClientConfig>) -> Sender {
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("TCP");
    tcp.set_nodelay(true).expect("TCP_NODELAY");
    let name = ServerName::try_from(HOST).expect("a name");
    let tls = tokio_rustls::TlsConnector::from(config).connect(name, tcp).await.expect("TLS");
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.expect("HTTP");
    actix_rt::spawn(connection);
    sender
}

/// CPU seconds of this thread for 100,000 exchanges.
async fn measure(what: &str, exchanges: usize, work: impl Future<Output = ()>) -> f64 {
    let (cpu, wall) = (thread_cpu(), Instant::now());
    work.await;
    let (cpu, wall) = (thread_cpu() - cpu, wall.elapsed().as_secs_f64());
    let cost = cpu * 100_000.0 / exchanges as f64;
    println!("{what:22} {cost:.2} CPU-s/100k, {:.0} exchanges/s", exchanges as f64 / wall);
    cost
}

fn thread_cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
