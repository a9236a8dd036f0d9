//! Runs as jobs: one process each, several at a time, none that is done already.
//!
//! A finished run is a file whose name is the hash of everything that determines it: this executable (with the verilated
//! NIC in it), the firmware image, the trace, configuration and options. So an interrupted reproduction goes on where it was, and a change
//! of any of them runs again.

use super::{Config, Options, Record};
use anyhow::{bail, ensure, Context, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// One run to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub config: Config,
    pub options: Options,
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}, seed {}", self.config, self.options.seed)
    }
}

/// Where finished runs are kept, and what all runs share.
pub struct Cache {
    pub folder: PathBuf,
    pub executable: PathBuf,
    pub firmware: PathBuf,
    /// Hash of executable and firmware.
    common: [u8; 32],
}

fn hash_file(path: &Path) -> Result<[u8; 32]> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(bytes).into())
}

impl Cache {
    /// # Errors
    /// When executable or firmware cannot be read, or the folder not be made.
    pub fn open(folder: &Path, executable: &Path, firmware: &Path) -> Result<Cache> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let mut common = Sha256::new();
        common.update(hash_file(executable)?);
        common.update(hash_file(firmware)?);
        Ok(Cache {
            folder: folder.to_path_buf(),
            executable: executable.to_path_buf(),
            firmware: firmware.to_path_buf(),
            common: common.finalize().into(),
        })
    }

    /// The file of a job's record.
    pub fn path(&self, job: &Job) -> Result<PathBuf> {
        let mut hash = Sha256::new();
        hash.update(self.common);
        hash.update(job.config.to_string());
        hash.update(serde_json::to_string(&Options { trace: None, ..job.options.clone() })?);
        if let Some(trace) = &job.options.trace {
            hash.update(hash_file(trace)?);
        }
        let hash: String = hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        Ok(self.folder.join(format!("{}.{hash}.json", job.config)))
    }

    /// The record of a job, if it is done.
    pub fn load(&self, job: &Job) -> Result<Option<Record>> {
        let path = self.path(job)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(
                serde_json::from_str(&text)
                    .with_context(|| format!("{} is no record; delete it to run again", path.display()))?,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// The command that does a job.
    pub fn command(&self, job: &Job) -> Result<Vec<String>> {
        let path = |path: &Path| path.display().to_string();
        let mut words = vec![path(&self.executable), "run".into(), job.config.to_string()];
        words.extend(arguments(&job.options));
        words.extend(["--firmware".into(), path(&self.firmware), "--record".into(), path(&self.path(job)?)]);
        Ok(words)
    }
}

/// Options as arguments of `baton run`.
fn arguments(options: &Options) -> Vec<String> {
    let capacity = match options.capacity {
        super::Capacity::AsIs => "as-is",
        super::Capacity::EqualWork => "equal-work",
    };
    let mut words: Vec<String> = vec!["--capacity".into(), capacity.into()];
    let mut put = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    put("seed", options.seed.to_string());
    put("packets", options.packets.to_string());
    put("warmup", options.warmup_packets.to_string());
    put("hiwat", options.hiwat.to_string());
    put("lowat", options.lowat.to_string());
    put("client-time-scale", options.client_time_scale.to_string());
    put("client-first-timeout", options.client_first_timeout.to_string());
    put("min-rto", options.min_rto_ms.to_string());
    put("send-queue", options.send_queue.to_string());
    if let Some(mhz) = options.core_mhz {
        put("core-mhz", mhz.to_string());
    }
    if let Some(cycles) = options.core_cycles {
        put("core-cycles", cycles.to_string());
    }
    if let Some(clients) = options.clients {
        put("clients", clients.to_string());
    }
    if let Some(trace) = &options.trace {
        put("trace", trace.display().to_string());
    }
    for (set, name) in [(options.direct, "--direct"), (options.free_server, "--free-server")] {
        if set {
            words.push(name.into());
        }
    }
    words
}

/// Runs what is not done yet, `parallel` processes at a time, with a bar for each.
///
/// # Errors
/// When a run fails; those that are done stay done.
pub fn run_local(cache: &Cache, jobs: &[Job], parallel: usize) -> Result<()> {
    ensure!(parallel >= 1, "no process may run");
    let bars = MultiProgress::new();
    // A run takes the longer the more connections the NIC has, above all where they hold up the host's packets. The longest go first, so
    // that none of them is left over at the end.
    let mut left: Vec<&Job> = jobs.iter().collect();
    left.sort_by_key(|job| (job.config.connections, !job.config.priority));
    let left = Mutex::new(left);
    let failures: Mutex<Vec<String>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..parallel.min(jobs.len()) {
            scope.spawn(|| loop {
                let Some(job) = left.lock().ok().and_then(|mut left| left.pop()) else { return };
                if let Err(error) = run_one(cache, job, &bars) {
                    if let Ok(mut failures) = failures.lock() {
                        failures.push(format!("{job}: {error:#}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    if !failures.is_empty() {
        bail!("{} of {} runs failed:\n{}", failures.len(), jobs.len(), failures.join("\n"));
    }
    Ok(())
}

fn run_one(cache: &Cache, job: &Job, bars: &MultiProgress) -> Result<()> {
    let words = cache.command(job)?;
    let bar = bars.add(ProgressBar::new(job.options.packets + job.options.warmup_packets));
    bar.set_style(ProgressStyle::with_template(
        "{msg:32} {bar:30} {pos}/{len} packets, {elapsed} ({eta} left)",
    )?);
    bar.set_message(job.to_string());
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", words[0]))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(packets) = line.split(' ').next().and_then(|word| word.parse().ok()) {
                bar.set_position(packets);
            }
        }
    }
    let output = child.wait_with_output()?;
    bar.finish_and_clear();
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let cause: Vec<&str> = text.lines().take_while(|line| !line.contains("Stack backtrace")).collect();
        bail!("{}: {}", output.status, cause.join(" "));
    }
    bars.println(format!("{job} done")).ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> (Cache, PathBuf) {
        let folder = std::env::temp_dir().join(format!("baton-jobs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let firmware = folder.join("firmware.bin");
        std::fs::write(&firmware, b"image").unwrap();
        (Cache::open(&folder, Path::new("/bin/sh"), &firmware).unwrap(), folder)
    }

    fn job(config: &str) -> Job {
        Job { config: config.parse().unwrap(), options: Options::default() }
    }

    #[test]
    fn a_record_is_found_by_what_determines_it() {
        let (cache, folder) = cache("hash");
        let a = job("W-0-N-N-FCFS-400");
        let path = cache.path(&a).unwrap();
        assert_eq!(path, cache.path(&a.clone()).unwrap());
        let mut others = vec![job("W-1-N-N-FCFS-400"), a.clone(), a.clone(), a.clone()];
        others[1].options.seed = 2;
        others[2].options.hiwat += 1;
        others[3].options.trace = Some(folder.join("firmware.bin"));
        for other in others {
            assert_ne!(path, cache.path(&other).unwrap(), "{other:?}");
        }
        std::fs::write(folder.join("firmware.bin"), b"other").unwrap();
        let changed = Cache::open(&folder, Path::new("/bin/sh"), &folder.join("firmware.bin")).unwrap();
        assert_ne!(path, changed.path(&a).unwrap());
        assert!(cache.load(&a).unwrap().is_none());
        std::fs::write(&path, "{").unwrap();
        assert!(cache.load(&a).unwrap_err().to_string().contains("delete it"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failed_process_is_told_with_its_cause() {
        let (cache, folder) = cache("fail");
        // `sh run` finds no such script.
        let error = run_local(&cache, &[job("W-0-N-N-FCFS-400")], 2).unwrap_err().to_string();
        assert!(error.contains("1 of 1 runs failed") && error.contains("W-0-N-N-FCFS-400"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
