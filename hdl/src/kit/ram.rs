//! Memories with registered outputs. On ECP5 they are inferred as DP16KD, and as distributed memory where they have 64 words or
//! 2048 bits at most.
//!
//! `no_rw_check` is what lets yosys infer them: reading an address in the cycle in which the other port
//! writes it returns an undefined word, and no design here relies on it.

use super::{Cr, MOVES};
use rust_hdl::prelude::*;

/// Of a memory of more than 64 words that is not worth a block: an eighth of what it holds. Twice as many take 64 cells of 16 words and a
/// choice among 8 of them for each bit, some 500 of an ECP5's LUTs.
const MOST_DISTRIBUTED_BITS: usize = 2048;

/// Where yosys puts a memory of `2^words_log2` words, as an attribute of its declaration: distributed if it would waste a block, of which it
/// fills an eighth at most.
pub(super) fn ram_style(width: usize, words_log2: usize) -> &'static str {
    if words_log2 <= 6 || width << words_log2 <= MOST_DISTRIBUTED_BITS {
        "(* ram_style = \"distributed\" *) "
    } else {
        ""
    }
}

/// One write port and one read port, `2^A` words of `W` bits. `read_data` holds the word at the
/// `read_addr` of the cycle before. Contents are undefined (zero in simulation) until written. A build may choose fewer words
/// ([`RamRw::set_words_log2`]).
#[derive(Clone, Debug, LogicBlock)]
pub struct RamRw<const W: usize, const A: usize> {
    pub cr: Cr,
    pub write_enable: Signal<In, Bit>,
    pub write_addr: Signal<In, Bits<A>>,
    pub write_data: Signal<In, Bits<W>>,
    pub read_addr: Signal<In, Bits<A>>,
    pub read_data: Signal<Out, Bits<W>>,
    _words_log2: usize,
}

impl<const W: usize, const A: usize> RamRw<W, A> {
    /// `2^words_log2` words; higher address bits are ignored.
    ///
    /// # Panics
    /// When they are fewer than two, or more than `2^A`.
    pub fn set_words_log2(&mut self, words_log2: usize) {
        assert!((1..=A).contains(&words_log2), "2^{words_log2} words at addresses of {A} bits");
        self._words_log2 = words_log2;
    }
}

impl<const W: usize, const A: usize> Default for RamRw<W, A> {
    fn default() -> Self {
        RamRw {
            cr: Default::default(),
            write_enable: Default::default(),
            write_addr: Default::default(),
            write_data: Default::default(),
            read_addr: Default::default(),
            read_data: Default::default(),
            _words_log2: A,
        }
    }
}

impl<const W: usize, const A: usize> Logic for RamRw<W, A> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let (msb, last) = (W - 1, (1usize << self._words_log2) - 1);
        // All of an address, or the part that counts.
        let part =
            if self._words_log2 == A { String::new() } else { format!("[{}:0]", self._words_log2 - 1) };
        let style = ram_style(W, self._words_log2);
        Verilog::Custom(format!(
            "{MOVES}write_enable | (mem[read_addr{part}] != read_data)\n\
             {style}(* no_rw_check *) reg [{msb}:0] mem [0:{last}];\n\
             always @(posedge cr$clock) begin\n  \
             if (write_enable) mem[write_addr{part}] <= write_data;\n  \
             read_data <= mem[read_addr{part}];\nend\n"
        ))
    }
}

/// The file that the Verilog of a memory with contents names, in the folder of whoever reads that Verilog: a word in
/// hexadecimal on each line, the first of them word 0.
pub const IMAGE_FILE: &str = "firmware.hex";

/// The same for the [`BANK_WORDS`] words behind the first so many; there is none for what lies beyond.
pub const IMAGE_FILE_HIGH: &str = "firmware_high.hex";

/// Words of which each bit fills a block of an ECP5: no logic stands between such a memory and its reader. A memory of more words that
/// are no power of two is made of banks of so many, and of the powers of two in the rest, for one choice among banks in place of one
/// among all blocks.
pub const BANK_WORDS: usize = 16 * 1024;
/// A bank of so many words, or fewer, is the last.
const LEAST_BANK_WORDS: usize = 2048;

/// Two ports on 32-bit words with byte enables. The number of words is chosen when the memory is built, at most `2^A`;
/// address bits that it does not need are ignored. A multiple of 2048 words fills whole blocks of an ECP5.
///
/// Port `a` reads in every cycle. Port `b` reads, or writes the bytes that `b_write` selects, in a cycle with
/// `b_enable`, and keeps its answer in others. Both answer in the next cycle. An address past the end reads an undefined
/// word; the caller checks.
#[derive(Clone, Debug, LogicBlock)]
pub struct RamDualByte<const A: usize> {
    pub cr: Cr,
    pub a_addr: Signal<In, Bits<A>>,
    pub a_data: Signal<Out, Bits<32>>,
    pub b_enable: Signal<In, Bit>,
    pub b_addr: Signal<In, Bits<A>>,
    pub b_write: Signal<In, Bits<4>>,
    pub b_write_data: Signal<In, Bits<32>>,
    pub b_data: Signal<Out, Bits<32>>,
    _words: usize,
    _image: bool,
}

impl<const A: usize> RamDualByte<A> {
    /// A memory of `words` words, at most `2^A`.
    pub fn new(words: usize) -> Self {
        assert!(words > 1 && words <= 1 << A, "{words} words do not fit {A} address bits");
        RamDualByte {
            cr: Default::default(),
            a_addr: Default::default(),
            a_data: Default::default(),
            b_enable: Default::default(),
            b_addr: Default::default(),
            b_write: Default::default(),
            b_write_data: Default::default(),
            b_data: Default::default(),
            _words: words,
            _image: false,
        }
    }

    /// The memory holds the words of [`IMAGE_FILE`] when the FPGA is configured. Without it, contents are undefined until
    /// written.
    pub fn set_image(&mut self) {
        self._image = true;
    }
}

impl<const A: usize> Logic for RamDualByte<A> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.a_data.connect();
        self.b_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let banks = self.banks();
        // A last bank of one word would have no address.
        let banked = !self._words.is_power_of_two() && banks.len() > 1 && banks.iter().all(|bank| *bank > 1);
        Verilog::Custom(if banked { self.banked(&banks) } else { self.one_bank() })
    }
}

/// Statements that write the selected bytes of `b_write_data` to a word of `array`, under the condition `and`.
fn write_lanes(array: &str, index: &str, and: &str) -> String {
    (0..4)
        .map(|i| {
            let (lsb, msb) = (8 * i, 8 * i + 7);
            format!(
                "    if (b_write[{i}]{and}) {array}[{index}][{msb}:{lsb}] <= b_write_data[{msb}:{lsb}];\n"
            )
        })
        .collect()
}

impl<const A: usize> RamDualByte<A> {
    // A file, and not a statement for each word: yosys takes minutes for those.
    fn image(&self, file: &str, array: &str) -> String {
        match self._image {
            false => String::new(),
            true => format!("initial $readmemh(\"{file}\", {array});\n"),
        }
    }

    fn one_bank(&self) -> String {
        let last = self._words - 1;
        // As many address bits as the words need: the index of an array must not be wider than that.
        let msb = last.ilog2();
        let (lanes, image) = (write_lanes("mem", "b_index", ""), self.image(IMAGE_FILE, "mem"));
        format!(
            "{MOVES}(mem[a_index] != a_data) | (b_enable & ((|b_write) | (mem[b_index] != b_data)))\n\
             (* no_rw_check *) reg [31:0] mem [0:{last}];\n\
             wire [{msb}:0] a_index = a_addr[{msb}:0];\nwire [{msb}:0] b_index = b_addr[{msb}:0];\n\
             always @(posedge cr$clock) a_data <= mem[a_index];\n\
             always @(posedge cr$clock) begin\n  if (b_enable) begin\n    b_data <= mem[b_index];\n{lanes}  end\nend\n{image}"
        )
    }

    /// Words of each bank. All but the last are powers of two and none is larger than the one before, so an address's low bits are
    /// its place in a bank.
    fn banks(&self) -> Vec<usize> {
        let mut left = self._words;
        let mut banks = Vec::new();
        while left > 0 {
            let bank = if left <= LEAST_BANK_WORDS { left } else { BANK_WORDS.min(1 << left.ilog2()) };
            banks.push(bank);
            left -= bank;
        }
        banks
    }

    /// The address of port `a` is there early in a cycle, and its word is wanted early in the next: the banks that it does not mean
    /// answer zero, which their blocks do by themselves, and the word is the sum of all. Port `b` has a late address and chooses among
    /// the words.
    fn banked(&self, banks: &[usize]) -> String {
        let (last_bank, msb) = (banks.len() - 1, (self._words - 1).ilog2());
        let select = last_bank.ilog2();
        // The bank of an address: the first that ends behind it. Every bank but the last ends at a multiple of its own size, so the
        // bits above that tell.
        let bank_of = |addr: &str| {
            let mut text = String::new();
            let mut end = 0;
            for (bank, words) in banks[..last_bank].iter().enumerate() {
                end += words;
                let low = words.ilog2();
                text += &format!("{addr}[{msb}:{low}] < {} ? {bank} : ", end >> low);
            }
            format!("{text}{last_bank}")
        };
        let mut text = format!(
            "{MOVES}1'b1\n\
             wire [{select}:0] a_bank = {};\nwire [{select}:0] b_bank = {};\n\
             reg [{select}:0] b_was;\n\
             always @(posedge cr$clock) if (b_enable) b_was <= b_bank;\n",
            bank_of("a_addr"),
            bank_of("b_addr")
        );
        let (mut a_words, mut b_cases) = (Vec::new(), String::new());
        for (bank, words) in banks.iter().enumerate() {
            let last = words - 1;
            let index = last.ilog2();
            let lanes = write_lanes(
                &format!("bank{bank}"),
                &format!("b_addr[{index}:0]"),
                &format!(" & (b_bank == {bank})"),
            );
            let image = match bank {
                0 => self.image(IMAGE_FILE, "bank0"),
                1 => self.image(IMAGE_FILE_HIGH, "bank1"),
                _ => String::new(),
            };
            text += &format!(
                "(* no_rw_check *) reg [31:0] bank{bank} [0:{last}];\nreg [31:0] a_{bank}, b_{bank};\n\
                 always @(posedge cr$clock) if (a_bank != {bank}) a_{bank} <= 0; else a_{bank} <= bank{bank}[a_addr[{index}:0]];\n\
                 always @(posedge cr$clock) begin\n  if (b_enable) begin\n    b_{bank} <= bank{bank}[b_addr[{index}:0]];\n\
                 {lanes}  end\nend\n{image}"
            );
            let label = if bank == last_bank { "default".into() } else { format!("{bank}") };
            a_words.push(format!("a_{bank}"));
            b_cases += &format!("  {label}: b_data = b_{bank};\n");
        }
        text + &format!(
            "always @(*) a_data = {};\nalways @(*) case (b_was)\n{b_cases}endcase\n",
            a_words.join(" | ")
        )
    }
}

/// Distributed memory: one write port, one read port that answers in the same cycle. Contents are zero until
/// written and survive reset. For a few dozen words; larger ones belong in [`RamRw`].
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LutRam<const W: usize, const A: usize> {
    pub cr: Cr,
    pub write_enable: Signal<In, Bit>,
    pub write_addr: Signal<In, Bits<A>>,
    pub write_data: Signal<In, Bits<W>>,
    pub read_addr: Signal<In, Bits<A>>,
    pub read_data: Signal<Out, Bits<W>>,
}

impl<const W: usize, const A: usize> Logic for LutRam<W, A> {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let (msb, last) = (W - 1, (1usize << A) - 1);
        Verilog::Custom(format!(
            "{MOVES}write_enable\n\
             reg [{msb}:0] mem [0:{last}];\n\
             integer i;\ninitial for (i = 0; i <= {last}; i = i + 1) mem[i] = 0;\n\
             always @(*) read_data = mem[read_addr];\n\
             always @(posedge cr$clock) if (write_enable) mem[write_addr] <= write_data;\n"
        ))
    }
}
