//! Signing in at a provider, held against one in this process that lies in every way there is.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use http::StatusCode;
use openidconnect::url::{Url, form_urlencoded};
use ring::{
    digest, hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use server::audience::door::oidc::{Allow, Begun, Denied, Oidc, Returned, Settings, SignedIn};
use tokio::{net::TcpListener, task::JoinSet};

const CLIENT: &str = "masthead";
const SECRET: &str = "a secret that only the two know";

/// A key, by the name it is published under.
struct SigningKey {
    kid: &'static str,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    fn new(kid: &'static str) -> SigningKey {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        SigningKey { kid, pair: pair.expect("a key") }
    }

    fn published(&self) -> Value {
        let point = self.pair.public_key().as_ref(); // 04, x, y
        let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y})
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_as(self.kid, claims)
    }

    fn sign_as(&self, kid: &str, claims: &Value) -> String {
        let text = signed_part(&json!({"alg": "ES256", "kid": kid}), claims);
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        format!("{text}.{}", BASE64URL.encode(signature))
    }
}

fn signed_part(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()))
}

fn hs256(secret: &[u8], claims: &Value) -> String {
    let text = signed_part(&json!({"alg": "HS256"}), claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
    format!("{text}.{}", BASE64URL.encode(tag))
}

#[derive(Default)]
struct Answers {
    /// What it calls itself, if not by its address.
    issuer: Option<String>,
    /// Its published keys.
    keys: Vec<Value>,
    /// The ID token that the next code is exchanged for.
    token: Option<String>,
    userinfo: Value,
    challenge: String,
    asked_for_keys: usize,
    down: bool,
}

#[derive(Clone)]
struct Provider {
    url: String,
    answers: Arc<Mutex<Answers>>,
}

impl Provider {
    async fn start(tasks: &mut JoinSet<()>) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Provider { url, answers: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(provider.clone());
        tasks.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        provider
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().expect("nobody panicked")
    }
}

async fn discovery(State(provider): State<Provider>) -> Response {
    let answers = provider.answers();
    if answers.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let url = &provider.url;
    Json(json!({
        "issuer": answers.issuer.as_ref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/auth"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"),
        "jwks_uri": format!("{url}/keys"),
        "end_session_endpoint": format!("{url}/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // All of them: what is accepted is not the provider's choice.
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
    }))
    .into_response()
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let mut answers = provider.answers();
    answers.asked_for_keys += 1;
    Json(json!({"keys": answers.keys}))
}

async fn token(State(provider): State<Provider>, form: String) -> Response {
    let answers = provider.answers();
    let form: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
    let verifier = digest::digest(&digest::SHA256, field("code_verifier").as_bytes());
    if field("code") != "code" || BASE64URL.encode(verifier) != answers.challenge {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    let mut tokens = json!({"access_token": "access", "token_type": "Bearer", "expires_in": 60});
    if let Some(token) = &answers.token {
        tokens["id_token"] = json!(token);
    }
    Json(tokens).into_response()
}

async fn me(State(provider): State<Provider>) -> Json<Value> {
    Json(provider.answers().userinfo.clone())
}

/// A provider, Masthead's side of it, and a browser in between.
struct Scene {
    provider: Provider,
    key: SigningKey,
    oidc: Oidc,
    _tasks: JoinSet<()>,
}

impl Scene {
    async fn new() -> Scene {
        let mut tasks = JoinSet::new();
        let provider = Provider::start(&mut tasks).await;
        Scene::at(provider, tasks)
    }

    fn at(provider: Provider, mut tasks: JoinSet<()>) -> Scene {
        let key = SigningKey::new("first");
        provider.answers().keys = vec![key.published()];
        let settings = Settings {
            issuer: provider.url.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SECRET.into()),
            allow: Allow::these(&["ops".to_owned()], &["*@example.org".to_owned()]).expect("mails"),
            groups_claim: "groups".to_owned(),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            ca: None,
            public: None,
        };
        let oidc = Oidc::new(settings).expect("settings");
        tasks.spawn({
            let oidc = oidc.clone();
            async move { oidc.run().await }
        });
        Scene { provider, key, oidc, _tasks: tasks }
    }

    async fn begin(&self) -> (Begun, Way) {
        let begun =
            self.oidc.begin("http://localhost/sign-in/oidc", "/pods?q=1", None).await.expect("it begins");
        let way = Way::of(&begun.location);
        self.provider.answers().challenge.clone_from(&way.challenge);
        (begun, way)
    }

    /// Signs in with the token that `forge` makes of honest claims.
    async fn sign_in(&self, forge: impl FnOnce(Value) -> Option<String>) -> Result<SignedIn, Denied> {
        let (begun, way) = self.begin().await;
        self.provider.answers().token = forge(self.claims(&way));
        self.oidc.finish(Some(&begun.cookie), way.returned()).await
    }

    fn claims(&self, way: &Way) -> Value {
        json!({
            "iss": self.provider.url, "aud": CLIENT, "sub": "4711", "nonce": way.nonce,
            "iat": now(), "exp": now() + 300, "groups": ["ops"], "preferred_username": "carol",
        })
    }
}

/// What the provider is told in the browser's address.
struct Way {
    state: String,
    nonce: String,
    challenge: String,
    query: Vec<(String, String)>,
}

impl Way {
    fn of(location: &str) -> Way {
        let url = Url::parse(location).expect("an address");
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let get = |name: &str| {
            query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Way { state: get("state"), nonce: get("nonce"), challenge: get("code_challenge"), query }
    }

    fn returned(&self) -> Returned {
        let (state, code) = (Some(self.state.clone()), Some("code".to_owned()));
        Returned { state, code, ..Returned::default() }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn with(mut claims: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn somebody_who_is_allowed_comes_in() {
    let scene = Scene::new().await;
    let signed_in = scene.sign_in(|claims| Some(scene.key.sign(&claims))).await.expect("it is honest");
    assert_eq!((&*signed_in.subject, &*signed_in.name, &*signed_in.next), ("4711", "carol", "/pods?q=1"));

    let (begun, way) = scene.begin().await;
    assert!(begun.location.starts_with(&format!("{}/auth?", scene.provider.url)), "{}", begun.location);
    let has = |name: &str, value: &str| way.query.iter().any(|(key, is)| key == name && is == value);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "http://localhost/sign-in/oidc"),
        ("scope", "openid email"),
        ("code_challenge_method", "S256"),
    ] {
        assert!(has(name, value), "{name}: {:?}", way.query);
    }
    assert!(way.state.len() >= 43 && way.nonce.len() >= 43 && begun.cookie.len() >= 43);
    assert_eq!(
        scene.oidc.sign_out("http://localhost/sign-in").as_deref(),
        Some(
            format!(
                "{}/end?client_id=masthead&post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fsign-in",
                scene.provider.url
            )
            .as_str()
        )
    );
}

#[tokio::test]
async fn a_token_that_is_not_for_this_sign_in_opens_nothing() {
    let scene = Scene::new().await;
    let stranger = SigningKey::new("first");
    let public = scene.key.pair.public_key().as_ref().to_vec();
    let sign = |claims: Value, more: Value| Some(scene.key.sign(&with(claims, more)));
    type Forge<'a> = Box<dyn FnOnce(Value) -> Option<String> + 'a>;
    let forged: Vec<(&str, Forge<'_>, &str)> = vec![
        ("aud", Box::new(|c| sign(c, json!({"aud": "another"}))), "for somebody else"),
        ("aud of two", Box::new(|c| sign(c, json!({"aud": [CLIENT, "another"]}))), "for somebody else"),
        ("no aud", Box::new(|c| sign(c, json!({"aud": []}))), "for somebody else"),
        ("azp", Box::new(|c| sign(c, json!({"azp": "another"}))), "for somebody else"),
        ("iss", Box::new(|c| sign(c, json!({"iss": "https://evil.example"}))), "another provider's"),
        ("nonce", Box::new(|c| sign(c, json!({"nonce": "another"}))), "another sign-in"),
        ("no nonce", Box::new(|c| sign(c, json!({"nonce": null}))), "another sign-in"),
        (
            "at_hash",
            Box::new(|c| sign(c, json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}))),
            "do not belong together",
        ),
        ("expired", Box::new(|c| sign(c, json!({"exp": now() - 65}))), "not valid at this time"),
        ("not yet issued", Box::new(|c| sign(c, json!({"iat": now() + 90}))), "not valid at this time"),
        ("another's key", Box::new(|c| Some(stranger.sign(&c))), "not signed with a key"),
        ("no token", Box::new(|_| None), "no ID token"),
        (
            "alg none",
            Box::new(|c| Some(format!("{}.", signed_part(&json!({"alg": "none"}), &c)))),
            "not signed with a key",
        ),
        ("HS256, client id", Box::new(|c| Some(hs256(CLIENT.as_bytes(), &c))), "not signed with a key"),
        ("HS256, client secret", Box::new(|c| Some(hs256(SECRET.as_bytes(), &c))), "not signed with a key"),
        ("HS256, public key", Box::new(|c| Some(hs256(&public, &c))), "not signed with a key"),
        ("HS256, nothing", Box::new(|c| Some(hs256(b"", &c))), "not signed with a key"),
    ];
    for (what, forge, because) in forged {
        match scene.sign_in(forge).await {
            Err(Denied::Untrusted { because: said, .. }) => assert!(said.contains(because), "{what}: {said}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    // A changed claim under a good signature.
    let denied = scene
        .sign_in(|claims| {
            let token = scene.key.sign(&claims);
            let mut parts: Vec<&str> = token.split('.').collect();
            let changed = BASE64URL.encode(with(claims, json!({"sub": "root"})).to_string());
            parts[1] = &changed;
            Some(parts.join("."))
        })
        .await;
    assert!(matches!(denied, Err(Denied::Untrusted { .. })), "{denied:?}");
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart() {
    let scene = Scene::new().await;
    for more in [json!({"exp": now() - 50, "iat": now() - 110}), json!({"iat": now() + 50})] {
        let signed_in = scene.sign_in(|claims| Some(scene.key.sign(&with(claims, more.clone())))).await;
        assert!(signed_in.is_ok(), "{more}: {signed_in:?}");
    }
}

#[tokio::test]
async fn what_was_not_begun_here_or_is_done_already_finishes_nothing() {
    let scene = Scene::new().await;
    let (begun, way) = scene.begin().await;
    let (other, other_way) = scene.begin().await;
    let claims = scene.claims(&way);
    {
        let mut answers = scene.provider.answers();
        answers.token = Some(scene.key.sign(&claims));
        answers.challenge.clone_from(&way.challenge);
    }
    let finish = async |cookie: Option<&str>, returned| scene.oidc.finish(cookie, returned).await;
    assert_eq!(
        finish(Some(&other.cookie), way.returned()).await,
        Err(Denied::NotBegunHere),
        "another browser"
    );
    assert_eq!(finish(None, way.returned()).await, Err(Denied::NotBegunHere), "no cookie");
    let none = Returned { state: None, ..way.returned() };
    assert_eq!(finish(Some(&begun.cookie), none).await, Err(Denied::NotBegunHere), "no state");
    assert!(finish(Some(&begun.cookie), way.returned()).await.is_ok());
    assert_eq!(finish(Some(&begun.cookie), way.returned()).await, Err(Denied::NotBegunHere), "a second time");
    // A code of the first sign-in under the state of the other: the provider sees that the verifier is another.
    let denied = finish(Some(&other.cookie), other_way.returned()).await;
    assert!(
        matches!(denied, Err(Denied::Refused { ref said, .. }) if said.contains("used already")),
        "{denied:?}"
    );
}

#[tokio::test]
async fn an_answer_of_another_provider_or_a_refusal_is_said() {
    let scene = Scene::new().await;
    let (begun, way) = scene.begin().await;
    let returned = Returned { iss: Some("https://evil.example".to_owned()), ..way.returned() };
    let denied = scene.oidc.finish(Some(&begun.cookie), returned).await;
    assert!(matches!(denied, Err(Denied::Untrusted { .. })), "{denied:?}");

    let (begun, way) = scene.begin().await;
    let returned = Returned { code: None, error: Some("access_denied".to_owned()), ..way.returned() };
    let denied = scene.oidc.finish(Some(&begun.cookie), returned).await.expect_err("it was refused");
    assert_eq!(denied.to_string(), "127.0.0.1 did not let you in: access denied.");
}

#[tokio::test]
async fn who_is_known_but_not_allowed_is_told_what_it_takes() {
    let scene = Scene::new().await;
    for (more, allowed) in [
        (json!({"groups": ["dev"]}), false),
        (json!({"groups": [], "email": "carol@example.org", "email_verified": true}), true),
        (json!({"groups": [], "email": "carol@example.org", "email_verified": "true"}), true),
        (json!({"groups": [], "email": "carol@example.org", "email_verified": false}), false),
        (json!({"groups": [], "email": "carol@example.org"}), false),
    ] {
        let signed_in = scene.sign_in(|claims| Some(scene.key.sign(&with(claims, more.clone())))).await;
        assert_eq!(signed_in.is_ok(), allowed, "{more}: {signed_in:?}");
    }
    let denied = scene
        .sign_in(|claims| Some(scene.key.sign(&with(claims, json!({"groups": ["dev", "qa"]})))))
        .await
        .expect_err("no allowed group");
    assert_eq!(
        denied.to_string(),
        "127.0.0.1 says that you are carol, in the groups dev, qa, and that is not enough: it takes membership of \
         the group ops, or a verified mail address of example.org."
    );
}

#[tokio::test]
async fn what_the_token_does_not_say_is_asked_for_and_believed_of_the_same_one_only() {
    let scene = Scene::new().await;
    let bare = |claims: Value| {
        let mut claims = claims;
        let object = claims.as_object_mut().expect("claims");
        object.remove("groups");
        object.remove("preferred_username");
        Some(scene.key.sign(&claims))
    };
    scene.provider.answers().userinfo = json!({"sub": "4711", "groups": ["ops"], "name": "Carol"});
    assert_eq!(&*scene.sign_in(bare).await.expect("ops").name, "Carol");
    scene.provider.answers().userinfo = json!({"sub": "another", "groups": ["ops"]});
    let denied = scene.sign_in(bare).await;
    assert!(matches!(denied, Err(Denied::NotAllowed { .. })), "{denied:?}");
}

#[tokio::test]
async fn keys_may_change_in_between_and_are_not_asked_for_without_end() {
    let scene = Scene::new().await;
    assert!(scene.sign_in(|claims| Some(scene.key.sign(&claims))).await.is_ok());
    let second = SigningKey::new("second");
    scene.provider.answers().keys = vec![second.published()];
    assert!(scene.sign_in(|claims| Some(second.sign(&claims))).await.is_ok());
    assert_eq!(scene.provider.answers().asked_for_keys, 2);
    let denied = scene.sign_in(|claims| Some(second.sign_as("of nobody", &claims))).await;
    assert!(matches!(denied, Err(Denied::Untrusted { .. })), "{denied:?}");
    assert_eq!(scene.provider.answers().asked_for_keys, 3, "a burst of three a minute");
}

#[tokio::test]
async fn a_provider_that_is_down_or_another_is_said_and_waited_for() {
    let mut tasks = JoinSet::new();
    let provider = Provider::start(&mut tasks).await;
    provider.answers().down = true;
    let scene = Scene::at(provider, tasks);
    let begun = scene.oidc.begin("http://localhost/sign-in/oidc", "/", None).await;
    let Err(Denied::Unreachable { because, .. }) = begun else { panic!("{begun:?}") };
    assert_eq!(because, "it answered 503 about itself");
    assert!(scene.oidc.trouble().is_some());

    {
        let mut answers = scene.provider.answers();
        answers.down = false;
        answers.issuer = Some("https://another.example".to_owned());
    }
    let trouble =
        eventually(|| scene.oidc.trouble().filter(|trouble| !trouble.to_string().contains("503"))).await;
    assert!(trouble.to_string().contains("another name than --oidc-issuer"), "{trouble}");

    scene.provider.answers().issuer = None;
    eventually(|| scene.oidc.trouble().is_none().then_some(())).await;
    assert!(scene.sign_in(|claims| Some(scene.key.sign(&claims))).await.is_ok());
}

#[tokio::test]
async fn only_https_is_spoken_to_others() {
    let settings = |issuer: &str| Settings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: None,
        allow: Allow::anyone(),
        groups_claim: "groups".to_owned(),
        scopes: Vec::new(),
        ca: None,
        public: None,
    };
    for issuer in ["http://id.example", "id.example", "ftp://id.example", ""] {
        assert!(Oidc::new(settings(issuer)).is_err(), "{issuer}");
    }
    assert!(Oidc::new(settings("https://id.example/realms/one")).is_ok());
    let missing = Settings { ca: Some("/nowhere/ca.pem".into()), ..settings("https://id.example") };
    assert!(Oidc::new(missing).expect_err("no such file").to_string().contains("/nowhere/ca.pem"));
}

/// Asks again until there is something, for as long as the test may run.
async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let mut often = tokio::time::interval(std::time::Duration::from_millis(20));
    let found = async {
        loop {
            often.tick().await;
            if let Some(found) = look() {
                return found;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), found).await.expect("it came")
}
