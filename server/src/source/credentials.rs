//! ① Who is who, as a kubeconfig and the files it names have it, while Masthead runs: client certificates are renewed,
//! tokens replaced, authorities changed. When the API server cannot be reached or refuses who asks, and these files
//! are not what they were, they are read again and everything goes on with what they say now, as client-go does
//! (`transport/cert_rotation.go`). In a pod kube itself reads token and authority again.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::{
    Config,
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use tokio::time::Instant;

use super::{api_server::Clients, connection, kubeconfig, read_only::ReadOnlyLayer};
use crate::error::StartError;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

/// Where a kubeconfig is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In those that `KUBECONFIG` names.
    Environment,
}

impl Place {
    /// What it says; `None` where `KUBECONFIG` is not set.
    pub fn read(&self) -> Result<Option<Kubeconfig>, StartError> {
        match self {
            Place::File(path) => Kubeconfig::read_from(path).map(Some),
            Place::Environment => Kubeconfig::from_env(),
        }
        .map_err(StartError::Kubeconfig)
    }

    fn files(&self) -> Vec<PathBuf> {
        match self {
            Place::File(path) => vec![path.clone()],
            Place::Environment => {
                std::env::var_os("KUBECONFIG").iter().flat_map(std::env::split_paths).collect()
            }
        }
    }
}

/// What clients are made for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// The API server is also asked about visitors.
    pub reviews: bool,
    /// How many watches will be open.
    pub watches: usize,
}

/// Clients of a cluster.
pub fn clients(config: Config, Purpose { reviews, watches }: Purpose) -> Result<Clients, StartError> {
    let client = |config: Config, layer: ReadOnlyLayer| {
        connection::client(config, layer, watches).map_err(|error| StartError::Client(Box::new(error)))
    };
    if !reviews {
        return Ok(Clients { own: client(config, ReadOnlyLayer::LISTS)?, visitors: None });
    }
    // Whoever asks with it brings their own token; Masthead's account must not answer for them.
    let mut visitors = config.clone();
    visitors.auth_info = AuthInfo::default();
    Ok(Clients {
        own: client(config, ReadOnlyLayer::LISTS_AND_TOKENS)?,
        visitors: Some(client(visitors, ReadOnlyLayer::VISITORS)?),
    })
}

/// A context of a kubeconfig, and what its files were when they were last read. Shared by all who talk to the cluster.
#[derive(Debug)]
pub struct Credentials {
    place: Place,
    context: String,
    purpose: Purpose,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Each file, and what was in it.
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    looked: Instant,
}

impl Credentials {
    /// The clients that `kubeconfig`, found in `place`, makes for a context of it, and what will make others.
    pub async fn open(
        place: Place,
        kubeconfig: Kubeconfig,
        context: String,
        purpose: Purpose,
    ) -> Result<(Clients, Arc<Credentials>), StartError> {
        // Before they are used: what is written meanwhile is found later.
        let files = read(named(&place, &kubeconfig, &context));
        let clients = made(kubeconfig, &context, purpose).await?;
        let seen = Mutex::new(Seen { files, looked: Instant::now() });
        Ok((clients, Arc::new(Credentials { place, context, purpose, seen })))
    }

    /// Other clients, if the files are others by now. What cannot be used takes nobody's place.
    pub async fn renewed(self: &Arc<Credentials>) -> Option<Clients> {
        let paths: Vec<PathBuf> = {
            let mut seen = self.seen();
            if seen.looked.elapsed() < LOOK {
                return None;
            }
            seen.looked = Instant::now();
            seen.files.iter().map(|(path, _)| path.clone()).collect()
        };
        let files = tokio::task::spawn_blocking(move || read(paths)).await.ok()?;
        {
            let mut seen = self.seen();
            if seen.files == files {
                return None;
            }
            seen.files = files;
        }
        match self.reread().await {
            Ok(clients) => {
                tracing::info!(context = self.context, "the credentials have changed; going on with these");
                Some(clients)
            }
            Err(error) => {
                tracing::warn!(context = self.context, %error, "the credentials have changed, and cannot be used; going on with those before");
                None
            }
        }
    }

    async fn reread(self: &Arc<Credentials>) -> Result<Clients, StartError> {
        let mut kubeconfig = self.place.read()?.unwrap_or_default();
        kubeconfig::choose(&mut kubeconfig, Some(self.context.clone()))?;
        // It may name others now.
        let paths = named(&self.place, &kubeconfig, &self.context);
        self.seen().files = tokio::task::spawn_blocking(move || read(paths)).await.unwrap_or_default();
        made(kubeconfig, &self.context, self.purpose).await
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn made(kubeconfig: Kubeconfig, context: &str, purpose: Purpose) -> Result<Clients, StartError> {
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(StartError::Kubeconfig)?;
    // May run a plugin.
    let made = tokio::task::spawn_blocking(move || clients(config, purpose)).await;
    made.map_err(|panic| StartError::Panicked(panic.to_string()))?
}

/// The files that a context is made of.
fn named(place: &Place, kubeconfig: &Kubeconfig, context: &str) -> Vec<PathBuf> {
    let context = kubeconfig.contexts.iter().find(|known| known.name == context);
    let context = context.and_then(|known| known.context.as_ref());
    let cluster = context.and_then(|context| {
        let known = kubeconfig.clusters.iter().find(|known| known.name == context.cluster)?;
        known.cluster.as_ref()
    });
    let user = context.and_then(|context| {
        let known = kubeconfig.auth_infos.iter().find(|known| Some(&known.name) == context.user.as_ref())?;
        known.auth_info.as_ref()
    });
    let authority = cluster.and_then(|cluster| cluster.certificate_authority.as_ref());
    let own = user.map(|user| [&user.client_certificate, &user.client_key, &user.token_file]);
    let named = own.into_iter().flatten().flatten().chain(authority).map(PathBuf::from);
    place.files().into_iter().chain(named).collect()
}

fn read(paths: Vec<PathBuf>) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    // The bytes, not their time: a Secret's volume is swapped behind symbolic links, and two writes may share one tick
    // of the file system's clock.
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).ok();
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}
