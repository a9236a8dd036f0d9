//! Files of a folder, held in host memory from the start: a response sends them from where they lie.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use baton_cosim::port::HostMemory;

use super::bodies::Bodies;

/// A file in host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    pub addr: u32,
    pub len: u32,
    /// Its media type.
    pub kind: &'static str,
}

/// Files by the path that a request names.
#[derive(Clone, Debug, Default)]
pub struct Files {
    by_path: BTreeMap<String, File>,
}

impl Files {
    /// Reads the files of `folder`, and of folders in it, into memory. `/` is `index.html`, or a list of the files.
    ///
    /// # Errors
    /// When the folder cannot be read, a name is not UTF-8, or memory has no room for all.
    pub fn load(folder: &Path, bodies: &mut Bodies, memory: &mut HostMemory) -> Result<Files> {
        let mut files = Files::default();
        files.add_folder(folder, "", bodies, memory)?;
        ensure!(!files.by_path.is_empty(), "{} has no files", folder.display());
        let index = match files.by_path.get("/index.html") {
            Some(&index) => index,
            None => files
                .place(files.list().as_bytes(), "text/html", bodies, memory)
                .context("no room for the index")?,
        };
        files.by_path.insert("/".into(), index);
        Ok(files)
    }

    /// The file that a request's target names.
    pub fn find(&self, target: &str) -> Option<File> {
        let path = target.split(['?', '#']).next().unwrap_or(target);
        self.by_path.get(path).copied()
    }

    fn add_folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        bodies: &mut Bodies,
        memory: &mut HostMemory,
    ) -> Result<()> {
        let at = || format!("cannot read {}", folder.display());
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).with_context(at)?.collect::<Result<_, _>>().with_context(at)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name();
            let name =
                name.to_str().with_context(|| format!("the name of {} is not UTF-8", path.display()))?;
            let target = format!("{prefix}/{}", encode(name));
            if path.is_dir() {
                self.add_folder(&path, &target, bodies, memory)?;
            } else {
                let bytes =
                    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let file = self.place(&bytes, kind(name), bodies, memory).with_context(|| {
                    format!(
                        "host memory has no room for {} ({} bytes) beside the files before it",
                        path.display(),
                        bytes.len()
                    )
                })?;
                self.by_path.insert(target, file);
            }
        }
        Ok(())
    }

    fn place(
        &self,
        bytes: &[u8],
        kind: &'static str,
        bodies: &mut Bodies,
        memory: &mut HostMemory,
    ) -> Option<File> {
        let addr = bodies.place(memory, bytes)?;
        Some(File { addr, len: bytes.len() as u32, kind })
    }

    fn list(&self) -> String {
        let mut page = String::from("<!doctype html><meta charset=\"utf-8\"><title>Baton</title><ul>\n");
        for (path, file) in &self.by_path {
            // Paths are percent-encoded, so they hold nothing that HTML would take for its own.
            let _ = writeln!(page, "<li><a href=\"{path}\">{path}</a> {} bytes", file.len);
        }
        page.push_str("</ul>\n");
        page
    }
}

/// A path segment as a request has it (RFC 3986 Section 2.1).
fn encode(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "js" => "text/javascript",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "txt" | "md" => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::arena::Arena;

    #[test]
    fn a_folder_is_served_and_listed() {
        let folder = std::env::temp_dir().join(format!("baton-files-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(folder.join("a b.txt"), b"text").unwrap();
        std::fs::write(folder.join("sub/x.png"), [1, 2, 3]).unwrap();
        let mut memory = HostMemory::new(0, 0x10000);
        let files = Files::load(&folder, &mut Bodies::new(Arena::new(64..0x10000)), &mut memory);
        let small = Files::load(&folder, &mut Bodies::new(Arena::new(64..66)), &mut memory);
        std::fs::remove_dir_all(&folder).unwrap();
        let files = files.unwrap();
        let text = files.find("/a%20b.txt?query").unwrap();
        assert_eq!((memory.slice(text.addr, text.len as usize), text.kind), (&b"text"[..], "text/plain"));
        assert_eq!(files.find("/sub/x.png").map(|f| (f.len, f.kind)), Some((3, "image/png")));
        let index = files.find("/").unwrap();
        let page = String::from_utf8_lossy(memory.slice(index.addr, index.len as usize)).into_owned();
        assert!(page.contains("href=\"/a%20b.txt\"") && page.contains("href=\"/sub/x.png\""), "{page}");
        assert!(files.find("/none").is_none() && files.find("/../a").is_none());
        assert!(format!("{:#}", small.unwrap_err()).contains("no room"));
        assert!(Files::load(&folder, &mut Bodies::new(Arena::new(0..64)), &mut memory).is_err());
    }
}
