//! Files that cannot be read.
#![allow(clippy::unwrap_used)]

use std::fs;

use claimgate_config::load_file;

#[test]
fn an_unreadable_file_is_told_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("claimgate.yaml");
    let told = || load_file(&file).unwrap_err().to_string();
    assert_eq!(told(), format!("{}: error: there is no such file", file.display()));

    fs::write(&file, b"gateway:\n  http: \xc3\xa4\xff\n").unwrap();
    let not_text = "error: the file is not UTF-8 text from here on";
    assert_eq!(told(), format!("{}:2:10: {not_text}", file.display()));

    fs::write(&file, vec![b' '; claimgate_config::MAX_BYTES + 1]).unwrap();
    assert_eq!(told(), format!("{}: error: the file is larger than 256 MiB", file.display()));

    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(told(), format!("{}: error: this is a folder, not a file", file.display()));
}
