//! `baton live` on a TAP in a network namespace of its own, and the clients that run there.

use anyhow::{ensure, Context, Result};
use baton::server::http::bodies;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub const URL: &str = "http://192.0.2.1";
/// For the server to start, and to stop.
pub const START: Duration = Duration::from_secs(60);
/// For one client.
pub const CLIENT: Duration = Duration::from_secs(150);
/// The faults that the peer has to live with, in both directions.
pub const FAULTS: &[&str] = &[
    "--loss-ppm=20000",
    "--reorder-ppm=50000",
    "--duplicate-ppm=10000",
    "--corrupt-ppm=5000",
    "--delay-us=5000",
];

/// Starts its arguments where interfaces have no IPv6: addresses that the kernel gives them later are a change of the network, at which a
/// browser gives up what it loads.
const NO_IPV6: &str = r#"echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; exec "$0" "$@""#;

/// One server at a time: each keeps a processor busy.
static ONE: Mutex<()> = Mutex::new(());

/// Why this machine cannot run these tests, if it cannot.
pub fn obstacle(tools: &[&str]) -> Option<String> {
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
pub fn skipped(name: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "{name} was skipped: {why}");
}

/// Runs a command to its end, within a time.
pub fn bounded(command: &mut Command, most: Duration) -> Result<Output> {
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
pub struct Server {
    process: Running,
    lines: Receiver<String>,
    pub folder: PathBuf,
    _one: MutexGuard<'static, ()>,
}

impl Server {
    pub fn start(name: &str, options: &[&str]) -> Result<Server> {
        // A test that failed while it held the lock has left nothing behind.
        let one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let firmware = std::env::var_os("BATON_FIRMWARE")
            .context("BATON_FIRMWARE names no firmware image; run the tests with `cargo xtask test`")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{name}"));
        std::fs::create_dir_all(&folder)?;
        let mut child = Command::new("unshare")
            .args(["--net", "sh", "-c", NO_IPV6, env!("CARGO_BIN_EXE_baton")])
            .args(["live", "--tap", "baton0", "--seconds", "600"])
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
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.process.0.id())).arg(program);
        command
    }

    /// Fetches `/bytes/<len>?seed=<seed>` for all pairs, at the same time, and compares every byte.
    pub fn fetch(&self, bodies: &[(u64, usize)]) -> Result<()> {
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
    pub fn half_close(&self, len: usize) -> Result<()> {
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
    pub fn iperf3(&self) -> Result<()> {
        for options in [&["--time", "1"][..], &["--time", "1", "--reverse", "--parallel", "2"]] {
            let output =
                bounded(self.client("iperf3").args(["--client", "192.0.2.1"]).args(options), CLIENT)?;
            let report = String::from_utf8_lossy(&output.stdout).into_owned();
            ensure!(output.status.success() && report.contains("iperf Done"), "iperf3 failed: {report}");
        }
        Ok(())
    }

    /// Loads the web server with `wrk`; its report.
    pub fn wrk(&self, connections: u32, seconds: u32, path: &str) -> Result<String> {
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
    pub fn stop(mut self) -> Result<serde_json::Value> {
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
pub fn count(summary: &serde_json::Value, path: &str) -> u64 {
    summary
        .pointer(path)
        .and_then(serde_json::Value::as_u64)
        .unwrap_or_else(|| panic!("no {path} in {summary:#}"))
}

/// What no run may have, whatever the wire does.
pub fn check(summary: &serde_json::Value) {
    for path in
        ["/server/nic_command_errors", "/server/dma_errors", "/server/http_errors", "/server/backlog_drops"]
    {
        assert_eq!(count(summary, path), 0, "{path} in {summary:#}");
    }
}
