//! What a device does by itself once its tree has changed: which bootstrap servers it asks, to which servers it connects.

use crate::dm::dmacc;
use crate::dm::tree::Tree;
use crate::ids::ServerId;

/// What a device knew before something changed its tree.
#[derive(Debug, Clone)]
pub struct Initiative {
    /// The value of NoAutoInitialSession that forbids to connect; an account without that leaf allows it.
    quiet: bool,
    entries: Vec<(String, String)>,
    open: Vec<ServerId>,
}

impl Initiative {
    /// As the tree stands now. `quiet`: the value of NoAutoInitialSession that forbids to connect.
    pub fn before(tree: &Tree, quiet: bool) -> Initiative {
        Initiative { quiet, entries: tree.bootstrap_entries(), open: open_accounts(tree, quiet) }
    }

    /// The bootstrap URLs that have come since.
    pub fn new_urls(&self, tree: &Tree) -> Vec<String> {
        let entries = tree.bootstrap_entries().into_iter();
        entries.filter(|entry| !self.entries.contains(entry)).map(|(_, url)| url).collect()
    }

    /// The servers that may be connected to now and might not before: their accounts are new, or their
    /// NoAutoInitialSession has been changed (5.2.1.4; bootstrap, Bootstrap 1.3).
    pub fn newly_open(&self, tree: &Tree) -> Vec<ServerId> {
        let mut open = open_accounts(tree, self.quiet);
        open.retain(|server| !self.open.contains(server));
        open
    }
}

/// The servers that the device may connect to by itself.
fn open_accounts(tree: &Tree, quiet: bool) -> Vec<ServerId> {
    let is_quiet = |node: &str| {
        let leaf = dmacc::place().join(node).join("NoAutoInitialSession");
        tree.value(&leaf).is_some_and(|value| matches!(&*value, "true" | "1") == quiet)
    };
    tree.accounts().into_iter().filter(|(node, _)| !is_quiet(node)).map(|(_, server)| server).collect()
}
