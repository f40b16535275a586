//! The name that was probably meant.

use strsim::levenshtein;

/// The candidate nearest to a misspelt name, when one is near enough to be worth a question.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let lower = name.to_lowercase();
    let near_enough = lower.chars().count().div_ceil(3).min(4);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST_NAME)
        .map(|candidate| (levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= near_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean …?` when a candidate is near, else nothing.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or(String::new(), |candidate| format!("; did you mean {candidate}?"))
}

/// Comparing costs the product of both lengths; no name that anybody misspells is longer.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_only_what_is_near() {
        let fields = ["domainName", "protocol", "routeConfig", "authConfig"];
        for (written, meant) in [
            ("domainname", Some("domainName")),
            ("domain", None),
            ("protocl", Some("protocol")),
            ("authConf", Some("authConfig")),
            ("routesConfig", Some("routeConfig")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, fields), meant, "{written}");
        }
    }
}
