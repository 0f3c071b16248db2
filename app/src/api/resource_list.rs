//! Amounts by resource name: what is asked for, bounded or given out.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;

/// `cpu`
pub const CPU: &str = "cpu";
/// `memory`
pub const MEMORY: &str = "memory";
/// `ephemeral-storage`
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";
/// `pods`, of a node
pub const PODS: &str = "pods";
/// What begins the name of huge pages of some size.
pub const HUGE_PAGES: &str = "hugepages-";

/// Amounts by resource name, sorted, each name once: CPU in thousandths of a core, memory and storage in bytes,
/// anything else in what it is counted in. In JSON a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceList(Vec<(Text, u64)>);

impl ResourceList {
    /// The amount of a resource, 0 if it is not in the list.
    pub fn get(&self, resource: &str) -> u64 {
        let at = self.0.binary_search_by(|(name, _)| name.as_str().cmp(resource));
        at.ok().and_then(|at| self.0.get(at)).map_or(0, |(_, amount)| *amount)
    }

    /// Each name and amount, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, u64)> {
        self.0.iter().map(|(name, amount)| (name, *amount))
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &ResourceList) {
        for (name, amount) in &other.0 {
            match self.0.binary_search_by(|(there, _)| there.cmp(name)) {
                Ok(at) => {
                    if let Some((_, sum)) = self.0.get_mut(at) {
                        *sum = sum.saturating_add(*amount);
                    }
                }
                Err(at) => self.0.insert(at, (name.clone(), *amount)),
            }
        }
    }
}

impl FromIterator<(Text, u64)> for ResourceList {
    fn from_iter<I: IntoIterator<Item = (Text, u64)>>(amounts: I) -> ResourceList {
        ResourceList(amounts.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }
}

impl Serialize for ResourceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_map(self.iter())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ResourceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ResourceList, D::Error> {
        if deserializer.is_human_readable() {
            return Ok(BTreeMap::<Text, u64>::deserialize(deserializer)?.into_iter().collect());
        }
        Vec::deserialize(deserializer).map(ResourceList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(amounts: &[(&str, u64)]) -> ResourceList {
        amounts.iter().map(|(name, amount)| (Text::from(*name), *amount)).collect()
    }

    #[test]
    fn lists_add_up_by_name() {
        let mut sum = list(&[("memory", 5), ("cpu", 1)]);
        sum.add(&list(&[("example.com/gpu", 2), ("cpu", u64::MAX)]));
        assert_eq!(sum, list(&[("cpu", u64::MAX), ("example.com/gpu", 2), ("memory", 5)]));
        assert_eq!((sum.get("memory"), sum.get("pods")), (5, 0));
    }
}
