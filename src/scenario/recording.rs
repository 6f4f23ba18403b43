//! Recorded arrivals as text: one moment a line, in seconds, or a CSV that begins with it; or a list in one line.

use std::time::Duration;

use crate::scenario::shape::LONGEST_STRETCH;

/// So many recorded moments can a scenario have: printed with all of them, it is still read.
pub const MOST_MOMENTS: usize = 500_000;
/// So many mistakes of one file are told one by one.
const MOST_TOLD: usize = 10;

/// The moments of an arrival file: seconds since the beginning of the phase, ascending, at least one. Empty lines and what
/// follows a `#` count for nothing. Where lines have commas, the first column counts, and the first line may be a header.
///
/// # Errors
/// Every mistake, with its line.
pub fn read(text: &str) -> Result<Vec<Duration>, Vec<String>> {
    let (mut moments, mut mistakes) = (Vec::new(), Vec::new());
    let mut wrong = 0;
    let mut is_first = true;
    for (line, content) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
        let content = content.split('#').next().unwrap_or_default().trim();
        if content.is_empty() {
            continue;
        }
        let column = content.split(',').next().unwrap_or_default().trim();
        let column = column.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(column);
        let is_header = std::mem::take(&mut is_first) && column.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let moment = moment(column, moments.last().copied());
        match moment {
            Ok(moment) => moments.push(moment),
            Err(_) if is_header => {}
            Err(mistake) => {
                wrong += 1;
                if wrong <= MOST_TOLD {
                    mistakes.push(format!("line {line}: {mistake}"));
                }
            }
        }
        if moments.len() > MOST_MOMENTS {
            mistakes.push(format!("line {line}: there are more than {MOST_MOMENTS} moments"));
            break;
        }
    }
    if wrong > MOST_TOLD {
        mistakes.push(format!("{} more lines are wrong", wrong - MOST_TOLD));
    }
    if moments.is_empty() && mistakes.is_empty() {
        mistakes.push("expected one moment a line, in seconds, found none".to_owned());
    }
    if mistakes.is_empty() { Ok(moments) } else { Err(mistakes) }
}

/// One moment, in seconds, that is not before the one ahead of it.
///
/// # Errors
/// What was expected and what was found.
pub fn moment(text: &str, before: Option<Duration>) -> Result<Duration, String> {
    let Some(moment) = seconds(text) else {
        return Err(format!(
            "expected a moment in seconds, in plain digits such as `1.25`, found `{}`",
            shortened(text)
        ));
    };
    if moment > LONGEST_STRETCH.0 {
        return Err(format!("expected a moment within {LONGEST_STRETCH}, found `{}`", shortened(text)));
    }
    match before {
        Some(before) if moment < before => {
            Err(format!("expected a moment from `{}` on, for they ascend, found `{text}`", print(before)))
        }
        _ => Ok(moment),
    }
}

/// A moment in seconds, with as many digits as it takes: it reads back to the same.
pub fn print(moment: Duration) -> String {
    let text = format!("{}.{:09}", moment.as_secs(), moment.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Plain digits with at most one point; what is beyond nanoseconds is cut off.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let seconds: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos: u32 = format!("{:0<9.9}", fraction).parse().ok()?;
    Some(Duration::new(seconds, nanos))
}

/// As much of a strange text as fits into a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, millis: &[u64]) {
        let expected: Vec<Duration> = millis.iter().map(|millis| Duration::from_millis(*millis)).collect();
        assert_eq!(read(text), Ok(expected), "{text:?}");
    }

    #[track_caller]
    fn is_wrong(text: &str, mistakes: &[&str]) {
        assert_eq!(read(text).unwrap_err(), mistakes, "{text:?}");
    }

    #[test]
    fn one_moment_a_line_or_the_first_column() {
        check("0\n0.5\n\n# later\n1.25 # here\n1.25\r\n", &[0, 500, 1_250, 1_250]);
        check("\u{feff}at_s,device,what\n0.1,4,\"a, b\"\n2,5,c\n", &[100, 2_000]);
        check("\"seconds\",x\n\"3.5\",y\n", &[3_500]);
        check(".5\n1.\n", &[500, 1_000]);
        assert_eq!(read("1.0000000019").unwrap(), [Duration::from_nanos(1_000_000_001)]);
    }

    #[test]
    fn every_mistake_has_its_line() {
        is_wrong(
            "0.5\nsoon\n0.25\n1e3\n-1\n",
            &[
                "line 2: expected a moment in seconds, in plain digits such as `1.25`, found `soon`",
                "line 3: expected a moment from `0.5` on, for they ascend, found `0.25`",
                "line 4: expected a moment in seconds, in plain digits such as `1.25`, found `1e3`",
                "line 5: expected a moment in seconds, in plain digits such as `1.25`, found `-1`",
            ],
        );
        // Commas alone part columns.
        for line in ["0.5;4", "0.5\t4", "0.5 4"] {
            is_wrong(
                line,
                &[&format!("line 1: expected a moment in seconds, in plain digits such as `1.25`, found `{line}`")],
            );
        }
        is_wrong("# nothing\n\n", &["expected one moment a line, in seconds, found none"]);
        is_wrong("at\n", &["expected one moment a line, in seconds, found none"]);
        is_wrong("at\nat\n", &["line 2: expected a moment in seconds, in plain digits such as `1.25`, found `at`"]);
        is_wrong("99999999", &["line 1: expected a moment within 8760h, found `99999999`"]);
        let many = read(&"x1\n".repeat(30)).unwrap_err();
        assert_eq!((many.len(), many[10].as_str()), (11, "19 more lines are wrong"), "the first may be a header");
        let long = read(&format!("1\n{}", "é".repeat(500))).unwrap_err();
        assert!(long[0].ends_with(&format!("found `{}...`", "é".repeat(40))));
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read_to_its_end() {
        let long = "1\n".repeat(MOST_MOMENTS + 7);
        is_wrong(&long, &[&format!("line {}: there are more than {MOST_MOMENTS} moments", MOST_MOMENTS + 1)]);
    }

    #[test]
    fn moments_read_back_as_they_are_printed() {
        for (text, printed) in
            [("0", "0"), ("0.50", "0.5"), ("10", "10"), ("1.000000001", "1.000000001"), ("100.0", "100")]
        {
            let moment = seconds(text).unwrap();
            assert_eq!(print(moment), printed);
            assert_eq!(seconds(printed), Some(moment));
        }
    }
}
