"""The learned detector: traces that generators leave in the finest detail, judged by a small model."""
