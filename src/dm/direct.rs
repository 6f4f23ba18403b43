//! An errand done on a tree at once, with no session between: for drivers that have no use for packages.
//!
//! The orders become the same commands, carried out by the same code, and their answers are read by the same code as in
//! a session. What a session adds is left out: who the two sides are to each other, how long a package may get, and that
//! others come in between.

use crate::dm::client::Note;
use crate::dm::client::commands::Commands;
use crate::dm::client::mishap::Troubles;
use crate::dm::client::watch::Watch;
use crate::dm::script::{DeviceFailure, Errand, Order, OrderResult, Report, Script, Step};
use crate::dm::server::commands::{CmdIds, Round};
use crate::dm::syncml::{Message, Status};
use crate::dm::tree::Tree;
use crate::ids::ServerId;

/// What an errand has come to.
#[derive(Debug)]
pub struct Ran {
    pub report: Report,
    /// What was done, in its order.
    pub notes: Vec<Note>,
    /// Whether it was broken off as asked.
    pub is_broken_off: bool,
}

/// Runs an errand of this server; a device that does not know the server does not come. `breaks_in`: the round, from 0,
/// that is carried out and whose answers never arrive, so that nothing comes after it; an errand that has fewer rounds is
/// not broken off.
pub fn run(server: &ServerId, errand: Errand, tree: &mut Tree, breaks_in: Option<usize>) -> Ran {
    if !tree.has_account(server) {
        let report = Report::failed(DeviceFailure::Unreachable);
        return Ran { report, notes: Vec::new(), is_broken_off: false };
    }
    let mut watch = Watch::new(tree);
    let mut script = Script::new(server, errand);
    let mut results: Option<Vec<OrderResult>> = None;
    let mut round = 0;
    let (report, is_broken_off) = loop {
        match script.next(results.as_deref()) {
            Step::Finished(report) => break (report, false),
            Step::Orders(orders) => {
                results = Some(carry_out(server, orders, tree, &mut watch));
                if breaks_in == Some(round) {
                    break (script.abandon(DeviceFailure::Unreachable), true);
                }
                round += 1;
            }
        }
    };
    Ran { report, notes: watch.into_notes(), is_broken_off }
}

fn carry_out(server: &ServerId, orders: Vec<Order>, tree: &mut Tree, watch: &mut Watch) -> Vec<OrderResult> {
    const MESSAGE: &str = "1";
    let (mut round, commands) = Round::new(orders, MESSAGE, &mut CmdIds::default());
    let mut answer = Commands::new(server, MESSAGE, Status::default(), usize::MAX, Some(watch));
    for command in &commands {
        answer.run(command, tree, &mut Troubles::default());
    }
    round.fill(&mut Message { body: answer.into_body(), ..Message::default() });
    round.results()
}
