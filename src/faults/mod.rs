//! What goes wrong, where and when: rules in, verdicts out. Decides, and does nothing: drivers obey. No IO.
//!
//! | file | its job |
//! |---|---|
//! | [`rule`] | one fault of a scenario: where it acts, what it is about, when it fires, what it does |
//! | `keys` | the words by which a scenario names what a rule is made of; where each action may stand |
//! | [`verdict`] | what passes a site, and which rules fire on it: a pure function of the seed and of names |
//! | `selection` | whether a rule is about what passes |
//! | `dice` | the random part of a decision, keyed by names |
//! | `tally` | how often each rule could have fired and did; its occasions on each device |
//! | [`latency`] | delays drawn from distributions |
//! | [`radio`] | the radio networks that have names |
//! | [`mutation`] | XML that is not as it should be |
//! | `outline` | where the elements of a document stand, for mutations |
//! | [`forgery`] | messages that are not what should be said, and refusals without a look |

mod dice;
pub mod forgery;
mod keys;
pub mod latency;
pub mod mutation;
mod outline;
pub mod radio;
pub mod rule;
mod selection;
mod tally;
pub mod verdict;
