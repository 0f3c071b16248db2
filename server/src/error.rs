//! Why Masthead does not start, each with what to do next.

use std::{io, net::SocketAddr, path::PathBuf};

use kube::{client::AuthError, config::KubeconfigError};

use crate::{
    audience::door::{oidc, token::TokenError},
    front::tls::TlsError,
};

/// A failure to start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum StartError {
    #[error(
        "no cluster was found. Looked at:\n{}\nName a kubeconfig with --kubeconfig or KUBECONFIG, or see Masthead without a cluster: --demo",
        indented(looked)
    )]
    NoCluster { looked: Vec<String> },

    #[error("the kubeconfig cannot be used: {}", chain(.0))]
    Kubeconfig(#[source] KubeconfigError),

    #[error(
        "the kubeconfig has no current context. Name one with --context; there are:\n{}",
        indented(known)
    )]
    NoContext { known: Vec<String> },

    #[error("the kubeconfig has no context '{asked}'. There are:\n{}", indented(known))]
    UnknownContext { asked: String, known: Vec<String> },

    #[error("no client for this cluster: {}", chain(.0))]
    Client(#[source] Box<kube::Error>),

    #[error(
        "refused to listen on {0}, which others can reach, before it is said who may look. Choose: --auth token with --auth-token-file FILE, --auth proxy behind a proxy that signs people in, --auth oidc with an identity provider, --auth kubernetes for whoever has a token of the cluster, or --auth none if whoever reaches this address may see the cluster. Or listen on 127.0.0.1 or [::1] (and reach it with an SSH tunnel or kubectl port-forward)"
    )]
    NobodyAsked(SocketAddr),

    #[error("--auth token: {0}. Make one with: (umask 077; openssl rand -hex 32 > FILE)")]
    Token(#[source] TokenError),

    #[error("--tls-cert and --tls-key: {0}")]
    Tls(#[source] TlsError),

    #[error("--auth oidc: {0}")]
    Oidc(#[source] oidc::SetupError),

    #[error("--auth oidc: {0}")]
    OidcMail(#[source] oidc::BadMail),

    #[error("--oidc-client-secret-file {}: {because}", file.display())]
    ClientSecret { file: PathBuf, because: String },

    #[error(
        "--demo has no tokens, so that --auth kubernetes would let nobody in. Choose another --auth, or a cluster"
    )]
    DemoHasNoTokens,

    #[error("--auth {auth} needs {flag}")]
    Missing { auth: &'static str, flag: &'static str },

    #[error("{flag} is for --auth {auth}, which is not chosen; leave it out or choose that")]
    Unused { auth: &'static str, flag: &'static str },

    #[error("cannot listen on {address}: {error}. Is something else there? Choose another with --listen")]
    Listen { address: SocketAddr, error: io::Error },

    #[error("{0}")]
    Link(#[from] crate::audience::links::LinkError),

    #[error(
        "links are made in the file that the server keeps them in: name it with --state or MASTHEAD_STATE, as for the server"
    )]
    NoState,

    #[error("what is shared cannot be read: {0}")]
    State(#[source] crate::audience::register::RegisterError),

    #[error("the server failed: {0}")]
    Serve(#[source] io::Error),

    #[error("a part of Masthead panicked, which is a bug: {0}")]
    Panicked(String),

    #[error("'{0}' is no namespace: lower-case letters, digits and '-', at most 63")]
    Namespace(String),
}

fn indented(lines: &[String]) -> String {
    if lines.is_empty() {
        return "  (none)".to_owned();
    }
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Checks what `--namespace` names (apimachinery `IsDNS1123Label`).
pub fn namespaces(named: &[String]) -> Result<Vec<app::api::Text>, StartError> {
    let label = |name: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        (1..=63).contains(&name.len())
            && name.bytes().all(|b| plain(b) || b == b'-')
            && name.bytes().next().is_some_and(plain)
            && name.bytes().next_back().is_some_and(plain)
    };
    let mut namespaces = Vec::new();
    for name in named {
        if !label(name) {
            return Err(StartError::Namespace(name.clone()));
        }
        namespaces.push(app::api::Text::from(name.as_str()));
    }
    namespaces.sort();
    namespaces.dedup();
    Ok(namespaces)
}

/// An error with its causes: hyper's own text ("client error (Connect)") says nothing by itself.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(text) = std::iter::successors(Some(error), |error| error.source()).find_map(without_secrets) {
        return text;
    }
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string();
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        next = error.source();
    }
    text
}

/// What may be said of errors that quote what they could not read: a kubeconfig, or what a plugin wrote.
fn without_secrets(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let place = |location: Option<(u64, u64)>| match location {
        Some((line, column)) => format!(", line {line}, column {column}"),
        None => String::new(),
    };
    if let Some(KubeconfigError::Parse(error)) = error.downcast_ref() {
        let at = place(error.location().map(|at| (at.line(), at.column())));
        return Some(format!("it cannot be read as one{at}"));
    }
    match error.downcast_ref()? {
        AuthError::AuthExecRun { out, .. } => {
            Some(format!("the plugin for credentials failed: {}", out.status))
        }
        AuthError::AuthExecParse(error) => {
            let at = place(error.location().map(|at| (at.line(), at.column())));
            Some(format!("what the plugin for credentials says cannot be read{at}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kube::config::Kubeconfig;

    use super::*;

    #[test]
    fn what_cannot_be_read_of_a_kubeconfig_is_not_quoted() {
        let cut_off = "apiVersion: v1\nkind: Config\nusers:\n- name: me\n  user:\n    token: geheim\n    client-key-data: [verborgen";
        let error = Kubeconfig::from_yaml(cut_off).expect_err("cut off");
        let text = StartError::Kubeconfig(error).to_string();
        assert!(text.contains("line "), "{text}");
        assert!(!text.contains("geheim") && !text.contains("verborgen"), "{text}");
    }

    #[test]
    fn nor_is_what_a_plugin_wrote() {
        use std::os::unix::process::ExitStatusExt;
        let out = std::process::Output {
            status: std::process::ExitStatus::from_raw(256),
            stdout: b"geheim".to_vec(),
            stderr: Vec::new(),
        };
        let error =
            kube::Error::Auth(AuthError::AuthExecRun { cmd: "aws geheim".to_owned(), out: Box::new(out) });
        let text = chain(&error);
        assert_eq!(text, "the plugin for credentials failed: exit status: 1");
    }
}
