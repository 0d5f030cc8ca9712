"""What OpenAPI has no words for, so that schemathesis cannot read it from docs/openapi.yaml."""

import schemathesis
from schemathesis.core.failures import MalformedJson
from schemathesis.openapi.checks import MissingContentType


@schemathesis.hook
def filter_case(context, case):
    """Bounds are in bytes, not in characters. An attribute stands in the query or in the body, not
    in both."""
    path = case.path_parameters or {}
    query, body = attributes(case.query), attributes(case.body)
    names, values = [*query, *body], [*path.values(), *query.values(), *body.values()]
    return not (
        query.keys() & body.keys()
        or any(is_long_in_bytes_alone(name, 64) for name in names)
        or any(is_long_in_bytes_alone(value, 256) for value in values)
    )


def attributes(form):
    form = form if isinstance(form, dict) else {}
    inner = form.get("attributes")
    return inner if isinstance(inner, dict) else form


def is_long_in_bytes_alone(text, most):
    return isinstance(text, str) and len(text) <= most < len(text.encode(errors="surrogatepass"))


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """410 comes with a body or without one, and to applications that makes a difference."""
    is_about_the_body = isinstance(failure, (MissingContentType, MalformedJson))
    return not (is_about_the_body and response.status_code == 410 and not response.content)
