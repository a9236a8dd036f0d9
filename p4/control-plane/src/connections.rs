//! The table of connections of a description: what its key is made of, and where each part lies.

use crate::{ControlPlane, Error, Kind, TableDescription};

/// Most words of a key that the lookup takes.
pub const KEY_WORDS_MAX: u32 = 9;
/// Bits of a connection's name, the parameter of the action that takes connections.
const CONNECTION_BITS: u32 = 16;
/// Bits of an entry for parameters.
const VALUE_BITS: u32 = 16;
/// The action that the hardware gives the entries which the firmware makes.
const ENTRY_ACTION: u32 = 0;

/// What is known of a connection, and can be part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    RemoteAddr,
    LocalAddr,
    RemotePort,
    LocalPort,
    Vlan,
}

impl Part {
    const ALL: [(Part, &'static str, &'static [u32]); 5] = [
        (Part::RemoteAddr, "remote_addr", &[32, 128]),
        (Part::LocalAddr, "local_addr", &[32, 128]),
        (Part::RemotePort, "remote_port", &[16]),
        (Part::LocalPort, "local_port", &[16]),
        (Part::Vlan, "vlan", &[12, 16]),
    ];

    /// The part that a key of this name and width is.
    pub fn of(name: &str, bits: u32) -> Option<Part> {
        Part::ALL
            .into_iter()
            .find(|(_, known, widths)| *known == name && widths.contains(&bits))
            .map(|(part, ..)| part)
    }

    fn name(self) -> &'static str {
        Part::ALL.into_iter().find(|(part, ..)| *part == self).map_or("", |(_, name, _)| name)
    }
}

/// A part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPart {
    pub part: Part,
    pub bits: u32,
    /// Of its least significant bit, counted from the key's least significant one.
    pub low_bit: u32,
}

/// The table that firmware fills with the NIC's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionTable {
    pub name: String,
    /// Entries that the program asks for.
    pub size: u32,
    /// Words of 32 bits, the first the most significant.
    pub key_words: u32,
    pub key: Vec<KeyPart>,
    /// Least bit of the connection's name in an entry's value.
    pub connection_low_bit: u32,
}

impl ControlPlane {
    /// The table of connections, if there is one.
    ///
    /// # Errors
    /// When there are several, or one that nothing can fill: with keys that are not known of a connection, or that
    /// overlap, or without an action that takes a connection.
    pub fn connections(&self) -> Result<Option<ConnectionTable>, Error> {
        let mut tables = self.tables.iter().filter(|table| table.kind == Kind::Hash);
        let Some(table) = tables.next() else { return Ok(None) };
        if let Some(other) = tables.next() {
            return Err(Error(format!(
                "tables `{}` and `{}` are both to be filled; the hardware has one",
                table.name, other.name
            )));
        }
        ConnectionTable::new(table)
            .map(Some)
            .map_err(|Error(why)| Error(format!("table `{}`: {why}", table.name)))
    }
}

impl ConnectionTable {
    fn new(table: &TableDescription) -> Result<ConnectionTable, Error> {
        let fail = |why: String| Err(Error(why));
        let words = table.key_bits.div_ceil(32);
        if !(1..=KEY_WORDS_MAX).contains(&words) || table.key_words != Some(words) {
            return fail(format!(
                "a key of {} bits in {} words of 32; it takes 1 to {KEY_WORDS_MAX}, no more than needed",
                table.key_bits,
                table.key_words.unwrap_or(0)
            ));
        }
        let mut key: Vec<KeyPart> = vec![];
        for described in &table.keys {
            let (name, bits, low_bit) = (&described.name, described.bits, described.low_bit);
            let Some(part) = Part::of(name, bits) else {
                return fail(format!(
                    "nothing is known of a connection that makes a key `{name}` of {bits} bits"
                ));
            };
            let ends = |low: u32, bits: u32| u64::from(low) + u64::from(bits);
            if ends(low_bit, bits) > table.key_bits.into() {
                return fail(format!("key `{name}` lies outside of {} bits", table.key_bits));
            }
            let overlaps = |other: &KeyPart| {
                u64::from(low_bit) < ends(other.low_bit, other.bits)
                    && u64::from(other.low_bit) < ends(low_bit, bits)
            };
            if let Some(other) = key.iter().find(|other| other.part == part || overlaps(other)) {
                return fail(format!("keys `{}` and `{name}` cannot both be there", other.part.name()));
            }
            key.push(KeyPart { part, bits, low_bit });
        }
        let width = |wanted| key.iter().find(|part| part.part == wanted).map(|part| part.bits);
        if let (Some(remote), Some(local)) = (width(Part::RemoteAddr), width(Part::LocalAddr)) {
            if remote != local {
                return fail(format!("addresses of {remote} and of {local} bits"));
            }
        }
        let action = table.actions.iter().find(|action| action.id == ENTRY_ACTION);
        let param = match action.map(|action| &action.params[..]) {
            Some([param])
                if param.bits == CONNECTION_BITS
                    && param.low_bit.saturating_add(CONNECTION_BITS) <= VALUE_BITS =>
            {
                param
            }
            _ => {
                return fail(format!(
                    "action {ENTRY_ACTION} does not take one connection of {CONNECTION_BITS} bits"
                ))
            }
        };
        Ok(ConnectionTable {
            name: table.name.clone(),
            size: table.size,
            key_words: words,
            key,
            connection_low_bit: param.low_bit,
        })
    }

    /// The words of a key, the first the most significant, of what each part is. Addresses are of 128 bits, those of IPv4
    /// as the IPv6 addresses that stand for them; a key of IPv4 takes the low 32.
    pub fn key(&self, value: impl Fn(Part) -> u128) -> Vec<u32> {
        let mut bits = vec![false; 32 * self.key_words as usize];
        for part in &self.key {
            for bit in 0..part.bits {
                bits[(part.low_bit + bit) as usize] = value(part.part) >> bit & 1 == 1;
            }
        }
        let word = |bits: &[bool]| bits.iter().rev().fold(0, |word, bit| word << 1 | u32::from(*bit));
        bits.chunks(32).rev().map(word).collect()
    }

    /// Whether connections of VLANs with equal addresses are told apart.
    pub fn has_vlan(&self) -> bool {
        self.key.iter().any(|part| part.part == Part::Vlan)
    }

    /// Whether its addresses are of both families: of 128 bits, those of IPv4 as the IPv6 addresses that stand for them.
    pub fn has_ipv6(&self) -> bool {
        self.key.iter().any(|part| part.bits == 128)
    }

    /// A number that differs, in all likelihood, between two layouts: CRC-16 (CCITT, from 0xFFFF) of the parts' names
    /// and places. Never 0, which says that there is no table.
    pub fn digest(&self) -> u16 {
        let mut text = format!("{}", self.key_words);
        for part in &self.key {
            text += &format!(";{}:{}@{}", part.part.name(), part.bits, part.low_bit);
        }
        text += &format!(";connection@{}", self.connection_low_bit);
        let crc = text.bytes().fold(0xFFFFu16, |crc, byte| {
            (0..8)
                .fold(crc ^ u16::from(byte) << 8, |crc, _| crc << 1 ^ if crc >> 15 == 1 { 0x1021 } else { 0 })
        });
        crc.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActionDescription, CallDescription, KeyDescription, ParamDescription};

    fn described(keys: &[(&str, u32)]) -> TableDescription {
        let key_bits: u32 = keys.iter().map(|(_, bits)| bits).sum();
        let mut low_bit = key_bits;
        let keys = keys.iter().map(|(name, bits)| {
            low_bit -= bits;
            KeyDescription { name: name.to_string(), bits: *bits, low_bit }
        });
        TableDescription {
            name: "connections".into(),
            kind: Kind::Hash,
            size: 4096,
            key_bits,
            key_words: Some(key_bits.div_ceil(32)),
            keys: keys.collect(),
            actions: vec![ActionDescription {
                id: 0,
                name: "to_connection".into(),
                params: vec![ParamDescription { name: "connection".into(), bits: 16, low_bit: 0 }],
            }],
            default_action: CallDescription { action: "to_host".into(), args: Default::default() },
        }
    }

    const TUPLE: [(&str, u32); 4] =
        [("remote_addr", 32), ("local_addr", 32), ("remote_port", 16), ("local_port", 16)];

    #[test]
    fn digests_tell_layouts_apart() {
        let digest = |keys: &[(&str, u32)]| ConnectionTable::new(&described(keys)).unwrap().digest();
        let mut swapped = TUPLE;
        swapped.swap(0, 1);
        let wide = TUPLE.map(|(name, bits)| (name, if bits == 32 { 128 } else { bits }));
        let tagged = [&TUPLE[..], &[("vlan", 12)]].concat();
        let digests = [digest(&TUPLE), digest(&swapped), digest(&wide), digest(&tagged)];
        for (i, one) in digests.iter().enumerate() {
            assert!(*one != 0 && digests[..i].iter().all(|other| other != one), "{digests:x?}");
        }
    }

    #[test]
    fn what_nothing_can_fill_is_refused() {
        let why = |change: fn(&mut TableDescription)| {
            let mut table = described(&TUPLE);
            change(&mut table);
            ConnectionTable::new(&table).expect_err("it cannot be filled").0
        };
        assert!(why(|t| t.keys[0].name = "colour".into()).contains("`colour` of 32 bits"));
        assert!(why(|t| t.keys[2].bits = 17).contains("`remote_port` of 17 bits"));
        assert!(why(|t| t.keys[0].low_bit = 65).contains("outside of 96 bits"));
        assert!(why(|t| t.keys[0].low_bit = u32::MAX).contains("outside of 96 bits"));
        assert!(why(|t| t.keys[3].low_bit = 8).contains("`remote_port` and `local_port` cannot both"));
        assert!(why(|t| t.keys[1].name = "remote_addr".into()).contains("cannot both"));
        assert!(why(|t| t.key_words = Some(4)).contains("in 4 words"));
        assert!(why(|t| t.key_words = None).contains("in 0 words"));
        assert!(why(|t| (t.key_bits, t.key_words) = (320, Some(10))).contains("320 bits"));
        assert!(why(|t| t.actions[0].params[0].bits = 15).contains("does not take one connection"));
        assert!(why(|t| t.actions.clear()).contains("does not take one connection"));
        let mixed = [("remote_addr", 128), ("local_addr", 32)];
        assert!(ConnectionTable::new(&described(&mixed)).unwrap_err().0.contains("of 128 and of 32 bits"));
    }

    #[test]
    fn two_tables_and_foreign_text_are_refused() {
        let plane = ControlPlane {
            format: crate::FORMAT.into(),
            tables: vec![described(&TUPLE), described(&TUPLE)],
            parser_errors: vec![],
        };
        assert!(plane.connections().unwrap_err().0.contains("both to be filled"));
        let text = plane.to_json();
        assert_eq!(ControlPlane::parse(&text).unwrap(), plane);
        assert!(ControlPlane::parse(&text.replace("plane-1", "plane-2")).unwrap_err().0.contains("plane-2"));
        assert!(ControlPlane::parse(&text.replace("low_bit", "bit"))
            .unwrap_err()
            .0
            .contains("unknown field"));
        for cut in (0..text.len() - 1).step_by(7) {
            assert!(ControlPlane::parse(&text[..cut]).is_err(), "{cut} bytes");
        }
    }
}
