//! The engine as a C library: `include/baton_tcp.h` is its reference.
//!
//! `cargo rustc -p baton-tcp --features capi --crate-type cdylib --release` builds it. Every argument is checked; given pointers that are
//! valid as the header says, no bytes in them can cause undefined behaviour. What is unsafe is in this file and does
//! nothing but turn C's pointers into references; [`connection`] does the rest in safe code.
#![allow(unsafe_code)]

mod connection;

use core::{ffi::c_int, ptr, slice};

use crate::{Config, CongestionAlgorithm, Endpoints};
pub use connection::{Connection, Error};

/// Version of this interface: major in the high half, minor in the low one.
const VERSION: u32 = 1 << 16;

/// `struct baton_tcp_config`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CConfig {
    size: u32,
    mss: u16,
    window_shift: u8,
    initial_window: u8,
    max_retransmits: u8,
    nagle: u8,
    sack: u8,
    timestamps: u8,
    congestion: u8,
    reserved: [u8; 3],
    min_rto_us: u32,
    max_rto_us: u32,
    delayed_ack_us: u32,
    time_wait_us: u32,
    keepalive_us: u32,
    fin_wait_2_us: u32,
    challenge_us: u32,
}

/// `struct baton_tcp_endpoints`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CEndpoints {
    local_ip: u32,
    remote_ip: u32,
    local_port: u16,
    remote_port: u16,
    local_mac: [u8; 6],
    remote_mac: [u8; 6],
}

impl CConfig {
    fn new(config: &Config) -> Self {
        CConfig {
            size: size_of::<CConfig>() as u32,
            mss: config.mss,
            window_shift: config.window_shift,
            initial_window: config.initial_window,
            max_retransmits: config.max_retransmits,
            nagle: config.nagle.into(),
            sack: config.sack.into(),
            timestamps: config.timestamps.into(),
            congestion: config.congestion as u8,
            reserved: [0; 3],
            min_rto_us: config.min_rto_us,
            max_rto_us: config.max_rto_us,
            delayed_ack_us: config.delayed_ack_us,
            time_wait_us: config.time_wait_us,
            keepalive_us: config.keepalive_us,
            fin_wait_2_us: config.fin_wait_2_us,
            challenge_us: config.challenge_us,
        }
    }

    fn checked(&self) -> Result<Config, Error> {
        let congestion = match self.congestion {
            0 => CongestionAlgorithm::NewReno,
            1 => CongestionAlgorithm::Cubic,
            _ => return Err(Error::Invalid),
        };
        if self.size as usize != size_of::<CConfig>() || self.reserved != [0; 3] {
            return Err(Error::Invalid);
        }
        let config = Config {
            mss: self.mss,
            window_shift: self.window_shift,
            initial_window: self.initial_window,
            max_retransmits: self.max_retransmits,
            nagle: self.nagle != 0,
            congestion,
            sack: self.sack != 0,
            timestamps: self.timestamps != 0,
            min_rto_us: self.min_rto_us,
            max_rto_us: self.max_rto_us,
            delayed_ack_us: self.delayed_ack_us,
            time_wait_us: self.time_wait_us,
            keepalive_us: self.keepalive_us,
            fin_wait_2_us: self.fin_wait_2_us,
            challenge_us: self.challenge_us,
        };
        // A C program is told of a value out of range; nothing is silently changed.
        if config.clamped() == config {
            Ok(config)
        } else {
            Err(Error::Invalid)
        }
    }
}

/// What `pointer` points to, unless it is null or misaligned.
///
/// # Safety
/// A pointer that is neither must be valid for reads of a `T`, any bytes of which are a valid `T`.
unsafe fn read<T: Copy>(pointer: *const T) -> Option<T> {
    // SAFETY: not null, aligned, and the caller vouches for the rest.
    (!pointer.is_null() && pointer.is_aligned()).then(|| unsafe { pointer.read() })
}

/// The connection behind a handle.
///
/// # Safety
/// A pointer that is not null must be a handle of this library that was not freed, with no other call on it under way.
unsafe fn connection<'a>(handle: *mut Connection) -> Option<&'a mut Connection> {
    // SAFETY: a handle comes from `Box::into_raw` and is unique by the caller's word.
    unsafe { handle.as_mut() }
}

/// Bytes of the caller.
///
/// # Safety
/// A pointer that is not null must be valid for reads of `len` bytes for as long as the slice is used.
unsafe fn bytes<'a>(data: *const u8, len: usize) -> Option<&'a [u8]> {
    match len {
        0 => Some(&[]),
        // SAFETY: not null, no longer than any object, and the caller vouches for the rest; bytes are always aligned.
        _ if !data.is_null() && isize::try_from(len).is_ok() => {
            Some(unsafe { slice::from_raw_parts(data, len) })
        }
        _ => None,
    }
}

/// Room of the caller. It may be uninitialised in C's eyes, so it is cleared before Rust sees it as bytes.
///
/// # Safety
/// As [`bytes`], for writes.
unsafe fn room<'a>(data: *mut u8, len: usize) -> Option<&'a mut [u8]> {
    match len {
        0 => Some(&mut []),
        _ if !data.is_null() && isize::try_from(len).is_ok() => {
            // SAFETY: not null, no longer than any object, writable by the caller's word; after the first line all of it is
            // initialised.
            Some(unsafe {
                data.write_bytes(0, len);
                slice::from_raw_parts_mut(data, len)
            })
        }
        _ => None,
    }
}

fn length(result: Result<usize, Error>) -> isize {
    match result {
        Ok(length) => length as isize,
        Err(error) => error as isize,
    }
}

fn code(result: Result<(), Error>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error as c_int,
    }
}

fn handle(connection: Result<Connection, Error>) -> *mut Connection {
    connection.map_or(ptr::null_mut(), |connection| Box::into_raw(Box::new(connection)))
}

#[no_mangle]
pub extern "C" fn baton_tcp_version() -> u32 {
    VERSION
}

#[no_mangle]
pub extern "C" fn baton_tcp_record_version() -> u32 {
    baton_abi::handoff::VERSION
}

/// # Safety
/// `config` is null or valid for writes.
#[no_mangle]
pub unsafe extern "C" fn baton_tcp_config_default(config: *mut CConfig) -> c_int {
    if config.is_null() || !config.is_aligned() {
        return Error::Invalid as c_int;
    }
    // SAFETY: not null, aligned, and the caller vouches for the rest.
    unsafe { config.write(CConfig::new(&Config::default())) };
    0
}

/// What both ways of opening take.
///
/// # Safety
/// Both pointers are null or valid for reads.
unsafe fn open(
    make: impl FnOnce(Config, Endpoints, u32, (u32, u32), u64) -> Connection,
    config: *const CConfig,
    endpoints: *const CEndpoints,
    iss: u32,
    buffers: (u32, u32),
    now_us: u64,
) -> *mut Connection {
    // SAFETY: the caller vouches for both, and their fields are integers.
    let (Some(config), Some(ends)) = (unsafe { read(config) }, unsafe { read(endpoints) }) else {
        return ptr::null_mut();
    };
    let CEndpoints { local_ip, remote_ip, local_port, remote_port, local_mac, remote_mac } = ends;
    let [local_ip, remote_ip] = [local_ip, remote_ip].map(baton_abi::address::IpAddress::v4);
    let ends = Endpoints { local_ip, remote_ip, local_port, remote_port, local_mac, remote_mac, vlan: 0 };
    handle(config.checked().map(|config| make(config, ends, iss, buffers, now_us)))
}

/// # Safety
/// `config` and `endpoints` are null or valid for reads.
#[no_mangle]
pub unsafe extern "C" fn baton_tcp_connect(
    config: *const CConfig,
    endpoints: *const CEndpoints,
    iss: u32,
    send_bytes: u32,
    receive_bytes: u32,
    now_us: u64,
) -> *mut Connection {
    // SAFETY: the caller's own promise.
    unsafe { open(Connection::connect, config, endpoints, iss, (send_bytes, receive_bytes), now_us) }
}

/// # Safety
/// As [`baton_tcp_connect`].
#[no_mangle]
pub unsafe extern "C" fn baton_tcp_listen(
    config: *const CConfig,
    endpoints: *const CEndpoints,
    iss: u32,
    send_bytes: u32,
    receive_bytes: u32,
    now_us: u64,
) -> *mut Connection {
    // SAFETY: the caller's own promise.
    unsafe { open(Connection::listen, config, endpoints, iss, (send_bytes, receive_bytes), now_us) }
}

/// # Safety
/// `tcp` is null or a handle that is not used again.
#[no_mangle]
pub unsafe extern "C" fn baton_tcp_free(tcp: *mut Connection) {
    if !tcp.is_null() {
        // SAFETY: a handle comes from `Box::into_raw` and is given back once.
        drop(unsafe { Box::from_raw(tcp) });
    }
}

/// Defines calls on a handle: each is refused with `BATON_TCP_EINVAL` when the handle is null.
macro_rules! calls {
    ($($name:ident($tcp:ident $(, $argument:ident: $kind:ty)*) -> $result:ty { $invalid:expr } $body:block)*) => {$(
        /// # Safety
        /// `tcp` is null or a handle, pointers are null or valid for their lengths.
        #[no_mangle]
        pub unsafe extern "C" fn $name(tcp: *mut Connection $(, $argument: $kind)*) -> $result {
            // SAFETY: the caller's own promise.
            let Some($tcp) = (unsafe { connection(tcp) }) else { return $invalid };
            $body
        }
    )*};
}

calls! {
    baton_tcp_feed(tcp, frame: *const u8, len: usize) -> c_int { Error::Invalid as c_int } {
        // SAFETY: the caller vouches for `frame`.
        match unsafe { bytes(frame, len) } {
            Some(frame) => code(tcp.feed(frame)),
            None => Error::Invalid as c_int,
        }
    }

    baton_tcp_take(tcp, frame: *mut u8, capacity: usize) -> isize { Error::Invalid as isize } {
        // SAFETY: the caller vouches for `frame`.
        match unsafe { room(frame, capacity) } {
            Some(frame) => length(tcp.take(frame)),
            None => Error::Invalid as isize,
        }
    }

    baton_tcp_advance(tcp, now_us: u64) -> c_int { Error::Invalid as c_int } {
        code(tcp.advance(now_us))
    }

    baton_tcp_deadline(tcp) -> u64 { u64::MAX } {
        tcp.deadline().unwrap_or(u64::MAX)
    }

    baton_tcp_events(tcp) -> u32 { 0 } {
        tcp.take_events()
    }

    baton_tcp_state(tcp) -> c_int { Error::Invalid as c_int } {
        // LISTEN is the only state without a TCB.
        tcp.state().map_or(100, |state| state as c_int)
    }

    baton_tcp_send(tcp, data: *const u8, len: usize) -> isize { Error::Invalid as isize } {
        // SAFETY: the caller vouches for `data`.
        match unsafe { bytes(data, len) } {
            Some(data) => length(tcp.send(data)),
            None => Error::Invalid as isize,
        }
    }

    baton_tcp_recv(tcp, data: *mut u8, capacity: usize) -> isize { Error::Invalid as isize } {
        // SAFETY: the caller vouches for `data`.
        match unsafe { room(data, capacity) } {
            Some(data) => length(Ok(tcp.recv(data))),
            None => Error::Invalid as isize,
        }
    }

    baton_tcp_shutdown(tcp) -> c_int { Error::Invalid as c_int } {
        code(tcp.shutdown())
    }

    baton_tcp_abort(tcp) -> c_int { Error::Invalid as c_int } {
        tcp.abort();
        0
    }

    baton_tcp_set_nagle(tcp, on: c_int) -> c_int { Error::Invalid as c_int } {
        code(tcp.set_nagle(on != 0))
    }

    baton_tcp_lower_mss(tcp, mss: u16, quoted_seq: u32) -> c_int { Error::Invalid as c_int } {
        code(tcp.lower_mss(mss, quoted_seq))
    }

    baton_tcp_export(tcp, record: *mut u8, capacity: usize) -> isize { Error::Invalid as isize } {
        let exported = match tcp.export() {
            Ok(exported) => exported,
            Err(error) => return error as isize,
        };
        if record.is_null() && capacity == 0 {
            return exported.len() as isize;
        }
        // SAFETY: the caller vouches for `record`.
        match unsafe { room(record, capacity) } {
            Some(record) => match record.get_mut(..exported.len()) {
                Some(record) => {
                    record.copy_from_slice(&exported);
                    exported.len() as isize
                }
                None => Error::Space as isize,
            },
            None => Error::Invalid as isize,
        }
    }
}

/// # Safety
/// `config` and `record` are null or valid for reads, `record` of `len` bytes.
#[no_mangle]
pub unsafe extern "C" fn baton_tcp_import(
    config: *const CConfig,
    record: *const u8,
    len: usize,
    now_us: u64,
) -> *mut Connection {
    // SAFETY: the caller vouches for both.
    let (Some(config), Some(record)) = (unsafe { read(config) }, unsafe { bytes(record, len) }) else {
        return ptr::null_mut();
    };
    handle(config.checked().and_then(|config| Connection::import(record, config, now_us)))
}
