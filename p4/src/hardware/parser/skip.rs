//! What is skipped: to a byte of this word, or of one that comes so many words later.

use super::{Env, Generator, Node, Point, Slot, SKIP_BITS};
use crate::hardware::netlist::{Net, Step};
use crate::ir;

impl Generator<'_> {
    pub(super) fn advance(&mut self, behind: Point, amount: &ir::Expr, boundary: u32, env: Env) -> Vec<Step> {
        if let Some((fails, _)) = self.cut_short(&env, amount) {
            let stop = self.cut_off(&env);
            let go = self.advance_by(behind, amount, boundary, env);
            return self.choose(fails, stop, go);
        }
        self.advance_by(behind, amount, boundary, env)
    }

    pub(super) fn advance_by(
        &mut self,
        behind: Point,
        amount: &ir::Expr,
        boundary: u32,
        env: Env,
    ) -> Vec<Step> {
        let bits = self.eval(&env, amount);
        let width = self.list.width(bits);
        let bytes = match width {
            0..=3 => self.list.constant(0u8, 1),
            _ => self.list.slice(bits, 3, width - 3),
        };
        // An amount has 32 bits, of which most are known to be zero.
        let bytes = self.list.without_leading_zeros(bytes);
        let width = self.list.width(bytes).max(3) + 1;
        let bytes = self.list.resize(bytes, width);
        // Where the skip ends, as bytes from the start of this word, less one.
        let low = self.list.slice(bytes, 0, 2);
        let end = match self.list.value(low).is_some_and(|low| low.count_ones() == 0) {
            true => {
                let high = self.list.slice(bytes, 2, width - 2);
                let low = self.list.constant(boundary - 1, 2);
                self.list.concat(high, low)
            }
            false => {
                let before = self.list.constant(boundary - 1, width);
                self.list.add(bytes, before)
            }
        };
        let words = self.list.slice(end, 2, width - 2);
        let none = {
            let some = self.list.any(words);
            self.list.not(some)
        };
        let lane = self.list.slice(end, 0, 2);
        let mut steps = vec![];
        for value in (0..4u32).rev() {
            let wanted = self.list.constant(value, 2);
            let here = self.list.eq(lane, wanted);
            if self.is_never(here) {
                continue;
            }
            let one = self.skip_to(behind, boundary, value + 1, words, none, &env);
            steps = match steps.is_empty() {
                true => one,
                false => self.choose(here, one, steps),
            };
        }
        steps
    }

    /// A skip that ends at a boundary in the word that comes `words` after this one.
    pub(super) fn skip_to(
        &mut self,
        behind: Point,
        from: u32,
        to: u32,
        words: Net,
        none: Net,
        env: &Env,
    ) -> Vec<Step> {
        let later = match self.is_always(none) {
            true => vec![],
            false => {
                let width = self.list.width(words);
                let mut count = self.list.resize(words, SKIP_BITS);
                if width > SKIP_BITS {
                    let high = self.list.slice(words, SKIP_BITS, width - SKIP_BITS);
                    let over = self.list.any(high);
                    let zero = self.list.constant(0u8, SKIP_BITS);
                    let most = self.list.not(zero);
                    count = self.list.mux(over, most, count);
                }
                let mut waiting = env.clone();
                waiting.insert(Slot::Skip, count);
                self.wait(Node::Skip(behind, to), &waiting)
            }
        };
        // The skip may end in this word only if that is not before where it began.
        if to < from || self.is_never(none) {
            return later;
        }
        let there = self.there(to);
        let go = self.go_on_behind(behind, from != to, to, env.clone());
        let stop = self.cut_off(env);
        let here = self.choose(there, go, stop);
        self.choose(none, here, later)
    }

    pub(super) fn skip_on(&mut self, point: Point, boundary: u32) -> Vec<Step> {
        let env = Env::new();
        self.entered.clear();
        let left = self.read(&env, Slot::Skip);
        let one = self.list.constant(1u8, SKIP_BITS);
        let is_last = self.list.eq(left, one);
        let there = self.there(boundary);
        let go = self.go_on(point, boundary, env.clone());
        let stop = self.cut_off(&env);
        let end = self.choose(there, go, stop);
        let fewer = self.list.sub(left, one);
        let more = self.wait(Node::Skip(point, boundary), &Env::from([(Slot::Skip, fewer)]));
        self.choose(is_last, end, more)
    }
}
