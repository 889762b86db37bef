"""The bundled text-to-video generator: a small relative of Sora, for calibration data.

It knows a procedural world only: a few shapes that move before a few backgrounds. Its clips have the traces
of a latent diffusion model, and their truth is known.
"""
