"""Models that can be added: what there is, where it comes from, whether a file is the right one.

`entry` says what an entry is, `registry` reads model_zoo/zoo.toml and what is installed, `pull` fetches,
`imports` takes in files of the user's own. Nothing here runs a model or imports onnxruntime.
"""
