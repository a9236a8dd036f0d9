//! Any bytes as a program: the compiler ends with hardware or with errors, and does not panic.
#![no_main]

use baton_p4::diag::{render, Diagnostics};
use baton_p4::hardware;
use baton_p4::pre::{Loader, Options};
use libfuzzer_sys::fuzz_target;
use std::io;
use std::path::Path;

struct Memory<'a>(&'a [u8]);

impl Loader for Memory<'_> {
    fn load(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path == Path::new("main.p4") {
            true => Ok(self.0.to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let checked = baton_p4::check(Path::new("main.p4"), &Options::default(), &Memory(bytes)).unwrap();
    render(&checked.parsed.diagnostics, &checked.parsed.sources);
    assert_eq!(checked.ir.is_some(), !checked.parsed.diagnostics.has_errors());
    if let Some(ir) = checked.ir {
        let mut refused = Diagnostics::default();
        let made = hardware::compile(&ir, &mut refused);
        assert_eq!(made.is_some(), !refused.has_errors());
        if let Some(made) = made {
            made.verilog("");
            let _ = made.rust_hdl();
        }
    }
});
