//! The NIC behind a host link, as the driver sees it.

use anyhow::{bail, ensure, Result};
use baton_cosim::hostlink::{LinkConfig, LinkState, LinkStats, PcLink};
use baton_cosim::port::{HostMemory, HostPort};
use std::time::Duration;

/// What carries frames to the board and back, and has a clock.
pub trait Wire {
    /// Puts a frame on the wire. One that cannot be sent now is lost, as on any wire.
    ///
    /// # Errors
    /// When the wire is gone.
    fn send(&mut self, frame: &[u8]) -> Result<()>;

    /// The next frame that has come, if there is one.
    ///
    /// # Errors
    /// When the wire is gone.
    fn receive(&mut self) -> Result<Option<Vec<u8>>>;

    /// Waits for a frame, at most so long.
    fn wait(&mut self, most: Duration);

    /// Time, in microseconds.
    fn now_us(&self) -> u64;
}

/// How long a register read may take, in microseconds.
const ANSWER_US: u64 = 2_000_000;
/// Between two looks at the wire while something is waited for.
const WAIT: Duration = Duration::from_micros(200);

/// See the module's header.
pub struct LinkPort<W: Wire> {
    link: PcLink,
    wire: W,
    memory: HostMemory,
    /// What went wrong outside a call that could tell.
    failure: Option<anyhow::Error>,
}

impl<W: Wire> LinkPort<W> {
    /// Begins a session, which resets the NIC.
    ///
    /// # Errors
    /// When no board answers within `most_us` microseconds.
    pub fn connect(config: LinkConfig, wire: W, memory: HostMemory, most_us: u64) -> Result<Self> {
        let start_us = wire.now_us();
        let mut port = LinkPort { link: PcLink::new(config, start_us), wire, memory, failure: None };
        while port.link.state() != LinkState::Up {
            ensure!(
                port.wire.now_us() < start_us + most_us && port.link.state() != LinkState::Lost,
                "no board answers: is its host link on this wire, and does it speak version {} of the protocol?",
                baton_abi::link::VERSION
            );
            port.wire.wait(WAIT);
            port.pump()?;
        }
        Ok(port)
    }

    /// Takes what has come and sends what is due.
    ///
    /// # Errors
    /// When the board no longer answers, or the wire is gone.
    pub fn pump(&mut self) -> Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        while let Some(frame) = self.wire.receive()? {
            self.link.frame_in(self.wire.now_us(), &frame, &mut self.memory);
        }
        while let Some(frame) = self.link.frame_out(self.wire.now_us()) {
            self.wire.send(&frame)?;
        }
        if self.link.state() == LinkState::Lost {
            bail!("the board no longer answers");
        }
        Ok(())
    }

    /// Waits for a frame, at most so long.
    pub fn wait(&mut self, most: Duration) {
        self.wire.wait(most);
    }

    pub fn link_stats(&self) -> LinkStats {
        self.link.stats()
    }

    pub fn link_state(&self) -> LinkState {
        self.link.state()
    }

    /// Address of the board's host link.
    pub fn board(&self) -> [u8; 6] {
        self.link.board()
    }

    pub fn wire_mut(&mut self) -> &mut W {
        &mut self.wire
    }
}

impl<W: Wire> HostPort for LinkPort<W> {
    fn reg_write(&mut self, address: u32, value: u32) {
        match u16::try_from(address) {
            Ok(address) => self.link.reg_write(address, value),
            Err(_) => {
                self.failure =
                    Some(anyhow::anyhow!("register {address:#x} is beyond the link's 16 address bits"))
            }
        }
    }

    fn reg_read(&mut self, address: u32) -> Result<u32> {
        self.link.reg_read(u16::try_from(address)?);
        let start_us = self.wire.now_us();
        loop {
            self.pump()?;
            if let Some(answer) = self.link.reg_answer() {
                return answer.map_err(|response| {
                    anyhow::anyhow!("register {address:#x} answers with AXI response {response}")
                });
            }
            ensure!(
                self.wire.now_us() < start_us + ANSWER_US,
                "register {address:#x} has not answered within {ANSWER_US} us"
            );
            self.wire.wait(WAIT);
        }
    }

    fn memory(&self) -> &HostMemory {
        &self.memory
    }

    fn memory_mut(&mut self) -> &mut HostMemory {
        &mut self.memory
    }

    fn irq(&self) -> bool {
        self.link.irq()
    }

    fn now_ps(&self) -> u64 {
        self.wire.now_us() * 1_000_000
    }
}
