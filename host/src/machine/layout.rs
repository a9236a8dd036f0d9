//! Where the kernel's and the web server's structures lie in simulated memory.
//!
//! What the NIC sees lies in host memory at its own addresses, below 4 GiB. Everything else is here: each kind of
//! structure in a region of its own, as a zone allocator lays it out, at an index that is reused last in, first out.

use super::costs::{
    CACHED_FILE_BYTES, CLIENT_BYTES, CLUSTER_BYTES, FILE_BYTES, INPCB_BYTES, MBUF_BYTES, PAGE_BYTES,
    SOCKET_BYTES, TCPCB_BYTES, TEMPLATE_BYTES,
};

const GIB: u64 = 1 << 30;
/// Regions start at different sets of the caches, as they would anywhere but in a model.
const fn region(number: u64) -> u64 {
    (4 + number) * GIB + number * 0x1_2340
}

fn element(number: u64, index: u64, bytes: u32) -> u64 {
    region(number) + index * u64::from(bytes)
}

pub fn socket(conn: u16) -> u64 {
    element(0, conn.into(), SOCKET_BYTES)
}

pub fn inpcb(conn: u16) -> u64 {
    element(1, conn.into(), INPCB_BYTES)
}

pub fn tcpcb(conn: u16) -> u64 {
    element(2, conn.into(), TCPCB_BYTES)
}

/// The callouts of a connection lie behind its control block's other fields: one line for those that are not
/// re-armed with every segment, one for those that are.
pub fn callouts(conn: u16) -> u64 {
    tcpcb(conn) + u64::from(TCPCB_BYTES) - 64
}

pub fn template(conn: u16) -> u64 {
    element(3, conn.into(), TEMPLATE_BYTES)
}

pub fn file(conn: u16) -> u64 {
    element(4, conn.into(), FILE_BYTES)
}

pub fn client(conn: u16) -> u64 {
    element(5, conn.into(), CLIENT_BYTES)
}

/// A bucket of the table of connections: a pointer.
pub fn hash_bucket(bucket: u32) -> u64 {
    element(6, bucket.into(), 4)
}

pub fn mbuf(index: u32) -> u64 {
    element(7, index.into(), MBUF_BYTES)
}

/// The count of references to what an mbuf refers to, in a table of its own.
pub fn reference_count(mbuf: u32) -> u64 {
    element(13, mbuf.into(), 4)
}

pub fn cluster(index: u32) -> u64 {
    element(8, index.into(), CLUSTER_BYTES)
}

/// What the kernel keeps of the page at an address of host memory: a line.
pub fn vm_page(addr: u32) -> u64 {
    element(9, u64::from(addr / PAGE_BYTES), 64)
}

/// What the web server keeps of the file at an address: it finds it through a table of as many entries.
pub fn cached_file(addr: u32) -> u64 {
    let slot = u64::from(addr / 64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
    element(10, slot, CACHED_FILE_BYTES)
}

/// Variables of a layer that every operation of it uses: statistics, interface, route.
pub fn globals(layer: u64) -> u64 {
    element(11, layer, 512)
}

/// The user's buffer that requests are read into and heads are written from: one for all, since requests are
/// handled one after another.
pub fn user_buffer() -> u64 {
    region(12)
}

/// Buffers of one kind, reused last in, first out.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    free: Vec<u32>,
    made: u32,
}

impl Zone {
    pub fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.made += 1;
            self.made - 1
        })
    }

    pub fn give(&mut self, index: u32) {
        self.free.push(index);
    }
}

/// The timer wheel of one kind of timer, as far as its memory goes: a doubly linked list in the order of arming,
/// so a timer that is taken out touches the two connections that armed theirs before and after it.
#[derive(Clone, Debug)]
pub struct Wheel {
    neighbours: Vec<Option<(u16, u16)>>,
    newest: u16,
}

impl Wheel {
    pub fn new() -> Self {
        Wheel { neighbours: Vec::new(), newest: u16::MAX }
    }

    fn place(&mut self, conn: u16) -> &mut Option<(u16, u16)> {
        let index = usize::from(conn);
        if self.neighbours.len() <= index {
            self.neighbours.resize(index + 1, None);
        }
        &mut self.neighbours[index]
    }

    /// Takes a timer out. Returns the connections before and after it; `u16::MAX` for the list's ends.
    pub fn disarm(&mut self, conn: u16) -> Option<(u16, u16)> {
        let (before, after) = self.place(conn).take()?;
        if before != u16::MAX {
            if let Some(place) = self.place(before) {
                place.1 = after;
            }
        }
        if after != u16::MAX {
            if let Some(place) = self.place(after) {
                place.0 = before;
            }
        } else {
            self.newest = before;
        }
        Some((before, after))
    }

    /// Arms a timer that is not armed. Returns the connection before it.
    pub fn arm(&mut self, conn: u16) -> u16 {
        let before = std::mem::replace(&mut self.newest, conn);
        *self.place(conn) = Some((before, u16::MAX));
        if before != u16::MAX {
            if let Some(place) = self.place(before) {
                place.1 = conn;
            }
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_names_its_neighbours() {
        let mut wheel = Wheel::new();
        assert_eq!(wheel.disarm(3), None);
        assert_eq!((wheel.arm(3), wheel.arm(1), wheel.arm(7)), (u16::MAX, 3, 1));
        assert_eq!(wheel.disarm(1), Some((3, 7)));
        assert_eq!(wheel.disarm(7), Some((3, u16::MAX)));
        assert_eq!(wheel.arm(1), 3);
        assert_eq!(wheel.disarm(3), Some((u16::MAX, 1)));
        assert_eq!(wheel.disarm(1), Some((u16::MAX, u16::MAX)));
    }

    #[test]
    fn regions_do_not_overlap() {
        let ends = [
            (socket(u16::MAX), inpcb(0)),
            (tcpcb(u16::MAX), template(0)),
            (client(u16::MAX), hash_bucket(0)),
            (cluster(65535), vm_page(0)),
            (vm_page(u32::MAX), cached_file(0) & !0xFF_FFFF),
            (cached_file(u32::MAX), globals(0)),
        ];
        for (end, next) in ends {
            assert!(end < next, "{end:#x} {next:#x}");
        }
    }
}
