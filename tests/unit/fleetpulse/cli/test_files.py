"""Files that people name."""

from pathlib import Path

import pytest

from fleetpulse.cli.files import read_bytes, read_text
from fleetpulse.errors import ConfigurationError


@pytest.mark.parametrize("read", [read_bytes, read_text])
def test_a_file_that_cannot_be_read_is_one_line_with_its_setting(read, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "absent", tmp_path, tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(ConfigurationError, match=r"^--value: .* cannot be read: \w") as refused:
            read(path, "--value")
        assert "\n" not in str(refused.value)


def test_text_is_utf_8(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"secret\xff")
    with pytest.raises(ConfigurationError, match="is not UTF-8, from byte 6 on") as refused:
        read_text(tmp_path / "file", "--database.password.file")
    assert "secret" not in str(refused.value)
