//! What a run has measured, sent to a collector every ten seconds and once more when all is told.
//!
//! In a thread of its own: a collector that is slow must not be felt by the load. What did not arrive is in the next request
//! too, since all sums are cumulative.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use crate::clock::wall_now;
use crate::measure::Summary;

const USUALLY_EVERY: Duration = Duration::from_secs(10);
/// A collector that has not answered by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nothing that a collector has to say is longer.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Where to send, and what.
#[derive(Debug, Clone)]
pub struct Push {
    to: Uri,
    every: Duration,
    form: Form,
}

/// How a summary is written, and an answer read.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    pub write: fn(&Summary, Origin<'_>) -> Vec<u8>,
    pub content_type: &'static str,
    /// What an answer of success says that did not succeed.
    pub complaint: fn(&[u8]) -> Option<String>,
}

/// Of which run a summary is, and when it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The name of its folder.
    pub run: &'a str,
    pub began: SystemTime,
    pub now: SystemTime,
}

/// An address that nothing can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected the address of a collector such as `http://127.0.0.1:4318`, found `{found}`{hint}")]
pub struct AddressError {
    found: String,
    hint: &'static str,
}

/// Why the collector has not got everything.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {times} requests to {to} failed; the first one: {first}")]
pub struct PushError {
    to: Uri,
    times: u64,
    failed: u64,
    first: Failure,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("its host name is not known: {0}")]
    Unknown(std::io::Error),
    #[error("its host name has no address")]
    Nowhere,
    #[error("no connection to {0}: {1}")]
    NotConnected(SocketAddr, std::io::Error),
    #[error("no answer: {0}")]
    NotAnswered(#[from] hyper::Error),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TooLate,
    #[error("its answer was cut or longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    #[error("it answered {0}: {1}")]
    Refused(StatusCode, String),
    #[error("{0}")]
    Partly(String),
}

impl Push {
    /// To this URL; without a path to `/v1/metrics` there, as collectors have it.
    ///
    /// # Errors
    /// [`AddressError`] when it is no URL of a host over plain HTTP.
    pub fn to(url: &str, form: Form) -> Result<Push, AddressError> {
        let wrong = |hint| AddressError { found: url.to_owned(), hint };
        let parsed: Uri = url.parse().map_err(|_| wrong(""))?;
        if parsed.scheme_str() == Some("https") {
            return Err(wrong("; only plain HTTP is spoken: a collector on this machine can pass it on over TLS"));
        }
        let authority = parsed.authority().filter(|_| parsed.scheme_str() == Some("http")).ok_or_else(|| wrong(""))?;
        let path = parsed.path_and_query().map(|path| path.as_str()).filter(|path| *path != "/");
        let to = Uri::builder().scheme("http").authority(authority.clone());
        let to = to.path_and_query(path.unwrap_or("/v1/metrics")).build().map_err(|_| wrong(""))?;
        Ok(Push { to, every: USUALLY_EVERY, form })
    }

    /// Sends what it is shown from now on.
    pub(super) fn begin(&self, run: &str, began: SystemTime) -> std::io::Result<Pushing> {
        let (latest, seen) = watch::channel(None);
        let (push, run) = (self.clone(), run.to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || runtime.block_on(push.work(&run, began, seen));
        let thread = thread::Builder::new().name("otlp".to_owned()).spawn(work)?;
        Ok(Pushing { latest, thread })
    }

    async fn work(
        &self,
        run: &str,
        began: SystemTime,
        mut seen: watch::Receiver<Option<Arc<Summary>>>,
    ) -> Option<PushError> {
        let (mut times, mut failed, mut first) = (0, 0, None);
        let mut due = interval(self.every);
        // The first one is due at once.
        due.tick().await;
        let mut goes_on = true;
        while goes_on {
            goes_on = loop {
                tokio::select! {
                    _ = due.tick() => break true,
                    changed = seen.changed() => if changed.is_err() { break false },
                }
            };
            let latest = seen.borrow().clone();
            let Some(summary) = latest else { continue };
            times += 1;
            let body = (self.form.write)(&summary, Origin { run, began, now: wall_now() });
            if let Err(failure) = timeout(PATIENCE, self.send(body)).await.unwrap_or(Err(Failure::TooLate)) {
                failed += 1;
                first.get_or_insert(failure);
            }
        }
        first.map(|first| PushError { to: self.to.clone(), times, failed, first })
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), Failure> {
        let host = self.to.host().unwrap_or_default();
        let named = (host.trim_matches(['[', ']']), self.to.port_u16().unwrap_or(80));
        let address = lookup_host(named).await.map_err(Failure::Unknown)?.next().ok_or(Failure::Nowhere)?;
        let stream = TcpStream::connect(address).await.map_err(|error| Failure::NotConnected(address, error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::post(self.to.path_and_query().map_or("/", |path| path.as_str()))
            .header(HOST, self.to.authority().map_or("", |authority| authority.as_str()))
            .header(USER_AGENT, concat!("dmswarm/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, self.form.content_type)
            .body(Full::new(Bytes::from(body)))
            .expect("its parts were read from a URL");
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let answer = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        connection.abort();
        let answer = answer.map_err(|_| Failure::TooLong)?.to_bytes();
        if !status.is_success() {
            return Err(Failure::Refused(status, beginning(&answer)));
        }
        (self.form.complaint)(&answer).map_or(Ok(()), |complaint| Err(Failure::Partly(complaint)))
    }
}

/// A thread that sends.
pub(super) struct Pushing {
    latest: watch::Sender<Option<Arc<Summary>>>,
    thread: JoinHandle<Option<PushError>>,
}

impl Pushing {
    /// Another second is over.
    pub fn show(&self, summary: &Arc<Summary>) {
        self.latest.send_replace(Some(Arc::clone(summary)));
    }

    /// All is told with this one: waits until it has been sent, for ten seconds at most.
    pub fn finish(self, summary: &Summary) -> Option<PushError> {
        self.show(&Arc::new(summary.clone()));
        drop(self.latest);
        self.thread.join().expect("it does nothing that could panic")
    }
}

/// The first words of an answer, without escapes for terminals.
fn beginning(answer: &[u8]) -> String {
    let words: String = String::from_utf8_lossy(answer).chars().take(200).collect();
    words.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::iter;
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    const FORM: Form = Form {
        write: |summary, origin| format!("{} of {}", summary.devices, origin.run).into_bytes(),
        content_type: "text/plain",
        complaint: |answer| (answer == b"no").then(|| "no".to_owned()),
    };

    /// Takes requests one after the other, answers each as it is told to, and returns their bodies.
    fn collector(listener: &TcpListener, answers: &[&str]) -> Vec<String> {
        let take = |answer: &&str| {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            let mut length = 0;
            for line in reader.by_ref().lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()) {
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().expect("a number");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("the body");
            stream.write_all(answer.as_bytes()).expect("sent");
            String::from_utf8(body).expect("words")
        };
        answers.iter().map(take).collect()
    }

    fn summary(devices: u64) -> Summary {
        Summary { devices, ..serde_json::from_str(include_str!("../../results/sample/summary.json")).expect("one") }
    }

    fn address(listener: &TcpListener) -> String {
        format!("http://{}", listener.local_addr().expect("an address"))
    }

    #[test]
    fn the_latest_is_sent_again_and_again_and_the_last_at_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let push = Push { every: Duration::from_millis(20), ..Push::to(&address(&listener), FORM).expect("a URL") };
        let pushing = push.begin("one", wall_now()).expect("a thread");
        pushing.show(&Arc::new(summary(3)));
        let fine = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(collector(&listener, &[fine, fine]), ["3 of one", "3 of one"]);
        let (came, coming) = mpsc::channel();
        // It takes whatever comes until the test is over: the last one may come twice, when its time was due anyway.
        thread::spawn(move || while came.send(collector(&listener, &[fine])).is_ok() {});
        assert!(pushing.finish(&summary(4)).is_none());
        let mut bodies = iter::from_fn(|| coming.recv_timeout(Duration::from_secs(10)).ok());
        assert!(bodies.any(|bodies| bodies == ["4 of one"]));
    }

    #[test]
    fn what_went_wrong_is_counted_and_the_first_of_it_told() {
        for (answer, expected) in [
            (
                "HTTP/1.1 503 Busy\r\ncontent-length: 6\r\n\r\nno\x1b[2J",
                "it answered 503 Service Unavailable: no\\u{1b}[2J",
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno", "no"),
            (
                "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n",
                "it answered 301 Moved Permanently: ",
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "its answer was cut or longer than 65536 bytes"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", "its answer was cut or longer than 65536 bytes"),
            ("nonsense\r\n\r\n", "no answer: invalid HTTP version parsed"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let to = address(&listener);
            let pushing = Push::to(&to, FORM).expect("a URL").begin("one", wall_now()).expect("a thread");
            let answers = thread::spawn(move || collector(&listener, &[answer]));
            let error = pushing.finish(&summary(1)).expect("it failed").to_string();
            assert_eq!(error, format!("1 of 1 requests to {to}/v1/metrics failed; the first one: {expected}"));
            answers.join().expect("it was asked");
        }
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let push = Push::to(&format!("http://{nobody}/metrics"), FORM).expect("a URL");
        let error =
            push.begin("one", wall_now()).expect("a thread").finish(&summary(1)).expect("it failed").to_string();
        let expected =
            format!("1 of 1 requests to http://{nobody}/metrics failed; the first one: no connection to {nobody}: ");
        assert!(error.starts_with(&expected), "{error}");
    }

    #[test]
    fn an_address_has_a_host_over_plain_http_and_gets_the_usual_path() {
        for (url, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"),
            ("http://collector/", "http://collector/v1/metrics"),
            ("http://[::1]:1/otlp/v1/metrics?a=b", "http://[::1]:1/otlp/v1/metrics?a=b"),
        ] {
            assert_eq!(Push::to(url, FORM).map(|push| push.to.to_string()), Ok(expected.to_owned()));
        }
        for (url, hint) in [("https://a", "TLS"), ("a:4318", ""), ("/v1/metrics", ""), ("", ""), ("ftp://a", "")] {
            let error = Push::to(url, FORM).map(|_| ()).expect_err(url).to_string();
            assert!(error.contains(&format!("found `{url}`")) && error.contains(hint), "{error}");
        }
    }
}
