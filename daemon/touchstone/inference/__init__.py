"""Runs ONNX models. The only package that imports onnxruntime; see `sessions.py`."""
