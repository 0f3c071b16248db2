//! How the provider is spoken to: HTTPS through what kube speaks to clusters with. No redirect is followed, and no
//! answer is waited for, or read, without end.

use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, url};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tower::{BoxError, ServiceExt, util::BoxCloneSyncService};

use super::SetupError;

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Discovery documents and key sets have a few kilobytes.
const LARGEST: usize = 1 << 20;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Not asked.
    #[error("refused to ask {0}: not https")]
    Plain(String),
    /// No connection, or one that broke.
    #[error("the connection failed")]
    Connection(#[source] BoxError),
    /// No answer in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
}

/// Asks a provider. A cheap clone.
#[derive(Clone, Debug)]
pub struct Transport {
    client: BoxCloneSyncService<Request<Full<Bytes>>, Response<Body>, BoxError>,
}

impl Transport {
    /// Trusts what the system trusts, or `ca` alone.
    pub fn new(ca: Option<&Path>) -> Result<Transport, SetupError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| SetupError::Trust(error.to_string()))?;
        let builder = match ca {
            Some(path) => builder.with_root_certificates(roots(path)?),
            None => builder.with_platform_verifier().map_err(|error| SetupError::Trust(error.to_string()))?,
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(builder.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
        let client = client.map_response(|response| response.map(Body::new)).map_err(BoxError::from);
        Ok(Transport { client: BoxCloneSyncService::new(client) })
    }

    /// To a provider inside this process.
    pub fn in_process(provider: Router) -> Transport {
        let client = provider
            .map_request(|request: Request<Full<Bytes>>| request.map(Body::new))
            .map_err(|never| match never {});
        Transport { client: BoxCloneSyncService::new(client) }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let address = request.uri().to_string();
        if !url::Url::parse(&address).is_ok_and(|url| is_private(&url)) {
            return Err(TransportError::Plain(address));
        }
        let answer = async {
            let response = self
                .client
                .clone()
                .oneshot(request.map(|body| Full::new(Bytes::from(body))))
                .await
                .map_err(TransportError::Connection)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(TransportError::Connection)?;
            Ok(Response::from_parts(head, body.to_bytes().to_vec()))
        };
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| TransportError::Silent)?
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// Whether nobody between can read or change what is said there: https, or this very machine.
pub fn is_private(url: &url::Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

fn roots(path: &Path) -> Result<RootCertStore, SetupError> {
    let failed = |because: String| SetupError::Ca { path: path.to_owned(), because };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(failed("there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine_is_asked() {
        for (address, asked) in [
            ("https://id.example", true),
            ("http://localhost:8080/realm", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://id.example", false),
            ("http://localhost.evil.example", false),
            ("http://10.0.0.1", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(url::Url::parse(address).is_ok_and(|url| is_private(&url)), asked, "{address}");
        }
    }
}
