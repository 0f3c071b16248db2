//! Who may come in, of those whom the provider knows.

use super::check::Identity;

/// `--oidc-allow-group`, `--oidc-allow-mail`, `--oidc-allow-anyone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    anyone: bool,
    groups: Vec<String>,
    mails: Vec<Mail>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mail {
    /// One address.
    One(String),
    /// All of a domain, its subdomains not.
    Domain(String),
}

/// A `--oidc-allow-mail` that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--oidc-allow-mail '{0}': an address (carol@example.org), or all of a domain (*@example.org)")]
pub struct BadMail(String);

impl Allow {
    /// Whoever the provider knows.
    pub fn anyone() -> Allow {
        Allow { anyone: true, groups: Vec::new(), mails: Vec::new() }
    }

    /// Members of any of `groups`, and those with any of `mails`.
    pub fn these(groups: &[String], mails: &[String]) -> Result<Allow, BadMail> {
        let mails = mails.iter().map(|text| Mail::parse(text).ok_or_else(|| BadMail(text.clone())));
        Ok(Allow { anyone: false, groups: groups.to_vec(), mails: mails.collect::<Result<_, _>>()? })
    }

    /// Whether `identity` may come in. A mail address counts only if the provider has verified it.
    pub fn lets_in(&self, identity: &Identity) -> bool {
        self.anyone
            || self.groups.iter().any(|group| identity.groups.contains(group))
            || (identity.mail_verified && identity.mail.as_ref().is_some_and(|mail| self.has(mail)))
    }

    fn has(&self, address: &str) -> bool {
        self.mails.iter().any(|mail| mail.has(address))
    }

    /// What it would take. Single addresses are other people's, and are not told.
    pub fn in_words(&self, identity: &Identity) -> String {
        let mut ways = Vec::new();
        match self.groups.as_slice() {
            [] => {}
            [group] => ways.push(format!("membership of the group {group}")),
            groups => ways.push(format!("membership of one of the groups {}", groups.join(", "))),
        }
        for mail in &self.mails {
            if let Mail::Domain(domain) = mail {
                ways.push(format!("a verified mail address of {domain}"));
            }
        }
        if self.mails.iter().any(|mail| matches!(mail, Mail::One(_))) {
            ways.push("a verified mail address that is on the list".to_owned());
        }
        let mut text = format!("it takes {}", ways.join(", or "));
        if identity.mail.as_ref().is_some_and(|mail| self.has(mail)) {
            text.push_str("; your mail address would do, if it were verified there");
        }
        text
    }
}

impl Mail {
    fn parse(text: &str) -> Option<Mail> {
        let (local, domain) = text.rsplit_once('@')?;
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !matches!(c, '*' | '@'))
        };
        match (local, domain) {
            ("*", domain) if plain(domain) => Some(Mail::Domain(domain.to_ascii_lowercase())),
            (local, domain) if plain(local) && plain(domain) => Some(Mail::One(text.to_ascii_lowercase())),
            _ => None,
        }
    }

    fn has(&self, address: &str) -> bool {
        match self {
            Mail::One(one) => one.eq_ignore_ascii_case(address),
            Mail::Domain(domain) => {
                address.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(mail: &str, mail_verified: bool, groups: &[&str]) -> Identity {
        Identity {
            subject: "1".to_owned(),
            name: "carol".to_owned(),
            mail: Some(mail.to_owned()).filter(|mail| !mail.is_empty()),
            mail_verified,
            groups: groups.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_group_or_a_verified_address_lets_in_and_nothing_else() {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let allow = Allow::these(&owned(&["ops", "dev"]), &owned(&["*@Example.org", "dan@b.example"]))
            .expect("mails");
        for (who, let_in) in [
            (somebody("", false, &["ops"]), true),
            (somebody("x@evil.example", false, &["a", "dev"]), true),
            (somebody("carol@example.org", true, &[]), true),
            (somebody("carol@EXAMPLE.ORG", true, &[]), true),
            (somebody("DAN@b.example", true, &[]), true),
            (somebody("carol@example.org", false, &[]), false),
            (somebody("carol@sub.example.org", true, &[]), false),
            (somebody("carol@example.org.evil.example", true, &[]), false),
            (somebody("carol@evil-example.org", true, &[]), false),
            (somebody("eve@b.example", true, &["Ops", "op", "ops "]), false),
            (somebody("", true, &[]), false),
        ] {
            assert_eq!(allow.lets_in(&who), let_in, "{who:?}");
        }
        assert!(Allow::anyone().lets_in(&somebody("", false, &[])));
        let words = allow.in_words(&somebody("carol@example.org", false, &[]));
        assert_eq!(
            words,
            "it takes membership of one of the groups ops, dev, or a verified mail address of example.org, or a \
             verified mail address that is on the list; your mail address would do, if it were verified there"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "*", "@", "*@", "carol", "carol@", "@example.org", "*@*.org", "a b@example.org", "*@*"]
        {
            assert!(Allow::these(&[], &[text.to_owned()]).is_err(), "{text}");
        }
    }
}
