//! The catalogue of races found blind: what a search comes by that is told the parties and the journeys of a race, and
//! nothing of how it comes about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dmswarm::clock::{Clock, Moment};
use dmswarm::delegation::policy::Policy;
use dmswarm::explore::choice::Budget;
use dmswarm::explore::hunt::{Finding, Means, hunt};
use dmswarm::explore::lab::Lab;
use dmswarm::explore::plan::UNBOUNDED;
use dmswarm::explore::portfolio::Portfolio;
use dmswarm::explore::premises::Premises;
use dmswarm::explore::search::random::{Strategy, run_within};
use dmswarm::explore::trail::Walked;
use dmswarm::facts::goal::Goal;
use dmswarm::facts::pattern::Sought;
use dmswarm::scenario::Scenario;
use dmswarm::scenario::file::{Overrides, read};
use dmswarm::seed::Seed;
use dmswarm::workload::journey::Journey;

/// The promises that say most first.
const WEIGHT: [&str; 6] =
    ["manageable", "records_agree", "no_phantom", "accounts_as_recorded", "acls_as_recorded", "nothing_left_over"];

/// How many octets one lab may take from way to way.
const LARGEST_LAB: u64 = 1 << 27;

/// How long each half of a race is looked for; `DMSWARM_TEST_SECONDS` says otherwise.
fn patience() -> Duration {
    let said = std::env::var("DMSWARM_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(said.unwrap_or(10))
}

fn means() -> Means {
    Means { threads: std::thread::available_parallelism().map_or(1, usize::from), memory: 1 << 31 }
}

/// One race.
struct Case {
    name: String,
    scenario: Scenario,
    /// What it breaks by the letter of the text.
    expected: Vec<String>,
    premises: Vec<Premises>,
    /// The flows that its operators want, by their names, sorted.
    flows: Vec<String>,
}

impl Case {
    fn of(path: &Path) -> Case {
        let overrides = Overrides { policy: Some(Policy::Literal), ..Overrides::default() };
        let mut scenario = read(path, &overrides).expect("a race is a scenario");
        let wanted = scenario.journeys.iter().flat_map(|cohort| {
            let meanwhile = cohort.journey.meanwhile.iter().map(|one| &one.wish);
            cohort.journey.steps.iter().chain(meanwhile)
        });
        let mut flows: Vec<String> = wanted.filter_map(|step| Some(step.wish()?.0.to_string())).collect();
        flows.sort();
        // Whom a device is handed to meanwhile is among those that may have it.
        for cohort in &mut scenario.journeys {
            let mut journey = Journey::clone(&cohort.journey);
            journey.steps.extend(journey.meanwhile.iter().map(|one| one.wish.clone()));
            cohort.journey = Arc::new(journey);
        }
        let file = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        Case {
            name: file.split('-').next().unwrap_or_default().to_uppercase(),
            expected: scenario.expect.as_ref().map_or_else(Vec::new, |expect| expect.literal.clone()),
            premises: Premises::of(&scenario, 1),
            flows,
            scenario,
        }
    }

    /// What in this race is not among what a search can choose.
    fn beyond(&self, text: &str) -> Option<&'static str> {
        [
            ("\"factory-reset\"", "the device is reset"),
            ("certificate = ", "a certificate expires"),
            ("\"invert-role\"", "a message is read as another one"),
        ]
        .into_iter()
        .find(|(word, _)| text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains(word)))
        .map(|(_, why)| why)
    }
}

/// What has come of looking for the promises of a race.
struct Broken {
    took: Duration,
    pieces: usize,
    /// The finding that breaks most of what is expected: how much of it, and whether its wishes are those of the race.
    best: Option<(usize, bool, Finding)>,
}

fn look_for_promises(case: &Case) -> Broken {
    let portfolio = Portfolio::new(&case.premises);
    let expected: BTreeSet<&str> = case.expected.iter().map(String::as_str).collect();
    let (clock, first) = (Clock::start(), AtomicU64::new(u64::MAX));
    let pieces = |number: u64| portfolio.piece(number).filter(|_| number <= first.load(Ordering::SeqCst));
    let is_over = || clock.now() >= Moment::ZERO + patience();
    let hunted = hunt(&case.premises, &pieces, Seed(7), means(), &is_over, &|number, done| {
        let broken: BTreeSet<&str> = done.promises.iter().copied().collect();
        if expected.is_subset(&broken) {
            first.fetch_min(number, Ordering::SeqCst);
        }
    });
    let took = clock.now() - Moment::ZERO;
    let weightiest = WEIGHT.iter().find(|known| expected.contains(*known)).copied().or(expected.first().copied());
    let score = |finding: &Finding| {
        let known = finding.promises.iter().filter(|promise| expected.contains(**promise)).count();
        let mut flows: Vec<String> = finding
            .plan
            .wishes
            .iter()
            .map(|one| case.premises[finding.kind].wishes[one.wish].flow.to_string())
            .collect();
        flows.sort();
        let has_weightiest = weightiest.is_some_and(|weightiest| finding.promises.contains(&weightiest));
        (has_weightiest, known, flows == case.flows)
    };
    let best = hunted.findings.iter().max_by_key(|finding| (score(finding), std::cmp::Reverse(finding.piece)));
    let best = best.filter(|finding| score(finding).0).map(|finding| {
        let (_, known, is_alike) = score(finding);
        (known, is_alike, finding.clone())
    });
    Broken { took, pieces: hunted.pieces.len(), best }
}

/// Which goals ways at random come by, and after how long and how many ways.
fn look_for_goals(case: &Case) -> Vec<(Goal, Option<(Duration, u64)>)> {
    let mut goals: Vec<(Goal, Option<(Duration, u64)>)> =
        case.scenario.goals.iter().map(|goal| (seen_anywhere(goal), None)).collect();
    let clock = Clock::start();
    let mut labs: Vec<Lab<'_>> = case.premises.iter().map(Lab::new).collect();
    let mut number = 0;
    while goals.iter().any(|(_, reached)| reached.is_none()) && clock.now() < Moment::ZERO + patience() {
        for (kind, premises) in case.premises.iter().enumerate() {
            if labs[kind].octets() > LARGEST_LAB {
                labs[kind] = Lab::new(premises);
            }
            let lab = &mut labs[kind];
            let strategy = Strategy::ALL[(number as usize) % Strategy::ALL.len()];
            let (ran, trail) = run_within(lab, strategy, Seed(7), number, Budget { deaths: u8::MAX, ..UNBOUNDED });
            let walked = Walked::along(lab, ran.budget, &trail);
            for (goal, reached) in goals.iter_mut().filter(|(_, reached)| reached.is_none()) {
                if goal.is_reached_by(&walked.facts[0]) {
                    *reached = Some((clock.now() - Moment::ZERO, number));
                }
            }
        }
        number += 1;
    }
    goals
}

/// A goal without what is seen on journeys and of faults alone.
fn seen_anywhere(goal: &Goal) -> Goal {
    let sees = goal.sees.iter().filter(|one| !matches!(one.what, Sought::Step(_) | Sought::Fault(_)));
    Goal { name: goal.name.clone(), sees: sees.cloned().collect() }
}

fn races() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/races");
    let files = fs::read_dir(folder).expect("the races").map(|entry| entry.expect("a race").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ext| ext == "toml")).collect();
    files.sort();
    files
}

#[test]
#[ignore = "takes minutes; with --release"]
fn the_catalogue_is_found_blind_as_far_as_a_search_can_say_it() {
    let (mut reached, mut broken, mut with_goals, mut with_promises) = (0, 0, 0, 0);
    println!("| race | goal | promises by the letter | why not |\n|---|---|---|---|");
    for path in races() {
        let text = fs::read_to_string(&path).expect("a race");
        let case = Case::of(&path);
        let goals = look_for_goals(&case);
        let all = goals.iter().map(|(_, reached)| *reached).collect::<Option<Vec<_>>>();
        with_goals += 1;
        let goal = match all.and_then(|all| all.into_iter().max()) {
            Some((took, way)) => {
                reached += 1;
                format!("{:.2} s, way {way}", took.as_secs_f64())
            }
            None => "no".to_owned(),
        };
        let promise = if case.expected.is_empty() {
            "none".to_owned()
        } else {
            with_promises += 1;
            let looked = look_for_promises(&case);
            match &looked.best {
                Some((known, is_alike, finding)) => {
                    broken += 1;
                    let alike = if *is_alike { ", same wishes" } else { "" };
                    let seconds = looked.took.as_secs_f64();
                    format!("{known} of {}, piece {}, {seconds:.2} s{alike}", case.expected.len(), finding.piece)
                }
                None => format!("no ({} pieces)", looked.pieces),
            }
        };
        println!("| {} | {goal} | {promise} | {} |", case.name, case.beyond(&text).unwrap_or(""));
    }
    println!(
        "{reached} of {with_goals} goals reached, {broken} of {with_promises} races that \
         break promises by the letter"
    );
    // Fewer are found on a slower machine, but not so much fewer.
    assert!(reached >= with_goals / 2 && broken >= with_promises / 2);
}
