//! What every row has, and what several kinds' details share.

use app::api::{Meta, Owner, Uid, detail};

use crate::source::object::meta::{Condition, ObjectMeta};

/// `metadata` of a row.
pub fn meta(object: &ObjectMeta) -> Meta {
    let controller = object.owner_references.iter().find(|owner| owner.controller);
    Meta {
        uid: uid(&object.uid, &object.namespace, &object.name),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        created: object.creation_timestamp.0,
        deleting: object.deletion_timestamp.0,
        labels: object.labels.clone(),
        owner: controller.map(|owner| Owner {
            kind: owner.kind.clone(),
            name: owner.name.clone(),
            uid: uid(&owner.uid, &object.namespace, &owner.name),
        }),
    }
}

/// `metadata.uid` as a number. The API server writes UUIDs, but any string may stand there (those of
/// mirror pods' manifests are hashes); without one the name has to do.
pub fn uid(uid: &str, namespace: &str, name: &str) -> Uid {
    if uid.is_empty() {
        return Uid(hash(&[namespace, "/", name]));
    }
    Uid(uuid(uid).unwrap_or_else(|| hash(&[uid])))
}

/// 8-4-4-4-12 hexadecimal digits.
fn uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    if bytes.len() != 36 {
        return None;
    }
    bytes.iter().enumerate().try_fold(0u128, |number, (at, byte)| match *byte {
        b'-' if dash(at) => Some(number),
        _ if dash(at) => None,
        byte => Some(number << 4 | u128::from(char::from(byte).to_digit(16)?)),
    })
}

/// Two 64-bit FNV-1a, from two offsets.
fn hash(parts: &[&str]) -> u128 {
    let fnv = |offset: u64| {
        parts
            .iter()
            .flat_map(|part| part.bytes())
            .fold(offset, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    u128::from(fnv(0xcbf2_9ce4_8422_2325)) << 64 | u128::from(fnv(0x6c62_272e_07bb_0142))
}

/// Conditions for an object's own page.
pub fn conditions(conditions: &[Condition]) -> Vec<detail::Condition> {
    conditions
        .iter()
        .map(|condition| detail::Condition {
            kind: condition.kind.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            last_transition: condition.last_transition_time.0,
        })
        .collect()
}

/// Why an object that is being deleted is still there.
pub fn deleting(object: &ObjectMeta) -> String {
    if !object.finalizers.is_empty() {
        let names: Vec<_> = object.finalizers.iter().map(|name| name.as_str()).collect();
        return format!("being deleted, held by finalizers [{}]", names.join(" "));
    }
    match object.deletion_grace_period_seconds {
        Some(seconds) if seconds > 0 => format!("being deleted, grace period {seconds}s"),
        _ => "being deleted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_its_own_number_and_anything_else_is_hashed() {
        let of = |text| uid(text, "ns", "name");
        assert_eq!(
            of("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
            Uid(0x0a1b_2c3d_4e5f_6071_8293_a4b5_c6d7_e8f9)
        );
        assert_eq!(of("0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"), of("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"));
        assert_eq!(of("demo-1"), of("demo-1"));
        assert_ne!(of("demo-1"), of("demo-2"));
        assert_ne!(of("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8fg"), of("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f"));
        assert_eq!(of(""), of(""));
        assert_ne!(of(""), uid("", "ns", "other"));
    }
}
