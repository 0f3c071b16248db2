//! The flags of `--auth oidc`.

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    audience::door::oidc::{Allow, Settings},
    error::StartError,
};

/// See [`Settings`].
#[derive(Clone, Debug, Args)]
pub struct OidcFlags {
    /// The identity provider, exactly as its discovery document calls it [default: none]
    #[arg(long = "oidc-issuer", value_name = "URL", env = "MASTHEAD_OIDC_ISSUER")]
    pub issuer: Option<String>,

    /// Masthead's client id at the identity provider [default: none]
    #[arg(long = "oidc-client-id", value_name = "ID", env = "MASTHEAD_OIDC_CLIENT_ID")]
    pub client_id: Option<String>,

    /// File with Masthead's client secret at the identity provider [default: a public client, which has
    /// none]
    #[arg(long = "oidc-client-secret-file", value_name = "FILE", env = "MASTHEAD_OIDC_CLIENT_SECRET_FILE")]
    pub client_secret_file: Option<PathBuf>,

    /// Group whose members may look; repeat it for several, whose names may have commas in them [default:
    /// none]
    #[arg(long = "oidc-allow-group", value_name = "NAME", env = "MASTHEAD_OIDC_ALLOW_GROUP")]
    pub allow_group: Vec<String>,

    /// Mail addresses, or *@DOMAIN for all of one, whose owners may look, if the identity provider has
    /// verified them; repeat it, or separate with commas [default: none]
    #[arg(
        long = "oidc-allow-mail",
        value_name = "MAIL",
        env = "MASTHEAD_OIDC_ALLOW_MAIL",
        value_delimiter = ','
    )]
    pub allow_mail: Vec<String>,

    /// Whoever the identity provider knows may look
    #[arg(long = "oidc-allow-anyone", env = "MASTHEAD_OIDC_ALLOW_ANYONE", conflicts_with_all = ["allow_group", "allow_mail"])]
    pub allow_anyone: bool,

    /// The claim that lists groups: a name, or a path such as realm_access.roles
    #[arg(
        long = "oidc-groups-claim",
        value_name = "NAME",
        env = "MASTHEAD_OIDC_GROUPS_CLAIM",
        default_value = "groups"
    )]
    pub groups_claim: String,

    /// What is asked for beyond openid; separate with commas [default: profile, email, and groups if the
    /// provider says that it has them]
    #[arg(long = "oidc-scopes", value_name = "NAME", env = "MASTHEAD_OIDC_SCOPES", value_delimiter = ',')]
    pub scopes: Vec<String>,

    /// File with the certificates (PEM) that the identity provider's is trusted by [default: the system's]
    #[arg(long = "oidc-ca", value_name = "FILE", env = "MASTHEAD_OIDC_CA")]
    pub ca: Option<PathBuf>,
}

impl OidcFlags {
    /// What they come to.
    pub fn settings(&self, public: Option<String>) -> Result<Settings, StartError> {
        let missing = |flag| StartError::Missing { auth: "oidc", flag };
        Ok(Settings {
            issuer: self.issuer.clone().ok_or_else(|| missing("--oidc-issuer"))?,
            client_id: self.client_id.clone().ok_or_else(|| missing("--oidc-client-id"))?,
            client_secret: self.client_secret()?,
            allow: match (self.allow_anyone, &*self.allow_group, &*self.allow_mail) {
                (true, ..) => Allow::anyone(),
                (false, [], []) => {
                    return Err(missing(
                        "--oidc-allow-group, --oidc-allow-mail, or --oidc-allow-anyone if whoever the provider \
                         knows may see the cluster",
                    ));
                }
                (false, groups, mails) => Allow::these(groups, mails).map_err(StartError::OidcMail)?,
            },
            groups_claim: self.groups_claim.clone(),
            scopes: self.scopes.clone(),
            ca: self.ca.clone(),
            public,
        })
    }

    /// One of them that was given, if any.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--oidc-issuer", self.issuer.is_some()),
            ("--oidc-client-id", self.client_id.is_some()),
            ("--oidc-client-secret-file", self.client_secret_file.is_some()),
            ("--oidc-allow-group", !self.allow_group.is_empty()),
            ("--oidc-allow-mail", !self.allow_mail.is_empty()),
            ("--oidc-allow-anyone", self.allow_anyone),
            ("--oidc-scopes", !self.scopes.is_empty()),
            ("--oidc-ca", self.ca.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    fn client_secret(&self) -> Result<Option<SecretString>, StartError> {
        let Some(file) = &self.client_secret_file else { return Ok(None) };
        let failed = |because: String| StartError::ClientSecret { file: file.clone(), because };
        let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        let text = SecretString::from(text);
        match text.expose_secret().trim_end_matches(['\r', '\n']) {
            "" => Err(failed("it is empty".to_owned())),
            secret => Ok(Some(SecretString::from(secret))),
        }
    }
}
