"""A reply as the contract has it, and nothing else."""

import json
import re

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


class BadReply(AssertionError):
    pass


def _object_without_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise BadReply(f"a key stands twice: {sorted(key for key in set(keys) if keys.count(key) > 1)[:3]}")
    return dict(pairs)


def _no_constant(name):
    raise BadReply(f"{name} is not JSON")


def _require(holds, sentence):
    if not holds:
        raise BadReply(sentence)


def read_reply(data, wants_output):
    """The results in a reply: {task id: result}.

    wants_output: {task id: bool} of the batch. Raises BadReply when the reply is not strict JSON in UTF-8, a
    task is missing or unknown, or a result has other keys, types or values than the contract allows.
    """
    try:
        text = data.decode("utf-8")
        reply = json.loads(text, object_pairs_hook=_object_without_duplicates, parse_constant=_no_constant)
        # Escaped lone surrogates get through json.loads; they do not get through this.
        json.dumps(reply, ensure_ascii=False).encode("utf-8")
    except ValueError as error:
        raise BadReply(f"not strict JSON in UTF-8: {error}: {data[:200]!r}") from None
    _require(isinstance(reply, dict) and list(reply) == ["task_results"], f"the keys of the reply: {text[:200]}")
    results = reply["task_results"]
    _require(isinstance(results, dict), f"task_results is not an object: {text[:200]}")
    _require(set(results) == set(wants_output),
             f"missing {sorted(set(wants_output) - set(results))[:3]}, "
             f"unknown {sorted(set(results) - set(wants_output))[:3]}")
    for task_id, result in results.items():
        _check_result(task_id, result, wants_output[task_id])
    return results


def _check_result(task_id, result, wants_output):
    _require(isinstance(result, dict), f"{task_id}: {result!r} is not an object")
    keys = {"exitCode", "finishedTimestamp"} | ({"stdout", "stderr", "stderror"} if wants_output else set())
    _require(set(result) == keys, f"{task_id}: keys {sorted(result)}, expected {sorted(keys)}")
    _require(type(result["exitCode"]) is int and result["exitCode"] >= 0,
             f"{task_id}: exitCode {result['exitCode']!r}")
    finished = result["finishedTimestamp"]
    _require(finished is None or (isinstance(finished, str) and _TIMESTAMP.fullmatch(finished)),
             f"{task_id}: finishedTimestamp {finished!r}")
    if wants_output:
        _require(all(isinstance(result[key], str) for key in ("stdout", "stderr", "stderror")),
                 f"{task_id}: the texts are not strings")
        _require(result["stderr"] == result["stderror"], f"{task_id}: stderr and stderror differ")
