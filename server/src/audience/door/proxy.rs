//! `--auth proxy`: a proxy in front signs people in and says in a header who they are. Its word counts because of
//! where it comes from; the same header from anywhere else is what an attacker would send.

use std::net::IpAddr;

use app::api::Text;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::Refused;
use crate::audience::Person;

/// Addresses that are ours to trust.
#[derive(Clone, Debug, Default)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// These.
    pub fn new(networks: Vec<IpNet>) -> Networks {
        Networks(networks)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has `address`.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// For whom the other end of a connection asks. A proxy of ours appends the address it was asked from to
    /// `X-Forwarded-For`, so the last one there that is not a proxy of ours is the client; all before it is hearsay.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.has(peer) {
            return peer;
        }
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok()).collect();
        let mut nearest = peer;
        for hop in lines.iter().flat_map(|line| line.split(',')).rev() {
            match hop.trim().parse::<IpAddr>() {
                Ok(address) => nearest = address.to_canonical(),
                Err(_) => break,
            }
            if !self.has(nearest) {
                break;
            }
        }
        nearest
    }
}

/// What is expected of the proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it is.
    pub from: Networks,
    /// The header with the user's name.
    pub user: HeaderName,
    /// The header with their groups, separated by commas.
    pub groups: Option<HeaderName>,
    /// Who may come in; with `allow_groups` empty as well, everybody the proxy names.
    pub allow_users: Vec<String>,
    /// Of whom it is enough that they are in one of these.
    pub allow_groups: Vec<String>,
}

impl Proxy {
    /// Whether a connection's other end is the proxy.
    pub fn comes_through(&self, peer: Option<IpAddr>) -> Result<(), Refused> {
        match peer {
            Some(peer) if self.from.has(peer) => Ok(()),
            peer => {
                let address = peer.map_or_else(|| "whoever this is".to_owned(), |peer| peer.to_string());
                Err(Refused::NotTheProxy { address: Text::from(address) })
            }
        }
    }

    /// Whom the proxy names, if they may come in.
    pub fn person(&self, headers: &HeaderMap) -> Result<Person, Refused> {
        let name = only(headers, &self.user)?.filter(|name| !name.is_empty()).ok_or(Refused::NobodySaid)?;
        let groups = match &self.groups {
            Some(header) => only(headers, header)?.unwrap_or_default(),
            None => "",
        };
        let groups: Vec<Text> =
            groups.split(',').map(str::trim).filter(|group| !group.is_empty()).map(Text::from).collect();
        let anyone = self.allow_users.is_empty() && self.allow_groups.is_empty();
        let allowed = anyone
            || self.allow_users.iter().any(|user| user == name)
            || self.allow_groups.iter().any(|group| groups.iter().any(|of| of == group.as_str()));
        if !allowed {
            return Err(Refused::NotAllowed { who: Text::from(name) });
        }
        Ok(Person { id: Text::from(name), name: Text::from(name), groups })
    }
}

/// The one value of a header: of two, one is somebody else's.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refused::SaidTwice);
    }
    // A name that is not plain text is nobody's: bytes above ASCII have no agreed meaning here (RFC 9110, 5.5).
    Ok(Some(value.to_str().map_err(|_| Refused::NobodySaid)?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Networks {
        Networks::new(list.iter().map(|network| network.parse().expect("a network")).collect())
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn the_client_is_the_last_who_is_no_proxy_of_ours() {
        let ours = networks(&["10.0.0.0/8", "::1/128"]);
        for (peer, forwarded, client) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["6.6.6.6", "203.0.113.9, 10.9.9.9"], "203.0.113.9"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["6.6.6.6, nonsense, 10.1.1.1"], "10.1.1.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
        ] {
            let pairs: Vec<_> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let found = ours.client(peer.parse().expect("an address"), &headers(&pairs));
            let client: IpAddr = client.parse().expect("an address");
            assert_eq!(found.to_canonical(), client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn whom_the_proxy_names_is_let_in_if_they_are_allowed() {
        let proxy = Proxy {
            from: networks(&["127.0.0.1/32"]),
            user: HeaderName::from_static("x-forwarded-user"),
            groups: Some(HeaderName::from_static("x-forwarded-groups")),
            allow_users: vec!["eve@example.org".to_owned()],
            allow_groups: vec!["ops".to_owned()],
        };
        let asked = |pairs: &[(&'static str, &'static str)]| {
            proxy.person(&headers(pairs)).map(|person| person.name.to_string())
        };
        let (user, groups) = ("x-forwarded-user", "x-forwarded-groups");
        assert_eq!(asked(&[(user, "ann"), (groups, "dev, ops")]), Ok("ann".to_owned()));
        assert_eq!(asked(&[(user, "eve@example.org")]), Ok("eve@example.org".to_owned()));
        let not = |who: &str| Err(Refused::NotAllowed { who: Text::from(who) });
        assert_eq!(asked(&[(user, "ann"), (groups, "dev,opsies")]), not("ann"));
        assert_eq!(asked(&[(user, "Eve@example.org")]), not("Eve@example.org"));
        assert_eq!(asked(&[(groups, "ops")]), Err(Refused::NobodySaid));
        assert_eq!(asked(&[(user, " "), (groups, "ops")]), Err(Refused::NobodySaid));
        assert_eq!(asked(&[(user, "ann"), (user, "root"), (groups, "ops")]), Err(Refused::SaidTwice));
        assert_eq!(asked(&[(user, "ann"), (groups, "dev"), (groups, "ops")]), Err(Refused::SaidTwice));
    }
}
