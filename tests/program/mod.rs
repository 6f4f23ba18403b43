//! The program itself, called in a folder of a test's own, and what it said.

pub mod place;

use std::process::{Command, Output};

pub use place::Place;

impl Place {
    /// The program, to be called here.
    pub fn dmswarm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dmswarm"));
        command.args(arguments).current_dir(&self.0).env_remove("NO_COLOR");
        command
    }

    pub fn call(&self, arguments: &[&str]) -> Said {
        Said::of(self.dmswarm(arguments).output().expect("the program starts"))
    }
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Said {
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub fn ended_with(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}
