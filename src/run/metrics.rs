//! A door for Prometheus: the latest summary of a run under way as text, at `GET /metrics`.
//!
//! The socket is taken before anything is loaded, so that an address that cannot be had ends a run that has not begun.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use tokio::sync::watch;

use crate::measure::Summary;

/// A socket to be scraped at, and how a summary is written.
#[derive(Debug, Clone)]
pub struct Scrape {
    listener: Arc<TcpListener>,
    text: Text,
}

/// How a summary is written.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    pub write: fn(&Summary) -> String,
    /// What it then is, for the head of an answer.
    pub content_type: &'static str,
}

/// Why nobody can scrape.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for --metrics: {source}; choose another address, or port 0 for one that is free")]
pub struct ScrapeError {
    address: SocketAddr,
    source: io::Error,
}

impl Scrape {
    /// Takes the socket; port 0 takes one that is free.
    ///
    /// # Errors
    /// [`ScrapeError`] when it cannot be had.
    pub fn at(address: SocketAddr, text: Text) -> Result<Scrape, ScrapeError> {
        let listener = TcpListener::bind(address).map_err(|source| ScrapeError { address, source })?;
        Ok(Scrape { listener: Arc::new(listener), text })
    }

    /// Where it is.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Opens the door; within the system of a run.
    pub(super) fn open(&self) -> Result<Door, ScrapeError> {
        let failed = |source| ScrapeError { address: self.address().unwrap_or(([0, 0, 0, 0], 0).into()), source };
        let (latest, seen) = watch::channel(None);
        let (text, seen) = (self.text, Data::new(seen));
        let answer = move |seen: Data<watch::Receiver<Option<Arc<Summary>>>>| async move {
            let mut seen = seen.as_ref().clone();
            // The first summary comes when the first second is over.
            let summary = seen.wait_for(Option::is_some).await.ok().and_then(|summary| summary.clone());
            match summary {
                Some(summary) => HttpResponse::Ok().content_type(text.content_type).body((text.write)(&summary)),
                None => HttpResponse::ServiceUnavailable().body("the run is over\n"),
            }
        };
        let app = move || App::new().app_data(Data::clone(&seen)).route("/metrics", get().to(answer));
        let listener = self.listener.try_clone().map_err(failed)?;
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).map_err(failed)?.run();
        let handle = server.handle();
        actix::spawn(server);
        Ok(Door { latest, handle })
    }
}

/// An open door. It is shut when the run is over.
pub(super) struct Door {
    latest: watch::Sender<Option<Arc<Summary>>>,
    handle: ServerHandle,
}

impl Door {
    /// Another second is over.
    pub fn show(&self, summary: &Arc<Summary>) {
        self.latest.send_replace(Some(Arc::clone(summary)));
    }

    /// Nobody is answered any more.
    pub async fn shut(self) {
        drop(self.latest);
        self.handle.stop(false).await;
    }
}
