//! What an identity provider says, and what a browser brings back from it. Parts between lines of `----`: the discovery
//! document, the keys, the answer with the tokens, the claims of the ID token, userinfo, and the query of the way back.
//! Some words stand for what no input can know: `KEY` for a published key, `SIGNED` for the claims signed with it,
//! `NONCE` and `STATE` for what the way out had, `NOW` and `SOON` for times.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

use app::query::percent_decode;
use axum::{
    Router,
    http::{StatusCode, Uri},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use openidconnect::url::Url; // as browsers read them
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use server::audience::door::oidc::{Allow, Denied, Oidc, Returned, Settings};

const ISSUER: &str = "https://id.example";
const CLIENT: &str = "masthead";
const SECRET: &str = "a secret that only the two know";

/// See the module.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains(SECRET) {
        return; // a provider that says it itself has not heard it from us
    }
    let parts: Vec<&str> = text.splitn(6, "\n----\n").collect();
    let [discovery, keys, tokens, claims, userinfo, back] = parts[..] else { return };
    super::with_time(sign_in(discovery, keys, tokens, claims, userinfo, back));
}

/// What the provider answers with now.
#[derive(Clone, Debug, Default)]
struct Answers {
    discovery: String,
    keys: String,
    tokens: String,
    userinfo: String,
}

async fn sign_in(discovery: &str, keys: &str, tokens: &str, claims: &str, userinfo: &str, back: &str) {
    let answers = Arc::new(Mutex::new(Answers {
        discovery: discovery.to_owned(),
        keys: keys.replace("KEY", &published()),
        tokens: String::new(),
        userinfo: userinfo.to_owned(),
    }));
    let settings = Settings {
        issuer: ISSUER.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.into()),
        allow: Allow::these(&["ops".to_owned()], &["*@example.org".to_owned()]).expect("mails"),
        groups_claim: "realm.groups".to_owned(),
        scopes: Vec::new(),
        ca: None,
        public: None,
    };
    let oidc = Oidc::in_process(settings, provider(answers.clone())).expect("settings");
    let running = tokio::spawn({
        let oidc = oidc.clone();
        async move { oidc.run().await }
    });
    let began = oidc.begin("https://masthead.example/sign-in/oidc", "/pods", None).await;
    if let Ok(begun) = &began {
        let location = Url::parse(&begun.location).expect("an address");
        assert!(is_private(&location), "a browser is sent to {location}");
        let out = |name: &str| parameter(location.query().unwrap_or_default(), name).unwrap_or_default();
        let (nonce, state) = (out("nonce"), out("state"));
        assert!(nonce.len() >= 40 && state.len() >= 40, "{location}");
        let seconds = now();
        let claims = claims
            .replace("NONCE", &nonce)
            .replace("NOW", &seconds.to_string())
            .replace("SOON", &(seconds + 300).to_string());
        answers.lock().expect("no panic").tokens = tokens.replace("SIGNED", &signed(&claims));
        let back = back.replace("STATE", &state);
        let came = |name: &str| parameter(&back, name);
        let returned = Returned {
            state: came("state"),
            code: came("code"),
            iss: came("iss"),
            error: came("error"),
            error_description: came("error_description"),
        };
        match oidc.finish(Some(&begun.cookie), returned).await {
            Ok(who) => {
                // Whoever comes in was signed for, here, now and in this very sign-in.
                let claims: Value = serde_json::from_str(&claims).expect("claims were read");
                assert_eq!(claims["sub"].as_str(), Some(&*who.subject));
                assert_eq!((claims["iss"].as_str(), claims["nonce"].as_str()), (Some(ISSUER), Some(&*nonce)));
                let audience = &claims["aud"];
                let is_ours = |one: &Value| one.as_str() == Some(CLIENT);
                assert!(is_ours(audience) || audience.as_array().is_some_and(|all| all.iter().any(is_ours)));
                assert!(
                    claims["exp"].as_f64().is_some_and(|until| until > seconds as f64 - 61.0),
                    "{claims}"
                );
                assert_eq!((&*who.next, came("state")), ("/pods", Some(state)));
            }
            Err(denied) => said(&denied),
        }
        // A way back is gone once.
        let again = Returned { state: came("state"), code: came("code"), ..Returned::default() };
        assert_eq!(oidc.finish(Some(&begun.cookie), again).await, Err(Denied::NotBegunHere));
    } else if let Err(denied) = &began {
        said(denied);
    }
    if let Some(end) = oidc.sign_out("https://masthead.example/sign-in") {
        let end = Url::parse(&end).expect("an address");
        assert!(is_private(&end), "a browser is sent to {end}");
    }
    running.abort();
}

/// A sentence for people, with nothing in it that they should not see or that would move their terminal.
fn said(denied: &Denied) {
    let text = denied.to_string();
    assert!(!text.is_empty() && text.len() < 20_000 && !text.contains(SECRET), "{text}");
    if let Denied::Refused { said, .. } = denied {
        assert!(!said.chars().any(char::is_control), "{said:?}");
    }
}

fn provider(answers: Arc<Mutex<Answers>>) -> Router {
    Router::new().fallback(move |uri: Uri| {
        let answers = answers.lock().expect("no panic").clone();
        async move {
            let body = match uri.path() {
                path if path.ends_with("/.well-known/openid-configuration") => answers.discovery,
                path if path.ends_with("keys") => answers.keys,
                path if path.ends_with("token") => answers.tokens,
                _ => answers.userinfo,
            };
            // What is no success says so itself (RFC 6749, 5.2).
            let status = if body.contains("\"error\"") { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            (status, [("content-type", "application/json")], body)
        }
    })
}

/// Whether what is said there is only heard there.
fn is_private(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    address.scheme() == "https" || matches!(host, "localhost" | "[::1]") || host.starts_with("127.")
}

fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(percent_decode))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn key() -> &'static EcdsaKeyPair {
    static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        pair.expect("a key")
    })
}

fn published() -> String {
    let point = key().public_key().as_ref(); // 04, x, y
    let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
    json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one", "x": x, "y": y})
        .to_string()
}

fn signed(claims: &str) -> String {
    let head = json!({"alg": "ES256", "kid": "one"}).to_string();
    let text = format!("{}.{}", BASE64URL.encode(head), BASE64URL.encode(claims));
    let signature = key().sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
    format!("{text}.{}", BASE64URL.encode(signature))
}
