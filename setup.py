"""Puts model_zoo/ into the package when it is built; everything else about the build is in pyproject.toml.

The zoo's registry and cards lie at the root of the repository, beside how the models were made. An installed
Touchstone needs them too, so a build copies them to touchstone/model_zoo.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ZOO = Path(__file__).parent / "model_zoo"
INSTALLED = ("zoo.toml", "cards/*.md", "*.onnx", "*.calibration.json", "generator-latents.json")


class BuildWithZoo(build_py):
    """Copies the files that an installation needs. An editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for pattern in INSTALLED:
            for file in ZOO.glob(pattern):
                target = Path(self.build_lib) / "touchstone" / "model_zoo" / file.relative_to(ZOO)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


setup(cmdclass={"build_py": BuildWithZoo})
