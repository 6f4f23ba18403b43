//! How long what is written gets: quickly as a bound, or to the byte.

use super::page::Text;
use crate::dm::syncml::{Command, Element, Item, Verb, write};

/// Whether these elements fit into so many bytes. They are measured to the byte only where it is a near thing.
pub fn fits<'e>(elements: impl Iterator<Item = &'e Element> + Clone, bytes: usize) -> bool {
    elements.clone().map(bound).sum::<usize>() <= bytes || elements.map(size).sum::<usize>() <= bytes
}

/// The bytes of one element.
pub fn size(element: &Element) -> usize {
    let mut out = Text(String::new());
    write::element(&mut out, element);
    out.0.len()
}

/// No element takes more bytes than this.
fn bound(element: &Element) -> usize {
    match element {
        Element::Command(command) => of_command(command),
        Element::Status(status) => {
            let chal = status.chal.as_ref().map_or(0, |chal| text(&chal.scheme) + optional(&chal.next_nonce) + FRAME);
            let refs = status.target_refs.iter().chain(&status.source_refs).map(|text| self::text(text) + TAGS);
            FRAME
                + text(&status.msg_ref)
                + optional(&status.cmd_ref)
                + text(&status.cmd)
                + chal
                + refs.sum::<usize>()
                + items(&status.items)
        }
        Element::Results(results) => {
            let refs = optional(&results.target_ref) + optional(&results.source_ref);
            let meta = optional(&results.meta.format) + optional(&results.meta.kind) + optional(&results.meta.mark);
            2 * FRAME + optional(&results.msg_ref) + text(&results.cmd_ref) + refs + meta + items(&results.items)
        }
    }
}

fn of_command(command: &Command) -> usize {
    let inside = match &command.verb {
        Verb::Add(all) | Verb::Replace(all) | Verb::Delete(all) | Verb::Get(all) | Verb::Copy(all) => items(all),
        Verb::Exec { correlator, item } => optional(correlator) + of_item(item),
        Verb::Alert { correlator, items: all, .. } => optional(correlator) + items(all),
        Verb::Atomic(inner) | Verb::Sequence(inner) => inner.iter().map(of_command).sum(),
        Verb::Other(name) => 2 * name.len(),
    };
    FRAME + text(&command.cmd_id) + inside
}

fn items(items: &[Item]) -> usize {
    items.iter().map(of_item).sum()
}

fn of_item(item: &Item) -> usize {
    let meta = optional(&item.meta.format) + optional(&item.meta.kind) + optional(&item.meta.mark);
    2 * FRAME + meta + optional(&item.target) + optional(&item.source) + optional(&item.data)
}

/// `&` takes five bytes, nothing takes more.
fn text(text: &str) -> usize {
    5 * text.len()
}

fn optional(text: &Option<String>) -> usize {
    text.as_deref().map_or(0, self::text)
}

/// What the tags of one element and of its plain children take, at most.
const FRAME: usize = 256;
/// `<TargetRef>` and its end.
const TAGS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dm::syncml::{Chal, Meta, Results, Status};

    fn command(cmd_id: &str, verb: Verb) -> Element {
        Element::Command(Command { cmd_id: cmd_id.into(), verb })
    }

    /// What is told quickly is never less than what is written.
    #[track_caller]
    fn check_size(element: &Element) {
        let size = size(element);
        assert!(fits([element].into_iter(), size) && !fits([element].into_iter(), size - 1), "{element:?}");
    }

    #[test]
    fn sizes_are_told_to_the_byte_where_it_matters() {
        let text = "&<>\u{1}é".repeat(200);
        let item = Item { more_data: true, ..Item::source(&*text) }.with(Meta::typed(&*text, &*text), &*text);
        let meta = Meta {
            size: Some(u64::MAX),
            max_msg_size: Some(u64::MAX),
            max_obj_size: Some(u64::MAX),
            ..item.meta.clone()
        };
        let item = Item { meta, ..item };
        let status = Status {
            target_refs: vec![String::new(); 100],
            source_refs: vec![text.clone()],
            chal: Some(Chal { scheme: text.clone(), format: "b64".into(), next_nonce: Some(text.clone()) }),
            items: vec![item.clone()],
            code: u16::MAX,
            ..Status::default()
        };
        for element in [
            command(
                "65536",
                Verb::Alert { code: Some(u16::MAX), correlator: Some(text.clone()), items: vec![Item::default(); 9] },
            ),
            command("", Verb::Atomic(vec![Command { cmd_id: text.clone(), verb: Verb::Get(vec![item.clone()]) }])),
            command("", Verb::Other(text.clone())),
            Element::Results(Results { items: vec![item], target_ref: Some(text.clone()), ..Results::default() }),
            Element::Status(status),
        ] {
            check_size(&element);
        }
    }
}
