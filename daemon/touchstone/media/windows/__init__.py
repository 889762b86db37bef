"""Workers on Windows: how one is started, bounded and told of files, by the system's own functions.

Everything that can be decided away from Windows is decided in plain Python here, so that it is tested
anywhere; `api.py` is the only place that calls the system.
"""
