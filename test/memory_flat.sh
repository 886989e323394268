#!/usr/bin/env bash
# Peak RssAnon of import, features run and backtest does not grow with the length of the market.
exec "${FATHOM_ROOT:-$(dirname "$0")/..}/bench/memory.sh" --short
