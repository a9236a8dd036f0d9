//! For each rule, a port that breaks it in one place and is caught, and one that keeps it.

use super::*;
use crate::{
    axi::{ReadMaster, ReadMemory, WriteMaster, WriteMemory},
    axil::{LiteManager, LiteRegisters},
    wire::TxStream,
};

/// The first rule that a sequence of cycles breaks.
fn first<P, Q>(cycles: &[(P, Q)], mut check: impl FnMut(&P, &Q) -> Rule) -> Rule {
    cycles.iter().try_for_each(|(a, b)| check(a, b))
}

fn caught(outcome: Rule, rule: &str) {
    let message = outcome.expect_err(rule);
    assert!(message.contains(rule), "caught {message:?} instead of {rule:?}");
}

// Write channels.

const IDLE_MASTER: WriteMaster = WriteMaster {
    awaddr: 0,
    awlen: 0,
    awvalid: false,
    wdata: 0,
    wstrb: 0,
    wlast: false,
    wvalid: false,
    bready: true,
};
const BUSY_MEMORY: WriteMemory = WriteMemory { awready: false, wready: false, bresp: 0, bvalid: false };
const READY_MEMORY: WriteMemory = WriteMemory { awready: true, wready: true, ..BUSY_MEMORY };
const ANSWER: WriteMemory = WriteMemory { bvalid: true, ..READY_MEMORY };

fn aw(awaddr: u32, awlen: u8) -> WriteMaster {
    WriteMaster { awaddr, awlen, awvalid: true, ..IDLE_MASTER }
}

fn w(wdata: u32, wlast: bool) -> WriteMaster {
    WriteMaster { wdata, wstrb: 0xF, wlast, wvalid: true, ..IDLE_MASTER }
}

fn write(cycles: &[(WriteMaster, WriteMemory)]) -> Rule {
    let mut monitor = WriteMonitor::default();
    first(cycles, |master, memory| monitor.check(false, master, memory))
}

#[test]
fn correct_writes_pass() {
    let done = (IDLE_MASTER, ANSWER);
    let (r, b) = (READY_MEMORY, BUSY_MEMORY);
    // Data after the address, before it, and with it; stalls; a response that waits.
    assert_eq!(write(&[(aw(0x1000, 1), r), (w(1, false), r), (w(2, true), r), done]), Ok(()));
    assert_eq!(write(&[(w(1, false), r), (w(2, true), r), (aw(0x1000, 1), r), done]), Ok(()));
    let both = WriteMaster { awaddr: 0xFFC, awvalid: true, ..w(3, true) };
    assert_eq!(write(&[(both, r), done, (both, r), done]), Ok(()));
    assert_eq!(write(&[(aw(0xF00, 63), b), (aw(0xF00, 63), r)]), Ok(()));
    let deaf = WriteMaster { bready: false, ..IDLE_MASTER };
    assert_eq!(write(&[(both, r), (deaf, ANSWER), (deaf, ANSWER), done, (IDLE_MASTER, r)]), Ok(()));
}

#[test]
fn write_offers_are_steady() {
    let b = BUSY_MEMORY;
    let moved = "AW changed or fell";
    caught(write(&[(aw(0x1000, 1), b), (aw(0x1004, 1), b)]), moved);
    caught(write(&[(aw(0x1000, 1), b), (aw(0x1000, 2), b)]), moved);
    caught(write(&[(aw(0x1000, 1), b), (IDLE_MASTER, b)]), moved);
    let moved = "W changed or fell";
    caught(write(&[(w(1, true), b), (w(2, true), b)]), moved);
    caught(write(&[(w(1, true), b), (w(1, false), b)]), moved);
    caught(write(&[(w(1, true), b), (WriteMaster { wstrb: 7, ..w(1, true) }, b)]), moved);
    caught(write(&[(w(1, true), b), (IDLE_MASTER, b)]), moved);
    let deaf = WriteMaster { bready: false, ..IDLE_MASTER };
    let start = [(aw(0x1000, 0), READY_MEMORY), (w(1, true), READY_MEMORY), (deaf, ANSWER)];
    let error = WriteMemory { bresp: 2, ..ANSWER };
    for memory in [error, READY_MEMORY] {
        caught(write(&[&start[..], &[(deaf, memory)]].concat()), "B changed or fell");
    }
}

#[test]
fn write_bursts_are_legal() {
    let r = READY_MEMORY;
    caught(write(&[(aw(0xFFC, 1), r)]), "4 KiB");
    caught(write(&[(aw(0x1000, 64), r)]), "longer than 64");
    caught(write(&[(aw(0x1002, 0), r)]), "start at a word");
    caught(write(&[(aw(0x1000, 1), r), (w(1, true), r)]), "wlast");
    caught(write(&[(aw(0x1000, 0), r), (w(1, false), r)]), "wlast");
    caught(write(&[(w(1, true), r), (aw(0x1000, 1), r)]), "wlast");
}

#[test]
fn write_responses_follow_their_data() {
    let r = READY_MEMORY;
    let rule = "B without a request";
    caught(write(&[(IDLE_MASTER, ANSWER)]), rule);
    caught(write(&[(aw(0x1000, 0), r), (IDLE_MASTER, ANSWER)]), rule);
    caught(write(&[(aw(0x1000, 1), r), (w(1, false), r), (w(1, true), ANSWER)]), rule);
    let whole = [(aw(0x1000, 0), r), (w(1, true), r)];
    let done = (IDLE_MASTER, ANSWER);
    caught(write(&[&whole[..], &[done, done]].concat()), rule);
    let exokay = (IDLE_MASTER, WriteMemory { bresp: 1, ..ANSWER });
    caught(write(&[&whole[..], &[exokay]].concat()), "EXOKAY");
}

#[test]
fn nothing_is_written_right_after_reset() {
    for (master, memory, rule) in [
        (aw(0x1000, 0), READY_MEMORY, "AW or W is valid"),
        (w(0, true), READY_MEMORY, "AW or W is valid"),
        (IDLE_MASTER, ANSWER, "B is valid"),
    ] {
        let mut monitor = WriteMonitor::default();
        // The flip-flops still show what they held when reset came, and no longer in the cycle after.
        monitor.check(true, &master, &memory).unwrap();
        caught(monitor.clone().check(true, &master, &memory), rule);
        caught(monitor.check(false, &master, &memory), rule);
    }
    // What was outstanding is forgotten.
    let mut monitor = WriteMonitor::default();
    monitor.check(false, &aw(0x1000, 0), &READY_MEMORY).unwrap();
    assert!(!monitor.is_quiet());
    monitor.check(true, &IDLE_MASTER, &BUSY_MEMORY).unwrap();
    monitor.check(false, &IDLE_MASTER, &BUSY_MEMORY).unwrap();
    assert!(monitor.is_quiet());
}

// Read channels.

fn ar(araddr: u32, arlen: u8) -> ReadMaster {
    ReadMaster { araddr, arlen, arvalid: true, rready: true }
}

const LISTENS: ReadMaster = ReadMaster { araddr: 0, arlen: 0, arvalid: false, rready: true };
const DEAF: ReadMaster = ReadMaster { rready: false, ..LISTENS };
const NO_DATA: ReadMemory = ReadMemory { arready: true, rdata: 0, rresp: 0, rlast: false, rvalid: false };

fn r(rdata: u32, rlast: bool) -> ReadMemory {
    ReadMemory { rdata, rlast, rvalid: true, ..NO_DATA }
}

fn read(cycles: &[(ReadMaster, ReadMemory)]) -> Rule {
    let mut monitor = ReadMonitor::default();
    first(cycles, |master, memory| monitor.check(false, master, memory))
}

#[test]
fn correct_reads_pass() {
    let busy = ReadMemory { arready: false, ..NO_DATA };
    let cycles = [
        (ar(0xFF8, 1), busy),
        (ar(0xFF8, 1), NO_DATA),
        (ar(0x2000, 0), r(1, false)),
        (DEAF, r(2, true)),
        (LISTENS, r(2, true)),
        (LISTENS, r(3, true)),
        (LISTENS, NO_DATA),
    ];
    let mut monitor = ReadMonitor::default();
    first(&cycles, |master, memory| monitor.check(false, master, memory)).unwrap();
    assert!(monitor.is_quiet());
    assert_eq!(monitor.outstanding_max, 2);
}

#[test]
fn read_offers_are_steady() {
    let busy = ReadMemory { arready: false, ..NO_DATA };
    for changed in [ar(0x1004, 1), ar(0x1000, 2), LISTENS] {
        caught(read(&[(ar(0x1000, 1), busy), (changed, busy)]), "AR changed or fell");
    }
    let error = ReadMemory { rresp: 2, ..r(1, false) };
    for changed in [r(2, false), r(1, true), error, NO_DATA] {
        caught(read(&[(ar(0x1000, 1), NO_DATA), (DEAF, r(1, false)), (DEAF, changed)]), "R changed or fell");
    }
}

#[test]
fn read_bursts_and_their_data_are_legal() {
    caught(read(&[(ar(0xFFC, 1), NO_DATA)]), "4 KiB");
    caught(read(&[(ar(0x1000, 64), NO_DATA)]), "longer than 64");
    caught(read(&[(ar(0x1001, 0), NO_DATA)]), "start at a word");
    let start = (ar(0x1000, 0), NO_DATA);
    caught(read(&[(LISTENS, r(1, true))]), "R without a request");
    caught(read(&[(ar(0x1000, 0), r(1, true))]), "R without a request");
    caught(read(&[start, (LISTENS, r(1, true)), (LISTENS, r(2, true))]), "R without a request");
    caught(read(&[start, (LISTENS, r(1, false))]), "rlast");
    caught(read(&[(ar(0x1000, 1), NO_DATA), (LISTENS, r(1, true))]), "rlast");
    caught(read(&[start, (LISTENS, ReadMemory { rresp: 1, ..r(1, true) })]), "EXOKAY");
}

#[test]
fn nothing_is_read_right_after_reset() {
    for (master, memory, rule) in
        [(ar(0x1000, 0), NO_DATA, "AR is valid"), (LISTENS, r(0, true), "R is valid")]
    {
        let mut monitor = ReadMonitor::default();
        monitor.check(true, &master, &memory).unwrap();
        caught(monitor.clone().check(true, &master, &memory), rule);
        caught(monitor.check(false, &master, &memory), rule);
    }
}

// AXI4-Lite.

const MANAGER: LiteManager = LiteManager {
    awaddr: 0,
    awvalid: false,
    wdata: 0,
    wstrb: 0xF,
    wvalid: false,
    bready: true,
    araddr: 0,
    arvalid: false,
    rready: true,
};
const BUSY: LiteRegisters = LiteRegisters {
    awready: false,
    wready: false,
    bresp: 0,
    bvalid: false,
    arready: false,
    rdata: 0,
    rresp: 0,
    rvalid: false,
};
const READY: LiteRegisters = LiteRegisters { awready: true, wready: true, arready: true, ..BUSY };
const WRITTEN: LiteRegisters = LiteRegisters { bvalid: true, ..READY };
const READ: LiteRegisters = LiteRegisters { rvalid: true, rdata: 5, ..READY };
const STORE: LiteManager = LiteManager { awaddr: 8, awvalid: true, wdata: 1, wvalid: true, ..MANAGER };
const LOAD: LiteManager = LiteManager { araddr: 8, arvalid: true, ..MANAGER };

fn lite(cycles: &[(LiteManager, LiteRegisters)]) -> Rule {
    let mut monitor = LiteMonitor::default();
    first(cycles, |manager, registers| monitor.check(false, manager, registers))
}

#[test]
fn correct_register_accesses_pass() {
    let deaf = LiteManager { bready: false, rready: false, ..MANAGER };
    let cycles = [(STORE, BUSY), (STORE, READY), (deaf, WRITTEN), (MANAGER, WRITTEN)];
    assert_eq!(lite(&cycles), Ok(()));
    // Address and word at different times, in either order.
    let address = LiteManager { wvalid: false, ..STORE };
    let word = LiteManager { awvalid: false, ..STORE };
    assert_eq!(lite(&[(address, READY), (word, READY), (MANAGER, WRITTEN)]), Ok(()));
    assert_eq!(lite(&[(word, READY), (address, READY), (MANAGER, WRITTEN)]), Ok(()));
    assert_eq!(lite(&[(LOAD, BUSY), (LOAD, READY), (deaf, READ), (LOAD, READ), (MANAGER, READ)]), Ok(()));
}

#[test]
fn register_offers_are_steady() {
    for (changed, rule) in [
        (LiteManager { awaddr: 12, ..STORE }, "AW changed or fell"),
        (LiteManager { awvalid: false, ..STORE }, "AW changed or fell"),
        (LiteManager { wdata: 2, ..STORE }, "W changed or fell"),
        (LiteManager { wstrb: 1, ..STORE }, "W changed or fell"),
        (LiteManager { wvalid: false, ..STORE }, "W changed or fell"),
    ] {
        caught(lite(&[(STORE, BUSY), (changed, BUSY)]), rule);
    }
    for changed in [LiteManager { araddr: 12, ..LOAD }, MANAGER] {
        caught(lite(&[(LOAD, BUSY), (changed, BUSY)]), "AR changed or fell");
    }
    let deaf = LiteManager { bready: false, rready: false, ..MANAGER };
    for changed in [LiteRegisters { bresp: 2, ..WRITTEN }, READY] {
        caught(lite(&[(STORE, READY), (deaf, WRITTEN), (deaf, changed)]), "B changed or fell");
    }
    for changed in [LiteRegisters { rdata: 6, ..READ }, LiteRegisters { rresp: 2, ..READ }, READY] {
        caught(lite(&[(LOAD, READY), (deaf, READ), (deaf, changed)]), "R changed or fell");
    }
}

#[test]
fn register_responses_follow_their_requests() {
    caught(lite(&[(MANAGER, WRITTEN)]), "B without a write");
    let address = LiteManager { wvalid: false, ..STORE };
    caught(lite(&[(address, READY), (MANAGER, WRITTEN)]), "B without a write");
    let word = LiteManager { awvalid: false, ..STORE };
    caught(lite(&[(word, READY), (MANAGER, WRITTEN)]), "B without a write");
    caught(lite(&[(STORE, READY), (MANAGER, WRITTEN), (MANAGER, WRITTEN)]), "B without a write");
    caught(lite(&[(MANAGER, READ)]), "R without a read");
    caught(lite(&[(LOAD, READ)]), "R without a read");
    caught(lite(&[(LOAD, READY), (MANAGER, READ), (MANAGER, READ)]), "R without a read");
    caught(lite(&[(STORE, READY), (MANAGER, LiteRegisters { bresp: 1, ..WRITTEN })]), "EXOKAY");
    caught(lite(&[(LOAD, READY), (MANAGER, LiteRegisters { rresp: 1, ..READ })]), "EXOKAY");
}

#[test]
fn registers_are_silent_right_after_reset() {
    for (manager, registers, rule) in [
        (STORE, READY, "the manager offers"),
        (LOAD, READY, "the manager offers"),
        (MANAGER, WRITTEN, "B or R is valid"),
        (MANAGER, READ, "B or R is valid"),
    ] {
        let mut monitor = LiteMonitor::default();
        monitor.check(true, &manager, &registers).unwrap();
        caught(monitor.clone().check(true, &manager, &registers), rule);
        caught(monitor.check(false, &manager, &registers), rule);
    }
}

// The stream to the MAC.

const WORD: TxStream = TxStream { tdata: 1, tkeep: 0xF, tlast: false, tvalid: true };
const LAST: TxStream = TxStream { tkeep: 3, tlast: true, ..WORD };

fn stream(cycles: &[(TxStream, bool)]) -> Rule {
    let mut monitor = StreamMonitor::default();
    first(cycles, |source, tready| monitor.check(false, source, *tready))
}

#[test]
fn frames_are_whole_and_steady() {
    let frame = [(WORD, true), (WORD, false), (WORD, true), (WORD, true), (LAST, false), (LAST, true)];
    assert_eq!(stream(&frame), Ok(()));
    for changed in [LAST, TxStream { tdata: 2, ..WORD }, TxStream { tvalid: false, ..WORD }] {
        caught(stream(&[(WORD, false), (changed, false)]), "changed or fell");
    }
    caught(stream(&[(TxStream { tkeep: 3, ..WORD }, true)]), "tkeep");
    caught(stream(&[(TxStream { tkeep: 5, ..LAST }, true)]), "tkeep");
    caught(stream(&[(WORD, true), (LAST, true)]), "shorter than an Ethernet header");
    caught(stream(&[(WORD, true); 381]), "longer than 1518");
    let mut monitor = StreamMonitor::default();
    monitor.check(true, &WORD, true).unwrap();
    caught(monitor.check(false, &WORD, true), "cycle after reset");
}

// All of them, on the NIC's pins.

#[test]
#[should_panic(expected = "cycle 2: AW changed or fell")]
fn the_nic_is_watched() {
    let out = NicOut {
        m_axi_awsize: 2,
        m_axi_awburst: 1,
        m_axi_arsize: 2,
        m_axi_arburst: 1,
        m_axi_awvalid: true,
        ..NicOut::default()
    };
    let mut monitor = Monitor::default();
    monitor.check(1, Ports::ALL, &NicIn::default(), &out);
    monitor.check(2, Ports::ALL, &NicIn::default(), &NicOut { m_axi_awaddr: 4, ..out });
}

#[test]
#[should_panic(expected = "not incrementing")]
fn the_nic_uses_one_kind_of_burst() {
    let out = NicOut { m_axi_arvalid: true, m_axi_arsize: 2, ..NicOut::default() };
    Monitor::default().check(1, Ports::ALL, &NicIn::default(), &out);
}
