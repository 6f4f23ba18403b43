//! An account as nodes: written as orders, read back from whatever holds nodes.

use super::{Address, AppAuth, DmAcc, IDENTIFIER};
use crate::dm::script::Order;
use crate::dm::tree::{Format, Tree};
use crate::dm::uri::Uri;
use crate::ids::ServerId;

/// Why a sub-tree is no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAccount {
    #[error("the account has no `{leaf}`")]
    Missing { leaf: &'static str },
    #[error("`{leaf}` of the account is `{value}`; expected {expected}")]
    Value { leaf: &'static str, value: String, expected: &'static str },
}

/// One node of an account, by its address below the account's own node.
pub(in crate::dm) struct Row {
    /// Empty for the account's own node.
    pub path: String,
    /// `None` for an interior node.
    pub leaf: Option<(Format, String)>,
}

/// Something that holds the nodes of an account.
pub(in crate::dm) trait Branch {
    /// The value of a leaf, by its address below the account's own node.
    fn leaf(&self, path: &str) -> Option<String>;
    /// The names below a node.
    fn names(&self, path: &str) -> Vec<String>;
}

impl DmAcc {
    /// The orders that make the account at `./DMAcc/<node>`: parents first, one by one, every leaf with its value and
    /// format, as real clients need it. The first order makes the account's own node; its ACL is to be set right
    /// behind it.
    ///
    /// `AAuthData` goes as `chr` with its base64 text: the standard's `bin` is answered with 415 by a real client.
    pub fn orders(&self, node: &str) -> Vec<Order> {
        let top = super::place().join(node);
        let order = |row: Row| {
            let uri = if row.path.is_empty() { top.clone() } else { top.join(&row.path) };
            match row.leaf {
                None => Order::AddNode { uri, kind: if row.path.is_empty() { IDENTIFIER } else { "" } },
                Some((format, value)) => Order::AddLeaf { uri, format: format.name(), value },
            }
        };
        self.rows().into_iter().map(order).collect()
    }

    /// Reads the account at `./DMAcc/<node>` as the device itself, secrets included.
    pub fn read(tree: &Tree, node: &str) -> Result<DmAcc, NotAnAccount> {
        DmAcc::from_branch(&Below { tree, top: super::place().join(node) })
    }

    /// The nodes of the account, parents first.
    pub(in crate::dm) fn rows(&self) -> Vec<Row> {
        let mut rows = Rows(vec![Row { path: String::new(), leaf: None }]);
        rows.text("AppID", self.app_id.as_deref());
        rows.text("ServerID", Some(self.server.as_str()));
        rows.text("Name", self.name.as_deref());
        rows.text("PrefConRef", self.pref_con_ref.as_deref());
        rows.list("ToConRef", &self.con_refs, |rows, top, con_ref| rows.text(&format!("{top}/ConRef"), Some(con_ref)));
        rows.list("AppAddr", &self.addresses, |rows, top, address| {
            rows.text(&format!("{top}/Addr"), Some(&address.addr));
            rows.text(&format!("{top}/AddrType"), address.kind.as_deref());
            rows.list(&format!("{top}/Port"), &address.ports, |rows, top, port| {
                rows.text(&format!("{top}/PortNbr"), Some(&port.to_string()));
            });
        });
        rows.text("AAuthPref", self.auth_pref.as_deref());
        rows.list("AppAuth", &self.auth, |rows, top, auth| {
            rows.text(&format!("{top}/AAuthLevel"), Some(&auth.level));
            rows.text(&format!("{top}/AAuthType"), Some(&auth.kind));
            rows.text(&format!("{top}/AAuthName"), auth.name.as_deref());
            rows.text(&format!("{top}/AAuthSecret"), auth.secret.as_deref());
            rows.text(&format!("{top}/AAuthData"), auth.data.as_deref());
        });
        if let Some(is_set) = self.no_auto_initial_session {
            let leaf = Some((Format::Bool, is_set.to_string()));
            rows.0.push(Row { path: "NoAutoInitialSession".to_owned(), leaf });
        }
        rows.0
    }

    /// Reads an account back.
    pub(in crate::dm) fn from_branch(branch: &dyn Branch) -> Result<DmAcc, NotAnAccount> {
        let below = |top: &str| branch.names(top).into_iter().map(|name| format!("{top}/{name}")).collect::<Vec<_>>();
        let needed = |path: String, leaf| branch.leaf(&path).ok_or(NotAnAccount::Missing { leaf });
        let port = |top: String| {
            let value = needed(format!("{top}/PortNbr"), "PortNbr")?;
            let expected = "a number from 0 to 65535";
            value.parse().map_err(|_| NotAnAccount::Value { leaf: "PortNbr", value, expected })
        };
        let address = |top: String| {
            Ok(Address {
                addr: needed(format!("{top}/Addr"), "Addr")?,
                kind: branch.leaf(&format!("{top}/AddrType")),
                ports: below(&format!("{top}/Port")).into_iter().map(port).collect::<Result<_, _>>()?,
            })
        };
        let auth = |top: String| {
            Ok(AppAuth {
                level: needed(format!("{top}/AAuthLevel"), "AAuthLevel")?,
                kind: needed(format!("{top}/AAuthType"), "AAuthType")?,
                name: branch.leaf(&format!("{top}/AAuthName")),
                secret: branch.leaf(&format!("{top}/AAuthSecret")),
                data: branch.leaf(&format!("{top}/AAuthData")),
            })
        };
        Ok(DmAcc {
            app_id: branch.leaf("AppID"),
            server: ServerId::new(needed("ServerID".to_owned(), "ServerID")?),
            name: branch.leaf("Name"),
            pref_con_ref: branch.leaf("PrefConRef"),
            con_refs: below("ToConRef").iter().filter_map(|top| branch.leaf(&format!("{top}/ConRef"))).collect(),
            addresses: below("AppAddr").into_iter().map(address).collect::<Result<_, _>>()?,
            auth_pref: branch.leaf("AAuthPref"),
            auth: below("AppAuth").into_iter().map(auth).collect::<Result<_, _>>()?,
            no_auto_initial_session: match branch.leaf("NoAutoInitialSession").as_deref() {
                None => None,
                Some("true" | "1") => Some(true),
                Some("false" | "0") => Some(false),
                Some(other) => {
                    let (leaf, expected) = ("NoAutoInitialSession", "`true` or `false`");
                    return Err(NotAnAccount::Value { leaf, value: other.to_owned(), expected });
                }
            },
        })
    }
}

/// Rows in the making.
struct Rows(Vec<Row>);

impl Rows {
    fn text(&mut self, path: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push(Row { path: path.to_owned(), leaf: Some((Format::Chr, value.to_owned())) });
        }
    }

    /// A node with one numbered node for each item; nothing where there is no item.
    fn list<T>(&mut self, top: &str, items: &[T], mut each: impl FnMut(&mut Rows, &str, &T)) {
        if items.is_empty() {
            return;
        }
        self.0.push(Row { path: top.to_owned(), leaf: None });
        for (place, item) in items.iter().enumerate() {
            let path = format!("{top}/{}", place + 1);
            self.0.push(Row { path: path.clone(), leaf: None });
            each(self, &path, item);
        }
    }
}

/// The account below one node of a tree.
struct Below<'a> {
    tree: &'a Tree,
    top: Uri,
}

impl Branch for Below<'_> {
    fn leaf(&self, path: &str) -> Option<String> {
        self.tree.value(&self.top.join(path))
    }

    fn names(&self, path: &str) -> Vec<String> {
        self.tree.children(&self.top.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An account that uses every node of the MO.
    fn account() -> DmAcc {
        DmAcc {
            app_id: Some("w7".into()),
            server: ServerId::new("dms2.example.test"),
            name: Some("Second".into()),
            pref_con_ref: Some("INTERNET".into()),
            con_refs: vec!["./NAP/1".into()],
            addresses: vec![Address {
                addr: "https://dms2.example.test/dm".into(),
                kind: Some("URI".into()),
                ports: vec![443, 8443],
            }],
            auth_pref: Some("DIGEST".into()),
            auth: vec![AppAuth {
                level: "CLCRED".into(),
                kind: "DIGEST".into(),
                name: Some("dev".into()),
                secret: Some("pw".into()),
                data: Some("AAECAw==".into()),
            }],
            no_auto_initial_session: Some(true),
        }
    }

    struct Written(Vec<Row>);

    impl Branch for Written {
        fn leaf(&self, path: &str) -> Option<String> {
            self.0.iter().find(|row| row.path == path)?.leaf.as_ref().map(|(_, value)| value.clone())
        }

        fn names(&self, path: &str) -> Vec<String> {
            let top = format!("{path}/");
            let below = self.0.iter().filter_map(|row| row.path.strip_prefix(&top));
            below.filter(|rest| !rest.contains('/')).map(str::to_owned).collect()
        }
    }

    #[test]
    fn an_account_reads_back_from_its_nodes() {
        assert_eq!(DmAcc::from_branch(&Written(account().rows())), Ok(account()));
        let bare = DmAcc { con_refs: vec![], auth: vec![], no_auto_initial_session: None, name: None, ..account() };
        assert_eq!(DmAcc::from_branch(&Written(bare.rows())), Ok(bare));
    }

    #[test]
    fn orders_name_parents_before_children_and_give_every_leaf_its_format() {
        let orders = account().orders("dms2");
        let mut seen = vec![super::super::place()];
        for order in &orders {
            let uri = match order {
                Order::AddNode { uri, .. } => uri,
                Order::AddLeaf { uri, format, .. } => {
                    let expected = if uri.name() == Some("NoAutoInitialSession") { "bool" } else { "chr" };
                    assert_eq!(*format, expected, "{uri}");
                    uri
                }
                other => panic!("{other:?}"),
            };
            assert!(seen.contains(&uri.parent().unwrap()), "{uri} before its parent");
            seen.push(uri.clone());
        }
        let top = Uri::parse("./DMAcc/dms2").unwrap();
        assert_eq!(orders[0], Order::AddNode { uri: top, kind: IDENTIFIER });
        // Itself, 4 texts, 3 for ConRef, 9 for AppAddr with two ports, AAuthPref, 7 for AppAuth, the flag.
        assert_eq!(orders.len(), 26);
    }

    #[test]
    fn what_lacks_a_needed_leaf_is_no_account() {
        for leaf in ["ServerID", "Addr", "AAuthLevel", "AAuthType", "PortNbr"] {
            let mut rows = account().rows();
            rows.retain(|row| !row.path.ends_with(leaf));
            assert_eq!(DmAcc::from_branch(&Written(rows)), Err(NotAnAccount::Missing { leaf }));
        }
    }
}
