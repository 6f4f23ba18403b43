//! Numbers with their units, short enough to read.

use crate::measure::limit::Unit;

/// A count with a comma at every third digit.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 device`, `2 devices`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A time given in milliseconds, in three digits and a fitting unit; `-` when it is not known.
pub fn time(ms: Option<f64>) -> String {
    match ms {
        None => "-".to_owned(),
        Some(ms) if ms < 0.9995 => format!("{:.0} us", ms * 1e3),
        Some(ms) if ms < 9.995 => format!("{ms:.2} ms"),
        Some(ms) if ms < 99.95 => format!("{ms:.1} ms"),
        Some(ms) if ms < 9_999.5 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.1} s", ms / 1e3),
    }
}

/// The value or the bound of a limit.
pub fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => share(value),
        Unit::Ms => time(Some(value)),
        Unit::PerS => format!("{}/s", rate(value)),
        Unit::Count => count(value as u64),
    }
}

/// A share (0 to 1) in percent.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 { format!("{percent:.0} %") } else { format!("{percent:.2} %") }
}

/// A size in bytes, in a fitting binary unit.
pub fn size(bytes: u64) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    let mib = bytes as f64 / MIB;
    if bytes < 1024 {
        return format!("{bytes} B");
    } else if mib < 1.0 {
        return format!("{:.0} KiB", mib * 1024.0);
    }
    if mib >= 1024.0 { format!("{:.1} GiB", mib / 1024.0) } else { format!("{mib:.0} MiB") }
}

/// Something per second: whole numbers from a hundred on, two digits that say something below one tenth.
pub fn rate(per_s: f64) -> String {
    match per_s {
        _ if per_s >= 99.95 => count(per_s.round() as u64),
        _ if per_s >= 0.0995 || per_s <= 0.0 => format!("{per_s:.1}"),
        _ => {
            let zeros = (-per_s.log10()).floor().clamp(0.0, 12.0) as usize;
            format!("{per_s:.*}", zeros + 2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_carry_their_unit() {
        for (found, expected) in [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_000), "1,000"),
            (count(12_345_678), "12,345,678"),
            (counted(1, "device"), "1 device"),
            (counted(1_000, "device"), "1,000 devices"),
            (time(None), "-"),
            (time(Some(0.04)), "40 us"),
            (time(Some(0.9996)), "1.00 ms"),
            (time(Some(1.234)), "1.23 ms"),
            (time(Some(12.34)), "12.3 ms"),
            (time(Some(1234.5)), "1234 ms"),
            (time(Some(12_345.0)), "12.3 s"),
            (share(0.0), "0 %"),
            (share(0.0012), "0.12 %"),
            (share(0.25), "25 %"),
            (size(1_023), "1023 B"),
            (size(3 * 1024), "3 KiB"),
            (size(85 * 1024 * 1024), "85 MiB"),
            (size(3 * 1024 * 1024 * 1024 / 2), "1.5 GiB"),
            (rate(0.0), "0.0"),
            (rate(1.0 / 3_600.0), "0.00028"),
            (rate(0.05), "0.050"),
            (rate(0.0996), "0.1"),
            (rate(3.21), "3.2"),
            (rate(3_210.7), "3,211"),
        ] {
            assert_eq!(found, expected);
        }
    }
}
