//! A fault back as keys of the file.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::{Table, Value};

use crate::facts::pattern::Names;
use crate::faults::rule::{Action, Devices, End, Rule, Selector, When};
use crate::ids::ServerNumber;
use crate::scenario::Scenario;
use crate::scenario::faults::delay;
use crate::scenario::names::Cast;
use crate::units::{self, Size};

/// The keys of a fault with their values, in the order of the table of keys; `match` and `when` where they say something.
pub fn write(rule: &Rule, scenario: &Scenario, cast: &Cast<'_>) -> Vec<(&'static str, Value)> {
    let mut keys = vec![("name", text(&rule.name)), ("where", text(rule.site.key()))];
    let about = selector(&rule.about, scenario, cast);
    let when = when(&rule.when, cast);
    keys.extend(
        [("match", about), ("when", when)]
            .into_iter()
            .filter_map(|(key, table)| if table.is_empty() { None } else { Some((key, Value::Table(table))) }),
    );
    keys.push(("do", action(&rule.action, cast)));
    keys
}

fn selector(about: &Selector, scenario: &Scenario, cast: &Cast<'_>) -> Table {
    let server = |server: &ServerNumber| text(cast.server_name(*server));
    let end = |end: &End| match end {
        End::Server(number) => server(number),
        End::Bootstrap(number) => {
            text(scenario.bootstrap_servers.get(usize::from(number.0)).map_or("", |server| server.name.as_str()))
        }
        End::Device => text("device"),
    };
    let class = about.class.and_then(|class| scenario.classes.get(class));
    let devices = match &about.devices {
        Devices::All => None,
        Devices::Share(share) => Some(text(percent(*share))),
        Devices::These(numbers) => Some(list(numbers.iter().map(|number| count(number.0)))),
    };
    table([
        ("from", about.from.as_ref().map(|servers| list(servers.iter().map(server)))),
        ("to", about.to.as_ref().map(|ends| list(ends.iter().map(end)))),
        ("direction", about.direction.map(|direction| text(direction.key()))),
        ("role", about.role.map(|role| text(role.key()))),
        ("devices", devices),
        ("class", class.map(|class| text(&class.name))),
        ("message", about.messages.as_ref().map(|kinds| list(kinds.iter().map(|kind| text(kind.root()))))),
        ("session", about.session.as_ref().map(range)),
        ("attempt", about.attempt.as_ref().map(range)),
        ("state", about.state.as_ref().map(text)),
        ("step", about.step.as_ref().map(|step| text(step.print(cast)))),
    ])
}

fn when(when: &When, cast: &Cast<'_>) -> Table {
    let (from, until) = when.window.unzip();
    table([
        ("probability", (when.probability < 1.0).then_some(Value::Float(when.probability))),
        ("nth", when.nth.map(count)),
        ("every", when.every.map(count)),
        ("first", when.first.map(count)),
        ("from", from.map(duration)),
        ("until", until.filter(|until| *until != Duration::MAX).map(duration)),
        ("after", when.after.as_ref().map(|pattern| text(pattern.print(cast)))),
        ("before", when.before.as_ref().map(|pattern| text(pattern.print(cast)))),
        ("budget", when.budget.map(count)),
        ("budget_per_device", when.budget_per_device.map(count)),
        ("while", when.fired.map(|rule| text(cast.rule_name(rule)))),
    ])
}

fn action(action: &Action, cast: &Cast<'_>) -> Value {
    let key = action.key();
    let one = |value: Value| two((key, value), None);
    match action {
        Action::Refuse
        | Action::BlackHole
        | Action::RefuseResumption
        | Action::Drop { breaks: false }
        | Action::EmptyBody
        | Action::Close
        | Action::InvertRole
        | Action::WrongPhase
        | Action::Fail
        | Action::Twice
        | Action::LoseStatus
        | Action::Reboot
        | Action::FactoryReset
        | Action::Stale => text(key),
        Action::ResetAt(phase) => one(text(phase.key())),
        Action::Drop { breaks: true } => one(text("reset")),
        Action::Certificate(certificate) => one(text(certificate.key())),
        Action::Xml(mutation) => one(text(mutation.key())),
        Action::Session(session) => one(text(session.key())),
        Action::ContentType(content_type) => one(text(content_type)),
        Action::ResetAfter(bytes) | Action::Bandwidth(bytes) | Action::Oversize(bytes) => {
            one(text(Size(*bytes).to_string()))
        }
        Action::Stall(time)
        | Action::SlowClose(time)
        | Action::Swap(time)
        | Action::Pause(time)
        | Action::Offline(time)
        | Action::Busy(time) => one(duration(*time)),
        Action::Reason(code) | Action::RefuseWith(code) => one(count(*code)),
        Action::DropAfter(commands) => one(count(*commands)),
        Action::Full(full) => one(Value::Boolean(*full)),
        Action::Delay(distribution) => one(delay::write(distribution)),
        Action::Slice { bytes, gap } => two((key, count(*bytes)), Some(("gap", duration(*gap)))),
        Action::Duplicate { on, gap } => two((key, text(on.key())), Some(("gap", duration(*gap)))),
        Action::Hold { until, at_most } => two((key, text(until.print(cast))), Some(("at_most", duration(*at_most)))),
        Action::Kill { downtime, back_with } => two((key, duration(*downtime)), Some(("state", text(back_with.key())))),
        Action::Status { status, retry_after } => {
            two((key, count(*status)), retry_after.map(|time| ("retry_after", duration(time))))
        }
    }
}

fn two(first: (&str, Value), second: Option<(&str, Value)>) -> Value {
    let both = [Some(first), second].into_iter().flatten();
    Value::Table(both.map(|(key, value)| (key.to_owned(), value)).collect())
}

fn table<const N: usize>(entries: [(&str, Option<Value>); N]) -> Table {
    entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// A string as the file has it.
pub(super) fn text(text: impl AsRef<str>) -> Value {
    Value::String(text.as_ref().to_owned())
}

fn list(values: impl Iterator<Item = Value>) -> Value {
    Value::Array(values.collect())
}

fn count(count: impl Into<i64>) -> Value {
    Value::Integer(count.into())
}

/// A duration as the file has it.
pub(super) fn duration(time: Duration) -> Value {
    text(units::Duration(time).to_string())
}

fn range(range: &RangeInclusive<u32>) -> Value {
    match (*range.start(), *range.end()) {
        (from, to) if from == to => count(from),
        (1, to) if to < u32::MAX => text(format!("..{to}")),
        (from, u32::MAX) => text(format!("{from}..")),
        (from, to) => text(format!("{from}..{to}")),
    }
}

/// A share in percent that reads back to the same fraction: as few digits as that takes.
fn percent(share: f64) -> String {
    let written = |digits: usize| format!("{:.digits$}%", share * 100.0);
    let reads_back = |text: &String| text.parse::<units::Share>().is_ok_and(|read| read.fraction() == share);
    (0..=17).map(written).find(reads_back).unwrap_or_else(|| written(17))
}
