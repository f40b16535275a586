//! What the system lets processes of functions do.

use rustix::thread::{
    CapabilitySet, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_no_new_privs,
};

/// Capabilities are numbered from 0; Linux keeps them in 64 bits.
const CAPABILITIES: u32 = 64;

/// Has processes that this thread starts begin without capabilities, under whatever user, and gain none from
/// setuid programs. The thread itself keeps its own, which it needs to start processes as another user and to
/// end them. All of it is a property of the thread, which its children inherit (capabilities(7)).
pub(super) fn give_up() {
    if let Err(error) = set_no_new_privs(true).and_then(|()| clear_ambient_capability_set()) {
        tracing::warn!(%error, "functions may gain privileges from setuid programs");
    }
    let all = (0..CAPABILITIES).map(|number| CapabilitySet::from_bits_retain(1 << number));
    // Without CAP_SETPCAP none can be removed. Then the gateway is not root, whose processes would get them.
    for capability in all {
        if capability_is_in_bounding_set(capability) == Ok(true)
            && remove_capability_from_bounding_set(capability).is_err()
        {
            if rustix::process::geteuid().is_root() {
                tracing::warn!(
                    "functions that run as root keep root's capabilities, as CAP_SETPCAP is missing"
                );
            }
            return;
        }
    }
}
