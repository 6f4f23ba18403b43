//! What is told of two sets of runs, and that names in it are never taken for anything else.

use super::*;
use crate::compare::{
    Chosen, Difference, Differing, Distributions, Metric, Objection, Settings, Unit, compare, shifts,
};
use crate::report::comparison::words::{difference, effect, figure, p, percent};
use crate::statistics::Better;

/// Six runs whose first metric has these values and whose second never varies.
fn runs(name: &str, values: [f64; 6]) -> Vec<Run> {
    let manifest = serde_json::from_str(include_str!("../../../results/sample/run.json")).expect("a manifest");
    let metric = |name: &str, unit, better| Metric { name: name.to_owned(), unit, better, of: "flow.a".to_owned() };
    let run = |(number, value): (usize, f64)| Run {
        name: format!("{name}-{number}"),
        folder: name.into(),
        manifest: std::clone::Clone::clone(&manifest),
        unhealthy: Vec::new(),
        settings: Ok(Settings::default()),
        busiest: None,
        figures: vec![
            (metric("flow.a.p50", Unit::Milliseconds, Better::Lower), value),
            (metric("failed_share", Unit::Share, Better::Lower), 0.0),
        ],
    };
    values.into_iter().enumerate().map(run).collect()
}

const CALM: [f64; 6] = [100.0, 101.0, 99.0, 102.0, 98.0, 100.5];

/// A set against the same, so many times as long, with what else there may be to tell.
fn told(times: f64, name: &str, tell: impl Fn(&Account<'_>) -> String) -> String {
    let (baseline, contender) = (runs(name, CALM), runs("after", CALM.map(|value| times * value)));
    let options = Options::default();
    let compared = compare(&baseline, &contender, &Chosen::default(), &options).expect("in their ranges");
    let one = |times: f64| {
        Distributions::plain([("flow.a".to_owned(), (0..200).map(|at| (times * f64::from(at), 1)).collect::<Vec<_>>())])
    };
    let set = |times: f64| vec![one(times); 6];
    let shifts = shifts(&set(1.0), &set(times), ["flow.a"].into_iter(), &options).expect("in their ranges");
    let objections = [Objection::Scenario(Differing {
        from: format!("{name}-0"),
        runs: vec!["after-0".to_owned()],
        differences: vec![Difference { key: name.to_owned(), here: None, there: Some(name.repeat(40)) }],
    })];
    let warnings = [format!("mind {name}")];
    tell(&Account {
        baseline: &baseline,
        contender: &contender,
        compared: &compared,
        shifts: &shifts,
        objections: &objections,
        warnings: &warnings,
        options: &options,
    })
}

#[test]
fn a_table_has_what_changed_first_and_ends_with_what_it_comes_to() {
    let text = told(2.0, "before", |account| terminal::text(account, false));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "baseline   6 runs: before-0, before-1, before-2, ...");
    let heads: Vec<&str> = lines[3].split("  ").map(str::trim).filter(|head| !head.is_empty()).collect();
    let expected = ["metric", "baseline", "contender", "change", "95 % interval", "p", "of all", "effect", "verdict"];
    assert_eq!(heads, expected);
    assert!(
        lines[4].starts_with("flow.a.p50      100 ms     200 ms  +100 %  +96.0 % to +104 %  0.0022")
            && lines[4].ends_with("  worse"),
        "{text}"
    );
    assert!(lines[5].starts_with("failed_share       0 %        0 %") && lines[5].ends_with("  same"), "{text}");
    assert_eq!(lines[7], "worse: of 2 metrics, 1 got worse, 0 better, 1 stayed the same");
    let same = told(1.0, "before", |account| terminal::text(account, false));
    assert!(
        same.ends_with("same: a change of 10 % would have been seen in each of 2 metrics, and there is none"),
        "{same}"
    );
    let coloured = told(2.0, "before", |account| terminal::text(account, true));
    assert!(coloured.contains("\x1b[1;31mflow.a.p50"), "{coloured}");
    assert!(told(1.0, "before", |account| format!("{:?}", terminal::only_worse(account, false))).starts_with("None"));
}

#[test]
fn too_few_runs_are_said_so() {
    let (ours, theirs) = (runs("before", CALM), runs("after", CALM));
    let options = Options::default();
    let compared = compare(&ours[..4], &theirs[..1], &Chosen::default(), &options).expect("in their ranges");
    let account = Account {
        baseline: &ours[..4],
        contender: &theirs[..1],
        compared: &compared,
        shifts: &[],
        objections: &[],
        warnings: &[],
        options: &options,
    };
    let expected =
        "not enough runs: nothing can be said of 4 runs against 1 run with fewer than 5 of each; repeat them";
    assert_eq!(words::conclusion(&account), expected);
}

#[test]
fn names_are_text_in_every_form_whatever_is_in_them() {
    let name = "<b>`|*x*</b>";
    let page = told(2.0, name, page::page);
    assert!(!page.contains("<b>") && page.contains("&lt;b&gt;"), "{page}");
    assert!(page.contains("aria-label=\"+100 %, between"), "{page}");
    assert!(page.contains("quantiles are shifted, from p10"), "{page}");
    let markdown = told(2.0, name, markdown::text);
    assert!(markdown.contains("- baseline: ``<b>`\\|*x*</b>-0``, "), "{markdown}");
    assert!(markdown.contains("> mind \\<b\\>`"), "{markdown}");
    let lines = told(2.0, name, |account| terminal::objection(&account.objections[0]).join("\n"));
    let longest = lines.lines().map(|line| line.chars().count()).max().expect("lines");
    assert!(longest < 150 && lines.contains("<b>`|*x*</b>: not there / "), "{lines}");
}

#[test]
fn figures_and_changes_carry_their_unit_and_their_sign() {
    for (found, expected) in [
        (figure(Unit::Share, 0.0), "0 %"),
        (figure(Unit::Share, 0.1348), "13.5 %"),
        (figure(Unit::Share, 0.0123), "1.23 %"),
        (figure(Unit::Share, 0.000_5), "0.0500 %"),
        (figure(Unit::PerSecond, 158.4), "158"),
        (figure(Unit::Bytes, 103_116_800.0), "98 MiB"),
        (difference(Unit::Milliseconds, -1.5), "-1.50 ms"),
        (difference(Unit::Share, 0.02), "+2.00 %"),
        (difference(Unit::Bytes, 0.0), "0"),
        (percent(0.1024), "+10.2 %"),
        (percent(-0.000_1), "0 %"),
        (percent(12.0), "+1200 %"),
        (percent(1e9), "+1.0e11 %"),
        (p(0.000_01), "< 0.0001"),
        (p(0.012), "0.0120"),
        (p(1.0), "1.00"),
    ] {
        assert_eq!(found, expected);
    }
    let effects = told(2.0, "before", |account| effect(&account.compared.rows[0].comparison));
    assert_eq!(effects, "large +1.00");
}
