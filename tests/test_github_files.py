"""Continuous integration, templates and hooks: valid by their schemas, and true of this project."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from pre_commit.commands.validate_config import validate_config

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "custom.github-workflows-require-timeout": WORKFLOWS,
    "vendor.github-issue-forms": [GITHUB / "ISSUE_TEMPLATE" / f"{name}.yml" for name in ("bug", "feature")],
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
}


def read_jobs(name: str) -> dict[str, Any]:
    workflow = yaml.safe_load((GITHUB / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
    return workflow["jobs"]


def list_commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schemas(schema: str) -> None:
    check = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, *map(str, SCHEMAS[schema])])
    assert check.exit_code == 0, check.output


def test_schemas_cover_every_file() -> None:
    checked = {path for paths in SCHEMAS.values() for path in paths}
    assert set(GITHUB.rglob("*.yml")) == checked
    assert {path.stem for path in WORKFLOWS} == {"docs", "nightly", "release", "tests"}


def test_hooks_follow_their_schema_and_have_the_tools_of_the_environment() -> None:
    path = ROOT / ".pre-commit-config.yaml"
    assert validate_config([str(path)]) == 0
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    tools = {hook["entry"].split()[0] for hook in repository["hooks"]}
    assert tools == {"ruff", "mypy"}
    assert all(
        any(line.startswith(tool) for line in PROJECT["optional-dependencies"]["test"]) for tool in tools
    )


@pytest.mark.parametrize(("workflow", "job"), [("tests", "fast"), ("release", "test")])
def test_every_supported_python_is_tested(workflow: str, job: str) -> None:
    versions = read_jobs(workflow)[job]["strategy"]["matrix"]["python"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert versions == [f"3.{minor}" for minor in range(int(low), int(high))]
    classifiers = [name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if ":: Python :: 3." in name]
    assert classifiers == versions


def test_workflows_run_the_commands_of_the_project() -> None:
    fast, slow = (list_commands(read_jobs("tests")[name]) for name in ("fast", "slow"))
    command = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.endswith("pytest"))
    assert '-c constraints.txt -e ".[test]"' in command
    assert fast == ['python -m pip install -c constraints.txt -e ".[test]"', "python -m pytest"]
    assert slow[-1] == ".ci/run"
    assert "mkdocs build --strict" in list_commands(read_jobs("docs")["build"])
    (deselected,) = re.findall(r"--deselect (\S+)::(\S+)", list_commands(read_jobs("nightly")["nightly"])[-1])
    assert f"def {deselected[1]}(" in (ROOT / deselected[0]).read_text(encoding="utf-8")


def test_release_publishes_only_what_was_tested() -> None:
    jobs = read_jobs("release")
    assert jobs["test"]["needs"] == "build"
    assert jobs["publish"]["needs"] == "test"
    assert not any("actions/checkout" in step.get("uses", "") for step in jobs["test"]["steps"])
    wheel = f"{PROJECT['name'].replace('-', '_')}-${{GITHUB_REF_NAME#v}}-py3-none-any.whl"
    assert f'test -e "dist/{wheel}"' in list_commands(jobs["build"])


def test_actions_are_pinned_by_commit_and_jobs_have_few_rights() -> None:
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        uses = re.findall(r"uses: (.*)$", text, re.MULTILINE)
        assert uses
        assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in uses), (
            path
        )
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        for job in read_jobs(path.stem).values():
            assert set(job.get("permissions", ())) <= {"id-token", "pages"}
