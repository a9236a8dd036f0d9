//! The driver's side of the NIC's table of connections, made of the description of the P4 program's control plane.
//!
//! Hardware, firmware and driver are each built of one program. That it is the same one is seen in what each says of the
//! layout of the table's keys; whatever does not fit is refused when the NIC is brought up.

use anyhow::{ensure, Context, Result};
use baton_abi::handoff::Endpoints;
use baton_abi::regs;
use baton_control_plane::{ConnectionTable, ControlPlane};

/// What can be handed off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    table: Option<ConnectionTable>,
    /// Connections that hardware and program have room for.
    capacity: u32,
}

impl Connections {
    /// # Errors
    /// When the description is of no use, or the NIC with these `CAPABILITIES` was made by another program.
    pub fn new(description: &ControlPlane, capabilities: u32) -> Result<Connections> {
        let table = description.connections().context("the description of the NIC's control plane")?;
        let field = |shift: u32, bits: u32| capabilities >> shift & ((1 << bits) - 1);
        let words = field(regs::CAPABILITIES_KEY_WORDS_SHIFT, 4);
        let layout = field(regs::CAPABILITIES_KEY_LAYOUT_SHIFT, 16);
        let described = table.as_ref().map_or((0, 0), |t| (t.key_words, u32::from(t.digest())));
        ensure!(
            described == (words, layout),
            "the description of the control plane is not that of this NIC's P4 program: {} described, the NIC has {}",
            kind(described),
            kind((words, layout))
        );
        let made_for = 1u32 << field(regs::CAPABILITIES_CONNECTIONS_SHIFT, 5).min(31);
        let capacity = table.as_ref().map_or(0, |table| table.size.min(made_for));
        Ok(Connections { table, capacity })
    }

    /// # Errors
    /// When the firmware, which says `layout`, was built for another program.
    pub fn check_firmware(&self, layout: u32) -> Result<()> {
        let own = self.layout();
        ensure!(
            layout == own,
            "the firmware was built for another P4 program: its keys have layout {layout:#06x}, the NIC's {own:#06x}; \
             `cargo xtask firmware --p4 PROGRAM` builds it"
        );
        Ok(())
    }

    /// `Hard_Limit` for the firmware: what was asked for, 0 for as much as there is.
    ///
    /// # Errors
    /// When more is asked for than the table takes.
    pub fn hard_limit(&self, asked: u32) -> Result<u32> {
        ensure!(
            asked <= self.capacity || self.table.is_none(),
            "a Hard_Limit of {asked} connections; the NIC's table takes {}",
            self.capacity
        );
        Ok(if asked == 0 { self.capacity } else { asked })
    }

    /// Whether the table can hold a connection between these ends.
    pub fn takes(&self, ends: &Endpoints) -> bool {
        self.table.as_ref().is_some_and(|table| table.has_ipv6() || !ends.is_ipv6())
    }

    fn layout(&self) -> u32 {
        self.table.as_ref().map_or(0, |table| u32::from(table.digest()))
    }
}

fn kind((words, layout): (u32, u32)) -> String {
    match words {
        0 => "no table of connections and takes none".into(),
        _ => format!("keys of {words} words, layout {layout:#06x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_abi::address::IpAddress;

    fn description(name: &str) -> ControlPlane {
        let path = format!("{}/../p4/programs/control-plane/{name}.json", env!("CARGO_MANIFEST_DIR"));
        ControlPlane::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn capabilities(description: &ControlPlane, log2: u32) -> u32 {
        let table = description.connections().unwrap().unwrap();
        table.key_words << regs::CAPABILITIES_KEY_WORDS_SHIFT
            | log2 << regs::CAPABILITIES_CONNECTIONS_SHIFT
            | u32::from(table.digest()) << regs::CAPABILITIES_KEY_LAYOUT_SHIFT
    }

    #[test]
    fn another_description_is_another_table() {
        let [narrow, wide] = ["connection", "ipv6"].map(description);
        let v6 = [1, 2].map(|host| IpAddress([0x2001_0DB8, 0, 0, host]));
        let ends = Endpoints { local_ip: v6[0], remote_ip: v6[1], ..Endpoints::default() };
        let table = Connections::new(&narrow, capabilities(&narrow, 12)).unwrap();
        assert!(table.takes(&Endpoints::default()) && !table.takes(&ends));
        let table = Connections::new(&wide, capabilities(&wide, 12)).unwrap();
        assert!(table.takes(&Endpoints::default()) && table.takes(&ends));
        let none = ControlPlane { tables: vec![], ..narrow };
        let table = Connections::new(&none, 12 << regs::CAPABILITIES_CONNECTIONS_SHIFT).unwrap();
        assert!(!table.takes(&Endpoints::default()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let [narrow, wide] = ["connection", "ipv6"].map(description);
        let why = Connections::new(&wide, capabilities(&narrow, 12)).unwrap_err().to_string();
        assert!(why.contains("keys of 9 words") && why.contains("the NIC has keys of 3 words"), "{why}");
        // The same width, another order.
        let mut swapped = narrow.clone();
        let keys = &mut swapped.tables[0].keys;
        (keys[0].low_bit, keys[1].low_bit) = (keys[1].low_bit, keys[0].low_bit);
        assert!(Connections::new(&swapped, capabilities(&narrow, 12)).is_err());
        let table = Connections::new(&narrow, capabilities(&narrow, 12)).unwrap();
        let why = table.check_firmware(0x1234).unwrap_err().to_string();
        assert!(why.contains("another P4 program") && why.contains("0x1234"), "{why}");
        let own = u32::from(narrow.connections().unwrap().unwrap().digest());
        assert!(table.check_firmware(own).is_ok());
    }

    #[test]
    fn the_size_is_that_of_program_and_hardware() {
        let mut narrow = description("connection");
        let table = |plane: &ControlPlane, log2| Connections::new(plane, capabilities(plane, log2)).unwrap();
        assert_eq!(table(&narrow, 8).hard_limit(0).unwrap(), 256);
        assert_eq!(table(&narrow, 8).hard_limit(100).unwrap(), 100);
        narrow.tables[0].size = 64;
        assert_eq!(table(&narrow, 12).hard_limit(0).unwrap(), 64);
        let why = table(&narrow, 12).hard_limit(65).unwrap_err().to_string();
        assert!(why.contains("65 connections; the NIC's table takes 64"), "{why}");
    }
}
