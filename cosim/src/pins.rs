//! The pins of `nic_top`, once for every use: the Rust structures that models exchange, the C++ structures
//! of the bridge, and the names by which a run-time built model finds its ports.
//!
//! The build script of this crate includes this file too, so it uses nothing but `core`.

/// Name and width in bits of a pin. The field of that name is a `bool`, or the least unsigned integer that
/// holds the width.
pub type Pin = (&'static str, usize);

/// A port of the NIC: what transfers by handshakes of its own, and what can rest while others move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// AXI4-Lite, as a subordinate.
    Registers,
    /// Address, data and response channels of AXI4 writes.
    MemoryWrite,
    /// Address and data channels of AXI4 reads.
    MemoryRead,
    /// The stream from the MAC.
    Rx,
    /// The stream to the MAC.
    Tx,
}

impl Port {
    pub const COUNT: usize = 5;

    /// Pins whose changes come together, by the beginning of their names, and their port; the first that fits.
    pub const PREFIXES: &'static [(&'static str, Port)] = &[
        ("s_axil_", Port::Registers),
        ("m_axi_ar", Port::MemoryRead),
        ("m_axi_r", Port::MemoryRead),
        ("m_axi_", Port::MemoryWrite),
        ("rx_", Port::Rx),
        ("tx_", Port::Tx),
    ];

    /// The port that a pin belongs to. Reset, the interrupt and the pins that watch the processor belong to none.
    pub fn of_pin(pin: &str) -> Option<Port> {
        Self::PREFIXES.iter().find(|(prefix, _)| pin.starts_with(prefix)).map(|(_, port)| *port)
    }
}

/// A set of ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports(pub u8);

impl Ports {
    pub const NONE: Ports = Ports(0);
    pub const ALL: Ports = Ports((1 << Port::COUNT) - 1);

    pub const fn one(port: Port) -> Ports {
        Ports(1 << port as u8)
    }

    #[inline]
    pub fn has(self, port: Port) -> bool {
        self.0 & Self::one(port).0 != 0
    }

    #[inline]
    pub fn insert_if(&mut self, port: Port, condition: bool) {
        self.0 |= u8::from(condition) << port as u8;
    }
}

/// Conversion of a pin's value, for access by position.
trait Value: Copy {
    fn to_u64(self) -> u64;
    fn from_u64(value: u64) -> Self;
}

impl Value for bool {
    fn to_u64(self) -> u64 {
        u64::from(self)
    }
    fn from_u64(value: u64) -> Self {
        value != 0
    }
}

macro_rules! value {
    ($($int:ty)*) => { $(
        impl Value for $int {
            fn to_u64(self) -> u64 {
                u64::from(self)
            }
            fn from_u64(value: u64) -> Self {
                value as $int
            }
        }
    )* };
}
value!(u8 u16 u32);

macro_rules! pins {
    ($(#[$doc:meta])* $name:ident { $($pin:ident: $int:ty [$width:literal],)* }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $(pub $pin: $int,)*
        }

        // The build script uses the tables only, tests and models the rest.
        #[allow(dead_code)]
        impl $name {
            /// All pins in the order of the fields.
            pub const PINS: &'static [Pin] = &[$((stringify!($pin), $width),)*];

            /// The values in the order of [`Self::PINS`].
            #[allow(private_interfaces)]
            pub fn each(&self, mut take: impl FnMut(usize, u64)) {
                let mut at = 0;
                $( take(at, Value::to_u64(self.$pin)); at += 1; )*
                let _ = at;
            }

            /// Ports with a pin that differs in `other`.
            #[allow(private_interfaces)]
            pub fn changed(&self, other: &Self) -> Ports {
                let mut ports = Ports::NONE;
                $( if let Some(port) = Port::of_pin(stringify!($pin)) {
                    ports.insert_if(port, self.$pin != other.$pin);
                } )*
                ports
            }

            /// Takes the values in the order of [`Self::PINS`].
            pub fn from_each(mut give: impl FnMut(usize) -> u64) -> Self {
                let mut at = 0;
                let pins = $name { $($pin: { let value = Value::from_u64(give(at)); at += 1; value },)* };
                let _ = at;
                pins
            }
        }
    };
}

pins! {
    /// Inputs of the NIC in a cycle, but the clock.
    NicIn {
        reset: bool [1],
        s_axil_awaddr: u16 [16],
        s_axil_awvalid: bool [1],
        s_axil_wdata: u32 [32],
        s_axil_wstrb: u8 [4],
        s_axil_wvalid: bool [1],
        s_axil_bready: bool [1],
        s_axil_araddr: u16 [16],
        s_axil_arvalid: bool [1],
        s_axil_rready: bool [1],
        m_axi_awready: bool [1],
        m_axi_wready: bool [1],
        m_axi_bresp: u8 [2],
        m_axi_bvalid: bool [1],
        m_axi_arready: bool [1],
        m_axi_rdata: u32 [32],
        m_axi_rresp: u8 [2],
        m_axi_rlast: bool [1],
        m_axi_rvalid: bool [1],
        rx_tdata: u32 [32],
        rx_tkeep: u8 [4],
        rx_tlast: bool [1],
        rx_tuser: bool [1],
        rx_tvalid: bool [1],
        tx_tready: bool [1],
    }
}

pins! {
    /// Outputs of the NIC in a cycle, settled for the inputs of the same cycle, before its clock edge.
    NicOut {
        s_axil_awready: bool [1],
        s_axil_wready: bool [1],
        s_axil_bresp: u8 [2],
        s_axil_bvalid: bool [1],
        s_axil_arready: bool [1],
        s_axil_rdata: u32 [32],
        s_axil_rresp: u8 [2],
        s_axil_rvalid: bool [1],
        m_axi_awaddr: u32 [32],
        m_axi_awlen: u8 [8],
        m_axi_awsize: u8 [3],
        m_axi_awburst: u8 [2],
        m_axi_awvalid: bool [1],
        m_axi_wdata: u32 [32],
        m_axi_wstrb: u8 [4],
        m_axi_wlast: bool [1],
        m_axi_wvalid: bool [1],
        m_axi_bready: bool [1],
        m_axi_araddr: u32 [32],
        m_axi_arlen: u8 [8],
        m_axi_arsize: u8 [3],
        m_axi_arburst: u8 [2],
        m_axi_arvalid: bool [1],
        m_axi_rready: bool [1],
        rx_tready: bool [1],
        tx_tdata: u32 [32],
        tx_tkeep: u8 [4],
        tx_tlast: bool [1],
        tx_tvalid: bool [1],
        irq: bool [1],
        core_pc: u32 [32],
        core_asleep: bool [1],
        core_retired: bool [1],
    }
}
