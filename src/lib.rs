//! dmswarm: simulates and load-tests the OMA Device Management Server Delegation Protocol 1.3.
//!
//! The rooms, lowest floor first; nothing imports a room that stands below it in this list
//! (`tests/floors.rs` holds that).
//!
//! | floor | room | its job |
//! |--:|---|---|
//! | 0 | [`capacity`] | how much a peer can take, and what a plan needs of it: arithmetic over measurements |
//! | 0 | [`clock`] | `Moment`: nanoseconds since the run began; the one place that asks the operating system |
//! | 0 | [`ids`] | who is who: small typed numbers and names for servers, devices, sessions |
//! | 0 | [`seed`] | where every dice throw comes from: one seed, split into named streams |
//! | 0 | [`statistics`] | what sets of runs say about each other, and a row of runs about time: numbers in, verdicts out |
//! | 0 | [`units`] | rates, shares, durations, sizes: read, check, print back the same |
//! | 1 | [`dm`] | what a server and a device say to each other (OMA DM). No IO |
//! | 2 | [`delegation`] | what two servers say to each other (the delegation protocol). No IO |
//! | 2 | [`transport`] | bytes over HTTPS with TLS identities; does not know what the bytes mean |
//! | 3 | [`facts`] | what was seen to happen to one device's delegations, step by step |
//! | 3 | [`faults`] | what goes wrong, where and when: rules in, verdicts out |
//! | 3 | [`workload`] | which device starts which flow at which moment |
//! | 4 | [`measure`] | what happened: histograms, outcomes, promises, our own health |
//! | 5 | [`scenario`] | one run's settings, read from a file |
//! | 6 | [`results`] | a finished run as data, and its folder |
//! | 7 | [`actors`] | the machines alive on actix |
//! | 7 | [`compare`] | sets of runs against sets of runs, and what became of a scenario over time |
//! | 7 | [`explore`] | one device and its servers in virtual time |
//! | 7 | [`report`] | a result in, text out; never measures, never decides |
//! | 8 | [`run`] | one load run from scenario to result, on this machine |
//! | 9 | [`rehearse`] | one plan in virtual time and over HTTPS, compared |
//! | 9 | [`conform`] | a peer against the specification, item by item |
//! | 9 | [`campaign`] | many runs of one scenario, and what they come to together |
//! | 10 | [`cli`] | commands, flags, exit codes |

pub mod capacity;
pub mod clock;
pub mod ids;
pub mod seed;
pub mod statistics;
pub mod units;

pub mod dm;

pub mod delegation;
pub mod transport;

pub mod facts;
pub mod faults;
pub mod workload;

pub mod measure;

pub mod scenario;

pub mod results;

pub mod actors;
pub mod compare;
pub mod explore;
pub mod report;

pub mod run;

pub mod rehearse;

pub mod conform;

pub mod campaign;

pub mod cli;
