//! A device at rest costs at most 4 KiB, whatever it has been through: counted, not estimated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use dmswarm::clock::Moment;
use dmswarm::dm::acl::Right;
use dmswarm::dm::auth::{self, Scheme};
use dmswarm::dm::client::{Client, Effect, Input, Mishap, Settings};
use dmswarm::dm::dmacc::{AccountBook, Derived};
use dmswarm::dm::script::Order;
use dmswarm::dm::standard::{self, Blueprint};
use dmswarm::dm::syncml::{Command, Element, Item, Message, Meta, Status, Verb};
use dmswarm::dm::uri::Uri;
use dmswarm::dm::wire::Envelope;
use dmswarm::ids::{DeviceNumber, ServerId, device_id};

const DEVICES: u32 = 200;
const LIMIT: usize = 4096;

/// Counts what the C library's allocator would really set aside: eight octets of its own, in steps of sixteen.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

fn cost(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(cost(layout.size()), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(cost(layout.size()), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn book(server: &str) -> Arc<AccountBook> {
    let address = format!("https://{server}:8443/devices/dm");
    Arc::new(AccountBook { server: ServerId::new(server), address, scheme: Scheme::Md5, key: 7 })
}

fn leaf(uri: &Uri, format: &str, value: &str) -> Item {
    Item::target(uri.as_str()).with(Meta::typed(format, "text/plain"), value)
}

/// What a server sends to delegate the sub-tree: the account, its ACL, the flag, the rights on the sub-tree.
fn delegation(owner: &ServerId, account: &dmswarm::dm::dmacc::DmAcc, node: &str) -> Vec<Verb> {
    let acl = |uri: &Uri| {
        let mut acl = dmswarm::dm::acl::Acl::empty();
        acl.grant(owner, &Right::ALL);
        acl.grant(&account.server, &Right::ALL);
        Verb::Replace(vec![Item::target(format!("{uri}?prop=ACL")).with(Meta::default(), acl.to_string())])
    };
    let mut verbs: Vec<Verb> = account
        .orders(node)
        .into_iter()
        .map(|order| match order {
            Order::AddNode { uri, kind } => {
                Verb::Add(vec![Item::target(uri.as_str()).with(Meta::typed("node", kind), "")])
            }
            Order::AddLeaf { uri, format, value } => Verb::Add(vec![leaf(&uri, format, &value)]),
            other => panic!("{other:?}"),
        })
        .collect();
    verbs.insert(1, acl(&Uri::parse(&format!("./DMAcc/{node}")).unwrap()));
    verbs.push(acl(&Uri::parse("./SCOMO").unwrap()));
    verbs
}

/// Lets the device have one whole session with a server, in which it does what it is told.
fn session(client: &mut Client, book: &AccountBook, verbs: Vec<Verb>, chal: &[u8]) {
    let device = device_id(client.tree().device());
    let nonce = auth::nonce_octets(&book.derive(&device, Derived::ServerNonce));
    let cred = auth::cred(Scheme::Md5, book.server.as_str(), &book.derive(&device, Derived::ServerSecret), &nonce);
    let mut input = Input::Connect { server: book.server.clone() };
    for verbs in [verbs, Vec::new()] {
        let mut out = Vec::new();
        client.handle(Moment::ZERO, input, &mut out);
        let Some((exchange, said)) = out.into_iter().find_map(|effect| match effect {
            Effect::Post { exchange, message, .. } => Some((exchange, message)),
            _ => None,
        }) else {
            panic!("the device has sent nothing");
        };
        assert!(said.statuses().all(|status| status.code < 300), "{:?}", said.body);
        let mut message = Message { is_final: true, ..Message::default() };
        message.header.session_id.clone_from(&said.header.session_id);
        message.header.cred.clone_from(&cred);
        message.body.push(Element::Status(Status {
            cmd_ref: Some("0".to_owned()),
            chal: auth::chal(Scheme::Md5, chal),
            code: 212,
            ..Status::default()
        }));
        let commands = verbs.into_iter().enumerate();
        message
            .body
            .extend(commands.map(|(place, verb)| Element::Command(Command { cmd_id: (place + 2).to_string(), verb })));
        input = Input::Answer { exchange, result: Ok(Envelope::plain(message)) };
    }
    let mut out = Vec::new();
    client.handle(Moment::ZERO, input, &mut out);
    assert!(client.is_idle(), "{out:?}");
}

#[test]
fn a_device_at_rest_costs_at_most_4_kib() {
    let (owner, delegate) = (book("home.operator.example.test"), book("partner.example.test"));
    let blueprint = Blueprint {
        manufacturer: "Example".into(),
        model: "M1".into(),
        owner: owner.server.clone(),
        accounts: vec![owner.clone()],
        subtrees: vec![Uri::parse("./SCOMO").unwrap(), Uri::parse("./FUMO").unwrap()],
        storage: None,
        refuses: None,
    };
    let (template, settings) = (standard::template(&blueprint), Arc::new(Settings::default()));
    let per_device = |before: usize| (LIVE.load(Relaxed) - before) / DEVICES as usize;

    let before = LIVE.load(Relaxed);
    let mut devices = Vec::with_capacity(DEVICES as usize);
    devices.extend((0..DEVICES).map(|number| Client::new(DeviceNumber(number), &template, settings.clone())));
    let fresh = per_device(before);

    for client in &mut devices {
        let device = device_id(client.tree().device());
        let mut account = delegate.account(&device);
        account.no_auto_initial_session = Some(true);
        session(client, &owner, delegation(&owner.server, &account, "partner"), b"a nonce of 16 oc");
        session(client, &delegate, vec![Verb::Get(vec![Item::target("./SCOMO")])], b"a nonce of 16 oc");
    }
    let delegated = per_device(before);

    for client in &mut devices {
        let node = Uri::parse("./DMAcc/partner").unwrap();
        client.tree_mut().delete(&owner.server, &node).unwrap();
    }
    let revoked = per_device(before);

    let until = Moment::from_millis(1_000);
    for client in &mut devices {
        for mishap in [Mishap::Busy { until }, Mishap::Offline { until }] {
            client.handle(Moment::ZERO, Input::Mishap(mishap), &mut Vec::new());
        }
        client.handle(until, Input::Wake, &mut Vec::new());
        client.handle(until, Input::Mishap(Mishap::FactoryReset), &mut Vec::new());
    }
    let reset = per_device(before);

    println!("octets of a device: fresh {fresh}, delegated {delegated}, revoked {revoked}, reset {reset}");
    assert_eq!(reset, fresh, "a device that is over its mishaps has nothing of them left");
    assert!(fresh < 512, "fresh: {fresh}");
    assert!(delegated <= LIMIT, "delegated: {delegated}");
    assert!(revoked < delegated, "revoked: {revoked}");
}
