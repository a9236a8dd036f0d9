//! The system around a small stand-in for the NIC: registers, and an echo of every good frame.

use baton_abi::regs;
use baton_cosim::{
    nic::Nic,
    pcap::Pcap,
    pins::{NicIn, NicOut, Ports},
    port::{load_firmware, HostPort},
    system::{Event, System, SystemConfig},
    wire::{Faults, WireConfig},
};
use std::{cell::RefCell, collections::VecDeque, rc::Rc};

const MEMORY_BYTES: u32 = 64;

/// Registers that load words, and a store-and-forward echo from rx to tx.
#[derive(Default)]
struct Echo {
    out: NicOut,
    fw_addr: u32,
    control: u32,
    memory: Vec<u32>,
    write: (Option<u16>, Option<u32>),
    arriving: Vec<(u32, u8)>,
    words: VecDeque<(u32, u8, bool)>,
}

impl Echo {
    fn write(&mut self, address: u32, data: u32) {
        match address {
            regs::CONTROL => self.control = data,
            regs::FW_ADDR => self.fw_addr = data,
            regs::FW_DATA => {
                self.memory.push(data);
                self.fw_addr += 4;
            }
            _ => {}
        }
    }

    fn read(&self, address: u32) -> (u32, u8) {
        match address {
            regs::ID => (regs::ID_VALUE, 0),
            regs::CONTROL => (self.control, 0),
            regs::FW_ADDR => (self.fw_addr, 0),
            regs::FW_SIZE => (MEMORY_BYTES, 0),
            _ => (0, 2),
        }
    }

    fn edge(&mut self, pins: &NicIn) {
        let out = self.out;
        let next = &mut self.out;
        if pins.s_axil_awvalid && out.s_axil_awready {
            self.write.0 = Some(pins.s_axil_awaddr);
        }
        if pins.s_axil_wvalid && out.s_axil_wready {
            self.write.1 = Some(pins.s_axil_wdata);
        }
        next.s_axil_bvalid &= !pins.s_axil_bready;
        next.s_axil_rvalid &= !pins.s_axil_rready;
        if pins.rx_tvalid && out.rx_tready {
            self.arriving.push((pins.rx_tdata, pins.rx_tkeep));
            if pins.rx_tlast {
                let count = self.arriving.len();
                let frame = std::mem::take(&mut self.arriving);
                if !pins.rx_tuser {
                    self.words
                        .extend(frame.into_iter().enumerate().map(|(at, (d, k))| (d, k, at + 1 == count)));
                }
            }
        }
        if pins.tx_tready {
            next.tx_tvalid = false;
        }
        if !next.tx_tvalid {
            if let Some((data, keep, last)) = self.words.pop_front() {
                (next.tx_tdata, next.tx_tkeep, next.tx_tlast, next.tx_tvalid) = (data, keep, last, true);
            }
        }
        next.rx_tready = true;
        if let (Some(address), Some(data)) = self.write {
            self.write = (None, None);
            next.s_axil_bvalid = true;
            self.write(address.into(), data);
        }
        if pins.s_axil_arvalid && out.s_axil_arready {
            (self.out.s_axil_rdata, self.out.s_axil_rresp) = self.read(pins.s_axil_araddr.into());
            self.out.s_axil_rvalid = true;
        }
        self.out.s_axil_awready = self.write.0.is_none();
        self.out.s_axil_wready = self.write.1.is_none();
        self.out.s_axil_arready = !self.out.s_axil_rvalid;
        self.out.irq = self.control & 1 == 1;
    }
}

impl Nic for Echo {
    fn cycle(&mut self, pins: &NicIn, _: Ports, out: &mut NicOut) -> Ports {
        let moved = self.out.changed(out);
        *out = self.out;
        if pins.reset {
            *self = Echo::default();
        } else {
            self.edge(pins);
        }
        moved
    }
}

fn system(config: SystemConfig) -> System<Echo> {
    System::new(Echo::default(), SystemConfig { memory_bytes: 4096, ..config })
}

#[test]
fn registers_answer_in_order_and_time_passes() {
    let mut system = system(SystemConfig::default());
    assert_eq!(system.reg_read(regs::ID).unwrap(), regs::ID_VALUE);
    let before = system.now_ps();
    system.reg_write(regs::CONTROL, 0x11);
    assert_eq!(system.now_ps(), before, "a write is posted");
    assert_eq!(system.reg_read(regs::CONTROL).unwrap(), 0x11);
    assert!(system.now_ps() - before >= 2 * SystemConfig::default().register_latency_ps);
    assert!(system.irq());
    let error = system.reg_read(0xFFFC).unwrap_err().to_string();
    assert!(error.contains("0xfffc") && error.contains("response 2"), "{error}");
}

#[test]
fn firmware_is_loaded_or_refused_with_a_reason() {
    let mut system = system(SystemConfig::default());
    let error = load_firmware(&mut system, &[0; 65]).unwrap_err().to_string();
    assert!(error.contains("65 bytes") && error.contains("64"), "{error}");
    assert!(load_firmware(&mut system, &[]).is_err());
    load_firmware(&mut system, &[1, 2, 3, 4, 5]).unwrap();
    assert_eq!(system.nic().memory, [0x0403_0201, 5]);
    system.reg_write(regs::CONTROL, 1);
    let error = load_firmware(&mut system, &[0; 4]).unwrap_err().to_string();
    assert!(error.contains("CORE_RUN"), "{error}");
}

#[test]
fn frames_come_back_and_are_observed_and_captured() {
    let mut system = system(SystemConfig::default());
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("echo.pcap");
    system.capture(Pcap::create(&file).unwrap());
    let seen = Rc::new(RefCell::new([0; 2]));
    let counts = Rc::clone(&seen);
    system.observe(Box::new(move |_, event| match event {
        Event::FrameIn { good_fcs: true, .. } => counts.borrow_mut()[0] += 1,
        Event::FrameOut { .. } => counts.borrow_mut()[1] += 1,
        _ => panic!("{event:?}"),
    }));
    let frames: Vec<Vec<u8>> = (60..100u8).map(|len| vec![len; usize::from(len)]).collect();
    for frame in &frames {
        system.wire_send(frame.clone());
    }
    let mut back = Vec::new();
    let done = system.run_until(100_000, |system| {
        back.extend(system.wire_recv());
        system.is_idle()
    });
    assert!(done);
    assert_eq!(back.iter().map(|(frame, _)| frame.clone()).collect::<Vec<_>>(), frames);
    assert!(back.iter().all(|(_, time)| *time <= system.now_ps()));
    assert_eq!(*seen.borrow(), [40, 40]);
    system.capture_end().unwrap();
    let bytes: usize = frames.iter().map(|frame| 2 * (frame.len() + 16)).sum();
    assert_eq!(std::fs::metadata(file).unwrap().len() as usize, 24 + bytes);
}

#[test]
fn a_run_with_faults_repeats_to_the_picosecond() {
    let run = |seed| {
        let faults = Faults {
            loss_ppm: 50_000,
            corrupt_ppm: 50_000,
            reorder_ppm: 50_000,
            delay_ps: 1_000_000,
            ..Faults::default()
        };
        let wire = WireConfig { to_nic: faults, from_nic: faults, seed, ..WireConfig::default() };
        let mut system = system(SystemConfig { wire, clock_hz: 333_333_333, ..SystemConfig::default() });
        let mut back = Vec::new();
        for n in 0..500u16 {
            system.wire_send(n.to_le_bytes().repeat(40));
            system.run(20);
            back.extend(system.wire_recv());
        }
        system.run(10_000);
        while let Some(frame) = system.wire_recv() {
            back.push(frame);
        }
        (back, system.wire_stats(), system.now_ps())
    };
    let first = run(9);
    assert_eq!(first, run(9));
    assert_ne!(first.0, run(10).0);
    assert!(first.0.len() < 490 && first.0.len() > 350);
}

#[test]
fn the_clock_is_exact_at_any_rate() {
    let mut system = system(SystemConfig { clock_hz: 333_333_333, ..SystemConfig::default() });
    system.run(333_333 - system.cycles());
    assert_eq!(system.cycles(), 333_333);
    assert_eq!(system.now_ps(), 333_333u64 * 1_000_000_000_000 / 333_333_333);
}
