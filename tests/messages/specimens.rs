//! Messages to try things on: one of every form, all combinations of optional parts, and any at random.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dmswarm::delegation::message::Message;
use dmswarm::dm::dmacc::{Address, AppAuth, DmAcc};
use dmswarm::ids::{DeviceId, ServerId, SessionId};
use proptest::prelude::*;

/// One message of every form that the tables and the prose know, by the name of its golden document.
pub fn forms() -> Vec<(&'static str, Message)> {
    let ok = Some(200);
    let session = || SessionId::new("home-7");
    let revocation = || SessionId::new("home-8");
    let device = || DeviceId::new("urn:imei:004999010000006");
    vec![
        (
            "delegation_req",
            Message::DelegationReq {
                server: ServerId::new("dms1.example.test"),
                device: device(),
                manufacturer: "Maker & Sons".into(),
                model: "M-1 <prototype>".into(),
                subtree: "./SCOMO".into(),
                is_full: false,
                session: session(),
            },
        ),
        ("delegation_resp", Message::DelegationResp { reason: ok, is_acknowledged: true, session: session() }),
        (
            "delegation_resp-refused",
            Message::DelegationResp { reason: Some(403), is_acknowledged: false, session: session() },
        ),
        (
            "bootstrap_confirmed-already",
            Message::BootstrapConfirmed { reason: ok, bootstrapped: Some(true), account: None, session: session() },
        ),
        (
            "bootstrap_confirmed-account",
            Message::BootstrapConfirmed {
                reason: ok,
                bootstrapped: Some(false),
                account: Some(Box::new(account())),
                session: session(),
            },
        ),
        (
            "bootstrap_confirmed-url",
            Message::BootstrapConfirmed { reason: ok, bootstrapped: None, account: None, session: session() },
        ),
        ("delegation_prepared", Message::DelegationPrepared { reason: ok, is_full: true, session: session() }),
        ("delegation_confirmed", Message::DelegationConfirmed { reason: ok, session: session() }),
        ("delegation_failure", Message::DelegationFailure { reason: Some(425), session: session() }),
        ("bootstrap_srv_url_req", Message::BootstrapSrvUrlReq { reason: ok, session: session() }),
        (
            "bootstrap_srv_url_delivery",
            Message::BootstrapSrvUrlDelivery {
                reason: ok,
                url: "https://bootstrap.example.test/dms2?device=1&try=2".into(),
                session: session(),
            },
        ),
        (
            "delegation_termination_req",
            Message::DelegationTerminationReq { device: device(), subtree: None, session: revocation() },
        ),
        ("delegation_termination_ack", Message::DelegationTerminationAck { reason: ok, session: revocation() }),
        ("delegation_termination_resp", Message::DelegationTerminationResp { reason: ok, session: revocation() }),
        (
            "delegation_revoked",
            Message::DelegationRevoked { device: None, subtree: None, reason: ok, session: Some(revocation()) },
        ),
        (
            "delegation_revoked-forced",
            Message::DelegationRevoked { device: Some(device()), subtree: None, reason: ok, session: None },
        ),
        (
            "delegation_revoked-forced-subtree",
            Message::DelegationRevoked {
                device: Some(device()),
                subtree: Some("./SCOMO".into()),
                reason: ok,
                session: None,
            },
        ),
        ("revocation_failure", Message::RevocationFailure { reason: Some(404), session: revocation() }),
        (
            "delegation_revocation_req",
            Message::DelegationRevocationReq { device: device(), subtree: None, session: revocation() },
        ),
        (
            "delegation_revocation_req-subtree",
            Message::DelegationRevocationReq {
                device: device(),
                subtree: Some("./SCOMO".into()),
                session: revocation(),
            },
        ),
    ]
}

/// The secret in [`account`]; no error may ever quote it.
pub const SECRET: &str = "s3cr3t & <more>";

/// An account with every part it can have.
pub fn account() -> DmAcc {
    DmAcc {
        app_id: Some("w7".into()),
        server: ServerId::new("dms2.example.test"),
        name: Some("Partner".into()),
        pref_con_ref: Some("./NAP/1".into()),
        con_refs: vec!["./NAP/1".into(), "./NAP/2".into()],
        addresses: vec![
            Address { addr: "https://dms2.example.test/dm".into(), kind: Some("URI".into()), ports: vec![443, 8443] },
            Address { addr: "192.0.2.2".into(), kind: Some("IPv4".into()), ports: vec![] },
        ],
        auth_pref: Some("DIGEST".into()),
        auth: vec![
            AppAuth {
                level: "CLCRED".into(),
                kind: "DIGEST".into(),
                name: Some("device".into()),
                secret: Some(SECRET.into()),
                data: Some("bm9uY2U=".into()),
            },
            AppAuth {
                level: "SRVCRED".into(),
                kind: "BASIC".into(),
                name: Some("server".into()),
                secret: Some(SECRET.into()),
                data: None,
            },
        ],
        no_auto_initial_session: Some(true),
    }
}

/// Every form with and without each of its optional parts.
pub fn combinations() -> Vec<Message> {
    let mut messages: Vec<Message> = forms().into_iter().map(|(_, message)| message).collect();
    for at in 0..messages.len() {
        messages.push(without_reason(messages[at].clone()));
    }
    let session = || SessionId::new("home-9");
    let device = || DeviceId::new("urn:imei:004999010000006");
    for subtree in [None, Some(String::new()), Some("./SCOMO".to_owned())] {
        for reason in [None, Some(0), Some(65_535)] {
            for (device, session) in
                [(None, Some(session())), (Some(device()), None), (Some(device()), Some(session()))]
            {
                messages.push(Message::DelegationRevoked { device, subtree: subtree.clone(), reason, session });
            }
        }
        messages.push(Message::DelegationTerminationReq {
            device: device(),
            subtree: subtree.clone(),
            session: session(),
        });
        messages.push(Message::DelegationRevocationReq { device: device(), subtree, session: session() });
    }
    messages.extend(accounts().into_iter().map(|account| Message::BootstrapConfirmed {
        reason: Some(200),
        bootstrapped: Some(false),
        account: Some(Box::new(account)),
        session: session(),
    }));
    messages
}

/// The smallest account, and the full one less each of its parts.
fn accounts() -> Vec<DmAcc> {
    let bare = Address { addr: "https://dms2.example.test/dm".into(), kind: None, ports: vec![] };
    let mut accounts = vec![
        account(),
        DmAcc {
            app_id: None,
            server: ServerId::new("dms2.example.test"),
            name: None,
            pref_con_ref: None,
            con_refs: vec![],
            addresses: vec![bare.clone()],
            auth_pref: None,
            auth: vec![],
            no_auto_initial_session: None,
        },
    ];
    let mut push = |less: &dyn Fn(&mut DmAcc)| {
        let mut account = account();
        less(&mut account);
        accounts.push(account);
    };
    push(&|account| account.app_id = None);
    push(&|account| account.name = None);
    push(&|account| account.pref_con_ref = None);
    push(&|account| account.con_refs.clear());
    push(&|account| account.addresses = vec![bare.clone(), bare.clone()]);
    push(&|account| account.auth_pref = None);
    push(&|account| account.auth.clear());
    push(&|account| account.auth[0].name = None);
    push(&|account| account.auth[0].secret = None);
    push(&|account| account.auth[0].data = Some(String::new()));
    push(&|account| account.no_auto_initial_session = None);
    push(&|account| account.no_auto_initial_session = Some(false));
    accounts
}

fn without_reason(mut message: Message) -> Message {
    if let Some(reason) = message.reason_mut() {
        *reason = None;
    }
    message
}

/// Any message that a machine may send.
pub fn any_message() -> impl Strategy<Value = Message> {
    let session = || any_name().prop_map(SessionId::new);
    let device = || any_name().prop_map(DeviceId::new);
    let reason = any::<Option<u16>>;
    let subtree = || prop::option::of(any_text());
    prop_oneof![
        (any_name(), device(), any_text(), any_text(), any_text(), any::<bool>(), session()).prop_map(
            |(server, device, manufacturer, model, subtree, is_full, session)| Message::DelegationReq {
                server: ServerId::new(server),
                device,
                manufacturer,
                model,
                subtree,
                is_full,
                session,
            }
        ),
        (reason(), any::<bool>(), session()).prop_map(|(reason, is_acknowledged, session)| Message::DelegationResp {
            reason,
            is_acknowledged,
            session
        }),
        (reason(), prop::option::of(prop::option::of(any_account())), session()).prop_map(
            |(reason, by_account, session)| Message::BootstrapConfirmed {
                reason,
                bootstrapped: by_account.as_ref().map(Option::is_none),
                account: by_account.flatten().map(Box::new),
                session,
            }
        ),
        (reason(), any::<bool>(), session()).prop_map(|(reason, is_full, session)| Message::DelegationPrepared {
            reason,
            is_full,
            session
        }),
        (reason(), session()).prop_map(|(reason, session)| Message::DelegationConfirmed { reason, session }),
        (reason(), session()).prop_map(|(reason, session)| Message::DelegationFailure { reason, session }),
        (reason(), session()).prop_map(|(reason, session)| Message::BootstrapSrvUrlReq { reason, session }),
        (reason(), any_name(), session()).prop_map(|(reason, url, session)| Message::BootstrapSrvUrlDelivery {
            reason,
            url,
            session
        }),
        (device(), subtree(), session()).prop_map(|(device, subtree, session)| Message::DelegationTerminationReq {
            device,
            subtree,
            session
        }),
        (reason(), session()).prop_map(|(reason, session)| Message::DelegationTerminationAck { reason, session }),
        (reason(), session()).prop_map(|(reason, session)| Message::DelegationTerminationResp { reason, session }),
        (prop::option::of(device()), subtree(), reason(), session(), any::<bool>()).prop_map(
            |(device, subtree, reason, session, has_session)| Message::DelegationRevoked {
                session: (has_session || device.is_none()).then_some(session),
                device,
                subtree,
                reason,
            }
        ),
        (reason(), session()).prop_map(|(reason, session)| Message::RevocationFailure { reason, session }),
        (device(), subtree(), session()).prop_map(|(device, subtree, session)| Message::DelegationRevocationReq {
            device,
            subtree,
            session
        }),
    ]
}

fn any_account() -> impl Strategy<Value = DmAcc> {
    let optional = || prop::option::of(any_text());
    let address = (any_name(), optional(), prop::collection::vec(any::<u16>(), 0..3))
        .prop_map(|(addr, kind, ports)| Address { addr, kind, ports });
    let data = prop::collection::vec(any::<u8>(), 0..20).prop_map(|nonce| STANDARD.encode(nonce));
    // Stays in pieces until the end: what makes up an account cannot be shown, and what proptest maps to has to be.
    let auth = (any_name(), any_name(), optional(), optional(), prop::option::of(data));
    (
        (optional(), any_name(), optional(), optional(), prop::collection::vec(any_text(), 0..3)),
        prop::collection::vec(address, 1..3),
        (optional(), prop::collection::vec(auth, 0..3), any::<Option<bool>>()),
    )
        .prop_map(
            |(
                (app_id, server, name, pref_con_ref, con_refs),
                addresses,
                (auth_pref, auth, no_auto_initial_session),
            )| DmAcc {
                app_id,
                server: ServerId::new(server),
                name,
                pref_con_ref,
                con_refs,
                addresses,
                auth_pref,
                auth: auth
                    .into_iter()
                    .map(|(level, kind, name, secret, data)| AppAuth { level, kind, name, secret, data })
                    .collect(),
                no_auto_initial_session,
            },
        )
}

fn any_name() -> impl Strategy<Value = String> {
    prop::collection::vec(any_character(), 1..20).prop_map(String::from_iter)
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(any_character(), 0..20).prop_map(String::from_iter)
}

/// Any character that XML can carry; those with a meaning in it more often than the rest.
fn any_character() -> impl Strategy<Value = char> {
    prop_oneof![
        prop::char::range(' ', '~'),
        prop::sample::select(vec![
            '&', '<', '>', '"', '\'', ']', ';', '#', ' ', '\t', '\r', '\n', '\u{a0}', '\u{feff}'
        ]),
        any::<char>().prop_filter("XML allows it", |character| *character >= ' '
            && !matches!(character, '\u{fffe}' | '\u{ffff}')),
    ]
}
