//! Files that operators and other programs write: a kubeconfig, what is shared, a token. The first byte says which.

use std::{fs, path::PathBuf};

use app::api::Millis;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use secrecy::{ExposeSecret, SecretString};
use server::{
    audience::{
        Register,
        door::token::Token,
        register::{Records, RegisterError},
        sessions::Clock,
    },
    source::{
        credentials::{Purpose, clients},
        kubeconfig::choose,
    },
};

/// See the module.
pub fn check(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    match what.wrapping_sub(b'a') % 3 {
        0 => kubeconfig(bytes),
        1 => register(bytes),
        _ => token(bytes),
    }
}

/// Nothing it names is read or run here: only what it says is looked at, and what is made of that.
fn kubeconfig(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(read) = Kubeconfig::from_yaml(text) else { return };
    let named = read.contexts.iter().map(|context| Some(context.name.clone()));
    for asked in named.chain([None, Some(String::new()), Some("none".to_owned())]) {
        let mut kubeconfig = read.clone();
        match choose(&mut kubeconfig, asked.clone()) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(context) => {
                assert!(asked.is_none_or(|asked| asked == context.name));
                assert!(kubeconfig.contexts.iter().any(|there| there.name == context.name));
                let users = kubeconfig.auth_infos.iter().filter_map(|user| user.auth_info.as_ref());
                for exec in users.filter_map(|user| user.exec.as_ref()) {
                    let mode = format!("{:?}", exec.interactive_mode);
                    assert_eq!(mode, "Some(Never)", "a plugin may wait for somebody at a terminal");
                }
                super::with_time(made(kubeconfig, context.name));
            }
        }
    }
}

/// The clients of a context, if they can be made of what stands in the kubeconfig itself: its certificates, keys, tokens,
/// passwords and addresses. Nobody is asked anything with them.
async fn made(mut kubeconfig: Kubeconfig, context: String) {
    let fits =
        |token: &SecretString| HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).is_ok();
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut()) {
        (user.exec, user.auth_provider) = (None, None);
        (user.token_file, user.client_certificate, user.client_key) = (None, None, None);
        // What no header can hold makes kube panic. Where Masthead makes its clients that is caught, and libFuzzer does not
        // let anybody catch it.
        if user.token.as_ref().is_some_and(|token| !fits(token)) {
            user.token = None;
        }
    }
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|cluster| cluster.cluster.as_mut()) {
        cluster.certificate_authority = None;
    }
    let options = KubeConfigOptions { context: Some(context), ..KubeConfigOptions::default() };
    let mut config = match Config::from_custom_kubeconfig(kubeconfig, &options).await {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    // It is refused, and may be this machine's.
    config.proxy_url = None;
    // The system's take long to read.
    config.root_cert = Some(config.root_cert.unwrap_or_default());
    let user = &config.auth_info;
    let (certificate, key) = (user.client_certificate_data.as_deref(), user.client_key_data.as_ref());
    let is_pair = certificate.is_some() == key.is_some();
    let inline = [certificate, key.map(SecretString::expose_secret)];
    let is_base64 = inline.into_iter().flatten().all(|data| STANDARD.decode(data).is_ok());
    match clients(config, Purpose { reviews: true, watches: 1 }) {
        Ok(clients) => assert!(is_pair && is_base64 && clients.visitors.is_some()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // What serves them ends once they are gone, and when it is its turn.
    tokio::task::yield_now().await;
}

/// A file of this process's own.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, bytes: &[u8]) -> Kept {
        let path = std::env::temp_dir().join(format!("masthead-foreign-{}-{name}", std::process::id()));
        fs::write(&path, bytes).expect("a place for files");
        Kept(path)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for beside in ["", ".lock", ".new"] {
            let mut path = self.0.clone().into_os_string();
            path.push(beside);
            let _ = fs::remove_file(path);
        }
    }
}

fn register(bytes: &[u8]) {
    let file = Kept::new("state", bytes);
    let open = |now: i64| Register::open(Some(file.0.clone()), Clock::new(move || Millis(now)));
    let register = match open(0) {
        Ok(register) => register,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let records = register.records();
    for link in &records.links {
        assert_eq!(records.link(&link.id, Millis(0)).map(|found| &found.id), Some(&link.id));
        let _ = (link.is_draft(), link.grant.shown());
        register.used(&link.id);
    }
    // read again as it is written, uses included
    let written: Result<(), RegisterError> = register.change(|_| Ok(()));
    written.expect("a place for files");
    let used = register.records();
    assert_eq!(open(0).expect("what was written can be read").records(), used);
    let json = serde_json::to_vec(&used).expect("records are JSON");
    assert_eq!(serde_json::from_slice::<Records>(&json).expect("what was written can be read"), used);
    // all of it has ended at the end of time, but for walls that nothing ends
    let later = open(i64::MAX).expect("what was written can be read").records();
    assert!(later.links.is_empty() && later.walls.iter().all(|wall| wall.until.is_none()));
}

fn token(bytes: &[u8]) {
    let file = Kept::new("token", bytes);
    match Token::open(&file.0) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(token) => {
            let text = std::str::from_utf8(bytes).expect("a token is text");
            let secret = text.trim_end_matches(['\r', '\n']);
            assert!(token.good(secret).is_some() && token.good("").is_none());
            assert!(token.good(&format!("{secret}x")).is_none());
        }
    }
}
