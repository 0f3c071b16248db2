//! ① The pulse: whether the API server answers, and what that says of watches. A watch that is merely silent proves
//! nothing. Every two seconds something small is read that the API server has to ask etcd for: one that has lost its
//! etcd still tells its version, and goes on serving what it remembers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::{
    api::{Kind, Text},
    clock,
    wire::About,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Source,
    api_server::{ApiError, Collection, Page},
    moment::Moment,
};
use crate::hub::{Hub, News};

/// How often the API server is asked.
const PULSE: Duration = Duration::from_secs(2);
/// How long it may take to answer. With [`PULSE`], a silent API server is noticed within 5 s.
const PULSE_DEADLINE: Duration = Duration::from_millis(2500);
/// By then, of [`PULSE_DEADLINE`], what is read beside has to be here.
const BESIDE: Duration = Duration::from_secs(2);
/// So many kinds may fail before it is the API server that does.
const TRIED: usize = 3;
/// So many kinds in a row that are not answered may be those of one etcd.
const SUSPECTS: usize = 3;
/// So many that have failed are read again at a time.
const AGAIN: usize = 10;
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
    counted: Counted,
    /// Our end of the connection that it came over, where there is one.
    pub over: Option<SocketAddr>,
    /// The last time that it did not answer for longer than [`TRUSTED`]: since and until when nothing is known of it.
    gap: Option<(Moment, Moment)>,
    /// When it was last given up that it would answer.
    missed: Option<Moment>,
}

/// The versions that an API server counted, and of which kinds they were read; none that is no number.
pub type Counted = [Option<(Kind, u64)>; 2];

impl Answer {
    /// One before which all was well.
    #[cfg(test)]
    pub fn new(at: Moment, counted: Counted) -> Answer {
        Answer { at, counted, over: None, gap: None, missed: None }
    }

    /// The versions that it counted by then, and of which kinds they were read.
    pub fn counted(&self) -> impl Iterator<Item = (Kind, u64)> {
        self.counted.into_iter().flatten()
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

/// Those that are often kept in an etcd of their own (`--etcd-servers-overrides` of the API server), whose versions cannot
/// be compared with others'.
pub fn is_counted_apart(kind: Kind) -> Option<Kind> {
    Some(kind).filter(|kind| matches!(kind, Kind::Event | Kind::Lease))
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

/// The collections that have been listed, which the pulse may read, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Readable(Arc<Mutex<BTreeMap<Collection, LastRead>>>);

/// What became of it when it was last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastRead {
    Well,
    /// Nothing so far.
    Waits,
    Refused,
    /// It could not be read, or not in time, and the next that was asked for could: it may be kept in an etcd of its own.
    Failed,
}

impl Readable {
    /// It has been listed.
    pub fn add(&self, collection: Collection) {
        self.lock().insert(collection, LastRead::Well);
    }

    /// It may not be listed any more.
    pub fn remove(&self, collection: &Collection) {
        self.lock().remove(collection);
    }

    /// Whether others can be read and this cannot, so that they say nothing of it.
    pub fn has_failed(&self, collection: &Collection) -> bool {
        self.lock().get(collection) == Some(&LastRead::Failed)
    }

    /// It is read now; how it was before. Where several have waited in vain, one after the other, it is not for what they
    /// are.
    fn begin(&self, collection: &Collection) -> LastRead {
        let mut known = self.lock();
        let waiting: BTreeSet<_> = those(&known, LastRead::Waits).map(|collection| collection.kind).collect();
        if waiting.len() > SUSPECTS {
            known
                .values_mut()
                .filter(|last| **last == LastRead::Waits)
                .for_each(|last| *last = LastRead::Well);
        }
        let last = known.get_mut(collection);
        last.map_or(LastRead::Refused, |last| std::mem::replace(last, LastRead::Waits))
    }

    /// It was read like this, which may say something of others.
    fn end(&self, collection: &Collection, before: LastRead, how: LastRead) {
        let mut known = self.lock();
        let Some(last) = known.get_mut(collection) else { return };
        *last = how;
        if how == LastRead::Well {
            for last in known.values_mut() {
                match last {
                    LastRead::Waits => *last = LastRead::Failed,
                    // No other need be refused any more.
                    LastRead::Refused if before == LastRead::Refused => *last = LastRead::Well,
                    LastRead::Well | LastRead::Refused | LastRead::Failed => {}
                }
            }
        }
    }

    /// Whose turn it is; if that is counted apart, and all is well with others, one of those before it.
    fn due(&self, n: usize) -> Option<(Collection, Option<Collection>)> {
        let due = self.nth(n, |_| true)?;
        let known = self.lock();
        let all_well = those(&known, LastRead::Waits).next().is_none();
        let others: Vec<_> =
            those(&known, LastRead::Well).filter(|one| is_counted_apart(one.kind).is_none()).collect();
        let other = n.checked_rem(others.len()).filter(|_| all_well && is_counted_apart(due.kind).is_some());
        Some(match other {
            Some(other) => (others[other].clone(), Some(due)),
            None => (due, None),
        })
    }

    /// One of those that are to be `tried`. It has been read well, if any has, and is not refused, if any is not.
    fn nth(&self, n: usize, tried: impl Fn(&Collection) -> bool) -> Option<Collection> {
        let known = self.lock();
        let all = [LastRead::Well, LastRead::Waits, LastRead::Failed, LastRead::Refused];
        let those = |how: LastRead| -> Vec<_> { those(&known, how).filter(|one| tried(one)).collect() };
        let some = all.into_iter().map(those).find(|some| !some.is_empty())?;
        Some(some[n.checked_rem(some.len())?].clone())
    }

    /// Those that have failed, the nth first.
    fn failed(&self, n: usize) -> Vec<Collection> {
        let mut failed: Vec<_> = those(&self.lock(), LastRead::Failed).cloned().collect();
        let first = n.checked_rem(failed.len()).unwrap_or_default();
        failed.rotate_left(first);
        failed
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Collection, LastRead>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that were last read like this.
fn those(known: &BTreeMap<Collection, LastRead>, how: LastRead) -> impl Iterator<Item = &Collection> {
    known.iter().filter(move |(_, last)| **last == how).map(|(collection, _)| collection)
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
    // Goes on although it is too late: a plugin that takes its time is not begun again and again.
    let mut late: Option<AbortOnDropHandle<Asked>> = None;
    let mut again = BTreeMap::<Collection, AbortOnDropHandle<()>>::new();
    loop {
        every.tick().await;
        turn += 1;
        let sent = Moment::now();
        tells.asks.send_replace(sent);
        let asked = ask(source.clone(), readable.clone(), turn, until_version == 0);
        let mut asking = AbortOnDropHandle::new(tokio::spawn(asked));
        let answer = tokio::time::timeout(PULSE_DEADLINE, &mut asking).await;
        if answer.is_err() && late.as_ref().is_none_or(AbortOnDropHandle::is_finished) {
            late = Some(asking);
        }
        again.retain(|_, reading| !reading.is_finished());
        for failed in readable.failed(turn) {
            if again.len() < AGAIN && !again.contains_key(&failed) {
                let read = read_again(source.clone(), readable.clone(), failed.clone());
                again.insert(failed, AbortOnDropHandle::new(tokio::spawn(read)));
            }
        }
        let (mut newest, mut read) = (None, Read::default());
        let pulse = match answer {
            Ok(Ok(Ok(answer))) => {
                until_version = until_version.checked_sub(1).unwrap_or(VERSION_EVERY);
                (read, newest) = answer;
                if read.broke {
                    missed = Some(Moment::now());
                }
                Ok(())
            }
            Ok(Err(panic)) => Err(Text::from(panic.to_string())),
            Ok(Ok(Err(error))) => {
                if matches!(error, ApiError::Connection(_) | ApiError::Broken(_)) {
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
                *last = Some(Answer { at: sent, counted: read.counted, over: read.over, gap, missed });
            });
        }
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    counted: Counted,
    /// Another answer broke off before, and its connection with it, perhaps.
    broke: bool,
    over: Option<SocketAddr>,
}

/// What was read, and the version if that was asked for.
type Asked = Result<(Read, Option<String>), ApiError>;

/// Reads something, and the version if that is to be known. That of one that cannot say what there is would not matter.
async fn ask(source: Source, readable: Readable, turn: usize, of_version: bool) -> Asked {
    let read = read(&source, &readable, turn).await?;
    Ok((read, if of_version { Some(version(&source).await?) } else { None }))
}

/// The smallest read of what may be read, a different one each turn; nothing, as long as nothing has been listed. What
/// has been, and is all refused now, is not known to be current: rights that were taken away, or an API server that does
/// not know of them just now. One kind that cannot be read says nothing of the others.
async fn read(source: &Source, readable: &Readable, turn: usize) -> Result<Read, ApiError> {
    let (mut failed, mut tried, mut broke) = (None, Vec::<Collection>::new(), false);
    let begun = Instant::now();
    // What is counted for itself tells nothing of the others. Something else is read first, as long as that goes well.
    let (first, beside) = readable.due(turn).unzip();
    let (mut first, beside) = (first, beside.flatten());
    let untried = |tried: &[Collection]| readable.nth(turn, |one| !tried.contains(one));
    while tried.len() < TRIED
        && let Some(collection) = first.take().or_else(|| untried(&tried))
    {
        let before = readable.begin(&collection);
        match source.api.first(&collection).await {
            Ok(page) => {
                readable.end(&collection, before, LastRead::Well);
                tried.iter().for_each(|failed| readable.end(failed, LastRead::Well, LastRead::Failed));
                let mut counted = [counted(&collection, &page), None];
                if let Some(beside) = beside.filter(|beside| *beside != collection && !tried.contains(beside))
                {
                    // Whatever becomes of it, the API server has answered.
                    let also = read_beside(source, readable, &beside);
                    match tokio::time::timeout_at(begun + BESIDE, also).await {
                        Ok(Ok(also)) => counted[1] = also,
                        Ok(Err(error)) => {
                            broke |= matches!(error, ApiError::Connection(_) | ApiError::Broken(_));
                        }
                        Err(_) => {} // it waits
                    }
                }
                return Ok(Read { counted, broke, over: page.over });
            }
            Err(error @ ApiError::Forbidden { .. }) => {
                readable.end(&collection, before, LastRead::Refused);
                // Each is news once, until all are.
                if before == LastRead::Refused {
                    return Err(error);
                }
                failed = Some(error);
            }
            Err(
                error @ (ApiError::Gone
                | ApiError::Status { .. }
                | ApiError::Broken(_)
                | ApiError::Unreadable(_)),
            ) => {
                broke |= matches!(error, ApiError::Broken(_));
                failed = Some(error);
                tried.push(collection);
            }
            Err(error) => return Err(error),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => version(source).await.map(|_| Read::default()),
    }
}

/// The version that an answer about this tells.
fn counted(of: &Collection, page: &Page) -> Option<(Kind, u64)> {
    page.resource_version.parse().ok().map(|version| (of.kind, version))
}

/// Reads one more that is not read for the others' sake; what it counted.
async fn read_beside(
    source: &Source,
    readable: &Readable,
    collection: &Collection,
) -> Result<Option<(Kind, u64)>, ApiError> {
    let before = readable.begin(collection);
    let read = source.api.first(collection).await;
    let how = match &read {
        Ok(_) => LastRead::Well,
        Err(ApiError::Forbidden { .. }) => LastRead::Refused,
        Err(ApiError::Gone | ApiError::Status { .. } | ApiError::Broken(_) | ApiError::Unreadable(_)) => {
            LastRead::Failed
        }
        Err(_) => return read.map(|_| None),
    };
    readable.end(collection, before, how);
    read.map(|page| counted(collection, &page))
}

/// Reads again what could not be read, beside everything else.
async fn read_again(source: Source, readable: Readable, collection: Collection) {
    let how = match tokio::time::timeout(PULSE_DEADLINE, source.api.first(&collection)).await {
        Ok(Ok(_)) => LastRead::Well,
        Ok(Err(ApiError::Forbidden { .. })) => LastRead::Refused,
        Ok(Err(_)) | Err(_) => return,
    };
    readable.end(&collection, LastRead::Failed, how);
}

/// The API server's version; empty where clusters hide it, which is an answer too.
async fn version(source: &Source) -> Result<String, ApiError> {
    match source.api.version().await {
        Err(ApiError::Forbidden { .. }) => Ok(String::new()),
        answer => answer,
    }
}
