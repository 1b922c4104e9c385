"""Findings from release policies in the clouds' languages; a rule says which flaws it refuses (`policies.release`).

AWS's policy of a key may be complete only when the key is made: the rule for the stack judges it before, from what its
component says of it.
"""

import json
from collections.abc import Iterator
from typing import Any

from policies import vocabulary
from policies.release import aws
from policies.release.model import Flaw, MalformedDocument, Reading
from policies.subject import MalformedProperty, Property, Resource, Stack
from policies.terms import ReleaseDocument
from policies.verdict import Finding, NotApplicable, unknown

DOCUMENTS = "releaseDocuments"
"""What a component with keys says of their policies, where a part of them is known only after deployment."""
_SOME_ROLE = "arn:aws:iam::000000000000:role/known-after-deployment"


def flawed(document: ReleaseDocument, *flaws: Flaw, on: Resource | None = None) -> Iterator[Finding]:
    """What `document` has of `flaws`; one that cannot be read is a finding itself. `on`: where the stack is judged."""
    path = document.property.path
    try:
        yield from _found(path, document.read(), *flaws, on=on)
    except MalformedDocument as error:
        yield _unreadable(path, error, on)


def of_aws(resource: Resource, *flaws: Flaw) -> Iterator[Finding]:
    """What the policies of AWS that `resource` carries have of `flaws`."""
    documents = vocabulary.release_documents_of(resource) if resource.package == "aws" else ()
    if not documents:
        raise NotApplicable("says nothing of who may decrypt")
    for document in documents:
        if document.property.unknown:
            raise NotApplicable("is complete only when it is made; until then the rule for the stack judges it")
        if not document.property.stated:
            found = "is not stated, and AWS's own lets the account's roles decrypt"
            yield Finding(document.property.path, found, "a policy of the key")
            return
        yield from flawed(document, *flaws)


def of_aws_in_part(stack: Stack, *flaws: Flaw, unattested: tuple[Flaw, ...] = (Flaw.UNATTESTED,)) -> Iterator[Finding]:
    """What the stack's policies of AWS have of `flaws` as far as they are known yet.

    `unattested`: what is a flaw besides where nothing of the stack attests guests.
    """
    keys = [
        (one, document)
        for one in stack.resources
        if one.package == "aws"
        for document in vocabulary.release_documents_of(one)
    ]
    if not keys:
        raise NotApplicable("the stack has no key of AWS")
    verified = any(vocabulary.is_verifier(one) for one in stack.resources)
    stated = {key for one in stack.resources if one.props.at(DOCUMENTS).stated for key in stack.inside(one)}
    for component in stack.resources:
        for name in component.props.at(DOCUMENTS).names() if component.is_component else ():
            refused = flaws if verified else (*flaws, *unattested)
            yield from _document(component, component.props.at(DOCUMENTS, name), *refused)
    for key, document in keys:
        if document.property.unknown and key not in stated:
            yield unknown(document.property.path, on=key)
        elif not document.property.unknown and not verified:
            yield from _unattested(key, document, *unattested)


def _found(path: str, reading: Reading, *flaws: Flaw, on: Resource | None = None) -> Iterator[Finding]:
    for weakness in reading.of(*flaws):
        yield Finding(path, f"at {weakness.path} {weakness.found}", weakness.allowed, on)


def _unreadable(path: str, error: MalformedDocument, on: Resource | None) -> Finding:
    return Finding(path, f"cannot be judged: {error}", "a policy that can be read with one meaning", on)


def _document(component: Resource, document: Property, *flaws: Flaw) -> Iterator[Finding]:
    try:
        yield from _found(document.path, aws.analyse(json.dumps(_complete(document))), *flaws, on=component)
    except MalformedDocument as error:
        yield _unreadable(document.path, error, component)


def _complete(part: Property) -> Any:
    """`part` with a role in place of what is not known: the key's own policy is judged again when it is made."""
    if part.unknown:
        return _SOME_ROLE
    if isinstance(part.value, str | bool | int | float) or part.value is None:
        return part.value
    try:
        return {name: _complete(part.at(name)) for name in part.names()}
    except MalformedProperty:
        return [_complete(item) for item in part.items()]


def _unattested(key: Resource, document: ReleaseDocument, *flaws: Flaw) -> Iterator[Finding]:
    try:
        yield from _found(document.property.path, document.read(), *flaws, on=key)
    except MalformedDocument:
        return  # the rule for the resource refuses it
