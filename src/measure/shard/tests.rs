//! Shards record, and merge in any order.

use super::*;
use crate::seed::Seed;
use rand::RngExt;

const TOOK: Duration = Duration::from_millis(2);

fn done(took: Duration) -> End<'static> {
    End { outcome: &Outcome::Done, as_expected: true, response: took, service: took / 2 }
}

/// A shard with a little of everything, by dice.
fn any_shard(seed: Seed, number: u64) -> Shard {
    let mut dice = seed.stream("shard", number);
    let mut shard = Shard::new();
    let flows: Vec<FlowKind> = FlowKind::all().collect();
    for _ in 0..200 {
        let kind = flows[dice.random_range(0..flows.len())];
        let message = Kind::ALL[dice.random_range(0..Kind::ALL.len())];
        let took = Duration::from_micros(dice.random_range(1..10_000_000));
        match dice.random_range(0..12) {
            0 => shard.flow_started(kind, "done", dice.random_range(0..3_usize).checked_sub(1)),
            1 => shard.flow_ended(kind, &done(took), dice.random_range(0..3_usize).checked_sub(1)),
            2 => {
                let outcome = Outcome::Undone { reason: dice.random_range(400..405) };
                let end = End { outcome: &outcome, as_expected: false, ..done(took) };
                shard.flow_ended(kind, &end, None);
            }
            3 => shard.message_sent(message, Some(kind)),
            4 => shard.message_answered(message, Some(kind), took, took / 2),
            5 => shard.message_lost(message, None, dice.random()),
            6 => shard.message_duplicated(message, None),
            7 => shard.message_unexpected(message, Some(kind), dice.random()),
            8 => shard.session_ended(SessionSide::Dms2, dice.random(), took, took),
            9 => shard.call_answered(&Split { opening: None, send: took, wait: took, receive: took }),
            10 => shard.rejected(if dice.random() { "not_xml" } else { "too_large" }),
            _ => shard.late(took),
        }
    }
    shard.bootstrap_ended(true, TOOK, TOOK);
    shard.start_dropped();
    shard.mailbox_refused();
    shard.never_sent();
    shard
}

fn merged(shards: &[&Shard]) -> Shard {
    let mut whole = Shard::new();
    shards.iter().for_each(|shard| whole.merge(shard));
    whole
}

#[test]
fn shards_merge_in_any_order_and_grouping() {
    let seed = Seed::fresh();
    let [a, b, c] = [0, 1, 2].map(|number| any_shard(seed, number));
    let whole = merged(&[&a, &b, &c]);
    assert_eq!(whole, merged(&[&c, &a, &b]), "seed {}", seed.0);
    assert_eq!(whole, merged(&[&a, &merged(&[&b, &c])]), "seed {}", seed.0);
    assert_ne!(whole, a, "seed {}", seed.0);
    assert_eq!(whole.started(), a.started() + b.started() + c.started(), "seed {}", seed.0);
}

#[test]
fn a_call_is_told_apart_by_its_parts() {
    let mut shard = Shard::new();
    let opening = Opening { connect: TOOK, handshake: TOOK * 2, resumed: true };
    let split = Split { opening: Some(opening), send: TOOK * 3, wait: TOOK * 4, receive: TOOK * 5 };
    shard.call_answered(&split);
    shard.call_answered(&Split { opening: None, ..split });
    let seen = |metric| {
        let latency = shard.latency(metric)?;
        Some((latency.service.count(), latency.service.max_ms()?))
    };
    assert_eq!(seen(Metric::Connect), Some((1, 2.0)));
    assert_eq!((seen(Metric::TlsHandshake), seen(Metric::TlsResumed)), (Some((1, 4.0)), Some((1, 4.0))));
    assert_eq!(seen(Metric::TlsFull), None);
    assert_eq!((seen(Metric::Send), seen(Metric::Wait)), (Some((2, 6.0)), Some((2, 8.0))));
    assert_eq!(seen(Metric::Receive), Some((2, 10.0)));
    assert_eq!((shard.handshakes(), shard.handshakes_full), (1, 0));
}

#[test]
fn messages_are_counted_by_the_flow_that_was_under_way() {
    let [one, other] = [0, 1].map(|nth| FlowKind::all().nth(nth).expect("there are flows"));
    let mut shard = Shard::new();
    shard.message_sent(Kind::DelegationReq, Some(one));
    shard.message_sent(Kind::DelegationReq, Some(other));
    shard.message_sent(Kind::DelegationReq, None);
    shard.message_lost(Kind::DelegationReq, Some(other), true);
    shard.message_unexpected(Kind::DelegationReq, Some(other), true);
    shard.message_unexpected(Kind::DelegationReq, Some(other), false);
    assert_eq!((shard.messages(Kind::DelegationReq).sent, shard.messages_of(one, Kind::DelegationReq).sent), (3, 1));
    let expected = MessageCount { sent: 1, lost: 1, timed_out: 1, unexpected: 2, late: 1, ..MessageCount::default() };
    assert_eq!(shard.messages_of(other, Kind::DelegationReq), expected);
}

#[test]
fn waves_are_counted_apart_and_together() {
    let kind = FlowKind::all().next().expect("there are flows");
    let mut shard = Shard::new();
    for wave in [0, 1, 1] {
        shard.flow_started(kind, "done", Some(wave));
        shard.flow_ended(kind, &done(TOOK), Some(wave));
    }
    let ended = |flows: &Flows| (flows.count_started(), flows.count_ended_with("done"));
    assert_eq!(shard.flows_of(1).map(ended), Some((2, 2)));
    assert_eq!(ended(shard.flows()), (3, 3));
    assert_eq!(shard.flows_of(2), None);
}

#[test]
fn memory_does_not_grow_with_causes() {
    let kind = FlowKind::all().next().expect("there are flows");
    let mut shard = Shard::new();
    for reason in 0..1_000 {
        shard.flow_ended(kind, &End { outcome: &Outcome::Refused { reason }, ..done(TOOK) }, None);
    }
    assert_eq!(shard.causes.len(), MOST_CAUSES + 1);
    assert_eq!(shard.causes.values().sum::<u64>(), 1_000);
    assert_eq!(shard.causes[OTHER_CAUSES], 800);
}
