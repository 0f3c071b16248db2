use super::*;
use crate::{
    query::fixtures::{NOW, about, as_of, cluster, pod, put, services},
    wire::Apart,
};

fn seeded() -> Store {
    Store::new(&Seed::choose(&cluster(), "/pods", &about(), 1, &as_of(), NOW))
}

fn with_owner(test: impl FnOnce()) {
    let owner = Owner::new();
    owner.with(test);
}

#[test]
fn the_first_paint_holds_what_the_hub_holds() {
    with_owner(|| assert_eq!(seeded().hash(Kinds::all()), cluster().hash()));
}

#[test]
fn a_changed_cell_is_marked_for_a_moment() {
    with_owner(|| {
        let store = seeded();
        let before = store.row::<api::Pod>(Uid(20)).unwrap();
        store.apply(vec![Change::Pod(Delta::Put(Arc::new(api::Pod { ready: 0, ..(*before).clone() })))]);
        assert_eq!(store.mark(Kind::Pod, Uid(20), 0), "", "NAME is the same");
        let first = store.mark(Kind::Pod, Uid(20), 1);
        assert!(first.starts_with("mark-"), "READY has changed");
        store.apply(vec![Change::Pod(Delta::Put(before))]);
        assert_ne!(store.mark(Kind::Pod, Uid(20), 1), first, "the animation starts anew");
        store.tick(Millis(NOW.0 + 2_000));
        assert_eq!(store.mark(Kind::Pod, Uid(20), 1), "");
    });
}

#[test]
fn a_pod_that_went_stays_for_a_moment_and_a_new_one_is_fresh() {
    with_owner(|| {
        let store = seeded();
        store.apply(vec![
            Change::Pod(Delta::Gone(Uid(22))),
            Change::Pod(Delta::Put(Arc::new(pod(40, "rf-new", "rf", "worker-2")))),
        ]);
        assert!(store.gone(Kind::Pod, Uid(22)));
        assert!(store.line(Kind::Pod, Uid(22)).is_some());
        assert!(store.row::<api::Pod>(Uid(22)).is_none(), "it is not there, only drawn");
        assert!(store.fresh(Kind::Pod, Uid(40)));
        store.tick(Millis(NOW.0 + 2_000));
        assert!(store.line(Kind::Pod, Uid(22)).is_none());
        assert!(!store.fresh(Kind::Pod, Uid(40)));
    });
}

#[test]
fn what_change_leaves_behind_goes_also_when_the_clock_is_put_back() {
    with_owner(|| {
        let store = seeded();
        store.apply(vec![
            Change::Pod(Delta::Gone(Uid(22))),
            Change::Pod(Delta::Put(Arc::new(pod(40, "rf-new", "rf", "worker-2")))),
        ]);
        store.tick(NOW.later(-3_600_000));
        assert!(store.line(Kind::Pod, Uid(22)).is_none());
        assert!(!store.fresh(Kind::Pod, Uid(40)));
    });
}

#[test]
fn a_row_that_a_new_list_is_without_is_not_there() {
    with_owner(|| {
        let store = seeded();
        assert!(store.there(Kind::Pod, Uid(22)));
        store.reset(vec![Change::Pod(Delta::Reset(Vec::new()))]);
        assert!(!store.there(Kind::Pod, Uid(22)));
    });
}

#[test]
fn what_the_first_paint_had_a_part_of_is_not_taken_for_all() {
    with_owner(|| {
        let mut cluster = cluster();
        services(&mut cluster);
        for i in 0..900u128 {
            put(&mut cluster, pod(1_000 + i, &format!("many-{i:03}"), "many", "worker-1"));
        }
        let store = Store::new(&Seed::choose(&cluster, "/pods", &about(), 1, &as_of(), NOW));
        assert_eq!(store.count(Kind::Service), 3, "as long as that is known");
        store.reset(vec![Change::Pod(Delta::Reset(Vec::new()))]);
        assert_eq!(store.freshness(Kind::Service), Freshness::Listing(0));
        assert_eq!(store.count(Kind::Node), 2);
        assert_eq!(store.freshness(Kind::Node), Freshness::Painted(NOW), "all of them were in it");
        store.reset(vec![Change::Node(Delta::Reset(Vec::new()))]);
        assert_eq!(store.freshness(Kind::Pod), Freshness::Painted(NOW), "once only");
    });
}

#[test]
fn what_is_not_followed_goes_when_other_namespaces_of_it_may_be_seen() {
    with_owner(|| {
        let within = |kind: Kind, may: bool| Apart::from([(kind, vec![("default".into(), may)])]);
        let about = |apart| About { apart, ..about() };
        let seed =
            Seed::choose(&cluster(), "/pods", &about(within(Kind::ReplicaSet, false)), 1, &as_of(), NOW);
        let store = Store::new(&seed);
        let others = store.lines(Kind::Deployment).len();
        assert!(others > 0 && store.count(Kind::ReplicaSet) > 0);
        let followed = Kinds::from_iter([Kind::Pod, Kind::Node]);

        store.set_about(About { ahead: 7, ..about(within(Kind::ReplicaSet, false)) }, followed);
        assert_eq!(store.freshness(Kind::ReplicaSet), Freshness::Painted(NOW), "of the same namespaces");

        store.set_about(about(within(Kind::ReplicaSet, true)), followed);
        assert_eq!(store.freshness(Kind::ReplicaSet), Freshness::Listing(0), "not all there are");
        assert_eq!(store.count(Kind::ReplicaSet), 0);
        assert_eq!(store.lines(Kind::Deployment).len(), others);

        store.set_about(about(within(Kind::Pod, true)), followed);
        assert_eq!(store.freshness(Kind::Pod), Freshness::Painted(NOW), "its stream says what else there is");
        store.set_about(about(within(Kind::Pod, false)), Kinds::default());
        assert_eq!(store.freshness(Kind::Pod), Freshness::Listing(0), "more than may be seen");
    });
}

#[test]
fn a_snapshot_replaces_and_marks_nothing() {
    with_owner(|| {
        let store = seeded();
        store.reset(vec![Change::Pod(Delta::Reset(vec![Arc::new(pod(
            20,
            "web-5d4f-aaaaa",
            "web",
            "worker-2",
        ))]))]);
        assert_eq!(store.lines(Kind::Pod).len(), 1);
        assert_eq!(store.mark(Kind::Pod, Uid(20), 6), "");
        assert!(!store.gone(Kind::Pod, Uid(22)));
    });
}

#[test]
fn what_a_first_socket_confirms_counts_when_all_that_the_page_is_about_has_come() {
    with_owner(|| {
        let store = seeded();
        let later = NOW.later(30_000);
        store.tick(later);
        store.set_as_of(vec![(Kind::Pod, later)]);
        assert!(store.freshness(Kind::Pod).dims(), "what stands beside rows is the document's");
        store.set_link(Link::Live);
        assert_eq!(store.freshness(Kind::Pod), Freshness::Live);
        assert_eq!(store.as_of(Kind::Pod), Some(later));
    });
}

#[test]
fn rows_count_as_current_only_as_long_as_someone_says_so() {
    with_owner(|| {
        let store = seeded();
        assert_eq!(store.freshness(Kind::Pod), Freshness::Painted(NOW));
        store.tick(Millis(NOW.0 + 6_000));
        assert!(store.freshness(Kind::Pod).dims(), "no socket came");
        store.set_link(Link::Live);
        store.set_as_of(vec![(Kind::Pod, Millis(NOW.0 + 6_000))]);
        assert_eq!(store.freshness(Kind::Pod), Freshness::Live);
        assert!(store.freshness(Kind::Node).dims(), "nobody confirmed the nodes");
        store.tick(Millis(NOW.0 + 12_000));
        assert!(store.freshness(Kind::Pod).dims(), "open, but silent");
        store.apply(vec![Change::State(
            Kind::Pod,
            KindState::Stale { since: NOW, because: "refused".into() },
        )]);
        assert_eq!(
            store.freshness(Kind::Pod),
            Freshness::Old { as_of: Some(NOW), because: "refused".into() }
        );
    });
}

#[test]
fn what_is_counted_over_all_rows_is_counted_anew_within_a_second() {
    with_owner(|| {
        let store = seeded();
        let lately = store.lately(&[Kind::Pod]);
        let rows = store.clone();
        let count = Memo::new(move |_| {
            lately();
            untrack(|| rows.current::<api::Pod>().len())
        });
        let before = count.get();
        for more in 1..4 {
            let number = 40 + more;
            let name = format!("rf-{more}");
            let put = Change::Pod(Delta::Put(Arc::new(pod(number, &name, "rf", "worker-2"))));
            store.apply(vec![put]);
            store.tick(Millis(NOW.0 + 1_000 * more as i64));
            assert_eq!(count.get(), before + more as usize);
        }
    });
}

#[test]
fn what_is_counted_over_all_rows_does_not_wait_once_they_are_current_again() {
    with_owner(|| {
        let store = seeded();
        let lately = store.lately(&[Kind::Pod]);
        let rows = store.clone();
        let count = Memo::new(move |_| {
            lately();
            untrack(|| rows.current::<api::Pod>().len())
        });
        let put = |number: u128| {
            let name = format!("rf-{number}");
            Change::Pod(Delta::Put(Arc::new(pod(number, &name, "rf", "worker-2"))))
        };
        assert_eq!(count.get(), 4);
        store.apply(vec![put(41)]);
        assert_eq!(count.get(), 4, "it is still the same second");
        let live = Change::State(Kind::Pod, KindState::Live);
        store.reset(vec![live, Change::Pod(Delta::Reset(Vec::new()))]);
        assert_eq!(count.get(), 0, "a snapshot");
        store.set_link(Link::Live);
        let later = Millis(NOW.0 + 6_000);
        store.tick(later);
        assert!(store.freshness(Kind::Pod).dims());
        assert_eq!(count.get(), 0);
        store.apply(vec![put(42)]);
        assert_eq!(count.get(), 0, "as long as it is not called current");
        store.set_as_of(vec![(Kind::Pod, later)]);
        assert_eq!(store.freshness(Kind::Pod), Freshness::Live);
        assert_eq!(count.get(), 1);
    });
}

#[test]
fn pods_that_come_and_go_leave_nothing_behind() {
    with_owner(|| {
        let store = seeded();
        let known = || lock(&store.0.rows).len();
        for round in 0..50u128 {
            let number = 100 + round;
            let put =
                Change::Pod(Delta::Put(Arc::new(pod(number, &format!("rf-{round}"), "rf", "worker-2"))));
            store.apply(vec![put]);
            assert!(store.line(Kind::Pod, Uid(number)).is_some());
            store.apply(vec![Change::Pod(Delta::Gone(Uid(number)))]);
            assert!(store.gone(Kind::Pod, Uid(number)), "drawn for a moment");
            store.tick(Millis(NOW.0 + 2_000 * (round as i64 + 1)));
        }
        assert_eq!(known(), 0);
        store.line(Kind::Pod, Uid(20));
        store.reset(vec![Change::Pod(Delta::Reset(Vec::new()))]);
        assert_eq!(known(), 0, "a new list without it");
    });
}

#[test]
fn who_looks_at_a_pod_that_went_is_told_when_it_comes_back() {
    with_owner(|| {
        let store = seeded();
        let rows = store.clone();
        let there = Memo::new(move |_| rows.line(Kind::Pod, Uid(20)).is_some());
        let row = store.row::<api::Pod>(Uid(20)).unwrap();
        assert!(there.get());
        store.reset(vec![Change::Pod(Delta::Reset(Vec::new()))]);
        assert!(!there.get());
        store.apply(vec![Change::Pod(Delta::Put(row))]);
        assert!(there.get());
    });
}

#[test]
fn rows_that_another_server_numbered_do_not_stay_beside_those_of_this_one() {
    with_owner(|| {
        let store = seeded();
        let pods: Kinds = [Kind::Pod].into_iter().collect();
        assert!(!store.enter(1, pods));
        assert!(store.count(Kind::Node) > 0, "the same server");
        assert!(store.enter(2, pods));
        assert_eq!((store.count(Kind::Node), store.state(Kind::Node)), (0, KindState::Connecting));
        assert!(store.count(Kind::Pod) > 0, "a snapshot of these will come");
    });
}
