//! One MDIO master for two users: the host, by the MAC's registers, and the firmware, by the board's devices.
//!
//! Each user has a `start` with a command, and `busy`, `no_answer` and `data` as if the master were its own: `busy` is high
//! from the cycle after `start` until that user's access is over, which takes twice as long when the other one came
//! first; a `start` meanwhile is ignored. The host goes first when both wait. Core clock, synchronous reset, which forgets
//! what waits. The host's side is verified in `cosim/tests/mac_regs.rs`, the firmware's in `tests/tests/hostlink.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// One user's end of the MDIO master; `command` as in `MDIO_COMMAND`.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct MdioUser {
    pub start: Signal<In, Bit>,
    pub command: Signal<In, Bits<32>>,
    pub busy: Signal<Out, Bit>,
    pub no_answer: Signal<Out, Bit>,
    pub data: Signal<Out, Bits<16>>,
}

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct MdioShare {
    pub cr: Cr,
    pub driver: MdioUser,
    pub firmware: MdioUser,
    pub start: Signal<Out, Bit>,
    pub command: Signal<Out, Bits<32>>,
    pub busy: Signal<In, Bit>,
    pub no_answer: Signal<In, Bit>,
    pub data: Signal<In, Bits<16>>,

    host_waits: Reg<Bit>,
    host_command: Reg<Bits<32>>,
    host_result: Reg<Bits<17>>,
    firmware_waits: Reg<Bit>,
    firmware_command: Reg<Bits<32>>,
    firmware_result: Reg<Bits<17>>,
    running: Reg<Bit>,
    /// The master has seen the start.
    started: Reg<Bit>,
    for_firmware: Reg<Bit>,
    result: Signal<Local, Bits<17>>,
}

module! {
    impl [] Logic for MdioShare;
    regs: host_waits, host_command, host_result, firmware_waits, firmware_command, firmware_result, running, started, for_firmware;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        if self.driver.start.val() && !self.host_waits.q.val() {
            self.host_waits.d.next = true;
            self.host_command.d.next = self.driver.command.val();
        }
        if self.firmware.start.val() && !self.firmware_waits.q.val() {
            self.firmware_waits.d.next = true;
            self.firmware_command.d.next = self.firmware.command.val();
        }
        self.start.next = false;
        self.started.d.next = self.running.q.val();
        self.result.next =
            bit_cast::<17, 16>(self.data.val()) | (bit_cast::<17, 1>(self.no_answer.val().into()) << 16);
        if !self.running.q.val() {
            if self.host_waits.q.val() || self.firmware_waits.q.val() {
                self.start.next = true;
                self.running.d.next = true;
                self.for_firmware.d.next = !self.host_waits.q.val();
            }
        } else if self.started.q.val() && !self.busy.val() {
            self.running.d.next = false;
            self.started.d.next = false;
            if self.for_firmware.q.val() {
                self.firmware_waits.d.next = false;
                self.firmware_result.d.next = self.result.val();
            } else {
                self.host_waits.d.next = false;
                self.host_result.d.next = self.result.val();
            }
        }
        self.command.next = self.firmware_command.q.val();
        if self.host_waits.q.val() {
            self.command.next = self.host_command.q.val();
        }
        self.driver.busy.next = self.host_waits.q.val();
        self.driver.no_answer.next = self.host_result.q.val().get_bit(16);
        self.driver.data.next = self.host_result.q.val().get_bits::<16>(0);
        self.firmware.busy.next = self.firmware_waits.q.val();
        self.firmware.no_answer.next = self.firmware_result.q.val().get_bit(16);
        self.firmware.data.next = self.firmware_result.q.val().get_bits::<16>(0);
    }
}
