#!/usr/bin/env bash
# Instructions per message, event and replayed event: at most 2 % more than bench/instructions.csv says.
exec "${FATHOM_ROOT:-$(dirname "$0")/..}/bench/instructions.sh" --check
