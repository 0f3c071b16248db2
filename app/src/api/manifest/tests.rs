use super::*;

fn scalar(text: &str) -> Field {
    Field::Scalar(text.into())
}

fn map<const N: usize>(fields: [(&str, Field); N]) -> Field {
    let mut fields: Vec<(Arc<str>, Field)> =
        fields.into_iter().map(|(key, field)| (Arc::from(key), field)).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Field::Map(fields)
}

fn container(name: &str, image: &str, more: Field) -> Field {
    map([("image", scalar(image)), ("name", scalar(name)), ("env", more)])
}

fn template(containers: Vec<Field>) -> Field {
    map([
        ("metadata", map([("labels", map([("app", scalar("web"))]))])),
        ("spec", map([("containers", Field::List(containers)), ("dnsPolicy", scalar("ClusterFirst"))])),
    ])
}

fn told(from: &Field, to: &Field) -> Vec<String> {
    let difference = Difference::between((1, from), (2, to));
    let text = |line: &Line| format!("{}{}{}", line.mark.sign(), "  ".repeat(line.depth.into()), line.text);
    difference.lines.iter().map(text).collect()
}

#[test]
fn what_is_equal_does_not_differ() {
    let same = template(vec![container("web", "web:1", Field::Withheld(1))]);
    assert_eq!(told(&same, &same.clone()), Vec::<String>::new());
}

#[test]
fn an_image_is_told_within_its_container() {
    let env = || Field::List(vec![]);
    let sidecar = || container("log", "log:1", env());
    let (old, new) = (container("web", "web:1", env()), container("web", "web:2", env()));
    assert_eq!(
        told(&template(vec![sidecar(), old]), &template(vec![sidecar(), new])),
        [" spec:", "   containers:", "-  - image: web:1", "+  - image: web:2", "     name: web",]
    );
}

#[test]
fn a_withheld_value_is_told_to_have_changed_and_no_more() {
    let env = |seal| Field::List(vec![map([("name", scalar("TOKEN")), ("value", Field::Withheld(seal))])]);
    assert_eq!(
        told(
            &template(vec![container("web", "web:1", env(1))]),
            &template(vec![container("web", "web:1", env(2))])
        ),
        [
            " spec:",
            "   containers:",
            "   - env:",
            "     - name: TOKEN",
            "~      value: <withheld>",
            "     name: web",
        ]
    );
}

#[test]
fn items_come_and_go_as_a_whole() {
    let port = |number: &str| map([("containerPort", scalar(number)), ("protocol", scalar("TCP"))]);
    let with = |ports: Vec<Field>| map([("ports", Field::List(ports))]);
    assert_eq!(
        told(&with(vec![port("80"), port("81")]), &with(vec![port("81"), port("82")])),
        [" ports:", "-- containerPort: 80", "-  protocol: TCP", "+- containerPort: 82", "+  protocol: TCP",]
    );
    assert_eq!(
        told(&with(vec![]), &with(vec![port("80")])),
        [" ports:", "+- containerPort: 80", "+  protocol: TCP"]
    );
}

#[test]
fn another_order_is_a_difference() {
    let with = |names: &[&str]| {
        map([("c", Field::List(names.iter().map(|name| map([("name", scalar(name))])).collect()))])
    };
    assert_eq!(told(&with(&["a", "b"]), &with(&["b", "a"])), [" c:", "-- name: a", "+- name: a"]);
}

#[test]
fn a_field_may_become_something_else() {
    assert_eq!(
        told(&map([("a", scalar("1"))]), &map([("a", map([("b", scalar("1"))]))])),
        ["-a: 1", "+a:", "+  b: 1"]
    );
    assert_eq!(told(&map([]), &map([("a", map([]))])), ["+a: {}"]);
}

#[test]
fn a_restart_changes_one_annotation() {
    let at = |annotations: Field| map([("metadata", map([("annotations", annotations)]))]);
    let restarted = |when: &str| map([("kubectl.kubernetes.io/restartedAt", scalar(when))]);
    assert!(is_restart(&map([]), &at(restarted("1"))));
    assert!(is_restart(&at(restarted("1")), &at(restarted("2"))));
    assert!(!is_restart(&at(restarted("1")), &at(restarted("1"))));
    let more = map([("kubectl.kubernetes.io/restartedAt", scalar("2")), ("x", Field::Withheld(1))]);
    assert!(!is_restart(&at(restarted("1")), &at(more)));
}

#[test]
fn a_manifest_keeps_its_fields() {
    let field = template(vec![container("web", "web:1", Field::Withheld(7))]);
    assert_eq!(Manifest::of(&field).field(), field);
    assert_eq!(Manifest::default().field(), map([]));
}

#[test]
fn a_long_difference_ends_and_says_so() {
    let many = |count: usize| {
        let items = (0..count).map(|at| map([("name", scalar(&format!("n{at}")))])).collect();
        map([("c", Field::List(items))])
    };
    let difference = Difference::between((1, &many(0)), (2, &many(1_500)));
    assert_eq!((difference.lines.len(), difference.more), (1_000, 501));
}

#[test]
fn templates_as_large_as_objects_may_be_are_compared_at_once() {
    let begun = std::time::Instant::now();
    let named = |prefix: &str| {
        let item = |number: u32| map([("name", scalar(&format!("{prefix}{number}")))]);
        let labels = (0..30_000).map(|number| (format!("{prefix}{number:05}").into(), scalar("x")));
        let list = (0..60_000).map(item).collect();
        Field::Map(vec![("labels".into(), Field::Map(labels.collect())), ("list".into(), Field::List(list))])
    };
    let difference = Difference::between((1, &named("a")), (2, &named("b")));
    assert_eq!(difference.lines.len() + difference.more as usize, 2 + 2 * (30_000 + 60_000));
    assert!(begun.elapsed().as_secs() < 5, "it took {:?}", begun.elapsed());
}
