//! Transport over real sockets and real TLS.

#[path = "../peers/mod.rs"]
mod peers;

mod answers;
mod exchanges;
mod flaws;
mod lost;
mod slowed;
mod witness;
mod world;
