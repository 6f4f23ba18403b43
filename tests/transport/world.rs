//! What the two sides of every test share: certificates, names, a clock, and a handler that repeats what it was asked.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use dmswarm::clock::Clock;
use dmswarm::transport::listener::open_doors_with;
use dmswarm::transport::tls::{client_config, server_config};
use dmswarm::transport::{
    Address, Call, CertificateFolder, ClientAuth, ClientIdentity, Dialer, DialerOptions, Door, Doors, Identity,
    Inbound, Names, Outbound, Patience, Resumption, Trouble, bind,
};

use crate::peers::Scratch;

pub const DMS1: &str = "dms1.example.test";
pub const DMS2: &str = "dms2.example.test";
pub const LIMIT: usize = 64 * 1024;

/// Certificates, names and a clock: what the two sides of every test share.
pub struct World {
    pub scratch: Scratch,
    pub certs: CertificateFolder,
    pub clock: Clock,
}

impl World {
    pub fn new(test: &str) -> World {
        let scratch = Scratch::new(test);
        let certs = CertificateFolder::open(scratch.path()).unwrap();
        World { scratch, certs, clock: Clock::start() }
    }

    pub fn door(&self, clients: ClientAuth) -> Door {
        self.door_of(&self.certs.identity(DMS1, &[]).unwrap(), clients)
    }

    pub fn door_of(&self, identity: &Identity, clients: ClientAuth) -> Door {
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let tls = server_config(identity, self.certs.roots(), clients).unwrap();
        Door { name: "test".to_string(), socket, tls, body_limit: LIMIT }
    }

    pub async fn open<H, F>(&self, doors: Vec<Door>, handler: H) -> Doors
    where
        H: Fn(Inbound) -> F + Clone + Send + 'static,
        F: Future<Output = Outbound> + 'static,
    {
        open_doors_with(Patience::default(), doors, 1, self.clock, handler).await.unwrap()
    }

    pub fn dialer(&self, options: DialerOptions) -> Dialer {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Dialer::new(Names::new([(DMS1, here), (DMS2, here)]), options, self.clock)
    }

    /// DMS-2 as a caller.
    pub fn caller(&self) -> ClientIdentity {
        self.caller_as(Some(&self.certs.identity(DMS2, &[]).unwrap()))
    }

    pub fn caller_as(&self, identity: Option<&Identity>) -> ClientIdentity {
        client_config(self.certs.roots(), identity, Resumption::Off).unwrap()
    }
}

pub fn address(host: &str, port: u16) -> Address {
    Address::parse(&format!("https://{host}:{port}/delegation?x=1")).unwrap()
}

pub fn post(address: &Address, caller: &ClientIdentity, body: impl Into<Bytes>) -> Call {
    Call::post(address.clone(), caller.clone(), "text/plain", body)
}

/// Runs a test on an actix system of its own, which a test that hangs does not outlive.
pub fn run(test: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs");
    });
}

/// Says what it was asked, with the body.
pub async fn echo(inbound: Inbound) -> Outbound {
    let caller =
        inbound.caller.as_ref().map_or("nobody".to_string(), |names| names.iter().collect::<Vec<_>>().join(","));
    let Ok(body) = inbound.body.clone() else { return Outbound::status(413) };
    Outbound::ok("text/echo", body)
        .with_header("x-caller", caller)
        .with_header("x-door", inbound.door.to_string())
        .with_header("x-line", format!("{} {}", inbound.method, inbound.path))
        .with_header("x-type", inbound.content_type.clone().unwrap_or_default())
        .with_header("x-hmac", inbound.header("x-syncml-hmac").unwrap_or_default())
}

/// The same call with a trouble.
pub fn troubled(call: Call, trouble: Trouble) -> Call {
    Call { trouble: Some(Box::new(trouble)), ..call }
}

/// The same call with so many milliseconds to be answered.
pub fn hurried(call: Call, millis: u64) -> Call {
    Call { timeout: Duration::from_millis(millis), ..call }
}
