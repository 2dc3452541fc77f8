"""The settings of a Clopos link."""

from typing import Any

import jsonschema
import pytest

from hub.contract.registry import installed_connectors
from hub.contract.tables import validate
from hub.errors import ConfigurationError
from tests.connectors.clopos.linked import V1


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "https://integrations.clopos.com/open-api/v2"},
        {"base_url": "https://integrations.clopos.com/open-api/"},
        {"venue_id": "one"},
        {"dialect": "v2"},
        {"brnad": "x"},
        {"sale_types": {"delivery": 2}},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    schema = installed_connectors().get("clopos").config_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    with pytest.raises(ConfigurationError):
        validate({**V1, **wrong}, schema, where="link")
