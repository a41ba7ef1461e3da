"""From a user's plain functions to compiled ones, at the same lines of the user's file."""

import ast
import hashlib
import linecache
import math
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ..errors import InputError
from ..kernels import mathematics
from ..kernels.compiling import elementwise, file_digest
from ..kernels.fused import fma


@elementwise
def smaller(a, b):  # type: ignore[no-untyped-def]
    """``min`` as Python takes it: the first, unless the second is beyond it."""
    return b if b < a else a


@elementwise
def larger(a, b):  # type: ignore[no-untyped-def]
    """``max``, in the same way."""
    return b if b > a else a


# What stands in the place of a function that is called: the same bits on every machine.
STABLE: dict[Any, Any] = {
    math.exp: mathematics.exponential,
    math.log: mathematics.logarithm,
    math.log1p: mathematics.logarithm_of_one_plus,
    math.tanh: mathematics.hyperbolic_tangent,
    math.sinh: mathematics.hyperbolic_sine,
    math.asinh: mathematics.inverse_hyperbolic_sine,
    min: smaller,
    max: larger,
}
EXACT: tuple[Any, ...] = (abs, math.fabs, math.sqrt, math.copysign, math.floor, math.ceil, fma)
ARGUMENTS = {min: 2, max: 2, math.copysign: 2, fma: 3}  # the others take one
CALLABLE = ", ".join(
    [*(f.__name__ for f in (abs, min, max)),
     *(f"math.{f.__name__}" for f in (*STABLE, *EXACT) if f.__module__ == "math")]
)  # fmt: skip
ALLOWED = (
    ast.Assign, ast.AugAssign, ast.If, ast.Return, ast.Expr, ast.Pass, ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp,
    ast.Compare, ast.BoolOp, ast.IfExp, ast.Call, ast.Attribute, ast.expr_context, ast.operator, ast.unaryop,
    ast.cmpop, ast.boolop,
)  # fmt: skip
LARGEST_EXPONENT = 15


class Translated(NamedTuple):
    """A user's function, compiled.

    Attributes
    ----------
    name : str
        As the user wrote it.
    path : Path
    line : int
        Of its ``def``.
    arguments : tuple of str
    compiled : function
        Takes the arguments in their order.
    text : str
        The user's lines.
    """

    name: str
    path: Path
    line: int
    arguments: tuple[str, ...]
    compiled: Any
    text: str

    @property
    def plain(self) -> Callable[..., Any]:
        """The translated function as plain Python."""
        return unjitted(self.compiled)

    def where(self, line: int | None = None) -> str:
        """``file.py:LINE: name``, with which each error begins."""
        return f"{self.path.name}:{line or self.line}: {self.name}"


def unjitted(function: Any) -> Callable[..., Any]:
    """A compiled function, and those that it calls, as plain Python."""
    source = getattr(function, "py_func", function)
    names = source.__globals__
    called = {n: unjitted(names[n]) for n in source.__code__.co_names if hasattr(names.get(n), "py_func")}
    return types.FunctionType(source.__code__, names | called, source.__name__)


def node_of(function: Any, path: Path) -> ast.FunctionDef:
    """The syntax tree of a function.

    Raises
    ------
    InputError
        It lies in no file.
    """
    line, text = function.__code__.co_firstlineno, "".join(linecache.getlines(str(path)))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            if node.decorator_list and node.decorator_list[0].lineno == line:
                raise InputError(f"{path.name}:{line}: {node.name}: must have no decorator; take it away")
            if node.lineno == line:
                return node
    raise InputError(f"{path.name}:{line}: {function.__name__}: must be written with def, in a file; save it in one")


class Translator(ast.NodeTransformer):
    """Checks a function's body, and puts functions with the same bits everywhere in the place of ``math``'s."""

    def __init__(self, function: Any, path: Path, above: tuple[Any, ...]) -> None:
        self.name, self.path, self.above = function.__name__, path, above
        self.around = {"abs": abs, "min": min, "max": max, **function.__globals__}
        self.known: set[str] = set()
        self.called: dict[str, Any] = {}

    def refuse(self, node: ast.AST, text: str) -> NoReturn:
        """Refuse a line.

        Raises
        ------
        InputError
        """
        raise InputError(f"{self.path.name}:{getattr(node, 'lineno', 1)}: {self.name}: {text}")

    def visit(self, node: ast.AST) -> Any:
        """Refuse what is not plain arithmetic."""
        if not isinstance(node, ALLOWED):
            self.refuse(node, f"{_shown(node)}: is not compiled; write arithmetic, comparisons, if and return")
        return super().visit(node)

    def visit_Constant(self, node: ast.Constant) -> Any:
        """A number."""
        if not isinstance(node.value, int | float):
            self.refuse(node, f"{_shown(node)}: must be a number")
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Leave out docstrings; refuse a value that nothing uses."""
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
            self.refuse(node, f"{_shown(node)}: is calculated for nothing; return it, or give it a name")
        return ast.copy_location(ast.Pass(), node)

    def visit_Return(self, node: ast.Return) -> Any:
        """A number, nothing else."""
        if not isinstance(node.value, ast.BinOp | ast.UnaryOp | ast.Name | ast.IfExp | ast.Call | ast.Attribute):
            number = isinstance(node.value, ast.Constant) and type(node.value.value) in (int, float)
            if not number:
                self.refuse(node, f"{_shown(node)}: must return one number")
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        """Arguments, names that were given a value before, and the file's numbers."""
        if node.id in self.known or isinstance(node.ctx, ast.Store):
            self.known.add(node.id)
            return node
        return self._number(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """A number of a module, as ``math.pi``."""
        return self._number(node)

    def _number(self, node: ast.expr) -> Any:
        value = self._value(node)
        if type(value) not in (int, float):
            self.refuse(node, f"{_shown(node)}: must be a number; only functions of the file can be called")
        return ast.copy_location(ast.Constant(value), node)

    def _value(self, node: ast.expr) -> Any:
        """What a name of the file, or a module's, stands for."""
        if isinstance(node, ast.Attribute):
            value = self._value(node.value)
            if isinstance(value, types.ModuleType) and hasattr(value, node.attr):
                return getattr(value, node.attr)
        elif isinstance(node, ast.Name) and node.id in self.around and node.id not in self.known:
            return self.around[node.id]
        known = ", ".join(sorted(self.known))
        hint = "" if ast.unparse(node).split(".")[0] != "math" else "; write 'import math' at the top of the file"
        self.refuse(node, f"{_shown(node)}: no such name{hint or f'; known are {known}'}")

    def visit_Assign(self, node: ast.Assign) -> Any:
        """The value first: a name is known after its assignment."""
        node.value = self.visit(node.value)
        node.targets = [self.visit(target) for target in node.targets]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """As ``a = a + ...``."""
        if not isinstance(node.target, ast.Name):
            self.refuse(node, f"{_shown(node)}: must change a name")
        target = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
        operation = ast.copy_location(ast.BinOp(target, node.op, node.value), node)
        return self.visit(ast.copy_location(ast.Assign([node.target], operation), node))

    def visit_If(self, node: ast.If) -> Any:
        """A name is known after it where both branches gave it a value."""
        node.test = self.visit(node.test)
        before, after = self.known, []
        for branch in ("body", "orelse"):
            self.known = set(before)
            body = [self.visit(statement) for statement in getattr(node, branch)]
            setattr(node, branch, body)
            if not _ends(body):
                after.append(self.known)
        self.known = set.intersection(*after) if after else before
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        """``abs``, functions of ``math``, and helpers of the file."""
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            self.refuse(node, f"{_shown(node)}: must be called with plain arguments, without names")
        if not isinstance(node.func, ast.Name | ast.Attribute):
            self.refuse(node, f"{_shown(node)}: cannot be called")
        function = self._value(node.func)
        arguments = [self.visit(argument) for argument in node.args]
        return ast.copy_location(ast.Call(self._callee(function, node), arguments, []), node)

    def _callee(self, function: Any, node: ast.Call) -> ast.expr:
        wanted = ARGUMENTS.get(function, 1) if callable(function) else 1
        if isinstance(function, types.FunctionType) and function is not fma:
            if function in self.above:
                self.refuse(node, f"{_shown(node)}: must not lead back to itself")
            helper = translate(function, (*self.above, function))
            wanted, compiled = len(helper.arguments), helper.compiled
        elif hasattr(function, "py_func"):
            wanted, compiled = function.py_func.__code__.co_argcount, function
        elif any(function is each for each in (*STABLE, *EXACT)):
            compiled = STABLE.get(function, function)
        else:
            self.refuse(node, f"{_shown(node)}: cannot be called; there are {CALLABLE}, and functions of your own file")
        if len(node.args) != wanted:
            self.refuse(node, f"{_shown(node)}: must have {wanted} argument{'s' * (wanted != 1)}")
        return ast.copy_location(ast.Name(self._called(compiled), ast.Load()), node.func)

    def _called(self, function: Any) -> str:
        """The name under which a function is called, which differs where what it does differs."""
        source = getattr(function, "py_func", None)
        digest = f"_{file_digest(source)}" if source is not None else ""
        name = f"__{function.__name__}{digest}"
        self.called[name] = function
        return name

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        """``**`` by multiplications; no integer division."""
        if isinstance(node.op, ast.Pow):
            return self._power(node)
        if not isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            self.refuse(node, f"{_shown(node)}: write it with +, -, * and /")
        return self.generic_visit(node)

    def _power(self, node: ast.BinOp) -> ast.expr:
        exponent = self.visit(node.right)
        value = exponent.value if isinstance(exponent, ast.Constant) else None
        if not (isinstance(value, int) and 0 <= value <= LARGEST_EXPONENT):
            self.refuse(
                node, f"{_shown(node)}: the exponent must be an integer from 0 to {LARGEST_EXPONENT}, written as one"
            )
        name = ast.copy_location(ast.Name(self._called(mathematics.power), ast.Load()), node)
        return ast.copy_location(ast.Call(name, [self.visit(node.left), exponent], []), node)


def _shown(node: ast.AST) -> str:
    """A piece of the file, in one line."""
    text = ast.unparse(node).split("\n")[0]
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _ends(body: list[ast.stmt]) -> bool:
    """Whether every way through some statements returns."""
    last = body[-1] if body else None
    return isinstance(last, ast.Return) or (isinstance(last, ast.If) and _ends(last.body) and _ends(last.orelse))


def translate(function: Any, above: tuple[Any, ...] = ()) -> Translated:
    """Compile a user's function.

    Parameters
    ----------
    function : function
        Lies in a file, and takes numbers.
    above : tuple
        The functions that call it, itself among them.

    Raises
    ------
    InputError
        With file and line, where a line is not plain arithmetic.
    """
    path = Path(function.__code__.co_filename)
    node = node_of(function, path)
    translator = Translator(function, path, above or (function,))
    given = node.args
    if given.defaults or given.kwonlyargs or given.posonlyargs or given.vararg or given.kwarg:
        translator.refuse(node, "must have plain arguments, without defaults, * and **")
    text = "".join(linecache.getlines(str(path))[node.lineno - 1 : node.end_lineno])
    arguments = tuple(argument.arg for argument in given.args)
    translator.known.update(arguments)
    body = [translator.visit(statement) for statement in node.body]
    if not _ends(body):
        translator.refuse(node, "must return a number on every path; add the missing return")
    node.body, node.returns = body, None
    for argument in given.args:
        argument.annotation = None
    digest = hashlib.sha256(f"{path} {node.lineno} {ast.dump(node)}".encode()).hexdigest()[:16]
    code = compile(ast.fix_missing_locations(ast.Module([node], [])), str(path), "exec")
    names = {**translator.called, "__name__": function.__module__, "__file__": str(path)}
    exec(code, names)  # noqa: S102 (a function of the file that the user named)
    own_name = f"{function.__name__}_{digest}"
    made: types.FunctionType = names[function.__name__]
    made.__name__ = made.__qualname__ = own_name
    return Translated(function.__name__, path, node.lineno, arguments, elementwise(made), text)
