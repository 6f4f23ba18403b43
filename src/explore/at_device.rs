//! What a device does when something happens to it: sessions at once, by the code that does them over HTTPS, and what it
//! does by itself because of them.

use crate::dm::acl::Acl;
use crate::dm::bootstrap as document;
use crate::dm::client::Initiative;
use crate::dm::direct;
use crate::dm::tree::Tree;
use crate::explore::at_server::Making;
use crate::explore::premises::Premises;
use crate::explore::under_way::UnderWay;
use crate::facts::{What, machines};
use crate::ids::{BootstrapServerNumber, ServerNumber, device_id};

/// A session of a server with the device; what the device does by itself because of it sets out behind it.
pub(super) fn hold_session(
    premises: &Premises,
    tree: &mut Tree,
    errand: UnderWay,
    breaks_in: Option<u8>,
) -> Option<Making> {
    let UnderWay::Errand { at, device, job, errand } = errand else { unreachable!("asked for an errand only") };
    let parties = &premises.parties;
    let mut turn = Making::default();
    let number = premises.devices[device];
    let kind = errand.kind();
    let before = Initiative::before(tree, premises.quiet);
    let id = &parties.server(at).id;
    let comes = tree.has_account(id);
    if comes {
        turn.facts.push((number, What::SessionOpened { with: at }));
    }
    let ran = direct::run(id, errand, tree, breaks_in.map(usize::from));
    if breaks_in.is_some() && !ran.is_broken_off {
        return None;
    }
    let seen = ran.notes.into_iter().filter_map(|note| machines::of_device(note, |id| parties.server_named(id)));
    turn.facts.extend(seen.map(|what| (number, what)));
    if comes {
        turn.facts.push((number, What::SessionEnded { with: at, in_order: !ran.is_broken_off }));
    }
    turn.sets_out.push(UnderWay::Report { at, device, job, errand: kind, report: ran.report });
    let fetches = before.new_urls(tree).into_iter().filter_map(|url| bootstraps_to(premises, device, &url));
    turn.sets_out.extend(fetches);
    turn.sets_out.extend(connections(premises, device, &before, tree, Some(at)));
    Some(turn)
}

pub(super) fn bootstrap(
    premises: &Premises,
    tree: &mut Tree,
    device: usize,
    from: BootstrapServerNumber,
    of: ServerNumber,
) -> Making {
    let mut turn = Making::default();
    let number = premises.devices[device];
    let id = device_id(number);
    let account = premises.parties.server(of).accounts.account(&id);
    let bootstrap = document::document(&account, &id, Acl::empty());
    turn.facts.push((number, What::Fetched { from, ok: true }));
    let had_account = tree.has_account(&account.server);
    let before = Initiative::before(tree, premises.quiet);
    if document::apply(&bootstrap, tree).is_ok() {
        if !had_account {
            turn.facts.push((number, What::Account { of, is_there: true }));
        }
        turn.sets_out.extend(connections(premises, device, &before, tree, None));
    }
    turn
}

fn connections(
    premises: &Premises,
    device: usize,
    before: &Initiative,
    tree: &Tree,
    but: Option<ServerNumber>,
) -> Vec<UnderWay> {
    let parties = &premises.parties;
    let open = before.newly_open(tree).into_iter().filter_map(|id| parties.server_named(&id));
    open.filter(|with| but != Some(*with)).map(|with| UnderWay::Connection { device, with }).collect()
}

/// To which bootstrap server a URL leads, and to an account of whom.
fn bootstraps_to(premises: &Premises, device: usize, url: &str) -> Option<UnderWay> {
    let id = device_id(premises.devices[device]);
    let mut servers = (0..).map(ServerNumber).zip(&premises.parties.servers);
    servers.find_map(|(of, server)| {
        let (from, links) = server.bootstrap.as_ref()?;
        (links.device_of(url)? == id).then_some(UnderWay::Fetch { device, from: *from, of })
    })
}
