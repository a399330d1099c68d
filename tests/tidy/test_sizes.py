"""Files and functions stay short enough to be read at once."""

from tests.tidy.sizes import FILE_LINES_MAX, FUNCTION_LINES_MAX, long_files, long_functions
from tests.tidy.tree import SourceFile, expect_none


def test_no_source_file_is_too_long(tree: tuple[SourceFile, ...]) -> None:
    expect_none(long_files(tree))


def test_no_function_is_too_long(tree: tuple[SourceFile, ...]) -> None:
    expect_none(long_functions(tree))


def test_a_file_one_line_too_long_is_found_in_both_languages() -> None:
    text = "x = 1\n" * (FILE_LINES_MAX + 1)

    found = long_files(
        [SourceFile.sample("src/coc/a.py", text), SourceFile.sample("crates/a/src/b.rs", text)]
    )

    assert len(found) == 2


def test_a_file_of_exactly_the_limit_is_accepted() -> None:
    assert long_files([SourceFile.sample("src/coc/a.py", "x = 1\n" * FILE_LINES_MAX)]) == []


def test_a_python_function_is_measured_without_its_docstring() -> None:
    body = "    x = 1\n" * (FUNCTION_LINES_MAX - 1)
    documented = 'def f():\n    """Says\n    much.\n    """\n' + body
    too_long = documented + "    x = 2\n"

    assert long_functions([SourceFile.sample("src/coc/a.py", documented)]) == []
    assert len(long_functions([SourceFile.sample("src/coc/a.py", too_long)])) == 1


def test_a_rust_function_is_measured_to_its_closing_brace_despite_braces_in_strings() -> None:
    body = '    let s = "}"; // }\n' * (FUNCTION_LINES_MAX - 2)
    fits = "pub(crate) fn f<T>(a: T) -> bool\nwhere\n    T: Copy,\n{\n" + body
    sample = SourceFile.sample("crates/a/src/lib.rs", fits + "}\n")

    assert len(long_functions([sample])) == 1
    assert long_functions([SourceFile.sample("crates/a/src/lib.rs", "fn f() {\n" + body + "}\n")]) == []


def test_a_rust_method_without_body_is_not_measured() -> None:
    text = "trait T {\n    fn f(&self);\n" + "// filler\n" * 100 + "}\n"

    assert long_functions([SourceFile.sample("crates/a/src/lib.rs", text)]) == []
