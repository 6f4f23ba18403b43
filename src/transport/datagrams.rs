//! Datagrams over UDP, to and from loopback: for those who are told something and do not answer.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use crate::transport::guard::NotAllowed;
use crate::transport::listener::{ListenError, bound};

/// The largest datagram that is read whole, in octets; of a larger one only so much is seen.
const LARGEST: usize = 65_536;

/// A datagram that was not sent.
#[derive(Debug, thiserror::Error)]
pub enum DatagramError {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("no datagram could be sent to {to}: {problem}")]
    Io { to: SocketAddr, problem: io::Error },
}

/// Binds a socket for datagrams; port 0 takes a free one, which the socket's own address then tells.
pub fn bind_datagrams(address: SocketAddr) -> Result<UdpSocket, ListenError> {
    bound(address, UdpSocket::bind(address))
}

/// Hears every datagram that comes, for as long as the future lives.
///
/// # Errors
/// When the socket cannot be listened to.
pub async fn hear(socket: UdpSocket, mut heard: impl FnMut(&[u8])) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::UdpSocket::from_std(socket)?;
    let mut room = vec![0; LARGEST];
    loop {
        // What goes wrong with one datagram (an ICMP error of an earlier one) is nothing to the next.
        if let Ok(length) = socket.recv(&mut room).await {
            heard(&room[..length]);
        }
    }
}

/// Sends datagrams.
#[derive(Debug)]
pub struct Speaker(UdpSocket);

impl Speaker {
    /// One that has a port of its own.
    pub fn new() -> io::Result<Speaker> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        Ok(Speaker(socket))
    }

    /// Sends one; whether it arrives nobody knows.
    ///
    /// # Errors
    /// [`DatagramError`] for an address that is not loopback, and for what the network refuses at once.
    pub fn say(&self, to: SocketAddr, datagram: &[u8]) -> Result<(), DatagramError> {
        if !to.ip().to_canonical().is_loopback() {
            let (host, port, address) = (to.ip().to_string(), to.port(), to.ip());
            return Err(NotAllowed::NotLoopback { host, port, address }.into());
        }
        self.0.send_to(datagram, to).map(drop).map_err(|problem| DatagramError::Io { to, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_and_nothing_leaves_this_machine() {
        let ear = bind_datagrams(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let there = ear.local_addr().expect("an address");
        let speaker = Speaker::new().expect("a socket");
        let outside = SocketAddr::from(([192, 0, 2, 1], 9));
        assert!(matches!(speaker.say(outside, b"hello"), Err(DatagramError::NotAllowed(_))));
        let heard = actix_rt::System::new().block_on(async {
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            let listening = actix_rt::spawn(hear(ear, move |datagram| {
                let _ = tell.send(datagram.to_vec());
            }));
            speaker.say(there, b"hello").expect("it leaves");
            let heard = tokio::time::timeout(std::time::Duration::from_secs(30), told.recv()).await;
            listening.abort();
            heard.expect("in time")
        });
        assert_eq!(heard.as_deref(), Some(&b"hello"[..]));
    }
}
