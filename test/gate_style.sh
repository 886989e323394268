#!/usr/bin/env bash
exec tools/check-style
