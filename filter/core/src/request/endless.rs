//! Bodies that nobody can wait for.

use streamgate_values::head::Head;

/// Whether a call's head asks for another protocol. Whatever follows it has no end then, not even
/// where a client sends nothing: Envoy passes it on as the other protocol's.
pub(crate) fn asks_for_upgrade(head: &impl Head) -> bool {
    head.header("upgrade").is_some()
}

/// Why the body of a call cannot be waited for, as a status and a problem text; `None` if it can.
pub(crate) fn endless(head: &impl Head) -> Option<(u16, &'static str)> {
    if !head.has_any(&["upgrade", "expect"]) {
        return None;
    }
    if asks_for_upgrade(head) {
        return Some((400, "a call with a body cannot ask for an upgrade"));
    }
    // Envoy tells the client to go on, and takes the header off, unless it is to leave that to
    // origins (`proxy_100_continue`). The client then waits for a word that a filter cannot say
    // (RFC 9110, section 10.1.1).
    Some((417, "send the body without Expect"))
}
