#!/bin/sh
# FuseSoC's generator: writes the Verilog of a block of `baton-hdl` (`hdl/examples/emit.rs` names them) and a core file for it
# into the present folder. $1 is the description that FuseSoC writes. BATON_EMIT_PROFILE: profile of the build, `dev` if unset.
set -eu
value() { sed -n "s/^ *$1: *//p" "$2" | head -n 1; }
root=$(value files_root "$1")
vlnv=$(value vlnv "$1")
block=$(value block "$1")
here=$PWD
(cd "$root/../.." && cargo run --quiet --profile "${BATON_EMIT_PROFILE:-dev}" --package baton-hdl --example emit -- "$block") > "$here/$block.v"
cat > "$here/$block.core" <<END
CAPI=2:
name: $vlnv
filesets:
  rtl:
    files: [$block.v]
    file_type: systemVerilogSource
targets:
  default:
    filesets: [rtl]
END
