//! A moment of the wall clock as text: for people and programs, and for names of files.

use std::time::SystemTime;

use time::OffsetDateTime;

/// `2026-11-22T11:50:03.123Z` (RFC 3339), to the millisecond.
pub fn rfc3339(moment: SystemTime) -> String {
    text(moment, ':')
}

/// `2026-11-22T11:50:03Z` (RFC 3339), to the second before.
pub fn rfc3339_seconds(moment: SystemTime) -> String {
    let text = rfc3339(moment);
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// `2026-11-22T11-50-03.123Z`: the same without the colons, which not every file system takes.
pub fn file_safe(moment: SystemTime) -> String {
    text(moment, '-')
}

fn text(moment: SystemTime, colon: char) -> String {
    let utc = OffsetDateTime::from(moment);
    format!(
        "{:04}-{:02}-{:02}T{:02}{colon}{:02}{colon}{:02}.{:03}Z",
        utc.year(),
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second(),
        utc.millisecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_written_to_the_millisecond() {
        // 86,400 s * 365 = the first moment of 1971; then 1 h 2 min 3.045 s.
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_000 * 365 + 3_723_045);
        assert_eq!(rfc3339(moment), "1971-01-01T01:02:03.045Z");
        assert_eq!(rfc3339_seconds(moment), "1971-01-01T01:02:03Z");
        assert_eq!(file_safe(moment), "1971-01-01T01-02-03.045Z");
    }
}
