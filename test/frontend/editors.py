"""Compares the words that the editors know with those of the language.

    editors.py SOURCE_FOLDER

The keywords come from grammar/RASP.g4, the names of the library from
frontend/Library.rasp and Library.h. Exit code 1 if an editor misses one or
highlights a word that is none.
"""

import json
import os
import re
import sys


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def language(source):
    grammar = read(source, "grammar", "RASP.g4")
    tokens = grammar.split("// ---- Tokens ----")[1]
    # A token that is a word, perhaps before a parenthesis.
    words = set(re.findall(r"^\w+ : '([a-z][a-z ]*)'", tokens, re.M))
    # `s-op` is no token, but a word of the commands.
    words |= {"s-op", "True", "False", "tokens", "out", "selector_width"}
    library = read(source, "frontend", "Library.rasp")
    words |= set(re.findall(r"^def (\w+)", library, re.M))
    words |= set(re.findall(r"^(\w+) =", library, re.M))
    header = read(source, "frontend", "Library.h")
    constants = header.split("constantNames[]")[1].split(";")[0]
    words |= set(re.findall(r'"(\w+)"', constants))
    return words


def words_of_patterns(texts):
    """The words that regular expressions spell out."""
    words = set()
    for text in texts:
        for phrase in ("full seq display", "s-op"):
            if phrase in text:
                words.add(phrase)
                text = text.replace(phrase, "")
        text = re.sub(r"\[[^]]*\]", " ", text)  # character classes
        text = re.sub(r"\(\?=.*|\\ze.*", " ", text)  # what follows the word
        text = re.sub(r"\\[a-zA-Z<>]", " ", text)
        words |= set(re.findall(r"\b[A-Za-z_]\w+\b", text))
    return words


def text_mate(source):
    grammar = json.loads(read(source, "grammar", "editors", "rasp.tmLanguage.json"))
    repository = grammar["repository"]
    included = {pattern["include"] for pattern in grammar["patterns"]}
    assert included == {"#" + name for name in repository}, "a rule is not included"

    def matches(rule):
        if "match" in rule:
            re.compile(rule["match"])
            yield rule["match"]
        for inner in rule.get("patterns", []):
            yield from matches(inner)

    return words_of_patterns(
        match for rule in repository.values() for match in matches(rule)
    )


def vim(source):
    text = read(source, "grammar", "editors", "rasp.vim")
    words = set()
    groups = set()
    for group, rest in re.findall(r"^syntax keyword (\w+) (.*)$", text, re.M):
        groups.add(group)
        if "contained" not in rest:
            words |= set(rest.split())
    for group, pattern in re.findall(r'^syntax match (\w+) "(.*?)"', text, re.M):
        groups.add(group)
        words |= words_of_patterns([pattern])
    groups |= set(re.findall(r"^syntax region (\w+)", text, re.M))
    linked = set(re.findall(r"^highlight default link (\w+)", text, re.M))
    assert groups == linked, f"not highlighted: {groups ^ linked}"
    return words


def main(source):
    expected = language(source)
    status = 0
    for name, words in (("TextMate", text_mate(source)), ("Vim", vim(source))):
        missing, wrong = sorted(expected - words), sorted(words - expected)
        if missing or wrong:
            print(f"{name}: misses {missing}, has {wrong} that are no words")
            status = 1
        else:
            print(f"{name}: {len(words)} words")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
