//! Where the specification can be read in two ways: the choice, by name, with its default.
//!
//! What comments call D1 to D38 are the places of the Server Delegation Protocol 1.3 that contradict themselves, each
//! other or their own names, or say nothing. This is how each is read:
//!
//! | | where | reading |
//! |---|---|---|
//! | D1 | table 16 | the status of DELEGATION_REVOCATION_REQ is another message's: [`RevocationRequestStatus`]; any is read |
//! | D2 | 5.3.1.3 | `isClientBootstapped` is written as it is printed; the right spelling is read too |
//! | D3 | table 17 | `status` is written; `Status` is read too |
//! | D4 | tables 16, 18 | no DMTreeURI, though the prose has one: [`SubtreeInRevocation`]; without it the whole delegation is meant |
//! | D5 | table 18 | no sessionId: the delegation is found by peer and device |
//! | D6 | 5.2.1.4 | the note gives NoAutoInitialSession the value its name forbids: [`Polarity`] |
//! | D7 | 5.3 | "sections 5.3.3, 0 and 5.3.5" means 5.3.3 to 5.3.5 |
//! | D8 | 5.3.4.3, 5.3.5.2 | REVOCATION_FAILURE means what 5.3.3.5 says, not 5.3.1.6 |
//! | D9 | tables 6, 15 | two messages of one status: the root element tells them apart |
//! | D10 | 5.3.1.1 | the serverId of DELEGATION_REQ is its sender's |
//! | D11 | 5.3.1 | nothing tells DMS-1 who DMS-2 is: peers are known by configuration |
//! | D12 | 5.3.1.1 | DELEGATION_REQ does not tell the roles: whoever has the authority is DMS-1; who has a part of it refuses |
//! | D13 | 5.3.1, 5.3.2 | nothing chooses the approach: operators agree; else what arrives first at DMS-1 decides |
//! | D14 | tables 3, 9 | one root, two forms: isClientBootstapped is there in the DMAcc approach only |
//! | D15 | table 3 | a DMAcc of no shape: written as elements, read as elements and as TNDS |
//! | D16 | table 3 | what stands in a DMAcc is secret: nothing shows it |
//! | D17 | tables 1, 4 | isDelegationFull is a wish in the request, and the fact in DELEGATION_PREPARED |
//! | D18 | table 7 | the reasonCode of a request is 200 |
//! | D19 | tables 1, 11, 16 | a missing reasonCode is a yes |
//! | D20 | 5.3 | three "asynchronous" messages are answered in the HTTP response all the same |
//! | D21 | 5.3.3.3 | DELEGATION_TERMINATION_RESP is a POST of its own |
//! | D22 | 5.3.3 | whose sessionId a revocation has: [`RevocationSession`]; either is read |
//! | D23 | table 15 | REVOCATION_FAILURE of a forced revocation goes by the delegation's sessionId |
//! | D24 | 5.2.1.5 | a full delegation that fails afterwards cannot be undone, and is called stranded |
//! | D25 | 5.2.3 to 5.2.5 | without an account of its own DMS-1 can revoke in none of the three ways |
//! | D26 | 5.2.3.4, 5.3 | DMS-1 goes on without DELEGATION_TERMINATION_RESP when its time is up |
//! | D27 | 5.2.5.3, 5.3.5.1 | the notice of a forced revocation is the initiator's choice |
//! | D28 | 5.3, B.1 | any path will do as an end point |
//! | D29 | Appendix C | slips of the pen: written rightly, tolerated or refused by name as the tests list them |
//! | D30 | Appendix C | the third sessionId is a slip too: identifiers have to match to the letter |
//! | D31 | Appendix C | `/SCOMO`, `SCOMO` and `./SCOMO` are one address; nothing, `/` and `.` are the root |
//! | D32 | 5.3.1.1 | one sub-tree for each delegation; several stand side by side |
//! | D33 | 5.3 | no address of the device: known beforehand |
//! | D34 | 5.2.1.4 | a flag that DMS-2's own account does not let DMS-1 set is no failure |
//! | D35 | 5.3 | certificates are bound to servers by configuration; what comes twice is answered twice and done once; both sides make sessionIds up by themselves: [`SessionNames`] |
//! | D36 | table 12 | DMS-2 says no to a termination by the reasonCode of its acknowledgement |
//! | D37 | 5.3 | after REVOCATION_FAILURE the delegation stands, as one that may be compromised |
//! | D38 | references | DMREPRO and DMREPPRO are one document |
//!
//! Where a server does otherwise than the text, it does so under [`Policy::Hardened`](super::policy::Policy) alone:
//!
//! | | where | what a careful server does instead |
//! |---|---|---|
//! | H1 | 5.2.1.5, 5.2.2.8 | removes its own account after DELEGATION_CONFIRMED, not before DELEGATION_PREPARED, whose isDelegationFull is then what it commits itself to; it counts as having delegated fully only when its account has gone |
//! | H2 | 5.2.4 | refuses a requested revocation by REVOCATION_FAILURE (405) when it has no account on the device any more (D25) |
//! | H3 | table 18 | names the delegation's session in the notice of a forced revocation, so that one that comes late ends no other; and takes such a notice for that session alone |
//! | H4 | 5.3 | tries a POST again that brought no answer ([`Retries`](super::retry::Retries)), goes on telling a peer how a process ended (`Timeouts::peer`), and tries a device again that could not be reached (`Timeouts::device`) |
//! | H5 | - | writes what it is about to do into its durable store before it does it, and after a restart does again what may not have happened |
//! | H6 | 5.2.1.1 | gives a device away fully to one server at a time: a second full delegation is refused (409) while the first is under way, since both would come into force before the own account has gone (H1) |
//! | H7 | tables 1, 6 | refuses a DELEGATION_REQ under the name of a process that it has begun itself with that peer: DELEGATION_FAILURE, which either role sends, could not tell the two apart (D35) |

/// All choices of one server. `Default` is the most interoperable reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readings {
    pub no_auto_initial_session: Polarity,
    pub revocation_request_status: RevocationRequestStatus,
    pub subtree_in_revocation: SubtreeInRevocation,
    pub revocation_session: RevocationSession,
    pub confirm_by_url: ConfirmByUrl,
    pub unconfirmed: Unconfirmed,
    pub session_names: SessionNames,
}

/// D6: which value of `NoAutoInitialSession` keeps a client from connecting by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Polarity {
    /// As the node's name says: `true`.
    #[default]
    Name,
    /// As the note in 5.2.1.4 says: `false`.
    SpecNote,
}

/// D1: the `status` of DELEGATION_REVOCATION_REQ. Nobody dispatches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevocationRequestStatus {
    /// `DEL_TERM_REQ`, as table 16 prints it.
    #[default]
    Table,
    /// `DEL_REVOC_REQ`, as the other tables would lead one to expect.
    Message,
}

/// D4: whether DELEGATION_REVOCATION_REQ and the forced DELEGATION_REVOKED carry the DMTreeURI of the prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubtreeInRevocation {
    /// Left out, as in tables 16 and 18: the whole delegation of this device is meant.
    #[default]
    Table,
    /// Sent, as the prose of 5.3.4.1 and 5.3.5.1 says.
    Prose,
}

/// D22: the sessionId of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevocationSession {
    /// A new one for the revocation process.
    #[default]
    Fresh,
    /// That of the delegation.
    Delegation,
}

/// Section 5.2.2.10: whether the delegate opens another session before DELEGATION_CONFIRMED in the URL approach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmByUrl {
    /// No: the session of step 6 (5.2.2.6) has shown that it can.
    #[default]
    AtOnce,
    /// Yes, to check the rights it was promised.
    AfterVisit,
}

/// 5.2.1.4: what DMS-1 does when DELEGATION_CONFIRMED has not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unconfirmed {
    /// The delegation has failed, and is undone (5.3).
    #[default]
    Undo,
    /// Once it lets the client connect to the delegate by itself, and waits as long again. After a full delegation it
    /// could not tell the client anything, and in the URL approach the client has connected already.
    LetConnect,
}

/// D35: the sessionIds that a server makes up. Nothing in the text keeps two servers from making up the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionNames {
    /// They tell which server has made them up.
    #[default]
    Own,
    /// They are counted for each device only: two servers come to the same ones.
    Shared,
}
