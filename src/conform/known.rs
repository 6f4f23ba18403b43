//! What is known of the two servers and of the devices: who they are, how they behave, whose account is where.

use std::sync::Arc;

use crate::conform::world::World;
use crate::delegation::reading::Polarity;
use crate::dm::acl::Acl;
use crate::dm::bootstrap;
use crate::dm::client;
use crate::dm::dmacc::DmAcc;
use crate::dm::server;
use crate::dm::syncml::Message as Package;
use crate::dm::trigger::Version;
use crate::dm::uri::Uri;
use crate::ids::{DeviceId, DeviceNumber, ServerId, SessionId};
use crate::transport::address::Address;

impl World {
    pub fn us_id(&self) -> &ServerId {
        &self.scenario.servers[usize::from(self.pair.us.0)].id
    }

    pub fn peer_id(&self) -> &ServerId {
        &self.scenario.servers[usize::from(self.pair.peer.0)].id
    }

    /// Whether a device is the peer's at first.
    pub fn is_peers(&self, device: DeviceNumber) -> bool {
        self.parties.at_first(device).0 == self.pair.peer
    }

    /// How many devices the file has.
    pub fn devices(&self) -> u32 {
        self.scenario.devices
    }

    /// `./DevInfo/Man` and `./DevInfo/Mod` of a device.
    pub fn make(&self, device: DeviceNumber) -> (String, String) {
        let class = self.parties.population.class(device);
        class.map_or_else(Default::default, |class| (class.manufacturer.clone(), class.model.clone()))
    }

    /// The sub-tree that a device is there for.
    pub fn subtree_of(&self, device: DeviceNumber) -> Uri {
        self.pool.borrow().subtree(device)
    }

    /// Our account on a device.
    pub fn account(&self, device: &DeviceId) -> DmAcc {
        self.parties.server(self.pair.us).accounts.account(device)
    }

    /// Where a device finds our bootstrap; without a bootstrap server of ours in the file, nowhere.
    pub fn bootstrap_url(&self, device: &DeviceId) -> Option<String> {
        self.links.as_ref().map(|links| links.url_for(device))
    }

    /// Our bootstrap document, where a URL leads to one.
    pub fn document(&self, url: &str) -> Option<Package> {
        let links = self.links.as_ref()?;
        let address = Address::parse(url).ok().filter(|_| url.starts_with(links.base.as_str()))?;
        let device = links.device_of(address.path())?;
        Some(bootstrap::document(&self.account(&device), &device, Acl::empty()))
    }

    /// Whether devices reach us at this URL.
    pub fn is_ours(&self, url: &str) -> bool {
        url == self.own_address
    }

    /// A sessionId that nobody has had yet, in this run or another. It says nothing to anybody.
    pub fn fresh_session(&self) -> SessionId {
        let number = self.sessions.get();
        self.sessions.set(number + 1);
        SessionId::new(format!("c{:016x}-{number:05}", self.salt.draw("conform", number)))
    }

    /// Whether the peer has made this sessionId up for the first time.
    pub fn is_new_of_peer(&self, session: &SessionId) -> bool {
        self.of_peer.borrow_mut().insert(session.clone())
    }

    /// How our devices behave.
    pub fn device_settings(&self) -> Arc<client::Settings> {
        Arc::new(client::Settings {
            quiet_value: self.scenario.readings.no_auto_initial_session == Polarity::Name,
            answer_timeout: self.timing.session,
            max_msg_size: self.scenario.message_limit,
            is_watched: true,
            ..client::Settings::default()
        })
    }

    /// How we hold our own sessions with them.
    pub fn session_settings(&self) -> server::Settings {
        let us = &self.scenario.servers[usize::from(self.pair.us.0)];
        server::Settings {
            accounts: Arc::clone(&self.parties.server(self.pair.us).accounts),
            max_msg_size: self.scenario.message_limit,
            session_timeout: self.timing.session,
            trigger_version: if us.trigger_version == 12 { Version::V12 } else { Version::V11 },
            ver_proto: client::Settings::default().ver_proto.to_owned(),
            devices: self.scenario.devices,
            needs_certificate: false,
        }
    }
}
