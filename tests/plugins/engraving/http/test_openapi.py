"""What the OpenAPI document says against what the application does, by requests that are made up from the document."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.plugins.engraving.http.served import served
from tests.plugins.engraving.http.stand import ALL, FEW, Api
from tests.thorough import THOROUGH

pytestmark = [
    pytest.mark.anyio,
    # The application, in another thread, is what uses it.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]
SUBSETS = FEW
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {"stranger": 1, "customer": 1, "staff": 3}
"""Of each operation."""
MORE = 10
"""Times as many, thoroughly."""
ENDS = {("DELETE", "/api/sessions/current"), ("DELETE", "/api/me")}
"""After these nobody is signed in any more: they come last, once."""


@pytest.fixture(scope="module")
async def address(api: Api) -> Any:
    async with served(api.app) as found:
        yield found


def operations(document: dict[str, Any]) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document)
    found = [one.ok() for one in schema.get_all_operations()]
    yield from sorted(found, key=lambda one: (one.method.upper(), one.path) in ENDS)


def ask(document: dict[str, Any], address: str, headers: dict[str, str], examples: int) -> set[str]:
    """What does not hold."""
    wrong: set[str] = set()
    with requests.Session() as session:
        session.headers.update(headers)
        for operation in operations(document):
            which = (operation.method.upper(), operation.path)
            wrong |= _tried(operation, address, session, 1 if which in ENDS else examples)
    return wrong


def _tried(operation: Any, address: str, session: requests.Session, examples: int) -> set[str]:
    """Nothing is raised: an example that fails is not made smaller, it is told as it is."""
    wrong: set[str] = set()
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @seed(7)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(modes), near=st.booleans(), number=st.integers(1, 3))
    def attempt(case: Any, near: bool, number: int) -> None:
        if near and case.path_parameters:  # something that is there
            case.path_parameters = {
                name: number if isinstance(value, int) else value for name, value in case.path_parameters.items()
            }
        answer = case.call(base_url=address, session=session)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                # Without the command that repeats it, which has the whole body once more.
                wrong.add(f"{operation.label}: {failure}\n{str(case.body)[:300]!r} -> {answer.text[:300]}")

    attempt()
    return wrong


@pytest.mark.timeout(3600 if THOROUGH else 120)
@pytest.mark.parametrize("who", EXAMPLES)
async def test_nothing_is_answered_that_the_document_does_not_say(
    api: Api, address: str, subset: str, who: str
) -> None:
    if subset != ALL and who != "staff" and not THOROUGH:
        pytest.skip("what is refused does not come to where plugins matter")
    client = api.stranger() if who == "stranger" else await getattr(api, who)()
    headers = {key: value for key, value in client.headers.items() if key == "authorization"}
    document = (await api.stranger().get("/openapi.json")).json()
    examples = EXAMPLES[who] * (MORE if THOROUGH else 1)
    wrong = await asyncio.to_thread(ask, document, address, headers, examples)
    assert not wrong, "\n\n".join(sorted(wrong))
