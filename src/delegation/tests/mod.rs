//! Both machines against each other in virtual time, transcript by transcript; and one machine against anything.

mod chains;
mod copies;
mod device;
mod failures;
mod flows;
mod forged;
mod interruptions;
mod pair;
mod parties;
mod policies;
mod races;
mod refusals;
mod restarts;
mod revocation_failures;
mod revocations;
mod states;
mod timers;
mod transcript;
mod walk;
mod wishes;
