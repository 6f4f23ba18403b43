//! Who may do what on a node: the ACL property (TND 1.2).

use std::fmt;

use crate::ids::ServerId;

/// One command that an ACL can grant. There is none for Copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    Get,
    Replace,
    Add,
    Delete,
    Exec,
}

impl Right {
    /// In the order of writing: one real client inherits an ACL rightly only where Replace stands before Add.
    pub const ALL: [Right; 5] = [Right::Get, Right::Replace, Right::Add, Right::Delete, Right::Exec];

    /// The command's name in an ACL.
    pub fn name(self) -> &'static str {
        match self {
            Right::Get => "Get",
            Right::Replace => "Replace",
            Right::Add => "Add",
            Right::Delete => "Delete",
            Right::Exec => "Exec",
        }
    }
}

/// The ACL of one node. Empty means: no value, the node inherits. Equal when the same servers hold the same rights,
/// in whatever order they were written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Acl {
    /// What `*` was granted. No entry repeats it: `*` beside a name overrides the name.
    everyone: Rights,
    /// Sorted by name; no entry without a right.
    entries: Box<[Entry]>,
}

/// Why a text is no ACL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    #[error("`{entry}` in an ACL; expected a command, `=` and server identifiers, as in `Get=a+b`")]
    Entry { entry: String },
    #[error("`{command}` in an ACL; expected Add, Delete, Exec, Get or Replace")]
    Command { command: String },
    #[error("`{id}` in an ACL is no server identifier: it is empty or holds `=`, `*` or white space")]
    Id { id: String },
}

impl Acl {
    /// The ACL without a value: the node inherits.
    pub fn empty() -> Acl {
        Acl::default()
    }

    /// Reads an ACL as it travels, `Get=*&Replace=a+b`. A command that comes twice is merged, in any case of letters.
    pub fn parse(text: &str) -> Result<Acl, AclError> {
        let mut acl = Acl::empty();
        if text.trim().is_empty() {
            return Ok(acl);
        }
        let mut entries: Vec<Entry> = Vec::new();
        for entry in text.trim().split('&') {
            let Some((command, ids)) = entry.split_once('=') else {
                return Err(AclError::Entry { entry: entry.to_owned() });
            };
            let right = Right::ALL
                .into_iter()
                .find(|right| right.name().eq_ignore_ascii_case(command))
                .ok_or_else(|| AclError::Command { command: command.to_owned() })?;
            for id in ids.split('+') {
                if id == "*" {
                    acl.everyone.insert(right);
                } else if id.is_empty() || id.contains(|c: char| matches!(c, '=' | '*') || c.is_whitespace()) {
                    return Err(AclError::Id { id: id.to_owned() });
                } else {
                    entries.push(Entry { id: ServerId::new(id), rights: Rights::of(&[right]) });
                }
            }
        }
        acl.take(entries);
        Ok(acl)
    }

    /// Whether the server may do it, going by this ACL alone.
    pub fn allows(&self, server: &ServerId, right: Right) -> bool {
        self.everyone.has(right) || self.entry(server).is_some_and(|entry| entry.rights.has(right))
    }

    /// Adds rights for one server.
    pub fn grant(&mut self, server: &ServerId, rights: &[Right]) {
        let mut entries = std::mem::take(&mut self.entries).into_vec();
        match entries.iter_mut().find(|entry| entry.id == *server) {
            Some(entry) => rights.iter().for_each(|right| entry.rights.insert(*right)),
            None => entries.push(Entry { id: server.clone(), rights: Rights::of(rights) }),
        }
        self.take(entries);
    }

    /// Adds rights for `*`.
    pub fn grant_everyone(&mut self, rights: &[Right]) {
        rights.iter().for_each(|right| self.everyone.insert(*right));
        let entries = std::mem::take(&mut self.entries).into_vec();
        self.take(entries);
    }

    /// This ACL with more rights for one server.
    pub fn granting(mut self, server: &ServerId, rights: &[Right]) -> Acl {
        self.grant(server, rights);
        self
    }

    /// Holds the names of these servers in common with them, so that they take memory once.
    pub fn share(&mut self, servers: &[ServerId]) {
        for entry in &mut self.entries {
            if let Some(known) = servers.iter().find(|server| **server == entry.id) {
                entry.id = known.clone();
            }
        }
    }

    /// Takes a server out altogether (TND 1.2).
    pub fn purge(&mut self, server: &ServerId) {
        let mut entries = std::mem::take(&mut self.entries).into_vec();
        entries.retain(|entry| entry.id != *server);
        self.take(entries);
    }

    /// As [`Acl::purge`], for the root: what only this server could do, anybody can do from now on (TND 1.2).
    pub fn purge_root(&mut self, server: &ServerId) {
        let held = self.entry(server).map_or(Rights::default(), |entry| entry.rights);
        self.purge(server);
        let orphaned = Right::ALL
            .into_iter()
            .filter(|right| held.has(*right) && !self.entries.iter().any(|e| e.rights.has(*right)));
        let orphaned: Vec<Right> = orphaned.collect();
        self.grant_everyone(&orphaned);
    }

    /// What it grants and the other does not, right by right.
    pub fn beyond(&self, other: &Acl) -> Acl {
        let mut rest = self.clone();
        rest.everyone.remove(other.everyone);
        for entry in &mut rest.entries {
            entry.rights.remove(other.everyone);
            entry.rights.remove(other.entry(&entry.id).map_or(Rights::default(), |entry| entry.rights));
        }
        let entries = std::mem::take(&mut rest.entries).into_vec();
        rest.take(entries);
        rest
    }

    /// Whether it has no value: the node inherits.
    pub fn is_empty(&self) -> bool {
        self.everyone == Rights::default() && self.entries.is_empty()
    }

    /// The servers it names, sorted; `*` is none of them.
    pub fn ids(&self) -> impl Iterator<Item = &ServerId> {
        self.entries.iter().map(|entry| &entry.id)
    }

    /// Whether it names the server.
    pub fn names(&self, server: &ServerId) -> bool {
        self.entry(server).is_some()
    }

    fn entry(&self, server: &ServerId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *server)
    }

    /// Brings entries into their normal form.
    fn take(&mut self, mut entries: Vec<Entry>) {
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        entries.dedup_by(|next, kept| {
            let is_same = next.id == kept.id;
            if is_same {
                kept.rights = Rights(kept.rights.0 | next.rights.0);
            }
            is_same
        });
        entries.iter_mut().for_each(|entry| entry.rights.remove(self.everyone));
        entries.retain(|entry| entry.rights != Rights::default());
        self.entries = entries.into_boxed_slice();
    }
}

/// As it travels, the commands in the order of [`Right::ALL`], no command without a server.
impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for right in Right::ALL {
            let mut ids = self.entries.iter().filter(|entry| entry.rights.has(right)).map(|entry| &entry.id);
            if self.everyone.has(right) {
                write!(f, "{separator}{}=*", right.name())?;
            } else if let Some(first) = ids.next() {
                write!(f, "{separator}{}={first}", right.name())?;
                ids.try_for_each(|id| write!(f, "+{id}"))?;
            } else {
                continue;
            }
            separator = "&";
        }
        Ok(())
    }
}

/// One server and its rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    id: ServerId,
    rights: Rights,
}

/// A set of rights, or of commands that a node takes at all (its AccessType): one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Rights(u8);

impl Rights {
    /// All five.
    pub const EVERY: Rights = Rights(0b1_1111);

    /// These and no other.
    pub const fn of(rights: &[Right]) -> Rights {
        let mut bits = 0;
        let mut place = 0;
        while place < rights.len() {
            bits |= 1 << rights[place] as u8;
            place += 1;
        }
        Rights(bits)
    }

    /// Whether it is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & 1 << right as u8 != 0
    }

    fn insert(&mut self, right: Right) {
        self.0 |= 1 << right as u8;
    }

    fn remove(&mut self, rights: Rights) {
        self.0 &= !rights.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ServerId {
        ServerId::new(name)
    }

    #[test]
    fn acls_are_written_in_one_order_whatever_was_read() {
        for (read, written) in [
            ("", ""),
            ("Get=*", "Get=*"),
            ("Add=*&Get=a+b&Replace=a", "Get=a+b&Replace=a&Add=*"),
            // A published example repeats a command: merged on read, never written.
            ("Get=a&Replace=a&Get=b", "Get=a+b&Replace=a"),
            ("Get=b+a+b", "Get=a+b"),
            // `*` beside a name overrides it.
            ("Get=a+*", "Get=*"),
            ("exec=a&DELETE=a", "Delete=a&Exec=a"),
            ("Get=dms1.example.test", "Get=dms1.example.test"),
        ] {
            assert_eq!(Acl::parse(read).unwrap().to_string(), written, "{read}");
        }
    }

    #[test]
    fn what_is_no_acl_is_refused() {
        for text in ["Get", "Get=", "Copy=a", "Get=a&", "Get=a++b", "Get=a b", "Get=a=b", "=a", "Get=*a"] {
            assert!(Acl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn server_may_do_only_what_it_is_listed_for() {
        let acl = Acl::parse("Get=*&Replace=a&Delete=b").unwrap();
        for (server, right, allowed) in [
            ("a", Right::Get, true),
            ("a", Right::Replace, true),
            ("a", Right::Delete, false),
            ("b", Right::Replace, false),
            ("b", Right::Delete, true),
            ("c", Right::Get, true),
            ("c", Right::Add, false),
            ("A", Right::Replace, false),
        ] {
            assert_eq!(acl.allows(&id(server), right), allowed, "{server} {right:?}");
        }
    }

    #[test]
    fn a_grant_widens_and_a_purge_takes_the_whole_server_out() {
        let mut acl = Acl::parse("Get=*&Replace=a").unwrap();
        acl.grant(&id("b"), &[Right::Get, Right::Replace, Right::Delete]);
        assert_eq!(acl.to_string(), "Get=*&Replace=a+b&Delete=b");
        assert_eq!(acl.ids().map(ServerId::as_str).collect::<Vec<_>>(), ["a", "b"]);
        acl.purge(&id("b"));
        assert_eq!(acl, Acl::parse("Replace=a&Get=*").unwrap());
        let mut alone = Acl::parse("Get=a&Replace=a").unwrap();
        alone.purge(&id("a"));
        assert!(alone.is_empty());
    }

    #[test]
    fn what_one_acl_grants_beyond_another_is_told_right_by_right() {
        for (one, other, rest) in [
            ("Get=a+b&Replace=a", "Get=a", "Get=b&Replace=a"),
            ("Get=a&Replace=a", "Get=*", "Replace=a"),
            // What everybody has is not taken away with what one server was granted.
            ("Get=*&Add=a", "Get=a&Add=a", "Get=*"),
            ("Get=*&Add=*", "Get=*&Exec=b", "Add=*"),
            ("Get=a", "", "Get=a"),
            ("Get=a", "Get=a+b", ""),
            ("", "Get=a", ""),
        ] {
            let (one, other) = (Acl::parse(one).unwrap(), Acl::parse(other).unwrap());
            assert_eq!(one.beyond(&other).to_string(), rest, "{one} {other}");
        }
    }

    #[test]
    fn at_the_root_an_orphaned_entry_falls_to_everyone() {
        let mut acl = Acl::parse("Add=a+b&Get=*&Replace=a&Delete=a").unwrap();
        acl.purge_root(&id("a"));
        assert_eq!(acl.to_string(), "Get=*&Replace=*&Add=b&Delete=*");
    }
}
