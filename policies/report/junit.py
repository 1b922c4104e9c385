"""JUnit XML, as CI servers read it: a suite for each stack, a test case for each rule and resource.

The elements and attributes are those that Jenkins' reader takes (`junit-10.xsd` of its xUnit plugin), in which a test
case has no file and no line: they begin its message. Fail and unknown are failures, waived and not applicable are
skipped, a stack that could not be checked is an error; a suite's properties count each status, finding by finding.
"""

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable

from policies.report.model import FOUND, Report, Result, StackReport, printable


def render(report: Report) -> str:
    root = ET.Element("testsuites", name="bailiwick check")
    for stack in report.stacks:
        root.append(_suite(stack))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(stack: StackReport) -> ET.Element:
    cases: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in stack.results:
        cases[result.rule, result.urn].append(result)
    suite = ET.Element(
        "testsuite", name=printable(stack.stack), file=printable(stack.file), time=f"{stack.seconds:.3f}"
    )
    properties = ET.SubElement(suite, "properties")
    for status, count in stack.counts.items():
        ET.SubElement(properties, "property", name=status, value=str(count))
    if stack.error is not None:
        case = ET.SubElement(suite, "testcase", classname=printable(stack.stack), name="check", time="0")
        ET.SubElement(case, "error", message=printable(stack.error), type="could-not-check")
    for (rule, urn), results in cases.items():
        suite.append(_case(rule, urn, results))
    for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(1 for _ in suite.iter(tag))))
    return suite


def _case(rule: str, urn: str, results: Iterable[Result]) -> ET.Element:
    results = list(results)
    case = ET.Element("testcase", classname=rule, name=printable(urn), time="0")
    blocking = [result for result in results if result.blocks]
    quiet = [result for result in results if result.status in FOUND or result.known]
    if blocking:
        failure = ET.SubElement(
            case, "failure", message=_message(blocking[0]), type=f"{blocking[0].severity}-{blocking[0].status}"
        )
        failure.text = "\n".join(map(_message, blocking))
    elif all(result.status == "not_applicable" for result in results) or quiet:
        shown = quiet[0] if quiet else results[0]
        word = "in the baseline" if shown.known else shown.status.replace("_", " ")
        ET.SubElement(case, "skipped", message=f"{word}: {_message(shown)}")
    return case


def _message(result: Result) -> str:
    return printable(": ".join(filter(None, (result.place, result.message))))
