"""Makes a calibration: which clips, what is done to them, what was said of them, and what follows.

Above `evaluation/`, whose workers encode and examine; nothing that a scan needs imports this package.
"""
