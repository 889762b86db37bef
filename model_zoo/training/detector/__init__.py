"""Trains the learned detector: data, leak tests, models and the table of how well each did."""
