//! SyncML packages as types: the subset that OMA DM uses.
//!
//! What is asked of elements stands here once, for [`syncml_xml`](super::syncml_xml) and [`wbxml`](super::wbxml) alike:
//! the rules of reading over a walk through elements, the order of writing onto a page of them.

mod error;
pub(in crate::dm) mod read;
pub(in crate::dm) mod walk;
pub(in crate::dm) mod write;

pub use error::{MAX_DEPTH, SyncmlError};

/// One message of a session, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    pub header: Header,
    pub body: Vec<Element>,
    /// Whether this message is the last of its package.
    pub is_final: bool,
}

impl Message {
    /// The commands, outermost only.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.body.iter().filter_map(|element| match element {
            Element::Command(command) => Some(command),
            _ => None,
        })
    }

    /// The answers to commands of the peer.
    pub fn statuses(&self) -> impl Iterator<Item = &Status> {
        self.body.iter().filter_map(|element| match element {
            Element::Status(status) => Some(status),
            _ => None,
        })
    }

    /// What Gets of the peer have found.
    pub fn results(&self) -> impl Iterator<Item = &Results> {
        self.body.iter().filter_map(|element| match element {
            Element::Results(results) => Some(results),
            _ => None,
        })
    }

    /// The answer to the peer's header.
    pub fn header_status(&self) -> Option<&Status> {
        self.statuses().find(|status| status.is_for_header())
    }
}

/// `SyncHdr`. VerDTD and VerProto are given as they travel (`1.2`, `DM/1.2`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    pub ver_dtd: String,
    pub ver_proto: String,
    /// Opaque; hexadecimal when it came with a trigger. Echoed as it is, never parsed as a number.
    pub session_id: String,
    pub msg_id: String,
    pub target: Location,
    pub source: Location,
    /// Where the next message of this session has to go.
    pub resp_uri: Option<String>,
    pub cred: Option<Cred>,
    pub meta: Meta,
}

/// `Target` or `Source`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    pub uri: String,
    /// `LocName`: the user name, with MD5 and MAC credentials.
    pub name: Option<String>,
}

impl Location {
    /// An address without a name.
    pub fn new(uri: impl Into<String>) -> Location {
        Location { uri: uri.into(), name: None }
    }
}

/// `Cred`: who the sender claims to be. `data` is as it travels (base64).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Cred {
    /// `Meta/Type`, e.g. `syncml:auth-md5`.
    pub scheme: String,
    /// `Meta/Format`, e.g. `b64`.
    pub format: String,
    pub data: String,
}

/// Never shows the credential itself.
impl std::fmt::Debug for Cred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cred").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// `Chal`: the credentials the sender wants next, and the nonce to use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chal {
    pub scheme: String,
    pub format: String,
    /// `NextNonce` as it travels (base64).
    pub next_nonce: Option<String>,
}

/// `Meta`: the members that DM uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    pub format: Option<String>,
    pub kind: Option<String>,
    pub mark: Option<String>,
    pub size: Option<u64>,
    pub max_msg_size: Option<u64>,
    pub max_obj_size: Option<u64>,
}

impl Meta {
    /// Of a leaf's value, e.g. `chr` and `text/plain`, or of a node and the name of its object.
    pub fn typed(format: impl Into<String>, kind: impl Into<String>) -> Meta {
        Meta { format: Some(format.into()), kind: Some(kind.into()), ..Meta::default() }
    }

    /// Of an interior node without an object of its own.
    pub fn format(format: impl Into<String>) -> Meta {
        Meta { format: Some(format.into()), ..Meta::default() }
    }
}

/// `Item`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Item {
    pub target: Option<String>,
    pub source: Option<String>,
    pub meta: Meta,
    pub data: Option<String>,
    pub more_data: bool,
}

/// Never shows the secrets of an account, whether they stand alone or in a sub-tree.
impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_secret = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("AAuth"));
        let data = if is_secret(&self.target) || is_secret(&self.source) || is_secret(&self.data) {
            Some("(not shown)")
        } else {
            self.data.as_deref()
        };
        f.debug_struct("Item")
            .field("target", &self.target)
            .field("source", &self.source)
            .field("meta", &self.meta)
            .field("data", &data)
            .field("more_data", &self.more_data)
            .finish()
    }
}

impl Item {
    /// An item that addresses a node.
    pub fn target(uri: impl Into<String>) -> Item {
        Item { target: Some(uri.into()), ..Item::default() }
    }

    /// An item that tells of a node, as DevInfo in package 1 and results do.
    pub fn source(uri: impl Into<String>) -> Item {
        Item { source: Some(uri.into()), ..Item::default() }
    }

    /// The same item with a value.
    pub fn with(self, meta: Meta, data: impl Into<String>) -> Item {
        Item { meta, data: Some(data.into()), ..self }
    }
}

/// What may stand in `SyncBody`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    Command(Command),
    Status(Status),
    Results(Results),
}

/// A command with its `CmdID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub cmd_id: String,
    pub verb: Verb,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    Add(Vec<Item>),
    Replace(Vec<Item>),
    Delete(Vec<Item>),
    Get(Vec<Item>),
    Copy(Vec<Item>),
    Exec {
        correlator: Option<String>,
        item: Item,
    },
    Alert {
        code: Option<u16>,
        correlator: Option<String>,
        items: Vec<Item>,
    },
    Atomic(Vec<Command>),
    Sequence(Vec<Command>),
    /// Anything else with a CmdID, by its name: it has to be answered, and nothing more is known of it.
    Other(String),
}

impl Verb {
    /// The element's name, as `Status/Cmd` repeats it.
    pub fn name(&self) -> &str {
        match self {
            Verb::Add(_) => "Add",
            Verb::Replace(_) => "Replace",
            Verb::Delete(_) => "Delete",
            Verb::Get(_) => "Get",
            Verb::Copy(_) => "Copy",
            Verb::Exec { .. } => "Exec",
            Verb::Alert { .. } => "Alert",
            Verb::Atomic(_) => "Atomic",
            Verb::Sequence(_) => "Sequence",
            Verb::Other(name) => name,
        }
    }

    /// The status of a command that nobody carries out in DM: one of SyncML's that DM does not use (406), or one that
    /// is in no specification (501). `None` for all others.
    pub fn unsupported(&self) -> Option<u16> {
        match self {
            Verb::Other(name) if matches!(&**name, "Map" | "Move" | "Put" | "Search" | "Sync") => Some(406),
            Verb::Other(_) => Some(501),
            _ => None,
        }
    }
}

/// `Status`: the answer to one command, or to the header (`cmd_ref` 0).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    pub cmd_id: String,
    pub msg_ref: String,
    /// `None` where the sender left it out, as one client does for the header.
    pub cmd_ref: Option<String>,
    pub cmd: String,
    pub target_refs: Vec<String>,
    pub source_refs: Vec<String>,
    pub chal: Option<Chal>,
    /// The status code (DMREPRO section 11).
    pub code: u16,
    pub items: Vec<Item>,
}

impl Status {
    /// Whether it answers the header. A sender that leaves the CmdRef out still names the header.
    pub fn is_for_header(&self) -> bool {
        match &self.cmd_ref {
            Some(cmd_ref) => cmd_ref == "0",
            None => self.cmd == "SyncHdr",
        }
    }
}

/// `Results`: what a Get found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    pub cmd_id: String,
    pub msg_ref: Option<String>,
    pub cmd_ref: String,
    pub meta: Meta,
    pub target_ref: Option<String>,
    pub source_ref: Option<String>,
    pub items: Vec<Item>,
}
