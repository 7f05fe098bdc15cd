//! Letters that stand apart: `f i t t a`.

use smallvec::SmallVec;

use crate::classify::disguise;
use crate::classify::tokens::looks::is_single_letter;
use crate::classify::tokens::{Kind, Token, Tokens};
use crate::classify::vocabulary::WordId;
use crate::classify::words::Words;

/// How many letters that stand alone are read as one word at least.
pub const FEWEST_SPACED: usize = 3;

impl Tokens {
    /// `f i t t a`: single letters in a row, joined where that makes listed words.
    pub(in crate::classify) fn join_spaced(&mut self, text: &[u8], words: &Words, stripped: bool) {
        let single = |t: &Token| {
            t.kind == Kind::Word && is_single_letter(&text[t.start as usize..t.end as usize])
        };
        let mut joined = false;
        let mut i = 0;
        while i + FEWEST_SPACED <= self.tokens.len() {
            if !single(&self.tokens[i]) {
                i += 1;
                continue;
            }
            let mut j = i + 1;
            while j < self.tokens.len()
                && single(&self.tokens[j])
                && self.tokens[j].start - self.tokens[j - 1].end <= 5
                && j - i < disguise::LONGEST
            {
                j += 1;
            }
            if j - i >= FEWEST_SPACED {
                joined |= self.join_run(text, words, stripped, i, j);
            }
            i = j;
        }
        if joined {
            self.close_up();
        }
    }

    /// Joins what the letters `from..to` spell; says whether anything was joined. Tokens that went
    /// into another are marked by standing nowhere.
    fn join_run(
        &mut self,
        text: &[u8],
        words: &Words,
        stripped: bool,
        from: usize,
        to: usize,
    ) -> bool {
        let mut letters: SmallVec<[u8; 64]> = SmallVec::new();
        let mut token_at: SmallVec<[usize; 64]> = SmallVec::new();
        for (i, t) in self.tokens[from..to].iter().enumerate() {
            for b in &text[t.start as usize..t.end as usize] {
                letters.push(*b);
                token_at.push(from + i);
            }
        }
        let (pieces, _) = disguise::segment(&letters, words, stripped);
        for piece in &pieces {
            let (a, b) = (token_at[piece.from], token_at[piece.to - 1]);
            if b == a {
                continue;
            }
            let end = self.tokens[b].end;
            let token = &mut self.tokens[a];
            token.entry = piece.entry;
            token.end = end;
            token.disguised = true;
            token.leads = true;
            token.word = WordId::NONE;
            for t in &mut self.tokens[a + 1..=b] {
                t.end = t.start;
            }
        }
        !pieces.is_empty()
    }
}
