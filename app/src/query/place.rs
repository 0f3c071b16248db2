//! A place: a view and everything that was asked of it, as its URL says.
//!
//! The URL is the only home of view state, so that every view is a link. One parser serves the
//! server (which rows must be in the first paint, 404), the page (what to draw) and the socket
//! (which kinds to ask for).
//!
//! Where the site lies below a path (`--base-path`, a shared link) a place knows that base. Its field is
//! private, so every other place is made from one at hand, and every address out of a place is below it.

use std::fmt::Write;

use super::wall::Typed;
use crate::{
    api::{Kind, Kinds, ObjectKey, Text},
    field_selector::{FieldSelector, Term},
    placement::asked::Asked,
    selector::{self, Requirement, Selector},
    wire::Drawing,
};

/// Which view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the views' own names
pub enum Page {
    #[default]
    Overview,
    Pods,
    Workloads,
    Rollouts,
    Probes,
    Services,
    /// The slices behind all Services; led to from there.
    EndpointSlices,
    Nodes,
    Placement,
    Namespaces,
    Labels,
    Images,
    Events,
    /// For a monitor that nobody is at; a document of its own, without the bars of the others.
    Wall,
    /// One object's own page.
    Object(ObjectKey),
    /// The picture of one workload's rollout.
    Rollout(ObjectKey),
    /// No view has this path.
    Nowhere,
}

impl Page {
    /// The views of the side bar, in its order, with the letter that follows `g`.
    pub const VIEWS: [(Page, char); 12] = [
        (Page::Overview, 'o'),
        (Page::Pods, 'p'),
        (Page::Workloads, 'w'),
        (Page::Rollouts, 'r'),
        (Page::Probes, 'b'),
        (Page::Services, 'v'),
        (Page::Nodes, 'n'),
        (Page::Placement, 'f'),
        (Page::Namespaces, 's'),
        (Page::Labels, 'l'),
        (Page::Images, 'i'),
        (Page::Events, 'e'),
    ];

    /// Views that are not in the side bar.
    pub const OTHERS: [Page; 2] = [Page::EndpointSlices, Page::Wall];

    /// Kinds with a page of their own for each object.
    const OBJECTS: [Kind; 9] = [
        Kind::Node,
        Kind::Pod,
        Kind::ReplicationController,
        Kind::Deployment,
        Kind::DaemonSet,
        Kind::StatefulSet,
        Kind::ReplicaSet,
        Kind::Service,
        Kind::EndpointSlice,
    ];

    /// The view at `path`.
    pub fn of(path: &str) -> Page {
        let words: Vec<String> =
            path.split('/').filter(|word| !word.is_empty()).map(percent_decode).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (view, rest) = words.split_first().map_or(("", &[][..]), |(view, rest)| (*view, rest));
        if !rest.is_empty() {
            let page =
                if view == Page::Rollouts.word() { Page::rollout(rest) } else { Page::object(view, rest) };
            return match &page {
                Page::Object(key) | Page::Rollout(key) if !key.may_be() => Page::Nowhere,
                _ => page,
            };
        }
        Page::VIEWS
            .into_iter()
            .map(|(page, _)| page)
            .chain(Page::OTHERS)
            .find(|page| page.word() == view)
            .unwrap_or(Page::Nowhere)
    }

    fn object(plural: &str, rest: &[&str]) -> Page {
        let kind = Page::OBJECTS.into_iter().find(|kind| kind.plural() == plural);
        match (kind, rest) {
            (Some(kind), [namespace, name]) if kind.namespaced() => {
                Page::Object(ObjectKey { kind, namespace: (*namespace).to_owned(), name: (*name).to_owned() })
            }
            (Some(kind), [name]) if !kind.namespaced() => {
                Page::Object(ObjectKey { kind, namespace: String::new(), name: (*name).to_owned() })
            }
            _ => Page::Nowhere,
        }
    }

    /// `NAMESPACE/NAME` of a Deployment, `NAMESPACE/KIND/NAME` of whatever rolls out.
    fn rollout(rest: &[&str]) -> Page {
        let (namespace, kind, name) = match rest {
            [namespace, name] => (*namespace, Some(Kind::Deployment), *name),
            [namespace, kind, name] => (*namespace, Kind::parse(kind), *name),
            _ => return Page::Nowhere,
        };
        match kind.filter(|kind| kind.makes_pods()) {
            Some(kind) => Page::Rollout(ObjectKey { kind, namespace: namespace.into(), name: name.into() }),
            None => Page::Nowhere,
        }
    }

    /// The page of an object, if its kind has pages.
    pub fn of_object(kind: Kind, namespace: &str, name: &str) -> Option<Page> {
        Page::OBJECTS
            .contains(&kind)
            .then(|| Page::Object(ObjectKey { kind, namespace: namespace.to_owned(), name: name.to_owned() }))
    }

    /// Whether there is something to see in it where only `kinds` are.
    pub fn has_any(&self, kinds: Kinds) -> bool {
        let wanted = match self {
            Page::Pods | Page::Probes | Page::Images => [Kind::Pod].into_iter().collect(),
            Page::Workloads | Page::Rollouts => {
                Kind::ALL.iter().copied().filter(|kind| kind.makes_pods()).collect::<Kinds>()
            }
            Page::Services => [Kind::Service].into_iter().collect(),
            Page::EndpointSlices => [Kind::EndpointSlice].into_iter().collect(),
            Page::Nodes | Page::Placement => [Kind::Node].into_iter().collect(),
            Page::Namespaces => [Kind::Namespace].into_iter().collect(),
            Page::Events => [Kind::Event].into_iter().collect(),
            Page::Object(key) | Page::Rollout(key) => [key.kind].into_iter().collect(),
            Page::Overview | Page::Labels | Page::Wall | Page::Nowhere => return true,
        };
        !kinds.intersection(wanted).is_empty()
    }

    /// The first word of its path; empty for the overview.
    fn word(&self) -> &'static str {
        match self {
            Page::Overview => "",
            Page::Pods => "pods",
            Page::Workloads => "workloads",
            Page::Rollouts | Page::Rollout(_) => "rollouts",
            Page::Probes => "probes",
            Page::Services => "services",
            Page::EndpointSlices => "endpointslices",
            Page::Nodes => "nodes",
            Page::Placement => "placement",
            Page::Namespaces => "namespaces",
            Page::Labels => "labels",
            Page::Images => "images",
            Page::Events => "events",
            Page::Wall => "wall",
            Page::Object(key) => key.kind.plural(),
            Page::Nowhere => "nowhere",
        }
    }

    /// Its path.
    pub fn path(&self) -> String {
        let mut path = format!("/{}", self.word());
        let (Page::Object(key) | Page::Rollout(key)) = self else { return path };
        let kind = match self {
            Page::Rollout(key) if key.kind != Kind::Deployment => key.kind.singular(),
            _ => "",
        };
        for part in [key.namespace.as_str(), kind, key.name.as_str()] {
            if !part.is_empty() {
                path.push('/');
                percent_encode(part, &mut path);
            }
        }
        path
    }

    /// What people call it.
    pub fn title(&self) -> String {
        match self {
            Page::Overview => "Overview".to_owned(),
            Page::Pods => "Pods".to_owned(),
            Page::Workloads => "Workloads".to_owned(),
            Page::Rollouts => "Rollouts".to_owned(),
            Page::Probes => "Probes".to_owned(),
            Page::Services => "Services".to_owned(),
            Page::EndpointSlices => "EndpointSlices".to_owned(),
            Page::Nodes => "Nodes".to_owned(),
            Page::Placement => "Placement".to_owned(),
            Page::Namespaces => "Namespaces".to_owned(),
            Page::Labels => "Labels".to_owned(),
            Page::Images => "Images".to_owned(),
            Page::Events => "Events".to_owned(),
            Page::Wall => "Wall".to_owned(),
            Page::Object(key) => format!("{} {}", key.kind.name(), key.name),
            Page::Rollout(key) => format!("Rollout of {} {}", key.kind.name(), key.name),
            Page::Nowhere => "Nothing here".to_owned(),
        }
    }

    /// The view that lists a kind.
    pub fn listing(kind: Kind) -> Page {
        match kind {
            Kind::Pod => Page::Pods,
            Kind::Node => Page::Nodes,
            Kind::Namespace => Page::Namespaces,
            Kind::Event => Page::Events,
            Kind::Service => Page::Services,
            Kind::EndpointSlice => Page::EndpointSlices,
            _ => Page::Workloads,
        }
    }

    /// The view of the side bar it belongs to.
    pub fn view(&self) -> Page {
        match self {
            Page::Object(key) => Page::listing(key.kind).view(),
            Page::Rollout(_) => Page::Rollouts,
            Page::EndpointSlices => Page::Services,
            page => page.clone(),
        }
    }

    /// The kinds it draws.
    pub fn kinds(&self) -> Kinds {
        use Kind::*;
        // whether all that makes pods is drawn, and what else
        let (workloads, others): (bool, &[Kind]) = match self {
            Page::Overview | Page::Wall => (true, &[Node, Pod]),
            Page::Labels => (true, &[Node, Pod, Service, EndpointSlice, PodDisruptionBudget]),
            Page::Pods | Page::Images => (false, &[Pod, ReplicaSet]),
            // Services and budgets may select pods that there are not
            Page::Workloads => (true, &[Pod, Service, PodDisruptionBudget]),
            Page::Rollouts => (false, &[Deployment, DaemonSet, StatefulSet]),
            // events tell of failures, nodes whether anything is told
            Page::Probes => (false, &[Container, ReplicaSet, Service, Node, Event]),
            // what the picture is made of, so that its freshness is told
            Page::Rollout(_) => (true, &[Pod, ControllerRevision, Event]),
            Page::Nodes | Page::Namespaces => (false, &[Node, Pod]),
            Page::Services | Page::EndpointSlices => (false, &[Service, EndpointSlice]),
            // whatever makes pods may be asked about, by name
            Page::Placement => (true, &[Node, Pod]),
            Page::Events => (false, &[Event]),
            Page::Object(key) => match key.kind {
                // the only page that shows leases, and so the only one that is told of their renewals
                Node => (false, &[Node, Pod, PodDisruptionBudget, Lease, Event]),
                Service | EndpointSlice => (false, &[Pod, Service, EndpointSlice, Event]),
                _ => (true, &[Node, Pod, Container, Service, EndpointSlice, PodDisruptionBudget, Event]),
            },
            Page::Nowhere => (false, &[]),
        };
        let makers = Kind::ALL.iter().filter(|kind| workloads && kind.makes_pods());
        // The namespace picker is on every page.
        others.iter().chain(makers).copied().chain([Namespace]).collect()
    }

    /// The kinds that its tables and lists are of; selectors, search, sort, grouping and columns apply to those.
    pub fn tables(&self) -> &'static [Kind] {
        match self {
            Page::Pods => &[Kind::Pod],
            Page::Workloads => &[
                Kind::Deployment,
                Kind::ReplicationController,
                Kind::DaemonSet,
                Kind::StatefulSet,
                Kind::ReplicaSet,
            ],
            Page::Services => &[Kind::Service],
            Page::EndpointSlices => &[Kind::EndpointSlice],
            Page::Rollouts => &[Kind::Deployment, Kind::DaemonSet, Kind::StatefulSet],
            Page::Nodes => &[Kind::Node],
            Page::Namespaces => &[Kind::Namespace],
            Page::Events => &[Kind::Event],
            _ => &[],
        }
    }

    /// The kind of its table, if it is one table.
    pub fn table(&self) -> Option<Kind> {
        match self.tables() {
            [kind] => Some(*kind),
            _ => None,
        }
    }
}

/// Ascending or descending by a column of kubectl's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The heading in lower case.
    pub by: String,
    /// Largest first.
    pub descending: bool,
}

/// What rows are put together by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Their controller.
    Owner,
    /// The node they run on.
    Node,
    /// Their namespace.
    Namespace,
    /// The kind of object that they are about: events.
    Object,
    /// The value of a label.
    Label(String),
}

impl Group {
    /// Reads what stands in the URL.
    pub fn parse(text: &str) -> Option<Group> {
        match text {
            "owner" => Some(Group::Owner),
            "node" => Some(Group::Node),
            "namespace" => Some(Group::Namespace),
            "object" => Some(Group::Object),
            _ => text
                .strip_prefix("label:")
                .filter(|key| !key.is_empty())
                .map(|key| Group::Label(key.to_owned())),
        }
    }

    /// As it stands in the URL.
    pub fn word(&self) -> String {
        match self {
            Group::Owner => "owner".to_owned(),
            Group::Node => "node".to_owned(),
            Group::Namespace => "namespace".to_owned(),
            Group::Object => "object".to_owned(),
            Group::Label(key) => format!("label:{key}"),
        }
    }
}

/// Light or dark, when not the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// As it stands in the URL and in `data-theme`.
    pub fn word(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Filters that are neither namespace nor label: an exact value of one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the facts' own names
pub enum Fact {
    State,
    Node,
    Image,
    Type,
    Object,
}

impl Fact {
    /// Every one.
    pub const ALL: [Fact; 5] = [Fact::State, Fact::Node, Fact::Image, Fact::Type, Fact::Object];

    /// As it stands in the URL.
    pub fn word(self) -> &'static str {
        match self {
            Fact::State => "state",
            Fact::Node => "node",
            Fact::Image => "image",
            Fact::Type => "type",
            Fact::Object => "object",
        }
    }
}

/// A view and what was asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Which view.
    pub page: Page,
    /// Namespaces to keep; empty for all.
    pub namespaces: Vec<String>,
    /// A label selector as typed, good or bad.
    pub selector: String,
    /// A field selector as typed, good or bad.
    pub fields: String,
    /// Text to search for.
    pub text: String,
    /// Order.
    pub sort: Option<Sort>,
    /// Grouping.
    pub group: Option<Group>,
    /// Label keys shown as columns.
    pub columns: Vec<String>,
    /// kubectl's wide columns too.
    pub wide: bool,
    /// Exact filters.
    pub only: Vec<(Fact, String)>,
    /// What placement is asked about.
    pub asked: Asked,
    /// Two revisions of a rollout, to be held against each other.
    pub between: Option<(i64, i64)>,
    /// No advice.
    pub unadvised: bool,
    /// What is asked of a wall.
    pub wall: Typed,
    /// Light or dark.
    pub theme: Option<Theme>,
    /// What stands before every path of this site: empty, or `/masthead`.
    base: Text,
}

impl Place {
    /// Reads a path of the site with its query; what means nothing is dropped.
    pub fn parse(url: &str) -> Place {
        let url = url.split('#').next().unwrap_or_default();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let mut place = Place { page: Page::of(path), ..Place::default() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode(&value.replace('+', " "));
            if !value.is_empty() {
                place.set(&percent_decode(key), value);
            }
        }
        place
    }

    fn set(&mut self, key: &str, value: String) {
        match key {
            "namespace" => {
                self.namespaces.extend(value.split(',').filter(|n| !n.is_empty()).map(str::to_owned))
            }
            // the API's word for it is taken too; a NUL ends it, and what is put behind one would be of no effect
            "selector" | "labelSelector" => {
                self.selector = value.split('\0').next().unwrap_or_default().to_owned()
            }
            // which fields there are depends on what is listed
            "fields" if !self.page.tables().is_empty() => self.fields = value,
            "q" => self.text = value,
            "sort" => {
                let (by, descending) = match value.split_once(',') {
                    Some((by, "desc")) => (by, true),
                    Some((by, _)) => (by, false),
                    None => (value.as_str(), false),
                };
                self.sort = (!by.is_empty()).then(|| Sort { by: by.to_lowercase(), descending });
            }
            "group" => self.group = Group::parse(&value),
            "columns" => {
                self.columns = value
                    .split(',')
                    .filter_map(|column| column.strip_prefix("label:"))
                    .filter(|key| !key.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
            "wide" => self.wide = value == "1",
            "advice" => self.unadvised = value == "off",
            "between" => self.between = revisions(&value),
            "theme" => {
                self.theme = match value.as_str() {
                    "light" => Some(Theme::Light),
                    "dark" => Some(Theme::Dark),
                    _ => None,
                }
            }
            _ if self.page == Page::Wall && self.wall.set(key, value.clone()) => {}
            _ if self.asked.set(key, value.clone()) => {}
            _ => {
                if let Some(fact) = Fact::ALL.into_iter().find(|fact| fact.word() == key) {
                    self.only.push((fact, value));
                }
            }
        }
    }

    /// The same place of a site that lies below `base`.
    #[must_use]
    pub fn below(self, base: &str) -> Place {
        Place { base: Text::from(base), ..self }
    }

    /// The place at an address as [`Place::href`] writes it, if that is of the same site.
    pub fn beside(&self, href: &str) -> Option<Place> {
        let url = href.strip_prefix(self.base.as_str())?;
        if !url.is_empty() && !url.starts_with(['/', '?', '#']) {
            return None;
        }
        Some(Place { base: self.base.clone(), ..Place::parse(url) })
    }

    /// Where something of the same site is that is no view: a file, the socket, the API.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Its URL, the same for equal places.
    pub fn href(&self) -> String {
        let mut url = self.address(&self.page.path());
        let mut mark = '?';
        for (key, value) in self.parameters() {
            if !value.is_empty() {
                url.push(mark);
                url.push_str(key);
                url.push('=');
                percent_encode(&value, &mut url);
                mark = '&';
            }
        }
        url
    }

    /// The query string's keys and values, also those that are empty.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let sort = self.sort.as_ref().map(|sort| {
            let mut text = sort.by.clone();
            if sort.descending {
                text.push_str(",desc");
            }
            text
        });
        let columns: Vec<String> = self.columns.iter().map(|key| format!("label:{key}")).collect();
        let mut parameters = vec![
            ("namespace", self.namespaces.join(",")),
            ("selector", self.selector.clone()),
            ("fields", self.fields.clone()),
            ("q", self.text.clone()),
            ("sort", sort.unwrap_or_default()),
            ("group", self.group.as_ref().map(Group::word).unwrap_or_default()),
            ("columns", columns.join(",")),
            ("wide", if self.wide { "1".to_owned() } else { String::new() }),
        ];
        parameters.extend(self.only.iter().map(|(fact, value)| (fact.word(), value.clone())));
        parameters.extend(Asked::PARTS.map(|part| (part, self.asked.part(part).to_owned())));
        parameters
            .push(("between", self.between.map(|(from, to)| format!("{from},{to}")).unwrap_or_default()));
        parameters.push(("advice", if self.unadvised { "off".to_owned() } else { String::new() }));
        parameters.extend(Typed::PARTS.map(|part| (part, self.wall.part(part).to_owned())));
        parameters.push(("theme", self.theme.map(|theme| theme.word().to_owned()).unwrap_or_default()));
        parameters
    }

    /// The object whose detail it shows, if it shows one's.
    pub fn looks_at(&self) -> Option<ObjectKey> {
        match &self.page {
            Page::Object(key) => Some(key.clone()),
            Page::Placement => self.asked.object().ok().flatten(),
            _ => None,
        }
    }

    /// The picture it shows, if it shows one.
    pub fn drawing(&self) -> Option<Drawing> {
        match &self.page {
            Page::Rollout(key) => Some(Drawing { key: key.clone(), between: self.between }),
            _ => None,
        }
    }

    /// Another view with what holds for all of them: namespaces and theme.
    pub fn elsewhere(&self, page: Page) -> Place {
        let base = self.base.clone();
        Place { page, namespaces: self.namespaces.clone(), theme: self.theme, base, ..Place::default() }
    }

    /// The same place, changed.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Place)) -> Place {
        let mut place = self.clone();
        change(&mut place);
        place
    }

    /// The value asked of a fact.
    pub fn only(&self, fact: Fact) -> Option<&str> {
        self.only.iter().find(|(f, _)| *f == fact).map(|(_, value)| value.as_str())
    }

    /// The same place with a fact's filter set, or lifted.
    #[must_use]
    pub fn with_only(&self, fact: Fact, value: Option<String>) -> Place {
        self.with(|place| {
            place.only.retain(|(f, _)| *f != fact);
            place.only.extend(value.map(|value| (fact, value)));
        })
    }

    /// The requirements of its label selector in the order in which they are typed; none while it is none.
    pub fn requirements(&self) -> Vec<Requirement> {
        if Selector::parse(&self.selector).is_err() {
            return Vec::new();
        }
        selector::parts(&self.selector).into_iter().filter_map(requirement).collect()
    }

    /// The same place with one more requirement in the label selector, unless it stands there already; in the place
    /// of its opposite, if that does.
    #[must_use]
    pub fn with_requirement(&self, wanted: &Requirement) -> Place {
        let requirements = self.requirements();
        if requirements.contains(wanted) {
            return self.clone();
        }
        let opposite = wanted.opposite().filter(|opposite| requirements.contains(opposite));
        self.with(|place| match opposite {
            Some(opposite) => {
                let part = |part: &str| match requirement(part) {
                    Some(found) if found == opposite => wanted.to_string(),
                    _ => part.to_owned(),
                };
                let parts: Vec<String> = selector::parts(&place.selector).into_iter().map(part).collect();
                place.selector = parts.join(",");
            }
            None => {
                if !place.selector.trim().is_empty() {
                    place.selector.push(',');
                }
                place.selector.push_str(&wanted.to_string());
            }
        })
    }

    /// The same place without this requirement.
    #[must_use]
    pub fn without_requirement(&self, unwanted: &Requirement) -> Place {
        self.with(|place| {
            let mut parts = selector::parts(&self.selector);
            parts.retain(|part| requirement(part).as_ref() != Some(unwanted));
            place.selector = parts.join(",");
        })
    }

    /// The terms of its field selector; none while it is none.
    pub fn terms(&self) -> Vec<Term> {
        FieldSelector::parse_typed(&self.fields, self.page.tables().iter().copied())
            .map(|fields| fields.terms().to_vec())
            .unwrap_or_default()
    }

    /// The same place with another term in the field selector instead of this one, or without it.
    #[must_use]
    pub fn with_term(&self, term: &Term, other: Option<&Term>) -> Place {
        let mut terms = self.terms();
        terms.retain(|there| there != term);
        terms.extend(other.cloned());
        self.with(|place| place.fields = FieldSelector::of(terms).typed())
    }

    /// The same place without any filter.
    #[must_use]
    pub fn unasked(&self) -> Place {
        self.with(|place| {
            place.namespaces.clear();
            place.selector.clear();
            place.fields.clear();
            place.text.clear();
            place.only.clear();
        })
    }

    /// Nothing is filtered away.
    pub fn unfiltered(&self) -> bool {
        self.namespaces.is_empty()
            && self.selector.is_empty()
            && self.fields.is_empty()
            && self.text.is_empty()
            && self.only.is_empty()
    }
}

/// One requirement of a label selector.
fn requirement(part: &str) -> Option<Requirement> {
    Selector::parse(part).ok()?.requirements().first().cloned()
}

/// `1,3`
fn revisions(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once(',')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// Puts `text` behind `url`, everything but unreserved characters (and `,` `:`, which are legal in
/// a query and make it readable) escaped.
fn percent_encode(text: &str, url: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~,:".contains(&byte) {
            url.push(byte as char);
        } else {
            _ = write!(url, "%{byte:02X}");
        }
    }
}

/// Undoes percent-encoding; what is no escape stays as it is.
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let hex = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_url() {
        for url in [
            "/",
            "/pods",
            "/pods/default/web-1",
            "/nodes/worker-1?namespace=a,b",
            "/pods?namespace=a,b&selector=app%3Drf,tier%20in%20%28a,b%29&fields=status.phase%21%3DRunning&q=x&sort=restarts,desc&group=label:team&columns=label:app,label:team&wide=1&state=failing&theme=dark",
            "/events?type=Warning&object=pod%2Fweb-1",
            "/rollouts/shop/web?between=1,3",
            "/probes?advice=off",
            "/services?sort=cluster-ip",
            "/services/shop/web",
            "/endpointslices?namespace=shop",
            "/endpointslices/shop/web-x7k2p",
            "/placement?nodeSelector=project%3Dlistingqc&cpu=500m&memory=1Gi&tolerate=key%3Dvalue:NoSchedule,%2A",
            "/placement?for=deployment%2Fdefault%2Fweb",
            "/wall?namespace=prod&pages=overview,rollouts&every=20s&dim=22:00-06:30&theme=dark",
        ] {
            assert_eq!(Place::parse(url).href(), url);
        }
    }

    #[test]
    fn every_place_made_from_one_is_below_its_base() {
        let pods = Place::parse("/pods?namespace=a&selector=app%3Dweb").below("/masthead/link/ab12");
        assert_eq!(pods.href(), "/masthead/link/ab12/pods?namespace=a&selector=app%3Dweb");
        assert_eq!(pods.address("/live"), "/masthead/link/ab12/live");
        let required = &pods.requirements()[0];
        for (place, below) in [
            (pods.elsewhere(Page::Overview), "/?namespace=a"),
            (
                pods.elsewhere(Page::Pods).with_only(Fact::State, Some("failing".into())),
                "/pods?namespace=a&state=failing",
            ),
            (pods.with(|pods| pods.wide = true).unasked(), "/pods?wide=1"),
            (pods.without_requirement(required), "/pods?namespace=a"),
        ] {
            assert_eq!(place.href(), format!("/masthead/link/ab12{below}"));
            assert_eq!(place.beside(&place.href()), Some(place));
        }
    }

    #[test]
    fn what_is_not_below_the_base_is_beside_no_place() {
        let here = Place::parse("/pods").below("/masthead");
        for (href, page) in [
            ("/masthead", Some(Page::Overview)),
            ("/masthead/", Some(Page::Overview)),
            ("/masthead?theme=dark", Some(Page::Overview)),
            ("/masthead/nodes", Some(Page::Nodes)),
            ("/masthead/nope", Some(Page::Nowhere)),
            ("/", None),
            ("/pods", None),
            ("/mastheads/pods", None),
            ("/MASTHEAD/pods", None),
            ("/masthead%2Fpods", None),
            ("//masthead/pods", None),
        ] {
            assert_eq!(here.beside(href).map(|place| place.page), page, "{href}");
        }
        assert_eq!(Place::default().beside("/pods"), Some(Place::parse("/pods")));
        assert_eq!(Place::default().beside("pods"), None, "no relative addresses");
    }

    #[test]
    fn requirements_come_and_go_where_they_are_typed() {
        let place = Place::parse("/pods?selector=tier%20in%20(a,b),app%3Dweb");
        let of = |text: &str| Selector::parse(text).expect(text).requirements()[0].clone();
        assert_eq!(place.with_requirement(&of("app=web")), place);
        assert_eq!(place.with_requirement(&of("x")).selector, "tier in (a,b),app=web,x");
        assert_eq!(place.with_requirement(&of("app!=web")).selector, "tier in (a,b),app!=web");
        assert_eq!(place.with_requirement(&of("tier notin (b,a)")).selector, "tier notin (a,b),app=web");
        assert_eq!(place.without_requirement(&of("tier in (b,a)")).selector, "app=web");
        assert_eq!(place.without_requirement(&of("app=api")), place);
        let bad = Place::parse("/pods?selector=app%3D%3D%3D");
        assert_eq!(bad.requirements(), []);
        assert_eq!(bad.with_requirement(&of("x")).selector, "app===,x");
    }

    #[test]
    fn terms_come_and_go() {
        let place = Place::parse("/pods?fields=status.phase!%3DRunning,metadata.name%3Da");
        let terms = place.terms();
        assert_eq!(terms.len(), 2);
        let flipped = place.with_term(&terms[1], Some(&terms[1].opposite()));
        assert_eq!(flipped.fields, "metadata.name=a,status.phase=Running");
        assert_eq!(flipped.with_term(&terms[0], None).fields, "status.phase=Running");
        assert_eq!(Place::parse("/images?fields=status.phase%3DRunning").fields, "", "no table, no fields");
    }

    #[test]
    fn the_word_of_the_api_for_label_selectors_is_taken_too() {
        assert_eq!(Place::parse("/wall?labelSelector=app%3Dweb").href(), "/wall?selector=app%3Dweb");
        assert_eq!(Place::parse("/pods?every=20s").href(), "/pods", "only a wall has pages");
    }

    #[test]
    fn forms_write_spaces_as_plus() {
        assert_eq!(Place::parse("/pods?selector=a+in+(b)").selector, "a in (b)");
    }

    #[test]
    fn what_is_asked_for_by_no_name_is_not_asked_for() {
        for url in ["/pods?sort=,", "/pods?sort=,desc", "/pods?selector=%00app", "/pods?group=label:"] {
            assert_eq!(Place::parse(url), Place::parse("/pods"), "{url}");
        }
        // Go's lexer, which is the grammar's, takes a NUL for the end
        let place = Place::parse("/pods?selector=app%3Dweb%00s");
        let x = Selector::parse("x").expect("x").requirements()[0].clone();
        assert_eq!(place.with_requirement(&x).selector, "app=web,x");
    }

    #[test]
    fn paths_that_are_no_view_are_nowhere() {
        for path in ["/nope", "/pods/a", "/pods/a/b/c", "/events/a/b", "/nodes/a/b"] {
            assert_eq!(Page::of(path), Page::Nowhere, "{path}");
        }
        // the server would hear of no such object
        let named =
            |namespace: usize, name: usize| format!("/{}/{}", "n".repeat(namespace), "x".repeat(name));
        for view in ["/pods", "/rollouts"] {
            assert_ne!(Page::of(&format!("{view}{}", named(63, 253))), Page::Nowhere);
            assert_eq!(Page::of(&format!("{view}{}", named(64, 253))), Page::Nowhere);
            assert_eq!(Page::of(&format!("{view}{}", named(63, 254))), Page::Nowhere);
        }
        assert_eq!(Page::of("/pods/"), Page::Pods);
    }

    #[test]
    fn broken_escapes_are_taken_as_they_stand() {
        assert_eq!(Place::parse("/pods?q=%zz%4").text, "%zz%4");
        assert_eq!(Place::parse("/pods?q=%ff%E2%82%AC").text, "\u{fffd}€");
    }
}
