//! How far each kind can be trusted: what its watches say, together with whether the API server
//! answers at all. A watch that is merely silent proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use app::api::{Kind, KindState, Millis, Text};

/// What is known about freshness.
#[derive(Debug, Default)]
pub struct Freshness {
    watches: BTreeMap<Kind, BTreeMap<Option<Text>, KindState>>,
    as_of: BTreeMap<Kind, Millis>,
    /// Since when the API server has not answered, and why.
    silent: Option<(Millis, Text)>,
    /// How fresh kinds are is told by another hub, and nothing is concluded from a watch being open.
    told: bool,
}

impl Freshness {
    /// Of a hub that is told by another.
    pub fn told() -> Freshness {
        Freshness { told: true, ..Freshness::default() }
    }

    /// Whether it is of such a hub.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// Another hub knows kinds to be current until then.
    pub fn confirmed(&mut self, as_of: Vec<(Kind, Millis)>) {
        self.as_of.extend(as_of);
    }

    /// A watch is doing `state`; gives what that makes of its kind.
    pub fn watch(&mut self, kind: Kind, within: Option<Text>, state: KindState, now: Millis) -> KindState {
        if within.is_some() {
            // Watching namespaces one by one has taken the place of watching the cluster.
            self.watches.entry(kind).or_default().remove(&None);
        }
        self.watches.entry(kind).or_default().insert(within, state);
        let state = self.of(kind);
        if state == KindState::Live && !self.told {
            self.as_of.insert(kind, now);
        }
        state
    }

    /// The API server answered or did not; gives the state of every kind that has one.
    pub fn pulse(&mut self, pulse: Result<(), Text>, now: Millis) -> Vec<(Kind, KindState)> {
        match pulse {
            Ok(()) => self.silent = None,
            Err(why) => match &mut self.silent {
                Some((_, because)) => *because = why,
                None => self.silent = Some((now, why)),
            },
        }
        let kinds: Vec<Kind> = self.watches.keys().copied().collect();
        kinds
            .into_iter()
            .map(|kind| {
                let state = self.of(kind);
                if state == KindState::Live {
                    self.as_of.insert(kind, now);
                }
                (kind, state)
            })
            .collect()
    }

    /// Until when each kind is known to be current.
    pub fn as_of(&self) -> Vec<(Kind, Millis)> {
        Kind::ALL.iter().filter_map(|kind| Some((*kind, *self.as_of.get(&kind.watched())?))).collect()
    }

    /// The namespaces a kind is watched in one by one, and whether it may be; empty for the whole cluster.
    pub fn within(&self, kind: Kind) -> Vec<(Text, bool)> {
        let watches = self.watches.get(&kind.watched()).into_iter().flatten();
        watches
            .filter_map(|(within, state)| {
                Some((within.clone()?, !matches!(state, KindState::Forbidden { .. })))
            })
            .collect()
    }

    /// Every namespace that some kind is watched in because others are not to be; not those that a kind is only in.
    pub fn namespaces(&self) -> Vec<String> {
        let chosen = self.watches.iter().filter(|(kind, _)| kind.only_in().is_none());
        let all = chosen.flat_map(|(_, watches)| watches.keys().flatten());
        all.map(Text::to_string).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// See [`app::wire::About::refused`].
    pub fn refused(&self) -> Vec<(Kind, String)> {
        let mut refused = Vec::new();
        for kind in self.watches.keys() {
            let within = self.within(*kind);
            if within.iter().any(|(_, allowed)| *allowed) {
                refused.extend(
                    within
                        .into_iter()
                        .filter(|(_, allowed)| !allowed)
                        .map(|(name, _)| (*kind, name.to_string())),
                );
            }
        }
        refused
    }

    /// The worst of its watches. Where some namespaces are refused and others not, the others count:
    /// their rows are right, and [`Self::refused`] names the rest.
    fn of(&self, kind: Kind) -> KindState {
        let Some(watches) = self.watches.get(&kind) else { return KindState::Connecting };
        let allowed = || watches.values().filter(|state| !matches!(state, KindState::Forbidden { .. }));
        let worst = match allowed().max_by_key(|state| rank(state)) {
            Some(state) => state.clone(),
            None => watches.values().next().cloned().unwrap_or_default(),
        };
        match (&worst, &self.silent) {
            (KindState::Live, Some((silent_since, because))) => KindState::Stale {
                since: self.as_of.get(&kind).copied().unwrap_or(*silent_since),
                because: because.clone(),
            },
            (KindState::Stale { since, because }, _) => KindState::Stale {
                since: self.as_of.get(&kind).copied().unwrap_or(*since),
                because: because.clone(),
            },
            _ => worst,
        }
    }
}

fn rank(state: &KindState) -> u8 {
    match state {
        KindState::Live => 0,
        KindState::Forbidden { .. } => 1,
        KindState::Stale { .. } => 2,
        KindState::Listing { .. } => 3,
        KindState::Connecting => 4,
        KindState::Failing { .. } => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_api_server_makes_live_kinds_stale_since_they_were_last_confirmed() {
        let mut freshness = Freshness::default();
        assert_eq!(freshness.watch(Kind::Pod, None, KindState::Live, Millis(1000)), KindState::Live);
        freshness.pulse(Ok(()), Millis(3000));
        let states = freshness.pulse(Err(Text::from("no answer")), Millis(8000));
        let stale = KindState::Stale { since: Millis(3000), because: Text::from("no answer") };
        assert_eq!(states, [(Kind::Pod, stale)]);
        // what is made of pods is as fresh as they are
        assert_eq!(freshness.as_of(), [(Kind::Pod, Millis(3000)), (Kind::Container, Millis(3000))]);
        assert_eq!(freshness.pulse(Ok(()), Millis(9000)), [(Kind::Pod, KindState::Live)]);
        assert_eq!(freshness.as_of()[0], (Kind::Pod, Millis(9000)));
    }

    #[test]
    fn a_kind_watched_in_namespaces_is_as_good_as_the_worst_of_them() {
        let mut freshness = Freshness::default();
        let forbidden = KindState::Forbidden {
            verb: Text::from("list"),
            resource: Text::from("pods"),
            namespace: Text::default(),
        };
        assert_eq!(freshness.watch(Kind::Pod, None, forbidden.clone(), Millis(0)), forbidden);
        let (a, b) = (Some(Text::from("a")), Some(Text::from("b")));
        assert_eq!(freshness.watch(Kind::Pod, a, KindState::Live, Millis(1)), KindState::Live);
        let listing = KindState::Listing { seen: 3 };
        assert_eq!(freshness.watch(Kind::Pod, b.clone(), listing.clone(), Millis(2)), listing);
        assert_eq!(freshness.watch(Kind::Pod, b, forbidden, Millis(3)), KindState::Live);
        assert_eq!(freshness.namespaces(), ["a", "b"]);
        assert_eq!(freshness.refused(), [(Kind::Pod, "b".to_owned())]);
        assert_eq!(freshness.within(Kind::Pod), [(Text::from("a"), true), (Text::from("b"), false)]);
        assert!(freshness.within(Kind::Node).is_empty());
    }

    #[test]
    fn a_kind_of_one_namespace_does_not_make_it_the_only_one_watched() {
        let mut freshness = Freshness::default();
        let leases = Some(Text::from("kube-node-lease"));
        assert_eq!(freshness.watch(Kind::Lease, leases, KindState::Live, Millis(0)), KindState::Live);
        freshness.watch(Kind::Pod, None, KindState::Live, Millis(0));
        assert!(freshness.namespaces().is_empty());
        assert_eq!(freshness.within(Kind::Lease), [(Text::from("kube-node-lease"), true)]);
    }
}
