//! Containers: how they are specified, how they are, and what their probes ask.

use std::sync::Arc;

use leptos::prelude::*;

use super::object::{fact, since};
use crate::{
    api::{
        Detail, Health, Text,
        detail::{
            Container, ContainerState, ContainerStatus, Port, Probe, ProbeHandler, ProbeKind, Role,
            Terminated,
        },
    },
    components::{icon, store},
    format::{duration, visible},
    query::{Fact, Page},
    store::Store,
};

/// A card a container.
#[component]
pub fn Containers(detail: Memo<Option<Arc<Detail>>>) -> impl IntoView {
    let store = store();
    let containers =
        Memo::new(move |_| detail.with(|detail| detail.as_ref().map(|detail| detail.containers.clone())));
    view! {
        <section aria-labelledby="containers">
            <h2 id="containers">"Containers"</h2>
            {move || match containers.get() {
                None => view! { <div class="skeleton"><div class="bar"></div><div class="bar"></div></div> }.into_any(),
                Some(containers) => {
                    let cards = containers.iter().map(|container| card(&store, container)).collect_view();
                    view! { <ul class="cards containers">{cards}</ul> }.into_any()
                }
            }}
        </section>
    }
    .into_any()
}

fn card(store: &Store, container: &Container) -> impl IntoView + use<> {
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
                {container.status.as_ref().map(|status| icon::state(health(status)))}
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
            {container.probes.iter().map(probe).collect_view()}
        </li>
    }
    .into_any()
}

fn list(ports: &[Port]) -> String {
    ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ")
}

/// One container's state in the page's five. A pod's own is the server's to say; this is only
/// which of its containers that is about.
fn health(status: &ContainerStatus) -> Health {
    match &status.state {
        ContainerState::Running { .. } if status.ready => Health::Healthy,
        ContainerState::Running { .. } => Health::Progressing,
        ContainerState::Waiting { .. } | ContainerState::Unknown if status.restarts > 0 => Health::Failing,
        ContainerState::Waiting { .. } | ContainerState::Unknown => Health::Waiting,
        ContainerState::Terminated(end) if end.exit_code == 0 => Health::Healthy,
        ContainerState::Terminated(_) => Health::Failing,
    }
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

/// What a probe does in words, kubectl's own line beneath.
fn probe(probe: &Probe) -> impl IntoView + use<> {
    let line = format!("{}: {probe}", probe.kind.word());
    view! {
        <div class="probe">
            <p><strong>{probe.kind.word()}</strong> " " {visible(&words(probe)).into_owned()}</p>
            <code>{visible(&line).into_owned()}</code>
        </div>
    }
    .into_any()
}

/// `GET /predict on flask-port every 10 s after 15 s; 3 failures restart it`.
fn words(probe: &Probe) -> String {
    let asks = match &probe.handler {
        ProbeHandler::Exec { words } => format!("runs a command of {words} words"),
        ProbeHandler::HttpGet { scheme, host, port, path } => {
            let path = if path.is_empty() { "/" } else { path };
            let secure = if scheme.eq_ignore_ascii_case("https") { " over TLS" } else { "" };
            let host = if host.is_empty() { String::new() } else { format!(" of {host}") };
            format!("GET {path} on {port}{host}{secure}")
        }
        ProbeHandler::TcpSocket { host, port } if host.is_empty() => format!("opens a connection to {port}"),
        ProbeHandler::TcpSocket { host, port } => format!("opens a connection to {port} of {host}"),
        ProbeHandler::Grpc { port, service } if service.is_empty() => format!("asks gRPC health on {port}"),
        ProbeHandler::Grpc { port, service } => format!("asks gRPC health on {port} about {service}"),
        ProbeHandler::Unknown => "asks in a way that is not known here".to_owned(),
    };
    let after = if probe.delay > 0 { format!(" after {} s", probe.delay) } else { String::new() };
    let failures = if probe.failure == 1 {
        "1 failure".to_owned()
    } else {
        format!("{} failures in a row", probe.failure)
    };
    let then = match (probe.kind, probe.failure) {
        (ProbeKind::Readiness, 1) => "takes it out of its Services",
        (ProbeKind::Readiness, _) => "take it out of its Services",
        (_, 1) => "restarts it",
        _ => "restart it",
    };
    let successes = if probe.success > 1 {
        format!(", {} successes in a row bring it back", probe.success)
    } else {
        String::new()
    };
    format!(
        "{asks} every {} s{after}, waiting {} s for the answer; {failures} {then}{successes}",
        probe.period, probe.timeout
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_reads_as_a_sentence() {
        let probe = Probe {
            kind: ProbeKind::Liveness,
            handler: ProbeHandler::HttpGet {
                scheme: "HTTP".into(),
                host: "".into(),
                port: "flask-port".into(),
                path: "/predict".into(),
            },
            delay: 15,
            timeout: 1,
            period: 10,
            success: 1,
            failure: 3,
        };
        assert_eq!(
            words(&probe),
            "GET /predict on flask-port every 10 s after 15 s, waiting 1 s for the answer; 3 failures in a row restart it"
        );
    }
}
