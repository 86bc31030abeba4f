#!/bin/sh
# Sorts the lines behind the header, each once.
set -eu
head -n 1 raw.csv > clean.csv
tail -n +2 raw.csv | sort -u >> clean.csv
