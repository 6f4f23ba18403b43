//! A step that stands alone, outside of any journey: what somebody asks a server to start.

use crate::dm::uri::Uri;
use crate::ids::ServerNumber;
use crate::scenario::shape::words;
use crate::scenario::steps::{self, DONE, StepText, Word};
use crate::workload::journey::{Expected, Step};

/// Reads a step, with the servers by these names; else says what is wrong with it. There is no latest delegation, so that a
/// revocation names its parties.
pub fn read(text: &str, names: &[String]) -> Result<Step, String> {
    let server = |word: &Word<'_>| {
        let number = names.iter().position(|name| name == word.text).and_then(|number| u16::try_from(number).ok());
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let unknown = || format!("there is no server `{}`; the servers are {}", word.text, words(&known, "and"));
        number.map(ServerNumber).ok_or_else(unknown)
    };
    let parties = |from: &Word<'_>, to: &Word<'_>| match (server(from)?, server(to)?) {
        (from, to) if from == to => Err("a server cannot delegate to itself".to_owned()),
        parties => Ok(parties),
    };
    let expect = |expect: Option<Expected>| expect.unwrap_or(Expected(DONE));
    let read = steps::parse(text).map_err(|error| match error.hint {
        Some(hint) => format!("{}; {hint}", error.message),
        None => error.message,
    })?;
    match read {
        StepText::Wait(time) => Ok(Step::Wait(time)),
        StepText::WaitUntil(time) => Ok(Step::WaitUntil(time)),
        StepText::Revoke { how, parties: Some((from, to)), expect: expected } => {
            let (from, to) = parties(&from, &to)?;
            Ok(Step::Revoke { from, to, how, expect: expect(expected) })
        }
        StepText::Revoke { parties: None, .. } => {
            Err("a revocation that stands alone names its parties, as in `revoke asked home -> partner`".to_owned())
        }
        StepText::Delegate(step) => {
            let (from, to) = parties(&step.from, &step.to)?;
            let starter = step.started_by.as_ref().map(server).transpose()?.unwrap_or(from);
            if starter != from && starter != to {
                return Err("only the two servers of a delegation can start it".to_owned());
            }
            let subtree = step.subtree.as_ref().map(|word| Uri::parse(word.text).map_err(|error| error.to_string()));
            Ok(Step::Delegate {
                from,
                to,
                approach: step.approach,
                subtree: subtree.transpose()?.unwrap_or_else(Uri::root),
                is_full: step.is_full,
                by_delegated: starter == to,
                expect: expect(step.expect),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_alone_reads_back_as_it_is_written() {
        let names = ["home", "partner"].map(str::to_owned);
        for text in [
            "delegate home -> partner by dmacc subtree ./SCOMO",
            "delegate home -> partner by url subtree . full started by partner",
            "revoke asked home -> partner",
            "revoke requested home -> partner",
            "revoke forced home -> partner without notice",
        ] {
            let step = read(text, &names).expect(text);
            assert_eq!(steps::print(&step, |server| &names[usize::from(server.0)]), text);
        }
        for (text, told) in [
            ("revoke asked", "names its parties"),
            ("revoke asked home -> nobody", "the servers are `home` and `partner`"),
            ("delegate home -> home by dmacc", "to itself"),
            ("delegate home -> partner by dmacc subtree ./a/../b", "`..`"),
            ("dance", "expected a step"),
        ] {
            let error = read(text, &names).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
