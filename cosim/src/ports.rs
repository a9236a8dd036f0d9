//! The NIC's pins as the ports that they make up: what each side of a port drives.

use crate::{
    axi::{ReadMaster, ReadMemory, WriteMaster, WriteMemory},
    axil::{LiteManager, LiteRegisters},
    pins::{NicIn, NicOut},
    wire::TxStream,
};

#[inline]
pub fn write_master(out: &NicOut) -> WriteMaster {
    WriteMaster {
        awaddr: out.m_axi_awaddr,
        awlen: out.m_axi_awlen,
        awvalid: out.m_axi_awvalid,
        wdata: out.m_axi_wdata,
        wstrb: out.m_axi_wstrb,
        wlast: out.m_axi_wlast,
        wvalid: out.m_axi_wvalid,
        bready: out.m_axi_bready,
    }
}

#[inline]
pub fn read_master(out: &NicOut) -> ReadMaster {
    ReadMaster {
        araddr: out.m_axi_araddr,
        arlen: out.m_axi_arlen,
        arvalid: out.m_axi_arvalid,
        rready: out.m_axi_rready,
    }
}

#[inline]
pub fn lite_registers(out: &NicOut) -> LiteRegisters {
    LiteRegisters {
        awready: out.s_axil_awready,
        wready: out.s_axil_wready,
        bresp: out.s_axil_bresp,
        bvalid: out.s_axil_bvalid,
        arready: out.s_axil_arready,
        rdata: out.s_axil_rdata,
        rresp: out.s_axil_rresp,
        rvalid: out.s_axil_rvalid,
    }
}

#[inline]
pub fn tx_stream(out: &NicOut) -> TxStream {
    TxStream { tdata: out.tx_tdata, tkeep: out.tx_tkeep, tlast: out.tx_tlast, tvalid: out.tx_tvalid }
}

#[inline]
pub fn write_memory(pins: &NicIn) -> WriteMemory {
    WriteMemory {
        awready: pins.m_axi_awready,
        wready: pins.m_axi_wready,
        bresp: pins.m_axi_bresp,
        bvalid: pins.m_axi_bvalid,
    }
}

#[inline]
pub fn read_memory(pins: &NicIn) -> ReadMemory {
    ReadMemory {
        arready: pins.m_axi_arready,
        rdata: pins.m_axi_rdata,
        rresp: pins.m_axi_rresp,
        rlast: pins.m_axi_rlast,
        rvalid: pins.m_axi_rvalid,
    }
}

#[inline]
pub fn lite_manager(pins: &NicIn) -> LiteManager {
    LiteManager {
        awaddr: pins.s_axil_awaddr,
        awvalid: pins.s_axil_awvalid,
        wdata: pins.s_axil_wdata,
        wstrb: pins.s_axil_wstrb,
        wvalid: pins.s_axil_wvalid,
        bready: pins.s_axil_bready,
        araddr: pins.s_axil_araddr,
        arvalid: pins.s_axil_arvalid,
        rready: pins.s_axil_rready,
    }
}
