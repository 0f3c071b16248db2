//! What the first paint is made of, on the server and again in the browser: both build the same
//! store from the same bytes, so that hydration finds the HTML it would have made itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    api::{
        Detail, Event, Health, InCluster, Kind, Kinds, Millis, ObjectKey, Picture, Pod, Row, Uid, each_kind,
    },
    model::{Change, Cluster, Delta},
    query::{Filter, Item, Line, Page, Place, answer, line},
    wire::{self, About, strings},
};

/// Below this many rows everything is in the first paint.
const SMALL: usize = 800;
/// The same for the views that count: the first of anything would be a wrong number.
const COUNTED: usize = 20_000;
/// Rows of a page's table in the first paint of a large cluster.
const SCREENFUL: usize = 100;
/// Rows that are not healthy.
const PROBLEMS: usize = 200;
/// Events, of which nobody reads more before the rest has come.
const EVENTS: usize = 200;
/// Pods drawn as tiles, and rows of the smaller kinds.
const MANY: usize = 500;

/// A link, to those who look by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// What it is called.
    pub name: String,
    /// Who shared it.
    pub by: String,
    /// When it ends.
    pub until: Millis,
    /// The kinds that it shows.
    pub kinds: Kinds,
    /// Somebody looks who could share it, to know what others will see.
    pub preview: bool,
}

/// The state a page starts from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seed {
    /// [`crate::BUILD`] of the server. It stays first, so that a page of another build can read it.
    pub build: String,
    /// See [`wire::Frame::Hello`].
    pub epoch: u64,
    /// What is being watched.
    pub about: About,
    /// Masthead's clock when it was drawn; ages in the first paint are measured from here, by the API server's.
    pub now: Millis,
    /// Until when each kind was known to be current.
    pub as_of: Vec<(Kind, Millis)>,
    /// Rows of each kind in the cluster.
    pub totals: Vec<(Kind, u32)>,
    /// Rows that match the page's question.
    pub matches: u32,
    /// Everything is in it, but for old events where the page does not list those.
    pub complete: bool,
    /// The detail of the object the page is about.
    pub detail: Option<(ObjectKey, Option<Arc<Detail>>)>,
    /// The picture of the workload the page is about.
    pub picture: Option<(ObjectKey, Option<Arc<Picture>>)>,
    /// Who looks at it, by name; nobody where visitors are not told apart.
    pub visitor: Option<String>,
    /// Whether they may give others a part of it to look at.
    pub may_share: bool,
    /// By what link it is looked at, if by one.
    pub shared: Option<Shared>,
    /// The path and query it was made for, below the base.
    pub url: String,
    /// What stands before every path of the site: empty, or `/masthead`.
    pub base: String,
    snapshot: Vec<u8>,
}

impl Seed {
    /// The same, for a page drawn at another URL.
    #[must_use]
    pub fn at(&self, url: &str) -> Seed {
        Seed { url: url.to_owned(), ..self.clone() }
    }

    /// The same, for a site that lies below `base`.
    #[must_use]
    pub fn below(self, base: &str) -> Seed {
        Seed { base: base.to_owned(), ..self }
    }

    /// The place it was made for.
    pub fn place(&self) -> Place {
        Place::parse(&self.url).below(&self.base)
    }

    /// Takes from the hub's cluster what the page at `url` needs first.
    pub fn choose(
        cluster: &Cluster,
        url: &str,
        about: &About,
        epoch: u64,
        as_of: &[(Kind, Millis)],
        now: Millis,
    ) -> Seed {
        let place = Place::parse(url);
        let rows: usize = Kind::ALL
            .iter()
            .filter(|kind| **kind != Kind::Event && kind.watched() == **kind)
            .map(|kind| cluster.count(*kind))
            .sum();
        let most = if matches!(place.page, Page::Labels | Page::Images | Page::Placement | Page::Wall) {
            COUNTED
        } else {
            SMALL
        };
        let everything = rows <= most;
        let lists_events = place.page.table() == Some(Kind::Event);
        let complete = everything && !(lists_events && cluster.count(Kind::Event) > EVENTS);
        let first = First::of(cluster, &place, everything);
        let matches = first.matches as u32;
        let changes = first.changes(cluster, &place);
        Seed {
            build: crate::BUILD.to_owned(),
            epoch,
            about: about.clone(),
            now,
            as_of: as_of.to_vec(),
            totals: Kind::ALL.iter().map(|kind| (*kind, cluster.count(*kind) as u32)).collect(),
            matches,
            complete,
            detail: place.looks_at().map(|key| {
                let detail = detail(cluster, &key);
                (key, detail)
            }),
            picture: None,
            visitor: None,
            may_share: false,
            shared: None,
            url: url.to_owned(),
            base: String::new(),
            snapshot: wire::write_snapshot(&mut strings::Written::default(), &changes),
        }
    }

    /// The same, with a picture.
    #[must_use]
    pub fn with_picture(self, picture: Option<(ObjectKey, Option<Arc<Picture>>)>) -> Seed {
        Seed { picture, ..self }
    }

    /// The same, for somebody with a name.
    #[must_use]
    pub fn with_visitor(self, visitor: Option<String>, may_share: bool) -> Seed {
        Seed { visitor, may_share, ..self }
    }

    /// The same, looked at by a link.
    #[must_use]
    pub fn with_shared(self, shared: Option<Shared>) -> Seed {
        Seed { shared, ..self }
    }

    /// The rows and states in it.
    pub fn changes(&self) -> Vec<Change> {
        wire::read_snapshot(&self.snapshot).map(|(_, changes)| changes).unwrap_or_default()
    }

    /// As it stands in the page.
    pub fn to_text(&self) -> String {
        base64(&wire::to_bytes(self))
    }

    /// Which build drew a page, from its document, or from its beginning; of whatever build that is.
    pub fn build_of(document: &str) -> Option<String> {
        let (_, text) = document.split_once("id=\"seed\">")?;
        // it stands first in every seed; in base64 it is over long before this
        let text = text.split('<').next()?;
        let first = text.get(..400).unwrap_or(text);
        postcard::take_from_bytes::<String>(&unbase64(first)?).ok().map(|(build, _)| build)
    }

    /// The inverse of [`Seed::to_text`].
    pub fn from_text(text: &str) -> Option<Seed> {
        postcard::from_bytes(&unbase64(text)?).ok()
    }
}

/// The detail of an object, of whatever kind.
fn detail(cluster: &Cluster, key: &ObjectKey) -> Option<Arc<Detail>> {
    macro_rules! find {
        ($($variant:ident $field:ident $row:ident $plural:literal $singular:literal $group:literal $namespaced:literal;)*) => {
            match key.kind {
                $(Kind::$variant => cluster.$field.named(&key.namespace, &key.name).and_then(|row| row.detail().cloned()),)*
            }
        };
    }
    each_kind!(find)
}

/// Which rows go first.
struct First {
    everything: bool,
    /// The beginning of the page's own table.
    table: Vec<(Kind, Uid)>,
    matches: usize,
    /// The object that the page is about.
    own: Option<(Kind, Uid)>,
}

impl First {
    fn of(cluster: &Cluster, place: &Place, everything: bool) -> First {
        let own = match &place.page {
            Page::Object(key) | Page::Rollout(key) => cluster.uid_of(key).map(|uid| (key.kind, uid)),
            _ => None,
        };
        let mut first = First { everything, table: Vec::new(), matches: 0, own };
        let Some(kind) = place.page.table() else {
            return first;
        };
        if let Ok(answer) = answer(kind, line::lines(cluster, kind), place) {
            first.matches = answer.matches;
            let uids = answer.items.iter().filter_map(|item| match item {
                Item::Line(uid) => Some((kind, *uid)),
                Item::Group { .. } => None,
            });
            first.table = uids.take(if everything { EVENTS } else { SCREENFUL }).collect();
        }
        first
    }

    fn changes(&self, cluster: &Cluster, place: &Place) -> Vec<Change> {
        let mut changes = Vec::new();
        macro_rules! take {
            ($($variant:ident $field:ident $row:ident $plural:literal $singular:literal $group:literal $namespaced:literal;)*) => {
                $(
                    // what is made of other rows comes with the pages that draw it
                    if Kind::$variant.watched() == Kind::$variant || place.page.kinds().contains(Kind::$variant) {
                        changes.push(Change::State(Kind::$variant, cluster.$field.state.clone()));
                        changes.push(crate::api::$row::change(Delta::Reset(self.rows(&cluster.$field, place))));
                    }
                )*
            };
        }
        each_kind!(take);
        changes
    }

    fn rows<T: Row>(&self, rows: &crate::model::Rows<T>, place: &Place) -> Vec<Arc<T>> {
        if self.everything && T::KIND != Kind::Event {
            return rows.sorted().into_iter().cloned().collect();
        }
        let mut budget =
            Budget { problems: PROBLEMS, many: if T::KIND == Kind::Event { EVENTS } else { MANY } };
        let mut sorted = rows.sorted();
        if T::KIND == Kind::Event {
            sorted.sort_by(|a, b| (T::COLUMNS[0].order)(a, b));
        }
        let filter = Filter::of(place, T::KIND).ok();
        let wanted = |row: &Arc<T>, budget: &mut Budget| {
            self.is_own(&**row)
                || self.table.contains(&(T::KIND, row.meta().uid))
                || (T::KIND == Kind::Pod && row.health() < Health::Progressing && take(&mut budget.problems))
                || (T::KIND == Kind::Event && self.everything && take(&mut budget.many))
                || (related(&**row as &dyn Line, place)
                    && filter.as_ref().is_none_or(|filter| filter.keeps(&**row))
                    && take(&mut budget.many))
        };
        sorted.into_iter().filter(|row| wanted(row, &mut budget)).cloned().collect()
    }

    /// What the page is about, and what has happened to it: without either it would say that there is none.
    fn is_own<T: Row>(&self, row: &T) -> bool {
        let any: &dyn std::any::Any = row;
        self.own.is_some_and(|(kind, uid)| {
            (kind, uid) == (T::KIND, row.meta().uid)
                || any.downcast_ref::<Event>().is_some_and(|event| event.object_uid == uid)
        })
    }
}

/// How many more of each may be taken.
struct Budget {
    problems: usize,
    many: usize,
}

fn take(left: &mut usize) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

/// Whether a page draws this row outside its table.
fn related(row: &dyn Line, place: &Place) -> bool {
    let pod = (row as &dyn std::any::Any).downcast_ref::<Pod>();
    match (&place.page, row.kind()) {
        (_, Kind::Node | Kind::Namespace) => true,
        (Page::Object(key), Kind::Lease) => key.kind == Kind::Node && *row.meta().name == *key.name,
        (Page::Object(key), Kind::Pod) if key.kind == Kind::Node => {
            pod.is_some_and(|pod| *pod.node == *key.name)
        }
        // Owned pods carry their owner's name in front, which is good enough for a first paint.
        (Page::Object(key) | Page::Rollout(key), _) => {
            let name = key.name.split('-').next().unwrap_or_default();
            *row.meta().namespace == *key.namespace && row.meta().name.starts_with(name)
        }
        (
            Page::Overview | Page::Wall | Page::Workloads | Page::Rollouts | Page::Probes,
            Kind::Pod
            | Kind::Container
            | Kind::Service
            | Kind::Deployment
            | Kind::ReplicationController
            | Kind::DaemonSet
            | Kind::StatefulSet
            | Kind::ReplicaSet,
        ) => true,
        _ => false,
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 without padding: bytes as text that HTML leaves alone.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().enumerate().fold(0u32, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        for i in 0..=chunk.len() {
            let digit = (bits >> (18 - 6 * i)) & 63;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    text
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.trim().as_bytes().chunks(4) {
        let mut bits = 0u32;
        for (i, byte) in chunk.iter().enumerate() {
            bits |= u32::from(digit(*byte)?) << (18 - 6 * i);
        }
        bytes.extend((0..chunk.len().saturating_sub(1)).map(|i| (bits >> (16 - 8 * i)) as u8));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::fixtures::{NOW, about, as_of, cluster, meta, pod, put};

    fn drawn(cluster: &Cluster, url: &str) -> (Seed, Cluster) {
        let seed = Seed::choose(cluster, url, &about(), 1, &as_of(), NOW);
        let mut drawn = Cluster::default();
        seed.changes().into_iter().for_each(|change| drawn.apply(change));
        (seed, drawn)
    }

    #[test]
    fn what_a_page_is_about_is_in_it_however_many_others_are_called_alike() {
        let mut cluster = cluster();
        for i in 0..900u128 {
            put(&mut cluster, pod(1_000 + i, &format!("many-{i:03}"), "many", "worker-1"));
        }
        for url in ["/pods/default/many-850", "/pods/default/many-850?namespace=other"] {
            let (seed, drawn) = drawn(&cluster, url);
            assert!(!seed.complete);
            assert!(drawn.pods.named("default", "many-850").is_some(), "{url}");
            assert!(drawn.pods.named("default", "many-851").is_none(), "{url}");
        }
    }

    #[test]
    fn old_events_are_in_it_where_they_are_asked_for_and_missed_where_all_are_counted() {
        let mut cluster = cluster();
        for i in 0..900u128 {
            let last = Some(NOW.seconds());
            put(
                &mut cluster,
                Event { meta: meta(1_000 + i, "default", &format!("e-{i}")), last, ..Event::default() },
            );
        }
        let (seed, pods) = drawn(&cluster, "/pods");
        assert!(seed.complete);
        assert_eq!(pods.events.len(), EVENTS);
        let (seed, own) = drawn(&cluster, "/pods/default/rf-xyzzy");
        assert!(seed.complete);
        assert_eq!(own.events.len(), EVENTS + 2, "the pod's two are the oldest");
        let (seed, events) = drawn(&cluster, "/events");
        assert!(!seed.complete && events.events.len() < 902);
        assert_eq!((seed.matches, events.pods.len()), (902, 4));
    }

    #[test]
    fn a_page_says_which_build_drew_it() {
        let seed = Seed { build: "a1b2c3".to_owned(), url: "/wall".repeat(200), ..Seed::default() };
        let document = format!("<html><script id=\"seed\">{}</script></html>", seed.to_text());
        assert_eq!(Seed::build_of(&document).as_deref(), Some("a1b2c3"));
        let short = Seed { build: "x".to_owned(), ..Seed::default() };
        assert_eq!(
            Seed::build_of(&format!("<script id=\"seed\">{}</script>", short.to_text())).as_deref(),
            Some("x")
        );
        assert_eq!(Seed::build_of("<h1>Bad gateway</h1>"), None);
        assert_eq!(Seed::build_of("<script id=\"seed\">?</script>"), None);
    }

    #[test]
    fn base64_gives_back_its_bytes() {
        for length in 0..9u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(89).wrapping_add(200)).collect();
            assert_eq!(unbase64(&base64(&bytes)), Some(bytes));
        }
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(unbase64("T?Fu"), None);
    }
}
