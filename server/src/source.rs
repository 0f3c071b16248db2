//! ① and ②: where rows come from. A source is a set of reflectors, one a kind, that tell the hub what
//! happens, and one pulse that tells it whether the API server answers at all.

pub mod api_server;
pub(crate) mod backoff;
pub mod kubeconfig;
pub mod object;
pub mod read_only;
mod reflector;
pub mod translate;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use app::{
    api::{Kind, KindState, Text, pod::Pod},
    wire::About,
};
use futures::FutureExt;
use tokio::task::JoinSet;

use self::{
    api_server::{ApiServer, Collection},
    backoff::Backoff,
    reflector::{Reflector, WhenForbidden},
    translate::Translate,
};
use crate::{
    hub::{self, Hub, News},
    metrics::Metrics,
};

/// How often the API server is asked whether it is there.
const PULSE: Duration = Duration::from_secs(2);
/// How long it may take to say so. With [`PULSE`], a silent API server is noticed within 5 s.
const PULSE_DEADLINE: Duration = Duration::from_millis(2500);

/// An API server, and what to watch there.
#[derive(Clone)]
pub struct Source {
    /// The API server.
    pub api: ApiServer,
    /// Namespaces to watch; empty for the whole cluster.
    pub namespaces: Vec<Text>,
    /// Where to look if the whole cluster may not be watched: the context's own namespace.
    pub fallback: Option<Text>,
    /// What viewers are told about it.
    pub about: About,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

impl Source {
    /// Watches everything until the hub ends. The caller owns the future; all tasks end with it.
    pub async fn run(self, hub: Hub) {
        let mut tasks = JoinSet::new();
        tasks.spawn(pulse(self.clone(), hub.clone()));
        // One line a kind.
        tasks.spawn(self.clone().watch::<app::api::Node>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::Namespace>(hub.clone()));
        tasks.spawn(self.clone().watch::<Pod>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::ReplicationController>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::Deployment>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::DaemonSet>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::StatefulSet>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::ReplicaSet>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::ControllerRevision>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::Service>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::EndpointSlice>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::PodDisruptionBudget>(hub.clone()));
        tasks.spawn(self.clone().watch::<app::api::Lease>(hub.clone()));
        tasks.spawn(self.watch::<app::api::Event>(hub));
        while tasks.join_next().await.is_some() {}
    }

    /// Watches one kind until the hub ends. If that panics, the kind is called stale, the panic is logged,
    /// and it starts again from a list: one bug must not freeze what the others show.
    async fn watch<T: Translate>(self, hub: Hub) {
        let mut backoff = Backoff::default();
        while AssertUnwindSafe(self.clone().watch_everywhere::<T>(hub.clone())).catch_unwind().await.is_err()
        {
            tracing::error!(
                kind = T::KIND.plural(),
                "a watcher panicked: a bug in Masthead, please report it"
            );
            let because = Text::from("a bug in Masthead interrupted the watch");
            let state = KindState::Stale { since: hub::now(), because };
            if hub.tell(News::Watch { kind: T::KIND, within: None, state }).await.is_err() {
                return;
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// One kind: in the whole cluster, or in each namespace that was named. Without rights for the whole
    /// cluster, in the context's own namespace. What is in one namespace alone is watched there, named or not.
    async fn watch_everywhere<T: Translate>(self, hub: Hub) {
        let one = |within: Option<Text>| {
            let collection = Collection { kind: T::KIND, within };
            Reflector::new(self.api.clone(), collection, hub.clone(), self.metrics.clone())
        };
        if let Some(namespace) = T::KIND.only_in() {
            one(Some(Text::from(namespace))).run::<T>(WhenForbidden::Retry).await;
            return;
        }
        if self.namespaces.is_empty() || !T::KIND.namespaced() {
            let fallback =
                self.fallback.clone().filter(|_| T::KIND.namespaced() && self.namespaces.is_empty());
            let Some(namespace) = fallback else {
                one(None).run::<T>(WhenForbidden::Retry).await;
                return;
            };
            if one(None).run::<T>(WhenForbidden::Return).await.is_some() {
                tracing::info!(kind = T::KIND.plural(), %namespace, "no rights for the whole cluster; watching one namespace");
                one(Some(namespace)).run::<T>(WhenForbidden::Retry).await;
            }
            return;
        }
        let mut namespaces = JoinSet::new();
        for namespace in &self.namespaces {
            namespaces.spawn(one(Some(namespace.clone())).run::<T>(WhenForbidden::Retry));
        }
        while let Some(ended) = namespaces.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Asks for the version again and again: the only proof that silence means "nothing happened".
async fn pulse(source: Source, hub: Hub) {
    let mut version = source.about.version.clone();
    let mut every = tokio::time::interval(PULSE);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let answer = tokio::time::timeout(PULSE_DEADLINE, source.api.version()).await;
        let pulse = match answer {
            Ok(Ok(answered)) => {
                if answered != version {
                    version = answered;
                    let about = About { version: version.clone(), ..source.about.clone() };
                    if hub.tell(News::About(about)).await.is_err() {
                        return;
                    }
                }
                Ok(())
            }
            // It answers, which is what was asked: some clusters hide their version.
            Ok(Err(api_server::ApiError::Forbidden { .. })) => Ok(()),
            Ok(Err(error)) => Err(Text::from(error.to_string())),
            Err(_) => Err(Text::from("the API server does not answer")),
        };
        source.metrics.pulse(pulse.is_ok());
        if hub.tell(News::Pulse(pulse)).await.is_err() {
            return;
        }
    }
}

/// Whether every kind has been listed, or is known to be refused: when `/readyz` says yes.
pub fn ready(state: impl Fn(Kind) -> KindState) -> Result<(), Vec<(Kind, KindState)>> {
    let waiting: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| (*kind, state(*kind)))
        .filter(|(_, state)| !state.listed() && !matches!(state, KindState::Forbidden { .. }))
        .collect();
    if waiting.is_empty() { Ok(()) } else { Err(waiting) }
}
