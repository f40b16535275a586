//! A removed parameter of a query is read by no model, a set one by every model, and the others keep their
//! bytes.
//!
//! Input: the name and the value to set, a line each, then the query.

use claimgate_config::readings::MappedNames;
use claimgate_gateway::parameters::urlencoded;

use crate::unread::{assert_claim, assert_others_are_left, assert_unread};
use crate::{lines, names};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some(([name, value], sent)) = lines::split(data) else { return };
    if !names::is_text(name) || !is_query(sent) {
        return;
    }
    let mapped = MappedNames::new([name]);
    let mut found = false;
    let removed = urlencoded::replace(sent, &mapped, Vec::new(), |_| found = true).into_owned();

    assert_unread(name, |model| Some((model.query?)(&removed)));
    if !found {
        assert_eq!(removed, sent, "nothing had to be removed");
    }
    let name_of = |pair: &[u8]| pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
    assert_others_are_left(name, &pairs(sent), &pairs(&removed), |pair| &pair[..name_of(pair)]);

    let mut claim = Vec::new();
    urlencoded::push_pair(&mut claim, name, value);
    let set = urlencoded::replace(sent, &mapped, claim.clone(), |_| {});
    assert_claim(name, value, |model| Some((model.query?)(&claim)), |model| Some((model.query?)(&set)));
    let behind = set.strip_prefix(&claim[..]).expect("the claim comes first");
    assert_eq!(behind.strip_prefix(b"&").unwrap_or(behind), removed, "setting a claim changed others");
}

/// Others reach no function.
fn is_query(query: &[u8]) -> bool {
    let is_visible = |&byte: &u8| byte > b' ' && byte != 0x7f && byte != b'#';
    query.iter().all(is_visible) && std::str::from_utf8(query).is_ok()
}

fn pairs(query: &[u8]) -> Vec<&[u8]> {
    query.split(|byte| b"&;".contains(byte)).filter(|pair| !pair.is_empty()).collect()
}
