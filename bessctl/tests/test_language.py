# SPDX-License-Identifier: Apache-2.0
"""What the .bess language accepts, what it means, and where its errors point."""

import pytest
from besslang import ScriptError
from besslang.syntax import compile_script, to_python

MEANINGS = [
    ("src::Source() -> Sink()", "__bess_module__('src', 'Source', ) + Sink()"),
    ("a,b::Queue(size=3)", "__bess_module__(('a', 'b'), 'Queue', size=3)"),
    ("a:1->0:b", "a*1+0*b"),
    ("a:x+1 -> 1:b:2 -> c", "a*(x+1) + 1*b*2 + c"),
    ("x = $A!'x' 'y' + $B", "x = __bess_env__('A', 'x' 'y') + __bess_env__('B')"),
    ("n = int($N!-1)", "n = int(__bess_env__('N', -1))"),
    ("n = $N!(1 + (2))", "n = __bess_env__('N', (1 + (2)))"),
    ("n = $N!DEFAULT", "n = __bess_env__('N', DEFAULT)"),
    ("n = $N!($M!3)", "n = __bess_env__('N', (__bess_env__('M', 3)))"),
    ("ok = $Z != 3", "ok = __bess_env__('Z') != 3"),
    ("if $X!1: a:1 -> b\nelse: b->c", "if __bess_env__('X', 1): a*1 + b\nelse: b+c"),
    ("d = {a: b->c, 'k': [x::Y(), z]}", "d = {a: b+c, 'k': [__bess_module__('x', 'Y', ), z]}"),
    ("f = lambda m: m:1 -> c", "f = lambda m: m*1 + c"),
    ("x = a[0]:1 -> b.c(3):2 -> (d)", "x = a[0]*1 + b.c(3)*2 + (d)"),
    ("w = f(a::B(), c)", "w = f(__bess_module__('a', 'B', ), c)"),
    ("for i in r: q::Q() -> m:i -> n", "for i in r: __bess_module__('q', 'Q', ) + m*i + n"),
    ("a = b if c else d -> e", "a = b if c else d + e"),
    ("(a\n  -> b)", "(a\n  + b)"),
    ("a -> \\\n b", "a + \\\n b"),
]

PLAIN_PYTHON = [
    "def f(a: int) -> int: return a",
    "def f() -> Dict[str, int]:\n    return {a: b}",
    "l[a::2]",
    "l[::2]",
    "x: int = 3",
    "print('a->b $X a::B()')",
    "'''doc\n $x -> '''\n",
    "x = 1  # $y -> a::B()",
    "x = {k: v for k, v in a}",
    "try: x\nexcept E: pass",
    "class A:\n    x: int = 1",
    "f = lambda a, b: {a: b}",
    'x = rb\'\\\'\' + b"""a\'b"""',
    "n = 0x1F + 1_000 + 1e-3 + .5 + 2j",
    "if (n := 3) > 2: pass",
]

REJECTIONS = [
    ("a -> ", 1, 3, "'->' needs a module on its right"),
    ("-> b", 1, 1, "'->' needs a module on its left"),
    ("a\nb -> $ x", 2, 6, "'$' needs the name of a variable right after it"),
    ("a::", 1, 2, "'::' needs a class and its arguments"),
    ("a::B", 1, 2, "'::' needs a class and its arguments"),
    ("3::B()", 1, 2, "'::' needs the name of the new module"),
    ("x = 'abc", 1, 5, "this string is not closed"),
    ('\n\nx = """abc', 3, 5, "this string is not closed"),
    ("foo(\n  bar", 1, 4, "this '(' is not closed"),
    ("foo)", 1, 4, "')' closes nothing"),
    ("foo(1]", 1, 6, "the bracket open here is the '(' of line 1"),
    ("a:1:2:3 -> b", 1, 6, "one input and one output gate"),
    ("a: -> b", 1, 4, "something is missing before this '->'"),
    ("x = $A!", 1, 7, "'!' needs a default"),
    ("a!b", 1, 2, "'!' gives a default only right after a $VARIABLE"),
    ("src::Source() -> foo bar", 1, 22, "invalid syntax"),
    ("é::Source() -> $", 1, 16, "'$' needs the name"),
    ("$LONG_NAME!'default' -> x y", 1, 27, "invalid syntax"),
    ("x = ?", 1, 5, "'?' does not belong here"),
    ("if x:\na", 2, 1, "expected an indented block"),
]


@pytest.mark.parametrize("text, meaning", MEANINGS)
def test_means(text: str, meaning: str) -> None:
    assert to_python(text) == meaning
    compile_script(text, "t")


@pytest.mark.parametrize("text", PLAIN_PYTHON)
def test_leaves_python_alone(text: str) -> None:
    assert to_python(text) == text
    compile_script(text, "t")


@pytest.mark.parametrize("text, line, column, reason", REJECTIONS)
def test_rejects(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(ScriptError) as caught:
        compile_script(text, "conf.bess")
    error = caught.value
    assert (error.line, error.column + 1) == (line, column), str(error)
    assert reason in error.reason
    assert str(error).startswith(f"conf.bess:{line}:{column}: ")


def test_error_shows_the_token() -> None:
    with pytest.raises(ScriptError) as caught:
        compile_script("a::Source() -> foo bar\n", "c.bess")
    assert str(caught.value).splitlines()[1:] == ["    a::Source() -> foo bar", " " * 23 + "^^^"]
