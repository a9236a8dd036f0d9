//! The same runs as a Slurm job array: a script that picks its line of a list, submitted with `sbatch --wait`.
//!
//! The cache's folder has to be one that the nodes share. Records land there as those of local runs do, so whatever comes after does not
//! know the difference.

use super::jobs::{Cache, Job};
use anyhow::{ensure, Context, Result};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// One word for a POSIX shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Writes the list of commands and the script; returns the script's path.
fn write_script(cache: &Cache, jobs: &[Job]) -> Result<PathBuf> {
    let folder = std::fs::canonicalize(&cache.folder)?;
    let mut list = String::new();
    for job in jobs {
        let words: Vec<String> = cache.command(job)?.iter().map(|word| quote(word)).collect();
        // Writing to a string does not fail.
        let _ = writeln!(list, "{}", words.join(" "));
    }
    let list_path = folder.join("slurm-commands.txt");
    std::fs::write(&list_path, list).with_context(|| format!("cannot write {}", list_path.display()))?;
    let script = format!(
        "#!/bin/sh\n# One run of a reproduction: line SLURM_ARRAY_TASK_ID of the list, counted from 0.\nset -eu\ncd {}\n\
         eval \"$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" {})\" > /dev/null\n",
        quote(&std::env::current_dir()?.display().to_string()),
        quote(&list_path.display().to_string())
    );
    let path = folder.join("slurm-job.sh");
    std::fs::write(&path, script).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Submits the jobs and waits for all of them. `parallel`: most at a time.
///
/// # Errors
/// When there is no Slurm, or a job fails; its standard error is in slurm-N.err of the cache's folder.
pub fn run(cache: &Cache, jobs: &[Job], parallel: usize) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let script = write_script(cache, jobs)?;
    let folder = script.parent().context("the script lies in a folder")?.display().to_string();
    let status = Command::new("sbatch")
        .arg("--wait")
        .arg(format!("--array=0-{}%{}", jobs.len() - 1, parallel.max(1)))
        .args(["--job-name=baton", "--cpus-per-task=1"])
        .arg(format!("--output={folder}/slurm-%a.out"))
        .arg(format!("--error={folder}/slurm-%a.err"))
        .arg(&script)
        .status()
        .context("cannot start sbatch: is Slurm installed? `--engine local` runs without it")?;
    ensure!(status.success(), "a job of the array failed: its messages are in {folder}/slurm-*.err");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Options;
    use std::path::Path;

    #[test]
    fn each_task_runs_its_own_line() {
        let folder = std::env::temp_dir().join(format!("baton's slurm {}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let firmware = folder.join("firmware.bin");
        std::fs::write(&firmware, b"image").unwrap();
        let cache = Cache::open(&folder, Path::new("/bin/echo"), &firmware).unwrap();
        let jobs: Vec<Job> = ["W-0-N-N-FCFS-400", "W-1-P-L-80=T4+81=FCFS-400"]
            .map(|config| Job { config: config.parse().unwrap(), options: Options::default() })
            .into();
        let script = write_script(&cache, &jobs).unwrap();
        let text = std::fs::read_to_string(&script).unwrap().replace(" > /dev/null", "");
        std::fs::write(&script, text).unwrap();
        for (index, job) in jobs.iter().enumerate() {
            let output = Command::new("sh")
                .arg(&script)
                .env("SLURM_ARRAY_TASK_ID", index.to_string())
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let expected = cache.command(job).unwrap()[1..].join(" ");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
