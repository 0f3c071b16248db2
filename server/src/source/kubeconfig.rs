//! Finding a cluster: `--kubeconfig`, else `KUBECONFIG`, else the pod's own service account, else
//! `~/.kube/config`.

use std::path::PathBuf;

use app::api::Text;
use kube::{
    Config,
    config::{ExecInteractiveMode, Kubeconfig},
};

use super::{
    api_server::ApiServer,
    credentials::{self, Credentials, Place, Purpose},
};
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

/// Finds the cluster that the flags name, for a purpose.
pub async fn find(
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    purpose: Purpose,
) -> Result<Found, StartError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).map(|home| home.join(".kube").join("config"));
    let mut looked = Vec::new();
    let place = kubeconfig.map_or(Place::Environment, Place::File);
    if let Some(kubeconfig) = place.read()? {
        return open(place, kubeconfig, context, purpose).await;
    }
    looked.push("KUBECONFIG (not set)".to_owned());
    if context.is_none() {
        match Config::incluster() {
            Ok(config) => {
                let namespace = Some(Text::from(config.default_namespace.as_str()));
                let api = ApiServer::new(credentials::clients(config, purpose)?, None);
                return Ok(Found { api, context: "in-cluster".to_owned(), namespace });
            }
            Err(_) => looked.push("the service account of a pod (not running in one)".to_owned()),
        }
    }
    let Some(path) = home else { return Err(StartError::NoCluster { looked }) };
    if !path.exists() {
        looked.push(format!("{} (does not exist)", path.display()));
        return Err(StartError::NoCluster { looked });
    }
    let place = Place::File(path);
    let kubeconfig = place.read()?.unwrap_or_default();
    open(place, kubeconfig, context, purpose).await
}

async fn open(
    place: Place,
    mut kubeconfig: Kubeconfig,
    context: Option<String>,
    purpose: Purpose,
) -> Result<Found, StartError> {
    let Context { name, namespace } = choose(&mut kubeconfig, context)?;
    let (clients, credentials) = Credentials::open(place, kubeconfig, name.clone(), purpose).await?;
    Ok(Found { api: ApiServer::new(clients, Some(credentials)), context: name, namespace })
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
