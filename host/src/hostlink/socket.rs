//! A raw packet socket (AF_PACKET) on a Linux interface, for frames of the host link alone.

use super::port::Wire;
use anyhow::{bail, ensure, Context, Result};
use baton_abi::link::{ETHERTYPE, FRAME_BYTES_MAX};
use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// See the module's header.
pub struct PacketSocket {
    socket: OwnedFd,
    own: [u8; 6],
    start: Instant,
    /// Frames that the kernel did not take.
    pub unsent: u64,
}

impl PacketSocket {
    /// Opens a socket on the interface of this name, which must be up.
    ///
    /// # Errors
    /// Where there is no such interface, or packet sockets are forbidden; the text says what to do.
    pub fn open(interface: &str) -> Result<Self> {
        let name = CString::new(interface).context("an interface's name has no zero byte")?;
        // SAFETY: `name` is a string that ends with a zero and lives through the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        ensure!(index != 0, "there is no interface {interface:?}; `ip link` lists those that there are");
        // SAFETY: plain arguments; the result is checked.
        let fd = unsafe {
            libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0)
        };
        if fd < 0 {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => bail!(
                    "this user may not open a packet socket on {interface}: run as root, or give the program the \
                     capability with `setcap cap_net_raw,cap_net_admin+ep`"
                ),
                _ => bail!("cannot open a packet socket: {error}"),
            }
        }
        // SAFETY: `fd` was just opened and belongs to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: all zeros is a valid `sockaddr_ll`.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ETHERTYPE.to_be();
        address.sll_ifindex = index as i32;
        let len = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the address is a `sockaddr_ll` of the size that is passed, and lives through the call.
        let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) };
        ensure!(bound == 0, "cannot use {interface}: {}", io::Error::last_os_error());
        let mut len = len;
        // SAFETY: the kernel writes at most `len` bytes, the size of the address, which lives through the call.
        let told = unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &mut len) };
        let own = address.sll_addr.first_chunk::<6>().copied();
        let own = own.filter(|own| told == 0 && address.sll_halen == 6 && own[0] & 1 == 0);
        let own = own.with_context(|| format!("{interface} has no Ethernet address"))?;
        Ok(PacketSocket { socket, own, start: Instant::now(), unsent: 0 })
    }

    /// The interface's own address.
    pub fn address(&self) -> [u8; 6] {
        self.own
    }
}

/// An address in its usual form, such as `02:ba:00:00:00:01`.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

impl Wire for PacketSocket {
    fn send(&mut self, frame: &[u8]) -> Result<()> {
        // SAFETY: the pointer and the length are those of one live slice.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        if sent < 0 {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                // The link repeats what is lost.
                Some(libc::EAGAIN | libc::ENOBUFS | libc::EINTR | libc::ENETDOWN) => self.unsent += 1,
                _ => bail!("cannot send to the board: {error}"),
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        // A byte more than the longest: a longer frame is seen as such, and dropped by the link.
        let mut buffer = [0u8; FRAME_BYTES_MAX + 1];
        // SAFETY: the pointer and the length are those of one live buffer.
        let len = unsafe { libc::recv(self.socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        if len < 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::EAGAIN | libc::EINTR | libc::ENETDOWN) => Ok(None),
                _ => Err(error).context("cannot receive from the board"),
            };
        }
        Ok(Some(buffer[..len as usize].to_vec()))
    }

    fn wait(&mut self, most: Duration) {
        let mut poll = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let time = libc::timespec {
            tv_sec: most.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(most.subsec_nanos() as i32),
        };
        // SAFETY: one valid `pollfd`, as the count says, and a valid time; both live through the call.
        let _ = unsafe { libc::ppoll(&mut poll, 1, &time, std::ptr::null()) };
    }

    fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused() {
        assert_eq!(parse_mac("02:ba:00:00:ff:01"), Some([2, 0xBA, 0, 0, 0xFF, 1]));
        for text in ["", "02:ba:00:00:ff", "02:ba:00:00:ff:01:02", "2:ba:00:00:ff:01", "02:ba:00:00:ff:0g"] {
            assert_eq!(parse_mac(text), None, "{text}");
        }
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let error = PacketSocket::open("no-such-if").err().expect("there is none").to_string();
        assert!(error.contains("no-such-if"), "{error}");
    }
}
