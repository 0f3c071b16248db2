//! Points in time, as the cluster and the server state them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Seconds since 1970, UTC. Kubernetes' `metav1.Time` has no finer resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Milliseconds since 1970, UTC: what clocks are compared in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub i64);

impl Millis {
    /// Whole seconds, as ages are counted.
    pub fn seconds(self) -> Timestamp {
        Timestamp(self.0.div_euclid(1000))
    }

    /// So many milliseconds later.
    #[must_use]
    pub fn later(self, millis: i64) -> Millis {
        Millis(self.0.saturating_add(millis))
    }
}

/// Year, month, day of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

impl Timestamp {
    /// The same in milliseconds.
    pub fn millis(self) -> Millis {
        Millis(self.0.saturating_mul(1000))
    }

    /// Year, month from 1 and day, UTC.
    pub fn date(self) -> (i64, u32, u32) {
        civil(self.0.div_euclid(86_400))
    }

    /// `2026-11-23 14:03 UTC`, for people.
    pub fn date_and_time(self) -> String {
        let (year, month, day) = self.date();
        format!("{year:04}-{month:02}-{day:02} {} UTC", &self.clock()[..5])
    }

    /// `14:03:22`, UTC.
    pub fn clock(self) -> String {
        let s = self.0.rem_euclid(86_400);
        format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

/// RFC 3339, UTC, whole seconds: `2026-11-23T14:03:22Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(86_400));
        write!(f, "{year:04}-{month:02}-{day:02}T{}Z", self.clock())
    }
}

/// RFC 3339, UTC, milliseconds.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(86_400_000));
        write!(f, "{year:04}-{month:02}-{day:02}T{}.{:03}Z", self.seconds().clock(), self.0.rem_euclid(1000))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        if deserializer.is_human_readable() {
            return Err(D::Error::custom("timestamps are read from the wire only"));
        }
        i64::deserialize(deserializer).map(Timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_print_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_795_446_202, "2026-11-23T15:03:22Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let stamp = Timestamp(seconds);
            assert_eq!(stamp.to_string(), text);
        }
        assert_eq!(Millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }
}
