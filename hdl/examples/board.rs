//! Writes the Verilog of a board for `cargo xtask fpga`: `board NAME FIRMWARE FOLDER` writes `FOLDER/baton.v` and
//! the images it names, and the facts of
//! the board as `name=value` lines to standard output. Without a firmware (`-`), only the facts. `board softcore FOLDER`
//! writes the softcore with 64 KiB by itself.

use baton_hdl::board::{Board, BOARDS};
use baton_hdl::kit::{BANK_WORDS, IMAGE_FILE, IMAGE_FILE_HIGH};
use baton_hdl::softcore::{self, System};
use std::path::Path;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["softcore", folder] => {
            std::fs::write(Path::new(folder).join("baton.v"), softcore::verilog(System::new(16 * 1024)))
                .map_err(|error| format!("cannot write to {folder}: {error}"))
        }
        [name, firmware, folder] => write(name, firmware, folder),
        _ => Err("usage: board NAME FIRMWARE FOLDER | board softcore FOLDER".into()),
    };
    if let Err(error) = done {
        eprintln!("{error}");
        std::process::exit(2);
    }
}

fn write(name: &str, firmware: &str, folder: &str) -> Result<(), String> {
    let Some(board) = Board::named(name) else {
        let names: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
        return Err(format!("no board {name}; there are {}", names.join(", ")));
    };
    println!("device={}\npackage={}\nspeed={}", board.device, board.package, board.speed);
    println!("core_mhz={}", f64::from(board.pll.core_khz()) / 1000.0);
    println!("connections={}\ncore_memory_kib={}", board.connections, board.core_memory_kib);
    if firmware == "-" {
        return Ok(());
    }
    let bytes = std::fs::read(firmware).map_err(|error| format!("cannot read {firmware}: {error}"))?;
    if bytes.len() > board.core_memory_kib as usize * 1024 {
        return Err(format!(
            "{firmware} has {} bytes, core memory {} KiB",
            bytes.len(),
            board.core_memory_kib
        ));
    }
    let word = |bytes: &[u8]| (0..4).map(|i| u32::from(*bytes.get(i).unwrap_or(&0)) << (8 * i)).sum::<u32>();
    let image: Vec<String> = bytes.chunks(4).map(|bytes| format!("{:08x}\n", word(bytes))).collect();
    if image.len() > 2 * BANK_WORDS {
        return Err(format!(
            "{firmware} has {} words, and images of core memory {}",
            image.len(),
            2 * BANK_WORDS
        ));
    }
    let (low, high) = image.split_at(image.len().min(BANK_WORDS));
    let folder = Path::new(folder);
    std::fs::write(folder.join(IMAGE_FILE), low.concat())
        .and_then(|()| std::fs::write(folder.join(IMAGE_FILE_HIGH), high.concat()))
        .and_then(|()| std::fs::write(folder.join("baton.v"), board.verilog()))
        .map_err(|error| format!("cannot write to {}: {error}", folder.display()))
}
