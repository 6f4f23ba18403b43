//! The keys of when journeys start.

use crate::scenario::keys::{Key, Section, Shape, key, required};

const PHASES: Key = key(
    "phases",
    Shape::Texts,
    "One after the other, each `[NAME:] PHASE[, ARRIVAL]`. PHASE: `hold 100/s for 10s`, `hold 100/s until done`, \
     `ramp 0/s to 100/s in 5s`, `stairs 20/s to 100/s in 5 steps of 2s`, `spike 10/s to 200/s for 1s in 10s` (the peak \
     lasts 1s, in the middle of 10s), `storm of 200` (all at one instant), `pause 2s`, `replay arrivals.csv` (a file of \
     moments in seconds; or they themselves, `replay [0, 0.5, 1.25]`), `closed 50 for 10s`, `closed 50 until done` (so \
     many journeys under way). ARRIVAL, where there is a rate: `poisson` or `poisson exactly 500`; else starts come \
     evenly. A phase without a name is called `steady`.",
);

const AT_ONCE: Key = key(
    "at_once",
    Shape::Integer(1, 1_000_000),
    "How many journeys are under way at the same time: short for `phases = [\"closed 50 until done\"]`.",
);

const STARTS: Shape = Shape::Integer(1, 1_000_000_000);

/// `[load]`.
pub static LOAD: Section = Section {
    about: "Either `phases` or `at_once` for all devices, or several populations with their own.",
    keys: &[
        key("starts", STARTS, "How many journeys are started at most; one for each device where it is left out."),
        PHASES,
        AT_ONCE,
        key("population", Shape::Tables(&POPULATION), "Devices that start by phases of their own."),
    ],
};

/// `[[load.population]]`.
pub static POPULATION: Section = Section {
    about: "Devices that start by phases of their own: those of some journeys, in the order of their numbers.",
    keys: &[
        required("name", Shape::Text, "Its name in reports."),
        required("journeys", Shape::Texts, "The names of its journeys; every journey is in exactly one population."),
        key(
            "starts",
            STARTS,
            "How many journeys are started at most; one for each of its devices where it is left out.",
        ),
        PHASES,
        AT_ONCE,
    ],
};
