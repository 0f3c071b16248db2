//! How far a kubelet's version is from the API server's (Kubernetes' version skew policy).

/// Minor versions by which a kubelet may be older, since Kubernetes 1.28; before that two.
const OLDEST: u32 = 3;

/// Where a kubelet stands against the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// Of the same minor version.
    Same,
    /// So many minor versions older, which is supported.
    Older(u32),
    /// So many minor versions older, which is not.
    TooOld(u32),
    /// Newer, which is not supported.
    Newer,
    /// One of the two cannot be read.
    Unknown,
}

impl Skew {
    /// Of two versions as `v1.37.2` or `v1.33.0-eks-1234`.
    pub fn of(kubelet: &str, api_server: &str) -> Skew {
        let (Some((major, minor)), Some((servers_major, servers_minor))) =
            (minor(kubelet), minor(api_server))
        else {
            return Skew::Unknown;
        };
        let oldest = if servers_minor < 28 { OLDEST - 1 } else { OLDEST };
        if major != servers_major {
            return Skew::Unknown;
        }
        match servers_minor.checked_sub(minor) {
            None => Skew::Newer,
            Some(0) => Skew::Same,
            Some(older) if older <= oldest => Skew::Older(older),
            Some(older) => Skew::TooOld(older),
        }
    }

    /// Whether Kubernetes says that the two work together; what cannot be read is given the benefit of the doubt.
    pub fn is_supported(self) -> bool {
        !matches!(self, Skew::TooOld(_) | Skew::Newer)
    }

    /// `2 minor versions older than the API server, which is supported`; empty if there is nothing to say.
    pub fn sentence(self) -> String {
        let older = |by: u32| {
            let versions = if by == 1 { "version" } else { "versions" };
            format!("{by} minor {versions} older than the API server")
        };
        match self {
            Skew::Same | Skew::Unknown => String::new(),
            Skew::Older(by) => format!("{}, which is supported", older(by)),
            Skew::TooOld(by) => format!("{}, which is not supported", older(by)),
            Skew::Newer => "newer than the API server, which is not supported".to_owned(),
        }
    }
}

fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    // some providers write `1.33+`
    let digits = minor.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_may_be_three_minor_versions_older_and_never_newer() {
        for (kubelet, api_server, skew) in [
            ("v1.37.2", "v1.37.0", Skew::Same),
            ("v1.37.9", "v1.37.0", Skew::Same),
            ("v1.36.4", "v1.37.0", Skew::Older(1)),
            ("v1.34.0-eks-1c2d", "v1.37.0+k3s1", Skew::Older(3)),
            ("v1.33.12", "v1.37.0", Skew::TooOld(4)),
            ("v1.24.0", "v1.27.0", Skew::TooOld(3)),
            ("v1.25.0", "v1.27+", Skew::Older(2)),
            ("v1.38.0-alpha.1", "v1.37.2", Skew::Newer),
            ("v2.0.0", "v1.37.2", Skew::Unknown),
            ("", "v1.37.2", Skew::Unknown),
            ("v1.37.2", "(unknown)", Skew::Unknown),
        ] {
            assert_eq!(Skew::of(kubelet, api_server), skew, "{kubelet} under {api_server}");
        }
        assert_eq!(
            Skew::Older(1).sentence(),
            "1 minor version older than the API server, which is supported"
        );
        assert!(Skew::Unknown.is_supported() && !Skew::Newer.is_supported());
    }
}
