//! Pods as tiles by anything but their node: a card a namespace, an owner, or a value of a label.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use leptos::prelude::*;

use super::TILES;
use crate::{
    api::{Kind, Pod, Uid},
    components::{here::Here, name, table::tallies, tiles::Tiles},
    format::visible,
    query::{Group, Line, Page, tally, without},
    selector::Requirement,
};

/// So many cards, those with the most pods.
const CARDS: usize = 100;

/// A card's pods: what they have in common, last those that have not; how they are; which they are.
#[derive(Clone, Debug, PartialEq)]
struct Card {
    states: [usize; 5],
    uids: Vec<Uid>,
}

type Cards = BTreeMap<(bool, String), Card>;

/// Puts them together; and how many cards there would be.
fn grouped(pods: &[Arc<Pod>], group: &Group) -> (Cards, usize) {
    let mut found: BTreeMap<(bool, String), Vec<&Arc<Pod>>> = BTreeMap::new();
    for pod in pods {
        let title = Line::group(&**pod, group);
        found.entry((title.is_none(), title.unwrap_or_else(|| without(group)))).or_default().push(pod);
    }
    let all = found.len();
    if all > CARDS {
        let mut sizes: Vec<(usize, (bool, String))> =
            found.iter().map(|(title, pods)| (pods.len(), title.clone())).collect();
        sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let kept: HashSet<(bool, String)> = sizes.into_iter().take(CARDS).map(|(_, title)| title).collect();
        found.retain(|title, _| kept.contains(title));
    }
    let card = |mut pods: Vec<&Arc<Pod>>| {
        if pods.len() > TILES / CARDS {
            pods.sort_by_key(|pod| pod.health);
        }
        Card {
            states: tally(pods.iter().map(|pod| pod.health)),
            uids: pods.iter().map(|pod| pod.meta.uid).collect(),
        }
    };
    (found.into_iter().map(|(title, pods)| (title, card(pods))).collect(), all)
}

/// The cards.
#[component]
pub fn Grouped(
    pods: Memo<Vec<Arc<Pod>>>,
    group: Group,
    /// Whether all pods are here. Until then they are drawn, and not counted.
    whole: Memo<bool>,
) -> impl IntoView {
    let cards = {
        let group = group.clone();
        Memo::new(move |_| pods.with(|pods| grouped(pods, &group)))
    };
    let titles = move || cards.with(|(cards, _)| cards.keys().cloned().collect::<Vec<_>>());
    let most = Memo::new(move |_| {
        let cards = cards.with(|(cards, _)| cards.len().max(1));
        if pods.with(Vec::len) > TILES { (TILES / cards).max(12) } else { TILES }
    });
    let rest = move || {
        let rest = cards.with(|(cards, all)| all.saturating_sub(cards.len()));
        (rest > 0 && whole.get())
            .then(|| view! { <p class="aside">{format!("and {rest} more groups, with fewer pods")}</p> })
    };
    let card = move |title: (bool, String)| {
        let of = {
            let title = title.clone();
            Memo::new(move |_| cards.with(|(cards, _)| cards.get(&title).cloned()))
        };
        let uids = Signal::derive(move || {
            of.with(|card| card.as_ref().map(|it| it.uids.clone()).unwrap_or_default())
        });
        let count = move || whole.get().then(|| uids.with(Vec::len));
        let states = move || of.get().filter(|_| whole.get()).map(|card| tallies(card.states));
        let label = format!("Pods: {}", visible(&title.1));
        view! {
            <li class="card">
                <h3>{head(&group, &title)} <span class="count">{count}</span></h3>
                <p class="says">{states}</p>
                <Tiles kind=Kind::Pod uids label most=most.get_untracked() />
            </li>
        }
    };
    view! {
        <ul class="cards nodes">
            <For each=titles key=Clone::clone children=card />
        </ul>
        {rest}
    }
    .into_any()
}

/// What a card's pods have in common, as a link to those pods where a filter says it.
fn head(group: &Group, (nothing, title): &(bool, String)) -> AnyView {
    let place = Here::get().place_now();
    let pods = place.elsewhere(Page::Pods).with(|pods| pods.selector.clone_from(&place.selector));
    let there = match group {
        Group::Label(key) if !nothing => title.split_once('=').map(|(_, value)| {
            pods.with_requirement(&Requirement::equals(&key.as_str().into(), &value.into()))
        }),
        Group::Namespace if !nothing => Some(pods.with(|pods| pods.namespaces = vec![title.clone()])),
        _ => None,
    };
    match there {
        Some(there) => view! { <a class="name" href=there.href()>{name::cut(title)}</a> }.into_any(),
        None => name::cut(title).into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::fixtures::pod;

    #[test]
    fn pods_without_what_is_asked_come_last() {
        let pods: Vec<Arc<Pod>> =
            ["b", "a", "b"].iter().zip(1..).map(|(app, uid)| Arc::new(pod(uid, "p", app, ""))).collect();
        let of = |group: &Group| -> Vec<(String, usize)> {
            let (cards, _) = grouped(&pods, group);
            cards.into_iter().map(|((_, title), card)| (title, card.uids.len())).collect()
        };
        assert_eq!(of(&Group::Label("app".into())), [("app=a".into(), 1), ("app=b".into(), 2)]);
        assert_eq!(of(&Group::Label("team".into())), [("without team".into(), 3)]);
    }

    #[test]
    fn of_many_groups_the_largest_are_drawn() {
        let app = |uid: u128| format!("app-{}", uid.min(300));
        let pods: Vec<Arc<Pod>> = (1..=310).map(|uid| Arc::new(pod(uid, "p", &app(uid), ""))).collect();
        let (cards, all) = grouped(&pods, &Group::Label("app".into()));
        assert_eq!((cards.len(), all), (CARDS, 300));
        assert_eq!(cards[&(false, "app=app-300".to_owned())].uids.len(), 11);
    }
}
