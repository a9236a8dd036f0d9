//! Frames for classifiers: those that programs know well, changed, cut, or of any bytes.

use super::chance::Chance;

/// The layers of a frame.
#[derive(Clone, Debug)]
struct Shape {
    vlan: Option<u16>,
    /// Words of options of IPv4; `None` is IPv6.
    options: Option<u8>,
    protocol: u8,
    addresses: [u8; 2],
    ports: [u16; 2],
    data_offset: u8,
    traffic_class: u8,
    payload: usize,
}

fn frame(shape: &Shape) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    if let Some(tag) = shape.vlan {
        frame.extend([0x81, 0x00]);
        frame.extend(tag.to_be_bytes());
    }
    let [remote, local] = shape.addresses;
    match shape.options {
        Some(words) => {
            frame.extend([0x08, 0x00, 0x45 + words, shape.traffic_class]);
            let total = 20 + 4 * u16::from(words) + 20 + shape.payload as u16;
            frame.extend(total.to_be_bytes());
            frame.extend([0x12, 0x34, 0x40, 0, 64, shape.protocol, 0xAB, 0xCD]);
            frame.extend([192, 0, 2, remote, 198, 51, 100, local]);
            frame.extend((0..4 * words).map(|at| at ^ 0x5A));
        }
        None => {
            frame.extend([0x86, 0xDD, 0x60 | shape.traffic_class >> 4, shape.traffic_class << 4, 1, 2]);
            frame.extend((20 + shape.payload as u16).to_be_bytes());
            frame.extend([shape.protocol, 64]);
            for last in [remote, local] {
                frame.extend([0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
            }
        }
    }
    shape.ports.iter().for_each(|port| frame.extend(port.to_be_bytes()));
    frame.extend([1, 2, 3, 4, 5, 6, 7, 8, shape.data_offset << 4, 0x18, 0x20, 0, 0x77, 0x88, 0, 0]);
    frame.extend((0..shape.payload).map(|at| at as u8));
    frame
}

const PLAIN: Shape = Shape {
    vlan: None,
    options: Some(0),
    protocol: 6,
    addresses: [1, 7],
    ports: [49152, 80],
    data_offset: 5,
    traffic_class: 0,
    payload: 6,
};

/// One of each way through the programs.
pub fn directed() -> Vec<Vec<u8>> {
    let mut shapes = vec![];
    for vlan in [None, Some(0), Some(0x2005), Some(0x0FFF)] {
        for options in [None, Some(0), Some(1), Some(10)] {
            for protocol in [6, 17, 1] {
                shapes.push(Shape { vlan, options, protocol, ..PLAIN });
            }
        }
    }
    let more = [
        Shape { data_offset: 8, payload: 40, ..PLAIN },
        Shape { data_offset: 4, ..PLAIN },
        Shape { ports: [179, 5000], ..PLAIN },
        Shape { ports: [40000, 443], traffic_class: 46 << 2, ..PLAIN },
        Shape { ports: [40000, 23], traffic_class: 8 << 2, ..PLAIN },
        Shape { ports: [40000, 6007], ..PLAIN },
    ];
    let mut frames: Vec<Vec<u8>> = shapes.iter().chain(&more).map(frame).collect();
    // Versions, header lengths and fragments that are wrong, and rules of the firewall.
    for (at, value) in
        [(14, 0x55), (14, 0x44), (14, 0x40), (20, 0x20), (20, 0x00), (21, 3), (47, 3), (47, 0), (26, 127)]
    {
        let mut changed = frame(&PLAIN);
        changed[at] = value;
        frames.push(changed);
    }
    frames
}

/// A frame that gets far, changed in a few places or cut.
pub fn random(chance: &mut Chance) -> Vec<u8> {
    let pick = |chance: &mut Chance, values: &[u8]| values[chance.below(values.len() as u32) as usize];
    let shape = Shape {
        vlan: chance.permille(300).then(|| [0, 5, 0x2005, 0x0FFF][chance.below(4) as usize]),
        options: (!chance.permille(300)).then(|| pick(chance, &[0, 0, 0, 1, 3, 10])),
        protocol: pick(chance, &[6, 6, 6, 6, 17, 1]),
        addresses: [pick(chance, &[1, 1, 2]), pick(chance, &[7, 7, 8])],
        ports: [[49152, 49153, 179][chance.below(3) as usize], [80, 443, 22][chance.below(3) as usize]],
        data_offset: pick(chance, &[5, 5, 8, 4]),
        traffic_class: pick(chance, &[0, 0, 46 << 2, 8 << 2, 1 << 2, 48 << 2]),
        payload: chance.below(24) as usize,
    };
    let mut frame = frame(&shape);
    for _ in 0..chance.below(4).saturating_sub(1) {
        let at = chance.below(frame.len() as u32) as usize;
        frame[at] = chance.below(256) as u8;
    }
    if chance.permille(200) {
        frame.truncate(1 + chance.below(frame.len() as u32) as usize);
    }
    frame
}

/// A frame of a known shape, of any bytes, or of small numbers.
pub fn any(chance: &mut Chance) -> Vec<u8> {
    let kind = chance.below(3);
    if kind == 0 {
        return random(chance);
    }
    let mut frame = vec![0; 1 + chance.below(100) as usize];
    chance.fill(&mut frame);
    if kind == 2 {
        frame.iter_mut().for_each(|byte| *byte &= 7);
    }
    if frame.len() > 14 && chance.permille(500) {
        let types = [0x0800u16, 0x8100, 0x86DD];
        frame[12..14].copy_from_slice(&types[chance.below(3) as usize].to_be_bytes());
    }
    frame
}
