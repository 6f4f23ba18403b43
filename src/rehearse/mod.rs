//! What was found in virtual time, once more over real HTTPS.
//!
//! | file | its job |
//! |---|---|
//! | [`window`] | one event moved past another through real sockets |

pub mod window;
