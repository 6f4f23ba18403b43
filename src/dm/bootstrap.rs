//! The document that gives a device its first account with a server (Bootstrap 1.3), and the link it is fetched by.
//!
//! It travels as XML; the specification wants WBXML, which is not built (Bootstrap 1.3).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::dm::acl::Acl;
use crate::dm::dmacc::{self, DmAcc, NotAnAccount, keyed_digest};
use crate::dm::inbox;
use crate::dm::syncml::{Command, Element, Header, Item, Location, Message, Meta, Verb};
use crate::dm::tnds::{self, TndsError};
use crate::dm::tree::{Actor, Refusal, Tree};
use crate::dm::uri::Uri;
use crate::ids::{DeviceId, ServerId, device_id};

/// Why a document does not bootstrap the device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapError {
    #[error("the document is for `{target}`; this device is `{device}`")]
    OtherDevice { target: String, device: DeviceId },
    #[error("the document adds no account to ./Inbox")]
    NoAccount,
    #[error("the document comes from `{source_uri}`, which is no address of the account in it")]
    OtherSource { source_uri: String },
    #[error("the sub-tree in the document: {0}")]
    Tnds(#[from] TndsError),
    #[error("the account in the document: {0}")]
    Account(#[from] NotAnAccount),
    #[error("the device does not take the account: {0}")]
    Refused(#[from] Refusal),
}

/// The document for one device: an ordinary message that adds the account to `./Inbox`. Its source is the account's
/// address (Bootstrap 1.3). An empty ACL leaves it to the device who may do what with the account.
pub fn document(account: &DmAcc, device: &DeviceId, acl: Acl) -> Message {
    let node = account.to_tnds(&dmacc::node_name(&account.server), acl);
    let item = Item {
        target: Some("./Inbox".to_owned()),
        meta: Meta { format: Some("xml".to_owned()), kind: Some(tnds::MEDIA_TYPE.to_owned()), ..Meta::default() },
        data: Some(tnds::write(&[node])),
        ..Item::default()
    };
    let header = Header {
        ver_dtd: "1.2".to_owned(),
        ver_proto: "DM/1.3".to_owned(),
        session_id: "0".to_owned(),
        msg_id: "0".to_owned(),
        target: Location { uri: device.as_str().to_owned(), name: None },
        source: Location { uri: account.address().unwrap_or_default().to_owned(), name: None },
        ..Header::default()
    };
    let add = Command { cmd_id: "1".to_owned(), verb: Verb::Add(vec![item]) };
    Message { header, body: vec![Element::Command(add)], is_final: true }
}

/// As [`document`], with secrets that do not count any more: the device takes the account, its server answers the
/// device's proof with 401, and the device believes none of its triggers. An account without secrets is as ever.
pub fn stale_document(account: &DmAcc, device: &DeviceId, acl: Acl) -> Message {
    let mut account = account.clone();
    for secret in account.auth.iter_mut().filter_map(|auth| auth.secret.as_mut()) {
        *secret = BASE64_URL_SAFE_NO_PAD.encode(keyed_digest(0, &["former secret", secret]));
    }
    document(&account, device, acl)
}

/// Checks a document and puts its accounts into the tree; gives the servers they are of. All or nothing. Objects that
/// this device does not know are passed over, as the specification asks.
pub fn apply(document: &Message, tree: &mut Tree) -> Result<Vec<ServerId>, BootstrapError> {
    let device = device_id(tree.device());
    if document.header.target.uri != device.as_str() {
        return Err(BootstrapError::OtherDevice { target: document.header.target.uri.clone(), device });
    }
    let mut nodes = Vec::new();
    for item in inbox_items(document) {
        nodes.extend(tnds::read(item.data.as_deref().unwrap_or_default())?);
    }
    nodes.retain(tnds::Node::is_account);
    let accounts = nodes.iter().map(DmAcc::from_tnds).collect::<Result<Vec<_>, _>>()?;
    if accounts.is_empty() {
        return Err(BootstrapError::NoAccount);
    }
    let source = &document.header.source.uri;
    if !accounts.iter().flat_map(|account| &account.addresses).any(|address| address.addr == *source) {
        return Err(BootstrapError::OtherSource { source_uri: source.clone() });
    }
    let before = tree.snapshot();
    for node in &nodes {
        if let Err(refusal) = inbox::place_account(tree, Actor::Device, node) {
            tree.roll_back(before);
            return Err(refusal.into());
        }
    }
    Ok(accounts.into_iter().map(|account| account.server).collect())
}

/// The items that a message adds to `./Inbox`.
fn inbox_items(message: &Message) -> impl Iterator<Item = &Item> {
    let adds = message.commands().filter_map(|command| match &command.verb {
        Verb::Add(items) => Some(items),
        _ => None,
    });
    let to_inbox = |item: &&Item| {
        let uri = item.target.as_deref().and_then(|target| Uri::parse(target).ok());
        uri.is_some_and(|uri| inbox::is_inbox(&uri))
    };
    adds.flatten().filter(to_inbox)
}

/// Where devices fetch their bootstrap: every device at an address that nobody else can guess, since nothing else in
/// the request says who asks (Bootstrap 1.3). Two parties with the same links agree on every address.
#[derive(Clone, PartialEq, Eq)]
pub struct BootstrapLinks {
    /// URL of the bootstrap server with its path, without a `/` at the end.
    pub base: String,
    /// Whoever knows it can make links.
    pub key: u64,
}

impl BootstrapLinks {
    /// The address of one device: the base, `/`, the device, `.`, and a token.
    pub fn url_for(&self, device: &DeviceId) -> String {
        let name = BASE64_URL_SAFE_NO_PAD.encode(device.as_str());
        format!("{}/{name}.{}", self.base.trim_end_matches('/'), self.token(device))
    }

    /// The device whose address ends in this path; `None` if the token is not its own.
    pub fn device_of(&self, path: &str) -> Option<DeviceId> {
        let (name, token) = path.rsplit('/').next()?.split_once('.')?;
        let device = BASE64_URL_SAFE_NO_PAD.decode(name).ok()?;
        let device = DeviceId::new(String::from_utf8(device).ok()?);
        (token == self.token(&device)).then_some(device)
    }

    fn token(&self, device: &DeviceId) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(keyed_digest(self.key, &["bootstrap link", device.as_str()]))
    }
}

/// Never shows the key.
impl std::fmt::Debug for BootstrapLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootstrapLinks").field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dm::auth::Scheme;
    use crate::dm::dmacc::AccountBook;
    use crate::dm::standard::{self, Blueprint};
    use crate::dm::syncml_xml;
    use crate::ids::DeviceNumber;

    const DEVICE: DeviceNumber = DeviceNumber(3);

    fn book(server: &str) -> AccountBook {
        let (server, address) = (ServerId::new(server), format!("https://{server}/dm"));
        AccountBook { server, address, scheme: Scheme::Md5, key: 7 }
    }

    fn tree(storage: Option<u32>) -> Tree {
        let blueprint = Blueprint {
            manufacturer: "Example".into(),
            model: "M1".into(),
            owner: ServerId::new("S1"),
            accounts: vec![book("S1").into()],
            subtrees: vec![],
            storage,
            refuses: None,
        };
        Tree::new(&standard::template(&blueprint), DEVICE)
    }

    fn made() -> Message {
        document(&book("S2").account(&device_id(DEVICE)), &device_id(DEVICE), Acl::empty())
    }

    #[test]
    fn a_bootstrapped_device_has_the_account_and_its_owner_can_take_it_away() {
        let mut tree = tree(None);
        let read = syncml_xml::read(&syncml_xml::write(&made())).unwrap();
        assert_eq!(read, made());
        assert_eq!(apply(&read, &mut tree), Ok(vec![ServerId::new("S2")]));
        assert_eq!(DmAcc::read(&tree, "S2"), Ok(book("S2").account(&device_id(DEVICE))));
        let node = dmacc::place().join("S2");
        assert_eq!(tree.acl(&node).to_string(), "Get=*&Replace=S1+S2&Add=*&Delete=S1+S2&Exec=S1");
        tree.delete(&ServerId::new("S1"), &node).unwrap();
        assert!(!tree.servers_named_in_acls().contains(&ServerId::new("S2")));
    }

    #[test]
    fn a_stale_document_brings_an_account_with_other_secrets() {
        let mut tree = tree(None);
        let account = book("S2").account(&device_id(DEVICE));
        let stale = stale_document(&account, &device_id(DEVICE), Acl::empty());
        assert_eq!(apply(&stale, &mut tree), Ok(vec![ServerId::new("S2")]));
        let mut found = DmAcc::read(&tree, "S2").unwrap();
        assert!(found.auth.iter().zip(&account.auth).all(|(is, was)| is.secret.is_some() && is.secret != was.secret));
        found.auth.iter_mut().zip(&account.auth).for_each(|(is, was)| is.secret.clone_from(&was.secret));
        assert_eq!(found, account, "nothing else is different");
    }

    #[test]
    fn a_document_that_does_not_fit_changes_nothing() {
        let change = |change: &dyn Fn(&mut Message)| {
            let mut message = made();
            change(&mut message);
            message
        };
        let data = |data: &str| {
            let data = data.to_owned();
            change(&move |message| {
                let Element::Command(Command { verb: Verb::Add(items), .. }) = &mut message.body[0] else { panic!() };
                items[0].data = Some(data.clone());
            })
        };
        for (what, document, storage) in [
            ("another device", change(&|message| message.header.target.uri = "other".into()), None),
            ("another source", change(&|message| message.header.source.uri = "https://evil.example.test".into()), None),
            ("no command", change(&|message| message.body.clear()), None),
            ("no tree", data("x"), None),
            ("no account", data("<MgmtTree/>"), None),
            ("a full device", made(), Some(0)),
        ] {
            let mut tree = tree(storage);
            let before = tree.nodes(&Uri::root());
            assert!(apply(&document, &mut tree).is_err(), "{what}");
            assert_eq!(tree.nodes(&Uri::root()), before, "{what}");
        }
    }

    #[test]
    fn links_lead_to_one_device_each_and_cannot_be_guessed() {
        let links = BootstrapLinks { base: "https://boot.example.test/bs/".into(), key: 7 };
        let device = device_id(DEVICE);
        let url = links.url_for(&device);
        assert!(url.starts_with("https://boot.example.test/bs/"), "{url}");
        let path = url.strip_prefix("https://boot.example.test").unwrap();
        assert_eq!(links.device_of(path), Some(device.clone()));
        assert_eq!(BootstrapLinks { key: 8, ..links.clone() }.device_of(path), None);
        let other = links.url_for(&device_id(DeviceNumber(4)));
        let (name, token) = (url.split_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
        for path in ["", "/", "/bs/x", "/bs/x.y", "/bs/.", &format!("{name}.{token}"), &path[..path.len() - 1]] {
            assert_eq!(links.device_of(path), None, "{path}");
        }
    }
}
