#!/bin/sh
# Builds the fuzzers of the core and runs one of them.
#
#   fuzz/core/run.sh [--target packets|records|activate] [--runs N] [--seconds S] [--core FILE] [--seed N] [-- libFuzzer's own]
#
# The corpus and what is found stay in fuzz/core/.build. Needs Debian's wabt, clang and libclang-rt-14-dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${FUZZ_BUILD:-$here/.build}
target=packets runs=-1 seconds=0 core=$root/dist/core.wasm seed=0
usage() {
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --target) target=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --core) core=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --) shift; break ;;
    *) usage ;;
  esac
done
case $target in
  packets | activate) max_len=1024 ;;
  records) max_len=2048 ;;
  *) usage ;;
esac
for tool in wasm2wat wat2wasm wasm2c clang; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install wabt clang libclang-rt-14-dev" >&2; exit 2; }
done
if [ ! -f "$core" ]; then
  echo "$core is missing: npm run build:wasm" >&2
  exit 2
fi

mkdir -p "$build/$target-corpus" "$build/$target-found"
if ! cmp -s "$core" "$build/real.wasm" || [ ! -f "$build/core.o" ]; then
  cp "$core" "$build/real.wasm"
  wasm2wat "$build/real.wasm" -o "$build/real.wat"
  (cd "$root" && npx tsx fuzz/core/lower.ts <"$build/real.wat" >"$build/core.wat")
  wat2wasm --debug-names "$build/core.wat" -o "$build/core.wasm"
  # A core that loops here would loop for ever.
  (cd "$root" && timeout 600 npx tsx fuzz/core/verify.ts "$build/real.wasm" "$build/core.wasm")
  wasm2c -n core "$build/core.wasm" -o "$build/core.c"
  # What stands for a SIMD instruction has no branches of the core's; its comparisons would only slow the fuzzer down.
  sed -i 's/^static \(.* w2c_simd_\)/static SIMD \1/' "$build/core.c"
  clang -O2 -g -w -fsanitize=fuzzer-no-link '-DSIMD=__attribute__((noinline,no_sanitize("coverage")))' \
    -DWASM_RT_SKIP_SIGNAL_RECOVERY=1 -c "$build/core.c" -o "$build/core.o"
fi
(cd "$root" && npx tsx fuzz/core/export.ts "$build" "$build/real.wasm")
harness="host forward machine frames packet policies judge sessions structures peer taken record operations"
objects=
for file in "$target" $harness; do
  clang -O2 -g -Wall -Wextra -DWASM_RT_SKIP_SIGNAL_RECOVERY=1 -I"$build" -I"$here" -Wa,-I"$build" \
    -c "$here/$file.c" -o "$build/$file.o"
  objects="$objects $file.o"
done
clang -O2 -g -w -DWASM_RT_SKIP_SIGNAL_RECOVERY=1 -include "$here/trap.h" \
  -c /usr/share/wabt/wasm2c/wasm-rt-impl.c -o "$build/wasm-rt-impl.o"
# Only the core is instrumented: its coverage guides the fuzzer, not that of the harness.
(cd "$build" && clang -fsanitize=fuzzer $objects core.o wasm-rt-impl.o -lm -o "$target")
(cd "$root" && npx tsx fuzz/core/seeds.ts "$target" "$build/$target-corpus")
exec "$build/$target" -runs="$runs" -max_total_time="$seconds" -seed="$seed" -timeout=10 -max_len="$max_len" -entropic=0 \
  -artifact_prefix="$build/$target-found/" -print_final_stats=1 "$@" "$build/$target-corpus"
