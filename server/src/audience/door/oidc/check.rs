//! Whether a token says what it says: by whom, for whom, when, and signed with one of the provider's keys (OpenID
//! Connect Core 1.0 §3.1.3.7). Then, who that is.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, ClaimsVerificationError, IdTokenClaims, IdTokenVerifier, Nonce,
    OAuth2TokenResponse, RequestTokenError, SignatureVerificationError, StandardClaims,
    StandardErrorResponse, TokenResponse, UserInfoClaims,
    core::{CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJwsSigningAlgorithm},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Denied, Oidc, Settings,
    issuer::{Client, Provider, Tokens},
    transport::TransportError,
};

/// How far the provider's clock and ours may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// Only what is signed with a private key: with HS256, whoever knows the client's secret, or takes its public name for
/// one, could sign in as anyone.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// All claims but the standard ones, for groups may be in any of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extra {
    #[serde(flatten)]
    claims: BTreeMap<String, Value>,
}

impl AdditionalClaims for Extra {}

type Claims = IdTokenClaims<Extra, CoreGenderClaim>;

/// Whom the provider says somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `sub`: never changes, never given to anybody else.
    pub subject: String,
    /// What people call them: a mail address, a user name, or else the subject.
    pub name: String,
    /// Their mail address.
    pub mail: Option<String>,
    /// Whether the provider knows it to be theirs.
    pub mail_verified: bool,
    /// The groups they are in.
    pub groups: Vec<String>,
}

impl Oidc {
    /// Who the tokens are about, if they are good. Claims that are not in the ID token are asked for at the userinfo
    /// endpoint (§5.3), where some providers have all but the subject.
    pub(super) async fn identify(
        &self,
        provider: &Arc<Provider>,
        tokens: &Tokens,
        nonce: &Nonce,
    ) -> Result<Identity, Denied> {
        let settings = &self.0.settings;
        let mut client = provider.client(settings);
        let mut claims = verified(&client, settings, tokens, nonce);
        // Keys are changed now and then: what signs today may be younger than what we know.
        if claims.as_ref().is_err_and(Flaw::is_unknown_key)
            && let Some(newer) = self.0.issuer.newer(provider).await
        {
            client = newer.client(settings);
            claims = verified(&client, settings, tokens, nonce);
        }
        let claims = claims.map_err(|flaw| self.flawed(&flaw))?;
        let standard = standard(&claims);
        let identity = Identity::of(&standard, claims.additional_claims(), settings);
        if settings.allow.lets_in(&identity) && identity.name != identity.subject {
            return Ok(identity);
        }
        let access = tokens.access_token();
        // The library takes for granted that a token can stand in a header.
        if http::HeaderValue::from_str(access.secret()).is_err() {
            return Ok(identity);
        }
        let Ok(request) = client.user_info(access.clone(), Some(standard.subject().clone())) else {
            return Ok(identity);
        };
        match request.request_async::<Extra, _, CoreGenderClaim>(&self.0.transport).await {
            Ok(more) => Ok(identity.with(&more, settings)),
            Err(error) => {
                tracing::warn!(
                    error = crate::error::chain(&error),
                    "the identity provider does not say more about somebody"
                );
                Ok(identity)
            }
        }
    }

    fn flawed(&self, flaw: &Flaw) -> Denied {
        tracing::warn!(error = crate::error::chain(flaw), "a token was refused");
        self.untrusted(flaw.in_words())
    }

    /// Why there are no tokens for the code.
    pub(super) fn not_exchanged(
        &self,
        error: RequestTokenError<TransportError, StandardErrorResponse<CoreErrorResponseType>>,
    ) -> Denied {
        tracing::warn!(error = crate::error::chain(&error), "a code could not be exchanged");
        match error {
            RequestTokenError::ServerResponse(answer) => match answer.error() {
                CoreErrorResponseType::InvalidGrant => {
                    self.refused("the code it gave was used already, or is too old", None)
                }
                CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                    self.refused("it does not accept Masthead's client id or secret", None)
                }
                other => self.refused(other.as_ref(), None),
            },
            RequestTokenError::Request(TransportError::Silent) => self.unreachable("it does not answer"),
            RequestTokenError::Request(_) => self.unreachable("it cannot be reached"),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                self.untrusted("its answer cannot be read")
            }
        }
    }
}

/// What is wrong with tokens.
#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("there is no ID token; is the scope openid granted?")]
    NoIdToken,
    #[error(transparent)]
    Token(#[from] ClaimsVerificationError),
    #[error("issued to another client: azp is {0:?}")]
    OtherClient(String),
    #[error("the access token is another's: at_hash differs")]
    OtherAccessToken,
}

impl From<SignatureVerificationError> for Flaw {
    fn from(error: SignatureVerificationError) -> Flaw {
        Flaw::Token(ClaimsVerificationError::SignatureVerification(error))
    }
}

impl Flaw {
    fn is_unknown_key(&self) -> bool {
        use SignatureVerificationError::NoMatchingKey;
        matches!(self, Flaw::Token(ClaimsVerificationError::SignatureVerification(NoMatchingKey)))
    }

    fn in_words(&self) -> &'static str {
        match self {
            Flaw::NoIdToken => "it has no ID token in it",
            Flaw::OtherClient(_) | Flaw::Token(ClaimsVerificationError::InvalidAudience(_)) => {
                "the token is for somebody else"
            }
            Flaw::OtherAccessToken => "the tokens do not belong together",
            Flaw::Token(ClaimsVerificationError::Expired(_)) => {
                "the token is not valid at this time; its clock and Masthead's may be apart"
            }
            Flaw::Token(ClaimsVerificationError::InvalidIssuer(_)) => "the token is another provider's",
            Flaw::Token(ClaimsVerificationError::InvalidNonce(_)) => "the token is of another sign-in",
            Flaw::Token(ClaimsVerificationError::SignatureVerification(_)) => {
                "the token is not signed with a key that the provider publishes"
            }
            Flaw::Token(_) => "the token is not one that Masthead understands",
        }
    }
}

fn verified(client: &Client, settings: &Settings, tokens: &Tokens, nonce: &Nonce) -> Result<Claims, Flaw> {
    let token = tokens.id_token().ok_or(Flaw::NoIdToken)?;
    let verifier: IdTokenVerifier<'_, CoreJsonWebKey> = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(|| Utc::now() - SKEW)
        .set_issue_time_verifier_fn(issued);
    let claims = token.claims(&verifier, nonce)?;
    // §3.1.3.7 points 4 and 5, which the library leaves to its users.
    if let Some(party) = claims.authorized_party().filter(|party| party.as_str() != settings.client_id) {
        return Err(Flaw::OtherClient(party.to_string()));
    }
    if let Some(hash) = claims.access_token_hash() {
        let of = AccessTokenHash::from_token(
            tokens.access_token(),
            token.signing_alg()?,
            token.signing_key(&verifier)?,
        );
        if !of.is_ok_and(|of| of == *hash) {
            return Err(Flaw::OtherAccessToken);
        }
    }
    Ok(claims.clone())
}

/// Those of an ID token that Masthead reads; of userinfo the library hands out all.
fn standard(claims: &Claims) -> StandardClaims<CoreGenderClaim> {
    StandardClaims::new(claims.subject().clone())
        .set_name(claims.name().cloned())
        .set_preferred_username(claims.preferred_username().cloned())
        .set_email(claims.email().cloned())
        .set_email_verified(claims.email_verified())
}

fn issued(at: DateTime<Utc>) -> Result<(), String> {
    if at > Utc::now() + SKEW { Err(format!("issued in the future, at {at}")) } else { Ok(()) }
}

impl Identity {
    fn of(standard: &StandardClaims<CoreGenderClaim>, extra: &Extra, settings: &Settings) -> Identity {
        let subject = standard.subject().to_string();
        let mail = standard.email().map(|mail| mail.to_string());
        let mail_verified = standard.email_verified() == Some(true);
        let user = standard.preferred_username().map(|name| name.to_string());
        let full = standard.name().and_then(|name| name.get(None)).map(|name| name.to_string());
        // Of those, only a verified address is surely not chosen to look like somebody else.
        let name = mail.clone().filter(|_| mail_verified).or(user).or(full).or_else(|| mail.clone());
        let groups = extra.groups(&settings.groups_claim);
        Identity { name: name.unwrap_or_else(|| subject.clone()), subject, mail, mail_verified, groups }
    }

    /// With what the userinfo endpoint says, where the ID token says nothing.
    fn with(self, more: &UserInfoClaims<Extra, CoreGenderClaim>, settings: &Settings) -> Identity {
        let more = Identity::of(more.standard_claims(), more.additional_claims(), settings);
        let (mail, mail_verified) = match self.mail {
            Some(mail) => (Some(mail), self.mail_verified),
            None => (more.mail, more.mail_verified),
        };
        Identity {
            name: if self.name == self.subject { more.name } else { self.name },
            subject: self.subject,
            mail,
            mail_verified,
            groups: if self.groups.is_empty() { more.groups } else { self.groups },
        }
    }

    /// For somebody who is not let in.
    pub fn in_words(&self) -> String {
        let mut text = self.name.clone();
        if let Some(mail) = self.mail.as_ref().filter(|mail| **mail != self.name) {
            text.push_str(&format!(" ({mail})"));
        }
        match self.groups.as_slice() {
            [] => text.push_str(", in no group"),
            [group] => text.push_str(&format!(", in the group {group}")),
            // Some have hundreds.
            groups => {
                let first = groups.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
                let more = if groups.len() > 20 { ", …" } else { "" };
                text.push_str(&format!(", in the groups {first}{more}"));
            }
        }
        text
    }
}

impl Extra {
    /// The claim of that name, or at that path: a list of names, or one.
    fn groups(&self, claim: &str) -> Vec<String> {
        let found = self.claims.get(claim).or_else(|| {
            let mut path = claim.split('.');
            let first = self.claims.get(path.next()?)?;
            path.try_fold(first, |value, key| value.get(key))
        });
        match found {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => {
                many.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_name_or_by_path() {
        let extra: Extra = serde_json::from_value(serde_json::json!({
            "groups": ["ops", 7, "dev"],
            "role": "admin",
            "realm_access": {"roles": ["viewer"]},
            "https://example.org/groups": ["by address"],
        }))
        .expect("claims");
        for (claim, groups) in [
            ("groups", &["ops", "dev"][..]),
            ("role", &["admin"]),
            ("realm_access.roles", &["viewer"]),
            ("https://example.org/groups", &["by address"]),
            ("realm_access", &[]),
            ("nothing", &[]),
            ("", &[]),
        ] {
            assert_eq!(extra.groups(claim), groups, "{claim}");
        }
    }
}
