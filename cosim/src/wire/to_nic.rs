//! From the clients to the NIC.

use super::{
    network::{FrameStats, Network},
    Faults, Line, WireConfig, FCS, FRAME_MIN, GAP, PREAMBLE,
};

/// What the MAC drives towards the NIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RxStream {
    pub tdata: u32,
    pub tkeep: u8,
    pub tlast: bool,
    /// With `tlast`: the check sequence was wrong.
    pub tuser: bool,
    pub tvalid: bool,
}

#[derive(Debug)]
struct Arriving {
    frame: Vec<u8>,
    bad_fcs: bool,
    start_ps: u64,
    /// Bytes offered to the NIC so far.
    offered: usize,
}

/// The direction to the NIC.
#[derive(Debug)]
pub struct ToNic {
    /// Driven in the present cycle.
    pub drive: RxStream,
    line: Line,
    network: Network,
    arriving: Option<Arriving>,
    line_free_ps: u64,
    /// Nothing happens before this time.
    next_ps: u64,
    late_max_ps: u64,
}

impl ToNic {
    pub fn new(config: &WireConfig) -> Self {
        ToNic {
            drive: RxStream::default(),
            line: Line::new(config.rate_bps),
            network: Network::new(config.to_nic, config.propagation_ps, config.seed, 1),
            arriving: None,
            line_free_ps: 0,
            next_ps: u64::MAX,
            late_max_ps: 0,
        }
    }

    /// A client sends a frame, without its check sequence. It is padded to the least length.
    ///
    /// # Panics
    /// When the frame has no bytes.
    pub fn send(&mut self, now_ps: u64, mut frame: Vec<u8>) {
        assert!(!frame.is_empty(), "a frame has bytes");
        frame.resize(frame.len().max(FRAME_MIN), 0);
        self.network.send(now_ps, frame);
        if self.arriving.is_none() && !self.drive.tvalid {
            self.next_ps = self.network.next_ps();
        }
    }

    pub fn set_faults(&mut self, faults: Faults) {
        self.network.set_faults(faults);
    }

    pub fn stats(&self) -> FrameStats {
        self.network.stats
    }

    /// The most that a word has waited for the NIC to take it. A MAC needs a queue for as long.
    pub fn late_max_ps(&self) -> u64 {
        self.late_max_ps
    }

    /// Frames that were sent and that the NIC has not taken yet.
    pub fn backlog(&self) -> usize {
        self.network.len() + usize::from(self.arriving.is_some())
    }

    /// No frame is under way.
    pub fn is_idle(&self) -> bool {
        self.arriving.is_none() && self.network.next_ps() == u64::MAX
    }

    /// Until when [`ToNic::clock`] will change nothing as long as the NIC drives `tready`, unless a frame is sent.
    pub fn rest_until_ps(&self, tready: bool) -> u64 {
        match (self.drive.tvalid, tready) {
            (true, true) => 0,
            (true, false) => u64::MAX,
            (false, _) => self.next_ps,
        }
    }

    /// The clock edge that ends a cycle in which the NIC drove `tready`; `now_ps` is the time of the next cycle.
    /// `observe` is called with each frame, and whether its check sequence was right, when its last word has been taken.
    #[inline]
    pub fn clock(&mut self, now_ps: u64, tready: bool, observe: &mut dyn FnMut(&[u8], bool)) {
        if self.drive.tvalid {
            if !tready {
                return;
            }
            self.drive.tvalid = false;
            if self.drive.tlast {
                let taken = self.arriving.take().expect("the word offered belongs to a frame");
                observe(&taken.frame, !taken.bad_fcs);
                self.next_ps = self.network.next_ps();
            }
        }
        if self.next_ps <= now_ps {
            self.advance(now_ps);
        }
    }

    fn advance(&mut self, now_ps: u64) {
        if self.arriving.is_none() {
            let Some(next) = self.network.receive(now_ps) else { return };
            let start_ps = next.ready_ps.max(self.line_free_ps);
            let bytes = next.frame.len() as u64;
            self.line_free_ps = start_ps + self.line.bytes_ps(PREAMBLE + bytes + FCS + GAP);
            let arriving = Arriving { frame: next.frame, bad_fcs: next.bad_fcs, start_ps, offered: 0 };
            self.next_ps = self.due_ps(&arriving);
            self.arriving = Some(arriving);
            if self.next_ps > now_ps {
                return;
            }
        }
        let mut arriving = self.arriving.take().expect("a frame is arriving");
        self.late_max_ps = self.late_max_ps.max(now_ps - self.next_ps);
        let rest = &arriving.frame[arriving.offered..];
        let count = rest.len().min(4);
        let mut bytes = [0; 4];
        bytes[..count].copy_from_slice(&rest[..count]);
        let tlast = rest.len() <= 4;
        self.drive = RxStream {
            tdata: u32::from_le_bytes(bytes),
            tkeep: (1 << count) - 1,
            tlast,
            tuser: tlast && arriving.bad_fcs,
            tvalid: true,
        };
        arriving.offered += count;
        self.next_ps = if tlast { u64::MAX } else { self.due_ps(&arriving) };
        self.arriving = Some(arriving);
    }

    /// When the next word has arrived; the last one counts once the check sequence is known.
    fn due_ps(&self, arriving: &Arriving) -> u64 {
        let (len, end) = (arriving.frame.len() as u64, arriving.offered as u64 + 4);
        let bytes = if end >= len { len + FCS } else { end };
        arriving.start_ps + self.line.bytes_ps(PREAMBLE + bytes)
    }
}
