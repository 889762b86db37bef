"""The user's machine: directories, secrets, the daemon's process, browsers' manifests, autostart."""
