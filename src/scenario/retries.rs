//! The grammar of `[retries]`, read and written.
//!
//! ```text
//! none
//! 4 times, 100ms doubling to 2s, jitter 50%
//! 3 times every 1s
//! ```
//!
//! So often a message is sent, the first time included. A comma may follow any word; `jitter` may be left out.

use std::time::Duration;

use crate::delegation::message::Kind;
use crate::delegation::policy::Policy;
use crate::delegation::retry::{Retries, Retry};
use crate::scenario::entry::{Entry, Text};
use crate::scenario::problem::{Problem, Span};
use crate::scenario::shape::LONGEST_TIMEOUT;
use crate::scenario::steps::{Word, split};
use crate::units;

const HINT: &str = "`none`, `4 times, 100ms doubling to 2s, jitter 50%` or `3 times every 1s`";
/// More tries of one message make no sense within any timeout.
const MOST_TRIES: u32 = 1000;

/// How each kind of message is tried again.
pub fn read(entry: &Entry<'_>, policy: Policy, found: &mut Vec<Problem>) -> Retries {
    let mut named = |key: &str| {
        let text = entry.text(key)?;
        retry(&text).map_err(|problem| found.push(problem)).ok()
    };
    let mut retries = named("default").map_or_else(|| Retries::of(policy), Retries::all);
    for kind in Kind::ALL {
        if let Some(retry) = named(kind.root()) {
            retries.set(kind, retry);
        }
    }
    retries
}

/// As lines of the file: the default, which is what most messages do, and every message that does otherwise.
pub fn print(retries: &Retries) -> Vec<(&'static str, String)> {
    let alike = |one: &Retry| Kind::ALL.into_iter().filter(|kind| retries.get(*kind) == *one).count();
    let all = Kind::ALL.map(|kind| retries.get(kind));
    // Among equally frequent ones `max_by_key` takes the last: any will do, and always the same one.
    let default = all.into_iter().max_by_key(alike).unwrap_or(Retry::NONE);
    let others = Kind::ALL.into_iter().filter(|kind| retries.get(*kind) != default);
    let others = others.map(|kind| (kind.root(), written(&retries.get(kind))));
    std::iter::once(("default", written(&default))).chain(others).collect()
}

fn retry(text: &Text<'_>) -> Result<Retry, Problem> {
    let words = split(text.text);
    let spelled: Vec<&str> = words.iter().map(|word| word.text).collect();
    let (plan, jitter) = match spelled.as_slice() {
        [plan @ .., "jitter", _] => (plan, words.last()),
        plan => (plan, None),
    };
    let place = |word: &Word<'_>| text.part(word.span.clone());
    let mut retry = match plan {
        ["none"] if jitter.is_none() => return Ok(Retry::NONE),
        [count, "times", wait, "doubling", "to", longest] => {
            let tries = tries(count, place(&words[0]))?;
            let wait = duration(wait, place(&words[2]))?;
            let longest = duration(longest, place(&words[5]))?;
            if longest < wait {
                let message = format!("the waits grow from {} to {}", units::Duration(wait), units::Duration(longest));
                return Err(Problem::new(place(&words[5]), message).label("less than the first"));
            }
            Retry { tries, wait, longest, jitter: 0 }
        }
        [count, "times", "every", wait] => {
            let tries = tries(count, place(&words[0]))?;
            let wait = duration(wait, place(&words[3]))?;
            Retry { tries, wait, longest: wait, jitter: 0 }
        }
        _ => {
            let message = format!("`{}` does not say how to try again", text.text);
            return Err(Problem::new(text.span.clone(), message).hint(HINT));
        }
    };
    if let Some(word) = jitter {
        retry.jitter = percent(word.text).ok_or_else(|| {
            let message = format!("expected whole percent from `0%` to `100%`, found `{}`", word.text);
            Problem::new(place(word), message).hint("by so much a wait may be shorter: `jitter 50%`")
        })?;
    }
    Ok(retry)
}

fn tries(word: &str, place: Span) -> Result<u32, Problem> {
    let is_plain = word.bytes().all(|b| b.is_ascii_digit());
    let count = word.parse::<u32>().ok().filter(|count| is_plain && (2..=MOST_TRIES).contains(count));
    count.ok_or_else(|| {
        let message = format!("expected a whole number from 2 to {MOST_TRIES}, found `{word}`");
        Problem::new(place, message).hint("the first time counts; what is sent once is `none`")
    })
}

fn duration(word: &str, place: Span) -> Result<Duration, Problem> {
    let duration: units::Duration =
        word.parse().map_err(|error: units::UnitError| Problem::new(place.clone(), error.to_string()))?;
    if duration > LONGEST_TIMEOUT {
        return Err(Problem::new(place, format!("a wait is at most {LONGEST_TIMEOUT} long")));
    }
    Ok(duration.0)
}

fn percent(word: &str) -> Option<u8> {
    let digits = word.strip_suffix('%').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok().filter(|percent| *percent <= 100)
}

fn written(retry: &Retry) -> String {
    let Retry { tries, wait, longest, jitter } = retry;
    if *tries <= 1 {
        return "none".to_owned();
    }
    let (wait, longest) = (units::Duration(*wait), units::Duration(*longest));
    let waits = if wait == longest { format!(" every {wait}") } else { format!(", {wait} doubling to {longest}") };
    let jitter = if *jitter == 0 { String::new() } else { format!(", jitter {jitter}%") };
    format!("{tries} times{waits}{jitter}")
}
