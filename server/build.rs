//! Gathers the files a browser loads, compresses them once, and writes the table that
//! `src/http/assets.rs` serves them from, so that the binary needs nothing beside it.
//!
//! - the page's program, from `target/site/pkg` or the folder `MASTHEAD_SITE` names. Where
//!   `app/build-wasm` has not run there is none, and the server serves server-rendered pages only;
//! - the stylesheet: `style/main.css` with what it imports put in its place;
//! - everything in `public/`, at the root.
//!
//! What the page itself names carries a hash of its content in its name and may be kept for ever.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let mut table = Table::new(out);

    let style = workspace.join("style");
    watch(&style);
    let css = tidy(&inlined(&style.join("main.css"))?);
    let stylesheet = table.add_hashed("masthead", "css", css.as_bytes())?;

    let page = add_page(&site(&workspace).join("pkg"), &mut table)?;

    let public = workspace.join("public");
    watch(&public);
    for (name, content) in files_below(&public)? {
        table.add(format!("/{name}"), &content, false)?;
    }

    table.write(&stylesheet, page.as_ref())
}

/// Where `app/build-wasm` leaves the page.
fn site(workspace: &Path) -> PathBuf {
    for variable in ["MASTHEAD_SITE", "CARGO_TARGET_DIR"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    // Both are relative to the workspace, as they are for cargo and for the script.
    if let Some(site) = env::var_os("MASTHEAD_SITE") {
        workspace.join(site)
    } else {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        workspace.join(target).join("site")
    }
}

/// What the shell names to start the page.
struct Page {
    script: String,
    wasm: String,
}

fn add_page(pkg: &Path, table: &mut Table) -> Result<Option<Page>> {
    // Cargo takes a watched folder that is not there for one that always changes.
    fs::create_dir_all(pkg)?;
    watch(pkg);
    let mut files = files_below(pkg)?;
    let script = files.remove("masthead.js");
    let wasm = files.remove("masthead_bg.wasm");
    let (Some(script), Some(wasm)) = (script, wasm) else {
        if release() {
            println!(
                "cargo:warning=no page in {}: this binary serves server-rendered pages that do not update. \
                 Run `app/build-wasm --release` first, or `make build`, which does.",
                pkg.display()
            );
        }
        return Ok(None);
    };

    let script = table.add_hashed("masthead", "js", &script)?;
    let wasm = table.add_hashed("masthead", "wasm", &wasm)?;
    // Scripts of dependencies: the program imports them by these names, so these names stay.
    for (name, content) in files {
        table.add(format!("/pkg/{name}"), &content, false)?;
    }
    Ok(Some(Page { script, wasm }))
}

// ---- The table --------------------------------------------------------------------------------

struct Table {
    out: PathBuf,
    rows: BTreeMap<String, String>,
}

impl Table {
    fn new(out: PathBuf) -> Self {
        let rows = BTreeMap::new();
        Self { out, rows }
    }

    /// Adds a file under a name made from its content, and returns the path it is served at.
    fn add_hashed(&mut self, stem: &str, extension: &str, content: &[u8]) -> Result<String> {
        let path = format!("/pkg/{stem}-{:016x}.{extension}", fnv(content));
        self.add(path.clone(), content, true)?;
        Ok(path)
    }

    fn add(&mut self, path: String, content: &[u8], immutable: bool) -> Result<()> {
        // The router reads braces and colons as patterns, and browsers would escape the rest.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if !path.chars().all(plain) {
            return Err(format!("{path}: rename this file, only A-Z a-z 0-9 . _ - are served").into());
        }
        let (content_type, compressible) = content_type(&path);
        let hash = fnv(content);

        let stored = self.store(hash, "", |file| file.write_all(content))?;
        let mut gzip = "None".to_owned();
        let mut brotli = "None".to_owned();
        if compressible {
            gzip = self.store_if_smaller(content, hash, "gz", |file| {
                let level = flate2::Compression::new(if release() { 9 } else { 5 });
                let mut encoder = flate2::write::GzEncoder::new(file, level);
                encoder.write_all(content)?;
                encoder.finish().map(drop)
            })?;
            brotli = self.store_if_smaller(content, hash, "br", |file| {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: if release() { 11 } else { 5 },
                    size_hint: content.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut io::Cursor::new(content), file, &params).map(drop)
            })?;
        }

        let mut row = String::new();
        write!(
            row,
            "    Asset {{\n        path: {path:?},\n        content_type: {content_type:?},\n        \
             etag: \"W/\\\"{hash:016x}\\\"\",\n        immutable: {immutable},\n        \
             identity: include_bytes!({stored:?}),\n        gzip: {gzip},\n        brotli: {brotli},\n    }},\n"
        )?;
        self.rows.insert(path, row);
        Ok(())
    }

    /// Writes a file named by content, unless an earlier run did: an edit of the stylesheet must
    /// not compress the program again.
    fn store(
        &self,
        hash: u64,
        extension: &str,
        write: impl FnOnce(&mut fs::File) -> io::Result<()>,
    ) -> Result<PathBuf> {
        let path = self.out.join(format!("{hash:016x}.{extension}"));
        if !path.exists() {
            let unfinished = path.with_extension("unfinished");
            write(&mut fs::File::create(&unfinished)?)?;
            fs::rename(unfinished, &path)?;
        }
        Ok(path)
    }

    fn store_if_smaller(
        &self,
        content: &[u8],
        hash: u64,
        extension: &str,
        write: impl FnOnce(&mut fs::File) -> io::Result<()>,
    ) -> Result<String> {
        let path = self.store(hash, extension, write)?;
        Ok(if fs::metadata(&path)?.len() < content.len() as u64 {
            format!("Some(include_bytes!({path:?}))")
        } else {
            "None".to_owned()
        })
    }

    fn write(&self, stylesheet: &str, page: Option<&Page>) -> Result<()> {
        let mut code = String::from("static ASSETS: &[Asset] = &[\n");
        code.extend(self.rows.values().map(String::as_str));
        writeln!(code, "];\n")?;
        writeln!(code, "/// Where the stylesheet is served.")?;
        writeln!(code, "pub const STYLESHEET: &str = {stylesheet:?};")?;
        writeln!(
            code,
            "/// The page's program, a module and what it loads; `None` where it was built without one."
        )?;
        let program = page.map(|page| (&page.script, &page.wasm));
        writeln!(code, "pub const PROGRAM: Option<(&str, &str)> = {program:?};")?;
        Ok(fs::write(self.out.join("assets.rs"), code)?)
    }
}

/// The header's value, and whether compressing such a file is worth it.
fn content_type(path: &str) -> (&'static str, bool) {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => ("text/css; charset=utf-8", true),
        "html" => ("text/html; charset=utf-8", true),
        "ico" => ("image/x-icon", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "json" | "webmanifest" => ("application/json", true),
        "png" => ("image/png", false),
        "svg" => ("image/svg+xml", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

/// Whether this binary is for others to run, and worth the seconds the best compression takes.
/// The profile `demo` is a release with `opt-level = 1`, and is not.
fn release() -> bool {
    env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && env::var("OPT_LEVEL").is_ok_and(|level| level != "0" && level != "1")
}

/// FNV-1a, 64 bits. Names need to differ when contents do; nobody gains by making two collide.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

// ---- Files ------------------------------------------------------------------------------------

/// Cargo runs this again when something at or below `path` changes.
fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

/// The files at and below `folder` by their path in it, without what editors leave behind; none
/// where there is no folder.
fn files_below(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(format!("{}: {error}", folder.display()).into()),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if entry.path().is_dir() {
            for (below, content) in files_below(&entry.path())? {
                files.insert(format!("{name}/{below}"), content);
            }
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

// ---- The stylesheet ---------------------------------------------------------------------------

/// The stylesheet at `path` with each line `@import "partial.css" layer(name);` replaced by the
/// partial, in its layer. Empty where there is none.
fn inlined(path: &Path) -> Result<String> {
    let css = match fs::read_to_string(path) {
        Ok(css) => css,
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.ends_with("main.css") => {
            return Ok(String::new());
        }
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    let mut whole = String::new();
    for line in without_comments(&css).lines() {
        let Some(import) = line.trim().strip_prefix("@import ") else {
            whole.push_str(line);
            whole.push('\n');
            continue;
        };
        let parsed =
            import.strip_suffix(';').and_then(|import| import.trim().strip_prefix('"')?.split_once('"'));
        let Some((name, condition)) = parsed else {
            return Err(format!(
                "{}: write imports as @import \"x.css\" layer(y);, not {line}",
                path.display()
            )
            .into());
        };
        let partial = inlined(&path.with_file_name(name))?;
        match condition.trim() {
            "" => whole.push_str(&partial),
            condition => match condition.strip_prefix("layer(").and_then(|rest| rest.strip_suffix(')')) {
                Some(layer) => writeln!(whole, "@layer {layer} {{\n{partial}}}")?,
                None => {
                    return Err(format!("{}: cannot import under {condition}", path.display()).into());
                }
            },
        }
    }
    Ok(whole)
}

/// Without comments; what looks like one inside a string stays.
fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut quote = None;
    let mut rest = css;
    while let Some(c) = rest.chars().next() {
        if quote.is_none() && rest.starts_with("/*") {
            rest = rest[2..].split_once("*/").map_or("", |(_, after)| after);
            continue;
        }
        let mut length = c.len_utf8();
        match quote {
            // An escaped character, a quote among them, ends nothing.
            Some(_) if c == '\\' => {
                length += rest[length..].chars().next().map_or(0, char::len_utf8);
            }
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        kept.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    kept
}

/// Without indentation and empty lines.
fn tidy(css: &str) -> String {
    css.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .fold(String::new(), |all, line| all + line + "\n")
}
