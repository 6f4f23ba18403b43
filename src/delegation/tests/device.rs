//! The device of the tests, as far as servers see it: accounts come and go, and every change can be undone.

use std::time::Duration;

use super::pair::{BOOTSTRAP, Event, Pair, SESSION};
use super::parties::*;
use super::transcript::{errand_name, errand_text, name};
use crate::delegation::machine::Job;
use crate::dm::script::{DeviceFailure, Errand, Order, Report};
use crate::dm::uri::Uri;
use crate::ids::{ServerId, ServerNumber};

impl Pair {
    /// An errand that ends after a while, as refused or done.
    pub(super) fn errand(&mut self, at: ServerNumber, job: Job, errand: Errand) {
        self.line(&format!("{} -> device {}", name(at), errand_text(&errand)));
        let refused = self.refusals.iter().position(|(of, _)| *of == errand_name(&errand));
        let mut report = Report { result: Ok(()), undo: Vec::new(), own_account_removed: false };
        if let Some(place) = refused {
            report.result = Err(self.refusals.remove(place).1);
        } else if !self.accounts.contains(&at) {
            report.result = Err(DeviceFailure::NoAccount);
        } else {
            let delegate = |id: &ServerId| [DMS1, DMS2, DMS3].into_iter().find(|server| server_id(*server) == *id);
            match &errand {
                Errand::Prepare { delegate: id, account, subtree, extent, .. } => {
                    report.undo.push(Order::ReplaceAcl { uri: subtree.clone(), acl: "before".to_owned() });
                    if account.is_some() {
                        self.accounts.extend(delegate(id));
                        report.undo.push(Order::Delete(Uri::parse("./DMAcc/delegate").expect("well-formed")));
                    }
                    report.own_account_removed = extent.leaves();
                }
                Errand::Grant { subtree, extent, .. } => {
                    report.undo.push(Order::ReplaceAcl { uri: subtree.clone(), acl: "before".to_owned() });
                    report.own_account_removed = extent.leaves();
                }
                Errand::PushBootstrapUrl { .. } => {
                    report.undo.push(Order::Delete(Uri::parse("./BootstrapConfig/entry").expect("well-formed")));
                }
                Errand::RemoveAccount { of, .. } => {
                    // One that is not there has gone.
                    delegate(of).map(|server| self.accounts.remove(&server));
                }
                Errand::Undo(orders) => {
                    if orders
                        .iter()
                        .any(|order| matches!(order, Order::Delete(uri) if uri.as_str() == "./DMAcc/delegate"))
                    {
                        self.accounts.retain(|server| *server == at);
                    }
                }
                Errand::Leave => report.own_account_removed = true,
                Errand::TakeBackUrl { .. } => self.has_taken_back_url = true,
                Errand::Visit { .. } | Errand::LetConnect { .. } | Errand::TakeBackRights { .. } => {}
            }
            report.own_account_removed &= self.gives_up;
            if report.own_account_removed {
                self.accounts.remove(&at);
            }
        }
        if matches!(errand, Errand::PushBootstrapUrl { .. }) && report.result.is_ok() && self.device_bootstraps {
            self.accounts.insert(DMS2);
            self.push(BOOTSTRAP, Event::Connects { to: DMS2 });
        }
        if self.unheard.take_if(|of| *of == errand_name(&errand)).is_some() {
            report.result = Err(DeviceFailure::Unreachable);
        }
        let slow = self.slow.take_if(|(of, _)| *of == errand_name(&errand)).map_or(0, |(_, ms)| ms);
        self.push(SESSION + Duration::from_millis(slow), Event::ErrandEnds { at, job, report });
    }
}
