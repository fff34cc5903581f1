"""Both files are written whole, or everything stays as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.options import CATALOGUE, PROJECT
from golive.discovery.writing.keeping import Place, loaded, write
from golive.environment.problems import EnvironmentInvalid

ENVIRONMENT = "system: shop\ncriteria: [criteria/shop/*.yaml]\n"
CRITERION = "- {{id: {0}, says: It holds, severity: low, not_applicable: there is none}}\n"


def files(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_both_files_are_written(tmp_path: Path) -> None:
    place = Place(environment=tmp_path / "new" / "shop.yaml")
    assert not place.taken
    write(place, "one", "two")
    assert files(tmp_path) == {"new/criteria/shop/discovered.yaml": "two", "new/shop.yaml": "one"}
    assert place.taken == (place.environment, place.criteria)
    write(place, "three", "four")
    assert files(tmp_path) == {"new/criteria/shop/discovered.yaml": "four", "new/shop.yaml": "three"}


@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("trouble", [KeyboardInterrupt, OSError])
def test_nothing_is_left_when_writing_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int, trouble: type[BaseException]
) -> None:
    place, calls = Place(environment=tmp_path / "new" / "shop.yaml"), []
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == which:
            raise trouble
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(trouble):
        write(place, "one", "two")
    assert list(tmp_path.iterdir()) == []
    calls.clear()
    monkeypatch.undo()
    write(place, "one", "two")
    before = files(tmp_path)
    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(trouble):
        write(place, "three", "four")
    assert files(tmp_path) == before


def test_a_folder_that_may_not_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "criteria").write_text("a file where a folder is needed")
    with pytest.raises(OSError, match="criteria"):
        write(Place(environment=tmp_path / "shop.yaml"), "one", "two")
    assert files(tmp_path) == {"criteria": "a file where a folder is needed"}


def load(place: Place, criteria: str) -> list[str]:
    found = loaded(place, ENVIRONMENT, criteria, catalogue=CATALOGUE, project=PROJECT, providers=None)
    return [criterion.id for criterion in found.criteria]


def test_what_is_loaded_is_loaded_beside_the_users_own_criteria_and_nothing_is_written(tmp_path: Path) -> None:
    place = Place(environment=tmp_path / "shop.yaml")
    assert load(place, CRITERION.format("shop.a.b")) == ["shop.a.b"]
    assert list(tmp_path.iterdir()) == []
    place.criteria.parent.mkdir(parents=True)
    (place.criteria.parent / "own.yaml").write_text(CRITERION.format("shop.own.c"))
    place.criteria.write_text("rubbish that is to be replaced")
    assert load(place, CRITERION.format("shop.a.b")) == ["shop.a.b", "shop.own.c"]
    with pytest.raises(EnvironmentInvalid, match="already defined"):
        load(place, CRITERION.format("shop.own.c"))
