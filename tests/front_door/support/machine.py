"""A small Debian with a real systemd, booted by systemd-nspawn. Needs root, debootstrap and systemd-container."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d")
PACKAGES = "systemd,systemd-sysv,dbus,procps,curl,python3"
#: Runs the script when the system is up, and ends the machine.
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/bash -c '/bin/bash /root/script >/root/log 2>&1; echo $? >/root/status; systemctl poweroff --no-block'
"""


def root(release: str) -> Path:
    """A root file system of a release, made once."""
    if not shutil.which("systemd-nspawn") or not shutil.which("debootstrap"):
        pytest.skip("needs the packages systemd-container and debootstrap")
    folder = Path(f"/var/tmp/claimgate-machine-{release}")
    if not (folder / "usr/lib/systemd/systemd").exists():
        shutil.rmtree(folder, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, folder, *mirror()]
        subprocess.run(command, check=True, capture_output=True, timeout=400)
    return folder


def mirror() -> list[str]:
    """Where this machine has its own packages from."""
    files = [file for source in map(Path, SOURCES) for file in (source.iterdir() if source.is_dir() else [source]) if file.is_file()]
    found = re.findall(r"^(?:URIs:|deb)\s+(\S+/debian)/?(?:\s|$)", "\n".join(file.read_text() for file in files), re.MULTILINE)
    return found[:1]


def run(release: str, script: str, files: dict[str, Path | str], timeout: float = 120) -> str:
    """What a script prints that runs there as root; files are put into place before."""
    folder = root(release)
    for path, content in files.items():
        place = folder / path.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, place)
        else:
            place.write_text(content)
    (folder / "root/script").write_text(script)
    for name in ("log", "status"):
        (folder / "root" / name).unlink(missing_ok=True)
    unit = folder / "etc/systemd/system/script.service"
    unit.write_text(UNIT)
    wanted = folder / "etc/systemd/system/graphical.target.wants/script.service"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("/etc/systemd/system/script.service")
    boot = ["systemd-nspawn", "--quiet", "-D", folder, "--boot", "--register=no", "--keep-unit", "--private-network"]
    machine = subprocess.run(boot, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    if not (folder / "root/status").exists():
        raise AssertionError(f"the machine did not run the script: {machine.stdout[-2000:]!r} {machine.stderr[-2000:]!r}")
    said = (folder / "root/log").read_text()
    status = (folder / "root/status").read_text().strip()
    assert status == "0", f"the script ended with {status}:\n{said}"
    return said
