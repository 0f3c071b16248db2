//! Walls: screens that nobody signs in at. A wall shows a code; somebody who is signed in confirms it and says what the
//! wall may show and for how long. What its browser holds from then on is 256 random bits in a cookie.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::api::{Millis, Text};
use http::HeaderMap;
use tokio::time::Instant;

use super::{
    Audit, Grant, Sharer, Visitor, Who,
    links::{LinkError, Shared, check_name, random},
    register::{self, Register, RegisterError, Wall},
    sessions::{cookies, hash, hex},
};

/// What a wall's browser holds.
const COOKIE: &str = "__Host-masthead-wall";
/// How long browsers keep a cookie at most (RFC 6265bis, 5.5); it is set again each time it is used.
const KEPT_SECONDS: u64 = 400 * 86_400;
/// How long a code is good. The wall shows another one then.
const CODE_LASTS: Duration = Duration::from_secs(600);
/// Walls that may wait to be let in, in all and from one address.
const WAITING: (usize, usize) = (500, 10);
/// Letters of codes: none that are read as another, and no vowels.
const LETTERS: &[u8; 25] = b"BCDFGHJKLMNPQRSTVWXZ34679";

/// The walls there are, and those that wait. A cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Walls {
    register: Register,
    waiting: Arc<Mutex<HashMap<String, Waiting>>>,
}

/// A wall that nobody has let in yet, by the hash of what its browser holds.
#[derive(Debug)]
struct Waiting {
    code: String,
    since: Instant,
    from: Option<IpAddr>,
}

/// What a wall that asks is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Pairing {
    /// It is let in.
    In,
    /// It waits, with this code; a new one comes with a cookie.
    Waits {
        /// Eight letters, with a dash between.
        code: String,
        /// The `Set-Cookie`.
        cookie: Option<String>,
    },
    /// Too many wait.
    Full,
}

impl Walls {
    /// Those of `register`.
    pub fn of(register: Register) -> Walls {
        Walls { register, waiting: Arc::default() }
    }

    /// Where a wall's browser stands, which asks again and again.
    pub fn pair(&self, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Pairing, LinkError> {
        let hashes: Vec<String> = cookies(headers, COOKIE).map(|held| hex(&hash(held))).collect();
        if self.wall(&hashes).is_some() {
            return Ok(Pairing::In);
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, waiting| waiting.since.elapsed() < CODE_LASTS);
        if let Some(known) = hashes.iter().find_map(|hash| waiting.get(hash)) {
            return Ok(Pairing::Waits { code: known.code.clone(), cookie: None });
        }
        let here = waiting.values().filter(|waiting| waiting.from == from).count();
        if waiting.len() >= WAITING.0 || here >= WAITING.1 {
            return Ok(Pairing::Full);
        }
        let held = hex(&random::<32>()?);
        let letters = random::<8>()?.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let code = letters.iter().collect::<String>();
        let code = format!("{}-{}", &code[..4], &code[4..]);
        waiting.insert(hex(&hash(&held)), Waiting { code: code.clone(), since: Instant::now(), from });
        Ok(Pairing::Waits { code, cookie: Some(set_cookie(&held)) })
    }

    /// Lets in the wall that shows `code`. Blocks while it writes.
    pub fn let_in(
        &self,
        code: &str,
        name: &str,
        grant: Option<Grant>,
        until: Option<Millis>,
        by: &Sharer,
    ) -> Result<(), LinkError> {
        check_name(name)?;
        let plain = |code: &str| -> String {
            code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
        };
        let hash = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|_, waiting| waiting.since.elapsed() < CODE_LASTS);
            waiting
                .iter()
                .find(|(_, waiting)| plain(&waiting.code) == plain(code))
                .map(|(hash, _)| hash.clone())
        };
        let hash = hash.ok_or(LinkError::NoSuchCode)?;
        let wall = Wall {
            id: Text::from(hex(&random::<8>()?)),
            name: Text::from(name.trim()),
            hash: hash.clone(),
            grant,
            by: by.name.clone(),
            since: self.register.now(),
            until,
            used: None,
        };
        let (id, name) = (wall.id.clone(), wall.name.clone());
        self.register.change(|records| {
            if records.walls.len() >= register::MOST {
                return Err(RegisterError::TooMany);
            }
            records.walls.push(wall);
            Ok(())
        })?;
        Audit::Shared(&name).by(by, &id);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        Ok(())
    }

    /// Takes a wall's right away. Blocks while it writes.
    pub fn revoke(&self, id: &str, by: &Sharer) -> Result<(), LinkError> {
        let revoked = self.register.change(|records| {
            let at = records.walls.iter().position(|wall| *wall.id == *id);
            Ok(at.map(|at| records.walls.remove(at)))
        })?;
        let wall = revoked.ok_or(LinkError::Gone)?;
        Audit::Revoked(&wall.name).by(by, &wall.id);
        Ok(())
    }

    /// The wall that these headers are of, and what its browser is to be told to keep.
    pub fn visitor(&self, headers: &HeaderMap) -> Option<(Visitor, String)> {
        let held: Vec<&str> = cookies(headers, COOKIE).collect();
        let (wall, held) = held.into_iter().find_map(|held| Some((self.wall(&[hex(&hash(held))])?, held)))?;
        self.register.used(&wall.id);
        let who = Who::Wall(Shared { id: wall.id.clone(), name: wall.name.clone() });
        let visitor = Visitor::new(who, wall.grant.map(Arc::new));
        Some((Visitor { ended: self.register.ended(&wall.id), ..visitor }, set_cookie(held)))
    }

    fn wall(&self, hashes: &[String]) -> Option<Wall> {
        self.register.find(|records, now| {
            let good =
                |wall: &&Wall| hashes.contains(&wall.hash) && wall.until.is_none_or(|until| now < until);
            records.walls.iter().find(good).cloned()
        })
    }
}

fn set_cookie(held: &str) -> String {
    format!("{COOKIE}={held}; Path=/; Max-Age={KEPT_SECONDS}; Secure; HttpOnly; SameSite=Strict")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    use super::*;

    fn asks(walls: &Walls) -> (String, HeaderMap) {
        let Pairing::Waits { code, cookie: Some(cookie) } = walls.pair(&HeaderMap::new(), None).unwrap()
        else {
            panic!("a code and a cookie")
        };
        let mut headers = HeaderMap::new();
        headers.insert(http::header::COOKIE, cookie.split(';').next().unwrap().parse().unwrap());
        (code, headers)
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_is_let_in_by_its_code_once_and_until_it_is_ended() {
        let walls = Walls::default();
        let (code, headers) = asks(&walls);
        assert_eq!(walls.pair(&headers, None).unwrap(), Pairing::Waits { code: code.clone(), cookie: None });
        assert!(walls.visitor(&headers).is_none());
        let by = Sharer { name: Text::from("somebody"), from: None };
        assert!(matches!(walls.let_in("BBBB-BBBB", "hall", None, None, &by), Err(LinkError::NoSuchCode)));
        walls.let_in(&code.to_lowercase().replace('-', " "), "hall", None, None, &by).unwrap();
        assert!(matches!(walls.let_in(&code, "again", None, None, &by), Err(LinkError::NoSuchCode)));
        assert_eq!(walls.pair(&headers, None).unwrap(), Pairing::In);
        let (visitor, _) = walls.visitor(&headers).unwrap();
        assert_eq!(visitor.who.name(), "hall");
        let id = walls.register.records().walls[0].id.clone();
        walls.revoke(&id, &by).unwrap();
        assert!(visitor.ended.is_cancelled() && walls.visitor(&headers).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn codes_run_out_and_not_everybody_may_wait() {
        let walls = Walls::default();
        let (code, headers) = asks(&walls);
        tokio::time::advance(CODE_LASTS).await;
        assert!(matches!(
            walls.let_in(&code, "hall", None, None, &Sharer { name: Text::from("a"), from: None }),
            Err(LinkError::NoSuchCode)
        ));
        let Pairing::Waits { code: other, .. } = walls.pair(&headers, None).unwrap() else {
            panic!("another code")
        };
        assert_ne!(code, other);
        for _ in 1..WAITING.1 {
            asks(&walls);
        }
        assert_eq!(walls.pair(&HeaderMap::new(), None).unwrap(), Pairing::Full);
        let elsewhere = Some(IpAddr::from([192, 0, 2, 1]));
        assert!(matches!(walls.pair(&HeaderMap::new(), elsewhere).unwrap(), Pairing::Waits { .. }));
    }
}
