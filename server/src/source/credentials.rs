//! ① Who is who, as a kubeconfig and the files it names have it, while Masthead runs: client certificates are renewed,
//! tokens replaced, authorities changed. When the API server cannot be reached or refuses who asks, and these files
//! are not what they were, they are read again and everything goes on with what they say now; client-go looks at client
//! certificates the same way (`transport/cert_rotation.go`). In a pod kube itself reads token and authority again, and
//! runs plugins again whose tokens say when they end. Those whose do not, or that give certificates, are run again when the
//! API server does not accept what they gave, as client-go does (`plugin/pkg/client/auth/exec/exec.go`).

use std::{
    fmt,
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::{
    Config,
    config::{AuthInfo, Context, KubeConfigOptions, Kubeconfig},
};
use sha2::{Digest, Sha256};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use super::{api_server::Clients, connection, kubeconfig, read_only::ReadOnlyLayer};
use crate::error::StartError;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(1);
/// How often a plugin is run again, at most, because what it gave is not accepted.
const RUN: Duration = Duration::from_secs(10);
/// How long it may take to make other clients: a plugin may have to ask somebody.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long more it is given up.
const LATE: Duration = Duration::from_secs(600);

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

/// A context of a kubeconfig, and what its files were when they were last used. Shared by all who talk to the cluster.
pub struct Credentials {
    place: Place,
    context: String,
    purpose: Purpose,
    last: Mutex<Last>,
}

struct Last {
    used: Files,
    /// When clients were last made, if a plugin was run for that.
    ran: Option<Instant>,
    looked: Instant,
    /// Looks by itself: whoever was refused does not wait for it, nor end it by going away.
    looking: Option<AbortOnDropHandle<()>>,
}

/// Each file, and a digest of what was in it, if it could be read.
type Files = Vec<(PathBuf, Option<[u8; 32]>)>;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("context", &self.context).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The clients that a context of a kubeconfig makes, and what will make others.
    pub async fn open(
        place: Place,
        kubeconfig: Kubeconfig,
        context: String,
        purpose: Purpose,
    ) -> Result<(Clients, Arc<Credentials>), StartError> {
        let used = digests(named(&place, &kubeconfig, &context));
        let ran = runs_plugin(&kubeconfig, &context).then(Instant::now);
        let clients = made(kubeconfig, &context, purpose).await?;
        let last = Mutex::new(Last { used, ran, looked: Instant::now(), looking: None });
        Ok((clients, Arc::new(Credentials { place, context, purpose, last })))
    }

    /// Looks whether the files are others by now, if that was not a moment ago; if so, or if a plugin has what may be
    /// accepted where what there is `is_refused`, `clients` are replaced before long. What cannot be used takes nobody's
    /// place.
    pub fn look(self: &Arc<Credentials>, clients: &watch::Sender<Clients>, is_refused: bool) {
        let mut last = self.last();
        let busy = last.looking.as_ref().is_some_and(|task| !task.is_finished());
        if busy || last.looked.elapsed() < LOOK {
            return;
        }
        last.looked = Instant::now();
        let (credentials, clients) = (self.clone(), clients.clone());
        last.looking = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let mut renewed = pin!(credentials.renewed(is_refused));
            let mut had = tokio::time::timeout(PATIENCE, &mut renewed).await;
            if had.is_err() {
                tracing::warn!(
                    context = credentials.context,
                    "the credentials have changed, and are not had in time"
                );
                // A plugin that waits for somebody is not run again beside itself.
                had = tokio::time::timeout(LATE, renewed).await;
            }
            match had {
                Ok(None) | Err(_) => {}
                Ok(Some(Ok(new))) => {
                    tracing::info!(context = credentials.context, "going on with other credentials");
                    clients.send_replace(new);
                }
                Ok(Some(Err(error))) => {
                    tracing::warn!(context = credentials.context, %error, "the credentials have changed and cannot be used; going on with those before");
                }
            }
        })));
    }

    /// Other clients, if the files are not what they were, or what a plugin gave is refused.
    async fn renewed(&self, is_refused: bool) -> Option<Result<Clients, StartError>> {
        let paths = self.last().used.iter().map(|(path, _)| path.clone()).collect();
        let files = read(move || digests(paths)).await?;
        let runs_again = is_refused && self.last().ran.is_some_and(|ran| ran.elapsed() > RUN);
        if self.last().used == files && !runs_again {
            return None;
        }
        if runs_again {
            self.last().ran = Some(Instant::now());
        }
        let place = self.place.clone();
        let kubeconfig = read(move || place.read()).await?;
        let (clients, files) = match kubeconfig {
            Ok(kubeconfig) => self.remade(kubeconfig.unwrap_or_default(), files).await,
            Err(error) => (Err(error), files),
        };
        // Usable or not, they are not tried again until they are others. What was written meanwhile is.
        self.last().used = files;
        Some(clients)
    }

    /// The clients of a kubeconfig, and all its files; `files`, read before it, are those it was made of before.
    async fn remade(
        &self,
        mut kubeconfig: Kubeconfig,
        mut files: Files,
    ) -> (Result<Clients, StartError>, Files) {
        if let Err(error) = kubeconfig::choose(&mut kubeconfig, Some(self.context.clone())) {
            return (Err(error), files);
        }
        // It may name others now.
        let mut others = named(&self.place, &kubeconfig, &self.context);
        others.retain(|path| files.iter().all(|(known, _)| known != path));
        files.extend(read(move || digests(others)).await.unwrap_or_default());
        self.last().ran = runs_plugin(&kubeconfig, &self.context).then(Instant::now);
        (made(kubeconfig, &self.context, self.purpose).await, files)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn made(kubeconfig: Kubeconfig, context: &str, purpose: Purpose) -> Result<Clients, StartError> {
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(StartError::Kubeconfig)?;
    // May run a plugin.
    let made = tokio::task::spawn_blocking(move || {
        trim_token(&mut config);
        clients(config, purpose)
    })
    .await;
    made.map_err(|panic| StartError::Panicked(panic.to_string()))?
}

/// A token in a file is what stands there without the line's end, as client-go takes it (`transport/token_source.go`);
/// kube takes the file's every byte, which no header may have.
fn trim_token(config: &mut Config) {
    let Some(file) = &config.auth_info.token_file else { return };
    if let Ok(text) = std::fs::read_to_string(file)
        && text.trim() != text
    {
        config.auth_info.token = Some(text.trim().to_owned().into());
    }
}

fn chosen<'a>(kubeconfig: &'a Kubeconfig, context: &str) -> Option<&'a Context> {
    kubeconfig.contexts.iter().find(|known| known.name == context)?.context.as_ref()
}

fn user<'a>(kubeconfig: &'a Kubeconfig, context: &str) -> Option<&'a AuthInfo> {
    let name = chosen(kubeconfig, context)?.user.as_ref()?;
    kubeconfig.auth_infos.iter().find(|known| known.name == *name)?.auth_info.as_ref()
}

/// Whether somebody else says who is who in a context.
fn runs_plugin(kubeconfig: &Kubeconfig, context: &str) -> bool {
    user(kubeconfig, context).is_some_and(|user| user.exec.is_some())
}

/// The files that a context is made of.
fn named(place: &Place, kubeconfig: &Kubeconfig, context: &str) -> Vec<PathBuf> {
    let cluster = chosen(kubeconfig, context).and_then(|context| {
        let known = kubeconfig.clusters.iter().find(|known| known.name == context.cluster)?;
        known.cluster.as_ref()
    });
    let authority = cluster.and_then(|cluster| cluster.certificate_authority.as_ref());
    let own =
        user(kubeconfig, context).map(|user| [&user.client_certificate, &user.client_key, &user.token_file]);
    let named = own.into_iter().flatten().flatten().chain(authority).map(PathBuf::from);
    place.files().into_iter().chain(named).collect()
}

/// What their bytes are, not their time: a Secret's volume is swapped behind symbolic links, and two writes may share
/// one tick of the file system's clock.
fn digests(paths: Vec<PathBuf>) -> Files {
    let digest = |path: PathBuf| {
        let digest = std::fs::read(&path).ok().map(|bytes| Sha256::digest(bytes).into());
        (path, digest)
    };
    paths.into_iter().map(digest).collect()
}

/// Reads files where that may take its time.
async fn read<T: Send + 'static>(files: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(files).await.ok()
}
