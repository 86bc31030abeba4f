"""Writes the mean score of each group, and their number."""

import csv
from collections import defaultdict

groups = defaultdict(list)
with open("scores.csv", newline="") as source:
    for row in csv.DictReader(source):
        groups[row["group"]].append(float(row["score"]))
with open("summary.csv", "w", newline="") as target:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["group", "mean", "n"])
    for name in sorted(groups):
        scores = groups[name]
        writer.writerow([name, sum(scores) / len(scores), len(scores)])
