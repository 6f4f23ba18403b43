//! Faults of one line that tests plant in the machines and in what they do on a device, to see whether they are found.
//!
//! Each is asked for at one place, by `planted!`. They show with one device, two servers, a delegation and a
//! revocation, one timer that fires early, one message that is lost and one that comes twice, under
//! [`Policy::Hardened`](super::policy::Policy); what says otherwise says so.

use crate::dm::script::planted;

/// Names the faults, each once, with what is wrong as its comment.
macro_rules! bugs {
    ($($(#[doc = $says:literal])+ $bug:ident = $name:literal,)+) => {
        /// One fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug {
            $($(#[doc = $says])+ $bug,)+
        }

        impl Bug {
            pub const ALL: &'static [Bug] = &[$(Bug::$bug),+];

            /// Its name, which stays.
            pub fn name(self) -> &'static str {
                match self {
                    $(Bug::$bug => $name,)+
                }
            }

            /// What is wrong.
            pub fn says(self) -> &'static str {
                match self {
                    $(Bug::$bug => concat!($($says),+).trim_ascii(),)+
                }
            }

            /// As the place asks for it.
            fn asked(self) -> &'static str {
                match self {
                    $(Bug::$bug => stringify!($bug),)+
                }
            }
        }
    };
}

bugs! {
    // DMS-1: delegating.
    /// 5.2.3.4, D26: DMS-1 does not go on when DELEGATION_TERMINATION_RESP is overdue; a lost one halts it for ever.
    TerminationTimerIgnored = "termination-timer-ignored",
    /// H4, 5.2.3.6: the time to tell the delegate DELEGATION_REVOKED again passes, and nothing is done.
    PeerTimerIgnored = "peer-timer-ignored",
    /// H4: a device that could not be reached is to be tried again, and no timer is set for that.
    DeviceTimerNotArmed = "device-timer-not-armed",
    /// 5.2.3.6: the record is forgotten as soon as DELEGATION_REVOKED is posted; the flow never settles.
    PurgedBeforeRevokedAnswered = "purged-before-revoked-answered",

    // DMS-1: the handover.
    /// 5.2.1.3: a BOOTSTRAP_CONFIRMED that overtakes DELEGATION_RESP is answered and lost.
    OvertakingConfirmationLost = "overtaking-confirmation-lost",
    /// 5.2.2.6: a BOOTSTRAP_CONFIRMED that comes before the session that gave the URL has ended is answered and lost.
    EarlyBootstrapForgotten = "early-bootstrap-forgotten",
    /// 5.3: a failed delegation by URL leaves the account that the device has fetched for the delegate.
    BootstrapByDeviceForgotten = "bootstrap-by-device-forgotten",
    /// H1, 5.2.1.5: the own account goes while the device is prepared, before DELEGATION_CONFIRMED.
    OwnAccountRemovedEarly = "own-account-removed-early",
    /// D17, table 4: DELEGATION_PREPARED of a full delegation says that it is none.
    FullFlagDropped = "full-flag-dropped",
    /// 5.3: DELEGATION_CONFIRMED brings a delegation into force that is being undone.
    ConfirmedTakenTooLate = "confirmed-taken-too-late",
    /// 5.2.1.5: the own account is not removed at the end of a full delegation.
    LeaveSkipped = "leave-skipped",
    /// 5.2.1.5: the own account counts as removed although the session for that has failed.
    LeaveFailureTakenForDone = "leave-failure-taken-for-done",
    /// 5.3: what a session has changed before it broke off is not noted for the undo.
    UndoOfBrokenErrandDropped = "undo-of-broken-errand-dropped",

    // DMS-1: the revocation.
    /// 5.2.5.3: the notice of a forced revocation is not sent.
    NoticeForgotten = "notice-forgotten",
    /// H2, D25: a server that has no account on the device any more does not refuse to revoke.
    OwnAccountCheckDropped = "own-account-check-dropped",
    /// 5.2.3.3: a DELEGATION_TERMINATION_REQ that was not answered counts as acknowledged and reported.
    TimeoutTakenForTermination = "timeout-taken-for-termination",
    /// 5.2.4.3: DELEGATION_REVOCATION_REQ is followed by DELEGATION_REVOKED, and the account stays.
    RevokedWithoutRemoval = "revoked-without-removal",
    /// 5.2.4.2: DELEGATION_REVOCATION_REQ is acted upon whatever is under way.
    RequestTakenInAnyState = "request-taken-in-any-state",
    /// 5.2.3.6: DELEGATION_REVOKED is sent before the account has been removed, and once more after that.
    RevokedBeforeRemoval = "revoked-before-removal",
    /// 5.2.2.3: a revocation leaves the entry of the Bootstrap Config that the delegation has made.
    BootstrapEntryForgotten = "bootstrap-entry-forgotten",
    /// 5.2.3.5, D37: a removal that has failed counts as done.
    RemovalFailureTakenForDone = "removal-failure-taken-for-done",
    /// 5.2.3.6, 5.2.4.4: DELEGATION_REVOKED of a revocation's session is not sent.
    DelegateNotTold = "delegate-not-told",
    /// H4: a DELEGATION_REVOKED that was not answered is not sent again.
    RevokedToldOnce = "revoked-told-once",
    /// Table 15, D25: REVOCATION_FAILURE always says 500; a refusal looks like a revocation that has failed.
    ReasonCodeLost = "reason-code-lost",
    /// D37: DMS-1 does not note that a delegation whose revocation has failed may be compromised.
    CompromiseNotNoted = "compromise-not-noted",

    // DMS-1: the undo.
    /// 5.3: DELEGATION_FAILURE of a delegate that could not read our answer is answered, and the delegation stays in force.
    FailureIgnoredInForce = "failure-ignored-in-force",
    /// 5.3: a delegation in force that has to go back leaves the delegate its account.
    LetInKept = "let-in-kept",
    /// 5.3: the session under way when the failure comes is not waited for, and what it does stays.
    UnderWayNotUndone = "under-way-not-undone",
    /// 5.3: an undo that could not be done counts as done.
    UndoFailureTakenForDone = "undo-failure-taken-for-done",
    /// 5.3: nothing is put back.
    UndoForgotten = "undo-forgotten",
    /// 5.3: only the first of what is to be put back is.
    UndonePartly = "undone-partly",
    /// H4, 5.3: when the time has come to try the undo again it is left at that.
    UndoNotTriedAgain = "undo-not-tried-again",
    /// H5: after a restart the own account is not removed. Needs a restart.
    LeaveNotResumed = "leave-not-resumed",

    // DMS-2: delegated.
    /// 5.3: the end of its own session with the device does not end a delegation that has failed meanwhile.
    VisitEndIgnored = "visit-end-ignored",
    /// 5.2.2.5: a device that comes before the answer to our own request has been read has come for nothing.
    EarlyDeviceLost = "early-device-lost",
    /// H4, 5.3: the time to tell DELEGATION_FAILURE again passes, and nothing is done.
    FailureNotRepeated = "failure-not-repeated",
    /// 5.3.1.1: when both servers ask for one delegation, both refuse.
    NobodyGivesWay = "nobody-gives-way",
    /// 5.3: the delegate's request is refused, and its flow never settles.
    RefusalNeverSettled = "refusal-never-settled",
    /// 5.2.1.8: a device that has come back by a full delegation stays on record as delegated fully at its owner. Needs
    /// two delegations.
    GivenBackKept = "given-back-kept",
    /// 5.3: DMS-2 ends a failed delegation without DELEGATION_FAILURE.
    FailureNotSent = "failure-not-sent",
    /// 5.2.3.6: DMS-2 waits for DELEGATION_REVOKED as long as its winding down takes.
    RevokedTimerTooShort = "revoked-timer-too-short",
    /// 5.2.4.2: a DELEGATION_REVOCATION_REQ that was not answered counts as taken.
    RequestTimeoutTakenForTaken = "request-timeout-taken-for-taken",
    /// 5.2.3.2: when both servers revoke at the same time, both refuse. Needs two revocations.
    CrossingRevocationRefused = "crossing-revocation-refused",
    /// 5.2.3.4: DELEGATION_TERMINATION_RESP is sent before the activities have ended.
    ReportedBeforeWoundDown = "reported-before-wound-down",
    /// 5.2.5.3: the notice of a forced revocation is turned away.
    NoticeRefusedAtRest = "notice-refused-at-rest",
    /// 5.3.4.3: REVOCATION_FAILURE is answered, and DMS-2 goes on waiting for DELEGATION_REVOKED.
    RevocationFailureIgnored = "revocation-failure-ignored",
    /// D37: DMS-2 does not note that a delegation whose revocation has failed may be compromised.
    CompromiseNotTaken = "compromise-not-taken",
    /// 5.2.1.8: what DMS-1 says of a delegation in force is turned away until its answer to DELEGATION_CONFIRMED is read.
    ConfirmedNotSeen = "confirmed-not-seen",
    /// 5.3.4.3: a revocation that has failed never settles at DMS-2.
    StandNeverSettled = "stand-never-settled",
    /// 5.2.3.6: DMS-2 believes that its account is still there after a revocation, and sends none the next time. Needs a
    /// delegation more.
    OwnAccountStillBelieved = "own-account-still-believed",

    // Messages that come in, and how a flow begins.
    /// D35: a message of an open session that comes twice is taken for a new one.
    CopyNotKnown = "copy-not-known",
    /// D35: a copy of DELEGATION_TERMINATION_REQ is not acknowledged.
    AckNotRepeated = "ack-not-repeated",
    /// D35: a copy of a message that opens a revocation opens it again.
    TerminationTakenTwice = "termination-taken-twice",
    /// H3: a notice that names a delegation which is over ends the one that the device has now. Needs a delegation more.
    LateNoticeEndsAnother = "late-notice-ends-another",
    /// D35: a copy of DELEGATION_REQ is judged anew.
    CopyOfRequestTakenAnew = "copy-of-request-taken-anew",
    /// 5.3.1.1: DELEGATION_REQ is granted for what is delegated already, or about to be. Needs two delegations.
    CrossingRequestsBothAccepted = "crossing-requests-both-accepted",
    /// H6: a second full delegation begins while the first is under way. Needs three servers.
    SecondGiftAccepted = "second-gift-accepted",
    /// D32: a delegation of a part of what is delegated already does not count as overlapping. Needs two sub-trees.
    OverlapIgnored = "overlap-ignored",
    /// 5.2.3.1: the operator may revoke while a process of the delegation is under way.
    RevokesWhileMoving = "revokes-while-moving",
    /// Table 1: DELEGATION_REQ never asks for a full delegation.
    FullWishLost = "full-wish-lost",

    // What a server keeps.
    /// D35: a server gives all its processes for a device one name. Needs two delegations.
    SessionNameUsedTwice = "session-name-used-twice",
    /// 5.2.3.6: a delegation that is over stays on record.
    RecordNotPurged = "record-not-purged",
    /// 5.2.3.4: a careful delegate leaves in force what it has delegated on. Needs three servers.
    PassedOnKept = "passed-on-kept",
    /// The end of a flow is noted, and noted again with the next one of the same delegation, which nobody has joined.
    SettledTwice = "settled-twice",
    /// D35: a late copy of a message of a session that has ended finds an unknown session.
    EndedForgotten = "ended-forgotten",
    /// D22: a revocation's own session is not opened, so that nothing that names it is taken.
    RevocationSessionNotOpened = "revocation-session-not-opened",
    /// D35: a copy of a DELEGATION_REQ that was refused is granted. Needs two delegations.
    RefusalAnsweredAsGrant = "refusal-answered-as-grant",
    /// 5.2.3.5: the other delegations that end with the account stay in force. Needs two sub-trees.
    OthersKeptWithoutAccount = "others-kept-without-account",
    /// H5: that a delegation is over is not written to the store. Needs a restart.
    EndNotStored = "end-not-stored",
    /// H4: a POST without an answer is not tried again.
    TimedOutIsFinal = "timed-out-is-final",
    /// 5.3: a server whose POST was not answered does not tell the peer that it has given up.
    SilentAfterTimeout = "silent-after-timeout",

    // What is seen of a server from outside alone.
    /// 5.3: whatever the Content-Type of a request is, it is read as a message.
    ContentTypeNotLookedAt = "content-type-not-looked-at",
    /// 5.3: a message for a session that nobody knows is answered as one that was carried out.
    UnknownSessionTaken = "unknown-session-taken",
    /// Table 8: BOOTSTRAP_SRV_URL_DELIVERY has another sessionId than the request that it answers.
    UrlSessionNotEchoed = "url-session-not-echoed",
    /// Table 12: DELEGATION_TERMINATION_ACK of a server that ends its activities says no by its reasonCode.
    AckReasonWrong = "ack-reason-wrong",

    // What is done on the device.
    /// 5.2.1.4: the delegate gets its rights on the parent of the sub-tree.
    AclOfWrongSubtree = "acl-of-wrong-subtree",
    /// 5.2.1.4: the new ACL of the sub-tree drops whoever had rights there by inheritance.
    InheritedRightsLost = "inherited-rights-lost",
    /// 5.3: the undo leaves the ACLs as they are.
    AclNotPutBack = "acl-not-put-back",
    /// 5.2.1.4: the new account does not keep the client from connecting by itself.
    QuietForgotten = "quiet-forgotten",
    /// 5.3: the undo leaves the entry of the Bootstrap Config.
    EntryNotPutBack = "entry-not-put-back",
    /// H1: a session that broke off while the own account was being removed counts as not having done so.
    LeaveDoubtLost = "leave-doubt-lost",
    /// 5.2.1.4, 5.2.3.5: a session that broke off is reported as one that has done its work.
    BrokenSessionReportedDone = "broken-session-reported-done",
    /// 5.2.3.5: where there is an entry of the Bootstrap Config to be removed, the account stays.
    LeftoversInsteadOfAccount = "leftovers-instead-of-account",
}

/// Plants a fault in place of the one before, or none, for the whole process.
pub fn plant(bug: Option<Bug>) {
    planted::plant(bug.map(Bug::asked));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Adds the names in all `planted!(...)` of the source below a folder.
    fn gather(folder: &Path, asked: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("the source can be read") {
            let path = entry.expect("the source can be read").path();
            if path.is_dir() {
                gather(&path, asked);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("planted.rs") {
                let source = fs::read_to_string(&path).expect("the source can be read");
                let names = source.split("planted!(").skip(1).map(|after| after.split(')').next().unwrap_or_default());
                asked.extend(names.map(str::to_owned));
            }
        }
    }

    #[test]
    fn each_is_asked_for_at_one_place_and_nothing_else_is() {
        let mut asked = Vec::new();
        gather(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut asked);
        asked.sort();
        let mut bugs: Vec<String> = Bug::ALL.iter().map(|bug| bug.asked().to_owned()).collect();
        bugs.sort();
        assert_eq!(asked, bugs);
    }

    #[test]
    fn each_has_a_name_of_its_own_that_says_the_same_as_its_variant() {
        let marks: BTreeSet<u64> = Bug::ALL.iter().map(|bug| planted::mark(bug.asked())).collect();
        assert_eq!(marks.len(), Bug::ALL.len());
        assert!(!marks.contains(&0));
        for bug in Bug::ALL {
            let words = bug.asked().chars().enumerate().flat_map(|(at, letter)| {
                let dash = (at > 0 && letter.is_uppercase()).then_some('-');
                dash.into_iter().chain(std::iter::once(letter.to_ascii_lowercase()))
            });
            assert_eq!(bug.name(), words.collect::<String>());
            assert!(bug.says().ends_with('.'), "{}", bug.says());
        }
    }
}
