//! Every input that fuzzing has collected, checked without a fuzzer.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;

#[test]
fn what_fuzzing_has_collected_holds_still() {
    for (target, check) in claimgate_fuzz_oracles::TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut inputs = 0;
        for entry in fs::read_dir(&corpus).expect("every target has a corpus") {
            let path = entry.expect("a readable folder").path();
            let input = fs::read(&path).expect("a readable input");
            let name = path.display();
            // Printed only when the check panics: it is the input to run the fuzz target with.
            println!("{name}");
            check(&input);
            inputs += 1;
        }
        assert!(inputs > 0, "{target} has no inputs");
    }
}
