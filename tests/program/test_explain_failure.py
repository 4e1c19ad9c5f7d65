"""Where a program failed: in its own code, by a line that can be found."""

import pytest

from otherside.program.project import declare_directory, explain_failure


@pytest.fixture
def failing(tmp_path):
    """Return how a program's failure is explained."""

    def explain(program, library=""):
        packages = tmp_path / ".venv" / "site-packages"
        packages.mkdir(parents=True)
        (packages / "library.py").write_text(library)
        (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python")
        (tmp_path / "__main__.py").write_text(program)
        with pytest.raises((ValueError, SyntaxError), match=r"no|closed") as caught:
            declare_directory(tmp_path)
        return explain_failure(caught.value, tmp_path)

    return explain


def test_a_library_inside_the_project_is_not_its_own_code(failing):
    """The line that called it is."""
    program = (
        "import sys\nfrom pathlib import Path\n"
        "sys.path.insert(0, str(Path(__file__).parent / '.venv' / 'site-packages'))\n"
        "import library\nlibrary.fail()"
    )
    place, text = failing(program, "def fail():\n    raise ValueError('no')")
    assert (place, text) == ("__main__.py:5", "the program raised ValueError: no")


def test_what_is_no_python_is_said_so(failing):
    """With its line, and without Python's own repetition of it."""
    place, text = failing("x = 1\ny = (")
    assert (place, text) == (
        "__main__.py:2",
        "the program is not valid Python: '(' was never closed",
    )
