//! While the NIC owns a connection, no TCP header of it crosses the host interface.
//!
//! Every DMA burst is searched for the 12 bytes in which the addresses of an IPv4 header meet the ports of a TCP
//! header, for both directions of the connection, at any alignment and across bursts. The one exception
//! is counted: packets that had reached the host before the lookup entry stood are injected, each read once.

use anyhow::Result;
use baton::client::http::Expect;
use baton::client::FetchState;
use baton::demo::{self, DemoConfig};
use baton::server::{Never, Ownership};
use baton_cosim::axi::Burst;
use baton_cosim::nic::VerilatedNic;
use baton_cosim::system::Event;
use std::cell::RefCell;
use std::rc::Rc;

const PATTERN_BYTES: usize = 12;

/// Headers seen in one direction of DMA.
#[derive(Default)]
struct Direction {
    /// Where the last burst ended, and its last bytes.
    end: u32,
    tail: Vec<u8>,
    headers: u64,
    bytes: u64,
}

impl Direction {
    fn burst(&mut self, burst: &Burst, patterns: &[[u8; PATTERN_BYTES]]) {
        // The bytes that count: a write's strobes leave some out at either end.
        let bytes = burst.words.iter().zip(burst.strobes).enumerate().flat_map(|(i, (word, strobe))| {
            let at = burst.addr + 4 * i as u32;
            let lanes = word.to_le_bytes().into_iter().zip(at..);
            lanes.enumerate().filter_map(move |(lane, byte)| (strobe >> lane & 1 == 1).then_some(byte))
        });
        let (data, addresses): (Vec<u8>, Vec<u32>) = bytes.unzip();
        let Some(&addr) = addresses.first() else { return };
        if addr != self.end {
            self.tail.clear();
        }
        self.tail.extend_from_slice(&data);
        self.headers +=
            self.tail.windows(PATTERN_BYTES).filter(|w| patterns.iter().any(|p| w == p)).count() as u64;
        self.bytes += data.len() as u64;
        let keep = self.tail.len().saturating_sub(PATTERN_BYTES - 1);
        self.tail.drain(..keep);
        self.end = addr.wrapping_add(data.len() as u32);
    }
}

#[derive(Default)]
struct Watch {
    patterns: Vec<[u8; PATTERN_BYTES]>,
    read: Direction,
    written: Direction,
}

fn pattern(from_ip: u32, to_ip: u32, from_port: u16, to_port: u16) -> [u8; PATTERN_BYTES] {
    let mut bytes = [0; PATTERN_BYTES];
    bytes[..4].copy_from_slice(&from_ip.to_be_bytes());
    bytes[4..8].copy_from_slice(&to_ip.to_be_bytes());
    bytes[8..10].copy_from_slice(&from_port.to_be_bytes());
    bytes[10..].copy_from_slice(&to_port.to_be_bytes());
    bytes
}

#[test]
fn none_crosses_the_host_interface_while_the_nic_owns_the_connection() -> Result<()> {
    let config = DemoConfig { host_connections: 2, ..DemoConfig::default() };
    let mut world = demo::build(&config, VerilatedNic::new(), &baton_tests::firmware()?, Box::new(Never))?;
    let watch = Rc::new(RefCell::new(Watch::default()));
    let observer = watch.clone();
    world.system.observe(Box::new(move |_, event| {
        let Watch { patterns, read, written } = &mut *observer.borrow_mut();
        match event {
            Event::MemoryRead(burst) => read.burst(burst, patterns),
            Event::MemoryWrite(burst) => written.burst(burst, patterns),
            _ => {}
        }
    }));
    let bytes = 512 << 10;
    let moving = world.client_mut(0).fetch([Expect::file(7, bytes)]);
    for client in 1..=2 {
        world.client_mut(client).fetch([Expect::file(8, bytes)]);
    }
    let (local_ip, local_port) = (u32::from_be_bytes([10, 0, 0, 1]), 80);
    let (remote_ip, remote_port) =
        (config.client_ip(0).as_v4().expect("IPv4"), world.client(0).local_port(moving));
    watch.borrow_mut().patterns = vec![
        pattern(remote_ip, local_ip, remote_port, local_port),
        pattern(local_ip, remote_ip, local_port, remote_port),
    ];

    // The host serves the first part: the watch must see headers in both directions.
    let moved = |quarter: u64| {
        move |world: &mut baton::world::World<VerilatedNic>| {
            world.client(0).body_bytes(moving) >= u64::from(bytes) * quarter / 4
        }
    };
    assert!(world.run_until(20_000_000, moved(1))?, "a quarter of the response arrives from the host");
    let (read, written) = (watch.borrow().read.headers, watch.borrow().written.headers);
    assert!(read > 10 && written > 10, "the watch sees host packets: {read} read, {written} written");

    let socket = demo::socket_of(&world, &config, 0, moving).expect("the connection is open");
    world.ask_server(|server, port| server.handoff(port, socket)).expect("a connection can be handed off");
    let owner = |world: &baton::world::World<VerilatedNic>| world.server.stack().ownership(socket);
    assert!(world.run_until(1_000_000, |w| owner(w) == Some(Ownership::Nic))?, "the NIC accepts");
    let (read, written) = (watch.borrow().read.headers, watch.borrow().written.headers);
    let bytes_before = watch.borrow().read.bytes;
    assert!(world.run_until(20_000_000, moved(3))?, "the NIC sends half of the response");
    assert_eq!(owner(&world), Some(Ownership::Nic));
    let crossed_read = watch.borrow().read.headers - read;
    let crossed_written = watch.borrow().written.headers - written;
    let injected = world.server.stats().driver.injected;
    assert_eq!(crossed_written, 0, "headers written to host memory while the NIC owned the connection");
    assert!(crossed_read <= injected, "{crossed_read} headers read, {injected} packets injected");
    assert!(
        watch.borrow().read.bytes - bytes_before >= u64::from(bytes) / 2,
        "the payload came from host memory"
    );

    world.ask_server(|server, port| server.restore(port, socket)).expect("a connection can be restored");
    assert!(world.run_until(20_000_000, |w| w.clients().iter().all(|c| c.idle()))?, "every response ends");
    assert_eq!(*world.client(0).state(moving), FetchState::Done);
    Ok(())
}
