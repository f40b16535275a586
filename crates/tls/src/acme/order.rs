//! One order (RFC 8555, 7.4): the server is shown that the domain is ours, and sends a certificate.

use std::sync::Arc;
use std::time::Duration;

use claimgate_config::certificate::Certificate;
use claimgate_config::snapshot::AcmeChallenge;
use instant_acme::{
    AuthorizationHandle, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};

use super::challenges::Answer;
use super::{Acme, AcmeError};

/// For an order as a whole.
const TIME: Duration = Duration::from_secs(300);
/// How often the server is asked how far it is.
const POLL: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

impl Acme {
    /// Obtains a certificate for a domain and keeps it. A later `attempt` begins with another challenge,
    /// where there is a choice.
    pub async fn obtain(&self, domain: &str, attempt: usize) -> Result<Certificate, AcmeError> {
        // The semaphore is never closed.
        let _permit = self.orders.acquire().await;
        let order = self.order(domain, attempt);
        let result = tokio::time::timeout(TIME, order).await.unwrap_or(Err(AcmeError::Timeout));
        if let Err(error) = &result {
            self.forget_account(error).await;
        }
        result
    }

    async fn order(&self, domain: &str, attempt: usize) -> Result<Certificate, AcmeError> {
        let account = self.account().await?;
        let identifiers = [Identifier::Dns(domain.to_owned())];
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
        // Given until the order has ended, however it ends.
        let mut answers = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let authorization = authorization?;
            if authorization.status == AuthorizationStatus::Pending {
                answers.push(self.answer(authorization, domain, attempt).await?);
            }
        }
        match order.poll_ready(&POLL).await {
            Ok(OrderStatus::Ready) => {}
            Ok(_) => return Err(why_invalid(&mut order).await),
            Err(instant_acme::Error::Api(problem)) => {
                // The order tells that it failed, its challenge why.
                return Err(match why_invalid(&mut order).await {
                    AcmeError::Invalid(why) => AcmeError::Invalid(why),
                    _ => AcmeError::Server(problem.into()),
                });
            }
            Err(error) => return Err(error.into()),
        }
        let private_key = order.finalize().await?;
        let chain = order.poll_certificate(&POLL).await?;
        let certificate = Certificate::from_pem(domain, chain.as_bytes(), private_key.as_bytes())?;
        self.folder.keep_certificate(domain, &chain, &private_key)?;
        Ok(certificate)
    }

    /// Answers one of the challenges of an authorization, and tells the server so.
    async fn answer(
        &self,
        mut authorization: AuthorizationHandle<'_>,
        domain: &str,
        attempt: usize,
    ) -> Result<Answer, AcmeError> {
        let wanted = &self.settings.challenges;
        let in_turn = wanted.iter().cycle().skip(attempt % wanted.len().max(1)).take(wanted.len());
        let offered =
            |kind: &ChallengeType| authorization.challenges.iter().any(|offer| offer.r#type == *kind);
        let kind = in_turn.map(|wanted| kind_of(*wanted)).find(offered).ok_or(AcmeError::NoChallenge)?;
        let mut challenge = authorization.challenge(kind.clone()).ok_or(AcmeError::NoChallenge)?;
        let key_authorization = challenge.key_authorization();
        let answer = if kind == ChallengeType::Http01 {
            self.challenges.answer_http(&challenge.token, key_authorization.as_str())
        } else {
            Arc::clone(&self.challenges).answer_tls(domain, key_authorization.digest().as_ref())?
        };
        challenge.set_ready().await?;
        Ok(answer)
    }
}

fn kind_of(challenge: AcmeChallenge) -> ChallengeType {
    match challenge {
        AcmeChallenge::Http01 => ChallengeType::Http01,
        AcmeChallenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
    }
}

/// What the server says of the challenge that it was not content with.
async fn why_invalid(order: &mut Order) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = match authorization {
            Ok(authorization) => authorization,
            Err(error) => return error.into(),
        };
        let state = match authorization.refresh().await {
            Ok(state) => state,
            Err(error) => return error.into(),
        };
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return AcmeError::Invalid(problem.to_string());
        }
    }
    AcmeError::Invalid("it does not say why".to_owned())
}
