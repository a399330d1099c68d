//! Whether an opened chain is what the model says.

use super::{BRANCH_DEPTH_MAX, Decided, Mark, Run};
use crate::ledger::Ledger;
use crate::world::read_all;
use alloy_primitives::B256;
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::logs::LogQuery;

impl Run {
    /// Compares an opened chain with the model, and takes what survived as the new model.
    pub(super) fn meet(&mut self, chain: &Chain) -> Result<(), String> {
        if self.model.is_empty() {
            let hash = chain.shared.genesis_hash;
            self.model.push(Decided { hash, parent: B256::ZERO, number: 0 });
            self.ledgers.insert(hash, Ledger::at_genesis());
            (self.acknowledged, self.head) = (1, hash);
            self.note_writes();
        }
        let mut held = Vec::new();
        for record in chain.shared.log.iter_from(chain.shared.log.first_position()) {
            let record = record.map_err(|error| format!("a record cannot be read: {error}"))?;
            held.push(chain.shared.record(record.position.0).map_err(|error| error.to_string())?.hash);
        }
        let model: Vec<B256> = self.model.iter().map(|block| block.hash).collect();
        if !model.starts_with(&held) {
            return Err("the log holds a block that was never decided there".into());
        }
        if held.len() < self.acknowledged {
            let (kept, all, must) = (held.len(), model.len(), self.acknowledged);
            return Err(format!("{kept} of {all} blocks survive, {must} must"));
        }
        self.totals.lost_blocks += (self.model.len() - held.len()) as u64;
        self.model.truncate(held.len());
        self.acknowledged = held.len();
        self.head = self.expected_head();
        self.note_writes();
        self.check_chain(chain)
    }

    /// The head of the newest surviving write of the index, moved by every higher block after it.
    fn expected_head(&self) -> B256 {
        let mark = self.marks.last_key_value().map(|(_, mark)| *mark);
        let Mark { head, records } = mark.unwrap_or(Mark { head: self.model[0].hash, records: 1 });
        let mut head = head;
        for block in &self.model[records.min(self.model.len())..] {
            if block.number > self.decided(&head).map_or(0, |head| head.number) {
                head = block.hash;
            }
        }
        head
    }

    fn check_chain(&mut self, chain: &Chain) -> Result<(), String> {
        let text = |error: ChainError| error.to_string();
        let head = chain.shared.head();
        if head.stored.hash != self.head {
            return Err(format!("the head is {} and must be {}", head.stored.hash, self.head));
        }
        let mut at = self.head;
        for number in (0..=head.number()).rev() {
            if chain.shared.canonical(number).map_err(text)? != Some(at) {
                return Err(format!("height {number} is not the head's ancestor {at}"));
            }
            at = self.decided(&at).map_or(B256::ZERO, |block| block.parent);
        }
        for above in 1..=BRANCH_DEPTH_MAX + 1 {
            if chain.shared.canonical(head.number() + above).map_err(text)?.is_some() {
                return Err(format!("a height {above} above the head has a block"));
            }
        }
        for block in &self.model.clone() {
            self.check_block(chain, block)
                .map_err(|broken| format!("block {} ({}): {broken}", block.number, block.hash))?;
            self.totals.verified_states += 1;
        }
        read_all(chain).map(|_| ())
    }

    /// Whether the promise to keep the newest states is not about this one.
    fn may_be_pruned(&self, block: &Decided, is_canonical: bool) -> bool {
        let is_old = |kept: u64| !is_canonical || block.number + kept <= self.highest;
        self.options.states_kept.is_some_and(is_old)
    }

    fn check_block(&mut self, chain: &Chain, block: &Decided) -> Result<(), String> {
        let text = |error: ChainError| error.to_string();
        let stored = chain.shared.stored(&block.hash).map_err(text)?.ok_or("it is not known")?;
        if (stored.hash, stored.block.header.parent_hash, stored.block.header.number)
            != (
                block.hash,
                if block.number == 0 { stored.block.header.parent_hash } else { block.parent },
                block.number,
            )
        {
            return Err("another block stands under its hash".into());
        }
        let is_canonical = chain.shared.canonical(block.number).map_err(text)? == Some(block.hash);
        match chain.shared.state(&block.hash) {
            Err(ChainError::Pruned(_)) if self.may_be_pruned(block, is_canonical) => {
                self.totals.pruned_states += 1;
            }
            _ => self.ledgers[&block.hash].verify(chain, &block.hash)?,
        }
        if let Some(transaction) = stored.block.body.transactions.first() {
            let found = chain.find_transaction(transaction.tx_hash()).map_err(text)?;
            if is_canonical && found.is_none_or(|(holder, _)| holder.hash != block.hash) {
                return Err("its first transaction is not found in it".into());
            }
        }
        for log in stored.receipts.iter().flat_map(|receipt| &receipt.logs).filter(|_| is_canonical) {
            let query = LogQuery { addresses: vec![log.address], topics: vec![log.topics().to_vec()] };
            let found = chain.logs(block.number, block.number, &query, usize::MAX).map_err(text)?;
            if found.is_empty() {
                return Err(format!("its log of {} is not found in it", log.address));
            }
        }
        Ok(())
    }
}
