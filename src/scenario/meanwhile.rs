//! The second look at `meanwhile`: wishes of operators that wait for a fact, `once PATTERN: STEP`.

use crate::delegation::flow::Approach;
use crate::scenario::entry::Text;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Latest, StepReader};
use crate::scenario::steps::{self, StepText};
use crate::workload::journey::{Meanwhile, Step};

const HINT: &str = "`once sent delegation_prepared by home: revoke forced without notice`";

/// Reads one wish of a journey whose last delegation is `latest`.
pub fn read(text: &Text<'_>, reader: &StepReader<'_>, latest: Latest, found: &mut Vec<Problem>) -> Option<Meanwhile> {
    let problem = |message: &str| Problem::new(text.whole(), format!("{message}, found `{}`", text.text)).hint(HINT);
    let whole = text.text.trim_start();
    let Some(rest) = whole.strip_prefix("once").filter(|rest| rest.starts_with(char::is_whitespace)) else {
        found.push(problem("expected `once PATTERN: STEP`"));
        return None;
    };
    let rest = text.tail(text.text.len() - rest.trim_start().len());
    let Some((pattern, step)) = rest.text.split_once(':') else {
        found.push(problem("expected `:` and a step after the pattern"));
        return None;
    };
    let once = reader.world.cast.pattern_before(&rest, pattern.len(), found);
    let wish = wish(&rest.tail(rest.text.len() - step.trim_start().len()), reader, latest, found);
    Some(Meanwhile { once: once?, wish: wish? })
}

fn wish(text: &Text<'_>, reader: &StepReader<'_>, mut latest: Latest, found: &mut Vec<Problem>) -> Option<Step> {
    match steps::parse(text.text) {
        Ok(StepText::Wait(_) | StepText::WaitUntil(_)) => {
            let problem = Problem::new(text.whole(), "a wish is no wait");
            found.push(problem.hint("what follows `:` is a `delegate` or `revoke` step; `once` is what waits"));
            return None;
        }
        Ok(step) if step.expects().is_some() => {
            let problem = Problem::new(text.whole(), "nothing can be expected of a wish that comes meanwhile");
            found.push(problem.hint("leave `expect` out; say what is to happen with `goals`"));
            return None;
        }
        _ => {}
    }
    let step = reader.step(text, &mut latest, found)?.step;
    if let Step::Delegate { approach: Approach::Url, to, .. } = step {
        // Whatever else may be refused at this moment, nobody could ever give out the account.
        if let Some(problem) = reader.world.why_no_url(to, &text.whole()) {
            found.push(problem);
            return None;
        }
    }
    Some(step)
}
