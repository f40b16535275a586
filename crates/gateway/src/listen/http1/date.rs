//! The Date of an answer (RFC 9110, 6.6.1), which changes once a second.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, BytesMut};

thread_local! {
    static LINE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Appends the line.
pub fn write(text: &mut BytesMut) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    LINE.with_borrow_mut(|(second, line)| {
        if *second != now {
            let date = httpdate::HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(now));
            line.clear();
            // A String takes all that is written to it.
            let _ = write!(line, "date: {date}\r\n");
            *second = now;
        }
        text.put_slice(line.as_bytes());
    });
}
