//! ① The pulse: whether the API server answers, and what that says of watches. A watch that is merely silent proves
//! nothing. Every two seconds something small is read that the API server has to ask etcd for: one that has lost its
//! etcd still tells its version, and goes on serving what it remembers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::{
    api::{Kind, Text},
    clock,
    wire::About,
};
use tokio::sync::watch;

use super::{
    Source,
    api_server::{ApiError, Collection},
    moment::Moment,
};
use crate::hub::{Hub, News};

/// How often the API server is asked.
const PULSE: Duration = Duration::from_secs(2);
/// How long it may take to answer. With [`PULSE`], a silent API server is noticed within 5 s.
const PULSE_DEADLINE: Duration = Duration::from_millis(2500);
/// Its own version is asked for every so many pulses: it may have been upgraded.
const VERSION_EVERY: u32 = 30;

/// Longer than this it never is from one answer to the next while all is well. So long what has been confirmed is
/// called live, too.
pub const TRUSTED: Duration = Duration::from_secs(5);

/// That the API server has answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// When it was asked.
    pub at: Moment,
    /// The version that it counted by then, and of which kind that was read; `None` if it said none that is a number.
    pub counted: Option<(Kind, u64)>,
    /// The last time that it did not answer for longer than [`TRUSTED`]: since and until when nothing is known of it.
    gap: Option<(Moment, Moment)>,
    /// When it was last given up that it would answer.
    missed: Option<Moment>,
}

impl Answer {
    /// One before which all was well.
    #[cfg(test)]
    pub fn new(at: Moment, counted: Option<(Kind, u64)>) -> Answer {
        Answer { at, counted, gap: None, missed: None }
    }

    /// Whether a watch that was opened then has lived through a time of which nothing is known.
    pub fn has_gap_since(&self, opened: Moment) -> bool {
        let lived =
            |(from, to): (Moment, Moment)| to.is_after(opened) && to.since(from.later(opened)) > TRUSTED;
        self.gap.is_some_and(lived)
    }

    /// Whether the pulse has lost its connection since. Another one that was open by then may be lost as well.
    pub fn has_missed_since(&self, opened: Moment) -> bool {
        self.missed.is_some_and(|missed| missed.is_after(opened))
    }
}

/// What reflectors know of it. Cheap to clone.
#[derive(Clone)]
pub struct Pulse {
    /// When the API server was last asked.
    pub asked: watch::Receiver<Moment>,
    /// The last answer.
    pub answered: watch::Receiver<Option<Answer>>,
    /// How often the API server has answered again after it had not.
    pub returned: watch::Receiver<u64>,
    begun: watch::Receiver<bool>,
    /// What it may read.
    pub readable: Readable,
}

impl Pulse {
    /// A pulse and what makes it beat until the hub ends; the caller owns that.
    pub fn new(source: Source, hub: Hub) -> (Pulse, impl Future<Output = ()> + Send) {
        let (asks, asked) = watch::channel(Moment::now());
        let (answers, answered) = watch::channel(None);
        let (returns, returned) = watch::channel(0);
        let (begins, begun) = watch::channel(false);
        let readable = Readable::default();
        let tells = Tells { asks, answers, returns, begins };
        let pulse = Pulse { asked, answered, returned, begun, readable: readable.clone() };
        (pulse, run(source, hub, readable, tells))
    }

    /// When the API server has answered for the first time, or has not in time. If it has, its clock is known.
    pub async fn begun(&self) {
        let _ = self.begun.clone().wait_for(|begun| *begun).await; // it has ended if the hub has
    }
}

/// The collections that have been listed, which the pulse may read, one after the other; and whether one was refused to
/// it since.
#[derive(Clone, Debug, Default)]
pub struct Readable(Arc<Mutex<BTreeMap<Collection, bool>>>);

impl Readable {
    /// It has been listed.
    pub fn add(&self, collection: Collection) {
        self.lock().insert(collection, false);
    }

    /// It may not be listed any more.
    pub fn remove(&self, collection: &Collection) {
        self.lock().remove(collection);
    }

    /// It is refused; whether that is news.
    fn refuse(&self, collection: &Collection) -> bool {
        self.lock().get_mut(collection).is_some_and(|is_refused| !std::mem::replace(is_refused, true))
    }

    /// One that was refused has been read, so that no other need be refused any more.
    fn allow(&self, collection: &Collection) {
        let mut known = self.lock();
        if known.get(collection) == Some(&true) {
            known.values_mut().for_each(|is_refused| *is_refused = false);
        }
    }

    /// One that is not refused, if there is any.
    fn nth(&self, n: usize) -> Option<Collection> {
        let known = self.lock();
        let refused = known.values().all(|is_refused| *is_refused);
        let some: Vec<_> = known.iter().filter(|(_, is_refused)| **is_refused == refused).collect();
        Some(some[n.checked_rem(some.len())?].0.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Collection, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To those who have a [`Pulse`].
struct Tells {
    asks: watch::Sender<Moment>,
    answers: watch::Sender<Option<Answer>>,
    returns: watch::Sender<u64>,
    begins: watch::Sender<bool>,
}

async fn run(source: Source, hub: Hub, readable: Readable, tells: Tells) {
    let mut about = source.about.clone();
    let mut every = tokio::time::interval(PULSE);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut turn, mut until_version, mut was_silent) = (0, 0_u32, false);
    let (mut said_apart, mut missed) = (false, None);
    loop {
        every.tick().await;
        turn += 1;
        let sent = Moment::now();
        tells.asks.send_replace(sent);
        let answer = tokio::time::timeout(PULSE_DEADLINE, async {
            let counted = read(&source, &readable, turn).await?;
            // The version of one that cannot say what there is would not matter.
            let version = if until_version == 0 { Some(version(&source).await?) } else { None };
            Ok((counted, version))
        });
        let (mut newest, mut counted) = (None, None);
        let pulse = match answer.await {
            Ok(Ok(answer)) => {
                until_version = until_version.checked_sub(1).unwrap_or(VERSION_EVERY);
                (counted, newest) = answer;
                Ok(())
            }
            Ok(Err(error)) => {
                if matches!(error, ApiError::Connection(_)) {
                    missed = Some(Moment::now());
                }
                Err(Text::from(error.to_string()))
            }
            Err(_) => {
                missed = Some(Moment::now());
                Err(Text::from("the API server does not answer"))
            }
        };
        // A refusal tells the time, too.
        let ahead = source.api.ahead(about.ahead);
        let newer =
            About { version: newest.unwrap_or_else(|| about.version.clone()), ahead, ..about.clone() };
        if newer != about {
            about = newer;
            if hub.tell(News::About(about.clone())).await.is_err() {
                return;
            }
        }
        // Once, however often it comes and goes.
        if clock::are_apart(ahead) && !std::mem::replace(&mut said_apart, true) {
            tracing::warn!(
                ahead_ms = ahead,
                "the API server's clock and this one's are apart; ages are counted by the API server's"
            );
        }
        source.metrics.pulse(pulse.is_ok());
        let is_ok = pulse.is_ok();
        if is_ok && std::mem::take(&mut was_silent) {
            tells.returns.send_modify(|times| *times += 1);
        } else if !is_ok {
            was_silent = true;
            until_version = 0;
        }
        if hub.tell(News::Pulse(pulse)).await.is_err() {
            return;
        }
        tells.begins.send_replace(true);
        if is_ok {
            tells.answers.send_modify(|last| {
                let gap = last.and_then(|last| match sent.since(last.at) > TRUSTED {
                    true => Some((last.at, sent)),
                    false => last.gap,
                });
                *last = Some(Answer { at: sent, counted, gap, missed });
            });
        }
    }
}

/// The smallest read of what may be read, a different one each turn; nothing, as long as nothing has been listed. What
/// has been, and is all refused now, is not known to be current: rights that were taken away, or an API server that does
/// not know of them just now. One kind that cannot be read says nothing of the others. Gives what was counted; see [`Answer`].
async fn read(source: &Source, readable: &Readable, turn: usize) -> Result<Option<(Kind, u64)>, ApiError> {
    const TRIED: usize = 3;
    let mut failed = None;
    let mut tried = 0;
    while tried < TRIED
        && let Some(collection) = readable.nth(turn + tried)
    {
        match source.api.first(&collection).await {
            Ok(page) => {
                readable.allow(&collection);
                return Ok(page.resource_version.parse().ok().map(|version| (collection.kind, version)));
            }
            // Each is news once, until all are refused.
            Err(ApiError::Forbidden { .. }) if readable.refuse(&collection) => {}
            Err(error @ (ApiError::Gone | ApiError::Status { .. } | ApiError::Unreadable(_))) => {
                failed = Some(error);
                tried += 1;
            }
            Err(error) => return Err(error),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => version(source).await.map(|_| None),
    }
}

/// The API server's version; empty where clusters hide it, which is an answer too.
async fn version(source: &Source) -> Result<String, ApiError> {
    match source.api.version().await {
        Err(ApiError::Forbidden { .. }) => Ok(String::new()),
        answer => answer,
    }
}
