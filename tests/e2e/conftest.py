"""Fixtures of the tests that run on the embedded stack."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.e2e.monitoring")

from tests.e2e.embedded import EmbeddedStack, running_stack  # noqa: E402 after what must come first


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack that all tests of the run share; tests make topics and databases of their own in it."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
