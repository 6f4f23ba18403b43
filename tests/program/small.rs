//! A scenario for tests that need one and do not care which.

/// A small scenario that takes less than a second.
pub const SMALL: &str = r#"
name = "small"
seed = 5

[population]
devices = 6

[[server]]
name = "home"
id = "dms1.example.test"

[[server]]
name = "partner"
id = "dms2.example.test"

[[journey]]
steps = ["delegate home -> partner by dmacc subtree ./SCOMO", "revoke asked"]

[load]
at_once = 6
"#;
