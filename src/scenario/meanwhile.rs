//! The second look at `meanwhile`: wishes of operators that wait for a fact, `once PATTERN: STEP`.

use crate::delegation::flow::Approach;
use crate::scenario::entry::Text;
use crate::scenario::journeys::{Latest, StepReader};
use crate::scenario::problem::Problem;
use crate::scenario::steps::{self, StepText};
use crate::workload::journey::{Meanwhile, Step};

const HINT: &str = "`once sent delegation_prepared by home: revoke forced without notice`";

/// Reads one wish of a journey whose last delegation is `latest`.
pub fn read(
    text: &Text<'_>,
    reader: &StepReader<'_>,
    latest: Latest,
    found: &mut Vec<Problem>,
) -> Option<Meanwhile> {
    let whole = text.text;
    let lead = whole.len() - whole.trim_start().len();
    let Some(rest) = whole[lead..].strip_prefix("once").filter(|rest| rest.starts_with(char::is_whitespace)) else {
        let problem = Problem::new(text.span.clone(), format!("expected `once PATTERN: STEP`, found `{whole}`"));
        found.push(problem.hint(HINT));
        return None;
    };
    let start = whole.len() - rest.len();
    let Some((pattern, step)) = rest.split_once(':') else {
        let problem = Problem::new(text.span.clone(), "expected a `:` and a step after the pattern");
        found.push(problem.hint(HINT));
        return None;
    };
    let once = reader.world.cast.pattern_in(text, pattern, start, found);
    let wish = wish(&text.from(start + pattern.len() + 1, step), reader, latest, found);
    Some(Meanwhile { once: once?, wish: wish? })
}

fn wish(text: &Text<'_>, reader: &StepReader<'_>, mut latest: Latest, found: &mut Vec<Problem>) -> Option<Step> {
    let whole = text.part(0..text.text.len());
    match steps::parse(text.text) {
        Ok(StepText::Wait(_)) => {
            let problem = Problem::new(whole, "a wish is no wait");
            found.push(problem.hint("what follows `:` is a `delegate` or `revoke` step; `once` is what waits"));
            return None;
        }
        Ok(step) if step.expects().is_some() => {
            let problem = Problem::new(whole, "nothing can be expected of a wish that comes meanwhile");
            found.push(problem.hint("leave `expect` out; say what is to happen with `goals`"));
            return None;
        }
        _ => {}
    }
    let step = reader.step(text, &mut latest, found)?.step;
    if let Step::Delegate { approach: Approach::Url, to, .. } = step {
        // Whatever else may be refused at this moment, nobody could ever give out the account.
        if let Some(problem) = reader.world.why_no_url(to, &whole) {
            found.push(problem);
            return None;
        }
    }
    Some(step)
}

/// Writes one wish.
pub fn print(meanwhile: &Meanwhile, pattern: String, step: String) -> String {
    let _ = meanwhile;
    format!("once {pattern}: {step}")
}
