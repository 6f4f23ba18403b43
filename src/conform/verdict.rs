//! From what the cases have noted to a verdict for each item.

use std::collections::BTreeMap;

use crate::conform::cases::Case;
use crate::conform::choices;
use crate::conform::items::{self, Item, Requirement};
use crate::conform::log::Kept;
use crate::results::conformance::{
    CaseEnd, CaseResult, Conclusion, Evidence, ItemResult, ItemVerdict, Level, Requirement as RequirementResult, Seen,
};

/// Looks that showed nothing wrong are much alike; so many of them are kept for an item.
const MOST_ALIKE: usize = 4;
/// Looks that showed something wrong, of which the first tell enough.
const MOST_WRONG: usize = 12;

/// One case with all that it has noted.
pub struct Played {
    pub result: CaseResult,
    pub kept: Kept,
}

/// The verdict on every item; `cases`: all that there are, played or not.
pub fn items(played: &[Played], cases: &[&Case]) -> Vec<ItemResult> {
    let mut checks: BTreeMap<&str, Vec<&Evidence>> = BTreeMap::new();
    for (item, evidence) in played.iter().flat_map(|played| &played.kept.checks) {
        checks.entry(item).or_default().push(evidence);
    }
    items::all()
        .iter()
        .map(|item| judge(item, checks.remove(item.id.as_str()).unwrap_or_default(), played, cases))
        .collect()
}

fn judge(item: &Item, checks: Vec<&Evidence>, played: &[Played], cases: &[&Case]) -> ItemResult {
    let (holding, wrong): (Vec<&Evidence>, Vec<&Evidence>) = checks.iter().partition(|evidence| evidence.holds);
    let noted = |of: fn(&Kept) -> &Vec<(String, String)>| {
        let all = played.iter().flat_map(move |played| of(&played.kept));
        all.filter(|(id, _)| *id == item.id).map(|(_, why)| why.clone()).collect::<Vec<_>>()
    };
    let unsupported = noted(|kept| &kept.unsupported);
    let (verdict, reason) = if !wrong.is_empty() {
        (ItemVerdict::Fail, None)
    } else if !holding.is_empty() {
        (ItemVerdict::Pass, None)
    } else if let Some(why) = unsupported.first() {
        (ItemVerdict::NotSupported, Some(why.clone()))
    } else {
        let mut reasons = noted(|kept| &kept.unseen);
        reasons.extend(why_unseen(item, played, cases));
        reasons.dedup();
        (ItemVerdict::NotObservable, Some(reasons.join("; ")))
    };
    let shown = wrong.iter().take(MOST_WRONG).chain(holding.iter().take(MOST_ALIKE));
    ItemResult {
        id: item.id.clone(),
        requirement: item.requirement.id().to_owned(),
        section: item.section.to_owned(),
        role: item.role.word().to_owned(),
        level: item.level,
        says: item.says.clone(),
        verdict,
        reason,
        checks: checks.len(),
        evidence: shown.map(|evidence| (*evidence).clone()).collect(),
    }
}

/// Why nobody has looked at an item: how the cases ended that could have.
fn why_unseen(item: &Item, played: &[Played], cases: &[&Case]) -> Vec<String> {
    let bearing: Vec<&&Case> = cases.iter().filter(|case| case.bears_on(&item.id)).collect();
    let mut reasons: Vec<String> = Vec::new();
    for case in &bearing {
        let why = match played.iter().find(|played| played.result.name == case.name).map(|played| &played.result.end) {
            None => "its cases were left out".to_owned(),
            Some(CaseEnd::Whole) => continue,
            Some(CaseEnd::Stopped(why) | CaseEnd::NotTried(why)) => why.clone(),
        };
        if !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    if reasons.is_empty() {
        reasons.push("nothing that came in or went out has shown it".to_owned());
    }
    reasons
}

/// What each requirement of Appendix B comes to. What is only informational weighs nothing here.
pub fn requirements(items: &[ItemResult]) -> Vec<RequirementResult> {
    let of = |requirement: Requirement| {
        let of_it = || items.iter().filter(move |item| item.requirement == requirement.id());
        let count = |verdict| of_it().filter(|item| item.verdict == verdict).count();
        let weighs = |verdict| of_it().any(|item| item.verdict == verdict && item.level != Level::Informational);
        let verdict = if weighs(ItemVerdict::Fail) {
            ItemVerdict::Fail
        } else if weighs(ItemVerdict::Pass) {
            ItemVerdict::Pass
        } else if weighs(ItemVerdict::NotSupported) {
            ItemVerdict::NotSupported
        } else {
            ItemVerdict::NotObservable
        };
        RequirementResult {
            id: requirement.id().to_owned(),
            says: requirement.says().to_owned(),
            verdict,
            passed: count(ItemVerdict::Pass),
            failed: count(ItemVerdict::Fail),
            not_observable: count(ItemVerdict::NotObservable),
            not_supported: count(ItemVerdict::NotSupported),
        }
    };
    Requirement::ALL.into_iter().map(of).collect()
}

/// What was seen of a peer where there is a choice: of readings, or of those that are an operator's.
pub fn seen(played: &[Played], are_operators: bool) -> Vec<Seen> {
    let of = |choice: &choices::Choice| {
        let (mut answers, mut cases) = (Vec::new(), Vec::new());
        for one in played {
            let said = one.kept.answers.iter().filter(|(id, _)| *id == choice.id);
            for (_, answer) in said {
                if !answers.contains(answer) {
                    answers.push(answer.clone());
                }
                if !cases.contains(&one.result.name) {
                    cases.push(one.result.name.clone());
                }
            }
        }
        let (id, section, question) = (choice.id.into(), choice.section.into(), choice.question.into());
        Seen { id, section, question, answers, cases }
    };
    choices::ALL.iter().filter(|choice| choice.is_operators == are_operators).map(of).collect()
}

/// What the items come to, and why. With a problem, not all was tried that was to be: then nothing failing says nothing.
pub fn conclude(items: &[ItemResult], problems: &[String]) -> (Conclusion, String) {
    let count = |verdict, level| items.iter().filter(|item| item.verdict == verdict && item.level == level).count();
    let failed = count(ItemVerdict::Fail, Level::Mandatory);
    let seen = items.iter().filter(|item| matches!(item.verdict, ItemVerdict::Pass | ItemVerdict::Fail)).count();
    if failed > 0 {
        let first = items.iter().find(|item| item.verdict == ItemVerdict::Fail && item.level == Level::Mandatory);
        let first = first.map_or_else(String::new, |item| format!(", first {} ({})", item.id, item.section));
        let what =
            if failed == 1 { "one mandatory item fails".into() } else { format!("{failed} mandatory items fail") };
        return (Conclusion::Fails, format!("{what}{first}"));
    }
    if let Some(first) = problems.first() {
        return (Conclusion::Inconclusive, format!("no mandatory item fails, of {seen} that were seen, but {first}"));
    }
    (Conclusion::Conforms, format!("no mandatory item fails, of {seen} that were seen"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::cases;

    fn played(name: &str, end: CaseEnd, checks: &[(&str, bool)]) -> Played {
        let evidence = |holds| Evidence { case: name.into(), holds, found: "x".into(), exchange: None };
        let checks = checks.iter().map(|(item, holds)| ((*item).to_owned(), evidence(*holds))).collect();
        let result = CaseResult { name: name.into(), says: "".into(), end, duration_s: 0.0, exchanges: Vec::new() };
        Played { result, kept: Kept { checks, ..Kept::default() } }
    }

    fn verdict_of<'a>(items: &'a [ItemResult], id: &str) -> &'a ItemResult {
        items.iter().find(|item| item.id == id).expect("an item")
    }

    #[test]
    fn one_wrong_look_is_enough_and_what_nobody_saw_says_why() {
        let all: Vec<&Case> = cases::ALL.iter().collect();
        let stopped = CaseEnd::Stopped("the peer fell silent".into());
        let played = [
            played("delegated", stopped, &[("dms2/session", true), ("url/form", true)]),
            played("address", CaseEnd::Whole, &[("url/form", false)]),
        ];
        let items = items(&played, &all);
        assert_eq!(verdict_of(&items, "url/form").verdict, ItemVerdict::Fail);
        assert_eq!(verdict_of(&items, "dms2/session").verdict, ItemVerdict::Pass);
        let unseen = verdict_of(&items, "dms2/delegation_confirmed/status");
        assert_eq!(unseen.verdict, ItemVerdict::NotObservable);
        assert_eq!(unseen.reason.as_deref(), Some("the peer fell silent"));
        assert_eq!(conclude(&items, &[]).0, Conclusion::Fails);
        let requirements = requirements(&items);
        assert_eq!(requirements[7].verdict, ItemVerdict::Fail, "S-008 has url/form");
        assert_eq!(requirements[1].verdict, ItemVerdict::Pass, "S-002 has dms2/session");
    }

    #[test]
    fn what_is_informational_fails_no_peer() {
        let all: Vec<&Case> = cases::ALL.iter().collect();
        let items =
            items(&[played("method", CaseEnd::Whole, &[("http/method", false), ("http/response-body", true)])], &all);
        assert_eq!(verdict_of(&items, "http/method").verdict, ItemVerdict::Fail);
        assert_eq!(conclude(&items, &[]).0, Conclusion::Conforms);
        assert_eq!(conclude(&items, &["it said no".to_owned()]).0, Conclusion::Inconclusive);
        assert_eq!(requirements(&items)[6].verdict, ItemVerdict::Pass);
    }
}
