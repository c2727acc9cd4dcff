#!/bin/bash
# Sifts a BIDS dataset with an array of Slurm jobs, then makes the study's tables and pages.
#
#   deploy/slurm/submit.sh /data/bids /data/results postgresql+psycopg://brainsift@dbhost/brainsift 50
#
# A database on a server (its password in ~/.pgpass, mode 0600): SQLite must not be shared over a network file system.
set -euo pipefail
input=$(realpath "$1") output=$(realpath -m "$2") database=$3 jobs=${4:-20}
here=$(dirname "$(realpath "$0")")

array=$(sbatch --parsable --array="1-$jobs" "$here/participants.sbatch" "$input" "$output" "$database")
# afterany: tables are made of what is there even where a job was lost; submit again to do the rest.
sbatch --dependency="afterany:$array" --job-name=brainsift-group --cpus-per-task=1 --mem=4G --time=02:00:00 \
    --wrap="brainsift run '$input' '$output' group --db '$database'"
