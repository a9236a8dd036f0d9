//! From a description to Rust text: the keys of connections as the firmware writes them.

use crate::{ConnectionTable, KeyPart, Part};

/// Type `name` with its `impl Program` (`softcore-fw/src/program.rs`): the key of a connection, word by word, and what
/// follows from its width. Without a table, a program whose table takes no connection.
pub fn source(table: Option<&ConnectionTable>, name: &str) -> String {
    let words = table.map_or(vec!["0".to_string()], words);
    let digest = table.map_or(0, ConnectionTable::digest);
    let shift = table.map_or(0, |table| table.connection_low_bit);
    let header = match table.is_some_and(ConnectionTable::has_ipv6) {
        true => "baton_tcp::wire::DualTemplate",
        false => "baton_tcp::wire::HeaderTemplate",
    };
    let body: String = words.iter().map(|word| format!("            {word},\n")).collect();
    format!(
        "/// As the description of its control plane has it.\n\
         #[derive(Clone, Copy, Debug)]\n\
         pub struct {name};\n\n\
         impl Program for {name} {{\n    \
             type Header = {header};\n    \
             type Key = [u32; {}];\n    \
             const KEY_LAYOUT: u32 = {digest:#06x};\n    \
             const CONNECTION_SHIFT: u32 = {shift};\n\n    \
             #[inline]\n    \
             fn key(ends: &Endpoints) -> Self::Key {{\n        \
                 let _ends = ends;\n        \
                 [\n{body}        ]\n    \
             }}\n\
         }}\n",
        words.len()
    )
}

/// The key's words as expressions, the most significant first.
fn words(table: &ConnectionTable) -> Vec<String> {
    let mut words = vec![Vec::new(); table.key_words as usize];
    for part in &table.key {
        // Chunks of a word, the least significant first.
        for chunk in 0..part.bits.div_ceil(32) {
            let low = part.low_bit + 32 * chunk;
            let bits = (part.bits - 32 * chunk).min(32);
            let (word, shift) = ((low / 32) as usize, low % 32);
            let value = value(part, chunk);
            words[word].push(if shift == 0 { value.clone() } else { format!("{value} << {shift}") });
            if shift + bits > 32 {
                words[word + 1].push(format!("{value} >> {}", 32 - shift));
            }
        }
    }
    let whole = |terms: Vec<String>| if terms.is_empty() { "0".into() } else { terms.join(" | ") };
    words.into_iter().rev().map(whole).collect()
}

/// 32 bits of what a part is.
fn value(part: &KeyPart, chunk: u32) -> String {
    // The last of its words is the least significant.
    let address = |which: &str| format!("ends.{which}.0[{}]", 3 - chunk);
    match part.part {
        Part::RemoteAddr => address("remote_ip"),
        Part::LocalAddr => address("local_ip"),
        Part::RemotePort => "u32::from(ends.remote_port)".into(),
        Part::LocalPort => "u32::from(ends.local_port)".into(),
        Part::Vlan => "u32::from(ends.vlan)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(key: &[(Part, u32, u32)]) -> ConnectionTable {
        let bits: u32 = key.iter().map(|(_, bits, _)| bits).sum();
        ConnectionTable {
            name: "connections".into(),
            size: 4096,
            key_words: bits.div_ceil(32),
            key: key
                .iter()
                .map(|(part, bits, low_bit)| KeyPart { part: *part, bits: *bits, low_bit: *low_bit })
                .collect(),
            connection_low_bit: 0,
        }
    }

    /// Another layout is another text.
    #[test]
    fn parts_go_where_the_description_has_them() {
        let tuple = table(&[
            (Part::RemoteAddr, 32, 64),
            (Part::LocalAddr, 32, 32),
            (Part::RemotePort, 16, 16),
            (Part::LocalPort, 16, 0),
        ]);
        assert_eq!(
            words(&tuple),
            [
                "ends.remote_ip.0[3]",
                "ends.local_ip.0[3]",
                "u32::from(ends.remote_port) << 16 | u32::from(ends.local_port)"
            ]
        );
        let tagged = table(&[(Part::LocalPort, 16, 44), (Part::Vlan, 12, 32), (Part::RemoteAddr, 32, 0)]);
        assert_eq!(
            words(&tagged),
            ["u32::from(ends.local_port) << 12 | u32::from(ends.vlan)", "ends.remote_ip.0[3]"]
        );
        // A part that crosses words.
        let crossing = table(&[(Part::RemoteAddr, 32, 12), (Part::Vlan, 12, 0)]);
        assert_eq!(
            words(&crossing),
            ["ends.remote_ip.0[3] >> 20", "ends.remote_ip.0[3] << 12 | u32::from(ends.vlan)"]
        );
        assert!(source(Some(&tuple), "Built").contains("HeaderTemplate"));
        assert!(source(Some(&table(&[(Part::LocalAddr, 128, 0)])), "Built").contains("DualTemplate"));
        assert!(source(None, "Built").contains("const KEY_LAYOUT: u32 = 0x0000;"));
    }
}
