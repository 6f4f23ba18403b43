//! Text in lines that fit: broken between words, and within a word only where it is too long by itself.

/// The lines of a text, each at most `width` characters; at least one.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let line = lines.last_mut().expect("there is one");
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + rest.len() <= width {
                line.extend([' '].iter().take(gap));
                line.extend(rest.drain(..));
            } else if used > 0 {
                lines.push(String::new());
            } else {
                line.extend(rest.drain(..breaks_at(&rest, width)));
            }
        }
    }
    lines
}

/// Where a word that is too long is broken: behind a sign in an address or a name, if that is not too soon.
fn breaks_at(word: &[char], width: usize) -> usize {
    let sign = word[..width].iter().rposition(|letter| "/?&=.,_".contains(*letter));
    sign.map(|sign| sign + 1).filter(|at| *at >= width / 2).unwrap_or(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a longerthanthat b", 6), ["a", "longer", "thanth", "at b"]);
        assert_eq!(wrap("./SCOMO/Inventory/x", 16), ["./SCOMO/", "Inventory/x"]);
        assert_eq!(wrap("delegation_resp", 12), ["delegation_", "resp"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
