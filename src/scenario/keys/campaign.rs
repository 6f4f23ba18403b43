//! The keys of a campaign file.

use crate::scenario::keys::{Section, Shape, key, required, with_default};

/// The whole file.
pub static CAMPAIGN: Section = Section {
    about: "Many runs of one scenario: every combination of some settings, repeated, in a shuffled order.",
    keys: &[
        required("name", Shape::Text, "Name of the campaign and of its folder: letters, digits, `.`, `_`, `-`."),
        required(
            "scenario",
            Shape::Text,
            "The scenario that is run: its path as seen from this file, or `quickstart` for the built-in one.",
        ),
        key(
            "seed",
            Shape::Integer(0, i64::MAX),
            "Shuffles the order of the runs, and gives each repeat its seed where the scenario has none of its own; without one, each campaign draws its own.",
        ),
        with_default("repeats", Shape::Integer(1, 1_000), "1", "How often each cell is run."),
        with_default(
            "warm_up",
            Shape::Integer(0, 100),
            "0",
            "How many runs of the first cell come before all others, and count for nothing.",
        ),
        with_default("cool_down", Shape::DurationOrNone, "0s", "How long nothing happens after each run."),
        with_default(
            "pause",
            Shape::DurationOrNone,
            "0s",
            "How long nothing happens besides, before a run of another cell than the last.",
        ),
        key(
            "budget",
            Shape::Duration,
            "The longest time of one run, 1s or more; one that takes longer is interrupted, and counted as that.",
        ),
        key(
            "set",
            Shape::Paths,
            "What holds for every cell: paths of the scenario, as `--set` takes them, and values.",
        ),
        key(
            "matrix",
            Shape::Paths,
            "What differs between cells: for each path a list of values; the cells are all combinations.",
        ),
        key("exclude", Shape::List(&Shape::Paths), "Combinations that are left out: all cells that have these values."),
        key("cell", Shape::List(&Shape::Paths), "Single cells beside those of the matrix: paths and a value each."),
    ],
};
