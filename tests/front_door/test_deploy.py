"""The files that claimgate is installed with, held against the program and against those who read them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import kubernetes_validate
import pytest
import yaml

from support.command import claimgate
from support.gateway import BINARY, REPOSITORY, Gateway

DEPLOY = REPOSITORY / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
#: The versions that the manifests are meant for: the oldest and the newest.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
MANIFESTS = {document["kind"]: document for file in KUBERNETES for document in yaml.safe_load_all(file.read_text())}


# --- systemd ---


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_understands_the_units(tmp_path):
    units = []
    for file in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.socket")]:
        units.append(tmp_path / file.name)
        # Programs have to be there.
        units[-1].write_text(file.read_text().replace("/usr/local/bin/claimgate", str(BINARY)))
    assert len(units) >= 5
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_the_unit_is_hardened(tmp_path):
    unit = DEPLOY / "claimgate.service"
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", unit], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


# --- The container ---


def test_the_linter_is_content_with_the_containerfile():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Containerfile"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_containerfile_starts_the_program_as_it_is_started():
    text = (DEPLOY / "Containerfile").read_text()
    arguments = re.search(r"^CMD \[(.*)\]$", text, re.M)[1].replace('"', "").split(", ")
    assert arguments[:2] == ["serve", "--config"]
    rust = re.search(r"rust:(\d+\.\d+)", text)[1]
    assert f'rust-version = "{rust}"' in (REPOSITORY / "Cargo.toml").read_text()


# --- Kubernetes ---


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", MANIFESTS)
def test_kubernetes_understands_the_manifests(kind, version):
    kubernetes_validate.validate(MANIFESTS[kind], version, strict=True)


def container() -> dict:
    (container,) = MANIFESTS["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


def embedded() -> str:
    return MANIFESTS["ConfigMap"]["data"]["claimgate.yaml"]


def test_the_manifests_fit_each_other():
    labels = MANIFESTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert MANIFESTS["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert MANIFESTS["Service"]["spec"]["selector"].items() <= labels.items()
    assert MANIFESTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert MANIFESTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    names = {port["name"] for port in container()["ports"]}
    assert {port["targetPort"] for port in MANIFESTS["Service"]["spec"]["ports"]} <= names
    let_in = {port["port"] for rule in MANIFESTS["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]}
    assert let_in == names
    volumes = {volume["name"]: volume for volume in MANIFESTS["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container()["volumeMounts"]} == volumes.keys()
    assert volumes["configuration"]["configMap"]["name"] == MANIFESTS["ConfigMap"]["metadata"]["name"]


def test_the_ports_are_those_of_the_configuration():
    written = yaml.safe_load(embedded())
    ports = {port["name"]: str(port["containerPort"]) for port in container()["ports"]}
    assert written["gateway"]["http"] == f"0.0.0.0:{ports['http']}"
    assert written["admin"]["listen"] == f"0.0.0.0:{ports['admin']}"


def test_a_pod_gets_the_time_that_draining_takes():
    pod = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
    wait = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = yaml.safe_load(embedded())["gateway"]["timeouts"]["drainSeconds"]
    assert pod["terminationGracePeriodSeconds"] > wait + drain


def test_the_configuration_is_good_and_probes_find_what_they_ask_for(tmp_path):
    (tmp_path / "claimgate.yaml").write_text(embedded())
    result = claimgate("check", "--config", tmp_path / "claimgate.yaml")
    assert result.code == 0 and "warning" not in result.err, result
    local = embedded().replace("0.0.0.0:8080", "127.0.0.1:0").replace("0.0.0.0:8081", "127.0.0.1:0")
    gateway = Gateway(tmp_path, local)
    try:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = container()[probe]["httpGet"]
            assert asked["port"] == "admin"
            url = f"http://127.0.0.1:{gateway.admin[1]}{asked['path']}"
            assert httpx.get(url, trust_env=False, timeout=10).status_code == 200
    finally:
        assert gateway.stop() == 0
