//! What the provider says of itself: its addresses and its keys (OpenID Connect Discovery 1.0). One task asks, waits
//! longer after each failure, and asks again when a token names a key that is not known.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use openidconnect::{
    ClientId, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenFields, IssuerUrl, ProviderMetadataWithLogout, Scope, StandardErrorResponse,
    StandardTokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    Settings,
    check::Extra,
    transport::{Transport, TransportError, is_private},
};
use crate::source::backoff::Backoff;

/// Keys and addresses are asked for anew this often, whether or not anything seems to have changed.
const REFRESH: Duration = Duration::from_secs(60 * 60);
/// At most so many times ...
const BURST: usize = 3;
/// ... within so long, however many tokens name unknown keys.
const WINDOW: Duration = Duration::from_secs(60);
/// How long a provider that failed is left in peace, however many want to sign in.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a sign-in waits for an answer that it needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tokens as they come from the provider.
pub type Tokens = StandardTokenResponse<
    IdTokenFields<
        Extra,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// The library's client, with every claim of a token kept.
pub type Client = openidconnect::Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider as it described itself.
#[derive(Debug)]
pub struct Provider {
    /// Its addresses and keys.
    pub metadata: ProviderMetadataWithLogout,
}

impl Provider {
    /// To speak with it as `settings` say.
    pub fn client(&self, settings: &Settings) -> Client {
        let client = Client::from_provider_metadata(
            self.metadata.clone(),
            ClientId::new(settings.client_id.clone()),
            settings.secret(),
        );
        // Discovery 1.0 §3: client_secret_basic, where nothing is said.
        let basic = self.metadata.token_endpoint_auth_methods_supported().is_none_or(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                || !methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        client.set_auth_type(if basic {
            openidconnect::AuthType::BasicAuth
        } else {
            openidconnect::AuthType::RequestBody
        })
    }

    /// What is asked for beyond `openid`: as `settings` say, or else names, addresses, and groups where there is a scope
    /// for them; some providers refuse those they do not know.
    pub fn scopes(&self, settings: &Settings) -> Vec<Scope> {
        if !settings.scopes.is_empty() {
            let more = settings.scopes.iter().filter(|scope| *scope != "openid");
            return more.map(|scope| Scope::new(scope.clone())).collect();
        }
        let groups = Scope::new("groups".to_owned());
        let groups =
            self.metadata.scopes_supported().is_some_and(|known| known.contains(&groups)).then_some(groups);
        ["profile", "email"].map(|scope| Scope::new(scope.to_owned())).into_iter().chain(groups).collect()
    }
}

/// What is known of the provider now.
#[derive(Clone, Debug)]
pub enum Known {
    /// It has been asked for the first time and has not answered.
    Asking,
    /// It has never answered well; why not, in a few words.
    Unreachable(Arc<str>),
    /// Its last good answer.
    Ready(Arc<Provider>),
}

/// Asks the provider about itself, and remembers.
#[derive(Debug)]
pub struct Issuer {
    url: IssuerUrl,
    transport: Transport,
    known: watch::Sender<Known>,
    wanted: Notify,
}

impl Issuer {
    /// Of a provider that need not be there yet.
    pub fn new(url: IssuerUrl, transport: Transport) -> Issuer {
        Issuer { url, transport, known: watch::Sender::new(Known::Asking), wanted: Notify::new() }
    }

    /// What is known now.
    pub fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    /// The provider, if it has ever answered, or does so when it is asked once more.
    pub async fn ready(&self) -> Result<Arc<Provider>, Arc<str>> {
        let mut known = self.known.subscribe();
        let waits = match &*known.borrow_and_update() {
            Known::Ready(_) => false,
            Known::Asking => true,
            // Somebody wants to come in now: not the moment to wait for the next try.
            Known::Unreachable(_) => {
                self.wanted.notify_one();
                true
            }
        };
        if waits {
            // Whatever comes of it is known then.
            let _ = tokio::time::timeout(PATIENCE, known.changed()).await;
        }
        match self.known() {
            Known::Ready(provider) => Ok(provider),
            Known::Unreachable(because) => Err(because),
            Known::Asking => Err(Arc::from("it has not answered yet")),
        }
    }

    /// What the provider says of itself now, if it says so soon, and has not been asked too often.
    pub async fn newer(&self, than: &Arc<Provider>) -> Option<Arc<Provider>> {
        let mut known = self.known.subscribe();
        let newer = |known: &Known| matches!(known, Known::Ready(now) if !Arc::ptr_eq(now, than));
        if !newer(&known.borrow()) {
            self.wanted.notify_one();
        }
        let answered = tokio::time::timeout(PATIENCE, known.wait_for(newer)).await;
        match answered.ok()?.ok().map(|known| known.clone())? {
            Known::Ready(provider) => Some(provider),
            _ => None,
        }
    }

    /// Asks for as long as it is run.
    pub async fn run(&self) {
        let mut backoff = Backoff::default();
        let mut asked = VecDeque::new();
        loop {
            asked.push_back(Instant::now());
            match self.ask().await {
                Ok(provider) => {
                    backoff.reset();
                    if matches!(self.known(), Known::Unreachable(_)) {
                        tracing::info!(issuer = self.url.as_str(), "the identity provider answers");
                    }
                    self.known.send_replace(Known::Ready(Arc::new(provider)));
                    tokio::select! {
                        () = tokio::time::sleep(REFRESH) => {}
                        () = self.wanted.notified() => {}
                    }
                    if asked.len() == BURST
                        && let Some(first) = asked.pop_front()
                    {
                        tokio::time::sleep_until(first + WINDOW).await;
                    }
                }
                Err(because) => {
                    self.trouble(because);
                    asked.clear();
                    tokio::select! {
                        () = tokio::time::sleep(backoff.next()) => {}
                        () = self.wanted.notified() => tokio::time::sleep(AGAIN).await,
                    }
                }
            }
        }
    }

    /// Says so once, until it is another trouble. What was known before stays good.
    fn trouble(&self, because: Trouble) {
        let words = because.to_string();
        let new = match self.known() {
            Known::Ready(_) => true,
            before => {
                // Told even if it is the same as before: somebody may wait for what comes of it.
                self.known.send_replace(Known::Unreachable(Arc::from(words.as_str())));
                !matches!(before, Known::Unreachable(before) if *before == *words)
            }
        };
        if new {
            tracing::warn!(
                issuer = self.url.as_str(),
                because = because.chain(),
                "the identity provider cannot be asked about itself"
            );
        }
    }

    async fn ask(&self) -> Result<Provider, Trouble> {
        let metadata = ProviderMetadataWithLogout::discover_async(self.url.clone(), &self.transport)
            .await
            .map_err(Trouble::Discovery)?;
        if metadata.token_endpoint().is_none() {
            return Err(Trouble::NoTokens);
        }
        let end = metadata.additional_metadata().end_session_endpoint.as_ref();
        let shown = std::iter::once(metadata.authorization_endpoint().url()).chain(end.map(|end| end.url()));
        // Those that we ask ourselves the transport checks.
        for url in shown {
            if !is_private(url) {
                return Err(Trouble::Plain(url.to_string()));
            }
        }
        Ok(Provider { metadata })
    }
}

/// Why it could not be asked about itself; in words that say nothing of the network behind us.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{}", in_words(.0))]
    Discovery(#[source] DiscoveryError<TransportError>),
    #[error("it offers no authorization code flow")]
    NoTokens,
    #[error("its sign-in page is not https")]
    Plain(String),
}

fn in_words(error: &DiscoveryError<TransportError>) -> String {
    match error {
        DiscoveryError::Request(TransportError::Silent) => "it does not answer".to_owned(),
        DiscoveryError::Request(TransportError::Connection(_)) => "it cannot be reached".to_owned(),
        DiscoveryError::Request(TransportError::Plain(_)) => "one of its addresses is not https".to_owned(),
        DiscoveryError::Response(status, ..) => {
            format!("it answered {} about itself", status.as_u16())
        }
        DiscoveryError::Validation(_) => "it calls itself by another name than --oidc-issuer".to_owned(),
        _ => "what it says about itself cannot be read".to_owned(),
    }
}

impl Trouble {
    /// For the log: all that is known.
    fn chain(&self) -> String {
        match self {
            Trouble::Discovery(DiscoveryError::Response(_, _, text) | DiscoveryError::Validation(text)) => {
                text.clone()
            }
            Trouble::Plain(address) => format!("{self}: {address}"),
            Trouble::Discovery(error) => crate::error::chain(error),
            Trouble::NoTokens => self.to_string(),
        }
    }
}
