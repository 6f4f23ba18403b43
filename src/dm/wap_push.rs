//! Package 0 as WAP push: the connectionless form of WSP (WAP-230-WSP, 8.2 and 8.4), as it stands in a datagram.
//!
//! A push names no device, since over the air it is the network that knows to whom it goes. Where all devices share one
//! port, a header says it: `X-Device-Id`.

use crate::ids::DeviceId;

/// Type of the PDU: Push (table 34).
const PUSH: u8 = 0x06;
/// `application/vnd.syncml.notification`, as a well-known media type (0x44) in one octet.
const NOTIFICATION: u8 = 0xC4;
/// The same, in full.
const NOTIFICATION_NAME: &[u8] = b"application/vnd.syncml.notification";
/// The header X-Wap-Application-Id (0x2F) with the application `syncml.dm` (0x07), each in one octet.
const FOR_DM: [u8; 2] = [0xAF, 0x87];
const DEVICE_HEADER: &[u8] = b"X-Device-Id";

/// A push as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push<'d> {
    /// For whom it is, if it says so.
    pub device: Option<&'d str>,
    /// The octets of package 0.
    pub trigger: &'d [u8],
}

/// Why a datagram is no push of a package 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAPush {
    #[error("the datagram ends within its {0}")]
    CutOff(&'static str),
    #[error("its PDU is of type {0:#04x}, and a push is of type 0x06")]
    OtherType(u8),
    #[error("its content type is not application/vnd.syncml.notification")]
    OtherContent,
    #[error("the device it names is no text")]
    BadDevice,
}

/// A datagram with this trigger for this device. `transaction` tells pushes apart; nothing depends on it.
pub fn write(transaction: u8, device: &DeviceId, trigger: &[u8]) -> Vec<u8> {
    let mut headers = vec![NOTIFICATION];
    headers.extend(FOR_DM);
    for text in [DEVICE_HEADER, device.as_str().as_bytes()] {
        headers.extend(text);
        headers.push(0);
    }
    let mut datagram = vec![transaction, PUSH];
    write_uintvar(headers.len(), &mut datagram);
    datagram.extend(headers);
    datagram.extend(trigger);
    datagram
}

/// Reads a datagram.
///
/// # Errors
/// [`NotAPush`], for anything else than a push with a package 0.
pub fn read(datagram: &[u8]) -> Result<Push<'_>, NotAPush> {
    let (&[_transaction, kind], rest) = datagram.split_first_chunk().ok_or(NotAPush::CutOff("head"))?;
    if kind != PUSH {
        return Err(NotAPush::OtherType(kind));
    }
    let (length, rest) = read_uintvar(rest)?;
    let (headers, trigger) = rest.split_at_checked(length).ok_or(NotAPush::CutOff("headers"))?;
    let mut headers = Headers { rest: headers };
    if !headers.is_notification()? {
        return Err(NotAPush::OtherContent);
    }
    let mut device = None;
    while let Some((name, value)) = headers.next()? {
        if name.eq_ignore_ascii_case(DEVICE_HEADER) {
            device = Some(std::str::from_utf8(value).map_err(|_| NotAPush::BadDevice)?);
        }
    }
    Ok(Push { device, trigger })
}

/// A number in groups of seven bits, the first of them first (8.1.2).
fn write_uintvar(number: usize, out: &mut Vec<u8>) {
    let groups = (usize::BITS - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x80 } else { 0 };
        out.push(((number >> (7 * group)) & 0x7F) as u8 | more);
    }
}

fn read_uintvar(octets: &[u8]) -> Result<(usize, &[u8]), NotAPush> {
    let mut number = 0;
    // Five groups hold 32 bits, and no datagram is longer than that.
    for (place, octet) in octets.iter().enumerate().take(5) {
        number = number << 7 | usize::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return Ok((number, &octets[place + 1..]));
        }
    }
    Err(NotAPush::CutOff("head"))
}

/// A name and a value.
type Header<'d> = (&'d [u8], &'d [u8]);

struct Headers<'d> {
    rest: &'d [u8],
}

impl<'d> Headers<'d> {
    /// The content type comes first, without a name (8.4.2.24).
    fn is_notification(&mut self) -> Result<bool, NotAPush> {
        let value = self.value()?;
        Ok(value == [NOTIFICATION] || value == [NOTIFICATION & 0x7F] || value.eq_ignore_ascii_case(NOTIFICATION_NAME))
    }

    /// The next header by its name, empty for a well-known one, and its value.
    fn next(&mut self) -> Result<Option<Header<'d>>, NotAPush> {
        let Some(first) = self.rest.first() else { return Ok(None) };
        let name = if first & 0x80 != 0 { self.take(1).map(|_| &[][..])? } else { self.text()? };
        Ok(Some((name, self.value()?)))
    }

    /// A value (8.4.1.2): a short integer, a text, or so many octets; of the last, the first value in them.
    fn value(&mut self) -> Result<&'d [u8], NotAPush> {
        match self.rest.first() {
            None => Err(NotAPush::CutOff("headers")),
            Some(0..=30) => {
                let length = usize::from(self.take(1)?[0]);
                Headers { rest: self.take(length)? }.value()
            }
            Some(31) => {
                self.take(1)?;
                let (length, rest) = read_uintvar(self.rest)?;
                self.rest = rest;
                Headers { rest: self.take(length)? }.value()
            }
            Some(32..=127) => self.text(),
            Some(_) => self.take(1),
        }
    }

    fn text(&mut self) -> Result<&'d [u8], NotAPush> {
        let end = self.rest.iter().position(|octet| *octet == 0).ok_or(NotAPush::CutOff("headers"))?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    fn take(&mut self, octets: usize) -> Result<&'d [u8], NotAPush> {
        let (taken, rest) = self.rest.split_at_checked(octets).ok_or(NotAPush::CutOff("headers"))?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::{DeviceNumber, device_id};

    #[test]
    fn what_is_written_is_read_and_a_push_of_others_too() {
        let device = device_id(DeviceNumber(3));
        let written = write(7, &device, b"trigger");
        // One octet each for the type and twice two for the header, then `X-Device-Id`, 24 octets of id, two zeros: 40.
        assert_eq!(written[..6], [7, 0x06, 40, 0xC4, 0xAF, 0x87]);
        assert_eq!(read(&written), Ok(Push { device: Some(device.as_str()), trigger: b"trigger" }));
        // 35 letters with their zero, and a parameter of one octet: 37, and the two octets that say so.
        let with_parameter = [&[1, 6, 39, 31, 37][..], NOTIFICATION_NAME, &[0, 0x81], b"t"].concat();
        assert_eq!(read(&with_parameter), Ok(Push { device: None, trigger: b"t" }));
        let too_short = [&[1, 6, 20, 31, 37][..], NOTIFICATION_NAME, &[0, 0x81], b"t"].concat();
        assert_eq!(read(&too_short), Err(NotAPush::CutOff("headers")));
        let bare = [&[1, 6, 36][..], NOTIFICATION_NAME, &[0], b"t"].concat();
        assert_eq!(read(&bare), Ok(Push { device: None, trigger: b"t" }));
    }

    #[test]
    fn what_is_no_push_has_its_reason() {
        for (datagram, why) in [
            (&[][..], NotAPush::CutOff("head")),
            (&[1, 2, 0], NotAPush::OtherType(2)),
            (&[1, 6], NotAPush::CutOff("head")),
            (&[1, 6, 1], NotAPush::CutOff("headers")),
            (&[1, 6, 0], NotAPush::CutOff("headers")),
            (&[1, 6, 1, 0xAE], NotAPush::OtherContent),
            (&[1, 6, 2, 0xC4, b'x'], NotAPush::CutOff("headers")),
            (&[1, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 1], NotAPush::CutOff("head")),
        ] {
            assert_eq!(read(datagram), Err(why), "{datagram:?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_are_too_strange(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&octets);
        }

        #[test]
        fn every_trigger_comes_back(trigger in proptest::collection::vec(any::<u8>(), 0..300), number in 0..5_000_000u32) {
            let device = device_id(DeviceNumber(number));
            let written = write(1, &device, &trigger);
            prop_assert_eq!(read(&written), Ok(Push { device: Some(device.as_str()), trigger: &trigger }));
        }
    }
}
