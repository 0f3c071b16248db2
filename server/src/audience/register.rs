//! What is shared, and with which walls: links and walls, kept across restarts in a file (`--state`).
//!
//! The file is JSON of a few kilobytes, and is replaced whole: written beside, synced, renamed, and the directory synced
//! (`rename(2)` replaces at once). So there are two states it can be found in whenever the process is killed, the one
//! before and the one after, without a journal and code that reads it back. A database would keep more than that has to
//! be kept, and bring a library in C into a binary that has none. Whoever changes it (this server, `masthead link`)
//! holds a lock on a file beside it, reads, changes and replaces; the server looks four times a second whether somebody
//! has. Secrets are in it as SHA-256 only.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use app::api::{Millis, Text};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Grant, sessions::Clock};

/// How often the file is looked at: revoking has to take effect within a second.
const LOOK: Duration = Duration::from_millis(250);
/// How often the times of last use are written.
const USES: Duration = Duration::from_secs(60);
/// Links, and walls, that are kept.
pub const MOST: usize = 1_000;
/// What is in the file.
const VERSION: u32 = 1;

/// A part of the cluster that whoever has a secret may see for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    /// Its public name, in addresses and logs.
    pub id: Text,
    /// What it is called.
    pub name: Text,
    /// SHA-256 of its secret, in hexadecimal digits. Empty while it is a draft that nobody has been given.
    pub hash: String,
    /// What it shows.
    pub grant: Grant,
    /// Who made it.
    pub by: Text,
    /// When.
    pub since: Millis,
    /// When it ends.
    pub until: Millis,
    /// How many may look at a time.
    pub viewers: u32,
    /// When it was last used.
    pub used: Option<Millis>,
}

impl Link {
    /// Whether nobody has been given it yet.
    pub fn is_draft(&self) -> bool {
        self.hash.is_empty()
    }
}

/// A screen that somebody let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wall {
    /// Its public name.
    pub id: Text,
    /// What it is called.
    pub name: Text,
    /// SHA-256 of what its browser holds, in hexadecimal digits.
    pub hash: String,
    /// What it shows; `None` is everything.
    pub grant: Option<Grant>,
    /// Who let it in.
    pub by: Text,
    /// When.
    pub since: Millis,
    /// When its right ends; `None` when somebody takes it away.
    pub until: Option<Millis>,
    /// When it was last used.
    pub used: Option<Millis>,
}

/// All that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Records {
    version: u32,
    /// The newest last.
    pub links: Vec<Link>,
    /// The newest last.
    pub walls: Vec<Wall>,
}

impl Default for Records {
    fn default() -> Records {
        Records { version: VERSION, links: Vec::new(), walls: Vec::new() }
    }
}

impl Records {
    /// A link that has not ended.
    pub fn link(&self, id: &str, now: Millis) -> Option<&Link> {
        self.links.iter().find(|link| *link.id == *id && now < link.until)
    }

    fn forget_ended(&mut self, now: Millis) {
        self.links.retain(|link| now < link.until);
        self.walls.retain(|wall| wall.until.is_none_or(|until| now < until));
    }

    fn ids(&self, now: Millis) -> impl Iterator<Item = &Text> {
        let links = self.links.iter().filter(move |link| now < link.until).map(|link| &link.id);
        let walls = self.walls.iter().filter(move |wall| wall.until.is_none_or(|until| now < until));
        links.chain(walls.map(|wall| &wall.id))
    }
}

/// Why what is shared cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum RegisterError {
    #[error("cannot {doing} {}: {error}", path.display())]
    File { doing: &'static str, path: PathBuf, error: io::Error },
    #[error("{} is not a state of Masthead's: {error}", path.display())]
    Unreadable { path: PathBuf, error: serde_json::Error },
    #[error("{} is of version {found}, and this Masthead reads {VERSION}: run the one that wrote it, or name another file", path.display())]
    Version { path: PathBuf, found: u32 },
    #[error("there are {MOST} already; end one first")]
    TooMany,
}

/// See the module. A cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Register(Arc<Inside>);

#[derive(Debug, Default)]
struct Inside {
    file: Option<PathBuf>,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    records: Records,
    stamp: Option<Stamp>,
    /// Of those somebody has used: cancelled when they end.
    ended: HashMap<Text, CancellationToken>,
    /// Uses that are not in the file yet.
    used: HashMap<Text, Millis>,
}

/// What a file looks like from outside.
type Stamp = (SystemTime, u64, u64);

impl Register {
    /// Reads `file`; without one everything is kept in memory.
    pub fn open(file: Option<PathBuf>, clock: Clock) -> Result<Register, RegisterError> {
        let register = Register(Arc::new(Inside { file, clock, held: Mutex::default() }));
        register.look()?;
        Ok(register)
    }

    /// Whether it outlives the process.
    pub fn is_kept(&self) -> bool {
        self.0.file.is_some()
    }

    /// The time of day.
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing panics while it is held; if it did, what is in there would still be whole.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All there is, with the latest uses.
    pub fn records(&self) -> Records {
        let held = self.held();
        let mut records = held.records.clone();
        records.forget_ended(self.now());
        note_uses(&mut records, &held.used);
        records
    }

    /// What is cancelled when the link or wall `id` ends.
    pub fn ended(&self, id: &Text) -> CancellationToken {
        self.held().ended.entry(id.clone()).or_default().clone()
    }

    /// Notes that somebody uses a link or a wall.
    pub fn used(&self, id: &Text) {
        let now = self.now();
        self.held().used.insert(id.clone(), now);
    }

    /// Finds something in the records as they are.
    pub fn find<T>(&self, find: impl FnOnce(&Records, Millis) -> Option<T>) -> Option<T> {
        find(&self.held().records, self.now())
    }

    /// Changes the records, in the file first. Blocks while it writes.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Records) -> Result<T, RegisterError>,
    ) -> Result<T, RegisterError> {
        let Some(file) = &self.0.file else {
            let mut held = self.held();
            let changed = change(&mut held.records)?;
            drop(held);
            self.end_what_is_over();
            return Ok(changed);
        };
        let lock = lock(file)?;
        let mut records = read(file)?.map(|(records, _)| records).unwrap_or_default();
        records.forget_ended(self.now());
        note_uses(&mut records, &self.held().used);
        let changed = change(&mut records)?;
        write(file, &records)?;
        drop(lock);
        self.look()?;
        Ok(changed)
    }

    /// Reads the file if it has changed, and ends what is not there any more. Blocks while it reads.
    pub fn look(&self) -> Result<(), RegisterError> {
        if let Some(file) = &self.0.file {
            let stamp = stamp(file)?;
            if self.held().stamp != stamp {
                let (records, stamp) = match read(file)? {
                    Some((records, stamp)) => (records, Some(stamp)),
                    None => (Records::default(), None),
                };
                let mut held = self.held();
                held.records = records;
                held.stamp = stamp;
            }
        }
        self.end_what_is_over();
        Ok(())
    }

    fn end_what_is_over(&self) {
        let now = self.now();
        let mut held = self.held();
        let Held { records, ended, used, .. } = &mut *held;
        let is_there = |id: &Text| records.ids(now).any(|there| there == id);
        ended.retain(|id, ended| {
            let there = is_there(id);
            if !there {
                ended.cancel();
                tracing::info!(target: "audit", what = "share-end", share = %id);
            }
            there
        });
        used.retain(|id, _| is_there(id));
    }

    /// Keeps up with the file, ends what is over and writes when things were last used; ends with `stop`. Somebody has
    /// to run it.
    pub async fn keep(self, stop: CancellationToken) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut written = tokio::time::Instant::now();
        let mut wrong = None;
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = stop.cancelled() => break,
            }
            let uses = written.elapsed() >= USES && !self.held().used.is_empty();
            if uses {
                written = tokio::time::Instant::now();
            }
            let (register, looked) = (self.clone(), move |register: &Register| match uses {
                true => register.write_uses(),
                false => register.look(),
            });
            // Files block, if only for a moment.
            let looked = tokio::task::spawn_blocking(move || looked(&register)).await;
            let error = looked.map(|looked| looked.err().map(|error| error.to_string())).unwrap_or_default();
            if error != wrong {
                match &error {
                    Some(error) => {
                        tracing::error!(error, "what is shared cannot be kept; it stays as it was")
                    }
                    None => tracing::info!("what is shared can be kept again"),
                }
                wrong = error;
            }
        }
        let _ = tokio::task::spawn_blocking(move || self.write_uses()).await; // as well as it can be
    }

    fn write_uses(&self) -> Result<(), RegisterError> {
        if self.0.file.is_some() && !self.held().used.is_empty() {
            self.change(|_| Ok(()))?;
            self.held().used.clear();
        }
        Ok(())
    }
}

fn note_uses(records: &mut Records, used: &HashMap<Text, Millis>) {
    let links = records.links.iter_mut().map(|link| (&link.id, &mut link.used));
    let walls = records.walls.iter_mut().map(|wall| (&wall.id, &mut wall.used));
    for (id, known) in links.chain(walls) {
        *known = (*known).max(used.get(id).copied());
    }
}

fn wrong<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> RegisterError + 'a {
    move |error| RegisterError::File { doing, path: path.to_owned(), error }
}

/// Whoever has this may change the file; it ends with the process too.
fn lock(file: &Path) -> Result<File, RegisterError> {
    let path = beside(file, "lock");
    let lock =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(wrong("open", &path))?;
    lock.lock().map_err(wrong("lock", &path))?;
    Ok(lock)
}

fn beside(file: &Path, what: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    file.with_file_name(name)
}

fn stamp(file: &Path) -> Result<Option<Stamp>, RegisterError> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some(stamp_of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong("read", file)(error)),
    }
}

fn stamp_of(metadata: &fs::Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    (metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len(), metadata.ino())
}

fn read(path: &Path) -> Result<Option<(Records, Stamp)>, RegisterError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong("read", path)(error)),
    };
    let stamp = stamp_of(&file.metadata().map_err(wrong("read", path))?);
    let mut text = String::new();
    io::Read::read_to_string(&mut file, &mut text).map_err(wrong("read", path))?;
    let unreadable = |error| RegisterError::Unreadable { path: path.to_owned(), error };
    /// What says how to read the rest.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_str(&text).map_err(unreadable)?;
    if version != VERSION {
        return Err(RegisterError::Version { path: path.to_owned(), found: version });
    }
    Ok(Some((serde_json::from_str(&text).map_err(unreadable)?, stamp)))
}

fn write(path: &Path, records: &Records) -> Result<(), RegisterError> {
    use std::os::unix::fs::OpenOptionsExt;
    let new = beside(path, "new");
    let text = serde_json::to_vec_pretty(records)
        .map_err(|error| RegisterError::Unreadable { path: path.to_owned(), error })?;
    let mut file = File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .map_err(wrong("write", &new))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(wrong("write", &new))?;
    fs::rename(&new, path).map_err(wrong("replace", path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong("sync", folder))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn link(id: &str, until: i64) -> Link {
        Link {
            id: Text::from(id),
            name: Text::from("a link"),
            hash: "00".to_owned(),
            grant: Grant::default(),
            by: Text::from("somebody"),
            since: Millis(0),
            until: Millis(until),
            viewers: 1,
            used: None,
        }
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("masthead-register-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn register(&self) -> Register {
            Register::open(Some(self.0.join("state.json")), Clock::new(|| Millis(0))).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn add(register: &Register, link: Link) {
        register
            .change(|records| {
                records.links.push(link);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn what_one_process_changes_the_other_sees_and_ends() {
        let folder = Folder::new("two");
        let (server, command) = (folder.register(), folder.register());
        add(&command, link("a", 10));
        add(&server, link("b", 10));
        let ids = |register: &Register| {
            register.records().links.iter().map(|link| link.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&server), ["a", "b"]);
        let ended = server.ended(&Text::from("a"));
        server.used(&Text::from("b"));
        command
            .change(|records| {
                records.links.retain(|link| link.id != "a");
                Ok(())
            })
            .unwrap();
        server.look().unwrap();
        assert!(ended.is_cancelled());
        assert_eq!(ids(&server), ["b"]);
        server.write_uses().unwrap();
        command.look().unwrap();
        assert_eq!(command.records().links[0].used, Some(Millis(0)));
        assert_eq!(ids(&folder.register()), ["b"], "kept");
    }

    #[test]
    fn links_end_by_the_clock() {
        let time = Arc::new(AtomicI64::new(0));
        let told = time.clone();
        let register = Register::open(None, Clock::new(move || Millis(told.load(Ordering::SeqCst)))).unwrap();
        add(&register, link("a", 10));
        let ended = register.ended(&Text::from("a"));
        time.store(9, Ordering::SeqCst);
        register.look().unwrap();
        assert!(
            !ended.is_cancelled() && register.find(|records, now| records.link("a", now).cloned()).is_some()
        );
        time.store(10, Ordering::SeqCst);
        assert!(register.find(|records, now| records.link("a", now).cloned()).is_none());
        register.look().unwrap();
        assert!(ended.is_cancelled() && register.records().links.is_empty());
    }

    #[test]
    fn what_is_no_state_is_refused_and_left_alone() {
        let folder = Folder::new("foreign");
        let path = folder.0.join("state.json");
        for (text, says) in [("{", "is not a state"), ("{\"version\": 2, \"x\": 1}", "of version 2")] {
            fs::write(&path, text).unwrap();
            let error = Register::open(Some(path.clone()), Clock::default()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_change_that_was_cut_off_leaves_the_state_before_it() {
        let folder = Folder::new("cut");
        add(&folder.register(), link("a", 10));
        // all that a killed process can leave behind: a half-written file beside it, and a lock nobody holds
        fs::write(folder.0.join("state.json.new"), "{\"version\": 1, \"li").unwrap();
        let register = folder.register();
        assert_eq!(register.records().links.len(), 1);
        add(&register, link("b", 10));
        assert_eq!(folder.register().records().links.len(), 2);
    }
}
