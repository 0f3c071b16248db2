//! TLS that ends here: `--tls-cert` and `--tls-key`, read anew when the files change.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::metrics::Metrics;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum TlsError {
    #[error("{} cannot be read: {error}", file.display())]
    Unreadable { file: PathBuf, error: io::Error },
    #[error("{} is no {what} in PEM: {error}", file.display())]
    NotPem { file: PathBuf, what: &'static str, error: rustls::pki_types::pem::Error },
    #[error("{} has no certificate in it", file.display())]
    Empty { file: PathBuf },
    #[error("the certificate in {} and the key in {} do not go together: {error}", cert.display(), key.display())]
    Mismatch { cert: PathBuf, key: PathBuf, error: rustls::Error },
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A certificate and its key, as their files have them. A cheap clone.
#[derive(Clone)]
pub struct Tls {
    files: Arc<Files>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.files.cert).finish()
    }
}

#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    certified: Arc<CertifiedKey>,
    /// What the files were when they were last read, good or bad.
    seen: [Vec<u8>; 2],
    wrong: Option<String>,
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().certified.clone())
    }
}

impl Tls {
    /// Reads both files.
    pub fn open(cert: &Path, key: &Path) -> Result<Tls, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let seen = [read(cert)?, read(key)?];
        let certified = certified(cert, key, &seen, &provider)?;
        let files = Arc::new(Files {
            cert: cert.to_owned(),
            key: key.to_owned(),
            provider: provider.clone(),
            current: Mutex::new(Current { certified, seen, wrong: None }),
        });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(files.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { files, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Shakes hands.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }

    /// Looks each second whether there is a new certificate; never returns. What cannot be used takes nobody's place.
    pub(crate) async fn keep(&self, metrics: &Metrics) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let files = self.files.clone();
            if let Ok(good) = tokio::task::spawn_blocking(move || files.reread()).await {
                metrics.certificate(good);
            }
        }
    }
}

impl Files {
    /// Whether what the files have is what is served.
    fn reread(&self) -> bool {
        // The bytes, not their time: a Secret's volume is swapped behind symbolic links, and two writes may share one
        // tick of the file system's clock.
        let read = read(&self.cert).and_then(|cert| Ok([cert, read(&self.key)?]));
        let read = match read {
            Ok(read) if read == self.current().seen => return self.current().wrong.is_none(),
            Ok(read) => read,
            Err(error) => return self.keep_old(None, &error),
        };
        match certified(&self.cert, &self.key, &read, &self.provider) {
            Ok(certified) => {
                tracing::info!(file = %self.cert.display(), "a new certificate");
                *self.current() = Current { certified, seen: read, wrong: None };
                true
            }
            Err(error) => self.keep_old(Some(read), &error),
        }
    }

    fn keep_old(&self, seen: Option<[Vec<u8>; 2]>, error: &TlsError) -> bool {
        let mut current = self.current();
        let wrong = error.to_string();
        if current.wrong.as_ref() != Some(&wrong) {
            tracing::error!(%error, "the certificate stays what it was");
            current.wrong = Some(wrong);
        }
        // Unreadable files may come back as they were.
        current.seen = seen.unwrap_or_default();
        false
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // Nothing panics while it is held.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| TlsError::Unreadable { file: file.to_owned(), error })
}

fn certified(
    cert: &Path,
    key: &Path,
    [chain, secret]: &[Vec<u8>; 2],
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let not_pem = |file: &Path, what| {
        let file = file.to_owned();
        move |error| TlsError::NotPem { file, what, error }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(not_pem(cert, "certificate"))?;
    if chain.is_empty() {
        return Err(TlsError::Empty { file: cert.to_owned() });
    }
    let secret = PrivateKeyDer::from_pem_slice(secret).map_err(not_pem(key, "private key"))?;
    let certified = CertifiedKey::from_der(chain, secret, provider);
    certified.map(Arc::new).map_err(|error| TlsError::Mismatch {
        cert: cert.to_owned(),
        key: key.to_owned(),
        error,
    })
}
