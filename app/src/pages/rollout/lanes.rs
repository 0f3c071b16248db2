//! A lane a template, a line a pod, a column a station: how long each pod was, or is, where.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    api::{
        Kind, Millis, Picture, Timestamp,
        picture::{Lane, Reached, Replaced, Station, Tile, Witness},
    },
    components::{icon, name, scroll, store},
    format::{duration, images, visible},
};

/// Pods that are gone, beyond these, are counted only.
const GONE_SHOWN: usize = 12;

/// Every lane. Each is drawn once and then changes in place, and so are its pods: whoever is at one by keyboard
/// stays there.
#[component]
pub fn Lanes(picture: Memo<Option<Arc<Picture>>>) -> impl IntoView {
    let store = store();
    // what is gone ages no more
    let clock = Memo::new(move |_| {
        picture
            .with(|picture| picture.as_ref().and_then(|picture| picture.gone))
            .unwrap_or_else(|| store.now())
    });
    let names = Memo::new(move |_| {
        picture.with(|picture| {
            let lanes = picture.as_ref().map_or(&[][..], |picture| &picture.lanes);
            let (open, folded): (Vec<&Lane>, Vec<&Lane>) = lanes.iter().partition(|lane| lane.takes_part);
            let names = |lanes: Vec<&Lane>| lanes.iter().map(|lane| lane.name.clone()).collect::<Vec<_>>();
            (names(open), names(folded))
        })
    });
    let title = move || match names.with(|(_, folded)| folded.len()) {
        1 => "1 older revision".to_owned(),
        count => format!("{count} older revisions"),
    };
    view! {
        <div class="lanes">
            <details class="old" class:empty=move || names.with(|(_, folded)| folded.is_empty())>
                <summary>{title}</summary>
                <div class="lanes">
                    <For
                        each=move || names.with(|(_, folded)| folded.clone())
                        key=|name| name.clone()
                        children=move |name| view! { <OneLane picture clock name /> }
                    />
                </div>
            </details>
            <For
                each=move || names.with(|(open, _)| open.clone())
                key=|name| name.clone()
                children=move |name| view! { <OneLane picture clock name /> }
            />
        </div>
    }
    .into_any()
}

/// What a pod is known by: the name alone may come again.
type PodKey = (Arc<str>, Option<Timestamp>);

fn key(tile: &Tile) -> PodKey {
    (tile.name.clone(), tile.created)
}

#[component]
fn OneLane(picture: Memo<Option<Arc<Picture>>>, clock: Memo<Millis>, name: Arc<str>) -> impl IntoView {
    let lane = {
        let name = name.clone();
        Memo::new(move |before: Option<&Lane>| {
            let found = picture
                .with(|picture| picture.as_ref()?.lanes.iter().find(|lane| lane.name == name).cloned());
            found.or_else(|| before.cloned()).unwrap_or_default()
        })
    };
    let of = Memo::new(move |_| {
        picture.with(|picture| {
            let picture = picture.as_ref();
            let key = picture.map(|picture| (picture.key.kind, picture.key.namespace.clone()));
            (key.unwrap_or((Kind::Deployment, String::new())), picture.is_some_and(|p| p.lanes.len() > 1))
        })
    });
    let title = move || {
        let several = of.with(|(_, several)| *several);
        lane.with(|lane| match lane.revision {
            Some(revision) if revision > 0 => format!("Revision {revision}"),
            _ if several && lane.newest => "New template".to_owned(),
            _ if several => "Old template".to_owned(),
            _ => "Pods".to_owned(),
        })
    };
    let role = move || {
        let word = if lane.with(|lane| lane.newest) { " (new)" } else { " (old)" };
        of.with(|(_, several)| *several).then_some(word)
    };
    let ((kind, namespace), _) = of.get_untracked();
    let link = (kind == Kind::Deployment).then(|| name::object_link(Kind::ReplicaSet, &namespace, &name));
    let text = move |of: fn(&Lane) -> String| lane.with(|lane| visible(&of(lane)).into_owned());
    let wanted = |lane: &Lane| lane.desired.map_or_else(String::new, |desired| format!("{desired} wanted"));
    let label = move || format!("Pods of {}", title().to_lowercase());
    let shown = Memo::new(move |_| {
        lane.with(|lane| {
            let (gone, there): (Vec<&Tile>, Vec<&Tile>) = lane.tiles.iter().partition(|tile| is_gone(tile));
            let hidden = gone.len().saturating_sub(GONE_SHOWN);
            let keys: Vec<PodKey> = gone.into_iter().skip(hidden).chain(there).map(key).collect();
            (keys, hidden + lane.forgotten as usize, lane.hidden)
        })
    });
    let forgotten = move || {
        let said = shown.with(|(_, gone, hidden)| match (gone, hidden) {
            (0, 0) => String::new(),
            (gone, 0) => format!("and {gone} that are gone"),
            (0, hidden) => format!("and {hidden} more"),
            (gone, hidden) => format!("and {hidden} more, and {gone} that are gone"),
        });
        (!said.is_empty()).then(|| view! { <p class="aside">{said}</p> })
    };
    let headings = Station::ALL.map(|station| view! { <th scope="col">{station.word()}</th> });
    let table = view! {
                <table class="plain stations" aria-label=label>
                    <thead>
                        <tr>
                            <th scope="col">"Pod"</th>
                            {headings.collect_view()}
                            <th scope="col">"Says"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For
                            each=move || shown.with(|(keys, ..)| keys.clone())
                            key=|key| key.clone()
                            children={
                                let namespace = namespace.clone();
                                move |key| view! { <Stop lane clock key namespace=namespace.clone() /> }
                            }
                        />
                    </tbody>
                </table>
    };
    view! {
        <section class="lane" class:newest=move || lane.with(|lane| lane.newest)>
            <header>
                <h2>{title} <span class="role">{role}</span></h2>
                {link}
                <span class="image">{move || text(|lane| images(&lane.images))}</span>
                <span class="change-cause">{move || text(|lane| lane.change_cause.to_string())}</span>
                <span class="aside">{move || text(wanted)}</span>
            </header>
            {scroll::frame(label, table)}
            {forgotten}
        </section>
    }
    .into_any()
}

/// Whether its pod is no more.
pub fn is_gone(tile: &Tile) -> bool {
    tile.reached.iter().any(|reached| reached.station == Station::Gone)
}

/// One pod's line.
#[component]
fn Stop(lane: Memo<Lane>, clock: Memo<Millis>, key: PodKey, namespace: String) -> impl IntoView {
    let pod = name::object_link(Kind::Pod, &namespace, &key.0);
    let tile = Memo::new(move |before: Option<&Tile>| {
        let found = lane.with(|lane| lane.tiles.iter().find(|tile| self::key(tile) == key).cloned());
        found.or_else(|| before.cloned()).unwrap_or_default()
    });
    let gone = Memo::new(move |_| tile.with(is_gone));
    let health = Memo::new(move |_| tile.with(|tile| tile.health));
    let says = move || {
        let text = tile.with(|tile| match (&*tile.status, &*tile.why) {
            (status, "") => status.to_owned(),
            (status, why) => format!("{status}: {}", visible(why)),
        });
        (!gone.get()).then_some(text)
    };
    let replaces = move || tile.with(replaces);
    view! {
        <tr class=move || format!("stop {}", health.get().word()) class:gone=move || gone.get()>
            <th scope="row"><span class="lead">{move || icon::state(health.get())}</span> {pod}</th>
            {Station::ALL.map(|station| cell(clock, tile, station)).collect_view()}
            <td class="message">{says} " " <span class="aside">{replaces}</span></td>
        </tr>
    }
    .into_any()
}

/// Whose place it took, and how long that took.
fn replaces(tile: &Tile) -> Option<String> {
    let Replaced { pod, since, ready } = tile.replaces.as_ref()?;
    let after = |at: Millis| duration(((at.0 - since.0).max(0) + 500) / 1000);
    let ready = match ready {
        Some(ready) => format!("ready {} after that was lost", after(*ready)),
        None => "not ready yet".to_owned(),
    };
    Some(format!("In place of {}, {ready}", visible(pod)))
}

/// How long it stayed, or has been staying, or when it will get there.
fn cell(clock: Memo<Millis>, tile: Memo<Tile>, station: Station) -> AnyView {
    let at = move |tile: &Tile| tile.reached.iter().position(|reached| reached.station == station);
    let reached = Memo::new(move |_| tile.with(|tile| at(tile).map(|at| tile.reached[at])));
    let title = move || {
        reached
            .get()
            .map(|reached| format!("since {} UTC, {}", reached.at.seconds().clock(), witness(reached.by)))
    };
    let class = Memo::new(move |_| {
        let now = clock.get();
        let current = tile.with(|tile| tile.station(now)).is_some_and(|current| current.station == station);
        match reached.get() {
            None => "never",
            Some(_) if current => "reached current",
            Some(reached) if tile.with(|tile| tile.is_ahead(&reached, now)) => "reached ahead",
            Some(_) => "reached",
        }
    });
    let text = Memo::new(move |_| {
        let now = clock.get();
        tile.with(|tile| at(tile).map_or_else(|| "–".to_owned(), |at| spent(tile, at, tile.reached[at], now)))
    });
    let current = move || (class.get() == "reached current").then_some("step");
    view! { <td class=move || class.get() title=title aria-current=current>{move || text.get()}</td> }
        .into_any()
}

fn spent(tile: &Tile, at: usize, reached: Reached, now: Millis) -> String {
    let seconds = |from: Millis, to: Millis| duration(((to.0 - from.0).max(0) + 500) / 1000);
    if tile.is_ahead(&reached, now) {
        return format!("in {}", seconds(now, reached.at));
    }
    if reached.station == Station::Gone {
        return reached.at.seconds().clock();
    }
    match tile.reached.get(at + 1).filter(|next| !tile.is_ahead(next, now)) {
        Some(next) => seconds(reached.at, next.at),
        None => duration((now.0 - reached.at.0).max(0) / 1000),
    }
}

fn witness(by: Witness) -> &'static str {
    match by {
        Witness::Pod => "by the pod's own status",
        Witness::Event => "by an event",
        Witness::Seen => "when Masthead saw it",
    }
}
