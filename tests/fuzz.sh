#!/usr/bin/env bash
# Runs one fuzz target for UPPSIKT_FUZZ_SECONDS (an hour if unset): bash tests/fuzz.sh text|rules|compiled
# What it finds lies in target/fuzz/artifacts; exit code 1 then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=$1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
corpus=$CARGO_TARGET_DIR/corpus/$name found=$CARGO_TARGET_DIR/artifacts/$name
mkdir -p "$corpus" "$found"
# The classifier holds no unsafe code, so no sanitizer is needed and the stable compiler will do.
cargo fuzz run --fuzz-dir fuzz --sanitizer none "$name" "$corpus" "fixtures/fuzz/$name" -- \
  -artifact_prefix="$found/" -max_total_time="${UPPSIKT_FUZZ_SECONDS:-3600}" -max_len=4096 \
  -timeout=60 -rss_limit_mb=2048 -print_final_stats=1
