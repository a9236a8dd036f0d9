//! Devices of a board on the softcore's bus (`abi::mmio::BOARD`): management of the PHYs, their reset, and a console.
//!
//! A read answers in the next cycle, zero at other addresses than its own. A write acts a cycle later, and so does a start of
//! `manage`, which is busy from the write on. The console sends bytes, least bit first, each with a start and a stop bit, as long as there are any; a
//! byte that finds 64 waiting is lost. Core clock, synchronous reset, with which PHYs are not held. Verified in
//! `tests/tests/hostlink.rs`, with the firmware and models of two PHYs.

use crate::kit::{Cr, LutFifo, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, LogicBlock)]
pub struct BoardDevices {
    pub cr: Cr,
    pub addr: Signal<In, Bits<16>>,
    pub write: Signal<In, Bit>,
    pub wdata: Signal<In, Bits<32>>,
    pub rdata: Signal<Out, Bits<32>>,
    /// Management of the PHY of port 0 and 1, as `mac::MdioUser` has it.
    pub start0: Signal<Out, Bit>,
    pub start1: Signal<Out, Bit>,
    pub command: Signal<Out, Bits<32>>,
    /// Data 15:0, busy 16, no answer 17.
    pub status0: Signal<In, Bits<18>>,
    pub status1: Signal<In, Bits<18>>,
    pub hold_phy: Signal<Out, Bit>,
    pub uart_tx: Signal<Out, Bit>,

    /// What was written in the cycle before: the core lies far away.
    written: Reg<Bit>,
    written_addr: Reg<Bits<16>>,
    word: Reg<Bits<32>>,
    held: Reg<Bit>,
    done: Reg<Bit>,
    answer: Reg<Bits<32>>,
    waiting: LutFifo<Bits<8>, 6, 7>,
    /// Bits of the byte under way, the next one lowest; the line is high without.
    shift: Reg<Bits<10>>,
    bits_left: Reg<Bits<4>>,
    cycles: Reg<Bits<16>>,
    idle: Reg<Bit>,
    kind: Constant<Bits<32>>,
    cycles_a_bit: Constant<Bits<16>>,
}

/// Bits a second of the console.
pub const BAUD: u32 = 115_200;

impl BoardDevices {
    /// `kind`: contents of BOARD_KIND.
    ///
    /// # Panics
    /// When a bit of the console would take less than 4 cycles, or more than 65,535.
    pub fn new(kind: u32, core_khz: u32) -> Self {
        let cycles_a_bit = u64::from(core_khz) * 1000 / u64::from(BAUD);
        assert!((4..=0xFFFF).contains(&cycles_a_bit), "{cycles_a_bit} cycles a bit of the console");
        BoardDevices {
            cr: Default::default(),
            addr: Default::default(),
            write: Default::default(),
            wdata: Default::default(),
            rdata: Default::default(),
            start0: Default::default(),
            start1: Default::default(),
            command: Default::default(),
            status0: Default::default(),
            status1: Default::default(),
            hold_phy: Default::default(),
            uart_tx: Default::default(),
            written: Default::default(),
            written_addr: Default::default(),
            word: Default::default(),
            held: Default::default(),
            done: Default::default(),
            answer: Default::default(),
            waiting: Default::default(),
            shift: Reg::new(0x3FFu64.into()),
            bits_left: Default::default(),
            cycles: Default::default(),
            idle: Reg::new(true),
            kind: Constant::new(u64::from(kind).into()),
            cycles_a_bit: Constant::new((cycles_a_bit - 1).into()),
        }
    }
}

module! {
    impl [] Logic for BoardDevices;
    regs: written, written_addr, word, held, done, answer, shift, bits_left, cycles, idle;
    children: waiting;
    #[hdl_gen]
    fn update(&mut self) {
        // Writes.
        self.written.d.next = self.write.val();
        self.written_addr.d.next = self.addr.val();
        self.word.d.next = self.wdata.val();
        self.command.next = self.word.q.val();
        self.start0.next = false;
        self.start1.next = false;
        self.waiting.push.next = false;
        self.waiting.data.next = self.word.q.val().get_bits::<8>(0);
        if self.written.q.val() {
            match self.written_addr.q.val().index() {
                388 => {
                    self.start0.next = true;
                }
                392 => {
                    self.start1.next = true;
                }
                396 => {
                    self.held.d.next = self.word.q.val().get_bit(0);
                    self.done.d.next = self.word.q.val().get_bit(1);
                }
                400 => {
                    self.waiting.push.next = true;
                }
                _ => {}
            }
        }

        // Reads.
        self.answer.d.next = 0.into();
        match self.addr.val().index() {
            384 => {
                self.answer.d.next = self.kind.val();
            }
            388 => {
                self.answer.d.next = bit_cast::<32, 18>(self.status0.val())
                    | (bit_cast::<32, 1>(self.start0.val().into()) << 16);
            }
            392 => {
                self.answer.d.next = bit_cast::<32, 18>(self.status1.val())
                    | (bit_cast::<32, 1>(self.start1.val().into()) << 16);
            }
            396 => {
                self.answer.d.next = bit_cast::<32, 1>(self.held.q.val().into())
                    | (bit_cast::<32, 1>(self.done.q.val().into()) << 1);
            }
            400 => {
                if self.waiting.count.val() <= 32 {
                    self.answer.d.next = 1.into();
                }
            }
            _ => {}
        }
        self.rdata.next = self.answer.q.val();
        self.hold_phy.next = self.held.q.val();

        // The console.
        self.waiting.pop.next = false;
        if self.idle.q.val() {
            if self.waiting.valid.val() {
                self.waiting.pop.next = true;
                self.idle.d.next = false;
                self.shift.d.next = (bit_cast::<10, 8>(self.waiting.head.val()) << 1) | 512;
                self.bits_left.d.next = 9.into();
                self.cycles.d.next = 0.into();
            }
        } else if self.cycles.q.val() == self.cycles_a_bit.val() {
            self.cycles.d.next = 0.into();
            self.shift.d.next = (self.shift.q.val() >> 1) | 512;
            self.bits_left.d.next = self.bits_left.q.val() - 1;
            if self.bits_left.q.val() == 0 {
                self.idle.d.next = true;
            }
        } else {
            self.cycles.d.next = self.cycles.q.val() + 1;
        }
        self.uart_tx.next = self.shift.q.val().get_bit(0);
    }
}
