"""The manifest of `docs/tfjob.yaml`: the schema of Kubernetes' training operator, and the TF_CONFIG it yields."""

import copy
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import tyro
import yaml

from zoo.training.distribution import _read_cluster, is_chief

PATH = Path(__file__).parents[1] / "docs" / "tfjob.yaml"

# The fields of a TFJob, kubeflow.org/v1, that a manifest may use here, after the CRD of kubeflow/training-operator 1.9
# and Kubernetes' PodSpec: a type, a list of items, a set of values, or fields by name. "*" marks required ones.
CONTAINER = {
    "name*": str,
    "image*": str,
    "command": [str],
    "args": [str],
    "env": [{"name*": str, "value": str}],
    "ports": [{"name": str, "containerPort*": int}],
    "resources": {"requests": {"cpu": str, "memory": str}, "limits": {"cpu": str, "memory": str}},
    "volumeMounts": [{"name*": str, "mountPath*": str}],
}
REPLICAS = {
    "replicas": int,
    "restartPolicy": {"Always", "OnFailure", "Never", "ExitCode"},
    "template*": {
        "spec*": {
            "containers*": [CONTAINER],
            "terminationGracePeriodSeconds": int,
            "volumes": [{"name*": str, "persistentVolumeClaim": {"claimName*": str}}],
        }
    },
}
TFJOB = {
    "apiVersion*": {"kubeflow.org/v1"},
    "kind*": {"TFJob"},
    "metadata*": {"name*": str, "namespace": str},
    "spec*": {
        "successPolicy": {"", "AllWorkers"},
        "runPolicy": {"backoffLimit": int, "cleanPodPolicy": {"All", "Running", "None"}},
        "tfReplicaSpecs*": {"Chief": REPLICAS, "Worker": REPLICAS},
    },
}


def find_problems(value: Any, schema: Any, path: str = "") -> list[str]:
    """List what in a manifest is not as in the schema."""
    if isinstance(schema, set):
        return [] if value in schema else [f"{path} is {value!r}"]
    if isinstance(schema, type):
        return [] if type(value) is schema else [f"{path} is a {type(value).__name__}"]
    if not isinstance(value, type(schema)):
        return [f"{path} is a {type(value).__name__}"]
    if isinstance(schema, list):
        return [
            text for i, item in enumerate(value) for text in find_problems(item, schema[0], f"{path}[{i}]")
        ]
    fields = {name.removesuffix("*"): field for name, field in schema.items()}
    problems = [f"{path}.{name} is unknown" for name in set(value) - set(fields)]
    problems += [
        f"{path}.{name[:-1]} is missing" for name in schema if name.endswith("*") and name[:-1] not in value
    ]
    for name in set(value) & set(fields):
        problems += find_problems(value[name], fields[name], f"{path}.{name}")
    return problems


@pytest.fixture
def job() -> dict[str, Any]:
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


@pytest.fixture
def container(job: dict[str, Any]) -> dict[str, Any]:
    (container,) = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
    return container


def test_manifest_has_the_fields_of_a_tfjob(job: dict[str, Any]) -> None:
    assert find_problems(job, TFJOB) == []


def test_problems_of_a_manifest_are_found(job: dict[str, Any]) -> None:
    wrong = copy.deepcopy(job)
    wrong["kind"] = "PyTorchJob"
    worker = wrong["spec"]["tfReplicaSpecs"]["Worker"]
    worker |= {"replicas": "2", "restart": "Never"}
    worker["template"]["spec"]["containers"] = [{"image": "a", "command": "zoo"}]
    assert sorted(find_problems(wrong, TFJOB)) == [
        ".kind is 'PyTorchJob'",
        ".spec.tfReplicaSpecs.Worker.replicas is a str",
        ".spec.tfReplicaSpecs.Worker.restart is unknown",
        ".spec.tfReplicaSpecs.Worker.template.spec.containers[0].command is a str",
        ".spec.tfReplicaSpecs.Worker.template.spec.containers[0].name is missing",
    ]


def test_tf_config_of_the_operator_is_read(
    job: dict[str, Any], container: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator takes the port of this name of the container of this name, and one service for each pod."""
    assert container["name"] == "tensorflow"
    (port,) = (port["containerPort"] for port in container["ports"] if port["name"] == "tfjob-port")
    size = job["spec"]["tfReplicaSpecs"]["Worker"]["replicas"]
    addresses = [f"{job['metadata']['name']}-worker-{index}.default.svc:{port}" for index in range(size)]
    for index in range(size):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": addresses}, "task": task, "environment": "cloud"}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        cluster = _read_cluster()
        assert cluster is not None
        assert (cluster.addresses, cluster.index) == (tuple(addresses), index)
        assert is_chief() is (index == 0)


def test_command_trains_in_the_volume_that_all_share(container: dict[str, Any], job: dict[str, Any]) -> None:
    zoo, train, name, *arguments = container["command"]
    assert (zoo, train) == ("zoo", "train")
    settings = tyro.cli(importlib.import_module(f"zoo.recipes.{name}").Settings, args=arguments)
    (mount,) = container["volumeMounts"]
    (volume,) = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]["volumes"]
    assert mount["name"] == volume["name"]
    for path in (Path(settings.dataset), settings.run_dir, settings.export_dir):
        assert path.is_relative_to(mount["mountPath"])
    assert {item["name"] for item in container["env"]} == {"ZOO_START_SECONDS"}
