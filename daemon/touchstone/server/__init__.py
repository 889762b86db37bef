"""The aiohttp application: API, events, OpenAPI, and the daemon's own engine around the pipeline."""
