//! Where the text can be read in two ways, or an operator may choose: what there is to see of a peer.

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub id: &'static str,
    pub section: &'static str,
    pub question: &'static str,
    /// Whether an operator may choose; else the text can be read in two ways.
    pub is_operators: bool,
}

const fn reading(id: &'static str, section: &'static str, question: &'static str) -> Choice {
    Choice { id, section, question, is_operators: false }
}

const fn choice(id: &'static str, section: &'static str, question: &'static str) -> Choice {
    Choice { id, section, question, is_operators: true }
}

/// All of them.
pub const ALL: &[Choice] = &[
    reading("D1", "table 16", "the status of DELEGATION_REVOCATION_REQ"),
    reading("D2", "5.3.1.3", "how isClientBootstapped is spelt"),
    reading("D3", "table 17", "how status is spelt in DELEGATION_REVOKED"),
    reading("D4", "tables 16, 18", "whether revocations carry DMTreeURI"),
    reading("D6", "5.2.1.4", "which value of NoAutoInitialSession keeps the device from connecting"),
    reading("D15", "table 3", "in which form a DMAcc travels"),
    reading("D17", "tables 1, 4", "what isDelegationFull of DELEGATION_PREPARED says"),
    reading("D22", "5.3.3", "whose sessionId a revocation has"),
    reading("D25", "5.2.4", "what comes of a revocation after a full delegation"),
    reading("D31", "Appendix C", "which forms of DMTreeURI are one address"),
    reading("D35", "5.3", "whether the peer gives two processes one sessionId"),
    reading(
        "confirm-by-url",
        "5.2.2.10",
        "whether DMS-2 has another session before DELEGATION_CONFIRMED in the URL approach",
    ),
    reading("unconfirmed", "5.2.1.4", "what DMS-1 does when DELEGATION_CONFIRMED does not come"),
    choice("own-account", "5.2.1.5", "when DMS-1 removes its own account in a full delegation"),
    choice("notice", "5.2.5.3", "whether DMS-2 is told of a forced revocation"),
    choice("notice-session", "table 18", "whether the notice of a forced revocation names a session"),
];
