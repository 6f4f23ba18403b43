//! What a watched device tells beside its work: the commands it has answered, and the accounts that come and go.

use std::collections::BTreeSet;

use super::Note;
use crate::dm::syncml::{Command, Item, Verb};
use crate::dm::tree::Tree;
use crate::ids::ServerId;

/// What is told of one input. Only watched devices have one.
#[derive(Debug)]
pub struct Watch {
    accounts: BTreeSet<ServerId>,
    notes: Vec<Note>,
}

impl Watch {
    /// From now on, changes of this tree's accounts are told.
    pub fn new(tree: &Tree) -> Watch {
        Watch { accounts: servers(tree), notes: Vec::new() }
    }

    /// A command has been answered. `codes`: one for each of its items, where they were seen to one by one; else `code`
    /// holds for all of it. What has no target of its own and can do nothing by itself is passed over: Alert, Sequence.
    pub fn answered(&mut self, server: &ServerId, command: &Command, code: u16, codes: &[u16]) {
        let Some(verb) = word(&command.verb) else { return };
        let items = items(&command.verb);
        let target = |place: usize| items.get(place).and_then(|item| item.target.clone()).unwrap_or_default();
        for place in 0..items.len().max(1) {
            let code = codes.get(place).copied().unwrap_or(code);
            self.notes.push(Note::Operated { server: server.clone(), verb, target: target(place), code });
        }
    }

    /// Tells which servers have an account now that had none, and the other way round.
    pub fn look_at(&mut self, tree: &Tree) {
        let now = servers(tree);
        let gone = self.accounts.difference(&now).cloned().map(|server| Note::AccountGone { server });
        self.notes.extend(gone);
        let new = now.difference(&self.accounts).cloned().map(|server| Note::AccountAppeared { server });
        self.notes.extend(new);
        self.accounts = now;
    }

    /// What there is to tell, in its order.
    pub fn into_notes(self) -> Vec<Note> {
        self.notes
    }
}

fn servers(tree: &Tree) -> BTreeSet<ServerId> {
    tree.accounts().into_iter().map(|(_, server)| server).collect()
}

fn word(verb: &Verb) -> Option<&'static str> {
    Some(match verb {
        Verb::Add(_) => "Add",
        Verb::Replace(_) => "Replace",
        Verb::Delete(_) => "Delete",
        Verb::Get(_) => "Get",
        Verb::Copy(_) => "Copy",
        Verb::Exec { .. } => "Exec",
        Verb::Atomic(_) => "Atomic",
        Verb::Other(_) => "Other",
        Verb::Alert { .. } | Verb::Sequence(_) => return None,
    })
}

fn items(verb: &Verb) -> &[Item] {
    match verb {
        Verb::Add(items) | Verb::Replace(items) | Verb::Delete(items) | Verb::Get(items) | Verb::Copy(items) => items,
        Verb::Exec { item, .. } => std::slice::from_ref(item),
        Verb::Atomic(_) | Verb::Sequence(_) | Verb::Alert { .. } | Verb::Other(_) => &[],
    }
}
