//! The `baton` command.

mod cli;

fn main() -> anyhow::Result<std::process::ExitCode> {
    cli::run()
}
