//! Where the elements of a document stand, by bytes: enough for changing it, of anything that looks like XML.

use std::ops::Range;

/// The places of a document's root element and of its children, in bytes from its start.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// The root's name in its start tag.
    pub root: Range<usize>,
    /// Behind the root's start tag.
    pub inside: usize,
    /// Those with an end tag of their own; `<like-this/>` is left out.
    pub children: Vec<Child>,
    /// The root's name in its end tag.
    pub root_end: Range<usize>,
}

/// One child of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    /// With its tags.
    pub whole: Range<usize>,
    pub name: Range<usize>,
    pub content: Range<usize>,
}

/// The outline of a document; `None` for what has no root element with a start and an end. Names are not compared.
pub(super) fn outline(body: &[u8]) -> Option<Outline> {
    let mut at = 0;
    let mut depth = 0;
    let mut root: Option<(Range<usize>, usize)> = None;
    let mut open: Option<(Range<usize>, Range<usize>)> = None;
    let mut children = Vec::new();
    loop {
        let markup = next(body, at)?;
        at = markup.whole.end;
        match markup.kind {
            Kind::Other => {}
            Kind::Empty if depth == 0 => return None,
            Kind::Empty => {}
            Kind::Start => {
                match depth {
                    0 => root = Some((markup.name, markup.whole.end)),
                    1 => open = Some((markup.name, markup.whole)),
                    _ => {}
                }
                depth += 1;
            }
            Kind::End if depth <= 1 => {
                let (root, inside) = root?;
                return Some(Outline { root, inside, children, root_end: markup.name });
            }
            Kind::End => {
                depth -= 1;
                if let Some((name, tag)) = open.take_if(|_| depth == 1) {
                    let content = tag.end..markup.whole.start;
                    children.push(Child { whole: tag.start..markup.whole.end, name, content });
                }
            }
        }
    }
}

/// Behind the XML declaration, and behind a byte order mark where there is one.
pub(super) fn prolog_end(body: &[u8]) -> usize {
    let mark = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if body[mark..].starts_with(b"<?xml") { find(body, mark, b"?>").map_or(mark, |at| at + 2) } else { mark }
}

enum Kind {
    Start,
    End,
    Empty,
    /// A comment, a processing instruction, a CDATA section, a document type.
    Other,
}

struct Markup {
    kind: Kind,
    whole: Range<usize>,
    /// Of an element.
    name: Range<usize>,
}

/// The next markup from there on; `None` if there is none that ends.
fn next(body: &[u8], from: usize) -> Option<Markup> {
    let start = find(body, from, b"<")?;
    let other = |end: usize| Some(Markup { kind: Kind::Other, whole: start..end, name: start..start });
    for (opens, closes) in [("<?", "?>"), ("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">")] {
        if body[start..].starts_with(opens.as_bytes()) {
            let end = find(body, start + opens.len(), closes.as_bytes())?;
            return other(end + closes.len());
        }
    }
    let is_end = body.get(start + 1) == Some(&b'/');
    let name = start + 1 + usize::from(is_end);
    let name_length = body[name..].iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))?;
    let close = tag_close(body, name + name_length)?;
    let kind = match body[close - 1] {
        _ if is_end => Kind::End,
        b'/' => Kind::Empty,
        _ => Kind::Start,
    };
    Some(Markup { kind, whole: start..close + 1, name: name..name + name_length })
}

/// The `>` that ends a tag: not one in the quotes of an attribute.
fn tag_close(body: &[u8], from: usize) -> Option<usize> {
    let mut quote = None;
    for (at, &byte) in body.iter().enumerate().skip(from) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Where these bytes stand next.
pub(super) fn find(body: &[u8], from: usize, sought: &[u8]) -> Option<usize> {
    let rest = body.get(from..)?;
    rest.windows(sought.len()).position(|window| window == sought).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the root and the children with their contents.
    #[track_caller]
    fn check(body: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let outline = outline(body.as_bytes());
        let found = outline.as_ref().map(|outline| {
            let children =
                outline.children.iter().map(|child| (&body[child.name.clone()], &body[child.content.clone()]));
            assert_eq!(body[outline.root.clone()], body[outline.root_end.clone()], "{body}");
            (&body[outline.root.clone()], children.collect::<Vec<_>>())
        });
        assert_eq!(found, expected.map(|(root, children)| (root, children.to_vec())), "{body}");
    }

    #[test]
    fn children_are_found_with_what_is_in_them() {
        check("<a><b>x</b> <c><d>y</d></c></a>", Some(("a", &[("b", "x"), ("c", "<d>y</d>")])));
        check("<?xml version='1.0'?><!-- <no> --><a at='>' ><b/><c>1</c></a>", Some(("a", &[("c", "1")])));
        check("<a><b><![CDATA[</b>]]></b></a>", Some(("a", &[("b", "<![CDATA[</b>]]>")])));
        check("<a></a>", Some(("a", &[])));
    }

    #[test]
    fn what_has_no_root_with_a_start_and_an_end_has_no_outline() {
        for body in ["", "text", "<a/>", "<a>", "<a><b></b>", "</a>", "<", "<a", "<!--", "<a b='></a>"] {
            check(body, None);
        }
    }

    #[test]
    fn the_prolog_ends_behind_its_declaration() {
        assert_eq!(prolog_end(b"<?xml version='1.0'?><a/>"), 21);
        assert_eq!(prolog_end(b"\xef\xbb\xbf<a/>"), 3);
        assert_eq!(prolog_end(b"<?xml"), 0);
        assert_eq!(prolog_end(b""), 0);
    }
}
