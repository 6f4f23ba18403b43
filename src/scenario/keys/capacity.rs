//! The keys of a search for a capacity.

use crate::scenario::keys::{Section, Shape, key, required, with_default};

const LOADS: Shape = Shape::Number(1e-3, 1e9);

/// `[capacity]`.
pub static CAPACITY: Section = Section {
    about: "What `dmswarm capacity` turns up until a limit is not kept; no run of it alone goes by it.",
    keys: &[
        with_default(
            "axis",
            Shape::Word(&["rate", "at_once", "storm", "latency", "revocations"]),
            "rate",
            "What is turned up: starts a second, journeys under way at once, starts at one instant, the delay of `fault` in \
             milliseconds, or the share of journeys that revoke in percent. The first three replace the load, the other two keep it.",
        ),
        with_default(
            "peers",
            Shape::Integer(1, 1_000_000),
            "1",
            "How many peers take the load together: what a plan divides by, and its curve goes by.",
        ),
        required("least", LOADS, "Where the search begins, in the unit of the axis."),
        required("most", LOADS, "Where it ends."),
        key("fault", Shape::Text, "The fault whose delay is turned up by `latency`."),
        with_default("each", Shape::Duration, "5s", "How long a sub-trial counts."),
        with_default(
            "settle",
            Shape::Duration,
            "1s",
            "How long the same load is there before it counts; of `rate` and `at_once`.",
        ),
        with_default("pause", Shape::DurationOrNone, "0s", "How long nothing happens between two sub-trials."),
        with_default(
            "growth",
            Shape::Number(1.01, 10.0),
            "2",
            "By what the load is multiplied while every limit is kept.",
        ),
        with_default(
            "width",
            Shape::Number(0.001, 0.5),
            "0.05",
            "How narrow the answer is to be, as a part of its upper end.",
        ),
        with_default(
            "width_in_noise",
            Shape::Number(0.001, 0.9),
            "0.15",
            "How narrow it is to be where sub-trials of one load come out differently.",
        ),
        with_default(
            "exceed_ratio",
            Shape::Number(0.0, 0.99),
            "0.5",
            "Which part of the sub-trials at a load may not keep a limit.",
        ),
        with_default(
            "risk",
            Shape::Number(0.001, 0.49),
            "0.05",
            "The greatest chance that a load is taken for kept, or for too much, and is not.",
        ),
        with_default(
            "aim",
            Shape::Word(&["together", "each"]),
            "together",
            "Whether the answer is the highest load that keeps all limits, or one for each limit, which takes longer.",
        ),
        with_default(
            "per_load",
            Shape::Integer(2, 10_000),
            "40",
            "How many sub-trials there are at one load at most; what is undecided then stays so.",
        ),
        with_default("sub_trials", Shape::Integer(2, 10_000), "250", "How many sub-trials there are at most."),
    ],
};
