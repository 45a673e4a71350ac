"""What is published: packages that are small and the same each time, work flows and containers that say so."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.build_packages import main as build_packages
from scripts.release import RECIPES, fill_recipes, next_steps

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CONTAINERS = sorted((ROOT / "packaging").glob("Containerfile*"))
pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="a source distribution has neither work flows nor recipes")


@pytest.mark.slow
def test_both_packages_are_small_whole_and_the_same_each_time(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    build_packages(["--no-isolation", str(tmp_path)])  # twice, compared, and weighed
    (wheel,), (source,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"photochrom"}
    assert "photochrom/engines/weights/photochrom-color.onnx" in names
    assert "photochrom/py.typed" in names
    with tarfile.open(source) as archive:
        members = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"pyproject.toml", "LICENSE", "README.md", "tests/conftest.py", "docs/cluster.md"} <= members
    assert not [name for name in members if name.startswith((".ci", ".github", "data", "runs"))]


def test_a_release_writes_the_distributions_hash_into_both_recipes_once(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "photochrom-9.8.7.tar.gz").write_bytes(b"a distribution")
    digest = hashlib.sha256(b"a distribution").hexdigest()
    paths = [tmp_path / "packaging" / name for name in RECIPES]
    before = [path.read_text(encoding="utf-8") for path in paths]
    assert fill_recipes(tmp_path, "9.8.7") == paths
    for path, former in zip(paths, before, strict=True):
        assert path.read_text(encoding="utf-8") == re.sub(r'(?<=")[0-9a-f]{64}(?=")', digest, former)
    assert fill_recipes(tmp_path, "9.8.7") == []


def test_a_release_is_tagged_where_it_was_built_and_the_recipes_follow() -> None:
    """Packages have the times of their commit: those of the recipes' commit would have another hash than they name."""
    tag, recipes = next_steps("9.8.7", "abc1234", [ROOT / "packaging" / name for name in RECIPES])
    assert tag == "git tag -s v9.8.7 abc1234 && git push origin v9.8.7"
    assert recipes.startswith("git commit -m 'Recipes of 9.8.7' packaging/conda/recipe.yaml packaging/homebrew/")
    assert next_steps("9.8.7", "abc1234", []) == [tag]


@pytest.fixture(scope="module")
def workflows() -> dict[str, dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in WORKFLOWS}


def test_work_flows_name_their_rights_times_and_actions(workflows: dict[str, dict[str, Any]]) -> None:
    assert set(workflows) == {"test.yml", "documentation.yml", "release.yml"}
    for name, flow in workflows.items():
        assert flow["permissions"] == {"contents": "read"}, name
        for job in flow["jobs"].values():
            if "uses" in job:  # another work flow, which has limits of its own
                continue
            assert 0 < job["timeout-minutes"] <= 90
            for step in job["steps"]:
                assert ("uses" in step) != ("run" in step)
                assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v1)", step.get("uses", "a/b@v1"))


def test_jobs_wait_for_jobs_that_are_there(workflows: dict[str, dict[str, Any]]) -> None:
    for flow in workflows.values():
        for job in flow["jobs"].values():
            needs = job.get("needs", [])
            assert set([needs] if isinstance(needs, str) else needs) <= set(flow["jobs"])


def test_what_is_published_is_what_was_tested_and_no_token_is_kept(workflows: dict[str, dict[str, Any]]) -> None:
    jobs = workflows["release.yml"]["jobs"]
    assert jobs["pypi"]["needs"] == "test"
    assert jobs["pypi"]["permissions"] == {"id-token": "write"}
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"GITHUB_TOKEN"}
    assert "attestations: true" in text


def test_work_flows_run_every_system_and_python_that_is_promised(workflows: dict[str, dict[str, Any]]) -> None:
    jobs = workflows["test.yml"]["jobs"]
    assert {name.split("-")[0] for name in jobs["wheel"]["strategy"]["matrix"]["os"]} == {"ubuntu", "windows", "macos"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least, below = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()  # type: ignore[union-attr]
    promised = [f"3.{n}" for n in range(int(least), int(below))]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == promised
    assert jobs["wheel"]["strategy"]["matrix"]["python"] == [promised[0], promised[-1]]
    recipe = (ROOT / "packaging/conda/recipe.yaml").read_text(encoding="utf-8")
    assert recipe.count(f"- python >=3.{least},<3.{below}") == 2


def test_the_site_is_published_with_the_page_that_needs_no_server(workflows: dict[str, dict[str, Any]]) -> None:
    steps = [step["run"] for step in workflows["documentation.yml"]["jobs"]["build"]["steps"] if "run" in step]
    (fetch,) = [number for number, run in enumerate(steps) if "--fetch-runtime" in run]
    (build,) = [number for number, run in enumerate(steps) if "scripts/build_site.py site" in run]
    assert fetch < build  # docs/extensions/live_page.py leaves the page out where its runtime is not at hand
    assert "test -s site/try/index.html" in steps[build]


def test_an_image_is_run_before_it_is_pushed(workflows: dict[str, dict[str, Any]]) -> None:
    steps = workflows["release.yml"]["jobs"]["container"]["steps"]
    (run,) = [number for number, step in enumerate(steps) if "docker run" in step.get("run", "")]
    (push,) = [number for number, step in enumerate(steps) if step.get("with", {}).get("push")]
    assert run < push
    assert "--read-only --tmpfs /tmp --network none" in steps[run]["run"]


@pytest.mark.slow
def test_what_looks_for_doors_that_stand_open_finds_none() -> None:
    if (zizmor := _installed("zizmor")) is None:
        pytest.skip("zizmor is asked for on Linux alone")
    command = [zizmor, "--offline", "--no-progress", "--config", ROOT / ".github" / "zizmor.yml", *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(
        ["actionlint", *map(str, WORKFLOWS)], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", CONTAINERS, ids=lambda path: path.name)
def test_containers_run_as_nobody_and_look_after_themselves(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    steps = re.findall(r"^([A-Z]+) ", text, flags=re.MULTILINE)
    assert steps[0] == "FROM"
    assert steps.index("USER") < steps.index("ENTRYPOINT")
    assert re.search(r"^USER \d+$", text, flags=re.MULTILINE)
    assert 'HEALTHCHECK --interval=5m --timeout=60s --start-period=10s CMD ["photochrom", "doctor"]' in text
    assert not re.search(r"\b(ADD|curl|wget|sudo|latest)\b", text)
    assert 'CMD ["serve", "--host", "0.0.0.0"' in text
    assert ("[film" in text) == path.name.endswith(".film")  # the GPL is in the film extra's wheels alone


def test_the_versions_of_the_recipes_are_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    recipe = (ROOT / "packaging/conda/recipe.yaml").read_text(encoding="utf-8")
    assert f'version: "{project["version"]}"' in recipe
    needed = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}  # type: ignore[index]
    assert needed - {"pyvips"} <= set(re.findall(r"- ([\w-]+)", recipe))
    assert f"photochrom-{project['version']}.tar.gz" in (ROOT / "packaging/homebrew/photochrom.rb").read_text("utf-8")
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CONTAINERS, ids=lambda path: path.name)
def test_containers_are_as_their_linter_wants_them(path: Path) -> None:
    if (hadolint := _installed("hadolint")) is None:
        pytest.skip("hadolint has no wheel for this computer")
    checked = subprocess.run([hadolint, path], capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_work_flows_keep_to_their_schema_and_one_that_does_not_is_found(tmp_path: Path) -> None:
    check = _installed("check-jsonschema")
    assert check is not None, "of the extra test"
    command = [check, "--builtin-schema", "vendor.github-workflows"]
    checked = subprocess.run([*command, *WORKFLOWS], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs: {a: {runs-on: ubuntu-latest, step: []}}\n")
    assert subprocess.run([*command, wrong], capture_output=True, timeout=60, check=False).returncode == 1


def _installed(program: str) -> str | None:
    """Return where a program lies that pip has put beside this Python."""
    return shutil.which(program, path=sysconfig.get_path("scripts"))
