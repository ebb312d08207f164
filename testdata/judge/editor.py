#!/usr/bin/env python3
"""Judge YAML documents by a JSON Schema, as an editor does while somebody types.

    editor.py SCHEMA FILE...

A second opinion on what is accepted as a workspace: it knows JSON Schema and YAML and nothing of
the program that wrote the schema. Prints one line for each document, "FILE:N ok" or
"FILE:N invalid: path: message", N counting a file's documents from 1. Exit code 1 when any is invalid,
2 when the schema is none or a package is missing. Needs the packages jsonschema and PyYAML.
"""

import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"{missing}; pip install jsonschema pyyaml", file=sys.stderr)
    sys.exit(2)


class Loader(yaml.SafeLoader):
    """YAML 1.2: no and on are texts, so are dates. A key may stand once."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def plain(tag, pattern, first):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(f"^(?:{pattern})$"), first)


plain("null", "~|null|Null|NULL|", ["~", "n", "N", ""])
plain("bool", "true|True|TRUE|false|False|FALSE", list("tTfF"))
plain("int", "[-+]?[0-9]+", list("-+0123456789"))
plain("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789"))
plain("merge", "<<", ["<"])


def texts(node):
    """Keys are texts, whatever they look like."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
            texts(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            texts(value)
    return node


def documents(file):
    """The documents of a file that hold something."""
    with open(file, encoding="utf-8") as stream:
        loader = Loader(stream)
        while loader.check_node():
            value = loader.construct_document(texts(loader.get_node()))
            if value is not None:
                yield value


def fault(validator, value):
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is None:
        return None
    return f"{'.'.join(str(step) for step in error.absolute_path) or 'document'}: {error.message}"


def judge(validator, file):
    """Print a line for each document and return how many are invalid."""
    invalid, n = 0, 0
    try:
        for n, value in enumerate(documents(file), 1):
            found = fault(validator, value)
            print(f"{file}:{n} " + (f"invalid: {found}".replace("\n", " ") if found else "ok"))
            invalid += bool(found)
    except yaml.YAMLError as error:
        print(f"{file}:{n + 1} invalid: document: " + " ".join(str(error).split()))
        invalid += 1
    return invalid


def main(schema_file, *files):
    with open(schema_file, encoding="utf-8") as stream:
        schema = json.load(stream)
    kind = jsonschema.validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        print(f"{schema_file}: {error.message}", file=sys.stderr)
        return 2
    validator = kind(schema)
    return 1 if sum([judge(validator, file) for file in files]) else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
