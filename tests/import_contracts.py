"""A kind of contract that import-linter lacks: a list of what modules may import, instead of what they may not."""

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedImports(Contract):
    """Some modules, and all below them, import the standard library, each other and a list of packages; nothing else.

    Attributes:
        modules: the modules.
        allowed: the external packages.
    """

    type_name = "allowed"
    modules: Any = fields.ListField(subfield=fields.StringField())
    allowed: Any = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Collect every import that is not on the list.

        Raises:
            ValueError: one of the modules does not exist.
        """
        modules = [str(module) for module in self.modules]
        if absent := sorted(set(modules) - graph.modules):
            raise ValueError(f"modules: no such module: {', '.join(absent)}")
        inside = {name for module in modules for name in (module, *graph.find_descendants(module))}
        external = sys.stdlib_module_names | {str(name) for name in self.allowed}
        forbidden = [
            f"{importer} imports {imported}"
            for importer in sorted(inside)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported not in inside and imported.split(".")[0] not in external
        ]
        return ContractCheck(kept=not forbidden, metadata={"forbidden": forbidden})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import."""
        for line in check.metadata["forbidden"]:
            output.print_error(line)
