//! The page: its first paint, from the hub's state at this moment. After that the socket takes over.

use app::{
    api::Millis,
    query::Place,
    seed::{Seed, Shared},
    shell::{Assets, Boot, render},
};
use axum::{
    Extension, Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, Uri};

use super::{
    admit::MayShare,
    assets::{BOOT, PROGRAM, STYLESHEET},
    base::Base,
};
use crate::{
    audience::{Visitor, Who},
    hub::{self, Hub},
};

const ASSETS: Assets = Assets {
    stylesheet: STYLESHEET,
    boot: match PROGRAM {
        Some((module, wasm)) => Some(Boot { script: BOOT, module, wasm }),
        None => None,
    },
};

/// Every address that nothing else answers: the page has a view for it, or says that there is none.
pub fn router() -> Router {
    Router::new().fallback_service(get(page))
}

async fn page(
    hub: Hub,
    base: Base,
    visitor: Visitor,
    shared: Option<Extension<Shared>>,
    Extension(MayShare(may_share)): Extension<MayShare>,
    uri: Uri,
) -> Response {
    let Ok(view) = hub.view().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "Masthead is shutting down.\n").into_response();
    };
    let url = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let picture = match Place::parse(&url).drawing() {
        Some(drawing) => {
            let key = drawing.key.clone();
            Some((key, hub.picture(drawing).await.ok().flatten()))
        }
        None => None,
    };
    let now: Millis = hub::now();
    let known = !matches!(visitor.who, Who::Anyone | Who::Link(_));
    let name = known.then(|| visitor.who.name().to_string());
    // Drawing is pure computation, a few milliseconds for a large cluster.
    let drawn = tokio::task::spawn_blocking(move || {
        let seed = Seed::choose(&view.cluster, &url, &view.about, view.epoch, &view.as_of, now);
        let seed = seed
            .with_picture(picture)
            .with_visitor(name, may_share)
            .with_shared(shared.map(|Extension(shared)| shared))
            .below(base.as_str());
        render(&url, &seed, &ASSETS)
    });
    match drawn.await {
        Ok((status, html)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Html(html)).into_response()
        }
        Err(panic) => {
            tracing::error!(%panic, %uri, "drawing a page panicked: a bug in Masthead, please report it");
            (StatusCode::INTERNAL_SERVER_ERROR, "This page cannot be drawn: a bug in Masthead.\n")
                .into_response()
        }
    }
}
