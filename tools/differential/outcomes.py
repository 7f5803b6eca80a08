"""Runs pieces of Python and tells what became of each.

Standard input: a JSON list of source texts. Standard output: a JSON list of outcomes, one for each,
`{"value": ...}` (of the last expression) or `{"error": kind, "errno": number}`. Bytes are
`{"bytes": hexadecimal}`, tuples are lists.
"""

import ast
import gc
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import warnings

LIMIT = 20


class Hang(BaseException):
    """The piece of code did not end."""


def on_alarm(_signal, _frame):
    raise Hang


def plain(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, str, float)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= 2**53 else {"int": str(int(value))}
    return {"object": type(value).__name__}


def failure(error):
    if isinstance(error, Hang):
        return {"error": "hang"}
    if isinstance(error, socket.gaierror):
        return {"error": "gaierror", "errno": error.errno}
    if isinstance(error, socket.herror):
        return {"error": "herror", "errno": error.errno}
    if isinstance(error, TimeoutError) and error.errno is None:
        return {"error": "timeout"}
    if isinstance(error, OSError) and error.errno is not None:
        return {"error": "OSError", "errno": error.errno}
    if isinstance(error, (ValueError, OverflowError, OSError)):
        return {"error": "RangeError"}
    if isinstance(error, TypeError):
        return {"error": "TypeError"}
    return {"error": type(error).__name__, "text": str(error)}


def run(source):
    scope = {name: getattr(socket, name) for name in dir(socket) if not name.startswith("_")}
    scope.update(socket_module=socket, os=os, struct=struct, tempfile=tempfile, threading=threading, time=time)
    tree = ast.parse(source)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), "the last statement must be an expression"
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        exec(compile(tree, "<case>", "exec"), scope)
        return {"value": plain(eval(compile(ast.Expression(last.value), "<case>", "eval"), scope))}
    except (Exception, Hang) as error:  # whatever it is, it is the outcome
        return failure(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        socket.setdefaulttimeout(None)
        scope.clear()
        gc.collect()


def main():
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, on_alarm)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        json.dump([run(source) for source in json.load(sys.stdin)], sys.stdout)
        os.chdir("/")


main()
