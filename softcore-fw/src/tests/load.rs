//! Load control and active restoration as the host sees them.

use baton_abi::{
    msg::{command, event, ConnId, Header},
    regs::mailbox,
};
use baton_tcp::Flags;

use super::{
    protocol::{message, record, Bench},
    slots,
};

/// The transitions that the host was told of: states before and after, `Soft_Limit`, `Qlen` and `Cnum`, in the order of
/// their cycles.
fn transitions(events: &[Vec<u32>]) -> Vec<(u32, u32, u32, u32, u32)> {
    let told: Vec<_> = events.iter().filter(|e| e[0] as u8 == event::LOAD).collect();
    assert!(told.windows(2).all(|pair| pair[0][4] <= pair[1][4]), "cycles run backwards: {told:?}");
    told.iter().map(|e| (e[3] >> event::LOAD_BEFORE_SHIFT, e[3] & 0xFF, e[2], e[5], e[6])).collect()
}

/// Every arc of Figure 3 is one event, with what the state machine found.
#[test]
fn every_transition_is_an_event() {
    let mut memory = slots(40);
    let marks = [(mailbox::CFG_LOAD_CONTROL, 1), (mailbox::CFG_HIWAT, 4), (mailbox::CFG_LOWAT, 2)];
    let mut bench = Bench::configured(&mut memory, &[&marks[..], &[(mailbox::CFG_HARD_LIMIT, 33)]].concat());
    let constants = [mailbox::STS_HARD_LIMIT, mailbox::STS_HIWAT, mailbox::STS_LOWAT];
    assert_eq!(constants.map(|word| bench.status(word)), [33, 4, 2]);
    let conns: Vec<_> = (0..33).map(|client| bench.handoff(client)).collect();
    let burst = |bench: &mut Bench, packets| {
        for _ in 0..packets {
            bench.arrive(32, 0, 0, Flags::ACK, b"");
        }
        bench.settle();
        transitions(&bench.events())
    };
    let (monitor, decrease, increase) = (0, 1, 2);
    assert_eq!(burst(&mut bench, 7), [(monitor, decrease, 31, 6, 33)]);
    for conn in &conns[..3] {
        bench.fw.hw.command(&message(command::ABORT, *conn, &[]));
    }
    bench.settle();
    // With the third one gone, Cnum is below Soft_Limit; the queue is assessed anew by the next event.
    assert_eq!(transitions(&bench.events()), [(decrease, monitor, 31, 0, 30)]);
    assert_eq!(burst(&mut bench, 1), [(monitor, increase, 32, 0, 30)]);
    assert_eq!(burst(&mut bench, 7), [(increase, decrease, 29, 6, 30)]);
    for conn in &conns[3..5] {
        bench.fw.hw.command(&message(command::ABORT, *conn, &[]));
    }
    bench.settle();
    assert_eq!(transitions(&bench.events()), [(decrease, monitor, 29, 0, 28)]);
    assert_eq!(burst(&mut bench, 1), [(monitor, increase, 30, 0, 28)]);
    for client in 40..42 {
        bench.fw.hw.command(&message(command::HANDOFF, ConnId(0), &record(client).to_words()));
    }
    bench.settle();
    assert_eq!(transitions(&bench.events()), [(increase, monitor, 30, 0, 30)]);
    assert_eq!(bench.status(mailbox::STS_SOFT_LIMIT), 30);
}

/// Overloaded for long, by a queue that does not get shorter, the NIC offers those connections to the host that its packets
/// were for, the costliest first, once each; and none while active restoration is off.
#[test]
fn a_long_overload_offers_the_costliest_connections() {
    for after_us in [0, 50] {
        let mut memory = slots(32);
        let marks = [(mailbox::CFG_LOAD_CONTROL, 1), (mailbox::CFG_HIWAT, 4), (mailbox::CFG_LOWAT, 2)];
        let marks = [&marks[..], &[(mailbox::CFG_SHED_AFTER_US, after_us)]].concat();
        let mut bench = Bench::configured(&mut memory, &marks);
        let conns: Vec<_> = (0..32).map(|client| bench.handoff(client)).collect();
        let mut offered = Vec::new();
        let mut packets = 0..;
        for _ in 0..3 {
            for _ in 0..100 {
                while bench.fw.hw.queue_len() < 100 {
                    let packet: u16 = packets.next().expect("there is no last one");
                    // Of eight packets four are for client 5, two for client 9, and two for any.
                    let client = [5, 9, 5, packet % 32, 5, 9, 5, packet / 8 % 32][usize::from(packet % 8)];
                    bench.arrive(client, 0, 0, Flags::ACK, b"");
                }
                bench.fw.turn();
                bench.fw.hw.step(20);
            }
            bench.settle();
            let events = bench.events();
            offered.extend(events.into_iter().filter(|e| e[0] as u8 == event::SHED));
        }
        let names: Vec<_> = offered.iter().map(|e| Header::from_word(e[0]).conn).collect();
        if after_us == 0 {
            assert!(names.is_empty(), "{names:?}");
            continue;
        }
        assert_eq!(names[..2], [conns[5], conns[9]], "{offered:?}");
        assert!((100..150).contains(&offered[0][2]) && (50..80).contains(&offered[1][2]), "{offered:?}");
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{name:?} was offered twice");
        }
        // The host asks for it as for any other.
        bench.command(command::RESTORE, conns[5], &[]);
        assert!(bench.events().iter().any(|e| e[0] as u8 == event::RESTORED));
    }
}
