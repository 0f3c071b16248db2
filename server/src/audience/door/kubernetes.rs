//! `--auth kubernetes`: visitors show the bearer token that they would show the API server, and see what it lets them
//! list and watch.
//!
//! A token is kept for as long as somebody uses it, in memory alone, and wiped when it is let go. Every minute the API
//! server is asked again whose it is and what it is good for: rights that were taken away are gone here within that
//! minute, a token that has expired ends what it began.

pub mod rights;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use app::api::{InCluster, Kind, Namespace, Pod, Text};
use futures::StreamExt;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use self::rights::{Unknown, identify, rights};
use crate::{
    audience::{Grant, Sessions, Visitor, Who, grant::Within, sessions::Handle},
    hub::Hub,
    source::api_server::ApiServer,
};

/// How long after an answer the API server is asked again. With [`DEADLINE`] and [`LOOK`], less than a minute.
const EVERY: Duration = Duration::from_secs(45);
/// How long all questions about one token may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often it is looked for tokens that have to be asked about.
const LOOK: Duration = Duration::from_secs(1);
/// For how long an API server that does not answer leaves rights as they were. It tells nothing new meanwhile either.
const UNANSWERED: Duration = Duration::from_secs(5 * 60);
/// A token without a session is let go when no request has shown it for so long.
const UNUSED: Duration = Duration::from_secs(2 * 60);
/// Tokens at a time; each costs the API server some thirty questions a minute.
const MOST: usize = 500;
/// Of which so many are asked about at once.
const AT_ONCE: usize = 4;
/// Longer ones are none: with two hundred groups in it, an ID token has some 8 KiB.
const LONGEST: usize = 16 << 10;

/// Why a token opens nothing. No sentence has it in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is no token.
    #[error("that is no token")]
    NotAToken,
    /// The API server does not know it, or no longer.
    #[error("the API server does not accept that token: it is wrong, or has expired")]
    NotAccepted,
    /// Nobody knows.
    #[error("the API server cannot be asked whose token that is: {0}")]
    Unanswered(Text),
    /// There is no room.
    #[error("too many people are looking already")]
    Full,
}

impl From<Unknown> for Denied {
    fn from(unknown: Unknown) -> Denied {
        match unknown {
            Unknown::NotAccepted => Denied::NotAccepted,
            Unknown::Unanswered(error) => Denied::Unanswered(Text::from(error.to_string())),
        }
    }
}

type Hash = [u8; 32];

/// Tokens in use, and what they are good for.
#[derive(Debug)]
pub struct Kubernetes {
    api: ApiServer,
    /// Knows which namespaces there are.
    hub: OnceLock<Hub>,
    holders: Mutex<HashMap<Hash, Arc<Holder>>>,
    asking: Semaphore,
}

/// Somebody's token.
#[derive(Debug)]
pub struct Holder {
    token: SecretString,
    standing: Mutex<Standing>,
    /// Cancelled when the token is not good any more.
    over: CancellationToken,
}

#[derive(Debug)]
struct Standing {
    who: Who,
    grant: Option<Arc<Grant>>,
    /// Ends what was opened without a session, when there is another grant or none.
    ended: CancellationToken,
    /// When the API server last answered.
    answered: Instant,
    /// When it was last asked.
    asked: Instant,
    /// When a request last showed it.
    shown: Instant,
    /// The sessions that it opened.
    sessions: Vec<Handle>,
}

impl Holder {
    /// Whose it is.
    pub fn who(&self) -> Who {
        self.standing().who.clone()
    }

    /// What it lets them see.
    pub fn grant(&self) -> Option<Arc<Grant>> {
        self.standing().grant.clone()
    }

    /// Cancelled when it is not good any more.
    pub fn over(&self) -> CancellationToken {
        self.over.clone()
    }

    /// A session that it opened: it sees what the token is good for, always.
    pub fn opened(&self, session: Handle) {
        self.standing().sessions.push(session);
    }

    /// Whoever shows it in a request of its own.
    pub fn visitor(&self) -> Visitor {
        let mut standing = self.standing();
        standing.shown = Instant::now();
        Visitor {
            ended: standing.ended.clone(),
            ..Visitor::new(standing.who.clone(), standing.grant.clone())
        }
    }

    /// What has changed about it reaches the sessions.
    fn tell(&self, sessions: &Sessions) {
        let (grant, handles) = {
            let standing = self.standing();
            (standing.grant.clone(), standing.sessions.clone())
        };
        let gone: Vec<Handle> =
            handles.into_iter().filter(|session| !sessions.regrant(session, grant.clone())).collect();
        self.standing().sessions.retain(|session| !gone.contains(session));
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Nothing panics while it is held.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kubernetes {
    /// With an API server that can be asked about visitors.
    pub fn new(api: ApiServer) -> Kubernetes {
        Kubernetes { api, hub: OnceLock::new(), holders: Mutex::default(), asking: Semaphore::new(AT_ONCE) }
    }

    /// From now on `hub` knows which namespaces there are.
    pub fn attach(&self, hub: Hub) {
        // A second one would be of the same cluster.
        let _ = self.hub.set(hub);
    }

    /// Whose token it is, and what it is good for, if it is in use: as the API server said within the last minute.
    pub fn held(&self, token: &str) -> Option<Arc<Holder>> {
        let holder = self.holders().get(&hash(bare(token))).cloned();
        holder.filter(|holder| !holder.over.is_cancelled())
    }

    /// The same, or as the API server says now.
    pub async fn hold(&self, token: &str) -> Result<Arc<Holder>, Denied> {
        let token = bare(token);
        let plain = token.len() <= LONGEST && token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || !plain {
            return Err(Denied::NotAToken);
        }
        if let Some(holder) = self.held(token) {
            return Ok(holder);
        }
        let hash = hash(token);
        if self.holders().len() >= MOST {
            return Err(Denied::Full);
        }
        let token = SecretString::from(token);
        let (who, grant) = self.ask(&token).await?;
        let over = CancellationToken::new();
        let now = Instant::now();
        let standing = Standing {
            who,
            grant,
            ended: over.child_token(),
            answered: now,
            asked: now,
            shown: now,
            sessions: Vec::new(),
        };
        let holder = Arc::new(Holder { token, standing: Mutex::new(standing), over });
        let mut holders = self.holders();
        let stays = holders.entry(hash).or_insert_with(|| holder.clone());
        // Of two who asked at the same time, one; but not what the API server refused before.
        if stays.over.is_cancelled() {
            *stays = holder;
        }
        Ok(stays.clone())
    }

    /// Asks about every token each minute, and lets go of those that nobody uses; never returns. Somebody has to run it.
    pub async fn keep(&self, sessions: &Sessions) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            self.look_again(sessions).await;
        }
    }

    async fn look_again(&self, sessions: &Sessions) {
        let now = Instant::now();
        let mut due = Vec::new();
        self.holders().retain(|_, holder| {
            let standing = holder.standing();
            let used = !standing.sessions.is_empty() || now - standing.shown < UNUSED;
            if used && now - standing.asked >= EVERY {
                due.push(holder.clone());
            }
            used && !holder.over.is_cancelled()
        });
        let asked: Vec<_> = due.into_iter().map(|holder| self.ask_again(holder, sessions)).collect();
        futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    async fn ask_again(&self, holder: Arc<Holder>, sessions: &Sessions) {
        holder.standing().asked = Instant::now();
        let answer = self.ask(&holder.token).await;
        let mut standing = holder.standing();
        match answer {
            Ok((who, grant)) => {
                standing.answered = Instant::now();
                standing.who = who;
                if standing.grant != grant {
                    tracing::info!(who = %standing.who.name(), "the rights of a visitor have changed");
                    standing.grant = grant;
                    std::mem::replace(&mut standing.ended, holder.over.child_token()).cancel();
                }
            }
            Err(Denied::Unanswered(because)) if standing.answered.elapsed() < UNANSWERED => {
                tracing::warn!(who = %standing.who.name(), %because, "the rights of a visitor are not known to be current");
            }
            Err(denied) => {
                tracing::info!(who = %standing.who.name(), because = %denied, "a visitor's token is not good any more");
                holder.over.cancel();
            }
        }
        drop(standing);
        holder.tell(sessions);
    }

    async fn ask(&self, token: &SecretString) -> Result<(Who, Option<Arc<Grant>>), Denied> {
        let unanswered = |_| Denied::Unanswered(Text::from("it takes too long to answer"));
        tokio::time::timeout(DEADLINE, async {
            let Ok(_turn) = self.asking.acquire().await else {
                return Err(Denied::Unanswered(Text::from("Masthead is shutting down")));
            };
            let person = identify(&self.api, token).await?;
            let grant = rights(&self.api, token, self.namespaces()).await?;
            // Who may see everything looks into the one hub that knows it, with all that it remembers.
            let grant = (!is_whole(&grant)).then(|| Arc::new(grant));
            Ok((Who::Person(person), grant))
        })
        .await
        .map_err(unanswered)?
    }

    /// Those there are, as far as Masthead can see; sorted.
    async fn namespaces(&self) -> Vec<Text> {
        let Some(hub) = self.hub.get() else { return Vec::new() };
        let Ok(view) = hub.view().await else { return Vec::new() };
        let within = view.about.apart.values().flatten().map(|(name, _)| name.clone());
        let rows = Namespace::rows(&view.cluster).iter().map(|row| Text::from(&*row.meta.name));
        let mut names: BTreeSet<Text> = rows.chain(within).collect();
        // Whoever may not list namespaces knows those of what is in them.
        if !Namespace::rows(&view.cluster).state.listed() {
            names.extend(Pod::rows(&view.cluster).iter().map(|pod| pod.meta.namespace.clone()));
        }
        names.into_iter().collect()
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<Hash, Arc<Holder>>> {
        // Nothing panics while it is held.
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_whole(grant: &Grant) -> bool {
    Kind::ALL.iter().all(|kind| grant.kinds.get(&kind.watched()) == Some(&Within::All))
}

/// Of what people paste, the token: without the header's word before it.
fn bare(pasted: &str) -> &str {
    let pasted = pasted.trim();
    pasted.strip_prefix("Bearer ").map_or(pasted, str::trim_start)
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token).into()
}
