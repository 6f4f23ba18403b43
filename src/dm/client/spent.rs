//! Which triggers have done their work: package 0 may come twice, and hours late.

use crate::dm::dmacc::keyed_digest;
use crate::ids::ServerId;

/// How many triggers a device remembers. Where triggers are signed with nonces, older ones prove nothing any more.
const REMEMBERED: usize = 8;

/// The latest triggers whose sessions were had, as digests: a device at rest has no room for names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent([u32; REMEMBERED]);

impl Spent {
    /// Whether the session that a server calls for has been had lately.
    pub fn has(&self, server: &ServerId, session: u16) -> bool {
        self.0.contains(&digest(server, session))
    }

    /// Notes that it has been had; the oldest one is forgotten.
    pub fn add(&mut self, server: &ServerId, session: u16) {
        self.0.rotate_right(1);
        self.0[0] = digest(server, session);
    }
}

/// Never 0, which stands for none.
fn digest(server: &ServerId, session: u16) -> u32 {
    let digest = keyed_digest(0, &["trigger", server.as_str(), &session.to_string()]);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_by_server_and_number() {
        let (one, other) = (ServerId::new("dms1"), ServerId::new("dms2"));
        let mut spent = Spent::default();
        assert!(!spent.has(&one, 0x8000));
        for session in 0..=REMEMBERED as u16 {
            spent.add(&one, session);
        }
        let known: Vec<u16> = (0..20).filter(|session| spent.has(&one, *session)).collect();
        assert_eq!(known, (1..=REMEMBERED as u16).collect::<Vec<_>>());
        assert!(!spent.has(&other, 1));
    }
}
