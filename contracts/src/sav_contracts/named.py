"""Named values, such as readings."""

from typing import Any

from pydantic import BeforeValidator

from sav_contracts import canonical
from sav_contracts.wrong_value import WrongValue


class NamedTwice(WrongValue):
    code = "named_twice"
    en = "each once: two names are the same but for spaces or invisible characters"
    fr = "chacun une seule fois\N{NO-BREAK SPACE}: deux noms ne diffèrent que par des espaces ou des caractères invisibles"


def _named_once(given: Any) -> Any:
    names = [_line(name) for name in given if isinstance(name, str)] if isinstance(given, dict) else []
    if len(set(names)) < len(names):
        raise NamedTwice().error()
    return given


def _line(name: str) -> str:
    try:
        return canonical.line(name)
    except ValueError:  # it is refused as a name
        return name


# None is lost where two names have the same canonical form.
NAMED_ONCE = BeforeValidator(_named_once)
