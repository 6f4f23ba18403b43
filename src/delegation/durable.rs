//! What a server keeps of itself when it dies: images of its records, written one by one, and how it comes back from them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Moment;
use crate::delegation::book::{Learnt, RecordId};
use crate::delegation::ended::{Ended, Name, News};
use crate::delegation::machine::{Effect, Outbox, Settings};
use crate::delegation::policy::Policy;
use crate::delegation::records::Record;
use crate::delegation::server::Server;
use crate::ids::{DeviceNumber, ServerNumber};

/// One record as it stood when it was written, with what its server had learnt of the device; or only that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image {
    id: Option<RecordId>,
    device: DeviceNumber,
    /// `None` once the record has been forgotten.
    record: Option<Box<Record>>,
    learnt: Option<Learnt>,
    removed: Vec<ServerNumber>,
    /// What this server remembers of ended sessions since the image before.
    ended: Vec<News>,
}

impl Image {
    /// The device it is about.
    pub fn device(&self) -> DeviceNumber {
        self.device
    }

    /// Adds what is remembered of ended sessions.
    pub(super) fn add(&mut self, ended: Vec<News>) {
        self.ended.extend(ended);
    }
}

/// A server's durable store: it outlives the server's memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Durable {
    images: BTreeMap<RecordId, Image>,
    ended: Ended,
    /// The latest write about each device.
    latest: BTreeMap<DeviceNumber, Latest>,
}

/// What a write has changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Latest {
    id: Option<RecordId>,
    replaced: Option<Image>,
    /// The ended sessions that it told of.
    ended: Vec<Name>,
}

impl Durable {
    /// Writes an image, in place of the one of the same record.
    pub fn write(&mut self, image: Image) {
        let (id, device) = (image.id, image.device);
        let ended = image.ended.iter().map(|(name, _)| name.clone()).collect();
        let replaced = self.put(image);
        self.latest.insert(device, Latest { id, replaced, ended });
    }

    /// As [`Durable::write`], with nothing kept of what it replaces: for whoever keeps the store as it was before.
    pub fn overwrite(&mut self, image: Image) {
        self.put(image);
    }

    fn put(&mut self, mut image: Image) -> Option<Image> {
        self.ended.learn(std::mem::take(&mut image.ended));
        image.id.and_then(|id| self.images.insert(id, image))
    }

    /// Brings whatever its records wait for so much nearer; see [`Server::age`].
    pub fn age(&mut self, by: Duration) {
        self.images.values_mut().filter_map(|image| image.record.as_mut()).for_each(|record| record.age(by));
    }

    /// The store as it was before the latest write about each device: what a backup would give back.
    pub fn older(&self) -> Durable {
        let mut older = Durable { latest: BTreeMap::new(), ..self.clone() };
        for Latest { id, replaced, ended } in self.latest.values() {
            match (id, replaced) {
                (Some(id), Some(image)) => older.images.insert(*id, image.clone()),
                (Some(id), None) => older.images.remove(id),
                (None, _) => None,
            };
            ended.iter().for_each(|name| older.ended.forget(name));
        }
        older
    }

    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.images.values().filter(|image| image.record.is_some()).count()
    }
}

impl Server {
    /// A server that comes back with nothing but its store. What was at rest still is. A process that was under way is
    /// taken up again by [`Policy::Hardened`]: what may not have happened is done again, since everybody takes a
    /// repetition for what it is. So does this server, which knows what it has ended. [`Policy::Literal`] knows of no
    /// restart: such a process is forgotten, and so are those that have ended.
    pub fn recover(now: Moment, settings: Settings, store: &Durable, out: &mut Outbox) -> Server {
        let mut server = Server::new(settings);
        let is_hardened = server.settings.policy == Policy::Hardened;
        if is_hardened {
            server.book.ended = store.ended.clone();
            server.book.ended.keep_news();
        }
        let mut moving = Vec::new();
        for (id, image) in &store.images {
            let id = *id;
            server.book.recall(id, image.device, image.learnt, &image.removed);
            let Some(record) = image.record.clone() else { continue };
            if !record.is_at_rest() {
                if !is_hardened {
                    continue;
                }
                moving.push(id);
            }
            let pact = record.pact();
            let threads = std::iter::once(&pact.delegation).chain(&pact.revocation);
            let keys: Vec<_> = threads.map(|thread| (thread.id.clone(), pact.peer, thread.by)).collect();
            for key in keys {
                server.book.open_session(key, id);
            }
            if server.settings.is_watched {
                out.push(Effect::Note(record.note()));
            }
            server.records.insert(id, *record);
        }
        let place = out.len();
        for id in moving {
            server.step(now, id, out, |record, turn| record.resume(turn));
        }
        server.write_ended(&mut out[place..]);
        server
    }

    /// Devices with a process under way.
    pub fn moving(&self) -> impl Iterator<Item = DeviceNumber> {
        self.records.iter().filter(|record| !record.is_at_rest()).map(|record| record.pact().device)
    }

    /// The image of a record as it stands now; `None` where there is no store.
    pub(super) fn image(&self, id: RecordId, device: DeviceNumber) -> Option<Image> {
        self.settings.is_durable.then(|| {
            let record = self.records.get(id).map(|record| {
                let mut record = Box::new(record.clone());
                // Its timer goes with the memory.
                record.pact_mut().deadline = Moment::NEVER;
                record
            });
            Image { id: Some(id), record, ..self.image_of_device(device) }
        })
    }

    /// What has been learnt of a device, without any record.
    pub(super) fn image_of_device(&self, device: DeviceNumber) -> Image {
        let removed = self.book.removed(device).collect();
        Image { id: None, device, record: None, learnt: self.book.learnt(device), removed, ended: Vec::new() }
    }
}
