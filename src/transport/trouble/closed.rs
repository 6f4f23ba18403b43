//! A port at which nobody listens and that nobody else can take, so that the kernel refuses whoever connects to it.

use std::cell::OnceCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

/// Taken at its first use, and held: a socket that is bound and does not listen.
#[derive(Debug, Default)]
pub(in crate::transport) struct ClosedPort {
    held: OnceCell<(OwnedFd, SocketAddr)>,
}

impl ClosedPort {
    /// Where it is, on loopback.
    pub(in crate::transport) fn address(&self) -> io::Result<SocketAddr> {
        if let Some((_, address)) = self.held.get() {
            return Ok(*address);
        }
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(getsockname(&socket)?)?;
        Ok(self.held.get_or_init(|| (socket, address)).1)
    }
}
