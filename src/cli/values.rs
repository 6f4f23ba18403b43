//! What flags take, read from text: whole numbers, times, sizes; what is none of them is told with what was expected.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::units::{self, UnitError};

/// With less than this, all threads together, even a small search has no room.
const LEAST_MEMORY: u64 = 16 << 20;
/// Nothing is measured for less.
pub const LEAST_MEASURED: Duration = Duration::from_millis(200);

/// A whole number within a range. The flag that takes it should allow negative numbers, so that they are refused here.
pub fn number<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let read = text.parse::<u64>().ok().filter(|number| range.contains(number));
        read.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match (range.start(), range.end()) {
            (least, &u64::MAX) => format!("expected a whole number of {least} or more, found `{text}`"),
            (least, most) => format!("expected a whole number from {least} to {most}, found `{text}`"),
        })
    }
}

/// A time that is longer than nothing.
pub fn time(text: &str) -> Result<Duration, String> {
    let units::Duration(time) = text.parse().map_err(|error: UnitError| error.to_string())?;
    if time.is_zero() {
        return Err(format!("expected a time that is longer than nothing, such as `30s`, found `{text}`"));
    }
    Ok(time)
}

/// A time in whole milliseconds: nothing that is swept is finer.
pub fn milliseconds(text: &str) -> Result<Duration, String> {
    let units::Duration(time) = text.parse().map_err(|error: UnitError| error.to_string())?;
    if time.subsec_nanos() % 1_000_000 != 0 {
        return Err(format!("expected a whole number of milliseconds, as in `1ms` or `1.5s`, found `{text}`"));
    }
    Ok(time)
}

/// A time in which something can be measured. In less, the handshakes that come first may not be over, and then there are
/// no figures; in more, new connections run out of ports.
pub fn measuring_time(text: &str) -> Result<Duration, String> {
    let units::Duration(time) = text.parse().map_err(|error: UnitError| error.to_string())?;
    if !(LEAST_MEASURED..=Duration::from_secs(10)).contains(&time) {
        let least = units::Duration(LEAST_MEASURED);
        return Err(format!("expected a time from {least} to 10s, found `{text}`"));
    }
    Ok(time)
}

/// So much memory that something can be searched in it.
pub fn memory(text: &str) -> Result<u64, String> {
    let units::Size(bytes) = text.parse().map_err(|error: UnitError| error.to_string())?;
    if bytes < LEAST_MEMORY {
        return Err(format!("expected {}MiB or more, found `{text}`", LEAST_MEMORY >> 20));
    }
    Ok(bytes)
}

/// Where Prometheus finds exporters of this kind, on this machine alone.
pub const METRICS: &str = "127.0.0.1:9464";

/// An address to listen on. A port alone is one of this machine alone: whoever is to be let in from elsewhere is to be
/// let in on purpose, as with `0.0.0.0:9464`.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    let own = port.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    own.or_else(|_| text.parse()).map_err(|_| {
        format!(
            "expected an address and a port such as `{METRICS}`, or a port alone, found `{text}`; scenarios stand before \
             --metrics"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_its_range_says_which_would_be_one() {
        assert_eq!((number::<u8>(1..=8)("8"), number::<u64>(1..=u64::MAX)("9")), (Ok(8), Ok(9)));
        for wrong in ["0", "9", "-1", "x", "1.5"] {
            let expected = format!("expected a whole number from 1 to 8, found `{wrong}`");
            assert_eq!(number::<u8>(1..=8)(wrong), Err(expected));
        }
        let said = number::<u64>(1..=u64::MAX)("-1").unwrap_err();
        assert!(said.contains("of 1 or more"), "{said}");
    }

    #[test]
    fn a_time_is_longer_than_nothing_and_where_it_is_swept_whole_milliseconds() {
        assert_eq!(time("0.5ms"), Ok(Duration::from_micros(500)));
        assert!(time("0s").unwrap_err().contains("longer than nothing"));
        assert!(time("-1s").unwrap_err().contains("a duration such as"));
        assert_eq!(milliseconds("1.5s"), Ok(Duration::from_millis(1_500)));
        assert!(milliseconds("0.5ms").unwrap_err().contains("a whole number of milliseconds"));
    }

    #[test]
    fn an_address_is_of_this_machine_alone_unless_it_is_written_out() {
        for (text, expected) in [
            ("9464", METRICS),
            ("0", "127.0.0.1:0"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0:9464", "0.0.0.0:9464"),
            ("[::1]:9464", "[::1]:9464"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for wrong in ["", ":9464", "127.0.0.1", "65536", "scenario.toml", "0.0.0.0"] {
            let said = address(wrong).unwrap_err();
            assert!(said.contains("expected an address and a port such as `127.0.0.1:9464`"), "{wrong}: {said}");
        }
    }

    #[test]
    fn what_is_measured_takes_neither_too_short_nor_too_long() {
        assert_eq!(measuring_time("200ms"), Ok(LEAST_MEASURED));
        assert_eq!(measuring_time("10s"), Ok(Duration::from_secs(10)));
        for wrong in ["199ms", "50ms", "10.1s", "0s"] {
            assert!(measuring_time(wrong).unwrap_err().contains("from 200ms to 10s"), "{wrong}");
        }
    }

    #[test]
    fn memory_in_which_nothing_has_room_is_refused() {
        assert_eq!(memory("16MiB"), Ok(16 << 20));
        for wrong in ["1KiB", "16777215", "0"] {
            assert!(memory(wrong).unwrap_err().contains("expected 16MiB or more"), "{wrong}");
        }
    }
}
