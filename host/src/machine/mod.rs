//! The server as a machine with time: what its software's operations cost on the paper's processor and caches.
//!
//! [`cache`] and [`cpu`] are the hardware, [`layout`] says where the kernel's structures lie, [`costs`] is the table of
//! constants, and [`charge`] is the seam: one method an operation of the server. docs/model.md tells it in words.

pub mod cache;
pub mod calibrate;
pub mod charge;
pub mod costs;
pub mod cpu;
mod layout;
pub mod moves;
pub mod plain_nic;
pub mod port;
pub mod processor;
pub mod quick;

pub use charge::Meter;
pub use cpu::{CpuConfig, Function, Profile, Work};

/// Whether the server's software takes simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CostModel {
    /// Everything the software does is done at once.
    #[default]
    Free,
    /// Operations charge instructions and the lines they touch.
    Caches,
}

/// The server machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    pub cost: CostModel,
    pub cpu: CpuConfig,
    /// Files are sent where they lie (`sendfile`). Otherwise they are copied into the socket like everything else.
    pub zero_copy: bool,
    /// The NIC sums TCP segments, both ways. Otherwise the TCP layer reads every byte for it.
    pub checksum_offload: bool,
    /// Least time between two interrupts, in picoseconds: interrupt moderation.
    pub interrupt_interval_ps: u64,
}

impl Default for MachineConfig {
    fn default() -> Self {
        MachineConfig {
            cost: CostModel::Free,
            cpu: CpuConfig::default(),
            zero_copy: true,
            checksum_offload: true,
            interrupt_interval_ps: 20_000_000,
        }
    }
}

impl MachineConfig {
    /// The paper's server: costs counted, everything else as by default.
    pub fn paper() -> Self {
        MachineConfig { cost: CostModel::Caches, ..MachineConfig::default() }
    }
}
