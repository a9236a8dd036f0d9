//! Messages to the PC: the NIC's DMA bursts, its interrupt, and answers of registers.
//!
//! One message at a time goes into the transmitter's slot, whichever waits: an interrupt change, a register answer, then reads and writes in turn.
//! All travel in one order, so an interrupt or a register answer is behind every write that the NIC made before.
//!
//! AXI4 slave (IHI 0022): INCR bursts of whole words, 1 to 64, as `BurstSplitter` makes them. Strobes: any in the first and the
//! last word of a burst, all between; a burst with others is passed on without its words, and the PC fails it. At most 16 reads and
//! 15 writes are outstanding. A read takes two cycles; a write two and one for each word. Backpressure:
//! nothing is taken while the transmitter has no room. Core clock, synchronous reset; `restart` forgets everything, which is
//! permitted only because the NIC is reset with it. Verified in `cosim/tests/host_link`.

use crate::kit::{Cr, LutRam, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LinkIntake {
    pub cr: Cr,
    pub restart: Signal<In, Bit>,
    pub awaddr: Signal<In, Bits<32>>,
    pub awlen: Signal<In, Bits<8>>,
    pub awvalid: Signal<In, Bit>,
    pub awready: Signal<Out, Bit>,
    pub wdata: Signal<In, Bits<32>>,
    pub wstrb: Signal<In, Bits<4>>,
    pub wvalid: Signal<In, Bit>,
    pub wready: Signal<Out, Bit>,
    pub araddr: Signal<In, Bits<32>>,
    pub arlen: Signal<In, Bits<8>>,
    pub arvalid: Signal<In, Bit>,
    pub arready: Signal<Out, Bit>,
    pub irq: Signal<In, Bit>,
    /// An answer of the registers, as a message; held until taken.
    pub answer: Signal<In, Bits<64>>,
    pub answer_valid: Signal<In, Bit>,
    pub answer_taken: Signal<Out, Bit>,
    /// Outstanding bursts: beats less one of the oldest read, and whether there is one; writes.
    pub read_valid: Signal<Out, Bit>,
    pub read_len: Signal<Out, Bits<6>>,
    pub read_pop: Signal<In, Bit>,
    pub writes: Signal<Out, Bits<4>>,
    pub write_pop: Signal<In, Bit>,
    /// To the transmitter.
    pub room: Signal<In, Bit>,
    pub write: Signal<Out, Bit>,
    pub write_index: Signal<Out, Bits<6>>,
    pub write_data: Signal<Out, Bits<32>>,
    pub commit: Signal<Out, Bit>,
    pub header: Signal<Out, Bits<64>>,

    lens: LutRam<6, 4>,
    reads_in: Reg<Bits<5>>,
    reads_out: Reg<Bits<5>>,
    writes_open: Reg<Bits<4>>,
    /// Takes the words of a write.
    filling: Reg<Bit>,
    /// A header is committed in this cycle.
    ready_header: Reg<Bit>,
    message: Reg<Bits<64>>,
    index: Reg<Bits<6>>,
    len: Reg<Bits<6>>,
    first: Reg<Bits<4>>,
    whole: Reg<Bit>,
    told: Reg<Bit>,
    write_turn: Reg<Bit>,
    idle: Signal<Local, Bit>,
    reads: Signal<Local, Bits<5>>,
    may_read: Signal<Local, Bit>,
    may_write: Signal<Local, Bit>,
    take_irq: Signal<Local, Bit>,
    take_answer: Signal<Local, Bit>,
    take_read: Signal<Local, Bit>,
    take_write: Signal<Local, Bit>,
    words: Signal<Local, Bits<8>>,
    write_words: Signal<Local, Bits<8>>,
    strobes: Signal<Local, Bits<8>>,
    is_last: Signal<Local, Bit>,
    is_sparse: Signal<Local, Bit>,
    opened: Signal<Local, Bit>,
}

module! {
    impl [] Logic for LinkIntake;
    regs: reads_in, reads_out, writes_open, filling, ready_header, message, index, len, first, whole, told, write_turn;
    children: lens;
    #[hdl_gen]
    fn update(&mut self) {
        self.reads.next = self.reads_in.q.val() - self.reads_out.q.val();
        self.may_read.next = self.arvalid.val() && !self.reads.val().get_bit(4);
        self.may_write.next = self.awvalid.val() && !self.writes_open.q.val().all();
        self.idle.next = self.room.val() && !self.filling.q.val() && !self.ready_header.q.val() && !self.restart.val();
        self.take_irq.next = self.idle.val() && (self.irq.val() != self.told.q.val());
        self.take_answer.next = self.idle.val() && !self.take_irq.val() && self.answer_valid.val();
        self.take_read.next = self.idle.val() && !self.take_irq.val() && !self.answer_valid.val()
            && self.may_read.val() && !(self.write_turn.q.val() && self.may_write.val());
        self.take_write.next = self.idle.val() && !self.take_irq.val() && !self.answer_valid.val()
            && self.may_write.val() && !self.take_read.val();
        self.arready.next = self.take_read.val();
        self.awready.next = self.take_write.val();
        self.answer_taken.next = self.take_answer.val();
        self.ready_header.d.next = self.take_irq.val() || self.take_answer.val() || self.take_read.val();

        if self.take_irq.val() {
            self.told.d.next = self.irq.val();
            self.message.d.next = (bits::<64>(0x24) << 56) | (bit_cast::<64, 1>(self.irq.val().into()) << 32);
        }
        if self.take_answer.val() {
            self.message.d.next = self.answer.val();
        }
        self.words.next = bit_cast::<8, 6>(self.arlen.val().get_bits::<6>(0)) + 1;
        self.lens.write_enable.next = self.take_read.val();
        self.lens.write_addr.next = self.reads_in.q.val().get_bits::<4>(0);
        self.lens.write_data.next = self.arlen.val().get_bits::<6>(0);
        if self.take_read.val() {
            self.write_turn.d.next = true;
            self.reads_in.d.next = self.reads_in.q.val() + 1;
            self.message.d.next = (bits::<64>(0x21) << 56)
                | (bit_cast::<64, 8>(self.words.val()) << 32)
                | bit_cast::<64, 32>(self.araddr.val());
        }
        if self.read_pop.val() {
            self.reads_out.d.next = self.reads_out.q.val() + 1;
        }
        self.lens.read_addr.next = self.reads_out.q.val().get_bits::<4>(0);
        self.read_len.next = self.lens.read_data.val();
        self.read_valid.next = self.reads.val().any();

        // A write: its words, then its header with what was seen of their strobes.
        if self.take_write.val() {
            self.write_turn.d.next = false;
            self.filling.d.next = true;
            self.index.d.next = 0.into();
            self.whole.d.next = true;
            self.len.d.next = self.awlen.val().get_bits::<6>(0);
            self.message.d.next = bit_cast::<64, 32>(self.awaddr.val());
        }
        self.wready.next = self.filling.q.val();
        self.write.next = self.filling.q.val() && self.wvalid.val();
        self.write_index.next = self.index.q.val();
        self.write_data.next = self.wdata.val();
        self.write_words.next = bit_cast::<8, 6>(self.len.q.val()) + 1;
        self.is_last.next = self.index.q.val() == self.len.q.val();
        self.is_sparse.next = !self.wstrb.val().all() && (self.index.q.val() != 0) && !self.is_last.val();
        self.strobes.next = bit_cast::<8, 4>(self.first.q.val()) | (bit_cast::<8, 4>(self.wstrb.val()) << 4);
        if self.index.q.val() == 0 {
            self.strobes.next = bit_cast::<8, 4>(self.wstrb.val()) | (bit_cast::<8, 4>(self.wstrb.val()) << 4);
        }
        if self.write.val() {
            self.index.d.next = self.index.q.val() + 1;
            if self.index.q.val() == 0 {
                self.first.d.next = self.wstrb.val();
            }
            if self.is_sparse.val() {
                self.whole.d.next = false;
            }
            if self.is_last.val() {
                self.filling.d.next = false;
                self.ready_header.d.next = true;
                self.message.d.next = (bits::<64>(0x20) << 56)
                    | (bit_cast::<64, 8>(self.strobes.val()) << 32)
                    | bit_cast::<64, 32>(self.message.q.val().get_bits::<32>(0));
                if self.whole.q.val() {
                    self.message.d.next = (bits::<64>(0x20) << 56)
                        | (bit_cast::<64, 8>(self.write_words.val()) << 48)
                        | (bit_cast::<64, 8>(self.strobes.val()) << 32)
                        | bit_cast::<64, 32>(self.message.q.val().get_bits::<32>(0));
                }
            }
        }
        self.opened.next = self.write.val() && self.is_last.val();
        if self.opened.val() && !self.write_pop.val() {
            self.writes_open.d.next = self.writes_open.q.val() + 1;
        }
        if !self.opened.val() && self.write_pop.val() {
            self.writes_open.d.next = self.writes_open.q.val() - 1;
        }
        self.writes.next = self.writes_open.q.val();
        self.commit.next = self.ready_header.q.val();
        self.header.next = self.message.q.val();

        if self.restart.val() {
            self.reads_in.d.next = 0.into();
            self.reads_out.d.next = 0.into();
            self.writes_open.d.next = 0.into();
            self.filling.d.next = false;
            self.ready_header.d.next = false;
            self.told.d.next = false;
            self.write_turn.d.next = false;
        }
    }
}
