//! Label selectors of objects (apimachinery `pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`).

use app::{
    api::{Labels, Text},
    selector::{Operator, Requirement, Selector, check_key, check_value},
};

use crate::source::object::meta::{LabelRequirement, LabelSelector};

/// `FormatLabelSelector`: what `kubectl get replicasets` and `daemonsets` print.
pub fn format(selector: Option<&LabelSelector>) -> Text {
    match print(selector) {
        None => "<error>".into(),
        Some(text) if text.is_empty() => "<none>".into(),
        Some(text) => text.into(),
    }
}

/// What `kubectl get deployments` prints (`printers.go`, `printDeployment`): nothing for a selector
/// that selects nothing, and for one that selects everything.
pub fn format_of_deployment(selector: Option<&LabelSelector>) -> Text {
    print(selector).map_or_else(|| "<invalid>".into(), Text::from)
}

/// `labels.FormatLabels`: what `kubectl get replicationcontrollers` prints, and NODE SELECTOR.
pub fn format_labels(labels: &Labels) -> Text {
    labels.to_string().into()
}

/// The selector's text, or `None` if it is invalid.
fn print(selector: Option<&LabelSelector>) -> Option<String> {
    let Some(selector) = selector else { return Some(String::new()) };
    let pairs = selector.match_labels.iter().map(|(key, value)| {
        check_value(value).ok()?;
        Some((key, Operator::Equals(value.clone())))
    });
    let expressions = selector.match_expressions.iter().map(expression);
    let requirements: Option<Vec<Requirement>> = pairs
        .chain(expressions)
        .map(|requirement| {
            let (key, operator) = requirement?;
            check_key(key).ok()?;
            Some(Requirement { key: key.clone(), operator })
        })
        .collect();
    Some(Selector::of(requirements?).to_string())
}

fn expression(expression: &LabelRequirement) -> Option<(&Text, Operator)> {
    let mut values = expression.values.clone();
    if values.iter().any(|value| check_value(value).is_err()) {
        return None;
    }
    values.sort();
    let operator = match (expression.operator.as_str(), values.is_empty()) {
        ("In", false) => Operator::In(values),
        ("NotIn", false) => Operator::NotIn(values),
        ("Exists", true) => Operator::Exists,
        ("DoesNotExist", true) => Operator::DoesNotExist,
        _ => return None,
    };
    Some((&expression.key, operator))
}
