//! A limit on wrong secrets, by address and in all: a bucket each, from which every try takes and into which a right
//! one gives back.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Tries in a row from one address, and how long until there is another.
const OF_ONE: Size = Size { burst: 10.0, every: Duration::from_secs(6) };
/// The same for all addresses together.
const OF_ALL: Size = Size { burst: 100.0, every: Duration::from_millis(600) };
/// Addresses that are remembered. With so many at it, the limit for all of them is what holds.
const REMEMBERED: usize = 4096;

/// A bucket: how many tries it holds, and how long until there is another.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// So many at once.
    pub burst: f64,
    /// Then one each.
    pub every: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(size: Size, now: Instant) -> Bucket {
        Bucket { left: size.burst, at: now }
    }

    fn fill(&mut self, size: Size, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() / size.every.as_secs_f64();
        self.left = (self.left + gained).min(size.burst);
        self.at = now;
    }

    /// How long until one can be taken.
    fn wait(&self, size: Size) -> Option<Duration> {
        (self.left < 1.0).then(|| size.every.mul_f64(1.0 - self.left))
    }
}

/// There were too many wrong secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many wrong tries")]
pub struct TooMany {
    /// How long until the next try.
    pub wait: Duration,
}

#[derive(Debug)]
struct Buckets {
    all: Bucket,
    each: HashMap<IpAddr, Bucket>,
}

/// How many tries there were of late: wrong secrets, unless it is made for something else.
#[derive(Debug)]
pub struct Throttle {
    of_one: Size,
    of_all: Size,
    buckets: Mutex<Buckets>,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle::new(OF_ONE, OF_ALL)
    }
}

/// One try, which counts as wrong unless it is said to be right.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    from: Option<IpAddr>,
}

impl Attempt<'_> {
    /// It was right, and does not count.
    pub fn right(self) {
        let mut buckets = self.throttle.buckets();
        buckets.all.left = (buckets.all.left + 1.0).min(self.throttle.of_all.burst);
        if let Some(bucket) = self.from.and_then(|from| buckets.each.get_mut(&from)) {
            bucket.left = (bucket.left + 1.0).min(self.throttle.of_one.burst);
        }
    }
}

impl Throttle {
    /// With so many tries from one address, and from all of them.
    pub fn new(of_one: Size, of_all: Size) -> Throttle {
        let all = Bucket::full(of_all, Instant::now());
        Throttle { of_one, of_all, buckets: Mutex::new(Buckets { all, each: HashMap::new() }) }
    }

    /// To be asked before a secret is looked at.
    pub fn attempt(&self, from: Option<IpAddr>) -> Result<Attempt<'_>, TooMany> {
        self.attempt_at(from, Instant::now())
    }

    fn attempt_at(&self, from: Option<IpAddr>, now: Instant) -> Result<Attempt<'_>, TooMany> {
        let from = from.map(neighbourhood);
        let mut buckets = self.buckets();
        if buckets.each.len() >= REMEMBERED {
            buckets.each.retain(|_, bucket| {
                bucket.fill(self.of_one, now);
                bucket.left < self.of_one.burst
            });
        }
        let room = buckets.each.len() < REMEMBERED;
        let Buckets { all, each } = &mut *buckets;
        let one = match from {
            Some(from) if room || each.contains_key(&from) => {
                Some(each.entry(from).or_insert(Bucket::full(self.of_one, now)))
            }
            _ => None,
        };
        all.fill(self.of_all, now);
        let mut wait = all.wait(self.of_all);
        if let Some(one) = one {
            one.fill(self.of_one, now);
            wait = wait.max(one.wait(self.of_one));
            if wait.is_none() {
                one.left -= 1.0;
            }
        }
        match wait {
            Some(wait) => Err(TooMany { wait }),
            None => {
                all.left -= 1.0;
                Ok(Attempt { throttle: self, from })
            }
        }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        // Nothing panics while it is held; if it did, counts would still be counts.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose address it is: who has one of IPv6 has a whole /64 of them (RFC 6177).
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(n.into()))
    }

    #[test]
    fn wrong_tries_run_out_and_come_back_and_right_ones_cost_nothing() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..100 {
            throttle.attempt_at(address(1), now).expect("room").right();
        }
        for _ in 0..10 {
            let _ = throttle.attempt_at(address(1), now).expect("room");
        }
        let TooMany { wait } = throttle.attempt_at(address(1), now).expect_err("too many");
        assert_eq!(wait, OF_ONE.every);
        let _ = throttle.attempt_at(address(2), now).expect("somebody else's");
        let later = now + wait;
        let _ = throttle.attempt_at(address(1), later).expect("one more");
        throttle.attempt_at(address(1), later).expect_err("and no other");
    }

    #[test]
    fn many_addresses_share_a_limit_and_bounded_memory() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        let mut let_through = 0;
        for n in 0..20_000 {
            let_through += u32::from(throttle.attempt_at(address(n), now).is_ok());
            now += Duration::from_millis(1);
        }
        // The burst, and 20 s worth of one each 0.6 s.
        assert!((100..=134).contains(&let_through), "{let_through}");
        assert!(throttle.buckets().each.len() <= REMEMBERED);
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let throttle = Throttle::default();
        let now = Instant::now();
        let of = |tail: u16| Some(format!("2001:db8::{tail:x}").parse().expect("an address"));
        for n in 0..10 {
            let _ = throttle.attempt_at(of(n), now).expect("room");
        }
        throttle.attempt_at(of(99), now).expect_err("too many");
    }
}
