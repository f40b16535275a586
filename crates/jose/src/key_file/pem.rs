//! Keys in PEM (RFC 7468).
use super::{Form, KeyFile, KeyFileError, Structure, der};
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";

/// Whether somewhere a block begins. Text may stand before it, as `openssl x509 -text` writes it.
pub(super) fn is_pem(content: &[u8]) -> bool {
    content.windows(BEGIN.len()).any(|window| window == BEGIN)
}

pub(super) fn read(content: &[u8]) -> Result<KeyFile, KeyFileError> {
    let blocks = blocks(content)?;
    let first_private = blocks.iter().find(|block| is_private(&block.label));
    let block = first_private.or_else(|| blocks.first()).ok_or(KeyFileError::Pem("it holds no key"))?;
    let structure = structure_of(block)?;
    let jwk = der::read(structure, &block.content)?;
    Ok(KeyFile { form: Form::Pem(structure), keys: vec![jwk.into()], others: blocks.len() - 1 })
}

struct Block {
    label: String,
    is_encrypted: bool,
    content: Zeroizing<Vec<u8>>,
}

/// All blocks but those that only describe the next one.
fn blocks(content: &[u8]) -> Result<Vec<Block>, KeyFileError> {
    let blocks = pem::parse_many(content).map_err(|error| {
        // What the error says more could be a piece of a private key.
        KeyFileError::Pem(match error {
            pem::PemError::MismatchedTags(..) => "the labels of BEGIN and END differ",
            pem::PemError::InvalidData(_) => "its content is not base64",
            pem::PemError::NotUtf8(_) => "it is not UTF-8 text",
            _ => "a block has no content, or a header that is none",
        })
    })?;
    if blocks.is_empty() {
        return Err(KeyFileError::Pem("a block has a BEGIN line and no END line"));
    }
    Ok(blocks
        .into_iter()
        .filter(|block| !block.tag().ends_with("PARAMETERS"))
        .map(|block| Block {
            label: block.tag().to_owned(),
            is_encrypted: block.headers().get("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED")),
            content: Zeroizing::new(block.into_contents()),
        })
        .collect())
}

fn is_private(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

fn structure_of(block: &Block) -> Result<Structure, KeyFileError> {
    let label = block.label.as_str();
    if block.is_encrypted || label == "ENCRYPTED PRIVATE KEY" {
        return Err(KeyFileError::Encrypted);
    }
    Structure::ALL
        .into_iter()
        .find(|structure| structure.label() == label)
        .ok_or_else(|| KeyFileError::Label { label: label.chars().take(40).collect() })
}
