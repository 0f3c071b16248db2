//! Sign-ins that were begun and have not come back: each belongs to one browser, is finished at most once, and is
//! forgotten after ten minutes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier, RedirectUrl};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// How long somebody may take at the provider.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How many there may be; beyond, the oldest is forgotten. Half a megabyte.
const MOST: usize = 1_000;

/// What has to be remembered of a sign-in until it comes back.
#[derive(Debug)]
pub struct Attempt {
    /// Must stand in the token.
    pub nonce: Nonce,
    /// Proves to the provider that we are who began.
    pub verifier: PkceCodeVerifier,
    /// Where the provider was told to send the browser.
    pub redirect: RedirectUrl,
    /// Where the browser wants to be.
    pub next: String,
}

/// By their `state`.
#[derive(Debug, Default)]
pub struct Pending(Mutex<HashMap<String, Begun>>);

#[derive(Debug)]
struct Begun {
    attempt: Attempt,
    at: Instant,
    /// The browser's cookie, hashed.
    browser: [u8; 32],
}

impl Pending {
    /// Remembers one; gives the cookie of its browser, which is the one it has as long as that is of use, so that two
    /// tabs can sign in side by side.
    pub fn begin(&self, state: String, attempt: Attempt, cookie: Option<&str>) -> String {
        let mut pending = self.lock();
        let now = Instant::now();
        pending.retain(|_, begun| now - begun.at < PATIENCE);
        if pending.len() >= MOST {
            let oldest = pending.iter().min_by_key(|(_, begun)| begun.at).map(|(state, _)| state.clone());
            oldest.and_then(|state| pending.remove(&state));
        }
        let known = cookie.filter(|cookie| {
            let browser = hash(cookie);
            pending.values().any(|begun| begun.browser == browser)
        });
        let cookie =
            known.map_or_else(|| CsrfToken::new_random_len(32).into_secret(), |cookie| (*cookie).to_owned());
        pending.insert(state, Begun { attempt, at: now, browser: hash(&cookie) });
        cookie
    }

    /// Takes out the one with this state, if it was begun in the browser that has this cookie.
    pub fn finish(&self, state: &str, cookie: Option<&str>) -> Option<Attempt> {
        let mut pending = self.lock();
        let begun = pending.get(state)?;
        if begun.browser != hash(cookie?) {
            return None;
        }
        pending.remove(state).filter(|begun| begun.at.elapsed() < PATIENCE).map(|begun| begun.attempt)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

#[cfg(test)]
mod tests {
    use openidconnect::PkceCodeChallenge;

    use super::*;

    fn attempt(next: &str) -> Attempt {
        Attempt {
            nonce: Nonce::new_random(),
            verifier: PkceCodeChallenge::new_random_sha256().1,
            redirect: RedirectUrl::new("http://localhost/sign-in/oidc".to_owned()).expect("an address"),
            next: next.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_in_is_finished_once_in_its_own_browser_and_in_time() {
        let pending = Pending::default();
        let cookie = pending.begin("a".to_owned(), attempt("/a"), None);
        assert_eq!(pending.begin("b".to_owned(), attempt("/b"), Some(&cookie)), cookie, "a second tab");
        let other = pending.begin("c".to_owned(), attempt("/c"), Some("made up"));
        assert_ne!(other, "made up", "nobody chooses another's cookie");

        assert!(pending.finish("a", None).is_none());
        assert!(pending.finish("a", Some(&other)).is_none(), "another browser");
        assert!(pending.finish("d", Some(&cookie)).is_none(), "a state that nobody began");
        assert_eq!(pending.finish("a", Some(&cookie)).map(|attempt| attempt.next).as_deref(), Some("/a"));
        assert!(pending.finish("a", Some(&cookie)).is_none(), "a second time");
        assert_eq!(pending.finish("b", Some(&cookie)).map(|attempt| attempt.next).as_deref(), Some("/b"));

        tokio::time::advance(PATIENCE).await;
        assert!(pending.finish("c", Some(&other)).is_none(), "too late");
    }

    #[tokio::test(start_paused = true)]
    async fn their_number_is_bounded_and_the_oldest_goes() {
        let pending = Pending::default();
        let mut cookies = Vec::new();
        for n in 0..=MOST {
            cookies.push(pending.begin(n.to_string(), attempt("/"), None));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(pending.lock().len(), MOST);
        assert!(pending.finish("0", Some(&cookies[0])).is_none());
        assert!(pending.finish("1", Some(&cookies[1])).is_some());
    }
}
