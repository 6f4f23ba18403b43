//! What two servers say to each other: the Server Delegation Protocol 1.3. No IO.
//!
//! **One delegation** (section 5.2.1), as it runs through the files. DMS-1's operator says `Input::Start`: [`server`]
//! takes it, `admission` asks whether DMS-1 holds the authority and nothing stands in the way, and
//! `delegating/handover` posts DELEGATION_REQ. At DMS-2 `reception` sees that it is no copy, `admission` decides who
//! plays which side, answers DELEGATION_RESP and opens a record, and `delegated/takeover` posts BOOTSTRAP_CONFIRMED: an
//! account to make, or that there is one. Back at DMS-1 `reception` finds the record by its session, and
//! `delegating/handover` has the device prepared and posts DELEGATION_PREPARED. `delegated/takeover` visits the device
//! and posts DELEGATION_CONFIRMED. The delegation is in force on both sides. In the URL approach (5.2.2) DMS-1 asks for
//! a URL first, and DMS-2 confirms when the device has come by itself. When anything fails on the way, each side says
//! so with DELEGATION_FAILURE, and `delegating/undo` puts the device back (5.3).
//!
//! **One revocation** (section 5.2.3): `delegating/revocation` posts DELEGATION_TERMINATION_REQ; `delegated/revocation`
//! acknowledges, ends its activities and posts DELEGATION_TERMINATION_RESP; `delegating/revocation` has the account
//! removed and posts DELEGATION_REVOKED, at which both records are closed, and `ended` remembers their names for a
//! while. Requested (5.2.4) it begins at `delegated/revocation`; forced (5.2.5) it begins with the removal.
//!
//! | file | its job |
//! |---|---|
//! | [`message`], [`xml`], [`reason`], [`misbehaved`] | the fourteen messages, as types and on the wire; what is wrong with one |
//! | [`exchange`], [`flow`], [`machine`] | what goes into a machine and comes out; kinds of flow |
//! | [`reading`], [`policy`], [`retry`] | choices: what the text means, what to do about its hazards, how often to try |
//! | [`server`] | one server's machine |
//! | `admission`, `reception` | how a flow begins; where a message belongs |
//! | `chain` | what a delegate has delegated on ends before it gives the device back |
//! | `records`, `pact`, `book`, `ended` | what is on record; what both sides' records share; names and timers; the past |
//! | [`session_name`] | the names that our servers give to sessions |
//! | [`durable`] | what a server keeps of itself when it dies, and how it comes back |
//! | [`evidence`] | what may be shown of a message: bounded, without secrets, harmless to a terminal |
//! | `turn` | what a record works with while it handles one input |
//! | `delegating`, `delegated` | DMS-1, DMS-2; strangers to each other |
//! | `planted` | faults for tests to find; only with the feature `planted` |

mod admission;
mod book;
mod chain;
mod delegated;
mod delegating;
pub mod durable;
mod ended;
pub mod evidence;
pub mod exchange;
pub mod flow;
pub mod machine;
pub mod message;
pub mod misbehaved;
mod pact;
#[cfg(feature = "planted")]
pub mod planted;
pub mod policy;
pub mod reading;
pub mod reason;
mod reception;
mod records;
pub mod retry;
pub mod server;
pub mod session_name;
#[cfg(test)]
mod tests;
mod turn;
pub mod xml;
