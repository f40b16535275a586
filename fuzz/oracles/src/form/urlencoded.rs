//! A lenient reader of urlencoded forms: `;` separates too.

use crate::lenient::percent_decoded;

pub fn pieces(body: &[u8]) -> Vec<Vec<u8>> {
    let pieces = body.split(|byte| b"&;".contains(byte));
    pieces.filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec).collect()
}

pub fn name(piece: &[u8]) -> Vec<u8> {
    decoded(piece.split(|&byte| byte == b'=').next().unwrap_or_default())
}

pub fn value(piece: &[u8]) -> Vec<u8> {
    let at = piece.iter().position(|&byte| byte == b'=');
    decoded(at.map_or(&[], |at| &piece[at + 1..]))
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decoded(&spaced)
}
