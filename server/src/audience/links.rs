//! Links: a part of the cluster for whoever was given an address with a secret in its fragment.
//!
//! The secret is 192 random bits. Browsers do not send fragments, so it is in no log, no proxy's and no `Referer`; the
//! page at `/link` hands it over once, and the answer's cookie holds it from then on. What is kept is its hash.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    api::{Kind, Millis, Text},
    selector::{Selector, SelectorError},
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    Audit, Sharer, Visitor, Who,
    grant::{Grant, Hide, Key, Within},
    register::{self, Link, Register, RegisterError},
    sessions::{cookies, hash, hex},
};

/// For how long a viewer counts who has nothing open.
const PRESENT: Duration = Duration::from_secs(60);
/// Requests and streams that one viewer may have open: a few tabs.
const OPEN: usize = 24;
/// The longest life of a link, in days.
pub const LONGEST: i64 = 90;
/// For how long a draft is there to be looked at.
const DRAFT: Duration = Duration::from_secs(3600);
/// The most viewers a link may have at a time.
pub const VIEWERS: u32 = 1_000;
/// Before the cookie's name comes the link's id.
const COOKIE: &str = "__Host-masthead-link-";

/// What somebody wants to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What it is to be called.
    pub name: String,
    /// Which namespaces; none for all.
    pub namespaces: Vec<String>,
    /// A label selector.
    pub selector: String,
    /// Which kinds.
    pub kinds: Vec<String>,
    /// What is hidden.
    pub hide: Vec<String>,
    /// For how long.
    pub lasts: String,
    /// How many may look at a time.
    pub viewers: u32,
}

/// Kinds that are shown where nothing else is said.
pub const SHOWN: &str = "pods,deployments,replicationcontrollers,daemonsets,statefulsets,services,events";
/// What can be hidden.
pub const HIDDEN: [&str; 4] = ["node-names", "images", "addresses", "names"];

/// Why something cannot be shared.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum LinkError {
    #[error("a link needs a name, of at most 80 characters: it says what was shared")]
    Name,
    #[error("'{0}' is no namespace's name: lower-case letters, digits and '-', at most 63")]
    Namespace(String),
    #[error("unable to parse the selector: {0}")]
    Selector(SelectorError),
    #[error("there is no kind '{0}' to show; there are {kinds}", kinds = plurals())]
    Kind(String),
    #[error("a link has to show some kind; there are {kinds}", kinds = plurals())]
    NoKind,
    #[error("'{0}' cannot be hidden; one of {all}", all = HIDDEN.join(", "))]
    Hide(String),
    #[error("'{0}' is no time: such as 30m, 12h or 7d, at most {LONGEST}d")]
    Lasts(String),
    #[error("a link has 1 to {VIEWERS} viewers at a time")]
    Viewers,
    #[error("no random numbers: {0}")]
    NoRandomness(getrandom::Error),
    #[error(transparent)]
    Register(#[from] RegisterError),
    #[error("there is no such link or wall, or it has ended")]
    Gone,
    #[error("no wall shows this code; it shows another one every ten minutes")]
    NoSuchCode,
}

fn plurals() -> String {
    shareable().map(Kind::plural).collect::<Vec<_>>().join(", ")
}

/// Kinds that can be shared by name. The others come with them.
pub fn shareable() -> impl Iterator<Item = Kind> {
    let with_others = [Kind::Container, Kind::ControllerRevision, Kind::EndpointSlice, Kind::Lease];
    Kind::ALL.iter().copied().filter(move |kind| !with_others.contains(kind))
}

/// Kinds without which one cannot be shown as it is.
fn comes_with(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Deployment => &[Kind::ReplicaSet],
        Kind::DaemonSet | Kind::StatefulSet => &[Kind::ControllerRevision],
        Kind::Service => &[Kind::EndpointSlice],
        Kind::Node => &[Kind::Lease],
        _ => &[],
    }
}

impl Wanted {
    /// What it shows, and until when from `now` on.
    pub fn read(&self, now: Millis) -> Result<(Grant, Millis), LinkError> {
        check_name(&self.name)?;
        if !(1..=VIEWERS).contains(&self.viewers) {
            return Err(LinkError::Viewers);
        }
        let grant = self.grant()?;
        let lasts = lasts(&self.lasts).ok_or_else(|| LinkError::Lasts(self.lasts.clone()))?;
        Ok((grant, Millis(now.0.saturating_add(lasts))))
    }

    /// What it shows.
    pub fn grant(&self) -> Result<Grant, LinkError> {
        let mut namespaces = Vec::new();
        for name in self.namespaces.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if name.len() > 63 || !name.bytes().all(good) {
                return Err(LinkError::Namespace(name.to_owned()));
            }
            namespaces.push(Text::from(name));
        }
        namespaces.sort();
        namespaces.dedup();
        let within = |kind: Kind| match namespaces.is_empty() || !kind.namespaced() && kind != Kind::Namespace
        {
            true => Within::All,
            false => Within::Namespaces(namespaces.clone()),
        };
        let mut grant = Grant {
            selector: Selector::parse(&self.selector).map_err(LinkError::Selector)?,
            hide: Hide::default(),
            ..Grant::default()
        };
        for word in self.kinds.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
            let kind = Kind::parse(word).filter(|kind| shareable().any(|known| known == *kind));
            let kind = kind.ok_or_else(|| LinkError::Kind(word.to_owned()))?;
            for kind in comes_with(kind).iter().chain([&kind]) {
                // a node's Lease is in a namespace that nobody chose
                let within = if *kind == Kind::Lease { Within::All } else { within(*kind) };
                grant.kinds.insert(*kind, within);
            }
        }
        if grant.kinds.is_empty() {
            return Err(LinkError::NoKind);
        }
        if !grant.kinds.contains_key(&Kind::Pod) {
            // No endpoint would be shown without its pod, and none is not what there is.
            grant.kinds.remove(&Kind::EndpointSlice);
        }
        for word in self.hide.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
            match word {
                "node-names" => grant.hide.node_names = true,
                "images" => grant.hide.images = true,
                "addresses" => grant.hide.addresses = true,
                "names" => grant.hide.names = true,
                other => return Err(LinkError::Hide(other.to_owned())),
            }
        }
        if grant.hide != Hide::default() {
            grant.key = Key(u128::from_be_bytes(random()?));
        }
        Ok(grant)
    }
}

/// Whether a link or a wall can be called that.
pub(super) fn check_name(name: &str) -> Result<(), LinkError> {
    let fits = (1..=80).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(LinkError::Name) }
}

/// Milliseconds of `30m`, `12h`, `7d`.
pub fn lasts(text: &str) -> Option<i64> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let lasts = number.parse::<i64>().ok()?.checked_mul(unit)?;
    (1..=LONGEST * 86_400_000).contains(&lasts).then_some(lasts)
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], LinkError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(LinkError::NoRandomness)?;
    Ok(bytes)
}

/// A link's secret, for the one moment in which it is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    fn new() -> Result<Secret, LinkError> {
        Ok(Secret(hex(&random::<24>()?)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The address that is handed out, below the site's own.
pub fn address(site: &str, id: &str, secret: &Secret) -> String {
    format!("{}/link#{id}.{}", site.trim_end_matches('/'), secret.0)
}

/// Why somebody does not get in by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// There is none, it has ended, or that is not its secret.
    #[error("this link has ended, or never was one")]
    Gone,
    /// As many as may are looking.
    #[error("as many people as this link allows are looking at it just now")]
    Full,
}

/// The links there are, and who is looking by which. A cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Links {
    register: Register,
    viewers: Arc<Mutex<HashMap<Text, HashMap<Text, Viewer>>>>,
}

/// Somebody who came by a link.
#[derive(Debug)]
struct Viewer {
    seen: Instant,
    /// Held by each of their requests and streams.
    open: Arc<()>,
}

impl Viewer {
    fn open(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }
}

impl Links {
    /// Those of `register`.
    pub fn of(register: Register) -> Links {
        Links { register, viewers: Arc::default() }
    }

    /// What they are kept in.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// Makes a link that nobody is given yet, to be looked at first. Gives its id. Blocks while it writes.
    pub fn draft(&self, wanted: &Wanted, by: &Sharer) -> Result<Text, LinkError> {
        let now = self.register.now();
        let (grant, until) = wanted.read(now)?;
        let id = Text::from(hex(&random::<8>()?));
        let link = Link {
            id: id.clone(),
            name: Text::from(wanted.name.trim()),
            hash: String::new(),
            grant,
            by: by.name.clone(),
            since: now,
            until,
            viewers: wanted.viewers,
            used: None,
        };
        self.register.change(|records| {
            // Drafts that nobody came back to.
            records.links.retain(|link| !link.is_draft() || now.0 - link.since.0 < DRAFT.as_millis() as i64);
            if records.links.len() >= register::MOST {
                return Err(RegisterError::TooMany);
            }
            records.links.push(link);
            Ok(())
        })?;
        Ok(id)
    }

    /// Gives a draft its secret, which nobody can read again. Blocks while it writes.
    pub fn hand_out(&self, id: &str, by: &Sharer) -> Result<Secret, LinkError> {
        let secret = Secret::new()?;
        let now = self.register.now();
        let handed = self.register.change(|records| {
            let draft = records.links.iter_mut().find(|link| *link.id == *id && link.is_draft());
            Ok(draft.map(|draft| {
                draft.hash = hex(&hash(&secret.0));
                draft.since = now;
                draft.clone()
            }))
        })?;
        let link = handed.ok_or(LinkError::Gone)?;
        Audit::Shared(&link.name).by(by, &link.id);
        Ok(secret)
    }

    /// Ends a link for everybody who looks by it. Blocks while it writes.
    pub fn revoke(&self, id: &str, by: &Sharer) -> Result<(), LinkError> {
        let revoked = self.register.change(|records| {
            let at = records.links.iter().position(|link| *link.id == *id);
            Ok(at.map(|at| records.links.remove(at)))
        })?;
        let link = revoked.ok_or(LinkError::Gone)?;
        Audit::Revoked(&link.name).by(by, &link.id);
        Ok(())
    }

    /// Lets somebody in who has a link's secret; the `Set-Cookie`. Blocks while it looks into the file, if need be.
    pub fn enter(&self, id: &str, secret: &str, from: Option<IpAddr>) -> Result<String, Closed> {
        // One that another process made a moment ago is in the file alone. Who keeps the register says what is wrong.
        let made_elsewhere = || self.register.look().ok().and_then(|()| self.open(id, secret));
        let link = self.open(id, secret).or_else(made_elsewhere).ok_or(Closed::Gone)?;
        let viewer = random::<8>().map(|bytes| Text::from(hex(&bytes))).map_err(|_| Closed::Gone)?;
        self.take_place(&link, &viewer)?;
        Audit::Entered(&link.name).line(None, from, Some(&link.id));
        let seconds = (link.until.0 - self.register.now().0).max(1_000) / 1_000;
        Ok(format!(
            "{COOKIE}{id}={viewer}.{secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict"
        ))
    }

    /// The link `id`, if that is its secret.
    fn open(&self, id: &str, secret: &str) -> Option<Link> {
        let hash = hex(&hash(secret));
        // Of hashes nothing can be learned from how long comparing them takes.
        self.register.find(|records, now| {
            records.link(id, now).filter(|link| !link.is_draft() && link.hash == hash).cloned()
        })
    }

    /// Whoever looks by the link `id` with these headers, and the link.
    pub fn visitor(&self, id: &str, headers: &HeaderMap) -> Result<(Visitor, Link), Closed> {
        let name = format!("{COOKIE}{id}");
        let found = cookies(headers, &name).find_map(|cookie| {
            let (viewer, secret) = cookie.split_once('.')?;
            (viewer.len() == 16).then_some((Text::from(viewer), self.open(id, secret)?))
        });
        let (viewer, link) = found.ok_or(Closed::Gone)?;
        let present = self.take_place(&link, &viewer)?;
        self.register.used(&link.id);
        let who = Who::Link(Shared { id: link.id.clone(), name: link.name.clone() });
        let visitor = Visitor::new(who, Some(Arc::new(link.grant.clone())));
        let visitor = Visitor { ended: self.register.ended(&link.id), present: Some(present), ..visitor };
        Ok((visitor, link))
    }

    /// The link as `person` sees it, who may see everything: before it is handed out, or to know what was. It is theirs
    /// for as long as they are let in, and the link is there.
    pub fn preview(&self, id: &str, person: Visitor) -> Result<(Visitor, Link), Closed> {
        let link = self.find(id).ok_or(Closed::Gone)?;
        let visitor = Visitor {
            grant: Some(Arc::new(link.grant.clone())),
            ended: self.register.ended(&link.id),
            rests_on: person.ended,
            ..person
        };
        Ok((visitor, link))
    }

    /// The link `id`.
    pub fn find(&self, id: &str) -> Option<Link> {
        self.register.find(|records, now| records.link(id, now).cloned())
    }

    /// How many are looking by a link.
    pub fn looking(&self, id: &str) -> usize {
        let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        viewers.get_mut(id).map_or(0, |viewers| {
            forget_gone(viewers);
            viewers.len()
        })
    }

    fn take_place(&self, link: &Link, viewer: &Text) -> Result<Arc<()>, Closed> {
        let mut all = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&link.id) {
            // Links that have ended were looked at, too.
            all.retain(|_, viewers| {
                forget_gone(viewers);
                !viewers.is_empty()
            });
        }
        let viewers = all.entry(link.id.clone()).or_default();
        forget_gone(viewers);
        if !viewers.contains_key(viewer) && viewers.len() >= link.viewers as usize {
            return Err(Closed::Full);
        }
        let viewer = viewers
            .entry(viewer.clone())
            .or_insert_with(|| Viewer { seen: Instant::now(), open: Arc::default() });
        if viewer.open() >= OPEN {
            return Err(Closed::Full);
        }
        viewer.seen = Instant::now();
        Ok(viewer.open.clone())
    }
}

fn forget_gone(viewers: &mut HashMap<Text, Viewer>) {
    viewers.retain(|_, viewer| viewer.open() > 0 || viewer.seen.elapsed() < PRESENT);
}

/// Something shared, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// Its public name.
    pub id: Text,
    /// What it is called.
    pub name: Text,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    use super::{super::sessions::Clock, *};

    fn wanted() -> Wanted {
        Wanted {
            name: "for the auditors".to_owned(),
            namespaces: vec!["demo".to_owned()],
            selector: "app=web".to_owned(),
            kinds: vec!["pods".to_owned(), "deployments".to_owned()],
            hide: vec!["node-names".to_owned(), "images".to_owned()],
            lasts: "7d".to_owned(),
            viewers: 2,
        }
    }

    fn headers(set_cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let pair = set_cookie.split(';').next().unwrap();
        headers.insert(http::header::COOKIE, pair.parse().unwrap());
        headers
    }

    #[test]
    fn what_is_wanted_is_read_whole_or_refused() {
        let (grant, until) = wanted().read(Millis(1_000)).unwrap();
        assert_eq!(until, Millis(1_000 + 7 * 86_400_000));
        let kinds: Vec<_> = grant.kinds.keys().copied().collect();
        assert_eq!(kinds, [Kind::Pod, Kind::Deployment, Kind::ReplicaSet]);
        assert_eq!(grant.kinds[&Kind::Pod], Within::Namespaces(vec![Text::from("demo")]));
        assert!(grant.hide.node_names && grant.hide.images && !grant.hide.names);
        assert!(grant.key != Key::default() && !grant.verbatim);
        type Change = fn(&mut Wanted);
        let wrong: [(Change, &str); 9] = [
            (|w| w.name.clear(), "needs a name"),
            (|w| w.namespaces.push("A/b".to_owned()), "'A/b' is no namespace"),
            (|w| w.selector = "a==".repeat(2), "unable to parse the selector"),
            (|w| w.kinds.push("secrets".to_owned()), "no kind 'secrets'"),
            (|w| w.kinds.clear(), "has to show some kind"),
            (|w| w.hide.push("everything".to_owned()), "'everything' cannot be hidden"),
            (|w| w.lasts = "91d".to_owned(), "'91d' is no time"),
            (|w| w.lasts = "0h".to_owned(), "'0h' is no time"),
            (|w| w.viewers = 0, "1 to 1000 viewers"),
        ];
        for (change, says) in wrong {
            let mut wanted = wanted();
            change(&mut wanted);
            let error = wanted.read(Millis(0)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    fn somebody() -> Sharer {
        Sharer { name: Text::from("somebody"), from: None }
    }

    #[test]
    fn a_draft_lets_nobody_in_and_a_secret_only_into_its_own_link() {
        let links = Links::default();
        let by = somebody();
        let (one, other) = (links.draft(&wanted(), &by).unwrap(), links.draft(&wanted(), &by).unwrap());
        assert_eq!(links.enter(&one, "", None), Err(Closed::Gone));
        let (secret, another) = (links.hand_out(&one, &by).unwrap(), links.hand_out(&other, &by).unwrap());
        assert!(matches!(links.hand_out(&one, &by), Err(LinkError::Gone)), "once");
        assert_ne!(secret, another);
        assert!(secret.0.len() * 4 >= 128, "bits");
        assert_eq!(links.enter(&one, &another.0, None), Err(Closed::Gone));
        let cookie = links.enter(&one, &secret.0, None).unwrap();
        assert!(cookie.contains("; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
        let (visitor, _) = links.visitor(&one, &headers(&cookie)).unwrap();
        assert!(visitor.grant.is_some());
        assert!(links.visitor(&other, &headers(&cookie)).is_err());
        assert!(links.visitor(&one, &headers(&cookie.replace(&*one, &other))).is_err());
        links.revoke(&one, &by).unwrap();
        assert!(visitor.ended.is_cancelled());
        assert_eq!(links.visitor(&one, &headers(&cookie)).unwrap_err(), Closed::Gone);
        let kept = serde_json::to_string(&links.register().records()).unwrap();
        assert!(!kept.contains(&another.0), "only its hash is kept");
    }

    #[test]
    fn a_link_leads_in_as_soon_as_another_process_has_made_it() {
        let folder = std::env::temp_dir().join(format!("masthead-links-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = || Clock::new(|| Millis(0));
        let open = || Links::of(Register::open(Some(folder.join("state.json")), clock()).unwrap());
        let (serving, terminal) = (open(), open());
        let id = terminal.draft(&wanted(), &somebody()).unwrap();
        let secret = terminal.hand_out(&id, &somebody()).unwrap();
        serving.enter(&id, &secret.0, None).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_look_at_a_time_than_may() {
        let links = Links::default();
        let id = links.draft(&wanted(), &somebody()).unwrap();
        let secret = links.hand_out(&id, &somebody()).unwrap();
        let first = links.enter(&id, &secret.0, None).unwrap();
        let open = links.visitor(&id, &headers(&first)).unwrap();
        let second = links.enter(&id, &secret.0, None).unwrap();
        assert_eq!(links.enter(&id, &secret.0, None), Err(Closed::Full));
        assert_eq!(links.looking(&id), 2);
        // the first still looks, the second has gone
        tokio::time::advance(PRESENT).await;
        let third = links.enter(&id, &secret.0, None).unwrap();
        assert_eq!(links.visitor(&id, &headers(&second)).unwrap_err(), Closed::Full);
        links.visitor(&id, &headers(&first)).unwrap();
        links.visitor(&id, &headers(&third)).unwrap();
        drop(open);
        tokio::time::advance(PRESENT).await;
        assert_eq!(links.looking(&id), 0);
    }
}
