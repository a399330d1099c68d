//! Step-by-step traces (EIP-3155): one JSON object a line for every instruction, and one with the result at the end.
//!
//! A line is written when its instruction is done, since only then its cost is known. Lines go out as they are made, so that a long
//! run needs no memory; the first failure to write is kept and ends the trace, not the run.

use alloy_primitives::{U256, hex};
use revm::Inspector;
use revm::bytecode::opcode::OpCode;
use revm::context::{ContextTr, JournalTr};
use revm::handler::FrameResult;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::{Jumps, LegacyBytecode, LoopControl, MemoryTr};
use revm::interpreter::{FrameInput, InstructionResult, Interpreter, InterpreterAction};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Words the stack holds (yellow paper 9.1).
const STACK_LIMIT: usize = 1024;

/// Writes the trace of one call.
pub struct Tracer<'a> {
    out: &'a mut dyn Write,
    failed: Option<io::Error>,
    line: String,
    gas: u64,
    stack: Vec<U256>,
    pc: usize,
    opcode: u8,
    memory_size: usize,
    /// Gas the outermost frame used.
    gas_used: u64,
    /// Refund counter of every open frame, outermost first; the specification counts their sum.
    refunds: Vec<i64>,
}

impl<'a> Tracer<'a> {
    /// A tracer that writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Tracer {
            out,
            failed: None,
            line: String::new(),
            gas: 0,
            stack: Vec::new(),
            pc: 0,
            opcode: 0,
            memory_size: 0,
            gas_used: 0,
            refunds: Vec::new(),
        }
    }

    /// Writes the last line (as in go-ethereum's, the gas there is without the intrinsic gas and refunds), and gives the first error there was in writing.
    pub fn finish(mut self, output: &[u8], failure: Option<&str>) -> io::Result<()> {
        let error = failure.map(|failure| format!(",\"error\":\"{failure}\"")).unwrap_or_default();
        self.line = format!(
            "{{\"output\":\"{}\",\"gasUsed\":\"{:#x}\"{error}}}\n",
            hex::encode(output),
            self.gas_used
        );
        self.flush();
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(self.line.as_bytes()).err();
        }
    }

    fn write_step(&mut self, cost: u64, depth: usize, failure: Option<InstructionResult>) {
        let name = OpCode::new(self.opcode)
            .map_or_else(|| format!("opcode {:#x} not defined", self.opcode), |op| op.as_str().into());
        let refund: i64 = self.refunds.iter().sum();
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(
            self.line,
            "{{\"pc\":{},\"op\":{},\"gas\":\"{:#x}\",\"gasCost\":\"{cost:#x}\",\"memSize\":{},\"stack\":[",
            self.pc, self.opcode, self.gas, self.memory_size
        );
        for (index, word) in self.stack.iter().enumerate() {
            let _ = write!(self.line, "{}\"{word:#x}\"", if index == 0 { "" } else { "," });
        }
        let _ = write!(self.line, "],\"depth\":{depth},\"refund\":{refund},\"opName\":\"{name}\"");
        if let Some(failure) = failure {
            // The EVM has one name for both ends of the stack where an instruction copies from deep in it.
            let deep = failure == InstructionResult::StackOverflow && self.stack.len() < STACK_LIMIT;
            let failure = if deep { InstructionResult::StackUnderflow } else { failure };
            let _ = write!(self.line, ",\"error\":\"{}\"", reason(failure));
        }
        self.line.push_str("}\n");
        self.flush();
    }
}

impl<CTX: ContextTr> Inspector<CTX, EthInterpreter> for Tracer<'_> {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _context: &mut CTX) {
        self.gas = interpreter.gas.remaining();
        self.pc = interpreter.bytecode.pc();
        self.opcode = interpreter.bytecode.opcode();
        self.memory_size = interpreter.memory.size();
        self.stack.clear();
        self.stack.extend_from_slice(interpreter.stack.data());
    }

    fn step_end(&mut self, interpreter: &mut Interpreter<EthInterpreter>, context: &mut CTX) {
        if interpreter.bytecode.bytecode_len() == 0 {
            return; // the EVM stops at the padding of empty code, which is no instruction
        }
        let depth = context.journal().depth();
        self.refunds.resize(depth, 0);
        if let Some(own) = self.refunds.last_mut() {
            *own = interpreter.gas.refunded();
        }
        let spent = self.gas.saturating_sub(interpreter.gas.remaining());
        let (kept, failure) = match interpreter.bytecode.action() {
            // What a creation hands to its frame is no part of its cost; what a call hands over is.
            Some(InterpreterAction::NewFrame(FrameInput::Create(inputs))) => (inputs.gas_limit(), None),
            Some(InterpreterAction::Return(result)) if result.is_halt() => (0, Some(result.result)),
            _ => (0, None),
        };
        self.write_step(spent.saturating_sub(kept), depth, failure);
    }

    fn frame_end(&mut self, context: &mut CTX, _input: &FrameInput, result: &mut FrameResult) {
        if context.journal().depth() == 0 {
            let gas = result.gas();
            let all = result.instruction_result().is_halt();
            self.gas_used = if all { gas.limit() } else { gas.total_gas_spent() };
        }
    }
}

/// Why a frame ended, in go-ethereum's words where it has some.
pub fn reason(result: InstructionResult) -> String {
    use InstructionResult as R;
    match result {
        R::Revert => "execution reverted".into(),
        R::OutOfGas
        | R::MemoryOOG
        | R::MemoryLimitOOG
        | R::PrecompileOOG
        | R::InvalidOperandOOG
        | R::ReentrancySentryOOG => "out of gas".into(),
        R::InvalidJump => "invalid jump destination".into(),
        R::StackUnderflow => "stack underflow".into(),
        R::StackOverflow => "stack limit reached 1024".into(),
        R::OpcodeNotFound | R::InvalidFEOpcode | R::NotActivated => "invalid opcode".into(),
        R::StateChangeDuringStaticCall | R::CallNotAllowedInsideStatic => "write protection".into(),
        R::OutOfOffset => "return data out of bounds".into(),
        R::OutOfFunds => "insufficient balance for transfer".into(),
        R::CallTooDeep => "max call depth exceeded".into(),
        R::CreateCollision => "contract address collision".into(),
        R::CreateContractSizeLimit => "max code size exceeded".into(),
        R::CreateInitCodeSizeLimit => "max initcode size exceeded".into(),
        R::CreateContractStartingWithEF => "invalid code: must not begin with 0xef".into(),
        R::NonceOverflow => "nonce uint64 overflow".into(),
        other => format!("{other:?}"),
    }
}
