//! Names this build: `MASTHEAD_BUILD`, 16 hex digits, the same for the server's and the
//! browser's build of the same sources. The page compares its own with the server's and reloads
//! when they differ, since the wire between them is only understood by a matching pair.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What both halves are made from, relative to the workspace. Files and folders.
const SOURCES: [&str; 4] = ["Cargo.lock", "app/Cargo.toml", "app/src", "style"];

fn main() -> io::Result<()> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?;
    let workspace = Path::new(&manifest).parent().ok_or(io::ErrorKind::NotFound)?;

    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", workspace.join(source).display());
        gather(workspace, Path::new(source), &mut files)?;
    }
    // The order a directory lists its entries in differs between machines.
    files.sort();

    let mut hash = Fnv::new();
    for file in &files {
        let content = fs::read(workspace.join(file))?;
        hash.field(file.to_string_lossy().replace('\\', "/").as_bytes());
        hash.field(&content);
    }
    println!("cargo:rustc-env=MASTHEAD_BUILD={:016x}", hash.0);
    Ok(())
}

/// Collects the files at and below `path`, without what editors leave beside them.
fn gather(workspace: &Path, path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let full = workspace.join(path);
    if full.is_dir() {
        for entry in fs::read_dir(full)? {
            let name = entry?.file_name();
            let text = name.to_string_lossy();
            if !text.starts_with(['.', '#']) && !text.ends_with('~') {
                gather(workspace, &path.join(&name), files)?;
            }
        }
    } else if full.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

/// FNV-1a, 64 bits: the same on every platform, unlike the standard library's hasher.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Hashes the length too, so that no two lists of fields run together into the same bytes.
    fn field(&mut self, bytes: &[u8]) {
        for &byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
