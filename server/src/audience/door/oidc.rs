//! `--auth oidc`: visitors sign in at an OpenID Connect provider (authorization code flow with PKCE; OpenID Connect
//! Core 1.0 §3.1, RFC 7636).
//!
//! A sign-in is begun here ([`Oidc::begin`]), goes on in the browser at the provider, and comes back with a code that
//! is exchanged and checked ([`Oidc::finish`]). Nothing that the provider hands out is kept: what remains is a name.

mod allow;
mod check;
mod issuer;
mod pending;
mod transport;

use std::{path::PathBuf, sync::Arc};

use app::api::Text;
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndSessionUrl, IssuerUrl,
    LogoutRequest, Nonce, PkceCodeChallenge, PostLogoutRedirectUrl, RedirectUrl, core::CoreResponseType,
};
use secrecy::SecretString;

pub use self::allow::{Allow, BadMail};
use self::{
    check::Identity,
    issuer::{Issuer, Known, Provider},
    pending::{Attempt, Pending},
    transport::Transport,
};

/// The cookie that binds a sign-in to the browser it was begun in. `Lax`, not `Strict`: the provider's page sends the
/// browser back, and that is another site's doing.
pub const COOKIE: &str = "__Host-masthead-oidc";

/// What `--oidc-…` says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider, exactly as it calls itself.
    pub issuer: String,
    /// Masthead's name there.
    pub client_id: String,
    /// Masthead's secret there; `None` for a public client, which has PKCE alone.
    pub client_secret: Option<SecretString>,
    /// Who may come in.
    pub allow: Allow,
    /// The claim that names groups: a name, or a path with dots (`realm_access.roles`).
    pub groups_claim: String,
    /// What is asked for beyond `openid`; if empty, what the provider is known to have.
    pub scopes: Vec<String>,
    /// The certificates that the provider's is trusted by, instead of the system's.
    pub ca: Option<PathBuf>,
    /// Where browsers find Masthead, without a path; else as each request says.
    pub public: Option<String>,
}

/// Why `--auth oidc` cannot be set up.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum SetupError {
    #[error(
        "--oidc-issuer '{0}' is no address: it is what the provider's discovery document says under \"issuer\""
    )]
    Issuer(String),
    #[error(
        "--oidc-issuer '{0}' is not https. Over plain http anybody between could sign in as anyone; only a provider on this machine (localhost) may have it"
    )]
    Plain(String),
    #[error("--oidc-ca {path}: {because}", path = path.display())]
    Ca { path: PathBuf, because: String },
    #[error("the system's certificates cannot be used: {0}")]
    Trust(String),
}

/// Why somebody is not let in. Each is a sentence for the sign-in page; none has a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody can sign in now.
    #[error(
        "{provider} cannot be asked who you are: {because}. Masthead keeps trying; try again in a moment."
    )]
    Unreachable {
        /// The provider's name.
        provider: String,
        /// In a few words.
        because: String,
    },
    /// The provider said no.
    #[error("{provider} did not let you in: {said}.")]
    Refused {
        /// The provider's name.
        provider: String,
        /// Its own words.
        said: String,
    },
    /// The way back does not belong to a way out of this browser.
    #[error(
        "This sign-in was not begun in this browser, was finished already, or took longer than ten minutes. Begin again."
    )]
    NotBegunHere,
    /// What came back is not what an honest provider sends.
    #[error(
        "What {provider} sent cannot be trusted: {because}. Whoever runs Masthead finds more in its log."
    )]
    Untrusted {
        /// The provider's name.
        provider: String,
        /// In a few words.
        because: String,
    },
    /// Known, and not among those who may.
    #[error("{provider} says that you are {who}, and that is not enough: {needed}.")]
    NotAllowed {
        /// The provider's name.
        provider: String,
        /// Whom it says they are.
        who: String,
        /// What would be enough.
        needed: String,
    },
}

/// Who came back from the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The same for as long as the provider knows them, and nobody else's.
    pub subject: Text,
    /// For people to read.
    pub name: Text,
    /// The groups they are known to be in.
    pub groups: Vec<Text>,
    /// The page they wanted.
    pub next: String,
}

/// The way out to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Where the browser goes.
    pub location: String,
    /// The value of [`COOKIE`].
    pub cookie: String,
}

/// What the browser brings back (RFC 6749 §4.1.2, RFC 9207).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Returned {
    /// Whose answer this is.
    pub state: Option<String>,
    /// To be exchanged, once.
    pub code: Option<String>,
    /// The provider that sent it.
    pub iss: Option<String>,
    /// Instead of a code.
    pub error: Option<String>,
    /// More about it.
    pub error_description: Option<String>,
}

/// Signing in at a provider. A cheap clone.
#[derive(Clone, Debug)]
pub struct Oidc(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    /// For people: the host of the issuer.
    provider: String,
    issuer: Issuer,
    transport: Transport,
    pending: Pending,
}

impl Oidc {
    /// With a provider that need not be there yet. Whoever has this runs [`Oidc::run`].
    pub fn new(settings: Settings) -> Result<Oidc, SetupError> {
        let transport = Transport::new(settings.ca.as_deref())?;
        Oidc::over(transport, settings)
    }

    /// With a provider inside this process, which is asked whatever its addresses say.
    pub fn in_process(settings: Settings, provider: axum::Router) -> Result<Oidc, SetupError> {
        Oidc::over(Transport::in_process(provider), settings)
    }

    fn over(transport: Transport, settings: Settings) -> Result<Oidc, SetupError> {
        let url = IssuerUrl::new(settings.issuer.clone())
            .map_err(|_| SetupError::Issuer(settings.issuer.clone()))?;
        if !transport::is_private(url.url()) {
            return Err(SetupError::Plain(settings.issuer));
        }
        let provider = url.url().host_str().unwrap_or("the provider").to_owned();
        let issuer = Issuer::new(url, transport.clone());
        Ok(Oidc(Arc::new(Inner { settings, provider, issuer, transport, pending: Pending::default() })))
    }

    /// Keeps what the provider says of itself current; never returns. Somebody has to run it.
    pub async fn run(&self) {
        self.0.issuer.run().await;
    }

    /// Where browsers find Masthead, if that was said.
    pub fn public(&self) -> Option<&str> {
        self.0.settings.public.as_deref()
    }

    /// The provider's name for people.
    pub fn provider(&self) -> &str {
        &self.0.provider
    }

    /// Why nobody can sign in now, if so.
    pub fn trouble(&self) -> Option<Denied> {
        match self.0.issuer.known() {
            Known::Ready(_) | Known::Asking => None,
            Known::Unreachable(because) => Some(self.unreachable(&because)),
        }
    }

    /// Begins a sign-in whose browser has `cookie` from an earlier one, if any. `redirect` is where the provider sends
    /// it back to; `next` is where it wants to be.
    pub async fn begin(&self, redirect: &str, next: &str, cookie: Option<&str>) -> Result<Begun, Denied> {
        let provider = self.ready().await?;
        let redirect = self.redirect(redirect)?;
        let client = provider.client(&self.0.settings);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        // 256 random bits each, in place of the library's 128.
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new_random_len(32),
                || Nonce::new_random_len(32),
            )
            .set_redirect_uri(std::borrow::Cow::Borrowed(&redirect))
            .set_pkce_challenge(challenge);
        for scope in provider.scopes(&self.0.settings) {
            request = request.add_scope(scope);
        }
        let (location, state, nonce) = request.url();
        let attempt = Attempt { nonce, verifier, redirect, next: next.to_owned() };
        let cookie = self.0.pending.begin(state.into_secret(), attempt, cookie);
        Ok(Begun { location: location.into(), cookie })
    }

    /// Finishes what was begun in the browser that has `cookie`.
    pub async fn finish(&self, cookie: Option<&str>, returned: Returned) -> Result<SignedIn, Denied> {
        let state = returned.state.as_deref().unwrap_or_default();
        let Attempt { nonce, verifier, redirect, next } =
            self.0.pending.finish(state, cookie).ok_or(Denied::NotBegunHere)?;
        let provider = self.ready().await?;
        // RFC 9207: an answer that names its sender must name the one that was asked.
        if returned.iss.as_deref().is_some_and(|iss| iss != self.0.settings.issuer) {
            return Err(self.untrusted("the answer is another provider's"));
        }
        if let Some(error) = &returned.error {
            return Err(self.refused(error, returned.error_description.as_deref()));
        }
        let code = returned.code.ok_or_else(|| self.untrusted("the answer has no code in it"))?;
        let client = provider.client(&self.0.settings);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| self.untrusted("it has no address to exchange codes at"))?
            .set_redirect_uri(std::borrow::Cow::Borrowed(&redirect))
            .set_pkce_verifier(verifier)
            .request_async(&self.0.transport)
            .await
            .map_err(|error| self.not_exchanged(error))?;
        let identity = self.identify(&provider, &tokens, &nonce).await?;
        let Inner { settings, provider, .. } = &*self.0;
        if !settings.allow.lets_in(&identity) {
            tracing::debug!(subject = %identity.subject, groups = ?identity.groups, "known, and not allowed");
            return Err(Denied::NotAllowed {
                provider: provider.clone(),
                who: identity.in_words(),
                needed: settings.allow.in_words(&identity),
            });
        }
        let Identity { subject, name, groups, .. } = identity;
        let groups = groups.into_iter().map(Text::from).collect();
        Ok(SignedIn { subject: Text::from(subject), name: Text::from(name), groups, next })
    }

    /// Where to go to sign out at the provider too, if it offers that (OpenID Connect RP-Initiated Logout 1.0). It is
    /// told no name and shown no token: it asks its own visitor.
    pub fn sign_out(&self, back: &str) -> Option<String> {
        let Known::Ready(provider) = self.0.issuer.known() else { return None };
        let end: EndSessionUrl = provider.metadata.additional_metadata().end_session_endpoint.clone()?;
        let mut request =
            LogoutRequest::from(end).set_client_id(ClientId::new(self.0.settings.client_id.clone()));
        if let Ok(back) = PostLogoutRedirectUrl::new(back.to_owned()) {
            request = request.set_post_logout_redirect_uri(back);
        }
        Some(request.http_get_url().into())
    }

    async fn ready(&self) -> Result<Arc<Provider>, Denied> {
        self.0.issuer.ready().await.map_err(|because| self.unreachable(&because))
    }

    fn redirect(&self, address: &str) -> Result<RedirectUrl, Denied> {
        RedirectUrl::new(address.to_owned()).map_err(|_| self.untrusted("Masthead's own address is none"))
    }

    fn unreachable(&self, because: &str) -> Denied {
        Denied::Unreachable { provider: self.0.provider.clone(), because: because.to_owned() }
    }

    fn untrusted(&self, because: &str) -> Denied {
        Denied::Untrusted { provider: self.0.provider.clone(), because: because.to_owned() }
    }

    /// The provider's words, as much of them as a sentence holds.
    fn refused(&self, error: &str, description: Option<&str>) -> Denied {
        let said = match (error, description) {
            ("access_denied", None) => "access denied",
            (error, None) => error,
            (_, Some(description)) => description,
        };
        let said = said.trim_end_matches('.').chars().filter(|c| !c.is_control()).take(200).collect();
        Denied::Refused { provider: self.0.provider.clone(), said }
    }
}

impl Settings {
    fn secret(&self) -> Option<ClientSecret> {
        use secrecy::ExposeSecret;
        self.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()))
    }
}

impl std::fmt::Debug for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Returned").field("error", &self.error).finish_non_exhaustive()
    }
}
