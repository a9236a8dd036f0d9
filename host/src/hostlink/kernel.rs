//! The kernel as the owner of a TCP connection: how it lets one go.
//!
//! Linux's repair mode (`TCP_REPAIR`, made for moving processes between machines) shows a connection's sequence numbers, windows
//! and options, and closes a socket without a word to the peer. What it does not show is seen on the wire: the peer's last timestamp and
//! its link address ([`super::flows`]). What the kernel keeps beyond a gap is forgotten, which a receiver may (RFC 2018
//! Section 8): the peer sends it again.

use anyhow::{bail, ensure, Context, Result};
use baton_abi::handoff::TcbRecord;
use baton_tcp::{flag, State};
use std::io;
use std::mem;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

/// Of `TCP_REPAIR`: leave the mode, with no probe of the peer's window (`linux/tcp.h`, TCP_REPAIR_OFF_NO_WP).
const REPAIR_OFF: libc::c_int = -1;
const REPAIR_ON: libc::c_int = 1;
/// Of `TCP_REPAIR_QUEUE`: which queue is meant.
const RECEIVE_QUEUE: libc::c_int = 1;
const SEND_QUEUE: libc::c_int = 2;
/// The kernel's timestamp, now; the `libc` crate has no name for it.
const TCP_TIMESTAMP: libc::c_int = 24;
/// Bits of `tcpi_options`.
const OPTION_TIMESTAMPS: u8 = 1;
const OPTION_SACK: u8 = 2;
/// States of `tcpi_state` (`net/tcp_states.h`).
const ESTABLISHED: u8 = 1;
const CLOSE_WAIT: u8 = 8;
/// Most bytes that a record's windows may say.
const BUFFER_MAX: u32 = baton_tcp::Tcb::BUFFER_MAX;

/// `struct tcp_repair_window` of `linux/tcp.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct RepairWindow {
    snd_wl1: u32,
    snd_wnd: u32,
    max_window: u32,
    rcv_wnd: u32,
    rcv_wup: u32,
}

/// A connection of the kernel that stands still. Dropped, it is gone without a word to the peer.
#[derive(Debug)]
pub struct Frozen(TcpStream);

/// What the kernel knows of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub tcb: TcbRecord,
    /// What has arrived in order and nobody has read.
    pub unread: Vec<u8>,
}

impl Frozen {
    /// Stops a connection, of which no frame may reach the kernel from here on.
    ///
    /// # Errors
    /// Where repair is not allowed (it takes CAP_NET_ADMIN); the socket comes back as it was.
    pub fn new(stream: TcpStream) -> Result<Self, (TcpStream, anyhow::Error)> {
        match set(&stream, libc::TCP_REPAIR, REPAIR_ON) {
            Ok(()) => Ok(Frozen(stream)),
            Err(error) => Err((stream, error.context("the kernel does not let the connection go"))),
        }
    }

    /// The connection goes on here.
    ///
    /// # Errors
    /// When the kernel does not leave repair mode.
    pub fn thaw(self) -> Result<TcpStream> {
        set(&self.0, libc::TCP_REPAIR, REPAIR_OFF)?;
        Ok(self.0)
    }

    /// What another stack needs to go on with it. `ts_recent` is the peer's last timestamp.
    ///
    /// # Errors
    /// When it is closing from this side, has bytes that are not acknowledged, or the peer's timestamp is not known.
    pub fn left(&self, ts_recent: Option<u32>) -> Result<Left> {
        let socket = &self.0;
        let info: libc::tcp_info = get(socket, libc::TCP_INFO)?;
        let window: RepairWindow = get(socket, libc::TCP_REPAIR_WINDOW)?;
        let state = match info.tcpi_state {
            ESTABLISHED => State::Established,
            CLOSE_WAIT => State::CloseWait,
            other => bail!(
                "the connection is in state {other} of the kernel, neither open nor half-closed by the peer"
            ),
        };
        ensure!(queued(socket, libc::TIOCOUTQ)? == 0, "not all that was sent is acknowledged");
        set(socket, libc::TCP_REPAIR_QUEUE, SEND_QUEUE)?;
        let send_next: u32 = get(socket, libc::TCP_QUEUE_SEQ)?;
        set(socket, libc::TCP_REPAIR_QUEUE, RECEIVE_QUEUE)?;
        let receive_next: u32 = get(socket, libc::TCP_QUEUE_SEQ)?;
        let unread = peek(socket, queued(socket, libc::FIONREAD)?)?;
        let mut flags = flag::PASSIVE;
        if receive_next != window.rcv_wup {
            flags |= flag::ACK_NOW;
        }
        if info.tcpi_options & OPTION_SACK != 0 {
            flags |= flag::SACK;
        }
        let (mut ts_val, mut peer) = (0, 0);
        if info.tcpi_options & OPTION_TIMESTAMPS != 0 {
            flags |= flag::TIMESTAMPS;
            ts_val = get(socket, TCP_TIMESTAMP)?;
            peer = ts_recent.context("the peer's last timestamp was not seen")?;
        }
        let snd_mss = u16::try_from(info.tcpi_snd_mss).context("a segment size beyond 64 KiB")?;
        let rcv_mss = u16::try_from(info.tcpi_advmss).context("a segment size beyond 64 KiB")?;
        let bytes = |segments: u32| segments.saturating_mul(snd_mss.into()).min(BUFFER_MAX);
        let tcb = TcbRecord {
            state: state as u8,
            snd_shift: info.tcpi_snd_rcv_wscale & 0xF,
            rcv_shift: info.tcpi_snd_rcv_wscale >> 4,
            flags,
            snd_mss,
            rcv_mss,
            rcv_step: rcv_mss.min((window.rcv_wnd / 2).min(u16::MAX.into()) as u16),
            idle_ticks: info.tcpi_last_data_sent.min(u16::MAX.into()) as u16,
            snd_una: send_next,
            snd_nxt: send_next,
            rtx_nxt: send_next,
            recover: send_next,
            snd_wl1: window.snd_wl1,
            snd_wnd: window.snd_wnd,
            max_snd_wnd: window.max_window.max(window.snd_wnd),
            rcv_nxt: receive_next,
            rcv_adv: window.rcv_wup.wrapping_add(window.rcv_wnd),
            last_ack_sent: window.rcv_wup,
            cwnd: bytes(info.tcpi_snd_cwnd.max(1)),
            ssthresh: bytes(info.tcpi_snd_ssthresh),
            srtt_us8: info.tcpi_rtt.min(1 << 26) * 8,
            rttvar_us4: info.tcpi_rttvar.min(1 << 26) * 4,
            rtt_seq: send_next,
            ts_recent: peer,
            ts_val,
            ..TcbRecord::default()
        };
        Ok(Left { tcb, unread })
    }
}

/// Reads an option of TCP that is plain data.
fn get<T: Plain>(socket: &TcpStream, option: libc::c_int) -> Result<T> {
    // SAFETY: `Plain` types are valid as zeros.
    let mut value: T = unsafe { mem::zeroed() };
    let mut len = mem::size_of::<T>() as libc::socklen_t;
    let into = (&raw mut value).cast();
    // SAFETY: the kernel writes at most `len` bytes, the size of the value, which lives through the call; any bytes are a value of
    // a `Plain` type.
    let status = unsafe { libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, option, into, &mut len) };
    ensure!(status == 0, "TCP option {option} cannot be read: {}", io::Error::last_os_error());
    Ok(value)
}

fn set(socket: &impl AsRawFd, option: libc::c_int, value: libc::c_int) -> Result<()> {
    let len = mem::size_of_val(&value) as libc::socklen_t;
    // SAFETY: the kernel reads one `int`, which `value` is, for the length of the call.
    let status = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, option, (&raw const value).cast(), len)
    };
    ensure!(status == 0, "TCP option {option} cannot be set to {value}: {}", io::Error::last_os_error());
    Ok(())
}

/// Bytes in a queue of the socket.
fn queued(socket: &TcpStream, request: libc::Ioctl) -> Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: both requests write one `int`, which `bytes` is, for the length of the call.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), request, &mut bytes) };
    ensure!(status == 0, "a queue's length cannot be read: {}", io::Error::last_os_error());
    Ok(bytes.max(0) as usize)
}

/// The first `len` bytes of the receive queue, which stay there: all that repair mode allows.
fn peek(socket: &TcpStream, len: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    if len > 0 {
        let got = socket.peek(&mut bytes).context("the receive queue cannot be read")?;
        ensure!(got == len, "the receive queue has {got} bytes where it said {len}");
    }
    Ok(bytes)
}

/// Types of which any bytes are a value.
///
/// # Safety
/// The type has no padding that matters and no invalid values.
unsafe trait Plain: Copy {}
// SAFETY: numbers alone.
unsafe impl Plain for u32 {}
// SAFETY: numbers alone.
unsafe impl Plain for RepairWindow {}
// SAFETY: numbers alone.
unsafe impl Plain for libc::tcp_info {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    /// Both ends of a connection of this machine; `None`, and a word, where repair is forbidden.
    fn frozen(before: impl FnOnce(&mut TcpStream)) -> Option<(Frozen, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        // Segments as on Ethernet, not of the loopback's 64 KiB.
        set(&listener, libc::TCP_MAXSEG, 1460).expect("a segment size");
        let mut peer = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        peer.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let (stream, _) = listener.accept().expect("a connection");
        before(&mut peer);
        match Frozen::new(stream) {
            Ok(frozen) => Some((frozen, peer)),
            Err((_, error)) => {
                let _ = writeln!(io::stderr(), "skipped: {error:#}");
                None
            }
        }
    }

    #[test]
    fn a_connection_leaves_with_what_was_not_read() {
        let Some((frozen, mut peer)) = frozen(|peer| peer.write_all(b"a request").expect("room")) else {
            return;
        };
        let left = frozen.left(Some(7)).expect("an open connection");
        assert_eq!(left.unread, b"a request");
        let tcb = left.tcb;
        assert_eq!((tcb.state, tcb.snd_una, tcb.ts_recent), (State::Established as u8, tcb.snd_nxt, 7));
        // Nothing was acknowledged since the handshake but what the kernel says itself.
        assert!(tcb.rcv_nxt.wrapping_sub(tcb.last_ack_sent) <= 9);
        let room = tcb.rcv_adv.wrapping_sub(tcb.rcv_nxt);
        baton_tcp::Tcb::import(&tcb, 0, room, baton_tcp::Config::default(), baton_tcp::Instant(0))
            .expect("the engine takes it");
        assert!(frozen.left(None).expect_err("timestamps").to_string().contains("timestamp"));
        drop(frozen);
        // Neither FIN nor RST.
        let error = peer.read(&mut [0; 1]).expect_err("silence");
        assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{error}");
    }

    #[test]
    fn a_connection_that_stays_goes_on() {
        let Some((frozen, mut peer)) = frozen(|_| {}) else { return };
        let mut stream = frozen.thaw().expect("out of repair");
        stream.write_all(b"answer").expect("room");
        let mut answer = [0; 6];
        peer.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"answer");
    }

    #[test]
    fn a_peer_may_have_closed_its_side() {
        let closed = |peer: &mut TcpStream| {
            peer.write_all(b"last").expect("room");
            peer.shutdown(std::net::Shutdown::Write).expect("open");
        };
        let Some((frozen, _peer)) = frozen(closed) else { return };
        let left = frozen.left(Some(0)).expect("half-closed");
        assert_eq!((left.tcb.state, &left.unread[..]), (State::CloseWait as u8, &b"last"[..]));
    }
}
