//! Parties that are somebody else's: how devices elsewhere are woken, how ours are woken from elsewhere, and how a server
//! is asked to start a flow.

use std::net::SocketAddr;
use std::rc::Rc;

use actix::prelude::*;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::actors::dm_client::{DmClient, PackageZero, Refusal};
use crate::actors::lane::Lane;
use crate::dm::wap_push;
use crate::ids::{DeviceNumber, device_id, device_number};
use crate::transport::address::Address;
use crate::transport::datagrams::Speaker;
use crate::transport::dialer::Call;
use crate::transport::tls::ClientIdentity;
use crate::workload::journey::Step;

/// Where our devices can be woken; the device id follows.
pub const WAKE_PATH: &str = "/wake/";
/// Where a server of ours can be asked to start a flow.
pub const OPERATOR_PATH: &str = "/operator";
/// What a device is woken with.
pub const NOTIFICATION: &str = "application/vnd.syncml.notification";

/// How the devices are woken.
pub enum Waking {
    /// They are ours: within this process.
    Here,
    /// There are none: nobody wakes anybody.
    Nobody,
    /// By a POST to this address with the device id behind its path.
    Https { base: Address, identity: ClientIdentity },
    /// By WAP push.
    Wap { to: SocketAddr, speaker: Speaker },
}

/// Steps as people write them, by the names of a scenario's servers.
pub trait Phrases: Send + Sync {
    /// Reads one; else says what is wrong with it.
    fn read(&self, step: &str) -> Result<Step, String>;
    fn write(&self, step: &Step) -> String;
}

/// What is asked of a server's operator: `{"device": "urn:imei:...", "step": "revoke asked home -> partner"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errand {
    pub device: String,
    pub step: String,
}

impl Errand {
    /// Reads one, and which device of so many it is about; else says what is wrong with it.
    pub fn read(body: &[u8], devices: u32) -> Result<(DeviceNumber, Errand), String> {
        let errand: Errand = serde_json::from_slice(body).map_err(|error| {
            format!("expected {{\"device\": \"urn:imei:...\", \"step\": \"...\"}}, found something else: {error}")
        })?;
        let device = known_device(&errand.device, devices)
            .ok_or_else(|| format!("there is no device {:?} among the {devices} of the scenario", errand.device))?;
        Ok((device, errand))
    }
}

/// The device of an identifier, if it is one of so many.
pub fn known_device(id: &str, devices: u32) -> Option<DeviceNumber> {
    device_number(id).filter(|device| device.0 < devices)
}

/// Sends package 0 to a device, by the way that goes to it. Nobody hears what becomes of it.
pub fn wake(lane: &Rc<Lane>, device: DeviceNumber, trigger: Vec<u8>) {
    match &lane.blueprint.waking {
        Waking::Here => {
            let deliver = |actor: &Addr<DmClient>| PackageZero::deliver(actor, trigger);
            if let Some(Err(Refusal)) = lane.directory.with_device(device, deliver) {
                lane.record(|shard| shard.mailbox_refused());
            }
        }
        Waking::Nobody => {}
        Waking::Wap { to, speaker } => {
            // The octets that are added tell nothing, and the number wraps.
            let datagram = wap_push::write(device.0 as u8, &device_id(device), &trigger);
            if speaker.say(*to, &datagram).is_err() {
                lane.record(|shard| shard.rejected("wake_not_sent"));
            }
        }
        Waking::Https { base, identity } => {
            let path = format!("{}/{}", base.path().trim_end_matches('/'), device_id(device));
            let Ok(address) = base.with_path(&path) else {
                return lane.record(|shard| shard.rejected("wake_not_sent"));
            };
            let call = Call::post(address, identity.clone(), NOTIFICATION, Bytes::from(trigger));
            let call = Call { timeout: lane.blueprint.request_timeout, ..call };
            let lane = Rc::clone(lane);
            actix::spawn(async move {
                let reason = match lane.dialer.call(call).await {
                    Ok(reply) => {
                        lane.call_answered(&reply.timing);
                        (!(200..300).contains(&reply.status)).then_some("wake_refused")
                    }
                    Err(_) => Some("wake_not_sent"),
                };
                if let Some(reason) = reason {
                    lane.record(|shard| shard.rejected(reason));
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_is_asked_is_read_whole_or_refused_in_words() {
        let device = device_id(DeviceNumber(3));
        let body = format!(r#"{{"device": "{device}", "step": "revoke asked home -> partner"}}"#);
        let (found, errand) = Errand::read(body.as_bytes(), 4).expect("an errand");
        assert_eq!((found, errand.step.as_str()), (DeviceNumber(3), "revoke asked home -> partner"));
        let told = Errand::read(body.as_bytes(), 3).unwrap_err();
        assert!(told.contains(device.as_str()) && told.contains("3 of the scenario"), "{told}");
        for wrong in ["", "{}", r#"{"device": "x"}"#, r#"{"device": "x", "step": "y", "more": 1}"#, "[1]"] {
            assert!(Errand::read(wrong.as_bytes(), 4).is_err(), "{wrong}");
        }
    }
}
