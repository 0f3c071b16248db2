//! Containers: how they are specified, how they are, and what their probes ask.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    object::{fact, since},
    probes::Lanes,
};
use crate::{
    api::{
        Container as Row, Detail, ObjectKey, Text,
        container::judge,
        detail::{Container, ContainerState, ContainerStatus, Port, Role, Terminated},
    },
    components::{icon, store},
    format::{duration, visible},
    query::{Fact, Page},
    store::Store,
};

/// A card a container.
#[component]
pub fn Containers(
    detail: Memo<Option<Arc<Detail>>>,
    /// The pod they are in, unless they are a template's.
    #[prop(optional)]
    of: Option<ObjectKey>,
) -> impl IntoView {
    let store = store();
    let containers =
        Memo::new(move |_| detail.with(|detail| detail.as_ref().map(|detail| detail.containers.clone())));
    view! {
        <section aria-labelledby="containers">
            <h2 id="containers">"Containers"</h2>
            {move || match containers.get() {
                None => view! { <div class="skeleton"><div class="bar"></div><div class="bar"></div></div> }.into_any(),
                Some(containers) => {
                    let cards = containers.iter().map(|container| card(&store, of.as_ref(), container)).collect_view();
                    view! { <ul class="cards containers">{cards}</ul> }.into_any()
                }
            }}
        </section>
    }
    .into_any()
}

fn card(store: &Store, of: Option<&ObjectKey>, container: &Container) -> impl IntoView + use<> {
    let row = {
        let (store, name) = (
            store.clone(),
            of.map(|key| (key.namespace.clone(), format!("{}/{}", key.name, container.name))),
        );
        Memo::new(move |_| name.as_ref().and_then(|(namespace, name)| store.named::<Row>(namespace, name)))
    };
    let here = crate::components::here::Here::get().place_now();
    let image = container.image.to_string();
    let href = here.elsewhere(Page::Pods).with_only(Fact::Image, Some(image.clone())).href();
    let role = match container.role {
        Role::Init => Some("init"),
        Role::Sidecar => Some("sidecar"),
        Role::Regular => None,
        Role::Ephemeral => Some("ephemeral"),
    };
    let ports = list(&container.ports);
    let state = container.status.as_ref().map(|status| state(store, status));
    let resources = |term: &'static str, of: &[(Text, Text)]| {
        let text: Vec<String> = of.iter().map(|(name, quantity)| format!("{name} {quantity}")).collect();
        (!text.is_empty()).then(|| fact(term, text.join(", ")))
    };
    view! {
        <li class="card container">
            <h3>
                {container.status.as_ref().map(|status| icon::state(judge(Some(status))))}
                <span class="name">{container.name.to_string()}</span>
                {role.map(|role| view! { <span class="badge">{role}</span> })}
            </h3>
            <dl class="facts">
                {state}
                {fact("Image", view! { <a class="image" href=href>{visible(&image).into_owned()}</a> })}
                {(!ports.is_empty()).then(|| fact("Ports", ports))}
                {resources("Requests", &container.requests)}
                {resources("Limits", &container.limits)}
            </dl>
            <Lanes probes=container.probes.clone() ports=container.ports.clone() container=row />
        </li>
    }
    .into_any()
}

fn list(ports: &[Port]) -> String {
    ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ")
}

fn state(store: &Store, status: &ContainerStatus) -> AnyView {
    let (since_when, message) = match &status.state {
        ContainerState::Running { since: at } => (*at, None),
        ContainerState::Waiting { message, .. } => (None, Some(message.clone())),
        ContainerState::Terminated(end) => (end.finished, Some(end.message.clone())),
        ContainerState::Unknown => (None, None),
    };
    let ended = match &status.state {
        ContainerState::Terminated(end) => Some(format!(", {}", ending(end))),
        _ => None,
    };
    let age = since_when.map(|at| {
        let since = since(store, Some(at));
        view! { <span class="aside">" for " {since}</span> }
    });
    let ready = if status.ready { "ready" } else { "not ready" };
    let message = message
        .filter(|message| !message.is_empty())
        .map(|message| view! { <p class="why">{visible(&message).into_owned()}</p> });
    let last = status.last.as_ref().map(|end| {
        let ended = since(store, end.finished);
        let ran = match (end.started, end.finished) {
            (Some(started), Some(finished)) => format!(" after {}", duration(finished.0 - started.0)),
            _ => String::new(),
        };
        let text = format!("{}, {}{ran}, ", or(&end.reason, "Terminated"), ending(end));
        fact("Before that", view! { {text} {ended} " ago" })
    });
    view! {
        {fact("State", view! { {status.state.to_string()} {ended} {age} ", " {ready} {message} })}
        {last}
        {fact("Restarts", status.restarts.to_string())}
    }
    .into_any()
}

fn or(text: &str, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text.to_owned() }
}

fn ending(end: &Terminated) -> String {
    if end.signal == 0 { format!("exit code {}", end.exit_code) } else { format!("signal {}", end.signal) }
}
