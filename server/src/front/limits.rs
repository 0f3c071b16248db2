//! How many connections may be open, in all and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::audience::door::{proxy::Networks, throttle::neighbourhood};

/// Connections in all, unless something else is said.
pub const USUAL: usize = 4096;
/// The part of them that one address may have.
const OF_ONE: usize = 4;
/// How often it is said that somebody was turned away.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// The limits, and who is there. A cheap clone.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    most: usize,
    of_one: usize,
    /// Those behind whom others are: of these one address says nothing.
    proxies: Networks,
    open: Mutex<Open>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    each: HashMap<IpAddr, usize>,
    turned_away: u64,
    said: Option<Instant>,
}

/// One of the connections that are counted.
#[derive(Debug)]
pub struct Place {
    limits: Limits,
    address: Option<IpAddr>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new(USUAL, Networks::default())
    }
}

impl Limits {
    /// `most` in all, and a quarter of that from one address that is neither a proxy of ours nor this machine.
    pub fn new(most: usize, proxies: Networks) -> Limits {
        Limits::with((most, most / OF_ONE), proxies)
    }

    /// So many in all, and so many from one address.
    pub fn with((most, of_one): (usize, usize), proxies: Networks) -> Limits {
        let of_one = of_one.max(1);
        Limits(Arc::new(Inside { most, of_one, proxies, open: Mutex::default(), left: Notify::new() }))
    }

    /// A place for a connection from `address`, if there is one.
    pub fn admit(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let counted = !address.is_loopback() && !self.0.proxies.has(address);
        let address = counted.then(|| neighbourhood(address));
        let mut open = self.open();
        let of_one = address.and_then(|address| open.each.get(&address)).copied().unwrap_or_default();
        let full = open.all >= self.0.most;
        if full || of_one >= self.0.of_one {
            open.turned_away += 1;
            if open.said.is_none_or(|said| said.elapsed() > SAY_AGAIN) {
                open.said = Some(Instant::now());
                let (all, turned_away) = (open.all, open.turned_away);
                tracing::warn!(
                    address = address.map(tracing::field::display),
                    all,
                    turned_away,
                    "too many connections"
                );
            }
            return None;
        }
        open.all += 1;
        if let Some(address) = address {
            *open.each.entry(address).or_default() += 1;
        }
        Some(Place { limits: self.clone(), address })
    }

    /// How many are open.
    pub fn open_now(&self) -> usize {
        self.open().all
    }

    /// How many were turned away so far.
    pub fn turned_away(&self) -> u64 {
        self.open().turned_away
    }

    /// Waits until all have gone.
    pub async fn empty(&self) {
        loop {
            let left = self.0.left.notified();
            if self.open().all == 0 {
                return;
            }
            left.await;
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is held.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        open.all = open.all.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(count) = open.each.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.each.remove(&address);
            }
        }
        drop(open);
        self.limits.0.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_and_one_address_has_a_quarter() {
        let proxy = "10.0.0.1/32".parse().expect("a network");
        let limits = Limits::new(8, Networks::new(vec![proxy]));
        let from = |address: &str| limits.admit(address.parse().expect("an address"));
        let first = from("192.0.2.1").expect("room");
        let _second = from("::ffff:192.0.2.1").expect("room");
        assert!(from("192.0.2.1").is_none(), "a third of one address");
        drop(first);
        let _again = from("192.0.2.1").expect("room again");
        let _others: Vec<Place> = ["10.0.0.1", "10.0.0.1", "10.0.0.1", "127.0.0.1", "127.0.0.1", "::1"]
            .into_iter()
            .map(|address| from(address).expect("proxies and this machine have what there is"))
            .collect();
        assert!(from("127.0.0.1").is_none(), "more than eight");
        assert_eq!((limits.open_now(), limits.turned_away()), (8, 2));
    }
}
