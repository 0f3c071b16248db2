//! A hub for every grant that somebody looks with.
//!
//! A room is a hub of its own, told by a lens what is granted and nothing else. It is opened by the first who needs it
//! and closed some time after the last has gone, or before if there are too many; those with equal grants share one,
//! and each frame in it is encoded once for all of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::{
    api::{Kind, KindState, Kinds},
    model::Change,
};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Grant, lens::Lens};
use crate::hub::{Encoding, Ended, Hub, News, Outgoing, Told};

/// How long a room without visitors stays open: its history goes with it.
const IDLE: Duration = Duration::from_secs(600);
/// Rooms that may be open. Each knows at most what the whole knows.
const ROOMS: usize = 200;
/// Clones of a room's hub while nobody is in it: the map's and its feeder's.
const EMPTY: usize = 2;

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The hub has ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// There are too many that somebody is in.
    #[error("too many different parts of the cluster are being looked at just now")]
    Full,
}

/// The rooms there are. A cheap clone.
#[derive(Clone, Debug)]
pub struct Rooms {
    whole: Hub,
    open: Arc<Mutex<HashMap<Arc<Grant>, Room>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Room {
    hub: Hub,
    /// When somebody was in it last, as far as that was looked at.
    used: Instant,
    /// Whether it knows all that is granted.
    ready: watch::Receiver<bool>,
    stop: CancellationToken,
}

impl Rooms {
    /// With `whole`, which knows everything that is watched. All of them close with `stop`.
    pub fn new(whole: Hub, stop: CancellationToken) -> Rooms {
        Rooms { whole, open: Arc::default(), tasks: TaskTracker::new(), stop }
    }

    /// The hub that whoever has `grant` reads from. Whoever enters sees a cluster, not one that is being filled.
    pub async fn hub(&self, grant: Option<&Arc<Grant>>) -> Result<Hub, NoRoom> {
        let Some(grant) = grant else { return Ok(self.whole.clone()) };
        let (hub, mut ready) = self.enter(grant)?;
        match ready.wait_for(|ready| *ready).await {
            Ok(_) => Ok(hub),
            Err(_) => Err(Ended.into()),
        }
    }

    /// Ends when all rooms are closed, which they are after `stop`.
    pub async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Arc<Grant>, Room>> {
        // No code that holds the lock can panic; if it did, the map would still be a map.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, grant: &Arc<Grant>) -> Result<(Hub, watch::Receiver<bool>), NoRoom> {
        let mut open = self.open();
        if let Some(room) = open.get_mut(grant) {
            room.used = Instant::now();
            return Ok((room.hub.clone(), room.ready.clone()));
        }
        if open.len() >= ROOMS {
            let empty = open.iter().filter(|(_, room)| room.hub.handles() <= EMPTY);
            let longest = empty.min_by_key(|(_, room)| room.used).map(|(grant, _)| grant.clone());
            let closing = longest.and_then(|grant| open.remove(&grant)).ok_or(NoRoom::Full)?;
            closing.stop.cancel();
        }
        let stop = self.stop.child_token();
        let (hub, owner) = Hub::room(stop.clone());
        let (is_ready, ready) = watch::channel(false);
        let room = Room { hub: hub.clone(), used: Instant::now(), ready: ready.clone(), stop: stop.clone() };
        open.insert(grant.clone(), room);
        self.tasks.spawn(owner);
        let (rooms, grant, feeding) = (self.clone(), grant.clone(), hub.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                fed = rooms.feed(&grant, &feeding, &is_ready) => if fed.is_err() {
                    tracing::debug!("a room closes with the hub");
                },
                () = stop.cancelled() => {}
            }
            {
                let mut open = rooms.open();
                // An empty room is taken out before, and another may be in its place.
                if open.get(&grant).is_some_and(|room| room.hub.is(&feeding)) {
                    open.remove(&grant);
                }
            }
            stop.cancel();
        });
        Ok((hub, ready))
    }

    /// Tells a room's hub what is granted, until nobody has been in it for a while.
    async fn feed(&self, grant: &Arc<Grant>, room: &Hub, ready: &watch::Sender<bool>) -> Result<(), Ended> {
        let mut lens = Lens::new(grant.clone());
        let watched = || Kind::ALL.iter().copied().filter(|kind| kind.watched() == *kind);
        for kind in watched().filter(|kind| !grant.kinds.contains_key(kind)) {
            tell_state(&lens, room, kind, &KindState::Connecting).await?;
        }
        // There is always a seat for a room.
        let seat = self.whole.subscribe(lens.scope(), Encoding::Rows).await.map_err(|_| Ended)?;
        let mut states = BTreeMap::new();
        // Kinds that may be watched elsewhere than before.
        let mut due = Kinds::default();
        loop {
            let Outgoing::Told(told) = seat.next().await? else { continue };
            match &*told {
                Told::About(about) => {
                    let news = lens.hear(&about.apart);
                    // What may not be seen any more is said at once; what may be again, when it is here.
                    for (kind, state) in states.iter().filter(|(kind, _)| news.contains(**kind)) {
                        for (within, state) in lens.states(*kind, state) {
                            if matches!(state, KindState::Forbidden { .. }) {
                                room.tell(News::Watch { kind: *kind, within, state }).await?;
                            }
                        }
                    }
                    due = due.union(news);
                    room.tell(News::About(lens.about(about))).await?;
                }
                Told::Changes(changes) => {
                    let seen = lens.take(changes);
                    let news = changes.iter().filter_map(|change| match change {
                        Change::State(kind, state) => Some((*kind, state)),
                        _ => None,
                    });
                    // What is refused is not gone, and nothing is as of any time that is not there yet.
                    let (refused, others): (Vec<_>, Vec<_>) =
                        news.partition(|(_, state)| matches!(state, KindState::Forbidden { .. }));
                    for (kind, state) in &refused {
                        tell_state(&lens, room, *kind, state).await?;
                    }
                    if !seen.is_empty() {
                        room.tell(News::Seen(seen)).await?;
                    }
                    for (kind, state) in &others {
                        tell_state(&lens, room, *kind, state).await?;
                    }
                    states
                        .extend(refused.into_iter().chain(others).map(|(kind, state)| (kind, state.clone())));
                    tell_states(&lens, room, &states, std::mem::take(&mut due)).await?;
                }
                Told::Beat(as_of) => {
                    // Nothing may have changed but where it is watched.
                    tell_states(&lens, room, &states, std::mem::take(&mut due)).await?;
                    let refused = |kind| matches!(states.get(&kind), Some(KindState::Forbidden { .. }));
                    room.tell(News::Confirmed(lens.as_of(as_of, refused))).await?;
                    if !*ready.borrow() {
                        let (settle, settled) = oneshot::channel();
                        room.tell(News::Settle(settle)).await?;
                        settled.await.map_err(|_| Ended)?;
                        ready.send_replace(true);
                    }
                    if self.is_idle(grant, room) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Whether nobody has been in it for a while; then it has been taken out.
    fn is_idle(&self, grant: &Arc<Grant>, room: &Hub) -> bool {
        // the same lock in which others enter
        let mut open = self.open();
        let Some(own) = open.get_mut(grant).filter(|own| own.hub.is(room)) else { return true };
        if room.handles() > EMPTY {
            own.used = Instant::now();
            return false;
        }
        let idle = own.used.elapsed() > IDLE;
        if idle {
            open.remove(grant);
        }
        idle
    }
}

async fn tell_states(
    lens: &Lens,
    room: &Hub,
    states: &BTreeMap<Kind, KindState>,
    of: Kinds,
) -> Result<(), Ended> {
    for (kind, state) in states.iter().filter(|(kind, _)| of.contains(**kind)) {
        tell_state(lens, room, *kind, state).await?;
    }
    Ok(())
}

async fn tell_state(lens: &Lens, room: &Hub, kind: Kind, state: &KindState) -> Result<(), Ended> {
    for (within, state) in lens.states(kind, state) {
        room.tell(News::Watch { kind, within, state }).await?;
    }
    Ok(())
}
