//! What a watched device tells of its work.

use super::*;

fn watched(servers: &[&str]) -> Bench {
    let settings = Settings { is_watched: true, ..Settings::default() };
    Bench::with(device(servers, Scheme::Basic, settings), book(OWNER, Scheme::Basic))
}

impl Bench {
    /// What has been told since the last time, beside sessions, on one line each.
    fn told(&mut self) -> Vec<String> {
        let line = |note| match note {
            Note::Operated { server, verb, target, code } => Some(format!("{server} {verb} {target} {code}")),
            Note::AccountAppeared { server } => Some(format!("{server} appears")),
            Note::AccountGone { server } => Some(format!("{server} goes")),
            _ => None,
        };
        let lines = self.notes.drain(..).filter_map(line);
        lines.map(|line| line.replace(".example.test", "").trim_start_matches("dms1 ").to_owned()).collect()
    }
}

#[test]
fn every_command_is_told_with_its_code() {
    let mut bench = watched(&[OWNER]);
    let two = Verb::Get(vec![Item::target("./DevInfo/Man"), Item::target("./nowhere")]);
    let verbs = vec![
        add("./SCOMO/a"),
        replace("./SCOMO?prop=ACL", "nonsense"),
        two,
        Verb::Atomic(inner(vec![add("./SCOMO/b"), delete("./DevInfo"), add("./SCOMO/c")])),
        alert(1100),
        Verb::Sequence(inner(vec![add("./SCOMO/d")])),
        Verb::Other("Put".into()),
        Verb::Get(vec![Item::default()]),
    ];
    bench.run(verbs);
    assert_eq!(
        bench.told(),
        [
            "Add ./SCOMO/a 200",
            "Replace ./SCOMO?prop=ACL 400",
            "Get ./DevInfo/Man 200",
            "Get ./nowhere 404",
            "Atomic  507",
            "Add ./SCOMO/b 216",
            "Delete ./DevInfo 405",
            "Add ./SCOMO/c 215",
            "Add ./SCOMO/d 200",
            "Other  406",
            "Get  412",
        ]
    );
}

#[test]
fn what_is_refused_unproved_or_lost_is_told_too() {
    let mut bench = watched(&[OWNER]);
    bench.trigger(0x8001);
    bench.answer_as(212, None, None, vec![add("./SCOMO/a")], |_| {});
    assert_eq!(bench.told(), ["Add ./SCOMO/a 407"]);
    bench.give(Input::Mishap(Mishap::Refuse { code: 420 }));
    bench.give(Input::Mishap(Mishap::DropAfter { commands: 2 }));
    bench.answer(212, None, vec![add("./SCOMO/a"), add("./SCOMO/b"), add("./SCOMO/c")]);
    assert_eq!(bench.told(), ["Add ./SCOMO/a 420", "Add ./SCOMO/b 200"], "the third was never begun");
}

#[test]
fn accounts_that_come_and_go_are_told_at_the_command_that_did_it() {
    let mut bench = watched(&[OWNER, OTHER]);
    bench.run(vec![delete("./DMAcc/dms2.example.test"), get("./DevInfo/Man")]);
    assert_eq!(bench.told(), ["Delete ./DMAcc/dms2 200", "dms2 goes", "Get ./DevInfo/Man 200"]);
    let undone = Verb::Atomic(inner(vec![delete("./DMAcc/dms1.example.test"), delete("./DevInfo")]));
    bench.answer(200, None, vec![undone]);
    assert_eq!(bench.told(), ["Atomic  507", "Delete ./DMAcc/dms1 216", "Delete ./DevInfo 425"]);
    bench.answer(200, None, vec![add("./BootstrapConfig/BootSrvInfo/2/URL")]);
    bench.answer(200, None, vec![]);
    bench.told();
    let (exchange, _) = bench.fetch.take().unwrap();
    let account = book(OTHER, Scheme::Basic).account(&device_id(DEVICE));
    let document = bootstrap::document(&account, &device_id(DEVICE), Acl::empty());
    bench.give(Input::Bootstrap { exchange, result: Ok(document) });
    assert!(bench.notes.contains(&Note::Bootstrapped { server: id(OTHER) }));
    assert_eq!(bench.told(), ["dms2 appears"]);
    bench.give(Input::Mishap(Mishap::FactoryReset));
    assert_eq!(bench.told(), Vec::<String>::new(), "it began with both");
}

#[test]
fn a_factory_reset_tells_who_has_gone_and_who_is_back() {
    let mut bench = watched(&[OWNER, OTHER]);
    let third = AccountBook { server: id("dms3.example.test"), ..book(OTHER, Scheme::Basic) };
    let tnds = third.account(&device_id(DEVICE)).to_tnds("third", Acl::empty());
    tnds.graft(bench.client.tree_mut(), Actor::Device, &at("./DMAcc/third")).unwrap();
    bench.run(vec![delete("./DMAcc/dms2.example.test")]);
    bench.told();
    bench.give(Input::Mishap(Mishap::FactoryReset));
    let ended = bench.notes.iter().position(|note| matches!(note, Note::SessionEnded { .. }));
    assert_eq!(ended, Some(0), "the session first");
    assert_eq!(bench.told(), ["dms3 goes", "dms2 appears"]);
}

#[test]
fn nobody_watches_unless_asked_to() {
    let mut bench = Bench::new(Scheme::Basic);
    bench.run(vec![delete("./DMAcc/dms1.example.test")]);
    assert_eq!(bench.told(), Vec::<String>::new());
}
