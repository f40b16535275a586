//! The four positions of a parameter in a request: header, query, form, cookie. Each module finds the
//! values of a parameter, removes what any function would read as it (`claimgate_config::readings`), and sets
//! it before everything else, which it leaves byte for byte as it was.

pub mod content_type;
pub mod cookie;
pub mod form;
pub mod form_memory;
pub mod header;
pub mod multipart;
pub mod urlencoded;

#[cfg(test)]
mod tests;
