//! How far each kind can be trusted: what its watches say, together with whether the API server
//! answers at all. A watch that is merely silent proves nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use app::{
    api::{Kind, KindState, Millis, Text},
    wire::Apart,
};

use crate::source::pulse::TRUSTED;

/// What is known about freshness.
#[derive(Debug, Default)]
pub struct Freshness {
    watches: BTreeMap<Kind, BTreeMap<Option<Text>, Watched>>,
    /// Since when the API server has not answered, and why.
    silent: Option<(Millis, Text)>,
    /// How fresh kinds are is told by another hub, and nothing is concluded from a watch being open.
    told: Option<BTreeMap<Kind, Millis>>,
}

/// What one watch says of itself.
#[derive(Debug, Default)]
struct Watched {
    state: KindState,
    /// All that it has told is current as of then.
    as_of: Option<Millis>,
}

/// What a kind in this state, current until `as_of` as far as is known, is called `now`, wherever it is said: live only
/// while that is confirmed. A watch is open for a while before it is, and nobody says so when it no longer is.
pub fn called(state: &KindState, as_of: Option<Millis>, now: Millis) -> KindState {
    if *state != KindState::Live {
        return state.clone();
    }
    // What is confirmed in the future was before the clock was put back, nobody knows by how much.
    let age = |at: Millis| Duration::from_millis(now.0.abs_diff(at.0));
    match as_of {
        Some(at) if age(at) <= TRUSTED => KindState::Live,
        Some(at) => KindState::Stale { since: at, because: Text::from("not confirmed for more than 5 s") },
        None => KindState::Stale { since: now, because: Text::from("not confirmed yet") },
    }
}

/// The first of these namespaces in which something is not to be seen, which is watched `within` some one by one, if there
/// are any: it is refused there, or not watched. Nothing is not the same as none.
pub fn unseen<'a>(within: &[(Text, bool)], namespaces: &'a [Text]) -> Option<&'a Text> {
    let is_seen = |namespace: &&Text| within.contains(&((*namespace).clone(), true));
    namespaces.iter().find(|namespace| !within.is_empty() && !is_seen(namespace))
}

/// The namespaces that an answer about these speaks of, where it is asked about all and not all are seen.
pub fn seen_within(apart: &Apart, kind: Kind, namespaces: &[Text]) -> Option<Vec<Text>> {
    let within = apart.get(&kind.watched()).filter(|_| namespaces.is_empty())?;
    Some(within.iter().filter(|(_, allowed)| *allowed).map(|(name, _)| name.clone()).collect())
}

/// How a kind stands in a namespace where it is not to be seen.
pub fn forbidden(kind: Kind, namespace: &Text) -> KindState {
    let resource = Text::from(kind.watched().resource());
    KindState::Forbidden { verb: Text::from("list"), resource, namespace: namespace.clone() }
}

impl Freshness {
    /// Of a hub that is told by another.
    pub fn told() -> Freshness {
        Freshness { told: Some(BTreeMap::new()), ..Freshness::default() }
    }

    /// Whether it is of such a hub.
    pub fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// Another hub knows kinds to be current until then, and no others.
    pub fn confirmed(&mut self, as_of: Vec<(Kind, Millis)>) {
        self.told = Some(as_of.into_iter().collect());
    }

    /// A watch is doing `state`; gives what that makes of its kind.
    pub fn watch(&mut self, kind: Kind, within: Option<Text>, state: KindState) -> KindState {
        // Watching namespaces one by one takes the place of watching the cluster, and the other way round.
        let is_whole = within.is_none();
        self.watches.entry(kind).or_default().retain(|known, _| known.is_none() == is_whole);
        self.watches.entry(kind).or_default().entry(within).or_default().state = state;
        self.of(kind)
    }

    /// All that a watch has told is current as of then.
    pub fn current(&mut self, kind: Kind, within: Option<Text>, as_of: Millis) {
        self.watches.entry(kind).or_default().entry(within).or_default().as_of = Some(as_of);
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
        self.watches.keys().map(|kind| (*kind, self.of(*kind))).collect()
    }

    /// Until when each kind is known to be current.
    pub fn as_of(&self) -> Vec<(Kind, Millis)> {
        Kind::ALL.iter().filter_map(|kind| Some((*kind, self.as_of_kind(kind.watched())?))).collect()
    }

    /// What the least current of its watches says; those that are refused say nothing.
    fn as_of_kind(&self, kind: Kind) -> Option<Millis> {
        match &self.told {
            Some(told) => told.get(&kind).copied(),
            // `None` is the least
            None => self.allowed(kind).map(|watch| watch.as_of).min()?,
        }
    }

    fn allowed(&self, kind: Kind) -> impl Iterator<Item = &Watched> {
        let watches = self.watches.get(&kind).into_iter().flat_map(BTreeMap::values);
        watches.filter(|watch| !matches!(watch.state, KindState::Forbidden { .. }))
    }

    /// The namespaces a kind is watched in one by one, and whether it may be; empty for the whole cluster.
    pub fn within(&self, kind: Kind) -> Vec<(Text, bool)> {
        let watches = self.watches.get(&kind.watched()).into_iter().flatten();
        watches
            .filter_map(|(within, watch)| {
                Some((within.clone()?, !matches!(watch.state, KindState::Forbidden { .. })))
            })
            .collect()
    }

    /// The kinds that are not watched everywhere.
    pub fn apart(&self) -> Apart {
        let kinds = self.watches.keys().map(|kind| (*kind, self.within(*kind)));
        kinds.filter(|(_, within)| !within.is_empty()).collect()
    }

    /// Every namespace that some kind is watched in because others are not to be; none where some kind may be seen in all.
    /// Not those that a kind is only in.
    pub fn namespaces(&self) -> Vec<String> {
        let mut all = BTreeSet::new();
        for (kind, watches) in &self.watches {
            for (within, watch) in watches.iter().filter(|_| kind.namespaced() && kind.only_in().is_none()) {
                match within {
                    Some(name) => _ = all.insert(name.to_string()),
                    None if matches!(watch.state, KindState::Forbidden { .. }) => {}
                    None => return Vec::new(),
                }
            }
        }
        all.into_iter().collect()
    }

    /// The worst of its watches. Where some namespaces are refused and others not, the others count:
    /// their rows are right, and [`Self::apart`] names the rest.
    fn of(&self, kind: Kind) -> KindState {
        let worst = self.allowed(kind).map(|watch| &watch.state).max_by_key(|state| rank(state));
        let refused = || self.watches.get(&kind)?.values().next().map(|watch| &watch.state);
        let worst = worst.or_else(refused).cloned().unwrap_or_default();
        let (since, because) = match (&worst, &self.silent) {
            (KindState::Live, Some((since, because))) => (since, because),
            (KindState::Stale { since, because }, _) => (since, because),
            _ => return worst,
        };
        KindState::Stale { since: self.as_of_kind(kind).unwrap_or(*since), because: because.clone() }
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
        assert_eq!(freshness.watch(Kind::Pod, None, KindState::Live), KindState::Live);
        assert!(freshness.as_of().is_empty(), "an open watch confirms nothing");
        freshness.current(Kind::Pod, None, Millis(3000));
        let states = freshness.pulse(Err(Text::from("no answer")), Millis(8000));
        let stale = KindState::Stale { since: Millis(3000), because: Text::from("no answer") };
        assert_eq!(states, [(Kind::Pod, stale)]);
        // what is made of pods is as fresh as they are
        assert_eq!(freshness.as_of(), [(Kind::Pod, Millis(3000)), (Kind::Container, Millis(3000))]);
        assert_eq!(freshness.pulse(Ok(()), Millis(9000)), [(Kind::Pod, KindState::Live)]);
        assert_eq!(freshness.as_of()[0], (Kind::Pod, Millis(3000)), "nor does an answer, by itself");
    }

    #[test]
    fn live_is_what_was_confirmed_in_the_last_five_seconds() {
        let word = |as_of: Option<i64>, now| called(&KindState::Live, as_of.map(Millis), Millis(now)).word();
        assert_eq!(word(Some(1000), 6000), "live");
        assert_eq!(word(Some(1000), 6001), "stale");
        assert_eq!(word(Some(1000), 500), "live");
        assert_eq!(word(Some(9000), 500), "stale", "a clock that was put back");
        assert_eq!(word(None, 500), "stale");
        let connecting = called(&KindState::Connecting, Some(Millis(1000)), Millis(9000));
        assert_eq!(connecting, KindState::Connecting, "no other state changes with age");
    }

    #[test]
    fn a_kind_watched_in_namespaces_is_as_good_as_the_worst_of_them() {
        let mut freshness = Freshness::default();
        let refused = forbidden(Kind::Pod, &Text::default());
        assert_eq!(freshness.watch(Kind::Pod, None, refused.clone()), refused);
        let (a, b) = (Some(Text::from("a")), Some(Text::from("b")));
        freshness.current(Kind::Pod, a.clone(), Millis(1));
        assert_eq!(freshness.watch(Kind::Pod, a, KindState::Live), KindState::Live);
        let listing = KindState::Listing { seen: 3 };
        assert_eq!(freshness.watch(Kind::Pod, b.clone(), listing.clone()), listing);
        assert!(freshness.as_of().is_empty(), "half of it is not there");
        assert_eq!(freshness.watch(Kind::Pod, b, refused), KindState::Live);
        assert_eq!(freshness.as_of()[0], (Kind::Pod, Millis(1)));
        assert_eq!(freshness.namespaces(), ["a", "b"]);
        assert_eq!(freshness.within(Kind::Pod), [(Text::from("a"), true), (Text::from("b"), false)]);
        assert!(freshness.within(Kind::Node).is_empty());
        freshness.watch(Kind::Node, None, KindState::Live);
        freshness.watch(Kind::Service, None, forbidden(Kind::Service, &Text::default()));
        assert_eq!(freshness.namespaces(), ["a", "b"], "nodes are in none, and services are not seen");
        freshness.watch(Kind::Service, None, KindState::Live);
        assert!(freshness.namespaces().is_empty(), "services are seen in all");
    }

    #[test]
    fn a_kind_of_one_namespace_does_not_make_it_the_only_one_watched() {
        let mut freshness = Freshness::default();
        let leases = Some(Text::from("kube-node-lease"));
        assert_eq!(freshness.watch(Kind::Lease, leases, KindState::Live), KindState::Live);
        freshness.watch(Kind::Pod, None, KindState::Live);
        assert!(freshness.namespaces().is_empty());
        let only = vec![(Text::from("kube-node-lease"), true)];
        assert_eq!(freshness.within(Kind::Lease), only);
        assert_eq!(freshness.apart(), Apart::from([(Kind::Lease, only)]), "elsewhere it is not to be seen");
    }

    #[test]
    fn what_another_hub_confirms_no_more_is_not_confirmed() {
        let mut freshness = Freshness::told();
        freshness.confirmed(vec![(Kind::Node, Millis(1)), (Kind::Service, Millis(1))]);
        freshness.confirmed(vec![(Kind::Node, Millis(2))]);
        assert_eq!(freshness.as_of(), [(Kind::Node, Millis(2))]);
    }
}
