//! How a register is described: the data behind address decoders and generated documents.

/// Who may do what with a register, seen from the bus that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads have no side effect; writes are ignored.
    ReadOnly,
    /// Reads return the last value written.
    ReadWrite,
    /// A write acts; reads return zero.
    WriteOnly,
    /// Reads return the bits that are set; writing a one clears that bit.
    WriteOneToClear,
}

/// Bits `lsb + width - 1 : lsb` of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub lsb: u8,
    pub width: u8,
    pub doc: &'static str,
}

/// One 32-bit register, or `count` of them in consecutive words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    pub name: &'static str,
    /// Byte address on its bus.
    pub address: u32,
    /// Number of consecutive words.
    pub count: u32,
    pub access: Access,
    /// Value after reset.
    pub reset: u32,
    pub doc: &'static str,
    pub fields: &'static [Field],
}

/// The registers of one function, in address order.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub name: &'static str,
    pub doc: &'static str,
    pub registers: &'static [Register],
}

/// Declares a block of registers: one address constant each, and the [`Block`] that describes them
/// all. `NAME[n]` declares `n` consecutive words.
macro_rules! register_block {
    (
        $(#[doc = $bdoc:literal])+
        $block:ident {
            $(
                $(#[doc = $doc:literal])+
                $name:ident $([$count:literal])? = $address:literal, $access:ident $(, reset $reset:expr)?
                $(, { $( $field:ident [$msb:literal : $lsb:literal] $fdoc:literal ),+ $(,)? })? ;
            )+
        }
    ) => {
        $(
            $(#[doc = $doc])+
            pub const $name: u32 = $address;
        )+
        $(#[doc = $bdoc])+
        pub const $block: $crate::Block = $crate::Block {
            name: stringify!($block),
            doc: concat!($($bdoc,)+),
            registers: &[
                $( $crate::Register {
                    name: stringify!($name),
                    address: $address,
                    count: 1 $(- 1 + $count)?,
                    access: $crate::Access::$access,
                    reset: 0 $(+ $reset)?,
                    doc: concat!($($doc,)+),
                    fields: &[ $( $( $crate::Field {
                        name: stringify!($field),
                        lsb: $lsb,
                        width: $msb - $lsb + 1,
                        doc: $fdoc,
                    } ),+ )? ],
                } ),+
            ],
        };
    };
}
pub(crate) use register_block;
