/* What a trap of the core does: it ends the run, so that libFuzzer keeps the input. Included into
 * wasm-rt-impl.c. */
#pragma once
void on_trap(int code);
#define WASM_RT_TRAP_HANDLER on_trap
