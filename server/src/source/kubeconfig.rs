//! Finding a cluster: `--kubeconfig`, else `KUBECONFIG`, else the pod's own service account, else
//! `~/.kube/config`.

use std::path::PathBuf;

use app::api::Text;
use kube::{
    Config,
    config::{AuthInfo, ExecInteractiveMode, KubeConfigOptions, Kubeconfig},
};

use super::{api_server::ApiServer, connection, read_only::ReadOnlyLayer};
use crate::error::StartError;

/// A cluster that was found.
pub struct Found {
    /// Its API.
    pub api: ApiServer,
    /// The context's name, or `in-cluster`.
    pub context: String,
    /// The context's namespace, if it names one.
    pub namespace: Option<Text>,
}

/// Finds the cluster that the flags name. With `reviews` it can be asked about visitors. `watches` is how many will be
/// open.
pub async fn find(
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    reviews: bool,
    watches: usize,
) -> Result<Found, StartError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).map(|home| home.join(".kube").join("config"));
    let mut looked = Vec::new();
    let found = if let Some(path) = &kubeconfig {
        Some(Kubeconfig::read_from(path).map_err(StartError::Kubeconfig)?)
    } else if let Some(merged) = Kubeconfig::from_env().map_err(StartError::Kubeconfig)? {
        Some(merged)
    } else {
        looked.push("KUBECONFIG (not set)".to_owned());
        None
    };
    if let Some(found) = found {
        return from_kubeconfig(found, context, reviews, watches).await;
    }
    if context.is_none() {
        match Config::incluster() {
            Ok(config) => {
                let namespace = Some(Text::from(config.default_namespace.as_str()));
                return Ok(Found {
                    api: api(config, reviews, watches)?,
                    context: "in-cluster".to_owned(),
                    namespace,
                });
            }
            Err(_) => looked.push("the service account of a pod (not running in one)".to_owned()),
        }
    }
    match home {
        Some(path) if path.exists() => {
            let found = Kubeconfig::read_from(&path).map_err(StartError::Kubeconfig)?;
            from_kubeconfig(found, context, reviews, watches).await
        }
        Some(path) => {
            looked.push(format!("{} (does not exist)", path.display()));
            Err(StartError::NoCluster { looked })
        }
        None => Err(StartError::NoCluster { looked }),
    }
}

async fn from_kubeconfig(
    mut kubeconfig: Kubeconfig,
    context: Option<String>,
    reviews: bool,
    watches: usize,
) -> Result<Found, StartError> {
    let Context { name, namespace } = choose(&mut kubeconfig, context)?;
    let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(StartError::Kubeconfig)?;
    Ok(Found { api: api(config, reviews, watches)?, context: name, namespace })
}

/// A context of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Its namespace, if it names one.
    pub namespace: Option<Text>,
}

/// The context that is meant, and nothing in the kubeconfig that would wait for somebody. Reads no other file, and runs
/// nothing.
pub fn choose(kubeconfig: &mut Kubeconfig, context: Option<String>) -> Result<Context, StartError> {
    let Some(name) = context.or_else(|| kubeconfig.current_context.clone()).filter(|name| !name.is_empty())
    else {
        return Err(StartError::NoContext { known: contexts(kubeconfig) });
    };
    let Some(found) = kubeconfig.contexts.iter().find(|context| context.name == name) else {
        return Err(StartError::UnknownContext { asked: name, known: contexts(kubeconfig) });
    };
    let namespace = found.context.as_ref().and_then(|context| context.namespace.as_deref()).map(Text::from);
    for user in &mut kubeconfig.auth_infos {
        // A plugin that asks on the terminal would wait for ever in a server.
        if let Some(exec) = user.auth_info.as_mut().and_then(|user| user.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    Ok(Context { name, namespace })
}

fn contexts(kubeconfig: &Kubeconfig) -> Vec<String> {
    kubeconfig.contexts.iter().map(|context| context.name.clone()).collect()
}

fn api(config: Config, reviews: bool, watches: usize) -> Result<ApiServer, StartError> {
    let client = |config: Config, layer: ReadOnlyLayer| {
        connection::client(config, layer, watches).map_err(|error| StartError::Client(Box::new(error)))
    };
    if !reviews {
        return Ok(ApiServer::new(client(config, ReadOnlyLayer::LISTS)?));
    }
    // Whoever asks with it brings their own token; Masthead's account must not answer for them.
    let mut visitors = config.clone();
    visitors.auth_info = AuthInfo::default();
    Ok(ApiServer::with_reviews(
        client(config, ReadOnlyLayer::LISTS_AND_TOKENS)?,
        client(visitors, ReadOnlyLayer::VISITORS)?,
    ))
}
