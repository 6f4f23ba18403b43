//! How sessions go on and end.

use super::*;

#[test]
fn the_next_message_goes_where_resp_uri_says() {
    let mut bench = Bench::new(Scheme::None);
    bench.trigger(0x8001);
    let there = "https://dms1.example.test/dm/session?x=1&y=2";
    bench.answer_as(200, None, None, vec![get("./DevInfo/Man")], |message| {
        message.header.resp_uri = Some(there.to_owned());
    });
    assert_eq!(bench.post.as_ref().unwrap().1, there);
    assert_eq!(bench.said().header.target.uri, there);
    bench.answer(200, None, vec![]);
    bench.trigger(0x8002);
    assert_eq!(bench.post.as_ref().unwrap().1, "https://dms1.example.test/dm", "for this session only");
}

#[test]
fn sessions_end_as_their_servers_will_have_it() {
    type Last = fn(&mut Bench);
    let cases: [(Last, Outcome); 7] = [
        (|bench| bench.answer(212, None, vec![]), Outcome::Done),
        (|bench| bench.answer(212, None, vec![alert(1223), add("./SCOMO/a")]), Outcome::Aborted),
        (|bench| bench.answer(503, None, vec![]), Outcome::Refused(503)),
        (
            |bench| bench.answer_as(212, None, None, vec![], |message| message.header.session_id = "1".into()),
            Outcome::Misbehaved("it answered with another SessionID"),
        ),
        (
            |bench| {
                let (exchange, ..) = bench.post.take().unwrap();
                bench.give(Input::Answer { exchange, result: Err(Failure::Status(500)) });
            },
            Outcome::Failed(Failure::Status(500)),
        ),
        (
            |bench| {
                let deadline = bench.client.deadline();
                assert_eq!(deadline, NOW + Settings::default().answer_timeout);
                bench.give(Input::Wake);
                assert!(!bench.client.is_idle(), "it is not late yet");
                let mut out = Vec::new();
                bench.client.handle(deadline, Input::Wake, &mut out);
                bench.notes.extend(out.into_iter().filter_map(|effect| match effect {
                    Effect::Note(note) => Some(note),
                    _ => None,
                }));
            },
            Outcome::TimedOut,
        ),
        (
            |bench| {
                let exchange = Exchange(99);
                bench.give(Input::Answer { exchange, result: Err(Failure::Status(500)) });
                assert!(!bench.client.is_idle(), "that was the answer to something else");
                bench.answer(212, None, vec![]);
            },
            Outcome::Done,
        ),
    ];
    for (last, outcome) in cases {
        let mut bench = Bench::new(Scheme::Md5);
        bench.trigger(0x8001);
        last(&mut bench);
        bench.ended(outcome);
        assert_eq!(bench.client.deadline(), Moment::NEVER);
        assert!(!bench.client.tree().has(&at("./SCOMO/a")));
    }
}

#[test]
fn a_package_in_pieces_is_asked_for_to_its_end() {
    let mut bench = Bench::new(Scheme::None);
    bench.trigger(0x8001);
    bench.answer_as(200, None, None, vec![add("./SCOMO/a")], |message| message.is_final = false);
    assert!(!bench.said().is_final);
    assert_eq!(bench.said().commands().next().unwrap().verb, alert(1222));
    bench.answer(200, None, vec![add("./SCOMO/b")]);
    assert!(bench.said().is_final);
    assert_eq!(bench.codes(), [200]);
}

/// A server that takes no more than so many octets at once.
fn small(octets: u64) -> impl Fn(&mut Message) {
    move |message| message.header.meta.max_msg_size = Some(octets)
}

#[test]
fn what_finds_no_room_comes_when_it_is_asked_for() {
    let mut bench = Bench::new(Scheme::None);
    bench.trigger(0x8001);
    let verbs = || (0..9).map(|n| add(&format!("./SCOMO/{n}"))).collect();
    bench.answer_as(200, None, None, verbs(), small(1_024 + 900));
    let mut codes = bench.codes();
    assert!(!bench.said().is_final && codes.len() < 9, "{codes:?}");
    assert_eq!(bench.said().commands().count(), 0, "it does not ask the server for anything");
    while !bench.said().is_final {
        assert!(syncml_xml::write(bench.said()).len() < 1_024 + 900);
        bench.answer_as(200, None, None, vec![alert(1222)], |message| message.is_final = false);
        // The Status of the alert is the last.
        codes.extend(bench.codes());
    }
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), codes.len());
    let alerts = bench.said().header.msg_id.parse::<usize>().unwrap() - 2;
    assert_eq!(codes.len(), 9 + alerts);
    bench.answer(200, None, vec![]);
    bench.ended(Outcome::Done);
}

#[test]
fn what_fits_into_no_message_is_refused_for_its_size() {
    let mut bench = Bench::new(Scheme::None);
    bench.client.tree_mut().add(Actor::Device, &at("./SCOMO/long"), long()).unwrap();
    bench.trigger(0x8001);
    bench.answer_as(200, None, None, vec![get("./SCOMO/long"), get("./DevInfo/Man")], small(3_000));
    assert_eq!(bench.codes(), [413, 200]);
    assert_eq!(bench.said().results().count(), 1);
    // However little it is, the session goes on and comes to its end.
    let mut bench = Bench::new(Scheme::None);
    bench.trigger(0x8001);
    bench.answer_as(200, None, None, vec![get("./DevInfo/Man"), add("./SCOMO/a")], small(1));
    assert_eq!((bench.codes(), bench.said().is_final), (vec![413], false));
    bench.answer_as(200, None, None, vec![alert(1222)], |message| message.is_final = false);
    assert_eq!((bench.codes(), bench.said().is_final), (vec![200], false));
    bench.answer_as(200, None, None, vec![], |_| {});
    bench.ended(Outcome::Done);
}

fn long() -> NewNode<'static> {
    NewNode::Leaf { format: Format::Chr, kind: "", value: "x".repeat(5_000).leak() }
}

#[test]
fn a_server_whose_account_is_gone_does_no_more_work_even_in_an_open_session() {
    let mut bench = Bench::new(Scheme::Md5);
    // Anybody may add below the root: it is the account that is missing, not a right in an ACL.
    let codes = bench.run(vec![delete("./DMAcc/dms1.example.test"), add("./later"), get("./DevInfo/Man")]);
    assert_eq!(codes, [200, 425, 425]);
    bench.answer(200, None, vec![add("./later")]);
    assert_eq!(bench.codes(), [425]);
    assert!(!bench.client.tree().has(&at("./later")));
    bench.answer(200, None, vec![]);
    bench.ended(Outcome::Done);
    bench.trigger(0x8002);
    assert_eq!(bench.notes.last(), Some(&Note::TriggerIgnored(Ignored::UnknownServer)));
}
