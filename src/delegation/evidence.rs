//! What is kept of an exchange as evidence: readable, bounded, and without anything secret or harmful in it.

/// The most characters that are kept of a body.
const MOST: usize = 3_000;
/// The most characters that are kept of a short text, such as a header.
const MOST_SHORT: usize = 200;

/// A body as it may be shown: what an account holds is left out, and so is the secret part of a bootstrap URL.
pub fn body(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let text = without(&text, "DMAcc", "an account, which holds secrets");
    let text = without(&text, "bootstrapURL", "a URL that only its device may know");
    // Whoever puts credentials somewhere else than into a DMAcc has them left out together with all the rest.
    if ["AAuth", "Secret", "Cred>"].iter().any(|mark| text.contains(mark)) {
        return Some(format!("(left out: {} bytes that hold credentials)", bytes.len()));
    }
    Some(cut(&plain(&text), MOST))
}

/// A short text of the peer's as it may be shown.
pub fn short(text: &str) -> String {
    cut(&plain(text), MOST_SHORT)
}

/// The text less what stands in the element of this name, wherever it is, however its tags are written. What is never
/// closed is left out to its end.
fn without(text: &str, element: &str, what: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(2 * MOST));
    let mut rest = text;
    while let Some(at) = opening(rest, element) {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        kept.push_str(&format!("<{element}>({what})</{element}>"));
        let close = format!("</{element}");
        rest = match after.find(&close) {
            Some(end) => after[end..].split_once('>').map_or("", |(_, rest)| rest),
            // One that is empty has nothing to hide.
            None if after.split('>').next().is_some_and(|tag| tag.ends_with('/')) => {
                after.split_once('>').map_or("", |(_, rest)| rest)
            }
            None => "",
        };
    }
    kept.push_str(rest);
    kept
}

/// Where a start tag of this name begins, with or without a prefix before the name.
fn opening(text: &str, element: &str) -> Option<usize> {
    text.match_indices('<').map(|(at, _)| at).find(|at| {
        let tag = &text[at + 1..];
        let name = tag.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/' | '<')).next().unwrap_or_default();
        name.rsplit(':').next() == Some(element)
    })
}

/// The text with everything written out that a terminal, or a reader's eye, could take for something else: control
/// characters, and those that turn the direction of writing or have no width.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => plain.push(character),
            '\r' => {}
            _ if is_harmless(character) => plain.push(character),
            _ => plain.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
        }
    }
    plain
}

fn is_harmless(character: char) -> bool {
    let is_invisible = matches!(
        u32::from(character),
        0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xffff | 0xe0000..=0xe0fff
    );
    !character.is_control() && !is_invisible
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}... ({} bytes in all)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_account_is_kept() {
        let message = "<bootstrap_confirmed><reasonCode>200</reasonCode>\
            <DMAcc><AppAuth><AAuthSecret>hunter2</AAuthSecret></AppAuth></DMAcc>\
            <sessionId>s</sessionId></bootstrap_confirmed>";
        let kept = body(message.as_bytes()).expect("a body");
        assert!(!kept.contains("hunter2"), "{kept}");
        assert!(kept.contains("<reasonCode>200</reasonCode>") && kept.contains("<sessionId>s</sessionId>"), "{kept}");
        for odd in [
            "<x:DMAcc a='b'><AAuthSecret>hunter2</AAuthSecret>",
            "<DMAcc\n><p>hunter2</p></DMAcc><DMAcc><q>hunter2</q></DMAcc>",
            "<dmacc><AAuthSecret>hunter2</AAuthSecret></dmacc>",
            "<a><AAuthData>hunter2</AAuthData></a>",
        ] {
            let kept = body(odd.as_bytes()).expect("a body");
            assert!(!kept.contains("hunter2"), "{odd}: {kept}");
        }
    }

    #[test]
    fn the_secret_part_of_a_bootstrap_url_is_not_kept() {
        let kept = body(b"<d><bootstrapURL>https://h/bootstrap/s3cret</bootstrapURL></d>").expect("a body");
        assert!(!kept.contains("s3cret"), "{kept}");
    }

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        let kept = short("\u{1b}[31mred\u{7}\u{202e}txt.exe\u{0}");
        assert_eq!(kept, "\\u{1b}[31mred\\u{7}\\u{202e}txt.exe\\u{0}");
        assert!(body(&[0xff, 0x1b, b'a']).expect("a body").ends_with("\\u{1b}a"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let long = "a".repeat(1_000_000);
        assert!(short(&long).len() < 2 * MOST_SHORT);
        assert!(body(long.as_bytes()).expect("a body").len() < 2 * MOST);
    }
}
