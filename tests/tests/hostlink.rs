//! A board that is reached by frames alone: `nic_link` (NIC, MACs, host link) at the pins of its two PHYs, with models of the ECP5's
//! DDR cells, and the PC's software at the other end of the second port; or of the only one, as the ECPIX-5 has it, which the network
//! shares.
//!
//! Time is that of the co-simulation. `cargo xtask test -p baton-tests --test hostlink` replays it.

use anyhow::{anyhow, ensure, Result};
use baton::client::{http::Expect, ClientConfig, ClientHost, FetchState};
use baton::hostlink::adapter::{self, Adapter, Interface};
use baton::hostlink::port::{LinkPort, Wire};
use baton::server::frame::{self, Parsed};
use baton::server::{Address, AdoptError, DriverConfig, FirstCome, Server, ServerConfig};
use baton_abi::{
    handoff::{Endpoints, TcbRecord},
    link,
    regs::{self, mailbox},
};
use baton_cosim::hostlink::LinkConfig;
use baton_cosim::nic::LinkedNic;
use baton_cosim::port::{HostMemory, HostPort};
use baton_hdl::board::{self, colorlight_5a75b, ecpix5};
use baton_hdl::{mac::rgmii::RgmiiConfig, nic::NicConfig};
use baton_tcp::{wire, Flags, Instant, SeqNumber, Tcb};
use std::collections::VecDeque;
use std::time::Duration;

const CORE_PS: u64 = 10_000;
const STATION: [u8; 6] = [0x02, 0xBA, 0x70, 0x0E, 0, 9];

/// Identifiers of the PHYs: a Marvell 88E1512 and a Realtek RTL8211F.
const PHYS: [[u16; 2]; 2] = [[0x0141, 0x0DD1], [0x001C, 0xC916]];

/// The firmware has found the PHYs, told them their delays, and set them to negotiate full duplex; the console says so.
fn assert_phys_are_set_up(nic: &mut LinkedNic) {
    for _ in 0..1_000_000 {
        if nic.console().ends_with('\n') {
            break;
        }
        nic.cycle();
    }
    assert_eq!(nic.console(), "baton phy 01410DD1 001CC916\r\n");
    assert_eq!(nic.lines(), 0b111_111, "both PHYs report 1000 Mb/s and full duplex");
    let registers = |nic: &mut LinkedNic, port: usize, of: &[usize]| -> Vec<u16> {
        let phy = nic.phy_mut(port);
        assert_eq!(phy.errors, 0, "port {port}");
        of.iter().map(|&register| phy.registers[register]).collect()
    };
    // Control, advertisement; then the page and the bits of the delays.
    assert_eq!(registers(nic, 0, &[0, 4, 9, 22, 21]), [0x9200, 0x0141, 0x0200, 0, 0x1115 | 0x30]);
    assert_eq!(
        registers(nic, 1, &[0, 4, 9, 31, 17, 21]),
        [0x1200, 0x0141, 0x0200, 0, 0x1111 | 0x100, 0x1115 | 8]
    );
}

/// The PHY of a board with one port, a Microchip KSZ9031, is set up as well: the writes to it, and the console.
fn assert_only_phy_is_set_up(nic: &mut LinkedNic) {
    for _ in 0..1_000_000 {
        if nic.console().ends_with('\n') {
            break;
        }
        nic.cycle();
    }
    assert_eq!(nic.console(), "baton phy 00221622\r\n");
    assert_eq!(nic.lines(), 0b111_111, "both MACs see 1000 Mb/s and full duplex");
    let phy = nic.phy_mut(0);
    assert_eq!(phy.errors, 0);
    // Device, register, value behind the registers of clause 45, then what every PHY has.
    let through =
        |device, register, value| [(13, device), (14, register), (13, 0x4000 | device), (14, value)];
    let mut writes: Vec<(u8, u16)> =
        [(2, 4, 0x77), (2, 5, 0x7777), (2, 6, 0x7777), (2, 8, 0x1EF), (0, 4, 6), (0, 3, 0x1A80)]
            .into_iter()
            .flat_map(|(device, register, value)| through(device, register, value))
            .collect();
    writes.extend([(4, 0x0141), (9, 0x0200), (0, 0x1200)]);
    assert_eq!(phy.writes, writes);
}

/// What kind of board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With a port each for network and host link.
    TwoPorts,
    /// The same without handoff, as small as it can be.
    HostOnly,
    /// With one port for both.
    Shared,
}

/// The board, and what is on its lines: the PC on the second, or on the only one beside the network.
struct Board {
    nic: LinkedNic,
    shared: bool,
    network: VecDeque<Vec<u8>>,
    link: VecDeque<Vec<u8>>,
}

fn is_of_the_link(frame: &[u8]) -> bool {
    frame[12..14] == link::ETHERTYPE.to_be_bytes()
}

impl Board {
    fn new(kind: Kind) -> Result<Self> {
        let shared = kind == Kind::Shared;
        // The circuit's structures are large, so that the thread that makes them needs a large stack.
        let maker = std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
            let nic = match kind {
                Kind::TwoPorts => NicConfig::default(),
                Kind::HostOnly => NicConfig { boot_ticks_per_us: None, ..colorlight_5a75b::BOARD.nic() },
                Kind::Shared => return board::core::verilog_of(&ecpix5::BOARD),
            };
            let rgmii = RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 };
            board::core::verilog(&nic, &rgmii)
        })?;
        let text = maker.join().map_err(|_| anyhow!("the Verilog cannot be made"))?
            + include_str!("../../hdl/models/ecp5_ddr.v");
        let mut nic = match shared {
            true => LinkedNic::shared(&text, CORE_PS, STATION)?,
            false => LinkedNic::new(&text, CORE_PS, STATION)?,
        };
        let phys: &[[u16; 2]] = if shared { &[[0x0022, 0x1622]] } else { &PHYS };
        for (port, id) in phys.iter().enumerate() {
            nic.phy_mut(port).registers[2..4].copy_from_slice(id);
        }
        Ok(Board { nic, shared, network: VecDeque::new(), link: VecDeque::new() })
    }

    /// A frame of the network towards the board.
    fn send_to(&mut self, frame: &[u8]) {
        self.nic.send(0, frame);
    }

    /// The next frame that the board sent to the network.
    fn sent(&mut self) -> Option<Vec<u8>> {
        self.sort();
        self.network.pop_front()
    }

    fn sort(&mut self) {
        while let Some(frame) = self.nic.receive(0) {
            let of_link = self.shared && is_of_the_link(&frame);
            if of_link { &mut self.link } else { &mut self.network }.push_back(frame);
        }
        if !self.shared {
            self.link.extend(std::iter::from_fn(|| self.nic.receive(1)));
        }
    }
}

impl Wire for Board {
    fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.nic.send(if self.shared { 0 } else { 1 }, frame);
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        self.sort();
        Ok(self.link.pop_front())
    }

    /// Simulates a fortieth of the time, a microsecond at least: then the software looks again.
    fn wait(&mut self, most: Duration) {
        for _ in 0..(most.as_nanos() as u64 * 1000 / CORE_PS / 40).max(100) {
            self.nic.cycle();
        }
    }

    fn now_us(&self) -> u64 {
        self.nic.now_ps() / 1_000_000
    }
}

#[derive(Default)]
struct Kernel {
    sent: VecDeque<Vec<u8>>,
    received: Vec<Vec<u8>>,
    carrier: Vec<bool>,
}

impl Interface for Kernel {
    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.sent.pop_front())
    }

    fn send(&mut self, frame: &[u8]) -> bool {
        self.received.push(frame.to_vec());
        true
    }

    fn set_carrier(&mut self, carrier: bool) -> Result<()> {
        self.carrier.push(carrier);
        Ok(())
    }
}

fn numbered_frame(index: usize) -> Vec<u8> {
    let len = 60 + index * 97 % 1455;
    let mut frame: Vec<u8> = (0..len).map(|at| (at * 31 + index * 7) as u8).collect();
    frame[0] = 2;
    frame[12..14].copy_from_slice(&[0x88, 0xB6]);
    frame
}

#[test]
fn the_adapter_passes_frames_between_the_line_and_the_kernel() -> Result<()> {
    frames_pass_between_the_line_and_the_kernel(Kind::TwoPorts)
}

/// The same with frames of the network and of the host link on one line, and among them what is neither's: frames of the host link's
/// EtherType for another board, and for all.
#[test]
fn the_adapter_passes_frames_over_the_port_that_it_shares() -> Result<()> {
    frames_pass_between_the_line_and_the_kernel(Kind::Shared)
}

/// The same with a NIC that takes no connections.
#[test]
fn the_adapter_passes_frames_of_a_board_without_handoff() -> Result<()> {
    frames_pass_between_the_line_and_the_kernel(Kind::HostOnly)
}

fn frames_pass_between_the_line_and_the_kernel(kind: Kind) -> Result<()> {
    let shared = kind == Kind::Shared;
    let port = LinkPort::connect(LinkConfig::default(), Board::new(kind)?, adapter::memory(), 10_000)?;
    assert_eq!(port.board(), STATION);
    let config = DriverConfig {
        tx_log2: 5,
        rx_log2: 6,
        spare_rx_buffers: 0,
        tso_buffers: 0,
        ticks_per_us: 100,
        ..DriverConfig::default()
    };
    let mut adapter = Adapter::start(port, Kernel::default(), &config, None)?;
    assert_eq!(adapter.line_is_up()?, Some(true));
    // Twice, and told once.
    adapter.follow_line()?;
    adapter.follow_line()?;
    assert_eq!(adapter.interface_mut().carrier, [true]);
    let frames: Vec<Vec<u8>> = (0..60).map(numbered_frame).collect();
    // All at once, or only as many as fit the smaller queue of a small NIC; over a shared port the PC's frames wait behind them.
    let window = if kind == Kind::TwoPorts { frames.len() } else { 4 };
    let mut coming = frames.iter();
    adapter.interface_mut().sent.extend(frames.iter().cloned());
    let mut sent = Vec::new();
    for _ in 0..20_000 {
        while frames.len() - coming.len() < adapter.interface_mut().received.len() + window {
            let Some(frame) = coming.next() else { break };
            let board = adapter.port_mut().wire_mut();
            board.send_to(frame);
            if shared {
                for destination in [[0x02, 0xBA, 0x70, 0x0E, 0, 8], [0xFF; 6]] {
                    let mut foreign = frame.clone();
                    foreign[..6].copy_from_slice(&destination);
                    foreign[12..16].copy_from_slice(&[0x88, 0xB5, 1, 0x10]);
                    board.send_to(&foreign);
                }
            }
        }
        adapter.poll()?;
        adapter.port_mut().wait(Duration::ZERO);
        sent.extend(adapter.port_mut().wire_mut().sent());
        if sent.len() == frames.len() && adapter.interface_mut().received.len() == frames.len() {
            break;
        }
    }
    assert!(sent == frames, "{} of {} frames out", sent.len(), frames.len());
    assert!(adapter.interface_mut().received == frames, "{} in", adapter.interface_mut().received.len());
    let stats = adapter.stats();
    assert_eq!((stats.link.violations, stats.link.dropped, stats.link.failed_bursts), (0, 0, 0));
    let nic = &mut adapter.port_mut().wire_mut().nic;
    assert_eq!(nic.broken(), 0);
    if shared {
        // A driver may turn its MAC off, or ask for the PHY's reset: its own link still stands.
        let port = adapter.port_mut();
        port.reg_write(regs::MAC_CONTROL, 0);
        port.reg_write(regs::PHY_RESET, 1);
        assert_eq!(port.reg_read(regs::MAC_CONTROL)?, 0);
        port.wire_mut().send_to(&frames[0]);
        assert_eq!(port.reg_read(regs::MAC_RX_FRAMES)?, frames.len() as u32);
        // The board counts what was the link's and another's, and says so when it next acknowledges by itself.
        for _ in 0..100 {
            port.reg_read(regs::MAC_CONTROL)?;
            port.wait(Duration::ZERO);
        }
        assert_eq!(usize::from(port.link_stats().board_dropped), 2 * frames.len());
        return Ok(());
    }
    // The line goes down.
    nic.report(0, 0b1100);
    (0..100).for_each(|_| nic.cycle());
    assert_eq!(nic.lines(), 0b111_000);
    adapter.follow_line()?;
    assert_eq!(adapter.interface_mut().carrier, [true, false]);
    Ok(())
}

/// A server of the host model with rings as small as a link wants them.
fn small_server(connections: u32) -> ServerConfig {
    let mut config = ServerConfig { connections, ..ServerConfig::default() };
    config.driver = DriverConfig {
        tx_log2: 6,
        rx_log2: 6,
        spare_rx_buffers: 64,
        tso_buffers: 0,
        ticks_per_us: 100,
        ..DriverConfig::default()
    };
    config.tcp.min_rto_us = 20_000;
    config.tcp.delayed_ack_us = 500;
    config
}

/// Frames between the client and the network's line, and the board's time.
fn carry(port: &mut LinkPort<Board>, client: &mut ClientHost) -> Result<()> {
    port.pump()?;
    client.poll(port.now_ps());
    while let Some(frame) = client.take_frame() {
        port.wire_mut().send_to(&frame);
    }
    port.wait(Duration::ZERO);
    while let Some(frame) = port.wire_mut().sent() {
        client.receive(frame);
    }
    Ok(())
}

/// The server of the host model over the link, its connections handed off to the NIC, and a smoltcp client on the network's line
/// that checks every byte.
#[test]
fn a_connection_is_served_over_the_link_without_and_with_handoff() -> Result<()> {
    for (kind, handoff) in
        [(Kind::TwoPorts, false), (Kind::TwoPorts, true), (Kind::Shared, true), (Kind::HostOnly, false)]
    {
        let link = LinkConfig { session: 1 + u32::from(handoff), ..LinkConfig::default() };
        let memory = HostMemory::new(0x1000_0000, 32 << 20);
        let mut port = LinkPort::connect(link, Board::new(kind)?, memory, 10_000)?;
        let mut config = small_server(4);
        let image = match kind {
            Kind::HostOnly => baton_tests::host_only_firmware()?,
            _ => baton_tests::firmware()?,
        };
        if kind == Kind::HostOnly {
            // Buffers for TSO, which this NIC lacks, are not used; whoever means to hand off is told that it cannot.
            config.driver.tso_buffers = 4;
            config.driver.sched_mode = regs::SchedMode::HostFirst;
            let never = Box::new(baton::server::Never);
            let refused =
                Server::start(&config, never, &mut port, Some(&image)).err().expect("a table is described");
            assert!(refused.to_string().contains("the NIC has no table of connections"), "{refused}");
            config.driver.control_plane.tables.clear();
        }
        let selection: Box<dyn baton::server::Selection> = match handoff {
            true => Box::<FirstCome>::default(),
            false => Box::new(baton::server::Never),
        };
        let mut server = Server::start(&config, selection, &mut port, Some(&image))?;
        let mut client = ClientHost::new(ClientConfig {
            server_ip: config.address.ip,
            ack_delay_us: None,
            ..ClientConfig::default()
        });
        let fetch = client.fetch([0, 1, 5000, 60_000].map(|len| Expect::file(7, len)));
        let end_ps = port.now_ps() + 60_000_000_000;
        while !client.idle() {
            ensure!(
                port.now_ps() < end_ps,
                "not done after 60 ms: {:?}, {:?}",
                client.stats(),
                port.link_stats()
            );
            port.pump()?;
            server.poll(&mut port)?;
            carry(&mut port, &mut client)?;
        }
        assert_eq!(client.state(fetch), &FetchState::Done);
        let stats = server.stats().stack;
        assert_eq!((stats.handoffs, stats.refused), (u64::from(handoff), 0));
        let segments = port.reg_read(regs::STS + 4 * mailbox::STS_TX_SEGMENTS as u32)?;
        assert_eq!(segments > 20, handoff, "{segments} segments of the firmware");
        let link = port.link_stats();
        assert_eq!((link.violations, link.dropped, link.failed_bursts, link.write_errors), (0, 0, 0, 0));
        match kind {
            Kind::Shared => assert_only_phy_is_set_up(&mut port.wire_mut().nic),
            _ => assert_phys_are_set_up(&mut port.wire_mut().nic),
        }
        println!("{kind:?}, handoff {handoff}: {} us, {link:?}", port.now_ps() / 1_000_000);
    }
    Ok(())
}

/// The other stack of a NIC that is shared: it answers ARP and opens one connection.
struct Opener {
    own: Address,
    opened: Option<(Endpoints, Tcb)>,
    /// The connection is another's.
    gone: bool,
    /// Frames that are no business of either stack.
    ignored: usize,
}

impl Opener {
    /// Takes a frame; gives those to send, and whether the connection is open.
    fn receive(&mut self, now: Instant, bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
        match frame::parse(bytes, false) {
            Some(Parsed::ArpRequest { sender_mac, sender_ip, .. }) => {
                return (vec![frame::arp_reply(self.own, sender_mac, sender_ip).to_vec()], false);
            }
            Some(Parsed::Tcp { endpoints, segment, .. }) => {
                let is_syn = segment.flags.has(Flags::SYN);
                assert!(!self.gone, "{segment:?} of a connection that has left");
                let (_, tcb) = self.opened.get_or_insert_with(|| {
                    let tcb = Tcb::accept(baton_tcp::Config::default(), &segment, SeqNumber(1), 8192, now);
                    (endpoints, tcb)
                });
                let open = !is_syn && tcb.segment_arrives(now, &segment).established;
                let mut out = Vec::new();
                while let Some(segment) = tcb.poll_transmit(now, |_| 0) {
                    let mut frame = vec![0; 128];
                    let len = wire::emit(&mut frame, &endpoints, &segment, 1).expect("room for a header");
                    frame.truncate(len);
                    wire::fill_checksums(&mut frame);
                    out.push(frame);
                }
                return (out, open);
            }
            None => self.ignored += 1,
        }
        (Vec::new(), false)
    }
}

/// Another stack opens a connection; the server's goes on with it beside that one and hands it off, and a smoltcp client gets its
/// answers as if nobody had changed. What does not fit is refused, and nothing happens.
#[test]
fn a_connection_of_another_stack_is_handed_off() -> Result<()> {
    let image = baton_tests::firmware()?;
    let link = LinkConfig { session: 1, ..LinkConfig::default() };
    let mut port =
        LinkPort::connect(link, Board::new(Kind::TwoPorts)?, HostMemory::new(0x1000_0000, 32 << 20), 10_000)?;
    let config = small_server(1);
    let mut server = Server::start(&config, Box::<FirstCome>::default(), &mut port, Some(&image))?;
    server.share();
    let mut opener = Opener { own: config.address, opened: None, gone: false, ignored: 0 };
    let mut client = ClientHost::new(ClientConfig {
        server_ip: config.address.ip,
        ack_delay_us: None,
        ..ClientConfig::default()
    });
    let fetch = client.fetch([1, 5000, 20_000].map(|len| Expect::file(7, len)));
    let end_ps = port.now_ps() + 60_000_000_000;
    while !client.idle() {
        ensure!(port.now_ps() < end_ps, "not done after 60 ms: {:?}", client.stats());
        port.pump()?;
        server.poll(&mut port)?;
        while let Some(frame) = server.next_other() {
            let bytes = port.memory().slice(frame.addr(), frame.len.into()).to_vec();
            server.release(frame);
            let now = Instant((port.now_ps() / 1_000_000) as u32);
            let (out, open) = opener.receive(now, &bytes);
            for frame in out {
                ensure!(server.forward(&mut port, &frame), "the ring is full");
            }
            if let Some((endpoints, tcb)) = opener.opened.as_ref().filter(|_| open) {
                let record = tcb.export(now);
                let mut adopt = |record, unread: &[u8]| server.adopt(&mut port, *endpoints, record, unread);
                assert_eq!(adopt(&record, &[0; 1]), Err(AdoptError::Window), "the ring is all announced");
                let damaged = TcbRecord { cwnd: 0, ..record };
                assert!(matches!(adopt(&damaged, &[]), Err(AdoptError::Record(_))));
                adopt(&record, &[])?;
                assert_eq!(adopt(&record, &[]), Err(AdoptError::Exists));
                let elsewhere = Endpoints { remote_port: 1, ..*endpoints };
                assert_eq!(server.adopt(&mut port, elsewhere, &record, &[]), Err(AdoptError::Full));
                opener.gone = true;
            }
        }
        server.announce_shared(&mut port);
        carry(&mut port, &mut client)?;
    }
    assert_eq!(client.state(fetch), &FetchState::Done);
    let stats = server.stats().stack;
    assert_eq!((stats.handoffs, stats.refused, stats.resets_sent), (1, 0, 0));
    assert_eq!(opener.ignored, 0);
    let segments = port.reg_read(regs::STS + 4 * mailbox::STS_TX_SEGMENTS as u32)?;
    assert!(segments > 10, "{segments} segments of the firmware");
    Ok(())
}
