"""What `tools/bench.py` measures, a module for each kind of table.

`cost` measures, `machine` says on what, `scans` times whole scans, `daemon` a daemon that starts and idles,
`networks` the arithmetic of models, `peers` what a user would pick instead. Each table is Markdown, and every
figure stands beside its floor: what the same machine needs at least for the same work, taken in the same run.
"""
