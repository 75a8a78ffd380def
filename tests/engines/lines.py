"""The line protocol of the engines' servers: one JSON object in, one out, {"ok": ...} or {"error": "..."}.

Every server answers {"op": "hello"} as soon as it is ready.
"""

import json
import os
import sys
import traceback


def answers_only():
    """Keeps standard output for the answers: what an engine prints there goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def serve(operations, answers, explain=lambda failure: f"{type(failure).__name__}: {failure}"):
    """Answers each request with the operation it names in "op", until standard input ends."""
    operations = {**operations, "hello": lambda request: True}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": operations[request["op"]](request)}
        except Exception as failure:
            traceback.print_exc()
            answer = {"error": explain(failure)}
        print(json.dumps(answer), file=answers, flush=True)
