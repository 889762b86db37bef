"""How the networks of the bundled generator are trained. Needs torch; the daemon does not."""
