//! Looks at somebody else's servers before anything is loaded: whether they can be reached, whether they take us for who we
//! are, and how far their clocks are from ours.

use std::time::{Duration, SystemTime};

use crate::actors::blueprint::Blueprint;
use crate::clock::wall_now;
use crate::ids::ServerNumber;
use crate::run::RunError;
use crate::run::stand::Prepared;
use crate::transport::address::Address;
use crate::transport::dialer::{Call, Dialer};
use crate::transport::guard::Target;

/// How long one server may take to be reached.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clocks that are further apart are told of: certificates and logs are read by them. A `Date` counts whole seconds.
const FAR_APART: Duration = Duration::from_secs(3);

/// A server that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its name.
    pub party: String,
    /// Where: `https://dms2.example.test:8443/dm_delegation`.
    pub url: String,
    /// From the first packet until it had answered.
    pub took: Duration,
    /// How far its clock is ahead of ours or behind it, where that is further than one would expect.
    pub apart: Option<Apart>,
}

/// How far a clock is from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    Ahead(Duration),
    Behind(Duration),
}

/// Asks every server that is somebody else's, in turn, for something that it need not have: any answer will do.
///
/// # Errors
/// [`RunError::Unreachable`] for the first that cannot be reached, [`RunError::NotLetIn`] for one that refuses our identity.
pub async fn look(prepared: &Prepared) -> Result<Vec<Reached>, RunError> {
    let Prepared { blueprint, names, dialer, .. } = prepared;
    let clock = blueprint.clock;
    let dialer = Dialer::new(names.clone(), *dialer, clock);
    let mut reached = Vec::new();
    for (from, to) in pairs(blueprint) {
        let party = blueprint.server(to);
        let external = party.external.as_ref();
        let operator = external.and_then(|external| external.operator.as_ref());
        for address in [Some(&party.interface), operator].into_iter().flatten() {
            let call = Call::get(address.clone(), blueprint.identity_towards(from, to));
            let (name, url) = (party.name.clone(), shown(address));
            let begun = clock.now();
            let reply = dialer.call(Call { timeout: PATIENCE, body_limit: blueprint.body_limit, ..call }).await;
            let reply =
                reply.map_err(|problem| RunError::Unreachable { party: name.clone(), url: url.clone(), problem })?;
            if matches!(reply.status, 401 | 403) {
                return Err(RunError::NotLetIn { party: name, url, status: reply.status });
            }
            let apart = reply.header("date").and_then(|date| apart(date, wall_now()));
            reached.push(Reached { party: name, url, took: clock.now() - begun, apart });
        }
    }
    dialer.hang_up_all();
    Ok(reached)
}

/// Each server that is somebody else's, with the first of ours to ask it.
fn pairs(blueprint: &Blueprint) -> impl Iterator<Item = (ServerNumber, ServerNumber)> {
    let numbers = (0..).map(ServerNumber).take(blueprint.servers.len());
    let ours = numbers.clone().find(|server| !blueprint.is_external(*server));
    let theirs = numbers.filter(|server| blueprint.is_external(*server));
    ours.into_iter().flat_map(move |ours| theirs.clone().map(move |theirs| (ours, theirs)))
}

fn shown(address: &Address) -> String {
    format!("https://{}{}", Target::new(address.host(), address.port()), address.path())
}

/// How far a `Date` is from now.
fn apart(date: &str, now: SystemTime) -> Option<Apart> {
    let theirs = httpdate::parse_http_date(date).ok()?;
    let apart = match theirs.duration_since(now) {
        Ok(ahead) => Apart::Ahead(ahead),
        Err(behind) => Apart::Behind(behind.duration()),
    };
    let (Apart::Ahead(by) | Apart::Behind(by)) = apart;
    (by > FAR_APART).then_some(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_told_of_when_they_are_further_apart_than_a_date_can_show() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        // The epoch with 100 s.
        let date = "Thu, 01 Jan 1970 00:01:40 GMT";
        assert_eq!(apart(date, at(100)), None);
        assert_eq!(apart(date, at(103)), None);
        assert_eq!(apart(date, at(110)), Some(Apart::Behind(Duration::from_secs(10))));
        assert_eq!(apart(date, at(90)), Some(Apart::Ahead(Duration::from_secs(10))));
        assert_eq!(apart("yesterday", at(90)), None);
    }
}
