"""What may import what: the contracts of pyproject.toml cover all code, and the allow-list works."""

import tomllib
from pathlib import Path

from grimp import ImportGraph

from tests.import_contracts import AllowedImports

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def modules_of(folder: Path) -> set[str]:
    """Modules and packages directly below a folder."""
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    return modules | {package.parent.name for package in folder.glob("*/__init__.py")}


def found(graph: ImportGraph) -> list[str]:
    """What an allow-list for `domain` with msgspec finds."""
    options = {"modules": ["domain"], "allowed": ["msgspec"]}
    check = AllowedImports("name", {"root_packages": ["domain"]}, options).check(graph, verbose=False)
    assert check.kept == (not check.metadata["forbidden"])
    return list(check.metadata["forbidden"])


def test_every_module_has_a_layer() -> None:
    [layers] = [contract["layers"] for contract in SETTINGS["contracts"] if contract["type"] == "layers"]
    placed = {module for layer in layers for module in layer.split(" | ")}
    expected = {f"fleetpulse.{name}" for name in modules_of(ROOT / "fleetpulse")}
    assert placed == expected | set(SETTINGS["root_packages"]) - {"fleetpulse"}


def test_every_package_with_code_is_linted() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == set(SETTINGS["root_packages"])


def test_the_allow_list_accepts_the_standard_library_itself_and_what_is_listed() -> None:
    graph = ImportGraph()
    for imported in ("domain.other", "json", "msgspec"):
        graph.add_import(importer="domain.module", imported=imported)
    graph.add_module("domain")
    assert found(graph) == []


def test_the_allow_list_refuses_any_other_package_and_other_code_of_ours() -> None:
    graph = ImportGraph()
    graph.add_module("domain")
    graph.add_import(importer="domain.deep.module", imported="pandas")
    graph.add_import(importer="domain.module", imported="adapters.kafka")
    assert found(graph) == ["domain.deep.module imports pandas", "domain.module imports adapters.kafka"]


def test_the_architecture_page_draws_the_same_layers() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = page.split("## Layers\n\n```\n")[1].split("\n```")[0].replace("\ncli → shard", " → shard")
    [layers] = [contract["layers"] for contract in SETTINGS["contracts"] if contract["type"] == "layers"]
    assert [set(layer.split(" | ")) for layer in drawn.split(" → ")] == [
        set(layer.replace("fleetpulse.", "").split(" | ")) for layer in layers
    ]
