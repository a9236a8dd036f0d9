//! Messages until they are acknowledged, in order, and where sending is.
//!
//! Numbers are those of the frames, modulo 65536. A message may be extended as long as it was never sent.

use baton_abi::link::{kind, reg, write_done, DATA_WORDS_MAX, SLOTS};
use std::collections::VecDeque;

/// A message without what the frame adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub kind: u8,
    pub info: u16,
    pub address: u32,
    /// Whole words.
    pub data: Vec<u8>,
}

/// See the module's header.
#[derive(Debug, Default)]
pub struct SendQueue {
    messages: VecDeque<Message>,
    /// Number of the first message.
    base: u16,
    /// Messages from the first on that were sent since going back, that may be sent, and that were ever sent.
    sent: usize,
    allowed: usize,
    tried: usize,
}

impl SendQueue {
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Messages of a kind that are not acknowledged.
    pub fn count(&self, kind: u8) -> usize {
        self.messages.iter().filter(|message| message.kind == kind).count()
    }

    /// Number of the next new message to send.
    pub fn next_seq(&self) -> u16 {
        self.base.wrapping_add(self.sent as u16)
    }

    pub fn push(&mut self, message: Message) {
        self.messages.push_back(message);
    }

    /// The last message, if it was never sent.
    fn open(&mut self) -> Option<&mut Message> {
        match self.messages.len() > self.tried {
            true => self.messages.back_mut(),
            false => None,
        }
    }

    pub fn reg_write(&mut self, address: u32, value: u32) {
        let word = value.to_le_bytes();
        if let Some(last) = self.open().filter(|last| last.kind == kind::REG_WRITE) {
            let words = last.data.len() / 4;
            let info = match (words, last.info) {
                (1, _) if address == last.address => Some(0),
                (1, _) if address == last.address + 4 => Some(reg::RISING),
                (_, 0) if address == last.address => Some(0),
                (_, reg::RISING) if address == last.address + last.data.len() as u32 => Some(reg::RISING),
                _ => None,
            };
            if let Some(info) = info.filter(|_| words < DATA_WORDS_MAX) {
                last.info = info;
                last.data.extend(word);
                return;
            }
        }
        self.push(Message { kind: kind::REG_WRITE, info: 0, address, data: word.to_vec() });
    }

    /// Bursts whose ends are told by messages that are not acknowledged.
    pub fn writes_done(&self) -> usize {
        let done = self.messages.iter().filter(|message| message.kind == kind::WRITE_DONE);
        done.map(|message| usize::from(message.info & 0xFF)).sum()
    }

    /// A write to memory has ended, well or not.
    pub fn write_done(&mut self, done: bool) {
        let failed = if done { 0 } else { write_done::FAILED };
        match self.open().filter(|last| last.kind == kind::WRITE_DONE && last.info & write_done::FAILED == 0)
        {
            Some(last) => last.info = (last.info + 1) | failed,
            None => self.push(Message { kind: kind::WRITE_DONE, info: 1 | failed, ..Message::default() }),
        }
    }

    /// The next message that may be sent, with its number.
    pub fn next(&mut self) -> Option<(u16, Message)> {
        let at = self.sent;
        let message = self.messages.get(at).filter(|_| at < self.allowed)?.clone();
        self.sent += 1;
        self.tried = self.tried.max(self.sent);
        Some((self.base.wrapping_add(at as u16), message))
    }

    /// Everything before number `ack` has arrived, and there is room for `credit` messages from there on. Returns whether that is
    /// news; a number that is old or was never sent changes nothing.
    pub fn acknowledge(&mut self, ack: u16, credit: u8) -> bool {
        let count = usize::from(ack.wrapping_sub(self.base));
        if count > self.tried {
            return false;
        }
        self.messages.drain(..count);
        self.base = ack;
        self.sent = self.sent.saturating_sub(count);
        self.tried -= count;
        self.allowed = usize::from(credit).min(usize::from(SLOTS));
        count > 0
    }

    /// Sends everything again.
    pub fn go_back(&mut self) {
        self.sent = 0;
    }
}
