//! Kubernetes' scalars that are more than a JSON string or number.

use std::{borrow::Cow, fmt, sync::Arc};

use app::api::{Text, Timestamp};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// `metav1.Time` and `metav1.MicroTime`: RFC 3339, read to the second. The zero time, and what is
/// no time, is `None`; an object is not lost over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Option<Timestamp>);

/// Go's zero `time.Time`, the first instant of the year 1.
pub const GO_ZERO: i64 = -62_135_596_800;

impl Time {
    /// Reads a stamp.
    pub fn parse(text: &str) -> Time {
        Time(seconds(text).filter(|seconds| *seconds != GO_ZERO).map(Timestamp))
    }
}

/// Of an RFC 3339 stamp. Its parts are read, since jiff's own timestamps end a day before Go's do.
fn seconds(text: &str) -> Option<i64> {
    const EPOCH: jiff::civil::DateTime = jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0);
    let parts = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let local = parts.date().to_datetime(parts.time()?);
    // rounded down: jiff rounds towards 1970
    let seconds = local.duration_since(EPOCH).as_nanos().div_euclid(1_000_000_000);
    Some(i64::try_from(seconds).ok()? - i64::from(parts.to_numeric_offset()?.seconds()))
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        deserializer.deserialize_any(Lenient(Time::parse))
    }
}

/// `intstr.IntOrString`, as text: `25%`, `8080`, `flask-port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntOrString(pub Text);

impl IntOrString {
    /// The value scaled to `total` (apimachinery `pkg/util/intstr`, `GetScaledValueFromIntOrPercent`).
    pub fn scaled(&self, total: i64, round_up: bool) -> Option<i64> {
        let Some(percent) = self.0.strip_suffix('%') else { return self.0.parse().ok() };
        let hundredths = percent.parse::<i64>().ok()?.checked_mul(total)?;
        let up = round_up && hundredths.rem_euclid(100) != 0;
        Some(hundredths.div_euclid(100) + i64::from(up))
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IntOrString, D::Error> {
        deserializer.deserialize_any(IntOrStringVisitor)
    }
}

struct IntOrStringVisitor;

impl Visitor<'_> for IntOrStringVisitor {
    type Value = IntOrString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer or a string")
    }

    fn visit_i64<E>(self, number: i64) -> Result<IntOrString, E> {
        Ok(IntOrString(number.to_string().into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<IntOrString, E> {
        Ok(IntOrString(number.to_string().into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<IntOrString, E> {
        Ok(IntOrString(text.into()))
    }
}

/// A list of which only the length is kept: a command or an environment may hold secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words(pub u32);

impl Words {
    /// Whether there is one at all.
    pub fn any(self) -> bool {
        self.0 > 0
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Words, D::Error> {
        deserializer.deserialize_seq(WordsVisitor)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let mut count = 0u32;
        while list.next_element::<IgnoredAny>()?.is_some() {
            count = count.saturating_add(1);
        }
        Ok(Words(count))
    }
}

/// A list of volumes, whose contents are not read: how many, and whether one is of a kind that the scheduler goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volumes {
    /// How many.
    pub count: u32,
    /// Whether one of them decides where the pod may run.
    pub decide: bool,
}

impl Volumes {
    /// The sources that the scheduler's plugins VolumeBinding, VolumeZone, VolumeRestrictions and NodeVolumeLimits
    /// look at.
    const DECIDING: [&str; 10] = [
        "awsElasticBlockStore",
        "azureDisk",
        "cinder",
        "csi",
        "ephemeral",
        "gcePersistentDisk",
        "iscsi",
        "persistentVolumeClaim",
        "portworxVolume",
        "rbd",
    ];

    /// Whether there is one at all.
    pub fn any(self) -> bool {
        self.count > 0
    }
}

impl<'de> Deserialize<'de> for Volumes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Volumes, D::Error> {
        deserializer.deserialize_seq(VolumesVisitor)
    }
}

struct VolumesVisitor;

impl<'de> Visitor<'de> for VolumesVisitor {
    type Value = Volumes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of volumes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Volumes, A::Error> {
        let mut volumes = Volumes::default();
        while let Some(volume) = list.next_element::<Option<Volume>>()? {
            volumes.count = volumes.count.saturating_add(1);
            volumes.decide |= volume.is_some_and(|volume| volume.decides);
        }
        Ok(volumes)
    }
}

/// One volume, of which only the names of its fields are looked at.
struct Volume {
    decides: bool,
}

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Volume, D::Error> {
        deserializer.deserialize_map(VolumeVisitor)
    }
}

struct VolumeVisitor;

impl<'de> Visitor<'de> for VolumeVisitor {
    type Value = Volume;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a volume")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Volume, A::Error> {
        let mut decides = false;
        while let Some(source) = map.next_key::<Cow<'de, str>>()? {
            let there = map.next_value::<Option<IgnoredAny>>()?.is_some();
            decides |= there && Volumes::DECIDING.contains(&&*source);
        }
        Ok(Volume { decides })
    }
}

/// A string, or nothing where something else stands: for what is read only to name an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loose(pub Arc<str>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(Lenient(|text| Loose(text.into())))
    }
}

/// Reads a string with the function it holds, and anything else as the empty value.
struct Lenient<T>(fn(&str) -> T);

impl<'de, T: Default> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_second() {
        for (json, expected) in [
            (r#""2026-11-23T15:03:22Z""#, Some(1_795_446_202)),
            (r#""2026-11-23T15:03:22.999999Z""#, Some(1_795_446_202)),
            (r#""2026-11-23T16:03:22+01:00""#, Some(1_795_446_202)),
            (r#""1969-12-31T23:59:58.5Z""#, Some(-2)),
            (r#""0001-01-01T00:00:00Z""#, None),
            (r#""yesterday""#, None),
            (r#""""#, None),
            ("17", None),
            ("-1.5", None),
            ("[[]]", None),
            (r#"{"a":1}"#, None),
            ("null", None),
        ] {
            let time: Time = serde_json::from_str(json).expect(json);
            assert_eq!(time.0, expected.map(Timestamp), "{json}");
        }
    }

    #[test]
    fn int_or_string_scales_as_kubernetes_scales() {
        for (json, total, up, down) in [
            (r#""25%""#, 3, Some(1), Some(0)),
            (r#""25%""#, 4, Some(1), Some(1)),
            (r#""100%""#, 7, Some(7), Some(7)),
            (r#""0%""#, 7, Some(0), Some(0)),
            ("2", 7, Some(2), Some(2)),
            (r#""x""#, 7, None, None),
        ] {
            let value: IntOrString = serde_json::from_str(json).expect(json);
            assert_eq!(
                (value.scaled(total, true), value.scaled(total, false)),
                (up, down),
                "{json} of {total}"
            );
        }
        assert!(serde_json::from_str::<IntOrString>("[]").is_err());
    }

    #[test]
    fn of_a_command_only_the_length_is_kept() {
        let words: Words = serde_json::from_str(r#"["sh","-c",{"odd":[1]}]"#).expect("a list");
        assert_eq!(words, Words(3));
        assert!(serde_json::from_str::<Words>("3").is_err());
    }
}
