"""The models that fuzz targets ask are compared with the libraries that they are models of."""

import re
import subprocess
from collections import Counter

import pytest

from models import libraries
from models.inputs import Generator
from models.libraries import Input, Reading


#: Where a model reads names that its library does not read, as it stands for several versions or libraries, or leaves
#: out a rule that only drops names. Everywhere else both read the same names.
MAY_READ_MORE = {
    ("qs", "query"), ("qs", "body"), ("qs depth 0", "body"), ("co-body", "body"), ("plain", "query"), ("plain", "body"), ("plain", "cookies"),
    ("Rack 2", "body"), ("Rack 3", "body"), ("PHP", "query"), ("PHP", "body"), ("PHP", "cookies"), ("Werkzeug 2", "body"), ("Werkzeug 3", "body"), ("WebOb", "body"),
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(request) -> list[Input]:
    count = 10_000 if request.config.getoption("--long") else 1_000
    return Generator(request.config.getoption("--seed")).inputs(count)


@pytest.fixture(scope="module")
def models(inputs, tmp_path_factory) -> list[dict[str, Reading]]:
    """What the models read from each input."""
    return libraries.read_by_models(libraries.compiled(tmp_path_factory.mktemp("models")), inputs)


@pytest.fixture(params=libraries.LIBRARIES)
def library(request) -> str:
    is_long = request.config.getoption("--long")
    if is_long:
        subprocess.run([libraries.FOLDER / "install.sh"], check=True)
    elif not libraries.is_installed(request.param):
        pytest.skip("not installed")
    return request.param


def test_a_model_reads_what_its_library_reads(library, inputs, models):
    read = libraries.read_by_library(library, inputs)
    compared: Counter[tuple[str, str]] = Counter()
    differences = []
    for each, model_readings, library_readings in zip(inputs, models, read, strict=True):
        for model, readings in library_readings.items():
            for reading in readings:
                if reading is None:
                    continue
                compared[model, each.position] += bool(reading)
                difference = less(model_readings[model], reading)
                if (model, each.position) not in MAY_READ_MORE:
                    difference = difference or more(model_readings[model], reading)
                if difference:
                    differences.append(f"{model}: {difference}, read from {each.content_type} {each.text!r}")
    print("\n".join(f"{model}, {position}: {count} inputs with parameters" for (model, position), count in compared.items()))
    assert not differences, "\n".join(differences[:20])
    assert min(compared.values()) > 100, compared


def less(model: Reading, library: Reading) -> str | None:
    """What the library reads and the model does not."""
    values: dict[str, set[str]] = {}
    for name, found in model:
        values.setdefault(comparable(name), set()).update(map(comparable, found))
    for name, found in library:
        if comparable(name) not in values:
            return f"no {name!r}"
        if missing := {comparable(value) for value in found} - values[comparable(name)]:
            return f"{name!r} has not {missing}"
    return None


def more(model: Reading, library: Reading) -> str | None:
    """What the model reads and the library does not."""
    names = {comparable(name) for name, _ in model} - {comparable(name) for name, _ in library}
    return f"too many: {sorted(names)}" if names else None


def comparable(text: bytes) -> str:
    """With one mark for all that is not ASCII, as libraries differ in what they do with wrong UTF-8."""
    return re.sub(r"(%[89a-fA-F][0-9a-fA-F]|[^\0-\x7f])+", "¿", text.decode(errors="replace"))
