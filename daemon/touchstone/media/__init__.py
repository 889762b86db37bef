"""Reading video: container probe, sandboxed workers, frame sampling."""
