//! Whether one selector selects whatever another does, told from the two alone.

use super::{Operator, Selector, go_int};
use crate::api::Text;

impl Selector {
    /// Whether it surely selects whatever `other` selects: each of its requirements follows from one of the other's.
    pub fn covers(&self, other: &Selector) -> bool {
        self.0.iter().all(|wide| {
            other.0.iter().any(|narrow| narrow.key == wide.key && wide.operator.follows(&narrow.operator))
        })
    }
}

impl Operator {
    /// Whether it surely holds where `other` does, of the same label.
    fn follows(&self, other: &Operator) -> bool {
        use Operator::*;
        // The values it may have where `other` holds, if it must have one of some.
        let among: Option<&[Text]> = match other {
            Equals(value) => Some(std::slice::from_ref(value)),
            In(values) => Some(values),
            _ => None,
        };
        // Those it has not, where it may be missing.
        let without: &[Text] = match other {
            NotEquals(value) => std::slice::from_ref(value),
            NotIn(values) => values,
            _ => &[],
        };
        let only = |test: &dyn Fn(&Text) -> bool| among.is_some_and(|values| values.iter().all(test));
        let number = |value: &Text| go_int(value);
        self == other
            || match self {
                Exists => among.is_some() || matches!(other, GreaterThan(_) | LessThan(_)),
                DoesNotExist => false,
                Equals(wanted) => only(&|value| value == wanted),
                In(wanted) => only(&|value| wanted.contains(value)),
                NotEquals(unwanted) => {
                    *other == DoesNotExist || without.contains(unwanted) || only(&|value| value != unwanted)
                }
                NotIn(unwanted) => {
                    *other == DoesNotExist
                        || (!unwanted.is_empty() && unwanted.iter().all(|value| without.contains(value)))
                        || only(&|value| !unwanted.contains(value))
                }
                GreaterThan(bound) => {
                    matches!(other, GreaterThan(other) if other >= bound)
                        || only(&|value| number(value).is_some_and(|value| value > *bound))
                }
                LessThan(bound) => {
                    matches!(other, LessThan(other) if other <= bound)
                        || only(&|value| number(value).is_some_and(|value| value < *bound))
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Labels;

    proptest! {
        #[test]
        fn what_is_covered_is_selected(
            wide in "(a|!a|a=x|a!=x|a in \\(x,1\\)|a notin \\(x\\)|a>0|a<5|b=y)(,(a|!b|a=1|a!=y|b in \\(y,x\\)))?",
            narrow in "(a|!a|a=x|a=1|a!=x|a in \\(x,1\\)|a notin \\(x,y\\)|a>1|a<3|b=y)(,(b|!b|a=1|b=x))?",
            a in proptest::option::of("x|y|1|2|4"),
            b in proptest::option::of("x|y"),
        ) {
            let pairs = [("a", &a), ("b", &b)].into_iter();
            let labels: Labels =
                pairs.filter_map(|(key, value)| Some((Text::from(key), Text::from(value.as_deref()?)))).collect();
            let read = |text: &str| Selector::parse(text).expect("a selector");
            let (wide, narrow) = (read(&wide), read(&narrow));
            if wide.covers(&narrow) && narrow.matches(&labels) {
                prop_assert!(wide.matches(&labels), "{wide} covers {narrow}, {labels}");
            }
        }
    }
}
