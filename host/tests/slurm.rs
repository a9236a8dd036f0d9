//! A reproduction as a Slurm job array: on a cluster of this one machine, its records are those of local runs.
//!
//! `cargo xtask setup` installs Slurm where it can; without it the test says so and passes. So it does without the firmware image for 1024
//! connections that `cargo xtask test` builds.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What the daemons and the runs may take.
const START: Duration = Duration::from_secs(60);
const RUNS: Duration = Duration::from_secs(300);

/// Slurm's two daemons, and their configuration.
struct Cluster {
    folder: PathBuf,
    daemons: Vec<Child>,
}

impl Cluster {
    /// `None` where Slurm is not installed.
    fn start(folder: &Path) -> Option<Cluster> {
        let [controller, node] = ["/usr/sbin/slurmctld", "/usr/sbin/slurmd"];
        if [controller, node].iter().any(|path| !Path::new(path).exists()) {
            return None;
        }
        let text = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_string()
        };
        let (host, user) = (text("hostname", &["-s"]), text("id", &["-un"]));
        // Ports that are free now; the daemons take them at once.
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller_port, node_port] = ports.map(|port| port.local_addr().unwrap().port());
        let place = folder.display();
        for name in ["state", "spool"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let configuration = format!(
            "ClusterName=baton\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
             AuthType=auth/none\nCredType=cred/none\nSlurmctldPort={controller_port}\nSlurmdPort={node_port}\n\
             StateSaveLocation={place}/state\nSlurmdSpoolDir={place}/spool\n\
             SlurmctldPidFile={place}/slurmctld.pid\nSlurmdPidFile={place}/slurmd.pid\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\nMpiDefault=none\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(folder.join("slurm.conf"), configuration).unwrap();
        let mut cluster = Cluster { folder: folder.to_path_buf(), daemons: vec![] };
        for program in [controller, node] {
            let log = fs::File::create(folder.join(Path::new(program).file_name().unwrap())).unwrap();
            let mut command = cluster.command(program);
            command.arg("-D").stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            cluster.daemons.push(command.spawn().unwrap());
        }
        let begun = Instant::now();
        loop {
            let state = cluster.command("sinfo").args(["--noheader", "--format=%T"]).output().unwrap();
            if String::from_utf8_lossy(&state.stdout).trim() == "idle" {
                return Some(cluster);
            }
            assert!(begun.elapsed() < START, "the cluster is not ready: see {place}; sinfo: {state:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.folder.join("slurm.conf"));
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            // It has ended, if it cannot be killed.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// The arguments of a small reproduction of Table 1, whose files go to `folder`.
fn reproduce(command: &mut Command, engine: &str, firmware: &str, folder: &Path) -> Output {
    let bounded = ["--packets", "120", "--warmup", "60", "--clients", "8", "--core-cycles", "65536"];
    command.args(["--kill-after=5", &RUNS.as_secs().to_string(), env!("CARGO_BIN_EXE_baton")]);
    command.args(["reproduce", "table1", "--engine", engine]).args(bounded).args(["--firmware", firmware]);
    command.arg("--cache").arg(folder.join("cache")).arg("--output").arg(folder.join("output"));
    command.output().unwrap()
}

/// The rows of the table, without what a run measures of the machine that simulates.
fn rows(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("output/table1.json")).unwrap();
    let mut all: serde_json::Value = serde_json::from_str(&text).unwrap();
    all["rows"].take()
}

#[test]
fn a_job_array_finds_what_local_runs_find() {
    let Ok(firmware) = std::env::var("BATON_FIRMWARE_1024") else {
        eprintln!("BATON_FIRMWARE_1024 names no image: not tried");
        return;
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("slurm");
    // It may be there from a run before.
    let _ = fs::remove_dir_all(&folder);
    let Some(cluster) = Cluster::start(&folder.join("cluster")) else {
        eprintln!("no Slurm (`cargo xtask setup` installs it): not tried");
        return;
    };
    let array = folder.join("array");
    for done in [0, 4] {
        let mut command = cluster.command("timeout");
        let output = reproduce(&mut command, "slurm", &firmware, &array);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        // The second time nothing is missing, so nothing is said.
        assert_eq!(text.contains("4 runs, 0 of them done already"), done == 0, "{text}");
    }
    assert!(array.join("cache/slurm-0.err").exists() && array.join("cache/slurm-3.err").exists());
    let local = folder.join("local");
    let output = reproduce(&mut Command::new("timeout"), "local", &firmware, &local);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(rows(&array), rows(&local));
}
