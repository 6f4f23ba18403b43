//! An https address: read from a URL once, cheap to clone, ready to be dialled.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::{PathAndQuery, Uri};

/// The port of https when a URL names none.
const HTTPS_PORT: u16 = 443;

/// Host, port and path of an https URL. Cloning one copies no text.
#[derive(Clone)]
pub struct Address {
    host: Arc<str>,
    port: u16,
    request_target: Uri,
    host_header: HeaderValue,
}

/// A URL that cannot be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{url}\" is not an address to call: {problem}; expected e.g. https://dms1.example.test:8443/delegation")]
pub struct AddressError {
    /// The text as it was given, cut after 200 characters.
    pub url: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Address {
    /// Reads `https://host[:port][/path][?query]`. The host is lower-cased, a fragment is dropped, user information is refused.
    pub fn parse(url: &str) -> Result<Address, AddressError> {
        read(url).map_err(|problem| AddressError { url: url.chars().take(200).collect(), problem })
    }

    /// The same host and port with another path (with or without a query).
    pub fn with_path(&self, path: &str) -> Result<Address, AddressError> {
        let request_target =
            read_path(path).map_err(|problem| AddressError { url: path.chars().take(200).collect(), problem })?;
        Ok(Address { request_target, ..self.clone() })
    }

    /// The host in lower case; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 where the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path with its query; `/` where the URL names none.
    pub fn path(&self) -> &str {
        self.request_target.path_and_query().map_or("/", PathAndQuery::as_str)
    }

    pub(super) fn shared_host(&self) -> &Arc<str> {
        &self.host
    }

    pub(super) fn request_target(&self) -> &Uri {
        &self.request_target
    }

    pub(super) fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }
}

fn read(url: &str) -> Result<Address, &'static str> {
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        Some(_) => return Err("only https is spoken here"),
        None => return Err("it does not begin with https://"),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err("user information does not belong into it");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or("a \"[\" is not closed")?;
            host.parse::<Ipv6Addr>().map_err(|_| "what stands between the brackets is not an IPv6 address")?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err("something follows the \"]\""),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("it names no host");
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':')) {
        return Err("its host holds a character that host names do not have");
    }
    let port = match port {
        None => HTTPS_PORT,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(port) if port != 0 => port,
            _ => return Err("its port is not between 1 and 65535"),
        },
        Some(_) => return Err("its port is not a number"),
    };
    let host = host.to_ascii_lowercase();
    let shown = shown_authority(&host, port);
    let host_header = HeaderValue::try_from(shown).map_err(|_| "its host cannot be written into a header")?;
    Ok(Address { host: host.into(), port, request_target: read_path(path)?, host_header })
}

fn read_path(path: &str) -> Result<Uri, &'static str> {
    let path = path.split('#').next().unwrap_or_default();
    let path = match path.as_bytes().first() {
        None => PathAndQuery::from_static("/"),
        Some(b'/') => PathAndQuery::from_str(path).map_err(|_| "its path holds a character that must be escaped")?,
        Some(b'?') => PathAndQuery::from_str(&format!("/{path}"))
            .map_err(|_| "its query holds a character that must be escaped")?,
        Some(_) => return Err("its path does not begin with /"),
    };
    Ok(Uri::from(path))
}

/// Host and port as they stand in a URL and in the Host header: no port where it is https's own.
fn shown_authority(host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
    if port == HTTPS_PORT { host } else { format!("{host}:{port}") }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.port == other.port && self.host == other.host && self.path() == other.path()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.hash(state);
        self.port.hash(state);
        self.path().hash(state);
    }
}

/// The URL that reads back as this address.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", shown_authority(&self.host, self.port), self.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(url: &str) -> Result<Address, AddressError> {
        Address::parse(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, host: &str, port: u16, path: &str, back: &str) {
        let address = Address::parse(url).unwrap();
        assert_eq!((address.host(), address.port(), address.path()), (host, port, path));
        assert_eq!(address.to_string(), back);
        assert_eq!(Address::parse(back).unwrap(), address);
    }

    #[test]
    fn https_addresses_are_read_and_written_back() {
        check("https://dms1.example.test", "dms1.example.test", 443, "/", "https://dms1.example.test/");
        check("HTTPS://DMS1.example.test:443/a", "dms1.example.test", 443, "/a", "https://dms1.example.test/a");
        check("https://a:8443/dm?sid=1&x=%20#top", "a", 8443, "/dm?sid=1&x=%20", "https://a:8443/dm?sid=1&x=%20");
        check("https://a:1?sid=1", "a", 1, "/?sid=1", "https://a:1/?sid=1");
        check("https://127.0.0.1:9/", "127.0.0.1", 9, "/", "https://127.0.0.1:9/");
        check("https://[::1]:9/x", "::1", 9, "/x", "https://[::1]:9/x");
        check("https://[::1]", "::1", 443, "/", "https://[::1]/");
    }

    #[test]
    fn another_path_keeps_the_host() {
        let address = Address::parse("https://a:8443/one").unwrap();
        assert_eq!(address.with_path("/two?x").unwrap().to_string(), "https://a:8443/two?x");
        assert!(address.with_path("two").is_err());
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let cases = [
            ("http://a/", "only https"),
            ("dms1.example.test", "does not begin with https://"),
            ("", "does not begin with https://"),
            ("https://", "no host"),
            ("https:///x", "no host"),
            ("https://u:p@a/", "user information"),
            ("https://a:0/", "between 1 and 65535"),
            ("https://a:65536/", "between 1 and 65535"),
            ("https://a:/", "between 1 and 65535"),
            ("https://a:+1/", "not a number"),
            ("https://a b/", "host holds a character"),
            ("https://a/b c", "must be escaped"),
            ("https://[::1/", "not closed"),
            ("https://[a]/", "not an IPv6 address"),
            ("https://[::1]x/", "something follows"),
        ];
        for (url, reason) in cases {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
