//! Connections to one port of this machine, taken from the kernel and handed off to the NIC.
//!
//! The kernel listens and does the handshake. When it has a connection, that is frozen ([`super::kernel`]), continued by the stack of the
//! adapter, which offers it to the NIC as the selection policy says, and joined to the server ([`super::relay`]). What cannot be
//! taken stays the kernel's, and two threads copy between it and the server: nobody is refused.

use super::flows::Flows;
use super::kernel::Frozen;
use super::relay::Relay;
use crate::server::frame::{self, Parsed};
use crate::server::{Address, Selection, Server};
use anyhow::{Context, Result};
use baton_cosim::port::HostPort;
use std::io;
use std::net::{Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::thread;

/// What is asked of the kernel for its receive buffers: the window that it announces of it fits 64 KiB.
pub const KERNEL_BUFFER_BYTES: libc::c_int = 32 << 10;
/// Connections that wait to be accepted.
const BACKLOG: libc::c_int = 128;

/// Counts of an offload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffloadStats {
    /// Connections that the kernel has let go.
    pub taken: u64,
    /// Connections that stayed with it.
    pub left: u64,
}

/// See the module's header.
pub struct Offload {
    listener: TcpListener,
    mac: [u8; 6],
    at: SocketAddrV4,
    to: SocketAddr,
    selection: Option<Box<dyn Selection>>,
    firmware: Vec<u8>,
    flows: Flows,
    stats: OffloadStats,
    /// Why the last connection that stayed did so.
    why: Option<String>,
}

impl Offload {
    /// Listens at an address of the interface with the link address `mac`, for the server at `to`.
    ///
    /// # Errors
    /// When the kernel does not let this process listen there.
    pub fn new(
        mac: [u8; 6],
        at: SocketAddrV4,
        to: SocketAddr,
        selection: Box<dyn Selection>,
        firmware: Vec<u8>,
    ) -> Result<Self> {
        let listener = listen(at).with_context(|| format!("cannot listen at {at}"))?;
        listener.set_nonblocking(true)?;
        let selection = Some(selection);
        Ok(Offload {
            listener,
            mac,
            at,
            to,
            selection,
            firmware,
            flows: Flows::default(),
            stats: OffloadStats::default(),
            why: None,
        })
    }

    pub(super) fn address(&self) -> Address {
        Address { mac: self.mac, ip: self.at.ip().octets() }
    }

    pub(super) fn to(&self) -> SocketAddr {
        self.to
    }

    /// The policy, once.
    pub(super) fn selection(&mut self) -> Box<dyn Selection> {
        self.selection.take().unwrap_or_else(|| Box::new(crate::server::Never))
    }

    /// The image, once.
    pub(super) fn firmware(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.firmware)
    }

    pub fn stats(&self) -> OffloadStats {
        self.stats
    }

    /// Why the last connection that stayed with the kernel did so, since the last call.
    pub fn why_left(&mut self) -> Option<String> {
        self.why.take()
    }

    /// A frame has come for the kernel; `verified`: hardware has seen right checksums.
    pub(super) fn saw(&mut self, bytes: &[u8], verified: bool, now_us: u64) {
        if let Some(Parsed::Tcp { endpoints, segment, .. }) = frame::parse(bytes, verified) {
            if endpoints.local_port == self.at.port() {
                self.flows.saw(endpoints, &segment, now_us);
            }
        }
    }

    /// Takes the connections that the kernel has accepted.
    ///
    /// # Errors
    /// When the listener is gone.
    pub(super) fn accept(&mut self, server: &mut Server<Relay>, port: &mut dyn HostPort) -> Result<()> {
        loop {
            let (stream, remote) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The connection has gone while it waited, or there are no descriptors left for it now.
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::ECONNABORTED | libc::EINTR | libc::EMFILE | libc::ENFILE)
                    ) =>
                {
                    return Ok(())
                }
                Err(error) => return Err(error).context("cannot accept"),
            };
            match self.take(server, port, stream, remote) {
                Ok(()) => self.stats.taken += 1,
                Err((stream, why)) => {
                    self.stats.left += 1;
                    self.why = Some(format!("{why:#}"));
                    if let Some(stream) = stream {
                        copy_both_ways(stream, self.to);
                    }
                }
            }
        }
    }

    /// On failure the connection, if it lives, is the kernel's as before.
    fn take(
        &mut self,
        server: &mut Server<Relay>,
        port: &mut dyn HostPort,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Result<(), (Option<TcpStream>, anyhow::Error)> {
        let SocketAddr::V4(address) = remote else {
            return Err((Some(stream), anyhow::anyhow!("{remote} is no IPv4 address")));
        };
        let flow = self.flows.take(address).with_context(|| format!("{remote} was not seen on the wire"));
        let flow = match flow {
            Ok(flow) => flow,
            Err(error) => return Err((Some(stream), error)),
        };
        let frozen = Frozen::new(stream).map_err(|(stream, error)| (Some(stream), error))?;
        let adopted = frozen
            .left(flow.ts_recent)
            .and_then(|left| Ok(server.adopt(port, flow.endpoints, &left.tcb, &left.unread)?));
        // Dropped, it leaves the kernel without a word.
        match adopted {
            Ok(_) => Ok(()),
            Err(error) => match frozen.thaw() {
                Ok(stream) => Err((Some(stream), error)),
                Err(stuck) => Err((None, error.context(stuck))),
            },
        }
    }
}

/// A listener whose connections announce windows that fit: the standard library has no way to say so before it listens.
fn listen(at: SocketAddrV4) -> io::Result<TcpListener> {
    let checked = |status: libc::c_int| match status {
        -1 => Err(io::Error::last_os_error()),
        other => Ok(other),
    };
    // SAFETY: plain arguments; the result is checked.
    let fd = checked(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: `fd` was just opened and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    for (option, value) in [(libc::SO_REUSEADDR, 1), (libc::SO_RCVBUF, KERNEL_BUFFER_BYTES)] {
        let len = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the kernel reads one `int`, which `value` is, for the length of the call.
        checked(unsafe {
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const value).cast(), len)
        })?;
    }
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: at.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(at.ip().octets()) },
        sin_zero: [0; 8],
    };
    let len = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address is a `sockaddr_in` of the size that is passed, and lives through the call.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) })?;
    // SAFETY: plain arguments.
    checked(unsafe { libc::listen(socket.as_raw_fd(), BACKLOG) })?;
    Ok(TcpListener::from(socket))
}

/// Joins a connection that stayed with the kernel to the server: a thread for each direction, which end with it. Without a thread
/// or a server the connection is closed.
fn copy_both_ways(near: TcpStream, to: SocketAddr) {
    let _ = thread::Builder::new().spawn(move || -> io::Result<()> {
        near.set_nonblocking(false)?;
        let far = TcpStream::connect(to)?;
        let (mut from, mut into) = (near.try_clone()?, far.try_clone()?);
        thread::Builder::new().spawn(move || {
            let _ = io::copy(&mut from, &mut into);
            into.shutdown(Shutdown::Write)
        })?;
        io::copy(&mut &far, &mut &near)?;
        near.shutdown(Shutdown::Write)
    });
}
