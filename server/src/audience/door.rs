//! The door: says who makes a request, or what they have to do first.
//!
//! A mode is a way to tell visitors apart. Those that let people sign in begin a session ([`Door::admit`]) and are
//! not asked again while it lasts; the proxy's word counts for one request.

pub mod kubernetes;
pub mod oidc;
pub mod proxy;
pub mod throttle;
pub mod token;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::api::Text;
use axum::extract::ConnectInfo;
use http::{HeaderMap, header, request::Parts};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::{
    kubernetes::{Holder, Kubernetes},
    oidc::{Oidc, Returned, SignedIn},
    proxy::{Networks, Proxy},
    throttle::{Throttle, TooMany},
    token::Token,
};
use super::{
    Audit, Grant, Person, Sessions, Visitor, Who,
    sessions::{Admitted, Client, Handle, Lifetime},
};
use crate::hub::Hub;

/// How often what has ended is looked for: half of the second within which open streams must notice.
const LOOK: Duration = Duration::from_millis(500);
/// For how long a stream may stay open on the word of a proxy, which does not say when somebody has signed out.
const PROXY_WORD: Duration = Duration::from_secs(600);

/// How visitors are told apart.
#[derive(Debug, Default)]
pub enum Mode {
    /// They are not.
    #[default]
    Anyone,
    /// By a secret that all of them share.
    Token(Token),
    /// By what a proxy in front says.
    Proxy(Proxy),
    /// By what an identity provider says.
    Oidc(Oidc),
    /// By the token that the API server knows them by.
    Kubernetes(Kubernetes),
    /// They are all this one.
    Fixed(Visitor),
}

/// A door, and what it remembers. A cheap clone.
#[derive(Clone, Debug)]
pub struct Door(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    mode: Mode,
    sessions: Sessions,
    lifetime: Lifetime,
    throttle: Throttle,
    proxies: Networks,
}

impl Default for Door {
    /// Open to anyone.
    fn default() -> Door {
        Door::new(Mode::Anyone, Sessions::default(), LIFETIME, Networks::default())
    }
}

/// As `--session-lifetime` and `--session-idle` have it by default.
pub const LIFETIME: Lifetime =
    Lifetime { whole: Duration::from_secs(12 * 3600), idle: Some(Duration::from_secs(2 * 3600)) };

/// Why somebody is not let in: a sentence for them, and what they can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum Refused {
    #[error("sign in first")]
    SignIn,
    #[error("that is not the token")]
    WrongToken,
    #[error("nobody signs in with a secret here")]
    NoSecret,
    #[error("{0}")]
    TooMany(#[from] TooMany),
    #[error("a secret does not belong into an address, where logs and histories keep it")]
    SecretInAddress,
    #[error("Masthead answers only through its proxy, not to {address}")]
    NotTheProxy { address: Text },
    #[error("the proxy in front did not say who you are")]
    NobodySaid,
    #[error("the request says more than once who makes it")]
    SaidTwice,
    #[error("{who} may not look at this cluster here")]
    NotAllowed { who: Text },
    #[error("{0}")]
    Oidc(#[from] oidc::Denied),
    #[error("{0}")]
    Kubernetes(#[from] kubernetes::Denied),
    #[error("{0}")]
    NoRandomness(Text),
}

impl Refused {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Refused::SignIn => {
                "sign in at /sign-in; scripts send the header Authorization: Bearer TOKEN".to_owned()
            }
            Refused::WrongToken => "the token that Masthead was started with (--auth-token-file)".to_owned(),
            Refused::NoSecret => "another way: see /sign-in".to_owned(),
            Refused::TooMany(TooMany { wait }) => format!("another try in {} s", wait.as_secs().max(1)),
            Refused::SecretInAddress => {
                "the header Authorization: Bearer TOKEN; change the token if that was the right one"
                    .to_owned()
            }
            Refused::NotTheProxy { .. } => {
                "the proxy's address; if this is a proxy's, name it with --auth-proxy-from".to_owned()
            }
            Refused::NobodySaid => {
                "a proxy that signs people in and sends the header of --auth-proxy-user-header".to_owned()
            }
            Refused::SaidTwice => {
                "a proxy that removes what a visitor sends under the names it uses itself".to_owned()
            }
            Refused::NotAllowed { .. } => {
                "somebody whom --auth-proxy-allow-user or --auth-proxy-allow-group names".to_owned()
            }
            Refused::Oidc(_) => {
                "somebody whom the identity provider knows, and --oidc-allow-… names".to_owned()
            }
            Refused::Kubernetes(_) => {
                "a token that the API server accepts, such as kubectl create token NAME prints".to_owned()
            }
            Refused::NoRandomness(_) => "a system whose random source works".to_owned(),
        }
    }
}

impl Door {
    /// That takes everybody for the same visitor.
    pub fn fixed(visitor: Visitor) -> Door {
        Door::new(Mode::Fixed(visitor), Sessions::default(), LIFETIME, Networks::default())
    }

    /// With `proxies` in front, which say for whom they ask in `X-Forwarded-For`.
    pub fn new(mode: Mode, sessions: Sessions, lifetime: Lifetime, proxies: Networks) -> Door {
        Door(Arc::new(Inside { mode, sessions, lifetime, throttle: Throttle::default(), proxies }))
    }

    /// How visitors are told apart.
    pub fn mode(&self) -> &Mode {
        &self.0.mode
    }

    /// Who is signed in.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What limits wrong secrets, of whatever kind.
    pub fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// The proxies in front.
    pub fn proxies(&self) -> &Networks {
        &self.0.proxies
    }

    /// Who makes this request.
    pub async fn visitor(&self, request: &mut Parts) -> Result<Visitor, Refused> {
        let client = self.client(request);
        let refused = match self.known(request, &client).await {
            Ok(visitor) => return Ok(visitor),
            Err(refused) => refused,
        };
        if refused != Refused::SignIn {
            Audit::Refused(&refused.to_string()).line(None, client.address, None);
        }
        Err(refused)
    }

    async fn known(&self, request: &Parts, client: &Client) -> Result<Visitor, Refused> {
        match self.mode() {
            Mode::Anyone => return Ok(Visitor::new(Who::Anyone, None)),
            Mode::Fixed(visitor) => return Ok(visitor.clone()),
            _ => {}
        }
        if names_a_secret(request.uri.query().unwrap_or_default()) {
            return Err(Refused::SecretInAddress);
        }
        if let Mode::Proxy(proxy) = self.mode() {
            // First of all: from elsewhere nothing counts, whatever it carries.
            proxy.comes_through(peer(request))?;
        }
        if let Some(visitor) = self.sessions().visitor(&request.headers) {
            return Ok(visitor);
        }
        match self.mode() {
            Mode::Anyone | Mode::Fixed(_) | Mode::Oidc(_) => Err(Refused::SignIn),
            Mode::Kubernetes(kubernetes) => {
                let given = bearer(&request.headers).ok_or(Refused::SignIn)?;
                Ok(self.try_holder(kubernetes, given, client).await?.visitor())
            }
            Mode::Token(token) => {
                let Some(given) = bearer(&request.headers) else { return Err(Refused::SignIn) };
                let ended = self.try_token(token, given, client)?;
                Ok(Visitor { ended, ..Visitor::new(Who::Holder, None) })
            }
            Mode::Proxy(proxy) => {
                let who = Who::Person(proxy.person(&request.headers)?);
                let ask_again = Some(Instant::now() + PROXY_WORD);
                Ok(Visitor { ask_again, ..Visitor::new(who, None) })
            }
        }
    }

    /// Whether it is the token, unless there were too many wrong ones; what is cancelled when it no longer is.
    fn try_token(&self, token: &Token, given: &str, client: &Client) -> Result<CancellationToken, Refused> {
        let attempt = self.throttle().attempt(client.address)?;
        let good = token.good(given).ok_or(Refused::WrongToken)?;
        attempt.right();
        Ok(good)
    }

    /// Whose Kubernetes token it is, unless there were too many wrong ones. Those in use cost no try.
    async fn try_holder(
        &self,
        kubernetes: &Kubernetes,
        given: &str,
        client: &Client,
    ) -> Result<Arc<Holder>, Refused> {
        if let Some(holder) = kubernetes.held(given) {
            return Ok(holder);
        }
        let attempt = self.throttle().attempt(client.address)?;
        let held = kubernetes.hold(given).await;
        // Nobody guessed wrong whom the API server did not tell so.
        if !matches!(held, Err(kubernetes::Denied::NotAToken | kubernetes::Denied::NotAccepted)) {
            attempt.right();
        }
        Ok(held?)
    }

    /// Signs in with a secret that was typed; gives the `Set-Cookie`.
    pub async fn sign_in(&self, secret: &str, request: &Parts) -> Result<String, Refused> {
        let client = self.client(request);
        let proved = match self.mode() {
            Mode::Token(token) => {
                self.try_token(token, secret, &client).map(|revoked| (Who::Holder, None, revoked, None))
            }
            Mode::Kubernetes(kubernetes) => self
                .try_holder(kubernetes, secret, &client)
                .await
                .map(|holder| (holder.who(), holder.grant(), holder.over(), Some(holder))),
            Mode::Anyone | Mode::Fixed(_) | Mode::Proxy(_) | Mode::Oidc(_) => Err(Refused::NoSecret),
        };
        match proved {
            Ok((who, grant, revoked, holder)) => {
                let (cookie, session) = self.open(who, grant, revoked, request)?;
                if let Some(holder) = holder {
                    holder.opened(session);
                }
                Ok(cookie)
            }
            Err(refused) => {
                Audit::Refused(&refused.to_string()).line(None, client.address, None);
                Err(refused)
            }
        }
    }

    /// Signs in whom the identity provider has sent back; gives the `Set-Cookie`, and the place to go on to.
    pub async fn sign_in_with_oidc(
        &self,
        oidc: &Oidc,
        cookie: Option<&str>,
        returned: Returned,
        request: &Parts,
    ) -> Result<(String, String), Refused> {
        match oidc.finish(cookie, returned).await {
            Ok(SignedIn { subject, name, groups, next }) => {
                let who = Who::Person(Person { id: subject, name, groups });
                Ok((self.admit(who, None, CancellationToken::new(), request)?, next))
            }
            Err(denied) => {
                Audit::Refused(&denied.to_string()).line(None, self.client(request).address, None);
                Err(denied.into())
            }
        }
    }

    /// Lets somebody in who has proved who they are: a new session, and an end to the one this browser had. Gives the
    /// `Set-Cookie`. `revoked` is cancelled when their proof stops being good.
    pub fn admit(
        &self,
        who: Who,
        grant: Option<Arc<Grant>>,
        revoked: CancellationToken,
        request: &Parts,
    ) -> Result<String, Refused> {
        Ok(self.open(who, grant, revoked, request)?.0)
    }

    fn open(
        &self,
        who: Who,
        grant: Option<Arc<Grant>>,
        revoked: CancellationToken,
        request: &Parts,
    ) -> Result<(String, Handle), Refused> {
        if let Some(before) = self.sessions().visitor(&request.headers) {
            self.sessions().end_of(&before, Audit::SessionEnd("signed in anew"));
        }
        let from = self.client(request);
        let admitted = Admitted { who, grant, lifetime: self.0.lifetime, from, revoked };
        self.sessions().open(admitted).map_err(|error| {
            tracing::error!(%error, "nobody can sign in");
            Refused::NoRandomness(Text::from(error.to_string()))
        })
    }

    /// Where a request comes from: the connection's other end, or whom a proxy of ours names as its own.
    pub fn client(&self, request: &Parts) -> Client {
        let address = peer(request).map(|peer| self.proxies().client(peer, &request.headers));
        Client::new(address, &request.headers)
    }

    /// From now on `hub` knows the cluster.
    pub fn attach(&self, hub: &Hub) {
        if let Mode::Kubernetes(kubernetes) = self.mode() {
            kubernetes.attach(hub.clone());
        }
    }

    /// Ends what is over, and reads and asks what has changed; never returns. Somebody has to run it.
    pub async fn keep(&self) {
        let ask = async {
            match self.mode() {
                Mode::Oidc(oidc) => oidc.run().await,
                Mode::Kubernetes(kubernetes) => kubernetes.keep(self.sessions()).await,
                Mode::Anyone | Mode::Fixed(_) | Mode::Token(_) | Mode::Proxy(_) => {}
            }
        };
        tokio::join!(self.look(), ask);
    }

    async fn look(&self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if let Mode::Token(token) = self.mode() {
                token.reread().await;
            }
            self.sessions().sweep();
        }
    }
}

/// The other end of the connection.
fn peer(request: &Parts) -> Option<std::net::IpAddr> {
    request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// `Authorization: Bearer …` (RFC 6750, 2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whether a query has a parameter that is meant to be a secret; whatever its value is, it is not looked at.
fn names_a_secret(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        ["token", "access_token", "auth_token", "id_token"].iter().any(|bad| name.eq_ignore_ascii_case(bad))
    })
}
