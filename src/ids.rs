//! Who is who: small typed numbers inside the process, and the names that travel in messages.

use std::fmt;
use std::sync::Arc;

/// Index of a DM server among the parties of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerNumber(pub u16);

/// Index of a bootstrap server among the parties of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootstrapServerNumber(pub u16);

/// Index of a device in the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNumber(pub u32);

impl fmt::Display for ServerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {}", self.0)
    }
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}", self.0)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Takes the text as it is; names are compared as strings, case included.
            pub fn new(text: impl Into<Arc<str>>) -> $type {
                $type(text.into())
            }

            /// The name as it travels.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A Server Identifier: the `ServerID` of a DMAcc, the name in ACLs, the `serverId` of DELEGATION_REQ.
    ServerId
);
name!(
    /// A device identifier: `./DevInfo/DevId`, and the `deviceId` of delegation messages.
    DeviceId
);
name!(
    /// The `sessionId` of a delegation or revocation process; unique per initiator. Not the SessionID of SyncML.
    SessionId
);

/// The type allocation code of the first million simulated devices: `00` marks test equipment.
const FIRST_TYPE_CODE: u32 = 499_901;
/// Serial numbers in one type allocation code.
const SERIALS: u32 = 1_000_000;

/// The identifier of a simulated device: `urn:imei:` and fifteen digits with a valid check digit.
pub fn device_id(device: DeviceNumber) -> DeviceId {
    let body = format!("{:08}{:06}", FIRST_TYPE_CODE + device.0 / SERIALS, device.0 % SERIALS);
    DeviceId::new(format!("urn:imei:{body}{}", luhn_check_digit(&body)))
}

/// Reads back which simulated device an identifier names; `None` for anybody else's device.
pub fn device_number(id: &str) -> Option<DeviceNumber> {
    let digits = id.strip_prefix("urn:imei:")?;
    if digits.len() != 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (body, check) = digits.split_at(14);
    if luhn_check_digit(body).to_string() != check {
        return None;
    }
    let type_code: u32 = body[..8].parse().ok()?;
    let serial: u32 = body[8..].parse().ok()?;
    let million = type_code.checked_sub(FIRST_TYPE_CODE)?;
    Some(DeviceNumber(million.checked_mul(SERIALS)?.checked_add(serial)?))
}

/// The check digit of an IMEI (ISO/IEC 7812-1, annex B).
fn luhn_check_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_ids_read_back_to_their_number() {
        for number in [0, 1, 999_999, 1_000_000, 12_345_678] {
            let device = DeviceNumber(number);
            assert_eq!(device_number(device_id(device).as_str()), Some(device));
        }
    }

    #[test]
    fn strangers_are_nobody() {
        for id in ["", "urn:imei:", "IMEI:004999010000000", "urn:imei:004999010640001", "urn:imei:00499901064000é"] {
            assert_eq!(device_number(id), None, "{id}");
        }
    }

    #[test]
    fn the_check_digit_is_luhns() {
        // 49015420323751 is the worked example found in every description of the IMEI: check digit 8.
        assert_eq!(luhn_check_digit("49015420323751"), 8);
    }
}
