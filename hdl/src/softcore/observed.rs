//! The core with its memory and an observer: what lockstep tests and formal tools look at.

use super::bundles::ProbeOut;
use super::rvfi::{Rvfi, RvfiOut};
use super::system::System;
use crate::kit::Cr;
use crate::module;
use rust_hdl::prelude::*;

/// A [`System`] and its [`Rvfi`]. Ports are those of the one and of the other.
#[derive(Clone, Debug, LogicBlock)]
pub struct Observed {
    pub cr: Cr,
    pub run: Signal<In, Bit>,
    pub pause: Signal<In, Bit>,
    pub ld_write: Signal<In, Bit>,
    pub ld_addr: Signal<In, Bits<24>>,
    pub ld_data: Signal<In, Bits<32>>,
    pub mmio_addr: Signal<Out, Bits<16>>,
    pub mmio_read: Signal<Out, Bit>,
    pub mmio_write: Signal<Out, Bit>,
    pub mmio_wdata: Signal<Out, Bits<32>>,
    pub mmio_rdata: Signal<In, Bits<32>>,
    pub wake: Signal<In, Bit>,
    pub asleep: Signal<Out, Bit>,
    pub retired: Signal<Out, Bit>,
    pub rvfi: RvfiOut,
    system: System,
    observer: Rvfi,
}

impl Observed {
    /// Around any system.
    pub fn new(system: System) -> Self {
        Observed {
            cr: Default::default(),
            run: Default::default(),
            pause: Default::default(),
            ld_write: Default::default(),
            ld_addr: Default::default(),
            ld_data: Default::default(),
            mmio_addr: Default::default(),
            mmio_read: Default::default(),
            mmio_write: Default::default(),
            mmio_wdata: Default::default(),
            mmio_rdata: Default::default(),
            wake: Default::default(),
            asleep: Default::default(),
            retired: Default::default(),
            rvfi: Default::default(),
            system,
            observer: Default::default(),
        }
    }
}

module! {
    impl [] Logic for Observed;
    regs: ;
    children: system, observer;
    #[hdl_gen]
    fn update(&mut self) {
        self.system.run.next = self.run.val();
        self.system.pause.next = self.pause.val();
        self.system.ld_write.next = self.ld_write.val();
        self.system.ld_addr.next = self.ld_addr.val();
        self.system.ld_data.next = self.ld_data.val();
        self.mmio_addr.next = self.system.mmio_addr.val();
        self.mmio_read.next = self.system.mmio_read.val();
        self.mmio_write.next = self.system.mmio_write.val();
        self.mmio_wdata.next = self.system.mmio_wdata.val();
        self.system.mmio_rdata.next = self.mmio_rdata.val();
        self.system.wake.next = self.wake.val();
        self.asleep.next = self.system.asleep.val();
        self.retired.next = self.system.retired.val();
        ProbeOut::join(&mut self.system.probe, &mut self.observer.probe);
        RvfiOut::link(&mut self.rvfi, &mut self.observer.rvfi);
    }
}
