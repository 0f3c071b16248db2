//! What containers of one workload are asked, once, and what that does in each of them.

use std::sync::Arc;

use leptos::prelude::*;

use super::{Beside, band::Band, lanes::restarts};
use crate::{
    api::{
        Container, Kind, Uid,
        probe::{Probe, ProbeKind},
    },
    components::{here::Here, icon, name, scroll, store},
    format::{duration, visible},
    query::{
        advice::advice,
        probed::{Asked, lanes},
    },
};

/// So many containers of a card are drawn, the worst; the rest is counted.
const SHOWN: usize = 12;

/// The card.
#[component]
pub fn Card(
    asked: Memo<Option<Arc<Asked>>>,
    /// It is kept for somebody who is at it, and there is no such thing any more.
    gone: Memo<bool>,
    known: Memo<Beside>,
) -> impl IntoView {
    let here = Here::get();
    let first = asked.get_untracked();
    let title = first.as_ref().map(|asked| title(asked));
    // who has probes of two kinds in one container is in the middle of a rollout
    let template = move || {
        let template = asked.with(|asked| asked.as_ref().and_then(|asked| asked.template.clone()));
        template.map(|template| view! { <span class="kind">"template " {template.to_string()}</span> })
    };
    let container = first.as_ref().map(|asked| asked.name.to_string()).unwrap_or_default();
    let pods = move || asked.with(|asked| asked.as_ref().map_or(0, |asked| asked.containers.len()));
    let count = move || match pods() {
        1 => "1 pod".to_owned(),
        pods => format!("{pods} pods"),
    };
    let probes = Memo::new(move |_| {
        asked.with(|asked| asked.as_ref().map(|asked| (asked.probes.clone(), asked.ports.clone())))
    });
    let config = move || {
        probes.get().map(|(probes, ports)| {
            ordered(&probes)
                .into_iter()
                .map(|probe| {
                    view! {
                        <li>
                            <strong>{probe.kind.word()}</strong>
                            " "
                            {visible(&probe.sentence(&ports)).into_owned()}
                            <code>{visible(&format!("{}: {probe}", probe.kind.word())).into_owned()}</code>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    let kinds = Memo::new(move |_| {
        let probes = probes.get().map(|(probes, _)| probes);
        probes.iter().flat_map(|probes| ordered(probes)).map(|probe| probe.kind).collect::<Vec<_>>()
    });
    let heads = move || {
        kinds.get().into_iter().map(|kind| view! { <th scope="col">{kind.word()}</th> }).collect_view()
    };
    let shown = Memo::new(move |_| {
        asked.with(|asked| {
            let containers = asked.as_ref().map_or(&[][..], |asked| &asked.containers);
            containers.iter().take(SHOWN).map(|container| container.meta.uid).collect::<Vec<Uid>>()
        })
    });
    let more = move || {
        let more = pods().saturating_sub(SHOWN);
        (more > 0).then(|| view! { <p class="aside">{format!("and {more} more, which are no worse")}</p> })
    };
    let advised = move || {
        if here.place().unadvised {
            return None;
        }
        let advice = asked.with(|asked| asked.as_ref().and_then(|asked| advice(asked)))?;
        let source = format!("https://kubernetes.io/docs/{}", advice.source);
        Some(view! {
            <p class="advice">
                <strong>"Advice: "</strong>
                {advice.what}
                ", since "
                {visible(&advice.why).into_owned()}
                ". "
                <a href=source rel="noreferrer">"Kubernetes on it"</a>
            </p>
        })
    };
    let label = format!("Probes of {container}, pod by pod");
    let table = view! {
                <table class="plain lanes-table">
                    <thead>
                        <tr>
                            <th scope="col">"Pod"</th>
                            {heads}
                            <th scope="col">"Restarts"</th>
                            <th scope="col">"Life, to an hour back"</th>
                            <th scope="col">"Last failure"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For
                            each=move || shown.get()
                            key=|uid| *uid
                            children=move |uid| {
                                let container = Memo::new(move |before: Option<&Option<Arc<Container>>>| {
                                    let found = asked.with(|asked| {
                                        let all = asked.as_ref().map_or(&[][..], |asked| &asked.containers);
                                        all.iter().find(|container| container.meta.uid == uid).cloned()
                                    });
                                    found.or_else(|| before.cloned().flatten())
                                });
                                view! { <Line container kinds known /> }
                            }
                        />
                    </tbody>
                </table>
    };
    view! {
        <article class="card probe-card" class:gone=move || gone.get()>
            <h3>
                {title}
                <span class="kind">"container"</span>
                <span class="mono">{container}</span>
                {template}
                <span class="count">{count}</span>
            </h3>
            <ul class="asks">{config}</ul>
            {advised}
            {scroll::frame(label, table)}
            {more}
        </article>
    }
    .into_any()
}

fn title(asked: &Asked) -> AnyView {
    match (&asked.owner, asked.containers.first()) {
        (Some(owner), _) => {
            let link = match Kind::parse(&owner.kind) {
                Some(kind) => name::object_link(kind, &asked.namespace, &owner.name),
                None => view! { <span class="name">{owner.name.to_string()}</span> }.into_any(),
            };
            let kind = owner.kind.to_lowercase();
            view! { <span class="kind">{kind}</span> {link} <span class="kind">{asked.namespace.to_string()}</span> }.into_any()
        }
        (None, Some(container)) => {
            let link = name::object_link(Kind::Pod, &asked.namespace, &container.pod);
            view! { <span class="kind">"pod"</span> {link} <span class="kind">{asked.namespace.to_string()}</span> }.into_any()
        }
        (None, None) => ().into_any(),
    }
}

/// In the order in which they take effect: startup, liveness, readiness.
pub fn ordered(probes: &[Probe]) -> Vec<&Probe> {
    let order = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness];
    order.into_iter().filter_map(|kind| probes.iter().find(|probe| probe.kind == kind)).collect()
}

/// One container in a line.
#[component]
fn Line(
    container: Memo<Option<Arc<Container>>>,
    kinds: Memo<Vec<ProbeKind>>,
    known: Memo<Beside>,
) -> impl IntoView {
    let store = store();
    let now = move || store.now().seconds();
    let clock = now.clone();
    let lanes = Memo::new(move |_| {
        let now = clock();
        container.with(|container| {
            let container = container.as_ref()?;
            let known = known.with(|known| known.of(container));
            Some(lanes(container, known, now))
        })
    });
    let cells = move || {
        let cell = move |kind: ProbeKind| {
            let lane = Memo::new(move |_| {
                lanes.with(|lanes| {
                    let lane = lanes.as_ref()?.iter().find(|lane| lane.kind == kind)?;
                    Some((lane.health(), lane.doing.to_string()))
                })
            });
            view! {
                <td class="doing">
                    {move || lane.get().map(|(health, words)| view! { {icon::shape(health)} " " {words} })}
                </td>
            }
        };
        kinds.get().into_iter().map(cell).collect_view()
    };
    let link = container
        .get_untracked()
        .map(|container| name::object_link(Kind::Pod, &container.meta.namespace, &container.pod));
    let restarted =
        move || container.with(|container| container.as_ref().map(|container| restarts(container)));
    let last = move || {
        let now = now();
        lanes.with(|lanes| {
            let last = lanes.iter().flatten().filter_map(|lane| Some((lane.last.as_ref()?, lane.earlier)));
            let ((message, at), earlier) = last.max_by_key(|((_, at), _)| *at)?;
            let ago = duration((now.0 - at.0).max(0));
            let earlier = if earlier { ", before its last start" } else { "" };
            Some(format!("{} ({ago} ago{earlier})", visible(message)))
        })
    };
    let whole = last.clone();
    view! {
        <tr>
            <th scope="row">{link}</th>
            {cells}
            <td>{restarted}</td>
            <td class="band-cell"><Band container /></td>
            <td class="failure" title=whole>{last}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_stand_in_the_order_in_which_they_take_effect() {
        let probe = |kind| Probe {
            kind,
            handler: crate::api::probe::ProbeHandler::Unknown,
            delay: 0,
            timeout: 1,
            period: 10,
            success: 1,
            failure: 3,
            grace: None,
        };
        let probes = [ProbeKind::Liveness, ProbeKind::Readiness, ProbeKind::Startup].map(probe);
        let kinds: Vec<ProbeKind> = ordered(&probes).into_iter().map(|probe| probe.kind).collect();
        assert_eq!(kinds, [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness]);
    }
}
