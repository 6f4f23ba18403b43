//! Many runs of one scenario, and what they come to together.
//!
//! | file | its job |
//! |---|---|
//! | [`loads`] | a scenario under so much load |
//! | [`capacity`] | the highest load that keeps every limit, found by running |
//! | [`around`] | how a peer does below that load, and after more than it can take |

pub mod around;
pub mod capacity;
pub mod loads;
