//! The answering side: doors (listening sockets with their TLS settings) served by actix-web workers.

mod hall;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use actix_rt::{Arbiter, ArbiterHandle};
use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::{App, HttpServer, web};
use rustls::ServerConfig;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::transport::exchange::{Inbound, Outbound};
use crate::transport::tokens::Tokens;
use hall::Hall;

/// Connections the kernel holds for a door until a worker accepts them. A swarm connects in one burst.
const BACKLOG: i32 = 4096;
/// TLS handshakes that one worker has under way at once; more wait.
const HANDSHAKES_AT_ONCE: usize = 4096;
/// Open connections of one worker; more wait.
const CONNECTIONS: usize = 100_000;

/// One listening socket.
pub struct Door {
    /// What it is called in messages, e.g. `dms1.example.test for servers`.
    pub name: String,
    /// From [`bind`].
    pub socket: TcpListener,
    /// From [`super::tls::server_config`].
    pub tls: Arc<ServerConfig>,
    /// Largest body that is read, in bytes.
    pub body_limit: usize,
}

/// How long the doors wait for those who are slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the first request of a connection. Longer than a run needs to open its connections beforehand.
    pub first_request: Duration,
    /// For the whole body, once the head is there.
    pub body: Duration,
    /// For the next request of a connection. Longer than a [`super::Dialer`] keeps an idle connection, so that the two never cross.
    pub idle: Duration,
    /// For exchanges under way when the doors close; counted in whole seconds, at least one.
    pub closing: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(120),
            body: Duration::from_secs(20),
            idle: Duration::from_secs(120),
            closing: Duration::from_secs(5),
        }
    }
}

/// A door that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("port {} of {} is in use by another process; stop that process, or choose another port (0 takes a free one)", .address.port(), .address.ip())]
    Busy { address: SocketAddr },
    #[error("port {} of {} may be opened by root alone; choose a port above 1023 (0 takes a free one)", .address.port(), .address.ip())]
    Forbidden { address: SocketAddr },
    #[error("{} is no address of this machine, so nothing can listen there; use one of 127.0.0.0/8", .address.ip())]
    NotHere { address: SocketAddr },
    #[error(
        "this process may not open more files, so it cannot listen on {address}; raise the limit with `ulimit -n` or simulate fewer parties"
    )]
    TooManyFiles { address: SocketAddr },
    #[error("cannot listen on {address}: {problem}")]
    Other { address: SocketAddr, problem: io::Error },
    #[error("the doors could not be opened: {0}")]
    Workers(io::Error),
}

/// Binds a listening socket; port 0 takes a free one, which the socket's own address then tells.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let bound = TcpListener::bind(address).and_then(|socket| {
        // The standard library asks for a backlog of 128; asking again raises it.
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(socket)
    });
    self::bound(address, bound)
}

/// What the operating system says to a wish to listen, in words that help.
pub(super) fn bound<S>(address: SocketAddr, bound: io::Result<S>) -> Result<S, ListenError> {
    bound.map_err(|problem| match (problem.kind(), rustix::io::Errno::from_io_error(&problem)) {
        (io::ErrorKind::AddrInUse, _) => ListenError::Busy { address },
        (io::ErrorKind::PermissionDenied, _) => ListenError::Forbidden { address },
        (io::ErrorKind::AddrNotAvailable, _) => ListenError::NotHere { address },
        (_, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE)) => ListenError::TooManyFiles { address },
        _ => ListenError::Other { address, problem },
    })
}

/// What went through the doors so far.
#[derive(Debug, Default)]
pub struct DoorCounts {
    pub(in crate::transport) connections: AtomicU64,
    pub(in crate::transport) requests: AtomicU64,
    pub(in crate::transport) panics: AtomicU64,
}

impl DoorCounts {
    /// Connections that completed their TLS handshake.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Requests given to the handler.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests in which the handler panicked; each was answered with 500.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

/// Open doors. Dropping them shuts them at once; [`Doors::close`] lets exchanges under way finish.
pub struct Doors {
    addresses: Vec<SocketAddr>,
    arbiters: Vec<ArbiterHandle>,
    counts: Arc<DoorCounts>,
    tokens: Arc<Tokens>,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

/// Opens all doors, served by `workers` threads with the default [`Patience`]. Must be called within an actix system;
/// every worker is an arbiter of it, and `handler` runs there. When a caller hangs up, the handler's future is dropped.
pub async fn open_doors<H, F>(doors: Vec<Door>, workers: usize, clock: Clock, handler: H) -> Result<Doors, ListenError>
where
    H: Fn(Inbound) -> F + Clone + Send + 'static,
    F: Future<Output = Outbound> + 'static,
{
    open_doors_with(Patience::default(), doors, workers, clock, handler).await
}

/// As [`open_doors`], with another patience.
pub async fn open_doors_with<H, F>(
    patience: Patience,
    doors: Vec<Door>,
    workers: usize,
    clock: Clock,
    handler: H,
) -> Result<Doors, ListenError>
where
    H: Fn(Inbound) -> F + Clone + Send + 'static,
    F: Future<Output = Outbound> + 'static,
{
    let mut addresses = Vec::with_capacity(doors.len());
    for door in &doors {
        addresses.push(door.socket.local_addr().map_err(ListenError::Workers)?);
    }
    let counts = Arc::new(DoorCounts::default());
    let tokens = Arc::new(Tokens::default());
    let limits = doors.iter().map(|door| door.body_limit).collect();
    let hall = Hall::new(addresses.clone(), limits, patience.body, clock, counts.clone(), tokens.clone());
    // Called by every worker, once for each door.
    let (enrol, enrolled) = mpsc::unbounded_channel();
    let app = move || {
        // Nobody listens any more once all workers are known.
        let _ = enrol.send((thread::current().id(), Arbiter::current()));
        let (hall, handler) = (hall.clone(), Rc::new(handler.clone()));
        App::new().default_service(web::to(move |request, body| hall.clone().serve(handler.clone(), request, body)))
    };
    let counted = counts.clone();
    let workers = workers.max(1);
    let mut server = HttpServer::new(app)
        .workers(workers)
        .disable_signals()
        .tcp_nodelay(true)
        .h1_allow_half_closed(false)
        .keep_alive(KeepAlive::Timeout(patience.idle))
        .tls_handshake_timeout(patience.handshake)
        .client_request_timeout(patience.first_request)
        .shutdown_timeout(patience.closing.as_secs().max(1))
        .max_connections(CONNECTIONS)
        .max_connection_rate(HANDSHAKES_AT_ONCE)
        .on_connect(move |connection, extensions| hall::welcome(connection, extensions, &counted));
    for door in doors {
        server = server.listen_rustls_0_23(door.socket, (*door.tls).clone()).map_err(ListenError::Workers)?;
    }
    let running = server.run();
    let server = running.handle();
    let mut running = actix_rt::spawn(running);
    let arbiters = arbiters_of(workers, enrolled, &mut running).await?;
    Ok(Doors { addresses, arbiters, counts, tokens, server, running })
}

/// Waits until every worker stands.
async fn arbiters_of(
    workers: usize,
    mut enrolled: mpsc::UnboundedReceiver<(ThreadId, ArbiterHandle)>,
    running: &mut JoinHandle<io::Result<()>>,
) -> Result<Vec<ArbiterHandle>, ListenError> {
    let mut threads = Vec::with_capacity(workers);
    let mut arbiters = Vec::with_capacity(workers);
    while arbiters.len() < workers {
        tokio::select! {
            biased;
            Some((thread, arbiter)) = enrolled.recv() => {
                if !threads.contains(&thread) {
                    threads.push(thread);
                    arbiters.push(arbiter);
                }
            }
            ended = &mut *running => {
                let ended = ended.map_err(io::Error::other).and_then(|ended| ended);
                return Err(ListenError::Workers(ended.err().unwrap_or_else(|| io::ErrorKind::Interrupted.into())));
            }
        }
    }
    Ok(arbiters)
}

impl Doors {
    /// Where the doors are, in the order in which they were given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The workers' arbiters. An actor that is started there shares its thread with the serving, so that a request
    /// for it need not wake another thread.
    pub fn arbiters(&self) -> &[ArbiterHandle] {
        &self.arbiters
    }

    /// What went through so far; stays readable after the doors have closed.
    pub fn counts(&self) -> Arc<DoorCounts> {
        self.counts.clone()
    }

    /// The table through which callers of this process name their exchanges, for [`Dialer::with_tokens`](super::Dialer::with_tokens).
    pub fn tokens(&self) -> Arc<Tokens> {
        self.tokens.clone()
    }

    /// Whether somebody serves behind the doors; no longer so after workers could not start, e.g. for want of file descriptors.
    pub fn are_open(&self) -> bool {
        !self.running.is_finished()
    }

    /// Lets nobody in any more, gives exchanges under way [`Patience::closing`] to finish, then ends all connections.
    pub async fn close(mut self) {
        self.server.stop(true).await;
        // The server has stopped all its workers; its own task has nothing left to do.
        let _ = (&mut self.running).await;
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        if !self.running.is_finished() {
            // The command is sent when the future is made; nobody needs to wait for it.
            drop(self.server.stop(false));
        }
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors")
            .field("addresses", &self.addresses)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
