// The core library of P4-16, as appendix C of the language specification (version 1.2.5) defines it.
// What of it this compiler supports is in docs/p4.md.

#ifndef _CORE_P4_
#define _CORE_P4_

/// Standard error codes. Programs may add others.
error {
    NoError,               // no error
    PacketTooShort,        // not enough bits in the packet for `extract`
    NoMatch,               // a `select` expression has no matching case
    StackOutOfBounds,      // reference to an invalid element of a header stack
    HeaderTooShort,        // extracting too many bits into a varbit field
    ParserTimeout,         // the parser's time limit is exceeded
    ParserInvalidArgument  // a parser operation was called with a value that the target does not support
}

/// The packet that a parser reads.
extern packet_in {
    /// Reads a header and moves past it.
    void extract<T>(out T hdr);
    /// Reads a header whose one varbit field has the given size.
    void extract<T>(out T variableSizeHeader, in bit<32> variableFieldSizeInBits);
    /// Reads without moving.
    T lookahead<T>();
    /// Moves without reading.
    void advance(in bit<32> sizeInBits);
    /// The packet's length in bytes.
    bit<32> length();
}

/// The packet that a deparser writes.
extern packet_out {
    void emit<T>(in T hdr);
}

/// Ends the parser in `reject` with an error, unless the condition holds.
extern void verify(in bool check, in error toSignal);

/// Ends the compilation, unless the condition holds.
extern bool static_assert(bool check, string message);
extern bool static_assert(bool check);

@noWarn("unused")
action NoAction() {}

match_kind {
    exact,    // all bits are compared
    ternary,  // the bits that a mask chooses are compared
    lpm       // the longest matching prefix wins
}

#endif  // _CORE_P4_
