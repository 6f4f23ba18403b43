//! What a plan needs of peers, and the searches that say so.

use std::path::Path;

use crate::capacity::scaling::ScalingError;
use crate::capacity::search::Interval;
use crate::capacity::sizing::{Bounds, Evidence as Known, Finding, Plan, SizingError, Together, Weighed};
use crate::results::capacity::{CapacityRecord, Evidence, Planned};
use crate::scenario::capacity::LoadAxis;
use crate::seed::Seed;

/// A search, and its folder where it is not the one that is being told of.
pub type Searched<'s> = (Option<&'s Path>, &'s CapacityRecord);

/// What is asked of searches before any is made: that all of them can be evidence for one answer.
///
/// # Errors
/// Why they cannot, in words.
pub fn go_together(searches: &[Searched<'_>]) -> Result<(), String> {
    let name = |(folder, search): &Searched<'_>| match folder {
        Some(folder) => format!("`{}`", folder.display()),
        None => format!("the search of `{}`", search.scenario.escape_debug()),
    };
    let of_rate = LoadAxis::Rate.key();
    for searched in searches {
        let axis = &searched.1.axis;
        if axis != of_rate && axis != LoadAxis::Storm.key() {
            return Err(format!(
                "{} turns up `{}`, and a plan goes by devices a second and storms: `axis = \"rate\"` or \"storm\"",
                name(searched),
                axis.escape_debug()
            ));
        }
    }
    let mut rates = searches.iter().filter(|(_, search)| search.axis == of_rate);
    let Some(first) = rates.next() else {
        return Err("a plan is sized by devices a second: one of the searches has `axis = \"rate\"`".to_owned());
    };
    match rates.find(|(_, search)| (&search.limits, &search.policy) != (&first.1.limits, &first.1.policy)) {
        None => Ok(()),
        Some(other) => {
            let asked = |(_, search): &Searched<'_>| {
                format!("{} ({})", search.limits.join(", ").escape_debug(), search.policy.escape_debug())
            };
            Err(format!(
                "searches with other limits or another policy do not go together: {} has {}, {} has {}",
                name(first),
                asked(first),
                name(other),
                asked(other)
            ))
        }
    }
}

/// The answer to a plan.
///
/// # Errors
/// Why there is none, in words.
pub fn sized(plan: &Plan, searches: &[Searched<'_>]) -> Result<Planned, String> {
    go_together(searches)?;
    let (mut known, mut evidence) = (Known::default(), Vec::new());
    for (folder, search) in searches {
        let result = search.result.as_ref().map(|result| result.bounds);
        let Some(Interval { lower: Some(lower), upper, .. }) = result else {
            let which =
                folder.as_ref().map_or_else(|| "the search".to_owned(), |folder| format!("`{}`", folder.display()));
            return Err(format!("{which} knows no load that keeps every limit"));
        };
        let finding = Finding { peers: search.peers, bounds: Bounds { lower, upper } };
        if search.axis == LoadAxis::Rate.key() {
            known.rates.push(finding)
        } else {
            known.storms.push(finding)
        }
        evidence.push(Evidence {
            search: folder.map(Path::to_owned),
            axis: search.axis.clone(),
            peers: search.peers,
            kept: lower,
            not_kept: upper,
            kept_in: search.runs_at(lower),
            not_kept_in: upper.map_or_else(Vec::new, |upper| search.runs_at(upper)),
        });
    }
    known.revoked_per_s = searches.iter().filter_map(|(_, search)| search.revoked_per_s()).reduce(f64::min);
    // The same searches give the same answer.
    let weighed = known.weigh(&mut Seed(0).stream("plan", 0)).map_err(|error| error.to_string())?;
    let Weighed { measured, together, no_curve: why } = weighed;
    let why = why.as_ref().map(no_curve);
    let sizing = plan.size(&measured, &together).map_err(|error| match (&error, &why) {
        (SizingError::BeyondMeasured { .. }, Some(why)) => format!("{error}; {why}"),
        _ => error.to_string(),
    })?;
    let (together, curve) = match together {
        Together::Curve(curve) => ("curve", Some(*curve)),
        Together::Proportional => ("proportional", None),
        Together::AsMeasured(_) => ("as_measured", None),
    };
    Ok(Planned { plan: plan.to_string(), sizing, together, curve, no_curve: why, evidence })
}

/// Why no curve goes through the numbers of peers.
fn no_curve(error: &ScalingError) -> String {
    match error {
        ScalingError::TooFew { found, needed } => {
            format!("a curve takes searches with {needed} numbers of peers, found {found} (`--with`)")
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Axis;
    use crate::capacity::search::{Goal, Outcome, Search, Settings};
    use crate::scenario::QUICKSTART;
    use crate::scenario::file::{Overrides, parse};

    /// A search that has found so much, and the next whole number not to be kept.
    fn search(axis: &str, peers: u32, lower: f64) -> CapacityRecord {
        let text = format!("{QUICKSTART}\n[capacity]\naxis = \"{axis}\"\npeers = {peers}\nleast = 1\nmost = 500\n");
        let scenario =
            parse("quickstart", &text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"));
        let settings = scenario.capacity.as_ref().expect("it says so");
        let mut record = CapacityRecord::begun(&scenario, settings);
        let axis = Axis::new(1.0, 2.0).expect("a range");
        let mut search = Search::new(Settings::new(axis, vec![Goal::new("limit")])).expect("settings");
        search.tell(Outcome::Invalid { why: "nothing is run".to_owned() }).expect("it is asked");
        record.result = search.result();
        record.result.as_mut().expect("it has ended").bounds =
            Interval { lower: Some(lower), upper: Some(1.05 * lower), width: None };
        record
    }

    fn plan(text: &str, searches: Vec<CapacityRecord>) -> Result<Planned, String> {
        let folders: Vec<String> = (0..searches.len()).map(|number| format!("search-{number}")).collect();
        let searches: Vec<Searched<'_>> = folders.iter().map(|folder| Some(Path::new(folder))).zip(&searches).collect();
        sized(&text.parse().expect("a plan"), &searches)
    }

    #[test]
    fn searches_with_more_peers_make_a_curve_that_is_read_as_far_as_it_goes() {
        let peers = [1, 2, 3, 4, 6, 8];
        let rate = |peers: u32| 25.0 * f64::from(peers) / (1.0 + 0.05 * f64::from(peers - 1));
        let searches = || peers.map(|peers| search("rate", peers, rate(peers))).to_vec();
        let planned = plan("324k devices in 1h", searches()).expect("it goes");
        assert_eq!((planned.sizing.working, planned.no_curve), (5, None));
        // 324,000 at 25 a second
        assert_eq!(planned.sizing.fleet_at_one_s, Some(12_960.0));
        assert_eq!(planned.evidence.len(), 6);
        let refused = plan("10M devices in 1h", searches()).expect_err("far beyond what was measured");
        assert!(refused.contains("the curve may be read up to 16 peers"), "{refused}");
        let refused = plan("10M devices in 1h", vec![search("rate", 1, 25.0), search("rate", 8, 40.0)]);
        assert!(refused.expect_err("they hold each other up").contains("at most 8 of them were measured together"));
        // Of one search alone it is said that nothing is known of more.
        let planned = plan("324k devices in 1h", vec![search("rate", 1, 25.0)]).expect("it goes");
        assert_eq!(planned.sizing.working, 4);
        assert!(planned.no_curve.is_some_and(|why| why.contains("found 1")));
    }

    #[test]
    fn a_search_for_a_storm_says_how_many_may_come_at_once() {
        let searches = vec![search("rate", 1, 25.0), search("storm", 1, 6_000.0)];
        let planned = plan("10M devices in 48h, storm 20k", searches).expect("it goes");
        assert!(planned.sizing.storm.is_some_and(|storm| storm.is_measured));
        assert_eq!(planned.sizing.working, 4);
    }

    #[test]
    fn searches_that_ask_something_else_are_refused() {
        let other = CapacityRecord { limits: vec!["share(failed) < 1%".to_owned()], ..search("rate", 2, 48.0) };
        let refused = plan("1M devices in 48h", vec![search("rate", 1, 25.0), other]).expect_err("other limits");
        assert!(refused.contains("`search-0` has "), "{refused}");
        let refused = plan("1M devices in 48h", vec![search("at_once", 1, 25.0)]).expect_err("another axis");
        assert!(refused.contains("`search-0` turns up `at_once`"), "{refused}");
        let refused = plan("1M devices in 48h", vec![search("storm", 1, 25.0)]).expect_err("no rate");
        assert!(refused.contains("`axis = \"rate\"`"), "{refused}");
        let nothing = CapacityRecord { result: None, ..search("rate", 1, 25.0) };
        assert!(plan("1M devices in 48h", vec![nothing]).expect_err("stopped").contains("knows no load"));
    }
}
