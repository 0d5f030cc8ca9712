//! Who may call the session API, and what a configuration is told that means to have one
//! and does not say so.

use streamgate_values::subject::SubjectHasher;

use super::super::limits::{APPLICATION_SECRETS, CREATES_PER_CLIENT, PER_MINUTE};
use super::super::raw::{
    RawApplication, RawCatSubject, RawConfig, RawPlayback, RawSecrets, RawSessionApi,
    RawSubjectCarrier, RawSubjectProof,
};
use super::super::{ApplicationSecrets, Compatibility, SessionApi, Start, SubjectProof};
use super::check::{Check, field, item, quoted};

/// What to write where the session API is meant.
const WHAT_TO_WRITE: &str = "`session_api: {subject: {jwt_claim: sub}}` where Envoy's jwt_authn \
    checks a JWT whose claim must be the account in the path, `session_api: {subject: {cat: sub}}` \
    for a Common Access Token, or `session_api: {subject: trusted}` only where an earlier hop has \
    checked that the caller is that account";

impl Check<'_> {
    /// `None` where there is no session API.
    pub(super) fn session_api(
        &mut self,
        raw: &RawConfig,
        hasher: &SubjectHasher,
    ) -> Option<SessionApi> {
        let secrets = self.application_secrets(&raw.applications, hasher);
        let per_client = raw.sessions.creates_per_minute_per_client;
        if let Some(creates) = per_client {
            let path = "sessions.creates_per_minute_per_client";
            self.range(path, creates, PER_MINUTE, "calls");
        }
        let Some(api) = &raw.session_api else {
            // What could not be read may be what means it.
            if self.gaps.is_empty()
                && raw.operator.is_none()
                && let Some(meant) = means_session_api(raw)
            {
                self.wrong("session_api", format!("none, but {meant}"), WHAT_TO_WRITE);
            }
            return None;
        };
        let subject = match &api.subject {
            RawSubjectProof::JwtClaim(claim) => {
                self.name("session_api.subject.jwt_claim", claim);
                SubjectProof::JwtClaim(claim.clone())
            }
            RawSubjectProof::Cat(RawCatSubject::Sub) => {
                if raw.cat.is_none() {
                    let allowed = "both: `cat` says whose tokens are good";
                    self.wrong("session_api.subject", "{cat: sub} without `cat`", allowed);
                }
                SubjectProof::CatSubject
            }
            RawSubjectProof::Trusted => SubjectProof::Trusted,
        };
        Some(SessionApi {
            idps: self.idps(api, &raw.playback),
            creates_per_client: match subject {
                SubjectProof::Trusted => per_client,
                _ => Some(per_client.unwrap_or(CREATES_PER_CLIENT)),
            },
            subject,
            secrets,
        })
    }

    /// The identity providers that the proof is good for. A claim says nothing of the
    /// provider: whoever is `alice` at one must not act for another's.
    fn idps(&mut self, api: &RawSessionApi, playback: &[RawPlayback]) -> Option<Vec<String>> {
        if let Some(idps) = &api.idp {
            if idps.is_empty() {
                self.wrong("session_api.idp", "none", "one identity provider or more");
            }
            for (at, idp) in idps.iter().enumerate() {
                self.name(&item("session_api.idp", at), idp);
            }
            return Some(idps.clone());
        }
        let is_same = |carrier: &RawSubjectCarrier| match (carrier, &api.subject) {
            (RawSubjectCarrier::JwtClaim(one), RawSubjectProof::JwtClaim(other)) => one == other,
            (RawSubjectCarrier::Cat(_), RawSubjectProof::Cat(_)) => true,
            _ => false,
        };
        if matches!(api.subject, RawSubjectProof::Trusted) {
            return None;
        }
        let same = playback
            .iter()
            .filter(|path| path.subject.iter().any(is_same));
        let mut idps: Vec<String> = Vec::new();
        for path in same {
            if !path.idp.is_empty() && !idps.contains(&path.idp) {
                idps.push(path.idp.clone());
            }
        }
        if idps.is_empty() {
            let found =
                "none, and no protected path with an `idp` takes the account from this claim";
            let allowed =
                "the identity providers whose accounts the claim names, such as `idp: [acme]`";
            self.wrong("session_api.idp", found, allowed);
        }
        Some(idps)
    }

    fn application_secrets(
        &mut self,
        applications: &[RawApplication],
        hasher: &SubjectHasher,
    ) -> ApplicationSecrets {
        let mut secrets = ApplicationSecrets::default();
        for (at, application) in applications.iter().enumerate() {
            let path = field(&item("applications", at), "secret");
            match &application.secret {
                None => {}
                Some(RawSecrets::One(secret)) => {
                    let secret = self.secret(&path, secret);
                    secrets.add(hasher, &application.id, secret.as_bytes());
                }
                Some(RawSecrets::Several(several)) => {
                    if !(1..=APPLICATION_SECRETS).contains(&several.len()) {
                        let found = format!("{} secrets", several.len());
                        let allowed = format!("1 to {APPLICATION_SECRETS} secrets");
                        self.wrong(&path, found, allowed);
                    }
                    for (at, secret) in several.iter().enumerate() {
                        let secret = self.secret(&item(&path, at), secret);
                        secrets.add(hasher, &application.id, secret.as_bytes());
                    }
                }
            }
        }
        secrets
    }
}

/// What in a configuration is of no use without a session API, for the first thing found.
fn means_session_api(raw: &RawConfig) -> Option<String> {
    let sessions = &raw.sessions;
    let given = [
        (sessions.base_path.is_some(), "base_path"),
        (sessions.calls_per_minute.is_some(), "calls_per_minute"),
        (sessions.creates_per_minute.is_some(), "creates_per_minute"),
        (
            sessions.creates_per_minute_per_client.is_some(),
            "creates_per_minute_per_client",
        ),
    ];
    if matches!(raw.compatibility, Compatibility::CmV2) {
        return Some("`compatibility: cm-v2` is about it".to_owned());
    }
    if let Some((_, name)) = given.iter().find(|(given, _)| *given) {
        return Some(format!("`sessions.{name}` is about it"));
    }
    let mut applications = raw.applications.iter();
    if let Some(application) = applications.find(|application| application.secret.is_some()) {
        let id = quoted(&application.id);
        return Some(format!("application {id} has a `secret` for it"));
    }
    let needs = |path: &RawPlayback| matches!(path.start, Start::SessionRequired);
    let at = raw.playback.iter().position(needs)?;
    Some(format!(
        "`playback[{at}].start: session_required` lets nothing play that it did not create"
    ))
}
