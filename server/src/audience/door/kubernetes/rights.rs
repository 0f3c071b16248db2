//! Who has a token, and what of the cluster that lets them list and watch: asked of the API server, which alone knows.

use std::collections::BTreeMap;

use app::api::{Kind, Text};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::{
    authentication::v1::{SelfSubjectReview, TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{
        ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
        SelfSubjectRulesReview, SelfSubjectRulesReviewSpec, SubjectRulesReviewStatus,
    },
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    audience::{Grant, Person, grant::Within},
    source::api_server::{ApiError, ApiServer},
};

/// Questions that are open at once for one visitor.
const AT_ONCE: usize = 8;
/// Namespaces that are asked about one by one. Of more, the first by name.
const MOST_NAMESPACES: usize = 500;
/// Of those, how many where every kind has to be asked about by itself.
const MOST_SINGLY: usize = 25;
/// Masthead lists, and then watches.
const VERBS: [&str; 2] = ["list", "watch"];

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// Nobody's token, or nobody's any more.
    #[error("the API server does not accept this token")]
    NotAccepted,
    /// It may be good; nobody knows.
    #[error("the API server cannot be asked: {0}")]
    Unanswered(#[from] ApiError),
}

/// Whose token it is. With Masthead's own account, if that may ask (`create` on tokenreviews: system:auth-delegator);
/// else with the token itself, which every account may that the API server knows (system:basic-user).
pub async fn identify(api: &ApiServer, token: &SecretString) -> Result<Person, Unknown> {
    let spec = TokenReviewSpec { audiences: None, token: Some(token.expose_secret().to_owned()) };
    let user = match api.review(&TokenReview { spec, ..TokenReview::default() }, None).await {
        Ok(review) => {
            let status = review.status.unwrap_or_default();
            status.user.filter(|_| status.authenticated == Some(true))
        }
        Err(
            ApiError::Forbidden { .. } | ApiError::Unauthorized { .. } | ApiError::Status { code: 404, .. },
        ) => match api.review(&SelfSubjectReview::default(), Some(token)).await {
            Ok(review) => review.status.and_then(|status| status.user_info),
            Err(ApiError::Unauthorized { .. }) => None,
            Err(error) => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    };
    user.and_then(person).ok_or(Unknown::NotAccepted)
}

fn person(user: UserInfo) -> Option<Person> {
    let name = user.username.filter(|name| !name.is_empty() && name != "system:anonymous")?;
    Some(Person {
        id: Text::from(name.as_str()),
        name: Text::from(name),
        groups: user.groups.unwrap_or_default().into_iter().map(Text::from).collect(),
    })
}

/// What whoever has the token may list and watch. `namespaces` are those there are, and are wanted only if something
/// is not allowed in the whole cluster.
pub async fn rights(
    api: &ApiServer,
    token: &SecretString,
    namespaces: impl Future<Output = Vec<Text>>,
) -> Result<Grant, Unknown> {
    // What is made of another kind is granted with that.
    let watched = Kind::ALL.iter().copied().filter(|kind| kind.watched() == *kind);
    let everywhere = watched.map(|kind| may(api, token, kind, kind.only_in().map(Text::from)));
    let everywhere = all(everywhere).await?;
    let everywhere: Vec<(Kind, bool)> = everywhere.into_iter().map(|(kind, _, may)| (kind, may)).collect();
    let mut within: BTreeMap<Kind, Within> =
        everywhere.iter().filter(|(_, may)| *may).map(|(kind, _)| (*kind, Within::All)).collect();
    let singly: Vec<Kind> = everywhere
        .into_iter()
        .filter(|(kind, may)| !may && kind.namespaced() && kind.only_in().is_none())
        .map(|(kind, _)| kind)
        .collect();
    if !singly.is_empty() {
        let mut namespaces = namespaces.await;
        if namespaces.len() > MOST_NAMESPACES {
            tracing::debug!(
                all = namespaces.len(),
                asked = MOST_NAMESPACES,
                "not all namespaces are asked about"
            );
            namespaces.truncate(MOST_NAMESPACES);
        }
        for (kind, found) in in_namespaces(api, token, &singly, namespaces).await? {
            within.insert(kind, Within::Namespaces(found));
        }
    }
    Ok(Grant { kinds: within, verbatim: true, ..Grant::default() })
}

/// Asks several questions, not all at once.
async fn all<T>(
    questions: impl Iterator<Item = impl Future<Output = Result<T, Unknown>>>,
) -> Result<Vec<T>, Unknown> {
    // Collected first: the compiler cannot tell that a stream of closures over references may change threads.
    let questions: Vec<_> = questions.collect();
    stream::iter(questions).buffered(AT_ONCE).try_collect().await
}

/// Whether a kind may be listed and watched: in a namespace, or everywhere.
async fn may(
    api: &ApiServer,
    token: &SecretString,
    kind: Kind,
    namespace: Option<Text>,
) -> Result<(Kind, Option<Text>, bool), Unknown> {
    for verb in VERBS {
        let resource_attributes = ResourceAttributes {
            group: Some(kind.group().to_owned()),
            version: Some("v1".to_owned()),
            resource: Some(kind.plural().to_owned()),
            namespace: namespace.as_ref().map(Text::to_string),
            verb: Some(verb.to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(resource_attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let question = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        if !asked(api.review(&question, Some(token)).await)?.status.is_some_and(|status| status.allowed) {
            return Ok((kind, namespace, false));
        }
    }
    Ok((kind, namespace, true))
}

/// What may be done in a namespace, as far as the API server lists that.
async fn rules(
    api: &ApiServer,
    token: &SecretString,
    namespace: Text,
) -> Result<(Text, SubjectRulesReviewStatus), Unknown> {
    let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_string()) };
    let question = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
    let answer = asked(api.review(&question, Some(token)).await)?;
    Ok((namespace, answer.status.unwrap_or_default()))
}

/// In which namespaces each kind may be listed and watched; sorted.
///
/// One SelfSubjectRulesReview a namespace answers for all kinds and verbs at once, where SelfSubjectAccessReviews would
/// be two dozen. What authorizers other than RBAC allow may be missing in it; it says so, and then the kinds it does
/// not name are asked about one by one, in a few namespaces.
async fn in_namespaces(
    api: &ApiServer,
    token: &SecretString,
    kinds: &[Kind],
    namespaces: Vec<Text>,
) -> Result<BTreeMap<Kind, Vec<Text>>, Unknown> {
    let listed = all(namespaces.into_iter().map(|namespace| rules(api, token, namespace))).await?;
    let mut found: BTreeMap<Kind, Vec<Text>> = BTreeMap::new();
    let mut open = Vec::new();
    let mut incomplete = 0;
    for (namespace, status) in listed {
        incomplete += usize::from(status.incomplete);
        for kind in kinds {
            if names(&status.resource_rules, *kind) {
                found.entry(*kind).or_default().push(namespace.clone());
            } else if status.incomplete && incomplete <= MOST_SINGLY {
                open.push((*kind, namespace.clone()));
            }
        }
    }
    let open = open.into_iter().map(|(kind, namespace)| may(api, token, kind, Some(namespace)));
    for (kind, namespace, may) in all(open).await? {
        found.entry(kind).or_default().extend(namespace.filter(|_| may));
    }
    found.retain(|_, namespaces| !namespaces.is_empty());
    found.values_mut().for_each(|namespaces| namespaces.sort());
    Ok(found)
}

/// Whether rules let a kind be listed and watched. A rule for named objects does not: a list of all is no object's.
/// (kubernetes/pkg/apis/rbac/v1 evaluation_helpers.go: `*` stands for all, of which `*/scale` is none.)
fn names(rules: &[ResourceRule], kind: Kind) -> bool {
    let has = |words: Option<&Vec<String>>, word: &str| {
        words.is_some_and(|words| words.iter().any(|one| one == "*" || one == word))
    };
    VERBS.iter().all(|verb| {
        rules.iter().any(|rule| {
            rule.resource_names.as_ref().is_none_or(Vec::is_empty)
                && has(Some(&rule.verbs), verb)
                && has(rule.api_groups.as_ref(), kind.group())
                && has(rule.resources.as_ref(), kind.plural())
        })
    })
}

/// A token that the API server took a moment ago may have ended since.
fn asked<R>(answer: Result<R, ApiError>) -> Result<R, Unknown> {
    answer.map_err(|error| match error {
        ApiError::Unauthorized { .. } => Unknown::NotAccepted,
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &str, groups: &str, resources: &str, names: &str) -> ResourceRule {
        let words = |text: &str| text.split(',').filter(|word| *word != "-").map(str::to_owned).collect();
        ResourceRule {
            verbs: words(verbs),
            api_groups: Some(words(groups)),
            resources: Some(words(resources)),
            resource_names: Some(words(names)),
        }
    }

    #[test]
    fn rules_name_a_kind_only_if_all_of_it_may_be_listed_and_watched() {
        for (rules, pods) in [
            (vec![rule("get,list,watch", "", "pods", "-")], true),
            (vec![rule("*", "*", "*", "-")], true),
            (vec![rule("list", "", "pods,services", "-"), rule("watch", "*", "pods", "-")], true),
            (vec![rule("list", "", "pods", "-"), rule("watch", "", "services", "-")], false),
            (vec![rule("list", "", "pods", "-")], false),
            (vec![rule("get,watch", "", "pods", "-")], false),
            (vec![rule("list,watch", "", "pods", "web")], false),
            (vec![rule("list", "", "pods", "-"), rule("watch", "", "pods", "web")], false),
            (vec![rule("list,watch", "apps", "pods", "-")], false),
            (vec![rule("list,watch", "-", "pods", "-")], false),
            (vec![rule("list,watch", "", "pods/log,*/scale,pod", "-")], false),
            (vec![], false),
        ] {
            assert_eq!(names(&rules, Kind::Pod), pods, "{rules:?}");
        }
        assert!(names(&[rule("list,watch", "apps", "deployments", "-")], Kind::Deployment));
        assert!(!names(&[rule("list,watch", "", "deployments", "-")], Kind::Deployment));
    }
}
