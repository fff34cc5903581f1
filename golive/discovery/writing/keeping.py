"""Putting a proposal in its place: loaded first as any environment is, then written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from golive.environment.catalogue import Catalogue
from golive.environment.load import Environment, load_environment, read_files
from golive.environment.references import Provider

FILE = "discovered.yaml"
"""The criteria file that is written; others beside it are the user's own and are left alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the two files go."""

    environment: Path

    @property
    def name(self) -> str:
        """The name of the environment."""
        return self.environment.stem

    @property
    def criteria(self) -> Path:
        """The file of the criteria."""
        return self.environment.parent / "criteria" / self.name / FILE

    @property
    def pattern(self) -> str:
        """How the environment names its criteria files."""
        return f"criteria/{self.name}/*.yaml"

    @property
    def taken(self) -> tuple[Path, ...]:
        """Those of the two files that are there already."""
        return tuple(file for file in (self.environment, self.criteria) if os.path.lexists(file))


def loaded(
    place: Place,
    environment: str,
    criteria: str,
    *,
    catalogue: Catalogue,
    project: Path,
    providers: Mapping[str, Provider] | None,
) -> Environment:
    """The environment that the two texts make, beside the criteria files that are in `place` already.

    Nothing is written there. EnvironmentInvalid as for any environment.
    """
    with tempfile.TemporaryDirectory(prefix="golive-") as folder:
        trial = Place(environment=Path(folder) / place.environment.name)
        trial.criteria.parent.mkdir(parents=True)
        others = place.criteria.parent.glob("*.yaml") if place.criteria.parent.is_dir() else ()
        for other in others:
            if other.name != FILE and other.is_file():
                shutil.copyfile(other, trial.criteria.parent / other.name)
        trial.environment.write_text(environment, encoding="utf-8")
        trial.criteria.write_text(criteria, encoding="utf-8")
        sources = read_files(trial.environment)
        return load_environment(sources, catalogue=catalogue, project=project, providers=providers)


def write(place: Place, environment: str, criteria: str) -> None:
    """Both files, or neither: on any trouble, Ctrl-C too, everything is as it was before. OSError as usual."""
    files = (place.criteria, place.environment)
    before = {file: file.read_bytes() if file.exists() else None for file in files}
    made = [f for f in (place.criteria.parent, *place.criteria.parent.parents) if not f.exists()]
    try:
        place.criteria.parent.mkdir(parents=True, exist_ok=True)
        with _beside(place.criteria, criteria) as new_criteria, _beside(place.environment, environment) as new:
            os.replace(new_criteria, place.criteria)
            os.replace(new, place.environment)
    except BaseException:
        for file, content in before.items():
            _restore(file, content)
        for folder in made:
            _remove_empty(folder)
        raise


@contextmanager
def _beside(file: Path, text: str) -> Iterator[Path]:
    """The text in a file beside `file`, which is gone afterwards if it was not moved."""
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8")
        yield new
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _restore(file: Path, before: bytes | None) -> None:
    if before is None:
        file.unlink(missing_ok=True)
    else:
        file.write_bytes(before)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
