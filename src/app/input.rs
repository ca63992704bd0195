//! Reads standard input, never from a terminal.

use std::io::Read as _;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::otp::LONGEST_INPUT;
use crate::domain::refusal::Refusal;

impl App<'_> {
    /// Reads standard input to its end, up to the longest code plus one byte. Does not read a
    /// terminal.
    pub fn read_input(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        self.read_input_up_to(LONGEST_INPUT)
    }

    /// Like [`App::read_input`] with another limit. Longer input is returned with `longest + 1`
    /// bytes, so that the caller can refuse it.
    pub fn read_input_up_to(&mut self, longest: usize) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
        if !self.env.input_is_terminal {
            (&mut self.env.input).take(longest as u64 + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Reads one line of standard input with its line end, up to the longest code plus one byte;
    /// `None` at the end of input. Does not read a terminal.
    pub fn read_line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        if self.env.input_is_terminal {
            return Ok(None);
        }
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_INPUT + 1));
        let mut byte = [0];
        while line.len() <= LONGEST_INPUT && self.env.input.read(&mut byte)? == 1 {
            line.push(byte[0]);
            if byte[0] == b'\n' {
                break;
            }
        }
        Ok(Some(line).filter(|l| !l.is_empty()))
    }

    /// Reads one line of standard input without its line end; `None` at the end of input. A line
    /// longer than any credentials is `bad_input`.
    pub fn read_secret_line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        /// Three strings of 256 characters; JSON may escape each character as twelve bytes.
        const LONGEST: usize = 3 * 256 * 12 + 64;
        if self.env.input_is_terminal {
            return Ok(None);
        }
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        let mut byte = [0];
        while self.env.input.read(&mut byte)? == 1 {
            if byte[0] == b'\n' {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if line.len() == LONGEST {
                return Err(Refusal::bad_input("standard input", "has too long a line")
                    .hint("write one line of at most a few hundred characters")
                    .into());
            }
            line.push(byte[0]);
        }
        Ok(Some(line).filter(|line| !line.is_empty()))
    }
}
