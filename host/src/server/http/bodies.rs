//! Response bodies: a deterministic byte stream for each seed, kept in host memory.
//!
//! Byte `i` of the stream depends on the seed and `i` alone, so that a client checks any byte without
//! knowing how the server came by it, and a shorter body is a prefix of a longer one: the server generates
//! a seed's stream once and sends prefixes of it for as long as they suffice.

use std::collections::BTreeMap;

use baton_cosim::port::HostMemory;

use crate::server::arena::Arena;

/// Eight bytes of the stream of `seed`, from offset `8 * index` on: the splitmix64 output function over a
/// counter.
fn block(seed: u64, index: u64) -> [u8; 8] {
    let mut z = seed.rotate_left(32).wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)).to_le_bytes()
}

/// Writes the stream of `seed` from `offset` on into `out`.
pub fn fill(seed: u64, offset: u64, out: &mut [u8]) {
    let mut done = 0;
    while done < out.len() {
        let at = offset + done as u64;
        let bytes = block(seed, at / 8);
        let from = (at % 8) as usize;
        let take = (8 - from).min(out.len() - done);
        out[done..done + take].copy_from_slice(&bytes[from..from + take]);
        done += take;
    }
}

/// Index in `bytes` of the first byte that differs from the stream of `seed` from `offset` on.
pub fn first_difference(seed: u64, offset: u64, bytes: &[u8]) -> Option<usize> {
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done as u64;
        let expected = block(seed, at / 8);
        let from = (at % 8) as usize;
        let take = (8 - from).min(bytes.len() - done);
        for k in 0..take {
            if bytes[done + k] != expected[from + k] {
                return Some(done + k);
            }
        }
        done += take;
    }
    None
}

/// The streams that are in memory.
#[derive(Debug)]
pub struct Bodies {
    arena: Arena,
    /// Address and length of the longest generated prefix of each seed.
    streams: BTreeMap<u64, (u32, u32)>,
}

impl Bodies {
    pub fn new(arena: Arena) -> Self {
        Bodies { arena, streams: BTreeMap::new() }
    }

    /// Address of `len` bytes of the stream of `seed`; `None` when there is no memory left for them. The bytes
    /// stay where they are for the life of the server.
    pub fn get(&mut self, memory: &mut HostMemory, seed: u64, len: u32) -> Option<u32> {
        if let Some(&(addr, have)) = self.streams.get(&seed) {
            if have >= len {
                return Some(addr);
            }
        }
        // Twice what is asked, if it fits: a workload that walks up in size then costs a few regions a seed.
        let generous = len.max(4096).saturating_mul(2);
        let (addr, have) = match self.arena.alloc(generous, 64) {
            Some(addr) => (addr, generous),
            None => (self.arena.alloc(len, 64)?, len),
        };
        fill(seed, 0, memory.slice_mut(addr, have as usize));
        self.streams.insert(seed, (addr, have));
        Some(addr)
    }

    /// Copies `bytes` to memory where they stay for the life of the server; `None` when there is no room.
    pub fn place(&mut self, memory: &mut HostMemory, bytes: &[u8]) -> Option<u32> {
        let addr = self.arena.alloc(u32::try_from(bytes.len()).ok()?, 64)?;
        memory.write(addr, bytes);
        Some(addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_gives_the_same_stream() {
        let mut whole = [0; 100];
        fill(7, 0, &mut whole);
        for offset in 0..40 {
            let mut part = [0; 50];
            fill(7, offset as u64, &mut part);
            assert_eq!(part, whole[offset..offset + 50]);
            assert_eq!(first_difference(7, offset as u64, &part), None);
            part[offset] ^= 1;
            assert_eq!(first_difference(7, offset as u64, &part), Some(offset));
        }
        assert_eq!(first_difference(8, 0, &whole).map(|at| at < 8), Some(true));
    }

    #[test]
    fn prefixes_share_memory_until_it_ends() {
        let mut memory = HostMemory::new(0, 0x10000);
        let mut bodies = Bodies::new(Arena::new(0..0x10000));
        let short = bodies.get(&mut memory, 1, 100).unwrap();
        assert_eq!(bodies.get(&mut memory, 1, 8192), Some(short));
        let long = bodies.get(&mut memory, 1, 20000).unwrap();
        assert_ne!(long, short);
        assert_eq!(first_difference(1, 0, memory.slice(long, 20000)), None);
        assert_eq!(bodies.get(&mut memory, 2, 0x10000), None);
        assert!(bodies.get(&mut memory, 2, 1).is_some());
    }
}
