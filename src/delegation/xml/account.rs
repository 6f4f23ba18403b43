//! The DMAcc inside BOOTSTRAP_CONFIRMED: the tables call it "complex" and leave its shape open (D15).
//!
//! Written as elements named like the nodes of the management object. Read in that shape, in the fuller one that has
//! the object's unnamed nodes too (`AppAddr/<x>/Port/<x>/PortNbr`), and as a TNDS `MgmtTree`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::read::boolean;
use super::walk::{Inside, Walk};
use super::write::Document;
use crate::delegation::message::Kind;
use crate::delegation::misbehaved::Misbehaved;
use crate::dm::dmacc::{Address, AppAuth, DmAcc};
use crate::ids::ServerId;

/// Writes the account in the order of the schema.
pub(super) fn write(document: &mut Document, account: &DmAcc) {
    document.group("DMAcc", |document| {
        document.optional("AppID", account.app_id.as_deref());
        document.text("ServerID", account.server.as_str());
        document.optional("Name", account.name.as_deref());
        document.optional("PrefConRef", account.pref_con_ref.as_deref());
        for reference in &account.con_refs {
            document.text("ConRef", reference);
        }
        for address in &account.addresses {
            document.group("AppAddr", |document| {
                document.text("Addr", &address.addr);
                document.optional("AddrType", address.kind.as_deref());
                for port in &address.ports {
                    document.number("PortNbr", *port);
                }
            });
        }
        document.optional("AAuthPref", account.auth_pref.as_deref());
        for auth in &account.auth {
            document.group("AppAuth", |document| {
                document.text("AAuthLevel", &auth.level);
                document.text("AAuthType", &auth.kind);
                document.optional("AAuthName", auth.name.as_deref());
                document.optional("AAuthSecret", auth.secret.as_deref());
                document.optional("AAuthData", auth.data.as_deref());
            });
        }
        if let Some(quiet) = account.no_auto_initial_session {
            document.boolean("NoAutoInitialSession", quiet);
        }
    });
}

/// Reads the open element as an account, and closes it. No error quotes what stands in it (D16).
pub(super) fn read(walk: &mut Walk<'_>) -> Result<DmAcc, Misbehaved> {
    let (_, children) = content(walk)?;
    match children.iter().find(|node| node.is("MgmtTree")) {
        Some(tree) => account(&managed(tree)),
        None => account(&children),
    }
}

/// A node of the management object. It has a value or children.
struct Node<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    children: Vec<Node<'a>>,
}

impl Node<'_> {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

/// The text or the elements inside the open element, which is then closed.
fn content<'a>(walk: &mut Walk<'a>) -> Result<(Cow<'a, str>, Vec<Node<'a>>), Misbehaved> {
    let mut next = match walk.inside()? {
        Inside::Text(text) => return Ok((text, Vec::new())),
        Inside::Child(name) => Some(name),
    };
    let mut nodes = Vec::new();
    while let Some(name) = next {
        let (value, children) = content(walk)?;
        // TNDS may come with a prefix.
        let name = name.split_once(':').map_or(name, |(_, local)| local);
        nodes.push(Node { name: Cow::Borrowed(name), value, children });
        next = walk.child()?;
    }
    Ok((Cow::Borrowed(""), nodes))
}

/// The management object that TNDS elements describe: every `Node` has a NodeName, and a Value or further Nodes.
fn managed<'a>(element: &Node<'a>) -> Vec<Node<'a>> {
    let text = |node: &Node<'a>, name| {
        node.children.iter().find(|child| child.is(name)).map(|child| child.value.clone()).unwrap_or_default()
    };
    let nodes = element.children.iter().filter(|child| child.is("Node"));
    nodes
        .map(|node| Node { name: text(node, "NodeName"), value: text(node, "Value"), children: managed(node) })
        .collect()
}

fn account(nodes: &[Node<'_>]) -> Result<DmAcc, Misbehaved> {
    let nodes = find(nodes, "ServerID").ok_or_else(|| missing("DMAcc/ServerID"))?;
    let addresses = groups(nodes, "AppAddr", "Addr");
    if addresses.is_empty() {
        return Err(missing("DMAcc/AppAddr/Addr"));
    }
    let mut con_refs = Vec::new();
    collect(nodes, "ConRef", &mut con_refs);
    Ok(DmAcc {
        app_id: optional(nodes, "AppID", "DMAcc/AppID")?,
        server: ServerId::new(required(nodes, "ServerID", "DMAcc/ServerID")?),
        name: optional(nodes, "Name", "DMAcc/Name")?,
        pref_con_ref: optional(nodes, "PrefConRef", "DMAcc/PrefConRef")?,
        con_refs: con_refs.into_iter().map(|node| node.value.to_string()).collect(),
        addresses: addresses.into_iter().map(address).collect::<Result<_, _>>()?,
        auth_pref: optional(nodes, "AAuthPref", "DMAcc/AAuthPref")?,
        auth: groups(nodes, "AppAuth", "AAuthLevel").into_iter().map(app_auth).collect::<Result<_, _>>()?,
        no_auto_initial_session: match one(nodes, "NoAutoInitialSession", "DMAcc/NoAutoInitialSession")? {
            None => None,
            Some(node) => Some(boolean(&node.value).ok_or_else(|| bad("DMAcc/NoAutoInitialSession"))?),
        },
    })
}

fn address(nodes: &[Node<'_>]) -> Result<Address, Misbehaved> {
    let mut ports = Vec::new();
    collect(nodes, "PortNbr", &mut ports);
    Ok(Address {
        addr: required(nodes, "Addr", "DMAcc/AppAddr/Addr")?,
        kind: optional(nodes, "AddrType", "DMAcc/AppAddr/AddrType")?,
        ports: ports
            .into_iter()
            .map(|port| port.value.parse().map_err(|_| bad("DMAcc/AppAddr/PortNbr")))
            .collect::<Result<_, _>>()?,
    })
}

fn app_auth(nodes: &[Node<'_>]) -> Result<AppAuth, Misbehaved> {
    let data = match optional(nodes, "AAuthData", "DMAcc/AppAuth/AAuthData")? {
        None => None,
        Some(text) => {
            // The lexical form of xs:base64Binary may be broken into lines.
            let base64: String = text.split_ascii_whitespace().collect();
            STANDARD.decode(&base64).map_err(|_| bad("DMAcc/AppAuth/AAuthData"))?;
            Some(base64)
        }
    };
    Ok(AppAuth {
        level: required(nodes, "AAuthLevel", "DMAcc/AppAuth/AAuthLevel")?,
        kind: required(nodes, "AAuthType", "DMAcc/AppAuth/AAuthType")?,
        name: optional(nodes, "AAuthName", "DMAcc/AppAuth/AAuthName")?,
        secret: optional(nodes, "AAuthSecret", "DMAcc/AppAuth/AAuthSecret")?,
        data,
    })
}

/// The siblings among which a node of this name stands, looked for downwards: an account may come with the nodes above
/// it, `DMAcc/<x>`.
fn find<'n, 'a>(nodes: &'n [Node<'a>], name: &str) -> Option<&'n [Node<'a>]> {
    if nodes.iter().any(|node| node.is(name)) {
        return Some(nodes);
    }
    nodes.iter().find_map(|node| find(&node.children, name))
}

/// The contents of all groups of this name: the node itself where it has the key, else each unnamed node below it.
fn groups<'n, 'a>(nodes: &'n [Node<'a>], name: &str, key: &str) -> Vec<&'n [Node<'a>]> {
    let mut groups = Vec::new();
    for node in nodes.iter().filter(|node| node.is(name)) {
        if node.children.iter().all(|child| child.children.is_empty())
            || node.children.iter().any(|child| child.is(key))
        {
            groups.push(node.children.as_slice());
        } else {
            groups.extend(node.children.iter().map(|child| child.children.as_slice()));
        }
    }
    groups
}

/// All nodes of this name, at any depth.
fn collect<'n, 'a>(nodes: &'n [Node<'a>], name: &str, found: &mut Vec<&'n Node<'a>>) {
    for node in nodes {
        if node.is(name) {
            found.push(node);
        }
        collect(&node.children, name, found);
    }
}

fn required(nodes: &[Node<'_>], name: &str, path: &'static str) -> Result<String, Misbehaved> {
    let text = optional(nodes, name, path)?.ok_or_else(|| missing(path))?;
    if text.is_empty() { Err(bad(path)) } else { Ok(text) }
}

fn optional(nodes: &[Node<'_>], name: &str, path: &'static str) -> Result<Option<String>, Misbehaved> {
    Ok(one(nodes, name, path)?.map(|node| node.value.to_string()))
}

fn one<'n, 'a>(nodes: &'n [Node<'a>], name: &str, path: &'static str) -> Result<Option<&'n Node<'a>>, Misbehaved> {
    let mut found = nodes.iter().filter(|node| node.is(name));
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(Misbehaved::DoubledElement { message: MESSAGE, element: path }),
        (node, None) => Ok(node),
    }
}

const MESSAGE: &str = Kind::BootstrapConfirmed.root();

fn missing(element: &'static str) -> Misbehaved {
    Misbehaved::MissingElement { message: MESSAGE, element }
}

fn bad(element: &'static str) -> Misbehaved {
    Misbehaved::BadValue { message: MESSAGE, element, found: "something that is not shown here".into() }
}
