//! Why a device does not do what it is asked.

use crate::dm::acl::{AclError, Right};
use crate::dm::tnds::TndsError;
use crate::dm::uri::UriError;

/// Why the device does not do it, each with its status code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no such node")]
    NotFound,
    #[error("this node does not take this command")]
    NotAllowed,
    #[error("this device does not do that")]
    Unsupported,
    #[error("a node of this format does not take this value")]
    Format,
    #[error("the node is there already")]
    Exists,
    #[error("no storage left")]
    Full,
    #[error("the ACL grants no {right:?} here")]
    Denied { right: Right },
    #[error(transparent)]
    Tnds(#[from] TndsError),
    #[error(transparent)]
    Acl(#[from] AclError),
    #[error(transparent)]
    Uri(#[from] UriError),
}

impl Refusal {
    /// The status code (DMREPRO section 11).
    pub fn code(&self) -> u16 {
        match self {
            Refusal::NotFound => 404,
            Refusal::NotAllowed => 405,
            Refusal::Unsupported => 406,
            Refusal::Format => 415,
            Refusal::Exists => 418,
            Refusal::Full => 420,
            Refusal::Denied { .. } => 425,
            Refusal::Acl(_) | Refusal::Tnds(_) => 400,
            Refusal::Uri(error) => error.code(),
        }
    }
}
