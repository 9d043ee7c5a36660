#!/usr/bin/python3
"""Compares the splitting of arguments and the mending of text with Python's own shlex and UTF-8 decoder.

    compare_with_python.py DRIVER COUNT [SEED]

COUNT strings are made up and given to both sides; all short strings of the characters with a meaning come on
top. The first differences are printed and make the exit status 1. The seed is printed, so that a run can be
repeated; without one it is another one each time.
"""

import itertools
import random
import shlex
import subprocess
import sys

CHUNK = 20000  # strings that are in memory at once

SPECIAL = "'\"\\` \t\r\n"
# Characters that a rule about ASCII might take for something else.
ODD = "#$%&();|<>*?~=-\0\x0b\x0c\x1c\x1d\x1e\x1f\x7f\x85\xa0\xad\xdf"
ODD += "\u2028\u2029\u3000\ufeff\ufffd\uffff\U0001f600\U0010ffff"
PLAIN = "ab/é漢"


def random_string(rng):
    alphabet = rng.choice((SPECIAL, SPECIAL + PLAIN, SPECIAL + ODD + PLAIN))
    characters = [rng.choice(alphabet) for _ in range(rng.randrange(24))]
    for index in range(len(characters)):
        if rng.random() < 0.02:
            code = rng.randrange(0x110000)
            if not 0xD800 <= code < 0xE000:
                characters[index] = chr(code)
    return "".join(characters)


def random_bytes(rng):
    """Text with damage: bytes that begin, go on with or cannot be in a UTF-8 sequence are likely."""
    data = bytearray(random_string(rng).encode())
    for _ in range(rng.randrange(1, 6)):
        where = rng.randrange(len(data) + 1)
        kind = rng.randrange(3)
        if kind == 0:
            data.insert(where, rng.choice((0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF)))
        elif kind == 1:
            data.insert(where, rng.choice((0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF)))
        else:
            del data[where : where + 1]
    return bytes(data)


def words_in_python(text):
    try:
        words = shlex.split(text)
    except ValueError as error:
        return "error %s" % error
    words = [word.replace("\\`", "`").encode().hex() or "-" for word in words]
    return " ".join(["words"] + words)


def cases(count, rng):
    """Pairs: what the driver is asked, and what Python answers."""
    for length in range(6):
        for characters in itertools.product("a'\"\\` \n", repeat=length):
            text = "".join(characters)
            yield "words " + text.encode().hex(), words_in_python(text)
    for _ in range(count):
        text = random_string(rng)
        yield "words " + text.encode().hex(), words_in_python(text)
        data = random_bytes(rng)
        yield "text " + data.hex(), "text " + data.decode("utf-8", "replace").encode().hex()


def main(driver, count, seed):
    print("seed %d" % seed)
    remaining = cases(count, random.Random(seed))
    compared, different, kinds = 0, 0, set()
    while True:
        chunk = list(itertools.islice(remaining, CHUNK))
        if not chunk:
            break
        questions = "".join(question + "\n" for question, _ in chunk)
        run = subprocess.run(
            [driver], input=questions, stdout=subprocess.PIPE, timeout=300, check=True, encoding="ascii"
        )
        answers = run.stdout.splitlines()
        if len(answers) != len(chunk):
            sys.exit("The driver answered %d of %d questions." % (len(answers), len(chunk)))
        for (question, expected), answer in zip(chunk, answers):
            compared += 1
            kinds.add(expected if expected.startswith("error") else expected.split()[0])
            if answer != expected:
                different += 1
                if different <= 10:
                    given = bytes.fromhex(question.split(" ")[1])
                    print("%r\n  Python: %s\n  Quire:  %s" % (given, expected, answer))
    if kinds != {"words", "text", "error No closing quotation", "error No escaped character"}:
        sys.exit("The strings are too tame: only %s came up." % sorted(kinds))
    print("%d strings compared, %d different" % (compared, different))
    return 1 if different else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    chosen_seed = int(sys.argv[3]) if len(sys.argv) == 4 else random.SystemRandom().randrange(2**32)
    sys.exit(main(sys.argv[1], int(sys.argv[2]), chosen_seed))
