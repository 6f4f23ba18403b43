//! Where words go: data to stdout, the rest to stderr; a reader that has gone away is no error.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::cli::exit::Exit;

/// Writes data to stdout, with a line end. When that fails, a script must not take the rest for the whole: it is told,
/// and the program ends with [`Exit::CouldNotRun`].
#[must_use]
pub fn data(text: &str) -> Exit {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            remark(&format!("error: cannot write to stdout: {error}"));
            Exit::CouldNotRun
        }
        // A reader that has read enough, such as `head`, is content.
        _ => Exit::Passed,
    }
}

/// Writes a word to the user to stderr, with a line end.
pub fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

/// Whether stdout may have colours: a terminal, and no `NO_COLOR`.
pub fn data_has_colour() -> bool {
    std::io::stdout().is_terminal() && wants_colour()
}

/// Whether stderr may have colours: a terminal, and no `NO_COLOR`.
pub fn remarks_have_colour() -> bool {
    std::io::stderr().is_terminal() && wants_colour()
}

/// `NO_COLOR` counts when it is set to anything but nothing.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
