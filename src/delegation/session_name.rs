//! The names that our servers give to sessions.

use crate::ids::{DeviceNumber, ServerNumber, SessionId};

/// Server, device, and how many sessions the server has named for the device: `0-1f-2`, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionName {
    /// `None`, and an `s` in the name, where names do not tell it.
    pub by: Option<ServerNumber>,
    pub device: DeviceNumber,
    /// From 1.
    pub number: u32,
}

impl SessionName {
    /// What a session's name says; `None` for one that no server of ours has given.
    pub fn read(session: &SessionId) -> Option<SessionName> {
        let mut parts = session.as_str().split('-');
        let by = match parts.next()? {
            "s" => None,
            server => Some(ServerNumber(u16::from_str_radix(server, 16).ok()?)),
        };
        let device = DeviceNumber(u32::from_str_radix(parts.next()?, 16).ok()?);
        let number = u32::from_str_radix(parts.next()?, 16).ok()?;
        parts.next().is_none().then_some(SessionName { by, device, number })
    }

    /// The session of this name.
    pub fn id(self) -> SessionId {
        let by = self.by.map_or_else(|| "s".to_owned(), |server| format!("{:x}", server.0));
        SessionId::new(format!("{by}-{:x}-{:x}", self.device.0, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_who_gave_it_about_which_device_and_for_the_how_manieth_time() {
        for by in [None, Some(ServerNumber(0)), Some(ServerNumber(0x1a))] {
            let name = SessionName { by, device: DeviceNumber(0x1f), number: 0x2b };
            assert_eq!(SessionName::read(&name.id()), Some(name));
        }
        let name = SessionName { by: Some(ServerNumber(10)), device: DeviceNumber(31), number: 43 };
        assert_eq!(name.id().as_str(), "a-1f-2b");
        for other in ["", "1", "0-1", "0-1-", "0-1-2-3", "t-1-2", "0-x-2", "urn:uuid:0-1-2"] {
            assert_eq!(SessionName::read(&SessionId::new(other)), None, "{other}");
        }
    }
}
