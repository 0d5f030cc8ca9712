"""Checks that docs/openapi.yaml is valid OpenAPI and that its examples fit their schemas."""

import sys

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

HERE = "urn:document"


def main(path):
    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    OpenAPIV31SpecValidator(document).validate()
    resource = Resource(contents=document, specification=DRAFT202012)
    registry = Registry().with_resource(HERE, resource)
    count = 0
    for pointer, example in examples(document, "#"):
        schema = {"$ref": f"{HERE}{pointer}/schema"}
        Draft202012Validator(
            schema, registry=registry, format_checker=FormatChecker()
        ).validate(example)
        count += 1
    assert count > 0, "no examples"
    print(f"{count} examples")


def examples(node, pointer):
    """Every example beside a schema, and where both are."""
    if isinstance(node, list):
        for at, item in enumerate(node):
            yield from examples(item, f"{pointer}/{at}")
    elif isinstance(node, dict):
        if "schema" in node:
            if "example" in node:
                yield pointer, node["example"]
            for example in node.get("examples", {}).values():
                yield pointer, example["value"]
        for key, item in node.items():
            escaped = str(key).replace("~", "~0").replace("/", "~1")
            escaped = escaped.replace("{", "%7B").replace("}", "%7D")
            yield from examples(item, f"{pointer}/{escaped}")


main(sys.argv[1])
