//! What goes wrong, where and when: rules in, verdicts out. Decides, and does nothing: drivers obey. No IO.
//!
//! | file | its job |
//! |---|---|
//! | [`rule`] | one fault of a scenario: where it acts, what it is about, when it fires, what it does |
//! | [`verdict`] | what passes a site, and which rules fire on it: a pure function of the seed and of names |
//! | [`latency`] | delays drawn from distributions, and the radio networks that have names |
//! | [`mutation`] | XML that is not as it should be |

pub mod latency;
pub mod mutation;
pub mod rule;
pub mod verdict;
