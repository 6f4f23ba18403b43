//! What is kept of an exchange as evidence: readable, bounded, and without anything secret or harmful in it.

/// The most characters that are kept of a body.
const MOST: usize = 3_000;
/// The most characters that are kept of a short text, such as a header.
const MOST_SHORT: usize = 200;

/// What stands in the place of an account.
const ACCOUNT: &str = "an account, which holds secrets";
/// The most octets of a body that are looked at; what comes behind them is left out.
const LOOKED_AT: usize = 64 << 10;

/// A body as it may be shown: what an account holds is left out, and so is the secret part of a bootstrap URL.
pub fn body(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)]);
    if text.contains('\0') {
        return Some(format!("(left out: {} bytes that are no text in UTF-8)", bytes.len()));
    }
    let text = without(&text, "DMAcc", ACCOUNT);
    let text = without(&text, "bootstrapURL", "a URL that only its device may know");
    // Whoever puts credentials somewhere else than into a DMAcc has them left out together with all the rest.
    let others = text.replace(ACCOUNT, "").to_ascii_lowercase();
    if ["aauth", "secret", "cred>"].iter().any(|mark| others.contains(mark)) {
        return Some(format!("(left out: {} bytes that hold credentials)", bytes.len()));
    }
    let shown = plain(&text);
    let is_cut = bytes.len() > LOOKED_AT || shown.chars().nth(MOST).is_some();
    let kept: String = shown.chars().take(MOST).collect();
    Some(if is_cut { format!("{kept}... ({} bytes in all)", bytes.len()) } else { kept })
}

/// A short text of the peer's as it may be shown.
pub fn short(text: &str) -> String {
    cut(&plain(text), MOST_SHORT)
}

/// A text as it may stand within a line.
pub fn line(text: &str) -> String {
    plain(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// The text less what stands in the element of this name, wherever it is, however its tags are written. What is never
/// closed is left out to its end. Each octet is looked at a few times at most, whatever a peer has written.
fn without(text: &str, element: &str, what: &str) -> String {
    // As long as the text itself: what is found in the one stands in the other at the same place.
    let lower = text.to_ascii_lowercase();
    let close = format!("</{}", element.to_ascii_lowercase());
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(open) = opening(text, at, element) {
        kept.push_str(&text[at..open]);
        kept.push_str(&format!("<{element}>({what})</{element}>"));
        let end_of_tag = lower[open..].find('>').map(|end| open + end + 1);
        at = match end_of_tag {
            // One that is empty has nothing to hide.
            Some(end) if text[..end].ends_with("/>") => end,
            _ => match lower[open..].find(&close).map(|found| open + found) {
                Some(closing) => lower[closing..].find('>').map_or(text.len(), |end| closing + end + 1),
                None => text.len(),
            },
        };
    }
    kept.push_str(&text[at..]);
    kept
}

/// Where the next start tag of this name begins, with or without a prefix before the name, in any case.
fn opening(text: &str, from: usize, element: &str) -> Option<usize> {
    let tags = text[from..].match_indices('<').map(|(at, _)| from + at);
    // A name is no longer than this with its prefix, or it is that of something else.
    const LONGEST: usize = 200;
    tags.into_iter().find(|at| {
        let tag = &text.as_bytes()[at + 1..text.len().min(at + 1 + LONGEST)];
        let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || b">/<".contains(byte)).unwrap_or(tag.len());
        let name = tag[..end].rsplit(|byte| *byte == b':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(element.as_bytes())
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

/// Whether a character is what it looks like: it commands no terminal, turns no line, and can be seen.
pub fn is_harmless(character: char) -> bool {
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
    fn within_a_line_nothing_begins_another_one_or_commands_a_terminal() {
        // U+009B begins a command as ESC [ does, and XML allows it.
        assert_eq!(line("s-1\n 0.1 s  home\tis dead\u{9b}31m"), "s-1\\n 0.1 s  home\\tis dead\\u{9b}31m");
        assert_eq!(line("urn:imei:1 größe"), "urn:imei:1 größe");
    }

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
    fn a_body_of_nothing_but_accounts_is_looked_at_once() {
        // Looked at anew for each of them, a megabyte takes minutes.
        for one in ["<DMAcc/>", "<DMAcc>", "<DMAcc></DMAcc>", "<", "<x:"] {
            let long = one.repeat((1 << 20) / one.len());
            assert!(body(long.as_bytes()).expect("a body").len() < 2 * MOST);
        }
    }

    #[test]
    fn credentials_are_left_out_however_they_are_written() {
        let wide: Vec<u8> = "<AAuthSecret>hunter2".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(body(&wide).expect("a body").starts_with("(left out"));
        for odd in ["<p name='AAUTHSECRET' value='hunter2'/>", "<BootstrapURL>https://h/hunter2</BootstrapURL>"] {
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
