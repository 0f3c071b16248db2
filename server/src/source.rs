//! ① and ②: where rows come from. A source is a set of reflectors, one a kind, that tell the hub what
//! happens, and one pulse that tells it whether the API server answers at all.

pub mod api_server;
pub(crate) mod backoff;
mod connection;
pub mod credentials;
pub mod kubeconfig;
mod moment;
pub mod object;
pub mod pulse;
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
    api_server::{ApiError, ApiServer, Collection},
    backoff::Backoff,
    pulse::Pulse,
    reflector::{Reflector, WhenForbidden},
    translate::Translate,
};
use crate::{
    hub::{self, Hub, News},
    metrics::Metrics,
};

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
        let (pulse, beating) = Pulse::new(self.clone(), hub.clone());
        tasks.spawn(beating);
        // Whatever happens to objects is noted by the API server's clock.
        pulse.begun().await;
        // One line a kind.
        tasks.spawn(self.clone().watch::<app::api::Node>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::Namespace>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<Pod>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::ReplicationController>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::Deployment>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::DaemonSet>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::StatefulSet>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::ReplicaSet>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::ControllerRevision>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::Service>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::EndpointSlice>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::PodDisruptionBudget>(hub.clone(), pulse.clone()));
        tasks.spawn(self.clone().watch::<app::api::Lease>(hub.clone(), pulse.clone()));
        tasks.spawn(self.watch::<app::api::Event>(hub, pulse));
        while tasks.join_next().await.is_some() {}
    }

    /// Watches one kind until the hub ends. If that panics, the kind is called stale, the panic is logged,
    /// and it starts again from a list: one bug must not freeze what the others show.
    async fn watch<T: Translate>(self, hub: Hub, pulse: Pulse) {
        let mut backoff = Backoff::default();
        while AssertUnwindSafe(self.clone().watch_everywhere::<T>(hub.clone(), pulse.clone()))
            .catch_unwind()
            .await
            .is_err()
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

    /// Until a kind may be listed in the whole cluster. Rights are given later, and an API server that has just started
    /// may refuse what is allowed.
    async fn allowed_everywhere(&self, kind: Kind) {
        for wait in WIDER_SOON.into_iter().chain(std::iter::repeat(WIDER)) {
            tokio::time::sleep(backoff::jittered(wait)).await;
            if self.may_watch(&Collection { kind, within: None }).await.is_ok() {
                tracing::info!(kind = kind.plural(), "the whole cluster may be watched now");
                return;
            }
        }
    }

    /// Lists and watches what there is of it, as short as can be.
    async fn may_watch(&self, collection: &Collection) -> Result<(), ApiError> {
        let page = self.api.first(collection).await?;
        self.api.watch(collection, &page.resource_version, Duration::from_secs(1)).await.map(drop)
    }

    /// One kind: in the whole cluster, or in each namespace that was named. Without rights for the whole
    /// cluster, in the context's own namespace, for as long as that is so. What is in one namespace alone is watched there, named or not.
    async fn watch_everywhere<T: Translate>(self, hub: Hub, pulse: Pulse) {
        let one = |within: Option<Text>| {
            let collection = Collection { kind: T::KIND, within };
            Reflector::new(&self, collection, hub.clone(), pulse.clone())
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
            while one(None).run::<T>(WhenForbidden::Return).await.is_some() {
                tracing::info!(kind = T::KIND.plural(), %namespace, "no rights for the whole cluster; watching one namespace");
                tokio::select! {
                    _ = one(Some(namespace.clone())).run::<T>(WhenForbidden::Retry) => return,
                    () = self.allowed_everywhere(T::KIND) => {}
                }
                pulse.readable.remove(&Collection { kind: T::KIND, within: Some(namespace.clone()) });
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

/// How soon it is asked whether the whole cluster may be watched by now: an API server that has just started learns of
/// rights within seconds,
const WIDER_SOON: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];
/// and how often from then on.
const WIDER: Duration = Duration::from_secs(60);

/// Whether every kind has been listed, or is known to be refused: when `/readyz` says yes.
pub fn ready(state: impl Fn(Kind) -> KindState) -> Result<(), Vec<(Kind, KindState)>> {
    let waiting: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| (*kind, state(*kind)))
        .filter(|(_, state)| !state.listed() && !matches!(state, KindState::Forbidden { .. }))
        .collect();
    if waiting.is_empty() { Ok(()) } else { Err(waiting) }
}
