//! Addresses in the management tree (TND 1.2), in one normal form.

use std::fmt;
use std::sync::Arc;

/// Octets in one address, at most; `./DevDetail/URI/MaxTotLen` says the same.
pub const MAX_LENGTH: usize = 1024;
/// Segments in one address, at most; `./DevDetail/URI/MaxDepth` says the same.
pub const MAX_DEPTH: usize = 32;
/// Octets in one segment, at most; `./DevDetail/URI/MaxSegLen` says the same.
pub const MAX_SEGMENT: usize = 255;

/// The address of a node: `.` for the root, else `./A/B`. Never ends in `/`; keeps case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(Arc<str>);

/// What stands behind the `?` of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// `prop=ACL` and its kind.
    Property(Property),
    /// `list=...`: the node and all below it.
    List(List),
    /// A property or a list that nobody here has ever heard of: an optional feature (406).
    Unsupported(String),
}

/// What a listing of a sub-tree shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The nodes, one item each.
    Struct,
    /// The nodes and the values of leaves, one item each.
    StructData,
    /// One management tree as XML.
    Tnds(Shown),
}

/// Which properties of each node a management tree shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    pub acl: bool,
    pub format: bool,
    pub kind: bool,
    pub value: bool,
}

impl Shown {
    /// All there are.
    pub const ALL: Shown = Shown { acl: true, format: true, kind: true, value: true };
}

/// A property of a node, by its name in `?prop=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    Acl,
    Format,
    Name,
    Size,
    Title,
    TStamp,
    Type,
    VerNo,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    #[error("`{uri}` has an empty segment; write one `/` between two names and none at the end")]
    EmptySegment { uri: String },
    #[error("`{uri}` has a `{segment}` after its start; write the address from the root, as in `./SCOMO/Inventory`")]
    Relative { uri: String, segment: &'static str },
    #[error("an address of {length} octets; at most {MAX_LENGTH} are taken")]
    TooLong { length: usize },
    #[error("`{uri}` has {depth} segments; at most {MAX_DEPTH} are taken")]
    TooDeep { uri: String, depth: usize },
    #[error("a segment of {length} octets; at most {MAX_SEGMENT} are taken")]
    SegmentTooLong { length: usize },
    #[error("`{query}` is no query, or none that could stand here; write `?prop=ACL` in the address of a command")]
    Query { query: String },
}

impl UriError {
    /// The status code for a command on such an address (DMREPRO section 11).
    pub fn code(&self) -> u16 {
        match self {
            UriError::TooLong { .. } | UriError::TooDeep { .. } | UriError::SegmentTooLong { .. } => 414,
            UriError::EmptySegment { .. } | UriError::Relative { .. } => 400,
            UriError::Query { .. } => 422,
        }
    }
}

impl Uri {
    /// `.`
    pub fn root() -> Uri {
        Uri(Arc::from("."))
    }

    /// Reads an address without a query. Tolerant as D31 asks: a leading `/` is dropped, an empty text, `/`, `.` and
    /// `./` are the root, and `SCOMO` is `./SCOMO`.
    pub fn parse(text: &str) -> Result<Uri, UriError> {
        if text.len() > MAX_LENGTH {
            return Err(UriError::TooLong { length: text.len() });
        }
        if let Some(query) = text.find('?') {
            return Err(UriError::Query { query: text[query + 1..].to_owned() });
        }
        let names = text.strip_prefix("./").or_else(|| text.strip_prefix('/')).unwrap_or(text);
        if names.is_empty() || text == "." {
            return Ok(Uri::root());
        }
        let mut depth = 0;
        for segment in names.split('/') {
            depth += 1;
            match segment {
                "" => return Err(UriError::EmptySegment { uri: text.to_owned() }),
                "." => return Err(UriError::Relative { uri: text.to_owned(), segment: "." }),
                ".." => return Err(UriError::Relative { uri: text.to_owned(), segment: ".." }),
                _ if segment.len() > MAX_SEGMENT => return Err(UriError::SegmentTooLong { length: segment.len() }),
                _ => {}
            }
        }
        if depth > MAX_DEPTH {
            return Err(UriError::TooDeep { uri: text.to_owned(), depth });
        }
        Ok(Uri(if text.starts_with("./") { Arc::from(text) } else { format!("./{names}").into() }))
    }

    /// Reads a `LocURI`: an address and, behind a `?`, a query.
    pub fn parse_with_query(text: &str) -> Result<(Uri, Option<Query>), UriError> {
        let Some((address, query)) = text.split_once('?') else { return Ok((Uri::parse(text)?, None)) };
        Ok((Uri::parse(address)?, Some(Query::parse(query)?)))
    }

    /// The address as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `.`.
    pub fn is_root(&self) -> bool {
        &*self.0 == "."
    }

    /// The node of this name (or names, `A/B`) below this one. The name is one that [`is_name`] takes.
    pub fn join(&self, name: &str) -> Uri {
        debug_assert!(name.split('/').all(is_name), "`{name}` names no node");
        Uri(format!("{}/{name}", self.0).into())
    }

    /// The node above; `None` for the root.
    pub fn parent(&self) -> Option<Uri> {
        self.0.rfind('/').map(|slash| Uri(Arc::from(&self.0[..slash])))
    }

    /// The last segment; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.0.rfind('/').map(|slash| &self.0[slash + 1..])
    }

    /// The names from the root down; none for the root itself.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }

    /// Whether `other` is this node or stands below it.
    pub fn covers(&self, other: &Uri) -> bool {
        other.0.strip_prefix(&*self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether the two sub-trees have a node in common.
    pub fn overlaps(&self, other: &Uri) -> bool {
        self.covers(other) || other.covers(self)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text can be the name of one node.
pub fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && text.len() <= MAX_SEGMENT && !text.contains(['/', '?'])
}

impl Query {
    /// Reads what stands behind the `?`.
    fn parse(text: &str) -> Result<Query, UriError> {
        match text.split_once('=') {
            Some(("prop", name)) if !name.is_empty() => {
                Ok(Property::named(name).map_or_else(|| Query::Unsupported(text.to_owned()), Query::Property))
            }
            Some(("list", what)) if !what.is_empty() => {
                Ok(List::named(what).map_or_else(|| Query::Unsupported(text.to_owned()), Query::List))
            }
            _ => Err(UriError::Query { query: text.to_owned() }),
        }
    }
}

impl List {
    fn named(text: &str) -> Option<List> {
        match text {
            "Struct" => Some(List::Struct),
            "StructData" => Some(List::StructData),
            _ => Shown::named(text.strip_prefix("TNDS")?).map(List::Tnds),
        }
    }
}

impl Shown {
    /// What stands behind `TNDS`: nothing for all, `+ACL` and the like for these only, `-Value` and the like for all
    /// but these.
    fn named(text: &str) -> Option<Shown> {
        let Some(sign) = text.chars().next() else { return Some(Shown::ALL) };
        let is_added = sign == '+';
        let mut shown = if is_added { Shown::default() } else { Shown::ALL };
        for name in text.strip_prefix(sign)?.split(sign) {
            *match name {
                "ACL" => &mut shown.acl,
                "Format" => &mut shown.format,
                "Type" => &mut shown.kind,
                "Value" => &mut shown.value,
                _ => return None,
            } = is_added;
        }
        matches!(sign, '+' | '-').then_some(shown)
    }
}

impl Property {
    fn named(name: &str) -> Option<Property> {
        Some(match name {
            "ACL" => Property::Acl,
            "Format" => Property::Format,
            "Name" => Property::Name,
            "Size" => Property::Size,
            "Title" => Property::Title,
            "TStamp" => Property::TStamp,
            "Type" => Property::Type,
            "VerNo" => Property::VerNo,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tolerated_spelling_has_one_normal_form() {
        for (text, normal) in [
            ("", "."),
            ("/", "."),
            (".", "."),
            ("./", "."),
            ("SCOMO", "./SCOMO"),
            ("/SCOMO", "./SCOMO"),
            ("./SCOMO", "./SCOMO"),
            ("./SCOMO/Inventory", "./SCOMO/Inventory"),
            ("./scomo", "./scomo"),
            ("./A/b.c d", "./A/b.c d"),
        ] {
            assert_eq!(Uri::parse(text).unwrap().as_str(), normal, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_status() {
        let deep = "./A".to_owned() + &"/A".repeat(MAX_DEPTH);
        let wide = "./".to_owned() + &"A".repeat(MAX_SEGMENT + 1);
        let long = "./A".repeat(MAX_LENGTH);
        for (text, code) in [
            ("./A/", 400),
            ("./A//B", 400),
            ("//A", 400),
            ("../A", 400),
            ("./A/../B", 400),
            ("./A/./B", 400),
            ("./A?prop=ACL", 422),
            ("./A/x?y", 422),
            (deep.as_str(), 414),
            (wide.as_str(), 414),
            (long.as_str(), 414),
        ] {
            assert_eq!(Uri::parse(text).map_err(|error| error.code()), Err(code), "{text}");
        }
    }

    #[test]
    fn queries_are_read_apart_from_the_address() {
        let read = |text: &str| Uri::parse_with_query(text).map(|(uri, query)| (uri.to_string(), query));
        assert_eq!(read("./A?prop=ACL"), Ok(("./A".into(), Some(Query::Property(Property::Acl)))));
        for (text, list) in [
            ("Struct", Some(List::Struct)),
            ("StructData", Some(List::StructData)),
            ("TNDS", Some(List::Tnds(Shown::ALL))),
            ("TNDS+ACL", Some(List::Tnds(Shown { acl: true, ..Shown::default() }))),
            ("TNDS-ACL-Value", Some(List::Tnds(Shown { format: true, kind: true, ..Shown::default() }))),
            ("TNDS+ACL-Value", None),
            ("TNDS=ACL", None),
            ("TNDS+", None),
            ("All", None),
        ] {
            let query = list.map_or_else(|| Query::Unsupported(format!("list={text}")), Query::List);
            assert_eq!(read(&format!("./A?list={text}")), Ok(("./A".into(), Some(query))), "{text}");
        }
        assert_eq!(read("./A?prop=Colour"), Ok(("./A".into(), Some(Query::Unsupported("prop=Colour".into())))));
        assert_eq!(read(".?prop=ACL"), Ok((".".into(), Some(Query::Property(Property::Acl)))));
        assert_eq!(read("./A"), Ok(("./A".into(), None)));
        for text in ["./A?", "./A?prop", "./A?prop=", "./A?what=ACL"] {
            assert_eq!(Uri::parse_with_query(text).map_err(|error| error.code()), Err(422), "{text}");
        }
    }

    #[test]
    fn a_node_covers_itself_and_what_is_below() {
        let uri = |text| Uri::parse(text).unwrap();
        for (one, other, covers) in [
            (".", "./A", true),
            ("./A", "./A", true),
            ("./A", "./A/B", true),
            ("./A", "./AB", false),
            ("./A/B", "./A", false),
            ("./A", "./a", false),
        ] {
            assert_eq!(uri(one).covers(&uri(other)), covers, "{one} {other}");
        }
        assert!(uri("./A/B").overlaps(&uri("./A")));
        assert!(!uri("./A/B").overlaps(&uri("./A/C")));
    }

    #[test]
    fn join_undoes_parent_and_name() {
        let uri = Uri::parse("./A/B").unwrap();
        assert_eq!(uri.parent().unwrap().join(uri.name().unwrap()), uri);
        assert_eq!(Uri::parse("A").unwrap().parent(), Some(Uri::root()));
        assert_eq!((Uri::root().parent(), Uri::root().name()), (None, None));
        assert_eq!(uri.segments().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(Uri::root().segments().count(), 0);
    }
}
