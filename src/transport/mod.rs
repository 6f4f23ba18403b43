//! Bytes over HTTPS with TLS identities; does not know what the bytes mean.
//!
//! An exchange, and the file for each step:
//!
//! 1. both parties take their identity from the folder of certificates ([`certs`]) and turn it into TLS settings ([`tls`]);
//! 2. the answering side opens its doors ([`listener`]);
//! 3. the asking side reads the URL ([`address`]), is allowed to go there ([`guard`]) and makes its call ([`dialer`]),
//!    over a connection that is kept for the next call (`pool`, `connection`);
//! 4. the call arrives as an [`Inbound`], and the handler's [`Outbound`] goes back ([`exchange`]);
//! 5. the caller holds a [`Reply`] with its [`Timing`], or a [`CallError`] that says in which phase it ended ([`failure`]).
//!
//! What goes wrong on purpose stays in one exchange: the caller attaches it to the call ([`trouble`]); a number that goes
//! beside the bytes ([`tokens`]) tells the handler which exchange it has before it.

pub mod address;
pub mod certs;
mod connection;
pub mod datagrams;
pub mod dialer;
pub mod exchange;
pub mod failure;
pub mod guard;
pub mod listener;
mod pool;
pub mod quota;
pub mod timing;
pub mod tls;
pub mod tokens;
pub mod trouble;

pub use address::{Address, AddressError};
pub use certs::{CertError, CertificateFolder, Flaw};
pub use dialer::{Call, Dialer, DialerCounts, DialerOptions, Reply};
pub use exchange::{BodyProblem, Inbound, Method, Outbound};
pub use failure::{CallError, Phase, Refuser, TlsFault};
pub use guard::{Names, NotAllowed, Target};
pub use listener::{Door, DoorCounts, Doors, ListenError, Patience, bind, open_doors};
pub use timing::Timing;
pub use tls::{ClientAuth, ClientIdentity, Identity, PeerNames, Resumption};
pub use tokens::Tokens;
pub use trouble::Trouble;
