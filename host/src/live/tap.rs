//! A Linux TAP interface: the end of the wire that the kernel holds.
//!
//! A TAP carries Ethernet frames between a file and the kernel's network stack. No offload is negotiated, so every
//! frame is at most as long as the interface's MTU allows and has its checksums. All that the standard library lacks for it,
//! four requests of `ioctl` and one `poll`, is here, and nothing else in this crate is unsafe.

use anyhow::{bail, ensure, Context, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::time::Duration;

const DEVICE: &str = "/dev/net/tun";
/// Longest name of an interface, without the zero that ends it.
const NAME_MAX: usize = libc::IFNAMSIZ - 1;
/// Longest frame that is read; a longer one is cut short, and the NIC drops it.
const FRAME_MAX: usize = 2048;

/// An interface that exists at least as long as this value.
#[derive(Debug)]
pub struct Tap {
    file: File,
    name: String,
    buffer: Vec<u8>,
}

impl Tap {
    /// Opens the TAP interface of this name, which is made if there is none.
    ///
    /// # Errors
    /// Where the machine has no TAP, forbids it, or the interface is in use; the text says what to do.
    pub fn open(name: &str) -> Result<Tap> {
        ensure!(
            (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/'),
            "{name:?} is no name of an interface: 1 to {NAME_MAX} printing characters, no space and no '/'"
        );
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(DEVICE)
            .map_err(|error| device_advice(&error))?;
        let mut request = libc::ifreq {
            ifr_name: [0; libc::IFNAMSIZ],
            ifr_ifru: libc::__c_anonymous_ifr_ifru {
                ifru_flags: (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short,
            },
        };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        // SAFETY: the descriptor is open for as long as `file` lives. TUNSETIFF reads and writes one `ifreq`, which
        // `request` is, for the length of the call; its name ends with a zero because NAME_MAX is one less than its size.
        let status = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &mut request) };
        if status != 0 {
            return Err(interface_advice(name, &io::Error::last_os_error()));
        }
        Ok(Tap { file, name: name.to_owned(), buffer: vec![0; FRAME_MAX] })
    }

    /// Gives the kernel's end an address (such as `192.0.2.254/24`) and turns it on.
    ///
    /// # Errors
    /// When the `ip` command is missing or refuses.
    pub fn configure(&self, address: &str) -> Result<()> {
        for arguments in
            [&["address", "replace", address, "dev", &self.name][..], &["link", "set", &self.name, "up"][..]]
        {
            let shown = arguments.join(" ");
            let output = Command::new("ip").args(arguments).output().context(
                "cannot run the `ip` command (Debian: iproute2); set the interface up by other means and pass --as-is",
            )?;
            if !output.status.success() {
                bail!(
                    "`ip {shown}` failed: {}; set the interface up as root and pass --as-is",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
            }
        }
        Ok(())
    }

    /// The link address of the kernel's end.
    ///
    /// # Errors
    /// When the interface was removed.
    pub fn address(&self) -> Result<[u8; 6]> {
        // SAFETY: all zeros is a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open for as long as `file` lives. SIOCGIFHWADDR writes one `ifreq`, which `request` is, for the
        // length of the call.
        let status = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::SIOCGIFHWADDR, &mut request) };
        if status != 0 {
            return Err(io::Error::last_os_error())
                .with_context(|| format!("cannot read the address of {}", self.name));
        }
        // SAFETY: a request for the link address answers in this part of the union.
        let data = unsafe { request.ifr_ifru.ifru_hwaddr.sa_data };
        Ok(std::array::from_fn(|at| data[at] as u8))
    }

    /// Gives the kernel's end a link address of a station.
    ///
    /// # Errors
    /// When the address is a group's, or the interface was removed.
    pub fn set_address(&self, address: [u8; 6]) -> Result<()> {
        // SAFETY: all zeros is a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // SAFETY: what is written is the part of the union that this request reads.
        let of = unsafe { &mut request.ifr_ifru.ifru_hwaddr };
        of.sa_family = libc::ARPHRD_ETHER;
        for (to, from) in of.sa_data.iter_mut().zip(address) {
            *to = from as libc::c_char;
        }
        // SAFETY: the descriptor is open for as long as `file` lives. SIOCSIFHWADDR reads one `ifreq`, which `request` is, for the
        // length of the call.
        let status = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::SIOCSIFHWADDR, &request) };
        if status != 0 {
            return Err(io::Error::last_os_error())
                .with_context(|| format!("cannot set the address of {}", self.name));
        }
        Ok(())
    }

    /// Tells the kernel whether there is a line behind the interface, which `ip link` then shows.
    ///
    /// # Errors
    /// When the kernel has no such request (before Linux 5.0), or the interface was removed.
    pub fn set_carrier(&self, carrier: bool) -> Result<()> {
        let carrier = libc::c_int::from(carrier);
        // SAFETY: the descriptor is open for as long as `file` lives. TUNSETCARRIER reads one `int`, which `carrier` is, for
        // the length of the call.
        let status = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::TUNSETCARRIER, &carrier) };
        if status != 0 {
            return Err(io::Error::last_os_error())
                .with_context(|| format!("cannot tell the link state of {}", self.name));
        }
        Ok(())
    }

    /// The next frame that the kernel has sent; `None` while there is none.
    ///
    /// # Errors
    /// When the interface was removed.
    pub fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            match self.file.read(&mut self.buffer) {
                Ok(len) => return Ok(Some(self.buffer[..len].to_vec())),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The interface is down; the kernel sends nothing until it is up.
                Err(error) if error.raw_os_error() == Some(libc::EIO) => return Ok(None),
                Err(error) => return Err(error).with_context(|| format!("cannot read from {}", self.name)),
            }
        }
    }

    /// Passes a frame to the kernel. False: it did not take it, as a network interface that is down or has no room
    /// would not.
    pub fn send(&mut self, frame: &[u8]) -> bool {
        matches!(self.file.write(frame), Ok(len) if len == frame.len())
    }

    /// Waits until the kernel has sent a frame, at most so long.
    pub fn wait(&self, most: Duration) {
        let mut poll = libc::pollfd { fd: self.file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let most_ms = most.as_millis().min(1000) as libc::c_int;
        // SAFETY: `poll` is one valid `pollfd`, as the count says, and lives through the call. Whatever the outcome is,
        // the next read tells whether there is a frame.
        let _ = unsafe { libc::poll(&mut poll, 1, most_ms) };
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

fn device_advice(error: &io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!(
            "this machine has no {DEVICE}: load the kernel module `tun`, or start the container with \
             --device {DEVICE} --cap-add NET_ADMIN"
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{DEVICE} may not be opened: run as root, or in a container started with --device {DEVICE} --cap-add NET_ADMIN"
        ),
        _ => anyhow::anyhow!("cannot open {DEVICE}: {error}"),
    }
}

fn interface_advice(name: &str, error: &io::Error) -> anyhow::Error {
    match error.raw_os_error() {
        Some(libc::EPERM) => anyhow::anyhow!(
            "this machine forbids the TAP {name}: it needs root (CAP_NET_ADMIN), or an interface that root has made for you \
             with `ip tuntap add dev {name} mode tap user $USER`"
        ),
        Some(libc::EBUSY) => anyhow::anyhow!("another process uses the TAP {name}; choose another name"),
        Some(libc::EINVAL) => anyhow::anyhow!("{name} is an interface of another kind; choose another name"),
        _ => anyhow::anyhow!("cannot make the TAP {name}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_interface_can_have_are_refused() {
        for name in ["", "sixteen-is-a-lot", "a b", "a/b", "ä"] {
            let error = Tap::open(name).unwrap_err().to_string();
            assert!(error.contains("no name of an interface"), "{name:?}: {error}");
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        let eperm = interface_advice("t0", &io::Error::from_raw_os_error(libc::EPERM)).to_string();
        assert!(eperm.contains("ip tuntap add dev t0"), "{eperm}");
        let none = device_advice(&io::Error::from_raw_os_error(libc::ENOENT)).to_string();
        assert!(none.contains("--device /dev/net/tun"), "{none}");
    }
}
