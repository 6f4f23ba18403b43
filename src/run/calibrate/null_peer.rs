//! A door that answers everything alike and at once, and callers on the threads that serve it, as in a run.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::run::calibrate::CalibrateError;
use crate::scenario::{Scenario, ServerSettings};
use crate::transport::address::Address;
use crate::transport::certs::CertificateFolder;
use crate::transport::dialer::{Call, Dialer, DialerOptions};
use crate::transport::exchange::Outbound;
use crate::transport::guard::Names;
use crate::transport::listener::{Door, Doors, bind, open_doors};
use crate::transport::tls::{ClientAuth, ClientIdentity, Identity, Resumption, client_config, server_config};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The sizes of a package of a management session and of its answer, in bytes: the middle one of a delegation.
const REQUEST: usize = 586;
const ANSWER: usize = 335;
const CONTENT_TYPE: &str = "application/vnd.syncml.dm+xml";

/// The door, open, and whoever is to call it.
pub(super) struct NullPeer {
    pub clock: Clock,
    doors: Doors,
    folder: CertificateFolder,
    caller: Identity,
    names: Names,
    address: Address,
}

impl NullPeer {
    /// Opens the door, served by so many threads.
    pub async fn up(scenario: &Scenario, certs: &Path, lanes: usize, clock: Clock) -> Result<NullPeer, CalibrateError> {
        let host = |server: Option<&ServerSettings>| server.map_or_else(String::new, |server| server.host.clone());
        let (here, there) = (host(scenario.servers.first()), host(scenario.servers.last()));
        let folder = CertificateFolder::open(certs)?;
        let (server, caller) = (folder.identity(&here, &[])?, folder.identity(&there, &[])?);
        let socket = bind(SocketAddr::new(HERE, 0))?;
        let tls = server_config(&server, folder.roots(), ClientAuth::Required)?;
        let door = Door { name: here.clone(), socket, tls, body_limit: ANSWER.max(REQUEST) };
        let answer = Bytes::from(vec![b'a'; ANSWER]);
        let answer_at_once = move |_| std::future::ready(Outbound::ok(CONTENT_TYPE, answer.clone()));
        let doors = open_doors(vec![door], lanes, clock, answer_at_once).await?;
        let address = Address::parse(&format!("https://{here}:{}/dm", doors.addresses()[0].port()))?;
        Ok(NullPeer { clock, doors, folder, caller, names: Names::new([(here.as_str(), HERE)]), address })
    }

    /// How many threads call and answer.
    pub fn lanes(&self) -> usize {
        self.doors.arbiters().len()
    }

    /// Somebody to call the door, with settings that nobody else shares.
    pub fn caller(&self, options: DialerOptions, resumption: Resumption) -> Result<Settings, CalibrateError> {
        let identity = client_config(self.folder.roots(), Some(&self.caller), resumption)?;
        let (names, address, clock) = (self.names.clone(), self.address.clone(), self.clock);
        Ok(Settings { names, address, identity, options, clock, body: Bytes::from(vec![b'q'; REQUEST]) })
    }

    /// Does the same on every thread; gathers what each comes to.
    pub async fn on_each_lane<T, F>(
        &self,
        work: impl Fn() -> F + Clone + Send + 'static,
    ) -> Result<Vec<T>, CalibrateError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CalibrateError>> + 'static,
    {
        let told = self.doors.arbiters().iter().map(|arbiter| {
            let (work, (tell, told)) = (work.clone(), oneshot::channel());
            arbiter.spawn_fn(move || {
                actix_rt::spawn(async move {
                    // Whoever does not wait any more has failed elsewhere.
                    let _ = tell.send(work().await);
                });
            });
            told
        });
        let told: Vec<_> = told.collect();
        join_all(told).await.into_iter().map(|told| told.map_err(|_| CalibrateError::Died)?).collect()
    }

    /// Closes the door, and with it the threads.
    pub async fn close(self) {
        self.doors.close().await;
    }
}

/// What a caller needs, before it is on its thread.
#[derive(Clone)]
pub(super) struct Settings {
    pub clock: Clock,
    pub options: DialerOptions,
    names: Names,
    address: Address,
    identity: ClientIdentity,
    body: Bytes,
}

impl Settings {
    /// A dialer for the present thread.
    pub fn dialer(&self) -> Dialer {
        Dialer::new(self.names.clone(), self.options, self.clock)
    }

    /// One request.
    pub fn request(&self) -> Call {
        Call::post(self.address.clone(), self.identity.clone(), CONTENT_TYPE, self.body.clone())
    }
}
