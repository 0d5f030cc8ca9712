//! The page over the door's calls: one document that loads nothing else.

use streamgate_record::ports::Entropy;

use crate::exchange::Answer;

const PAGE: &str = include_str!("page.html");

/// What stands in the page for the number that its own script and style are known by.
const NONCE: &str = "{nonce}";

/// The page. It holds no secret: whoever opens it is asked for a key.
pub(super) fn page(entropy: &impl Entropy) -> Answer {
    let random = entropy.random();
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut answer = Answer::empty(200)
        .with("content-type", "text/html; charset=utf-8")
        .with("content-security-policy", policy)
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff");
    answer.body = PAGE.replace(NONCE, &nonce).into_bytes();
    answer
}
