//! A pod template as its manifest: what is shown of it by name, the rest sealed.
//!
//! What is withheld is never kept: as it is read it goes into a hash whose key this process made up at its
//! start. So a change can be told, and a value cannot be found out, not by trying either.

use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    ops::Deref,
    sync::LazyLock,
};

use app::api::manifest::{Field, Manifest};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::meta::Annotations;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What of a value is shown.
#[derive(Clone, Copy, Debug)]
enum Show {
    /// All of it, whatever is in it.
    All,
    /// That it is there.
    Nothing,
    /// Of these fields this, of others that they are there.
    Fields(&'static [(&'static str, Show)]),
    /// All of it but the label by which a ReplicaSet tells its pods, which is of no template that people write.
    Labels,
}

use Show::{All, Fields, Labels, Nothing};

/// `core/v1` PodTemplateSpec. What may hold secrets (values of variables, commands, arguments, headers, volumes,
/// annotations) is not in it, nor is what nobody has thought of yet.
const TEMPLATE: Show = Fields(&[
    (
        "metadata",
        Fields(&[
            ("annotations", Fields(&[(Annotations::CHANGE_CAUSE, All), (Annotations::RESTARTED_AT, All)])),
            ("labels", Labels),
        ]),
    ),
    (
        "spec",
        Fields(&[
            ("activeDeadlineSeconds", All),
            ("affinity", All),
            ("automountServiceAccountToken", All),
            ("containers", CONTAINER),
            ("dnsPolicy", All),
            ("enableServiceLinks", All),
            ("ephemeralContainers", CONTAINER),
            ("hostIPC", All),
            ("hostNetwork", All),
            ("hostPID", All),
            ("hostUsers", All),
            ("initContainers", CONTAINER),
            ("nodeName", All),
            ("nodeSelector", All),
            ("os", All),
            ("overhead", All),
            ("preemptionPolicy", All),
            ("priority", All),
            ("priorityClassName", All),
            ("readinessGates", All),
            ("resources", All),
            ("restartPolicy", All),
            ("runtimeClassName", All),
            ("schedulerName", All),
            ("schedulingGates", All),
            ("schedulingGroup", All),
            ("securityContext", SECURITY),
            ("serviceAccount", All),
            ("serviceAccountName", All),
            ("setHostnameAsFQDN", All),
            ("shareProcessNamespace", All),
            ("terminationGracePeriodSeconds", All),
            ("tolerations", All),
            ("topologySpreadConstraints", All),
            ("volumes", NAME),
        ]),
    ),
]);

const NAME: Show = Fields(&[("name", All)]);

const CONTAINER: Show = Fields(&[
    ("env", NAME),
    ("image", All),
    ("imagePullPolicy", All),
    ("lifecycle", Fields(&[("postStart", HANDLER), ("preStop", HANDLER), ("stopSignal", All)])),
    ("livenessProbe", HANDLER),
    ("name", All),
    ("ports", All),
    ("readinessProbe", HANDLER),
    ("resizePolicy", All),
    ("resources", All),
    ("restartPolicy", All),
    ("securityContext", SECURITY),
    ("startupProbe", HANDLER),
    ("stdin", All),
    ("stdinOnce", All),
    ("terminationMessagePolicy", All),
    ("tty", All),
    ("volumeMounts", NAME),
]);

/// A probe, or a hook of a container's life.
const HANDLER: Show = Fields(&[
    ("exec", Fields(&[("command", Nothing)])),
    ("failureThreshold", All),
    ("grpc", All),
    ("httpGet", Fields(&[("host", All), ("path", All), ("port", All), ("scheme", All)])),
    ("initialDelaySeconds", All),
    ("periodSeconds", All),
    ("sleep", All),
    ("successThreshold", All),
    ("tcpSocket", All),
    ("terminationGracePeriodSeconds", All),
    ("timeoutSeconds", All),
]);

const SECURITY: Show = Fields(&[
    ("allowPrivilegeEscalation", All),
    ("appArmorProfile", All),
    ("capabilities", All),
    ("fsGroup", All),
    ("fsGroupChangePolicy", All),
    ("privileged", All),
    ("procMount", All),
    ("readOnlyRootFilesystem", All),
    ("runAsGroup", All),
    ("runAsNonRoot", All),
    ("runAsUser", All),
    ("seccompProfile", All),
    ("supplementalGroups", All),
    ("supplementalGroupsPolicy", All),
]);

impl Show {
    fn of(self, key: &str) -> Show {
        match self {
            Fields(fields) => fields.iter().find(|(name, _)| *name == key).map_or(Nothing, |(_, show)| *show),
            Labels => All,
            show => show,
        }
    }
}

/// A template, read for its own fields and kept as a manifest besides.
#[derive(Clone, Debug, Default)]
pub struct Written<T> {
    read: T,
    /// What it says as a whole.
    pub manifest: Manifest,
}

impl<T> Deref for Written<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.read
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written<T>, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let read = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        let manifest = manifest(json.get()).map_err(D::Error::custom)?;
        Ok(Written { read, manifest })
    }
}

/// The manifest of a template in JSON.
pub fn manifest(template: &str) -> Result<Manifest, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(template);
    let field = Read(TEMPLATE).deserialize(&mut json)?;
    Ok(Manifest::of(&field.unwrap_or(Field::Map(Vec::new()))))
}

/// Reads a value as far as it is shown; `null` is no value.
struct Read(Show);

impl<'de> DeserializeSeed<'de> for Read {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Field>, D::Error> {
        match self.0 {
            Nothing => seal(deserializer),
            _ => deserializer.deserialize_any(self),
        }
    }
}

fn seal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Field>, D::Error> {
    let mut hasher = KEY.build_hasher();
    let something = Seal(&mut hasher).deserialize(deserializer)?;
    Ok(something.then(|| Field::Withheld(hasher.finish())))
}

impl Read {
    /// A scalar where only fields are shown is something unknown.
    fn scalar(&self, text: impl FnOnce() -> String, known: impl Hash) -> Option<Field> {
        Some(match self.0 {
            All | Labels => Field::Scalar(text().into()),
            Nothing | Fields(_) => Field::Withheld(KEY.hash_one(known)),
        })
    }
}

impl<'de> Visitor<'de> for Read {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Option<Field>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Option<Field>, E> {
        Ok(self.scalar(|| value.to_string(), value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<Field>, E> {
        Ok(self.scalar(|| value.to_string(), value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<Field>, E> {
        Ok(self.scalar(|| value.to_string(), value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Option<Field>, E> {
        Ok(self.scalar(|| value.to_string(), value.to_bits()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Option<Field>, E> {
        Ok(self.scalar(|| yaml(value), value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Field>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Read(self.0))? {
            items.extend(item);
        }
        Ok(Some(Field::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Field>, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let field = map.next_value_seed(Read(self.0.of(&key)))?;
            // what controllers write into it
            let own = matches!(self.0, Labels) && key == "pod-template-hash" || key == "$patch";
            if let Some(field) = field.filter(|_| !own) {
                fields.push((key.into(), field));
            }
        }
        fields.sort_by(|a: &(std::sync::Arc<str>, Field), b| a.0.cmp(&b.0));
        Ok(Some(Field::Map(fields)))
    }
}

/// Hashes a value as it is read; whether there is one.
struct Seal<'a, H>(&'a mut H);

impl<'de, H: Hasher> DeserializeSeed<'de> for Seal<'_, H> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, H: Hasher> Visitor<'de> for Seal<'_, H> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        0u8.hash(self.0);
        Ok(false)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        (1u8, value).hash(self.0);
        Ok(true)
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        (2u8, value).hash(self.0);
        Ok(true)
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        (3u8, value).hash(self.0);
        Ok(true)
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        (4u8, value.to_bits()).hash(self.0);
        Ok(true)
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        (5u8, value).hash(self.0);
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        6u8.hash(self.0);
        while list.next_element_seed(Seal(self.0))?.is_some() {}
        7u8.hash(self.0);
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        8u8.hash(self.0);
        while let Some(key) = map.next_key::<String>()? {
            key.hash(self.0);
            map.next_value_seed(Seal(self.0))?;
        }
        9u8.hash(self.0);
        Ok(true)
    }
}

/// A string as YAML writes it: in quotes where it would be read as something else.
fn yaml(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,%".contains(c);
    // what begins like a number, or a date, may be one
    let number = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit() || "+-._:xXoOTZ".contains(c));
    const WORDS: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "/_.".contains(c))
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !(text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && number(text))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use app::api::manifest::Difference;
    use serde_json::{Value, json};

    use super::*;

    fn field(template: &Value) -> Field {
        manifest(&template.to_string()).expect("a template").field()
    }

    #[test]
    fn strings_that_look_like_something_else_are_quoted() {
        for text in
            ["web", "a/b:1.2", "500m", "1Gi", "http", "/predict", "registry.local:5000/a@sha256:ab12", "v1.2"]
        {
            assert_eq!(yaml(text), text);
        }
        for text in [
            "",
            "5",
            "0x1f",
            "1e3",
            "true",
            "Yes",
            "a b",
            "a: b",
            "- a",
            "*x",
            "2026-11-24T10:00:00Z",
            "1.5",
            "a\nb",
            "#",
            "key:",
        ] {
            assert_eq!(yaml(text), serde_json::to_string(text).expect("a string"), "{text:?}");
        }
    }

    #[test]
    fn what_is_withheld_is_sealed_and_its_change_is_told() {
        let with = |secret: Value| {
            json!({
                "metadata": {"annotations": {"checksum/config": secret}, "labels": {"app": "web", "pod-template-hash": secret}, "creationTimestamp": null},
                "spec": {"containers": [{"name": "web", "image": "web:1", "args": [secret], "env": [{"name": "TOKEN", "value": secret}],
                    "livenessProbe": {"exec": {"command": ["sh", secret]}, "periodSeconds": 10},
                    "unheardOf": {"x": [secret]}}],
                    "volumes": [{"name": "v", "hostPath": {"path": secret}}]},
            })
        };
        let (one, other) = (field(&with(json!("hunter2"))), field(&with(json!("hunter3"))));
        let difference = Difference::between((1, &one), (2, &other));
        let told: Vec<String> =
            difference.lines.iter().map(|line| format!("{}{}", line.mark.sign(), line.text)).collect();
        assert_eq!(
            told,
            [
                " metadata:",
                " annotations:",
                "~checksum/config: <withheld>",
                " spec:",
                " containers:",
                "~- args: <withheld>",
                " env:",
                " - name: TOKEN",
                "~value: <withheld>",
                " livenessProbe:",
                " exec:",
                "~command: <withheld>",
                " name: web",
                "~unheardOf: <withheld>",
                " volumes:",
                "~- hostPath: <withheld>",
                " name: v",
            ]
        );
        assert!(!format!("{one:?}").contains("hunter"), "{one:?}");
        assert_eq!(field(&with(json!("hunter2"))), one, "equal values have equal seals");
        // values that print alike are not alike
        assert_ne!(field(&with(json!("1"))), field(&with(json!(1))));
    }
}
