//! Sessions: who has signed in, from where, and until when that counts.
//!
//! What the browser holds is 256 random bits; what is kept here is their SHA-256, so that nothing that is kept,
//! listed or logged lets anybody in. A session ends for good: signed out, revoked, expired, unused for too long or
//! displaced by newer ones; with it end the streams that are open in its name.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::api::{Millis, Text};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Audit, Grant, Visitor, Who};

/// The cookie. `__Host-` makes browsers insist on `Secure`, `Path=/` and no `Domain` (RFC 6265bis, 4.1.3.2).
pub const COOKIE: &str = "__Host-masthead";

/// How many sessions there may be.
#[derive(Clone, Copy, Debug)]
struct Most {
    all: usize,
    of_one: usize,
}

const MOST: Most = Most { all: 10_000, of_one: 128 };
/// What is kept of a `User-Agent`.
const LONGEST_AGENT: usize = 200;

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// From its beginning, whatever happens.
    pub whole: Duration,
    /// From its last use. A page that is open uses it.
    pub idle: Option<Duration>,
}

/// Where somebody asks from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Their address, if the request came over a connection.
    pub address: Option<IpAddr>,
    /// What their browser says of itself.
    pub agent: Text,
}

impl Client {
    /// With what the request's headers say.
    pub fn new(address: Option<IpAddr>, headers: &HeaderMap) -> Client {
        let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let agent: String =
            agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect();
        Client { address, agent: Text::from(agent) }
    }
}

/// Somebody who is let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Who.
    pub who: Who,
    /// What they may see.
    pub grant: Option<Arc<Grant>>,
    /// For how long.
    pub lifetime: Lifetime,
    /// From where they came.
    pub from: Client,
    /// Cancelled when what they came in with stops being good.
    pub revoked: CancellationToken,
}

/// A session's public name: the start of its hash.
pub type Handle = Text;

/// A session in use; it does not fall idle while one of these is alive.
#[derive(Clone, Debug)]
pub struct Use {
    /// Which session.
    pub handle: Handle,
    _present: Arc<()>,
}

/// A session, for its owner to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub handle: Handle,
    /// Whose.
    pub who: Who,
    /// Where it began.
    pub from: Client,
    /// When it began.
    pub since: Millis,
    /// When it was last used.
    pub used: Millis,
    /// When it ends at the latest.
    pub until: Millis,
    /// How many streams and requests use it right now.
    pub open: usize,
}

/// A session as it can be kept in a file: whoever reads the file cannot come in with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// SHA-256 of what the browser holds, in hexadecimal digits.
    pub hash: String,
    /// Whose it is.
    pub who: Who,
    /// What they may see.
    pub grant: Option<Grant>,
    /// Where it began.
    pub from: Client,
    /// When it began, in milliseconds since 1970.
    pub since: Millis,
    /// When it ends.
    pub until: Millis,
    /// How long it may be unused, in milliseconds.
    pub idle: Option<i64>,
}

/// The time of day, which tests drive.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// Asks `now` each time.
    pub fn new(now: impl Fn() -> Millis + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    pub(super) fn now(&self) -> Millis {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new(crate::hub::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

type Hash = [u8; 32];

#[derive(Debug)]
struct Entry {
    who: Who,
    grant: Option<Arc<Grant>>,
    from: Client,
    since: Millis,
    used: Millis,
    until: Millis,
    idle: Option<i64>,
    /// Ends with what they came in with; `ended` with the session, or with its grant.
    revoked: CancellationToken,
    ended: CancellationToken,
    present: Arc<()>,
}

impl Entry {
    fn open(&self) -> usize {
        Arc::strong_count(&self.present) - 1
    }

    /// Why it is over.
    fn over(&self, now: Millis) -> Option<&'static str> {
        if self.revoked.is_cancelled() {
            Some("revoked")
        } else if now >= self.until {
            Some("expired")
        } else if self.open() == 0 && self.idle.is_some_and(|idle| now.0 - self.used.0 >= idle) {
            Some("unused")
        } else {
            None
        }
    }
}

/// All there are. A cheap clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    clock: Clock,
    most: Most,
    held: Arc<Mutex<HashMap<Hash, Entry>>>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions::with_clock(Clock::default())
    }
}

impl Sessions {
    /// With another clock than the system's.
    pub fn with_clock(clock: Clock) -> Sessions {
        Sessions { clock, most: MOST, held: Arc::default() }
    }

    /// The time of day that they go by.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Hash, Entry>> {
        // Nothing panics while it is held; if it did, what is in there would still be whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session with an id nobody has ever seen; what the answer sets as its `Set-Cookie`. Any session that
    /// the request came with should be ended: [`Sessions::end_of`].
    pub fn begin(&self, admitted: Admitted) -> Result<String, NoRandomness> {
        Ok(self.open(admitted)?.0)
    }

    /// The same, and the session's public name, for whoever will [`regrant`](Sessions::regrant) it.
    pub fn open(&self, admitted: Admitted) -> Result<(String, Handle), NoRandomness> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let secret = hex(&secret);
        let now = self.clock.now();
        let Admitted { who, grant, lifetime, from, revoked } = admitted;
        let hash = hash(&secret);
        let entry = Entry {
            until: Millis(now.0.saturating_add(millis(lifetime.whole))),
            idle: lifetime.idle.map(millis),
            ended: revoked.child_token(),
            present: Arc::default(),
            since: now,
            used: now,
            who,
            grant,
            from,
            revoked,
        };
        let mut held = self.held();
        make_room(&mut held, &entry.who, self.most);
        Audit::SignIn.line(Some(&entry.who), entry.from.address, Some(&handle(&hash)));
        held.insert(hash, entry);
        drop(held);
        let seconds = lifetime.whole.as_secs();
        let cookie =
            format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
        Ok((cookie, handle(&hash)))
    }

    /// Whoever has the session that the request's cookie names.
    pub fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        let now = self.clock.now();
        let mut held = self.held();
        let hash = ids(headers).map(hash).find(|hash| held.contains_key(hash))?;
        let entry = held.get_mut(&hash)?;
        if entry.over(now).is_some() {
            return None; // the next sweep ends it in order
        }
        entry.used = now;
        let session = Use { handle: handle(&hash), _present: entry.present.clone() };
        Some(Visitor {
            ended: entry.ended.clone(),
            session: Some(session),
            ..Visitor::new(entry.who.clone(), entry.grant.clone())
        })
    }

    /// Those of one person, the newest first.
    pub fn of(&self, who: &Who) -> Vec<Session> {
        self.list(|entry| entry.who.same(who))
    }

    /// Everybody's, the newest first.
    pub fn all(&self) -> Vec<Session> {
        self.list(|_| true)
    }

    fn list(&self, which: impl Fn(&Entry) -> bool) -> Vec<Session> {
        let now = self.clock.now();
        let held = self.held();
        let alive = held.iter().filter(|(_, entry)| which(entry) && entry.over(now).is_none());
        let mut sessions: Vec<Session> = alive
            .map(|(hash, entry)| Session {
                handle: handle(hash),
                who: entry.who.clone(),
                from: entry.from.clone(),
                since: entry.since,
                used: if entry.open() > 0 { now } else { entry.used },
                until: entry.until,
                open: entry.open(),
            })
            .collect();
        sessions.sort_by(|a, b| (b.since, &b.handle).cmp(&(a.since, &a.handle)));
        sessions
    }

    /// Ends the session that a request came with, if any.
    pub fn end_of(&self, visitor: &Visitor, why: Audit<'_>) -> bool {
        visitor.session.as_ref().is_some_and(|session| self.end(&session.handle, why))
    }

    /// Ends one.
    pub fn end(&self, which: &str, why: Audit<'_>) -> bool {
        self.end_where(why, |hash, _| *handle(hash) == *which) > 0
    }

    /// Ends all of one person, but for one.
    pub fn end_all(&self, who: &Who, but: Option<&str>, why: Audit<'_>) -> usize {
        self.end_where(why, |hash, entry| entry.who.same(who) && but != Some(&*handle(hash)))
    }

    fn end_where(&self, why: Audit<'_>, which: impl Fn(&Hash, &Entry) -> bool) -> usize {
        let ended: Vec<(Hash, Entry)> = self.held().extract_if(|hash, entry| which(hash, entry)).collect();
        for (hash, entry) in &ended {
            close(hash, entry, why);
        }
        ended.len()
    }

    /// Gives a session another grant: its open streams end, its next request sees what is granted now.
    pub fn regrant(&self, which: &str, grant: Option<Arc<Grant>>) -> bool {
        let mut held = self.held();
        let Some((_, entry)) = held.iter_mut().find(|(hash, _)| *handle(hash) == *which) else {
            return false;
        };
        if entry.grant != grant {
            entry.grant = grant;
            let ended = std::mem::replace(&mut entry.ended, entry.revoked.child_token());
            ended.cancel();
        }
        true
    }

    /// Ends what has expired, fallen idle or been revoked. Somebody has to call it twice a second:
    /// [`Door::keep`](super::Door::keep) does.
    pub fn sweep(&self) {
        let now = self.clock.now();
        let mut over = Vec::new();
        self.held().retain(|hash, entry| {
            if entry.open() > 0 {
                entry.used = now;
            }
            let why = entry.over(now);
            if let Some(why) = why {
                entry.ended.cancel();
                over.push((handle(hash), entry.who.clone(), entry.from.address, why));
            }
            why.is_none()
        });
        for (handle, who, from, why) in over {
            Audit::SessionEnd(why).line(Some(&who), from, Some(&handle));
        }
    }

    /// Those for which `which` says so, to be kept over a restart.
    pub fn kept(&self, which: impl Fn(&Who) -> bool) -> Vec<Kept> {
        let held = self.held();
        let chosen = held.iter().filter(|(_, entry)| which(&entry.who));
        chosen
            .map(|(hash, entry)| Kept {
                hash: hex(hash),
                who: entry.who.clone(),
                grant: entry.grant.as_deref().cloned(),
                from: entry.from.clone(),
                since: entry.since,
                until: entry.until,
                idle: entry.idle,
            })
            .collect()
    }

    /// Takes up one that was kept; `revoked` is as in [`Admitted`]. Whether it is still good.
    pub fn load(&self, kept: Kept, revoked: CancellationToken) -> bool {
        let now = self.clock.now();
        let Some(hash) = unhex(&kept.hash) else { return false };
        let entry = Entry {
            who: kept.who,
            grant: kept.grant.map(Arc::new),
            from: kept.from,
            since: kept.since,
            used: now,
            until: kept.until,
            idle: kept.idle,
            ended: revoked.child_token(),
            revoked,
            present: Arc::default(),
        };
        let good = entry.over(now).is_none();
        if good {
            self.held().insert(hash, entry);
        }
        good
    }
}

/// The system gave no random bits, so that nothing can be kept secret.
#[derive(Debug, thiserror::Error)]
#[error("no session can be made: the system gives no random bits ({0})")]
pub struct NoRandomness(#[from] getrandom::Error);

/// Ends the longest unused sessions where one more would be too many.
fn make_room(held: &mut HashMap<Hash, Entry>, who: &Who, most: Most) {
    let of_one = held.values().filter(|entry| entry.who.same(who)).count();
    let (too_many, mine) = (held.len() >= most.all, of_one >= most.of_one);
    if !too_many && !mine {
        return;
    }
    let oldest = held
        .iter()
        .filter(|(_, entry)| !mine || entry.who.same(who))
        .min_by_key(|(_, entry)| (entry.open() > 0, entry.used))
        .map(|(hash, _)| *hash);
    if let Some(hash) = oldest
        && let Some(entry) = held.remove(&hash)
    {
        close(&hash, &entry, Audit::SessionEnd("too many"));
    }
}

fn close(hash: &Hash, entry: &Entry, why: Audit<'_>) {
    entry.ended.cancel();
    why.line(Some(&entry.who), entry.from.address, Some(&handle(hash)));
}

/// What makes a browser forget its cookie.
pub const FORGET: &str = "__Host-masthead=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict";

/// The ids in a request's cookies.
fn ids(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    cookies(headers, COOKIE).filter(|id| id.len() == 64)
}

/// The values of a request's cookies of one name (RFC 6265, 4.2.1).
pub fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(move |(named, value)| (named == name).then_some(value))
}

pub(super) fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}

fn handle(hash: &Hash) -> Handle {
    Text::from(hex(&hash[..6]))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(hash)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::audience::Person;

    struct Stage {
        now: Arc<AtomicI64>,
        sessions: Sessions,
    }

    impl Stage {
        fn new() -> Stage {
            let now = Arc::new(AtomicI64::new(1_000_000));
            let clock = now.clone();
            let sessions = Sessions::with_clock(Clock::new(move || Millis(clock.load(Ordering::SeqCst))));
            Stage { now, sessions: Sessions { most: Most { all: 12, of_one: 4 }, ..sessions } }
        }

        /// Signs somebody in a millisecond later.
        fn begin(&self, name: &str) -> HeaderMap {
            self.now.fetch_add(1, Ordering::SeqCst);
            let lifetime = Lifetime { whole: Duration::from_secs(100), idle: Some(Duration::from_secs(10)) };
            let revoked = CancellationToken::new();
            let admitted =
                Admitted { who: who(name), grant: None, lifetime, from: Client::default(), revoked };
            let cookie = self.sessions.begin(admitted).expect("random bits");
            let pair = cookie.split(';').next().expect("a pair");
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, format!("a=b; {pair}; c=d").parse().expect("a header"));
            headers
        }
    }

    fn who(name: &str) -> Who {
        Who::Person(Person { id: Text::from(name), name: Text::from(name), groups: Vec::new() })
    }

    #[test]
    fn there_are_only_so_many_and_the_longest_unused_goes_first() {
        let stage = Stage::new();
        let first = stage.begin("ann");
        let second = stage.begin("ann");
        let gone = stage.sessions.visitor(&second).expect("signed in").ended;
        for _ in 2..4 {
            stage.begin("ann");
        }
        let other = stage.begin("eve");
        // The oldest is in use, so the one after it goes.
        let present = stage.sessions.visitor(&first).expect("still there");
        stage.begin("ann");
        assert!(!present.ended.is_cancelled() && gone.is_cancelled());
        assert!(stage.sessions.visitor(&second).is_none());
        assert_eq!(stage.sessions.of(&who("ann")).len(), 4);
        assert!(stage.sessions.visitor(&other).is_some(), "nobody else pays for it");

        for n in 0..12 {
            stage.begin(&n.to_string());
        }
        assert_eq!(stage.sessions.all().len(), 12);
        assert!(stage.sessions.visitor(&first).is_some(), "what is in use goes last");
        assert!(stage.sessions.visitor(&other).is_none());
    }

    #[test]
    fn another_grant_ends_what_is_open_and_not_the_session() {
        let stage = Stage::new();
        let ann = stage.begin("ann");
        let visitor = stage.sessions.visitor(&ann).expect("signed in");
        let handle = visitor.session.expect("a session").handle;
        assert!(stage.sessions.regrant(&handle, None) && !visitor.ended.is_cancelled(), "nothing new");
        let part = Arc::new(Grant::default());
        assert!(stage.sessions.regrant(&handle, Some(part.clone())));
        assert!(visitor.ended.is_cancelled());
        let visitor = stage.sessions.visitor(&ann).expect("still signed in");
        assert!(!visitor.ended.is_cancelled() && visitor.grant == Some(part));
        assert!(!stage.sessions.regrant("nobody's", None));
    }

    #[test]
    fn what_is_kept_is_taken_up_again_until_it_expires() {
        let stage = Stage::new();
        let ann = stage.begin("ann");
        stage.begin("eve");
        let kept = stage.sessions.kept(|of| of.same(&who("ann")));
        let text = serde_json::to_string(&kept).expect("JSON");
        let kept: Vec<Kept> = serde_json::from_str(&text).expect("the same");
        let later = Stage::new();
        later.now.store(stage.now.load(Ordering::SeqCst) + 50_000, Ordering::SeqCst);
        let revoked = CancellationToken::new();
        assert!(later.sessions.visitor(&ann).is_none());
        assert!(later.sessions.load(kept[0].clone(), revoked.clone()));
        let visitor = later.sessions.visitor(&ann).expect("taken up");
        assert_eq!(visitor.who, who("ann"));
        revoked.cancel();
        assert!(visitor.ended.is_cancelled() && later.sessions.visitor(&ann).is_none());
        later.now.fetch_add(50_000, Ordering::SeqCst);
        assert!(!later.sessions.load(kept[0].clone(), CancellationToken::new()), "it has expired meanwhile");
        let broken = Kept { hash: "no hash".to_owned(), ..kept[0].clone() };
        assert!(!stage.sessions.load(broken, CancellationToken::new()));
    }

    #[test]
    fn neither_a_bad_cookie_nor_an_expired_one_lets_anybody_in() {
        let stage = Stage::new();
        let ann = stage.begin("ann");
        let cookie = ann[header::COOKIE].to_str().expect("text").to_owned();
        for bad in [
            cookie.to_uppercase(),
            cookie.replace(COOKIE, "masthead"),
            cookie.replace('=', "= "),
            cookie[..40].to_owned(),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, bad.parse().expect("a header"));
            assert!(stage.sessions.visitor(&headers).is_none(), "{bad}");
        }
        stage.now.fetch_add(200_000, Ordering::SeqCst);
        assert!(stage.sessions.visitor(&ann).is_none(), "expired, swept or not");
        stage.sessions.sweep();
        assert!(stage.sessions.kept(|_| true).is_empty());
    }
}
