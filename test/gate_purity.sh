#!/usr/bin/env bash
exec tools/check-purity "$FATHOM_BUILD"
