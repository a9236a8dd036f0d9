//! The Linux kernel as the peer: `baton live` on a TAP in a network namespace of its own, and curl, wrk and sockets that
//! talk to the modelled server through RTL and firmware.
//!
//! Time is the wall clock's here, of necessity: it is the kernel's. Every wait is bounded, and the bounds are for a
//! machine that is busy with other things. Nothing outlives a test: the namespace and its interface go with the server's
//! process, which is killed with the test's handle on it.

use anyhow::{ensure, Context, Result};
use baton::server::http::bodies;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

const URL: &str = "http://192.0.2.1";
/// For the server to start, and to stop.
const START: Duration = Duration::from_secs(60);
/// For one client.
const CLIENT: Duration = Duration::from_secs(150);
/// The faults that the peer has to live with, in both directions.
const FAULTS: &[&str] = &[
    "--loss-ppm=20000",
    "--reorder-ppm=50000",
    "--duplicate-ppm=10000",
    "--corrupt-ppm=5000",
    "--delay-us=5000",
];

/// One server at a time: each keeps a processor busy.
static ONE: Mutex<()> = Mutex::new(());

/// Why this machine cannot run these tests, if it cannot.
fn obstacle(tools: &[&str]) -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("this machine has no /dev/net/tun".into());
    }
    for tool in [&["unshare", "nsenter", "ip"], tools].concat() {
        // Debian's `ip` knows --help by another name; that it starts is enough.
        if Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return Some(format!(
                "`{tool}` is not installed (`cargo xtask setup` installs it where root and apt are)"
            ));
        }
    }
    let script = "ip tuntap add dev probe mode tap && ip link set probe up";
    let probe = Command::new("unshare").args(["--net", "sh", "-c", script]).output();
    match probe {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "this machine forbids network namespaces or TAPs: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Some(format!("unshare does not start: {error}")),
    }
}

/// Tells past the test harness's capture that a test was skipped.
fn skipped(name: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "{name} was skipped: {why}");
}

/// Runs a command to its end, within a time.
fn bounded(command: &mut Command, most: Duration) -> Result<Output> {
    let mut child = Running(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?,
    );
    // Read while it runs, so that a full pipe does not stop it.
    let drain = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
            bytes
        })
    };
    let stdout = drain(child.0.stdout.take().map(|p| Box::new(p) as _));
    let stderr = drain(child.0.stderr.take().map(|p| Box::new(p) as _));
    let status = child.wait(most).with_context(|| format!("{command:?}"))?;
    let joined = |thread: std::thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    Ok(Output { status, stdout: joined(stdout), stderr: joined(stderr) })
}

/// A process that does not outlive this value.
struct Running(Child);

impl Running {
    fn wait(&mut self, most: Duration) -> Result<std::process::ExitStatus> {
        let end = Instant::now() + most;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < end, "not over after {} s", most.as_secs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a TAP, in its namespace.
struct Server {
    process: Running,
    lines: Receiver<String>,
    folder: PathBuf,
    _one: MutexGuard<'static, ()>,
}

impl Server {
    fn start(name: &str, options: &[&str]) -> Result<Server> {
        // A test that failed while it held the lock has left nothing behind.
        let one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let firmware = std::env::var_os("BATON_FIRMWARE")
            .context("BATON_FIRMWARE names no firmware image; run the tests with `cargo xtask test`")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{name}"));
        std::fs::create_dir_all(&folder)?;
        let mut child = Command::new("unshare")
            .args(["--net", env!("CARGO_BIN_EXE_baton"), "live", "--tap", "baton0", "--seconds", "600"])
            .args(options)
            .env("BATON_FIRMWARE", firmware)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (to_test, lines) = channel();
        let stderr = child.stderr.take().context("stderr is a pipe")?;
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if to_test.send(line).is_err() {
                    return;
                }
            }
        });
        let server = Server { process: Running(child), lines, folder, _one: one };
        let first = server.lines.recv_timeout(START).context("the server did not start")?;
        ensure!(first.starts_with(URL), "the server did not start: {first}");
        Ok(server)
    }

    /// A command in the server's namespace.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.process.0.id())).arg(program);
        command
    }

    /// Fetches `/bytes/<len>?seed=<seed>` for all pairs, at the same time, and compares every byte.
    fn fetch(&self, bodies: &[(u64, usize)]) -> Result<()> {
        let mut curl = self.client("curl");
        curl.args(["--silent", "--show-error", "--fail", "--no-progress-meter", "--max-time", "140"]);
        curl.args(["--parallel", "--parallel-immediate", "--parallel-max", "64"]);
        for &(seed, len) in bodies {
            let file = self.folder.join(seed.to_string());
            // What an earlier run has left must not be taken for an answer.
            let _ = std::fs::remove_file(&file);
            curl.arg(format!("{URL}/bytes/{len}?seed={seed}")).arg("--output").arg(file);
        }
        let output = bounded(&mut curl, CLIENT)?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "curl failed: {}: {complaint}", output.status);
        for &(seed, len) in bodies {
            let got = std::fs::read(self.folder.join(seed.to_string()))?;
            ensure!(got.len() == len, "seed {seed}: {} bytes of {len}", got.len());
            let different = bodies::first_difference(seed, 0, &got);
            ensure!(different.is_none(), "seed {seed}: byte {different:?} is wrong");
        }
        Ok(())
    }

    /// Sends `len` bytes to the echo service, closes that direction, and reads until the server closes the other.
    fn half_close(&self, len: usize) -> Result<()> {
        let script = "\
import random, socket, sys, threading
data = random.Random(1).randbytes(int(sys.argv[1]))
peer = socket.create_connection(('192.0.2.1', 7), timeout=60)
def send():
    peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)
sender = threading.Thread(target=send)
sender.start()
got = bytearray()
while chunk := peer.recv(65536):
    got += chunk
sender.join()
sys.exit(None if got == data else f'{len(got)} bytes of {len(data)} came back, or others')
";
        let output = bounded(self.client("python3").args(["-c", script, &len.to_string()]), CLIENT)?;
        ensure!(output.status.success(), "half-close: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Runs iperf3's TCP test, the client sending, then the server over two streams.
    fn iperf3(&self) -> Result<()> {
        for options in [&["--time", "1"][..], &["--time", "1", "--reverse", "--parallel", "2"]] {
            let output =
                bounded(self.client("iperf3").args(["--client", "192.0.2.1"]).args(options), CLIENT)?;
            let report = String::from_utf8_lossy(&output.stdout).into_owned();
            ensure!(output.status.success() && report.contains("iperf Done"), "iperf3 failed: {report}");
        }
        Ok(())
    }

    /// Loads the web server with `wrk`; its report.
    fn wrk(&self, connections: u32, seconds: u32, path: &str) -> Result<String> {
        let mut wrk = self.client("wrk");
        wrk.args(["--threads", "1", "--timeout", "60s"]);
        wrk.args(["--connections", &connections.to_string(), "--duration", &format!("{seconds}s")]);
        let output = bounded(wrk.arg(format!("{URL}{path}")), CLIENT)?;
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "wrk failed: {report}{}", String::from_utf8_lossy(&output.stderr));
        ensure!(!report.contains("Socket errors"), "{report}");
        ensure!(!report.contains("Non-2xx"), "{report}");
        Ok(report)
    }

    /// Stops the server as Ctrl-C does; its summary.
    fn stop(mut self) -> Result<serde_json::Value> {
        let pid = self.process.0.id().to_string();
        ensure!(Command::new("kill").args(["-INT", &pid]).status()?.success(), "the server is gone");
        let status = self.process.wait(START)?;
        ensure!(status.success(), "{status}: {:?}", self.lines.try_iter().collect::<Vec<_>>());
        let mut text = String::new();
        self.process.0.stdout.take().context("stdout is a pipe")?.read_to_string(&mut text)?;
        let _ = std::fs::remove_dir_all(&self.folder);
        Ok(serde_json::from_str(&text)?)
    }
}

/// A count of the summary.
fn count(summary: &serde_json::Value, path: &str) -> u64 {
    summary
        .pointer(path)
        .and_then(serde_json::Value::as_u64)
        .unwrap_or_else(|| panic!("no {path} in {summary:#}"))
}

/// What no run may have, whatever the wire does.
fn check(summary: &serde_json::Value) {
    for path in
        ["/server/nic_command_errors", "/server/dma_errors", "/server/http_errors", "/server/backlog_drops"]
    {
        assert_eq!(count(summary, path), 0, "{path} in {summary:#}");
    }
}

#[test]
fn curl_and_sockets_over_handed_off_connections() -> Result<()> {
    if let Some(why) = obstacle(&["curl", "python3", "iperf3"]) {
        skipped("curl_and_sockets_over_handed_off_connections", &why);
        return Ok(());
    }
    let server = Server::start("quiet", &["--handoff", "first-come"])?;
    server.fetch(&[(1, 4 << 20)])?;
    let sixteen: Vec<(u64, usize)> = (10..26).map(|seed| (seed, 20_000 + 1000 * seed as usize)).collect();
    server.fetch(&sixteen)?;
    server.half_close(300_000)?;
    server.iperf3()?;
    let summary = server.stop()?;
    check(&summary);
    assert!(count(&summary, "/server/handoffs") >= 18, "{summary:#}");
    assert_eq!(count(&summary, "/services/echoed_bytes"), 300_000);
    assert!(count(&summary, "/services/iperf_bytes") > 0, "{summary:#}");
    // Nearly all segments are the NIC's: the host sees handshakes.
    let (host, all) = (count(&summary, "/server/host_segments_out"), count(&summary, "/wire/1/frames"));
    assert!(host * 10 < all, "{host} of {all} segments were the host's");
    Ok(())
}

/// Loss, reordering, duplicates and corruption, while every connection goes to the NIC and back all the time.
#[test]
fn curl_and_wrk_on_a_bad_wire() -> Result<()> {
    if let Some(why) = obstacle(&["curl", "wrk", "python3"]) {
        skipped("curl_and_wrk_on_a_bad_wire", &why);
        return Ok(());
    }
    let long = std::env::var_os("BATON_LONG_TESTS").is_some();
    let policies: &[&str] = if long { &["roving", "first-come", "never"] } else { &["roving"] };
    for policy in policies {
        let server = Server::start("bad", &[FAULTS, &["--handoff", policy]].concat())?;
        server.fetch(&[(1, if long { 4 << 20 } else { 400_000 })])?;
        server.half_close(100_000)?;
        let report = server.wrk(16, if long { 60 } else { 6 }, "/bytes/3000?seed=5")?;
        let summary = server.stop()?;
        check(&summary);
        for fault in ["lost", "reordered", "duplicated", "corrupted"] {
            let happened = [0, 1].map(|way| count(&summary, &format!("/wire/{way}/{fault}")));
            assert!(happened.iter().sum::<u64>() > 0, "no frame was {fault}: {summary:#}");
        }
        let (handoffs, restores) = (count(&summary, "/server/handoffs"), count(&summary, "/server/restores"));
        match *policy {
            "roving" => assert!(handoffs > 50 && restores > 50, "{summary:#}"),
            "first-come" => assert!(handoffs >= 18, "{summary:#}"),
            _ => assert_eq!(handoffs, 0),
        }
        println!("{policy}: {handoffs} handoffs, {restores} restores\n{report}");
    }
    Ok(())
}

#[test]
fn a_name_that_cannot_be_is_refused() -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let image = folder.join("live-image");
    std::fs::write(&image, [0x13, 0, 0, 0])?;
    let mut live = Command::new(env!("CARGO_BIN_EXE_baton"));
    let output = bounded(live.args(["live", "--tap", "no such name"]).arg("--firmware").arg(image), START)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("no name of an interface"), "{text}");
    let output = bounded(Command::new(env!("CARGO_BIN_EXE_baton")).args(["live", "--help"]), START)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in ["--tap", "--handoff", "--loss-ppm", "curl -o"] {
        assert!(text.contains(option), "no {option} in {text}");
    }
    Ok(())
}
